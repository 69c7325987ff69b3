"""Generated kernels against the literal evaluation of the same program, lane by lane."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import zoo
from flint import fmpq

from theorylab.counting.gaussian import Gaussian
from theorylab.counting.homotopy import codegen
from theorylab.counting.homotopy.codegen import Kernels, kernels
from theorylab.counting.homotopy.homotopy import Homotopy, parameter, total_degree
from theorylab.counting.homotopy.lanes import VARIABLE, WIDTHS, lanes, native
from theorylab.counting.system import (
    PolynomialSystem,
    Program,
    critical_system,
    interpolation_system,
    system_from_json,
)
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError

pytestmark = pytest.mark.skipif(not native(), reason="this processor has no vectors of doubles")


THIRD, ODD = fmpq(1, 3), Gaussian(fmpq(2, 7), fmpq(-5))


def of_zoo(known: zoo.Known) -> PolynomialSystem:
    content = {
        "variables": list(known.system.variables),
        "polynomials": str(known.system).splitlines(),
    }
    return system_from_json(content, known.name)


def network(widths: Sequence[int], activation: str, samples: int) -> tuple[Network, Dataset]:
    rng = np.random.default_rng(len(widths))
    made = Network.dense(tuple(widths), activation)

    def rows(count: int, width: int) -> list[list[fmpq]]:
        return [[fmpq(int(k), 64) for k in rng.integers(-99, 99, width)] for _ in range(count)]

    return made, Dataset.from_rows(rows(samples, widths[0]), rows(samples, widths[-1]))


def systems() -> dict[str, Homotopy]:
    square = network((2, 2, 1), "square", 3)
    linear = network((2, 2, 2), "linear", 2)
    moving = critical_system(*linear, "generic", parametric=True)
    return {
        "noon4": total_degree(of_zoo(zoo.noon(4)), 1).homotopy,
        "cyclic5": total_degree(of_zoo(zoo.cyclic(5)), 2).homotopy,
        "eco6": total_degree(of_zoo(zoo.eco(6)), 3).homotopy,
        "caprasse": total_degree(of_zoo(zoo.caprasse()), 4).homotopy,
        "interpolation": parameter(
            interpolation_system(*square, parametric=True),
        ),
        "critical, two factors": parameter(moving, moving.groups),
        "gaussian constants": gaussian(),
    }


def gaussian(third: fmpq = THIRD, odd: Gaussian | fmpq = ODD) -> Homotopy:
    """Every kind of node: baked and other constants, real and complex, and t beside them."""
    p = Program()
    x, y, z, t, a = p.variable(0), p.variable(1), p.variable(2), p.parameter(0), p.parameter(1)
    i, c, d = (p.constant(value) for value in (Gaussian(fmpq(0), fmpq(1)), third, odd))
    real = p.sub(p.mul(t, c), p.mul(t, t))
    first = p.total(
        [p.mul(p.mul(x, x), i), p.mul(real, p.mul(x, z)), p.mul(d, p.mul(y, y)), p.mul(z, z)]
    )
    second = p.sub(p.mul(p.sub(real, x), p.sub(a, y)), p.negative(p.mul(c, p.mul(z, z))))
    return Homotopy(p, (first, second), (0, 0, 0), 1, np.array([[2], [2]]), "all kinds")


SYSTEMS = systems()


def aligned(*shape: int) -> np.ndarray:
    count = int(np.prod(shape))
    raw = np.zeros(count + 8)
    start = (-raw.ctypes.data % 64) // 8
    return raw[start : start + count].reshape(shape)


def call(address: int, *arrays: np.ndarray) -> None:
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arrays))
    kind(address)(*[array.ctypes.data for array in arrays])


def split(values: np.ndarray, width: int) -> np.ndarray:
    """Rows (one for each lane) as blocks [columns][2][W]."""
    found = aligned(values.shape[1], 2, width)
    found[:, 0], found[:, 1] = values.real.T, values.imag.T
    return found


def joined(blocks: np.ndarray) -> np.ndarray:
    """Blocks [...][2][W] as an array with the lanes first."""
    return np.moveaxis(blocks[..., 0, :] + 1j * blocks[..., 1, :], -1, 0)


def run(
    made: Kernels, homotopy: Homotopy, x: np.ndarray, t: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """H, dH/dt and dH/dx twice, as the kernels give them, lanes first."""
    w, n, size = made.lanes, homotopy.equations, homotopy.dimension
    given = split(x, w), split(t[:, None], w)[0], split(p, w), made.constants
    h, by_t, j, k = (
        aligned(n, 2, w),
        aligned(n, 2, w),
        aligned(n, size, 2, w),
        aligned(n, size, 2, w),
    )
    scratch = aligned(made.scratch)
    call(made.evaluate, *given, h, j, scratch)
    call(made.tangent, *given, by_t, k, scratch)
    return joined(h), joined(by_t), joined(j), joined(k)


def drawn(homotopy: Homotopy, width: int, seed: int, real_t: bool) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)

    def numbers(columns: int) -> np.ndarray:
        # Multiples of 1/8: the exact value of the same point is then easy to write down.
        return (rng.integers(-12, 13, (width, columns, 2)) / 8) @ np.array([1, 1j])

    t = numbers(1)[:, 0]
    return numbers(homotopy.dimension), t.real + 0j if real_t else t, numbers(homotopy.parameters)


def agrees(homotopy: Homotopy, width: int, seed: int = 0, real_t: bool = True) -> Kernels:
    """The one comparison: every output of both kernels against the tape, every lane by itself."""
    made = kernels(homotopy, width, real_t)
    assert made is not None and made.lanes == width
    x, t, p = drawn(homotopy, width, seed, real_t)
    h, by_t, j, k = run(made, homotopy, x, t, p)
    for found, wanted in zip((h, j, by_t), homotopy.evaluate(x, t, p), strict=True):
        scale = max(1.0, np.abs(wanted).max())
        assert np.abs(found - wanted).max() <= 1e-13 * scale
    assert np.array_equal(j, k)
    return made


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_kernels_agree_with_the_tape(name: str, width: int) -> None:
    agrees(SYSTEMS[name], width)


@pytest.mark.parametrize("name", ["noon4", "gaussian constants"])
def test_a_complex_time_is_read_where_it_is_asked_for(name: str) -> None:
    agrees(SYSTEMS[name], 4, real_t=False)


def test_kernels_agree_with_exact_values() -> None:
    homotopy, width = SYSTEMS["gaussian constants"], 2
    x, t, p = drawn(homotopy, width, 5, True)
    h, by_t, _, _ = run(agrees(homotopy, width), homotopy, x, t, p)

    def exact(z: complex) -> Gaussian:
        return Gaussian(fmpq(int(8 * z.real), 8), fmpq(int(8 * z.imag), 8))

    tape = homotopy.program.tape([*homotopy.outputs, *homotopy.by_t()])
    for lane in range(width):
        wanted = tape.run([*map(exact, x[lane])], [exact(t[lane]), *map(exact, p[lane])])
        for found, value in zip([*h[lane], *by_t[lane]], wanted, strict=True):
            value = Gaussian(fmpq(0), fmpq(0)) + value
            near = complex(
                float(value.re.p) / float(value.re.q), float(value.im.p) / float(value.im.q)
            )
            assert abs(found - near) <= 1e-14 * max(1.0, abs(near))


def test_long_programs_are_cut_into_parts_with_the_same_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Another cut is other code: it must not be taken from the memory of the first.
    homotopy = SYSTEMS["critical, two factors"]
    monkeypatch.setattr(codegen, "_cache", type(codegen._cache)())
    whole = agrees(homotopy, 4)
    monkeypatch.setattr(codegen, "_cache", type(codegen._cache)())
    monkeypatch.setattr(codegen, "_PART", 60)
    cut = agrees(homotopy, 4)
    assert whole.scratch < cut.scratch


def test_numbers_are_not_in_the_code() -> None:
    one, other = gaussian(), gaussian(fmpq(-7, 5), Gaussian(fmpq(1, 9), fmpq(31)))
    first, second = agrees(one, 4), agrees(other, 4)
    assert (second.evaluate, second.tangent) == (first.evaluate, first.tangent)
    assert second.seconds == 0 and not np.array_equal(first.constants, second.constants)
    # A real constant where there was a complex one is other code.
    assert agrees(gaussian(THIRD, fmpq(31, 2)), 4).evaluate != first.evaluate


def test_another_seed_is_not_other_code() -> None:
    noon = of_zoo(zoo.noon(3))
    first, second = (agrees(total_degree(noon, seed).homotopy, 4) for seed in (1, 2))
    assert (second.evaluate, second.tangent) == (first.evaluate, first.tangent)


def test_a_lane_does_not_depend_on_its_place_or_on_the_others() -> None:
    homotopy, width = SYSTEMS["cyclic5"], 4
    made = kernels(homotopy, width)
    assert made is not None
    x, t, p = drawn(homotopy, width, 3, True)
    order = [2, 0, 3, 1]
    before = run(made, homotopy, x, t, p)
    after = run(made, homotopy, x[order], t[order], p[order])
    assert all(np.array_equal(a[order], b) for a, b in zip(before, after, strict=True))


def test_threads_call_one_kernel_at_once() -> None:
    homotopy = SYSTEMS["noon4"]
    made = kernels(homotopy, 4)
    assert made is not None
    points = [drawn(homotopy, 4, seed, True) for seed in range(40)]
    alone = [run(made, homotopy, *point) for point in points]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda point: run(made, homotopy, *point), points))
    for a, b in zip(alone, together, strict=True):
        assert all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))


# Linear systems


def solved(n: int, width: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The kernel's solution, one row for each lane; A lanes x n x n, b lanes x n."""
    made = codegen._solution(n, width)
    blocks = split(a.reshape(width, n * n), width)
    right = split(b, width)
    call(made.address, blocks, right, aligned(8))
    return joined(right)


def random_systems(n: int, width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((width, n, n, 2)) @ np.array([1, 1j])
    return a, rng.standard_normal((width, n, 2)) @ np.array([1, 1j])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12, 18, 19, 26])
def test_linear_systems_agree_with_numpy(n: int, width: int) -> None:
    a, b = random_systems(n, width, n)
    wanted = np.linalg.solve(a, b[:, :, None])[:, :, 0]
    bound = 1e-14 * n * np.linalg.cond(a)
    error = np.linalg.norm(solved(n, width, a, b) - wanted, axis=1)
    assert np.all(error <= bound * np.linalg.norm(wanted, axis=1))


@pytest.mark.parametrize("n", [2, 5, 12, 20])
def test_rows_are_exchanged_in_the_lanes_that_need_it(n: int) -> None:
    """A cyclic shift in every other lane: without exchanges its diagonal is tiny or zero."""
    a, b = random_systems(n, 4, n)
    a = a / 20 + 2 * np.eye(n)
    for lane, size in ((1, 0.0), (3, 1e-13)):
        a[lane] = np.roll(a[lane], 1, axis=0)
        a[lane, range(n), range(n)] = size
    wanted = np.linalg.solve(a, b[:, :, None])[:, :, 0]
    found = solved(n, 4, a, b)
    assert np.allclose(found, wanted, rtol=1e-11, atol=1e-11)  # because pivots differ


@pytest.mark.parametrize("n", [1, 4, 20])
def test_a_singular_lane_is_not_finite_and_leaves_the_others_alone(n: int) -> None:
    a, b = random_systems(n, 4, 7)
    right = solved(n, 4, a, b)
    a[2, :, n - 1] = 0
    found = solved(n, 4, a, b)
    assert not np.isfinite(found[2]).all()
    rest = [0, 1, 3]
    assert np.array_equal(found[rest], right[rest])


# Refusals


def test_programs_beyond_the_limit_are_left_to_the_interpreter() -> None:
    assert kernels(SYSTEMS["noon4"], limit=10) is None


def test_lanes_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert lanes() == native()
    monkeypatch.setenv(VARIABLE, "2")
    assert (lanes(), lanes(4)) == (2, 4)
    bad: list[tuple[Any, str]] = [(None, VARIABLE), (3, "lanes")]
    monkeypatch.setenv(VARIABLE, "sixteen")
    for given, argument in bad:
        with pytest.raises(InputError, match="2, 4 or 8 lanes") as caught:
            lanes(given)
        assert caught.value.argument == argument
