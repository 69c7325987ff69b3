"""Straight-line programs: polynomials as a hash-consed graph of +, - and *, never expanded.

Nodes are numbered in the order in which they are made, so that order is always topological, and
a node never changes once it exists: programs only grow, and everything derived is cached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from flint import fmpq

from theorylab.counting.gaussian import Gaussian, Scalar, scalar
from theorylab.outcome import InputError

CONSTANT: Final = 0
VARIABLE: Final = 1
PARAMETER: Final = 2
ADD: Final = 3
SUB: Final = 4
MUL: Final = 5

Complexes = npt.NDArray[np.complex128]
_ZERO, _ONE = fmpq(0), fmpq(1)
# Registers of one chunk of a batch: small enough to stay in the second-level cache.
_CHUNK_NUMBERS = 1 << 16


class Program:
    """A growing graph of constants, variables, parameters, sums, differences and products.

    Each method that makes a node returns its number; equal expressions get the same number, and
    constants in Q(i) are folded exactly. ``kinds``, ``left`` and ``right`` describe node v:
    operands of ADD, SUB, MUL, or in ``left`` the index of a constant, variable or parameter.

    >>> p = Program()
    >>> x, y = p.variable(0), p.variable(1)
    >>> p.add(x, y) == p.add(y, x), p.sub(x, x) == p.constant(0)
    (True, True)
    >>> square = p.power(p.add(x, y), 2)
    >>> p.tape(p.gradient(square, [x, y])).run([fmpq(1), fmpq(1, 2)])
    (3, 3)
    """

    __slots__ = ("_index", "_memo", "constants", "kinds", "left", "right")

    def __init__(self) -> None:
        self.kinds: list[int] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.constants: list[Scalar] = []
        self._index: dict[object, int] = {}
        self._memo: dict[object, Any] = {}

    def __len__(self) -> int:
        return len(self.kinds)

    def _node(self, kind: int, a: int, b: int) -> int:
        key = (kind, a, b)
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.kinds)
            self.kinds.append(kind)
            self.left.append(a)
            self.right.append(b)
        return found

    def constant(self, value: Any) -> int:
        """The node of an exact number: int, fmpq or Gaussian."""
        exact = scalar(value)
        place = self._index.get(exact)
        if place is None:
            place = self._index[exact] = self._node(CONSTANT, len(self.constants), 0)
            self.constants.append(exact)
        return place

    def variable(self, i: int) -> int:
        """The node of unknown i = 0, 1, ..."""
        return self._node(VARIABLE, i, 0)

    def parameter(self, i: int) -> int:
        """The node of parameter i = 0, 1, ...: a number that is given only at evaluation."""
        return self._node(PARAMETER, i, 0)

    def value(self, node: int) -> Scalar | None:
        """The number a constant node stands for, None for the others."""
        return self.constants[self.left[node]] if self.kinds[node] == CONSTANT else None

    def add(self, a: int, b: int) -> int:
        """a + b."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.constant(x + y)
        if x == _ZERO:
            return b
        if y == _ZERO:
            return a
        return self._node(ADD, a, b) if a <= b else self._node(ADD, b, a)

    def sub(self, a: int, b: int) -> int:
        """a - b."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.constant(x - y)
        if a == b:
            return self.constant(0)
        if y == _ZERO:
            return a
        return self.negative(b) if x == _ZERO else self._node(SUB, a, b)

    def negative(self, a: int) -> int:
        """-a."""
        if self.kinds[a] == SUB:
            return self._node(SUB, self.right[a], self.left[a])
        return self.mul(self.constant(-1), a)

    def mul(self, a: int, b: int) -> int:
        """a b."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.constant(x * y)
        if y is not None:
            a, b, x = b, a, y
        if x is None:
            return self._node(MUL, a, b) if a <= b else self._node(MUL, b, a)
        if x == _ZERO:
            return a
        if x == _ONE:
            return b
        # A constant is kept as the left factor, so that constants meet and fold.
        if self.kinds[b] == MUL and (inner := self.value(self.left[b])) is not None:
            return self.mul(self.constant(x * inner), self.right[b])
        return self._node(MUL, a, b)

    def power(self, a: int, exponent: int) -> int:
        """a^exponent for an integer exponent >= 0, as a chain of squarings."""
        result = self.constant(1)
        while exponent:
            if exponent & 1:
                result = self.mul(result, a)
            exponent >>= 1
            if exponent:
                a = self.mul(a, a)
        return result

    def total(self, nodes: Sequence[int]) -> int:
        """The sum as a balanced tree, which keeps the program shallow; 0 for none."""
        terms = list(nodes) or [self.constant(0)]
        while len(terms) > 1:
            odd = terms[-1:] if len(terms) % 2 else []
            terms = [self.add(terms[i], terms[i + 1]) for i in range(0, len(terms) - 1, 2)] + odd
        return terms[0]

    def reachable(self, outputs: Iterable[int]) -> list[int]:
        """All nodes that the outputs depend on, in topological order."""
        kinds, left, right = self.kinds, self.left, self.right
        seen: set[int] = set()
        stack = list(outputs)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                if kinds[node] >= ADD:
                    stack.append(left[node])
                    stack.append(right[node])
        return sorted(seen)

    def gradient(self, output: int, wrt: Sequence[int]) -> tuple[int, ...]:
        """The derivatives of one output with respect to variables or parameters (reverse mode).

        Guarantees: exact as polynomials. The work is a small multiple of the size of the output.
        """
        order = self.reachable([output])
        depends = set(wrt)
        for v in order:
            if self.kinds[v] >= ADD and (self.left[v] in depends or self.right[v] in depends):
                depends.add(v)
        adjoint: dict[int, int] = {output: self.constant(1)}

        def accumulate(node: int, amount: int) -> None:
            if node in depends:
                before = adjoint.get(node)
                adjoint[node] = amount if before is None else self.add(before, amount)

        for v in reversed(order):
            kind, g = self.kinds[v], adjoint.get(v)
            if g is None or kind < ADD or v not in depends:
                continue
            a, b = self.left[v], self.right[v]
            if kind == MUL and a == b:
                accumulate(a, self.mul(self.constant(2), self.mul(g, a)))
            elif kind == MUL:
                accumulate(a, self.mul(g, b))
                accumulate(b, self.mul(g, a))
            else:
                accumulate(a, g)
                accumulate(b, g if kind == ADD else self.negative(g))
        zero = self.constant(0)
        return tuple(adjoint.get(w, zero) for w in wrt)

    def jacobian(self, outputs: Sequence[int], wrt: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """One gradient for each output; cached."""
        key = ("jacobian", tuple(outputs), tuple(wrt))
        found: tuple[tuple[int, ...], ...] | None = self._memo.get(key)
        if found is None:
            found = self._memo[key] = tuple(self.gradient(output, wrt) for output in outputs)
        return found

    def degrees(self, outputs: Sequence[int], block: frozenset[int]) -> tuple[int, ...]:
        """Upper bounds of the degrees of the outputs in these variables, read off the graph."""
        key = ("degrees", tuple(outputs), block)
        found: tuple[int, ...] | None = self._memo.get(key)
        if found is None:
            degree: dict[int, int] = {}
            for v in self.reachable(outputs):
                kind, a, b = self.kinds[v], self.left[v], self.right[v]
                if kind < ADD:
                    degree[v] = int(kind == VARIABLE and a in block)
                else:
                    x, y = degree[a], degree[b]
                    degree[v] = x + y if kind == MUL else max(x, y)
            found = self._memo[key] = tuple(degree[v] for v in outputs)
        return found

    def tape(self, outputs: Sequence[int]) -> Tape:
        """The instructions that compute these outputs; cached."""
        key = ("tape", tuple(outputs))
        found: Tape | None = self._memo.get(key)
        if found is None:
            found = self._memo[key] = self._taped(tuple(outputs))
        return found

    def _taped(self, outputs: tuple[int, ...]) -> Tape:
        order = self.reachable(outputs)
        constants: list[Scalar] = []
        register: dict[int, int] = {}
        level: dict[int, int] = {}
        sizes = {VARIABLE: 0, PARAMETER: 0}
        operations = []
        for v in order:
            kind, a = self.kinds[v], self.left[v]
            if kind == CONSTANT:
                register[v] = len(constants)
                constants.append(self.constants[a])
            elif kind < ADD:
                sizes[kind] = max(sizes[kind], a + 1)
            else:
                level[v] = 1 + max(level.get(a, 0), level.get(self.right[v], 0))
                operations.append(v)
        # Operations of one level are independent: kind by kind they become one array operation.
        operations.sort(key=lambda v: (level[v], self.kinds[v], v))
        first = len(constants)
        for v in order:
            if self.kinds[v] == VARIABLE:
                register[v] = first + self.left[v]
            elif self.kinds[v] == PARAMETER:
                register[v] = first + sizes[VARIABLE] + self.left[v]
        start = first + sizes[VARIABLE] + sizes[PARAMETER]
        for offset, v in enumerate(operations):
            register[v] = start + offset
        steps = tuple(
            (self.kinds[v], register[self.left[v]], register[self.right[v]]) for v in operations
        )
        cuts = [
            i
            for i in range(1, len(operations))
            if (level[operations[i]], steps[i][0]) != (level[operations[i - 1]], steps[i - 1][0])
        ]
        spans = tuple(zip([0, *cuts], [*cuts, len(operations)], strict=True)) if steps else ()
        return Tape(
            tuple(constants),
            sizes[VARIABLE],
            sizes[PARAMETER],
            steps,
            spans,
            tuple(register[v] for v in outputs),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Instructions over registers: constants, then variables, then parameters, then one each.

    ``steps[i]`` = (kind, left register, right register) fills register ``start + i``; ``spans``
    cuts the steps into runs of independent steps of one kind.
    """

    constants: tuple[Scalar, ...]
    variables: int
    parameters: int
    steps: tuple[tuple[int, int, int], ...]
    spans: tuple[tuple[int, int], ...]
    outputs: tuple[int, ...]
    _arrays: list[tuple[Complexes, npt.NDArray[np.intp]]] = field(default_factory=list, repr=False)

    @property
    def start(self) -> int:
        """The register of the first step."""
        return len(self.constants) + self.variables + self.parameters

    @property
    def is_real(self) -> bool:
        """Whether all constants are rational."""
        return not any(isinstance(c, Gaussian) for c in self.constants)

    @property
    def operations(self) -> tuple[int, int]:
        """How many additions and subtractions, and how many products."""
        products = sum(1 for kind, _, _ in self.steps if kind == MUL)
        return len(self.steps) - products, products

    def run(
        self,
        variables: Sequence[Any],
        parameters: Sequence[Any] = (),
        constants: Sequence[Any] | None = None,
        times: Callable[[Any, Any], Any] | None = None,
    ) -> tuple[Any, ...]:
        """The outputs over any ring with +, -, * (its own ``times`` if given).

        ``constants`` are the tape's constants in that ring, by default the exact ones.
        """
        values: list[Any] = [
            *(self.constants if constants is None else constants),
            *variables[: self.variables],
            *parameters[: self.parameters],
        ]
        keep = values.append
        for kind, a, b in self.steps:
            if kind == MUL:
                keep(values[a] * values[b] if times is None else times(values[a], values[b]))
            elif kind == ADD:
                keep(values[a] + values[b])
            else:
                keep(values[a] - values[b])
        return tuple(values[v] for v in self.outputs)

    def run_batch(self, variables: Complexes, parameters: Complexes) -> Complexes:
        """The outputs (batch x outputs) in complex double, at points given as rows.

        ``parameters`` has one row for each point, or a single row for all. Guarantees: none, this
        is floating point; overflow gives inf or nan. InputError for constants beyond double.
        """
        batch = variables.shape[0]
        result = np.empty((batch, len(self.outputs)), dtype=np.complex128)
        if not self._arrays:
            operands = np.array([step[1:] for step in self.steps], dtype=np.intp).reshape(-1, 2)
            self._arrays.append((to_complex(self.constants), operands))
        fixed, gather = self._arrays[0]
        start, count = self.start, self.start + len(self.steps)
        size = max(16, _CHUNK_NUMBERS // max(count, 1))
        registers = np.empty((count, min(size, batch)), dtype=np.complex128)
        first, last = len(fixed), len(fixed) + self.variables
        registers[:first] = fixed[:, None]
        with np.errstate(all="ignore"):
            for low in range(0, batch, size):
                high = min(low + size, batch)
                values = registers[:, : high - low]
                values[first:last] = variables[low:high, : self.variables].T
                shared = parameters if parameters.shape[0] == 1 else parameters[low:high]
                values[last:start] = shared[:, : self.parameters].T
                for i, j in self.spans:
                    target = values[start + i : start + j]
                    if j - i == 1:
                        a, b = values[gather[i, 0]], values[gather[i, 1]]
                        target = target[0]
                    else:
                        a, b = values[gather[i:j, 0]], values[gather[i:j, 1]]
                    _ARRAY[self.steps[i][0]](a, b, out=target)
                result[low:high] = values[list(self.outputs)].T
        return result


_ARRAY: Final[dict[int, np.ufunc]] = {ADD: np.add, SUB: np.subtract, MUL: np.multiply}


def _double(value: Scalar) -> complex:
    if isinstance(value, Gaussian):
        return complex(_double(value.re).real, _double(value.im).real)
    try:
        # Division of Python integers rounds correctly, however long they are.
        return complex(int(value.p) / int(value.q))
    except OverflowError:
        raise InputError(
            "coefficient",
            f"{len(str(value))} characters",
            "numerical evaluation needs coefficients below 1.8e308",
            "scale the system, or evaluate it exactly or in balls",
        ) from None


def to_complex(values: Sequence[Scalar]) -> Complexes:
    """The numbers rounded to complex double, as a vector. InputError for those beyond it."""
    return np.array([_double(value) for value in values], dtype=np.complex128)
