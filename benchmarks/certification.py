"""Certifying roots: time per root outside the kernel, and the share of true roots certified.

Run: python benchmarks/certification.py. Approximations are those of the batched tracker (total
degree, seed 0); finite and singular end points are handed to `certify`. `ms/root` is the CPU time
of `certify` on all of them divided by the number of true roots, the median of three, and `first`
that of the first call, which builds the derivatives; `bits` says how many roots took 53, 128 and
256 bits. Bound: 0.5 ms for a root at up to 10 unknowns, and 99.9 % of the true roots, which are
those of tests/zoo.py and ENGINES A4.
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from flint import fmpq

from theorylab.counting.homotopy import BatchEngine, PathStatus
from theorylab.counting.roots import Realness, certify
from theorylab.counting.system import (
    PolynomialSystem,
    critical_system,
    interpolation_system,
    system_from_json,
)
from theorylab.model import Dataset, Network

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import zoo

REPEATS = 3


def named(known: zoo.Known) -> tuple[PolynomialSystem, int]:
    written = str(known.system).splitlines()
    content = {"variables": list(known.system.variables), "polynomials": written}
    assert known.distinct is not None
    return system_from_json(content, known.name), known.distinct


def drawn(inputs: int, samples: int) -> Dataset:
    rng = random.Random(1)

    def number() -> fmpq:
        return fmpq(2 * rng.randrange(-5000, 5000) + 1, 1000)

    x = [[number() for _ in range(inputs)] for _ in range(samples)]
    return Dataset.from_rows(x, [[number()] for _ in range(samples)])


def interpolated(inputs: int, power: str, samples: int) -> PolynomialSystem:
    network = Network.dense((inputs, 2, 1), power, bias=[True, False])
    return interpolation_system(network, drawn(inputs, samples))


def ridged(widths: tuple[int, ...], samples: int) -> PolynomialSystem:
    data = drawn(widths[0], samples)
    return critical_system(Network.dense(widths, "linear"), data, "generic")


def systems() -> list[tuple[PolynomialSystem, int]]:
    return [
        named(zoo.noon(5)), named(zoo.cyclic(5)), named(zoo.cyclic(6)), named(zoo.katsura(6)),
        named(zoo.katsura(8)), named(zoo.eco(8)), (ridged((1, 1, 1, 1), 1), 17),
        (ridged((2, 2, 1), 2), 33), (interpolated(2, "square", 5), 12),
        (interpolated(2, "cube", 6), 270), (interpolated(4, "square", 9), 140),
    ]  # fmt: skip


def one(system: PolynomialSystem, true: int) -> tuple[int, float]:
    ends = BatchEngine().solve(system, seed=0)
    points = ends.points[list(ends.ids(PathStatus.FINITE, PathStatus.SINGULAR))]
    times = []
    for _ in range(REPEATS):
        begun = time.process_time()
        found = certify(system, np.asarray(points))
        times.append(time.process_time() - begun)
    each = statistics.median(times) / true * 1e3
    bits = Counter(root.bits for root in found.roots)
    taken = "/".join(str(bits[b]) for b in (53, 128, 256))
    print(
        f"{system.name:>44} {len(system.variables):>3} {len(points):>5} {true:>5} "
        f"{len(found):>9} {found.count(Realness.REAL):>5} {taken:>9} "
        f"{times[0] / true * 1e3:>7.3f} {each:>8.3f}",
        flush=True,
    )
    return len(found), each


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, seed 0")
    print(
        f"{'system':>44} {'N':>3} {'given':>5} {'true':>5} {'certified':>9} {'real':>5} "
        f"{'bits':>9} {'first':>7} {'ms/root':>8}"
    )
    rows = [(true, *one(system, true)) for system, true in systems()]
    certified, total = sum(row[1] for row in rows), sum(row[0] for row in rows)
    print(
        f"{certified} of {total} certified ({100 * certified / total:.2f} %), "
        f"worst {max(row[2] for row in rows):.3f} ms per root"
    )


if __name__ == "__main__":
    main()
