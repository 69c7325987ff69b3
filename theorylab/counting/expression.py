"""A small parser from polynomial text to program nodes, its work bounded before it is done.

Grammar, with explicit multiplication and no other functions or names than the variables:

    sum     = [+|-] product { (+|-) product }
    product = factor { (*|/) factor }          division by numbers only
    factor  = [+|-] power
    power   = atom [ (^|**) integer ]
    atom    = number | variable | ( sum )
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from flint import fmpq

from theorylab.counting.gaussian import Gaussian, bits, reciprocal
from theorylab.counting.program import Program
from theorylab.model import rational
from theorylab.outcome import InputError

MAX_CHARACTERS: Final = 2_000_000
MAX_SUMMANDS: Final = 100_000
MAX_EXPONENT: Final = 10_000
MAX_DEPTH: Final = 100
MAX_BITS: Final = 100_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![A-Za-z_]))?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|[-+*/^()]))",
    re.ASCII,
)
_IMAGINARY = fmpq(0), fmpq(1)
_SYNTAX = "polynomials are made of numbers, the variables, + - * / ^ and parentheses"
_WRITE = 'write e.g. "x^2+1/2*y-1", with every * written out'


@dataclass(frozen=True, slots=True)
class _Part:
    """A node with bounds of its degree and of the digits that expanding it can make."""

    node: int
    degree: int
    bits: int


def check_size(text: str, argument: str) -> None:
    """InputError, before anything else is done, for more text or summands than the bounds."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            argument,
            f"{len(text)} characters",
            f"polynomials have at most {MAX_CHARACTERS} characters",
            "take a smaller system",
        )
    signs = text.count("+") + text.count("-")
    if signs > MAX_SUMMANDS:
        raise InputError(
            argument,
            f"{signs} summands",
            f"a system has at most {MAX_SUMMANDS} summands",
            "collect like terms, or take a smaller system",
        )


def parse_polynomial(
    text: str,
    program: Program,
    variables: Mapping[str, int],
    argument: str = "polynomial",
    imaginary: frozenset[str] = frozenset(),
) -> int:
    """The node of the polynomial that the text denotes; ``imaginary`` names the unit i.

    Guarantees: exact, decimals as written. Raises InputError, in one line, for anything else
    than a polynomial in these variables, and for exponents or degrees above 10,000, parentheses
    deeper than 100, and coefficients that could expand beyond 100,000 bits.

    >>> p = Program()
    >>> node = parse_polynomial("2*(x-y)^2 - 0.5", p, {"x": 0, "y": 1})
    >>> p.tape([node]).run([fmpq(1), fmpq(3)])
    (15/2,)
    """
    check_size(text, argument)
    parser = _Parser(text, program, variables, argument, imaginary)
    part = parser.sum(0)
    if parser.kind != "end":
        parser.refuse("an operator is missing or misplaced here")
    return part.node


class _Parser:
    def __init__(
        self,
        text: str,
        program: Program,
        variables: Mapping[str, int],
        argument: str,
        imaginary: frozenset[str],
    ) -> None:
        self.text = text
        self.program = program
        self.variables = variables
        self.argument = argument
        self.imaginary = imaginary
        self.start = self.end = 0
        self.kind = self.word = ""
        self.advance()

    def refuse(self, rule: str, remedy: str = _WRITE) -> NoReturn:
        shown = self.text[max(0, self.start - 15) : self.start + 25] or self.text
        raise InputError(self.argument, f"{shown!r} at character {self.start + 1}", rule, remedy)

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.end)
        if match is None:
            rest = self.text[self.end :].lstrip()
            self.start = len(self.text) - len(rest)
            self.kind, self.word = "end", ""
            if rest:
                self.refuse(_SYNTAX)
            return
        self.kind = match.lastgroup or ""
        self.word = match[self.kind]
        self.start, self.end = match.start(self.kind), match.end()

    def takes(self, *words: str) -> str:
        """The current sign, passed over, if it is one of these; "" otherwise."""
        word = self.word
        if self.kind != "sign" or word not in words:
            return ""
        self.advance()
        return word

    def sum(self, depth: int) -> _Part:
        program = self.program
        sign = self.takes("+", "-")
        terms: list[int] = []
        degree = size = 0
        while True:
            part = self.product(depth)
            terms.append(program.negative(part.node) if sign == "-" else part.node)
            degree = max(degree, part.degree)
            size = max(size, part.bits)
            sign = self.takes("+", "-")
            if not sign:
                break
        return _Part(program.total(terms), degree, size + len(terms).bit_length())

    def product(self, depth: int) -> _Part:
        result = self.factor(depth)
        while sign := self.takes("*", "/"):
            other = self.factor(depth)
            node = other.node
            if sign == "/":
                value = self.program.value(node)
                if value is None or value == 0:
                    self.refuse("only a nonzero number divides", "multiply the equation out")
                node = self.program.constant(reciprocal(value))
            self.bounded(result.degree + other.degree, result.bits + other.bits)
            result = _Part(
                self.program.mul(result.node, node),
                result.degree + other.degree,
                result.bits + other.bits,
            )
        return result

    def factor(self, depth: int) -> _Part:
        sign = self.takes("+", "-")
        part = self.atom(depth)
        if self.takes("^", "**"):
            exponent = self.exponent()
            self.bounded(exponent * part.degree, exponent * part.bits)
            node = self.program.power(part.node, exponent)
            part = _Part(node, exponent * part.degree, exponent * part.bits)
            if self.kind == "sign" and self.word in ("^", "**"):
                self.refuse("a power of a power is ambiguous", "write parentheses")
        if sign == "-":
            part = _Part(self.program.negative(part.node), part.degree, part.bits)
        return part

    def exponent(self) -> int:
        if self.kind != "number" or not self.word.isdigit():
            self.refuse("an exponent is an integer 0, 1, 2, ...")
        if len(self.word) > 9 or int(self.word) > MAX_EXPONENT:
            self.refuse(f"exponents are at most {MAX_EXPONENT}", "take a smaller system")
        value = int(self.word)
        self.advance()
        return value

    def bounded(self, degree: int, size: int) -> None:
        if degree > MAX_EXPONENT:
            self.refuse(f"degrees are at most {MAX_EXPONENT}", "take a smaller system")
        if size > MAX_BITS:
            self.refuse(
                f"coefficients expand to at most {MAX_BITS} bits", "use shorter coefficients"
            )

    def atom(self, depth: int) -> _Part:
        word = self.word
        if self.kind == "number":
            value = rational(word, self.argument)
            self.advance()
            return _Part(self.program.constant(value), 0, bits(value))
        if self.kind == "name":
            if word in self.variables:
                self.advance()
                return _Part(self.program.variable(self.variables[word]), 1, 1)
            if word in self.imaginary:
                self.advance()
                return _Part(self.program.constant(Gaussian(*_IMAGINARY)), 0, 1)
            shown = ", ".join(list(self.variables)[:8])
            self.refuse(
                f"{word[:40]} is not one of the variables {shown}"
                + (", ..." if len(self.variables) > 8 else ""),
                "declare it, or correct it",
            )
        if not self.takes("("):
            self.refuse(_SYNTAX if self.kind != "end" else "the polynomial ends too early")
        if depth >= MAX_DEPTH:
            self.refuse(f"parentheses are at most {MAX_DEPTH} deep", "flatten the polynomial")
        part = self.sum(depth + 1)
        if not self.takes(")"):
            self.refuse("a parenthesis is not closed here")
        return part
