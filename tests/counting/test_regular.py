"""All solutions in boxes, from the exact representation: complete, disjoint, always the same."""

from __future__ import annotations

import pytest
import zoo
from flint import fmpq

from theorylab.counting.certified import CertifiedRoots, Realness
from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.expanded import Expanded
from theorylab.counting.krawczyk import holds
from theorylab.counting.polynomials import PolynomialSystem
from theorylab.counting.regular import regular_roots
from theorylab.counting.system import Program
from theorylab.model import Dataset, Network
from theorylab.outcome import Undecided


def in_boxes(system: PolynomialSystem) -> CertifiedRoots | Undecided:
    names = tuple(f"x{j}" for j in range(len(system.variables)))
    terms = system.expanded()
    return regular_roots(
        system, Expanded(names, tuple({m: fmpq(c) for m, c in p.items()} for p in terms))
    )


def programmed(known: zoo.Known) -> PolynomialSystem:
    program = Program()
    outputs = []
    for p in known.system.polynomials:
        terms = []
        for monomial, c in p.items():
            term = program.constant(c)
            for j, e in enumerate(monomial):
                if e:
                    term = program.mul(term, program.power(program.variable(j), e))
            terms.append(term)
        outputs.append(program.total(terms))
    return PolynomialSystem(known.system.variables, program, tuple(outputs))


@pytest.mark.parametrize("known", [zoo.katsura(4), zoo.noon(3), zoo.eco(5)], ids=lambda k: k.name)
def test_all_solutions_of_a_known_system(known: zoo.Known) -> None:
    system = programmed(known)
    found = in_boxes(system)
    assert isinstance(found, CertifiedRoots)
    assert len(found) == known.distinct
    if known.real is not None:
        assert found.count(Realness.REAL) == known.real
    assert all(holds(system, root.box) for root in found.roots)
    centers = [root.box.at(256)[0] for root in found.roots]
    radii = [root.box.at(256)[1] for root in found.roots]
    for i in range(len(centers)):
        for j in range(i):
            gap = max(
                max(abs(a[0] - b[0]), abs(a[1] - b[1]))
                for a, b in zip(centers[i], centers[j], strict=True)
            )
            assert gap > radii[i] + radii[j]


def test_the_same_boxes_every_time_in_order() -> None:
    data = Dataset.from_rows([[1], [2]], [[3], [-1]])
    system = critical_system(Network.dense((1, 1, 1, 1), "linear"), data, "generic")
    one, two = in_boxes(system), in_boxes(system)
    assert isinstance(one, CertifiedRoots) and isinstance(two, CertifiedRoots)
    assert [r.box for r in one.roots] == [r.box for r in two.roots]
    first = [root.box.center[0][0] / 2**root.box.precision for root in one.roots]
    assert first == sorted(first)
    assert all(r.box.has_real_center == (r.realness is Realness.REAL) for r in one.roots)


def test_a_singular_solution_is_undecided() -> None:
    """u w^2 = 0 at u = 1: a double solution has no box."""
    network = Network.with_pattern((1, 1, 1), "square", [None, [["1"]]])
    found = in_boxes(interpolation_system(network, Dataset.from_rows([[1]], [[0]]), "none"))
    assert isinstance(found, Undecided) and "singular" in str(found)


def test_infinitely_many_solutions_are_undecided() -> None:
    network = Network.dense((1, 1, 1), "linear")
    data = Dataset.from_rows([[1], [2]], [[1], [2]])
    found = in_boxes(interpolation_system(network, data, "none"))
    assert isinstance(found, Undecided)
