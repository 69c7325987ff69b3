"""Level trees of ReLU networks: the function u -> N_u, and from which level on it is 1."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR_OUTPUT,
    ONE_HIDDEN,
    every,
    fitted_pair,
    freeman_bruna,
    join_any_depth,
    restricted,
    width,
)
from theorylab.instances import Draw, Instance, dataset
from theorylab.kernel.statements import Statement
from theorylab.model import Activation, Dataset, Network, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.level_trees.tree import LevelTree, level_tree

_HOMOGENEOUS = Hypothesis.of(
    "homogeneous",
    "the activation is relu, leaky_relu or abs",
    **{"kind": "activation", "is": "homogeneous"},
)
_SCALAR = Hypothesis.of("scalar-output", "there is one output", kind="scalar_output")
_SETTING = (_HOMOGENEOUS, ONE_HIDDEN, DENSE, LINEAR_OUTPUT, _SCALAR)
_LEAKY = Activation("leaky_relu", (fmpq(1, 4),))
_HIDDEN = (True, False)

_LINE = (-1, 0, 1, 3, 4, 5)
_RAMP = (0, 0, 1, 3, 4, 4)
_BRACKETS = Dataset.from_rows([[s, 1] for s in _LINE], [[y] for y in _RAMP], name="brackets")
_FOUR = Dataset.from_rows(
    [[1, -2], [-3, 0], [1, 2], [2, 0]], [[4], [1], [4], [3]], name="four points"
)
_OPPOSITE = Dataset.from_rows([[1], [-1]], [[1], [2]], name="1 and -1")
_FLAT = Dataset.from_rows([[3, -3], [3, -3], [-1, 1]], [[-3], [1], [2]], name="a line in the plane")


def _tree(network: Network, data: Dataset) -> LevelTree:
    """The tree, which a statement and its proof share."""
    weights = None if data.weights is None else tuple(data.weights)
    return _built(network, tuple(data.x.entries()), tuple(data.y.entries()), weights)


@lru_cache(maxsize=64)
def _built(
    network: Network,
    x: tuple[fmpq, ...],
    y: tuple[fmpq, ...],
    weights: tuple[fmpq, ...] | None,
) -> LevelTree:
    samples = len(y)
    return level_tree(
        network, Dataset(fmpq_mat(network.n, samples, x), fmpq_mat(1, samples, y), weights)
    )


def _relu(*widths: int, bias: tuple[bool, bool] = (False, False)) -> Network:
    return Network.dense(widths, "relu", bias)


def _iris(inputs: tuple[int, ...], step: int) -> Dataset:
    """The petals (inputs 2 and 3) of every so many iris samples, against the first species."""
    return every(restricted(load_dataset("iris"), "iris", inputs, (0,)), step)


def _nowhere(network: Network) -> tuple[fmpq_mat, ...]:
    """All weights 0: these conclusions are about no point."""
    return tuple(fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1))


def _stated(
    name: str, variant: str, network: Network, data: Dataset, conclusion: Any, note: str = ""
) -> Instance:
    return Instance(name, variant, network, data, conclusion, _nowhere(network), note=note)


def _table(name: str, network: Network, data: Dataset, levels: Any, note: str = "") -> Instance:
    conclusion = {"kind": "level_tree", "levels": [list(row) for row in levels]}
    return _stated(name, "corrected", network, data, conclusion, note)


def _computed(name: str, network: Network, data: Dataset) -> Instance:
    found = _tree(network, data)
    note = f"{found.regions} regions, {len(found.births)} components born"
    return _table(name, network, data, found.levels_json, note)


def _trees() -> tuple[Instance, ...]:
    brackets = (("0", 2), ("654/1459", 4), ("20/43", 3), ("1320/1993", 1))
    four = (("0", 4), ("1", 2), ("25/3", 1))
    on_line = replace(_BRACKETS.restrict((0,), (0,)), name="brackets")
    return (
        _table("unit-1-1-1", _relu(1, 1, 1), _OPPOSITE, (("1", 1), ("4", 2), ("5", 1)),
               "a spurious valley on [4, 5)"),
        _table("brackets-2-2-1", _relu(2, 2, 1), _BRACKETS, brackets, "not monotone"),
        _table("brackets-bias-1-2-1", _relu(1, 2, 1, bias=_HIDDEN), on_line, brackets,
               "the same tree: a bias is an input 1"),
        _table("four-points-2-2-1", _relu(2, 2, 1), _FOUR, four),
        _table("flat-2-1-1", _relu(2, 1, 1), _FLAT, (("10", 1), ("12", 2), ("14", 1)),
               "inputs of rank 1 are projected"),
        _computed("leaky-1-2-1", Network.dense((1, 2, 1), _LEAKY, (True, True)), on_line),
        _computed("abs-2-2-1", Network.dense((2, 2, 1), "abs"), _BRACKETS),
        _computed("iris-petal-length-1-6-1", _relu(1, 6, 1), _iris((2,), 1)),
        _computed("iris-petal-length-1-2-1", _relu(1, 2, 1, bias=_HIDDEN), _iris((2,), 5)),
        _computed("iris-petal-length-1-3-1", _relu(1, 3, 1, bias=_HIDDEN), _iris((2,), 30)),
        _computed("iris-petals-2-1-1", _relu(2, 1, 1, bias=(True, True)), _iris((2, 3), 12)),
        _computed("iris-petals-2-2-1", _relu(2, 2, 1), _iris((2, 3), 15)),
    )  # fmt: skip


def _random_tree(draw: Draw) -> Instance:
    activation = draw.choice((Activation("relu"), Activation("abs"), _LEAKY))
    n, p = draw.integer(1, 2), draw.integer(1, 2)
    bias = draw.choice(((False, False), (True, False), (True, True))) if n == 1 else (False, False)
    data = dataset(draw, n, 1, draw.integer(1, 4))
    network = Network.dense((n, p, 1), activation, bias)
    return replace(_computed("random", network, data), note="")


def _prove(instance: Instance) -> Proof | Undecided:
    if instance.conclusion["kind"] == "joined":
        return join_any_depth(instance)
    return "level_tree", _tree(instance.network, instance.data).proof


RELU_LEVEL_TREE = Claim(
    id="relu-level-tree",
    title="The number of components of every sublevel set of a small ReLU network",
    source=freeman_bruna("Section 2.4, where N_u is bounded; the exact function is ours"),
    variants=(
        Variant(
            "corrected",
            "one hidden layer, one output, relu, leaky_relu or abs: N_u is the function of the "
            "instance, at every level u",
            r"N_u = k_i \quad (l_i \le u < l_{i+1}),\qquad l_1 = \min L",
            _SETTING,
            "level_tree",
        ),
    ),
    canonical=_trees,
    random=_random_tree,
    prover=_prove,
)


# From which level on the sublevel set is connected


def _connected_at(statement: Statement) -> bool:
    values = statement.conclusion.values
    return bool(values["at_least"] == 1 == values["at_most"])


def _apart_at(statement: Statement) -> bool:
    values = statement.conclusion.values
    return values["at_least"] >= 2 and values["at_most"] is None


def _counted(u: Any, least: int, most: int | None) -> dict[str, Any]:
    return {"kind": "components", "u": str(u), "at_least": least, "at_most": most}


def _top(name: str, network: Network, data: Dataset, found: LevelTree) -> list[Instance]:
    """One component at the level from which on there is one; more below it, if ever."""
    top = found.global_min if found.top_merge is None else found.top_merge
    words = "its minimum: never more than one" if found.top_merge is None else "the last merge"
    made = [_stated(f"{name}-top", "corrected", network, data, _counted(top, 1, 1), words)]
    if found.top_merge is not None:
        (before, many), (after, _) = found.levels[-2:]
        below = _counted((before + after) / 2, 2, None)
        note = f"half way down to the last change, where N_u = {many}"
        made.append(_stated(f"{name}-below", "below", network, data, below, note))
    return made


def _tops() -> tuple[Instance, ...]:
    made: list[Instance] = []
    for p in (1, 2, 3):
        network = _relu(2, p, 1)
        made += _top(f"brackets-2-{p}-1", network, _BRACKETS, _tree(network, _BRACKETS))
    petals = _iris((2,), 30)
    for p in (1, 2, 3):
        network = _relu(1, p, 1, bias=_HIDDEN)
        made += _top(f"iris-petal-length-1-{p}-1", network, petals, _tree(network, petals))
    wide = (
        ("brackets-2-12-1", _relu(2, 12, 1), _BRACKETS),
        ("four-points-2-8-1", _relu(2, 8, 1), _FOUR),
        ("iris-petal-length-1-60-1", _relu(1, 60, 1, bias=_HIDDEN), _iris((2,), 5)),
    )
    made += [fitted_pair(name, "wide", network, data, 1) for name, network, data in wide]
    return tuple(made)


def _random_top(draw: Draw) -> Instance:
    network = _relu(1, draw.integer(1, 2), 1, bias=draw.choice((_HIDDEN, (False, False))))
    data = dataset(draw, 1, 1, draw.integer(1, 4))
    made = _top("random", network, data, _tree(network, data))
    return replace(draw.choice(made), note="")


RELU_ASYMPTOTIC_CONNECTEDNESS = Claim(
    id="relu-asymptotic-connectedness",
    title="From which level on a ReLU network of small width has connected sublevel sets",
    source=freeman_bruna("Theorem 2.4: eps ~ m^(-1/n); here its exact substitutes"),
    variants=(
        Variant(
            "corrected",
            "for p = 1, 2, 3 on the same data: {L <= e_p} is connected at e_p, the last merge "
            "level of the tree (the minimum, if nothing ever merges)",
            r"N_{e_p} = 1",
            _SETTING,
            "components",
            _connected_at,
        ),
        Variant(
            "below",
            "below e_p, above the last change before it, there are two components or more: no "
            "smaller e_p would do",
            r"N_u \ge 2 \quad (l < u < e_p)",
            _SETTING,
            "components",
            _apart_at,
        ),
        Variant(
            "wide",
            "for p >= 2q, q the dimension of the features on the data, eps = 0: any two points are "
            "joined below the higher of their losses",
            r"p \ge 2q \implies \epsilon = 0",
            (*_SETTING, width("wide", "p >= 2q", ">=", "2q")),
            "joined",
        ),
    ),
    canonical=_tops,
    random=_random_top,
    prover=_prove,
    erratum=Erratum(
        "{L <= max(lambda, eps)} is connected with eps ~ m^(-1/n)",
        "no instance can: the constants are not specified, so no finite width contradicts it",
        "the exact e_p of each instance, for p = 1, 2, 3; eps = 0 for p >= 2q",
    ),
)
