"""Does a sample have the mean that a claim states?"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from scipy import stats

from theorylab.outcome import InputError, Observed

LEVEL = 0.001
MARGIN = 0.1


def observed_mean(
    values: Sequence[int],
    claimed: float,
    *,
    gates: Sequence[tuple[str, bool]] = (),
    seed: int | str = 0,
    level: float = LEVEL,
    margin: float = MARGIN,
) -> Observed:
    """A two-sided t test of the mean, with an interval that must also be narrow.

    ``consistent``: the interval of coverage 1 - level holds the claimed mean and nothing further
    from it than ``margin`` times it. ``inconsistent``: the interval does not hold it. Otherwise, or
    when a gate is shut, ``undecided``. The effect is the relative deviation of the mean.
    Guarantees: heuristic; the t interval is asymptotic for values that are not Gaussian.
    Raises InputError for fewer than two values or a claimed mean that is not positive.

    >>> print(observed_mean([1, 3, 1, 3] * 200, 2.0))
    consistent: mean 2 of 800, 99.9 % interval [1.883, 2.117], claimed 2, p = 1
    >>> observed_mean([1, 3, 1, 3] * 200, 3.0).outcome, observed_mean([1, 3], 2.0).outcome
    ('inconsistent', 'undecided')
    >>> print(observed_mean([1] * 9, 3.0))
    inconsistent: mean 1 of 9, 99.9 % interval [1, 1], claimed 3, all alike
    """
    n = len(values)
    if n < 2:
        raise InputError("values", n, "a sample has at least two values", "draw more")
    if not claimed > 0:
        raise InputError("claimed", claimed, "the claimed mean is positive", "state another")
    mean = sum(values) / n
    deviation = sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    error = deviation / sqrt(n)
    reach = float(stats.t.ppf(1 - level / 2, n - 1)) * error
    low, high = mean - reach, mean + reach
    # values that are all the same leave no error to measure by: the interval is a point
    p, test = None, "all alike"
    if error > 0:
        p = float(2 * stats.t.sf(abs(mean - claimed) / error, n - 1))
        test = f"p = {p:.2g}"
    shut = [name for name, is_open in gates if not is_open]
    outcome = "undecided"
    if not shut and not low <= claimed <= high:
        outcome = "inconsistent"
    elif not shut and max(high - claimed, claimed - low) <= margin * claimed:
        outcome = "consistent"
    why = f"; shut: {', '.join(shut)}" if shut else ""
    words = (
        f"mean {mean:.4g} of {n}, {100 * (1 - level):.4g} % interval [{low:.4g}, {high:.4g}], "
        f"claimed {claimed:.4g}, {test}{why}"
    )
    return Observed(
        outcome, (mean - claimed) / claimed, (low, high), p, n, str(seed), tuple(gates), words
    )
