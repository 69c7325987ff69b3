"""Building and checking connecting paths: growth with width and depth, and a ratio to sympy.

Run: python benchmarks/paths.py [--quick]. Every row is one deep linear network with hidden widths
min(n, m) + 1, eight random pairs of points, seeds printed; times are medians in milliseconds of one
process on one core. `check` is the kernel on the certificate's bytes (parsing included), `flint`
our Loss at every vertex. Beside them, for the first pair, two sympy evaluations of the loss at the
same vertices: `matrix` with sympy.Matrix products, `subs` by substitution into the symbolic loss
(timed on two vertices, scaled to all; only up to 8-9-8). --quick leaves sympy out.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time

import sympy
from flint import fmpq, fmpq_mat

from theorylab import kernel
from theorylab.instances import Seeded, dataset, weights
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.topology.certificate import connection_certificate, joined
from theorylab.topology.linear import connect_deep_linear
from theorylab.topology.path import Path, proof_of_joined

PAIRS = 8
HIDDEN = {"width": range(2, 13, 2), "depth": range(2, 6)}


def networks() -> list[tuple[int, ...]]:
    """n - (n+1) - n for growing n, then 4 - 5 - ... - 4 for growing depth, then the headline."""
    by_width = [(n, n + 1, n) for n in HIDDEN["width"]]
    by_depth = [(4, *[5] * (depth - 1), 4) for depth in HIDDEN["depth"]]
    return [*by_width, *by_depth, (8, 9, 9, 9, 8)]


def exact(q: fmpq) -> sympy.Rational:
    return sympy.Rational(int(q.numerator), int(q.denominator))


def converted(matrix: fmpq_mat) -> sympy.Matrix:
    return sympy.Matrix([[exact(q) for q in row] for row in matrix.tolist()])


def loss_of(weights: list[sympy.Matrix], x: sympy.Matrix, y: sympy.Matrix) -> sympy.Expr:
    output = x
    for w in weights:
        output = w * output
    return sum(entry**2 for entry in output - y)


def matrix_seconds(path: Path, data: Dataset) -> float:
    """Seconds of sympy.Matrix products at every vertex."""
    x, y = converted(data.x), converted(data.y)
    vertices = [[converted(w) for w in v] for v in path.vertices()]
    begun = time.perf_counter()
    for vertex in vertices:
        loss_of(vertex, x, y)
    return time.perf_counter() - begun


def subs_seconds(path: Path, data: Dataset) -> float:
    """Seconds of substitution into the symbolic loss, timed on two vertices, scaled to all."""
    x, y = converted(data.x), converted(data.y)
    vertices = path.vertices()
    symbols = [
        sympy.Matrix(w.nrows(), w.ncols(), lambda i, j, k=k: sympy.Symbol(f"w{k}_{i}_{j}"))
        for k, w in enumerate(vertices[0])
    ]
    expression = loss_of(symbols, x, y)
    begun = time.perf_counter()
    for vertex in vertices[1:3]:
        pairs = zip(symbols, map(converted, vertex), strict=True)
        expression.subs({s: v for ss, vs in pairs for s, v in zip(ss, vs, strict=True)})
    return (time.perf_counter() - begun) / 2 * len(vertices)


def one(widths: tuple[int, ...], seed: int) -> tuple[float, float, float, int, Path, Dataset]:
    """Seconds to build, check and evaluate with flint, bytes, path and data of one random pair."""
    draw, network = Seeded(f"{widths}:{seed}"), Network.dense(widths, "linear")
    data = dataset(draw, widths[0], widths[-1], widths[0] + 2, degenerate=False)
    a: Weights = weights(draw, network, degenerate=False)
    b: Weights = weights(draw, network, degenerate=False)
    begun = time.perf_counter()
    path = connect_deep_linear(network, a, b)
    built = time.perf_counter() - begun
    loss = Loss(network, data)
    vertices = path.vertices()
    begun = time.perf_counter()
    heights = [loss(vertex) for vertex in vertices]
    evaluated = time.perf_counter() - begun
    u = max(heights[0], heights[-1])
    found = proof_of_joined(path, loss, u)
    assert isinstance(found, tuple) and max(heights) == u
    raw = connection_certificate(loss, joined(a, b, u), *found)
    begun = time.perf_counter()
    outcome = kernel.check(raw)
    checked = time.perf_counter() - begun
    assert isinstance(outcome, kernel.Proved), outcome
    return built, checked, evaluated, len(raw), path, data


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    print(f"{platform.machine()}, Python {platform.python_version()}, {PAIRS} pairs, seeds 0..7")
    header = "network vertices kB build check flint matrix /check /flint subs /check"
    print(
        "{:>12} {:>8} {:>6} {:>7} {:>7} {:>7} {:>8} {:>6} {:>6} {:>9} {:>6}".format(*header.split())
    )
    for widths in networks():
        rows = [one(widths, seed) for seed in range(PAIRS)]
        built, checked, flint = (statistics.median(r[i] for r in rows) for i in range(3))
        vertices = max(r[4].segments for r in rows) + 1
        line = (
            f"{'-'.join(map(str, widths)):>12} {vertices:>8} {max(r[3] for r in rows) / 1e3:>6.1f}"
        )
        line += f" {built * 1e3:>7.2f} {checked * 1e3:>7.2f} {flint * 1e3:>7.2f}"
        if not quick:
            slow = matrix_seconds(rows[0][4], rows[0][5])
            line += f" {slow * 1e3:>8.1f} {slow / checked:>6.1f} {slow / flint:>6.0f}"
            if len(widths) == 3 and widths[0] <= 8:
                slower = subs_seconds(rows[0][4], rows[0][5])
                line += f" {slower * 1e3:>9.0f} {slower / checked:>6.0f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
