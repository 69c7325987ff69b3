"""count: how many isolated solutions a system has, and an honest word on whether these are all.

The ladder: a proved bound that the certified roots meet (``kernel`` for networks, else ``flint``),
an exact count by a Groebner basis (``flint``) or msolve (``cas``), otherwise incomplete. Agreeing
runs are no evidence here: without a trace test nothing is complete at ``numeric``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
from flint import fmpq

from theorylab import kernel as trusted
from theorylab.counting.bounds import Bound, best_multihomogeneous, bezout, mixed_volumes
from theorylab.counting.expanded import Expanded, Monomial
from theorylab.counting.external import (
    EmptySet,
    EngineError,
    FiniteSet,
    MissingEngine,
    PositiveDimensional,
    bertini,
    msolve,
    phc,
)
from theorylab.counting.groebner import exact_count
from theorylab.counting.homotopy import PathStatus, SimpleEngine
from theorylab.counting.homotopy.engine import SAME_SINGULAR, Complexes, clusters
from theorylab.counting.rootcount import Bounds, RootCount
from theorylab.counting.roots import (
    CertifiedRoot,
    CertifiedRoots,
    Fate,
    Realness,
    Verdict,
    certify,
    kernel_estimate,
    kernel_proof,
)
from theorylab.counting.system import PolynomialSystem
from theorylab.kernel.arith import MAX_WORK, METER, Refusal
from theorylab.kernel.roots import equations
from theorylab.kernel.statements import SCHEMA, canonical, parse
from theorylab.outcome import Assurance, InputError, Undecided

__all__ = ["DOMAINS", "ENGINES", "Bounds", "RootCount", "count"]

ENGINES: Final = ("auto", "simple", "phc", "bertini")
DOMAINS: Final = ("affine", "torus")
# Seconds that the kernel may take, by its own forecast, before its word is left out.
_KERNEL_SECONDS: Final = 120.0
_MSOLVE_SECONDS: Final = 120.0
_MIXED_SECONDS: Final = 10.0
_TERMS: Final = 20_000
_SLOW_PATHS: Final = 500
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
    say: Say | None = None,
) -> RootCount:
    """How many distinct isolated complex solutions a system has, certified, and at most how many.

    Two runs of the engine (two more while an exact count is not met) are merged and certified.
    ``domain`` "torus" counts solutions without zero coordinates; ``kernel`` asks the kernel to
    repeat it for systems of networks; ``say`` is told before long work.

    Guarantees: ``certified`` and ``upper`` at the assurances given; ``complete`` only if they
    meet, never from floating point alone. Raises InputError for bad options, systems too large,
    and an engine asked for by name that is not installed.
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
    if not system.variables:
        raise InputError("system", system.name, "nothing is unknown", "fix fewer parameters")
    return _Counting(system, seed, engine, domain, kernel, say or (lambda words: None)).run()


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of an engine: its end points, and the paths it lost by its own account."""

    engine: str
    seed: int
    points: Complexes
    lost: int


@dataclass(frozen=True, slots=True)
class _Upper:
    """At most ``value`` isolated distinct solutions, by which rule, and who says so."""

    value: int
    rule: str
    assurance: Assurance


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
    dimension: int | None = None
    expanded: Expanded | None = None
    proved: Bound | None = None
    exact: int | None = None
    bounds: Bounds = field(default_factory=Bounds)

    def run(self) -> RootCount:
        begun = time.perf_counter()
        self.expanded = self._expand()
        self._bound()
        upper: _Upper | None = None
        if self.proved is not None:
            groups = "".join("{" + ", ".join(g) + "}" for g in self.proved.partition or ())
            kind = "Bezout" if self.proved.kind == "bezout" else self.proved.kind
            rule = f"{kind} number {groups}".strip()
            upper = _Upper(self.proved.value, rule, self.proved.assurance)
        if self.system.is_square and not (upper and upper.value == 0):
            self._follow(2)
        roots = self._certified()
        if self._disagree(roots):
            self.notes.append(self._disagree(roots))
        if not (upper and upper.value == len(roots)):
            exact = self._exact(len(roots))
            if exact is not None and exact.value > len(roots) and self.runs:
                self.say("an exact count says that roots are missing: two more runs")
                self._follow(2)
                roots = self._certified()
            if exact is not None and upper is not None and exact.value > upper.value:
                self.notes.append(
                    f"CONTRADICTION: exactly {exact.value} by {exact.rule}, but at most "
                    f"{upper.value} by {upper.rule}; both are left out. Please report this"
                )
                upper = self.exact = None
            elif exact is not None:
                upper = exact
        if 0 < len(roots) == self.bounds.bezout:
            # Components of positive dimension would take their share of Bezout's number.
            self.dimension = 0
        if upper is not None and upper.value < len(roots):
            self.notes.append(
                f"CONTRADICTION: {len(roots)} roots are certified, but {upper.rule} says at most "
                f"{upper.value}; the bound is left out. Please report this"
            )
            upper = None
        found = self._count(roots, upper)
        if self.ask_kernel and self.system.origin is not None:
            found = self._by_kernel(found, roots)
        if self.domain == "torus":
            found = self._in_torus(found, roots)
        if not found.complete:
            found = replace(found, notes=(*found.notes, *self._advice(found)))
        return replace(found, seconds=time.perf_counter() - begun)

    # Bounds

    def _expand(self) -> Expanded | None:
        if not self.system.is_real:
            self.notes.append("complex coefficients: no exact count is tried")
            return None
        try:
            terms = self.system.expanded(_TERMS)
        except InputError as error:
            self.notes.append(f"not expanded, so no exact count is tried: {error.rule}")
            return None
        # Names of our own: those of a file may be too wild for others.
        names = tuple(f"x{j + 1}" for j in range(len(self.system.variables)))
        return Expanded(names, tuple(_rational(p) for p in terms))

    def _bound(self) -> None:
        exact = self.expanded
        graded = self.system if exact is None else exact.renamed(self.system.variables)
        found = best = bezout(graded)
        if self.system.is_square:
            best = best_multihomogeneous(graded, [self.system.groups])
        small = len(self.system.variables) <= _MIXED_UNKNOWNS
        volumes = None
        if exact is not None and exact.is_square and small:
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
        elif excess < 0:
            self.notes.append("more equations than unknowns: no root is certified in a box")
        if self.system.gauge.continuous and excess <= 0:
            self.notes.append(
                f"a known symmetry of dimension {self.system.gauge.continuous} is left unfixed: "
                "solutions it moves are not isolated and not counted"
            )

    # Roots

    def _follow(self, times: int) -> None:
        first = len(self.runs)
        for seed in range(self.seed + first, self.seed + first + times):
            found = self._solve(seed)
            if found is None:
                return
            self.runs.append(found)

    def _solve(self, seed: int) -> _Run | None:
        if self.engine in ("auto", "simple"):
            simple = SimpleEngine()
            try:
                paths = simple.path_count(self.system)
            except InputError as error:
                if self.engine == "simple":
                    raise
                self.notes.append(f"the built-in engine refused: {error.rule}")
            else:
                if paths > _SLOW_PATHS and not self.runs:
                    self.say(f"following {paths} paths, at least twice: this may take minutes")
                return _followed(simple, self.system, seed)
        return self._outside("phc" if self.engine == "auto" else self.engine, seed)

    def _outside(self, name: str, seed: int) -> _Run | None:
        if self.expanded is None:
            self.notes.append(f"{name} takes rational coefficients of bounded size only")
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

    def _exact(self, certified: int) -> _Upper | None:
        if self.expanded is None:
            return None
        try:
            literal = self._literal(self.expanded)
        except Refusal as refusal:
            self.notes.append(f"no exact count: the kernel does not expand the system: {refusal}")
            return None
        open_ends: list[str] = []
        for source in (_by_groebner, _by_msolve):
            try:
                found = source(literal, self.seed)
            except MissingEngine as error:
                self.notes.append(f"an exact count was not possible: {error}")
                continue
            except EngineError as error:
                self.notes.append(str(error))
                continue
            if isinstance(found, Undecided):
                open_ends.append(str(found))
                continue
            dimension, distinct, rule, assurance = found
            self.dimension = dimension
            if dimension > 0:
                self.notes.append(
                    f"the solution set has dimension {dimension} ({rule}): {certified} isolated "
                    "ones are a lower bound, and those on larger components are not counted"
                )
                return None
            if distinct is None:
                continue
            self.exact = distinct
            return _Upper(distinct, rule, assurance)
        self.notes += open_ends
        return None

    def _literal(self, expanded: Expanded) -> Expanded:
        """The system as the kernel derives it from network and data; of files, as expanded."""
        if self.system.origin is None or not self.system.is_square or self.system.slices:
            return expanded
        conclusion, rule, proof = kernel_proof(CertifiedRoots(self.system, (), ()), self.system)
        statement, _, _ = parse(self._certificate(conclusion, rule, proof))
        METER.left = MAX_WORK
        polynomials = equations(statement, statement.conclusion.values["system"])
        return Expanded(
            expanded.variables,
            tuple({m: fmpq(c, p.den) for m, c in p.terms.items()} for p in polynomials),
        )

    # The kernel

    def _certificate(self, conclusion: dict[str, Any], rule: str, proof: dict[str, Any]) -> bytes:
        origin = self.system.origin
        assert origin is not None, "only systems of networks have certificates"
        statement = {
            "network": origin.network.to_json(),
            "data": origin.data.to_json(),
            "hypotheses": [],
            "conclusion": conclusion,
        }
        return canonical({"schema": SCHEMA, "statement": statement, "rule": rule, "proof": proof})

    def _by_kernel(self, found: RootCount, roots: CertifiedRoots) -> RootCount:
        """The count with what the kernel vouches for: the roots, and the proved bound."""
        if not len(roots):
            return found
        estimate = kernel_estimate(roots, self.system)
        if estimate.obstacle is not None or estimate.seconds > _KERNEL_SECONDS:
            return replace(found, notes=(*found.notes, f"not asked of the kernel: {estimate}"))
        if estimate.seconds > 2:
            self.say(f"the kernel repeats the certification: {estimate}")
        bound, at_most = self.proved, None
        upper: dict[str, Any] | None = None
        if bound is not None and bound.value >= len(roots):
            at_most, upper = bound.value, {"by": "bezout"}
            if bound.kind == "multihomogeneous" and bound.partition is not None:
                index = {name: j for j, name in enumerate(self.system.variables)}
                groups = [[index[name] for name in group] for group in bound.partition]
                upper = {"by": "multihomogeneous", "groups": groups}
        raw = self._certificate(*kernel_proof(roots, self.system, at_most, upper))
        outcome = trusted.check(raw)
        if not isinstance(outcome, trusted.Proved):
            reason = getattr(outcome, "reason", "it found more roots than the bound allows")
            words = f"the kernel did not accept the certificate: {reason}"
            return replace(found, notes=(*found.notes, words))
        same = bound is not None and found.upper == bound.value and at_most is not None
        return replace(
            found,
            roots_assurance=Assurance.KERNEL,
            upper_assurance=Assurance.KERNEL if same else found.upper_assurance,
            lemmas=outcome.lemmas,
            certificate_bytes=raw,
            sha256=outcome.statement.sha256,
        )

    # The result

    def _count(self, roots: CertifiedRoots, upper: _Upper | None) -> RootCount:
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
            runs=tuple(run.seed for run in self.runs),
            notes=tuple(self.notes),
            roots=roots,
        )

    def _in_torus(self, found: RootCount, roots: CertifiedRoots) -> RootCount:
        """Without the roots that have a zero coordinate; those that may have one bound the rest."""
        where = [_zero_coordinates(self.system, root) for root in roots.roots]
        kept = [root for root, zero in zip(roots.roots, where, strict=True) if zero is False]
        zeros, open_ = where.count(True), where.count(None)
        upper, rule, above = found.upper, found.upper_rule, found.upper_assurance
        notes = list(found.notes)
        if upper is not None and zeros:
            upper, rule = upper - zeros, f"{rule}, less {zeros} with a zero coordinate"
            above = Assurance.weakest(above or Assurance.FLINT, Assurance.FLINT)
        if upper != len(kept):
            exact = self._exact_in_torus()
            if (
                exact is not None
                and len(kept) <= exact.value
                and (upper is None or exact.value <= upper)
            ):
                upper, rule, above = exact.value, exact.rule, exact.assurance
        if open_ and upper != len(kept):
            notes.append(f"{open_} roots may have a zero coordinate: balls cannot tell")
        part = [root.realness for root in kept]
        return replace(
            found,
            domain="torus",
            certified=len(kept),
            certified_real=part.count(Realness.REAL),
            real_undecided=part.count(Realness.UNDECIDED),
            upper=upper,
            upper_rule=rule,
            roots_assurance=Assurance.weakest(found.roots_assurance, Assurance.FLINT),
            upper_assurance=above,
            notes=tuple(notes),
        )

    def _exact_in_torus(self) -> _Upper | None:
        """The exact number of solutions in the torus: t x_1 ... x_n = 1 has them and no others."""
        if self.expanded is None:
            return None
        try:
            literal = self._literal(self.expanded)
        except Refusal:
            return None
        n = len(literal.variables)
        lifted = [{(*m, 0): c for m, c in p.items()} for p in literal.polynomials]
        inverse = {(1,) * (n + 1): fmpq(1), (0,) * (n + 1): fmpq(-1)}
        found = exact_count(Expanded((*literal.variables, "t"), (*lifted, inverse)))
        if isinstance(found, Undecided) or found.dimension > 0:
            return None
        distinct = 0 if found.dimension < 0 else found.distinct
        if distinct is None:
            return None
        rule = "Groebner basis over Q by FLINT, in the torus"
        return _Upper(distinct, rule, Assurance.FLINT)

    def _advice(self, found: RootCount) -> list[str]:
        words = []
        if found.upper is not None and self.exact == found.upper and found.domain == "affine":
            words.append(
                f"there are exactly {found.upper} distinct solutions ({found.upper_rule}); "
                f"{found.upper - found.certified} are not certified: "
                + ("no engine ran" if found.engine == "none" else "multiple, or lost by the engine")
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
                "agreeing runs are no evidence of completeness: the trace test is not in this "
                "version"
            )
        return words


def _rational(terms: dict[Monomial, Any]) -> dict[Monomial, fmpq]:
    return {m: fmpq(c) for m, c in terms.items()}


def _followed(engine: SimpleEngine, system: PolynomialSystem, seed: int) -> _Run:
    """All end points but those at infinity: what a failed path left may certify all the same."""
    found = engine.solve(system, seed=seed)
    wanted = found.ids(PathStatus.FINITE, PathStatus.SINGULAR, PathStatus.FAILED)
    return _Run(engine.name, seed, found.points[list(wanted)], found.count(PathStatus.JUMPED))


_Exact = tuple[int, int | None, str, Assurance]


def _by_groebner(system: Expanded, seed: int) -> _Exact | Undecided:
    found = exact_count(system)
    if isinstance(found, Undecided):
        return found
    distinct = 0 if found.dimension < 0 else found.distinct
    rule = "Groebner basis over Q by FLINT"
    return found.dimension, distinct, rule, Assurance.FLINT


def _by_msolve(system: Expanded, seed: int) -> _Exact | Undecided:
    found = msolve.complex_solutions(system, seed=seed, timeout=_MSOLVE_SECONDS)
    if isinstance(found, Undecided):
        return found
    rule = f"msolve {found.version} modulo two primes"
    match found:
        case EmptySet():
            return -1, 0, rule, Assurance.CAS
        case PositiveDimensional():
            return found.dimension, None, rule, Assurance.CAS
        case FiniteSet():
            return 0, found.distinct, rule, Assurance.CAS


def _zero_coordinates(system: PolynomialSystem, root: CertifiedRoot) -> bool | None:
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
