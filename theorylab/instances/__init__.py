"""Small exact instances: generators of networks, data and weights, and the values they make.

Each generator draws its choices from an abstract ``Draw``: ``Seeded`` (the same seed gives the same
instance) for verify and sweeps, Hypothesis for property tests (``strategy``), so that what shrinks
in a test is what a sweep generates.

>>> from theorylab.instances import Seeded, dataset
>>> dataset(Seeded(7), n=1, m=1, samples=3, degenerate=False).x
[...]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from theorylab.instances.architectures import ACTIVATIONS, network
from theorylab.instances.draw import Draw, Seeded
from theorylab.instances.entries import matrix, matrix_of_rank, rational_number
from theorylab.instances.parameters import KINDS, PAIRS, fitted, level_pair, weights
from theorylab.instances.samples import (
    DATA_KINDS,
    dataset,
    one_target_each,
    structured_dataset,
)
from theorylab.instances.surfaces import case, point
from theorylab.instances.values import (
    Case,
    Instance,
    Trial,
    height,
    shrink_order,
)

if TYPE_CHECKING:
    from theorylab.instances.strategies import (
        cases,
        datasets,
        level_pairs,
        matrices,
        networks,
        points,
        rationals,
        strategy,
        weights_of,
    )

_STRATEGIES = (
    "cases",
    "datasets",
    "level_pairs",
    "matrices",
    "networks",
    "points",
    "rationals",
    "strategy",
    "weights_of",
)
__all__ = [
    "ACTIVATIONS",
    "DATA_KINDS",
    "KINDS",
    "PAIRS",
    "Case",
    "Draw",
    "Instance",
    "Seeded",
    "Trial",
    "case",
    "cases",
    "dataset",
    "datasets",
    "fitted",
    "height",
    "level_pair",
    "level_pairs",
    "matrices",
    "matrix",
    "matrix_of_rank",
    "network",
    "networks",
    "one_target_each",
    "point",
    "points",
    "rational_number",
    "rationals",
    "shrink_order",
    "strategy",
    "structured_dataset",
    "weights",
    "weights_of",
]


def __getattr__(name: str) -> Any:
    # Hypothesis is slow to import, and only property tests need it.
    if name in _STRATEGIES:
        return getattr(importlib.import_module("theorylab.instances.strategies"), name)
    raise AttributeError(f"module 'theorylab.instances' has no attribute {name!r}")
