"""What samples say of an asserted number: an interval, two p-values, and one of three words.

A reading asserts that a number lies in an inner range. The samples are *consistent* with it when
they show, at level alpha, that the number lies in the outer range, which is a little wider; they
are *inconsistent* with it when they show that it lies outside the inner range; and otherwise
undecided. So neither word is said wrongly more often than alpha, and "no significant difference"
says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import comb, exp, inf, isfinite, log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from theorylab.outcome import InputError, Observed

ALPHA = 0.01
# Pairs of values up to which the law of their order is counted out.
_EXACT = 2_000
# Up to so many values the law of signed ranks is computed exactly.
_MOST_SIGNS = 100


@dataclass(frozen=True, slots=True)
class Asserted:
    """The range [low, high] in which a number is said to lie, within a wider outer range.

    Between the two ranges either word may be said: there a deviation is too small to matter.
    """

    low: float
    high: float
    outer_low: float
    outer_high: float

    @staticmethod
    def above(bound: float, smallest: float) -> Asserted:
        """The number exceeds the bound, by so much that it is ``smallest`` or more.

        >>> Asserted.above(0, 0.5)
        Asserted(low=0.5, high=inf, outer_low=0, outer_high=inf)
        """
        return Asserted(smallest, inf, bound, inf)

    @staticmethod
    def below(bound: float, largest: float) -> Asserted:
        """The number is under the bound, by so much that it is ``largest`` or less."""
        return Asserted(-inf, largest, -inf, bound)

    @staticmethod
    def equal(value: float, margin: float) -> Asserted:
        """The number is this value; nothing further from it than the margin passes for it."""
        return Asserted(value, value, value - margin, value + margin)

    @staticmethod
    def within(low: float, high: float) -> Asserted:
        """The number lies in this range, such as that of equivalence."""
        return Asserted(low, high, low, high)

    def __post_init__(self) -> None:
        inside = self.outer_low <= self.low <= self.high <= self.outer_high
        if not inside or not (isfinite(self.outer_low) or isfinite(self.outer_high)):
            rule = "the inner range lies in the outer one, and something lies outside"
            value = (self.low, self.high, self.outer_low, self.outer_high)
            raise InputError("asserted", value, rule, "use above, below, equal or within")

    @property
    def declared(self) -> float:
        """The value at which power is stated: the inner end that is finite, else the middle."""
        if isfinite(self.low) and isfinite(self.high):
            return (self.low + self.high) / 2
        return self.low if isfinite(self.low) else self.high

    def mapped(self, function: Callable[[float], float]) -> Asserted:
        """The range with an increasing function applied to its ends."""
        return Asserted(*map(function, (self.low, self.high, self.outer_low, self.outer_high)))


@dataclass(frozen=True, slots=True)
class Measured:
    """One number measured: its estimate and interval, and what they say of an assertion.

    ``p_outside`` belongs to the null hypothesis that the number is outside the outer range (small:
    consistent), ``p_inside`` to the one that it is in the inner range (small: inconsistent).
    ``power`` is the chance of a small ``p_outside`` at the value ``asserted.declared``.
    """

    name: str
    effect: float
    interval: tuple[float, float]
    p_outside: float
    p_inside: float
    power: float
    n: int
    asserted: Asserted
    remark: str = ""


def mean_of(name: str, values: ArrayLike, asserted: Asserted, alpha: float = ALPHA) -> Measured:
    """The mean of independent values by Student's t.

    Guarantees: heuristic; asymptotic for values that are not Gaussian. Raises InputError for fewer
    than two values, or one that is not finite.

    >>> found = mean_of("mass", [0.66, 0.67, 0.665, 0.668] * 5, Asserted.equal(0.6667, 0.01))
    >>> round(found.effect, 4), found.p_outside < 0.01, found.p_inside > 0.01
    (0.6658, True, True)
    """
    sample = _sample(name, values, 2)
    mean, square = _mean(sample)
    return by_t(name, mean, sqrt(square), len(sample) - 1, len(sample), asserted, alpha)


def difference(
    name: str, first: ArrayLike, second: ArrayLike, asserted: Asserted, alpha: float = ALPHA
) -> Measured:
    """The difference of the means of two independent samples by Welch's t."""
    a, b = _sample(name, first, 2), _sample(name, second, 2)
    (ma, va), (mb, vb) = _mean(a), _mean(b)
    df = float(min(len(a), len(b)) - 1)
    if va + vb > 0:
        df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return by_t(name, ma - mb, sqrt(va + vb), df, min(len(a), len(b)), asserted, alpha)


def by_t(
    name: str,
    effect: float,
    error: float,
    df: float,
    n: int,
    asserted: Asserted,
    alpha: float = ALPHA,
) -> Measured:
    """An estimate with its standard error and degrees of freedom (inf: Gaussian).

    With error 0 the n values were all alike, and say no more than n signs would.
    """

    def upper(distance: float) -> float:
        # the chance of an estimate so far above
        if error > 0:
            return float(stats.t.sf(distance / error, df))
        return 0.5**n if distance > 0 else 1.0

    above = upper(effect - asserted.outer_low) if isfinite(asserted.outer_low) else 0.0
    below = upper(asserted.outer_high - effect) if isfinite(asserted.outer_high) else 0.0
    sides = isfinite(asserted.low) + isfinite(asserted.high)
    out = max(asserted.low - effect, effect - asserted.high)
    inside = min(1.0, sides * upper(out)) if out > 0 else 1.0
    reach = float(stats.t.ppf(1 - alpha / 2, df)) * error
    power = _power_by_t(asserted, error, df, alpha) if error > 0 else float(0.5**n < alpha)
    return Measured(
        name, effect, (effect - reach, effect + reach), max(above, below), inside, power, n,
        asserted,
    )  # fmt: skip


def _power_by_t(asserted: Asserted, error: float, df: float, alpha: float) -> float:
    if error <= 0:
        return 1.0
    at, needed = asserted.declared, float(stats.t.ppf(1 - alpha, df))
    low = high = 1.0
    if isfinite(asserted.outer_low):
        low = float(stats.t.cdf((at - asserted.outer_low) / error - needed, df))
    if isfinite(asserted.outer_high):
        high = float(stats.t.cdf((asserted.outer_high - at) / error - needed, df))
    return max(0.0, low + high - 1)


def rank_shift(
    name: str,
    first: ArrayLike,
    second: ArrayLike,
    asserted: Asserted,
    alpha: float = ALPHA,
    *,
    ratio: bool = False,
) -> Measured:
    """The shift between two samples by Mann and Whitney, estimated by Hodges and Lehmann.

    With ``ratio`` the values are positive, the effect is a quotient and so are the asserted ends.
    The remark has Cliff's delta. Guarantees: heuristic; exact under the shift model without ties.

    >>> larger = Asserted.above(1, 1.1)
    >>> found = rank_shift("radius", [4, 5, 6, 7.5], [2, 2.1, 3, 2.6], larger, ratio=True)
    >>> round(found.effect, 2), found.remark
    (2.34, "Cliff's delta 1.00")
    """
    a, b = _sample(name, first, 2), _sample(name, second, 2)
    delta = float(np.mean(np.sign(np.subtract.outer(a, b))))
    scale = asserted
    if ratio:
        if min(a.min(), b.min()) <= 0:
            raise InputError(name, float(min(a.min(), b.min())), "a ratio needs positive values",
                             "compare differences instead")  # fmt: skip
        a, b = np.log(a), np.log(b)
        scale = asserted.mapped(_log)
    pairs = np.sort(np.subtract.outer(a, b).ravel())
    # no order of the values is rarer; where there are ties scipy's normal law may say it is
    least = 1 / comb(len(a) + len(b), len(a))

    def test(bound: float, alternative: str) -> float:
        found = float(stats.mannwhitneyu(a - bound, b, alternative=alternative).pvalue)
        return max(found, least)

    # the interval holds the shifts that the two-sided test does not reject
    interval = _cut(pairs, _rank_sums(len(a), len(b)), alpha)
    error = sqrt(float(np.var(a, ddof=1)) / len(a) + float(np.var(b, ddof=1)) / len(b))
    power = _power_by_t(scale, error / sqrt(3 / np.pi), inf, alpha) if least < alpha else 0.0
    found = _by_ranks(
        name, float(np.median(pairs)), interval, test, scale, min(len(a), len(b)), power
    )
    remark = f"Cliff's delta {delta:.2f}"
    if not ratio:
        return replace(found, remark=remark)
    ends = (_exp(found.interval[0]), _exp(found.interval[1]))
    return Measured(
        name, exp(found.effect), ends, found.p_outside, found.p_inside, power, found.n, asserted,
        remark,
    )  # fmt: skip


def signed_ranks(
    name: str, differences: ArrayLike, asserted: Asserted, alpha: float = ALPHA
) -> Measured:
    """The centre of paired differences by Wilcoxon's signed ranks, with Hodges and Lehmann's
    estimate.

    Seven pairs are the fewest that can reject one-sided at .01. Guarantees: heuristic; exact for
    at most 100 symmetric differences, ties and zeros among them.

    >>> gains = [1.1, 0.9, 1.3, 0.7, 1.2, 0.8, 1.05, 0.95]
    >>> found = signed_ranks("gain", gains, Asserted.above(0, 0.2))
    >>> round(found.effect, 2), round(found.p_outside, 4)
    (1.0, 0.0039)
    """
    d = _sample(name, differences, 2)
    i, j = np.triu_indices(len(d))
    walsh = np.sort((d[i] + d[j]) / 2)

    def test(bound: float, alternative: str) -> float:
        return _signed_rank_p(d - bound, alternative)

    interval = _cut(walsh, _signed_rank_sums(len(d)), alpha)
    error = float(np.std(d, ddof=1)) / sqrt(len(d))
    power = _power_by_t(asserted, error / sqrt(3 / np.pi), len(d) - 1, alpha)
    if 0.5 ** len(d) >= alpha:
        power = 0.0
    return _by_ranks(name, float(np.median(walsh)), interval, test, asserted, len(d), power)


def trend(name: str, table: ArrayLike, smallest: float = 0.5, alpha: float = ALPHA) -> Measured:
    """Whether rows (units x ordered conditions) rise, by Page's test; the effect is the mean
    Spearman correlation over the rows, asserted to be ``smallest`` or more.

    Page's test is against rows in random order; lest rows that rise beside rows that fall pass for
    a trend, the signed ranks of the correlations must show it, too, which takes seven rows at .01.
    Guarantees: heuristic; that the mean is smaller is tested by Hoeffding's inequality, valid for
    all independent rows.

    >>> rows = [[1, 2, 3, 4], [1, 3, 2, 4], [0, 1, 2, 5], [1, 2, 4, 3], [2, 3, 4, 5]]
    >>> trend("length", rows).effect
    0.92
    """
    rows = np.asarray(table, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] < 2 or rows.shape[1] < 3 or not np.isfinite(rows).all():
        rule = "a trend needs finite values of at least 2 units under at least 3 conditions"
        raise InputError(name, rows.shape, rule, "measure more")
    n, levels = rows.shape
    ranks = stats.rankdata(rows, axis=1)
    order = np.arange(1, levels + 1) - (levels + 1) / 2
    centred = ranks - (levels + 1) / 2
    norm = np.sqrt((centred**2).sum(1) * (order**2).sum())
    rho = np.divide(centred @ order, norm, out=np.zeros(n), where=norm > 0)
    effect = float(rho.mean())
    asserted = Asserted.above(0.0, smallest)
    signs = signed_ranks(name, rho, asserted, alpha)
    # under the null each row is in random order, and rho has variance 1 / (levels - 1)
    p_outside = max(float(stats.page_trend_test(rows).pvalue), signs.p_outside)
    p_inside = 1.0
    if effect < smallest:
        found, said = (1 + effect) / 2, (1 + smallest) / 2
        divergence = special.rel_entr(found, said) + special.rel_entr(1 - found, 1 - said)
        p_inside = float(np.exp(-n * divergence))
    needed = float(stats.norm.ppf(1 - alpha)) / sqrt(n * (levels - 1))
    power = min(signs.power, float(stats.norm.cdf((smallest - needed) * sqrt(n * (levels - 1)))))
    interval = _bounded_interval(effect, n, alpha)
    return Measured(name, round(effect, 12), interval, p_outside, p_inside, power, n, asserted)


def share(name: str, successes: int, n: int, asserted: Asserted, alpha: float = ALPHA) -> Measured:
    """A probability from ``successes`` of n independent trials, by Clopper and Pearson.

    Guarantees: exact binomial. An assertion of at least 1, or at most 0, is inconsistent at the
    first failure.

    >>> found = share("connected", 40, 40, Asserted.above(0.8, 1.0))
    >>> found.effect, round(found.interval[0], 3), found.p_outside < 0.01
    (1.0, 0.876, True)
    """
    if not 0 <= successes <= n or n < 1:
        raise InputError(name, f"{successes} of {n}", "successes are 0 to n, n >= 1", "count again")
    effect = successes / n
    low = float(stats.beta.ppf(alpha / 2, successes, n - successes + 1)) if successes else 0.0
    high = (
        float(stats.beta.ppf(1 - alpha / 2, successes + 1, n - successes)) if successes < n else 1.0
    )

    def at_least(p: float) -> float:
        return float(stats.binom.sf(successes - 1, n, min(max(p, 0.0), 1.0)))

    def at_most(p: float) -> float:
        return float(stats.binom.cdf(successes, n, min(max(p, 0.0), 1.0)))

    above = at_least(asserted.outer_low) if asserted.outer_low >= 0 else 0.0
    below = at_most(asserted.outer_high) if asserted.outer_high <= 1 else 0.0
    bounds = (asserted.low > 0) + (asserted.high < 1)
    tails = [at_most(asserted.low)] if asserted.low > 0 else []
    tails += [at_least(asserted.high)] if asserted.high < 1 else []
    inside = min([1.0, *(bounds * tail for tail in tails)])
    wins = np.arange(n + 1)
    seen_low = (
        stats.binom.sf(wins - 1, n, max(asserted.outer_low, 0.0))
        if asserted.outer_low >= 0
        else np.zeros(n + 1)
    )
    seen_high = (
        stats.binom.cdf(wins, n, min(asserted.outer_high, 1.0))
        if asserted.outer_high <= 1
        else np.zeros(n + 1)
    )
    chance = stats.binom.pmf(wins, n, min(max(asserted.declared, 0.0), 1.0))
    power = float(chance[np.maximum(seen_low, seen_high) < alpha].sum())
    return Measured(
        name, effect, (low, high), max(above, below), inside, power, n, asserted,
        f"{successes} of {n}",
    )  # fmt: skip


def conclude(
    measured: Sequence[Measured],
    words: str,
    *,
    seed: int | str,
    gates: Sequence[tuple[str, bool]] = (),
    alpha: float = ALPHA,
) -> Observed:
    """One word for a reading that asserts all of these numbers together.

    ``consistent`` when every one is shown to be in its outer range (an intersection-union test
    needs no correction), ``inconsistent`` when one at least is shown to be outside its inner range
    after Holm's correction, ``undecided`` otherwise and when a gate is shut. The effect, interval
    and n are those of the number that decides; ``power`` is the smallest of all.

    >>> radius = rank_shift("radius", range(10, 18), range(1, 9), Asserted.above(0, 2))
    >>> print(conclude([radius], "natural labels are flatter", seed=0))
    consistent: natural labels are flatter: radius 9 [5, 13], p = 7.8e-05, n = 8, Cliff's delta 1.00
    """
    if not measured:
        raise InputError("measured", 0, "a verdict rests on a number at least", "measure one")
    adjusted = holm([m.p_inside for m in measured])
    gates = [(name, bool(is_open)) for name, is_open in gates]
    shut = [name for name, is_open in gates if not is_open]
    against = min(range(len(measured)), key=lambda i: (adjusted[i], measured[i].p_inside))
    weakest = max(range(len(measured)), key=lambda i: measured[i].p_outside)
    outcome, deciding, p, p_adjusted = "undecided", weakest, measured[weakest].p_outside, None
    if adjusted[against] < alpha:
        outcome, deciding = "inconsistent", against
        p, p_adjusted = measured[against].p_inside, adjusted[against]
    elif measured[weakest].p_outside < alpha:
        outcome = "consistent"
    if shut:
        outcome = "undecided"
    m = measured[deciding]
    holms = "" if p_adjusted is None or len(measured) == 1 else f" (Holm {p_adjusted:.2g})"
    text = (
        f"{words}: {m.name} {m.effect:.4g} [{m.interval[0]:.4g}, {m.interval[1]:.4g}], "
        f"p = {p:.2g}{holms}, n = {m.n}"
    )
    if m.remark:
        text += f", {m.remark}"
    if len(measured) > 1:
        which = "farthest" if p_adjusted is not None else "least certain"
        text += f"; the {which} of {len(measured)} numbers"
    if shut:
        text += f"; shut: {', '.join(shut)}"
    return Observed(
        outcome, m.effect, m.interval, p, m.n, str(seed), tuple(gates), text,
        p_adjusted, min(x.power for x in measured),
    )  # fmt: skip


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    found = [1.0] * len(p)
    largest = 0.0
    for place, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - place) * p[i]))
        found[i] = largest
    return tuple(found)


def _by_ranks(
    name: str,
    effect: float,
    interval: tuple[float, float],
    test: Callable[[float, str], float],
    asserted: Asserted,
    n: int,
    power: float,
) -> Measured:
    above = test(asserted.outer_low, "greater") if isfinite(asserted.outer_low) else 0.0
    below = test(asserted.outer_high, "less") if isfinite(asserted.outer_high) else 0.0
    tails = [test(asserted.low, "less")] if isfinite(asserted.low) else []
    tails += [test(asserted.high, "greater")] if isfinite(asserted.high) else []
    inside = min([1.0, *(len(tails) * tail for tail in tails)])
    return Measured(name, effect, interval, max(above, below), inside, power, n, asserted)


def _signed_rank_p(moved: NDArray[np.float64], alternative: str) -> float:
    """Wilcoxon's p-value over all changes of sign; scipy's, by the normal law, for many values."""
    if len(moved) > _MOST_SIGNS:
        found = stats.wilcoxon(moved, alternative=alternative, zero_method="zsplit")
        return float(found.pvalue)
    # ranks of ties are halves; zeros have no sign to change
    twice = np.rint(2 * stats.rankdata(np.abs(moved))).astype(int)[moved != 0]
    seen = int(twice[moved[moved != 0] > 0].sum())
    law = np.ones(1)
    for rank in twice:
        law = (np.pad(law, (0, rank)) + np.pad(law, (rank, 0))) / 2
    return min(1.0, float(law[seen:].sum() if alternative == "greater" else law[: seen + 1].sum()))


def _cut(
    ordered: NDArray[np.float64], chances: NDArray[np.float64], alpha: float
) -> tuple[float, float]:
    """The interval between the order statistics that the two-sided test of this law leaves."""
    cut = int((np.cumsum(chances) <= alpha / 2).sum())
    return (-inf, inf) if cut < 1 else (float(ordered[cut - 1]), float(ordered[-cut]))


def _signed_rank_sums(n: int) -> NDArray[np.float64]:
    """The chance of each sum of signed ranks, 0 to n (n + 1) / 2, when signs are even.

    >>> _signed_rank_sums(2).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    chances = np.ones(1)
    for rank in range(1, n + 1):
        empty = np.zeros(rank)
        chances = (np.concatenate([chances, empty]) + np.concatenate([empty, chances])) / 2
    return chances


@cache
def _rank_sums(m: int, n: int) -> NDArray[np.float64]:
    """The chance of each value of Mann and Whitney's U, 0 to m n, when the samples are alike.

    >>> (6 * _rank_sums(2, 2)).round(12).tolist()
    [1.0, 1.0, 2.0, 1.0, 1.0]
    """
    if m == 0 or n == 0:
        return np.ones(1)
    if m * n > _EXACT:
        values, sigma = np.arange(m * n + 1), sqrt(m * n * (m + n + 1) / 12)
        normal: NDArray[np.float64] = stats.norm.pdf(values, m * n / 2, sigma)
        return normal
    # the largest of all values is in the first sample, and above all n of the second, or is not
    first = np.concatenate([np.zeros(n), _rank_sums(m - 1, n)]) * m
    second = np.concatenate([_rank_sums(m, n - 1), np.zeros(m)]) * n
    found: NDArray[np.float64] = (first + second) / (m + n)
    return found


def _bounded_interval(effect: float, n: int, alpha: float) -> tuple[float, float]:
    """The means of numbers in [-1, 1] that are not too far, each with its largest variance."""
    z = float(stats.norm.ppf(1 - alpha / 2)) ** 2 / n
    centre, reach = effect / (1 + z), sqrt(z * (1 + z - effect**2)) / (1 + z)
    return max(-1.0, centre - reach), min(1.0, centre + reach)


def _mean(sample: NDArray[np.float64]) -> tuple[float, float]:
    """The mean and its squared error, without the rounding of values that are all alike."""
    if np.ptp(sample) == 0:
        return float(sample[0]), 0.0
    return float(sample.mean()), float(np.var(sample, ddof=1)) / len(sample)


def _sample(name: str, values: ArrayLike, least: int) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64).ravel()
    if len(sample) < least:
        rule = f"at least {least} values are needed"
        raise InputError(name, len(sample), rule, "measure more")
    if not np.isfinite(sample).all():
        rule = "every value is finite"
        raise InputError(name, "nan or infinity", rule, "count diverged units, and say how")
    return sample


def _log(x: float) -> float:
    if x == inf:
        return inf
    return log(x) if x > 0 else -inf


def _exp(x: float) -> float:
    return exp(x) if isfinite(x) else (inf if x > 0 else 0.0)
