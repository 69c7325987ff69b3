"""Bounds against known numbers, against brute force, and against each other."""

from __future__ import annotations

import itertools
import random
from math import factorial, prod

import pytest
import zoo

from theorylab.counting import bounds
from theorylab.counting.expanded import Expanded
from theorylab.counting.external import phc, process
from theorylab.outcome import Assurance, InputError


def brute_force(degrees: list[list[int]], sizes: list[int]) -> int:
    """The coefficient by summing over all assignments of equations to groups."""
    total = 0
    for choice in itertools.product(range(len(sizes)), repeat=len(degrees)):
        if all(choice.count(j) == size for j, size in enumerate(sizes)):
            total += prod(row[j] for row, j in zip(degrees, choice, strict=True))
    return total


@pytest.mark.parametrize("seed", range(20))
def test_the_multihomogeneous_number_is_the_coefficient(seed: int) -> None:
    rng = random.Random(seed)
    sizes = [rng.randint(1, 3) for _ in range(rng.randint(1, 3))]
    degrees = [[rng.randint(0, 3) for _ in sizes] for _ in range(sum(sizes))]
    assert bounds.multihomogeneous_number(degrees, sizes) == brute_force(degrees, sizes)


def test_singletons_give_the_permanent() -> None:
    assert bounds.multihomogeneous_number([[1] * 6] * 6, [1] * 6) == factorial(6)


@pytest.mark.parametrize(("exponent", "numbers"), [(2, (243, 160)), (3, (4096, 1215))])
def test_network_bounds_overshoot(exponent: int, numbers: tuple[int, int]) -> None:
    system = zoo.power_network(exponent).system
    layers = [[0, 1], [2, 3, 4, 5]]
    assert bounds.bezout(system).value == numbers[0]
    assert bounds.multihomogeneous(system, layers).value == numbers[1]
    best = bounds.best_multihomogeneous(system, [layers])
    assert (best.value, best.best) == (numbers[1], True)
    assert best.partition == (("u1", "u2"), ("w11", "w12", "w21", "w22"))


@pytest.mark.parametrize(("exponent", "number"), [(2, 32), (3, 81)])
def test_network_mixed_volumes(exponent: int, number: int) -> None:
    volumes = bounds.mixed_volumes(zoo.power_network(exponent).system)
    if volumes is None:
        pytest.skip(phc.PROGRAM_REMEDY)
    assert volumes[0].value == volumes[1].value == number


@pytest.mark.parametrize(
    "known",
    [zoo.cyclic(5), zoo.katsura(5), zoo.noon(3), zoo.eco(6), zoo.caprasse(), zoo.double_root(),
     zoo.regular_root_at_the_origin(), zoo.near_duplicates(), zoo.linear_sum(4)],
    ids=lambda known: known.name,
)  # fmt: skip
def test_every_bound_bounds(known: zoo.Known) -> None:
    degree = known.with_multiplicity
    assert degree is not None
    total = bounds.bezout(known.system)
    best = bounds.best_multihomogeneous(known.system)
    assert degree <= best.value <= total.value
    volumes = bounds.mixed_volumes(known.system)
    if volumes is not None:
        mixed, stable = volumes
        assert mixed.value <= stable.value and degree <= stable.value
        assert (mixed.domain, stable.domain) == ("torus", "affine")
        assert mixed.assurance is Assurance.NUMERIC


def test_the_search_above_eight_variables_starts_from_the_layers() -> None:
    system = zoo.eco(10).system
    found = bounds.best_multihomogeneous(system)
    assert found.value == 1280 and not found.best
    layers = [list(range(9)), [9]]
    assert bounds.best_multihomogeneous(system, [layers]).value <= 1280


def test_bezout_of_systems_that_are_not_square() -> None:
    circle, line = zoo.parallel_circles().system, zoo.linear_sum(2).system
    both = Expanded(("x", "y"), (*circle.polynomials, *line.polynomials))
    assert bounds.bezout(both).value == 4
    assert bounds.bezout(Expanded(("x", "y"), circle.polynomials[:1])).value == 0
    assert bounds.bezout(Expanded(("x", "y"), (circle.polynomials[0], {}))).value == 0
    with pytest.raises(InputError, match="square"):
        bounds.best_multihomogeneous(both)


@pytest.mark.parametrize("groups", [[[0]], [[0], [0, 1]], [[0, 1], []], [[0, 2]]])
def test_groups_must_partition(groups: list[list[int]]) -> None:
    with pytest.raises(InputError, match="exactly one group"):
        bounds.multihomogeneous(zoo.double_root().system, groups)


def test_too_fine_a_partition_is_refused() -> None:
    with pytest.raises(InputError, match="states"):
        bounds.multihomogeneous_number([[1] * 30] * 30, [1] * 30)


def test_without_phc_there_is_no_mixed_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(process.ENGINES_VARIABLE, raising=False)
    assert bounds.mixed_volumes(zoo.double_root().system) is None


def test_a_bound_says_what_it_counts_and_who_proved_it() -> None:
    text = str(bounds.bezout(zoo.double_root().system))
    assert "at most 4 isolated complex solutions in affine space, with multiplicity" in text
    assert "Fulton" in text
