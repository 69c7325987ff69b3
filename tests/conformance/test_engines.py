"""The laws in the docstring of Engine, run over every built-in engine.

A new engine joins by being listed in homotopy.ENGINES; nothing here knows how one works.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import zoo
from flint import fmpq

from theorylab.counting.homotopy import ENGINES, Engine, PathStatus, Solutions
from theorylab.counting.homotopy.engine import SAME_REGULAR, chordal, clusters
from theorylab.counting.system import PolynomialSystem, Program, system_from_json
from theorylab.outcome import InputError

SYSTEMS = [
    zoo.linear_sum(3), zoo.katsura(5), zoo.noon(3), zoo.eco(5), zoo.cyclic(3),
    zoo.regular_root_at_the_origin(), zoo.parallel_circles(), zoo.double_root(),
    zoo.near_duplicates(), zoo.point_and_curve(), zoo.caprasse(),
]  # fmt: skip
GENERIC = [known for known in SYSTEMS if known.name in ("katsura5", "noon3", "cyclic3", "linear3")]
_SOLVED: dict[tuple[type[Engine], str, int], Solutions] = {}

engines = pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
systems = pytest.mark.parametrize("known", SYSTEMS, ids=lambda k: k.name)
generic = pytest.mark.parametrize("known", GENERIC, ids=lambda k: k.name)


def made(known: zoo.Known) -> PolynomialSystem:
    written = str(known.system).splitlines()
    content = {"variables": list(known.system.variables), "polynomials": written}
    return system_from_json(content, known.name)


def solved(engine: type[Engine], known: zoo.Known, seed: int = 0) -> Solutions:
    key = (engine, known.name, seed)
    if key not in _SOLVED:
        _SOLVED[key] = engine().solve(made(known), seed=seed)
    return _SOLVED[key]


def same_points(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-8) -> bool:
    """Whether two lists of distinct points are one set."""
    both = clusters(np.concatenate([a, b]), tolerance)
    return len(a) == len(b) and all(len(pair) == 2 and pair[0] < len(a) <= pair[1] for pair in both)


def test_the_set_comparison_sees_a_difference() -> None:
    a = np.array([[1.0 + 0j], [2.0], [3.0]])
    assert same_points(a, a[::-1])
    assert not same_points(a, np.array([[1.0 + 0j], [2.0], [2.0]]))
    assert not same_points(a, a[:2]) and not same_points(a[:2], a + 1e-6)


@engines
@systems
def test_nothing_is_dropped(engine: type[Engine], known: zoo.Known) -> None:
    s, f = solved(engine, known), made(known)
    rows = s.paths
    assert rows == engine().path_count(f) == len(s.reasons)
    assert s.points.shape == (rows, len(f.variables)) and s.variables == f.variables
    assert len(s.steps) == len(s.residuals) == len(s.conditions) == rows
    assert all(isinstance(status, PathStatus) for status in s.status) and all(s.reasons)
    assert sum(map(s.count, PathStatus)) == rows and s.engine == engine.name


@engines
@systems
def test_regular_end_points_are_distinct_approximate_simple_roots(
    engine: type[Engine], known: zoo.Known
) -> None:
    s, f = solved(engine, known), made(known)
    if len(s.regular):
        values, jacobians = f.evaluate_with_jacobian(s.regular)
        steps = np.linalg.solve(jacobians, values[:, :, None])[:, :, 0]
        moved = chordal(s.regular - steps) - chordal(s.regular)
        assert np.linalg.norm(moved, axis=1).max() < 1e-9
    assert all(len(c) == 1 for c in clusters(s.regular, SAME_REGULAR))


@engines
@systems
def test_no_more_regular_end_points_than_simple_roots(
    engine: type[Engine], known: zoo.Known
) -> None:
    # caprasse: 32 points, 56 with multiplicity, of which 8 are fourfold.
    simple = {"double_root": 0, "near_duplicates": 4, "point_and_curve": 1, "caprasse": 24}
    most = simple.get(known.name, known.distinct)
    assert most is not None and len(solved(engine, known).regular) <= most


@engines
@systems
def test_the_same_seed_gives_the_same_bytes(engine: type[Engine], known: zoo.Known) -> None:
    first, f = solved(engine, known, 3), made(known)
    state = np.random.get_state()[1].tobytes(), random.getstate()
    again = engine().solve(f, seed=3)
    assert again.digest() == first.digest() and again.seed == 3
    assert (np.random.get_state()[1].tobytes(), random.getstate()) == state
    assert first.gamma != solved(engine, known, 0).gamma
    assert f"seed {again.seed}" in str(again)


@engines
@generic
def test_scaled_and_reordered_equations_have_the_same_roots(
    engine: type[Engine], known: zoo.Known
) -> None:
    f = made(known)
    factors = [fmpq(10**6), fmpq(-1, 10**6), fmpq(7, 3), fmpq(1), fmpq(-1), fmpq(5)]
    outputs = tuple(
        f.program.mul(f.program.constant(c), node)
        for c, node in zip(factors, f.outputs, strict=False)
    )[::-1]
    other = engine().solve(PolynomialSystem(f.variables, f.program, outputs), seed=0)
    assert same_points(solved(engine, known).regular, other.regular)


@engines
@generic
def test_other_seeds_find_the_same_roots(engine: type[Engine], known: zoo.Known) -> None:
    runs = [solved(engine, known, seed).regular for seed in (0, 3)]
    assert len(runs[0]) == known.distinct and same_points(*runs)


@engines
def test_refusals(engine: type[Engine]) -> None:
    def of(variables: str, *polynomials: str) -> PolynomialSystem:
        return system_from_json({"variables": list(variables), "polynomials": list(polynomials)})

    with pytest.raises(InputError, match="as many equations as unknowns"):
        engine().solve(of("xy", "x*y-1"))
    with pytest.raises(InputError, match="as many equations as unknowns"):
        engine().path_count(of("x", "x-1", "x^2-1"))
    with pytest.raises(InputError, match="0 = 0"):
        engine().solve(of("xy", "x*y-1", "x-x"))
    with pytest.raises(InputError, match="paths"):
        engine().solve(of("xy", "x^5000-1", "y^5000-x"))
    with pytest.raises(InputError, match="numerical evaluation"):
        engine().solve(of("x", f"x - {10**400}"))


@engines
def test_a_contradiction_has_no_paths(engine: type[Engine]) -> None:
    p = Program()
    s = engine().solve(PolynomialSystem(("x",), p, (p.constant(1),)))
    assert s.paths == 0 == len(s.finite()) and s.accounted
