"""Instances as functions of the choices that made them: shrinking for claims of any kind.

Where a claim brings its own family of instances, nothing is known of what may be changed in one.
But each is made by a few choices; simpler choices make a simpler instance of the same family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from theorylab.instances import Draw, Instance, Seeded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """An integer that was chosen, and the range it was chosen from."""

    value: int
    low: int
    high: int

    @property
    def simplest(self) -> int:
        """The integer of the range that is nearest to 0."""
        return min(max(0, self.low), self.high)


class Recorded:
    """A draw that follows a script of integers, then another draw, and remembers all choices.

    A scripted integer outside the range asked for is moved into it; after the script, without
    another draw, the simplest choice is made.
    """

    def __init__(self, script: Sequence[int] = (), after: Draw | None = None) -> None:
        self._script, self._after = list(script), after
        self.seed = after.seed if isinstance(after, Seeded) else None
        self.choices: list[Choice] = []

    def integer(self, low: int, high: int) -> int:
        """An integer of low..high."""
        place = len(self.choices)
        if place < len(self._script):
            value = min(max(self._script[place], low), high)
        elif self._after is not None:
            value = self._after.integer(low, high)
        else:
            value = Choice(0, low, high).simplest
        self.choices.append(Choice(value, low, high))
        return value

    def choice(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest."""
        return options[self.integer(0, len(options) - 1)]


def recorded(
    family: Callable[[Draw], Instance], script: Sequence[int] = (), after: Draw | None = None
) -> tuple[Instance, tuple[Choice, ...]]:
    """The instance that a script of choices makes, and all choices that were made."""
    draw = Recorded(script, after)
    return family(draw), tuple(draw.choices)


def simpler_scripts(choices: Sequence[Choice]) -> Iterator[list[int]]:
    """Scripts with one choice simpler: the simplest, half way, or one step nearer to it.

    >>> list(simpler_scripts([Choice(3, 0, 9)]))
    [[0], [1], [2], []]
    """
    values = [choice.value for choice in choices]
    for place, choice in enumerate(choices):
        least, value = choice.simplest, choice.value
        half = least + (value - least) // 2 if value > least else least - (least - value) // 2
        step = value - 1 if value > least else value + 1
        mirrored = -value if value < 0 and -value <= choice.high else value
        for other in dict.fromkeys((least, half, step, mirrored)):
            if other != value:
                yield [*values[:place], other, *values[place + 1 :]]
    for place in range(len(values)):
        yield values[:place] + values[place + 1 :]


def script_order(choices: Sequence[Choice]) -> tuple[int, int, int]:
    """Few choices first, then near to the simplest ones, then few negative ones."""
    away = sum(abs(choice.value - choice.simplest) for choice in choices)
    return len(choices), away, sum(choice.value < 0 for choice in choices)
