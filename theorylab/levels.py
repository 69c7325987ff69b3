"""levels: the number of components of every sublevel set, one certificate for the whole table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from theorylab import kernel
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance, Printed
from theorylab.records import keep
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.level_trees.size import Size
from theorylab.topology.level_trees.tree import LevelTree, level_tree, size_of
from theorylab.verify import write

SCHEMA = "theorylab.levels/1"


@dataclass(frozen=True, slots=True)
class Levels(Printed):
    """The function u -> N_u of one network on one data set, and what the kernel says of it.

    ``outcome`` is "proved", or "rejected" with the ``reason`` of the kernel, and then nothing of
    the tree may be believed. The kernel vouches for the table of levels; births and merges come
    from the same least values, exactly.
    """

    architecture: str
    activation: str
    data: str
    samples: int
    tree: LevelTree
    outcome: str
    reason: str
    assurance: str | None
    lemmas: tuple[str, ...]
    seconds: float
    sha256: str | None
    certificate_bytes: bytes | None
    certificate: str | None = None

    def __repr__(self) -> str:
        what = f"levels of {self.architecture} {self.activation}, {self.samples} samples"
        if self.outcome != "proved":
            return f"<{what}: {self.outcome}>"
        most = max(n for _, _, n in self.steps)
        return f"<{what}: at most {most} component{'s' * (most != 1)} at any level>"

    @property
    def exit_status(self) -> int:
        """0 proved, 1 certificate rejected by the kernel."""
        return 0 if self.outcome == "proved" else 1

    @property
    def steps(self) -> tuple[tuple[Fraction, Fraction | None, int], ...]:
        """(from, to, N_u) for from <= u < to, in order; the last has no end."""
        levels = self.tree.levels
        ends = [*(level for level, _ in levels[1:]), None]
        return tuple((level, end, n) for (level, n), end in zip(levels, ends, strict=True))

    @property
    def spurious(self) -> tuple[int, ...]:
        """The components that are born above the global minimum: spurious valleys."""
        least = self.tree.global_min
        return tuple(b.component for b in self.tree.births if b.level > least)

    def to_json(self, seed: int = 0) -> dict[str, Any]:
        """The result as ``theorylab levels --json`` prints it; levels are exact, as text."""
        tree = self.tree
        known = self.outcome == "proved"
        return {
            "schema": SCHEMA,
            "seed": seed,
            "outcome": self.outcome,
            "reason": self.reason,
            "levels": [
                {"from": str(a), "to": None if b is None else str(b), "components": n}
                for a, b, n in (self.steps if known else ())
            ],
            "global_min": str(tree.global_min) if known else None,
            "top_merge": _text(tree.top_merge) if known else None,
            "barrier": str(tree.barrier) if known else None,
            "births": [
                {"component": b.component, "level": str(b.level)}
                for b in (tree.births if known else ())
            ],
            "merges": [
                {"level": str(m.level), "survivor": m.survivor, "absorbed": list(m.absorbed)}
                for m in (tree.merges if known else ())
            ],
            "architecture": self.architecture,
            "activation": self.activation,
            "data": self.data,
            "samples": self.samples,
            "regions": tree.regions,
            "problems": tree.problems,
            "assurance": self.assurance,
            "certified": ["levels", "global_min"] if known else [],
            "lemmas": list(self.lemmas),
            "seconds": self.seconds,
            "certificate": self.certificate,
        }


def _text(level: Fraction | None) -> str | None:
    return None if level is None else str(level)


def estimate(network: Network, data: Dataset) -> Size:
    """How much work ``levels`` is: regions, problems, seconds, and whether it fits.

    Counts are for data in general position, at most. Raises InputError for networks it is not for.

    >>> data = Dataset.from_rows([[1], [-1]], [[1], [2]])
    >>> estimate(Network.dense((1, 2, 1), "relu"), data).regions
    16
    """
    return size_of(network, data)


def levels(
    network: Network,
    data: Dataset,
    out: Path | None = None,
    name: str = "",
    say: Callable[[str], None] = lambda words: None,
    command: Sequence[str] | None = None,
) -> Levels:
    """Return at which levels components of {L <= u} are born and merge, checked by the kernel.

    One hidden layer, one output, relu, leaky_relu, abs or linear, with or without biases. ``out``
    is a folder for the certificate, its name made of ``name`` and the statement's SHA-256, and for
    the record, in which ``command`` are the words that do this again; ``say`` is told what is done.
    Guarantees: exact; the table is the kernel's word.
    Raises InputError for other networks, for more regions than fit (naming the largest size that
    does), and when ``out`` cannot be written.

    >>> found = levels(Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1], [-1]], [[1], [2]]))
    >>> found.outcome, found.steps
    ('proved', ((Fraction(1, 1), Fraction(4, 1), 1), (Fraction(4, 1), Fraction(5, 1), 2), \
(Fraction(5, 1), None, 1)))
    """
    begun = time.monotonic()
    size = size_of(network, data)
    if size.fits:
        words = f"about {size.regions:,} regions, {size.problems:,} least-squares problems"
        say(f"{words}, {max(1, round(size.seconds))} s")
    tree = level_tree(network, data)
    conclusion = {"kind": "level_tree", "levels": tree.levels_json}
    raw = certificate(statement_json(network, data, [], conclusion), "level_tree", tree.proof)
    say(f"the kernel checks {len(raw):,} bytes")
    outcome = kernel.check(raw)
    proved = isinstance(outcome, kernel.Proved)
    sha256 = None if isinstance(outcome, kernel.Rejected) else outcome.statement.sha256
    path = None
    if out is not None and proved and sha256 is not None:
        path = str(write(out / f"{name or 'levels'}-{sha256[:12]}.json", raw))
    found = Levels(
        architecture="-".join(map(str, network.widths)) + ("+b" if any(network.bias) else ""),
        activation=network.activation.kind,
        data=data.name,
        samples=data.samples,
        tree=tree,
        outcome="proved" if proved else "rejected",
        reason="" if proved else getattr(outcome, "reason", "the kernel finds another table"),
        assurance=Assurance.KERNEL.value if proved else None,
        lemmas=() if isinstance(outcome, kernel.Rejected) else outcome.lemmas,
        seconds=time.monotonic() - begun,
        sha256=sha256,
        certificate_bytes=raw if proved else None,
        certificate=path,
    )
    if out is not None:
        keep(out, "levels", found.to_json(), command)
    return found
