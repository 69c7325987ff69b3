"""Weights of one function: bases, units, twins, rotations; and inputs that tell others apart."""

from __future__ import annotations

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from theorylab.claims import claim
from theorylab.claims.saddles import invertible
from theorylab.instances import Seeded, strategy, weights
from theorylab.kernel import Proved, Refuted, check
from theorylab.model import Activation, Dataset, Loss, Network, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.symmetry import (
    basis_change,
    homogeneity,
    rebased,
    rescaled,
    same_function,
    unit_map,
)


def decided(network: Network, a: Weights, b: Weights) -> tuple[str, str]:
    """What the kernel says of same_function(a, b), and by which argument."""
    found = same_function(network, a, b)
    assert not isinstance(found, Undecided), found
    data = Dataset.from_rows([[0] * network.n], [[0] * network.m])
    raw = connection_certificate(Loss(network, data), found.conclusion, found.rule, found.proof)
    outcome = check(raw)
    assert isinstance(outcome, Proved | Refuted), outcome
    return type(outcome).__name__.lower(), found.proof["by"]


def test_larger_fibres_are_no_orbits() -> None:
    """No permutation and scaling of units relates the weights of these instances."""
    instances = claim("weight-symmetry").canonical()
    larger = [i for i in instances if i.variant == "larger"]
    assert {i.network.activation.kind for i in larger} == {"square", "relu"}
    for i in larger:
        assert i.b is not None
        assert decided(i.network, i.a, i.b)[0] == "proved"
        assert isinstance(unit_map(i.network, i.a, i.b, one_to_one=True), Undecided)
        assert isinstance(unit_map(i.network, i.b, i.a, one_to_one=True), Undecided)
    others = [i for i in instances if i.variant == "units"]
    for i in others:
        assert i.b is not None
        assert not isinstance(unit_map(i.network, i.a, i.b, one_to_one=True), Undecided)


@settings(max_examples=40, deadline=None)
@given(strategy(lambda draw: draw), st.sampled_from(["relu", "square", "cube", "abs", "step"]))
def test_a_change_of_one_weight_is_seen(draw: Seeded, kind: str) -> None:
    network = Network.dense((2, 2, 1), kind)
    a = (fmpq_mat([[1, 2], [3, -1]]), fmpq_mat([[2, 5]]))
    k = draw.integer(0, 1)
    changed = fmpq_mat(a[k])
    i, j = draw.integer(0, changed.nrows() - 1), draw.integer(0, changed.ncols() - 1)
    changed[i, j] = changed[i, j] + draw.choice((1, 2, 4))
    b = (changed, a[1]) if k == 0 else (a[0], changed)
    if kind == "step" and k == 0:
        return  # a step may not see a weight
    assert decided(network, a, b) == ("refuted", "input")


@pytest.mark.parametrize("kind", ["relu", "square", "abs"])
def test_a_general_basis_is_a_symmetry_of_linear_networks_only(kind: str) -> None:
    draw = Seeded(3)
    for name, expected in (("linear", "proved"), (kind, "refuted")):
        network = Network.dense((3, 3, 2), name)
        a = weights(draw, network, degenerate=False)
        b = rebased(a, [fmpq_mat([[1, 1, 0], [0, 1, 2], [1, 0, 1]])])
        assert decided(network, a, b)[0] == expected


@settings(max_examples=25, deadline=None)
@given(strategy(lambda draw: draw))
def test_a_change_of_bases_is_found_again(draw: Seeded) -> None:
    network = Network.dense((2, 3, 2, 1), "linear")
    a = weights(draw, network)
    b = rebased(a, [invertible(draw, 3), invertible(draw, 2)])
    bases = basis_change(a, b)
    assert bases is not None
    assert rebased(a, bases) == b


def test_equal_products_need_no_common_bases() -> None:
    """Rank (1, 0) and rank (0, 1): both products are 0, no basis leads from one to the other."""
    one, zero = fmpq_mat([[1]]), fmpq_mat([[0]])
    assert basis_change((one, zero), (zero, one)) is None
    network = Network.dense((1, 1, 1), "linear")
    assert decided(network, (one, zero), (zero, one)) == ("proved", "expansion")


@pytest.mark.parametrize(
    ("form", "c", "h"),
    [
        ("linear", -2, -2),
        ("cube", -2, -8),
        ("abs", -2, 2),
        ("step", 3, 1),
        ({"leaky_relu": "1/3"}, 3, 3),
        ({"polynomial": ["1", "0", "2"]}, -1, 1),
        ({"polynomial": ["0", "1", "0", "2"]}, -1, -1),
        ({"polynomial": ["0", "1", "2"]}, -1, None),
        ("step", -1, None),
        ("relu", -1, None),
    ],
)
def test_the_scales_of_an_activation(form: object, c: int, h: int | None) -> None:
    rho = Activation.parse(form)
    assert homogeneity(rho, fmpq(c)) == h
    if h is not None:
        assert all(rho(c * fmpq(z)) == h * rho(fmpq(z)) for z in (-3, -1, 0, 2, 7))


def test_a_scale_that_the_activation_does_not_allow_is_an_error() -> None:
    network = Network.dense((1, 1, 1), "relu")
    with pytest.raises(InputError, match="homogeneous"):
        rescaled(network, (fmpq_mat([[1]]), fmpq_mat([[1]])), [[0]], [[fmpq(-1)]])


def test_a_fold_that_no_units_explain_is_undecided() -> None:
    """relu(z) - relu(-z) = z, so x + y is one pair of units or two: no partners, one function."""
    network = Network.dense((1, 2, 1), "relu")
    a = fmpq_mat([[1], [-1]]), fmpq_mat([[1, -1]])
    assert decided(network, a, (fmpq_mat([[-2], [3]]), fmpq_mat([[fmpq(-1, 2), fmpq(1, 3)]]))) == (
        "proved",
        "units",
    )
    four = Network.dense((2, 4, 1), "relu")
    x, y = [[1, 0], [-1, 0]], [[0, 1], [0, -1]]
    both = [[1, 1], [-1, -1]]
    sum_ = fmpq_mat([*x, *y]), fmpq_mat([[1, -1, 1, -1]])
    whole = fmpq_mat([*both, [0, 0], [0, 0]]), fmpq_mat([[1, -1, 0, 0]])
    assert isinstance(same_function(four, sum_, whole), Undecided)
