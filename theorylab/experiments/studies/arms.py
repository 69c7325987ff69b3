"""Two arms that differ in the labels alone: those of the data, and the same in drawn orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from theorylab.experiments.data.labelled import Labels, Split, random_labels
from theorylab.experiments.networks.ensemble import Trained
from theorylab.outcome import InputError

NATURAL: Final = "natural"
RANDOM: Final = "random"
ARMS: Final = (NATURAL, RANDOM)


def labels_of(split: Split, arm: str, seed: int, tasks: Sequence[int]) -> Labels:
    """The training labels [K, n] of these tasks: those of the data, or for each task another order.

    Raises InputError for another arm.

    >>> from theorylab.experiments.data import load_dataset
    >>> split = load_dataset("digits").split(train=20)
    >>> a, b, again = labels_of(split, "random", 0, [3, 4, 3])
    >>> bool((a == b).all()), bool((a == again).all()), sorted(a) == sorted(split.y)
    (False, True, True)
    """
    if arm not in ARMS:
        raise InputError("arm", arm, f"an arm is {' or '.join(ARMS)}", "choose one")
    if arm == NATURAL:
        return np.stack([split.y for _ in tasks])
    return np.stack([random_labels(split.y, split.classes, seed, task) for task in tasks])


def cells_of(trained: Trained, k: int, samples: int) -> dict[str, object]:
    """Where the training of net k ended, as cells of a row; wrong answers are counted."""
    return {
        "diverged": bool(trained.diverged[k]),
        "steps": int(trained.steps[k]),
        "loss": float(trained.losses[k]),
        "wrong": round(float(trained.errors[k]) * samples),
    }
