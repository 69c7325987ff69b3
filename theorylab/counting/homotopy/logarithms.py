"""Vector instructions for steps along log t in which coordinates are followed by their logarithms.

Near t = 0 the coordinates of a path to infinity are powers of t, and powers are straight lines in
logarithms: there steps are long. Addresses, blocks and lanes are those of ``vectors``.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from theorylab.counting.homotopy.vectors import Lanes, intrinsic, typed

_TAYLOR = 7
_SQUARINGS = 5
# |x|^2 of a coordinate that is round-off beside a unit vector: it has no logarithm.
_LEAST = 1e-28


def _constant(f: Lanes, value: float) -> Any:
    return ir.Constant(f.type, [value] * f.width)


def _asked(f: Lanes, where: Any) -> Any:
    return f.builder.fcmp_ordered("!=", f.load(where, f.integer(0)), _constant(f, 0.0))


def _held(f: Lanes, x: Any, k: Any) -> Any:
    return f.builder.fcmp_ordered(">", f.square(f.pair(x, k)), _constant(f, _LEAST))


def _either(f: Lanes, mask: Any, a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    return f.builder.select(mask, a[0], b[0]), f.builder.select(mask, a[1], b[1])


def _exponential(f: Lanes, z: tuple[Any, Any]) -> tuple[Any, Any]:
    """e^z for the moderate z of a step: Taylor's sum at z / 32, squared five times."""
    g, share = f.builder, _constant(f, 0.5**_SQUARINGS)
    z = g.fmul(z[0], share), g.fmul(z[1], share)
    total = _constant(f, 1.0), _constant(f, 0.0)
    for k in range(_TAYLOR, 0, -1):
        re, im = f.times(total, z)
        by = _constant(f, 1.0 / k)
        total = g.fadd(g.fmul(re, by), _constant(f, 1.0)), g.fmul(im, by)
    for _ in range(_SQUARINGS):
        total = f.times(total, total)
    return total


def _bend(f: Lanes, b: Any, time: Any, x: Any, at: Any, where: Any, count: Any) -> None:
    g = f.builder
    t, asked = f.load(time, f.integer(0)), _asked(f, where)
    with f.loop(f.integer(0), count) as (k, _):
        old, here = f.pair(b, k), f.pair(at, k)
        scaled = g.fmul(old[0], t), g.fmul(old[1], t)
        size = g.fdiv(_constant(f, 1.0), f.square(here))
        conjugate = here[0], g.fsub(_constant(f, -0.0), here[1])
        re, im = f.times(scaled, conjugate)
        slope = _either(f, _held(f, x, k), (g.fmul(re, size), g.fmul(im, size)), scaled)
        f.put(_either(f, asked, slope, old), b, k)


def _rise(f: Lanes, to: Any, x: Any, s: Any, c: Any, y: Any, where: Any, count: Any) -> None:
    g = f.builder
    factor, asked = g.fmul(f.splat(c), f.load(s, f.integer(0))), _asked(f, where)
    with f.loop(f.integer(0), count) as (k, _):
        here, slope = f.pair(x, k), f.pair(y, k)
        move = g.fmul(slope[0], factor), g.fmul(slope[1], factor)
        straight = g.fadd(here[0], move[0]), g.fadd(here[1], move[1])
        curved = f.times(here, _exponential(f, move))
        f.put(_either(f, g.and_(asked, _held(f, x, k)), curved, straight), to, k)


@intrinsic
def bend(
    _context: Any, tag: Any, b: Any, time: Any, x: Any, at: Any, where: Any, count: Any
) -> Any:
    """Velocities b along t become those along log t of the logarithms, in the lanes where the
    vector ``where`` is not 0: b *= time / at, or b *= time for a coordinate that is round-off in
    ``x``, the point the step starts from."""
    return typed(_bend, "pppppi", tag)


@intrinsic
def rise(
    _context: Any, tag: Any, to: Any, x: Any, s: Any, c: Any, y: Any, where: Any, count: Any
) -> Any:
    """to = x e^{c s y} for the coordinates that ``bend`` divides, to = x + c s y for others; s is
    one vector, c a number."""
    return typed(_rise, "pppfppi", tag)
