"""check(bytes): one function per rule, each citing its lemma of ``proofs/soundness.md``.

A rule never searches.  It reads hints, substitutes, multiplies and compares; what it returns is a
fact.  The fact equals the conclusion of the statement (Proved), or is its fixed negation (Refuted),
or the certificate is rejected.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from theorylab.kernel import hypotheses
from theorylab.kernel import statements as read
from theorylab.kernel.approximation import approximation
from theorylab.kernel.arith import MAX_WORK, METER, Matrix, Poly, Refusal, require, spend
from theorylab.kernel.arith import has_sign_on_unit_interval as has_sign
from theorylab.kernel.escape import escape
from theorylab.kernel.inertia import inertia
from theorylab.kernel.level_tree import level_tree
from theorylab.kernel.rank import rank
from theorylab.kernel.roots import roots
from theorylab.kernel.semantics import Theta, residual
from theorylab.kernel.separation import barrier, combination, ky_fan, symbolic_loss
from theorylab.kernel.span import span
from theorylab.kernel.statements import Fact, Outcome, Proved, Refuted, Rejected, Statement
from theorylab.kernel.symmetry import symmetry


class Walk:
    """A point that moves through weight space, its features and its loss kept up to date."""

    def __init__(self, statement: Statement, start: Theta) -> None:
        self.statement, self.network, self.data = statement, statement.network, statement.data
        self.theta = start
        self._features: list[Matrix | None] = []
        self._loss: Fraction | None = None
        self._forget(0)

    def _forget(self, layer: int) -> None:
        kept = self._features[:layer] or [self.data.x]
        self._features = [*kept, *[None] * (self.network.depth - len(kept))]
        self._loss = None

    def features(self, k: int) -> Matrix:
        known = self._features[k]
        if known is None:
            below = self.features(k - 1)
            known = self.network.activation.on(
                self.network.preactivation(k, self.theta[k - 1], below)
            )
            self._features[k] = known
        return known

    def residual(self) -> Matrix:
        output = self.network.output(self.theta, self.features(self.network.depth - 1))
        return residual(output, self.data.y)

    @property
    def loss(self) -> Fraction:
        if self._loss is None:
            plain = self.statement.ridge is None
            self._loss = (
                Fraction(*self.data.squared_norm(self.residual()))
                if plain
                else self.statement.loss(self.theta)
            )
        return self._loss

    def move(self, step: Any, *, look_half_way: bool) -> Fraction | None:
        """Make one straight move (Lemma 1); the loss half way, or None where it is constant."""
        kind, layer, rows = read.fields(step, "move layer rows")
        k = read.integer(layer, 1, self.network.depth, "a layer")
        old, changes = self.theta[k - 1], {}
        for change in read.items(rows, "rows"):
            require(type(change) is list and len(change) == 2, "a row is [index, values]")
            i = read.integer(change[0], 0, old.shape[0] - 1, "a row index")
            values = [read.rational(v) for v in read.items(change[1], "a row")]
            require(len(values) == old.shape[1] and i not in changes, "a changed row is malformed")
            changes[i] = values
        new = old.replaced(changes)
        target = (*self.theta[: k - 1], new, *self.theta[k:])
        require(self.network.conforms(target), "a vertex breaks the pattern of the network")
        if kind == "idle":
            self._idle(k, sorted(changes), old, new)
            if self.statement.ridge is None:
                self.theta = target
                self._features[k] = None
                return None
        linear_output = not self.network.output_activated or self.network.activation.is_linear
        require(linear_output or kind == "idle", "a convex move needs a linear output")
        if kind == "idle":
            pass  # a ridge alone changes, and it is convex
        elif kind == "layer":
            require(self.network.activation.is_linear, "move layer needs a linear network")
        elif kind == "output":
            require(k == self.network.depth, "move output moves the last layer only")
        elif kind == "cell":
            self._cell(k, old, new)
        else:
            raise Refusal("move must be layer, output, idle or cell")
        half = Fraction(0)
        if look_half_way:
            self._forget(k)
            self.theta = (*self.theta[: k - 1], _midpoint(old, new), *self.theta[k:])
            half = self.loss
        self._forget(k)
        self.theta = target
        return half

    def _idle(self, k: int, rows: list[int], old: Matrix, new: Matrix) -> None:
        # Lemma 1(c): every changed row is dead, or its pre-activations are the same at both ends
        require(k < self.network.depth, "move idle moves a hidden layer only")
        above = self.theta[k].rows
        spend(4 * len(rows) * len(above))
        live = [i for i in rows if any(row[i] for row in above)]
        if live:
            below = self.features(k - 1)
            before = self.network.preactivation(k, old.take(live), below)
            after = self.network.preactivation(k, new.take(live), below)
            require(before.equals(after), "an idle move changes a live unit")

    def _cell(self, k: int, old: Matrix, new: Matrix) -> None:
        # Lemma 1(d): weak signs of all pre-activations agree at both ends
        require(k == self.network.depth - 1, "move cell moves the last hidden layer only")
        rho = self.network.activation
        require(rho.is_linear_on_each_side, "move cell needs relu, leaky_relu, abs or linear")
        below = self.features(k - 1)
        before = self.network.preactivation(k, old, below).entries
        after = self.network.preactivation(k, new, below).entries
        same = all(a * b >= 0 for a, b in zip(before, after, strict=True))
        require(same, "a pre-activation changes sign in a cell move")

    def piece(self, step: Any) -> tuple[Poly, Poly, Any]:
        """Follow one rational piece (Lemma 4); its reduced loss num/den and the final leaves."""
        layers, claimed, den_leaves, loss_leaves, final = read.fields(
            step, "piece loss denominators loss_denominator leaves"
        )
        network = self.network
        require(network.pattern is None, "rational pieces need a dense network")
        require(network.activation.coefficients is not None, "rational pieces need polynomials")
        moving: dict[int, Matrix] = {}
        listed = read.items(layers, "piece")
        require(len(read.items(den_leaves, "leaves")) == len(listed) > 0, "one leaf list per layer")
        for entry, tiles in zip(listed, den_leaves, strict=True):
            layer, numerator, denominator = read.fields(entry, "layer numerator denominator")
            k = read.integer(layer, 1, network.depth, "a layer")
            require(k not in moving, "a layer moves twice in one piece")
            den = read.univariate(denominator)
            positive = has_sign(den, read.leaves(tiles), strict=True)
            require(positive, "a denominator is not shown to be positive")
            rows = read.polynomials(numerator, network.shape(k), "a numerator").rows
            moving[k] = Matrix(rows, den)
        start, end = (self._at(moving, Fraction(t)) for t in (0, 1))
        meets = all(a.equals(b) for a, b in zip(start, self.theta, strict=True))
        require(meets, "a piece does not start where the path stands")
        numerator, denominator = read.fields(claimed, "numerator denominator")
        num, den = read.univariate(numerator), read.univariate(denominator)
        positive = has_sign(den, read.leaves(loss_leaves), strict=True)
        require(positive, "the denominator of the loss is not shown to be positive")
        point = tuple(moving.get(k, w) for k, w in enumerate(self.theta, 1))
        true_num, true_den = self.statement.loss_fraction(point)
        difference = num * true_den - den * true_num
        require(not difference.terms, "the claimed loss along a piece is not the loss")
        self._forget(0)
        self.theta = end
        return num, den, read.leaves(final)

    def _at(self, moving: dict[int, Matrix], t: Fraction) -> Theta:
        def value(m: Matrix) -> Matrix:
            den = m.den([t])
            return Matrix.of([[p([t]) / den for p in row] for row in m.rows])

        return tuple(value(moving[k]) if k in moving else w for k, w in enumerate(self.theta, 1))


def _midpoint(a: Matrix, b: Matrix) -> Matrix:
    rows = tuple(
        tuple(v * b.den + w * a.den for v, w in zip(row, other, strict=True))
        for row, other in zip(a.rows, b.rows, strict=True)
    )
    return Matrix(rows, 2 * a.den * b.den).reduced()


def _path(statement: Statement, proof: Any, *, pieces: bool) -> tuple[Fact, list[str]]:
    """Lemmas 1-4: a path whose loss never exceeds u, or never increases."""
    conclusion = statement.conclusion
    form, steps, optimum = read.fields(proof, "form steps", "optimum")
    require(form in ("bound", "monotone"), "form is bound or monotone")
    bound = form == "bound"
    kinds = ("joined", "separated") if bound else ("descends",)
    require(conclusion.kind in kinds, f"a {form} path says nothing about {conclusion.kind}")
    start = conclusion.points["A"]
    walk = Walk(statement, start)
    level = conclusion.values["u"] if bound else Fraction(0)
    require(not bound or walk.loss <= level, "the path starts above the level")
    for number, step in enumerate(read.items(steps, "steps")):
        spend(10_000)
        before = walk.loss
        if pieces and type(step) is dict and "piece" in step:
            num, den, tiles = walk.piece(step)
            p = den * level - num if bound else num * den.derivative() - num.derivative() * den
            good = has_sign(p, tiles, strict=False)
            require(good, f"step {number}: the sign along the piece is not shown")
            continue
        half = walk.move(step, look_half_way=not bound)
        if half is None:
            continue
        if bound:
            require(walk.loss <= level, f"step {number}: the loss exceeds the level")
        else:
            falling = walk.loss <= before and 3 * walk.loss - 4 * half + before <= 0
            require(falling, f"step {number}: the loss is not shown to be non-increasing")
    cited = ["Lemma 2" if bound else "Lemma 3"] + (["Lemma 4", "Lemma 5"] if pieces else [])
    if bound:
        require(optimum is None, "a bound path takes no optimum")
        end = conclusion.points["B"]
        same = all(a.equals(b) for a, b in zip(walk.theta, end, strict=True))
        require(same, "the path does not end at B")
        return replace(conclusion, kind="joined"), cited
    v, eps = conclusion.values["v"], conclusion.values["eps"]
    low, lemma = _lower_bound(statement, optimum, walk)
    require(v <= low, "v is not shown to be a lower bound of the loss")
    require(walk.loss <= v + eps, "the path ends above v + eps")
    return conclusion, [*cited, lemma]


def _polyline(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    return _path(statement, proof, pieces=False)


def _curve(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    return _path(statement, proof, pieces=True)


def _lower_bound(statement: Statement, proof: Any, walk: Walk) -> tuple[Fraction, str]:
    """A number that L never falls below (Lemmas 9 and 10)."""
    require(type(proof) is dict and "by" in proof, "an optimum says by which argument")
    network, data = statement.network, statement.data
    if proof["by"] == "zero":
        read.fields(proof, "by")
        return Fraction(0), "Lemma 8"
    require(statement.ridge is None, "orthogonal and ky-fan are for the loss without ridge")
    if proof["by"] == "orthogonal":
        _, name = read.fields(proof, "by features")
        space = hypotheses.feature_space(name, network, data)
        product = data.gram(walk.residual(), space)
        require(not any(product.entries), "the residual is not orthogonal to the feature space")
        return walk.loss, f"Lemma 9 ({name})"
    require(proof["by"] == "ky-fan", "an optimum is by zero, orthogonal or ky-fan")
    floor, _ = ky_fan(statement, read.fields(proof, "by fit mu Z")[1:])
    return floor, "Lemma 10 (Ky Fan)"


def _optimum(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemmas 8-12, 40: a global minimum with a point that attains it, a local one, or none."""
    conclusion, network = statement.conclusion, statement.network
    if conclusion.kind == "global_min":
        optimum, point = read.fields(proof, "optimum point")
        walk = Walk(statement, read.theta(point, network, "point"))
        low, lemma = _lower_bound(statement, optimum, walk)
        v = conclusion.values["v"]
        require(walk.loss == v <= low, "v is not attained, or not shown to be a lower bound")
        return conclusion, [lemma]
    require(conclusion.kind in ("local_min", "not_poor_minimum"), "optimum proves a minimum")
    if conclusion.kind == "not_poor_minimum" and type(proof) is dict and "local" not in proof:
        if "curve" in proof:
            return escape(statement, proof)
        (optimum,) = read.fields(proof, "optimum")
        walk = Walk(statement, conclusion.points["A"])
        low, lemma = _lower_bound(statement, optimum, walk)
        require(walk.loss <= low, "the loss at A is not shown to be a lower bound")
        return conclusion, ["Lemma 40", lemma]
    local, lower = read.fields(proof, "local", "lower")
    a = conclusion.points["A"]
    lemma = _local_minimum(statement, local, a)
    if conclusion.kind == "local_min":
        require(lower is None, "local_min takes no lower point")
        return conclusion, [lemma]
    below = read.theta(lower, network, "lower")
    require(statement.loss(below) < statement.loss(a), "the lower point is not lower")
    return replace(conclusion, kind="poor_minimum"), [lemma]


def _local_minimum(statement: Statement, proof: Any, a: Theta) -> str:
    require(type(proof) is dict and "by" in proof, "a local minimum says by which argument")
    network = statement.network
    if proof["by"] == "identity":
        _, guards_json, terms = read.fields(proof, "by guards terms")
        symbolic, count = symbolic_loss(statement)
        guards = [read.multivariate(g, count) for g in read.items(guards_json, "guards")]
        require(all(g(read.flat(a)) > 0 for g in guards), "a guard is not positive at A")
        remainder = symbolic - statement.loss(a) - combination(terms, guards, count)
        require(not remainder.terms, "the identity of the local minimum does not hold")
        return "Lemma 11"
    _, layer = read.fields(proof, "by layer")
    require(proof["by"] == "dead-layer", "a local minimum is by identity or dead-layer")
    k = read.integer(layer, 1, network.depth - 1, "a hidden layer")
    require(statement.ridge is None, "dead-layer is for the loss without ridge")
    require(network.activation.kind == "relu", "dead-layer is for relu")
    require(not any(network.bias[k:]), "dead-layer: no bias above the dead layer")
    z = network.preactivation(k, a[k - 1], Walk(statement, a).features(k - 1))
    require(all(v < 0 for v in z.entries), "a unit of the layer is not dead")
    return "Lemma 12"


def _witness(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemma 13: both sides of a relation between exact values, computed."""
    read.fields(proof, "")
    conclusion = statement.conclusion
    require(conclusion.kind == "relation", "witness decides relations")
    left, right = (
        v if isinstance(v, Fraction) else statement.loss(v)
        for v in (conclusion.values["left"], conclusion.values["right"])
    )
    op = conclusion.values["op"]
    holds = {"<": left < right, "<=": left <= right, "==": left == right}[op]
    return replace(conclusion, kind="relation" if holds else "no_relation"), ["Lemma 13"]


RULES: dict[str, read.Rule] = {
    "polyline": _polyline,
    "path": _curve,
    "barrier": barrier,
    "optimum": _optimum,
    "witness": _witness,
    "root": roots,
    "rank": rank,
    "approximation": approximation,
    "inertia": inertia,
    "symmetry": symmetry,
    "level_tree": level_tree,
    "span": span,
}
# the others are for the loss without ridge
RIDGED = ("polyline", "path", "barrier", "optimum", "witness")


def _same_points(a: Fact, b: Fact) -> bool:
    return a.points.keys() == b.points.keys() and all(
        v.equals(w) for k in a.points for v, w in zip(a.points[k], b.points[k], strict=True)
    )


def _negates(fact: Fact, conclusion: Fact) -> bool:
    """The fixed table of negations (Lemma 17)."""
    pair = (fact.kind, conclusion.kind)
    if pair in (("separated", "joined"), ("joined", "separated")):
        return fact.values == conclusion.values and _same_points(fact, conclusion)
    if pair == ("trapped", "descends"):
        reach = conclusion.values["v"] + conclusion.values["eps"]
        return fact.values["v"] > reach and _same_points(fact, conclusion)
    exclusive = ("positive_dimension", "isolated_zero")
    if pair in (("poor_minimum", "not_poor_minimum"), exclusive, exclusive[::-1]):
        return _same_points(fact, conclusion)
    if pair in (("sup_norm", "sup_norm"), ("best_error", "best_error")):
        least, most = fact.values["at_least"], fact.values["at_most"]
        low, high = conclusion.values["at_least"], conclusion.values["at_most"]
        return bool(least > high or (most is not None and most < low))
    counted = (("more_roots", "roots"), ("fewer_roots", "roots"))
    exact = pair[0] == f"other_{pair[1]}"
    others = (("no_relation", "relation"), ("no_zero", "has_zero"), ("not_nearest", "nearest"))
    functions = (("different_function", "same_function"), ("no_span_path", "span_path"))
    return exact or pair in (*others, *counted, *functions)


def _proves(fact: Fact, conclusion: Fact) -> bool:
    return (
        fact.kind == conclusion.kind
        and fact.values == conclusion.values
        and _same_points(fact, conclusion)
    )


def check(raw: bytes) -> Outcome:
    """Proved, Refuted or Rejected for the bytes of one certificate; never raises on bad input.

    Guarantees: exact.  Source: proofs/soundness.md.
    """
    METER.left = MAX_WORK
    try:
        statement, rule, proof = read.parse(raw)
        require(rule in RULES, f"unknown rule {rule[:32]!r}")
        honoured = statement.ridge is None or rule in RIDGED
        require(honoured, f"rule {rule} is for the loss without ridge")
        lemmas = [hypotheses.check(h, statement) for h in statement.hypotheses]
        fact, cited = RULES[rule](statement, proof)
        used = (*(name for name in lemmas if name), *cited)
        if _proves(fact, statement.conclusion):
            return Proved(statement, rule, used)
        require(
            _negates(fact, statement.conclusion),
            f"the rule shows {fact.kind}, not the conclusion and not its negation",
        )
        return Refuted(statement, rule, used, fact)
    except Refusal as refusal:
        return Rejected(str(refusal)[:300])
    except Exception as error:  # a fault of ours must never look like a verdict
        return Rejected(f"internal error of the kernel: {type(error).__name__}")
