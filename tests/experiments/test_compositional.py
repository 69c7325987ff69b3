"""Compositional functions: the tree against literal nodes, equal sizes, and planted effects."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.run import Result, run
from theorylab.experiments.studies import compositional as experiment
from theorylab.experiments.studies.compositional import (
    ARMS,
    COMPOSITIONAL,
    CROSSED,
    CompositionalConfig,
    _samples,
    compositional,
    measure,
    network,
    parts,
)
from theorylab.experiments.studies.tree import Tree
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

TINY = CompositionalConfig(nets=3, units=(8, 16), samples=64, test=64, steps=24)


def outcomes(config: CompositionalConfig, table: Table) -> dict[str, str]:
    return {r.variant: o.outcome for r, o in COMPOSITIONAL.judged(config, table)}


def planted(
    errors: dict[str, float], nets: int = 16, spread: float = 0.05
) -> tuple[CompositionalConfig, Table]:
    """A table whose kinds have these errors at every size, up to a little noise."""
    config, random = CompositionalConfig(nets=nets), np.random.default_rng(1)
    rows = [
        {
            "units": u, "arm": arm, "net": k, "parameters": network(arm, u).parameter_count,
            "diverged": False, "train_error": errors[arm],
            "error": errors[arm] * np.exp(spread * random.standard_normal()),
        }
        for u in config.units for arm in ARMS for k in range(nets)
    ]  # fmt: skip
    return config, Table.of(rows)


USUAL = {"tree": 0.4, "shallow": 0.72, "dense": 0.62, "crossed": 0.8}
FOUND = {
    "locality": "consistent",
    "control": "consistent",
    "depth": "consistent",
    "depth-alone": "inconsistent",
}


def test_the_tree_is_its_nodes_computed_one_by_one() -> None:
    tree, k = Tree(8, 5), 1
    weights = tree.initial(3, range(3), dtype=torch.float64)
    x = torch.randn(3, 7, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values = [x[k, :, i : i + 1] for i in range(8)]
    for level in range(3):
        w, b, v, c = (p[k] for p in weights[4 * level : 4 * level + 4])
        values = [
            torch.relu(torch.cat(values[2 * i : 2 * i + 2], 1) @ w[i] + b[i]) @ v[i] + c[i]
            for i in range(len(values) // 2)
        ]
    assert len(values) == 1
    # the same sums in another order
    assert torch.allclose(tree.outputs(weights, x)[k], values[0], rtol=1e-12, atol=1e-13)


def test_the_gradients_of_the_tree_are_those_of_autograd() -> None:
    tree = Tree(4, 3)
    weights = tree.initial(0, range(2), dtype=torch.float64)
    x = torch.randn(11, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y = x[:, 0] * x[:, 1]
    losses, found = tree.gradients(weights, x, y, "squares")
    tracked = tuple(p.clone().requires_grad_() for p in weights)
    wanted = (tree.outputs(tracked, x)[..., 0] - y).square().mean(1)
    wanted.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.allclose(losses, wanted.detach(), rtol=1e-12)
    for p, q in zip(found, tracked, strict=True):
        assert q.grad is not None
        assert torch.allclose(p, q.grad, rtol=1e-10, atol=1e-13)


def test_a_tree_alone_and_in_an_ensemble_agree_bit_for_bit() -> None:
    tree, rule = Tree(8, 6), Descent(0.01, 30, batch=16, kind="adam")
    source = torch.Generator().manual_seed(2)
    x, y = torch.randn(5, 40, 8, generator=source), torch.randn(5, 40, generator=source)
    both = train_ensemble(tree, x, y, 5, seed=0, descent=rule, loss="squares")
    for k in (0, 3):
        own = (x[k : k + 1], y[k : k + 1])
        alone = train_ensemble(tree, *own, [k], seed=0, descent=rule, loss="squares")
        pairs = zip(both.parameters, alone.parameters, strict=True)
        assert all(torch.equal(p[k], q[0]) for p, q in pairs)


@pytest.mark.parametrize(("inputs", "units"), [(6, 4), (1, 4), (8, 0)])
def test_impossible_trees_are_refused(inputs: int, units: int) -> None:
    with pytest.raises(InputError):
        Tree(inputs, units)


@pytest.mark.parametrize("units", [8, 16, 32, 64, 128])
def test_all_kinds_have_the_same_size(units: int) -> None:
    counts = [network(arm, units).parameter_count for arm in ARMS]
    assert max(counts) / min(counts) <= 1.02


def test_crossing_parts_every_pair_and_is_a_permutation() -> None:
    assert sorted(CROSSED) == list(range(8))
    pairs = {frozenset(CROSSED[i : i + 2]) for i in range(0, 8, 2)}
    assert not pairs & {frozenset((i, i + 1)) for i in range(0, 8, 2)}
    x = np.random.default_rng(0).uniform(-1, 1, (5, 8))
    assert np.array_equal(compositional(x, crossed=True), compositional(x[:, list(CROSSED)]))

    def g(a: float, b: float) -> float:
        return float(np.sin(2 * a * b + a))

    a, b, c, d, e, f, u, v = x[0]
    assert compositional(x)[0] == g(g(g(a, b), g(c, d)), g(g(e, f), g(u, v)))


def test_what_was_found_is_found() -> None:
    assert outcomes(*planted(USUAL)) == FOUND


def test_swapped_arms_turn_the_words() -> None:
    config, table = planted(USUAL)
    swap = {"tree": "crossed", "crossed": "tree", "shallow": "dense", "dense": "shallow"}
    found = outcomes(config, table.replaced("arm", [swap[str(r["arm"])] for r in table]))
    assert found["locality"] == found["control"] == found["depth"] == "inconsistent"


@pytest.mark.parametrize(
    ("arm", "error", "variant", "word"),
    [
        ("dense", 0.42, "depth-alone", "consistent"),
        ("dense", 0.42, "locality", "inconsistent"),
        ("dense", 0.73, "depth", "inconsistent"),
        ("crossed", 0.4, "control", "inconsistent"),
        ("tree", 0.7, "locality", "inconsistent"),
    ],
)
def test_planted_effects_turn_the_word(arm: str, error: float, variant: str, word: str) -> None:
    assert outcomes(*planted({**USUAL, arm: error}))[variant] == word


def test_gates_that_shut_leave_every_reading_undecided() -> None:
    config, table = planted(USUAL)
    larger = [int(r["parameters"] or 0) * (2 if r["arm"] == "tree" else 1) for r in table]
    for shut in (table.replaced("parameters", larger), planted({**USUAL, "crossed": 1.0})[1]):
        assert set(outcomes(config, shut).values()) == {"undecided"}


def test_nets_that_diverged_count_as_the_best_constant() -> None:
    config, table = planted(USUAL)
    gone = [r["arm"] == "tree" and int(r["net"] or 0) < 12 for r in table]
    cells = [None if g else r["error"] for g, r in zip(gone, table, strict=True)]
    found = outcomes(config, table.replaced("error", cells))
    assert found["locality"] == "undecided"  # a gate is shut: the median tree learned nothing
    Result(config, table.replaced("error", cells), {}, "cpu", 1, 1).figure()


def test_a_tiny_run_gives_the_same_bytes_twice_and_parts_stand_alone() -> None:
    first, second = run(TINY), run(TINY)
    assert json.dumps(list(first.table.rows)) == json.dumps(list(second.table.rows))
    assert len(first.table) == 3 * len(parts(TINY)) == 24
    fewer = run(replace(TINY, nets=2)).table
    kept = [row for row in first.table if row["net"] != 2]
    assert list(fewer.rows) == kept
    assert set(outcomes(TINY, first.table).values()) <= {"undecided", "consistent", "inconsistent"}
    first.figure()


def test_networks_are_tested_on_samples_that_they_have_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[np.ndarray] = []

    def noted(*given: Any) -> Any:
        drawn.append(_samples(*given)[0])
        return _samples(*given)

    monkeypatch.setattr(experiment, "_samples", noted)
    measure(TINY, parts(TINY)[0], "cpu")
    fits, tests = ({tuple(x) for net in part for x in net.tolist()} for part in drawn)
    assert len(fits) == TINY.nets * TINY.samples and len(tests) == TINY.nets * TINY.test
    assert not fits & tests


@pytest.mark.parametrize("field", ["nets", "units", "samples", "test", "steps"])
def test_configurations_that_make_no_experiment_are_refused(field: str) -> None:
    with pytest.raises(InputError, match=field):
        CompositionalConfig.from_json({field: [0] if field == "units" else 0})
