"""Paths: exact evaluation along rational pieces, reversal, cuts, and the kernel's view of them."""

from __future__ import annotations

import random

import pytest
from flint import fmpq, fmpq_mat, fmpq_poly
from topology.topology_certificates import (
    assert_proved,
    joined_certificate,
    linear,
    random_data,
    random_matrix,
)

from theorylab.model import Dataset, Loss, Network, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.path import (
    Move,
    Path,
    PathBuilder,
    Piece,
    loss_along,
    proof_of_descent,
    proof_of_joined,
)

T = fmpq_poly([0, 1])
ONE = fmpq_poly([1])
NETWORKS = [
    Network.dense((2, 2, 1), "square"),
    Network.dense((1, 2, 2), {"polynomial": ["1", "-1/2", "0", "2"]}, bias=(True, False)),
    Network.dense((2, 1, 2), "linear", bias=True, output="activation"),
    Network.dense((1, 1, 1, 1), "cube", output="activation"),
    Network.dense((1, 2, 1), {"polynomial": ["3"]}),
]


def random_piece(network: Network, rng: random.Random) -> Piece:
    layers = []
    for k in sorted(rng.sample(range(1, network.depth + 1), rng.randint(1, network.depth))):
        rows, columns = network.shape(k)
        numerator = tuple(
            tuple(fmpq_poly([rng.randint(-2, 2) for _ in range(3)]) for _ in range(columns))
            for _ in range(rows)
        )
        layers.append((k, numerator, fmpq_poly([2, rng.randint(-1, 1), rng.randint(0, 1)])))
    return Piece(tuple(layers))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.activation.kind)
def test_the_loss_along_a_piece_is_the_loss(network: Network, seed: int) -> None:
    rng = random.Random(seed)
    loss = Loss(network, random_data(network.widths, rng))
    start = tuple(random_matrix(*network.shape(k), rng) for k in range(1, network.depth + 1))
    piece = random_piece(network, rng)
    num, den = loss_along(network, start, piece, loss)
    assert num.gcd(den).degree() == 0
    for t in (fmpq(0), fmpq(1), fmpq(2, 7), fmpq(5, 3)):
        assert num(t) / den(t) == loss(piece.at(start, t))
    begin = piece.at(start, fmpq(0))
    path = Path(network, begin, (piece,))
    level = 1 + max(num(fmpq(i, 100)) / den(fmpq(i, 100)) for i in range(101)) * 2
    assert_proved(joined_certificate(path, loss, level))


def test_a_piece_needs_a_polynomial_activation() -> None:
    network = Network.dense((1, 1, 1), "relu")
    loss = Loss(network, Dataset.from_rows([[1]], [[1]]))
    piece = Piece(((1, ((T,),), ONE),))
    with pytest.raises(InputError) as caught:
        loss_along(network, (matrix([[0]]), matrix([[1]])), piece, loss)
    assert caught.value.argument == "activation"


def winding_path() -> Path:
    builder = PathBuilder(linear((1, 2, 1)), (matrix([[1], [2]]), matrix([[3, 4]])))
    builder.move("layer", 1, matrix([[0], [2]]))
    builder.move("layer", 1, matrix([[0], [2]]))
    builder.piece(
        [
            (2, ((3 + T, 4 - T * T),), 1 + T),
            (1, ((T,), (2 - T,)), ONE),
        ]
    )
    builder.move("output", 2, matrix([[0, 0]]))
    return builder.path()


def test_a_path_knows_its_vertices_and_its_way_back() -> None:
    path = winding_path()
    assert path.segments == 3  # the move that changes nothing is left out
    assert path.vertices()[2] == (matrix([[1], [1]]), matrix([[2, "3/2"]]))
    back = path.reversed()
    assert back.vertices() == path.vertices()[::-1]
    assert back.reversed() == path
    assert path.then(back).end == path.start
    with pytest.raises(ValueError, match="does not start where"):
        path.then(path)


def test_both_ways_are_certified() -> None:
    path = winding_path()
    loss = Loss(path.network, Dataset.from_rows([[1], [2]], [[1], [0]]))
    for way in (path, path.reversed()):
        assert_proved(joined_certificate(way, loss, fmpq(700)))


def test_a_piece_that_starts_elsewhere_is_refused() -> None:
    builder = PathBuilder(linear((1, 1, 1)), (matrix([[1]]), matrix([[1]])))
    with pytest.raises(ValueError, match="does not start"):
        builder.piece([(1, ((T,),), ONE)])


@pytest.mark.parametrize(
    ("kind", "layer", "new"),
    [("slide", 1, [[0]]), ("output", 1, [[0]]), ("layer", 1, [[0, 0]])],
)
def test_a_move_that_cannot_be_is_refused(kind: str, layer: int, new: list[list[int]]) -> None:
    builder = PathBuilder(linear((1, 1, 1)), (matrix([[1]]), matrix([[1]])))
    with pytest.raises(ValueError):
        builder.move(kind, layer, matrix(new))


def one_weight_path(w: fmpq_poly) -> tuple[Path, Loss]:
    """The 1-1 linear network with loss w^2, w following a polynomial."""
    loss = Loss(linear((1, 1)), Dataset.from_rows([[1]], [[0]]))
    return Path(loss.network, (fmpq_mat([[w(fmpq(0))]]),), (Piece(((1, ((w,),), ONE),)),)), loss


def test_a_level_touched_at_a_rational_point_is_certified_by_a_cut() -> None:
    path, loss = one_weight_path(1 - (T - fmpq(1, 3)) ** 2)
    found = proof_of_joined(path, loss, fmpq(1))
    assert isinstance(found, tuple)
    assert len(found[1]["steps"]) == 2
    assert_proved(joined_certificate(path, loss, fmpq(1)))


def test_a_level_touched_at_an_irrational_point_is_undecided() -> None:
    path, loss = one_weight_path(1 - (2 * T * T - 1) ** 2)
    found = proof_of_joined(path, loss, fmpq(1))
    assert isinstance(found, Undecided)
    assert "step 1 of the path" in found.reason


def test_a_level_exceeded_is_undecided() -> None:
    path, loss = one_weight_path(1 - (2 * T - 1) ** 2)
    found = proof_of_joined(path, loss, fmpq(99, 100))
    assert isinstance(found, Undecided)
    assert "negative" in found.reason


def test_an_ascent_is_no_descent() -> None:
    path, loss = one_weight_path(1 + T)
    optimum = {"by": "orthogonal", "features": "inputs"}
    assert isinstance(proof_of_descent(path, loss, optimum), Undecided)
    found = proof_of_descent(path.reversed(), loss, optimum)
    assert isinstance(found, tuple)
    assert (found[0], found[1]["form"], found[1]["optimum"]) == ("path", "monotone", optimum)


def test_only_changed_rows_are_written() -> None:
    start = (matrix([[1], [2], [3]]), matrix([[1, 1, 1]]))
    loss = Loss(linear((1, 3, 1)), Dataset.from_rows([[1]], [[0]]))
    path = Path(loss.network, start, (Move("layer", 1, matrix([[1], ["1/2"], [3]])),))
    found = proof_of_joined(path, loss, fmpq(100))
    assert found == (
        "polyline",
        {"form": "bound", "steps": [{"move": "layer", "layer": 1, "rows": [[1, ["1/2"]]]}]},
    )
