"""Scalar networks of squares: paths, descents, counts of components and traps, by the kernel."""

from __future__ import annotations

import itertools

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from theorylab import kernel
from theorylab.connect import connect
from theorylab.instances import Seeded, dataset, strategy, weights
from theorylab.instances import matrix as random_matrix
from theorylab.model import Dataset, Loss, Network, Weights, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import certificate, connection_certificate, descends, joined
from theorylab.topology.certificate import statement_json as stated
from theorylab.topology.exact_algebra import rank
from theorylab.topology.path import proof_of_descent, proof_of_joined
from theorylab.topology.quadratic.forms import Forms, QuadraticSetting
from theorylab.topology.quadratic.forms import quadratic_setting as setting_of
from theorylab.topology.quadratic.inertia import (
    components_at_full_width,
    descends_by_inertia,
    joined_by_inertia,
    separated_by_inertia,
    separated_by_signs,
)
from theorylab.topology.quadratic.paths import connect_scalar_quadratic, descend_scalar_quadratic
from theorylab.topology.quadratic.sharp import connect_in_steps
from theorylab.topology.quadratic.trap import trapped_by_sign
from theorylab.topology.quadratic.units import Units, diagonalised

SCALED = {"polynomial": [0, 0, "-3/2"]}
AXES = Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]])
ONE = Dataset.from_rows([[1]], [[1]])
DEFINITE = Dataset.from_rows([[1, 0], [0, 1], [1, 1], [1, -1]], [[1], [1], [2], [2]])
VALLEY = Dataset.from_rows([[1, 0], [0, 1]], [[2], [-1]])


def square(*widths: int) -> Network:
    return Network.dense(widths, "square")


def gauss(*diagonal: int) -> Dataset:
    """QUADRATIC, E6: all points of {-1, 0, 1}^n, weights 4^zeros: a rotation invariant loss."""
    x, y, s = [], [], []
    for point in itertools.product((-1, 0, 1), repeat=len(diagonal)):
        if any(point):
            x.append(list(point))
            y.append([sum(b * v * v for b, v in zip(diagonal, point, strict=True))])
            s.append(4 ** point.count(0))
    return Dataset.from_rows(x, y, weights=s)


def checked(network: Network, data: Dataset, found: Argument | Undecided) -> kernel.Outcome:
    assert isinstance(found, Argument), found
    raw = certificate(stated(network, data, [], found.conclusion), found.rule, found.proof)
    return kernel.check(raw)


def assert_connected(network: Network, data: Dataset, a: Weights, b: Weights) -> None:
    loss = Loss(network, data)
    u = max(loss(a), loss(b))
    path = connect_scalar_quadratic(network, data, a, b)
    assert not isinstance(path, Undecided), path
    assert (path.start, path.end) == (a, b)
    proof = proof_of_joined(path, loss, u)
    assert not isinstance(proof, Undecided), proof
    outcome = kernel.check(connection_certificate(loss, joined(a, b, u), *proof))
    assert isinstance(outcome, kernel.Proved), outcome


def assert_descends(network: Network, data: Dataset, a: Weights) -> None:
    loss, found = Loss(network, data), descend_scalar_quadratic(network, data, a)
    assert not isinstance(found, Undecided), found
    proof = proof_of_descent(found.path, loss, found.optimum)
    assert not isinstance(proof, Undecided), proof
    conclusion = descends(a, found.value, fmpq(0))
    outcome = kernel.check(connection_certificate(loss, conclusion, *proof))
    assert isinstance(outcome, kernel.Proved), outcome


def instance(seed: str, n: int, p: int, degenerate: bool) -> tuple[Network, Dataset, Seeded]:
    draw = Seeded(seed)
    data = dataset(draw, n, 1, n * (n + 1) // 2 + 1, degenerate=degenerate)
    return square(n, p, 1), data, draw


# CLAIMS C9, [run]: descent from p = 2n on, connection from p = 2n + 1 on. Here from 2n on.


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n", [1, 2, 3])
def test_twice_the_rank_is_enough(n: int, seed: int) -> None:
    for p, degenerate in itertools.product((2 * n, 2 * n + 1), (False, True)):
        network, data, draw = instance(f"{n}-{p}-{seed}-{degenerate}", n, p, degenerate)
        a, b = (weights(draw, network, degenerate=degenerate) for _ in "ab")
        assert_connected(network, data, a, b)
        assert_descends(network, data, a)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "p"), [(4, 8), (4, 9), (5, 10), (5, 11), (6, 12), (6, 13)])
def test_twice_the_rank_is_enough_for_more_inputs(n: int, p: int) -> None:
    for seed in range(20):
        network, data, draw = instance(f"{n}-{p}-{seed}", n, p, seed % 2 == 1)
        a, b = (weights(draw, network, degenerate=seed % 2 == 1) for _ in "ab")
        assert_descends(network, data, a)
        if seed < 6:
            assert_connected(network, data, a, b)
        else:
            path = connect_scalar_quadratic(network, data, a, b)
            loss = Loss(network, data)
            assert not isinstance(path, Undecided)
            assert path.end == b
            # the certificate of each piece is a matter of constant losses; the vertices say which
            assert max(map(loss, path.vertices())) == max(loss(a), loss(b))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("n", "p"), [(2, 3), (3, 4), (3, 5)])
def test_one_unit_more_than_the_rank_is_enough(n: int, p: int, seed: int) -> None:
    network, data, draw = instance(f"sharp {n}-{p}-{seed}", n, p, False)
    a, b = (weights(draw, network, degenerate=False) for _ in "ab")
    assert_connected(network, data, a, b)


def test_a_hidden_bias_and_a_scaled_square() -> None:
    for seed in range(6):
        network = Network.dense((2, 6, 1), SCALED, (True, False))
        draw = Seeded(f"bias {seed}")
        data = dataset(draw, 2, 1, 7)
        a, b = weights(draw, network), weights(draw, network)
        assert_connected(network, data, a, b)
        assert_descends(network, data, a)


def test_the_rank_of_the_data_counts_and_not_the_inputs() -> None:
    data = Dataset.from_rows([[1, 2, -1], [2, 4, -2], [-3, -6, 3]], [[1], [0], [4]])
    network, draw = square(3, 2, 1), Seeded("line")
    for _ in range(10):
        assert_connected(network, data, weights(draw, network), weights(draw, network))
        assert_descends(network, data, weights(draw, network))


def test_no_inputs_at_all() -> None:
    data = Dataset.from_rows([[0, 0]], [[3]])
    network, draw = square(2, 1, 1), Seeded("zero")
    assert_connected(network, data, weights(draw, network), weights(draw, network))


def test_isotropic_relations() -> None:
    """kappa = 0: u = (1, -1) with parallel rows, and three units in a plane."""
    network = square(2, 4, 1)
    a = (matrix([[1, 1], [1, 1], [2, 0], [0, 1]]), matrix([[1, -1, 2, 1]]))
    b = (matrix([[1, 0], [0, 1], [1, 1], [1, -1]]), matrix([[-1, -1, 1, 0]]))
    for start, end in ((a, b), (b, a)):
        assert_connected(network, DEFINITE, start, end)
    units = Units(square(1, 2, 1), (matrix([[1], [1]]), matrix([[1, -1]])))
    units.reduce()
    assert units.live == []
    triple = (matrix([[3, 0], [0, 4], [3, 4]]), matrix([[2, 2, -1]]))
    units = Units(square(2, 3, 1), triple)
    form = units.form
    units.reduce()
    assert units.form == form and len(units.live) == rank(form)


@st.composite
def units_of(draw: st.DrawFn) -> tuple[int, Weights]:
    n, p = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    source = draw(strategy(lambda d: weights(d, square(n, p, 1))))
    return n, source


@given(units_of())
@settings(max_examples=60, deadline=None)
def test_merging_keeps_the_form_and_leaves_rank_many(case: tuple[int, Weights]) -> None:
    n, start = case
    units = Units(square(n, start[0].nrows(), 1), start)
    form = units.form
    units.reduce()
    live = units.live
    assert units.form == form
    assert len(live) == rank(form)
    positive = sum(value > 0 for value, _ in diagonalised(form))
    assert sum(units.u[k] > 0 for k in live) == positive
    for vertex in units.builder.path().vertices():
        assert _form_of(vertex) == form
    for t in (fmpq(1, 3), fmpq(4, 5)):
        weights_now = start
        for step in units.builder.path().steps:
            if hasattr(step, "at"):
                assert _form_of(step.at(weights_now, t)) == form
            weights_now = step.after(weights_now)


def _form_of(point: Weights) -> fmpq_mat:
    first, second = point
    scaled = [[v * u for v in row] for row, u in zip(first.tolist(), second.entries(), strict=True)]
    return first.transpose() * fmpq_mat(scaled)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("n", "free"), [(1, 1), (2, 1), (3, 1), (3, 3)])
def test_units_become_others_of_the_same_form(n: int, free: int, seed: int) -> None:
    draw = Seeded(f"become {n} {free} {seed}")
    network = square(n, n + free, 1)
    first = random_matrix(draw, n, n)
    signs = [fmpq(draw.choice((1, 2, -1, -3))) for _ in range(n)]
    rows = [*first.tolist(), *[[fmpq(0)] * n for _ in range(free)]]
    units = Units(network, (fmpq_mat(rows), fmpq_mat([[*signs, *[0] * free]])))
    units.reduce()
    form, steps = units.form, units.builder.path().segments
    goal = diagonalised(form)
    units.become(goal)
    live = units.live
    assert units.form == form
    assert sorted((str(units.u[k]), *map(str, units.w[k])) for k in live) == sorted(
        (str(value), *map(str, row)) for value, row in goal
    )
    here = units.builder.start
    for number, step in enumerate(units.builder.path().steps):
        if hasattr(step, "at") and number >= steps:
            assert _form_of(step.at(here, fmpq(2, 7))) == form
        here = step.after(here)
    homes = dict(zip(live, reversed(range(n)), strict=False))
    before = {homes[k]: (units.u[k], units.w[k]) for k in live}
    units.go_home(homes)
    assert {k: (units.u[k], units.w[k]) for k in units.live} == before


@given(strategy(lambda d: [[d.integer(-4, 4) for _ in range(6)], d.integer(0, 9)]))
@settings(max_examples=80, deadline=None)
def test_lagrange_s_reduction(drawn: list[object]) -> None:
    a, b, c, d, e, f = drawn[0]  # type: ignore[misc]
    form = fmpq_mat([[a, b, c], [b, d, e], [c, e, f]])
    terms = diagonalised(form)
    total = fmpq_mat(3, 3)
    for value, row in terms:
        column = fmpq_mat(3, 1, row)
        total += column * column.transpose() * value
    assert total == form
    assert len(terms) == rank(form)


def test_the_gradient_of_forms() -> None:
    forms = Forms(_setting(square(2, 2, 1), DEFINITE), DEFINITE)
    here, way = matrix([[1, 2], [2, -3]]), matrix([[1, -1], [-1, 2]])
    t = fmpq(1, 10**6)
    exact = sum((forms.gradient(here)[i, j] * way[i, j] for i in (0, 1) for j in (0, 1)), fmpq(0))
    second = (
        forms(way)
        - forms(way * 0)
        - 2
        * sum((forms.gradient(way * 0)[i, j] * way[i, j] for i in (0, 1) for j in (0, 1)), fmpq(0))
    )
    assert forms(here + way * t) == forms(here) + 2 * t * exact + t * t * second


def _setting(network: Network, data: Dataset) -> QuadraticSetting:
    found = setting_of(network, data)
    assert not isinstance(found, Undecided)
    return found


# The lemma: descents, pairs, components


@pytest.mark.parametrize(
    ("network", "data", "u", "number"),
    [
        (square(1, 1, 1), ONE, 0, 2),
        (square(1, 1, 1), ONE, fmpq(99, 100), 2),
        (square(1, 1, 1), ONE, 1, 1),
        (square(1, 2, 1), ONE, 0, 1),
        (square(2, 2, 1), AXES, 0, 8),
        (square(2, 2, 1), AXES, fmpq(99, 100), 8),
        (square(2, 2, 1), AXES, 1, 1),
        (square(2, 3, 1), AXES, fmpq(1, 2), 1),
        (square(2, 2, 1), DEFINITE, 0, 2),
        (square(2, 2, 1), DEFINITE, fmpq(5, 3) - fmpq(1, 100), 2),
        (square(2, 2, 1), DEFINITE, fmpq(5, 3), 1),
        (square(2, 2, 1), gauss(13, -10), 790, 8),
        (square(3, 3, 1), gauss(5, 4, -3), 420, 12),
        (square(3, 3, 1), gauss(2, 2, 3), 190, 2),
        (square(4, 4, 1), gauss(3, -3, 2, 2), 1100, 16),
    ],
)
def test_the_examples_of_the_notes(network: Network, data: Dataset, u: object, number: int) -> None:
    found = components_at_full_width(network, data, fmpq(u))  # type: ignore[arg-type]
    assert isinstance(checked(network, data, found), kernel.Proved)
    assert isinstance(found, Argument)
    assert found.conclusion["at_least"] == found.conclusion["at_most"] == number


def test_a_level_of_its_own_and_a_bias() -> None:
    data = Dataset.from_rows([[0], [1], [-1], [2]], [[1], [0], [-2], [-2]])
    network = Network.dense((1, 2, 1), SCALED, (True, False))
    found = components_at_full_width(network, data)
    assert isinstance(checked(network, data, found), kernel.Proved)
    assert isinstance(found, Argument) and found.conclusion["at_least"] == 8


def test_a_minimum_that_is_singular_at_irrational_forms_only() -> None:
    data = Dataset.from_rows([[1, 0], [0, 1]], [[1], [2]])
    network = square(2, 2, 1)
    found = components_at_full_width(network, data)
    assert isinstance(checked(network, data, found), kernel.Proved)
    assert isinstance(found, Argument) and found.conclusion["at_least"] == 1
    assert isinstance(components_at_full_width(network, data, fmpq(0)), Undecided)


def test_the_lemma_separates_by_a_sign_or_by_orientation() -> None:
    identity = (matrix([[1, 0], [0, 1]]), matrix([[1, 1]]))
    mirrored = (matrix([[1, 0], [0, -1]]), matrix([[1, 1]]))
    found = separated_by_inertia(square(2, 2, 1), DEFINITE, identity, mirrored, fmpq(8, 5))
    assert isinstance(checked(square(2, 2, 1), DEFINITE, found), kernel.Proved)
    same = separated_by_inertia(square(2, 2, 1), DEFINITE, identity, identity, fmpq(8, 5))
    assert isinstance(same, Undecided)
    high = separated_by_inertia(square(2, 2, 1), DEFINITE, identity, mirrored, fmpq(5, 3))
    assert isinstance(high, Undecided)


@pytest.mark.parametrize("seed", range(12))
def test_the_lemma_where_it_applies(seed: int) -> None:
    draw = Seeded(f"lemma {seed}")
    n = draw.integer(1, 4)
    data = dataset(draw, n, 1, draw.integer(1, n * (n + 1) // 2 + 1))
    network = square(n, n, 1)
    d = rank(data.x)
    a, b = weights(draw, network), weights(draw, network)
    loss = Loss(network, data)
    u = max(loss(a), loss(b))
    if d:
        descent = descends_by_inertia(network, data, a)
        assert isinstance(checked(network, data, descent), kernel.Proved)
    pair = joined_by_inertia(network, data, a, b, u)
    if d < n:
        assert isinstance(checked(network, data, pair), kernel.Proved)
    else:
        assert isinstance(pair, Undecided)


NINE = Dataset.from_rows(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1],
     [0, 1, -1]],
    [[10], [7], [-6], [17], [17], [4], [4], [1], [1]],
)  # fmt: skip


@pytest.mark.parametrize(
    ("p", "data", "below"),
    [
        (1, VALLEY, 5),
        (2, NINE, 255),
        (1, gauss(13, -10, 0), 269 * 24 * 2),
        (2, gauss(13, 13, -10), 538 * 24),
        (2, gauss(13, 13, -10, 0), 538 * 144),
        (3, gauss(13, 13, 13, -10), 538 * 144),
    ],
    ids=["E4", "E5", "E6 3-1", "E6 3-2", "E6 4-2", "E6 4-3"],
)
def test_signs_separate_below_full_width(p: int, data: Dataset, below: int) -> None:
    network = square(data.n, p, 1)
    found = separated_by_signs(network, data)
    assert isinstance(checked(network, data, found), kernel.Proved)
    assert isinstance(found, Argument)
    assert fmpq(found.conclusion["u"]) < below


def test_signs_separate_on_most_random_data() -> None:
    shown = 0
    for seed in range(8):
        data = dataset(Seeded(f"signs {seed}"), 3, 1, 8, degenerate=False)
        found = separated_by_signs(square(3, 2, 1), data)
        if isinstance(found, Argument):
            shown += 1
            assert isinstance(checked(square(3, 2, 1), data, found), kernel.Proved)
    assert shown >= 4


def test_what_does_not_fit_is_undecided() -> None:
    narrow, zero = square(2, 1, 1), (matrix([[0, 0]]), matrix([[1]]))
    assert isinstance(descends_by_inertia(narrow, AXES, zero), Undecided)
    assert isinstance(components_at_full_width(narrow, AXES), Undecided)
    assert isinstance(components_at_full_width(square(2, 2, 1), AXES, fmpq(-1)), Undecided)
    others = [
        (Network.dense((2, 2, 1), "relu"), AXES),
        (Network.dense((2, 2, 1), {"polynomial": [0, 1, 1]}), AXES),
        (Network.dense((2, 2, 1), "square", (False, True)), AXES),
        (Network.dense((2, 2, 2, 1), "square"), AXES),
        (Network.dense((2, 2, 2), "square"), Dataset.from_rows([[1, 0]], [[1, 0]])),
    ]
    for network, data in others:
        a = tuple(fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1))
        assert isinstance(connect_scalar_quadratic(network, data, a, a), Undecided)
        assert isinstance(descend_scalar_quadratic(network, data, a), Undecided)
        assert isinstance(components_at_full_width(network, data), Undecided)
        assert isinstance(trapped_by_sign(network, data), Undecided)
    with pytest.raises(InputError):
        connect_scalar_quadratic(square(1, 2, 1), AXES, zero, zero)


def test_two_global_minima_at_their_own_level_are_left_to_the_lemma() -> None:
    network = square(2, 3, 1)
    a = (matrix([[1, 0], [0, 1], [0, 0]]), matrix([[1, -1, 0]]))
    b = (matrix([[1, 1], [0, 1], [0, 0]]), matrix([[1, -2, 0]]))
    loss = Loss(network, AXES)
    assert loss(a) == loss(b) == 0
    assert isinstance(connect_scalar_quadratic(network, AXES, a, b), Undecided)
    assert isinstance(connect_in_steps(network, AXES, a, b, fmpq(0)), Undecided)
    found = joined_by_inertia(network, AXES, a, b, fmpq(0))
    assert isinstance(checked(network, AXES, found), kernel.Proved)


def test_the_verb_connect_joins_by_a_path_or_by_lemma_and_separates() -> None:
    draw = Seeded("verb")
    ways = {}
    for n, p in ((2, 3), (4, 5)):
        network = square(n, p, 1)
        data = dataset(draw, n, 1, n * (n + 1) // 2 + 2, degenerate=False)
        a, b = (weights(draw, network, degenerate=False) for _ in "ab")
        found = connect(network, data, a, b)
        ways[found.outcome, found.construction] = found.needed_width
    assert ways == {("proved", "scalar quadratic"): (3,), ("proved", "lemma"): (5,)}
    one, minus = ((matrix([[w]]), matrix([[1]])) for w in (1, -1))
    found = connect(square(1, 1, 1), ONE, one, minus)
    assert (found.outcome, found.construction, found.needed_width) == ("refuted", "lemma", (2,))


# One unit: the wall u = 0


def test_the_smallest_spurious_valley() -> None:
    network = square(2, 1, 1)
    found = trapped_by_sign(network, VALLEY)
    assert isinstance(checked(network, VALLEY, found), kernel.Proved)
    assert isinstance(found, Argument)
    assert (found.conclusion["u"], found.conclusion["v"]) == ("4", "4")
    for u, good in ((fmpq(4), True), (fmpq(9, 2), True), (fmpq(5), False), (fmpq(3), False)):
        found = trapped_by_sign(network, VALLEY, u)
        assert isinstance(found, Argument) == good
        if good:
            assert isinstance(checked(network, VALLEY, found), kernel.Proved)


def test_traps_of_random_units() -> None:
    shown = 0
    for seed in range(20):
        draw = Seeded(f"trap {seed}")
        n, bias = draw.integer(1, 3), draw.choice((True, False))
        network = Network.dense((n, 1, 1), draw.choice(("square", SCALED)), (bias, False))
        data = dataset(draw, n, 1, draw.integer(1, n * (n + 1) // 2 + 2))
        found = trapped_by_sign(network, data)
        if isinstance(found, Undecided):
            continue
        shown += 1
        assert isinstance(checked(network, data, found), kernel.Proved)
        refuted = descends(
            tuple(matrix(m) for m in found.conclusion["A"]),
            fmpq(found.conclusion["v"]) / 2,
            fmpq(0),
        )
        least = Loss(network, data)(tuple(matrix(m) for m in found.proof["lower"]))
        assert least < fmpq(found.conclusion["v"])
        assert refuted["kind"] == "descends"
    assert shown >= 3
