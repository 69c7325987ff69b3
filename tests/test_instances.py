"""Generators: the same choices make the same instance; degenerate cases do occur."""

from __future__ import annotations

from collections import Counter

from flint import fmpq
from hypothesis import given, settings

from theorylab.instances import Draw, Seeded, dataset, fitted, matrix, strategy, weights
from theorylab.model import Loss, Network, Weights, load_dataset
from theorylab.topology.exact_algebra import rank

NETWORK = Network.dense((2, 3, 4, 1), "relu", (True, False, True))


def a_point(draw: Draw) -> Weights:
    return weights(draw, NETWORK)


@settings(max_examples=50, deadline=None)
@given(strategy(a_point))
def test_hypothesis_draws_weights_that_fit(point: Weights) -> None:
    assert NETWORK.check_weights(point) == point


def test_a_seed_is_an_instance() -> None:
    one, two = a_point(Seeded("a:1")), a_point(Seeded("a:1"))
    assert one == two
    assert any(a_point(Seeded(f"a:{i}")) != one for i in range(2, 9))


def test_degenerate_data_and_weights_occur() -> None:
    names = Counter(dataset(Seeded(i), 2, 1, 3).name for i in range(300))
    assert set(names) == {
        f"random {kind}" for kind in ("plain", "twin samples", "rank one", "zero", "weights")
    }
    points = [a_point(Seeded(i)) for i in range(300)]
    assert any(all(not any(w.entries()) for w in p) for p in points)
    assert any(rank(p[1]) == 1 for p in points)


def test_a_matrix_stays_in_its_range() -> None:
    entries = matrix(Seeded(3), 20, 20, 2).entries()
    assert {int(v.p) for v in entries} == {-2, -1, 0, 1, 2}


def test_a_fit_is_near_the_best_output_layer_and_uses_few_units() -> None:
    iris = load_dataset("iris")
    network = Network.dense((4, 8, 8, 3), "relu", True)
    point = fitted(Seeded("fit"), network, iris, 3)
    loss = Loss(network, iris)
    best = 0 * iris.y
    assert loss(point) < sum((v * v for v in (iris.y - best).entries()), fmpq(0))
    for features in network.features(point, iris.x)[1:]:
        assert rank(features) <= 3
    assert all(int(v.q) <= 10**8 for v in point[-1].entries())
