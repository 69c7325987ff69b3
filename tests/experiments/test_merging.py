"""No trained path climbs lower than the exact level at which its ends meet."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from theorylab.experiments.merging import Lowering, lowest_climb, meeting, polyline_peak
from theorylab.experiments.networks.ensemble import Descent, train_ensemble
from theorylab.experiments.networks.model import Perceptron, unflattened
from theorylab.experiments.trained import exact_network, parameters_of, targets_of
from theorylab.levels import levels
from theorylab.model import Dataset, Network, Weights, matrix
from theorylab.outcome import InputError

torch.set_num_threads(1)
UNIT = Network.dense((1, 1, 1), "relu")
TWO = Dataset.from_rows([[1], [-1]], [[1], [2]])
QUICK = Lowering(paths=3, steps=150)
TINY = [
    ((1, 2, 1), True, Dataset.from_rows([[t] for t in (-2, -1, 0, 1, 2)],
                                        [[0], [1], [0], [2], [0]])),
    ((2, 2, 1), False, Dataset.from_rows([[1, 0], [0, 1], [-1, 1], [-1, -1], [1, -2]],
                                         [[1], [0], [2], [1], [1]])),
]  # fmt: skip


def unit(w: int, u: int) -> Weights:
    return matrix([[w]]), matrix([[u]])


def settled(widths: tuple[int, ...], bias: bool, data: Dataset) -> list[Weights]:
    """Trained networks of different losses, the best first; weights are multiples of 2^-20."""
    model, (x, y) = Perceptron(widths, bias=bias), targets_of(data)
    rule = Descent(0.02, 1500)
    found = train_ensemble(model, x, y, 16, seed=0, descent=rule, loss="squares", dtype=x.dtype)
    by_loss = {round(loss, 3): k for k, loss in enumerate(found.losses.tolist())}
    return [exact_network(model, found.parameters, by_loss[v], 20)[1] for v in sorted(by_loss)]


def test_the_known_wall() -> None:
    # w > 0 fits the first point with loss 4, w < 0 the second with loss 1; w = 0 has loss 5
    found = meeting(UNIT, TWO, unit(1, 1), unit(-1, 2), lowering=QUICK)
    assert (found.level, found.start, found.top) == (5, 4, 5)
    assert found.apart is not None and 4 < found.apart < 5
    assert found.excess == pytest.approx(0, abs=1e-9)
    assert found.level == levels(UNIT, TWO).tree.top_merge


def test_points_of_one_component_meet_at_once() -> None:
    found = meeting(UNIT, TWO, unit(-1, 2), unit(-2, 1), lowering=QUICK)
    assert (found.level, found.start, found.apart) == (1, 1, None)
    assert found.climbed == pytest.approx(1, rel=0.05)
    # above the last merge everything is one
    high = meeting(UNIT, TWO, unit(1, 3), unit(-1, 5), lowering=QUICK)
    assert high.level == high.start > 5 and high.apart is None


@pytest.mark.parametrize(("widths", "bias", "data"), TINY, ids=["biases", "plane"])
def test_no_trained_path_beats_the_exact_level(
    widths: tuple[int, ...], bias: bool, data: Dataset
) -> None:
    network = Network.dense(widths, "relu", bias)
    a, *others = settled(widths, bias, data)
    parted = 0
    for b in others:
        found = meeting(network, data, a, b, lowering=QUICK)
        assert found.climbed >= float(found.level) * (1 - 1e-9)  # because: float64 sums
        assert found.start <= found.level
        parted += found.apart is not None
    assert parted, "no two of these minima lie in different components"


@pytest.mark.slow
@pytest.mark.parametrize(("widths", "bias", "data"), TINY, ids=["biases", "plane"])
def test_training_comes_near_the_exact_level(
    widths: tuple[int, ...], bias: bool, data: Dataset
) -> None:
    network = Network.dense(widths, "relu", bias)
    a, *others = settled(widths, bias, data)
    found = [meeting(network, data, a, b) for b in others]
    walls = [m for m in found if m.apart is not None]
    assert walls and all(m.climbed >= float(m.level) * (1 - 1e-9) for m in walls)
    # 0.03 % in the plane; with biases the pass at 2.9714 was missed by 4.6 % with every setting
    assert min(m.excess / float(m.level) for m in walls) < 0.1


COORDINATES = st.floats(-3, 3).map(lambda v: round(v, 3))


@settings(max_examples=40)
@given(
    model=st.sampled_from([Perceptron((1, 2, 1)), Perceptron((2, 3, 1), bias=False)]),
    data=st.data(),
)
def test_the_peak_of_a_polyline_is_its_largest_loss(model: Perceptron, data: st.DataObject) -> None:
    n, count = model.widths[0], model.parameter_count

    def table(rows: int, columns: int) -> torch.Tensor:
        row = st.lists(COORDINATES, min_size=columns, max_size=columns)
        drawn = data.draw(st.lists(row, min_size=rows, max_size=rows))
        return torch.tensor(drawn, dtype=torch.float64)

    path, x, y = table(3, count), table(4, n), table(4, 1)
    like = model.initial(0, [0], dtype=torch.float64)
    t = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    dense = torch.cat([(1 - t) * p + t * q for p, q in ((path[0], path[1]), (path[1], path[2]))])
    losses = (model.outputs(unflattened(dense, like), x) - y).square().sum((1, 2))
    peak = polyline_peak(model, path, like, x, y)
    # because: dense points miss the top by less than a step along the steepest slope
    steepest = float(losses.diff().abs().max())
    assert float(losses.max()) * (1 - 1e-12) <= peak <= float(losses.max()) + steepest + 1e-9


def test_a_kink_between_all_places_is_seen() -> None:
    # f = u relu(w) with u huge: the loss is 5 only at w = 0, next to it the path is low
    model, (x, y) = Perceptron((1, 1, 1), bias=False), targets_of(TWO)
    w = 1e-7
    path = torch.tensor([[w, 1 / w], [-2 * w, 1 / w]], dtype=torch.float64)
    like = parameters_of(UNIT, [unit(1, 1)])
    assert polyline_peak(model, path, like, x, y) == pytest.approx(5, rel=1e-9)


def test_a_path_depends_on_its_seed_alone() -> None:
    widths, _, data = TINY[1]
    model, (x, y) = Perceptron(widths, bias=False), targets_of(data)
    network = Network.dense(widths, "relu")
    a, b = (parameters_of(network, [p]) for p in settled(widths, False, data)[:2])
    few = Lowering(paths=2, steps=20)
    first, again, other = (lowest_climb(model, a, b, x, y, seed, few) for seed in (0, 0, 1))
    assert first == again != other


def test_other_networks_are_refused() -> None:
    square = Network.dense((1, 1, 1), "square")
    with pytest.raises(InputError, match="level trees are for"):
        meeting(square, TWO, unit(1, 1), unit(1, 2), lowering=QUICK)
    heavy = Dataset.from_rows([[1]], [[1]], weights=[Fraction(1, 2)])
    with pytest.raises(InputError, match="weigh all samples alike"):
        meeting(UNIT, heavy, unit(1, 1), unit(1, 2), lowering=QUICK)
