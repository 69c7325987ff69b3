"""The hard margin against a solver and by hand; the flow against solutions in closed form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flint import fmpq_mat
from sklearn.svm import SVC

from theorylab.experiments.run import Result, load_result, run
from theorylab.experiments.studies.max_margin import (
    EXPERIMENTS,
    MaxMarginConfig,
    flow_residual,
    hard_margin,
    one_minus_cos,
    plain_descent,
    separable,
    settling_pace,
)
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

MARGIN = EXPERIMENTS["max-margin-bias"]
TINY = MaxMarginConfig(sets=4, sets_per_part=2, points=12, dimension=2, plain_steps=200)


@pytest.fixture(scope="module")
def saved() -> Result:
    return load_result(Path(__file__).parent / "tables" / "max-margin-bias")


def words(result: Result, table: Table) -> dict[str, str]:
    return {r.variant: o.outcome for r, o in MARGIN.judged(result.config, table)}


def floats(z: fmpq_mat) -> np.ndarray:
    return np.array([[float(x) for x in row] for row in z.tolist()])


@pytest.mark.parametrize("which", range(4))
def test_margin_is_optimal_and_that_of_a_solver(which: int) -> None:
    z = separable(MaxMarginConfig(seed=3), which)
    found = hard_margin(z)
    assert found.strict
    assert min(found.gaps) == 0
    pulled = fmpq_mat(1, z.ncols())
    for alpha, n in zip(found.dual, found.support, strict=True):
        pulled += alpha * fmpq_mat([[z[n, j] for j in range(z.ncols())]])
    assert pulled.transpose() == found.w
    # the same problem on x and y, whose machine may not use an intercept: mirror the data
    rows = floats(z)
    both, labels = np.vstack([rows, -rows]), np.repeat([1, -1], len(rows))
    machine = SVC(kernel="linear", C=1e8, tol=1e-8).fit(both, labels)
    assert machine.coef_[0] == pytest.approx(np.array([float(x) for x in found.w.entries()]), 1e-4)


def test_margin_by_hand() -> None:
    found = hard_margin(fmpq_mat([[1, 0], [4, 7], [2, -1]]))
    assert found.w.entries() == [1, 0]
    assert found.support == (0,)
    assert found.dual == (1,)
    assert found.gaps == (0, 3, 1)
    assert found.strict
    # a second point on the margin that carries no weight: the residual need not be bounded
    assert not hard_margin(fmpq_mat([[1, 0], [1, 5]])).strict


def test_margin_refuses_what_has_none() -> None:
    with pytest.raises(InputError, match="separable"):
        hard_margin(fmpq_mat([[1, 0], [-1, 0]]))
    with pytest.raises(InputError, match="separable"):
        hard_margin(fmpq_mat([[1, 1], [-2, 1], [1, -3]]))


def test_flow_in_one_dimension_is_the_closed_form() -> None:
    # dw/dt = a exp(-a w), w(1) = 0: w = log(1 + a^2 (t - 1)) / a
    a, times = 3.0, np.array([0.0, 0.5, 2.0, 30.0, 400.0])
    rho = flow_residual(np.array([[a]]), hard_margin(fmpq_mat([[3]])), times)[:, 0]
    exact = np.log1p(a * a * np.expm1(times[:4])) / a - times[:4] / a
    assert rho[:4] == pytest.approx(exact, abs=1e-8)
    assert rho[4] == pytest.approx(np.log(a * a) / a, abs=1e-8)


def test_flow_is_the_flow_of_the_loss() -> None:
    # drho/ds + w^ = dw/ds = t dw/dt, by differences of the solution
    z = separable(MaxMarginConfig(points=10, dimension=3), 1)
    found, rows = hard_margin(z), floats(z)
    w = np.array([float(x) for x in found.w.entries()])
    s, h = 1.3, 1e-4
    rho = flow_residual(rows, found, np.array([0.0, s - h, s, s + h]))
    speed = (rho[3] - rho[1]) / (2 * h) + w
    at = rho[2] + w * s
    assert speed == pytest.approx(np.exp(s) * rows.T @ np.exp(-rows @ at), rel=1e-4)


def test_residual_keeps_growing_against_a_wrong_axis() -> None:
    z = separable(MaxMarginConfig(), 0)
    found, rows = hard_margin(z), floats(z)
    w = np.array([float(x) for x in found.w.entries()])
    times = np.array([0.0, 1e3, 1e5])
    path = times[:, None] * w + flow_residual(rows, found, times)
    angles = one_minus_cos(path[1:], w)
    wrong = one_minus_cos(path[1:], w + 0.1 * np.eye(5)[0])
    assert angles[1] < 1e-3 * angles[0]
    assert wrong.min() > 1e-6


def test_pace_of_a_support_is_its_smallest_eigenvalue() -> None:
    z = fmpq_mat([[2, 0], [0, 1]])  # w = (1/2, 1), dual (1/4, 1), Hessian diag(1, 1)
    assert settling_pace(floats(z), hard_margin(z)) == pytest.approx(1.0)
    near = fmpq_mat([[200, 0], [0, 100], [200, 1]])
    assert settling_pace(floats(near), hard_margin(near)) == pytest.approx(0.01)


def test_plain_descent_is_its_definition() -> None:
    z = np.stack([floats(separable(TINY, k)) for k in range(3)])
    found = plain_descent(z, 7, np.array([2, 7]))
    for k in range(3):
        step = 0.95 * 8 / np.linalg.eigvalsh(z[k].T @ z[k])[-1]
        w, kept = np.zeros(2), []
        for n in range(1, 8):
            w = w + step * sum(row / (1 + np.exp(row @ w)) for row in z[k])
            if n in (2, 7):
                kept.append(w)
        assert found[:, k] == pytest.approx(np.array(kept), rel=1e-12)


def test_tiny_run_goes_through_and_repeats_itself(tmp_path: Path) -> None:
    first, second = run(TINY), run(TINY)
    assert [row["set"] for row in first.table] == [0, 1, 2, 3]
    assert first.table.column("drift").max() < 1e-6
    first.figure()
    a, b = first.save(tmp_path / "a"), second.save(tmp_path / "b")
    assert a.read_bytes() == b.read_bytes()
    assert a.with_suffix(".npz").read_bytes() == b.with_suffix(".npz").read_bytes()
    fewer = run(replace(TINY, sets=2, sets_per_part=1)).table
    assert [row["margin"] for row in fewer] == [row["margin"] for row in first.table][:2]


def test_saved_table_gets_the_expected_words(saved: Result) -> None:
    assert words(saved, saved.table) == {r.variant: r.expected for r in MARGIN.readings}
    saved.figure()


@pytest.mark.parametrize("column", ["angle", "drift", "dual"])
def test_planted_errors_turn_the_word(saved: Result, column: str) -> None:
    bound = float(getattr(saved.config, f"{column}_bound"))
    wrong = saved.table.replaced(column, [bound * (1 + k / 10) for k in range(len(saved.table))])
    assert words(saved, wrong)["printed"] == "inconsistent"


def test_planted_rates_turn_their_words(saved: Result) -> None:
    slow = saved.table.replaced("rate", [-1 - k / 1e3 for k in range(len(saved.table))])
    assert words(saved, slow)["rate"] == "inconsistent"
    done = saved.table.replaced("plain_slope", [1 + k / 1e4 for k in range(-12, 12)])
    assert words(saved, done)["plain-gd"] == "consistent"


def test_shut_gates_leave_it_undecided(saved: Result) -> None:
    cells = [k > 0 for k in range(len(saved.table))]
    assert set(words(saved, saved.table.replaced("strict", cells)).values()) == {"undecided"}
    short = saved.table.replaced("horizon", [400.0] * len(saved.table))
    assert words(saved, short)["printed"] == "undecided"
