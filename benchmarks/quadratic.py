"""Joining scalar networks of squares, and counting their components: build, check, size.

Run: python benchmarks/quadratic.py [--quick]. Each row of the first table is a network n-p-1 on
n(n+1)/2 + 2 random samples, 20 random pairs of points with entries -3..3 (seeds 0..19), none
degenerate; times are medians and the worst in milliseconds of one process on one core. `build` is
the path, `proof` its polynomials and signs, `check` the kernel on the bytes, `bits` the longest
entry of a vertex, numerator and denominator together. `paths` counts the pairs that got an exact
path which the kernel accepted. The second table counts components at p = n on 10 random forms:
`level` is the highest level at which the count was proved, of 0.99, 0.9, 0.8, 0.6, 0.4, 0.2, 0.1
between the minimum (0) and about the least loss of a singular form (1). --quick leaves out n > 4.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time

from flint import fmpq, fmpq_mat

from theorylab import kernel
from theorylab.instances import Seeded, dataset, weights
from theorylab.model import Dataset, Loss, Network
from theorylab.outcome import Undecided
from theorylab.topology.certificate import (
    certificate,
    connection_certificate,
    joined,
    statement_json,
)
from theorylab.topology.path import Path, proof_of_joined
from theorylab.topology.quadratic.forms import Forms, quadratic_setting
from theorylab.topology.quadratic.inertia import components_at_full_width, lowest_singular
from theorylab.topology.quadratic.paths import connect_scalar_quadratic

PAIRS = 20
SIZES = [
    *((1, 2), (2, 3), (2, 4), (2, 5), (3, 4), (3, 5), (3, 6), (3, 7)),
    *((4, 8), (4, 9), (5, 10), (5, 11), (6, 12), (6, 13)),
]


def longest(path: Path) -> int:
    entries = (v for vertex in path.vertices() for m in vertex for v in m.entries())
    return max(int(v.p).bit_length() + int(v.q).bit_length() for v in entries)


def connected(n: int, p: int, seed: int) -> tuple[float, float, float, float, int, int] | None:
    """Seconds to build, to prove and to check, kB, segments, bits; None without a checked path."""
    draw, network = Seeded(f"quadratic {n}-{p}:{seed}"), Network.dense((n, p, 1), "square")
    data = dataset(draw, n, 1, n * (n + 1) // 2 + 2, degenerate=False)
    a, b = (weights(draw, network, degenerate=False) for _ in "ab")
    begun = time.perf_counter()
    path = connect_scalar_quadratic(network, data, a, b)
    built = time.perf_counter() - begun
    if isinstance(path, Undecided):
        return None
    loss = Loss(network, data)
    u = max(loss(a), loss(b))
    begun = time.perf_counter()
    found = proof_of_joined(path, loss, u)
    proved = time.perf_counter() - begun
    assert isinstance(found, tuple)
    raw = connection_certificate(loss, joined(a, b, u), *found)
    begun = time.perf_counter()
    outcome = kernel.check(raw)
    checked = time.perf_counter() - begun
    if not isinstance(outcome, kernel.Proved):
        return None
    return built, proved, checked, len(raw) / 1e3, path.segments, longest(path)


def random_form(draw: Seeded, n: int) -> Dataset:
    """Samples of a random symmetric form with noise: the best form is not singular."""
    data = dataset(draw, n, 1, n * (n + 1) // 2 + 4, degenerate=False)
    form = fmpq_mat(n, n)
    for i in range(n):
        for j in range(i + 1):
            form[i, j] = form[j, i] = fmpq(draw.integer(-4, 4)) + (5 if i == j else 0)
    columns = [fmpq_mat(n, 1, list(c)) for c in zip(*data.x.tolist(), strict=True)]
    y = [(c.transpose() * form * c)[0, 0] + fmpq(draw.integer(-1, 1), 4) for c in columns]
    return Dataset(data.x, fmpq_mat([y]), None, "form")


def counted(n: int, seed: int) -> tuple[float, float, float, float, int] | None:
    """Seconds to count and to check, kB, the share of the range, components."""
    data = random_form(Seeded(f"components {n}:{seed}"), n)
    network = Network.dense((n, n, 1), "square")
    setting = quadratic_setting(network, data)
    assert not isinstance(setting, Undecided)
    forms = Forms(setting, data)
    top = fmpq(*lowest_singular(forms)[0].as_integer_ratio())
    for tenths in (10, 9, 8, 6, 4, 2, 1):
        share = fmpq(99, 100) if tenths == 10 else fmpq(tenths, 10)
        u = forms.least + (top - forms.least) * share
        begun = time.perf_counter()
        found = components_at_full_width(network, data, u)
        built = time.perf_counter() - begun
        if isinstance(found, Undecided):
            continue
        raw = certificate(
            statement_json(network, data, [], found.conclusion), found.rule, found.proof
        )
        begun = time.perf_counter()
        outcome = kernel.check(raw)
        checked = time.perf_counter() - begun
        assert isinstance(outcome, kernel.Proved), outcome
        number = int(found.conclusion["at_least"])
        return built, checked, len(raw) / 1e3, float(share), number
    return None


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f}/{max(values):.1f}"


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    print(f"{platform.machine()}, Python {platform.python_version()}, {PAIRS} pairs, median/worst")
    header = "n p paths build proof check kB segments bits"
    print("{:>2} {:>3} {:>6} {:>12} {:>12} {:>14} {:>12} {:>10} {:>10}".format(*header.split()))
    for n, p in SIZES:
        if quick and n > 4:
            continue
        tried = [connected(n, p, seed) for seed in range(PAIRS)]
        found = [row for row in tried if row is not None]
        columns = list(zip(*found, strict=True))
        times = [spread([1e3 * v for v in column]) for column in columns[:3]]
        sizes = [f"{statistics.median(c):.0f}/{max(c):.0f}" for c in columns[3:]]
        words = (
            f"{n:>2} {p:>3} {len(found):>3}/{PAIRS} {times[0]:>12} {times[1]:>12} {times[2]:>14}"
        )
        print(f"{words} {sizes[0]:>12} {sizes[1]:>10} {sizes[2]:>10}", flush=True)
    print("components at p = n: 10 random forms each")
    print(" n counted   count ms   check ms       kB  level  components")
    for n in range(1, 5 if quick else 6):
        tried_counts = [counted(n, seed) for seed in range(10)]
        counts = [row for row in tried_counts if row is not None]
        built, checked, size, share, numbers = zip(*counts, strict=True)
        print(
            f"{n:>2} {len(counts):>4}/10 {statistics.median(built) * 1e3:>10.0f} "
            f"{statistics.median(checked) * 1e3:>10.1f} {statistics.median(size):>8.1f} "
            f"{statistics.median(share):>6.2f}  {', '.join(map(str, sorted(set(numbers))))}",
            flush=True,
        )


if __name__ == "__main__":
    main()
