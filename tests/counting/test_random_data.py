"""Counts on random data: certified, complete, real weights seen through complex gauges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flint import fmpq

from theorylab.counting.homotopy.parameter import to_instances
from theorylab.counting.random_data import RandomCounts, Survey, real_orbits
from theorylab.counting.roots import certify
from theorylab.model import Network
from theorylab.outcome import InputError

SQUARES = RandomCounts(Network.dense((3, 2, 1), "square"))
CUBES = RandomCounts(Network.dense((2, 2, 1), "cube"), seed=4)
LINEAR = RandomCounts(Network.dense((2, 1, 2), "linear"), "critical", "generic", 3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEORYLAB_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("problem", "count"), [(SQUARES, 12), (CUBES, 18), (LINEAR, 17)], ids=["z^2", "z^3", "linear"]
)
def test_each_data_set_has_a_certified_complete_count(problem: RandomCounts, count: int) -> None:
    rows = tuple(problem(i) for i in range(4))
    survey = Survey(problem, "name", problem.generic(), rows, 4)
    assert [row["instance"] for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert row["certified"] == row["upper"] == count and row["complete"]
        assert row["lost"] == row["unresolved"] == row["real_undecided"] == 0
    assert (survey.complete, survey.exit_status) == (4, 0)
    assert survey.to_json()["histogram"]["certified"] == {str(count): 4}
    assert problem(2) == rows[2]


def test_real_quadratic_networks_are_counted_by_a_cubic() -> None:
    """Sums u1 (a.x)^2 + u2 (b.x)^2 through five points: matrices of rank 2 in a pencil.

    The forms through the points are A + s B, and det(A + s B) = 0 is a cubic in s; every real
    root is a real network, because a real form of rank 2 is a sum of two signed squares.
    """
    seen = set()
    for i in range(8):
        data = SQUARES.data(i)
        x = np.array([[float(int(q.p) / int(q.q)) for q in row] for row in data.x.tolist()]).T
        y = np.array([float(int(q.p) / int(q.q)) for q in data.y.entries()])
        rows = np.stack([np.outer(p, p)[np.triu_indices(3)] * [1, 2, 2, 1, 2, 1] for p in x])
        start = np.linalg.lstsq(rows, y, rcond=None)[0]
        kernel = np.linalg.svd(rows)[2][-1]

        def full(entries: np.ndarray) -> np.ndarray:
            made = np.zeros((3, 3))
            made[np.triu_indices(3)] = entries
            return made + np.triu(made, 1).T

        values = [np.linalg.det(full(start) + s * full(kernel)) for s in range(4)]
        roots = np.roots(np.polyfit(range(4), values, 3))
        real = int((np.abs(roots.imag) < 1e-7).sum())
        seen.add(real)
        assert SQUARES(i)["real_orbits"] == real
    assert seen == {1, 3}


def test_cubic_networks_lose_no_real_weights_in_the_gauge() -> None:
    for i in range(12):
        row = CUBES(i)
        # S_2 exchanges the units: two real solutions in each orbit with real weights.
        assert row["real"] == 2 * row["real_orbits"]


def test_a_conjugate_pair_of_units_is_not_real() -> None:
    """f real does not make the weights real: w and its conjugate as the two rows."""
    problem, found = CUBES, []
    for i in range(30):
        system, generic = problem.system(), problem.generic()
        data = problem.data(i)
        values = [q for part in (data.x, data.y) for row in part.transpose().tolist() for q in row]
        (instance,) = to_instances(generic, [values])
        roots = certify(system.with_values(values), instance.points)
        rows = roots.points.reshape(-1, 2, 2)
        swapped = np.abs(rows[:, 0].conj() - rows[:, 1]).max(axis=1) < 1e-8
        real = np.abs(roots.points.imag).max(axis=1) < 1e-8
        found.append((bool((swapped & ~real).any()), real_orbits(roots, generic)))
    # One orbit in all, so a data set has either such a pair or real weights.
    assert {(True, 0), (False, 1)} == set(found)


def test_conjugation_pairs_the_orbits_of_a_deep_network_that_are_not_real() -> None:
    """Every orbit that floats see as its own conjugate is proved real, at 128 bits if need be."""
    problem = RandomCounts(Network.dense((3, 2, 2, 1), "square"))
    system, generic, data = problem.system(), problem.generic(), problem.data(0)
    values = [q for part in (data.x, data.y) for row in part.transpose().tolist() for q in row]
    (instance,) = to_instances(generic, [values])
    roots = certify(system.with_values(values), instance.points)
    images = generic.group.images(roots.points)
    gaps = np.abs(images - roots.points.conj()[:, None, :]).max(axis=2).min(axis=1)
    own = int((gaps < 1e-9 * np.abs(roots.points).max(axis=1)).sum())
    assert len(roots) == 1080 and generic.group.order == 4
    assert real_orbits(roots, generic) == own // 4 > 0
    assert (1080 // 4 - own // 4) % 2 == 0


def test_data_are_seeded_and_exact() -> None:
    data, again = SQUARES.data(3), RandomCounts(Network.dense((3, 2, 1), "square")).data(3)
    assert data == again and data.x != SQUARES.data(4).x
    assert all((q * 1024).q == 1 for q in data.x.entries())
    assert SQUARES.sample_count == data.samples == 5
    assert LINEAR.subject["samples"] == 3 and LINEAR.subject != SQUARES.subject
    deviations = [
        float(int(q.p) / int(q.q)) for i in range(40) for q in SQUARES.data(i).x.entries()
    ]
    assert 0.9 < np.std(deviations) < 1.1


def test_too_few_samples_are_made_up_by_slices() -> None:
    problem = RandomCounts(Network.dense((3, 2, 1), "square"), samples=4)
    assert problem.system().slices and problem.system().is_square
    row = problem(0)
    assert row["complete"] and row["certified"] == row["upper"] > 0


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ({"kind": "zeros"}, "kind"),
        ({"ridge": "generic"}, "ridge"),
        ({"kind": "critical"}, "ridge"),
        ({"samples": 6}, "samples"),
    ],
)
def test_refusals(words: dict[str, object], part: str) -> None:
    with pytest.raises(InputError) as error:
        RandomCounts(Network.dense((3, 2, 1), "square"), **words).system()  # type: ignore[arg-type]
    assert error.value.argument == part


def test_a_ridge_keeps_its_value() -> None:
    problem = RandomCounts(Network.dense((1, 1, 1), "linear"), "critical", "1/3", 2)
    values = problem.system().values[-2:]
    assert values == (fmpq(1, 3), fmpq(1, 3))
    # w = +-u and the origin: a common ridge is generic enough for two weights.
    assert problem(0)["complete"] and problem(0)["certified"] == 5
