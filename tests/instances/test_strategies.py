"""Generators and strategies: their laws, what a failing property shrinks to, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from theorylab import instances
from theorylab.instances import (
    ACTIVATIONS,
    DATA_KINDS,
    KINDS,
    PAIRS,
    Case,
    Draw,
    Seeded,
    cases,
    datasets,
    level_pair,
    level_pairs,
    matrices,
    matrix_of_rank,
    network,
    networks,
    points,
    rational_number,
    rationals,
    strategy,
    weights,
    weights_of,
)
from theorylab.model import Activation, Dataset, Loss, Network, Weights, matrix
from theorylab.outcome import InputError

NET = Network.dense((2, 3, 4, 2), "relu", (True, False, True))
DATA = Dataset.from_rows(
    [[1, 0], [2, 1], ["1/2", 3]], [[1, 0], [0, 1], [2, 2]], weights=[1, 2, "1/3"]
)
SMALL = points((1, 2), n=(1, 2), width=(1, 2), activations=["linear", "relu"])
Point = tuple[Network, Dataset, Weights]


# Laws


@pytest.mark.parametrize("height", [1, 2, 4])
def test_rationals_are_bounded_and_all_of_them_come_up(height: int) -> None:
    drawn = {rational_number(Seeded(i), height) for i in range(600)}
    every = {fmpq(p, q) for p in range(-height, height + 1) for q in range(1, height + 1)}
    assert drawn == every and all(abs(v.p) <= height >= v.q for v in drawn)
    assert find(rationals(height), lambda v: v.q == height).q == height


@given(st.data())
def test_a_matrix_has_the_rank_asked_for(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    rank = data.draw(st.integers(0, min(rows, columns)))
    found = data.draw(matrices(rows, columns, rank=rank))
    assert (found.nrows(), found.ncols(), found.rank()) == (rows, columns, rank)


def test_matrices_of_a_rank_are_not_all_of_one_form() -> None:
    drawn = [matrix_of_rank(Seeded(i), 2, 3, 1, size=1) for i in range(1_000)]
    # every entry can vanish, and can be the only one that does not
    for i in range(2):
        for j in range(3):
            assert any(a[i, j] == 0 for a in drawn)
            alone = fmpq_mat(2, 3, [int(k == 3 * i + j) for k in range(6)])
            assert any(a == alone * a[i, j] and a[i, j] != 0 for a in drawn)


@given(st.data())
def test_weights_have_the_ranks_asked_for(data: st.DataObject) -> None:
    shapes = [NET.shape(k) for k in range(1, NET.depth + 1)]
    ranks = tuple(data.draw(st.integers(0, min(shape))) for shape in shapes)
    point = data.draw(weights_of(NET, ranks=ranks))
    assert NET.check_weights(point) == point
    assert tuple(layer.rank() for layer in point) == ranks


def _is(kind: str, point: Weights) -> bool:
    """Whether weights are degenerate in this way."""
    rows = [[tuple(row) for row in layer.tolist()] for layer in point]
    columns = [[tuple(c) for c in layer.transpose().tolist()] for layer in point]
    if kind == "rank one":
        return any(layer.rank() <= 1 for layer in point)
    if kind == "twins":
        return any(len(set(layer)) == 1 for layer in rows)
    if kind == "zero layer":
        return any(not any(layer.entries()) for layer in point)
    if kind == "zero":
        return all(not any(layer.entries()) for layer in point)
    if kind == "dead unit":
        return any(not any(row) for layer in rows[:-1] for row in layer)
    if kind == "unread unit":
        return any(not any(c) for layer, w in zip(columns[1:], NET.hidden, strict=True)
                   for c in layer[:w])  # fmt: skip
    if kind == "vanishing product":
        products = [
            fmpq_mat([row[: below.nrows()] for row in above.tolist()]) * below
            for below, above in pairwise(point)
        ]
        return any(not any(product.entries()) for product in products)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_weights_is_of_that_kind(kind: str) -> None:
    drawn = [weights(Seeded(i), NET, kind=kind) for i in range(40)]
    assert all(_is(kind, point) and NET.check_weights(point) == point for point in drawn)
    if kind != "zero":
        assert len({tuple(map(str, point)) for point in drawn}) > 30
    if kind != "plain":
        assert not all(_is(kind, weights(Seeded(i), NET, degenerate=False)) for i in range(40))


@given(st.sampled_from(DATA_KINDS), st.data())
def test_a_kind_of_data_is_of_that_kind(kind: str, data: st.DataObject) -> None:
    found = data.draw(datasets(2, 1, (2, 4), kind=kind, denominator=2))
    inputs = {tuple(row) for row in found.x.transpose().tolist()}
    assert (found.n, found.m) == (2, 1) and 2 <= found.samples <= 4
    assert (found.weights is not None) == (kind == "weights")
    if kind == "twin samples":
        assert len(inputs) == 1
    if kind in ("rank one", "zero"):
        assert found.x.rank() <= (kind == "rank one")


@given(st.integers(0, 2), st.data())
def test_inputs_have_the_rank_asked_for(rank: int, data: st.DataObject) -> None:
    assert data.draw(datasets(2, 1, (2, 4), rank=rank)).x.rank() == rank


@given(points(patterns=["dense", "mask", "tied", "fixed"], output="activation"))
def test_points_fit_together(point: Point) -> None:
    net, data, at = point
    assert net.check_weights(at) == at and Loss(net, data)(at) >= 0
    assert net.output == "activation" and 1 <= len(net.hidden) <= 2


@given(st.sampled_from([None, *PAIRS]), st.data())
def test_pairs_have_one_loss(kind: str | None, data: st.DataObject) -> None:
    net = data.draw(networks(n=2, m=2, width=(2, 3)))
    a, b = data.draw(level_pairs(net, DATA, kind=kind))
    loss = Loss(net, DATA)
    assert loss(a) == loss(b)
    if kind == "same features":
        assert a[:-1] == b[:-1]
    if kind == "other features":
        zero = (*a[:-1], a[-1] * 0)
        assert loss(a) == loss(zero)


def test_pairs_differ_and_are_more_than_symmetries() -> None:
    pairs = [level_pair(Seeded(i), NET, DATA) for i in range(60)]
    assert sum(a != b for a, b in pairs) > 40
    outputs = [[NET.outputs(p, DATA.x) for p in pair] for pair in pairs]
    assert sum(a != b for a, b in outputs) > 20


@settings(max_examples=30)
@given(cases((2, 3), n=2, hidden_layers=0))
def test_cases_take_the_options_of_networks(case: Case) -> None:
    assert case.network.depth == 1 and case.network.n == case.data.n == 2
    assert 2 <= case.data.samples <= 3


def test_each_option_of_a_network_comes_up_and_nothing_else() -> None:
    drawn = [
        network(Seeded(i), hidden_layers=(0, 2), patterns=["dense", "tied"]) for i in range(500)
    ]
    assert {net.activation for net in drawn} == {Activation.parse(a) for a in ACTIVATIONS}
    assert {len(net.hidden) for net in drawn} == {0, 1, 2}
    assert {w for net in drawn for w in net.hidden} == {1, 2, 3, 4}
    assert {any(net.bias) for net in drawn} == {all(net.bias) for net in drawn} == {True, False}
    assert {net.is_dense for net in drawn} == {True, False}
    plain = [network(Seeded(i), activations=["relu"], bias=False) for i in range(50)]
    assert all(net.is_dense and not any(net.bias) for net in plain)
    assert {net.activation.kind for net in plain} == {"relu"}


def test_a_seed_is_an_instance() -> None:
    for generator in (network, lambda draw: level_pair(draw, NET, DATA), instances.point):
        made: Callable[[Draw], Any] = generator
        assert made(Seeded("a:1")) == made(Seeded("a:1"))
        assert any(made(Seeded("a:1")) != made(Seeded(f"a:{i}")) for i in range(2, 9))


def test_the_streams_of_verify_are_what_they_were() -> None:
    # from the first release on; certificates in proofs/ are of such instances
    point = weights(Seeded("stream"), Network.dense((2, 2, 1), "relu"))
    assert [layer.tolist() for layer in point] == STREAM
    data = instances.dataset(Seeded("stream"), 2, 1, 2)
    assert (data.x.tolist(), data.y.tolist(), data.name) == STREAM_OF_DATA


STREAM = [[[2, -2], [2, -2]], [[0, -2]]]
STREAM_OF_DATA = ([[0, 0], [0, 0]], [[0, -2]], "random rank one")


# Shrinking: the same example, whatever was found first


@pytest.mark.parametrize(
    ("drawn", "fails", "least"),
    [
        (rationals(9), lambda q: q > fmpq(5, 2), fmpq(3)),
        (rationals(9), lambda q: q.q > 1, fmpq(1, 2)),
        (rationals(9), lambda q: q < 0, fmpq(-1)),
        (matrices(2, 2), lambda a: a[1, 0] != 0 > a[0, 1], matrix([[0, -1], [1, 0]])),
        (matrices(2, 3, rank=1), lambda a: True, matrix([[1, 0, 0], [0, 0, 0]])),
        (matrices(2, 2, rank=1), lambda a: a[0, 0] == 0, matrix([[0, 1], [0, 0]])),
        (networks(), lambda net: True, Network.dense((1, 1, 1), "linear")),
        (networks(), lambda net: max(net.hidden) > 3, Network.dense((1, 4, 1), "linear")),
        (networks(), lambda net: any(net.bias), Network.dense((1, 1, 1), "linear", True)),
        (networks(), lambda net: len(set(net.bias)) == 2,
         Network.dense((1, 1, 1), "linear", (False, True))),
        (networks(), lambda net: net.activation.coefficients is None,
         Network.dense((1, 1, 1), "abs")),
        (networks(patterns=["dense", "mask"]), lambda net: not net.is_dense,
         Network.with_pattern((1, 1, 1), "linear", [[[None]], [["0"]]])),
        (datasets(), lambda data: data.samples > 1 and data.y[0, 1] > 1,
         Dataset.from_rows([[0], [0]], [[0], [2]], name="random plain")),
        (datasets(), lambda data: data.weights is not None,
         Dataset.from_rows([[0]], [[0]], ["1/2"], "random weights")),
        (weights_of(Network.dense((2, 2, 1), "relu"), ranks=(2, 1)), lambda point: True,
         (matrix([[1, 0], [0, 1]]), matrix([[1, 0]]))),
        (weights_of(NET), lambda point: any(point[1].entries()), None),
    ],
)  # fmt: skip
def test_a_failing_property_shrinks_to_exactly_this(
    drawn: st.SearchStrategy[Any], fails: Callable[[Any], bool], least: Any
) -> None:
    found = find(drawn, fails, settings=settings(database=None, max_examples=2_000))
    if least is None:
        numbers = [q for layer in found for q in layer.entries()]
        assert sorted(numbers) == [*[fmpq(0)] * (len(numbers) - 1), fmpq(1)]
    else:
        assert found == least


@pytest.mark.slow
def test_a_point_of_positive_loss_shrinks_to_one_unit_and_one_number() -> None:
    net, data, at = find(
        SMALL, lambda p: Loss(p[0], p[1])(p[2]) > 0, settings=settings(database=None)
    )
    assert net == Network.dense((1, 1, 1), "linear") and data.samples == 1
    assert (data.x.tolist(), data.y.tolist()) == ([[0]], [[1]])
    assert not any(q for layer in at for q in layer.entries())


def test_nothing_is_filtered() -> None:
    drawn = level_pairs(NET, DATA, kind="exchanged units")
    with pytest.raises(NoSuchExample):
        find(drawn, lambda pair: False, settings=settings(database=None, max_examples=30))


# What is printed can be pasted


def test_a_counterexample_prints_what_makes_it() -> None:
    @settings(database=None)
    @given(SMALL, rationals(2))
    def fails(point: Point, number: fmpq) -> None:
        assert Loss(point[0], point[1])(point[2]) <= 0 or number <= 0 or number.q == 1

    with pytest.raises(AssertionError) as caught:
        fails()
    (note,) = [n for n in caught.value.__notes__ if "point=" in n]
    assert "Network.dense((1, 1, 1), 'linear')" in note
    assert "Dataset.from_rows([['0']], [['1']], name='random plain')" in note
    assert "(matrix([[0]]), matrix([[0]]))" in note and "number=fmpq(1, 2)" in note


@given(networks(patterns=["dense", "mask", "tied", "fixed"], hidden_layers=(0, 2)))
def test_a_network_is_what_its_repr_makes(net: Network) -> None:
    words = repr(net)
    assert words.startswith("Network.dense(") == net.is_dense
    kind, _, inside = words.removeprefix("Network.").partition("(")
    given_ = _call(inside.removesuffix(")"))
    again = getattr(Network, kind)(*given_[0], **given_[1])
    assert again.to_json() == net.to_json()


def _call(inside: str) -> tuple[list[Any], dict[str, Any]]:
    import ast

    node = ast.parse(f"f({inside})", mode="eval").body
    assert isinstance(node, ast.Call)
    keywords = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
    return [ast.literal_eval(argument) for argument in node.args], keywords


# Impossible arguments


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: networks(n=0), "n"),
        (lambda: networks(m=(2, 1)), "m"),
        (lambda: networks(width=(1, 2, 3)), "width"),
        (lambda: networks(width="3"), "width"),
        (lambda: networks(hidden_layers=-1), "hidden_layers"),
        (lambda: networks(activations=[]), "activations"),
        (lambda: networks(activations="relu"), "activations"),
        (lambda: networks(activations=["rleu"]), "activation"),
        (lambda: networks(patterns=["sparse"]), "patterns"),
        (lambda: networks(patterns=[]), "patterns"),
        (lambda: networks(output="none"), "output"),
        (lambda: datasets(samples=0), "samples"),
        (lambda: datasets(kind="odd"), "kind"),
        (lambda: datasets(kind="zero", rank=1), "kind"),
        (lambda: datasets(2, 1, (1, 4), rank=2), "rank"),
        (lambda: datasets(denominator=0), "denominator"),
        (lambda: matrices(2, 3, rank=3), "rank"),
        (lambda: matrices((1, 3), 3, rank=2), "rank"),
        (lambda: matrices(0, 3), "n_rows"),
        (lambda: rationals(0), "height"),
        (lambda: weights_of(NET, ranks=(1, 1)), "ranks"),
        (lambda: weights_of(NET, ranks=(4, 1, 1)), "rank"),
        (lambda: weights_of(NET, ranks=(1, 1, 1), kind="zero"), "kind"),
        (lambda: weights_of(NET, kind="odd"), "kind"),
        (lambda: weights_of(Network.dense((1, 1), "relu"), kind="dead unit"), "network"),
        (lambda: weights_of(Network.dense((1, 1, 1), "relu"), kind="vanishing product"), "network"),
        (lambda: weights_of(TIED, ranks=(1, 1)), "network"),
        (lambda: weights_of(TIED, kind="twins"), "network"),
        (lambda: level_pairs(TIED, DATA), "network"),
        (lambda: level_pairs(Network.dense((2, 2), "abs", output="activation"), DATA), "network"),
        (lambda: level_pairs(NET, DATA, kind="odd"), "kind"),
        (lambda: level_pairs(Network.dense((2, 1, 2), "relu"), DATA, kind=PAIRS[2]), "network"),
        (lambda: level_pairs(Network.dense((1, 1, 1), "relu"), DATA), None),
        (lambda: points(samples=0), "samples"),
        (lambda: cases(n=0), "n"),
    ],
)  # fmt: skip
def test_what_cannot_be_raises_when_the_strategy_is_made(
    make: Callable[[], object], argument: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert argument in (None, caught.value.argument) and "\n" not in str(caught.value)


TIED = Network.with_pattern((2, 2, 1), "square", [[[0, None], ["1/2", 0]], None])


def test_tied_weights_are_drawn_by_their_parameters() -> None:
    drawn = [weights(Seeded(i), TIED) for i in range(20)]
    assert all(TIED.check_weights(point) == point for point in drawn) and len(set(map(str, drawn)))
    assert TIED.parameters(weights(Seeded(0), TIED, kind="zero")) == (fmpq(0),) * 4


def test_generators_do_not_import_hypothesis() -> None:
    script = (
        "import sys, theorylab.instances as i; i.weights; i.Seeded(0)\n"
        "assert 'hypothesis' not in sys.modules\n"
        "i.networks\nassert 'hypothesis' in sys.modules\n"
        "try:\n    i.netwrks\nexcept AttributeError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout == "module 'theorylab.instances' has no attribute 'netwrks'\n", run.stderr


def test_public_names_are_all_there() -> None:
    assert all(getattr(instances, name) is not None for name in instances.__all__)
    assert strategy(lambda draw: draw.integer(0, 1)) is not None
