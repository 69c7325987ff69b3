"""real-zeros-mean: exact counts, a test that sees a wrong mean, and the path through verify."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import fmean

import pytest
from flint import fmpq
from sympy import Poly, Rational, symbols

from theorylab.claims import claim
from theorylab.claims.real_zeros import REAL_ZEROS_MEAN, observe
from theorylab.counting.ensembles import Ensemble, counts, real_zeros
from theorylab.counting.expanded import Expanded
from theorylab.experiments.mean import observed_mean
from theorylab.instances import Trial
from theorylab.outcome import InputError, Observed, Undecided
from theorylab.verify import observe as result_of
from theorylab.verify import verify

TRIALS = {t.name: t for t in REAL_ZEROS_MEAN.trials(0, 0)}
X = symbols("x")


def test_counts_of_one_unknown_are_sturms() -> None:
    rng = random.Random(5)
    for kind in ("kostlan", "kac"):
        for _ in range(20):
            system = Ensemble(kind, (7,)).system(rng)
            (terms,) = system.polynomials
            p = Poly(
                {(k,): Rational(int(c.p), int(c.q)) for (k,), c in terms.items()}, X, domain="QQ"
            )
            assert real_zeros(system) == p.count_roots()


def test_counts_of_two_unknowns() -> None:
    def line(a: int, b: int, c: int) -> dict[tuple[int, ...], fmpq]:
        return {(1, 0): fmpq(a), (0, 1): fmpq(b), (0, 0): fmpq(c)}

    circle = {(2, 0): fmpq(1), (0, 2): fmpq(1), (0, 0): fmpq(-5)}
    hyperbola = {(1, 1): fmpq(1), (0, 0): fmpq(-2)}
    assert real_zeros(Expanded(("x", "y"), (circle, hyperbola))) == 4
    assert real_zeros(Expanded(("x", "y"), (circle, line(1, 0, -9)))) == 0
    parallel = real_zeros(Expanded(("x", "y"), (line(1, 1, 0), line(1, 1, 1))))
    assert isinstance(parallel, Undecided)


def test_a_multiple_zero_is_not_counted() -> None:
    assert isinstance(real_zeros(Expanded(("x",), ({(2,): fmpq(1)},))), Undecided)


def test_the_variances_are_multinomial() -> None:
    """x^2, xy, 1 of degree 2 in two unknowns have variances 1, 2, 1: four sigma of 2,000 draws."""
    rng = random.Random(1)
    drawn = [Ensemble("kostlan", (2, 2)).system(rng).polynomials[0] for _ in range(2000)]
    for monomial, variance in (((2, 0), 1), ((1, 1), 2), ((0, 0), 1), ((1, 0), 2)):
        found = fmean(float(p[monomial]) ** 2 for p in drawn)
        assert abs(found - variance) < 4 * variance * (2 / 2000) ** 0.5


def test_parity_and_range() -> None:
    for count in counts(Ensemble("kostlan", (3, 2)), 30, 7):
        assert isinstance(count, int)
        assert count in (0, 2, 4, 6)


@pytest.mark.parametrize("name", ["kostlan-4", "kostlan-9"])
def test_the_right_mean_is_consistent(name: str) -> None:
    found = observe(TRIALS[name])
    assert found.outcome == "consistent"
    assert found.gates == (("every count complete", True),)
    low, high = found.interval
    assert low < TRIALS[name].claimed < high


def test_a_wrong_ensemble_is_seen() -> None:
    """Kac's polynomials of degree 9 have about 2.02 real zeros in the mean, not 3."""
    kac = replace(TRIALS["kostlan-9"], name="kac-9", ensemble=Ensemble("kac", (9,)))
    found = observe(kac)
    assert found.outcome == "inconsistent"
    assert found.effect < -0.25
    assert found.p is not None and found.p < 1e-20
    result = result_of(REAL_ZEROS_MEAN, kac)
    assert (result.outcome, result.expected) == ("inconsistent", False)


def test_a_slightly_wrong_mean_is_not_consistent() -> None:
    for claimed in (1.7, 2.3):
        assert observe(replace(TRIALS["kostlan-4"], claimed=claimed)).outcome == "inconsistent"


def test_few_draws_decide_nothing() -> None:
    assert observe(replace(TRIALS["kostlan-4"], draws=20)).outcome == "undecided"


def test_a_shut_gate_decides_nothing() -> None:
    values = [1, 3] * 500
    assert observed_mean(values, 2.0).outcome == "consistent"
    for claimed in (2.0, 3.0):
        shut = observed_mean(values, claimed, gates=(("open", True), ("every count", False)))
        assert shut.outcome == "undecided"
        assert "shut: every count" in shut.words


def test_the_interval_covers_as_often_as_it_says() -> None:
    """400 samples at level 0.1: 40 misses expected, 6 their standard deviation."""
    rng, missed = random.Random(3), 0
    for _ in range(400):
        values = [rng.choice((0, 2, 4)) for _ in range(60)]
        missed += observed_mean(values, 2.0, level=0.1, margin=9).outcome == "inconsistent"
    assert 16 <= missed <= 64


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match="kostlan, kac, network"):
        Ensemble("gauss", (2,))
    with pytest.raises(InputError, match="at least 1"):
        Ensemble("kac", (2, 0))
    with pytest.raises(InputError, match="at least two values"):
        observed_mean([1], 1.0)
    with pytest.raises(InputError, match="positive"):
        observed_mean([1, 2], 0.0)
    with pytest.raises(InputError, match="at least one draw"):
        counts(Ensemble("kac", (2,)), 0, 0)
    with pytest.raises(InputError, match="consistent, inconsistent"):
        Observed("proved", 0.0, (0.0, 1.0), None, 2, "0")
    with pytest.raises(InputError, match="is exact"):
        claim("quadratic-connected").observe(TRIALS["kostlan-4"])


def light(seed: int, draws: int) -> tuple[Trial, ...]:
    return tuple(
        replace(t, draws=max(draws, 400), seed=str(seed))
        for t in TRIALS.values()
        if t.name in ("kostlan-4", "network-2-2")
    )


def test_verify_observes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(REAL_ZEROS_MEAN), "trials", property(lambda self: light))
    run = verify("real-zeros-mean", seed=2)
    again = verify("real-zeros-mean", seed=2)
    trials = [r for r in run.results if r.observed is not None]
    assert [r.observed for r in again.results] == [r.observed for r in run.results]
    assert {(r.outcome, r.assurance, r.certificate, r.expected) for r in trials} <= {
        ("consistent", "statistical", None, True),
        ("undecided", "statistical", None, False),
        ("inconsistent", "statistical", None, True),
    }
    exact = [r for r in run.results if r.observed is None]
    assert {(r.outcome, r.assurance) for r in exact} == {("refuted", "kernel")}
    value = run.to_json()
    assert len(value["results"]) == run.planned
    shown = next(r for r in value["results"] if r["instance"] == "network-2-2")
    assert shown["outcome"] == "inconsistent"
    assert shown["observed"].keys() == {
        "effect",
        "p",
        "p_adjusted",
        "power",
        "n",
        "seed",
        "interval",
        "gates",
    }
    assert verify("real-zeros-mean", seed=3).results[3].observed != trials[0].observed


def test_more_instances_are_more_draws() -> None:
    assert {t.draws for t in REAL_ZEROS_MEAN.trials(0, 5000)} == {5000}


def test_the_printed_number_at_real_data() -> None:
    (iris,) = [i for i in REAL_ZEROS_MEAN.canonical() if i.name == "iris-4-1"]
    assert "32768 real zeros; there is none" in iris.note
    assert iris.data.source is not None
