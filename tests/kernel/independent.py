"""A second opinion on certificates: the literal definitions, Fractions and sympy, its own means.

``judge`` says whether the evidence of a certificate shows its statement.  It imports nothing of
theorylab, so what the kernel wrongly accepts it has a chance to see.  It is slow and for tests.
"""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations
from typing import Any

import literal
from kernel.counted_roots import shown_roots
from kernel.distances import shown_distance
from kernel.forms import shown_inertia
from kernel.functions import falls, shown_function
from kernel.independent_hypotheses import (
    dot,
    exponent_vectors,
    hidden,
    holds,
    in_weight_space,
    orthogonal,
    remainder,
    some_features,
    weight_shapes,
)
from kernel.ranks import COUNTS, shown_rank
from kernel.segments import (
    LINE,
    Json,
    NotShown,
    Theta,
    check_piece,
    check_straight,
    coefficients,
    forward,
    has_linear_output,
    is_linear,
    loss_over,
    need,
    numbers,
    polynomial_rho,
    sample_weights,
)
from kernel.spans import shown_span
from kernel.trees import shown_tree
from kernel.walls import components_shown, labels_at
from sympy import QQ, Matrix, Rational
from sympy.polys.rings import ring

Fact = dict[str, Any]


AS_WRITTEN = (
    *("kind", "op", "system", "polynomial", "degree"),
    *("at_least", "real_at_least", "at_most"),
    "levels",
)


def judge(certificate: Json) -> str:
    """ "proved" or "refuted"; raises NotShown if the evidence shows neither."""
    try:
        need(set(certificate) == {"schema", "statement", "rule", "proof"}, "keys")
        need(certificate["schema"] == "theorylab.certificate/1", "schema")
        statement = certificate["statement"]
        keys = {"network", "data", "hypotheses", "conclusion"}
        need(keys <= set(statement) <= keys | {"ridge"}, "keys")
        network, data, conclusion = (statement[k] for k in ("network", "data", "conclusion"))
        _well_formed(network, data, conclusion)
        kinds = {hypothesis["kind"] for hypothesis in statement["hypotheses"]}
        need(("ridge" in statement) == bool(kinds & {"ridge", "common_ridge"}), "ridge")
        if "ridge" in statement:
            data = {**data, "ridge": _ridge(statement["ridge"], network)}
            need(certificate["rule"] in RIDGED, "the rule is for the plain loss")
        for hypothesis in statement["hypotheses"]:
            need(holds(hypothesis, network, data, conclusion), f"hypothesis {hypothesis}")
        fact = RULES[certificate["rule"]](network, data, conclusion, certificate["proof"])
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise NotShown(f"malformed: {error!r}") from error
    if fact == _normal(conclusion):
        return "proved"
    need(_contradicts(fact, _normal(conclusion)), f"shows {fact['kind']}, not the conclusion")
    return "refuted"


RIDGED = ("polyline", "path", "barrier", "optimum", "witness")


def _ridge(ridge: Json, network: Json) -> list[Fraction]:
    widths, bias = network["widths"], network["bias"]
    rates = [Fraction(v) for v in ridge]
    entries = sum(widths[k + 1] * (widths[k] + int(bias[k])) for k in range(len(bias)))
    need(len(rates) == entries and min(rates) >= 0 and any(rates), "ridge")
    need(network["pattern"] is None, "a ridge with a pattern")
    return rates


def _normal(conclusion: Json) -> Fact:
    """The conclusion with its rationals and points read."""
    out: Fact = {}
    for key, value in conclusion.items():
        if key in AS_WRITTEN:
            out[key] = value
        elif isinstance(value, dict):
            out[key] = numbers(value["loss"])
        else:
            out[key] = numbers(value) if isinstance(value, list) else Fraction(value)
    return out


def _contradicts(fact: Fact, conclusion: Fact) -> bool:
    if {fact["kind"], conclusion["kind"]} == {"joined", "separated"}:
        return all(fact[key] == conclusion[key] for key in ("A", "B", "u"))
    if (fact["kind"], conclusion["kind"]) == ("trapped", "descends"):
        above = fact["v"] > conclusion["v"] + conclusion["eps"]
        return bool(above and fact["A"] == conclusion["A"])
    if (fact["kind"], conclusion["kind"]) == ("poor_minimum", "not_poor_minimum"):
        return bool(fact["A"] == conclusion["A"])
    if {fact["kind"], conclusion["kind"]} == {"positive_dimension", "isolated_zero"}:
        return bool(fact["A"] == conclusion["A"])
    pair = (fact["kind"], conclusion["kind"])
    if pair in {("other distance", "sup_norm"), ("other distance", "best_error")}:
        return True
    if pair == ("not_nearest", "nearest"):
        return True
    if pair == ("no_zero", "has_zero") or pair in {(f"other {kind}", kind) for kind in COUNTS}:
        return True
    if pair in {(f"other {kind}", kind) for kind in ("level_tree", "components", "global_min")}:
        return True
    if pair in (("different_function", "same_function"), ("no_span_path", "span_path")):
        return True
    return pair in (("no_relation", "relation"), ("more_roots", "roots"), ("fewer_roots", "roots"))


def _well_formed(network: Json, data: Json, conclusion: Json) -> None:
    widths = network["widths"]
    need(min(widths) >= 1 and len(network["bias"]) == len(widths) - 1 >= 1, "widths")
    need(len(data["x"]) == len(data["y"]) == len(sample_weights(data)) >= 1, "samples")
    need(all(len(row) == widths[0] for row in data["x"]), "x")
    need(all(len(row) == widths[-1] for row in data["y"]), "y")
    need(min(sample_weights(data)) > 0, "weights")
    for key, value in conclusion.items():
        if key in ("polynomial", "levels"):
            continue
        point = value.get("loss") if isinstance(value, dict) else value
        if isinstance(point, list):
            in_weight_space(network, numbers(point))
    need(Fraction(conclusion.get("eps", 0)) >= 0, "eps")


# rules


def _path(network: Json, data: Json, conclusion: Json, proof: Json, pieces: bool) -> Fact:
    bound, fact = proof["form"] == "bound", _normal(conclusion)
    need(bound or proof["form"] == "monotone", "form")
    need(conclusion["kind"] in (("joined", "separated") if bound else ("descends",)), "form")
    level = fact["u"] if bound else None
    theta: Theta = fact["A"]
    need(level is None or literal.loss(network, data, theta) <= level, "A is above the level")
    for step in proof["steps"]:
        if pieces and "piece" in step:
            theta = check_piece(network, data, theta, step, level)
            continue
        k, target = step["layer"] - 1, [list(layer) for layer in theta]
        need(0 <= k < len(theta), "layer")
        for i, row in step["rows"]:
            need(0 <= i < len(theta[k]), "row")
            target[k][i] = [Fraction(v) for v in row]
        need(len({i for i, _ in step["rows"]}) == len(step["rows"]), "a row twice")
        in_weight_space(network, target)
        found = check_straight(network, data, theta, target, level)
        _honest(network, step["move"], k, [p for _, _, p in found], theta, target, data)
        theta = target
    if bound:
        need(theta == fact["B"], "the path does not end at B")
        return {**fact, "kind": "joined"}
    low = _lower(network, data, proof["optimum"], theta)
    need(fact["v"] <= low, "v is not a lower bound")
    need(literal.loss(network, data, theta) <= fact["v"] + fact["eps"], "ends too high")
    return fact


def _honest(
    network: Json, kind: str, k: int, pieces: list[Any], old: Theta, new: Theta, data: Json
) -> None:
    """Whether the move may bear its name; that the loss is right on it was checked before."""
    last = len(network["widths"]) - 2
    convex = len(pieces) == 1 and pieces[0].degree() <= 2 and has_linear_output(network)
    if kind == "idle":
        unchanged = hidden(network, data, old)[k + 1 :] == hidden(network, data, new)[k + 1 :]
        need(k < last and unchanged and all(p == pieces[0] for p in pieces), "not idle")
        moves = 2 if "ridge" in data else 0
        need(pieces[0].degree() <= moves, "the loss changes in an idle move")
    elif kind == "layer":
        need(convex and is_linear(network), "a layer of a nonlinear network")
    elif kind == "output":
        need(convex and k == last, "not the output layer")
    else:
        need(kind == "cell" and network["activation"] != "step", "unknown move")
        need(convex and k == last - 1, "not a cell of the last hidden layer")


def _polyline(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    return _path(network, data, conclusion, proof, False)


def _curve(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    return _path(network, data, conclusion, proof, True)


def _spanning(name: str, network: Json, data: Json) -> list[list[Fraction]]:
    x = [[Fraction(v) for v in row] for row in data["x"]]
    ones = [[Fraction(1)] * len(x)]
    if name == "distinct":
        return [[Fraction(int(row == other)) for row in x] for other in x]
    need(network["output"] == "linear", "output")
    columns = [list(column) for column in zip(*x, strict=True)]
    if name == "inputs":
        need(is_linear(network), "inputs are for linear networks")
        return columns + (ones if True in network["bias"] else [])
    need(len(network["widths"]) == 3, "one hidden layer")
    listed = coefficients(network)
    if name == "monomials":
        need(listed is not None, "monomials are for polynomials")
        long = columns + (ones if network["bias"][0] else [])
        rows = []
        for e in [
            e for i, a in enumerate(listed or []) if a for e in exponent_vectors(len(long), i)
        ]:
            row = ones[0]
            for column, power in zip(long, e, strict=True):
                row = [r * v**power for r, v in zip(row, column, strict=True)]
            rows.append(row)
    else:
        need(name == "walls" and listed is None, "unknown features")
        rows = some_features(network, data)
    return rows + (ones if network["bias"][1] else [])


def _lower(network: Json, data: Json, optimum: Json, theta: Theta) -> Fraction:
    """A lower bound of the loss that the optimum shows."""
    weights = sample_weights(data)
    targets = [[Fraction(row[i]) for row in data["y"]] for i in range(network["widths"][-1])]
    if optimum == {"by": "zero"}:
        return Fraction(0)
    need("ridge" not in data, "a bound of the plain loss")
    if optimum["by"] == "orthogonal":
        basis = orthogonal(_spanning(optimum["features"], network, data), weights)
        errors = [remainder(row, basis, weights) for row in targets]
        best = sum((dot(e, e, weights) for e in errors), Fraction(0))
        need(literal.loss(network, data, theta) == best, "the point is not the best fit")
        return best
    need(optimum["by"] == "ky-fan" and is_linear(network), "unknown optimum")
    need(True not in network["bias"], "bias")
    fit, z = ([[Fraction(v) for v in row] for row in optimum[key]] for key in ("fit", "Z"))
    mu, size = Fraction(optimum["mu"]), len(targets)
    columns = [[Fraction(row[i]) for row in data["x"]] for i in range(network["widths"][0])]
    need(len(fit) == size == len(z), "shape")
    fitted = [
        [
            sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0))
            for x in zip(*columns, strict=True)
        ]
        for row in fit
    ]
    basis = orthogonal(columns, weights)
    projected = [
        [t - r for t, r in zip(row, remainder(row, basis, weights), strict=True)] for row in targets
    ]
    need(fitted == projected, "fit is not the least-squares fit")
    s = [[dot(p, q, weights) for q in fitted] for p in fitted]
    slack = [[z[i][j] - s[i][j] + mu * int(i == j) for j in range(size)] for i in range(size)]
    need(mu >= 0 and _semidefinite(z) and _semidefinite(slack), "not a dual solution")
    energy = sum((dot(row, row, weights) for row in targets), Fraction(0))
    rank = Fraction(min(network["widths"]))
    return energy - rank * mu - sum((z[i][i] for i in range(size)), Fraction(0))


def _semidefinite(rows: list[list[Fraction]]) -> bool:
    """Symmetric, and every principal minor is non-negative."""
    m = Matrix([[Rational(str(v)) for v in row] for row in rows])
    chosen = (c for k in range(1, m.rows + 1) for c in combinations(range(m.rows), k))
    return m == m.T and all(m.extract(list(c), list(c)).det() >= 0 for c in chosen)


class _Weights:
    """The loss and the polynomials of a certificate as elements of Q[weights]."""

    def __init__(self, network: Json, data: Json, like: Theta) -> None:
        count = sum(len(row) for layer in like for row in layer)
        self.ring, *gens = ring([f"w{i}" for i in range(count)], QQ)
        self.gens, free = gens, iter(gens)
        one, shared = self.ring.one, dict[int, Any]()
        pattern = network["pattern"] or [None] * len(like)

        def place(own: Any, entry: Any) -> Any:
            if isinstance(entry, str):
                return self.number(entry)
            return own if entry is None else shared.setdefault(entry, own)

        theta = [
            [
                [place(next(free), entries[i][j] if entries else None) for j in range(len(row))]
                for i, row in enumerate(layer)
            ]
            for layer, entries in zip(like, pattern, strict=True)
        ]
        self.loss = loss_over(network, data, theta, one, polynomial_rho(network, one))

    def read(self, terms: Json) -> Any:
        total = self.ring.zero
        for coefficient, exponents in terms:
            monomial = self.number(coefficient)
            for variable, power in exponents:
                need(variable >= 0 and power >= 1, "exponent")
                monomial = monomial * self.gens[variable] ** power
            total = total + monomial
        return total

    def number(self, value: Any) -> Any:
        f = Fraction(value)
        return self.ring.one * QQ(f.numerator, f.denominator)

    def at(self, p: Any, theta: Theta) -> Fraction:
        point = [v for layer in theta for row in layer for v in row]
        total = Fraction(0)
        for key, c in p.terms():
            term = Fraction(int(c.numerator), int(c.denominator))
            for v, power in zip(point, key, strict=True):
                term *= v**power
            total += term
        return total

    def combination(self, terms: Json, guards: list[Any]) -> Any:
        total = self.ring.zero
        for c, factors, q in terms:
            need(Fraction(c) >= 0, "a negative coefficient")
            square = self.number(c) * self.read(q) ** 2
            for guard, power in factors:
                need(guard >= 0 and power >= 1, "guard")
                square = square * guards[guard] ** power
            total = total + square
        return total


def _walls(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    fact = _normal(conclusion)
    u = fact["u"]

    def floor(optimum: Json) -> Fraction:
        plain = {key: value for key, value in data.items() if key != "ridge"}
        return _lower(network, plain, optimum, [])

    def identity(wall: Json) -> Any:
        like = [[[Fraction(0)] * c] * r for r, c in weight_shapes(network)]
        space = _Weights(network, data, like)
        g, margin = space.read(wall["wall"]), Fraction(wall["margin"])
        shown = space.combination([[d, [], q] for d, q in wall["squares"]], [])
        shown = shown + g * space.read(wall["multiplier"]) + space.number(u + margin)
        need(margin > 0 and shown == space.loss, "the identity of the wall")
        return lambda theta: (space.at(g, theta) > 0) - (space.at(g, theta) < 0)

    if conclusion["kind"] == "components":
        points, seen, number = components_shown(network, data, u, proof, floor, identity)
    else:
        points = [fact["A"], fact["B"]]
        seen = labels_at(network, data, u, proof, floor, identity, points)
        need(seen[0] != seen[1], "A and B are on one side")
    for point in points:
        in_weight_space(network, point)
        need(literal.loss(network, data, point) <= u, "a point is above the level")
    if conclusion["kind"] != "components":
        return {"kind": "separated", "A": fact["A"], "B": fact["B"], "u": u}
    if fact["at_most"] is not None:
        need(number > fact["at_most"], "not so many")
        return {"kind": "other components"}
    need(number >= fact["at_least"], "not so many")
    return fact


def _barrier(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    if "walls" in proof:
        return _walls(network, data, conclusion, proof)
    fact, trap = _normal(conclusion), proof.get("side") is not None
    a: Theta = fact["A"]
    space = _Weights(network, data, a)
    wall, margin = space.read(proof["wall"]), Fraction(proof["margin"])
    u = Fraction(proof["u"]) if trap else fact["u"]
    shown = space.combination([[d, [], q] for d, q in proof["squares"]], [])
    shown = shown + wall * space.read(proof["multiplier"]) + space.number(u + margin)
    need(margin > 0 and shown == space.loss, "the identity of the wall")
    need(literal.loss(network, data, a) <= u, "A is above the level")
    here = space.at(wall, a)
    if not trap:
        b: Theta = fact["B"]
        need(literal.loss(network, data, b) <= u, "B is above the level")
        need(here * space.at(wall, b) < 0, "A and B are on one side")
        return {"kind": "separated", "A": a, "B": b, "u": u}
    v, sign = Fraction(proof["v"]), 1 if here > 0 else -1
    need(here != 0, "A lies on the wall")
    need(all(type(e) is int and e in (0, 1) for _, e, _ in proof["side"]), "side")
    side = [[c, [[0, 1]] if e else [], q] for c, e, q in proof["side"]]
    need(space.number(v) + space.combination(side, [wall * sign]) == space.loss, "the side")
    lower = in_weight_space(network, numbers(proof["lower"]))
    need(literal.loss(network, data, lower) < v, "the lower point is not lower")
    return {"kind": "trapped", "A": a, "u": u, "v": v}


def _optimum(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    fact = _normal(conclusion)
    if conclusion["kind"] == "global_min":
        point = in_weight_space(network, numbers(proof["point"]))
        low = _lower(network, data, proof["optimum"], point)
        need(literal.loss(network, data, point) == fact["v"] <= low, "v is not the minimum")
        return fact
    a: Theta = fact["A"]
    if conclusion["kind"] == "not_poor_minimum" and "local" not in proof:
        (key,) = proof
        if key == "curve":
            falls(network, data, a, proof["curve"])
        else:
            low = _lower(network, data, proof["optimum"], a)
            need(literal.loss(network, data, a) <= low, "not a global minimum")
        return fact
    _locally_minimal(network, data, a, proof["local"])
    if conclusion["kind"] == "local_min":
        return fact
    lower = in_weight_space(network, numbers(proof["lower"]))
    below = literal.loss(network, data, lower) < literal.loss(network, data, a)
    need(conclusion["kind"] == "not_poor_minimum" and below, "the lower point is not lower")
    return {"kind": "poor_minimum", "A": a}


def _locally_minimal(network: Json, data: Json, a: Theta, local: Json) -> None:
    here = literal.loss(network, data, a)
    if local["by"] == "identity":
        space = _Weights(network, data, a)
        guards = [space.read(g) for g in local["guards"]]
        need(all(space.at(g, a) > 0 for g in guards), "a guard is not positive at A")
        shown = space.combination(local["terms"], guards) + space.number(here)
        need(shown == space.loss, "the identity of the minimum")
        return
    need("ridge" not in data, "dead-layer is for the plain loss")
    need(local["by"] == "dead-layer" and network["activation"] == "relu", "unknown argument")
    k = local["layer"] - 1
    need(0 <= k < len(a) - 1 and True not in network["bias"][k + 1 :], "layer or bias")
    for x in data["x"]:
        row = [Fraction(v) for v in x]
        z = forward(network, row, a, Fraction(1), lambda v: max(v, Fraction(0)))[0][k]
        need(max(z) < 0, "a live unit")
    rng = random.Random(2)
    for _ in range(20):
        near = [[[v + Fraction(rng.randint(-9, 9), 10**60) for v in r] for r in w] for w in a]
        if literal.conforms(network, near):
            need(literal.loss(network, data, near) >= here, "not a local minimum")


def _witness(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    need(proof == {} and conclusion["kind"] == "relation", "a witness decides relations")
    left, right = (
        literal.loss(network, data, numbers(side["loss"]))
        if isinstance(side, dict)
        else Fraction(side)
        for side in (conclusion["left"], conclusion["right"])
    )
    true = {"<": left < right, "<=": left <= right, "==": left == right}[conclusion["op"]]
    return {**_normal(conclusion), "kind": "relation" if true else "no_relation"}


def _roots(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    fact = _normal(conclusion)
    return {**fact, "kind": shown_roots(network, data, conclusion, proof)["kind"]}


def _rank(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    kind, exact = shown_rank(network, data, conclusion, proof)
    fact = {**_normal(conclusion), "kind": kind}
    if exact is None:
        return fact
    most = conclusion["at_most"]
    inside = conclusion["at_least"] <= exact and (most is None or exact <= most)
    return fact if inside else {**fact, "kind": f"other {kind}"}


def _span(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    return {**_normal(conclusion), "kind": shown_span(network, conclusion, proof)}


def _approximation(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    return {**_normal(conclusion), "kind": shown_distance(network, conclusion, proof)}


def _inertia(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    kind, exact = shown_inertia(network, data, conclusion, proof)
    fact = {**_normal(conclusion), "kind": kind}
    if exact is None:
        return fact
    most = conclusion["at_most"]
    inside = conclusion["at_least"] <= exact and (most is None or exact <= most)
    return fact if inside else {**fact, "kind": "other components"}


def _level_tree(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    fact = _normal(conclusion)
    return {**fact, **shown_tree(network, data, conclusion, proof)}


def _symmetry(network: Json, data: Json, conclusion: Json, proof: Json) -> Fact:
    fact = _normal(conclusion)
    need(conclusion["kind"] == "same_function", "symmetry decides same_function")
    return {**fact, "kind": shown_function(network, fact["A"], fact["B"], proof)}


RULES = {
    "polyline": _polyline,
    "path": _curve,
    "barrier": _barrier,
    "optimum": _optimum,
    "witness": _witness,
    "root": _roots,
    "rank": _rank,
    "approximation": _approximation,
    "span": _span,
    "symmetry": _symmetry,
    "level_tree": _level_tree,
    "inertia": _inertia,
}
assert LINE.domain == QQ
