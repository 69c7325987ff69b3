"""Staircases: every step is recomputed here by sympy, and the kernel says the same."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
import zoo
from flint import fmpq

from theorylab.counting import completeness, vouched
from theorylab.counting.cofactors import Staircase, staircase, standard_count
from theorylab.counting.completeness import count
from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.expanded import Expanded
from theorylab.kernel.arith import Poly
from theorylab.kernel.roots import _staircase
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance, Undecided


def written(terms: Any, names: list[sp.Symbol]) -> sp.Poly:
    listed = {m: sp.Rational(int(c.p), int(c.q)) for m, c in terms.items()}
    return sp.Poly.from_dict(listed, *names, domain=sp.QQ)


def recounted(system: Expanded, found: Staircase) -> int:
    """The standard monomials that the steps leave, by sympy's polynomials and orders."""
    names = list(sp.symbols([f"x{j}" for j in range(len(system.variables))]))
    members = [written(p, names).primitive()[1] for p in system.polynomials]
    for step in found.to_json()["steps"]:
        total = sp.Poly(0, *names, domain=sp.QQ)
        for member, cofactor in step:
            terms = {}
            for c, pairs in cofactor:
                exponents = dict(map(tuple, pairs))
                key = tuple(exponents.get(j, 0) for j in range(len(names)))
                terms[key] = sp.Rational(c)
            total += members[member] * sp.Poly.from_dict(terms, *names, domain=sp.QQ)
        assert not total.is_zero
        members.append(total.primitive()[1])
    corners = [p.monoms(order=sp.grevlex)[0] for p in members]
    found_all, layer = 0, {(0,) * len(names)}
    while layer:
        kept = [m for m in layer if not any(all(map(operator.le, c, m)) for c in corners)]
        found_all += len(kept)
        layer = {(*m[:j], m[j] + 1, *m[j + 1 :]) for m in kept for j in range(len(names))}
    return found_all


def by_the_kernel(system: Expanded, found: Staircase) -> int:
    polynomials = [
        Poly.of({m: Fraction(int(c.p), int(c.q)) for m, c in p.items()}, len(system.variables))
        for p in system.polynomials
    ]
    return _staircase(found.to_json()["steps"], polynomials)


@pytest.mark.parametrize(
    "known", [zoo.katsura(3), zoo.cyclic(5), zoo.noon(3), zoo.eco(5)], ids=lambda k: k.name
)
def test_the_staircase_of_a_known_system(known: zoo.Known) -> None:
    found = staircase(known.system)
    assert isinstance(found, Staircase)
    assert found.bound == known.with_multiplicity
    assert recounted(known.system, found) == found.bound == by_the_kernel(known.system, found)


@pytest.mark.parametrize("scale", [1, 10**30])
def test_long_numbers_make_more_steps_not_other_bounds(scale: int) -> None:
    """Coefficients of 100 bits: cofactors are cut off, what is reached becomes a member."""
    p = {(3, 0): fmpq(scale + 1), (1, 1): fmpq(7, scale + 3), (0, 0): fmpq(-5)}
    q = {(0, 3): fmpq(scale + 9), (2, 1): fmpq(-3, scale + 5), (1, 0): fmpq(1)}
    system = Expanded(("x", "y"), (p, q))
    found = staircase(system)
    assert isinstance(found, Staircase)
    assert found.bound == 9 == by_the_kernel(system, found) == recounted(system, found)


def test_it_stops_when_the_bound_is_good_enough() -> None:
    known = zoo.cyclic(5)
    short, whole = staircase(known.system, 100), staircase(known.system)
    assert isinstance(short, Staircase) and isinstance(whole, Staircase)
    assert 70 <= short.bound <= 100 and whole.bound == 70
    assert len(short.steps) < len(whole.steps)
    assert by_the_kernel(known.system, short) == short.bound


def test_no_solution_is_a_staircase_without_steps_down() -> None:
    line = {(1, 0): fmpq(1), (0, 1): fmpq(1)}
    system = Expanded(("x", "y"), (line, {**line, (0, 0): fmpq(1)}))
    found = staircase(system)
    assert isinstance(found, Staircase)
    assert found.bound == 0 == by_the_kernel(system, found)


def test_infinitely_many_solutions_are_undecided() -> None:
    line = {(1, 0): fmpq(1), (0, 1): fmpq(1)}
    found = staircase(Expanded(("x", "y"), (line, {(2, 0): fmpq(1), (0, 2): fmpq(-1)})))
    assert isinstance(found, Undecided) and "infinitely" in str(found)


def test_a_zero_equation_and_many_unknowns_are_undecided() -> None:
    assert isinstance(staircase(Expanded(("x",), ({},))), Undecided)
    names = tuple(f"x{j}" for j in range(11))
    unit = [tuple(int(i == j) for i in range(11)) for j in range(11)]
    assert isinstance(staircase(Expanded(names, tuple({m: fmpq(1)} for m in unit))), Undecided)


def test_standard_monomials() -> None:
    assert standard_count([(1, 0)], 2, 10) is None
    assert standard_count([(3, 0), (0, 3)], 2, 8) is None
    assert standard_count([(3, 0), (0, 3)], 2, 9) == 9
    assert standard_count([(0, 0)], 2, 9) == 0


LINE = Dataset.from_rows([[1]], [[10]], name="one point")
DEEP = critical_system(Network.dense((1, 1, 1, 1), "linear"), LINE, "generic")


def test_a_network_whose_bounds_by_degrees_do_not_meet_is_complete_at_kernel() -> None:
    found = count(DEEP)
    assert found.complete and found.certified == 17 and found.certified_real == 9
    assert found.bounds.multihomogeneous == 29
    assert found.assurance is Assurance.KERNEL
    assert "staircase of 17" in str(found.upper_rule)
    assert found.lemmas == ("Lemma 18", "Lemma 25")


def test_wrong_steps_do_not_reach_the_kernel_assurance(monkeypatch: pytest.MonkeyPatch) -> None:
    def forged(system: Expanded, enough: int = 0) -> Staircase:
        return Staircase(enough, ())

    monkeypatch.setattr(vouched, "staircase", forged)
    found = count(DEEP)
    assert found.assurance is not Assurance.KERNEL
    assert any("pure power" in note for note in found.notes)


def test_no_weights_at_all_at_kernel() -> None:
    """u (w x)^2 = 1 and 2 at the same x, u = 1."""
    network = Network.with_pattern((2, 1, 1), "square", [None, [["1"]]])
    data = Dataset.from_rows([[1, 0], [1, 0]], [[1], [2]])
    found = count(interpolation_system(network, data, "none"))
    assert found.complete and found.upper == 0
    assert found.assurance is Assurance.KERNEL


def test_where_no_exact_count_is_possible_the_steps_bound_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for products of degrees beyond those that a Groebner basis is tried for."""
    monkeypatch.setattr(completeness._Counting, "_exact", lambda self, certified: None)
    found = count(DEEP)
    assert (found.certified, found.upper, found.dimension) == (17, 17, 0)
    assert found.assurance is Assurance.KERNEL
