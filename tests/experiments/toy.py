"""A toy experiment: are the values that it draws at the asserted mean? One sees through it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from pytest import MonkeyPatch

from theorylab.experiments import register
from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.seeds import generator
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, conclude, mean_of
from theorylab.outcome import Observed, Source

NAME = "toy-mean"


@dataclass(frozen=True, kw_only=True)
class ToyConfig(Config):
    experiment: ClassVar[str] = NAME

    arms: tuple[str, ...] = ("a", "b", "c")
    draws: int = 12
    mean: float = 1.0


def parts(config: ToyConfig) -> tuple[str, ...]:
    return config.arms


def measure(config: ToyConfig, part: str, device: str) -> Measurements:
    values = config.mean + 0.1 * generator(config.seed, NAME, part).standard_normal(config.draws)
    rows = [{"arm": part, "unit": k, "value": value} for k, value in enumerate(values)]
    return Measurements(rows, {"values": values})


def judge(config: ToyConfig, table: Table) -> Observed:
    number = mean_of("mean", table.column("value"), Asserted.equal(1.0, 0.2), config.alpha)
    return conclude([number], "the mean is 1", seed=config.seed, alpha=config.alpha)


def draw(config: ToyConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    figure.add_subplot().plot(np.sort(table.column("value")), "o")


def shifted(config: ToyConfig, table: Table, rng: np.random.Generator) -> Table:
    return table.replaced("value", 1.2 + 0.1 * rng.standard_normal(len(table)))


TOY = Experiment(
    name=NAME,
    title="A mean",
    source=Source(("Nobody",), "Nothing", 2026),
    readings=(Reading("printed", "the mean is 1", "consistent", judge),),
    budgets={"ci": ToyConfig(), "full": ToyConfig(draws=100)},
    parts=parts,
    measure=measure,
    draw=draw,
    nulls=(Null("mean 1.2", "printed", "consistent", shifted),),
)


@contextmanager
def registered(monkeypatch: MonkeyPatch, **changes: Any) -> Iterator[Experiment]:
    """The toy in the register, with these fields changed."""
    from dataclasses import replace

    found = replace(TOY, **changes)
    module = ModuleType("theorylab.experiments.studies.toy")
    module.EXPERIMENTS = {NAME: found}  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        entry = register.Entry(NAME, found.title, "toy")
        patch.setattr(register, "_ENTRIES", (*register.entries(), entry))
        yield found
