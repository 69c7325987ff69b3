"""A polynomial system written out as monomials: what engines outside and exact algebra receive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from flint import fmpq, fmpz

from theorylab.outcome import InputError

Monomial = tuple[int, ...]
Polynomial = Mapping[Monomial, fmpq]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Expanded:
    """Polynomials with rational coefficients, each a map from exponents to its nonzero terms.

    The exponents of a monomial follow `variables`. Zero terms are dropped on construction; a
    polynomial without terms is the zero polynomial. Guarantees: exact.
    Raises InputError for a repeated or malformed name, and for exponents that do not fit.

    >>> circle = {(2, 0): fmpq(1), (0, 2): fmpq(1), (0, 0): fmpq(-5)}
    >>> hyperbola = {(1, 1): fmpq(1), (0, 0): fmpq(-2), (9, 9): fmpq(0)}
    >>> system = Expanded(("x", "y"), (circle, hyperbola))
    >>> system.degrees
    (2, 2)
    >>> print(system)
    x^2 + y^2 - 5
    x*y - 2
    """

    variables: tuple[str, ...]
    polynomials: tuple[Polynomial, ...]

    def __post_init__(self) -> None:
        for name in self.variables:
            if not _NAME.fullmatch(name):
                raise InputError("variables", name, "a name is letters and digits", "rename it")
        if len(set(self.variables)) < len(self.variables):
            raise InputError(
                "variables", self.variables, "no name occurs twice", "rename one of them"
            )
        for polynomial in self.polynomials:
            for monomial in polynomial:
                if len(monomial) != len(self.variables) or any(power < 0 for power in monomial):
                    raise InputError(
                        "monomial",
                        monomial,
                        f"there are {len(self.variables)} exponents, none negative",
                        "give one exponent for each variable",
                    )
            for coefficient in polynomial.values():
                if not isinstance(coefficient, fmpq):
                    raise InputError(
                        "coefficient",
                        coefficient,
                        "external engines receive rational coefficients",
                        "use the built-in engine for non-real ones",
                    )
        kept = tuple({m: c for m, c in p.items() if c != 0} for p in self.polynomials)
        object.__setattr__(self, "polynomials", kept)

    @property
    def degrees(self) -> tuple[int, ...]:
        """The true total degree of each polynomial; -1 for the zero polynomial."""
        return tuple(max(map(sum, p), default=-1) for p in self.polynomials)

    def multidegrees(self, partition: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        """For each polynomial its true degree in each group of variables (given by positions).

        >>> Expanded(("x", "y"), ({(2, 1): fmpq(1), (0, 2): fmpq(1)},)).multidegrees([[0], [1]])
        ((2, 2),)
        """
        return tuple(
            tuple(max((sum(m[j] for j in group) for m in p), default=-1) for group in partition)
            for p in self.polynomials
        )

    @property
    def is_square(self) -> bool:
        """Whether there are as many equations as variables."""
        return len(self.variables) == len(self.polynomials)

    @property
    def absent(self) -> tuple[str, ...]:
        """The variables that occur in no polynomial: each solution is free along them."""
        return tuple(
            name
            for j, name in enumerate(self.variables)
            if not any(m[j] for p in self.polynomials for m in p)
        )

    def renamed(self, names: Iterable[str]) -> Expanded:
        """The same system in other names."""
        return Expanded(tuple(names), self.polynomials)

    def integral(self) -> tuple[dict[Monomial, fmpz], ...]:
        """The polynomials with denominators cleared and content removed.

        >>> Expanded(("x",), ({(1,): fmpq(2, 3), (0,): fmpq(-4)},)).integral()
        ({(1,): 1, (0,): -6},)
        """
        return tuple(_primitive(p) for p in self.polynomials)

    def evaluate(
        self, points: npt.NDArray[np.complex128]
    ) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.float64]]:
        """Values (points x equations), and for each the size its terms could have.

        The size is the sum of |coefficient| prod max(1, |x_j|)^power: not smaller near zero
        coordinates, where every term of an equation may vanish. The coefficients of each equation
        are scaled to at most 1. Guarantees: heuristic (double precision).
        """
        shape = (len(points), len(self.polynomials))
        values, sizes = np.zeros(shape, complex), np.zeros(shape)
        for k, polynomial in enumerate(self.polynomials):
            # Scaled first: coefficients may lie beyond the range of a double.
            largest = max(map(abs, polynomial.values()), default=fmpq(1))
            for monomial, coefficient in polynomial.items():
                scaled = _double(coefficient / largest)
                term, size = (
                    np.full(len(points), scaled, complex),
                    np.full(len(points), abs(scaled)),
                )
                for j, power in enumerate(monomial):
                    if power:
                        term = term * points[:, j] ** power
                        size = size * np.maximum(1.0, np.abs(points[:, j])) ** power
                values[:, k] += term
                sizes[:, k] += size
        return values, sizes

    def __str__(self) -> str:
        return "\n".join(written(p, self.variables) for p in self.polynomials)


def written(polynomial: Polynomial, variables: tuple[str, ...]) -> str:
    """The polynomial as one line, powers collected, one sign before each term, no parentheses.

    >>> written({(2, 1): fmpq(-1), (0, 0): fmpq(3, 7)}, ("x", "y"))
    '-x^2*y + 3/7'
    >>> written({}, ("x",))
    '0'
    """
    parts: list[str] = []
    for monomial, coefficient in sorted(polynomial.items(), key=_graded, reverse=True):
        factors = [
            name if power == 1 else f"{name}^{power}"
            for name, power in zip(variables, monomial, strict=True)
            if power
        ]
        size = abs(coefficient)
        if size != 1 or not factors:
            factors.insert(0, str(size))
        sign = "-" if coefficient < 0 else "+"
        lead = f" {sign} " if parts else sign.replace("+", "")
        parts.append(lead + "*".join(factors))
    return "".join(parts) or "0"


def _graded(term: tuple[Monomial, fmpq]) -> tuple[int, Monomial]:
    return sum(term[0]), term[0]


def _primitive(polynomial: Polynomial) -> dict[Monomial, fmpz]:
    denominator = fmpz(1)
    for coefficient in polynomial.values():
        denominator = denominator.lcm(coefficient.q)
    cleared = {m: c.p * (denominator // c.q) for m, c in polynomial.items()}
    content = fmpz(0)
    for value in cleared.values():
        content = content.gcd(value)
    return {m: value // content for m, value in cleared.items()}


def _double(value: fmpq) -> float:
    return int(value.p) / int(value.q)
