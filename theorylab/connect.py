"""connect: two settings of one network, one certificate that a sublevel set joins or parts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flint import fmpq

from theorylab import kernel
from theorylab.model import Dataset, Loss, Network, Ridge, Weights
from theorylab.model.network import torch_networks
from theorylab.outcome import Assurance, InputError, Printed, Undecided
from theorylab.records import keep
from theorylab.topology.barrier import (
    Argument,
    separated_by_bottleneck,
    straight_segment_peak,
)
from theorylab.topology.certificate import above, connection_certificate, joined
from theorylab.topology.connect import connect as find_path
from theorylab.topology.disconnected import parted
from theorylab.topology.exact_algebra import rank
from theorylab.topology.level_trees.tree import decided_in_tree
from theorylab.topology.lifted import exchange_widths, needed_widths
from theorylab.topology.path import proof_of_joined
from theorylab.topology.quadratic.forms import quadratic_setting
from theorylab.topology.quadratic.inertia import decided_by_inertia
from theorylab.topology.walls.shell import separated_by_shell
from theorylab.topology.walls.unit_ridge import separated_by_unit_ridge
from theorylab.verify import decimal, write

if TYPE_CHECKING:
    from theorylab.experiments.trained import Empirical

SCHEMA = "theorylab.connect/1"
_SEGMENT_SAMPLES = 64
# What the kernel says of certificates that are too long for it, not of wrong ones.
_LIMITS = ("digits", "is longer than", "too much work", "denominator is too big")


@dataclass(frozen=True, slots=True)
class Joining(Printed):
    """What the kernel says of "A and B are joined in {L <= u}", u = max(L(A), L(B)).

    ``level``, ``mean``, ``losses`` and ``peak`` are exact rationals as text; ``peak`` is the
    largest loss found on the straight segment when it exceeds the level. ``needed_width`` are
    hidden widths that suffice, or None when no construction is for such networks. ``bits``: the
    weights were rounded to multiples of 2^-bits before anything else, so a and b are the rounded
    settings. ``empirical`` is what floats saw, never part of the proof.
    """

    architecture: str
    activation: str
    data: str
    samples: int
    hidden: tuple[int, ...]
    needed_width: tuple[int, ...] | None
    level: str
    mean: str
    losses: tuple[str, str]
    ridge: str | None = None
    outcome: str = "undecided"
    reason: str = ""
    construction: str | None = None
    segments: int | None = None
    peak: str | None = None
    peak_ratio: str | None = None
    assurance: str | None = None
    lemmas: tuple[str, ...] = ()
    certificate: str | None = None
    certificate_bytes: bytes | None = None
    rejected: bool = False
    bits: int | None = None
    empirical: Empirical | None = None

    def __repr__(self) -> str:
        how = f" by {self.construction}" if self.construction else ""
        return f"<{self.outcome}{how}: A and B of {self.architecture} {self.activation}>"

    @property
    def exit_status(self) -> int:
        """0 decided, 1 certificate rejected by the kernel, 3 undecided."""
        if self.rejected:
            return 1
        return 3 if self.outcome == "undecided" else 0

    def to_json(self, seed: int = 0) -> dict[str, Any]:
        """The result as ``theorylab connect --json`` prints it."""
        keys = (
            "outcome level certificate segments needed_width reason construction mean losses peak "
            "architecture activation data samples hidden ridge assurance lemmas bits"
        )
        value = {"schema": SCHEMA, "seed": seed, **{k: getattr(self, k) for k in keys.split()}}
        lists = {k: list(v) for k, v in value.items() if isinstance(v, tuple)}
        seen = None if self.empirical is None else self.empirical.to_json()
        return {**value, **lists, "empirical": seen}


def sufficient_widths(
    network: Network, data: Dataset, a: Weights, b: Weights, ridge: Ridge | None = None
) -> tuple[int, ...] | None:
    """Hidden widths with which ``connect`` joins a and b; None outside its constructions.

    Guarantees: exact. Raises InputError when the weights do not fit.
    """
    linear = network.activation.kind == "linear"
    if not network.is_dense or (network.output != "linear" and not linear):
        return None
    if ridge is not None:
        two_layers = linear and network.depth == 2 and not any(network.bias)
        return (min(network.n, network.m) + 1,) if two_layers else None
    by_rank = needed_widths(network, data, a, b)
    squares = quadratic_setting(network, data)
    if not isinstance(squares, Undecided):
        return min(by_rank, (squares.d + 1,), key=sum)
    if linear and not any(network.bias):
        filling = (min(rank(data.x), network.m) + 1,) * len(network.hidden)
        return min(by_rank, filling, key=sum)
    return min(by_rank, exchange_widths(network, data), key=sum)


def prepare(
    network: Network, data: Dataset, a: Weights, b: Weights, ridge: Ridge | None = None
) -> Joining:
    """Levels and sufficient widths, before any path is sought. Raises InputError on a misfit."""
    loss = Loss(network, data, ridge)
    losses = (loss(a), loss(b))
    level = max(losses)
    bias = "+b" if any(network.bias) else ""
    return Joining(
        architecture="-".join(map(str, network.widths)) + bias,
        activation=network.activation.kind,
        data=data.name,
        samples=data.samples,
        hidden=network.hidden,
        needed_width=sufficient_widths(network, data, a, b, ridge),
        level=str(level),
        mean=str(level / data.samples),
        losses=(str(losses[0]), str(losses[1])),
        ridge=_text(ridge),
    )


def _text(ridge: Ridge | None) -> str | None:
    if ridge is None:
        return None
    return ", ".join(map(str, ridge)) if isinstance(ridge, tuple) else str(ridge)


def connect(
    network: Network,
    data: Dataset,
    a: Weights,
    b: Weights,
    out: Path | None = None,
    name: str = "",
    ridge: Ridge | None = None,
    command: Sequence[str] | None = None,
) -> Joining:
    """Join a and b in {L <= max(L(a), L(b))}, or separate them, or say what is missing.

    L has the ``ridge``, if one is given. ``out`` is a folder for the certificates, their names made
    of ``name`` and the statement's SHA-256, and for the record, in which ``command`` are the words
    that do this again. Guarantees: exact; proved and refuted are the kernel's
    words about the certificate.
    Raises InputError when network, data and weights do not fit, or ``out`` cannot be written.

    >>> data = Dataset.from_rows([[1], [-1]], [[1], [1]])
    >>> for p in (2, 3):  # |x| with its two units exchanged, and with a third that is idle
    ...     network = Network.dense((1, p, 1), "relu")
    ...     a = network.assemble([1, -1, *[0] * (p - 2), 1, 1, *[0] * (p - 2)])
    ...     b = network.assemble([-1, 1, *[0] * (p - 2), 1, 1, *[0] * (p - 2)])
    ...     connect(network, data, a, b).outcome
    'refuted'
    'proved'
    """
    found = _decided(network, data, a, b, out, name, ridge)
    if out is not None:
        keep(out, "connect", found.to_json(), command)
    return found


def _decided(
    network: Network,
    data: Dataset,
    a: Weights,
    b: Weights,
    out: Path | None,
    name: str,
    ridge: Ridge | None,
) -> Joining:
    found = prepare(network, data, a, b, ridge)
    loss = Loss(network, data, ridge)
    level = max(loss(a), loss(b))
    conclusion = joined(a, b, level)
    proof: tuple[str, dict[str, Any]] | Undecided
    connection = find_path(network, data, a, b, ridge)
    if isinstance(connection, Undecided):
        wall = _wall(loss, a, b, level)
        if isinstance(wall, Undecided) and ridge is None:
            wall = decided_by_inertia(network, data, a, b, level)
        if isinstance(wall, Undecided):
            wall = parted(loss, a, b, level)
        if isinstance(wall, Undecided):
            wall = decided_in_tree(loss, a, b, level)
        if isinstance(wall, Undecided):
            return replace(found, reason=_missing(connection))
        means = {"level_tree": "level tree", "inertia": "lemma"}.get(wall.rule, "wall")
        proof, found = (wall.rule, wall.proof), replace(found, construction=means)
    else:
        proof = proof_of_joined(connection.path, loss, level)
        if isinstance(proof, Undecided):
            return replace(found, reason=_missing(proof))
        found = replace(
            found, construction=connection.construction, segments=connection.path.segments
        )
    raw = connection_certificate(loss, conclusion, *proof)
    outcome = kernel.check(raw)
    if isinstance(outcome, kernel.Rejected):
        if any(words in outcome.reason for words in _LIMITS):
            remedy = "take fewer samples, wider layers, or weights of fewer digits (--bits)"
            reason = f"the certificate is beyond the kernel: {outcome.reason}; {remedy}"
            return replace(found, reason=reason, construction=None, segments=None)
        reason = f"the kernel rejected the certificate: {outcome.reason}"
        return replace(found, reason=reason, rejected=True, segments=None)
    found = replace(
        found,
        outcome="proved" if isinstance(outcome, kernel.Proved) else "refuted",
        assurance=Assurance.KERNEL.value,
        lemmas=outcome.lemmas,
        certificate_bytes=raw,
    )
    stem = f"{name or 'connect'}-{outcome.statement.sha256[:12]}"
    if out is not None:
        found = replace(found, certificate=str(write(out / f"{stem}.json", raw)))
    if found.outcome == "refuted":
        return found
    return _straight(found, loss, a, b, level, None if out is None else out / stem)


def with_curves(
    found: Joining, network: Network, data: Dataset, a: Weights, b: Weights, seed: int = 0
) -> Joining:
    """The same beside what floats see between a and b: segments, and a trained Bezier curve.

    As it was when the network has no counterpart there (``experiments.trained.perceptron_of``).
    Guarantees: heuristic, for ``empirical`` alone. Raises InputError when torch is missing.
    """
    torch_networks()
    from theorylab.experiments.trained import empirical, perceptron_of

    try:
        perceptron_of(network)
    except InputError:
        return found
    if data.weights is not None:
        return found
    return replace(found, empirical=empirical(network, data, a, b, seed))


def _wall(loss: Loss, a: Weights, b: Weights, level: fmpq) -> Argument | Undecided:
    """Between a and b, in the sublevel set of the level."""
    if loss.ridge is None:
        return separated_by_bottleneck(loss.network, loss.data, a, b, level)
    tried = (
        separated_by_unit_ridge(loss, level, (a, b)),
        separated_by_shell(loss, level, a, b),
        separated_by_shell(loss, level, b, a),
    )
    found = next((walls for walls in tried if not isinstance(walls, Undecided)), tried[0])
    return found if isinstance(found, Undecided) else found.separated


def _missing(undecided: Undecided) -> str:
    return "; ".join(part for part in (undecided.reason, undecided.remedy) if part)


def _straight(
    found: Joining, loss: Loss, a: Weights, b: Weights, level: fmpq, stem: Path | None
) -> Joining:
    """Say how high the straight segment climbs, once the kernel has confirmed it."""
    peak = straight_segment_peak(loss, a, b, _SEGMENT_SAMPLES)
    if peak.loss <= level:
        return found
    point = tuple(p + (q - p) * peak.t for p, q in zip(a, b, strict=True))
    raw = connection_certificate(loss, above(level, point), "witness", {})
    if not isinstance(kernel.check(raw), kernel.Proved):
        return found
    if stem is not None:
        write(stem.with_name(f"{stem.name}.straight-line.json"), raw)
    ratio = decimal(peak.loss / level, 3) if level > 0 else None
    return replace(found, peak=str(peak.loss), peak_ratio=ratio)


def same_network(network: Network, other: Network) -> Network:
    """The common architecture of two networks. InputError when they differ."""
    if network != other:
        raise InputError(
            "NETWORK_B",
            "-".join(map(str, other.widths)),
            "both networks have the same widths, activation, biases, output and pattern: "
            f"the first is {'-'.join(map(str, network.widths))} {network.activation.kind}",
            "choose two settings of one architecture",
        )
    return network
