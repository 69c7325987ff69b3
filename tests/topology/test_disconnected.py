"""Walls and the points on both sides: every builder on its families, and what it must not say.

Every argument is put to the kernel; at or above the wall, and where N_u = 1, there is none.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flint import fmpq, fmpq_mat

from theorylab.claims.disconnected import FAMILIES
from theorylab.instances import Seeded, dataset, weights
from theorylab.instances import matrix as integers
from theorylab.kernel import Proved, Refuted, Rejected, check
from theorylab.model import Activation, Dataset, Loss, Network, load_dataset, rational
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import connection_certificate, joined
from theorylab.topology.disconnected import BUILDERS, disconnected, parted, separation
from theorylab.topology.level_trees.tree import fraction, level_tree
from theorylab.topology.walls.determinants import separated_by_determinant, separated_by_features
from theorylab.topology.walls.kinks import separated_by_kinks
from theorylab.topology.walls.narrow import separated_by_line, separated_by_narrow_layer
from theorylab.topology.walls.separation import Separation, level_between, with_best_output

PAIR = Dataset.from_rows([[1], [-1]], [[1], [2]])
ODD = Dataset.from_rows([[1], [-1]], [[1], [-1]])
PLACES = (-1, 0, 1, 3, 4, 5)
RAMP = Dataset.from_rows([[s] for s in PLACES], [[y] for y in (0, 0, 1, 3, 4, 4)])
LEAKY = Activation("leaky_relu", (fmpq(1, 4),))
ONE_UNIT = Network.dense((1, 1, 1), "relu")
Builder = Callable[[Loss, fmpq | None], Separation | Undecided]


def verdict(loss: Loss, shown: Argument) -> str:
    found = check(connection_certificate(loss, shown.conclusion, shown.rule, shown.proof))
    return found.reason if isinstance(found, Rejected) else type(found).__name__


def accepted(found: Separation | Undecided) -> Separation:
    """The separation, its count, its pair and the refuted path of the pair checked."""
    assert isinstance(found, Separation), str(found)
    assert verdict(found.loss, found.components) == "Proved"
    assert verdict(found.loss, found.separated) == "Proved"
    a, b = found.pair
    path = joined(a, b, found.u)
    raw = connection_certificate(found.loss, path, "barrier", found.separated.proof)
    assert isinstance(check(raw), Refuted)
    more = {**found.components.conclusion, "at_least": found.number + 1}
    again = Argument(more, "barrier", found.components.proof)
    assert verdict(found.loss, again) == f"the walls show {found.number} components"
    return found


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__.removeprefix("_random_"))
def test_twenty_random_instances_of_each_family(family: Callable[[Seeded], Loss]) -> None:
    for seed in range(20):
        assert accepted(separation(family(Seeded(f"{family.__name__} {seed}")))).number >= 2


def test_twenty_random_deep_linear_networks() -> None:
    decided = 0
    for seed in range(60):
        draw = Seeded(f"linear {seed}")
        n, m = draw.integer(1, 3), draw.integer(1, 3)
        widths = (n, *[draw.integer(1, 3) for _ in range(draw.integer(1, 3))], m)
        data = dataset(draw, n, m, draw.integer(1, n + 2))
        found = separated_by_determinant(Loss(Network.dense(widths, "linear"), data))
        if isinstance(found, Separation):
            b = widths[1:-1].count(min(widths))
            assert b > 0
            assert accepted(found).number == 2**b
            decided += 1
    assert decided >= 20


@pytest.mark.parametrize(
    ("builder", "network", "data", "low", "top"),
    [
        (separated_by_line, ONE_UNIT, PAIR, 4, 5),
        (separated_by_narrow_layer, ONE_UNIT, ODD, 1, 2),
        (separated_by_narrow_layer, Network.dense((1, 2, 1, 2, 1), "relu"), ODD, 1, 2),
        (separated_by_kinks, Network.dense((1, 2, 1), "relu", (True, False)), RAMP, 0, fmpq(1, 6)),
        (
            separated_by_features,
            Network.dense((2, 2, 2), "abs"),
            Dataset.from_rows([[1, 0], [0, 1]], [[3, 0], [0, 3]]),
            0,
            9,
        ),
        (
            separated_by_determinant,
            Network.dense((2, 1, 2), "linear"),
            Dataset.from_rows([[1, 0], [0, 1]], [[2, 0], [0, 1]]),
            1,
            4,
        ),
    ],
)
def test_each_wall_is_as_high_as_it_should_be(
    builder: Builder, network: Network, data: Dataset, low: int, top: int | fmpq
) -> None:
    loss, top = Loss(network, data), fmpq(top)
    assert accepted(builder(loss, None)).u == low
    below = top - fmpq(1, 1000)
    assert accepted(builder(loss, below)).u == below
    assert isinstance(builder(loss, top), Undecided)
    assert isinstance(builder(loss, fmpq(low) - fmpq(1, 10)), Undecided)
    shown = accepted(builder(loss, below)).components
    high = Argument({**shown.conclusion, "u": str(top)}, shown.rule, shown.proof)
    assert "level" in verdict(loss, high)


def test_the_two_by_two_bottleneck_of_equal_values_is_not_called_disconnected() -> None:
    """2-1-2, X = Y = I: the minimisers (x, x^T/|x|^2) are connected."""
    data = Dataset.from_rows([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    assert isinstance(disconnected(Network.dense((2, 1, 2), "linear"), data), Undecided)


@pytest.mark.parametrize("activation", ["linear", "relu", "square", "step"])
def test_wide_networks_are_never_called_disconnected(activation: str) -> None:
    for seed in range(10):
        draw = Seeded(seed)
        data = dataset(draw, 2, 2, draw.integer(1, 3))
        wide = Network.dense((2, 2 * data.samples, 2), activation)
        assert isinstance(disconnected(wide, data), Undecided)


def test_one_input_without_bias_and_three_units_are_never_called_disconnected() -> None:
    for seed in range(20):
        draw = Seeded(seed)
        data = dataset(draw, 1, 1, draw.integer(1, 6))
        assert isinstance(disconnected(Network.dense((1, 3, 1), "relu"), data), Undecided)


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_a_builder_never_makes_an_argument_that_fails(builder: Builder) -> None:
    for seed in range(60):
        draw = Seeded(f"{builder.__name__} {seed}")
        n, m = draw.integer(1, 2), draw.integer(1, 2)
        widths = (n, *[draw.integer(1, 3) for _ in range(draw.integer(1, 2))], m)
        rho = draw.choice(("relu", "abs", "linear", "square", "cube", "step"))
        network = Network.dense(widths, rho, draw.choice((False, True)))
        data = dataset(draw, n, m, draw.integer(1, 6))
        ridge = draw.choice((None, fmpq(1, 100)))
        found = builder(Loss(network, data, ridge), None)
        if isinstance(found, Separation):
            accepted(found)


def test_a_ridge_keeps_the_walls_and_moves_the_points() -> None:
    network = Network.dense((1, 2, 1), "abs", (True, False))
    vees = Dataset.from_rows([[s] for s in PLACES], [[y] for y in (-4, -4, -2, 2, 4, 4)])
    plain, ridged = (accepted(separation(Loss(network, vees, r))) for r in (None, fmpq(1, 1000)))
    assert (plain.number, plain.u, ridged.number) == (8, 0, 4)
    assert ridged.u == ridged.loss(ridged.points[0]) == fmpq(1, 50)
    assert isinstance(separation(Loss(network, vees, fmpq(1))), Undecided)


def test_real_data() -> None:
    iris = load_dataset("iris").restrict((2,), (0,))
    found = accepted(separated_by_line(Loss(Network.dense((1, 1, 1), "relu", True), iris)))
    assert found.number == 2
    assert 0 < found.u < fmpq(100, 3)


def test_the_level_tree_answers_where_no_wall_is_found() -> None:
    """n = 2, two units, no biases: golden data of CLAIMS section 6, N_u = 4 from 0 on."""
    data = Dataset.from_rows([[1, -2], [-3, 0], [1, 2], [2, 0]], [[4], [1], [4], [3]])
    network = Network.dense((2, 2, 1), "relu")
    assert isinstance(separation(Loss(network, data)), Undecided)
    shown = disconnected(network, data)
    assert isinstance(shown, Argument)
    assert (shown.rule, shown.conclusion["at_least"], shown.conclusion["u"]) == (
        "level_tree", 4, "0",
    )  # fmt: skip
    assert verdict(Loss(network, data), shown) == "Proved"


def test_quadratic_networks_are_counted() -> None:
    data = Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]])
    network = Network.dense((2, 2, 1), "square")
    shown = disconnected(network, data)
    assert isinstance(shown, Argument)
    assert shown.conclusion["at_least"] == 8
    assert verdict(Loss(network, data), shown) == "Proved"


def test_undecided_says_nothing_of_points_above_the_level() -> None:
    assert isinstance(level_between(fmpq(2), fmpq(1)), Undecided)
    assert isinstance(level_between(fmpq(1), fmpq(2), fmpq(2)), Undecided)
    assert level_between(fmpq(1), fmpq(2), fmpq(3, 2)) == fmpq(3, 2)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="ridge"):
        disconnected(ONE_UNIT, PAIR, fmpq(-1))
    with pytest.raises(InputError, match="widths"):
        disconnected(Network.dense((2, 1, 1), "relu"), PAIR)


def test_the_loss_with_a_ridge() -> None:
    draw = Seeded(3)
    network, data = Network.dense((2, 3, 2), "relu", (True, False)), dataset(Seeded(1), 2, 2, 4)
    for _ in range(5):
        w = weights(draw, network, degenerate=False)
        rates = tuple(fmpq(i, 7) for i in range(15))
        entries = [v for layer in w for v in layer.entries()]
        extra = sum((r * v * v for r, v in zip(rates, entries, strict=True)), fmpq(0))
        assert Loss(network, data, rates)(w) == Loss(network, data)(w) + extra
        size = sum((v * v for v in entries), fmpq(0))
        assert Loss(network, data, fmpq(3))(w) == Loss(network, data)(w) + 3 * size


@pytest.mark.parametrize("ridge", [fmpq(0), (fmpq(1),), (fmpq(-1), fmpq(2)), (fmpq(0),) * 2])
def test_bad_ridges(ridge: fmpq | tuple[fmpq, ...]) -> None:
    with pytest.raises(InputError, match="ridge"):
        Loss(ONE_UNIT, PAIR, ridge)


def test_a_ridge_of_a_pattern() -> None:
    tied = Network.with_pattern((1, 1, 1), "linear", [[[0]], [[0]]])
    with pytest.raises(InputError, match="dense"):
        Loss(tied, PAIR, fmpq(1))
    assert Loss(tied, PAIR)((fmpq_mat([[1]]), fmpq_mat([[1]]))) == 9


def test_proved_needs_points() -> None:
    found = accepted(separation(Loss(ONE_UNIT, PAIR)))
    bare = {**found.components.proof, "points": []}
    shown = Argument(found.components.conclusion, "barrier", bare)
    assert verdict(found.loss, shown) == "the walls show 0 components"
    assert isinstance(check(connection_certificate(found.loss, *_parts(found.components))), Proved)


def _parts(shown: Argument) -> tuple[dict[str, object], str, dict[str, object]]:
    return shown.conclusion, shown.rule, shown.proof


def test_walls_show_no_more_components_than_the_level_tree_counts() -> None:
    """An independent count: one hidden layer, one output, at the level of the walls and above."""
    compared = 0
    for seed in range(120):
        draw = Seeded(f"tree {seed}")
        bias = draw.choice((False, True))
        width, samples = draw.integer(1, 2), draw.integer(2, 4)
        network = Network.dense((1, width, 1), draw.choice(("relu", "abs", LEAKY)), (bias, False))
        data = dataset(draw, 1, 1, samples)
        found = separation(Loss(network, data))
        if isinstance(found, Undecided):
            continue
        tree = level_tree(network, data)
        assert tree.components(fraction(found.u)) >= accepted(found).number
        compared += 1
    assert compared >= 20


def test_three_brackets_against_the_level_tree() -> None:
    """CLAIMS C10: N_u = 2 on [0, 654/1459) for the ramp; the walls say so below 1/6."""
    network = Network.dense((1, 2, 1), "relu", (True, False))
    found = accepted(separated_by_kinks(Loss(network, RAMP), fmpq(1, 7)))
    tree = level_tree(network, RAMP)
    assert found.number == tree.components(fraction(found.u)) == 2


def best(loss: Loss, hidden: list[fmpq_mat]) -> fmpq:
    return loss(with_best_output(loss, hidden))


def test_on_the_wall_the_loss_is_above_the_level() -> None:
    """Points with a singular determinant, a dead direction or no kink, with their best outputs."""
    for seed in range(40):
        draw = Seeded(f"wall {seed}")
        r = draw.integer(2, 3)
        data = Dataset(integers(draw, r, r, 3), integers(draw, r, r, 3))
        network = Network.dense((r, r, r), "relu")
        found = separated_by_features(Loss(network, data))
        if isinstance(found, Separation):
            gap = rational(found.walls[0]["gap"])
            twins = integers(draw, r, r, 3).tolist()
            twins[1] = [2 * v for v in twins[0]]
            assert best(found.loss, [fmpq_mat(twins)]) >= gap
    for seed in range(20):
        loss = FAMILIES[0](Seeded(f"wall {seed}"))
        found = separated_by_kinks(loss)
        assert isinstance(found, Separation)
        columns = loss.data.x.transpose().tolist()
        i, _, k = found.walls[0]["brackets"][0]
        # every unit bends at a sample at or outside the ends of the first bracket
        places = [row[0] for row in columns if not columns[i][0] < row[0] < columns[k][0]]
        for shift in range(len(places)):
            kinks = [places[(shift + j) % len(places)] for j in range(loss.network.hidden[0])]
            for turn in (1, -1):
                hidden = fmpq_mat([[turn, -turn * t] for t in kinks])
                assert best(loss, [hidden]) > found.u


def test_two_given_points_are_parted_or_left_alone() -> None:
    loss = Loss(ONE_UNIT, PAIR)
    plus, minus = (
        (fmpq_mat([[w]]), fmpq_mat([[u]])) for w, u in ((2, fmpq(1, 2)), (-1, fmpq(3, 2)))
    )
    shown = parted(loss, plus, minus, fmpq(9, 2))
    assert isinstance(shown, Argument)
    assert verdict(loss, shown) == "Proved"
    nearby = (fmpq_mat([[1]]), fmpq_mat([[1]]))
    assert isinstance(parted(loss, plus, nearby, fmpq(9, 2)), Undecided)
    assert isinstance(parted(loss, plus, minus, fmpq(5)), Undecided)
