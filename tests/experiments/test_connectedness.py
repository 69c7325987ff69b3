"""Barriers and theory: exact cases, the search against them, and the judge on planted tables."""

from dataclasses import replace
from itertools import combinations, permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from theorylab.experiments.networks.model import Perceptron, loss_of
from theorylab.experiments.run import load_result, run
from theorylab.experiments.studies import connectedness
from theorylab.experiments.studies.connectedness import CONNECTEDNESS, ConnectednessConfig
from theorylab.experiments.studies.lowest_paths import Lowest, Search, images, lowest_paths
from theorylab.experiments.studies.square_theory import Theory, iris
from theorylab.experiments.table import Table
from theorylab.model import Dataset
from theorylab.outcome import InputError

STORED = load_result(Path(__file__).parent / "tables" / "relu-connectedness-trend")
# QUADRATIC.md, example E2: X = I, y = (1, -1); N_u = 8 for 0 <= u < 1, here u / 2
AXES = Theory(Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]], name="axes"))
Floats = NDArray[np.float64]


def test_the_theory_of_two_axes() -> None:
    assert AXES.d == 2 and AXES.least == 0 and AXES.scale == 1
    assert AXES.tau == pytest.approx(0.5, abs=1e-6)


def minimum(order: tuple[int, ...], signs: tuple[float, ...]) -> tuple[Floats, Floats]:
    w = np.diag(signs)[list(order)]
    return w, np.array([1.0, -1.0])[list(order)]


def test_the_symmetric_minima_of_two_axes_lie_in_eight_components() -> None:
    points = [minimum(o, s) for o in permutations(range(2)) for s in product((1.0, -1.0), repeat=2)]
    assert all(AXES.parted(a, b) for a, b in combinations(points, 2))
    assert not any(AXES.parted(a, a) for a in points)


def test_networks_that_a_path_joins_are_not_parted() -> None:
    w, u = minimum((0, 1), (1.0, 1.0))
    # scaling and a hyperbolic turn of the rows: both are paths in the fibre
    turn = np.array([[np.cosh(1), np.sinh(1)], [np.sinh(1), np.cosh(1)]])
    assert not AXES.parted((w, u), (turn @ w, u))
    assert not AXES.parted((w, u), (3 * w, u / 9))
    # and another form in the same sublevel set
    assert not AXES.parted((w, u), (np.array([[1.1, 0.2], [-0.1, 0.9]]), u))


def test_the_kernel_sees_what_parts_and_what_joins() -> None:
    level = AXES.proved_wall()
    assert level is not None and 0.45 < level < 0.5
    a, b = minimum((0, 1), (1.0, 1.0)), minimum((1, 0), (1.0, 1.0))
    wide = [(np.vstack([w, np.zeros(2)]), np.append(u, 0.0)) for w, u in (a, b)]
    assert AXES.proved_joined(*wide) and not AXES.proved_joined(a, b)


def test_iris_is_exact_and_its_targets_are_two() -> None:
    data = iris((0, 1, 2), "setosa", 24)
    assert (data.n, data.samples) == (3, 24)
    assert sorted(set(map(str, data.y.entries()))) == ["-1", "1"]
    with pytest.raises(InputError, match="class or setosa"):
        iris((0,), "rose", 3)


@pytest.mark.parametrize(("width", "peak"), [(1, 1.0), (2, 0.0)])
def test_the_search_finds_the_least_peak_between_a_net_and_its_mirror(
    width: int, peak: float
) -> None:
    # E1: L = (sum u w^2 - 1)^2; one unit must pass w = 0 where L = 1, with two nothing rises
    model = Perceptron((1, width, 1), "square", bias=False)
    w = torch.zeros(1, 1, width, dtype=torch.float64)
    w[..., 0] = 1
    u = torch.zeros(1, width, 1, dtype=torch.float64)
    u[:, 0] = 1
    x, y = torch.ones(1, 1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    found = lowest_paths(
        model, (w, u), (-w, u), x, y, "squares", seed=0, nets=[0], search=Search(steps=300)
    )
    assert peak - 1e-3 <= float(found.peaks[0]) <= peak + 0.02
    assert float(found.losses[0, 0]) == float(found.losses[0, -1]) == 0


def test_a_path_does_not_depend_on_the_other_pairs() -> None:
    model = Perceptron((2, 3, 1), bias=False)
    a, b = (model.initial(0, range(3), role, dtype=torch.float64) for role in "ab")
    x, y = torch.randn(6, 2, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    search = Search(beads=3, steps=10, starts=3, enough=0.0)
    every = lowest_paths(model, a, b, x, y, "squares", seed=1, nets=range(3), search=search)
    alone = lowest_paths(
        model, tuple(p[2:] for p in a), tuple(p[2:] for p in b), x, y, "squares",
        seed=1, nets=[2], search=search,
    )  # fmt: skip
    assert torch.equal(every.losses[2], alone.losses[0])


def test_images_need_a_network_without_bias() -> None:
    model = Perceptron((2, 3, 1))
    with pytest.raises(InputError, match="without bias"):
        images(model, model.initial(0, range(1)), 0, [0], ())


def words(table: Table) -> dict[str, str]:
    judged = CONNECTEDNESS.judged(STORED.config, table)
    return {reading.variant: observed.outcome for reading, observed in judged}


def test_the_stored_table_says_what_is_expected() -> None:
    assert words(STORED.table) == {r.variant: r.expected for r in CONNECTEDNESS.readings}


def test_barriers_where_there_should_be_none_and_none_where_there_should_be() -> None:
    table = STORED.table
    high = table.replaced("barrier", np.full(len(table), 0.4))
    assert words(high)["square"] == words(high)["relu"] == "inconsistent"
    assert words(high)["relu-sharp"] == "consistent"
    flat = table.replaced("peak", table.column("end_loss"))
    assert words(flat.replaced("barrier", np.zeros(len(table))))["square-at-rank"] == "inconsistent"


def test_one_path_below_the_proved_level_is_too_many() -> None:
    table = STORED.table
    peaks, here = table.column("peak"), np.isfinite(table.column("certified"))
    here &= np.array([row["parted"] is True for row in table])
    here &= table.column("end_loss") + 0.06 < table.column("certified")
    peaks[np.flatnonzero(here)[0]] = table.column("certified")[here][0] - 1e-6
    assert words(table.replaced("peak", peaks))["square-at-rank"] == "inconsistent"


def test_levels_that_were_not_proved_shut_the_gate() -> None:
    found = words(STORED.table.replaced("certified", [None] * len(STORED.table)))
    assert found["square"] == found["square-at-rank"] == "undecided"


def test_a_small_run_twice() -> None:
    small = ConnectednessConfig(
        samples=9, square_sets=("petals",), offsets=(0, 1), square_pairs=2, rank_pairs=2,
        relu_widths=(1, 2), relu_pairs=2, steps=200, beads=3, search_steps=20, starts=2,
    )  # fmt: skip
    first = run(small)
    assert list(first.table) == list(run(small).table)
    widths = [row["width"] for row in first.table.where(activation="relu")]
    assert widths[-1] == first.table.rows[-1]["needed"] and first.figure().axes
    square = first.table.where(activation="square")
    assert (square.column("peak") >= square.column("end_loss") - 1e-12).all()
    nothing = first.table.replaced("barrier", [None] * len(first.table))
    assert replace(first, table=nothing).figure().axes


def test_a_barrier_is_above_the_higher_end(monkeypatch: pytest.MonkeyPatch) -> None:
    config = ConnectednessConfig(
        samples=9, relu_widths=(1, 2), relu_pairs=2, steps=50, beads=3, search_steps=5, starts=1
    )
    ends: list[torch.Tensor] = []

    def noted(model: Perceptron, a: Any, b: Any, x: Any, y: Any, loss: str, **other: Any) -> Lowest:
        ends.extend(loss_of(model.outputs(end, x), y, loss) for end in (a, b))
        return lowest_paths(model, a, b, x, y, loss, **other)

    monkeypatch.setattr(connectedness, "lowest_paths", noted)
    part = next(p for p in connectedness.parts(config) if "activation=relu width=2" in p)
    rows = Table.of(connectedness.measure(config, part, "cpu").rows)
    assert (ends[0] != ends[1]).all()
    assert rows.column("end_loss") == pytest.approx(torch.maximum(*ends).numpy())
    above = (rows.column("peak") - rows.column("end_loss")) / rows.column("scale")
    assert rows.column("barrier") == pytest.approx(above)


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InputError, match="petals and setosa"):
        ConnectednessConfig(relu_sets=("wine",))
    with pytest.raises(InputError, match="0 and 1 among them"):
        ConnectednessConfig(offsets=(2, 3))
