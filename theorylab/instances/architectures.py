"""Networks of few units: any activation, biases, masks, fixed and tied entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from flint import fmpq

from theorylab.instances.draw import Draw
from theorylab.instances.entries import Sizes, kept, whole
from theorylab.model import Activation, Network
from theorylab.outcome import InputError

Kind = str | Activation | Mapping[str, Any]

# the plainest first: what a search shrinks to
ACTIVATIONS: tuple[Kind, ...] = (
    "linear",
    "square",
    "abs",
    "relu",
    {"leaky_relu": "1/2"},
    "cube",
    {"polynomial": ["0", "1", "1"]},
    "step",
)
_ENTRIES: dict[str, tuple[int | fmpq | None, ...]] = {
    "mask": (None, fmpq(0)),
    "tied": (None, 0, 1),
    "fixed": (None, fmpq(0), fmpq(1), fmpq(1, 2)),
}


class Shape(TypedDict, total=False):
    """The options of ``network``, for generators that draw one."""

    n: Sizes
    m: Sizes
    hidden_layers: Sizes
    width: Sizes
    activations: Sequence[Kind]
    bias: bool | None
    patterns: Sequence[str]
    output: str


def network(
    draw: Draw,
    n: Sizes = (1, 3),
    m: Sizes = (1, 2),
    hidden_layers: Sizes = (1, 2),
    width: Sizes = (1, 4),
    activations: Sequence[Kind] = ACTIVATIONS,
    bias: bool | None = None,
    patterns: Sequence[str] = ("dense",),
    output: str = "linear",
) -> Network:
    """A network; sizes are a number or a pair (low, high), the first activation is the simplest.

    ``bias`` None draws one or none for each layer. ``patterns`` are "dense", "mask" (entries that
    are 0), "fixed" (to 0, 1 or 1/2) and "tied" (two shared parameters). InputError for what cannot
    be.

    >>> from theorylab.instances import Seeded
    >>> network(Seeded(1), n=2, m=1, hidden_layers=1, activations=["relu"], bias=False)
    Network.dense((2, 3, 1), 'relu')
    """
    if not activations or isinstance(activations, str):
        rule = "there is at least one activation, in a list"
        raise InputError("activations", activations, rule, 'write e.g. ["relu"]')
    unknown = [p for p in patterns if p not in ("dense", *_ENTRIES)]
    if unknown or not patterns or isinstance(patterns, str):
        rule = f"the patterns are dense, {', '.join(_ENTRIES)}, in a list"
        raise InputError("patterns", patterns, rule, 'write e.g. ["dense", "tied"]')
    activation, kind = Activation.parse(draw.choice(activations)), draw.choice(patterns)
    biases = draw.choice(("none", "all", "some")) if bias is None else ("none", "all")[bias]
    inputs, outputs = whole(draw, "n", n), whole(draw, "m", m)
    # a width for each layer that could be there: then no choice depends on how many there are
    layers = kept(draw, "hidden_layers", hidden_layers, 0)
    drawn = [whole(draw, "width", width) for _ in layers][::-1]
    hidden = [w for is_there, w in zip(layers, drawn, strict=True) if is_there]
    widths = (inputs, *hidden, outputs)
    some = [bool(draw.integer(0, 1)) for _ in (*layers, 0)] if biases == "some" else []
    flags = some[: len(widths) - 1] or [biases == "all"] * (len(widths) - 1)
    pattern = None
    if kind != "dense":
        pattern = [
            [
                [draw.choice(_ENTRIES[kind]) for _ in range(widths[k] + flags[k])]
                for _ in range(widths[k + 1])
            ]
            for k in range(len(flags))
        ]
    return Network.with_pattern(widths, activation, pattern, flags, output)
