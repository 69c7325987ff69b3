"""Cases for a hunt, drawn so that chosen hypotheses hold and one of them does not.

Nothing here knows a counterexample: a case is made from the predicates of the hypotheses alone,
small shapes first, with data of the kinds that landscapes are known to depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq

from theorylab.instances import Case, Draw, one_target_each, structured_dataset
from theorylab.kernel import hypotheses
from theorylab.kernel.arith import MAX_WORK, METER, Refusal
from theorylab.kernel.statements import parse_statement
from theorylab.model import Activation, Dataset, Network
from theorylab.model.layers import Entry
from theorylab.topology.certificate import statement_json

Json = dict[str, Any]

_WIDEST = 24
# depends on the points of the conclusion: whether it holds is seen only when they are chosen
_OF_POINTS = "r(A)+r(B)"
_POLYNOMIALS = ((0, 1, 1), (1, 1), (1, 0, 1), (1, 1, 1), (0, -1, 0, 1), (0, 1, 0, 1))
_NAMED = ("square", "relu", "abs", "cube", "step")


def _activations(kept: Sequence[Json], dropped: Sequence[Json]) -> list[Activation]:
    """The activations that the kept hypotheses allow, without those a dropped one asks for."""
    polynomial = [Activation("polynomial", tuple(map(fmpq, c))) for c in _POLYNOMIALS]
    every = [Activation("linear"), *(Activation(k) for k in _NAMED), *polynomial]
    every += [Activation("leaky_relu", (fmpq(1, 2),)), Activation("leaky_relu", (fmpq(-1, 2),))]

    def fits(activation: Activation, hypothesis: Json) -> bool:
        if hypothesis["is"] == "polynomial":
            return activation.coefficients is not None
        if hypothesis["is"] == "homogeneous":
            return activation.kind in ("relu", "leaky_relu", "abs")
        return bool(activation.kind == hypothesis["is"])

    wanted = [h for h in kept if h["kind"] == "activation"]
    unwanted = [h for h in dropped if h["kind"] == "activation"]
    return [
        a
        for a in every
        if all(fits(a, h) for h in wanted) and not any(fits(a, h) for h in unwanted)
    ]


def draw_case(
    draw: Draw, kept: Sequence[Json], dropped: Sequence[Json], size: int, layers: int | None = None
) -> Case | None:
    """A case in which the dropped hypotheses fail and the kept ones hold, as far as one can see.

    ``size`` bounds the numbers of inputs, outputs and extra samples. None when the draw led to
    none: no width is below the bound, or the bound makes no sense for such a network.
    Guarantees: heuristic; only the kernel says which hypotheses hold.
    """
    kinds = {h["kind"] for h in kept}
    gone = {h["kind"] for h in dropped}
    n, m = draw.integer(1, size), draw.integer(1, size)
    if "scalar_output" in kinds:
        m = 1
    elif "scalar_output" in gone:
        m = 1 + draw.integer(1, size)
    if "no_poor_minima" in kinds:
        n = m = 1
    activations = _activations(kept, dropped)
    if not activations:
        return None
    activation = draw.choice(activations)
    if "no_poor_minima" in kinds:
        activation, layers = Activation("linear"), 1
    for hypothesis in kept:
        if hypothesis["kind"] == "hidden_layers":
            layers = hypothesis["count"]
    if "hidden_layers" in gone:
        (count,) = (h["count"] for h in dropped if h["kind"] == "hidden_layers")
        layers = count + draw.integer(1, 2)
    if layers is None:
        layers = draw.choice((1, 1, 1, 2, 1 + draw.integer(0, 2)))
    data = structured_dataset(draw, n, m, size)
    bias = _bias(draw, layers, "no_bias" in kinds, "no_bias" in gone)
    output = "linear"
    if "linear_output" not in kinds and ("linear_output" in gone or draw.integer(0, 3) == 0):
        output = "activation"
    thin = Network.dense((n, *(1,) * layers, m), activation, bias, output)
    hidden = _hidden(draw, thin, data, kept, dropped, size)
    if hidden is None or max(hidden, default=0) > _WIDEST:
        return None
    widths = (n, *hidden, m)
    if draw.integer(0, 3) == 0 and hidden:
        wide = Network.dense(widths, activation, bias, output)
        other = one_target_each(draw, n, m, hidden[-1])
        if _as_wanted(wide, other, kept, dropped):
            data = other
    pattern = _pattern(draw, widths, bias) if "dense" in gone else None
    network = Network.with_pattern(widths, activation, pattern, bias, output)
    if "dense" in gone and (network.is_dense or kinds & {"ridge", "common_ridge"}):
        return None  # the kernel knows ridges of dense networks only
    ridge = _ridge(draw, network, kinds, gone)
    return Case(network, data, ridge)


def _as_wanted(
    network: Network, data: Dataset, kept: Sequence[Json], dropped: Sequence[Json]
) -> bool:
    """Whether the widths are not below the bounds that are kept, and below each that is dropped."""
    for hypothesis in (*kept, *dropped):
        if hypothesis["kind"] != "hidden_widths" or hypothesis["bound"] == _OF_POINTS:
            continue
        needed = needed_widths(hypothesis, network, data)
        if needed is None:
            return False
        wide = all(width >= low for width, low in zip(network.hidden, needed, strict=True))
        if wide != (hypothesis in kept):
            return False
    return True


def _bias(draw: Draw, layers: int, none: bool, some: bool) -> tuple[bool, ...]:
    if none or (not some and draw.integer(0, 2)):
        return (False,) * (layers + 1)
    options = ([True] + [False] * layers, [True] * layers + [False], [True] * (layers + 1))
    return tuple(draw.choice(options))


def _hidden(
    draw: Draw,
    network: Network,
    data: Dataset,
    kept: Sequence[Json],
    dropped: Sequence[Json],
    size: int,
) -> tuple[int, ...] | None:
    """Hidden widths at the bounds that are kept, or a little above, and below those dropped."""
    layers = len(network.hidden)
    if any(h["kind"] == "no_poor_minima" for h in kept):
        return (1,) * layers
    low, high = [1] * layers, [10**9] * layers
    for hypotheses_, keep in ((kept, True), (dropped, False)):
        for hypothesis in hypotheses_:
            if hypothesis["kind"] == "connected_at_every_level":
                hypothesis = {"kind": "hidden_widths", "relation": ">=", "bound": "2N"}
            if hypothesis["kind"] != "hidden_widths" or hypothesis["bound"] == _OF_POINTS:
                continue
            bounds = needed_widths(hypothesis, network, data)
            if bounds is None:
                return None
            if keep:
                low = [max(pair) for pair in zip(low, bounds, strict=True)]
            else:
                place = draw.integer(0, layers - 1) if layers else 0
                for k in range(layers):
                    if k == place or draw.integer(0, 1):
                        high[k] = min(high[k], bounds[k] - 1)
    if any(a > b for a, b in zip(low, high, strict=True)):
        return None
    bounded = [h for h in (*kept, *dropped) if h["kind"] == "hidden_widths"]
    extra = size if all(h["bound"] == _OF_POINTS for h in bounded) else 1
    widths = []
    for a, b in zip(low, high, strict=True):
        top = min(b, a + extra)
        widths.append(
            top if b < 10**9 and draw.integer(0, 1) else draw.integer(a, min(b, a + extra))
        )
    return tuple(widths)


def needed_widths(hypothesis: Json, network: Network, data: Dataset) -> list[int] | None:
    """The least hidden widths that a hypothesis on widths allows; None when it has no meaning."""
    json = statement_json(network, data, [], {"kind": "has_zero"})
    METER.left = MAX_WORK
    try:
        statement = parse_statement(json)
        bounds = hypotheses.required_widths(
            hypothesis["bound"], statement.network, statement.data, statement.conclusion
        )
    except Refusal:
        return None
    more = (1 if hypothesis["relation"] == ">" else 0) - int(hypothesis.get("less", 0))
    return [bound + more for bound in bounds]


def _pattern(
    draw: Draw, widths: Sequence[int], bias: Sequence[bool]
) -> tuple[tuple[tuple[Entry, ...], ...], ...]:
    """Masks, fixed ones and shared weights."""
    kind = draw.choice(("mask", "tied", "one weight", "fixed"))
    options: tuple[Entry, ...] = (None, None, fmpq(0))
    if kind == "tied":
        options = (0, 0, None)
    elif kind == "one weight":
        options = (0, 0, fmpq(0), fmpq(1))
    elif kind == "fixed":
        options = (None, fmpq(0), fmpq(1), 0)
    layers = []
    for k in range(1, len(widths)):
        columns = widths[k - 1] + bias[k - 1]
        layers.append(
            tuple(tuple(draw.choice(options) for _ in range(columns)) for _ in range(widths[k]))
        )
    return tuple(layers)


def _ridge(
    draw: Draw, network: Network, kinds: set[str], gone: set[str]
) -> tuple[fmpq, ...] | None:
    if not (kinds | gone) & {"ridge", "common_ridge"}:
        return None
    entries = sum(r * c for r, c in (network.shape(k) for k in range(1, network.depth + 1)))
    scale = (fmpq(1, 4), fmpq(1, 2), fmpq(2, 3), fmpq(3, 4), fmpq(1))
    if "common_ridge" in kinds:
        return (draw.choice(scale),) * entries
    if network.depth == 2 and draw.integer(0, 1):
        # one number for each hidden unit
        (p,) = network.hidden
        each = [draw.choice(scale) for _ in range(p)]
        first = [each[i] for i in range(p) for _ in range(network.shape(1)[1])]
        last = [*each, *([each[0]] if network.bias[1] else [])] * network.m
        return (*first, *last)
    return tuple(draw.choice(scale) for _ in range(entries))
