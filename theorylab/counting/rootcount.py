"""RootCount: a count with its conventions, its two assurances, and whether it is complete."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any, Final

from theorylab.counting.certified import CertifiedRoots
from theorylab.counting.univariate import Solved
from theorylab.outcome import Assurance, Printed

SCHEMA: Final = "theorylab.count/1"
_WIDTH = 80
_LABEL = 13


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper bounds for isolated solutions: Bezout and multihomogeneous in affine space, BKK in the
    domain of the count (stable BKK in affine space; None without phc)."""

    bezout: int | None = None
    multihomogeneous: int | None = None
    bkk: int | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """What ``slices`` seeded linear equations say of a solution set of positive dimension.

    They leave ``points`` distinct solutions (the degree of the components of that dimension, if
    the slices are generic), and at one of them the Jacobian has rank at least ``rank``: the
    solutions around it have dimension at most n - rank. The points and the rank are proved;
    ``assurance`` vouches for there being no further points.
    """

    slices: int
    points: int
    rank: int
    assurance: Assurance

    def in_words(self, unknowns: int) -> str:
        """The certificate in one sentence."""
        what = _number(self.slices, "generic slice")
        return (
            f"{what} {'meet' if self.slices > 1 else 'meets'} it in "
            f"{_number(self.points, 'point')} ({self.assurance.value}), and at one of them the "
            f"Jacobian has rank {self.rank}: the solutions around it have dimension at most "
            f"{unknowns - self.rank}; count them by with_slices({self.slices})"
        )


@dataclass(frozen=True, slots=True)
class RootCount(Printed):
    """Between ``certified`` and ``upper`` distinct isolated complex solutions in ``domain``.

    ``certified`` solutions are proved: regular roots in disjoint boxes, and ``multiple`` ones by
    exact algebra (``solved`` has them all then). ``certified_real`` of them are proved real and
    ``real_undecided`` neither real nor not. ``multiplicity`` is their number with multiplicity,
    where it is known. ``singular`` clusters of end points and ``unresolved`` paths (of the worst
    run) may hide further ones while the count is incomplete. ``dimension`` is that of the whole
    solution set (-1: empty; with fewer equations than unknowns, at least that if not empty; None:
    not known), ``component`` what slices say of it when it is positive. ``runs`` are the seeds
    that were run; ``roots`` all certified regular roots, in affine space.
    """

    name: str
    variables: int
    equations: int
    domain: str
    modulo: str
    dimension: int | None
    bounds: Bounds
    certified: int
    certified_real: int
    real_undecided: int
    singular: int
    unresolved: int
    upper: int | None
    upper_rule: str | None
    roots_assurance: Assurance
    upper_assurance: Assurance | None
    engine: str
    seed: int
    seconds: float = 0.0
    orbits: int | None = None
    multiple: int = 0
    multiplicity: int | None = None
    component: Component | None = None
    counts: str = "isolated distinct"
    runs: tuple[int, ...] = ()
    lemmas: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    certificate: str | None = None
    sha256: str | None = None
    certificate_bytes: bytes | None = field(default=None, repr=False)
    roots: CertifiedRoots | None = field(default=None, repr=False, compare=False)
    solved: Solved | None = field(default=None, repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether certified roots and bound meet, whoever vouches for the bound."""
        return self.upper_assurance is not None and self.certified == self.upper

    @property
    def assurance(self) -> Assurance:
        """The weakest of the parts."""
        parts = [self.roots_assurance, *([self.upper_assurance] if self.upper_assurance else [])]
        return Assurance.weakest(*parts)

    @property
    def exit_status(self) -> int:
        """0 complete, 3 incomplete."""
        return 0 if self.complete else 3

    @property
    def verdict(self) -> str:
        """The count in one line."""
        if self.complete:
            return f"{self.certified}: COMPLETE ({self.assurance.value})"
        most = "no upper bound known" if self.upper is None else f"at most {self.upper}"
        link = "," if self.upper is None else " of"
        return f"{self.certified} certified{link} {most}: INCOMPLETE"

    def rows(self, timed: bool = True) -> list[tuple[str, str]]:
        """Labels and words of the page, the verdict first; how long it took if ``timed``."""
        where = "C^n" if self.domain == "affine" else "the torus (no zero coordinate)"
        real = f"{self.certified_real} proved real"
        if self.real_undecided:
            real += f", {self.real_undecided} undecided"
        rows = [
            ("count", self.verdict),
            (
                "system",
                f"{self.name}: {_number(self.equations, 'equation')} in "
                f"{_number(self.variables, 'unknown')}",
            ),
            ("counted", f"{self.counts} complex solutions in {where}"),
            ("modulo", self.modulo),
            ("certified", f"{self._kinds()}, {real}"),
        ]
        if self.multiplicity is not None and self.multiplicity not in (self.certified, self.upper):
            rows.append(("multiplicity", f"{self.multiplicity} solutions with multiplicity"))
        if (self.singular or self.unresolved) and not self.complete:
            rows.append(
                (
                    "left open",
                    f"{_number(self.singular, 'singular end point')}, "
                    f"{_number(self.unresolved, 'unresolved path')}",
                )
            )
        if self.upper is not None:
            rows.append(("at most", f"{self.upper}: {self.upper_rule}"))
        bounds = [
            ("Bezout", self.bounds.bezout),
            ("multihomogeneous", self.bounds.multihomogeneous),
            ("stable BKK" if self.domain == "affine" else "BKK", self.bounds.bkk),
        ]
        rows.append(("bounds", ", ".join(f"{k} {v}" for k, v in bounds if v is not None)))
        rows.append(("dimension", self._dimension()))
        if self.component is not None:
            rows.append(("", self.component.in_words(self.variables)))
        above = "none" if self.upper_assurance is None else self.upper_assurance.value
        cited = f" ({', '.join(self.lemmas)})" if self.lemmas else ""
        rows.append(("assurance", f"roots {self.roots_assurance.value}{cited}, bound {above}"))
        seeds = f", seeds {', '.join(map(str, self.runs))}" if self.runs else ""
        took = f"; {self.seconds:.1f} s" if timed else ""
        rows.append(("engine", f"{self.engine}{seeds}{took}"))
        return rows + [("note", note) for note in self.notes]

    def _kinds(self) -> str:
        """Which certified solutions are regular roots in boxes, which only exact algebra has."""
        boxed = 0 if self.roots is None else len(self.roots)
        if self.multiple == 0 and (boxed or not self.certified):
            return f"{_number(self.certified, 'regular root')} in disjoint boxes"
        simple = self.certified - self.multiple
        return f"{simple} simple and {self.multiple} multiple solutions by exact algebra"

    def _dimension(self) -> str:
        if self.dimension is None:
            return "of the whole solution set: not known"
        if self.dimension < 0:
            return "no solution at all"
        if self.dimension == 0:
            return "0: finitely many solutions"
        if self.variables > self.equations:
            return f"at least {self.dimension} wherever there are solutions"
        return f"{self.dimension}: infinitely many solutions besides the isolated ones"

    def __repr__(self) -> str:
        return f"<{self.name}: {self.verdict}>"

    def __str__(self) -> str:
        lines = []
        for label, words in self.rows():
            folded = textwrap.wrap(words, _WIDTH - _LABEL, break_on_hyphens=False) or [""]
            lines += [
                f"{label if place == 0 else '':<{_LABEL}}{line}"
                for place, line in enumerate(folded)
            ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The count as ``theorylab count --json`` prints it."""
        keys = (
            "name variables equations domain counts modulo dimension certified certified_real "
            "real_undecided multiple multiplicity singular unresolved orbits upper upper_rule "
            "complete engine seconds certificate"
        )
        above = self.upper_assurance
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            **{key: getattr(self, key) for key in keys.split()},
            "bounds": {
                "bezout": self.bounds.bezout,
                "multihomogeneous": self.bounds.multihomogeneous,
                "bkk": self.bounds.bkk,
            },
            "component": None
            if self.component is None
            else {
                "slices": self.component.slices,
                "points": self.component.points,
                "rank": self.component.rank,
                "assurance": self.component.assurance.value,
            },
            "roots_assurance": self.roots_assurance.value,
            "upper_assurance": None if above is None else above.value,
            "runs": list(self.runs),
            "notes": list(self.notes),
            # the same for the same count: seconds have a key of their own
            "page": [list(row) for row in self.rows(timed=False)],
        }


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
