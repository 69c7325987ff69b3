"""Hypothesis strategies for the tests of the model: all patterns, activations, outputs, weights."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from theorylab.model import Dataset, Network, Weights

NUMBERS = st.fractions(min_value=-3, max_value=3, max_denominator=6)
ACTIVATIONS: list[Any] = [
    "linear",
    "square",
    "cube",
    "relu",
    "abs",
    "step",
    {"leaky_relu": "1/3"},
    {"polynomial": ["1", "-1/2", "0", "2"]},
]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    bias = draw(st.lists(st.booleans(), min_size=len(widths) - 1, max_size=len(widths) - 1))
    entry = st.one_of(st.none(), st.integers(0, 2), NUMBERS)

    def layer(k: int) -> st.SearchStrategy[Any]:
        row = st.lists(entry, min_size=widths[k] + bias[k], max_size=widths[k] + bias[k])
        return st.none() | st.lists(row, min_size=widths[k + 1], max_size=widths[k + 1])

    return Network.with_pattern(
        widths,
        draw(st.sampled_from(ACTIVATIONS)),
        draw(st.none() | st.tuples(*[layer(k) for k in range(len(widths) - 1)])),
        bias,
        draw(st.sampled_from(["linear", "activation"])),
    )


@st.composite
def weights_for(draw: st.DrawFn, network: Network) -> Weights:
    count = network.parameter_count
    return network.assemble(draw(st.lists(NUMBERS, min_size=count, max_size=count)))


@st.composite
def data_for(draw: st.DrawFn, network: Network) -> Dataset:
    samples = draw(st.integers(1, 4))

    def table(width: int) -> list[list[Fraction]]:
        row = st.lists(NUMBERS, min_size=width, max_size=width)
        return draw(st.lists(row, min_size=samples, max_size=samples))

    positive = st.fractions(min_value=Fraction(1, 5), max_value=4, max_denominator=5)
    weights = draw(st.none() | st.lists(positive, min_size=samples, max_size=samples))
    return Dataset.from_rows(table(network.n), table(network.m), weights)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Network, Weights, Dataset]:
    network = draw(networks())
    return network, draw(weights_for(network)), draw(data_for(network))
