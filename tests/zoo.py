"""Named polynomial systems with known counts, written as exact polynomials, and their sources.

Counts are of complex solutions in affine space. A real count is exact (msolve over Q) where the
source is this project's own computation. Nothing here uses the package's own program of a network.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from theorylab.counting.expanded import Expanded


@dataclass(frozen=True, slots=True)
class Known:
    """A system, what is known of its solutions, and who says so. None: not known, or infinite."""

    name: str
    system: Expanded
    distinct: int | None
    real: int | None
    source: str
    degree: int | None = None

    @property
    def with_multiplicity(self) -> int | None:
        return self.distinct if self.degree is None else self.degree


def _system(names: Sequence[str], equations: Callable[..., Sequence[Any]]) -> Expanded:
    ring = fmpq_mpoly_ctx.get(tuple(names), Ordering.lex)
    made = [ring.constant(0) + equation for equation in equations(*ring.gens())]
    return Expanded(
        tuple(names),
        tuple({tuple(map(int, m)): c for m, c in p.to_dict().items()} for p in made),
    )


def _numbered(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{j}" for j in range(first, last + 1)]


def _product(factors: Sequence[Any]) -> Any:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def cyclic(n: int) -> Known:
    """Cyclic n-roots. G. Bjorck, R. Froberg, J. Symbolic Comput. 12 (1991): 70, 156, 924."""

    def equations(*x: Any) -> list[Any]:
        sums = [
            sum(_product([x[(i + j) % n] for j in range(k)]) for i in range(n)) for k in range(1, n)
        ]
        return [*sums, _product(x) - 1]

    count = {3: 6, 5: 70, 6: 156, 7: 924}[n]
    real = {5: 10, 6: 24}.get(n)
    return Known(
        f"cyclic{n}", _system(_numbered("x", 0, n - 1), equations), count, real,
        "Bjorck, Froberg 1991; real: ENGINES A3 (msolve)",
    )  # fmt: skip


def katsura(n: int) -> Known:
    """Katsura's magnetism problem in u0..un: 2^n solutions. S. Katsura, W. Fukuda, Phys. A 1985."""

    def equations(*u: Any) -> list[Any]:
        def at(j: int) -> Any:
            return u[abs(j)] if abs(j) <= n else 0

        sums = [sum(at(j) * at(m - j) for j in range(-n, n + 1)) - u[m] for m in range(n)]
        return [*sums, sum(at(j) for j in range(-n, n + 1)) - 1]

    real = {5: 16, 6: 32, 7: 44, 8: 84}.get(n)
    return Known(
        f"katsura{n}", _system(_numbered("u", 0, n), equations), 2**n, real,
        "Katsura, Fukuda 1985; real: msolve (6 and 8 also ENGINES A3)",
    )  # fmt: skip


def noon(n: int) -> Known:
    """Neural network of V. W. Noonburg, SIAM J. Appl. Math. 49 (1989): 3^n - 2n solutions."""

    def equations(*x: Any) -> list[Any]:
        squares = sum(xi * xi for xi in x)
        return [xi * (squares - xi * xi) - xi * fmpq(11, 10) + 1 for xi in x]

    real = {3: 7, 4: 15, 5: 11}.get(n)
    return Known(
        f"noon{n}", _system(_numbered("x", 1, n), equations), 3**n - 2 * n, real,
        "Noonburg 1989; real: ENGINES A3 (msolve)",
    )  # fmt: skip


def eco(n: int) -> Known:
    """Economics problem of A. Morgan, Solving Polynomial Systems (1987), p. 148: 2^(n-2)."""

    def equations(*x: Any) -> list[Any]:
        last = x[n - 1]
        sums = [
            (x[k - 1] + sum(x[i] * x[i + k] for i in range(n - k - 1))) * last - k
            for k in range(1, n)
        ]
        return [*sums, sum(x[: n - 1]) + 1]

    real = {5: 4, 6: 4, 7: 8, 8: 8, 10: 16}.get(n)
    return Known(
        f"eco{n}", _system(_numbered("x", 1, n), equations), 2 ** (n - 2), real,
        "Morgan 1987; real: msolve (8 and 10 also ENGINES A3)",
    )  # fmt: skip


def caprasse() -> Known:
    """The system of H. Caprasse (PHCpack demos): multiple solutions beside simple ones."""

    def equations(x: Any, y: Any, z: Any, t: Any) -> list[Any]:
        return [
            y**2 * z + 2 * x * y * t - 2 * x - z,
            -(x**3) * z + 4 * x * y**2 * z + 4 * x**2 * y * t + 2 * y**3 * t + 4 * x**2
            - 10 * y**2 + 4 * x * z - 10 * y * t + 2,
            2 * y * z * t + x * t**2 - x - 2 * z,
            -x * z**3 + 4 * y * z**2 * t + 4 * x * z * t**2 + 2 * y * t**3 + 4 * x * z
            + 4 * z**2 - 10 * y * t - 10 * t**2 + 2,
        ]  # fmt: skip

    return Known(
        "caprasse", _system("xyzt", equations), 32, 18, "PHCpack demos; counts: msolve", 56
    )


def double_root() -> Known:
    """Two double points: (x - 1)^2 = y^2 - 1 = 0."""
    return Known(
        "double_root",
        _system("xy", lambda x, y: [(x - 1) ** 2, y**2 - 1]),
        2, 2, "by hand", 4,
    )  # fmt: skip


def regular_root_at_the_origin() -> Known:
    """y (x - y) + x = x^2 + y = 0: the torus holds three of the four simple solutions."""
    return Known(
        "regular_root_at_the_origin",
        _system("xy", lambda x, y: [y * (x - y) + x, x**2 + y]),
        4, 2, "after HomotopyContinuation.jl issue 647; counts: msolve",
    )  # fmt: skip


def point_and_curve() -> Known:
    """x (x y - 1) = y (x y - 1) = 0: the hyperbola and, isolated, the origin."""
    return Known(
        "point_and_curve",
        _system("xy", lambda x, y: [x * (x * y - 1), y * (x * y - 1)]),
        None, None, "by hand: one isolated simple solution, one curve",
    )  # fmt: skip


def parallel_circles() -> Known:
    """Two circles about one centre: no solution, all of Bezout's four are at infinity."""
    return Known(
        "parallel_circles",
        _system("xy", lambda x, y: [x**2 + y**2 - 5, x**2 + y**2 - 4]),
        0, 0, "by hand",
    )  # fmt: skip


def near_duplicates() -> Known:
    """Two roots 2e-8 apart, twice."""
    gap = fmpq(1, 10**16)
    return Known(
        "near_duplicates",
        _system("xy", lambda x, y: [(x - 1) ** 2 - gap, y**2 - x]),
        4, 4, "by hand",
    )  # fmt: skip


def power_network(exponent: int, seed: int = 0) -> Known:
    """Interpolation of u1 (w11 x1 + w12 x2 + 1)^d + u2 (...)^d through generic data.

    The biases are the gauge of the scaling. d = 2: five data and one generic slice, since the
    fibres are curves (quadrics of rank two: dimension 5); d = 3: six data. Source: ENGINES A4.
    """
    rng = random.Random(seed)
    names = ["u1", "u2", "w11", "w12", "w21", "w22"]

    def number() -> fmpq:
        return fmpq(rng.randrange(-(10**4), 10**4) * 2 + 1, 10**3)

    def equations(u1: Any, u2: Any, *w: Any) -> list[Any]:
        made = []
        for _ in range(5 if exponent == 2 else 6):
            a, b = number(), number()
            first = w[0] * a + w[1] * b + 1
            second = w[2] * a + w[3] * b + 1
            made.append(u1 * first**exponent + u2 * second**exponent - number())
        if exponent == 2:
            made.append(sum(v * number() for v in (u1, u2, *w)) + number())
        return made

    return Known(
        f"power_network_{exponent}", _system(names, equations), {2: 12, 3: 30}[exponent], None,
        "ENGINES A4",
    )  # fmt: skip


def linear_sum(n: int) -> Known:
    """n independent linear equations: one solution, every bound is 1 for one group."""
    return Known(
        f"linear{n}",
        _system(
            _numbered("x", 1, n),
            lambda *x: [sum(v * k**j for j, v in enumerate(x)) - 1 for k in range(1, n + 1)],
        ),
        1, 1, "Vandermonde",
    )  # fmt: skip
