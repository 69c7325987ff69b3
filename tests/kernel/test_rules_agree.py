"""Rules that share no argument must not contradict each other, and none may forget a ridge."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction

import pytest
from flint import fmpq
from kernel.corpus import HANDMADE
from kernel.independent import judge
from kernel.mutations import canonical, put
from kernel.segments import NotShown
from kernel.writing import Case, Json

from theorylab.instances import Draw, Seeded, matrix
from theorylab.kernel import Proved, Rejected, check
from theorylab.model import Activation, Dataset, Loss, Network
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.level_trees.tree import level_tree
from theorylab.topology.walls.determinants import separated_by_determinant
from theorylab.topology.walls.kinks import separated_by_kinks
from theorylab.topology.walls.narrow import separated_by_line, separated_by_narrow_layer

FORMS = ("relu", "abs", "linear", {"leaky_relu": "1/3"}, {"leaky_relu": "-1/2"})
WALLS = (
    separated_by_kinks,
    separated_by_determinant,
    separated_by_narrow_layer,
    separated_by_line,
)


def surface(draw: Draw) -> Loss:
    """One hidden layer of one or two homogeneous units; every third time zigzag data on a line."""
    activation = Activation.parse(draw.choice(FORMS))
    p, samples, output_bias = draw.integer(1, 2), draw.integer(2, 5), draw.integer(0, 2) == 0
    zigzag = draw.integer(0, 2) == 0
    n = 1 if zigzag else draw.integer(1, 2)
    hidden_bias = zigzag or (n == 1 and draw.integer(0, 1) == 1)
    x, y = matrix(draw, n, samples, 3), matrix(draw, 1, samples, 4)
    for j in range(samples if zigzag else 0):
        x[0, j], y[0, j] = fmpq(j), fmpq((-1) ** j * draw.integer(1, 6))
    sizes = tuple(fmpq(draw.integer(1, 3)) for _ in range(samples))
    network = Network.dense((n, p, 1), activation, (hidden_bias, output_bias))
    return Loss(network, Dataset(x, y, sizes if draw.integer(0, 1) else None, "drawn"))


def outcome(loss: Loss, shown: Argument, proof: Json = None) -> str:
    rule, hints = (shown.rule, shown.proof) if proof is None else ("level_tree", proof)
    raw = connection_certificate(loss, shown.conclusion, rule, hints)
    return type(check(raw)).__name__


def compare(seeds: range) -> Counter[str]:
    """Every separation by a wall is one in the level tree, which has no fewer components."""
    found: Counter[str] = Counter()
    for seed in seeds:
        loss = surface(Seeded(f"surface {seed}"))
        for wall in WALLS:
            shown = wall(loss)
            if isinstance(shown, Undecided):
                continue
            tree = level_tree(loss.network, loss.data)
            assert outcome(loss, shown.components) == "Proved"
            conclusion = shown.components.conclusion
            assert tree.components(Fraction(conclusion["u"])) >= conclusion["at_least"]
            assert outcome(loss, shown.separated) == "Proved"
            assert outcome(loss, shown.separated, tree.proof) == "Proved", (seed, wall)
            found[wall.__name__] += 1
    return found


def test_walls_agree_with_level_trees() -> None:
    found = compare(range(200))
    assert sum(found.values()) >= 60
    assert len(found) >= 3


@pytest.mark.slow
def test_more_walls_agree_with_level_trees() -> None:
    found = compare(range(200, 2200))
    assert min(found[wall.__name__] for wall in WALLS) >= 20


@pytest.mark.parametrize("case", HANDMADE, ids=lambda case: case.name)
def test_no_rule_forgets_a_ridge(case: Case) -> None:
    """The same certificate with a ridge is rejected, or what it says then is true."""
    statement = case.certificate["statement"]
    network = statement["network"]
    if "ridge" in statement or network["pattern"] is not None:
        return
    sizes = zip(network["widths"], network["widths"][1:], network["bias"], strict=False)
    count = sum((n + bias) * m for n, m, bias in sizes)
    for rate in ("1/1000000", "1", "1000000"):
        altered = put(case.certificate, ("statement", "ridge"), [rate] * count)
        named = [*statement["hypotheses"], {"kind": "common_ridge"}]
        altered = put(altered, ("statement", "hypotheses"), named)
        raw = canonical(altered)
        found = check(raw)
        unnamed = put(altered, ("statement", "hypotheses"), statement["hypotheses"])
        assert isinstance(check(canonical(unnamed)), Rejected)
        if isinstance(found, Rejected):
            assert not found.reason.startswith("internal")
            continue
        try:
            word = "proved" if isinstance(found, Proved) else "refuted"
            assert judge(json.loads(raw)) == word
        except NotShown as error:
            pytest.fail(f"a ridge is forgotten: {error}")
