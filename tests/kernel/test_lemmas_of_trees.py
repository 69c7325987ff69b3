"""Lemmas 33 and 34, cells and level trees: each hypothesis fails alone and is refused."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations

import pytest
from kernel.breaking import (
    ACTIVATION,
    CASES,
    CONCLUSION,
    DATA,
    NETWORK,
    OUTPUT,
    PATTERN,
    A,
    Break,
    Breaks,
    U,
    assert_refused,
)
from kernel.corpus_trees import CUBE, HIGH, LOW, TWO_SIDES, UNIT_RELU, counted, proof_of
from kernel.mutations import Place, canonical, put
from kernel.writing import Json, certificate, net

from theorylab.kernel import Proved, Refuted, Rejected, check
from theorylab.kernel import rules as kernel_rules
from theorylab.kernel.arith import MAX_WORK, METER
from theorylab.kernel.level_tree import MAX_RANK, Pieces, pieces
from theorylab.kernel.statements import parse_statement

BREAKS = Breaks()
PROOF = ("proof",)
SOLUTIONS, CHOSEN = (*PROOF, "solutions"), (*PROOF, "chosen")
TREE, JOINED, TRAPPED = "a tree", "joined in a tree", "trapped in a tree"

# Lemma 33: the cells of one unit

BREAKS.add("33", "one hidden layer", TREE, "a dense layer of relu",
           ((*NETWORK, "widths"), [1, 1, 1, 1]), ((*NETWORK, "bias"), [False] * 3))  # fmt: skip
BREAKS.add("33", "one output", TREE, "a dense layer of relu", ((*NETWORK, "widths"), [1, 1, 2]),
           ((*DATA, "y"), [["1", "0"], ["2", "0"]]))  # fmt: skip
BREAKS.add("33", "every weight is free", TREE, "a dense layer of relu", (PATTERN, [None, [["1"]]]))
BREAKS.add(
    "33", "rho is positively homogeneous", TREE, "a dense layer of relu", (ACTIVATION, "square")
)
BREAKS.add("33", "rho is continuous", TREE, "a dense layer of relu", (ACTIVATION, "step"))
BREAKS.add("33", "the output is linear", TREE, "a dense layer of relu", (OUTPUT, "activation"))
BREAKS.add("33", "no ridge", TREE, "ridge", (("statement", "ridge"), "1"))

# Lemma 34: the tree. In "a tree" the masks are 0, the ray of either side, and its negative.

BREAKS.add("34", "no problem is missing", TREE, "are asked for", (CHOSEN, [0, 1, 2, 0]))
BREAKS.add(
    "34", "no problem is answered twice", TREE, "are asked for", (CHOSEN, [0, 1, 2, 0, 0, 0])
)
BREAKS.add("34", "the problems stand in order", TREE, "outside its cone", (CHOSEN, [0, 2, 1, 0, 0]))
BREAKS.add("34", "no generator of the cone leads down", TREE, "not optimal",
           (SOLUTIONS, [[], [[1, "2"]]]), (CHOSEN, [0, 0, 1, 0, 0]))  # fmt: skip
BREAKS.add("34", "every weight is positive", TREE, "not positive", ((*SOLUTIONS, 1, 0, 1), "-1"))
BREAKS.add("34", "the residual is orthogonal to what is used", TREE, "not optimal",
           ((*SOLUTIONS, 1, 0, 1), "1/2"))  # fmt: skip
BREAKS.add("34", "a generator once", TREE, "outside its cone",
           ((*SOLUTIONS, 1), [[0, "1/2"], [0, "1/2"]]))  # fmt: skip
BREAKS.add("34", "a generator that there is", TREE, "outside its cone",
           ((*SOLUTIONS, 1, 0, 0), 17))  # fmt: skip
BREAKS.add("34", "no idle solution", TREE, "not used",
           (SOLUTIONS, [[], [[0, "1"]], [[1, "2"]], [[1, "2"]]]))  # fmt: skip
BREAKS.add("34", "a solution that there is", TREE, "a solution must be", ((*CHOSEN, 0), 3))
BREAKS.add("34", "A lies below the level", JOINED, "above the level", (U, "7/2"))
BREAKS.add("34", "B lies below the level", JOINED, "above the level",
           ((*CONCLUSION, "B"), [[["9"]], [["9"]]]))  # fmt: skip
BREAKS.add("34", "the trap is above v", TRAPPED, "stay above", ((*CONCLUSION, "v"), "9/2"))
BREAKS.add("34", "the trap is not the lowest", TRAPPED, "stay above", (A, LOW),
           ((*CONCLUSION, "v"), "1"))  # fmt: skip
BREAKS.add("34", "the component is closed off", TRAPPED, "stay above", (U, "5"))
BREAKS.add("34", "a trap has something below", TRAPPED, "stay above", ((*CONCLUSION, "v"), "1"))
BREAKS.add("34", "a descent is not refuted within reach", "no descent in a tree",
           "not the conclusion", ((*CONCLUSION, "eps"), "3"))  # fmt: skip
BREAKS.add("34", "other conclusions are not decided", TREE, "decides components",
           (CONCLUSION, {"kind": "has_zero"}))  # fmt: skip


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_a_hypothesis_fails_alone(one: Break) -> None:
    assert_refused(one)
    found = check(canonical(one.broken))
    assert isinstance(found, Rejected) and one.reason in found.reason


def cut(network: Json, data: Json) -> Pieces:
    conclusion = {"kind": "global_min", "v": "0"}
    statement = {"network": network, "data": data, "hypotheses": [], "conclusion": conclusion}
    read = parse_statement(statement)
    METER.left = MAX_WORK
    return pieces(read.network, read.data)


def rows(points: list[tuple[int, ...]]) -> Json:
    return {"x": [[str(v) for v in p] for p in points], "y": [["1"]] * len(points), "weights": None}


def _cells_in_general_position(lines: int, rank: int) -> int:
    """2 sum_{i < rank} C(lines - 1, i): Schlaefli's number."""
    total, term = 0, 1
    for i in range(rank):
        total, term = total + term, term * (lines - 1 - i) // (i + 1)
    return 2 * total


@pytest.mark.parametrize(
    ("lines", "rank"), [(3, 1), (5, 2), (4, 3), (6, 3), (6, 4), (6, 5), (7, 6)]
)
def test_the_cells_are_as_many_as_schlaefli_says(lines: int, rank: int) -> None:
    # points on the moment curve are in general position
    points = [tuple(t**i for i in range(rank)) for t in range(1, lines + 1)]
    distinct = 1 if rank == 1 else lines
    found = cut(net([rank, 1, 1], "abs"), rows(points))
    assert len(found.cells) == _cells_in_general_position(distinct, rank)


@pytest.mark.parametrize("seed", range(12))
def test_no_cell_is_missed_and_none_invented(seed: int) -> None:
    """Random weights fall into listed cells only, and their rays span them."""
    rng = random.Random(seed)
    n, samples = rng.randint(2, 4), rng.randint(2, 6)
    points = [tuple(rng.randint(-2, 2) for _ in range(n)) for _ in range(samples)]
    found = cut(net([n, 1, 1], "abs"), rows(points))
    seen = set()
    for _ in range(3000):
        w = [rng.randint(-(10**6), 10**6) for _ in range(n)]
        z = [sum(a * b for a, b in zip(w, p, strict=True)) for p in points]
        if all(v for v, p in zip(z, points, strict=True) if any(p)):
            seen.add(tuple((v > 0) - (v < 0) or 1 for v in z))
    assert seen <= set(found.cells)
    assert all(tuple(-v for v in cell) in found.cells or 0 in map(any, points) for cell in seen)
    if n == 2:
        assert seen == set(found.cells)
    for c, cell in enumerate(found.cells):
        inside = [g for g in range(len(found.generators)) if found.masks[2 * c] >> g & 1]
        total = [sum(found.generators[g][j] for g in inside) for j in range(samples)]
        nonzero = [bool(any(p)) for p in points]
        assert [t > 0 for t in total] == nonzero, (cell, inside)


def test_neighbours_share_a_facet_and_all_cells_are_connected() -> None:
    found = cut(net([3, 1, 1], "relu"), CUBE)
    assert len(found.cells) == 8 and len(found.masks) == 16
    assert len(found.faces) == 8 + 2 * 12  # the signs of each cell, the edges of a cube twice
    for a, b in combinations(range(8), 2):
        apart = sum(p != q for p, q in zip(found.cells[a], found.cells[b], strict=True))
        listed = any({2 * a, 2 * b} == {i, j} for i, j, _ in found.faces)
        assert listed == (apart == 1)


@pytest.mark.parametrize("rank", [MAX_RANK, MAX_RANK + 1])
def test_the_rank_is_bounded(rank: int) -> None:
    identity = [tuple(int(i == j) for j in range(rank)) for i in range(rank)]
    network, data = net([rank, 1, 1], "relu"), rows(identity)
    conclusion, proof = {"kind": "global_min", "v": "0"}, {"solutions": [], "chosen": []}
    found = check(canonical(certificate(network, data, [], conclusion, "level_tree", proof)))
    assert isinstance(found, Rejected)
    assert ("are asked for" if rank == MAX_RANK else "rank above") in found.reason


def test_work_is_bounded_before_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    network, data = net([1, 2, 1], "relu"), TWO_SIDES
    parts = (network, data, [], counted("4", 1, None), "level_tree", proof_of(network, data))
    raw = canonical(certificate(*parts))
    assert isinstance(check(raw), Proved)
    used = MAX_WORK - METER.left
    for left in (used - 1, used // 2, 100):
        monkeypatch.setattr(kernel_rules, "MAX_WORK", left)
        found = check(raw)
        assert isinstance(found, Rejected) and "too much work" in found.reason


@pytest.mark.parametrize("u", ["1/2", "1", "7/2", "4", "9/2", "5", "100"])
def test_the_number_of_components_is_decided_at_every_level(u: str) -> None:
    level = Fraction(u)
    exact = 0 if level < 1 else 2 if 4 <= level < 5 else 1
    proof = proof_of(UNIT_RELU, TWO_SIDES)
    for least in range(4):
        for most in (None, *range(4)):
            conclusion = counted(u, least, most)
            parts = (UNIT_RELU, TWO_SIDES, [], conclusion, "level_tree", proof)
            holds = least <= exact and (most is None or exact <= most)
            assert isinstance(check(canonical(certificate(*parts))), Proved if holds else Refuted)


def test_a_point_on_a_wall_lies_in_the_component_of_either_side() -> None:
    """u = 0 and w . x = 0: all regions that hold the point are one component."""
    proof, level = proof_of(UNIT_RELU, TWO_SIDES), "5"
    for w in ("0", "3", "-3"):
        for u in ("0",):
            zero = [[[w]], [[u]]]
            for other in (HIGH, LOW):
                conclusion = {"kind": "joined", "A": zero, "B": other, "u": level}
                parts = (UNIT_RELU, TWO_SIDES, [], conclusion, "level_tree", proof)
                assert isinstance(check(canonical(certificate(*parts))), Proved)


@pytest.mark.parametrize(
    ("at", "new"),
    [
        ((*DATA, "y", 0, 0), "3"),
        ((*DATA, "x", 0, 0), "1/2"),
        ((*DATA, "weights"), None),
        (ACTIVATION, "abs"),
        ((*NETWORK, "bias"), [True, False]),
    ],
)
def test_the_tree_of_another_instance_is_not_believed(at: Place, new: Json) -> None:
    base = CASES["a tree with biases"]
    assert isinstance(check(canonical(base)), Proved)
    assert not isinstance(check(canonical(put(base, at, new))), Proved)
