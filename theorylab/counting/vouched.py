"""What the kernel says of a count: its certificate, and the count with what it vouches for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from flint import fmpq

from theorylab import kernel as trusted
from theorylab.counting.bounds import Bound
from theorylab.counting.cofactors import Staircase, staircase
from theorylab.counting.expanded import Expanded
from theorylab.counting.rootcount import RootCount
from theorylab.counting.roots import CertifiedRoots, kernel_estimate, kernel_proof
from theorylab.counting.system import PolynomialSystem
from theorylab.kernel.arith import MAX_WORK, METER, Refusal
from theorylab.kernel.roots import equations
from theorylab.kernel.statements import SCHEMA, canonical, parse
from theorylab.outcome import Assurance, Undecided

# Seconds that the kernel may take, by its own forecast, before its word is left out.
_KERNEL_SECONDS: Final = 120.0


def certificate(
    system: PolynomialSystem, conclusion: dict[str, Any], rule: str, proof: dict[str, Any]
) -> bytes:
    """The canonical bytes of a certificate about the system of a network."""
    origin = system.origin
    assert origin is not None, "only systems of networks have certificates"
    statement = {
        "network": origin.network.to_json(),
        "data": origin.data.to_json(),
        "hypotheses": [],
        "conclusion": conclusion,
    }
    return canonical({"schema": SCHEMA, "statement": statement, "rule": rule, "proof": proof})


def literal(system: PolynomialSystem, expanded: Expanded) -> Expanded:
    """The system as the kernel derives it from network and data; of files, as expanded.

    Raises Refusal for systems too large for the kernel.
    """
    if system.origin is None or not system.is_square or system.slices:
        return expanded
    conclusion, rule, proof = kernel_proof(CertifiedRoots(system, (), ()), system)
    # Reading is charged as well, and the last check may have left nothing.
    METER.left = MAX_WORK
    statement, _, _ = parse(certificate(system, conclusion, rule, proof))
    polynomials = equations(statement, statement.conclusion.values["system"])
    return Expanded(
        expanded.variables,
        tuple({m: fmpq(c, p.den) for m, c in p.terms.items()} for p in polynomials),
    )


def by_kernel(
    found: RootCount,
    roots: CertifiedRoots,
    system: PolynomialSystem,
    expanded: Expanded | None,
    bound: Bound | None,
    exact: int | None,
    say: Callable[[str], None],
) -> RootCount:
    """The count with what the kernel vouches for: the roots, and an upper bound it can show.

    ``bound`` is the best of the theorems, ``exact`` the number that exact algebra found. Without
    the kernel's word the count comes back as it was, with the reason among its notes.
    """
    if not len(roots) and (found.upper != 0 or not system.is_square):
        return found
    estimate = kernel_estimate(roots, system)
    if estimate.obstacle is not None or estimate.seconds > _KERNEL_SECONDS:
        return replace(found, notes=(*found.notes, f"not asked of the kernel: {estimate}"))
    if estimate.seconds > 2:
        say(f"the kernel repeats the certification: {estimate}")
    at_most, upper = _by_theorem(bound, len(roots), system)
    rule, steps = found.upper_rule, _steps(found, system, expanded, exact, at_most)
    if steps is not None:
        at_most, upper = steps.bound, steps.to_json()
        rule = f"a staircase of {steps.bound} monomials, {len(steps.steps)} steps"
    raw = certificate(system, *kernel_proof(roots, system, at_most, upper))
    outcome = trusted.check(raw)
    if not isinstance(outcome, trusted.Proved):
        reason = getattr(outcome, "reason", "it found more roots than the bound allows")
        words = f"the kernel did not accept the certificate: {reason}"
        return replace(found, notes=(*found.notes, words))
    shown = at_most is not None and (steps is not None or found.upper == at_most)
    return replace(
        found,
        dimension=0 if steps is not None else found.dimension,
        roots_assurance=Assurance.KERNEL,
        upper=at_most if shown else found.upper,
        upper_rule=rule if shown else found.upper_rule,
        upper_assurance=Assurance.KERNEL if shown else found.upper_assurance,
        lemmas=outcome.lemmas,
        certificate_bytes=raw,
        sha256=outcome.statement.sha256,
    )


def _by_theorem(
    bound: Bound | None, certified: int, system: PolynomialSystem
) -> tuple[int | None, dict[str, Any] | None]:
    if bound is None or bound.value < certified:
        return None, None
    if bound.kind != "multihomogeneous" or bound.partition is None:
        return bound.value, {"by": "bezout"}
    index = {name: j for j, name in enumerate(system.variables)}
    groups = [[index[name] for name in group] for group in bound.partition]
    return bound.value, {"by": "multihomogeneous", "groups": groups}


def _steps(
    found: RootCount,
    system: PolynomialSystem,
    expanded: Expanded | None,
    exact: int | None,
    at_most: int | None,
) -> Staircase | None:
    """Steps by which the kernel shows the exact count; without one, a bound that is better."""
    if expanded is None or (found.dimension or 0) > 0:
        return None
    known = exact is not None and found.upper == exact
    numeric = found.upper_assurance is Assurance.NUMERIC
    if not numeric and found.upper in ((at_most,) if known else (found.certified,)):
        return None
    try:
        given = literal(system, expanded)
    except Refusal:
        return None
    steps = staircase(given, found.upper if known and found.upper else found.certified)
    if isinstance(steps, Undecided) or (known and steps.bound != found.upper):
        return None
    better = found.upper is None or steps.bound < found.upper
    return steps if known or better or (numeric and steps.bound == found.upper) else None
