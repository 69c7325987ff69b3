"""count: how many isolated solutions a system has, and an honest word on whether these are all.

The ladder: a proved bound that the certified roots meet (``kernel`` for networks, else ``flint``),
an exact count by a Groebner basis (``flint``; ``kernel`` for networks, by its steps) or msolve
(``cas``), the generic count of a network's architecture by monodromy and the trace test
(``numeric``), otherwise incomplete. Where roots are multiple, lost, or not to be certified in a
box, all solutions come from exact algebra (see `ladder`). Agreeing runs are no evidence here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from flint import fmpq

from theorylab.counting.bounds import Bound, best_multihomogeneous, bezout, mixed_volumes
from theorylab.counting.expanded import Expanded, Monomial
from theorylab.counting.external import EngineError, MissingEngine, bertini, phc
from theorylab.counting.homotopy import BatchEngine, Engine, PathStatus, SimpleEngine
from theorylab.counting.homotopy.engine import SAME_SINGULAR, Complexes, clusters
from theorylab.counting.homotopy.member import solve_member
from theorylab.counting.homotopy.monodromy import GenericCount
from theorylab.counting.homotopy.tracker import Options
from theorylab.counting.ladder import Ladder, Upper, adjoined
from theorylab.counting.rootcount import Bounds, Component, RootCount
from theorylab.counting.roots import (
    CertifiedRoots,
    Fate,
    Realness,
    Verdict,
    certify,
)
from theorylab.counting.system import PolynomialSystem
from theorylab.counting.torus import in_torus
from theorylab.counting.univariate import Solved
from theorylab.counting.vouched import by_kernel, literal
from theorylab.kernel.arith import Refusal
from theorylab.outcome import Assurance, InputError, Undecided

__all__ = ["DOMAINS", "ENGINES", "Bounds", "RootCount", "count"]

ENGINES: Final = ("auto", "batch", "simple", "phc", "bertini")
# Up to so many paths "auto" takes the engine that needs nothing compiled.
_FEW_PATHS: Final = 4
DOMAINS: Final = ("affine", "torus")
MOST_THREADS: Final = 256
# Seconds that the kernel may take, by its own forecast, before its word is left out.
_KERNEL_SECONDS: Final = 120.0
_MIXED_SECONDS: Final = 10.0
_TERMS: Final = 20_000
# How the solutions of exact algebra are called among the runs.
EXACT: Final = "exact algebra"
FAMILY: Final = "monodromy"
# With more solutions than this Groebner bases take minutes and more.
_EXACT_MOST: Final = 600
_SLOW_PATHS: Final = 100_000
# Networks with more paths than this are first solved as members of their family.
_FAMILY_PATHS: Final = 5_000
# Up to this many unknowns the cells of the mixed volume are a matter of a moment.
_MIXED_UNKNOWNS: Final = 8

Say = Callable[[str], None]


def count(
    system: PolynomialSystem,
    *,
    seed: int = 0,
    engine: str = "auto",
    domain: str = "affine",
    kernel: bool = True,
    threads: int = 1,
    say: Say | None = None,
) -> RootCount:
    """How many distinct isolated complex solutions a system has, certified, and at most how many.

    Two runs of the engine (two more while an exact count is not met) are merged and certified; a
    network with many paths is solved as a member of its family instead.
    ``domain`` "torus" counts solutions without zero coordinates; ``kernel`` asks the kernel to
    repeat it for systems of networks; ``threads`` go to engines that take them (batch), and change
    the speed alone; ``say`` is told before long work.

    Guarantees: ``certified`` and ``upper`` at the assurances given; ``complete`` only if they
    meet, and from floating point only by the trace test and two agreeing seeds. Raises
    InputError for bad options, systems too large, and an engine asked for by name that is not
    installed.
    Source: the rules of `bounds`, `roots` and `groebner`.

    >>> from theorylab.counting.system import system_from_json
    >>> f = system_from_json({"variables": ["x", "y"], "polynomials": ["x^2+y^2-5", "x*y-2"]})
    >>> found = count(f)
    >>> found.certified, found.certified_real, found.upper, found.complete
    (4, 4, 4, True)
    """
    for argument, value, known in (("engine", engine, ENGINES), ("domain", domain, DOMAINS)):
        if value not in known:
            raise InputError(argument, value, f"it is one of {', '.join(known)}", "choose one")
    if seed < 0:
        raise InputError("seed", seed, "a seed is an integer >= 0", "use 0")
    if not 1 <= threads <= MOST_THREADS:
        rule = f"there are 1 to {MOST_THREADS} threads"
        raise InputError("threads", threads, rule, "use as many as there are cores")
    if not system.variables:
        raise InputError("system", system.name, "nothing is unknown", "fix fewer parameters")
    said = say or (lambda words: None)
    return _Counting(system, seed, engine, domain, kernel, said, threads=threads).run()


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of an engine: its end points, and the paths it lost by its own account."""

    engine: str
    seed: int
    points: Complexes
    lost: int


@dataclass
class _Counting:
    """One count while it is made; each step fills in what it found."""

    system: PolynomialSystem
    seed: int
    engine: str
    domain: str
    ask_kernel: bool
    say: Say
    notes: list[str] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    threads: int = 1
    dimension: int | None = None
    expanded: Expanded | None = None
    ladder: Ladder | None = None
    proved: Bound | None = None
    exact: int | None = None
    component: Component | None = None
    multiplicity: int | None = None
    generic: GenericCount | None = None
    bounds: Bounds = field(default_factory=Bounds)

    def run(self) -> RootCount:
        begun = time.perf_counter()
        self.expanded = self._expand()
        self._bound()
        upper: Upper | None = None
        if self.proved is not None:
            groups = "".join("{" + ", ".join(g) + "}" for g in self.proved.partition or ())
            kind = "Bezout" if self.proved.kind == "bezout" else self.proved.kind
            rule = f"{kind} number {groups}".strip()
            if self.proved.value == 0 and not self.system.is_square:
                rule = "fewer equations than unknowns"
            upper = Upper(self.proved.value, rule, self.proved.assurance)
        if self.system.is_square and not (upper and upper.value == 0):
            self._follow(2)
        roots = self._certified()
        if self._disagree(roots):
            self.notes.append(self._disagree(roots))
        solved: Solved | None = None
        if not (upper and upper.value == len(roots)):
            exact = self._exact(len(roots))
            if exact is not None and (exact.value > len(roots) or not self.system.is_square):
                solved = self._solved(roots)
                if self.system.is_square:
                    roots = self._again(solved)
            if exact is not None and upper is not None and exact.value > upper.value:
                self.notes.append(
                    f"CONTRADICTION: exactly {exact.value} by {exact.rule}, but at most "
                    f"{upper.value} by {upper.rule}; both are left out. Please report this"
                )
                upper = self.exact = solved = None
            elif exact is not None:
                upper = exact
        met = upper is not None and upper.value == len(roots)
        if self.exact is None and not met and (self.dimension or 0) <= 0:
            roots, upper = self._by_family(roots, upper)
        if 0 < len(roots) == self.bounds.bezout:
            # Components of positive dimension would take their share of Bezout's number.
            self.dimension, self.multiplicity = 0, len(roots)
        if upper is not None and upper.value < len(roots):
            self.notes.append(
                f"CONTRADICTION: {len(roots)} roots are certified, but {upper.rule} says at most "
                f"{upper.value}; the bound is left out. Please report this"
            )
            upper = solved = None
        found = self._count(roots, upper)
        if self.ask_kernel and self.system.origin is not None:
            found = by_kernel(
                found, roots, self.system, self.expanded, self.proved, self.exact, self.say
            )
        if solved is not None:
            found = self._with_all(found, solved)
        if self.domain == "torus":
            found = in_torus(found, self.system, roots, self._climb())
        found = self._with_reality(found)
        if not found.complete:
            found = replace(found, notes=(*found.notes, *self._advice(found)))
        return replace(found, seconds=time.perf_counter() - begun)

    # Bounds

    def _expand(self) -> Expanded | None:
        try:
            terms = self.system.expanded(_TERMS)
        except InputError as error:
            self.notes.append(f"not expanded, so no exact count is tried: {error.rule}")
            return None
        # Names of our own: those of a file may be too wild for others.
        names = tuple(f"x{j + 1}" for j in range(len(self.system.variables)))
        if not self.system.is_real:
            # Exact algebra and the engines outside are asked over Q, with i as an unknown.
            return adjoined(names, terms)
        return Expanded(names, tuple(map(_rational, terms)))

    def _bound(self) -> None:
        exact = self.expanded
        real = exact is not None and self.system.is_real
        graded = exact.renamed(self.system.variables) if exact and real else self.system
        found = best = bezout(graded)
        if self.system.is_square:
            best = best_multihomogeneous(graded, [self.system.groups])
        small = len(self.system.variables) <= _MIXED_UNKNOWNS
        volumes = None
        if exact is not None and real and exact.is_square and small:
            volumes = mixed_volumes(exact, timeout=_MIXED_SECONDS)
        bkk = None if volumes is None else volumes[self.domain == "affine"].value
        multihomogeneous = best.value if self.system.is_square else None
        self.bounds = Bounds(found.value, multihomogeneous, bkk)
        self.proved = best if best.value < found.value else found
        excess = len(self.system.variables) - self.system.equations
        if excess > 0:
            self.dimension = excess
            self.notes.append(
                f"{self.system.shape_in_words}, so no solution is isolated; {excess} generic "
                f"slice{'s' if excess > 1 else ''} would make solutions countable"
            )
            ladder = self._climb()
            self.component = None if ladder is None else ladder.component(self.system, excess)
        elif excess < 0:
            self.notes.append("more equations than unknowns: roots are certified by exact algebra")
        if self.system.gauge.continuous > len(self.system.slices) and excess <= 0:
            self.notes.append(
                f"a known symmetry of dimension {self.system.gauge.continuous} is left unfixed: "
                "solutions it moves are not isolated and not counted"
            )

    # Roots

    def _follow(self, times: int) -> None:
        if not self.runs and self._many_paths() and self._member():
            return
        first = len(self.runs)
        for seed in range(self.seed + first, self.seed + first + times):
            found = self._solve(seed)
            if found is None:
                return
            self.runs.append(found)

    def _solve(self, seed: int) -> _Run | None:
        if self.engine in ("auto", "batch", "simple"):
            ours = self._built_in()
            try:
                paths = ours.path_count(self.system)
            except InputError as error:
                if self.engine != "auto":
                    raise
                self.notes.append(f"the built-in engine refused: {error.rule}")
            else:
                if paths > _SLOW_PATHS and not self.runs:
                    self.say(f"following {paths} paths, at least twice: this may take minutes")
                return _followed(ours, self.system, seed)
        return self._outside("phc" if self.engine == "auto" else self.engine, seed)

    def _built_in(self) -> Engine:
        few = self.engine == "auto" and math.prod(self.system.degrees) <= _FEW_PATHS
        if few or self.engine == "simple":
            return SimpleEngine()
        return BatchEngine(Options(threads=self.threads))

    def _many_paths(self) -> bool:
        degrees = self.system.degrees
        return self.engine == "auto" and math.prod(degrees) > _FAMILY_PATHS

    def _member(self) -> bool:
        """Whether the solutions of a network came from a generic member of its family."""
        if self.generic is not None:
            return False
        try:
            found = solve_member(self.system, self.seed, threads=self.threads, say=self.say)
        except InputError as error:
            self.notes.append(f"no generic count: {error.rule}")
            return False
        if found is None:
            return False
        self.generic, instance = found
        self.runs.append(_Run(FAMILY, self.seed, instance.points, len(instance.lost)))
        return True

    def _by_family(
        self, roots: CertifiedRoots, upper: Upper | None
    ) -> tuple[CertifiedRoots, Upper | None]:
        """The roots with those that the family leads to, and its generic count as a bound."""
        if self.engine not in ("auto", "batch"):
            return roots, upper
        if self._member():
            roots = self._certified()
        generic = self.generic
        if generic is None or (upper is not None and upper.value <= generic.count):
            return roots, upper
        if not generic.complete:
            notes = [*generic.reasons, *(part.note for part in generic.components if part.note)]
            open_ends = "; ".join(notes) or f"trace test to {generic.residual:.0e} only"
            self.notes.append(f"the generic count {generic.count} is open: {open_ends}")
            return roots, upper
        seeds = " and ".join(map(str, generic.seeds))
        rule = (
            f"generic count of the architecture by monodromy (seeds {seeds}) and trace test "
            f"(residual {generic.residual:.0e})"
        )
        return roots, Upper(generic.count, rule, Assurance.NUMERIC)

    def _outside(self, name: str, seed: int) -> _Run | None:
        if self.expanded is None:
            self.notes.append(f"{name} takes systems of bounded size only")
            return None
        try:
            if name == "phc":
                found = phc.solve(self.expanded, seed=seed)
            else:
                found = bertini.solve(self.expanded, seed=seed)
        except MissingEngine as error:
            if self.engine == name:
                rule = f"{error.missing} was not found"
                raise InputError("engine", name, rule, f"get it with: {error.remedy}") from None
            self.notes.append(str(error))
            return None
        except EngineError as error:
            self.notes.append(str(error))
            return None
        if isinstance(found, Undecided):
            self.notes.append(str(found))
            return None
        points = np.array(found.points, dtype=np.complex128)
        if not self.system.is_real:
            # Half of the points have -i for i: those solve the conjugate system.
            points = points[points[:, -1].imag > 0, :-1]
        self.notes += found.notes
        return _Run(f"{name} {found.version}".strip(), seed, points, found.failures)

    def _certified(self) -> CertifiedRoots:
        if not self.runs:
            return CertifiedRoots(self.system, (), ())
        points = np.concatenate([run.points for run in self.runs])
        return certify(self.system, points.reshape(-1, len(self.system.variables)))

    def _verdicts(self, roots: CertifiedRoots) -> list[tuple[Verdict, ...]]:
        """The verdicts, run by run."""
        parts: list[tuple[Verdict, ...]] = []
        place = 0
        for run in self.runs:
            parts.append(roots.verdicts[place : place + len(run.points)])
            place += len(run.points)
        return parts

    def _disagree(self, roots: CertifiedRoots) -> str:
        reached = [{v.root for v in part if v.root is not None} for part in self._verdicts(roots)]
        if all(part == reached[0] for part in reached):
            return ""
        words = ", ".join(
            f"seed {run.seed} {len(part)}" for run, part in zip(self.runs, reached, strict=True)
        )
        return f"the runs disagree, so paths were lost: of {len(roots)} roots {words}"

    # The exact count

    def _climb(self) -> Ladder | None:
        """The exact rungs; None for systems too large to be written out."""
        if self.ladder is None and self.expanded is not None:
            try:
                given = literal(self.system, self.expanded)
            except Refusal as refusal:
                words = f"no exact count: the kernel does not expand the system: {refusal}"
                self.notes.append(words)
                self.expanded = None
                return None
            self.ladder = Ladder(given, 1 if self.system.is_real else 2, self.seed, self.notes)
        return self.ladder

    def _exact(self, certified: int) -> Upper | None:
        if self.generic is not None and self.generic.count > _EXACT_MOST:
            self.notes.append(f"no exact count is tried of {self.generic.count} solutions")
            return None
        ladder = self._climb()
        found = None if ladder is None else ladder.exact()
        if ladder is None or found is None:
            return None
        self.dimension, self.multiplicity = found.dimension, found.degree
        if found.dimension > 0:
            self.notes.append(
                f"the solution set has dimension {found.dimension} ({found.rule}): the isolated "
                f"ones ({certified}) are a lower bound, and those on it are not counted"
            )
            self.component = ladder.component(self.system, found.dimension)
            return None
        self.exact = found.distinct
        return found.upper

    def _solved(self, roots: CertifiedRoots) -> Solved | None:
        """All solutions by exact algebra, unless they contradict the certified roots."""
        assert self.ladder is not None
        found = self.ladder.solved()
        if isinstance(found, Undecided):
            self.notes.append(f"the solutions are not all found by exact algebra: {found}")
            return None
        if found.distinct != self.exact or not found.agrees(roots):
            self.notes.append(
                f"CONTRADICTION: {found.distinct} solutions by a {found.rule} do not fit "
                f"{len(roots)} certified roots of {self.exact}; they are left out. Please report "
                "this"
            )
            self.exact = None
            return None
        return found

    def _again(self, solved: Solved | None) -> CertifiedRoots:
        """The certified roots after another try: from the exact solutions, or two more runs."""
        if solved is None and self.runs:
            self.say("an exact count says that roots are missing: two more runs")
            self._follow(2)
        elif solved is not None:
            points = np.array(solved.approximations(), dtype=np.complex128)
            self.runs.append(_Run(EXACT, self.seed, points, 0))
        return self._certified()

    # The result

    def _count(self, roots: CertifiedRoots, upper: Upper | None) -> RootCount:
        parts = self._verdicts(roots)
        lost = [
            run.lost + sum(v.fate is Fate.UNRESOLVED for v in part)
            for run, part in zip(self.runs, parts, strict=True)
        ]
        points = [point for run in self.runs for point in run.points]
        singular = [
            point
            for point, verdict in zip(points, roots.verdicts, strict=True)
            if verdict.fate is Fate.SINGULAR
        ]
        width = len(self.system.variables)
        places = np.array(singular, dtype=np.complex128).reshape(len(singular), width)
        origin = self.system.origin
        return RootCount(
            name=self.system.name,
            variables=width,
            equations=self.system.equations,
            domain="affine",
            modulo=str(self.system.gauge) if origin is not None else "nothing fixed (a file)",
            dimension=self.dimension,
            bounds=self.bounds,
            certified=len(roots),
            certified_real=roots.count(Realness.REAL),
            real_undecided=roots.count(Realness.UNDECIDED),
            singular=len(clusters(places, SAME_SINGULAR)) if singular else 0,
            unresolved=max(lost, default=0),
            upper=None if upper is None else upper.value,
            upper_rule=None if upper is None else upper.rule,
            roots_assurance=roots.assurance,
            upper_assurance=None if upper is None else upper.assurance,
            engine=self.runs[0].engine if self.runs else "none",
            seed=self.seed,
            orbits=self._orbits(len(roots)),
            multiplicity=self.multiplicity,
            component=self.component,
            runs=self._seeds(),
            notes=tuple(self.notes),
            roots=roots,
        )

    def _seeds(self) -> tuple[int, ...]:
        own = tuple(run.seed for run in self.runs if run.engine not in (EXACT, FAMILY))
        return own or (() if self.generic is None else self.generic.seeds)

    def _orbits(self, certified: int) -> int | None:
        """How many functions the solutions are, where all of a generic member's are found."""
        generic = self.generic
        whole = generic is not None and generic.complete and generic.count == certified
        return generic.orbits if generic is not None and whole else None

    def _with_all(self, found: RootCount, solved: Solved) -> RootCount:
        """The count with all solutions of exact algebra, regular or not."""
        if found.certified == solved.distinct:
            return replace(found, solved=solved)
        if found.upper is not None and found.upper < solved.distinct:
            words = (
                f"CONTRADICTION: {solved.distinct} solutions by a {solved.rule}, but at most "
                f"{found.upper} by {found.upper_rule}; both are left out. Please report this"
            )
            none = replace(found, upper=None, upper_rule=None, upper_assurance=None)
            return replace(none, notes=(*found.notes, words))
        met = found.upper == solved.distinct
        return replace(
            found,
            certified=solved.distinct,
            certified_real=solved.real,
            real_undecided=0,
            multiple=solved.multiple,
            multiplicity=solved.with_multiplicity,
            upper=solved.distinct,
            upper_rule=found.upper_rule if met else solved.rule,
            upper_assurance=found.upper_assurance if met else solved.assurance,
            roots_assurance=Assurance.FLINT,
            solved=solved,
        )

    def _with_reality(self, found: RootCount) -> RootCount:
        """The complete count with the exact number of real ones, where boxes do not tell it."""
        ladder = self._climb() if found.complete and found.real_undecided else None
        if ladder is None:
            return found
        solved = ladder.solved(torus=found.domain == "torus")
        if isinstance(solved, Undecided) or solved.distinct != found.certified:
            return found
        return replace(found, certified_real=solved.real, real_undecided=0, solved=solved)

    def _missing(self, exact: int) -> str:
        """What is wrong with the solutions that are not certified."""
        if self.multiplicity == exact:
            return "all are simple, so the engine lost them"
        return "multiple, or lost by the engine"

    def _advice(self, found: RootCount) -> list[str]:
        words = []
        if found.upper is not None and self.exact == found.upper and found.domain == "affine":
            words.append(
                f"there are exactly {found.upper} distinct solutions ({found.upper_rule}); "
                f"{found.upper - found.certified} are not certified: "
                + ("no engine ran" if found.engine == "none" else self._missing(found.upper))
            )
        elif self.bounds.bkk == found.certified and found.certified:
            words.append(
                f"the BKK number {self.bounds.bkk} is met, but phc computes it in floating point"
            )
        if self.system.is_square and self.system.is_real and self.dimension is None:
            rank = self.system.generic_rank(self.seed)
            if rank < len(self.system.variables):
                words.append(
                    f"the Jacobian has rank {rank} at a random point: probably no solution is "
                    "isolated"
                )
        if self.runs and self.exact is None:
            words.append(
                "agreeing runs are no evidence of completeness"
                + ("" if self.generic else "; the trace test is for networks in general position")
            )
        return words


def _rational(terms: Mapping[Monomial, Any]) -> dict[Monomial, fmpq]:
    return {m: fmpq(c) for m, c in terms.items()}


def _followed(engine: Engine, system: PolynomialSystem, seed: int) -> _Run:
    """All end points but those at infinity: what a failed path left may certify all the same."""
    found = engine.solve(system, seed=seed)
    wanted = found.ids(PathStatus.FINITE, PathStatus.SINGULAR, PathStatus.FAILED)
    return _Run(engine.name, seed, found.points[list(wanted)], found.count(PathStatus.JUMPED))
