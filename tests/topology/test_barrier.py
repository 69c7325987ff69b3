"""Walls, traps and weak poor minima: the errata of CLAIMS C1 and C8, and the families around them.

Every argument is put to the kernel; wrong levels, points and constants must be turned down.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from topology.topology_certificates import random_data, random_matrix

from theorylab.kernel import check
from theorylab.model import Activation, Dataset, Loss, Network, Weights, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import (
    Argument,
    dead_relu_minimum,
    dead_relu_point,
    polynomial_json,
    separated_by_bottleneck,
    squares_of,
    straight_segment_peak,
    symbolic_weights,
    trapped_by_constant_term,
    weak_minimum_of_squares,
)
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.path import theta_json

HALF = fmpq(1, 2)
CONSTANT_TERM = Network.dense((1, 1, 1), Activation("polynomial", (1, 1)))
C8 = Dataset.from_rows([[1], [-1]], [[4], [-2]])


def outcome(network: Network, data: Dataset, shown: Argument) -> str:
    loss = Loss(network, data)
    raw = connection_certificate(loss, shown.conclusion, shown.rule, shown.proof)
    result = check(raw)
    return type(result).__name__ + ": " + getattr(result, "reason", "")


def scalars(*values: object) -> Weights:
    return tuple(matrix([[value]]) for value in values)


def shown_by(found: Argument | Undecided) -> Argument:
    assert isinstance(found, Argument), str(found)
    return found


# ---- walls of linear networks with a layer of one unit ----


def test_one_one_one() -> None:
    """L = (uw-1)^2 is disconnected at every level below 1, and only there."""
    network, data = Network.dense((1, 1, 1), "linear"), Dataset.from_rows([[1]], [[1]])
    a, b = scalars(1, 1), scalars(-1, -1)
    for u in (fmpq(0), HALF, fmpq(10**9 - 1, 10**9)):
        shown = shown_by(separated_by_bottleneck(network, data, a, b, u))
        assert outcome(network, data, shown) == "Proved: "
    assert isinstance(separated_by_bottleneck(network, data, a, b, fmpq(1)), Undecided)
    above = {**shown.conclusion, "u": "1"}
    forged = Argument(above, "barrier", {**shown.proof, "margin": "1/1000000000"})
    assert outcome(network, data, forged).startswith("Rejected")


def test_the_signs_must_differ() -> None:
    network, data = Network.dense((1, 1, 1), "linear"), Dataset.from_rows([[1]], [[1]])
    a, b = scalars(1, 1), scalars(2, HALF)
    assert isinstance(separated_by_bottleneck(network, data, a, b, HALF), Undecided)
    far = scalars(-3, -3)
    assert isinstance(separated_by_bottleneck(network, data, a, far, HALF), Undecided)
    wide = Network.dense((1, 2, 1), "linear")
    two = (matrix([[1], [0]]), matrix([[1, 0]]))
    assert isinstance(separated_by_bottleneck(wide, data, two, two, HALF), Undecided)
    assert isinstance(
        separated_by_bottleneck(Network.dense((1, 1, 1), "square"), data, a, b, HALF), Undecided
    )


@pytest.mark.parametrize(
    "widths", [(1, 1, 1), (1, 1, 1, 1), (3, 1, 1), (1, 1, 3), (2, 2, 1, 1), (1, 1, 2, 2), (2, 1, 2)]
)
@pytest.mark.parametrize("seed", range(6))
def test_bottlenecks_on_any_data(widths: tuple[int, ...], seed: int) -> None:
    rng = random.Random(f"{widths}{seed}")
    network = Network.dense(widths, "linear")
    data = random_data(widths, rng)
    if widths[0] > 1 and widths[-1] > 1:  # then rank one has to be arranged
        direction = random_matrix(widths[-1], 1, rng)
        data = Dataset(data.x, direction * random_matrix(1, data.samples, rng), data.weights)
    loss = Loss(network, data)
    a = best_with_bottleneck(network, data)
    narrow = [k for k, width in enumerate(network.hidden, start=1) if width == 1][-1]
    b = tuple(-w if k in (narrow, narrow + 1) else w for k, w in enumerate(a, start=1))
    zero = loss(tuple(w * 0 for w in a))
    if loss(a) >= zero:
        assert isinstance(separated_by_bottleneck(network, data, a, b, loss(a)), Undecided)
        return
    assert loss(a) == loss(b)
    for u in (loss(a), (loss(a) + 2 * zero) / 3):
        shown = shown_by(separated_by_bottleneck(network, data, a, b, u))
        assert outcome(network, data, shown) == "Proved: "
    assert isinstance(separated_by_bottleneck(network, data, a, b, zero), Undecided)


def best_with_bottleneck(network: Network, data: Dataset) -> Weights:
    """First units of every layer, in the direction of X D Y^T: less loss than 0 where possible."""
    gram = data.gram(data.x, data.y)
    columns = [fmpq_mat(data.n, 1, [row[j] for row in gram.tolist()]) for j in range(data.m)]
    down = max(columns, key=lambda c: sum((abs(v) for v in c.entries()), fmpq(0))).transpose()
    fitted = down * data.x
    size = data.gram(fitted)[0, 0]
    up = data.gram(data.y, fitted) * (1 / size if size else 0)
    layers = []
    for k in range(1, network.depth + 1):
        layer = fmpq_mat(*network.shape(k))
        if k == 1:
            for j in range(data.n):
                layer[0, j] = down[0, j]
        elif k == network.depth:
            for i in range(data.m):
                layer[i, 0] = up[i, 0]
        else:
            layer[0, 0] = fmpq(1)
        layers.append(layer)
    return tuple(layers)


def test_rank_two_targets_are_left_alone() -> None:
    network = Network.dense((2, 1, 2), "linear")
    data = Dataset.from_rows([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    a = (matrix([[1, 0]]), matrix([[1], [0]]))
    found = separated_by_bottleneck(network, data, a, tuple(-w for w in a), fmpq(1))
    assert isinstance(found, Undecided) and "rank 2" in found.reason


# ---- the trap of a constant term ----


def test_c8_as_printed_is_refuted() -> None:
    """n=1, rho=1+z, p=1: every level in [121/50, 20) has a spurious component, bound 2 exact."""
    a = scalars(-30, fmpq(-1, 10))
    loss = Loss(CONSTANT_TERM, C8)
    assert (loss(a), loss(scalars(3, 1)), loss(scalars(5, 0))) == (fmpq(121, 50), 0, 20)
    for u in (loss(a), fmpq(10), fmpq(20) - fmpq(1, 10**6)):
        shown = shown_by(trapped_by_constant_term(CONSTANT_TERM, C8, a, u))
        assert outcome(CONSTANT_TERM, C8, shown) == "Proved: "
        assert shown.conclusion["v"] == "2"
    assert shown.proof["side"] == [
        ["2", 0, [["1", [[0, 1], [1, 1]]], ["-3", []]]],
        ["2", 0, [["1", [[1, 1]]]]],
        ["4", 1, [["1", []]]],
    ]
    assert shown.proof["lower"] == [[["3"]], [["1"]]]
    for u in (fmpq(20), fmpq(2)):
        assert isinstance(trapped_by_constant_term(CONSTANT_TERM, C8, a, u), Undecided)
    other_side = scalars(3, 1)
    assert isinstance(trapped_by_constant_term(CONSTANT_TERM, C8, other_side, fmpq(3)), Undecided)


def test_the_trap_refutes_a_descent() -> None:
    a = scalars(-30, fmpq(-1, 10))
    shown = shown_by(trapped_by_constant_term(CONSTANT_TERM, C8, a, fmpq(3)))
    printed = {"kind": "descends", "A": theta_json(a), "v": "0", "eps": "1"}
    claim = Argument(printed, shown.rule, shown.proof)
    assert outcome(CONSTANT_TERM, C8, claim) == "Refuted: "
    near = Argument({**printed, "eps": "2"}, shown.rule, shown.proof)
    assert outcome(CONSTANT_TERM, C8, near).startswith("Rejected")


def test_the_constant_of_the_trap_is_the_best() -> None:
    a = scalars(-30, fmpq(-1, 10))
    shown = shown_by(trapped_by_constant_term(CONSTANT_TERM, C8, a, fmpq(3)))
    forged = {**shown.proof, "v": "2000001/1000000"}
    conclusion = {**shown.conclusion, "v": forged["v"]}
    verdict = outcome(CONSTANT_TERM, C8, Argument(conclusion, "barrier", forged))
    assert verdict.startswith("Rejected")
    # the bound is approached at infinity: u -> 0-, w = 3/u
    losses = [Loss(CONSTANT_TERM, C8)(scalars(-3 * 10**k, fmpq(-1, 10**k))) for k in range(1, 6)]
    assert losses == sorted(losses, reverse=True) and 2 < losses[-1] < 2 + fmpq(1, 10**4)


@given(st.integers(0, 10**9))
def test_traps_on_any_data(seed: int) -> None:
    rng = random.Random(seed)
    n = rng.randint(1, 3)
    data = random_data((n, 1, 1), rng)
    rho = Activation("polynomial", (rng.choice([-2, 1, fmpq(1, 3)]), rng.choice([-1, 2])))
    network = Network.dense((n, 1, 1), rho)
    loss = Loss(network, data)
    zero = loss((fmpq_mat(1, n), fmpq_mat(1, 1)))
    decided = 0
    for sign in (1, -1):
        # far out on one side: alpha small, beta the least-squares slope
        small = fmpq(sign, 10**6)
        slope = data.y * data.x.transpose() * 0
        gram, moment = data.gram(data.x), data.gram(data.x, data.y)
        if gram.rank() == n:
            slope = (gram.inv() * moment).transpose()
        a = (slope * (1 / (small * rho.parameters[1])), fmpq_mat([[small]]))
        found = trapped_by_constant_term(network, data, a, (loss(a) + zero) / 2)
        if isinstance(found, Argument):
            decided += 1
            assert outcome(network, data, found) == "Proved: "
    assert decided <= 1


def test_the_trap_needs_its_hypotheses() -> None:
    a, u = scalars(-30, fmpq(-1, 10)), fmpq(3)
    plain = Network.dense((1, 1, 1), "linear")
    assert isinstance(trapped_by_constant_term(plain, C8, a, u), Undecided)
    biased = Network.dense((1, 1, 1), Activation("polynomial", (1, 1)), bias=(False, True))
    wider = (matrix([[-30]]), matrix([[fmpq(-1, 10), 0]]))
    assert isinstance(trapped_by_constant_term(biased, C8, wider, u), Undecided)
    # a best constant of 0: the infimum 0 is not attained, and nothing is trapped
    odd = Dataset.from_rows([[1], [-1]], [[1], [-1]])
    assert isinstance(trapped_by_constant_term(CONSTANT_TERM, odd, a, u), Undecided)


# ---- weak poor minima ----


def test_the_counterexample_of_c1() -> None:
    network, data = Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[-1]])
    shown = shown_by(weak_minimum_of_squares(network, data))
    assert shown.conclusion["A"] == [[["0"], ["0"]], [["1", "1"]]]
    assert outcome(network, data, shown) == "Refuted: "
    local = {"kind": "local_min", "A": shown.conclusion["A"]}
    proof = {"local": shown.proof["local"]}
    assert outcome(network, data, Argument(local, "optimum", proof)) == "Proved: "


@given(st.integers(0, 10**9))
def test_weak_minima_of_squares(seed: int) -> None:
    rng = random.Random(seed)
    n, p, m = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 2)
    data = random_data((n, p, m), rng)
    if rng.random() < 0.8:
        signed = [[abs(v) * rng.choice([1, 1, 1, -1]) for v in row] for row in data.y.tolist()]
        one_sided = [[abs(v) * (-1) ** i for v in row] for i, row in enumerate(signed)]
        data = Dataset(data.x, fmpq_mat(one_sided), data.weights)
    rho = rng.choice([Activation("square"), Activation("polynomial", (0, 0, fmpq(-1, 2)))])
    network = Network.dense((n, p, m), rho, bias=(rng.random() < 0.3, False))
    found = weak_minimum_of_squares(network, data)
    if isinstance(found, Argument):
        assert outcome(network, data, found) == "Refuted: "
        lower = tuple(matrix(layer) for layer in found.proof["lower"])
        assert Loss(network, data)(lower) < Loss(network, data)(lower_zero(network))
    else:
        assert "indefinite" in found.reason or "global" in found.reason


def lower_zero(network: Network) -> Weights:
    return tuple(fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1))


def test_mixed_targets_can_still_be_one_sided() -> None:
    """sum y x x^T <= 0 is enough: the targets themselves may have both signs."""
    network = Network.dense((1, 3, 1), "square")
    data = Dataset.from_rows([[1], [2]], [[2], [-1]])
    assert outcome(network, data, shown_by(weak_minimum_of_squares(network, data))) == "Refuted: "
    even = Dataset.from_rows([[1], [1]], [[1], [-1]])
    assert isinstance(weak_minimum_of_squares(network, even), Undecided)
    indefinite = Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]])
    plane = Network.dense((2, 1, 1), "square")
    assert isinstance(weak_minimum_of_squares(plane, indefinite), Undecided)


def test_a_given_point_is_checked() -> None:
    network, data = Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[-1]])
    good = (matrix([[0], [0]]), matrix([[3, HALF]]))
    assert outcome(network, data, shown_by(weak_minimum_of_squares(network, data, good)))
    for u in ([[1, 0]], [[1, -1]]):
        point = (matrix([[0], [0]]), matrix(u))
        assert isinstance(weak_minimum_of_squares(network, data, point), Undecided)
    moved = (matrix([[0], [1]]), matrix([[1, 1]]))
    assert isinstance(weak_minimum_of_squares(network, data, moved), Undecided)
    with pytest.raises(InputError):
        weak_minimum_of_squares(network, data, scalars(0, 1))


@pytest.mark.parametrize(
    ("network", "rows"),
    [
        (Network.dense((1, 2, 1), "relu"), [[1], [2], [5]]),
        (Network.dense((2, 3, 1), "relu"), [[1, -2], [3, 1], [1, 1]]),
        (Network.dense((1, 2, 1), "relu", bias=(True, False)), [[1], [-2], [0]]),
        (Network.dense((2, 2, 3, 1), "relu", bias=(True, False, False)), [[1, 0], [-1, 0], [0, 0]]),
        (Network.dense((2, 2, 3, 1), "relu", bias=(False, True, False)), [[1, 0], [-1, 0], [0, 0]]),
        (Network.dense((1, 2, 2, 1), "relu"), [[1], [-1]]),
    ],
    ids=str,
)
def test_dead_relu(network: Network, rows: list[list[int]]) -> None:
    targets = [[i + 1] for i in range(len(rows))]
    data = Dataset.from_rows(rows, targets)
    shown = shown_by(dead_relu_minimum(network, data))
    assert outcome(network, data, shown) == "Refuted: "
    local = {"kind": "local_min", "A": shown.conclusion["A"]}
    proof = {"local": shown.proof["local"]}
    assert outcome(network, data, Argument(local, "optimum", proof)) == "Proved: "


def test_dead_relu_is_refused_where_there_is_none() -> None:
    opposite = Dataset.from_rows([[1], [-1]], [[1], [1]])
    assert isinstance(dead_relu_point(Network.dense((1, 2, 1), "relu"), opposite), Undecided)
    with_zero = Dataset.from_rows([[1], [-1], [0]], [[1], [1], [1]])
    assert isinstance(dead_relu_point(Network.dense((1, 2, 2, 1), "relu"), with_zero), Undecided)
    output_bias = Network.dense((1, 2, 1), "relu", bias=True)
    assert isinstance(dead_relu_point(output_bias, opposite), Undecided)
    assert isinstance(dead_relu_point(Network.dense((1, 2, 1), "abs"), opposite), Undecided)
    solved = Dataset.from_rows([[1]], [[0]])
    assert isinstance(dead_relu_minimum(Network.dense((1, 2, 1), "relu"), solved), Undecided)


# ---- parts ----


@given(st.integers(0, 10**9), st.integers(1, 4))
def test_squares_rebuild_the_form(seed: int, n: int) -> None:
    rng = random.Random(seed)
    factor = random_matrix(n, rng.randint(1, 4), rng)
    form = factor * factor.transpose()
    found = squares_of(form)
    assert found is not None and len(found) == form.rank() and all(d > 0 for d, _ in found)
    total = fmpq_mat(n, n)
    for d, line in found:
        column = fmpq_mat([[v] for v in line])
        total += column * column.transpose() * d
    assert total == form
    shifted = form - fmpq_mat(n, n, [fmpq(i == j, 100) for i in range(n) for j in range(n)])
    if form.rank() < n:
        assert squares_of(shifted) is None


def test_polynomials_reach_the_kernel_in_its_order() -> None:
    (first, second) = symbolic_weights(Network.dense((2, 1, 1), "square"))
    p = 3 * first[0][1] ** 2 * second[0][0] - fmpq(1, 2) * first[0][0]
    terms: Any = sorted(polynomial_json(p))
    assert terms == [["-1/2", [[0, 1]]], ["3", [[1, 2], [2, 1]]]]
    assert polynomial_json(p - p) == []


def test_the_straight_line_between_equal_nets_climbs() -> None:
    """Two units exchanged: same function, same loss, yet the segment between them rises."""
    network = Network.dense((1, 2, 1), "square")
    data = Dataset.from_rows([[1], [2]], [[1], [4]])
    a = (matrix([[1], [0]]), matrix([[1, 0]]))
    b = (matrix([[0], [1]]), matrix([[0, 1]]))
    loss = Loss(network, data)
    peak = straight_segment_peak(loss, a, b, 8)
    assert (loss(a), loss(b)) == (0, 0) and (peak.t, peak.loss) == (HALF, fmpq(153, 16))
    assert straight_segment_peak(loss, a, a, 1).loss == 0
    with pytest.raises(InputError):
        straight_segment_peak(loss, a, b, 0)
