"""The hunter against what it was not written for: false mutants, and instances that are true."""

from __future__ import annotations

import pytest

from theorylab import kernel
from theorylab.claims import Claim
from theorylab.falsify import Refutation, hunt
from theorylab.falsify.hunt import attacked, attacked_instance
from theorylab.falsify.mutants import mutants
from theorylab.falsify.reading import Reading
from theorylab.falsify.sharpness import topology_claims
from theorylab.instances import Case, Seeded
from theorylab.topology.counterexample import NEGATED

ENOUGH = 25
TRUE_INSTANCES = 200


@pytest.mark.slow
def test_machine_made_false_variants_fall() -> None:
    """Each is refuted by a certificate that states exactly its own list of hypotheses."""
    fallen: set[tuple[str, str]] = set()
    claims = [c for c in topology_claims() if "ridge" not in c.id]
    for mutant in (m for c in claims for m in mutants(c)):
        found = hunt(mutant, tries=300)
        if not isinstance(found, Refutation):
            continue
        outcome = kernel.check(found.certificate_bytes)
        assert isinstance(outcome, kernel.Refuted)
        assert tuple(outcome.statement.hypotheses) == mutant.kept
        fallen.add((mutant.claim.id, mutant.name))
        if len(fallen) == ENOUGH:
            break
    assert len(fallen) == ENOUGH, sorted(fallen)
    assert any("lowered by one" in name for _, name in fallen)


@pytest.mark.slow
@pytest.mark.parametrize("c", topology_claims(), ids=lambda c: c.id)
def test_true_instances_are_never_refuted(c: Claim) -> None:
    """Two hundred instances of each claim, the hunter asked about every one."""
    tried = 0
    for i in range(TRUE_INSTANCES):
        instance = c.random(Seeded(f"true instance {c.id} {i}"))
        if instance.expected == "refuted":
            continue
        tried += 1
        whole = Reading(c, c.variant(instance.variant))
        if whole.variant.conclusion in NEGATED:
            case = Case(instance.network, instance.data, instance.loss.penalties)
            assert attacked(whole, case) is None, i
        else:
            assert attacked_instance(whole, instance, ()) is None, i
    # the instances of one claim are all made to refute it
    assert tried == (0 if c.id == "connected-implies-no-poor-minima" else TRUE_INSTANCES)
