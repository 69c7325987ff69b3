"""The path tracker against phcpy's tracker, `phc -b` and bertini, on one core.

Run: python benchmarks/tracker.py [--full] [--peers SECONDS] [--only NAME ...]. Times are CPU
seconds, of children too, of a process bound to one core: medians of three where a run takes less
than ten seconds (two without --full), of up to 25 where three take less than a tenth of one, single
runs (marked 1) otherwise. A run counts only if every known solution was found and none twice; what
a peer returned stands beside its time. Peers (`make engines`) are stopped at a wall limit (--peers,
15 s, with --full 120 s); a missing one is left out.

`track` is the tracking alone, as the time of phcpy is, from which a start of its interpreter is
subtracted; `warm` is everything from the system to the end points with the kernels in memory (what
comes before tracking is timed by itself), `cold` with the kernels to be compiled. Ratios are to
`track`. Goals are those of ENGINES, B8.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import fmpq
from systems import TABLE, Benchmark, katsura, net2, net3

from theorylab.counting.expanded import Expanded
from theorylab.counting.external import bertini, phc
from theorylab.counting.external.process import EngineError, EngineTimeout, MissingEngine
from theorylab.counting.homotopy import codegen
from theorylab.counting.homotopy.engine import Complexes, PathStatus, clusters
from theorylab.counting.homotopy.homotopy import (
    Posed,
    multihomogeneous,
    parameter,
    segments,
    total_degree,
)
from theorylab.counting.homotopy.lanes import lanes, native
from theorylab.counting.homotopy.monodromy import generic_count, monodromy
from theorylab.counting.homotopy.parameter import to_instances
from theorylab.counting.homotopy.tracker import Options, Paths, track
from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import Undecided

QUICK = ("noon-5", "katsura-8", "cyclic-6", "net2(2,2,z^2)", "net2(2,2,z^3)", "deeplin(2,1,2)")
ONCE, QUICK_ONCE, SHORT = 10.0, 2.0, 0.1
FULL = "--full" in sys.argv[1:]
# AVX2 and SSE2 machines are allowed these shares of the goals.
SHARE = {8: 1.0, 4: 0.5, 2: 0.3}


def cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(run: Callable[..., Any], *given: Any, **options: Any) -> tuple[float, bool, Any]:
    """Median seconds of three runs, of more short ones, and True; or those of one long run and
    False."""
    seconds: list[float] = []
    while len(seconds) < 3 or (sum(seconds) < SHORT and len(seconds) < 25):
        begun = cpu()
        result = run(*given, **options)
        seconds.append(cpu() - begun)
        if seconds[-1] > (ONCE if FULL else QUICK_ONCE):
            return seconds[-1], False, result
    return statistics.median(seconds), True, result


@dataclass(frozen=True)
class Cell:
    """One engine on one system: its time, how many runs that is, and what it found."""

    seconds: float | None
    repeated: bool
    distinct: int | None
    duplicates: int
    word: str = ""

    def complete(self, known: int) -> bool:
        return self.seconds is not None and (self.distinct, self.duplicates) == (known, 0)

    def text(self, known: int) -> str:
        if self.seconds is None:
            return self.word
        once = "" if self.repeated else "(1)"
        found = "" if self.complete(known) else f" {self.distinct}!"
        twice = f" {self.duplicates} twice!" if self.duplicates else ""
        return f"{self.seconds:.3g}{once}{found}{twice}"


def finite(paths: Paths) -> tuple[int, int]:
    """Distinct finite end points, and how many came twice."""
    points = paths.affine[paths.ids(PathStatus.FINITE)]
    distinct = len(clusters(points, 1e-8))
    return distinct, len(points) - distinct


def posed(benchmark: Benchmark, seed: int) -> Posed:
    system = benchmark.system
    if benchmark.name.startswith("net3"):
        return multihomogeneous(system, system.groups, seed)
    return total_degree(system, seed)


def followed(problem: Posed, options: Options) -> Paths:
    starts = problem.starts(np.arange(problem.paths))
    return track(problem.homotopy, starts, problem.parameters, options=options)


def prepared(benchmark: Benchmark, seed: int) -> None:
    """All that comes before tracking, the kernels being in memory."""
    problem = posed(benchmark, seed)
    problem.starts(np.arange(problem.paths))


@dataclass
class Ours:
    """Our times on one system."""

    paths: int
    track: Cell
    warm: float
    cold: float
    per_second: float


def ours(benchmark: Benchmark, seed: int, options: Options) -> Ours:
    codegen.forget()
    begun = cpu()
    problem = posed(benchmark, seed)
    first = followed(problem, options)
    cold = cpu() - begun
    starts = problem.starts(np.arange(problem.paths))
    seconds, repeated, paths = timed(
        track, problem.homotopy, starts, problem.parameters, options=options
    )
    warm = timed(prepared, benchmark, seed)[0] + seconds
    distinct, twice = finite(paths)
    assert first.points.tobytes() == paths.points.tobytes(), "the same run gave other points"
    cell = Cell(seconds, repeated, distinct, twice)
    return Ours(problem.paths, cell, warm, cold, problem.paths / seconds)


def peer(run: Callable[..., Any], *given: Any, idle: float = 0.0, **options: Any) -> Cell:
    try:
        seconds, repeated, found = timed(run, *given, **options)
    except MissingEngine:
        return Cell(None, False, None, 0, "-")
    except EngineTimeout:
        return Cell(None, False, None, 0, "limit")
    except EngineError as error:
        return Cell(None, False, None, 0, error.happened[:20])
    if isinstance(found, Undecided):
        return Cell(seconds, repeated, 0, 0)
    return Cell(max(seconds - idle, 1e-3), repeated, len(found), found.duplicates)


def expanded(system: PolynomialSystem) -> Expanded:
    return Expanded(system.variables, system.expanded())


def start_of(system: PolynomialSystem) -> tuple[Expanded, Complexes]:
    """The system x_i^{d_i} = c_i, c_i rational, and its solutions; phcpy has a gamma of its own."""
    n, degrees = len(system.variables), system.degrees
    units, constants = np.eye(n, dtype=int), [fmpq(7 * i % 11 + 5, 10) for i in range(n)]
    polynomials = tuple(
        {tuple(map(int, d * units[i])): fmpq(1), (0,) * n: -c}
        for i, (d, c) in enumerate(zip(degrees, constants, strict=True))
    )
    roots = [
        (int(c.p) / int(c.q)) ** (1 / d) * np.exp(2j * np.pi * np.arange(d) / d)
        for d, c in zip(degrees, constants, strict=True)
    ]
    grid = np.stack([z.ravel() for z in np.meshgrid(*roots, indexing="ij")], axis=1)
    return Expanded(system.variables, polynomials), grid


def idle(seconds: float) -> float:
    """CPU seconds of phcpy's interpreter with one path of x^2 = 2."""
    one = Expanded(("x",), ({(2,): fmpq(1), (0,): fmpq(-1)},))
    two = Expanded(("x",), ({(2,): fmpq(1), (0,): fmpq(-2)},))
    found = peer(phc.track, two, one, [(1 + 0j,)], timeout=seconds)
    return found.seconds or 0.0


@dataclass
class Goals:
    """The rows of B8: what was measured against "must" and "aim"."""

    rows: list[tuple[str, float, float, float, bool]] = field(default_factory=list)

    def add(self, name: str, value: float, must: float, aim: float, less: bool = False) -> None:
        self.rows.append((name, value, must, aim, less))

    def write(self) -> None:
        print(f"\n{'goal':<58} {'measured':>10} {'must':>8} {'aim':>8}")
        for name, value, must, aim, less in self.rows:
            sign = -1 if less else 1
            met = sum(sign * value >= sign * goal for goal in (must, aim))
            verdict = ("MISSED", "must", "aim")[met]
            print(f"{name:<58} {value:>10.4g} {must:>8g} {aim:>8g}  {verdict}")


def against_peers(chosen: Sequence[Benchmark], limit: float, seed: int, goals: Goals) -> None:
    options = Options()
    header = ("system", "paths", "found/known", "track", "paths/s", "warm", "cold")
    print(("{:<15}{:>7}{:>12}{:>9}{:>9}{:>8}{:>7}" + "  {:>16}" * 3 + "   ratios").format(
        *header, "phcpy TD", "phc -b", "bertini double"))  # fmt: skip
    subtracted = idle(limit) if limit else 0.0
    ratios: dict[str, list[float]] = {}
    for benchmark in chosen:
        known, system = benchmark.known, benchmark.system
        mine = ours(benchmark, seed, options)
        cells = [Cell(None, False, None, 0, "-")] * 3
        if limit:
            text = expanded(system)
            if mine.paths < 10_000:
                start, points = start_of(system)
                rows = [tuple(row) for row in points.tolist()]
                cells[0] = peer(phc.track, text, start, rows, timeout=limit, idle=subtracted)
            else:
                cells[0] = Cell(None, False, None, 0, "not run")
            cells[1] = peer(phc.solve, text, timeout=limit)
            cells[2] = peer(bertini.solve, text, mode="double", timeout=limit)
        found = f"{mine.track.distinct}/{known}" + ("" if mine.track.complete(known) else "!")
        words = []
        for kind, cell in zip(("tracker", "black box", "bertini"), cells, strict=True):
            if cell.seconds is None or not mine.track.complete(known):
                words.append("-")
                continue
            ratio = cell.seconds / mine.track.seconds
            words.append(f"{ratio:.0f}{'' if cell.complete(known) else '*'}")
            if kind == "tracker":
                kind += ", > 0.5 s" if cell.seconds > 0.5 else ", small"
            elif kind == "black box":
                sparse = benchmark.name.startswith(("cyclic", "deeplin"))
                kind += ", sparse" if sparse else ", network" * benchmark.name.startswith("net")
            if cell.complete(known):
                ratios.setdefault(kind, []).append(ratio)
        print(
            f"{benchmark.name:<15}{mine.paths:>7}{found:>12}{mine.track.seconds:>9.4f}"
            f"{mine.per_second:>9.0f}{mine.warm:>8.3f}{mine.cold:>7.2f}"
            + "".join(f"  {cell.text(known):>16}" for cell in cells)
            + f"   {' / '.join(words)}",
            flush=True,
        )
        if mine.cold < ONCE:
            goals.add(f"end to end less tracking, warm, {benchmark.name}",
                      mine.warm - mine.track.seconds, 0.05, 0.02, True)  # fmt: skip
            goals.add(f"end to end less tracking, cold, {benchmark.name}",
                      mine.cold - mine.track.seconds, 1.0, 0.4, True)  # fmt: skip
    print(
        "! incomplete  * against an incomplete run of the peer: not counted below  "
        "(1) a single run  limit: stopped"
    )
    for kind, must, aim in (
        ("tracker, > 0.5 s", 100, 300),
        ("tracker, small", 30, 100),
        ("black box, network", 150, 500),
        ("black box, sparse", 15, 60),
        ("bertini", 80, 300),
    ):
        if kind in ratios:
            goals.add(f"least ratio, {kind}", min(ratios[kind]), must, aim)


def random_paths(system: PolynomialSystem, count: int, seed: int) -> tuple[Any, ...]:
    """A parameter homotopy with ``count`` random complex paths, each between its own data."""
    rng = np.random.default_rng(seed)

    def numbers(columns: int) -> Complexes:
        drawn: Complexes = rng.standard_normal((count, columns, 2)) @ np.array([1, 1j]) / 2**0.5
        return drawn

    weights, given, target = (
        numbers(size) for size in (len(system.variables), *[len(system.parameters)] * 2)
    )
    targets = [i for i, name in enumerate(system.parameters) if name.startswith("y")]
    given[:, targets] = 0
    given[:, targets] = system.evaluate(weights, given)
    return parameter(system), weights, segments(given, target)


def paths_per_second(goals: Goals, share: float) -> None:
    print("\npaths/s on one core: katsura-10 from its total-degree start, random parameter paths")
    problem = posed(katsura(10), 0)
    starts = problem.starts(np.arange(problem.paths))
    seconds = timed(track, problem.homotopy, starts, problem.parameters)[0]
    print(f"{'katsura-10':<15} N = 12  generated {problem.paths / seconds:>8.0f}", flush=True)
    goals.add("paths/s, N = 12, katsura-10", problem.paths / seconds, 10e3 * share, 30e3 * share)
    rows = (
        (net2(2, 2, 3, 270), 30e3, 90e3),
        (net2(4, 2, 2, 140), 15e3, 50e3),
        (net2(5, 3, 2, 0), 2e3, 6e3),
    )
    for benchmark, must, aim in rows:
        system = benchmark.parametric
        homotopy, starts, values = random_paths(system, 2000, 1)
        rates = {}
        for kind in ("generated", "interpreted"):
            options = Options(kernels=kind, resume=False, endgame=False)
            track(homotopy, starts[:64], values[:64], options=options)
            seconds, _, paths = timed(track, homotopy, starts, values, options=options)
            rates[kind] = len(starts) / seconds
        good = paths.count(PathStatus.FINITE)
        n = homotopy.dimension
        print(
            f"{benchmark.name:<15} N = {n:<3} generated {rates['generated']:>8.0f}   interpreted "
            f"{rates['interpreted']:>8.0f}   finite {good}/{len(starts)}", flush=True,
        )  # fmt: skip
        goals.add(
            f"paths/s, N = {n}, {benchmark.name}", rates["generated"], must * share, aim * share
        )
        goals.add(f"interpreter, share of generated, N = {n}",
                  rates["interpreted"] / rates["generated"], 0.25, 0.5)  # fmt: skip


def threads(goals: Goals) -> None:
    """Wall time of one and two threads: needs two free cores, so it is reported, not a gate."""
    homotopy, starts, values = random_paths(net2(4, 2, 2, 140).parametric, 10_000, 2)
    walls, results = [], []
    for count in (1, 2):
        options = Options(threads=count, resume=False, endgame=False)
        begun = time.perf_counter()
        results.append(track(homotopy, starts, values, options=options))
        walls.append(time.perf_counter() - begun)
    assert results[0].points.tobytes() == results[1].points.tobytes()
    print(f"\ntwo threads: {walls[0]:.2f} s and {walls[1]:.2f} s wall, ratio "
          f"{walls[0] / walls[1]:.2f} (goal 1.8, reported only), equal bytes")  # fmt: skip


def families(full: bool, goals: Goals, share: float) -> None:
    """Parameter homotopies from one solved member, and monodromy with the trace test."""
    print("\nmany data sets from one generic member: instances/s and how many were complete")
    for benchmark, orbits, must, aim in (
        (net2(2, 2, 3, 270), 15, 2500, 6000),
        (net2(4, 2, 2, 140), 35, 450, 1200),
        (net2(3, 2, 3, 3150), 175, 100, 250),
    ):
        system = benchmark.parametric
        generic = monodromy(system, seed=1)
        rng = np.random.default_rng(3)
        data = rng.standard_normal((200, len(system.parameters)))
        to_instances(generic, data[:2])
        seconds, _, found = timed(to_instances, generic, data)
        complete = sum(instance.complete for instance in found)
        rate = len(data) / seconds
        print(
            f"{benchmark.name:<15} orbits {generic.orbits} solutions {generic.count} "
            f"{rate:>8.0f} instances/s, complete {complete}/{len(data)}",
            flush=True,
        )
        goals.add(f"instances/s, {orbits} orbits", rate, must * share, aim * share)
    print("\nmonodromy with the trace test, random complex member")
    for benchmark in (net2(2, 2, 3, 270), net2(4, 2, 2, 140), net3(3, 1080), net3(4, 0))[
        : 4 if full else 3
    ]:
        system = benchmark.parametric
        monodromy(system, seed=9)
        seconds, _, found = timed(monodromy, system, seed=1, whole=False)
        print(f"{benchmark.name:<15} orbits {found.orbits:>5}  {seconds:>7.3f} s  "
              f"trace residual {found.residual:.1e}", flush=True)  # fmt: skip
        if benchmark.name == "net3(4)":
            goals.add("monodromy, net3(4), seconds", seconds, 6 / share, 2 / share, True)


def reliability(chosen: Sequence[Benchmark], goals: Goals) -> None:
    """Complete sets over five seeds, and jumps in 100,000 parameter paths."""
    print("\nfive seeds, all paths: found (! where not all)")
    complete = runs = 0
    for benchmark in chosen:
        counts = []
        for seed in range(5):
            distinct, twice = finite(followed(posed(benchmark, seed), Options()))
            counts.append(f"{distinct}{'' if (distinct, twice) == (benchmark.known, 0) else '!'}")
            runs, complete = runs + 1, complete + (counts[-1][-1] != "!")
        print(f"{benchmark.name:<15} {benchmark.known:>6}: {' '.join(counts)}", flush=True)
    goals.add("complete runs, per cent", 100 * complete / runs, 100, 100)
    options = Options(resume=False, endgame=False)
    jumps = lost = total = 0
    for benchmark in (net2(2, 2, 3, 270), net2(4, 2, 2, 140), net2(3, 2, 3, 3150)):
        system = benchmark.parametric
        generic = generic_count(system, seed=1)
        homotopy, starts = parameter(system), generic.representatives
        rng = np.random.default_rng(4)
        members = 40_000 // len(starts)
        targets = rng.standard_normal((members, len(system.parameters), 2)) @ np.array([1, 1j])
        paths = track(
            homotopy, np.tile(starts, (members, 1)), segments(generic.parameters, targets),
            sets=np.repeat(np.arange(members), len(starts)), options=options,
        )  # fmt: skip
        jumps += paths.count(PathStatus.JUMPED) + int(paths.retracked.sum())
        lost += len(paths) - paths.count(PathStatus.FINITE)
        total += len(paths)
    print(f"\n{total} parameter paths between complex members: {jumps} ended where another did at "
          f"first, {lost} not at a simple root")  # fmt: skip
    goals.add("jumps in 1e5 parameter paths", jumps, 0, 0, True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Benchmark of the path tracker.")
    parser.add_argument("--full", action="store_true", help="every system, five seeds")
    parser.add_argument("--peers", type=float, help="wall limit of one run of a peer; 0: none")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these systems")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names = given.only or ([b.name for b in TABLE] if given.full else QUICK)
    chosen = [benchmark for benchmark in TABLE if benchmark.name in names]
    limit = given.peers if given.peers is not None else (120.0 if given.full else 15.0)
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if allowed:
        os.sched_setaffinity(0, allowed[:1])
    share = SHARE.get(native(), 0.3)
    print(
        f"{platform.machine()}, {lanes()} lanes, Python {platform.python_version()}, seed "
        f"{given.seed}, load {os.getloadavg()[0]:.1f}; goals x {share:g}"
    )
    goals = Goals()
    warm_up = posed(TABLE[0], 99)
    followed(warm_up, Options())
    against_peers(chosen, limit, given.seed, goals)
    paths_per_second(goals, share)
    families(given.full, goals, share)
    if given.full:
        reliability(chosen, goals)
    if len(allowed) > 1:
        os.sched_setaffinity(0, allowed)
        threads(goals)
    goals.write()


if __name__ == "__main__":
    main()
