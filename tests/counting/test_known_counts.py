"""count() on systems whose counts are known: complete, and real counts exact.

Sources: `zoo` for the named systems (ENGINES A3), ENGINES A4 for the networks; where A4 gives no
real count, any is accepted that leaves none undecided. What the numpy tracker is too slow for runs
on phc, and is skipped without it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import zoo
from flint import fmpq

from theorylab.counting.completeness import RootCount, count
from theorylab.counting.external import engines
from theorylab.counting.system import (
    PolynomialSystem,
    critical_system,
    interpolation_system,
    system_from_json,
)
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance

FOUND = {engine.name for engine in engines() if engine.place is not None}


def of(known: zoo.Known) -> PolynomialSystem:
    written = str(known.system).splitlines()
    content = {"variables": list(known.system.variables), "polynomials": written}
    return system_from_json(content, known.name)


def counted(system: PolynomialSystem, engine: str, *needed: str) -> RootCount:
    missing = {engine, *needed} - {"auto", "simple"} - FOUND
    if missing:
        pytest.skip(f"not installed here: {', '.join(sorted(missing))}")
    return count(system, engine=engine)


SLOW = pytest.mark.slow
NAMED = [
    pytest.param(zoo.cyclic(5), "phc", id="cyclic5"),
    pytest.param(zoo.cyclic(6), "phc", id="cyclic6", marks=SLOW),
    pytest.param(zoo.katsura(5), "auto", id="katsura5"),
    pytest.param(zoo.katsura(6), "phc", id="katsura6"),
    pytest.param(zoo.katsura(7), "phc", id="katsura7", marks=SLOW),
    pytest.param(zoo.katsura(8), "phc", id="katsura8", marks=SLOW),
    pytest.param(zoo.noon(3), "auto", id="noon3"),
    pytest.param(zoo.noon(4), "phc", id="noon4"),
    pytest.param(zoo.noon(5), "phc", id="noon5", marks=SLOW),
    pytest.param(zoo.eco(5), "auto", id="eco5"),
    pytest.param(zoo.eco(6), "auto", id="eco6"),
    pytest.param(zoo.eco(7), "phc", id="eco7"),
    pytest.param(zoo.eco(8), "phc", id="eco8"),
]
# Beyond the limits of our own Groebner bases: the bound is msolve's.
BY_MSOLVE = {"cyclic6", "eco8"}


@pytest.mark.parametrize(("known", "engine"), NAMED)
def test_named_systems_are_complete_with_exact_real_counts(known: zoo.Known, engine: str) -> None:
    by_msolve = known.name in BY_MSOLVE
    found = counted(of(known), engine, *(["msolve"] if by_msolve else []))
    assert (found.certified, found.upper, found.complete) == (known.distinct, known.distinct, True)
    assert known.real is not None
    assert (found.certified_real, found.real_undecided) == (known.real, 0)
    assert found.multiplicity == known.with_multiplicity
    assert found.multiple == 0
    assert found.assurance is (Assurance.CAS if by_msolve else Assurance.FLINT)


def drawn(inputs: int, samples: int, seed: int = 1) -> Dataset:
    """Seeded data, odd multiples of 1/1000: small integers are often not generic."""
    rng = random.Random(seed)

    def number() -> fmpq:
        return fmpq(2 * rng.randrange(-5000, 5000) + 1, 1000)

    x = [[number() for _ in range(inputs)] for _ in range(samples)]
    return Dataset.from_rows(x, [[number()] for _ in range(samples)])


@dataclass(frozen=True)
class Case:
    """A network problem, its count by ENGINES A4, and whom the bound takes."""

    name: str
    make: Callable[[], PolynomialSystem]
    expected: int
    assurance: Assurance = Assurance.KERNEL
    engine: str = "auto"


def ridged(widths: tuple[int, ...], activation: str, samples: int = 1) -> PolynomialSystem:
    data = drawn(widths[0], samples)
    return critical_system(Network.dense(widths, activation), data, "generic")


def interpolated(
    widths: tuple[int, ...], activation: str, gauge: str, samples: int
) -> PolynomialSystem:
    """Every hidden unit has a bias, the output none; slices make the system square."""
    bias = [True] * (len(widths) - 2) + [False]
    network = Network.dense(widths, activation, bias=bias)
    data = drawn(widths[0], samples)
    return interpolation_system(network, data, gauge=gauge, slices="auto")


CASES = [
    pytest.param(case, id=case.name, marks=marks)
    for case, marks in [
        (Case("linear 1-1-1", lambda: ridged((1, 1, 1), "linear"), 5), ()),
        (Case("linear 1-1-1-1", lambda: ridged((1, 1, 1, 1), "linear"), 17), ()),
        (
            Case("linear 2-2-1", lambda: ridged((2, 2, 1), "linear", 2), 33, engine="phc"),
            SLOW,
        ),
        (Case("square 1-1-1", lambda: ridged((1, 1, 1), "square"), 9), ()),
        (
            Case(
                "square 1-1-1-1, biases 1",
                lambda: interpolated((1, 1, 1, 1), "square", "bias", 3), 4, Assurance.CAS,
            ),
            (),
        ),
        (
            # The orthogonal turning of the two units is left: a curve in each fibre, and a slice.
            Case(
                "square 2-2-1, biases 1",
                lambda: interpolated((2, 2, 1), "square", "bias", 5), 12, Assurance.FLINT, "phc",
            ),
            SLOW,
        ),
        (
            Case(
                "square 2-2-1, triangular",
                lambda: interpolated((2, 2, 1), "square", "auto", 5), 12,
            ),
            (),
        ),
        (
            # u1 (w1 x + 1)^3 + u2 (w2 x + 1)^3: 15 functions, and the exchange of the two units.
            Case(
                "cube 2-2-1, biases 1",
                lambda: interpolated((2, 2, 1), "cube", "bias", 6), 30, Assurance.CAS, "phc",
            ),
            SLOW,
        ),
    ]
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_network_counts_are_complete(case: Case) -> None:
    needed = ["msolve"] if case.assurance is Assurance.CAS else []
    found = counted(case.make(), case.engine, *needed)
    assert (found.certified, found.upper, found.complete) == (case.expected, case.expected, True)
    assert found.real_undecided == 0
    assert found.assurance is case.assurance


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([(3, 3, -3), (-3, -3, -1), (3, -2, 2), (3, 2, 3), (-1, -1, 1)], 8),
        ([(-3, -1, 2), (3, -2, 0), (-1, 2, 2), (3, -3, 0), (1, 0, 1)], 6),
    ],
)
def test_special_data_have_fewer_solutions_and_that_count_is_complete_as_well(
    numbers: list[tuple[int, int, int]], expected: int
) -> None:
    data = Dataset.from_rows([[a, b] for a, b, _ in numbers], [[c] for *_, c in numbers])
    network = Network.dense((2, 2, 1), "square", bias=[True, False])
    made = interpolation_system(network, data, gauge="bias", slices="auto")
    found = counted(made, "phc", "msolve")
    assert (found.certified, found.complete) == (expected, True)
