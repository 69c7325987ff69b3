"""Our own searchers for a proof of a user's instance, or of its negation.

Each only proposes a rule and a proof; what the kernel rejects is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flint import fmpq

from theorylab import kernel
from theorylab.claims import all_claims
from theorylab.claims.claim import Proof
from theorylab.instances import Instance
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument, separated_by_bottleneck
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.connect import connect
from theorylab.topology.disconnected import parted
from theorylab.topology.level_trees.tree import decided_in_tree, level_tree, size_of
from theorylab.topology.path import proof_of_joined
from theorylab.topology.quadratic.inertia import decided_by_inertia
from theorylab.topology.walls.separation import Separation
from theorylab.topology.walls.shell import expanded_terms, separated_by_shell
from theorylab.topology.walls.unit_ridge import separated_by_unit_ridge

_MOST_TERMS = 5_000
_IN_A_TREE = ("descends", "components", "level_tree", "global_min")


def search(instance: Instance) -> Proof | Undecided:
    """A proof of the instance's conclusion or of its negation, whichever is found first.

    A joined or separated pair is asked of the constructions of paths and of walls, inertia and
    level trees; any other conclusion of the level tree where it says something, and of the provers
    of the catalogue's claims with that conclusion. Guarantees: exact; the kernel has accepted what
    is returned, for the statement without hypotheses. Undecided says nothing of the instance.
    """
    kind = instance.conclusion["kind"]
    if kind == "relation":
        return "witness", {}
    why = f"none of our searchers proves or refutes {kind.replace('_', ' ')} here"
    proposals = _of_a_pair(instance) if kind in ("joined", "separated") else _of_any(instance)
    for proposed in proposals:
        if isinstance(proposed, Undecided):
            why = proposed.reason
        elif _accepted(instance, *proposed):
            return proposed
    return Undecided(why, "the search for a proof", "give the conjecture a prover of your own")


def _accepted(instance: Instance, rule: str, proof: dict[str, Any]) -> bool:
    raw = connection_certificate(instance.loss, instance.conclusion, rule, proof)
    return not isinstance(kernel.check(raw), kernel.Rejected)


def _of_a_pair(instance: Instance) -> Iterator[Proof | Undecided]:
    network, data, loss, a = instance.network, instance.data, instance.loss, instance.a
    b, u = instance.b, fmpq(instance.conclusion["u"])
    assert b is not None  # a fact "joined" or "separated" has two points
    if max(loss(a), loss(b)) > u:
        yield Undecided("a point lies above the level")
        return
    path = connect(network, data, a, b, instance.ridge)
    yield path if isinstance(path, Undecided) else proof_of_joined(path.path, loss, u)
    if not network.is_dense:
        return
    walls: list[Callable[[], Argument | Separation | Undecided]]
    if instance.ridge is None:
        walls = [
            lambda: separated_by_bottleneck(network, data, a, b, u),
            lambda: decided_by_inertia(network, data, a, b, u),
        ]
    else:
        walls = [
            lambda: separated_by_unit_ridge(loss, u, (a, b)),
        ]
        if expanded_terms(network) <= _MOST_TERMS:
            walls += [
                lambda: separated_by_shell(loss, u, a, b),
                lambda: separated_by_shell(loss, u, b, a),
            ]
    walls += [lambda: parted(loss, a, b, u), lambda: decided_in_tree(loss, a, b, u)]
    for wall in walls:
        found = wall()
        if isinstance(found, Separation):
            found = found.separated
        if isinstance(found, Argument):
            yield found.rule, found.proof


def _of_any(instance: Instance) -> Iterator[Proof | Undecided]:
    kind = instance.conclusion["kind"]
    if kind in _IN_A_TREE and instance.ridge is None:
        try:
            if size_of(instance.network, instance.data).fits:
                yield "level_tree", level_tree(instance.network, instance.data).proof
        except InputError:  # not for such networks, or too big
            pass
    for claim in all_claims():
        if any(variant.conclusion == kind for variant in claim.variants):
            yield from _by(claim.prover, instance)


def _by(
    prover: Callable[[Instance], Proof | Undecided], instance: Instance
) -> Iterator[Proof | Undecided]:
    try:
        found = prover(instance)
    except Exception:  # it was made for the instances of its own claim only
        return
    yield found
