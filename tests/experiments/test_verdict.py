"""The three words: how often the wrong one is said, how often the right one, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import comb, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from theorylab.experiments.verdict import (
    Asserted,
    Measured,
    by_t,
    conclude,
    difference,
    holm,
    mean_of,
    rank_shift,
    share,
    signed_ranks,
    trend,
)
from theorylab.outcome import InputError

ALPHA = 0.05
DRAWS = 200
# what a rate of exactly ALPHA exceeds once in 10^5 times
MOST = int(stats.binom.ppf(1 - 1e-5, DRAWS, ALPHA))


def _normal(rng: np.random.Generator, n: int, centre: float) -> np.ndarray:
    return centre + rng.standard_normal(n)


RANGES = {
    "above": Asserted.above(0.0, 1.2),
    "below": Asserted.below(0.5, -1.0),
    "equal": Asserted.equal(0.3, 1.4),
    "within": Asserted.within(-1.3, 1.3),
}
MEASURES: dict[str, Callable[[np.random.Generator, float, Asserted], Measured]] = {
    "mean": lambda g, x, a: mean_of("m", _normal(g, 9, x), a, ALPHA),
    "difference": lambda g, x, a: difference(
        "m", _normal(g, 14, x + 2), 2 + 0.5 * _normal(g, 9, 0.0), a, ALPHA
    ),
    "ranks": lambda g, x, a: rank_shift("m", _normal(g, 14, x), _normal(g, 11, 0.0), a, ALPHA),
    "signed": lambda g, x, a: signed_ranks("m", _normal(g, 10, x), a, ALPHA),
}


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("kind", RANGES)
def test_a_wrong_word_comes_at_most_as_often_as_alpha(kind: str, measure: str) -> None:
    asserted, draw = RANGES[kind], MEASURES[measure]
    edges = [(asserted.outer_low, "consistent"), (asserted.outer_high, "consistent")]
    edges += [(asserted.low, "inconsistent"), (asserted.high, "inconsistent")]
    for truth, wrong in edges:
        if not np.isfinite(truth):
            continue
        rng = np.random.default_rng(7)
        words = [
            conclude([draw(rng, truth, asserted)], "", seed=0, alpha=ALPHA).outcome
            for _ in range(DRAWS)
        ]
        assert words.count(wrong) <= MOST, (truth, wrong, words.count(wrong))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("kind", RANGES)
def test_the_stated_power_is_the_chance_of_the_right_word(kind: str, measure: str) -> None:
    asserted, draw = RANGES[kind], MEASURES[measure]
    rng = np.random.default_rng(11)
    found = [draw(rng, asserted.declared, asserted) for _ in range(150)]
    right = sum(m.p_outside < ALPHA for m in found) / len(found)
    stated = float(np.mean([m.power for m in found]))
    assert abs(right - stated) < 0.15, (right, stated)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("kind", RANGES)
def test_a_planted_effect_turns_the_word(kind: str, measure: str) -> None:
    asserted, draw = RANGES[kind], MEASURES[measure]
    rng = np.random.default_rng(3)
    inside = 4.0 if kind == "above" else -4.0 if kind == "below" else asserted.declared
    outside = [x for x in (asserted.outer_low - 4, asserted.outer_high + 4) if np.isfinite(x)]
    words = [conclude([draw(rng, inside, asserted)], "", seed=0).outcome for _ in range(20)]
    assert "inconsistent" not in words
    for truth in outside:
        for _ in range(10):
            assert conclude([draw(rng, truth, asserted)], "", seed=0).outcome == "inconsistent"


@pytest.mark.parametrize("measure", MEASURES)
def test_intervals_hold_the_truth(measure: str) -> None:
    rng = np.random.default_rng(5)
    found = [MEASURES[measure](rng, 0.7, Asserted.above(0, 1)) for _ in range(400)]
    missed = sum(not m.interval[0] <= 0.7 <= m.interval[1] for m in found)
    assert missed <= int(stats.binom.ppf(1 - 1e-5, 400, ALPHA))
    assert all(m.interval[0] <= m.effect <= m.interval[1] for m in found)


def test_ratios_are_shifts_of_logarithms() -> None:
    rng = np.random.default_rng(2)
    a, b = np.exp(_normal(rng, 12, 1.0)), np.exp(_normal(rng, 12, 0.0))
    found = rank_shift("r", a, b, Asserted.above(1.0, 1.5), ratio=True)
    logs = rank_shift("r", np.log(a), np.log(b), Asserted.above(0.0, np.log(1.5)))
    assert found.effect == pytest.approx(np.exp(logs.effect))  # one exp more: rounding only
    assert (found.p_outside, found.p_inside, found.power) == (
        logs.p_outside,
        logs.p_inside,
        logs.power,
    )
    assert found.asserted == Asserted.above(1.0, 1.5)


@pytest.mark.parametrize("n", [5, 20, 60])
@pytest.mark.parametrize(
    "asserted",
    [Asserted.above(0.5, 0.9), Asserted.below(0.3, 0.05), Asserted.equal(0.4, 0.2),
     Asserted.above(0.8, 1.0), Asserted.within(0.2, 0.8)],
)  # fmt: skip
def test_shares_are_exact_at_every_probability(n: int, asserted: Asserted) -> None:
    found = [share("s", k, n, asserted, ALPHA) for k in range(n + 1)]
    words = [conclude([m], "", seed=0, alpha=ALPHA).outcome for m in found]
    for p in np.linspace(0, 1, 201):
        chance = stats.binom.pmf(np.arange(n + 1), n, p)
        said = {w: sum(c for c, word in zip(chance, words, strict=True) if word == w)
                for w in ("consistent", "inconsistent")}  # fmt: skip
        if asserted.low <= p <= asserted.high:
            assert said["inconsistent"] <= ALPHA + 1e-12
        if p <= asserted.outer_low or p >= asserted.outer_high:
            assert said["consistent"] <= ALPHA + 1e-12
    chance = stats.binom.pmf(np.arange(n + 1), n, asserted.declared)
    seen = sum(c for c, m in zip(chance, found, strict=True) if m.p_outside < ALPHA)
    assert found[0].power == pytest.approx(seen)  # the same sum in another order


def test_one_failure_contradicts_a_certainty() -> None:
    never = Asserted.above(0.8, 1.0)
    assert conclude([share("s", 39, 40, never)], "", seed=0).outcome == "inconsistent"
    assert conclude([share("s", 40, 40, never)], "", seed=0).outcome == "consistent"
    assert conclude([share("s", 4, 4, never)], "", seed=0).outcome == "undecided"


def _rows(rng: np.random.Generator, n: int, levels: int, slope: float) -> np.ndarray:
    return slope * np.arange(levels) + rng.standard_normal((n, levels))


def test_a_trend_is_claimed_of_noise_at_most_as_often_as_alpha() -> None:
    rng = np.random.default_rng(1)
    found = [trend("t", _rows(rng, 8, 5, 0.0), 0.5, ALPHA) for _ in range(400)]
    wrong = sum(conclude([m], "", seed=0, alpha=ALPHA).outcome == "consistent" for m in found)
    assert wrong <= int(stats.binom.ppf(1 - 1e-5, 400, ALPHA))
    falls = trend("t", _rows(rng, 8, 5, -1.0), 0.5)
    rises = trend("t", _rows(rng, 8, 5, 1.0), 0.5)
    assert conclude([rises], "", seed=0).outcome == "consistent"
    assert conclude([falls], "", seed=0).outcome == "inconsistent"
    assert falls.interval[0] <= falls.effect <= falls.interval[1]
    # half of the rows rise and half fall, each perfectly: Page's test alone would be mistaken
    signs = [rng.choice((-1, 1), (8, 1)) for _ in range(400)]
    found = [trend("t", sign * np.arange(6), 0.5, ALPHA) for sign in signs]
    wrong = sum(m.p_outside < ALPHA for m in found)
    assert wrong <= int(stats.binom.ppf(1 - 1e-5, 400, ALPHA))


def test_a_trend_is_denied_at_most_as_often_as_alpha() -> None:
    # rows that rise with rank correlation 1 or -1 have the largest variance of all
    rng = np.random.default_rng(4)
    wrong = 0
    for _ in range(400):
        up = rng.random(8) < 0.75  # mean correlation 0.5
        rows = np.where(up[:, None], np.arange(5), -np.arange(5))
        wrong += conclude([trend("t", rows, 0.5, ALPHA)], "", seed=0, alpha=ALPHA).outcome == (
            "inconsistent"
        )
    assert wrong <= int(stats.binom.ppf(1 - 1e-5, 400, ALPHA))
    # exactly, not by draws: of eight rows, so many rise
    low = [trend("t", np.where(np.arange(8)[:, None] < k, np.arange(5), -np.arange(5)), 0.5)
           for k in range(9)]  # fmt: skip
    for k, found in enumerate(low):
        assert found.p_inside >= stats.binom.cdf(k, 8, 0.75)


def test_values_that_are_all_alike_are_points() -> None:
    # they say no more than their signs: five are too few at .01, ten are enough
    few = mean_of("m", [2.0] * 5, Asserted.equal(2.0, 0.1))
    assert (few.p_outside, few.p_inside, few.power) == (0.5**5, 1.0, 0.0)
    # 0.1 is no binary fraction: a mean of tenths is off by a rounding
    for value in (2.0, 0.1):
        same = mean_of("m", [value] * 10, Asserted.equal(value, 0.1))
        assert (same.p_outside, same.p_inside, same.power) == (0.5**10, 1.0, 1.0)
        assert difference("m", [value] * 10, [0.0] * 10, Asserted.equal(value, 0.1)).p_inside == 1.0
    other = mean_of("m", [2.0] * 10, Asserted.equal(3.0, 0.1))
    assert conclude([other], "", seed=0).outcome == "inconsistent"
    zero = signed_ranks("d", [0.0] * 9, Asserted.above(0.0, 0.5))
    assert conclude([zero], "", seed=0).outcome == "inconsistent"
    equal = rank_shift("r", [1.0] * 8, [1.0] * 8, Asserted.above(0.0, 0.5))
    assert conclude([equal], "", seed=0).outcome == "inconsistent"


@pytest.mark.parametrize("n", [3, 4, 8])
def test_ties_do_not_make_an_order_rarer_than_it_is(n: int) -> None:
    found = rank_shift("r", [1.0] * n, [0.0] * n, Asserted.above(0.0, 0.5))
    # the chance that n marked values of 2 n are the largest
    assert found.p_outside >= 1 / comb(2 * n, n)
    few = rank_shift("r", [1.0, 1.1, 1.2], [0.0, 0.1, 0.2], Asserted.above(0.0, 0.5))
    assert few.power == 0.0


@pytest.mark.parametrize("d", [[0.1, 0.2, -0.3, 0.5], [1.0, -1.0, 2.0, 2.0, 0.0], [0.0] * 3])
def test_signed_ranks_are_counted_over_all_signs(d: list[float]) -> None:
    ranks = stats.rankdata(np.abs(d))

    def risen(signs: Sequence[float]) -> float:
        return float(sum(r for r, s, x in zip(ranks, signs, d, strict=True) if s * abs(x) > 0))

    every = [risen(signs) for signs in product((-1.0, 1.0), repeat=len(d))]
    found = signed_ranks("d", d, Asserted.above(0.0, 0.0))
    seen = risen(np.sign(d).tolist())
    assert found.p_outside == pytest.approx(np.mean([e >= seen for e in every]), abs=1e-15)
    assert found.p_inside == pytest.approx(np.mean([e <= seen for e in every]), abs=1e-15)
    many = np.random.default_rng(0).standard_normal(30)
    ours = signed_ranks("d", many, Asserted.above(0.0, 0.5)).p_outside
    assert ours == pytest.approx(stats.wilcoxon(many, alternative="greater").pvalue, rel=1e-12)


def literal_holm(p: list[float], alpha: float) -> list[bool]:
    """Holm 1979: reject the smallest while it is below alpha / (number left)."""
    rejected = [False] * len(p)
    for left, i in zip(range(len(p), 0, -1), sorted(range(len(p)), key=p.__getitem__), strict=True):
        if not p[i] * left < alpha:
            break
        rejected[i] = True
    return rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.2))
def test_holm_is_the_literal_procedure(p: list[float], alpha: float) -> None:
    assert [q < alpha for q in holm(p)] == literal_holm(p, alpha)


def number(p_outside: float, p_inside: float, power: float = 0.9) -> Measured:
    return Measured("x", 1.0, (0.0, 2.0), p_outside, p_inside, power, 8, Asserted.above(0.0, 1.0))


def test_a_conjunction_needs_all_and_falls_with_one() -> None:
    good, bad, open_ = number(1e-4, 1.0), number(1.0, 1e-4), number(0.2, 0.4, 0.3)
    assert conclude([good, good], "", seed=0).outcome == "consistent"
    assert conclude([good, open_], "", seed=0).outcome == "undecided"
    assert conclude([good, open_], "", seed=0).power == 0.3
    found = conclude([good, bad, good], "", seed=0)
    assert (found.outcome, found.p, found.p_adjusted) == (
        "inconsistent",
        1e-4,
        3 * 1e-4,
    )
    # one of many at .005 is nothing: Holm
    assert conclude([good] * 3 + [number(1.0, 0.005)], "", seed=0).outcome == "undecided"


@pytest.mark.parametrize("first", [number(1e-4, 1.0), number(1.0, 1e-4)])
def test_a_shut_gate_leaves_everything_undecided(first: Measured) -> None:
    gates = [("mixed", True), ("matched", False)]
    found = conclude([first], "the words", seed=3, gates=gates)
    assert found.outcome == "undecided"
    assert "shut: matched" in found.words
    assert found.to_json()["gates"] == {"mixed": True, "matched": False}


@pytest.mark.parametrize(("m", "n"), [(3, 4), (8, 8), (16, 12), (60, 50)])
def test_rank_intervals_are_what_the_test_does_not_reject(m: int, n: int) -> None:
    rng = np.random.default_rng(8)
    a, b = _normal(rng, m, 1.0), _normal(rng, n, 0.0)
    low, high = rank_shift("r", a, b, Asserted.above(0.0, 1.0), ALPHA).interval
    paired_low, paired_high = signed_ranks("d", a, Asserted.above(0.0, 1.0), ALPHA).interval
    if (m, n) == (3, 4):
        assert (paired_low, paired_high) == (-inf, inf)
        return
    step = 1e-9
    for inside, outside in ((low + step, low - step), (high - step, high + step)):
        assert stats.mannwhitneyu(a - inside, b).pvalue > ALPHA
        assert stats.mannwhitneyu(a - outside, b).pvalue <= ALPHA + 2e-3 * (m > 20)
    edges = ((paired_low + step, paired_low - step), (paired_high - step, paired_high + step))
    for inside, outside in edges:
        assert stats.wilcoxon(a - inside).pvalue > ALPHA - 2e-3 * (m > 20)
        assert stats.wilcoxon(a - outside).pvalue <= ALPHA + 2e-3 * (m > 20)


def test_open_intervals_are_null_in_json() -> None:
    few = rank_shift("r", [1, 2], [3, 4], Asserted.above(0, 1))
    assert few.interval == (-inf, inf)
    assert conclude([few], "", seed=0).to_json()["interval"] == [None, None]


def test_an_exact_gaussian_case() -> None:
    found = by_t("x", 1.0, 0.25, inf, 10, Asserted.above(0.0, 1.5))
    assert found.p_outside == pytest.approx(stats.norm.sf(4.0))  # another route to one number
    assert found.p_inside == pytest.approx(stats.norm.sf(2.0))
    two_sided = by_t("x", 1.0, 0.25, inf, 10, Asserted.equal(1.5, 1.0))
    assert two_sided.p_inside == pytest.approx(2 * stats.norm.sf(2.0))
    reach = stats.norm.ppf(0.995) * 0.25
    assert found.interval == pytest.approx((1 - reach, 1 + reach))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mean_of("loss", [1.0], Asserted.above(0, 1)), "loss = 1: at least 2 values"),
        (lambda: mean_of("loss", [1.0, float("nan")], Asserted.above(0, 1)), "loss = nan"),
        (
            lambda: rank_shift("r", [1, 2], [0, 1], Asserted.above(1, 2), ratio=True),
            "r = 0.0: a ratio needs positive values",
        ),
        (lambda: trend("t", [[1, 2], [1, 2]]), "at least 3 conditions"),
        (lambda: share("s", 3, 2, Asserted.above(0, 1)), "s = 3 of 2"),
        (lambda: Asserted(0, 1, 0.5, 2), "the inner range lies in the outer one"),
        (lambda: Asserted.within(-inf, inf), "something lies outside"),
        (lambda: conclude([], "", seed=0), "measured = 0"),
    ],
)
def test_bad_samples_are_refused_by_name(call: Callable[[], object], says: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert says in str(error.value)
