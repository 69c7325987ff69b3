"""String sampling where paths are known, and the judge on stored and planted tables."""

from dataclasses import replace
from math import pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from theorylab.experiments.networks.model import Perceptron, flattened
from theorylab.experiments.run import load_result, run
from theorylab.experiments.studies import strings as experiment
from theorylab.experiments.studies.string_sampling import Relaxer, energy_of, strings
from theorylab.experiments.studies.strings import STRINGS, StringConfig
from theorylab.experiments.table import Table
from theorylab.outcome import InputError

STORED = load_result(Path(__file__).parent / "tables" / "string-geodesic-length")
RIGHT, UP, LEFT = (
    torch.tensor([[x, y]], dtype=torch.float64) for x, y in ((1, 0), (0, 1), (-1, 0))
)


def ring(v: Tensor, slopes: bool) -> tuple[Tensor, Tensor | None]:
    """|1 - |v|^2|: below a level, a ring around the unit circle."""
    off = v.square().sum(1) - 1
    return off.abs(), 2 * v * off.sign()[:, None] if slopes else None


def wells(v: Tensor, slopes: bool) -> tuple[Tensor, Tensor | None]:
    """(1 - x^2)^2 + y^2: two wells, a wall of height 1 between them."""
    x, y = v[:, 0], v[:, 1]
    gradient = torch.stack([-4 * x * (1 - x * x), 2 * y], 1) if slopes else None
    return (1 - x * x) ** 2 + y * y, gradient


@pytest.mark.parametrize("kind", ["polyak", "adam"])
def test_a_string_around_a_quarter_of_a_ring(kind: str) -> None:
    found = strings(ring, RIGHT, UP, 0.05, Relaxer(kind), points=19)[0]
    assert found.connected
    # at least the arc of the smallest circle in the ring, at most not much more than the quarter
    assert 0.95 * pi / 2 / sqrt(2) * 0.97 < found.length < 1.05 * pi / 2 / sqrt(2) * 1.05
    losses = ring(torch.stack(found.beads), False)[0]
    assert float(losses.max()) <= 0.05


def test_a_straight_path_needs_no_bead() -> None:
    near = torch.tensor([[1.0, 0.02]], dtype=torch.float64)
    found = strings(ring, RIGHT, near, 0.05, Relaxer())[0]
    assert found.connected and len(found.beads) == 2 and found.length == 1.0


def test_no_path_is_claimed_where_there_is_none_and_one_is_found_above_the_wall() -> None:
    assert not strings(wells, RIGHT, LEFT, 0.9, Relaxer())[0].connected
    assert strings(wells, RIGHT, LEFT, 1.1, Relaxer())[0].connected


def test_a_bead_that_stays_too_high_ends_the_search() -> None:
    # a spike without a slope, seen from one point only: no other point looked at is high
    def spike(v: torch.Tensor, slopes: bool) -> tuple[torch.Tensor, torch.Tensor]:
        return (v[:, 0].abs() < 0.1).to(v), torch.zeros_like(v)

    found = strings(spike, torch.tensor([[-1.0]]), torch.tensor([[1.0]]), 0.5, Relaxer(), points=1)
    assert not found[0].connected


def test_rounds_that_are_spent_leave_the_search_open() -> None:
    found = strings(ring, RIGHT, UP, 0.01, Relaxer(), rounds=1)[0]
    assert found.searching and not found.connected


def test_seeded_strings_have_their_beads_and_strings_do_not_depend_on_each_other() -> None:
    found = strings(ring, RIGHT, UP, 0.05, Relaxer(), beads=7)[0]
    assert found.connected and len(found.beads) >= 9
    both = strings(ring, torch.cat([LEFT, RIGHT]), torch.cat([UP, UP]), 0.05, Relaxer(), beads=7)
    assert torch.equal(torch.stack(both[1].beads), torch.stack(found.beads))


def test_ends_above_the_level_are_refused() -> None:
    with pytest.raises(InputError, match="both ends"):
        strings(ring, RIGHT, 2 * UP, 0.05, Relaxer())
    with pytest.raises(InputError, match="polyak or adam"):
        Relaxer("newton")


def test_the_energy_of_a_network_and_its_slopes() -> None:
    model = Perceptron((2, 3, 1))
    parameters = model.initial(0, range(4), dtype=torch.float64)
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    energy, v = energy_of(model, parameters, x, y, "squares"), flattened(parameters)
    losses, slopes = energy(v, True)
    assert slopes is not None and torch.equal(losses, energy(v, False)[0])
    step = 1e-6 * torch.randn_like(v)
    change = energy(v + step, False)[0] - losses
    assert torch.allclose(change, (slopes * step).sum(1), atol=1e-9)


def words(table: Table) -> dict[str, str]:
    judged = STRINGS.judged(STORED.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def test_the_stored_table_says_what_is_expected() -> None:
    assert words(STORED.table) == {r.variant: r.expected for r in STRINGS.readings}


def test_levels_in_the_opposite_order_turn_the_trends() -> None:
    table = STORED.table
    last = max(int(str(step)) for step in table.values("step"))
    turned = table.replaced(
        "step",
        [row["step"] if row["arm"] == "adam" else last - int(str(row["step"])) for row in table],
    )
    found = words(turned)
    assert found["longer"] == found["equal-beads"] == "inconsistent"


def test_strings_of_equal_length_agree_and_beads_then_add_nothing() -> None:
    table = STORED.table
    plain = {(r["task"], r["step"], r["pair"]): r["length"] for r in table.where(arm="adaptive")}
    # a little noise: ties would make the exact test slow
    noise = 1 + 1e-5 * np.random.default_rng(0).standard_normal(len(table))
    same = [
        float(str(plain[r["task"], r["step"], r["pair"]])) * off
        for r, off in zip(table, noise, strict=True)
    ]
    found = words(table.replaced("length", same))
    assert found["absolute"] == "consistent" and found["beads"] == "inconsistent"


def test_a_search_that_failed_is_undecided_and_leaves_its_pair_out() -> None:
    failed = [row["connected"] and row["pair"] != 0 for row in STORED.table]
    found = words(STORED.table.replaced("connected", failed))
    assert found["found"] == "undecided" and found["longer"] == "consistent"
    none = STORED.table.replaced("connected", [False] * len(STORED.table))
    assert set(words(none).values()) == {"undecided"}
    assert replace(STORED, table=none).figure().axes


def test_the_arm_of_adam_is_pulled_by_adam(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []

    def noted(*given: Any, **other: Any) -> list[Any]:
        seen.append((given[4].kind, other["beads"] > 0))
        return strings(*given, **other)

    monkeypatch.setattr(experiment, "strings", noted)
    config = StringConfig(
        pairs=2, pairs_at_once=2, cubic_width=8, train=40, width=8, steps=60, rounds=1, iterations=5
    )
    found = {}
    for task, levels in config.tasks().items():
        for step in (0, len(levels) - 1):
            seen.clear()
            experiment.measure(config, f"task={task} level={step} pairs=0", "cpu")
            found[task, step > 0] = list(seen)
    plain, seeded, adam = ("polyak", False), ("polyak", True), ("adam", False)
    assert strings(ring, RIGHT[:0], UP[:0], 0.1, Relaxer()) == []  # no pair reached the level
    assert found["cubic", False] == [plain, adam] and found["cubic", True] == [plain]
    assert found[config.data, False] == found[config.data, True] == [plain, seeded]


def test_a_small_run_twice_and_in_other_groups() -> None:
    small = StringConfig(
        pairs=2, pairs_at_once=2, cubic_width=8, cubic_levels=(0.5, 0.3, 0.2), train=40, width=8,
        levels=(1.5, 1.0, 0.7), steps=300, rounds=2, iterations=20, seeded_beads=2, adam_levels=1,
    )  # fmt: skip
    first = run(small)
    assert list(first.table) == list(run(small).table)
    grouped = run(replace(small, pairs_at_once=1)).table
    key = ("task", "step", "arm", "pair")
    assert sorted(map(str, grouped)) == sorted(map(str, first.table)), key
    lengths = first.table.column("length")
    assert (lengths[np.isfinite(lengths)] >= 1 - 1e-12).all() and first.figure().axes


def test_levels_that_do_not_fall_are_refused() -> None:
    with pytest.raises(InputError, match="each below the one before"):
        StringConfig(levels=(0.1, 0.3, 0.01))
