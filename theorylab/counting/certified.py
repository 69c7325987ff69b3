"""What certification found: roots in boxes, a verdict on each approximation, the kernel's proof."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from flint import acb, arb, fmpq

from theorylab.counting.krawczyk import GUARD, Box, ball
from theorylab.counting.system import PolynomialSystem
from theorylab.kernel.arith import MAX_WORK
from theorylab.kernel.statements import MAX_BYTES
from theorylab.outcome import Assurance, InputError

_KERNEL_UNKNOWNS: Final = 32
# Of the kernel's pure Python, measured: seconds for a product of two boxes.
_SECONDS_PER_PRODUCT: Final = 1.1e-5

Complexes = npt.NDArray[np.complex128]


class Realness(enum.Enum):
    """Whether a root is real; UNDECIDED claims neither."""

    REAL = "real"
    NOT_REAL = "not real"
    UNDECIDED = "undecided"


class Fate(enum.Enum):
    """What became of one approximation."""

    CERTIFIED = "certified"
    DUPLICATE = "duplicate"
    SINGULAR = "singular"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class CertifiedRoot:
    """One regular root: the only one in its box. ``approximation`` is the row it came from."""

    box: Box
    realness: Realness
    bits: int
    approximation: int

    @property
    def point(self) -> Complexes:
        """The centre of the box, rounded to double."""
        scale = 1 << self.box.precision
        # Division of Python integers rounds correctly, however long they are.
        return np.array([complex(re / scale, im / scale) for re, im in self.box.center])

    def balls(self) -> list[acb]:
        """Balls that contain the root. Guarantees: enclosure."""
        error = arb((self.box.inner, -self.box.precision))
        around = acb(arb(0, error), arb(0, error))
        return [ball(z, self.box.precision) + around for z in self.box.center]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one approximation, why, and which certified root it is (its number, or None).

    SINGULAR and UNRESOLVED are no proofs: there may be a root there or not.
    """

    fate: Fate
    reason: str
    root: int | None


@dataclass(frozen=True, slots=True)
class CertifiedRoots:
    """Distinct regular roots, in boxes that are disjoint, and the verdict on each approximation.

    Guarantees: every box holds exactly one root of the system, a regular one; the boxes are
    pairwise disjoint; REAL and NOT_REAL are proved (assurance ``flint``). No completeness.
    """

    system: PolynomialSystem
    roots: tuple[CertifiedRoot, ...]
    verdicts: tuple[Verdict, ...]

    assurance = Assurance.FLINT

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def points(self) -> Complexes:
        """The centres in double, one row for each root."""
        rows = [root.point for root in self.roots]
        return np.array(rows, dtype=np.complex128).reshape(len(rows), len(self.system.variables))

    def count(self, what: Realness | Fate) -> int:
        """How many roots have this realness, or how many approximations this fate."""
        if isinstance(what, Realness):
            return sum(root.realness is what for root in self.roots)
        return sum(verdict.fate is what for verdict in self.verdicts)

    @property
    def failures(self) -> tuple[tuple[int, Verdict], ...]:
        """The approximations that are neither certified nor duplicates, with their verdicts."""
        good = (Fate.CERTIFIED, Fate.DUPLICATE)
        return tuple((i, v) for i, v in enumerate(self.verdicts) if v.fate not in good)

    def __str__(self) -> str:
        real = ", ".join(f"{self.count(what)} {what.value}" for what in Realness)
        rest = [f"{self.count(fate)} {fate.value}" for fate in list(Fate)[1:] if self.count(fate)]
        tail = f"; of the approximations {', '.join(rest)}" if rest else ""
        return f"{len(self)} distinct regular roots certified ({real}){tail}"


# The kernel's certificate


@dataclass(frozen=True, slots=True)
class KernelEstimate:
    """What checking the certificate would cost the kernel, and why it could not, if it could not.

    Guarantees: none, a forecast from the size of the expanded system.
    """

    seconds: float
    work: int
    size: int
    obstacle: str | None

    def __str__(self) -> str:
        cost = f"about {max(self.seconds, 0.1):.1f} s and {self.size / 1e6:.1f} MB for the kernel"
        return cost if self.obstacle is None else f"{cost}, which refuses it: {self.obstacle}"


def _obstacle(system: PolynomialSystem) -> str | None:
    if system.origin is None:
        return "the system does not come from a network"
    if system.slices:
        return "the system has slices"
    if system.parameters:
        return "the data are parameters"
    if len(system.variables) > _KERNEL_UNKNOWNS:
        return f"more than {_KERNEL_UNKNOWNS} unknowns"
    return None


def kernel_estimate(certified: CertifiedRoots, system: PolynomialSystem) -> KernelEstimate:
    """The forecast for ``kernel_proof``, to be shown before long work.

    >>> from theorylab.counting.system import Program
    >>> p = Program()
    >>> s = PolynomialSystem(("x",), p, (p.sub(p.power(p.variable(0), 2), p.constant(2)),))
    >>> print(kernel_estimate(CertifiedRoots(s, (), ()), s))
    about 0.1 s and 0.0 MB for the kernel, which refuses it:
    the system does not come from a network
    """
    n, obstacle = len(system.variables), _obstacle(system)
    try:
        polynomials = system.expanded()
    except InputError as error:
        return KernelEstimate(math.inf, 0, 0, obstacle or error.rule)
    products, degree = n**3 + 2 * n**2, 0
    for terms in polynomials:
        for key in terms:
            support = sum(1 for exponent in key if exponent)
            degree = max(degree, *key)
            # The term itself, and its derivative by each of its variables.
            products += support * (1 + support)
    products += 2 * n * degree
    precision = max((root.box.precision for root in certified.roots), default=0)
    magnitude = max((_magnitude(root.box) for root in certified.roots), default=0)
    wide = 2 * (precision + GUARD) + degree * magnitude
    each = 16 * (1 + 2 * wide // 64) * (1 + wide // 64)
    work = len(certified) * products * each + n * len(certified) ** 2
    digits = (precision + magnitude) * 0.302 + 4
    size = int(len(certified) * 2 * (n**2 + n) * digits)
    seconds = len(certified) * products * _SECONDS_PER_PRODUCT
    if obstacle is None and work > MAX_WORK:
        obstacle = "too much work"
    if obstacle is None and size > MAX_BYTES:
        obstacle = "too long"
    return KernelEstimate(seconds, work, size, obstacle)


def _magnitude(box: Box) -> int:
    largest = max(max(abs(re), abs(im)) for re, im in box.center)
    return max(0, largest.bit_length() - box.precision)


def kernel_proof(
    certified: CertifiedRoots,
    system: PolynomialSystem,
    at_most: int | None = None,
    upper: dict[str, Any] | None = None,
) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """(conclusion, rule, proof) by which the kernel repeats the certification by itself.

    ``at_most`` with ``upper`` (``{"by": "bezout"}`` or ``{"by": "multihomogeneous", "groups":
    ...}``) adds a bound from above. Raises InputError for systems that the kernel cannot derive
    from network and data; ``kernel_estimate`` says so beforehand.
    """
    obstacle = _obstacle(system)
    origin = system.origin
    if obstacle is not None or origin is None:
        raise InputError(
            "system",
            system.name,
            f"the kernel derives the system from network and data, but {obstacle}",
            "keep the assurance flint",
        )
    fixed = [[p, str(v)] for p, v in enumerate(origin.template) if isinstance(v, fmpq)]
    ridge = None if origin.ridge is None else [str(v) for v in origin.ridge]
    conclusion = {
        "kind": "roots",
        "system": {"kind": origin.kind, "ridge": ridge, "fixed": fixed},
        "at_least": len(certified),
        "real_at_least": certified.count(Realness.REAL),
        "at_most": at_most,
    }
    precision = max((root.box.precision for root in certified.roots), default=0)
    proof: dict[str, Any] = {
        "precision": precision,
        "roots": list(_entries(certified, precision)),
    }
    if upper is not None:
        proof["upper"] = upper
    return conclusion, "root", proof


def _entries(certified: CertifiedRoots, precision: int) -> Iterator[dict[str, Any]]:
    for root in certified.roots:
        shift = precision - root.box.precision
        center, radius = root.box.at(precision)
        yield {
            "center": [[str(re), str(im)] for re, im in center],
            "radius": str(radius),
            "inverse": [
                [[str(re << shift), str(im << shift)] for re, im in row] for row in root.box.inverse
            ],
            "real": root.realness is Realness.REAL,
        }
