"""Programs as vector machine code: LLVM IR over W paths at a time, compiled in memory.

Three kernels, called by address with arrays of doubles in blocks [2][W] (see ``lanes``)::

    evaluate(x, t, p, c, H, J, scratch)    H and dH/dx
    tangent(x, t, p, c, Ht, J, scratch)    dH/dt and dH/dx
    solve(A, b, scratch)                   b <- A^{-1} b, A is overwritten

x [N], t [1], p [P], H and Ht [n], A [N][N], b [N] are blocks; J is the first n rows of N blocks.
c [C][2] are the constants of the program: only integers up to 16 are part of the code, so that
equal graphs share it whatever their data. No sum runs across lanes and every lane takes the same
instructions, so the numbers of a path do not depend on the lane it is in.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from llvmlite import binding

from theorylab.counting.gaussian import Gaussian, Scalar
from theorylab.counting.homotopy.elimination import elimination
from theorylab.counting.homotopy.emitter import Emitter
from theorylab.counting.homotopy.engine import Floats
from theorylab.counting.homotopy.homotopy import Homotopy
from theorylab.counting.homotopy.lanes import lanes as chosen_lanes
from theorylab.counting.homotopy.lanes import native
from theorylab.counting.program import (
    ADD,
    CONSTANT,
    MUL,
    PARAMETER,
    SUB,
    VARIABLE,
    to_complex,
)
from theorylab.counting.system import Program

_BAKED: Final = 16
_CACHED: Final = 128
_SYMBOL: Final = "kernel"
_PART: Final = 1000
_EVALUATION: Final = ("x", "t", "p", "c", "h", "j", "scratch")
LIMIT: Final = 12_000
"""Operations from which on a program is interpreted instead: compiling would take seconds."""


class _Code:
    """Machine code in memory, alive as long as this object is."""

    __slots__ = ("address", "engine", "scratch")

    def __init__(self, text: str, scratch: int) -> None:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        module = binding.parse_assembly(text)
        target = binding.Target.from_triple(binding.get_process_triple())
        machine = target.create_target_machine(
            cpu=binding.get_host_cpu_name(),
            features=binding.get_host_cpu_features().flatten(),
            opt=2,
            codemodel="jitdefault",
            jit=True,
        )
        self.scratch = scratch
        self.engine = binding.create_mcjit_compiler(module, machine)
        self.engine.finalize_object()
        self.address: int = self.engine.get_function_address(_SYMBOL)


# Programs


@dataclass(frozen=True, slots=True)
class _Graph:
    """The nodes that some outputs need, renumbered, constants as integers or slots.

    Entries are ("k", re, im) for baked integers, ("c", slot, is real), ("x", i), ("t",),
    ("p", i) and (ADD | SUB | MUL, left, right).
    """

    nodes: tuple[tuple[Any, ...], ...]
    outputs: tuple[int, ...]


def _baked(value: Scalar) -> tuple[int, int] | None:
    parts = (value.re, value.im) if isinstance(value, Gaussian) else (value, 0)
    if all(part == int(part) and abs(part) <= _BAKED for part in parts):
        return int(parts[0]), int(parts[1])
    return None


def _graph(program: Program, outputs: Sequence[int], slots: dict[int, int]) -> _Graph:
    number: dict[int, int] = {}
    nodes: list[tuple[Any, ...]] = []
    for v in program.reachable(outputs):
        kind, a, b = program.kinds[v], program.left[v], program.right[v]
        number[v] = len(nodes)
        if kind == CONSTANT:
            small = _baked(program.constants[a])
            if small is not None:
                nodes.append(("k", *small))
            else:
                slot = slots.setdefault(a, len(slots))
                nodes.append(("c", slot, not isinstance(program.constants[a], Gaussian)))
        elif kind == VARIABLE:
            nodes.append(("x", a))
        elif kind == PARAMETER:
            nodes.append(("p", a - 1) if a else ("t",))
        else:
            nodes.append((kind, number[a], number[b]))
    return _Graph(tuple(nodes), tuple(number[v] for v in outputs))


class _Evaluation:
    """IR that computes the outputs of a graph, the first ``equations`` into h, the others into j.

    Operations run depth first from one output to the next, so that few values wait in registers.
    The time of a compiler grows faster than the length of a function: longer programs are cut into
    parts, and what a later part needs goes through ``scratch``.
    """

    def __init__(self, graph: _Graph, equations: int, width: int, real_t: bool) -> None:
        self.graph, self.equations, self.width, self.real_t = graph, equations, width, real_t
        self.operands = [
            tuple(node[1:]) if isinstance(node[0], int) else () for node in graph.nodes
        ]
        self.real: list[bool] = []
        for node, below in zip(graph.nodes, self.operands, strict=True):
            match node:
                case ("k", _, im):
                    self.real.append(im == 0)
                case ("c", _, real):
                    self.real.append(real)
                case ("t",):
                    self.real.append(real_t)
                case _:
                    self.real.append(bool(below) and all(self.real[w] for w in below))
        steps = self.order()
        self.parts = [steps[k : k + _PART] for k in range(0, len(steps), _PART)]
        self.slot, self.slots = self.kept()

    def order(self) -> list[tuple[int, int]]:
        """What is done in turn: (node, -1), node computed, or (node, k), stored as output k."""
        # The operand that needs more registers first.
        size = [0] * len(self.operands)
        for v, below in enumerate(self.operands):
            ranked = sorted((size[w] for w in below), reverse=True)
            size[v] = max((s + i for i, s in enumerate(ranked)), default=1)
        found: list[tuple[int, int]] = []
        done: set[int] = set()
        for k, output in enumerate(self.graph.outputs):
            stack = [output]
            while stack:
                v = stack[-1]
                missing = [w for w in self.operands[v] if self.operands[w] and w not in done]
                if v in done or not self.operands[v]:
                    stack.pop()
                elif missing:
                    stack.extend(sorted(missing, key=size.__getitem__))
                else:
                    stack.pop()
                    done.add(v)
                    found.append((v, -1))
            found.append((output, k))
        return found

    def uses(self, step: tuple[int, int]) -> tuple[int, ...]:
        return self.operands[step[0]] if step[1] < 0 else step[:1]

    def kept(self) -> tuple[dict[int, int], int]:
        """The place in ``scratch`` of each value that a later part needs, and their number."""
        made, last = {}, {}
        for k, part in enumerate(self.parts):
            for step in part:
                last.update(dict.fromkeys(self.uses(step), k))
                if step[1] < 0:
                    made[step[0]] = k
        slot: dict[int, int] = {}
        free: list[int] = []
        top = 0
        for k, part in enumerate(self.parts):
            for v, output in part:
                if output < 0 and last[v] > k:
                    if not free:
                        free, top = [top], top + 1
                    slot[v] = free.pop()
            free += [at for v, at in slot.items() if last[v] == k]
        return slot, top

    def write(self) -> str:
        names = [f"part{k}" for k in range(len(self.parts))]
        if len(names) == 1:
            return self.part(self.parts[0], _SYMBOL)
        whole = Emitter(self.width, _EVALUATION)
        for name in names:
            whole.lines.append(f"call void @{name}({', '.join(f'ptr %{a}' for a in _EVALUATION)})")
        texts = [self.part(part, name) for part, name in zip(self.parts, names, strict=True)]
        return "\n".join([*texts, whole.function(_SYMBOL)])

    def part(self, steps: Sequence[tuple[int, int]], name: str) -> str:
        f = Emitter(self.width, _EVALUATION)
        value: dict[int, tuple[str, str | None]] = {}
        zero = f.splat(0)
        for step in steps:
            for v in self.uses(step):
                if v not in value:
                    value[v] = self.read(f, v)
            v, k = step
            if k < 0:
                value[v] = self.operation(f, v, value)
                if v in self.slot:
                    re, im = value[v]
                    f.put((re, zero if im is None else im), "%scratch", self.slot[v])
            else:
                re, im = value[v]
                base, at = ("%h", k) if k < self.equations else ("%j", k - self.equations)
                f.put((re, zero if im is None else im), base, at)
        return f.function(name)

    def read(self, f: Emitter, v: int) -> tuple[str, str | None]:
        """A variable, parameter, constant or a value from an earlier part; no im if it is real."""
        match self.graph.nodes[v]:
            case ("k", re, im):
                return f.splat(re), f.splat(im) if im else None
            case ("c", slot, real):
                re = f.broadcast("%c", 2 * slot)
                return re, None if real else f.broadcast("%c", 2 * slot + 1)
            case ("t",):
                base, at = "%t", 0
            case (str(letter), i):
                base, at = f"%{letter}", i
            case _:
                base, at = "%scratch", self.slot[v]
        return f.load(base, 2 * at), None if self.real[v] else f.load(base, 2 * at + 1)

    def operation(
        self, f: Emitter, v: int, value: dict[int, tuple[str, str | None]]
    ) -> tuple[str, str | None]:
        kind, a, b = self.graph.nodes[v]
        (ar, ai), (br, bi) = value[a], value[b]
        if kind != MUL:
            name = "fadd" if kind == ADD else "fsub"
            re = f.two(name, ar, br)
            if ai is not None and bi is not None:
                return re, f.two(name, ai, bi)
            if bi is not None and kind == SUB:
                return re, f.negative(bi)
            return re, ai if bi is None else bi
        if self.graph.nodes[a] == ("k", -1, 0):
            return f.negative(br), None if bi is None else f.negative(bi)
        if ai is not None and bi is not None:
            if a == b:
                re = f.two("fsub", f.two("fmul", ar, ar), f.two("fmul", ai, ai))
                return re, f.two("fmul", f.two("fadd", ar, ar), ai)
            return f.times((ar, ai), (br, bi))
        re = f.two("fmul", ar, br)
        if ai is not None:
            return re, f.two("fmul", ai, br)
        return re, None if bi is None else f.two("fmul", ar, bi)


# Kernels


@dataclass(frozen=True, slots=True, eq=False)
class Kernels:
    """Addresses of the three kernels of a homotopy, and the constants that they are called with.

    ``scratch`` is the number of doubles the kernels need for themselves. The addresses hold as
    long as this object is alive. ``seconds`` went into compiling, 0 where all was cached.
    """

    lanes: int
    evaluate: int
    tangent: int
    solve: int
    constants: Floats
    scratch: int
    seconds: float
    _code: tuple[_Code, ...]


def operations(homotopy: Homotopy) -> int:
    """How many sums and products the larger of evaluate and tangent has."""
    entries = [node for row in homotopy.by_x() for node in row]
    return max(
        sum(1 for v in homotopy.program.reachable([*some, *entries])
            if homotopy.program.kinds[v] >= ADD)
        for some in (homotopy.outputs, homotopy.by_t())
    )  # fmt: skip


def kernels(
    homotopy: Homotopy, lanes: int | None = None, real_t: bool = True, limit: int = LIMIT
) -> Kernels | None:
    """The kernels of a homotopy for this number of lanes (see ``lanes.lanes``).

    With ``real_t`` the imaginary part of t is not read. None where the processor has no vectors
    of doubles or the program has more than ``limit`` operations: then interpret it.
    """
    width = chosen_lanes(lanes)
    if not native() or operations(homotopy) > limit:
        return None
    program, n = homotopy.program, homotopy.equations
    entries = [node for row in homotopy.by_x() for node in row]
    slots: dict[int, int] = {}
    found = []
    for some in (homotopy.outputs, homotopy.by_t()):
        graph = _graph(program, [*some, *entries], slots)
        key = ("evaluation", graph, n, width, real_t)
        found.append(_compiled(key, partial(_evaluation, graph, n, width, real_t)))
    size = homotopy.dimension
    found.append(_compiled(("solution", size, width), partial(_solution, size, width)))
    numbers = to_complex([program.constants[a] for a in slots])
    evaluate, tangent, solve = (code for code, _ in found)
    return Kernels(
        width,
        evaluate.address,
        tangent.address,
        solve.address,
        np.stack([numbers.real, numbers.imag], axis=1).reshape(-1, 2),
        max(evaluate.scratch, tangent.scratch, 1),
        sum(seconds for _, seconds in found),
        (evaluate, tangent, solve),
    )


def _evaluation(graph: _Graph, equations: int, width: int, real_t: bool) -> _Code:
    made = _Evaluation(graph, equations, width, real_t)
    return _Code(made.write(), 2 * width * made.slots)


def _solution(size: int, width: int) -> _Code:
    return _Code(elimination(size, width, _SYMBOL), 0)


_lock = threading.Lock()
_cache: OrderedDict[bytes, _Code] = OrderedDict()


def _compiled(key: tuple[object, ...], make: Callable[[], _Code]) -> tuple[_Code, float]:
    """The code of this key, made unless it is in memory already, and the seconds that took."""
    name = hashlib.sha256(repr(key).encode()).digest()
    with _lock:
        found = _cache.get(name)
        if found is not None:
            _cache.move_to_end(name)
            return found, 0.0
        begun = time.perf_counter()
        _cache[name] = found = make()
        while len(_cache) > _CACHED:
            _cache.popitem(last=False)
        return found, time.perf_counter() - begun


def forget() -> None:
    """Drop all code from memory, so that a measurement can begin cold."""
    with _lock:
        _cache.clear()
