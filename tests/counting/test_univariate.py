"""All solutions exactly: against known counts, the trace form, and systems made from points."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import zoo
from flint import acb, fmpq, fmpq_mat, fmpq_poly, fmpz_poly

from theorylab.counting import ladder
from theorylab.counting.expanded import Expanded
from theorylab.counting.external import engines, msolve
from theorylab.counting.groebner import Groebner, basis_of, groebner_basis
from theorylab.counting.ladder import Ladder
from theorylab.counting.quotient import Quotient, quotient_of, reduced
from theorylab.counting.univariate import (
    Representation,
    Solved,
    represented,
    univariate_representation,
)
from theorylab.outcome import Assurance, Undecided

KNOWN = [
    zoo.double_root(), zoo.near_duplicates(), zoo.parallel_circles(), zoo.caprasse(),
    zoo.cyclic(5), zoo.noon(3), zoo.noon(4), zoo.eco(5), zoo.eco(7), zoo.katsura(5),
    zoo.regular_root_at_the_origin(),
]  # fmt: skip
known_systems = pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)


def representation_of(system: Expanded) -> Representation:
    found = univariate_representation(system)
    assert isinstance(found, Representation)
    return found


def algebra_of(system: Expanded) -> Quotient:
    basis = groebner_basis(system)
    assert isinstance(basis, Groebner)
    found = quotient_of(basis.polynomials, 300)
    assert found is not None
    return found


@known_systems
def test_counts_with_and_without_multiplicity_and_real_ones(known: zoo.Known) -> None:
    found = representation_of(known.system)
    assert (found.distinct, found.with_multiplicity) == (known.distinct, known.with_multiplicity)
    assert found.real == known.real
    assert found.solves(known.system)


@known_systems
def test_every_point_solves_the_system_and_is_alone_in_its_balls(known: zoo.Known) -> None:
    points = representation_of(known.system).points(80)
    for point in points:
        for polynomial in known.system.polynomials:
            total = acb(0)
            for monomial, c in polynomial.items():
                term = acb(c)
                for z, power in zip(point.coordinates, monomial, strict=True):
                    term *= z**power
                total += term
            assert total.contains(0)
        assert all(z.imag == 0 for z in point.coordinates) == point.real
        assert all(z.rad() < 1e-15 * (1 + abs(z).abs_upper()) for z in point.coordinates)
    for k, one in enumerate(points):
        for other in points[:k]:
            pairs = zip(one.coordinates, other.coordinates, strict=True)
            assert not all(a.overlaps(b) for a, b in pairs)


def trace_form(algebra: Quotient) -> fmpq_mat:
    """Tr(a b) over a basis of monomials: rank = solutions, signature = real solutions."""
    identity = [[fmpq(int(i == j)) for j in range(algebra.size)] for i in range(algebra.size)]
    vectors, elements = [algebra.one], [fmpq_mat(identity)]
    span = 1
    for matrix in elements:
        for x in algebra.matrices:
            vector = x * matrix * algebra.one
            rows = [v.entries() for v in [*vectors, vector]]
            if fmpq_mat(rows).rank() > span:
                span += 1
                vectors.append(vector)
                elements.append(x * matrix)
    assert span == algebra.size

    def trace(matrix: fmpq_mat) -> fmpq:
        return sum((matrix[i, i] for i in range(matrix.nrows())), start=fmpq(0))

    return fmpq_mat([[trace(a * b) for b in elements] for a in elements])


def signature(form: fmpq_mat) -> int:
    """Positive less negative eigenvalues: Descartes' rule is exact, as all of them are real."""
    coefficients = [c for c in form.charpoly().coeffs() if c != 0]
    mirrored = [c * (-1) ** k for k, c in enumerate(form.charpoly().coeffs()) if c != 0]

    def changes(sequence: list[Any]) -> int:
        return sum(a * b < 0 for a, b in pairwise(sequence))

    return changes(coefficients) - changes(mirrored)


@pytest.mark.parametrize(
    "known",
    [zoo.double_root(), zoo.near_duplicates(), zoo.noon(3), zoo.eco(6), zoo.cyclic(3)],
    ids=lambda known: known.name,
)
def test_rank_and_signature_of_the_trace_form(known: zoo.Known) -> None:
    algebra = algebra_of(known.system)
    form, found = trace_form(algebra), represented(algebra)
    assert form.rank() == found.distinct == reduced(algebra).size
    assert signature(form) == found.real


def points_with_multiplicities(rng: random.Random) -> tuple[Expanded, dict[tuple[int, ...], int]]:
    """prod (x - a)^m = 0 and y a random polynomial of x, perhaps with its own double values."""
    zeros = {rng.randint(-4, 4): rng.randint(1, 3) for _ in range(rng.randint(1, 3))}
    univariate = fmpq_poly([1])
    for zero, multiplicity in zeros.items():
        univariate *= fmpq_poly([-zero, 1]) ** multiplicity
    double = rng.random() < 0.5
    slope = rng.randint(-2, 2)
    # (y - s x^2)^(1 or 2) = 0
    power = {(0, 1): fmpq(1), (2, 0): fmpq(-slope)}
    if double:
        power = {(0, 2): fmpq(1), (2, 1): fmpq(-2 * slope), (4, 0): fmpq(slope * slope)}
    first = {(k, 0): fmpq(c) for k, c in enumerate(univariate.coeffs())}
    expected = {(a, slope * a * a): m * (2 if double else 1) for a, m in zeros.items()}
    return Expanded(("x", "y"), (first, power)), expected


@pytest.mark.parametrize("seed", range(30))
def test_points_come_back_with_their_multiplicities(seed: int) -> None:
    system, expected = points_with_multiplicities(random.Random(seed))
    found = representation_of(system)
    assert found.solves(system)
    points = {
        tuple(round(float(z.real.mid())) for z in p.coordinates): p.multiplicity
        for p in found.points()
    }
    assert points == expected
    assert all(p.real for p in found.points())


def test_more_equations_than_unknowns_and_none_in_common() -> None:
    x = {(1,): fmpq(1), (0,): fmpq(-1)}
    square = {(2,): fmpq(1), (0,): fmpq(-1)}
    assert representation_of(Expanded(("x",), (square, x))).distinct == 1
    none = representation_of(Expanded(("x",), (square, {(1,): fmpq(1)})))
    assert (none.distinct, none.points(), none.real) == (0, (), 0)


def test_coordinates_that_are_zero_are_left_out_of_the_torus_exactly() -> None:
    # x (x - 1)^2 = 0, y^2 = x y: (0, 0), (1, 0), (1, 1).
    cubic = {(3, 0): fmpq(1), (2, 0): fmpq(-2), (1, 0): fmpq(1)}
    second = {(0, 2): fmpq(1), (1, 1): fmpq(-1)}
    whole = representation_of(Expanded(("x", "y"), (cubic, second)))
    assert (whole.distinct, whole.with_multiplicity) == (3, 6)
    torus = whole.in_torus()
    assert (torus.distinct, torus.with_multiplicity, torus.real) == (1, 2, 1)


def test_what_is_too_large_or_infinite_is_undecided() -> None:
    line = Expanded(("x", "y"), ({(1, 1): fmpq(1)}, {(1, 0): fmpq(1)}))
    assert isinstance(univariate_representation(line), Undecided)
    assert isinstance(univariate_representation(zoo.noon(7).system), Undecided)
    many = Expanded(("x", "y"), tuple(
        {tuple(18 * int(j == k) for j in range(2)): fmpq(1), (0, 0): fmpq(-2)} for k in range(2)
    ))  # fmt: skip
    found = univariate_representation(many)
    assert isinstance(found, Undecided)
    assert "more than 300" in str(found)


# Representations that lie


def test_the_substitution_refuses_what_does_not_solve_or_does_not_tell_apart() -> None:
    system = zoo.cyclic(3).system
    good = representation_of(system)
    assert good.solves(system)
    bent = (good.numerators[0] + 1, *good.numerators[1:])
    assert not replace(good, numerators=bent).solves(system)
    (factor, _), *_ = good.factors
    assert not replace(good, factors=((factor + 1, 1),)).solves(system)
    assert not replace(good, factors=((factor * factor, 1),)).solves(system)
    assert not replace(good, denominator=fmpq_poly(factor)).solves(system)
    assert not replace(good, form=(0, 0, 0)).solves(system)
    # Fewer solutions are still solutions: that none is missing is the basis's word.
    assert replace(good, factors=((fmpz_poly([1]), 1),)).solves(system)


def test_a_false_basis_from_outside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    system = zoo.double_root().system
    false = ({(1, 0): fmpq(1), (0, 0): fmpq(-2)}, {(0, 2): fmpq(1), (0, 0): fmpq(-1)})
    monkeypatch.setattr(ladder, "groebner_basis", lambda system: Undecided("too large"))
    monkeypatch.setattr(ladder.msolve, "rational_basis", lambda system, timeout: false)
    found = Ladder(system).solved()
    assert isinstance(found, Undecided)
    assert "other solutions" in str(found)


@pytest.mark.parametrize("known", [zoo.eco(8), zoo.power_network(2)], ids=lambda known: known.name)
def test_a_basis_from_outside_serves_where_ours_grows_too_large(known: zoo.Known) -> None:
    if next(e for e in engines() if e.name == "msolve").place is None:
        pytest.skip("not installed here: msolve")
    assert isinstance(groebner_basis(known.system), Undecided)
    found = Ladder(known.system).solved()
    assert isinstance(found, Solved)
    assert (found.distinct, found.multiple) == (known.distinct, 0)
    assert found.real == known.real or known.real is None
    assert found.assurance is Assurance.CAS
    basis = basis_of(msolve.rational_basis(known.system), len(known.system.variables))
    assert basis.dimension == 0
