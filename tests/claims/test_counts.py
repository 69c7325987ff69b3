"""The formulas of the counting claims against what is there, and provers that give up honestly."""

from __future__ import annotations

import random
from typing import Any

import pytest
from flint import fmpq

from theorylab import kernel
from theorylab.claims import claim, counts, families
from theorylab.claims.counts import BEZOUT_WEIGHTS, CRITICAL_COUNT, INTERPOLATION_COUNT
from theorylab.claims.families import Expected, weight_degrees
from theorylab.counting.certified import CertifiedRoots, Realness
from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.regular import regular_roots
from theorylab.counting.system import PolynomialSystem
from theorylab.instances import Seeded
from theorylab.kernel.statements import decode
from theorylab.model import Dataset, Network
from theorylab.outcome import Undecided
from theorylab.verify import decide

SQUARE_TWICE = Network.dense((1, 1, 1, 1), "square", (True, True, False))
INTERPOLATIONS: list[tuple[families.Interpolation, Network, int, str]] = [
    (families.single_unit, Network.dense((1, 1, 1), "square"), 1, "auto"),
    (families.single_unit, Network.dense((2, 1, 1), "square"), 2, "auto"),
    (families.single_unit, Network.dense((2, 1, 1), "cube"), 2, "auto"),
    (families.triangular_squares, Network.dense((2, 2, 1), "square"), 3, "auto"),
    (families.triangular_squares, Network.dense((3, 3, 1), "square"), 6, "auto"),
    (families.binary_forms, Network.dense((2, 2, 1), "cube"), 4, "auto"),
    (families.twice_squared, SQUARE_TWICE, 3, "bias"),
]
CRITICAL: list[tuple[families.Critical, Network]] = [
    (families.deep_linear, Network.dense((1, 1, 1), "linear")),
    (families.deep_linear, Network.dense((1, 1, 1, 1), "linear")),
    (families.deep_linear, Network.dense((1, 1, 1, 1, 1), "linear")),
    (families.power_unit, Network.dense((1, 1, 1), "linear")),
    (families.power_unit, Network.dense((1, 1, 1), "square")),
    (families.power_unit, Network.dense((1, 1, 1), "cube")),
    (families.square_units, Network.dense((1, 2, 1), "square")),
    (families.planar_linear, Network.dense((2, 1, 1), "linear")),
    (families.planar_linear, Network.dense((2, 2, 1), "linear")),
]


def small(rng: random.Random, n: int, samples: int, spread: int = 3) -> Dataset:
    x = [[rng.randint(-spread, spread) for _ in range(n)] for _ in range(samples)]
    return Dataset.from_rows(x, [[rng.randint(-5, 5)] for _ in range(samples)])


def counted(system: PolynomialSystem) -> tuple[int, int]:
    found = regular_roots(system, counts._expanded(system))
    assert isinstance(found, CertifiedRoots), found
    return len(found), found.count(Realness.REAL)


@pytest.mark.parametrize(("family", "network", "samples", "gauge"), INTERPOLATIONS)
def test_the_interpolation_formulas(
    family: families.Interpolation, network: Network, samples: int, gauge: str
) -> None:
    rng, seen = random.Random(repr(network)), 0
    for _ in range(60):
        data = small(rng, network.n, samples, 4)
        if family is families.twice_squared:  # FLINT's basis explodes at most other inputs
            data = Dataset.from_rows([[0], [1], [-1]], [[y] for y in data.y.entries()])
        expected = family(network, data)
        if expected.exact:
            seen += 1
            system = interpolation_system(network, data, gauge)
            assert counted(system) == (expected.count, expected.real), data
        if seen == 6:
            break
    assert seen >= 3


@pytest.mark.parametrize(("family", "network"), CRITICAL)
def test_the_formulas_of_critical_points(family: families.Critical, network: Network) -> None:
    rng, seen = random.Random(repr(network)), 0
    for seed in range(20):
        data = small(rng, network.n, rng.randint(1, 3))
        system = critical_system(network, data, "generic", seed=seed)
        assert system.origin is not None and system.origin.ridge is not None
        expected = family(network, data, system.origin.ridge)
        if expected.exact:
            seen += 1
            assert counted(system) == (expected.count, expected.real), data
        if seen == 5:
            break
    assert seen >= 3


def test_degenerate_data_have_no_formula() -> None:
    line = Dataset.from_rows([[1, 2], [2, 4]], [[1], [3]])
    assert not families.single_unit(Network.dense((2, 1, 1), "square"), line).exact
    assert not families.planar_linear(
        Network.dense((2, 2, 1), "linear"), line, [fmpq(k) for k in range(1, 7)]
    ).exact
    # B^2 = lambda_1 lambda_2: the origin of 1-1-1 is degenerate.
    one = Dataset.from_rows([[1]], [[2]])
    assert not families.deep_linear(
        Network.dense((1, 1, 1), "linear"), one, [fmpq(2), fmpq(2)]
    ).exact
    # A common ridge on two inputs makes circles of critical points.
    plane = Dataset.from_rows([[1, 0], [0, 1]], [[1], [3]])
    ridge = [fmpq(1)] * 6
    assert not families.planar_linear(Network.dense((2, 2, 1), "linear"), plane, ridge).exact


@pytest.mark.parametrize(
    ("network", "degrees"),
    [
        (Network.dense((2, 3, 1), "linear"), (2,)),
        (Network.dense((2, 3, 2), "square"), (3, 3)),
        (Network.dense((2, 3, 2, 1), "square"), (7,)),
        (Network.dense((2, 3, 2, 1), "cube", output="activation"), (39,)),
        (Network.with_pattern((1, 2, 1), "square", [[["1"], ["2"]], None]), (1,)),
        (Network.with_pattern((1, 2, 1), "square", [[["0"], [None]], [[None, "0"]]]), (1,)),
    ],
)
def test_weight_degrees(network: Network, degrees: tuple[int, ...]) -> None:
    assert weight_degrees(network) == degrees


def test_the_printed_bound_is_what_is_printed() -> None:
    by_name = {i.name: i for i in BEZOUT_WEIGHTS.canonical()}
    assert by_name["printed-tied-square-twice"].conclusion["at_most"] == 2**2
    assert by_name["printed-tied-linear-twice"].conclusion["at_most"] == 1
    assert by_name["printed-tied-square-thrice"].conclusion["at_most"] == 2**3
    assert by_name["iris-4-6-1"].conclusion["at_most"] == 3**30


def test_a_double_solution_leaves_the_prover_undecided() -> None:
    network = Network.with_pattern((1, 1, 1), "square", [None, [["1"]]])
    system = interpolation_system(network, Dataset.from_rows([[1]], [[0]]), "none")
    instance = counts._instance("double", "corrected", system, 2, 0, 2)
    result = decide(INTERPOLATION_COUNT, instance)
    assert (result.outcome, result.rejected) == ("undecided", False)
    assert "singular" in result.reason


def test_bounds_that_do_not_meet_leave_it_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """17 points are certified, and the bounds by degrees alone allow 29."""
    (deep,) = [i for i in CRITICAL_COUNT.canonical() if i.name == "linear-1-1-1-1"]
    monkeypatch.setattr(counts, "staircase", lambda *_: Undecided("too long", "staircase", "wait"))
    result = decide(CRITICAL_COUNT, deep)
    assert (result.outcome, result.rejected) == ("undecided", False)
    assert "17 solutions are certified, the bounds are 125, 29" in result.reason


@pytest.mark.parametrize(("least", "most", "outcome"), [(4, 4, "proved"), (5, 8, "refuted")])
def test_a_wrong_formula_is_refuted_not_proved(least: int, most: int, outcome: str) -> None:
    network = Network.dense((2, 2, 1), "square")
    data = Dataset.from_rows([[1, 0], [0, 1], [1, 1]], [[1], [2], [5]])
    system = interpolation_system(network, data)
    instance = counts._instance("wrong", "corrected", system, least, 0, most)
    assert decide(INTERPOLATION_COUNT, instance).outcome == outcome


def test_a_false_real_count_is_not_proved() -> None:
    network = Network.dense((2, 2, 1), "square")
    data = Dataset.from_rows([[1, 0], [0, 1], [1, 1]], [[1], [-2], [5]])
    system = interpolation_system(network, data)
    instance = counts._instance("not real", "corrected", system, 4, 4, 4)
    result = decide(INTERPOLATION_COUNT, instance)
    assert result.outcome == "undecided" and "fewer real roots" in result.reason


def test_degenerate_random_data_state_the_bound_only() -> None:
    network = Network.dense((2, 1, 1), "square")
    line = Dataset.from_rows([[1, 2], [2, 4]], [[1], [3]])
    system = interpolation_system(network, line)
    made = counts._expected("line", "corrected", system, families.single_unit(network, line))
    assert (made.conclusion["at_least"], made.conclusion["at_most"]) == (0, 4)
    assert decide(INTERPOLATION_COUNT, made).outcome == "proved"


@pytest.mark.parametrize("c", [BEZOUT_WEIGHTS, INTERPOLATION_COUNT, CRITICAL_COUNT])
def test_many_random_instances(c: Any) -> None:
    for seed in range(30):
        instance = c.random(Seeded(f"{c.id} {seed}"))
        result = decide(c, instance)
        assert result.outcome == instance.expected, (seed, result.reason)


def test_the_statement_comes_from_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stated does not change with what the prover finds."""
    c = claim("critical-count")
    before = [c.statement(i) for i in c.canonical()]
    monkeypatch.setattr(counts, "regular_roots", lambda *_: Undecided("off", "boxes", "on"))
    assert [c.statement(i) for i in c.canonical()] == before
    assert isinstance(c.prove(c.canonical()[0]), Undecided)


def test_a_certificate_says_by_which_lemmas() -> None:
    (deep,) = [i for i in CRITICAL_COUNT.canonical() if i.name == "linear-1-1-1-1"]
    raw = CRITICAL_COUNT.prove(deep)
    assert isinstance(raw, bytes)
    outcome = kernel.check(raw)
    assert isinstance(outcome, kernel.Proved) and outcome.lemmas == ("Lemma 18", "Lemma 25")
    assert decode(raw)["proof"]["upper"]["by"] == "staircase"


def test_expected_is_exact_unless_said() -> None:
    assert Expected(3, 1).exact


@pytest.mark.parametrize(
    ("least", "real", "most", "words"),
    [
        (4, 0, 4, "exactly 4 isolated complex solutions of Phi = Y, 3 weights fixed"),
        (2, 0, 8, "2 to 8 isolated complex solutions"),
        (0, 0, 8, "at most 8 isolated complex solutions"),
        (4, 0, None, "at least 4 isolated complex solutions"),
        (0, 0, 3, "more than 3 isolated complex solutions"),
        (5, 0, None, "fewer than 5 isolated complex solutions"),
        (4, 4, 4, "exactly 4 isolated complex solutions of Phi = Y, at least 4 real"),
    ],
)
def test_the_words_of_a_count(least: int, real: int, most: int | None, words: str) -> None:
    data = Dataset.from_rows([[1, 0], [0, 1], [1, 1]], [[1], [2], [5]])
    system = interpolation_system(Network.dense((2, 2, 1), "square"), data)
    instance = counts._instance("words", "corrected", system, least, real, most)
    assert words in decide(INTERPOLATION_COUNT, instance).reason
