"""A claim: a theorem with named hypotheses and a source, and how one instance of it is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from theorylab.instances import Case, Draw, Instance, Trial
from theorylab.kernel.statements import Statement, canonical
from theorylab.outcome import InputError, Observed, Printed, Source, Undecided
from theorylab.topology.certificate import certificate, statement_json

Json = dict[str, Any]
Proof = tuple[str, Json]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One named hypothesis: words for people, a predicate of the closed list for the kernel."""

    name: str
    words: str
    predicate: tuple[tuple[str, Any], ...]

    @staticmethod
    def of(name: str, words: str, **predicate: Any) -> Hypothesis:
        """The hypothesis whose kernel predicate has these keys."""
        return Hypothesis(name, words, tuple(sorted(predicate.items())))

    @property
    def json(self) -> Json:
        """The predicate as the kernel reads it."""
        return dict(self.predicate)

    def to_json(self) -> Json:
        """Name, words and predicate."""
        return {"name": self.name, "words": self.words, "predicate": self.json}


def _whatever(statement: Statement) -> bool:
    """A reading that its hypotheses and the kind of its conclusion tell from all others."""
    return True


@dataclass(frozen=True, slots=True)
class Variant:
    """One reading of a claim: ``printed`` as in the source, ``corrected``, or its ``converse``.

    ``asserts`` asks whether a statement with these hypotheses and this kind of conclusion says
    what the reading says of it, where other readings have the same words and other numbers.
    """

    name: str
    words: str
    latex: str
    hypotheses: tuple[Hypothesis, ...]
    conclusion: str
    asserts: Callable[[Statement], bool] = _whatever

    def to_json(self) -> Json:
        """The reading as data; not what tells it from readings in the same words."""
        value: Json = {"name": self.name, "words": self.words, "latex": self.latex}
        listed = [h.to_json() for h in self.hypotheses]
        return {**value, "hypotheses": listed, "conclusion": self.conclusion}

    def states(self, statement: Statement) -> bool:
        """Whether a statement of the kernel is an instance of this reading."""
        if statement.conclusion.kind != self.conclusion:
            return False
        return [h.json for h in self.hypotheses] == [*statement.hypotheses] and self.asserts(
            statement
        )


@dataclass(frozen=True, slots=True)
class Erratum:
    """A statement of the source that is false or loose as printed."""

    printed: str
    refuted_by: str
    corrected: str

    def to_json(self) -> Json:
        """The three sentences."""
        return {name: getattr(self, name) for name in ("printed", "refuted_by", "corrected")}


def _no_trials(seed: int, draws: int) -> tuple[Trial, ...]:
    """An exact claim is tried on instances only."""
    return ()


@dataclass(frozen=True, slots=True)
class Said:
    """What a user's own function says of one case: a bare truth value, which nobody checks.

    ``case`` are the network and data it was asked about, None where it drew all by itself.
    """

    holds: bool
    words: str = ""
    case: Case | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Claim(Printed):
    """A theorem of the catalogue, or a user's own conjecture (``theorylab.conjecture``).

    ``canonical`` makes its fixed instances, ``random`` one from a ``Draw``, ``prover`` a
    (rule, proof) for one instance. ``searches`` has, by the name of a hypothesis, a family of
    instances that may break the claim without it, where the predicates of the hypotheses alone say
    too little to draw one. ``grids`` has, by name, families of instances with n inputs and p hidden
    units, to look at what the claim says, or does not say, for each n and p. A claim of kind
    "statistical" has ``trials`` besides, of a seed and a least number of draws, and an ``observer``
    of one of them. A user's claim may have a function: ``says`` is what it makes of choices and,
    if the claim is ``on_cases``, of a case that satisfies the hypotheses: an instance, of kind
    "unchecked" a bare truth value, or None for nothing. Guarantees: a claim decides nothing; only
    the kernel does, and ``statement`` is fixed before the prover runs.

    >>> from theorylab.claims import claim
    >>> wide = claim("quadratic-connected")
    >>> wide.words, [h.name for h in wide.hypotheses][-1], wide.erratum.corrected
    ('...', 'wide', 'M >= N(N+1) suffices')
    """

    id: str
    title: str
    source: Source | None
    variants: tuple[Variant, ...]
    canonical: Callable[[], tuple[Instance, ...]]
    random: Callable[[Draw], Instance]
    prover: Callable[[Instance], Proof | Undecided]
    quantifier: str = "universal"
    kind: str = "exact"
    erratum: Erratum | None = None
    trials: Callable[[int, int], tuple[Trial, ...]] = _no_trials
    observer: Callable[[Trial], Observed] | None = None
    searches: Mapping[str, Callable[[Draw], Instance]] = field(default_factory=dict)
    grids: Mapping[str, Callable[[int, int, Draw], Instance]] = field(default_factory=dict)
    says: Callable[[Draw, Case | None], Instance | Said | None] | None = None
    on_cases: bool = False

    def __repr__(self) -> str:
        return f"<claim {self.id}: {self.title}>"

    def variant(self, name: str) -> Variant:
        """The reading of this name; InputError for an unknown one."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(v.name for v in self.variants)
        raise InputError("variant", name, f"{self.id} is known as {known}", "choose one of these")

    @property
    def main(self) -> Variant:
        """The reading that we hold to be true where there is one, else the printed one."""
        return next((v for v in self.variants if v.name == "corrected"), self.variants[0])

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The hypotheses of the main reading."""
        return self.main.hypotheses

    @property
    def words(self) -> str:
        """The main reading in one sentence."""
        return self.main.words

    @property
    def latex(self) -> str:
        """The main reading as LaTeX."""
        return self.main.latex

    def to_json(self) -> Json:
        """What the claim says and where it comes from, as data; not how it is decided."""
        return {
            "id": self.id,
            "title": self.title,
            "quantifier": self.quantifier,
            "kind": self.kind,
            "source": None if self.source is None else self.source.to_json(),
            "variants": [variant.to_json() for variant in self.variants],
            "main": self.main.name,
            "erratum": None if self.erratum is None else self.erratum.to_json(),
        }

    def statement_json(self, instance: Instance) -> Json:
        """Hypotheses and conclusion of an instance, its network and data by value."""
        hypotheses = [h.json for h in self.variant(instance.variant).hypotheses]
        ridge = instance.loss.penalties
        return statement_json(
            instance.network, instance.data, hypotheses, instance.conclusion, ridge
        )

    def statement(self, instance: Instance) -> bytes:
        """The canonical bytes that a certificate for this instance must state, no byte less."""
        return canonical(self.statement_json(instance))

    def observe(self, trial: Trial) -> Observed:
        """What a trial finds. InputError for an exact claim."""
        if self.observer is None:
            rule = f"{self.id} is exact: it has instances, not trials"
            raise InputError("trial", trial.name, rule, "decide an instance")
        return self.observer(trial)

    def prove(self, instance: Instance) -> bytes | Undecided:
        """A certificate for the statement of the instance, not yet checked; or what is missing."""
        statement = self.statement_json(instance)
        found = self.prover(instance)
        if isinstance(found, Undecided):
            return found
        rule, proof = found
        return certificate(statement, rule, proof)
