"""From a count in affine space to the count in the torus: which roots have a zero coordinate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from flint import fmpq

from theorylab.counting.certified import CertifiedRoot, CertifiedRoots, Realness
from theorylab.counting.ladder import Ladder
from theorylab.counting.polynomials import PolynomialSystem
from theorylab.counting.rootcount import RootCount
from theorylab.outcome import Assurance, Undecided


def in_torus(
    found: RootCount, system: PolynomialSystem, roots: CertifiedRoots, ladder: Ladder | None
) -> RootCount:
    """The count without the roots that have a zero coordinate; exact algebra where balls cannot
    tell, or where roots are multiple. Those that may have one only bound the rest."""
    where = [zero_coordinates(system, root) for root in roots.roots]
    kept = [root for root, zero in zip(roots.roots, where, strict=True) if zero is False]
    zeros, open_ = where.count(True), where.count(None)
    part = [root.realness for root in kept]
    affine, found = (
        found,
        replace(
            found,
            domain="torus",
            certified=len(kept),
            certified_real=part.count(Realness.REAL),
            real_undecided=part.count(Realness.UNDECIDED),
            multiple=0,
            multiplicity=None,
            solved=None,
            roots_assurance=Assurance.weakest(found.roots_assurance, Assurance.FLINT),
        ),
    )
    if affine.upper is not None and zeros:
        found = replace(
            found,
            upper=affine.upper - zeros,
            upper_rule=f"{affine.upper_rule}, less {zeros} with a zero coordinate",
            upper_assurance=Assurance.weakest(
                affine.upper_assurance or Assurance.FLINT, Assurance.FLINT
            ),
        )
    if found.upper != len(kept) and ladder is not None:
        found = _exactly(found, replace(roots, roots=tuple(kept)), ladder)
    if open_ and found.upper != found.certified:
        words = f"{open_} roots may have a zero coordinate: balls cannot tell"
        found = replace(found, notes=(*found.notes, words))
    return found


def _exactly(found: RootCount, kept: CertifiedRoots, ladder: Ladder) -> RootCount:
    solved = ladder.solved(torus=True)
    if not isinstance(solved, Undecided) and solved.agrees(kept):
        return replace(
            found,
            certified=solved.distinct,
            certified_real=solved.real,
            real_undecided=0,
            multiple=solved.multiple,
            multiplicity=solved.with_multiplicity,
            solved=solved,
            upper=solved.distinct,
            upper_rule=f"{solved.rule}, in the torus",
            upper_assurance=solved.assurance,
        )
    exact = ladder.in_torus()
    upper = None if exact is None else exact.upper
    if upper is None or upper.value < len(kept):
        return found
    if found.upper is not None and upper.value > found.upper:
        return found
    return replace(found, upper=upper.value, upper_rule=upper.rule, upper_assurance=upper.assurance)


def zero_coordinates(system: PolynomialSystem, root: CertifiedRoot) -> bool | None:
    """Whether a root has a zero coordinate; None when neither is proved."""
    balls = root.balls()
    near = [ball.contains(0) for ball in balls]
    if not any(near):
        return False
    # The root itself, if it is a simple rational point: exact evaluation proves it.
    scale = 1 << root.box.precision
    if system.is_real and root.box.has_real_center:
        for largest in (1, 1_000, 1_000_000):
            point = [
                fmpq(0) if zero else _simple(Fraction(re, scale), largest)
                for (re, _), zero in zip(root.box.center, near, strict=True)
            ]
            inside = all(ball.contains(q) for ball, q in zip(balls, point, strict=True))
            if inside and not any(v != 0 for v in system.evaluate_exact(point)):
                return True
    return None


def _simple(value: Fraction, largest: int) -> fmpq:
    near = value.limit_denominator(largest)
    return fmpq(near.numerator, near.denominator)
