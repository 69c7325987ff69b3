"""Any activation: the [run] settings of CLAIMS C7 (c7.py, deep.py), each path put to the kernel.

Data sets have repeated samples, weights and X = 0; networks zero and repeated rows and layers.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from topology.topology_certificates import (
    assert_proved,
    descent_certificate,
    joined_certificate,
    random_data,
    random_matrix,
)

from theorylab.kernel import hypotheses
from theorylab.kernel.statements import parse_statement
from theorylab.model import Activation, Dataset, Loss, Network, Weights, load_dataset, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import joined, statement_json
from theorylab.topology.feature_space import is_orthogonal, spanning_features
from theorylab.topology.lifted import (
    connect_any_depth,
    descend_finite_dimension,
    feature_dimension,
    needed_widths,
)
from theorylab.topology.path import Descent, Move, Path

ACTIVATIONS = {
    "z^2": Activation("square"),
    "z^3": Activation("cube"),
    "1+z+z^2": Activation("polynomial", (1, 1, 1)),
    "z+2z^3": Activation("polynomial", (0, 1, 0, 2)),
    "relu": Activation("relu"),
    "leaky": Activation("leaky_relu", (fmpq(1, 10),)),
    "step": Activation("step"),
}
OTHERS = {
    "abs": Activation("abs"),
    "linear": Activation("linear"),
    "z+z^3": Activation("polynomial", (0, 1, 0, 1)),
    "leaky -1/2": Activation("leaky_relu", (fmpq(-1, 2),)),
    "leaky 1": Activation("leaky_relu", (1,)),
    "constant": Activation("polynomial", (3,)),
}
EVERY = ACTIVATIONS | OTHERS
SIZES = [(1, 1, 6), (2, 2, 8), (3, 1, 12), (3, 3, 25), (4, 2, 40)]
# c7.py leaves out q > 16, and the kinked activations beyond 12 samples
SETTINGS = [
    (name, *size)
    for name, rho in ACTIVATIONS.items()
    for size in SIZES
    if (size[2] <= 12 or rho.degrees is not None)
    and not (size[0] == 4 and rho.degrees is not None and max(rho.degrees) == 3)
]
DEEP = [
    (name, widths, samples)
    for name in ("z^2", "relu", "leaky", "z+z^3")
    for widths, samples in [
        ((2, 6, 6, 1), 3),
        ((1, 2, 2, 1), 4),
        ((2, 8, 8, 8, 2), 4),
        ((3, 12, 12, 1), 6),
    ]
    if name == "z^2" or widths != (1, 2, 2, 1)
]


def drawn_weights(network: Network, rng: random.Random, size: int = 3) -> Weights:
    """Small integers, often with equal or zero hidden rows, a zero output layer, or all zero."""
    layers = [random_matrix(*network.shape(k), rng, size) for k in range(1, network.depth + 1)]
    kind = rng.random()
    if kind < 0.3:
        k = rng.randrange(network.depth)
        table = layers[k].tolist()
        half = len(table) // 2 + 1
        layers[k] = fmpq_mat([table[0] if i < half else row for i, row in enumerate(table)])
    elif kind < 0.4:
        layers[-1] = layers[-1] * 0
    elif kind < 0.5:
        k = rng.randrange(network.depth)
        layers[k] = layers[k] * 0
    elif kind < 0.53:
        layers = [layer * 0 for layer in layers]
    return tuple(layers)


def network_with(rho: Activation, widths: tuple[int, ...], bias: object = False) -> Network:
    return Network.dense(widths, rho, bias)  # type: ignore[arg-type]


def descend_and_check(network: Network, data: Dataset, a: Weights) -> Descent:
    found = descend_finite_dimension(network, data, a)
    assert isinstance(found, Descent), str(found)
    loss = Loss(network, data)
    assert found.path.start == a
    assert loss(found.path.end) == found.value and found.gap == 0 and found.reaches
    assert len(found.path.steps) <= 3
    assert_proved(descent_certificate(found.path, loss, found.optimum, found.value, fmpq(0)))
    return found


def join_and_check(network: Network, data: Dataset, a: Weights, b: Weights) -> Path:
    path = connect_any_depth(network, data, a, b)
    assert isinstance(path, Path), str(path)
    loss = Loss(network, data)
    assert (path.start, path.end) == (a, b)
    losses = [loss(v) for v in path.vertices()]
    changes = sum(p != q for p, q in pairwise(losses))
    assert changes <= 1 and set(losses) == {loss(a), loss(b)}
    assert_proved(joined_certificate(path, loss, max(loss(a), loss(b))))
    return path


@pytest.mark.parametrize(("name", "n", "m", "samples"), SETTINGS)
def test_c7_settings(name: str, n: int, m: int, samples: int) -> None:
    """20 descents with p = q units and 20 connections with p = 2q units."""
    for seed in range(20):
        rng = random.Random(f"{name}{n}{m}{samples}{seed}")
        data = random_data((n, 1, m), rng, samples)
        rho = ACTIVATIONS[name]
        q, _, exact = feature_dimension(network_with(rho, (n, 1, m)), data)
        wide = network_with(rho, (n, max(q, 1), m))
        start = drawn_weights(wide, rng)
        if exact:
            descend_and_check(wide, data, start)
        else:  # parallel inputs in three dimensions: 21 of the 540, see the test below
            found = descend_finite_dimension(wide, data, start)
            assert isinstance(found, Descent) or "at most" in found.reason
        twice = network_with(rho, (n, max(2 * q, 1), m))
        join_and_check(twice, data, drawn_weights(twice, rng), drawn_weights(twice, rng))


def test_there_are_as_many_settings_as_claimed() -> None:
    assert len(SETTINGS) == 27
    assert 10 * len(DEEP) == 130


@pytest.mark.parametrize(("name", "widths", "samples"), DEEP, ids=str)
def test_deep_settings(name: str, widths: tuple[int, ...], samples: int) -> None:
    for seed in range(10):
        rng = random.Random(f"{name}{widths}{seed}")
        network = network_with(EVERY[name], widths)
        data = Dataset(
            random_matrix(network.n, samples, rng, 2), random_matrix(network.m, samples, rng, 2)
        )
        a, b = (drawn_weights(network, rng, 2) for _ in "ab")
        path = join_and_check(network, data, a, b)
        assert {step.kind for step in path.steps if isinstance(step, Move)} <= {"idle", "output"}


@given(st.integers(0, 10**9), st.sampled_from(sorted(EVERY)), st.integers(0, 3))
def test_widths_of_twice_the_samples_always_suffice(seed: int, name: str, hidden: int) -> None:
    rng = random.Random(seed)
    n, m = rng.randint(1, 3), rng.randint(1, 2)
    data = random_data((n, 1, m), rng, rng.randint(1, 3))
    wide = 2 * len({tuple(c) for c in data.x.transpose().tolist()})
    bias = [rng.random() < 0.5 for _ in range(hidden + 1)]
    network = network_with(EVERY[name], (n, *[wide] * hidden, m), bias)
    join_and_check(network, data, drawn_weights(network, rng), drawn_weights(network, rng))


@given(st.integers(0, 10**9), st.sampled_from(sorted(EVERY)))
def test_the_needed_widths_suffice_and_are_the_kernels(seed: int, name: str) -> None:
    rng = random.Random(seed)
    n, m, depth = rng.randint(1, 3), rng.randint(1, 2), rng.randint(2, 3)
    data = random_data((n, 1, m), rng, rng.randint(1, 4))
    bias = [rng.random() < 0.3 for _ in range(depth)]
    hidden = [rng.randint(1, 5) for _ in range(depth - 1)]
    network = network_with(EVERY[name], (n, *hidden, m), bias)
    a, b = drawn_weights(network, rng), drawn_weights(network, rng)
    needed = needed_widths(network, data, a, b)
    statement = parse_statement(statement_json(network, data, [], joined(a, b, fmpq(0))))
    conclusion = statement.conclusion
    assert needed == tuple(
        hypotheses.required_widths("r(A)+r(B)", statement.network, statement.data, conclusion)
    )
    path = connect_any_depth(network, data, a, b)
    if all(width >= low for width, low in zip(network.hidden, needed, strict=True)):
        join_and_check(network, data, a, b)
    elif isinstance(path, Path):
        assert path.end == b
    else:
        assert "hidden layer" in path.reason and path.remedy is not None


@given(st.integers(0, 10**9), st.sampled_from(sorted(EVERY)))
def test_descent_with_biases_reaches_the_global_minimum(seed: int, name: str) -> None:
    rng = random.Random(seed)
    n, m = rng.randint(1, 3), rng.randint(1, 2)
    data = random_data((n, 1, m), rng, rng.randint(1, 6))
    bias = [rng.random() < 0.6, rng.random() < 0.6]
    q, _, exact = feature_dimension(network_with(EVERY[name], (n, 1, m), bias), data)
    network = network_with(EVERY[name], (n, max(q, 1), m), bias)
    if exact:
        descend_and_check(network, data, drawn_weights(network, rng))
    else:
        found = descend_finite_dimension(network, data, drawn_weights(network, rng))
        assert isinstance(found, Descent) or "at most" in found.reason


@given(st.integers(0, 10**9), st.sampled_from(sorted(EVERY)))
def test_feature_dimension_is_the_kernels(seed: int, name: str) -> None:
    rng = random.Random(seed)
    n = rng.randint(1, 3)
    data = random_data((n, 1, 1), rng, rng.randint(1, 6))
    network = network_with(EVERY[name], (n, 1, 1), [rng.random() < 0.5, False])
    q, space, exact = feature_dimension(network, data)
    zero = joined(*[(fmpq_mat(*network.shape(1)), fmpq_mat(1, 1))] * 2, fmpq(0))
    statement = parse_statement(statement_json(network, data, [], zero))
    assert q >= hypotheses.feature_dimension_bound(statement.network, statement.data)
    if exact:
        assert q == hypotheses.feature_dimension_bound(statement.network, statement.data)
        generators = hypotheses.feature_space(space, statement.network, statement.data)
        spanned = spanning_features(network, data)
        kernels = fmpq_mat([[fmpq(int(v)) for v in row] for row in generators.rows] or [[0]])
        both = [*kernels.tolist(), *spanned.tolist()] if generators.rows else spanned.tolist()
        assert fmpq_mat(both or [[0]]).rank() == q


@pytest.mark.parametrize("name", sorted(EVERY))
def test_random_features_never_leave_the_span(name: str) -> None:
    """The span is proved on paper; here 60 random hidden units must not enlarge it."""
    for seed in range(6):
        rng = random.Random(f"{name}{seed}")
        n = 1 + seed % 4
        data = random_data((n, 1, 1), rng, 9)
        bias = [seed > 2, False]
        network = network_with(EVERY[name], (n, 60, 1), bias)
        hidden = network.features(drawn_weights(network, rng, 9), data.x)[1]
        spanned = spanning_features(network, data)
        rank = spanned.rank() if spanned.nrows() else 0
        assert fmpq_mat([*spanned.tolist(), *hidden.tolist()]).rank() == rank


def test_parallel_inputs_count_once_for_each_side() -> None:
    # (1,1,1), (2,2,2) and -(1,1,1) lie on one line: ReLU features have rank 2 there, not 3
    data = Dataset.from_rows([[1, 1, 1], [2, 2, 2], [-1, -1, -1]], [[1], [0], [5]])
    network = network_with(EVERY["relu"], (3, 2, 1))
    assert feature_dimension(network, data) == (2, "walls", True)
    found = descend_and_check(network, data, drawn_weights(network, random.Random(1)))
    assert found.reaches and found.value > 0


def test_hard_cells_are_reached() -> None:
    """Walls of nearly parallel inputs: random integers miss the thin cells, wall rows do not."""
    rows = [[1, 1000], [1, 1001], [1, 1002], [1, 1003], [-1, 1000]]
    data = Dataset.from_rows(rows, [[1], [-1], [2], [0], [7]])
    for name in ("relu", "step", "leaky", "abs"):
        network = network_with(EVERY[name], (2, 5, 1))
        assert feature_dimension(network, data)[0] == 5
        found = descend_and_check(network, data, drawn_weights(network, random.Random(name)))
        assert found.value == 0


def test_no_inputs_at_all() -> None:
    data = Dataset.from_rows([[0, 0], [0, 0]], [[1], [3]])
    for name, q in (("z^2", 0), ("relu", 0), ("step", 0), ("1+z+z^2", 1), ("constant", 1)):
        network = network_with(EVERY[name], (2, max(q, 1), 1))
        assert feature_dimension(network, data)[0] == q
        found = descend_and_check(network, data, drawn_weights(network, random.Random(0)))
        assert found.value == (10 if q == 0 else 2)


def test_a_network_without_hidden_layer_moves_once() -> None:
    network = network_with(EVERY["relu"], (2, 1), True)
    data = Dataset.from_rows([[1, 2]], [[1]])
    path = join_and_check(network, data, (matrix([[1, 2, 3]]),), (matrix([[0, 0, 9]]),))
    assert len(path.steps) == 1


def test_too_narrow_says_which_layer_and_how_wide() -> None:
    network = network_with(EVERY["z^2"], (1, 4, 1, 1))
    data = Dataset.from_rows([[1], [2]], [[1], [1]])
    a = (matrix([[1], [1], [0], [0]]), matrix([[1, 1, 1, 1]]), matrix([[1]]))
    b = (matrix([[1], [0], [2], [0]]), matrix([[1, 1, 3, 1]]), matrix([[2]]))
    found = connect_any_depth(network, data, a, b)
    assert isinstance(found, Undecided)
    assert found.reason == "hidden layer 2 has 1 units, and the two points need 1 + 1 = 2"
    assert found.remedy == "widen hidden layer 2 to 2"


def test_outside_the_scope() -> None:
    data = Dataset.from_rows([[1]], [[1]])
    tied = Network.with_pattern((1, 2, 1), "square", [[[0], [0]], None])
    ones = (matrix([[1], [1]]), matrix([[1, 1]]))
    assert isinstance(connect_any_depth(tied, data, ones, ones), Undecided)
    assert isinstance(descend_finite_dimension(tied, data, ones), Undecided)
    activated = Network.dense((1, 2, 1), "square", output="activation")
    assert isinstance(connect_any_depth(activated, data, ones, ones), Undecided)
    deep = Network.dense((1, 1, 1, 1), "square")
    one = matrix([[1]])
    assert isinstance(descend_finite_dimension(deep, data, (one, one, one)), Undecided)
    with pytest.raises(InputError):
        connect_any_depth(Network.dense((1, 2, 1), "square"), data, ones, (one, one))
    with pytest.raises(InputError):
        feature_dimension(deep, data)


def test_too_few_units_are_undecided_unless_the_end_is_optimal() -> None:
    network = network_with(EVERY["z^2"], (2, 1, 1))
    start = (matrix([[1, 0]]), matrix([[0]]))
    rows = [[1, 0], [0, 1], [1, 1]]
    hard = Dataset.from_rows(rows, [[1], [-1], [3]])
    found = descend_finite_dimension(network, hard, start)
    assert isinstance(found, Undecided) and found.remedy == "widen the hidden layer to 3"
    easy = Dataset.from_rows(rows, [[1], [0], [1]])
    assert isinstance(descend_finite_dimension(network, easy, start), Descent)


def test_orthogonality_is_to_the_whole_space() -> None:
    network = network_with(EVERY["z^2"], (1, 1, 1))
    data = Dataset.from_rows([[1], [2], [2]], [[0]] * 3, weights=[1, 2, 3])
    assert is_orthogonal(network, data, matrix([[0, 3, -2]]), "distinct")
    assert is_orthogonal(network, data, matrix([[-8, 1, 0]]), "monomials")
    assert not is_orthogonal(network, data, matrix([[-8, 1, 0]]), "distinct")
    assert not is_orthogonal(network, data, matrix([[1, 1, 1]]), "monomials")


@pytest.mark.parametrize(("name", "bias"), [("z^2", False), ("z^2", True), ("relu", True)])
def test_iris(name: str, bias: bool) -> None:
    """All 150 flowers: width q descends to the global minimum, width 2q joins two random points."""
    iris = load_dataset("iris")
    q, space, exact = feature_dimension(network_with(EVERY[name], (4, 1, 3), bias), iris)
    wanted = {"z^2": (14 if bias else 10, "monomials"), "relu": (148, "walls")}
    assert exact and (q, space) == wanted[name]
    rng = random.Random(7)
    wide = network_with(EVERY[name], (4, q, 3), bias)
    descend_and_check(wide, iris, drawn_weights(wide, rng))
    if q < 100:
        twice = network_with(EVERY[name], (4, 2 * q, 3), bias)
        join_and_check(twice, iris, drawn_weights(twice, rng), drawn_weights(twice, rng))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["z^2", "z^3", "relu", "step"])
@pytest.mark.parametrize("source", ["iris", "wine"])
def test_real_data_in_full(source: str, name: str) -> None:
    data = load_dataset(source)
    rng = random.Random(name)
    q, _, exact = feature_dimension(network_with(EVERY[name], (data.n, 1, data.m)), data)
    assert exact
    wide = network_with(EVERY[name], (data.n, q, data.m))
    descend_and_check(wide, data, drawn_weights(wide, rng))
    twice = network_with(EVERY[name], (data.n, 2 * q, data.m))
    join_and_check(twice, data, drawn_weights(twice, rng), drawn_weights(twice, rng))


@pytest.mark.slow
@given(st.integers(0, 10**9), st.sampled_from(sorted(EVERY)))
@settings(max_examples=2000)
def test_any_depth_many_times(seed: int, name: str) -> None:
    rng = random.Random(seed)
    widths = tuple(rng.randint(1, 7) for _ in range(rng.randint(3, 6)))
    data = random_data(widths, rng, rng.randint(1, 4))
    network = network_with(EVERY[name], widths, [rng.random() < 0.4 for _ in widths[1:]])
    a, b = drawn_weights(network, rng), drawn_weights(network, rng)
    if isinstance(connect_any_depth(network, data, a, b), Path):
        join_and_check(network, data, a, b)
    else:
        needed = needed_widths(network, data, a, b)
        assert any(w < low for w, low in zip(network.hidden, needed, strict=True))


def test_paths_stay_short_and_small() -> None:
    """The number of moves depends on the depth alone: at most 8K - 3, however wide the layers."""
    counted: Counter[int] = Counter()
    for seed in range(10):
        rng = random.Random(seed)
        network = network_with(EVERY["relu"], (2, 9, 9, 9, 1), True)
        data = random_data((2, 1, 1), rng, 4)
        path = connect_any_depth(
            network, data, drawn_weights(network, rng), drawn_weights(network, rng)
        )
        assert isinstance(path, Path)
        counted[len(path.steps)] += 1
    assert max(counted) <= 8 * 4 - 3
