"""Vector instructions for numba: W paths at a time, as explicit <W x double> operations.

A complex block is W real parts and then W imaginary parts. Memory is given as the address of its
first double (``array.ctypes.data`` of a C-contiguous float64 array, aligned to 64 bytes for speed)
and is counted in blocks (2 W doubles) or vectors (W doubles). W is the length of the tuple
``tag``, so that it is a constant of the compiled code. Written out because a compiler cannot know
that two numpy arrays do not overlap, and because numba counts references to arrays even in
innermost loops. No sum ever runs across lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic as _numba_intrinsic

_DOUBLE = ir.DoubleType()
# Seen from compiled code an intrinsic lacks its first argument: no type says so.
intrinsic: Callable[..., Any] = _numba_intrinsic
cgutils: Any = _cgutils
_INT = ir.IntType(64)


class Lanes:
    """One emission: loads and stores of vectors, and complex arithmetic on pairs of them."""

    def __init__(self, builder: Any, tag: Any) -> None:
        self.builder = builder
        self.width = len(tag)
        self.type = ir.VectorType(_DOUBLE, self.width)

    def place(self, pointer: Any, vector: Any) -> Any:
        at = self.builder.mul(vector, ir.Constant(_INT, self.width))
        return self.builder.bitcast(self.builder.gep(pointer, [at]), self.type.as_pointer())

    def load(self, pointer: Any, vector: Any) -> Any:
        return self.builder.load(self.place(pointer, vector), align=8)

    def store(self, value: Any, pointer: Any, vector: Any) -> None:
        self.builder.store(value, self.place(pointer, vector), align=8)

    def pair(self, pointer: Any, block: Any) -> tuple[Any, Any]:
        """Real and imaginary vector of a block."""
        at = self.builder.shl(block, ir.Constant(_INT, 1))
        after = self.builder.add(at, ir.Constant(_INT, 1))
        return self.load(pointer, at), self.load(pointer, after)

    def put(self, value: tuple[Any, Any], pointer: Any, block: Any) -> None:
        at = self.builder.shl(block, ir.Constant(_INT, 1))
        self.store(value[0], pointer, at)
        self.store(value[1], pointer, self.builder.add(at, ir.Constant(_INT, 1)))

    def splat(self, value: Any) -> Any:
        zero = ir.Constant(ir.IntType(32), 0)
        one = self.builder.insert_element(ir.Constant(self.type, ir.Undefined), value, zero)
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        return self.builder.shuffle_vector(one, ir.Constant(self.type, ir.Undefined), mask)

    def times(self, a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
        f = self.builder
        re = f.fsub(f.fmul(a[0], b[0]), f.fmul(a[1], b[1]))
        return re, f.fadd(f.fmul(a[0], b[1]), f.fmul(a[1], b[0]))

    def minus(self, a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
        return self.builder.fsub(a[0], b[0]), self.builder.fsub(a[1], b[1])

    def square(self, a: tuple[Any, Any]) -> Any:
        f = self.builder
        return f.fadd(f.fmul(a[0], a[0]), f.fmul(a[1], a[1]))

    def argument(self, letter: str, value: Any) -> Any:
        """An argument as it is used: addresses become pointers."""
        kind = _INT if letter == "g" else _DOUBLE
        return self.builder.inttoptr(value, kind.as_pointer()) if letter in "pg" else value

    def root(self, value: Any) -> Any:
        kind = ir.FunctionType(self.type, [self.type])
        name = f"llvm.sqrt.v{self.width}f64"
        return self.builder.call(
            cgutils.get_or_insert_function(self.builder.module, kind, name), [value]
        )

    def larger(self, a: Any, b: Any) -> Any:
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def integer(self, value: int) -> Any:
        return ir.Constant(_INT, value)

    def loop(self, first: Any, last: Any) -> Any:
        """for index in range(first, last)"""
        return cgutils.for_range_slice(self.builder, first, last, self.integer(1))

    def accumulator(self) -> Any:
        """A vector variable, zero at first."""
        place = cgutils.alloca_once(self.builder, self.type)
        self.builder.store(ir.Constant(self.type, [0.0] * self.width), place)
        return place


def typed(emit: Callable[..., None], letters: str, tag: Any) -> Any:
    """Signature and code of an intrinsic on a tag and what the letters say: p is an address of
    doubles, g one of int64, i an integer and f a double."""
    kinds = [types.float64 if letter == "f" else types.intp for letter in letters]

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        lanes = Lanes(builder, signature.args[0])
        emit(lanes, *map(lanes.argument, letters, values[1:]))
        return context.get_dummy_value()

    return types.none(tag, *kinds), generate


# Single numbers: that of one lane in a vector.


@intrinsic
def read(_context: Any, tag: Any, of: Any, vector: Any, lane: Any) -> Any:
    """The number of a lane in a vector."""

    def generate(_target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_number(builder, len(signature.args[0]), *values[1:]))

    return types.float64(tag, types.intp, types.intp, types.intp), generate


@intrinsic
def write(_context: Any, tag: Any, to: Any, vector: Any, lane: Any, value: Any) -> Any:
    """Put a number into a lane of a vector."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[4], _number(builder, len(signature.args[0]), *values[1:4]))
        return context.get_dummy_value()

    return types.none(tag, types.intp, types.intp, types.intp, types.float64), generate


@intrinsic
def number(_context: Any, address: Any, index: Any) -> Any:
    """One double of an array by its address."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.load(
            builder.gep(builder.inttoptr(values[0], _DOUBLE.as_pointer()), [values[1]])
        )

    return types.float64(types.intp, types.intp), generate


@intrinsic
def code(_context: Any, address: Any, index: Any) -> Any:
    """One int32 of an array by its address."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        kind = ir.IntType(32)
        found = builder.load(
            builder.gep(builder.inttoptr(values[0], kind.as_pointer()), [values[1]])
        )
        return builder.sext(found, _INT)

    return types.int64(types.intp, types.intp), generate


def _number(builder: Any, width: int, address: Any, vector: Any, lane: Any) -> Any:
    at = builder.add(builder.mul(vector, ir.Constant(_INT, width)), lane)
    return builder.gep(builder.inttoptr(address, _DOUBLE.as_pointer()), [at])


# Arithmetic on blocks of one register file: r[d] = r[a] op r[b].


def _add(f: Lanes, r: Any, d: Any, a: Any, b: Any) -> None:
    (ar, ai), (br, bi) = f.pair(r, a), f.pair(r, b)
    f.put((f.builder.fadd(ar, br), f.builder.fadd(ai, bi)), r, d)


def _sub(f: Lanes, r: Any, d: Any, a: Any, b: Any) -> None:
    f.put(f.minus(f.pair(r, a), f.pair(r, b)), r, d)


def _mul(f: Lanes, r: Any, d: Any, a: Any, b: Any) -> None:
    f.put(f.times(f.pair(r, a), f.pair(r, b)), r, d)


def _scale(f: Lanes, r: Any, d: Any, a: Any, b: Any) -> None:
    re, im = f.pair(r, a)
    by = f.load(r, f.builder.shl(b, f.integer(1)))
    f.put((f.builder.fmul(re, by), f.builder.fmul(im, by)), r, d)


@intrinsic
def add(_context: Any, tag: Any, r: Any, d: Any, a: Any, b: Any) -> Any:
    """Block d of r becomes block a + block b."""
    return typed(_add, "piii", tag)


@intrinsic
def subtract(_context: Any, tag: Any, r: Any, d: Any, a: Any, b: Any) -> Any:
    """Block d of r becomes block a - block b."""
    return typed(_sub, "piii", tag)


@intrinsic
def multiply(_context: Any, tag: Any, r: Any, d: Any, a: Any, b: Any) -> Any:
    """Block d of r becomes block a times block b."""
    return typed(_mul, "piii", tag)


@intrinsic
def scale(_context: Any, tag: Any, r: Any, d: Any, a: Any, b: Any) -> Any:
    """Block d of r becomes block a times the real part of block b."""
    return typed(_scale, "piii", tag)


# Moving and combining whole arrays


def _copy(f: Lanes, to: Any, d: Any, of: Any, a: Any, count: Any) -> None:
    with f.loop(f.integer(0), count) as (k, _):
        f.store(f.load(of, f.builder.add(a, k)), to, f.builder.add(d, k))


def _axpy(f: Lanes, to: Any, x: Any, s: Any, c: Any, y: Any, count: Any) -> None:
    factor = f.builder.fmul(f.splat(c), f.load(s, f.integer(0)))
    with f.loop(f.integer(0), count) as (k, _):
        f.store(f.builder.fadd(f.load(x, k), f.builder.fmul(factor, f.load(y, k))), to, k)


def _plus(f: Lanes, to: Any, c: Any, y: Any, count: Any) -> None:
    factor = f.splat(c)
    with f.loop(f.integer(0), count) as (k, _):
        f.store(f.builder.fadd(f.load(to, k), f.builder.fmul(factor, f.load(y, k))), to, k)


def _turn(f: Lanes, to: Any, by: Any, count: Any) -> None:
    z = f.pair(by, f.integer(0))
    with f.loop(f.integer(0), count) as (k, _):
        f.put(f.times(f.pair(to, k), z), to, k)


def _clear(f: Lanes, to: Any, d: Any, count: Any) -> None:
    with f.loop(f.integer(0), count) as (k, _):
        f.store(ir.Constant(f.type, [0.0] * f.width), to, f.builder.add(d, k))


def _size(f: Lanes, to: Any, x: Any, weight: Any, count: Any) -> None:
    total = f.accumulator()
    with f.loop(f.integer(0), count) as (k, _):
        square = f.builder.fmul(f.square(f.pair(x, k)), f.load(weight, k))
        f.builder.store(f.builder.fadd(f.builder.load(total), square), total)
    f.store(f.builder.load(total), to, f.integer(0))


@intrinsic
def copy(_context: Any, tag: Any, to: Any, d: Any, of: Any, a: Any, count: Any) -> Any:
    """``count`` vectors from vector a of one array to vector d of another."""
    return typed(_copy, "pipii", tag)


@intrinsic
def axpy(_context: Any, tag: Any, to: Any, x: Any, s: Any, c: Any, y: Any, count: Any) -> Any:
    """to = x + (c s) y over ``count`` vectors; s is one vector, c a number."""
    return typed(_axpy, "pppfpi", tag)


@intrinsic
def plus(_context: Any, tag: Any, to: Any, c: Any, y: Any, count: Any) -> Any:
    """to += c y over ``count`` vectors, for a number c."""
    return typed(_plus, "pfpi", tag)


@intrinsic
def turn(_context: Any, tag: Any, to: Any, by: Any, count: Any) -> Any:
    """to *= by over ``count`` blocks, for one complex block ``by``."""
    return typed(_turn, "ppi", tag)


@intrinsic
def clear(_context: Any, tag: Any, to: Any, d: Any, count: Any) -> Any:
    """Zero into ``count`` vectors from vector d on."""
    return typed(_clear, "pii", tag)


@intrinsic
def weighted_square(_context: Any, tag: Any, to: Any, x: Any, weight: Any, count: Any) -> Any:
    """One vector: the sum over ``count`` blocks of |x_k|^2 times vector k of ``weight``."""
    return typed(_size, "pppi", tag)


# The parts of a step


def _subtract_where(f: Lanes, to: Any, x: Any, mask: Any, count: Any) -> None:
    zero = ir.Constant(f.type, [0.0] * f.width)
    chosen = f.builder.fcmp_ordered("!=", f.load(mask, f.integer(0)), zero)
    with f.loop(f.integer(0), count) as (k, _):
        old = f.load(to, k)
        f.store(f.builder.select(chosen, f.builder.fsub(old, f.load(x, k)), old), to, k)


def _choose(f: Lanes, to: Any, x: Any, mask: Any, count: Any) -> None:
    zero = ir.Constant(f.type, [0.0] * f.width)
    chosen = f.builder.fcmp_ordered("!=", f.load(mask, f.integer(0)), zero)
    with f.loop(f.integer(0), count) as (k, _):
        f.store(f.builder.select(chosen, f.load(x, k), f.load(to, k)), to, k)


def _row_sizes(f: Lanes, to: Any, a: Any, weight: Any, rows: Any, n: Any) -> None:
    g = f.builder
    total = f.accumulator()
    with f.loop(f.integer(0), rows) as (i, _):
        g.store(ir.Constant(f.type, [0.0] * f.width), total)
        with f.loop(f.integer(0), n) as (j, _):
            square = f.square(f.pair(a, g.add(g.mul(i, n), j)))
            g.store(g.fadd(g.load(total), g.fdiv(square, f.load(weight, j))), total)
        f.store(f.root(g.load(total)), to, i)


def _renew(
    f: Lanes, x: Any, rows: Any, weight: Any, sums: Any, group: Any, floor: Any, n: Any, m: Any
) -> None:
    g = f.builder
    affine = g.sub(n, m)
    one = ir.Constant(f.type, [1.0] * f.width)

    def of(i: Any) -> Any:
        return g.load(g.gep(group, [i]))

    with f.loop(f.integer(0), g.shl(m, f.integer(1))) as (k, _):
        f.store(ir.Constant(f.type, [0.0] * f.width), sums, k)
    with f.loop(f.integer(0), n) as (i, _):
        k = of(i)
        f.store(g.fadd(f.load(sums, k), f.square(f.pair(x, i))), sums, k)
        members = g.add(m, k)
        f.store(g.fadd(f.load(sums, members), one), sums, members)
    with f.loop(f.integer(0), m) as (k, _):
        f.store(g.fdiv(one, f.root(f.load(sums, k))), sums, k)
    zero = ir.Constant(f.type, [-0.0] * f.width)
    with f.loop(f.integer(0), n) as (i, _):
        k = of(i)
        by = f.load(sums, k)
        re, im = f.pair(x, i)
        re, im = g.fmul(re, by), g.fmul(im, by)
        f.put((re, im), x, i)
        f.put((re, g.fsub(zero, im)), rows, g.add(g.mul(k, n), i))
    least = f.load(floor, f.integer(0))
    with f.loop(f.integer(0), n) as (i, _):
        k = of(i)
        size = f.larger(f.square(f.pair(x, i)), f.square(f.pair(x, g.add(affine, k))))
        size = f.larger(size, least)
        f.store(g.fdiv(one, g.fmul(size, f.load(sums, g.add(m, k)))), weight, i)


@intrinsic
def subtract_where(_context: Any, tag: Any, to: Any, x: Any, mask: Any, count: Any) -> Any:
    """to -= x over ``count`` vectors, in the lanes where the vector ``mask`` is not 0."""
    return typed(_subtract_where, "pppi", tag)


@intrinsic
def choose(_context: Any, tag: Any, to: Any, x: Any, mask: Any, count: Any) -> Any:
    """to = x over ``count`` vectors, in the lanes where the vector ``mask`` is not 0."""
    return typed(_choose, "pppi", tag)


@intrinsic
def row_sizes(_context: Any, tag: Any, to: Any, a: Any, weight: Any, rows: Any, n: Any) -> Any:
    """The norms of the rows of A with column j divided by the square root of weight j."""
    return typed(_row_sizes, "pppii", tag)


@intrinsic
def renew(
    _context: Any,
    tag: Any,
    x: Any,
    rows: Any,
    weight: Any,
    sums: Any,
    group: Any,
    floor: Any,
    n: Any,
    m: Any,
) -> Any:
    """Make the m groups of the n blocks x unit vectors; their conjugates are the new patch rows.

    ``weight`` becomes 1 / (size_i^2 k_g): size_i is the largest of |x_i|, |x0| of its group and
    the root of ``floor``, and k_g how many variables the group has. ``sums`` has 2 m vectors.
    """
    return typed(_renew, "ppppgpii", tag)


# The parts of Gaussian elimination on A [N][N] and b [N], blocks


def _column(f: Lanes, a: Any, n: Any, k: Any, best: Any, row: Any) -> None:
    g = f.builder
    at = g.add(g.mul(k, n), k)
    square = f.square(f.pair(a, at))
    f.store(square, best, f.integer(0))
    f.store(square, best, f.integer(1))
    f.store(f.splat(g.sitofp(k, _DOUBLE)), row, f.integer(0))
    with f.loop(g.add(k, f.integer(1)), n) as (i, _):
        here = f.square(f.pair(a, g.add(g.mul(i, n), k)))
        so_far = f.load(best, f.integer(1))
        larger = g.fcmp_ordered(">", here, so_far)
        f.store(g.select(larger, here, so_far), best, f.integer(1))
        index = f.splat(g.sitofp(i, _DOUBLE))
        f.store(g.select(larger, index, f.load(row, f.integer(0))), row, f.integer(0))


def _eliminate(f: Lanes, a: Any, b: Any, n: Any, k: Any) -> None:
    g = f.builder
    at = g.add(g.mul(k, n), k)
    after = g.add(k, f.integer(1))
    re, im = f.pair(a, at)
    one = ir.Constant(f.type, [1.0] * f.width)
    inverse = g.fdiv(one, f.square((re, im)))
    zero = ir.Constant(f.type, [-0.0] * f.width)
    pivot = g.fmul(re, inverse), g.fmul(g.fsub(zero, im), inverse)
    f.put(pivot, a, at)
    with f.loop(after, n) as (i, _):
        base = g.mul(i, n)
        m = f.times(f.pair(a, g.add(base, k)), pivot)
        with f.loop(after, n) as (j, _):
            there = g.add(base, j)
            upper = f.pair(a, g.add(g.mul(k, n), j))
            f.put(f.minus(f.pair(a, there), f.times(m, upper)), a, there)
        f.put(f.minus(f.pair(b, i), f.times(m, f.pair(b, k))), b, i)


def _substitute(f: Lanes, a: Any, b: Any, n: Any, k: Any) -> None:
    g = f.builder
    re, im = f.accumulator(), f.accumulator()
    value = f.pair(b, k)
    g.store(value[0], re)
    g.store(value[1], im)
    base = g.mul(k, n)
    with f.loop(g.add(k, f.integer(1)), n) as (j, _):
        part = f.times(f.pair(a, g.add(base, j)), f.pair(b, j))
        g.store(g.fsub(g.load(re), part[0]), re)
        g.store(g.fsub(g.load(im), part[1]), im)
    f.put(f.times((g.load(re), g.load(im)), f.pair(a, g.add(base, k))), b, k)


def _exchange(f: Lanes, a: Any, b: Any, n: Any, k: Any, i: Any, lane: Any) -> None:
    g = f.builder

    def swap(pointer: Any, one: Any, other: Any) -> None:
        for part in range(2):
            places = []
            for block in (one, other):
                vector = g.add(g.shl(block, f.integer(1)), f.integer(part))
                at = g.add(g.mul(vector, f.integer(f.width)), lane)
                places.append(g.gep(pointer, [at]))
            first, second = g.load(places[0]), g.load(places[1])
            g.store(second, places[0])
            g.store(first, places[1])

    with f.loop(k, n) as (j, _):
        swap(a, g.add(g.mul(k, n), j), g.add(g.mul(i, n), j))
    swap(b, k, i)


@intrinsic
def exchange(_context: Any, tag: Any, a: Any, b: Any, n: Any, k: Any, i: Any, lane: Any) -> Any:
    """Exchange equations k and i in one lane, from column k on."""
    return typed(_exchange, "ppiiii", tag)


@intrinsic
def column(_context: Any, tag: Any, a: Any, n: Any, k: Any, best: Any, row: Any) -> Any:
    """|A_kk|^2, the largest |A_ik|^2 of i >= k (two vectors of ``best``) and its i (``row``)."""
    return typed(_column, "piipp", tag)


@intrinsic
def eliminate(_context: Any, tag: Any, a: Any, b: Any, n: Any, k: Any) -> Any:
    """Clear column k below the diagonal and leave 1 / A_kk on it."""
    return typed(_eliminate, "ppii", tag)


@intrinsic
def substitute(_context: Any, tag: Any, a: Any, b: Any, n: Any, k: Any) -> Any:
    """Unknown k of the triangular system, the later ones being known."""
    return typed(_substitute, "ppii", tag)


# Compiled kernels by their address


@intrinsic
def call7(
    _context: Any, address: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any
) -> Any:
    """Call void(double*, ...) at this address with seven addresses of doubles."""
    return _called(7)


@intrinsic
def call3(_context: Any, address: Any, a: Any, b: Any, c: Any) -> Any:
    """Call void(double*, ...) at this address with three addresses of doubles."""
    return _called(3)


def _called(count: int) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        pointer = _DOUBLE.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer] * count)
        given = [builder.inttoptr(value, pointer) for value in values[1:]]
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), given)
        return context.get_dummy_value()

    return types.none(*[types.intp] * (count + 1)), generate
