"""Sources of choices: the abstract ``Draw`` of every generator, and the one driven by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Draw(Protocol):
    """A source of choices; every generator here takes one."""

    def integer(self, low: int, high: int) -> int:
        """An integer of low..high."""
        ...

    def choice(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest, to which Hypothesis shrinks."""
        ...


class Seeded:
    """Choices from ``random.Random(seed)``: the same seed, the same instance, on any machine."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._rng = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        """An integer of low..high."""
        return self._rng.randint(low, high)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self._rng.randrange(len(options))]
