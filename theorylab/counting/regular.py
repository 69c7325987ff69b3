"""All solutions of a system with finitely many, in boxes for the kernel, without following a path.

The boxes depend on the system alone, on no engine and no floating-point unit: what they prove is
the same bytes everywhere.
"""

from __future__ import annotations

from typing import Final

import flint
from flint import acb, acb_mat, arb

from theorylab.counting.certified import CertifiedRoot, CertifiedRoots, Fate, Realness, Verdict
from theorylab.counting.expanded import Expanded
from theorylab.counting.krawczyk import GUARD, Box, ball, dyadic, find_radius, inverse_near
from theorylab.counting.system import PolynomialSystem
from theorylab.counting.univariate import Point, univariate_representation
from theorylab.outcome import Undecided

# Bits after the point of a centre and its inverse, tried in turn.
_PRECISIONS: Final = (64, 128, 256)


def regular_roots(system: PolynomialSystem, expanded: Expanded) -> CertifiedRoots | Undecided:
    """All solutions of a square system, each alone in a box; ``expanded`` is it written out.

    Guarantees: enclosure, as ``CertifiedRoots``; their order is that of the centres. Undecided
    where the solutions are not finite in number or too many for a univariate representation, and
    where one is singular.

    >>> from flint import fmpq
    >>> from theorylab.counting.system import Program
    >>> p = Program()
    >>> s = PolynomialSystem(("x",), p, (p.sub(p.power(p.variable(0), 3), p.variable(0)),))
    >>> found = regular_roots(s, Expanded(("x",), ({(3,): fmpq(1), (1,): fmpq(-1)},)))
    >>> [root.box.center[0][0] >> root.box.precision for root in found.roots]
    [-1, 0, 1]
    """
    found = univariate_representation(expanded)
    if isinstance(found, Undecided):
        return found
    boxes = []
    for point in found.points(_PRECISIONS[-1] + GUARD):
        box = _boxed(system, point)
        if box is None:
            return Undecided("a solution is singular, or nearly so", "boxes for the kernel")
        boxes.append((box, Realness.REAL if point.real else Realness.NOT_REAL))
    boxes.sort(key=lambda pair: [z / (1 << pair[0].precision) for c in pair[0].center for z in c])
    roots = tuple(
        CertifiedRoot(box, realness, box.precision, place)
        for place, (box, realness) in enumerate(boxes)
    )
    verdicts = tuple(Verdict(Fate.CERTIFIED, "exact", place) for place in range(len(roots)))
    return CertifiedRoots(system, roots, verdicts)


def _boxed(system: PolynomialSystem, point: Point) -> Box | None:
    n = len(point.coordinates)
    for precision in _PRECISIONS:
        bits = precision + GUARD
        coordinates = [_real(z) if point.real else z for z in point.coordinates]
        center = tuple(dyadic(z, precision) for z in coordinates)
        middle = [ball(z, precision) for z in center]
        found = inverse_near(system, middle, bits)
        if found is None:
            continue
        entries = [dyadic(z, precision) for z in found[0].entries()]
        rows = tuple(tuple(entries[i * n : (i + 1) * n]) for i in range(n))
        with flint.ctx.workprec(bits):
            inverse = acb_mat(n, n, [ball(z, precision) for z in entries])
        radius = find_radius(system, middle, inverse, precision, last=False)
        if radius is not None:
            return Box(precision, center, radius[0], rows, radius[1])
    return None


def _real(z: acb) -> acb:
    return acb(z.real, arb(0))
