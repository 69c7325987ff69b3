"""The reading that a hunt attacks: a claim as printed, as corrected, or without a hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from theorylab.claims import Claim, Hypothesis, Variant, claim
from theorylab.instances import Case, Instance
from theorylab.kernel import hypotheses
from theorylab.kernel.arith import MAX_WORK, METER, Refusal
from theorylab.kernel.statements import Statement, canonical, parse_statement
from theorylab.outcome import InputError
from theorylab.topology.certificate import statement_json

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a claim, its ``dropped`` hypotheses taken off the list of ``variant``."""

    claim: Claim
    variant: Variant
    dropped: tuple[Hypothesis, ...] = ()

    @property
    def name(self) -> str:
        """What is hunted, in one word: which reading, and what is dropped from it."""
        return self.variant.name + "".join(f"-without-{h.name}" for h in self.dropped)

    @property
    def kept(self) -> tuple[Json, ...]:
        """The predicates that the kernel still checks.

        A common ridge without its hypothesis is any ridge: the weaker word takes its place.
        """
        kept = [h.json for h in self.variant.hypotheses]
        if any(h.json["kind"] == "common_ridge" for h in self.dropped):
            kept.append({"kind": "ridge"})
        return tuple(kept)

    @property
    def words(self) -> str:
        """The statement that is hunted."""
        if not self.dropped:
            return self.variant.words
        return f"{self.variant.words} - even without: {'; '.join(h.words for h in self.dropped)}"

    def statement_json(self, instance: Instance) -> Json:
        """What a certificate against this reading states: the kept hypotheses, the conclusion."""
        case = Case(instance.network, instance.data, instance.loss.penalties)
        return self.stated(case, instance.conclusion)

    def covers(self, instance: Instance) -> bool:
        """Whether the instance is a case of this reading: its conclusion, its hypotheses.

        A family of the claim may draw cases of its other readings too: those are not hunted.
        """
        statement = _satisfied(self.statement_json(instance))
        if statement is None or statement.conclusion.kind != self.variant.conclusion:
            return False
        return self.variant.asserts(statement)

    def allows(self, case: Case) -> bool:
        """Whether the hypotheses hold of network, data and ridge, those on points left out."""
        plain = [hypothesis for hypothesis in self.kept if not on_points(hypothesis)]
        fact = {"kind": "has_zero"}
        stated = statement_json(case.network, case.data, plain, fact, case.ridge)
        return _satisfied(stated) is not None

    def stated(self, case: Case, conclusion: Json) -> Json:
        """The same for a case and a conclusion."""
        return statement_json(case.network, case.data, self.kept, conclusion, case.ridge)

    def statement(self, case: Case, conclusion: Json) -> bytes:
        """Its canonical bytes."""
        return canonical(self.stated(case, conclusion))


def on_points(hypothesis: Json) -> bool:
    """Whether a hypothesis is about the points of the conclusion, not of network and data alone."""
    return hypothesis["kind"] == "loss" or hypothesis.get("bound") == "r(A)+r(B)"


def _satisfied(stated: Json) -> Statement | None:
    """The statement, if all its hypotheses hold."""
    METER.left = MAX_WORK
    try:
        statement = parse_statement(stated)
        for hypothesis in statement.hypotheses:
            hypotheses.check(hypothesis, statement)
    except Refusal:
        return None
    return statement


def reading(given: str | Claim, drop: str | None = None, as_stated: bool = False) -> Reading:
    """The reading of a claim to attack: corrected where there is one, or ``as_stated``.

    Raises InputError for an unknown claim, for an existential or statistical one (no single
    instance refutes it), for a hypothesis that it does not have, and for ``as_stated`` of a claim
    that is not printed in its source.

    >>> found = reading("deep-linear-connected", drop="wide")
    >>> found.name, len(found.kept)
    ('corrected-without-wide', 3)
    """
    chosen = given if isinstance(given, Claim) else claim(given)
    if chosen.quantifier != "universal":
        rule = f"it is {chosen.quantifier}: no single instance refutes it"
        raise InputError("claim", chosen.id, rule, "decide its instances with verify")
    if chosen.kind == "statistical":
        rule = f"it is {chosen.kind}: draws can be inconsistent with it, no instance refutes it"
        raise InputError("claim", chosen.id, rule, "observe its trials with verify")
    variant = chosen.variant("printed") if as_stated else chosen.main
    if drop is None:
        return Reading(chosen, variant)
    return without(Reading(chosen, variant), drop)


def without(whole: Reading, drop: str) -> Reading:
    """The reading without the hypothesis of this name. InputError when it has none such."""
    dropped = [h for h in whole.variant.hypotheses if h.name == drop]
    if not dropped:
        names = ", ".join(h.name for h in whole.variant.hypotheses)
        rule = f"the hypotheses of {whole.claim.id} ({whole.variant.name}) are {names}"
        raise InputError("drop", drop, rule, "name one of these")
    kept = tuple(h for h in whole.variant.hypotheses if h.name != drop)
    return Reading(whole.claim, replace(whole.variant, hypotheses=kept), (*whole.dropped, *dropped))
