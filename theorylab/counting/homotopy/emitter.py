"""The text of LLVM IR functions on vectors of doubles, and the operations kernels are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Pair = tuple[str, str]
"""The names of a real and an imaginary vector."""


class Emitter:
    """The text of one function of IR, and the few instructions that the kernels are made of."""

    def __init__(self, width: int, arguments: Sequence[str]) -> None:
        self.width, self.arguments = width, arguments
        self.vector = f"<{width} x double>"
        self.lines: list[str] = []
        self.names = 0
        self.current = "entry"

    def name(self) -> str:
        self.names += 1
        return f"%v{self.names}"

    def set(self, expression: str) -> str:
        name = self.name()
        self.lines.append(f"{name} = {expression}")
        return name

    def two(self, operation: str, a: str, b: str) -> str:
        return self.set(f"{operation} contract {self.vector} {a}, {b}")

    def splat(self, number: float) -> str:
        bits = struct.unpack("<Q", struct.pack("<d", number))[0]
        return f"splat (double 0x{bits:016X})"

    def at(self, base: str, number: str | int) -> str:
        return self.set(f"getelementptr double, ptr {base}, i64 {number}")

    def place(self, base: str, vector: int) -> str:
        return self.at(base, vector * self.width)

    def load(self, base: str, vector: int) -> str:
        return self.set(f"load {self.vector}, ptr {self.place(base, vector)}, align 8")

    def store(self, value: str, base: str, vector: int) -> None:
        self.lines.append(f"store {self.vector} {value}, ptr {self.place(base, vector)}, align 8")

    def broadcast(self, base: str, number: int) -> str:
        pointer = self.at(base, number)
        return self.spread(self.set(f"load double, ptr {pointer}, align 8"))

    def spread(self, value: str) -> str:
        one = self.set(f"insertelement {self.vector} poison, double {value}, i32 0")
        mask = f"<{self.width} x i32> zeroinitializer"
        return self.set(f"shufflevector {self.vector} {one}, {self.vector} poison, {mask}")

    def pair(self, base: str, block: int) -> Pair:
        return self.load(base, 2 * block), self.load(base, 2 * block + 1)

    def put(self, value: Pair, base: str, block: int) -> None:
        self.store(value[0], base, 2 * block)
        self.store(value[1], base, 2 * block + 1)

    def times(self, a: Pair, b: Pair) -> Pair:
        re = self.two("fsub", self.two("fmul", a[0], b[0]), self.two("fmul", a[1], b[1]))
        return re, self.two("fadd", self.two("fmul", a[0], b[1]), self.two("fmul", a[1], b[0]))

    def less(self, a: Pair, b: Pair, c: Pair) -> Pair:
        """a - b c, as four operations that fuse."""
        re = self.two("fsub", a[0], self.two("fmul", b[0], c[0]))
        im = self.two("fsub", a[1], self.two("fmul", b[0], c[1]))
        re = self.two("fadd", re, self.two("fmul", b[1], c[1]))
        return re, self.two("fsub", im, self.two("fmul", b[1], c[0]))

    def square(self, a: Pair) -> str:
        return self.two("fadd", self.two("fmul", a[0], a[0]), self.two("fmul", a[1], a[1]))

    def select(self, mask: str, a: str, b: str) -> str:
        mask_type = f"<{self.width} x i1>"
        return self.set(f"select {mask_type} {mask}, {self.vector} {a}, {self.vector} {b}")

    def either(self, mask: str, a: Pair, b: Pair) -> Pair:
        return self.select(mask, a[0], b[0]), self.select(mask, a[1], b[1])

    def negative(self, a: str) -> str:
        return self.set(f"fneg {self.vector} {a}")

    def inverse(self, a: Pair, square: str) -> Pair:
        """1 / a, |a|^2 being known."""
        inverse = self.two("fdiv", self.splat(1), square)
        return self.two("fmul", a[0], inverse), self.negative(self.two("fmul", a[1], inverse))

    def plus(self, index: str, step: int) -> str:
        return self.set(f"add i64 {index}, {step}")

    def number(self, index: str) -> str:
        """An index as a vector of doubles."""
        return self.spread(self.set(f"sitofp i64 {index} to double"))

    def block(self, base: str, index: str, blocks: int = 1) -> str:
        """The address ``index`` times so many blocks after another one."""
        return self.at(base, self.set(f"mul i64 {index}, {2 * blocks * self.width}"))

    def compare(self, how: str, a: str, b: str) -> str:
        return self.set(f"fcmp {how} {self.vector} {a}, {b}")

    # Blocks

    def label(self) -> str:
        self.names += 1
        return f"b{self.names}"

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.current = label

    def jump(self, label: str) -> None:
        self.lines.append(f"br label %{label}")

    @contextmanager
    def where_any(self, mask: str) -> Iterator[None]:
        """Code that runs when any lane of the mask is set."""
        bits = self.set(f"bitcast <{self.width} x i1> {mask} to i{self.width}")
        some = self.set(f"icmp ne i{self.width} {bits}, 0")
        inside, after = self.label(), self.label()
        self.lines.append(f"br i1 {some}, label %{inside}, label %{after}")
        self.start(inside)
        yield
        self.jump(after)
        self.start(after)

    @contextmanager
    def each(self, mask: str, values: str, state: list[str]) -> Iterator[tuple[str, str]]:
        """A loop over the values, indices as doubles, of the lanes of a mask that has one: each
        distinct one once, as an integer, with its lanes; ``state`` holds vectors it carries."""
        bits = f"i{self.width}"
        everything = self.set(f"bitcast <{self.width} x i1> {mask} to {bits}")
        before, inside, after = self.current, self.label(), self.label()
        entering = list(state)
        self.jump(inside)
        self.start(inside)
        left, rest = self.name(), self.name()
        state[:] = names = [self.name() for _ in state]
        at = len(self.lines)
        lane = self.set(f"call {bits} @llvm.cttz.{bits}({bits} {left}, i1 true)")
        value = self.set(f"extractelement {self.vector} {values}, {bits} {lane}")
        same = self.compare("oeq", values, self.spread(value))
        here = self.set(f"and <{self.width} x i1> {same}, {mask}")
        yield self.set(f"fptosi double {value} to i64"), here
        self.lines[at:at] = [
            f"{name} = phi {kind} [ {a}, %{before} ], [ {b}, %{self.current} ]"
            for name, kind, a, b in zip(
                [left, *names],
                [bits, *[self.vector] * len(names)],
                [everything, *entering],
                [rest, *state],
                strict=True,
            )
        ]
        gone = self.set(f"bitcast <{self.width} x i1> {here} to {bits}")
        self.lines.append(f"{rest} = xor {bits} {left}, {gone}")
        more = self.set(f"icmp ne {bits} {rest}, 0")
        self.lines.append(f"br i1 {more}, label %{inside}, label %{after}")
        self.start(after)

    @contextmanager
    def loop(
        self, first: str | int, last: str | int, state: list[str] | None = None
    ) -> Iterator[str]:
        """A loop over first <= index < last, at least once; ``state`` holds vectors it carries."""
        before, inside, after = self.current, self.label(), self.label()
        carried = [] if state is None else state
        entering = list(carried)
        self.jump(inside)
        self.start(inside)
        index, following = self.name(), self.name()
        names = [self.name() for _ in carried]
        carried[:] = names
        at = len(self.lines)
        yield index
        self.lines[at:at] = [
            f"{name} = phi {kind} [ {a}, %{before} ], [ {b}, %{self.current} ]"
            for name, kind, a, b in zip(
                [index, *names],
                ["i64", *[self.vector] * len(names)],
                [first, *entering],
                [following, *carried],
                strict=True,
            )
        ]
        self.lines.append(f"{following} = add i64 {index}, 1")
        done = self.set(f"icmp eq i64 {following}, {last}")
        self.lines.append(f"br i1 {done}, label %{after}, label %{inside}")
        self.start(after)

    def function(self, name: str) -> str:
        bits = 64 * self.width
        arguments = ", ".join(f"ptr noalias %{argument}" for argument in self.arguments)
        wide = f'"min-legal-vector-width"="{bits}" "prefer-vector-width"="{bits}"'
        head = f"define void @{name}({arguments}) nounwind noinline {wide} {{"
        return "\n".join([head, "entry:", *self.lines, "ret void", "}"])
