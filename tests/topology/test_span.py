"""Paths of matrices that span both ends: CLAIMS C4, and exactly when there is one."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from flint import fmpq_mat
from topology.topology_certificates import random_matrix

from theorylab.kernel import Outcome, check
from theorylab.model import Dataset, Network, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.exact_algebra import beside, rank
from theorylab.topology.span import span_path


def outcome_of(shown: Argument) -> Outcome:
    (a,) = shown.conclusion["A"]
    n, width = len(a), len(a[0])
    network = Network.dense((width, n), "linear")
    data = Dataset(fmpq_mat(width, 1), fmpq_mat(n, 1))
    return check(
        certificate(statement_json(network, data, [], shown.conclusion), shown.rule, shown.proof)
    )


def pairs(n: int, width: int) -> list[tuple[fmpq_mat, fmpq_mat]]:
    """Random pairs, with rank one, zero, the same, turned round, and in one line."""
    rng = random.Random(f"{n}{width}")
    a, b = random_matrix(n, width, rng), random_matrix(n, width, rng)
    column = random_matrix(n, 1, rng)
    line, other = (column * random_matrix(1, width, rng) for _ in range(2))
    zero = fmpq_mat(n, width)
    return [
        (a, b),
        (a, a),
        (a, a * -1),
        (line, a),
        (line, other),
        (zero, a),
        (a, zero),
        (zero, zero),
    ]


@pytest.mark.parametrize("n", range(1, 6))
@pytest.mark.parametrize("width", range(1, 7))
def test_a_path_exactly_where_columns_or_signs_allow_one(n: int, width: int) -> None:
    for a, b in pairs(n, width):
        s, shown = rank(beside(a, b)), span_path(a, b)
        if s < width:
            assert isinstance(shown, Argument)
            assert type(outcome_of(shown)).__name__ == "Proved"
            assert len(shown.proof["minors"]) <= 2 * s + 3
        elif s > width or (a.transpose() * b).det() < 0:
            assert isinstance(shown, Argument)
            assert type(outcome_of(shown)).__name__ == "Refuted"
        else:
            assert isinstance(shown, Undecided)


def along(shown: Argument) -> list[fmpq_mat]:
    ends = [shown.conclusion[end][0] for end in "AB"]
    table: list[Any] = [ends[0], *shown.proof["vertices"], ends[1]]
    return [matrix(rows) for rows in table]


def test_every_point_inside_spans_both_ends() -> None:
    for a, b in pairs(3, 5):
        shown = span_path(a, b)
        assert isinstance(shown, Argument)
        vertices, s = along(shown), rank(beside(a, b))
        for i, (p, q) in enumerate(pairwise(vertices)):
            for k in range(0 if i else 1, 8 if i == len(vertices) - 2 else 9):
                point = p + (q - p) * k / 8
                assert rank(point) == s == rank(beside(beside(a, b), point))


def test_matrices_of_two_shapes_have_no_path() -> None:
    with pytest.raises(InputError, match="one shape"):
        span_path(fmpq_mat([[1, 2]]), fmpq_mat([[1], [2]]))
