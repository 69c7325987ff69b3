"""Steps along log t: the vector instructions against numpy, and how few steps a drift takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from theorylab.counting.homotopy import PathStatus, logarithms
from theorylab.counting.homotopy.homotopy import total_degree
from theorylab.counting.homotopy.lanes import native
from theorylab.counting.homotopy.tracker import Paths, track
from theorylab.counting.system import system_from_json

pytestmark = pytest.mark.skipif(not native(), reason="this processor has no vectors of doubles")
COUNT = 5


@njit
def bent(tag: Any, b: int, time: int, x: int, at: int, where: int, count: int) -> None:
    logarithms.bend(tag, b, time, x, at, where, count)


@njit
def risen(tag: Any, to: int, x: int, s: int, c: float, y: int, where: int, count: int) -> None:
    logarithms.rise(tag, to, x, s, c, y, where, count)


def blocks(z: np.ndarray) -> np.ndarray:
    """Rows of W complex numbers as blocks [2][W] of doubles."""
    return np.ascontiguousarray(np.stack([z.real, z.imag], axis=1))


def complexes(memory: np.ndarray) -> np.ndarray:
    return memory[:, 0] + 1j * memory[:, 1]


@pytest.mark.parametrize("width", [2, 4, 8])
def test_bend_and_rise_are_the_formulas(width: int) -> None:
    rng = np.random.default_rng(width)

    def numbers() -> np.ndarray:
        found: np.ndarray = rng.standard_normal((COUNT, width, 2)) @ np.array([1, 1j])
        return found

    tag = (0.0,) * width
    x, at, velocity = numbers(), numbers(), numbers()
    # Round-off in every lane, and the smallest number that is not.
    x[0], x[1] = 9e-15, 1.1e-14j
    where = np.arange(width) % 2 * 1.0
    time, step = rng.random(width), 3 * rng.random(width)
    asked, held = where != 0, np.abs(x) > 1e-14
    assert held[1].all() and not held[0].any()

    b, point, there = blocks(velocity), blocks(x), blocks(at)
    bent(tag, *(a.ctypes.data for a in (b, time, point, there, where)), COUNT)
    scaled = velocity * time
    slope = np.where(asked, np.where(held, scaled / at, scaled), velocity)
    # Close, not equal, because the kernel divides complex numbers in another order than numpy.
    np.testing.assert_allclose(complexes(b), slope, rtol=1e-13)
    # Lanes that did not ask are left alone, to the last bit.
    assert (complexes(b)[:, ~asked] == velocity[:, ~asked]).all()

    to = np.zeros_like(point)
    risen(tag, to.ctypes.data, point.ctypes.data, step.ctypes.data, 0.5, b.ctypes.data,
          where.ctypes.data, COUNT)  # fmt: skip
    move = 0.5 * step * complexes(b)
    expected = np.where(asked & held, x * np.exp(move), x + move)
    # Close because the kernel's exponential is a short series, made for steps of the tracker.
    np.testing.assert_allclose(complexes(to), expected, rtol=1e-9)
    assert (complexes(to)[:, ~asked] == (x + move)[:, ~asked]).all()


def run(polynomial: str, seed: int) -> Paths:
    system = system_from_json({"variables": ["x"], "polynomials": [polynomial]})
    posed = total_degree(system, seed)
    return track(posed.homotopy, posed.starts(np.arange(posed.paths)), posed.parameters)


def test_a_power_of_t_takes_few_steps_to_infinity() -> None:
    # |x0| ~ t^(1/k): to t = 1e-12 there are 40 powers of two, which took a step each.
    for k in (2, 3, 5):
        polynomial = f"x^{k + 1}-x^{k + 1}+x-2"
        for seed in range(3):
            found = run(polynomial, seed)
            gone = found.ids(PathStatus.INFINITY)
            assert found.count(PathStatus.FINITE) == 1 and len(gone) == k
            assert found.t[gone].max() < 1e-12 and found.steps[gone].max() < 55
            # Near 1/k only, because it is a slope measured before the path is at infinity.
            np.testing.assert_allclose(found.valuation[gone, 0], 1 / k, rtol=1e-2)


@pytest.mark.parametrize(("degree", "most"), [(2, 7), (3, 6), (4, 4), (5, 3)])
def test_clusters_of_large_roots_are_not_taken_for_infinite_ones(degree: int, most: int) -> None:
    # One root near -1 and degree - 1 of size 10^k, which look as if they met at infinity.
    for k in range(2, most + 1):
        large = 10 ** (k * (degree - 1))
        polynomial = f"x^{degree}+{large}*x+{large}"
        for seed in range(2):
            found = run(polynomial, seed)
            sizes = np.sort(np.abs(found.affine[found.ids(PathStatus.FINITE), 0]))
            assert len(sizes) == degree, (k, seed)
            # Near 10^k only, because the large roots solve x^(d-1) = -10^(k(d-1)) up to 1/x.
            np.testing.assert_allclose(sizes[1:], 10.0**k, rtol=0.02)
