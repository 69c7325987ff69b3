"""Linear-product start systems: all their solutions, each exactly once, and regular."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import zoo
from flint import fmpq

from theorylab.counting.bounds import multihomogeneous as bound
from theorylab.counting.expanded import Expanded
from theorylab.counting.homotopy.engine import clusters
from theorylab.counting.homotopy.homotopy import multihomogeneous, total_degree
from theorylab.counting.homotopy.starts import linear_product
from theorylab.counting.system import critical_system, interpolation_system, system_from_json
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError


def critical():
    data = Dataset.from_rows([[1, 2], [3, -1]], [[1, 2], [0, 1]])
    return critical_system(Network.dense((2, 1, 2), "linear"), data, "generic")


def three_layers():
    rows = [[k * k % 7 - 3, k % 5 + 1, 2 * k % 11] for k in range(7)]
    data = Dataset.from_rows(rows, [[k % 3] for k in range(7)])
    return interpolation_system(Network.dense((3, 2, 2, 1), "square"), data)


SMALL = [
    ([[1, 1], [1, 1], [2, 1]], (0, 0, 1)),
    ([[3], [2], [2]], (0, 0, 0)),
    ([[0, 2], [2, 1], [1, 0]], (1, 0, 1)),
    ([[1, 1, 0], [0, 1, 2], [1, 2, 1], [2, 1, 1]], (0, 1, 2, 2)),
]


@pytest.mark.parametrize(("degrees", "groups"), SMALL)
def test_every_start_solution_is_one_simple_root_and_none_is_missing(
    degrees: list[list[int]], groups: tuple[int, ...]
) -> None:
    """By the literal definition: equations in x, evaluated and differentiated by hand."""
    degree = np.array(degrees)
    start = linear_product(degree, groups, 3)
    points = start.solutions(np.arange(start.paths))
    n, factors = degree.shape
    assert len(points) == start.paths > 0
    assert len(clusters(points[:, :n], 1e-9)) == start.paths
    for point in points:
        x = point[:n]
        matrix = np.ones((n, n), dtype=complex)
        for i in range(n):
            values, slopes = [], []
            for g in range(factors):
                form = np.where(np.array(groups) == g, start.forms[i], 0)
                d, z = degree[i, g], form @ x
                values.append(z**d - start.constants[i, g] if d else 1)
                slopes.append(d * z ** max(d - 1, 0) * form)
            assert abs(np.prod(values)) < 1e-11
            matrix[i] = sum(
                slope * np.prod([v for h, v in enumerate(values) if h != g])
                for g, slope in enumerate(slopes)
            )
        assert np.linalg.cond(matrix) < 1e8


@pytest.mark.parametrize("make", [critical, three_layers])
def test_the_number_of_paths_is_the_multihomogeneous_bezout_number(make) -> None:
    system = make()
    posed = multihomogeneous(system, system.groups, 0)
    written = Expanded(system.variables, system.expanded())
    assert posed.paths == bound(written, system.groups).value
    assert posed.paths < np.prod(system.degrees)


def test_a_batch_of_ids_gives_the_same_points_as_all() -> None:
    posed = multihomogeneous(critical(), critical().groups, 0)
    every = posed.starts(np.arange(posed.paths))
    some = np.array([7, 0, posed.paths - 1, 3])
    found = posed.starts(some)
    assert np.allclose(found, every[some], rtol=0, atol=1e-13)  # because batches round
    one = np.ones(posed.paths, dtype=complex)
    values, jacobian, _ = posed.homotopy.evaluate(every, one, posed.parameters[None])
    assert np.abs(values).max() < 1e-12
    # Beside the directions of the two projective factors, the derivative is onto.
    assert np.linalg.svd(jacobian, compute_uv=False)[:, -1].min() > 1e-6


def test_one_group_has_as_many_paths_as_the_total_degree() -> None:
    content = zoo.noon(3).system
    system = system_from_json(
        {"variables": list(content.variables), "polynomials": str(content).splitlines()}
    )
    assert multihomogeneous(system, [range(3)]).paths == total_degree(system).paths == 27


def test_seeds_change_constants_and_gamma_but_not_the_program() -> None:
    one, other = (multihomogeneous(critical(), critical().groups, seed) for seed in (1, 2))
    assert one.gamma != other.gamma and not np.array_equal(one.parameters, other.parameters)
    assert one.homotopy.program.kinds == other.homotopy.program.kinds
    assert one.homotopy.program.constants == other.homotopy.program.constants


def test_forms_are_in_general_position_and_no_entry_is_an_integer() -> None:
    forms = linear_product(np.array([[2, 2]] * 6), (0, 0, 1, 1, 1, 1), 0).forms
    assert min(np.linalg.svd(forms[list(rows), 2:], compute_uv=False)[-1]
               for rows in combinations(range(6), 4)) > 0.1  # fmt: skip
    forms = np.stack([forms.real, forms.imag])
    assert Counter(float(x).is_integer() for x in forms.ravel()) == {False: 72}
    assert {fmpq(*float(x).as_integer_ratio()).q for x in forms.ravel()} == {1024}


def test_no_paths_where_the_number_is_zero_and_refused_groups() -> None:
    system = system_from_json({"variables": ["x", "y"], "polynomials": ["x - 1", "x^2 - 3"]})
    assert multihomogeneous(system, [[0], [1]]).paths == 0
    with pytest.raises(InputError, match="is in one group"):
        multihomogeneous(system, [[0]])
