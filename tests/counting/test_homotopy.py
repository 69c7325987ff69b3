"""Integer counts of the built-in tracker, and systems made to fool it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import zoo
from flint import fmpq

from theorylab.counting.gaussian import Gaussian
from theorylab.counting.homotopy import PathStatus, SimpleEngine, Solutions
from theorylab.counting.homotopy import simple as simple_module
from theorylab.counting.homotopy.engine import clusters
from theorylab.counting.homotopy.simple_tracker import Control
from theorylab.counting.homotopy.starts import homogeneous, total_degree
from theorylab.counting.system import (
    PolynomialSystem,
    Program,
    critical_system,
    interpolation_system,
    system_from_json,
)
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError

FINITE, INFINITY, SINGULAR = PathStatus.FINITE, PathStatus.INFINITY, PathStatus.SINGULAR


def of(variables: str, *polynomials: str) -> PolynomialSystem:
    return system_from_json({"variables": list(variables), "polynomials": list(polynomials)})


def made(known: zoo.Known) -> PolynomialSystem:
    written = str(known.system).splitlines()
    content = {"variables": list(known.system.variables), "polynomials": written}
    return system_from_json(content, known.name)


def solve(system: PolynomialSystem | zoo.Known, seed: int = 0, **options: Any) -> Solutions:
    f = system if isinstance(system, PolynomialSystem) else made(system)
    return SimpleEngine(**options).solve(f, seed=seed)


def counts(s: Solutions) -> tuple[int, int, int]:
    return s.count(FINITE), s.count(INFINITY), s.count(SINGULAR)


def closed_under_conjugation(points: np.ndarray) -> bool:
    """Of a real system; a root lost without its conjugate shows here."""
    both = clusters(np.concatenate([points, points.conj()]), 1e-8)
    return all(any(i < len(points) for i in c) and any(i >= len(points) for i in c) for c in both)


# Complete counts


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "known",
    [zoo.katsura(5), zoo.katsura(6), zoo.noon(3), zoo.noon(4), zoo.cyclic(5), zoo.eco(5),
     zoo.eco(6), zoo.regular_root_at_the_origin(), zoo.linear_sum(4)],
    ids=lambda k: k.name,
)  # fmt: skip
def test_all_roots_of_the_zoo(known: zoo.Known, seed: int) -> None:
    s = solve(known, seed)
    bezout = math.prod(known.system.degrees)
    assert counts(s) == (known.distinct, bezout - known.distinct, 0)
    assert s.accounted and closed_under_conjugation(s.regular)
    if known.real is not None:
        real = [p for p in s.regular if np.abs(p.imag).max() < 1e-9 * (1 + np.abs(p).max())]
        assert len(real) == known.real


def _one(widths: tuple[int, ...], activation: str, x: list[Any], y: list[Any]) -> PolynomialSystem:
    data = Dataset.from_rows(x, y)
    return critical_system(Network.dense(widths, activation), data, "generic")


def _quadratic_network() -> PolynomialSystem:
    x = [[1, 2], [3, -1], [0, 1], [2, 5], [4, 1]]
    network = Network.dense((2, 2, 1), "square", bias=[True, False])
    return interpolation_system(network, Dataset.from_rows(x, [[1], [0], [2], [5], [3]]))


@pytest.mark.parametrize(
    ("system", "count"),
    [
        (_one((1, 1, 1), "square", [[1], [2]], [[1], [3]]), 9),
        (_one((1, 1, 1), "linear", [[1]], [[2]]), 5),
        (_one((1, 1, 1, 1), "linear", [[1]], [[2]]), 17),
        (_one((2, 1, 2), "linear", [[1, 2], [3, -1]], [[1, 1], [4, 2]]), 17),
        (_quadratic_network(), 12),
    ],
    ids=["z^2 with ridge", "1-1-1", "1-1-1-1", "2-1-2", "net2(2,2,z^2)"],
)
def test_networks(system: PolynomialSystem, count: int) -> None:
    # Source: ENGINES A4 and B2.
    for seed in (0, 1):
        s = solve(system, seed)
        assert counts(s) == (count, s.paths - count, 0)
        assert closed_under_conjugation(s.regular)


@pytest.mark.parametrize("seed", [0, 1])
def test_roots_of_norm_a_million_are_not_taken_for_infinite_ones(seed: int) -> None:
    # Two of the twelve have norm 745081: plain norms lose four paths on the way there.
    s = solve(zoo.power_network(2), seed)
    assert s.count(FINITE) + s.count(SINGULAR) == 12 and s.count(INFINITY) == 231
    assert np.abs(s.points[list(s.ids(FINITE, SINGULAR))]).max() > 7e5


@pytest.mark.slow
@pytest.mark.parametrize(
    "known",
    [zoo.katsura(7), zoo.katsura(8), zoo.noon(5), zoo.cyclic(6), zoo.eco(7), zoo.eco(8)],
    ids=lambda k: k.name,
)  # fmt: skip
def test_all_roots_of_larger_systems(known: zoo.Known) -> None:
    s = solve(known)
    assert s.count(FINITE) == known.distinct
    assert closed_under_conjugation(s.regular) and s.count(PathStatus.JUMPED) == 0


@pytest.mark.slow
def test_a_network_with_roots_of_many_sizes() -> None:
    # Eight of the thirty are too ill-conditioned for double precision to vouch for.
    s = solve(zoo.power_network(3))
    assert s.paths == 4**6
    assert s.count(FINITE) >= 20 and s.count(FINITE) + s.count(SINGULAR) == 30


@pytest.mark.slow
def test_a_linear_network_with_two_data() -> None:
    s = solve(_one((2, 2, 1), "linear", [[1, 2], [3, -1]], [[1], [4]]))
    assert counts(s) == (33, 696, 0)


# What must not be counted


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("system", "expected"),
    [
        # HomotopyContinuation.jl #614: x^2 - 4x + 4 gave one or two end points by chance.
        (of("x", "x^2-4*x+4"), (0, 0, 2)),
        (of("x", "x^3"), (0, 0, 3)),
        (of("xy", "x^2-2*x+1", "y^2-1"), (0, 0, 4)),
        (of("xy", "x^2", "y-1"), (0, 0, 2)),
        (of("xy", "x^2-y", "y*(y-1)"), (2, 0, 2)),
        (of("x", "(x-1)^4*(x+2)"), (1, 0, 4)),
        (of("xy", "x^2+y^2-5", "x^2+y^2-4"), (0, 4, 0)),
        (of("xy", "x*y-1", "x+y-3"), (2, 0, 0)),
        (of("xy", "x*y-1", "x*y-2"), (0, 4, 0)),
        (of("xy", "x-1", "x-2"), (0, 1, 0)),
    ],
    ids=["614", "triple", "doubles", "flat", "mixed", "fourfold", "circles", "regular", "curves",
         "lines"],
)  # fmt: skip
def test_multiple_roots_and_roots_at_infinity(
    system: PolynomialSystem, expected: tuple[int, int, int], seed: int
) -> None:
    s = solve(system, seed)
    assert counts(s) == expected and s.accounted


def test_multiplicities_are_seen() -> None:
    ends = solve(of("x", "(x-1)^2*(x+2)")).finite()
    assert [(e.regular, e.multiplicity) for e in ends] == [(True, 1), (False, 2)]
    assert abs(ends[0].point[0] + 2) < 1e-12 and abs(ends[1].point[0] - 1) < 1e-5
    s = solve(zoo.caprasse())
    assert counts(s) == (24, 88, 32)
    assert [e.multiplicity for e in s.finite() if not e.regular] == [4] * 8


@pytest.mark.parametrize("seed", range(5))
def test_only_the_isolated_point_beside_a_curve_is_regular(seed: int) -> None:
    s = solve(zoo.point_and_curve(), seed)
    assert np.abs(s.regular).max() < 1e-12 and s.count(FINITE) == 1
    for x, y in s.singular:
        assert abs(x * y - 1) < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_a_curve_of_solutions_alone_has_no_regular_point(seed: int) -> None:
    assert solve(of("xy", "x*y-1", "(x*y-1)*(x+y)"), seed).count(FINITE) == 0
    assert solve(of("xyz", "x*y", "y*z", "z*x"), seed).count(FINITE) == 0


def test_roots_too_close_for_double_precision_are_not_called_regular() -> None:
    # 2e-8 apart: double precision sees one double root; extended precision must decide.
    s = solve(zoo.near_duplicates())
    assert s.count(FINITE) + s.count(SINGULAR) == 4 and s.accounted
    assert s.count(SINGULAR) >= 2


# HomotopyContinuation.jl #647, #596, #543: a regular root at the origin must not be lost.


@pytest.mark.parametrize("seed", range(5))
def test_a_regular_root_at_the_origin(seed: int) -> None:
    for value in (fmpq(5), Gaussian(fmpq(1, 2), fmpq(24, 25)), fmpq(1, 1000)):
        p = Program()
        y, x = p.variable(0), p.parameter(0)
        family = PolynomialSystem(("y",), p, (p.mul(y, p.sub(x, y)),), ("x",), (value,))
        s = solve(family, seed)
        assert s.count(FINITE) == 2
        assert sorted(abs(z) for z in s.regular[:, 0])[0] < 1e-14
    assert solve(of("x", "-2*x"), seed).count(FINITE) == 1
    assert solve(of("xyz", "x", "y-x*z", "z+x*y"), seed).count(FINITE) == 1


def test_at_the_exceptional_parameter_the_two_roots_are_one_double_root() -> None:
    assert counts(solve(of("y", "y*(0-y)"))) == (0, 0, 2)


def test_coefficients_need_not_be_real() -> None:
    p = Program()
    x, i = p.variable(0), p.constant(Gaussian(fmpq(0), fmpq(1)))
    s = solve(PolynomialSystem(("x",), p, (p.sub(p.power(x, 2), i),)))
    assert s.count(FINITE) == 2 and not closed_under_conjugation(s.regular)
    assert np.allclose(s.regular**2, 1j), "because end points are doubles"


def test_structural_degrees_above_the_true_ones_cost_only_infinite_paths() -> None:
    s = solve(of("xy", "(x+y)^2-x^2-y^2-2*x*y+x-1", "x*y+y^2-2"))
    assert s.paths == 4 and s.count(FINITE) == 2


def test_badly_scaled_roots() -> None:
    s = solve(of("xy", "x*y-1", "x-1000000"))
    assert s.count(FINITE) == 1
    assert np.allclose(s.regular, [[1e6, 1e-6]], rtol=1e-8), "because end points are doubles"
    s = solve(of("x", "(x-1)*(x-1000)*(x-1000000)"))
    found = np.sort(s.regular[:, 0].real)
    assert np.allclose(found, [1, 1000, 1000000], rtol=1e-7), "because end points are doubles"


# The result


def test_a_jump_is_recorded_and_not_counted() -> None:
    f = made(zoo.katsura(5))
    s = solve(f)
    n = len(f.variables)
    points = np.zeros((3, n), dtype=np.complex128)
    points[:] = s.regular[0]
    points[2] = s.regular[1]
    record = simple_module._Record(
        points, [FINITE] * 3, ["ok"] * 3, np.ones(3, dtype=np.int64), np.zeros(3), np.ones(3)
    )
    simple_module._settle(record, (0, 1))
    assert record.status == [FINITE, PathStatus.JUMPED, FINITE] and "root of 0" in record.reasons[1]
    record.status[1], record.conditions[1] = FINITE, 1e9
    simple_module._settle(record, (0, 1))
    assert record.status == [SINGULAR, SINGULAR, FINITE]


def test_paths_that_are_given_up_are_reported() -> None:
    engine = SimpleEngine()
    engine.control = Control(max_steps=3)
    s = engine.solve(made(zoo.katsura(5)))
    assert s.count(PathStatus.FAILED) == s.paths == 32 and not s.accounted
    assert s.retracked == tuple(range(32)) and "no progress" in str(s)


def test_a_narrow_batch_finds_the_same_roots() -> None:
    engine = SimpleEngine()
    engine.control = Control(lanes=5)
    narrow = engine.solve(made(zoo.noon(3))).regular
    wide = solve(zoo.noon(3)).regular
    assert np.allclose(narrow, wide, atol=1e-10), "because batches sum in another order"


def test_infinite_rows_hold_directions() -> None:
    s = solve(of("xy", "x*y-1", "x*y-2"))
    assert np.allclose(np.linalg.norm(s.points, axis=1), 1), "because end points are doubles"
    assert np.abs(s.points[:, 0] * s.points[:, 1]).max() < 1e-6


@pytest.mark.parametrize("argument", [{"tau": 0}, {"tau": 0.5}])
def test_bad_options(argument: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="tau"):
        SimpleEngine(**argument)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="seed"):
        solve(of("x", "x-1"), -1)


# Its parts


def test_the_projective_form_agrees_with_the_affine_one() -> None:
    f = made(zoo.eco(5))
    h = homogeneous(f, 0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6)) + 1j * rng.standard_normal((4, 6))
    values, jacobian = h.evaluate(x)
    affine = f.evaluate(x[:, 1:] / x[:, :1]) * x[:, :1] ** h.degrees / h.scale
    assert np.allclose(values, affine)
    # Euler: sum_j x_j dF_i/dx_j = d_i F_i.
    assert np.allclose(np.einsum("bij,bj->bi", jacobian, x), h.degrees * values)


def test_start_solutions_solve_the_start_system_and_are_distinct() -> None:
    start = total_degree(np.array([2, 3, 1, 4]), seed=7)
    points = start.solutions(np.arange(start.paths))
    assert start.paths == 24 and len(clusters(points[:, 1:], 1e-6)) == 24
    values, jacobian = start.evaluate(points)
    assert np.abs(values).max() < 1e-13
    step = 1e-7
    moved = points.copy()
    moved[:, 0] += step
    assert np.allclose((start.evaluate(moved)[0] - values) / step, jacobian[:, :, 0], atol=1e-5)
