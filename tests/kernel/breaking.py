"""How one hypothesis of one lemma is made to fail alone: a valid certificate, slightly altered.

The numbers of lemmas are those of ``proofs/soundness.md`` and of the kernel's comments.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.corpus import HANDMADE
from kernel.mutations import Place, canonical, put
from kernel.writing import Json

from theorylab.kernel import Proved, Refuted, Rejected, check

CASES = {case.name: case.certificate for case in HANDMADE}
NETWORK, DATA = ("statement", "network"), ("statement", "data")
CONCLUSION, STEPS = ("statement", "conclusion"), ("proof", "steps")
A, B, U = (*CONCLUSION, "A"), (*CONCLUSION, "B"), (*CONCLUSION, "u")
ACTIVATION, OUTPUT = (*NETWORK, "activation"), (*NETWORK, "output")
PATTERN, BIAS = (*NETWORK, "pattern"), (*NETWORK, "bias")
HYPOTHESES = ("statement", "hypotheses")


@dataclass(frozen=True, slots=True)
class Break:
    lemma: str
    hypothesis: str
    valid: Json
    changes: tuple[tuple[Place, Json], ...]
    reason: str

    @property
    def broken(self) -> Json:
        result = self.valid
        for at, new in self.changes:
            result = put(result, at, new)
        return result

    @property
    def name(self) -> str:
        return f"{self.lemma}: {self.hypothesis}"


class Breaks(list[Break]):
    """The ways to break the lemmas of one test module."""

    def add(
        self, lemma: str, hypothesis: str, valid: Json, reason: str, *changes: tuple[Place, Json]
    ) -> None:
        """``valid`` names a case of the corpus, or is a certificate."""
        base = CASES[valid] if isinstance(valid, str) else valid
        self.append(Break(lemma, hypothesis, base, changes, reason))


def assert_refused(one: Break) -> None:
    """The certificate is accepted, and rejected for the reason given once it is altered."""
    assert isinstance(check(canonical(one.valid)), Proved | Refuted)
    found = check(canonical(one.broken))
    assert isinstance(found, Rejected)
    assert one.reason in found.reason


def point(*numbers: str) -> Json:
    """Weights of a 1-1-...-1 network."""
    return [[[v]] for v in numbers]
