"""Certified roots: each approximation is proved to be a root, or its failure is reported.

Newton and Krawczyk in extended precision (53, then 128, then 256 bits), reality and distinctness
three-valued. This certifies the roots it is given; it says nothing about others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from flint import acb, acb_mat, arb

from theorylab.counting.certified import (
    CertifiedRoot,
    CertifiedRoots,
    Complexes,
    Fate,
    KernelEstimate,
    Realness,
    Verdict,
    kernel_estimate,
    kernel_proof,
)
from theorylab.counting.krawczyk import (
    GUARD,
    Box,
    Trouble,
    ball,
    dyadic,
    find_radius,
    holds,
    inverse_near,
    newton,
)
from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import InputError

__all__ = [
    "Box",
    "CertifiedRoot",
    "CertifiedRoots",
    "Fate",
    "KernelEstimate",
    "Realness",
    "Verdict",
    "certify",
    "holds",
    "kernel_estimate",
    "kernel_proof",
]

# Bits of the arithmetic, bits after the point of the certificate.
LADDER: Final = ((53, 52), (128, 116), (256, 244))
_MAX_PRECISION: Final = 512


@dataclass(frozen=True, slots=True)
class _Found:
    """A certified root with the approximations it stands for; ``start`` is where to refine."""

    root: CertifiedRoot
    rung: int
    start: tuple[acb, ...]
    merged: tuple[int, ...] = ()


class _Certifier:
    def __init__(self, system: PolynomialSystem, points: Complexes, reach: float) -> None:
        self.system, self.points = system, points
        self.count = len(system.variables)
        self.scale = np.maximum(1.0, np.max(np.abs(points), axis=1, initial=0.0))
        self.reach = reach * self.scale
        self.real = system.is_real
        self.found: dict[int, _Found] = {}
        self.failed: dict[int, Verdict] = {}

    def run(self) -> CertifiedRoots:
        finite = np.all(np.isfinite(self.points), axis=1)
        for i in np.flatnonzero(~finite).tolist():
            self._fail(i, Fate.UNRESOLVED, "the approximation is not finite")
        rows = np.flatnonzero(finite)
        for i, point in zip(rows.tolist(), self._in_doubles(rows), strict=True):
            known = self.found.get(i)
            if known is None or self._open(known.root):
                self._climb(i, 1, [acb(z) for z in point.tolist()], known)
        while self._sweep():
            pass
        return self._collected()

    def _fail(self, i: int, fate: Fate, reason: str) -> None:
        self.failed[i] = Verdict(fate, reason, None)

    def _open(self, root: CertifiedRoot) -> bool:
        """Whether more precision may decide if the root is real."""
        return self.real and root.realness is Realness.UNDECIDED

    # First rung: all approximations at once, in double

    def _in_doubles(self, rows: npt.NDArray[np.intp]) -> Complexes:
        """Certify what can be in double; the points after Newton's method, else as they came."""
        points = self.points[rows].copy()
        with np.errstate(all="ignore"):
            before = np.full(len(rows), np.inf)
            for _ in range(3):
                values, slopes = self.system.evaluate_with_jacobian(points)
                steps = (_inverses(slopes) @ values[..., None])[..., 0]
                sizes = np.max(np.abs(steps), axis=1, initial=0.0)
                # A comparison with nan is false.
                good = (sizes < before) & (sizes < self.reach[rows])
                points = np.where(good[:, None], points - steps, points)
                before = np.where(good, sizes, -1.0)
            moved = np.max(np.abs(points - self.points[rows]), axis=1, initial=0.0)
            points = np.where((moved < self.reach[rows])[:, None], points, self.points[rows])
            tilt = np.max(np.abs(points.imag), axis=1, initial=0.0)
            real = (tilt < self.scale[rows] * 2.0**-30) & self.real
            self._try_doubles(rows[real], points[real].real.astype(np.complex128), True)
            rest = np.array([int(i) not in self.found for i in rows], dtype=bool)
            self._try_doubles(rows[rest], points[rest], False)
        return points

    def _try_doubles(self, rows: npt.NDArray[np.intp], points: Complexes, real: bool) -> None:
        if not len(rows):
            return
        slopes = self.system.jacobian(points)
        inverses = _inverses(slopes)
        if real:
            inverses = inverses.real.astype(np.complex128)
        steep = np.max(np.abs(slopes), axis=(1, 2), initial=0.0)
        sound = np.isfinite(steep) & np.all(np.isfinite(inverses), axis=(1, 2))
        for k in np.flatnonzero(sound).tolist():
            precision = _grid(float(steep[k]), self.count, 0)
            if precision is None:
                continue
            center, exact = _on_grid(points[k], precision)
            flat, entries = _on_grid(inverses[k].ravel(), precision)
            n = self.count
            self._test(
                int(rows[k]),
                0,
                center,
                [acb(z) for z in center],
                acb_mat(n, n, flat),
                precision,
                real,
                (exact, entries),
            )

    # Further rungs: one approximation at a time

    def _climb(self, i: int, rung: int, start: Sequence[acb], known: _Found | None) -> None:
        """Certify approximation i at this rung or above; keep what is known if that fails."""
        home = [acb(z) for z in self.points[i].tolist()]
        trouble: Trouble | None = None
        point = list(start)
        for level in range(rung, len(LADDER)):
            bits = LADDER[level][0]
            refined, trouble = newton(self.system, point, home, float(self.reach[i]), bits)
            if trouble is Trouble.AWAY:
                break
            point = refined
            if self._attempt(i, level, point) and not self._open(self.found[i].root):
                return
            known = self.found.get(i, known)
        if known is not None:
            self.found[i] = known
            return
        bits = LADDER[-1][0]
        if trouble is None:
            reason = f"Krawczyk's test fails at {bits} bits"
        else:
            reason = f"{trouble.value} ({bits} bits)"
        singular = trouble in (Trouble.SINGULAR, Trouble.SLOW)
        self._fail(i, Fate.SINGULAR if singular else Fate.UNRESOLVED, reason)

    def _attempt(self, i: int, rung: int, point: Sequence[acb]) -> bool:
        bits = LADDER[rung][0]
        tilt = max(float(abs(z.imag)) for z in point)
        ways = [False]
        if self.real and tilt < float(self.scale[i]) * math.ldexp(1.0, -bits // 2):
            ways = [True, False]
        for real in ways:
            near = [acb(z.real) for z in point] if real else list(point)
            solved = inverse_near(self.system, near, bits + GUARD)
            if solved is None:
                continue
            inverse, steep = solved
            precision = _grid(steep, self.count, rung)
            if precision is None:
                continue
            center = tuple(dyadic(z, precision) for z in near)
            entries = [dyadic(z, precision) for z in inverse.entries()]
            if real:
                entries = [(re, 0) for re, _ in entries]
            balls = [ball(z, precision) for z in center]
            n = self.count
            matrix = acb_mat(n, n, [ball(z, precision) for z in entries])
            if self._test(i, rung, balls, balls, matrix, precision, real, (center, entries)):
                return True
        return False

    def _test(
        self,
        i: int,
        rung: int,
        center: Sequence[Any],
        balls: Sequence[acb],
        inverse: acb_mat,
        precision: int,
        real: bool,
        numbers: tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]],
    ) -> bool:
        last = rung == len(LADDER) - 1
        size = find_radius(self.system, balls, inverse, precision, last)
        # A box wider than the reach would give the approximation a root that is not its own.
        if size is None or not arb((size[0], -precision)) <= float(self.reach[i]):
            return False
        n = self.count
        rows = tuple(tuple(numbers[1][r * n : (r + 1) * n]) for r in range(n))
        box = Box(precision, tuple(numbers[0]), size[0], rows, size[1])
        realness = Realness.UNDECIDED
        if real:
            # F and K commute with conjugation, so the only root in the box is its own conjugate.
            realness = Realness.REAL
        elif not box.meets_real_space:
            realness = Realness.NOT_REAL
        root = CertifiedRoot(box, realness, LADDER[rung][0], i)
        merged = self.found[i].merged if i in self.found else ()
        self.found[i] = _Found(root, rung, tuple(balls), merged)
        return True

    # Distinctness

    def _sweep(self) -> bool:
        """Merge what is one root, refine or give up what may be; whether anything changed.

        Boxes are sorted by the interval of one integer linear form, so that only neighbours are
        compared; all numbers are integers on one grid.
        """
        precision = max((f.root.box.precision for f in self.found.values()), default=0)
        rng = random.Random("projection")
        form = [(rng.randint(1, 999), rng.randint(1, 999)) for _ in range(self.count)]
        width = sum(a + b for a, b in form)
        spans = []
        for i, found in self.found.items():
            center, radius = found.root.box.at(precision)
            value = sum(a * re + b * im for (a, b), (re, im) in zip(form, center, strict=True))
            reach = radius * width
            spans.append((value - reach, value + reach, i, center, radius, found.root))
        spans.sort(key=lambda span: span[:3])
        changed = False
        active: list[Any] = []
        for span in spans:
            active = [other for other in active if other[1] >= span[0] and other[2] in self.found]
            for other in active:
                gap = _distance(span[3], other[3])
                if gap <= span[4] + other[4]:
                    changed = True
                    # Boxes made in this sweep wait for the next one.
                    fresh = self._is(other[2], other[5]) and self._is(span[2], span[5])
                    if fresh and self._settle(other[2], span[2], gap, precision):
                        break
            if span[2] in self.found:
                active.append(span)
        return changed

    def _is(self, i: int, root: CertifiedRoot) -> bool:
        return i in self.found and self.found[i].root is root

    def _settle(self, i: int, j: int, gap: int, precision: int) -> bool:
        """Merge j into i, or i into j, or refine both, or give up j; whether j is gone."""
        one, other = self.found[i], self.found[j]
        if _same(one.root.box, other.root.box, gap, precision):
            decided = other.root.realness is not Realness.UNDECIDED
            if decided and one.root.realness is Realness.UNDECIDED:
                self.found[j] = replace(other, merged=(*other.merged, i, *one.merged))
                del self.found[i]
                return False
            self.found[i] = replace(one, merged=(*one.merged, j, *other.merged))
            del self.found[j]
            return True
        sharper = [self._sharpen(i), self._sharpen(j)]
        if any(sharper):
            return False
        reason = f"its box meets that of approximation {i}, and 256 bits do not tell them apart"
        for k in (j, *other.merged):
            self._fail(k, Fate.UNRESOLVED, reason)
        del self.found[j]
        return True

    def _sharpen(self, i: int) -> bool:
        found = self.found[i]
        if found.rung + 1 >= len(LADDER):
            return False
        self._climb(i, found.rung + 1, found.start, found)
        return self.found[i].rung > found.rung

    def _collected(self) -> CertifiedRoots:
        verdicts: list[Verdict | None] = [self.failed.get(i) for i in range(len(self.points))]
        roots = []
        for number, i in enumerate(sorted(self.found)):
            found = self.found[i]
            roots.append(found.root)
            reason = f"certified at {found.root.bits} bits"
            verdicts[i] = Verdict(Fate.CERTIFIED, reason, number)
            for k in found.merged:
                reason = f"the same root as approximation {i}"
                verdicts[k] = Verdict(Fate.DUPLICATE, reason, number)
        complete = tuple(v for v in verdicts if v is not None)
        assert len(complete) == len(self.points), "every approximation has a verdict"
        return CertifiedRoots(self.system, tuple(roots), complete)


def _inverses(matrices: Complexes) -> Complexes:
    """The inverses of a batch of matrices, nan for those without one."""
    try:
        return np.asarray(np.linalg.inv(matrices), dtype=np.complex128)
    except np.linalg.LinAlgError:
        found = np.full_like(matrices, np.nan)
        for k, matrix in enumerate(matrices):
            try:
                found[k] = np.linalg.inv(matrix)
            except np.linalg.LinAlgError:
                continue
        return found


def _grid(steep: float, count: int, rung: int) -> int | None:
    """The bits after the point that keep a rounded inverse good for a Jacobian of that size."""
    if not (0 <= steep < math.inf):
        return None
    bits, precision = LADDER[rung]
    precision += max(0, math.frexp(steep * count)[1] - bits // 2)
    return precision if precision <= _MAX_PRECISION else None


def _on_grid(
    numbers: Complexes, precision: int
) -> tuple[list[complex], tuple[tuple[int, int], ...]]:
    """The numbers rounded to Z[i] / 2^precision: as doubles, exactly, and as integers."""
    re = np.rint(np.ldexp(numbers.real, precision))
    im = np.rint(np.ldexp(numbers.imag, precision))
    if not (np.all(np.isfinite(re)) and np.all(np.isfinite(im))):
        return [complex(math.nan)] * len(numbers), ()
    rounded = np.ldexp(re, -precision) + 1j * np.ldexp(im, -precision)
    integers = zip(map(int, re.tolist()), map(int, im.tolist()), strict=True)
    return rounded.tolist(), tuple(integers)


def _distance(a: Iterable[tuple[int, int]], b: Iterable[tuple[int, int]]) -> int:
    return max(
        (max(abs(x[0] - y[0]), abs(x[1] - y[1])) for x, y in zip(a, b, strict=True)), default=0
    )


def _same(one: Box, other: Box, gap: int, precision: int) -> bool:
    """Whether the root of one box is proved to lie in the other: then it is the same root."""
    for box, within in ((one, other), (other, one)):
        inner = box.inner << (precision - box.precision)
        if gap + inner <= within.radius << (precision - within.precision):
            return True
    return False


def certify(
    system: PolynomialSystem, approximations: npt.ArrayLike, *, reach: float = 1e-4
) -> CertifiedRoots:
    """Prove that there is a regular root of a square system next to each approximation, or say not.

    ``approximations`` is (number x variables). A root counts as that of an approximation only if
    Newton's method finds it within ``reach`` (relative to the size of the approximation, at
    least 1). Approximations of one root are merged; none is dropped without a verdict.

    Guarantees: enclosure (see ``CertifiedRoots``); no completeness. Raises InputError for systems
    that are not square and arrays of the wrong shape. Source: Krawczyk's test as in ``holds``;
    P. Breiding, K. Rose, S. Timme, ACM Trans. Math. Software 49 (2023), for reality.

    >>> from theorylab.counting.system import Program
    >>> p = Program()
    >>> x, y = p.variable(0), p.variable(1)
    >>> s = PolynomialSystem(("x", "y"), p, (p.sub(p.mul(x, x), p.constant(2)), p.sub(x, y)))
    >>> print(certify(s, [[1.414214, 1.414214], [-1.414214, -1.414214], [1, 1]]))
    2 distinct regular roots certified (2 real, 0 not real, 0 undecided);
    of the approximations 1 unresolved
    """
    given = np.asarray(approximations, dtype=np.complex128)
    n = len(system.variables)
    if not system.is_square or not n:
        raise InputError(
            "system",
            system.name,
            f"roots are certified one by one in square systems, and this has "
            f"{system.shape_in_words}",
            "add generic slices, or take as many equations as unknowns",
        )
    if given.ndim != 2 or given.shape[1] != n:
        raise InputError(
            "approximations",
            f"an array of shape {given.shape}",
            f"approximations are rows of {n} numbers",
            "give a matrix, one row for each",
        )
    if not 0 < reach < math.inf:
        raise InputError("reach", reach, "the reach is a positive number", "leave it out")
    return _Certifier(system, given, float(reach)).run()
