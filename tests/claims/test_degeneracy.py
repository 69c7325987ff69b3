"""What the claims on zeros, Hessians and neurovarieties say about their instances."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from flint import fmpq, fmpq_mat

from theorylab import kernel
from theorylab.claims import claim
from theorylab.claims.degeneracy import DEGENERATE_MINIMA, OVERPARAMETRISED_ZEROS
from theorylab.claims.filling import FILLING_WIDTH, power
from theorylab.instances import Instance, Seeded, weights
from theorylab.kernel.arith import Poly
from theorylab.kernel.rank import jacobian as kernel_jacobian
from theorylab.kernel.statements import parse_statement
from theorylab.model import Dataset, Network, load_dataset
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import connection_certificate, statement_json
from theorylab.topology.exact_algebra import rank
from theorylab.topology.jacobian import jacobian
from theorylab.topology.neurovariety import (
    independent_fields,
    parameter_count_dimension,
    proof_of_dimension,
    waring_dimension,
)
from theorylab.topology.path import theta_json
from theorylab.topology.zeros import no_zero, only_zero
from theorylab.verify import decide

NETWORKS = (
    Network.dense((2, 3, 1), "square"),
    Network.dense((1, 2, 2, 2), "cube", (True, False, True)),
    Network.dense((2, 2), {"polynomial": [1, 2, 3]}, True, "activation"),
    Network.with_pattern((2, 2, 1), {"polynomial": ["1/2", 1, -1]}, [[[0, "1"], [None, 0]], None]),
    Network.dense((2, 2, 3), "linear"),
)


def found(name: str) -> Instance:
    every = (i for c in (OVERPARAMETRISED_ZEROS, DEGENERATE_MINIMA, FILLING_WIDTH)
             for i in c.canonical())  # fmt: skip
    return next(i for i in every if i.name == name)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_two_jacobians_agree(network: Network) -> None:
    """The chain rule in flint against lines in the kernel, entry by entry."""
    draw = Seeded("jacobian")
    if network.is_dense:
        a = weights(draw, network, degenerate=False)
    else:
        a = network.assemble([draw.integer(-3, 3) for _ in range(network.parameter_count)])
    x = fmpq_mat(network.n, 3, [fmpq(draw.integer(-3, 3), 2) for _ in range(3 * network.n)])
    data = Dataset(x, fmpq_mat(network.m, 3), None, "drawn")
    conclusion = {"kind": "isolated_zero", "A": theta_json(a)}
    statement = parse_statement(statement_json(network, data, [], conclusion))
    point = statement.conclusion.points["A"]
    lines = kernel_jacobian(statement.network, point, statement.data.x, Poly.variable(0, 1))
    kept = [r for r in jacobian(network, a, data).tolist() if any(r)]
    columns = [[Fraction(int(v.p), int(v.q)) for v in row] for row in kept]
    shown = [[Fraction(v, lines.den) for v in row] for row in lines.transposed.rows]
    # the kernel leaves out outputs that move nowhere
    assert sorted(columns) == sorted(row for row in shown if any(row))


def test_the_minima_of_the_erratum_are_minima() -> None:
    """The points are critical (the kernel); that they are minima is exact here."""
    one = found("square-1-1-1")
    assert one.loss(one.a) == fmpq(25, 17)
    # L = (a - 1)^2 + (4a + 1)^2 with a = u w^2: a quadratic with its minimum at -3/17
    assert all((fmpq(k, 17) - 1) ** 2 + (4 * fmpq(k, 17) + 1) ** 2 >= fmpq(25, 17)
               for k in range(-20, 20))  # fmt: skip
    bent = found("bent-1-1-1")
    assert bent.loss(bent.a) == fmpq(16, 11)
    strict = found("strict-minimum-1-1-1")
    here = strict.loss(strict.a)
    assert here == 50
    step = fmpq(1, 1000)
    for w, b, u in ((w, b, u) for w in (-1, 0, 1) for b in (-1, 0, 1) for u in (-1, 0, 1)):
        near = (strict.a[0] + fmpq_mat([[w, b]]) * step, strict.a[1] + fmpq_mat([[u]]) * step)
        assert strict.loss(near) > here or (w, b, u) == (0, 0, 0)
    assert strict.network.parameter_count == 3 > strict.data.samples


def test_the_fit_of_the_petals_is_a_global_minimum() -> None:
    """The residual is orthogonal to all quadratic forms, which its network represents."""
    fit = found("iris-petals-2-6-1")
    x1, x2 = fit.data.x.tolist()
    forms = fmpq_mat([[p * q for p, q in zip(*pair, strict=True)]
                      for pair in ((x1, x1), (x1, x2), (x2, x2))])  # fmt: skip
    residual = fit.loss.residual(fit.a)
    assert not any((forms * residual.transpose()).entries())
    assert fit.loss(fit.a) > 0
    assert fit.data.samples == 150 and fit.data.source is not None


@pytest.mark.parametrize("name", ["square-1-1-1", "square-1-2-1", "iris-petals-2-6-1"])
def test_the_kernel_says_that_the_degenerate_points_are_global_minima(name: str) -> None:
    low = found(name)
    proof = {
        "optimum": {"by": "orthogonal", "features": "monomials"},
        "point": theta_json(low.a),
    }
    conclusion = {"kind": "global_min", "v": str(low.loss(low.a))}
    raw = connection_certificate(low.loss, conclusion, "optimum", proof)
    assert isinstance(kernel.check(raw), kernel.Proved)


def test_the_search_finds_non_degenerate_equilibria() -> None:
    drawn = [DEGENERATE_MINIMA.random(Seeded(f"hunt {i}")) for i in range(24)]
    hunted = [i for i in drawn if i.variant == "equilibria"]
    outcomes = [decide(DEGENERATE_MINIMA, i).outcome for i in hunted]
    assert outcomes == [i.expected for i in hunted]
    assert set(outcomes) == {"proved", "refuted"}


def test_the_nullity_at_zero_loss_is_predicted_by_the_jacobian() -> None:
    for name in ("teacher-iris-4-6-1", "teacher-iris-linear-4-2-3", "teacher-iris-4-2-2-1"):
        taught = found(name)
        free = taught.network.parameter_count - rank(
            jacobian(taught.network, taught.a, taught.data)
        )
        assert taught.loss(taught.a) == 0
        assert taught.conclusion["at_least"] == free == taught.conclusion["at_most"]


def test_the_teachers_look_at_real_inputs() -> None:
    taught = found("teacher-iris-4-6-6-1")
    iris = load_dataset("iris")
    assert taught.data.x == iris.subset(range(0, 150, 5)).x
    assert taught.data.name == "iris 1/5, taught"
    assert taught.conclusion["at_least"] == 66 - 30


@pytest.mark.parametrize(
    ("network", "x", "y"),
    [
        (Network.dense((1, 2, 1), "square"), [[1]], [[0]]),
        (Network.with_pattern((1, 2, 1), "square", [None, [["1", "-1"]]]), [[1]], [[0]]),
        (Network.with_pattern((1, 2, 1), "square", [None, [["1", "1"]]]), [[1]], [[1]]),
        (Network.with_pattern((2, 1, 1), "square", [None, [["1"]]]), [[1, 2]], [[0]]),
        (Network.with_pattern((1, 1, 1), "cube", [None, [["1"]]]), [[1]], [[0]]),
    ],
)
def test_what_is_not_one_zero_is_undecided(network: Network, x: object, y: object) -> None:
    assert isinstance(only_zero(network, Dataset.from_rows(x, y)), Undecided)


def test_targets_of_one_sign_have_perhaps_a_zero() -> None:
    network = Network.dense((1, 1, 1), "square")
    assert isinstance(no_zero(network, Dataset.from_rows([[1], [2]], [[1], [3]])), Undecided)
    assert isinstance(
        no_zero(Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[1]])), Undecided
    )


def test_the_defects_of_alexander_and_hirschowitz() -> None:
    """In 2..5 variables the forms of degree 3 and 4 have four exceptions, each lacking one."""
    lacking = {
        (n, d, p)
        for n in range(2, 6)
        for d in (3, 4)
        for p in range(1, comb(n + d - 1, d) + 1)
        if waring_dimension(n, p, d) < parameter_count_dimension(n, p, d)
    }
    assert lacking == {(3, 4, 5), (4, 4, 9), (5, 4, 14), (5, 3, 7)}


def test_quadratic_networks_are_symmetric_matrices_of_bounded_rank() -> None:
    for n in range(1, 5):
        for p in range(1, 6):
            network = Network.dense((n, p, 1), "square")
            a = weights(Seeded(f"{n} {p}"), network, 5, degenerate=False)
            draw = Seeded("probe")
            x = [[draw.integer(-9, 9) for _ in range(n)] for _ in range(n * n + 3)]
            data = Dataset.from_rows(x, [[0]] * len(x))
            assert rank(jacobian(network, a, data)) <= waring_dimension(n, p, 2)


def test_one_exception_has_no_proof_yet() -> None:
    """Cubics in 5 variables, 7 units: 34 of 35, and no upper bound here meets it."""
    network = Network.dense((5, 7, 1), "cube")
    a = weights(Seeded("cubics"), network, 3, degenerate=False)
    undecided = proof_of_dimension(network, a, waring_dimension(5, 7, 3))
    assert isinstance(undecided, Undecided)
    assert "at most 35, not 34" in undecided.reason


def test_the_fields_are_symmetries_of_the_function() -> None:
    """Along each of them all outputs have derivative zero."""
    network = Network.dense((2, 3, 1, 1), "square")
    a = weights(Seeded("fields"), network, 3, degenerate=False)
    draw = Seeded("inputs")
    x = [[draw.integer(-5, 5) for _ in range(2)] for _ in range(6)]
    data = Dataset.from_rows(x, [[0]] * 6)
    derivatives = jacobian(network, a, data)
    here = [v for layer in a for v in layer.entries()]
    fields = independent_fields(network, a)
    assert 6 <= len(fields) <= network.parameter_count - rank(derivatives)
    for field in fields:
        value = fmpq_mat([[q(*here)] for q in field])
        assert any(value.entries()) and not any((derivatives * value).entries())


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_a_power_is_that_power(degree: int) -> None:
    assert power(degree)(fmpq(3, 2)) == fmpq(3, 2) ** degree


def test_a_kink_has_no_jacobian() -> None:
    network = Network.dense((1, 1, 1), "relu")
    data = Dataset.from_rows([[1]], [[0]])
    with pytest.raises(InputError, match="no polynomial"):
        jacobian(network, (fmpq_mat([[1]]), fmpq_mat([[1]])), data)


def test_refuted_sentences_say_what_is_true() -> None:
    words = {
        "one-zero-1-2-1": "A is a zero of the loss, and an isolated one",
        "no-zero-2-1-1": "no real weights have loss 0",
        "square-1-2-1": "A is critical and the Hessian there has nullity 3",
        "parameters-power-4-3-5-1": "the functions that the network represents have dimension 14",
        "circle-1-2-1": "near A the zeros of the loss are a manifold of dimension 1",
        "orbit-iris-linear-4-3-3": "A is critical and the Hessian there has nullity 9 or more",
        "iris-square-4-3-1": "the Jacobian of the outputs at A has rank 9",
    }
    for c in (OVERPARAMETRISED_ZEROS, DEGENERATE_MINIMA, FILLING_WIDTH):
        for instance in c.canonical():
            if instance.name in words:
                assert decide(c, instance).reason == words.pop(instance.name)
    assert not words


def test_a_point_below_the_full_rank_is_undecided() -> None:
    c = claim("overparametrised-zeros")
    circle = found("circle-1-2-1")
    centre = (fmpq_mat(2, 1), circle.a[1])
    conclusion = {**circle.conclusion, "A": theta_json(centre)}
    data = Dataset.from_rows([[1]], [[0]])
    degenerate = Instance("centre", "corrected", circle.network, data, conclusion, centre)
    assert decide(c, degenerate).outcome == "undecided"
    assert not decide(c, degenerate).rejected


def test_the_wrong_variant_is_rejected_by_its_hypothesis() -> None:
    """The zero-loss statement at a point of positive loss: the kernel refuses the hypothesis."""
    low = found("square-1-1-1")
    wrong = Instance("wrong", "corrected", low.network, low.data, low.conclusion, low.a)
    result = decide(DEGENERATE_MINIMA, wrong)
    assert result.rejected and "the loss at A is not zero" in result.reason
    assert isinstance(kernel.check(DEGENERATE_MINIMA.statement(low)), kernel.Rejected)
