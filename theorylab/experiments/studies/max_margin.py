"""Descent on separable data against the exact hard-margin solution: w(t) = w^ log t + rho(t).

Steps of plain descent reach log t of ten, where nothing is decided. So the gradient flow of the
exponential loss is solved in s = log t, for rho alone: drho/ds = sum_n z_n exp(-(z_n.w^ - 1) s -
z_n.rho) - w^ with z_n = y_n x_n, to t = e^400 and beyond. The maximal margin w^ is found in
rational numbers and its optimality checked there. Source: Soudry et al. (2018), Theorem 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, log10, sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray
from scipy import integrate, optimize

from theorylab.experiments.experiment import (
    Arrays,
    Config,
    Experiment,
    Measurements,
    Null,
    Reading,
)
from theorylab.experiments.seeds import generator
from theorylab.experiments.sources import SOUDRY
from theorylab.experiments.table import Table
from theorylab.experiments.verdict import Asserted, Measured, conclude, mean_of
from theorylab.outcome import InputError, Observed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "max-margin-bias"
_FLOOR = 1e-12  # what the solver of the flow cannot tell from 0
_ASSERTED = -2.0  # the part of a bound that is asserted, as a power of ten
_PLAIN_RECORDS = 24


@dataclass(frozen=True, kw_only=True)
class MaxMarginConfig(Config):
    """``sets`` data sets of so many points, Gaussian with the labels of a random direction.

    Points nearer than ``least`` to the boundary are left out, and coordinates rounded to
    2^-``bits``. The flow runs to log t = max(``horizon``, ``settling`` / pace), the pace being the
    slowest rate at which rho can settle: the smallest gap of a point beyond the margin, or the
    smallest eigenvalue of the Hessian at the limit. The bounds are for 1 - cos, for the drift of
    rho over the last three quarters of log t, and for the relative error of the dual; a hundredth
    of each is asserted.
    ``rate`` and ``slope`` are the smallest deviations of the exponent of 1 - cos, and of the norm's
    relative slope, that matter.
    """

    experiment: ClassVar[str] = NAME

    sets: int = 24
    sets_per_part: int = 12
    points: int = 60
    dimension: int = 5
    least: float = 0.3
    bits: int = 12
    horizon: float = 400.0
    settling: float = 160.0
    plain_steps: int = 20_000
    angle_bound: float = 1e-3
    drift_bound: float = 0.1
    dual_bound: float = 1e-3
    rate: float = 0.1
    slope: float = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class HardMargin:
    """The w of least norm with z_n.w >= 1 for every row z_n, and its dual, both rational.

    ``w`` is the sum of ``dual`` z over the support, where z.w = 1; ``gaps`` are z_n.w - 1.
    ``strict``: every dual number and every gap off the support is positive, so that the dual is
    unique and the residual of descent bounded.
    """

    w: fmpq_mat
    support: tuple[int, ...]
    dual: tuple[fmpq, ...]
    gaps: tuple[fmpq, ...]

    @property
    def strict(self) -> bool:
        """Whether the support is exactly where the dual is positive."""
        apart = all(gap > 0 for n, gap in enumerate(self.gaps) if n not in self.support)
        return apart and all(a > 0 for a in self.dual)


def hard_margin(z: fmpq_mat) -> HardMargin:
    """The hard margin of the rows z [n, d], by the conditions of Karush, Kuhn and Tucker.

    The support comes from non-negative least squares on floats; the solution on it, and that it
    is the optimum, from rational arithmetic. Guarantees: exact. Raises InputError when no w has
    z.w > 0 for all rows, or the floats name a wrong support.

    >>> found = hard_margin(fmpq_mat([[2, 0], [0, 1], [3, 3]]))
    >>> found.w.entries(), found.support, found.dual, found.gaps
    ([1/2, 1], (0, 1), (1/4, 1), (0, 0, 7/2))
    """
    rows = np.array([[float(x) for x in row] for row in z.tolist()])
    n, d = rows.shape
    # Lawson and Hanson: the residual of this problem is a multiple of (w, -1)
    system, target = np.vstack([rows.T, np.ones(n)]), np.eye(1, d + 1, d)[0]
    weights, residual = optimize.nnls(system, target, maxiter=100 * n)
    support = tuple(int(i) for i in np.flatnonzero(weights > 1e-9 * weights.max()))
    if residual < 1e-9 or not support:
        raise InputError("z", f"{n} rows", "the data are separable", "draw others")
    held = fmpq_mat([[z[i, j] for j in range(d)] for i in support])
    try:
        dual = (held * held.transpose()).solve(fmpq_mat(len(support), 1, [1] * len(support)))
    except ZeroDivisionError:
        rule = "the points on the margin are linearly independent"
        raise InputError("z", f"{len(support)} rows on the margin", rule, "draw others") from None
    w = held.transpose() * dual
    gaps = tuple(value - 1 for value in (z * w).entries())
    if min(gaps) < 0 or min(dual.entries()) < 0:
        rule = "floats find the points on the margin"
        raise InputError("z", f"{len(support)} rows on the margin", rule, "draw others")
    return HardMargin(w, support, tuple(dual.entries()), gaps)


def separable(config: MaxMarginConfig, which: int) -> fmpq_mat:
    """The rows y_n x_n of a data set, [points, dimension], each a multiple of 2^-bits."""
    draw = generator(config.seed, NAME, "data", which)
    teacher = draw.standard_normal(config.dimension)
    teacher /= np.linalg.norm(teacher)
    rows: list[list[fmpq]] = []
    scale = 2**config.bits
    while len(rows) < config.points:
        x = np.rint(draw.standard_normal(config.dimension) * scale)
        distance = float(x @ teacher) / scale
        if abs(distance) >= config.least:
            rows.append([fmpq(int(value), scale) for value in x * np.sign(distance)])
    return fmpq_mat(rows)


def flow_residual(
    z: NDArray[np.float64], found: HardMargin, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """rho at these values of s = log t, [time, d], of the flow that starts at w(t = 1) = 0.

    Guarantees: heuristic; a stiff solver at relative tolerance 1e-10. A gap of exactly 0 stays
    one, however long the flow.

    >>> found = hard_margin(fmpq_mat([[2]]))
    >>> rho = flow_residual(np.array([[2.0]]), found, np.array([0.0, 50.0]))
    >>> bool(abs(rho[1, 0] - np.log(4) / 2) < 1e-8)  # w = log(1 + 4 (t - 1)) / 2, w^ = 1 / 2
    True
    """
    w = np.array([float(x) for x in found.w.entries()])
    gaps = np.array([float(x) for x in found.gaps])

    def pull(s: float, rho: NDArray[np.float64]) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = np.exp(np.minimum(-gaps * s - z @ rho, 50.0))
        return weights

    solved = integrate.solve_ivp(
        lambda s, rho: pull(s, rho) @ z - w,
        (float(times[0]), float(times[-1])),
        np.zeros(len(w)),
        method="LSODA",
        jac=lambda s, rho: -(z.T * pull(s, rho)) @ z,
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
    )
    rho: NDArray[np.float64] = solved.y.T
    return rho


def settling_pace(z: NDArray[np.float64], found: HardMargin) -> float:
    """The slowest rate in s = log t at which rho settles: see ``MaxMarginConfig``.

    >>> z = [[2, 0], [0, 1], [3, 3]]
    >>> settling_pace(np.array(z, dtype=float), hard_margin(fmpq_mat(z)))
    1.0
    """
    held = z[list(found.support)]
    dual = np.array([float(a) for a in found.dual])
    # the Hessian sum of dual z z' on the span of the support, whose size is the support's
    held = held * np.sqrt(dual)[:, None]
    slowest = float(np.linalg.eigvalsh(held @ held.T)[0])
    gaps = [float(g) for n, g in enumerate(found.gaps) if n not in found.support]
    return min([slowest, *gaps])


def plain_descent(
    z: NDArray[np.float64], steps: int, records: NDArray[np.int64]
) -> NDArray[np.float64]:
    """w of gradient descent on the logistic loss, z [set, n, d], after these steps: [step, set, d].

    The step is 0.95 of the largest that the theorem allows.
    """
    size = 0.95 * 2 * 4 / np.linalg.norm(z, 2, axis=(1, 2)) ** 2
    w = np.zeros((len(z), z.shape[2], 1))
    across, kept, wanted = np.swapaxes(z, 1, 2).copy(), [], set(records.tolist())
    for step in range(1, steps + 1):
        w += size[:, None, None] * (across @ (1 / (1 + np.exp(z @ w))))
        if step in wanted:
            kept.append(w[..., 0].copy())
    return np.array(kept)


def one_minus_cos(w: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - cos of the angle between w [..., d] and an axis [..., d], with no loss for small ones.

    >>> round(float(one_minus_cos(np.array([1.0, 1e-6]), np.array([1.0, 0.0]))) / 5e-13, 9)
    1.0
    """
    unit = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    along = (w * unit).sum(-1)
    across = np.linalg.norm(w - along[..., None] * unit, axis=-1)
    angle: NDArray[np.float64] = np.arctan2(across, along)
    return 2 * np.sin(angle / 2) ** 2


def _parts(config: MaxMarginConfig) -> tuple[str, ...]:
    size = config.sets_per_part
    firsts = range(0, config.sets, size)
    return tuple(f"sets {a} to {min(a + size, config.sets) - 1}" for a in firsts)


def _measure(config: MaxMarginConfig, part: str, device: str) -> Measurements:
    # the sums are of sixty numbers: a GPU has nothing to gain here
    first = _parts(config).index(part) * config.sets_per_part
    which = range(first, min(first + config.sets_per_part, config.sets))
    rows, z_all, axes, curves = [], [], [], []
    for k in which:
        exact = separable(config, k)
        found = hard_margin(exact)
        z = np.array([[float(x) for x in row] for row in exact.tolist()])
        w = np.array([float(x) for x in found.w.entries()])
        pace = settling_pace(z, found)
        horizon = max(config.horizon, config.settling / pace)
        times = np.concatenate([[0.0], np.geomspace(1.0, horizon / 4, 30), [horizon / 2, horizon]])
        rho = flow_residual(z, found, times)
        angle = one_minus_cos(times[:, None] * w + rho, w)
        dual = np.array([float(a) for a in found.dual])
        reached = np.exp(-z[list(found.support)] @ rho[-1])
        rows.append(
            {
                "set": k,
                "margin": 1 / sqrt(float(w @ w)),
                "supports": len(found.support),
                "strict": found.strict,
                "pace": pace,
                "horizon": horizon,
                "rho": np.linalg.norm(rho[-1]),
                "drift": np.linalg.norm(rho[-1] - rho[-3]),
                "angle": angle[-1],
                "rate": log(angle[-1] / angle[-3]) / log(times[-1] / times[-3]),
                "dual": np.abs(reached - dual).max() / dual.max(),
            }
        )
        curves.append(np.stack([times[1:], angle[1:], np.linalg.norm(rho[1:], axis=1)]))
        z_all.append(z)
        axes.append(w)
    records = np.unique(np.geomspace(2, config.plain_steps, _PLAIN_RECORDS).astype(np.int64))
    plain, axis = plain_descent(np.array(z_all), config.plain_steps, records), np.array(axes)
    sizes, logs = np.linalg.norm(plain, axis=2), np.log(records)
    tenth = int(np.searchsorted(records, config.plain_steps / 10))
    slopes = (sizes[-1] - sizes[tenth]) / (logs[-1] - logs[tenth]) / np.linalg.norm(axis, axis=1)
    angles = one_minus_cos(plain, axis)
    for row, slope, angle in zip(rows, slopes, angles[-1], strict=True):
        row.update(plain_slope=slope, plain_angle=angle)
    return Measurements(
        rows,
        {
            "flow": np.array(curves, dtype=np.float32),
            "plain": np.stack([np.broadcast_to(logs, angles.T.shape), angles.T], 1).astype("f4"),
        },
    )


def _logarithms(table: Table, column: str) -> NDArray[np.float64]:
    # a flow that could not be solved has found nothing: as far off as can be
    return np.log10(np.maximum(np.nan_to_num(table.column(column), nan=1.0), _FLOOR))


def _below(config: MaxMarginConfig, table: Table, column: str, name: str) -> Measured:
    bound = log10(getattr(config, f"{column}_bound"))
    asserted = Asserted.below(bound, bound + _ASSERTED)
    return mean_of(f"log10 of {name}", _logarithms(table, column), asserted, config.alpha)


def _gates(config: MaxMarginConfig, table: Table) -> list[tuple[str, bool]]:
    reached = np.all(table.column("horizon") * table.column("pace") >= 0.99 * config.settling)
    return [
        ("optimal in rational numbers", all(row["strict"] for row in table)),
        ("horizon reached", bool(reached)),
    ]


def _judge_printed(config: MaxMarginConfig, table: Table) -> Observed:
    found = [
        _below(config, table, "angle", "1 - cos at the horizon"),
        _below(config, table, "drift", "the drift of rho"),
        _below(config, table, "dual", "the error of the dual"),
    ]
    gates = _gates(config, table)
    return conclude(found, _PRINTED, seed=config.seed, gates=gates, alpha=config.alpha)


def _judge_rate(config: MaxMarginConfig, table: Table) -> Observed:
    # at a finite horizon the exponent is off by the order of 1 / log t
    low, high = -2 - config.rate, -2 + config.rate
    asserted = Asserted(-2 - config.rate / 5, -2 + config.rate / 5, low, high)
    found = [mean_of("exponent", np.nan_to_num(table.column("rate")), asserted, config.alpha)]
    gates = _gates(config, table)
    return conclude(found, _RATE, seed=config.seed, gates=gates, alpha=config.alpha)


def _judge_plain(config: MaxMarginConfig, table: Table) -> Observed:
    asserted = Asserted.equal(1.0, config.slope)
    name = "slope of the norm in log t over that of the limit"
    found = [mean_of(name, np.nan_to_num(table.column("plain_slope")), asserted, config.alpha)]
    gates = _gates(config, table)[:1]
    return conclude(found, _PLAIN, seed=config.seed, gates=gates, alpha=config.alpha)


_PRINTED = (
    "w(t) = w^ log t + rho(t): rho stays as log t quadruples, and exp(-z.rho) is the dual of w^"
)
_RATE = "1 - cos of the angle to the maximal margin falls like (log t)^-2"
_PLAIN = "after so many plain steps the norm already grows at the rate of the limit"


def _redrawn(
    centres: Callable[[MaxMarginConfig], dict[str, float]],
) -> Callable[[MaxMarginConfig, Table, np.random.Generator], Table]:
    """Tables with these columns Gaussian about given centres, with the spread measured; those
    with a bound in logarithms."""

    def draw(config: MaxMarginConfig, table: Table, rng: np.random.Generator) -> Table:
        for column, centre in centres(config).items():
            scaled = hasattr(config, f"{column}_bound")
            values = _logarithms(table, column) if scaled else table.column(column)
            drawn = rng.normal(centre, np.std(values, ddof=1), len(table))
            table = table.replaced(column, 10**drawn if scaled else drawn)
        return table

    return draw


def _asserted(config: MaxMarginConfig) -> dict[str, float]:
    columns = ("angle", "drift", "dual")
    return {c: log10(getattr(config, f"{c}_bound")) + _ASSERTED for c in columns}


def _at_bound(config: MaxMarginConfig) -> dict[str, float]:
    return {"drift": log10(config.drift_bound)}


_NULLS = (
    Null("as asserted", "printed", "inconsistent", _redrawn(_asserted)),
    Null("drift at its bound", "printed", "consistent", _redrawn(_at_bound)),
    Null("square", "rate", "inconsistent", _redrawn(lambda c: {"rate": -2 + c.rate / 5})),
    Null("not square", "rate", "consistent", _redrawn(lambda c: {"rate": -2.0 + c.rate})),
    Null("at the limit", "plain-gd", "inconsistent", _redrawn(lambda c: {"plain_slope": 1.0})),
)


def _draw(config: MaxMarginConfig, table: Table, arrays: Arrays, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    flow = np.concatenate([a for name, a in arrays.items() if name.endswith("/flow")])
    plain = np.concatenate([a for name, a in arrays.items() if name.endswith("/plain")])
    for k, (times, angle, size) in enumerate(flow):
        left.loglog(times, angle, color="tab:blue", alpha=0.5, linewidth=0.8,
                    label="flow in log t" if k == 0 else None)  # fmt: skip
        right.semilogx(times, size, color="tab:blue", alpha=0.5, linewidth=0.8)
    for k, (times, angle) in enumerate(plain):
        left.loglog(times, angle, ".", color="tab:orange", alpha=0.5, markersize=3,
                    label=f"{config.plain_steps:,} plain steps" if k == 0 else None)  # fmt: skip
    ends = np.array([20.0, float(flow[:, 0].max())])
    start = float(np.exp(np.mean(np.log(flow[:, 1, -1] * flow[:, 0, -1] ** 2))))
    left.loglog(ends, 3 * start / ends**2, "--", color="0.3", label="slope -2")
    left.set_ylim(bottom=float(flow[:, 1].min()) / 3)
    left.set_xlabel("log t")
    left.set_ylabel("1 - cos of the angle to the exact maximal margin")
    left.legend(frameon=False, fontsize=8)
    right.set_xlabel("log t")
    right.set_ylabel("|rho(t)| = |w(t) - w^ log t|")
    figure.suptitle(str(_judge_printed(config, table)), fontsize=8, wrap=True)


EXPERIMENTS = {
    NAME: Experiment(
        name=NAME,
        title="Gradient descent on separable data turns to the maximal margin: w = w^ log t + rho",
        source=SOUDRY,
        readings=(
            Reading("printed", _PRINTED, "consistent", _judge_printed),
            Reading("rate", _RATE, "consistent", _judge_rate),
            Reading("plain-gd", _PLAIN, "inconsistent", _judge_plain),
        ),
        budgets={
            "ci": MaxMarginConfig(),
            "full": MaxMarginConfig(sets=200, sets_per_part=25, plain_steps=200_000),
        },
        parts=_parts,
        measure=_measure,
        draw=_draw,
        nulls=_NULLS,
        remarks="Plain descent decides nothing: log t is ten after 20,000 steps, and twelve after "
        "ten times as many. The theorem is read for the exponential loss's flow.",
    )
}
