"""Every evaluator of a system agrees with the literal definition; so do the derivatives."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import literal
import numpy as np
import pytest
from flint import acb, arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from model.drawn import NUMBERS, data_for, networks

from theorylab.counting.system import (
    Gaussian,
    PolynomialSystem,
    Program,
    Scalar,
    critical_system,
    interpolation_system,
    system_from_json,
    system_from_phc,
)
from theorylab.model import Dataset, Network, rows
from theorylab.outcome import InputError

POLYNOMIAL = networks().filter(lambda network: network.activation.degrees is not None)
PRECISIONS = (53, 128)


def fraction(value: Scalar) -> Fraction:
    assert isinstance(value, fmpq)
    return Fraction(int(value.p), int(value.q))


def pair(value: Scalar) -> tuple[Fraction, Fraction]:
    if isinstance(value, Gaussian):
        return fraction(value.re), fraction(value.im)
    return fraction(value), Fraction(0)


def product(
    a: tuple[Fraction, Fraction], b: tuple[Fraction, Fraction]
) -> tuple[Fraction, Fraction]:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def naive(terms: dict[tuple[int, ...], Scalar], point: list[Scalar]) -> tuple[Fraction, Fraction]:
    """Term by term, factor by factor, in pairs of Fractions."""
    re = im = Fraction(0)
    for exponents, coefficient in terms.items():
        value = pair(coefficient)
        for x, e in zip(point, exponents, strict=True):
            for _ in range(e):
                value = product(value, pair(x))
        re, im = re + value[0], im + value[1]
    return re, im


def ball(value: Scalar) -> acb:
    if isinstance(value, Gaussian):
        return acb(arb(value.re), arb(value.im))
    return acb(arb(value))


def dyadic(value: arb) -> Fraction:
    """The midpoint of a ball, exactly."""
    mantissa, exponent = value.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def contains(box: acb, value: tuple[Fraction, Fraction]) -> bool:
    """Decided by exact numbers: a rational asked of FLINT would be rounded to a ball first."""
    parts = zip((box.real, box.imag), value, strict=True)
    return all(abs(v - dyadic(part)) <= dyadic(part.rad()) for part, v in parts)


def number(value: tuple[Fraction, Fraction]) -> complex:
    return complex(float(value[0]), float(value[1]))


def small(system: PolynomialSystem) -> bool:
    """Whether a dense polynomial of its degree would have few terms."""
    n, d = len(system.variables), max(system.degrees, default=0)
    return math.comb(n + d, d) <= 3000


def all_evaluators_give(
    system: PolynomialSystem, point: list[Scalar], wanted: list[tuple[Fraction, Fraction]]
) -> None:
    assert [pair(v) for v in system.evaluate_exact(point)] == wanted
    if small(system):
        assert [naive(terms, point) for terms in system.expanded()] == wanted
    for precision in PRECISIONS:
        boxes = system.evaluate_balls([ball(v) for v in point], precision)
        assert all(contains(box, w) for box, w in zip(boxes, wanted, strict=True))
        # An enclosure that is far too wide would contain anything; at 53 bits it may have to be
        # wide, where large numbers cancel.
        if precision > 53:
            sizes = [1 + abs(number(w)) for w in wanted]
            assert all(box.rad() < 1e-6 * s for box, s in zip(boxes, sizes, strict=True))
    rough = np.array([[number(pair(v)) for v in point]] * 3).reshape(3, len(point))
    scale = 1 + max((abs(number(w)) for w in wanted), default=0)
    found = system.evaluate(rough)
    assert found.shape == (3, len(wanted))
    assert np.allclose(found, [number(w) for w in wanted], rtol=1e-9, atol=1e-9 * scale)


def all_derivatives_agree(system: PolynomialSystem, point: list[Scalar]) -> None:
    """Against the term by term derivatives of the expanded polynomials."""
    if not small(system):
        return
    n = len(system.variables)
    wanted = []
    for terms in system.expanded():
        row = []
        for j in range(n):
            derived: dict[tuple[int, ...], Scalar] = {}
            for exponents, coefficient in terms.items():
                if exponents[j]:
                    lower = tuple(e - (i == j) for i, e in enumerate(exponents))
                    derived[lower] = coefficient * fmpq(exponents[j])
            row.append(naive(derived, point))
        wanted.append(row)
    exact = system.jacobian_exact(point)
    assert [[pair(v) for v in row] for row in exact] == wanted
    boxes = system.jacobian_balls([ball(v) for v in point], 128)
    rough = np.array([[number(pair(v)) for v in point]]).reshape(1, n)
    values, derivatives = system.evaluate_with_jacobian(rough)
    assert np.array_equal(values, system.evaluate(rough))
    assert np.array_equal(derivatives, system.jacobian(rough))
    for i, row in enumerate(wanted):
        scale = 1 + max((abs(number(w)) for w in row), default=0)
        for j, w in enumerate(row):
            assert contains(boxes[i, j], w)
            assert abs(derivatives[0, i, j] - number(w)) <= 1e-8 * scale


def drawn_point(draw: Any, system: PolynomialSystem, complex_too: bool) -> list[Scalar]:
    point: list[Scalar] = []
    for _ in system.variables:
        re = draw(NUMBERS)
        exact = fmpq(re.numerator, re.denominator)
        if complex_too and draw(st.booleans()):
            point.append(Gaussian(exact, fmpq(draw(st.integers(1, 3)), 2)))
        else:
            point.append(exact)
    return point


@settings(max_examples=80)
@given(st.data(), POLYNOMIAL, st.sampled_from(["auto", "none", "first", "bias"]), st.booleans())
def test_interpolation_conforms(
    data: st.DataObject, network: Network, gauge: str, parametric: bool
) -> None:
    samples = data.draw(data_for(network))
    system = interpolation_system(network, samples, gauge, parametric=parametric)
    point = drawn_point(data.draw, system, False)
    theta = [rows(layer) for layer in system.weights_at(point)]
    wanted = [
        value - Fraction(target)
        for x, y in zip(samples.to_json()["x"], samples.to_json()["y"], strict=True)
        for value, target in zip(literal.outputs(network.to_json(), x, theta), y, strict=True)
    ]
    all_evaluators_give(system, point, [(w, Fraction(0)) for w in wanted])
    all_derivatives_agree(system, point)
    # Complex points: the expanded polynomials, just checked, are the definition there.
    if not small(system):
        return
    point = drawn_point(data.draw, system, True)
    all_evaluators_give(system, point, [naive(terms, point) for terms in system.expanded()])
    all_derivatives_agree(system, point)


def slope_at_zero(values: list[Fraction]) -> Fraction:
    """The derivative at 0 of the polynomial with these values at 0, 1, ..., exactly (Lagrange)."""
    result = Fraction(0)
    for i, value in enumerate(values):
        others = [Fraction(j) for j in range(len(values)) if j != i]
        scale = Fraction(1)
        for j in others:
            scale *= i - j
        slope = Fraction(0)
        for skipped in others:
            term = Fraction(1)
            for j in others:
                if j != skipped:
                    term *= -j
            slope += term
        result += value * slope / scale
    return result


@st.composite
def small_networks(draw: st.DrawFn) -> Network:
    widths = draw(st.lists(st.integers(1, 2), min_size=2, max_size=3))
    bias = draw(st.lists(st.booleans(), min_size=len(widths) - 1, max_size=len(widths) - 1))
    pattern: list[Any] = []
    for k, flag in enumerate(bias):
        entry = st.none() if draw(st.booleans()) else st.none() | st.integers(0, 1) | NUMBERS
        columns = widths[k] + flag
        pattern.append([[draw(entry) for _ in range(columns)] for _ in range(widths[k + 1])])
    kind = draw(st.sampled_from(["linear", "square", "cube", {"polynomial": ["1", "-1/2", "2"]}]))
    output = draw(st.sampled_from(["linear", "activation"]))
    return Network.with_pattern(widths, kind, pattern, bias, output)


@settings(max_examples=30)
@given(st.data(), small_networks(), st.sampled_from([None, "generic", "3/4"]), st.booleans())
def test_critical_points_conform(
    data: st.DataObject, network: Network, ridge: str | None, parametric: bool
) -> None:
    """Each equation is the derivative of the literal loss along its unknown."""
    samples = data.draw(data_for(network))
    samples = samples.subset(range(min(2, samples.samples)))
    system = critical_system(network, samples, ridge, parametric=parametric)
    point = [fmpq(v) for v in drawn_point(data.draw, system, False)]
    assert system.origin is not None
    coefficients = system.origin.ridge or (fmpq(0),) * network.parameter_count
    # L has at most this degree in the weights: each layer multiplies degree by d and adds one.
    degree, top = 0, max(network.activation.degrees or (0,))
    for _ in range(network.depth):
        degree = (degree + 1) * max(top, 1)
    wanted = []
    for j in range(len(point)):
        values = []
        for t in range(2 * degree + 3):
            moved = [x + t * (i == j) for i, x in enumerate(point)]
            theta = [rows(layer) for layer in system.weights_at(moved)]
            value = literal.loss(network.to_json(), samples.to_json(), theta)
            for c, x in zip(coefficients, system.parameters_at(moved), strict=True):
                value += fraction(c) * fraction(x) ** 2
            values.append(value)
        wanted.append((slope_at_zero(values), Fraction(0)))
    all_evaluators_give(system, list(point), wanted)
    all_derivatives_agree(system, list(point))


def test_slope_at_zero_is_exact() -> None:
    assert slope_at_zero([Fraction(t**3 - 5 * t + 7, 3) for t in range(5)]) == Fraction(-5, 3)


@given(st.data())
def test_complex_coefficients_conform(data: st.DataObject) -> None:
    text = "2\n(x+(2-1/3*i)*y)^3 - i*x*y + 1.5;\n(1+i)**2*x - (x-y)*(x+i*y);\n"
    system = system_from_phc(text)
    point = drawn_point(data.draw, system, True)
    x, y = map(pair, point)
    step = product((Fraction(2), Fraction(-1, 3)), y)
    inner = (x[0] + step[0], x[1] + step[1])
    cube = product(inner, product(inner, inner))
    turned = product((Fraction(0), Fraction(-1)), product(x, y))
    first = (cube[0] + turned[0] + Fraction(3, 2), cube[1] + turned[1])
    twice = product((Fraction(0), Fraction(2)), x)
    minus = product((x[0] - y[0], x[1] - y[1]), (x[0] - y[1], x[1] + y[0]))
    second = (twice[0] - minus[0], twice[1] - minus[1])
    assert not system.is_real
    all_evaluators_give(system, point, [first, second])
    all_derivatives_agree(system, point)


def test_a_wrong_evaluator_would_be_seen() -> None:
    system = system_from_json({"variables": ["x"], "polynomials": ["x^2-2"]})
    with pytest.raises(AssertionError):
        all_evaluators_give(system, [fmpq(3)], [(Fraction(8), Fraction(0))])


@settings(max_examples=40)
@given(st.data(), POLYNOMIAL)
def test_degrees_bound_the_exact_ones(data: st.DataObject, network: Network) -> None:
    system = interpolation_system(network, data.draw(data_for(network)))
    if not small(system):
        return
    assert all(a >= b for a, b in zip(system.degrees, system.exact_degrees(), strict=True))
    groups = [list(group) for group in system.groups if group]
    if not groups:
        return
    table = system.multidegrees(groups)
    for total, row, terms in zip(system.degrees, table, system.expanded(), strict=True):
        assert max(row) <= total <= sum(row)
        for exponents in terms:
            for block, bound in zip(groups, row, strict=True):
                assert sum(exponents[i] for i in block) <= bound


def test_degrees_in_the_weights_are_exact_for_generic_data() -> None:
    # CLAIMS C12: l + l^2 + ... + l^d in the weights of rho(W_d rho(...)), not l^d.
    data = Dataset.from_rows([["3/7", "5/3"]], [["2/5"]])
    network = Network.dense((2, 2, 1), "square", output="activation")
    system = interpolation_system(network, data, "none")
    assert system.degrees == system.exact_degrees() == (6,)
    assert system.multidegrees(system.groups) == ((4, 2),)


def test_parameters_move_the_data_at_run_time() -> None:
    network = Network.dense((1, 2, 1), "cube", bias=[True, False])
    rng = random.Random(1)
    one, two = (
        Dataset.from_rows(
            [[fmpq(rng.randint(-9, 9), 4)] for _ in range(4)],
            [[fmpq(rng.randint(-9, 9), 4)] for _ in range(4)],
        )
        for _ in range(2)
    )
    made = interpolation_system(network, one, parametric=True)
    plain = interpolation_system(network, two)
    other = interpolation_system(network, two, parametric=True).values
    point: list[Scalar] = [fmpq(k, 3) for k in range(1, len(made.variables) + 1)]
    assert made.with_values(other).evaluate_exact(point) == plain.evaluate_exact(point)
    assert made.evaluate_exact(point, other) == plain.evaluate_exact(point)
    points = np.array([[complex(k, 1) for k in range(len(made.variables))]] * 2)
    numbers = np.array([complex(fraction(v)) for v in other])
    both = np.array([[complex(fraction(v)) for v in made.values], numbers])
    assert np.allclose(made.evaluate(points, numbers), plain.evaluate(points))
    assert np.allclose(made.evaluate(points, both)[0], made.evaluate(points)[0])
    assert np.allclose(made.evaluate(points, both)[1], plain.evaluate(points)[1])
    assert len(made.program) < 150  # the data are not baked into the program


def test_slices_are_stated_and_are_the_last_equations() -> None:
    network = Network.dense((2, 2, 1), "square", bias=[True, False])
    data = Dataset.from_rows([[1, 2], [0, 1], [3, 1], [2, 2], [5, 1]], [[1], [2], [3], [4], [5]])
    system = interpolation_system(network, data, "bias", slices="auto")
    assert system.is_square and len(system.slices) == 1 and system.degrees[-1] == 1
    point: list[Scalar] = [fmpq(k, 7) for k in range(6)]
    plane = system.slices[0]
    value = plane.constant
    for c, x in zip(plane.coefficients, point, strict=True):
        value += c * x
    assert system.evaluate_exact(point)[-1] == value
    assert "1 generic slice" in system.name
    again = interpolation_system(network, data, "bias", slices=1)
    other = interpolation_system(network, data, "bias", slices=1, seed=1)
    assert again.slices == system.slices != other.slices


def test_a_large_batch_equals_its_points_one_by_one() -> None:
    network = Network.dense((2, 3, 2, 1), "square", bias=True)
    data = Dataset.from_rows([[1, 2], [0, 1], ["1/3", -1]], [[1], [2], [0]])
    system = critical_system(network, data, "generic")
    rng = np.random.default_rng(0)
    points = rng.standard_normal((500, len(system.variables))) * (1 + 0.5j)
    values, derivatives = system.evaluate_with_jacobian(points)
    for k in (0, 77, 499):
        one, slope = system.evaluate_with_jacobian(points[k : k + 1])
        assert np.allclose(one[0], values[k], rtol=1e-12)
        assert np.allclose(slope[0], derivatives[k], rtol=1e-12)
    assert np.allclose(derivatives, np.swapaxes(derivatives, 1, 2))  # a Hessian


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda s: s.evaluate([1.0, 2.0]), "rows of 2 numbers"),
        (lambda s: s.evaluate([[1.0, 2.0]], [1.0]), "there are 0 parameters"),
        (lambda s: s.evaluate_exact([fmpq(1)]), "the system has 2 variables"),
        (lambda s: s.evaluate_balls([acb(1)]), "the system has 2 variables"),
        (lambda s: s.multidegrees([[0]]), "in one block"),
        (lambda s: s.weights_at([fmpq(1), fmpq(2)]), "made from a network"),
        (lambda s: s.with_slices(3), "there are 0 to 2 slices"),
        (lambda s: s.with_values([1]), "the system has 0 parameters"),
    ],
)
def test_refusals(act: Any, words: str) -> None:
    system = system_from_json({"variables": ["x", "y"], "polynomials": ["x*y-1", "x-y"]})
    with pytest.raises(InputError, match=words) as caught:
        act(system)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["relu", "abs", "step"])
def test_activations_that_are_not_polynomial_are_refused(kind: str) -> None:
    data = Dataset.from_rows([[1]], [[1]])
    with pytest.raises(InputError, match="need a polynomial activation"):
        interpolation_system(Network.dense((1, 1), kind), data)


@pytest.mark.parametrize("ridge", [0, "-1/2", ["1", "2", "3"], "many"])
def test_bad_ridges_are_refused(ridge: object) -> None:
    data = Dataset.from_rows([[1]], [[1]])
    with pytest.raises(InputError, match="ridge"):
        critical_system(Network.dense((1, 1, 1), "linear"), data, ridge)


def test_expansion_is_bounded_and_evaluation_is_not() -> None:
    program = Program()
    n = 12
    total = program.total([program.variable(i) for i in range(n)])
    system = PolynomialSystem(
        tuple(f"x{i}" for i in range(n)), program, (program.power(total, 40),)
    )
    assert system.degrees == (40,)
    assert system.evaluate_exact([fmpq(1)] * n) == (fmpq(n) ** 40,)
    with pytest.raises(InputError, match="expansion is bounded"):
        system.expanded()


def test_coefficients_beyond_double_are_refused_numerically_only() -> None:
    system = system_from_json({"variables": ["x"], "polynomials": ["1" + "0" * 400 + "*x-1"]})
    assert system.evaluate_exact([fmpq(0)]) == (fmpq(-1),)
    with pytest.raises(InputError, match=r"below 1\.8e308"):
        system.evaluate([[1.0]])
