"""The closed list of hypotheses, each computed from the instance, never taken on trust.

A universal hypothesis ("N_u = 1 at every level") is discharged only by a numbered lemma of
``proofs/soundness.md`` whose own hypotheses are checked here; its name goes into the outcome.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb, gcd, prod
from typing import Any

from theorylab.kernel.arith import Matrix, Refusal, require, spend
from theorylab.kernel.semantics import NAMED, Data, Network, Theta
from theorylab.kernel.statements import Fact, Statement, fields, integer


def monomials(network: Network, data: Data, degrees: set[int]) -> Matrix:
    """Values on the data of every monomial of the given degrees in the input (and 1 if bias)."""
    x = data.x.with_ones() if network.bias[0] else data.x
    dimension = len(x.rows)
    count = sum(comb(dimension + i - 1, i) for i in degrees)
    spend(count * data.samples * 16, max(degrees, default=0) * x.bits)
    # a common factor of a row of features changes no span: each monomial is scaled by x.den^i
    rows = [
        tuple(prod(c[i] for i in chosen) for c in x.columns)
        for degree in sorted(degrees)
        for chosen in combinations_with_replacement(range(dimension), degree)
    ]
    return Matrix(tuple(rows) or ((0,) * data.samples,))


def walls(network: Network, data: Data) -> Matrix:
    """Rows that span what relu, leaky_relu, abs or step units make of the inputs (Lemma 9).

    With x_j = t_j d on the line of direction d, rho(w.x_j) = a w.x_j + b |w.d| |t_j|, and
    step(w.x_j) = [w.d > 0][t_j > 0] + [w.d < 0][t_j < 0].
    """
    rho = network.activation
    require(rho.coefficients is None, "walls are for relu, leaky_relu, abs and step")
    x = data.x.with_ones() if network.bias[0] else data.x
    spend((len(x.rows) + 2 * data.samples) * data.samples * 40)
    lines: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for j, column in enumerate(x.columns):
        t = gcd(*column) * (-1 if next((v for v in column if v), 1) < 0 else 1)
        if t:
            lines.setdefault(tuple(v // t for v in column), []).append((j, t))
    step = rho.kind == "step"
    rows = [] if step or rho.slope == -1 else list(x.rows)
    for line in lines.values() if rho.slope != 1 else ():
        for sign in (1, -1) if step else (0,):
            row = [0] * data.samples
            for j, t in line:
                row[j] = int(sign * t > 0) if sign else abs(t)
            rows.append(tuple(row))
    return Matrix(tuple(rows) or ((0,) * data.samples,))


def distinct(data: Data) -> Matrix:
    """The indicator of each distinct input."""
    columns = data.x.columns
    spend(len(data.distinct_inputs) * data.samples * 40)
    return Matrix(tuple(tuple(int(c == d) for c in columns) for d in data.distinct_inputs))


def feature_space(name: Any, network: Network, data: Data) -> Matrix:
    """Rows whose span contains every output row of the network on the data (Lemma 9)."""
    if name == "distinct":
        return distinct(data)
    require(not network.output_activated, f"{name} features need a linear output")
    if name == "inputs":
        require(network.activation.is_linear, "input features are for linear networks")
        return data.x.with_ones() if any(network.bias) else data.x
    require(network.depth == 2, f"{name} features are for one hidden layer")
    if name == "monomials":
        coefficients = network.activation.coefficients
        if coefficients is None:
            raise Refusal("monomial features are for polynomial activations")
        space = monomials(network, data, {i for i, a in enumerate(coefficients) if a != 0})
    elif name == "walls":
        space = walls(network, data)
    else:
        raise Refusal("features must be inputs, monomials, walls or distinct")
    return space.with_ones() if network.bias[1] else space


def feature_dimension_bound(network: Network, data: Data, enough: int = 0) -> int:
    """An upper bound of q = dim span of the hidden features on the data, exact up to output biases.

    The number of distinct inputs is answered at once when it is at most ``enough``.
    """
    require(network.depth == 2, "q is defined for one hidden layer")
    samples, coefficients = len(data.distinct_inputs), network.activation.coefficients
    if samples <= enough:
        return samples
    if coefficients is None:
        return min(samples, walls(network, data).rank())
    degrees = {i for i, a in enumerate(coefficients) if a != 0}
    return min(samples, monomials(network, data, degrees).rank())


def feature_ranks(network: Network, data: Data, point: Theta) -> list[int]:
    """r_1, ..., r_{K-1}: ranks of the hidden features on the data."""
    return [h.rank() for h in network.features(point, data.x)[1:]]


def _monomial_count(network: Network, start: int) -> int:
    coefficients = network.activation.coefficients
    if coefficients is None:
        raise Refusal("this bound is for polynomial activations")
    n = network.widths[0]
    return sum(comb(n + i - 1, i) for i, a in enumerate(coefficients) if i >= start and a != 0)


def required_widths(name: Any, network: Network, data: Data, conclusion: Fact) -> list[int]:
    """The bound ``name`` for hidden layers 1, ..., K-1."""
    n, m, layers = network.widths[0], network.widths[-1], range(1, network.depth)
    samples = len(data.distinct_inputs)
    if name == "min(n,m)":
        return [min(n, m) for _ in layers]
    if name in ("q", "2q", "q+1"):
        factor, more = 1 + (name == "2q"), int(name == "q+1")
        enough = max(network.hidden, default=0) // factor - more
        return [factor * feature_dimension_bound(network, data, enough) + more]
    if name == "r(A)+r(B)":
        ends = [conclusion.points.get(end) for end in "AB"]
        ranks = [feature_ranks(network, data, end) for end in ends if end is not None]
        require(len(ranks) == 2, "r(A)+r(B) needs two points in the conclusion")
        return [sum(pair) for pair in zip(*ranks, strict=True)]
    if name in ("2N", "N+1"):
        return [2 * samples if name == "2N" else samples + 1 for _ in layers]
    if name in ("monomials from 1", "monomials from 0"):
        return [_monomial_count(network, int(name[-1])) for _ in layers]
    if name in ("rank X", "rank X + 1", "2 rank X"):
        x = data.x.with_ones() if network.bias[0] else data.x
        return [x.rank() * (1 + ("2" in name)) + ("+" in name) for _ in layers]
    if name in ("2n", "2n+1"):
        return [2 * n + ("+" in name) for _ in layers]
    if name == "3n^2":
        return [3 * n * n for _ in layers]
    if name == "n(n+1)":
        return [n * (n + 1) for _ in layers]
    require(network.depth <= 6, "this bound is for at most five hidden layers")
    if name == "3n^(2^k)":
        return [3 * n ** (2**k) for k in layers]
    if name == "2min(N,C(n+2^k-1,2^k))":
        return [2 * min(samples, comb(n + 2**k - 1, 2**k)) for k in layers]
    raise Refusal("unknown width bound")


def check(hypothesis: dict[str, Any], statement: Statement) -> str | None:
    """Refuse unless the hypothesis holds; the lemma that discharged a universal one, else None."""
    network, data = statement.network, statement.data
    kind = hypothesis["kind"]
    if kind == "activation":
        _, name = fields(hypothesis, "kind is")
        rho = network.activation
        classes = {
            "linear": rho.is_linear,
            "square": rho.coefficients == NAMED["square"],
            "polynomial": rho.coefficients is not None,
            "homogeneous": rho.coefficients is None and rho.is_linear_on_each_side,
        }
        require(type(name) is str and name in classes, "unknown class of activations")
        require(classes[name], f"hypothesis fails: the activation is not {name}")
    elif kind == "hidden_layers":
        _, count = fields(hypothesis, "kind count")
        require(type(count) is int, "count is a number")
        require(network.depth - 1 == count, f"hypothesis fails: not {count} hidden layers")
    elif kind == "hidden_widths":
        _, relation, bound, less = fields(hypothesis, "kind relation bound", "less")
        require(relation in (">", ">="), "relation is > or >=")
        needed = required_widths(bound, network, data, statement.conclusion)
        slack = 0 if less is None else integer(less, 1, 1_000, "less")
        for width, low in zip(network.hidden, needed, strict=True):
            holds = width + slack > low if relation == ">" else width + slack >= low
            require(holds, f"hypothesis fails: hidden width {width} {relation} {low} = {bound}")
    elif kind == "inputs":
        _, relation = fields(hypothesis, "kind relation")
        require(relation in (">", ">="), "relation is > or >=")
        n, m = network.widths[0], network.widths[-1]
        require(n > m or (n == m and relation == ">="), f"hypothesis fails: n {relation} m")
    elif kind == "loss":
        _, sign = fields(hypothesis, "kind is")
        require(sign in ("zero", "positive"), "the loss is zero or positive")
        point = statement.conclusion.points.get("A")
        if point is None:
            raise Refusal("the conclusion has no point A")
        here = statement.loss(point)
        require((here == 0) == (sign == "zero"), f"hypothesis fails: the loss at A is not {sign}")
    elif kind == "more_parameters_than_equations":
        fields(hypothesis, "kind")
        spend(1_000 * network.entry_count)
        more = network.parameter_count > len(data.y.entries)
        require(more, "hypothesis fails: not more parameters than equations")
    elif kind == "connected_at_every_level":
        fields(hypothesis, "kind")
        dense = network.pattern is None and not network.output_activated and not statement.ridge
        wide = min(network.hidden, default=10**9) >= 2 * len(data.distinct_inputs)
        require(dense and wide, "hypothesis not established: Lemma 14 does not apply")
        return "Lemma 14 (any depth, widths >= 2N: every sublevel set is connected)"
    elif kind == "no_poor_minima":
        fields(hypothesis, "kind")
        tiny = network.widths == (1, 1, 1) and network.activation.is_linear
        plain = network.pattern is None and not any(network.bias) and not statement.ridge
        require(tiny and plain, "hypothesis not established: Lemma 15 does not apply")
        return "Lemma 15 (1-1-1 linear: no poor local minimum, no spurious valley)"
    else:
        ridge = statement.ridge or ()
        plain_facts = {
            "ridge": bool(ridge),
            "common_ridge": len(set(ridge)) == 1,
            "dense": network.pattern is None,
            "scalar_output": network.widths[-1] == 1,
            "no_bias": not any(network.bias),
            "linear_output": not network.output_activated or network.activation.is_linear,
        }
        require(kind in plain_facts, f"unknown hypothesis {kind[:32]!r}")
        fields(hypothesis, "kind")
        require(plain_facts[kind], f"hypothesis fails: {kind}")
    return None
