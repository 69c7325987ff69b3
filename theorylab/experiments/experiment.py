"""An experiment: a statistical claim, its readings, how it is measured and how a table is judged.

Measuring and judging are apart: ``measure`` turns a frozen configuration into rows, part by part,
each part a pure function of configuration and name; a reading's ``judge`` turns the table into one
word and sees nothing else. So tables can be saved, shuffled, and judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from theorylab.experiments.table import Table
from theorylab.outcome import InputError, Observed, Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Config:
    """What an experiment is told: its root seed and level; each experiment adds its own fields.

    Fields hold texts, numbers, truth values and tuples of them, so that JSON keeps them whole.
    """

    experiment: ClassVar[str]

    seed: int = 0
    alpha: float = 0.01

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Config:
        """The configuration with these fields; InputError for unknown ones."""
        known = {f.name for f in fields(cls)}
        for name in value:
            if name not in known:
                rule = f"{cls.experiment} is configured by {', '.join(sorted(known))}"
                raise InputError("config", name, rule, "leave it out")
        return cls(**{name: _tuples(v) for name, v in value.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """What one part of an experiment yields: rows for the table, arrays for the figure."""

    rows: Sequence[Mapping[str, object]]
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """A table of a world in which a reading must not get the word ``wrong``: for calibration.

    ``draw`` makes it, e.g. by shuffling the arms of a measured table; over many draws the word
    may come at most as often as the level alpha.
    """

    name: str
    variant: str
    wrong: str
    draw: Callable[[Any, Table, np.random.Generator], Table]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One reading of the claim: its words, what we found it to be, and its judge.

    ``expected`` is the word that a sound run comes to, "inconsistent" where the statement as
    printed does not hold. ``judge`` is a pure function of configuration and table.
    """

    variant: str
    words: str
    expected: str
    judge: Callable[[Any, Table], Observed]


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """A statistical claim with its readings.

    ``budgets`` has a configuration for "ci" (two cores, seconds to a minute) and for "full".
    ``parts`` names the pieces of work of a configuration, each some minutes at most, done in any
    order and kept one by one; ``measure`` (configuration, part, device) does one and is a pure
    function of them. ``draw`` draws the result on a figure.
    Guarantees: heuristic, as every test on samples is; see the readings for the level.
    """

    name: str
    title: str
    source: Source
    readings: tuple[Reading, ...]
    budgets: Mapping[str, Config]
    parts: Callable[[Any], tuple[str, ...]]
    measure: Callable[[Any, str, str], Measurements]
    draw: Callable[[Any, Table, Arrays, Figure], None]
    nulls: tuple[Null, ...] = ()
    remarks: str = ""

    def config(self, budget: str, seed: int = 0) -> Config:
        """The configuration of a budget; InputError for an unknown one."""
        from dataclasses import replace

        if budget not in self.budgets:
            known = " and ".join(self.budgets)
            raise InputError("budget", budget, f"the budgets are {known}", "choose one")
        return replace(self.budgets[budget], seed=seed)

    def judged(self, config: Config, table: Table) -> tuple[tuple[Reading, Observed], ...]:
        """Every reading with what the table says of it."""
        return tuple((reading, reading.judge(config, table)) for reading in self.readings)
