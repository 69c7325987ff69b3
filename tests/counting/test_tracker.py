"""The laws of ``track``: every path has an end, and nothing but the path itself decides it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import zoo

from theorylab.counting.homotopy import BatchEngine, Interrupted, PathStatus, SimpleEngine, loop
from theorylab.counting.homotopy.engine import clusters
from theorylab.counting.homotopy.homotopy import (
    Homotopy,
    Posed,
    multihomogeneous,
    parameter,
    segments,
    total_degree,
)
from theorylab.counting.homotopy.interpreter import bytecode
from theorylab.counting.homotopy.lanes import VARIABLE as LANES
from theorylab.counting.homotopy.lanes import WIDTHS, native
from theorylab.counting.homotopy.tracker import STATUSES, Options, Paths, track
from theorylab.counting.homotopy.workers import VARIABLE, kernels_of
from theorylab.counting.system import PolynomialSystem, interpolation_system, system_from_json
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError

FINITE, INFINITY, SINGULAR = PathStatus.FINITE, PathStatus.INFINITY, PathStatus.SINGULAR
FAILED, JUMPED, SUSPENDED = PathStatus.FAILED, PathStatus.JUMPED, PathStatus.SUSPENDED
ROOT = Path(__file__).resolve().parents[2]
SPEEDS = [
    pytest.param({"lanes": width, "kernels": kernels}, id=f"{width} lanes, {kernels}", marks=marks)
    for width in WIDTHS
    for kernels in ("generated", "interpreted")
    # The loop is compiled once for each width, which takes ten seconds where none is on disk.
    for marks in [() if width == native() else (pytest.mark.slow,)]
]


def of(*polynomials: str, variables: str = "xy") -> PolynomialSystem:
    return system_from_json({"variables": list(variables), "polynomials": list(polynomials)})


def of_zoo(known: zoo.Known) -> PolynomialSystem:
    written = str(known.system).splitlines()
    return system_from_json(
        {"variables": list(known.system.variables), "polynomials": written}, known.name
    )


def run(posed: Posed, **options: object) -> Paths:
    starts = posed.starts(np.arange(posed.paths, dtype=np.int64))
    return track(posed.homotopy, starts, posed.parameters, options=Options(**options))  # type: ignore[arg-type]


def numbers(paths: Paths) -> list[bytes]:
    """All that a path's arithmetic has made."""
    arrays = (
        paths.points, paths.t, paths.status, paths.end, paths.steps, paths.rejects,
        paths.correction, paths.condition, paths.valuation, paths.winding, paths.retracked,
    )  # fmt: skip
    return [array.tobytes() for array in arrays]


def counts(paths: Paths) -> dict[str, int]:
    return {s.value: paths.count(s) for s in PathStatus if paths.count(s)}


# Every way to run it is the same tracker


@pytest.mark.parametrize("options", SPEEDS)
def test_every_width_and_the_interpreter_find_everything(options: dict[str, object]) -> None:
    for known, gone in ((zoo.katsura(5), 0), (zoo.noon(3), 6), (zoo.cyclic(5), 50)):
        paths = run(total_degree(of_zoo(known), 1), **options)
        assert paths.count(FINITE) == known.distinct and paths.count(INFINITY) == gone, known.name
        values = of_zoo(known).evaluate(paths.affine[paths.ids(FINITE)])
        assert np.abs(values).max() < 1e-9
    found = run(total_degree(of_zoo(zoo.caprasse()), 1), **options)
    assert (found.count(FINITE), found.count(SINGULAR)) == (24, 32)


@pytest.mark.parametrize("kernels", ["generated", "interpreted"])
def test_threads_and_company_change_no_byte(kernels: str) -> None:
    posed = total_degree(of_zoo(zoo.cyclic(5)), 3)
    starts = posed.starts(np.arange(posed.paths, dtype=np.int64))
    alone = run(posed, kernels=kernels)
    assert numbers(alone) == numbers(run(posed, kernels=kernels))
    for threads in (2, 3):
        assert numbers(run(posed, kernels=kernels, threads=threads)) == numbers(alone)
    # In other lanes, beside other paths, and in another order.
    chosen = np.arange(posed.paths)[::-7]
    part = track(posed.homotopy, starts[chosen], posed.parameters, options=Options(kernels=kernels))
    assert np.array_equal(part.points, alone.points[chosen])
    assert np.array_equal(part.steps, alone.steps[chosen])
    assert np.array_equal(part.status, alone.status[chosen])


def test_kernels_and_lanes_are_forced_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    homotopy = total_degree(of_zoo(zoo.noon(3)), 0).homotopy
    monkeypatch.setenv(VARIABLE, "interpreted")
    made = kernels_of(homotopy, 4)
    assert made.generated is None and made.kernels.evaluate == 0
    monkeypatch.setenv(VARIABLE, "fortran")
    with pytest.raises(InputError, match="one of auto, generated, interpreted"):
        kernels_of(homotopy, 4)
    monkeypatch.setenv(LANES, "7")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(InputError, match="2, 4 or 8 lanes"):
        run(total_degree(of_zoo(zoo.noon(3)), 0))


def test_bytecode_reuses_registers_and_agrees_with_the_literal_program() -> None:
    homotopy = total_degree(of_zoo(zoo.katsura(6)), 5).homotopy
    size, n = homotopy.dimension, homotopy.equations
    outputs = [*homotopy.outputs, *(node for row in homotopy.by_x() for node in row)]
    made = bytecode(homotopy.program, outputs, size, homotopy.parameters)
    first = size + 1 + homotopy.parameters + len(made.constants)
    assert made.registers - first < len(made.code), "a register for each instruction"
    rng = np.random.default_rng(0)
    x, p = (rng.standard_normal(k) + 1j * rng.standard_normal(k) for k in (size, n + 1))
    registers = np.zeros(made.registers, dtype=np.complex128)
    registers[:size], registers[size] = x, 0.3
    registers[size + 1 : size + 1 + len(p)] = p
    registers[size + 1 + len(p) : first] = made.constants[:, 0] + 1j * made.constants[:, 1]
    for kind, d, a, b in made.code:
        one, other = registers[a], registers[b]
        assert kind != 6 or other.imag == 0
        registers[d] = {3: one + other, 4: one - other}.get(int(kind), one * other)
    values, jacobian, _ = homotopy.evaluate(x[None], np.array([0.3 + 0j]), p[None])
    found = registers[made.outputs]
    assert np.allclose(found[:n], values[0], rtol=1e-12, atol=1e-12)
    assert np.allclose(found[n:].reshape(n, size), jacobian[0], rtol=1e-12, atol=1e-12)


# Complete sets


COMPLETE = [zoo.noon(3), zoo.noon(4), zoo.katsura(5), zoo.katsura(6), zoo.cyclic(5), zoo.eco(5)]
LARGE = [zoo.noon(5), zoo.katsura(7), zoo.katsura(8), zoo.cyclic(6), zoo.eco(6), zoo.eco(7)]


@pytest.mark.parametrize(
    "known",
    [*COMPLETE, *(pytest.param(known, marks=pytest.mark.slow) for known in LARGE)],
    ids=lambda known: known.name,
)
def test_complete_sets_over_five_seeds(known: zoo.Known) -> None:
    for seed in range(5):
        paths = run(total_degree(of_zoo(known), seed))
        assert paths.count(FINITE) == known.distinct, (seed, counts(paths))
        assert len(clusters(paths.affine[paths.ids(FINITE)], 1e-8)) == known.distinct
        assert not paths.ids(FAILED, JUMPED, SUSPENDED).size, counts(paths)


def test_the_same_roots_as_the_slow_reference() -> None:
    system = of_zoo(zoo.eco(6))
    fast, slow = BatchEngine().solve(system, seed=4), SimpleEngine().solve(system, seed=4)
    both = clusters(np.concatenate([fast.regular, slow.regular]), 1e-8)
    assert len(both) == len(fast.regular) == len(slow.regular) == 16
    assert Counter(fast.status) == Counter(slow.status)


def moving() -> tuple[PolynomialSystem, Homotopy]:
    """sum of two squares of affine functions of two inputs through five values: 12 solutions."""
    rng = np.random.default_rng(2)
    rows = [[int(k) for k in rng.integers(-9, 10, 2)] for _ in range(5)]
    data = Dataset.from_rows(rows, [[int(k)] for k in rng.integers(-9, 10, 5)])
    system = interpolation_system(
        Network.dense((2, 2, 1), "square", bias=[True, False]), data, parametric=True
    )
    return system, parameter(system)


def test_parameter_homotopies_carry_all_solutions_to_many_targets() -> None:
    system, homotopy = moving()
    rng = np.random.default_rng(7)
    count = len(system.values)
    generic = rng.standard_normal(count) + 1j * rng.standard_normal(count)
    own = track(homotopy, *_solved_at(system, generic, homotopy))
    starts = own.affine[own.ids(FINITE)]
    assert len(starts) == 12
    sets = np.repeat(np.arange(40), len(starts))
    targets = rng.standard_normal((40, count))
    paths = track(homotopy, np.tile(starts, (40, 1)), segments(generic, targets), sets=sets)
    assert paths.count(FINITE) == len(paths) == 40 * len(starts)
    residuals = system.evaluate(paths.affine, targets[sets])
    assert np.abs(residuals).max() < 1e-7
    for i in range(40):
        assert len(clusters(paths.affine[sets == i], 1e-8)) == len(starts)
    threads = track(
        homotopy, np.tile(starts, (40, 1)), segments(generic, targets), sets=sets,
        options=Options(threads=2),
    )  # fmt: skip
    assert numbers(threads) == numbers(paths)


def _float(value: object) -> float:
    return float(int(value.p)) / float(int(value.q))  # type: ignore[attr-defined]


def _solved_at(
    system: PolynomialSystem, generic: np.ndarray, homotopy: Homotopy
) -> tuple[np.ndarray, np.ndarray]:
    """Solutions for the system's own data, and the segment from there to generic data."""
    posed = total_degree(system, 0)
    found = run(posed)
    own = np.array([_float(v) for v in system.values], dtype=np.complex128)
    return found.affine[found.ids(FINITE)], segments(own, generic)


def test_two_projective_factors_find_the_same_roots() -> None:
    system = of("x*y-1", "x^2+3*x*y-y-5")
    for seed in range(3):
        one, two = run(total_degree(system, seed)), run(multihomogeneous(system, [[0], [1]], seed))
        assert one.count(FINITE) == two.count(FINITE) == 3
        roots = np.concatenate([p.affine[p.ids(FINITE)] for p in (one, two)])
        assert len(clusters(roots, 1e-8)) == 3


def test_the_engine_with_a_factor_for_each_group() -> None:
    system = of("x*y-2", "x*y+3*x-y-4")
    grouped = PolynomialSystem(
        system.variables, system.program, system.outputs, groups=((0,), (1,))
    )
    plain, two = BatchEngine(), BatchEngine(per_group=True)
    assert (plain.path_count(grouped), two.path_count(grouped)) == (4, 2)
    one, other = plain.solve(grouped, seed=1), two.solve(grouped, seed=1)
    assert (one.paths, other.paths) == (4, 2) and one.count(FINITE) == other.count(FINITE) == 2
    assert len(clusters(np.concatenate([one.regular, other.regular]), 1e-8)) == 2


# Singular end points


@pytest.mark.parametrize(
    ("polynomials", "point", "winding", "paths"),
    [
        (("(x-1)^2", "y^2-1"), (1, 1), 2, 2),
        # A. Griewank, M. R. Osborne, SIAM J. Numer. Anal. 20 (1983): a threefold root at 0.
        (("29/16*x^3-2*x*y", "y-x^2"), (0, 0), 3, 3),
        (("(x-2)^4", "y-x-1"), (2, 3), 4, 4),
    ],
    ids=["double", "Griewank-Osborne", "fourfold"],
)
def test_cauchy_finds_singular_end_points(
    polynomials: tuple[str, ...], point: tuple[int, int], winding: int, paths: int
) -> None:
    found = run(total_degree(of(*polynomials), 2))
    ids = found.ids(SINGULAR)
    near = ids[np.abs(found.affine[ids] - np.array(point)).max(axis=1) < 1e-3]
    assert len(near) == paths
    assert np.abs(found.affine[near] - np.array(point)).max() < 1e-8
    assert set(found.winding[near].tolist()) == {winding}
    assert all(f"winding number {winding}" in found.reason(int(i)) for i in near)
    without = run(total_degree(of(*polynomials), 2), endgame=False)
    assert without.count(FINITE) == found.count(FINITE) and set(without.winding[near]) == {0}


def test_points_of_curves_are_singular_and_their_regular_companion_is_not() -> None:
    found = BatchEngine().solve(of_zoo(zoo.point_and_curve()), seed=0)
    assert (found.count(FINITE), found.count(SINGULAR), found.count(INFINITY)) == (1, 4, 4)


# No path is dropped, and each says why it ended


def test_reasons_of_paths_that_are_given_up() -> None:
    paths = run(total_degree(of_zoo(zoo.katsura(5)), 0), max_steps=4)
    assert paths.count(FAILED) == 32 and set(paths.steps.tolist()) <= {4, 8}
    assert all("no progress, after" in paths.reason(i) for i in range(32))
    assert paths.retracked.all()


def test_suspended_paths_are_resumed_unless_told_otherwise() -> None:
    posed = total_degree(of_zoo(zoo.noon(4)), 0)
    short, long = run(posed, resume=False), run(posed)
    gone = short.ids(SUSPENDED)
    assert len(gone) == long.count(INFINITY) == 8 and not long.count(SUSPENDED)
    assert all("followed no further" in short.reason(int(i)) for i in gone)
    assert (long.t[gone] < short.t[gone]).all()
    assert all("|x0|" in long.reason(int(i)) for i in gone)


def test_large_roots_are_not_taken_for_infinite_ones() -> None:
    for exponent in (3, 6):
        found = run(total_degree(of(f"x^2-10^{exponent}*x+1", "x*y-1"), 1))
        assert found.count(FINITE) == 2, counts(found)


def test_two_paths_at_one_simple_root_are_found_out() -> None:
    posed = total_degree(of("x^2-3*x+1", "y^2-5"), 1)
    starts = posed.starts(np.array([0, 1, 2, 3, 1], dtype=np.int64))
    found = track(posed.homotopy, starts, posed.parameters)
    assert found.status.tolist() == [STATUSES.index(s) for s in [FINITE] * 4 + [JUMPED]]
    assert found.twin.tolist() == [-1, -1, -1, -1, 1]
    assert "at tau = 1e-06 too, at the simple root of 1" in found.reason(4)
    assert found.retracked.tolist() == [False, True, False, False, True]
    # In different sets they are different questions.
    other = track(
        posed.homotopy, starts, np.stack([posed.parameters] * 2), sets=np.array([0, 0, 0, 0, 1])
    )
    assert other.count(FINITE) == 5 and not other.retracked.any()


def test_a_jump_at_a_loose_tolerance_is_repaired() -> None:
    jumped = 0
    for seed in range(12):
        posed = total_degree(of_zoo(zoo.katsura(7)), seed)
        loose = run(posed, tau=1e-2, retrack=False)
        distinct = len(clusters(loose.affine[loose.ids(FINITE)], 1e-8))
        if distinct < 128 and loose.count(FINITE) == 128:
            jumped += 1
            mended = run(posed, tau=1e-2)
            assert mended.retracked.any() and not mended.count(JUMPED)
            assert len(clusters(mended.affine[mended.ids(FINITE)], 1e-8)) == 128
    assert jumped, "no seed jumps: this test tests nothing"


# Ctrl-C


def test_an_interrupt_stops_within_a_second_and_keeps_what_is_finished() -> None:
    posed = total_degree(of_zoo(zoo.cyclic(6)), 0)
    starts = np.tile(posed.starts(np.arange(posed.paths, dtype=np.int64)), (200, 1))
    lean = Options(resume=False, endgame=False, retrack=False)
    track(posed.homotopy, starts[:8], posed.parameters, options=lean)
    for threads in (1, 2):
        timer = threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        begun = time.perf_counter()
        with pytest.raises(Interrupted) as caught:
            track(
                posed.homotopy, starts, posed.parameters,
                options=Options(resume=False, endgame=False, retrack=False, threads=threads),
            )  # fmt: skip
        assert time.perf_counter() - begun < 2.0
        timer.join()
        paths = caught.value.partial
        assert isinstance(paths, Paths) and len(paths) == len(starts)
        open_ends = np.flatnonzero(paths.end == loop.UNFINISHED)
        assert paths.count(FINITE) > 0 and 0 < len(open_ends) < len(paths)
        assert (paths.status[open_ends] == STATUSES.index(FAILED)).all()
        assert "interrupted before its end" in paths.reason(int(open_ends[0]))


@pytest.mark.slow
def test_an_interrupted_engine_hands_over_its_solutions() -> None:
    script = (
        "import os, signal, threading, time\n"
        "from theorylab.counting.homotopy import BatchEngine, Interrupted, PathStatus\n"
        "from theorylab.counting.system import system_from_json\n"
        "x = [f'x{i}' for i in range(7)]\n"
        "f = [f'x{i}^6 - x{(i+1)%7}*x{(i+2)%7} - {i+2}' for i in range(7)]\n"
        "f = system_from_json({'variables': x, 'polynomials': f})\n"
        "BatchEngine().solve(system_from_json({'variables': ['x'], 'polynomials': ['x^2-2']}))\n"
        # Time of this process, not of a machine that may be busy.
        "until = time.process_time() + 2\n"
        "def stop():\n"
        "    while time.process_time() < until:\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=stop, daemon=True).start()\n"
        "try:\n"
        "    BatchEngine().solve(f)\n"
        "except Interrupted as stopped:\n"
        "    s = stopped.partial\n"
        "    print(s.paths, s.count(PathStatus.FINITE) > 0, s.accounted, s.reasons[-1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("279936 True False interrupted"), done.stdout + done.stderr


# Refusals


def test_refusals() -> None:
    posed = total_degree(of("x^2-2", "y^2-3"), 0)
    good = posed.starts(np.arange(4, dtype=np.int64))
    h, p = posed.homotopy, posed.parameters
    with pytest.raises(InputError, match="rows of 2 affine or 3 homogeneous"):
        track(h, good[:, :1], p)
    with pytest.raises(InputError, match="the homotopy has 3 parameters"):
        track(h, good, p[:2])
    with pytest.raises(InputError, match="say with sets"):
        track(h, good, np.stack([p, p]))
    with pytest.raises(InputError, match="one number from 0 to 1"):
        track(h, good, np.stack([p, p]), sets=np.array([0, 1, 2, 0]))
    for options in ({"tau": 0.5}, {"threads": 0}, {"kernels": "C"}, {"max_steps": 0}):
        with pytest.raises(InputError):
            Options(**options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="parametric=True"):
        parameter(of("x^2-2", "y^2-3"))
    empty = track(h, good[:0], p)
    assert len(empty) == 0 and not counts(empty)
