"""Factorisations of one matrix: joined when the changes of basis are positive, else not."""

from __future__ import annotations

import pytest
from flint import fmpq, fmpq_mat

from theorylab.instances import Seeded, matrix
from theorylab.kernel import Proved, Refuted, check
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import connection_certificate, joined
from theorylab.topology.disconnected import parted
from theorylab.topology.fibre import changes_of_basis, connect_fibre
from theorylab.topology.linear import product
from theorylab.topology.path import Path, proof_of_joined


def factorisations(seed: int) -> tuple[Network, Weights, Weights, list[fmpq_mat]] | None:
    """Two of them through one to three layers of the rank, or None when a matrix is singular."""
    draw = Seeded(f"fibre {seed}")
    r, depth = draw.integer(1, 3), draw.integer(2, 4)
    n, m = r + draw.integer(0, 2), r + draw.integer(0, 2)
    network = Network.dense((n, *[r] * (depth - 1), m), "linear")
    a = tuple(matrix(draw, *network.shape(k), 2) for k in range(1, depth + 1))
    bases = [matrix(draw, r, r, 2) for _ in range(depth - 1)]
    if product(a).rank() < r or any(g.det() == 0 for g in bases):
        return None
    b = list(a)
    for k, g in enumerate(bases):
        b[k], b[k + 1] = g * b[k], b[k + 1] * g.inv()
    return network, a, tuple(b), bases


def test_joined_exactly_when_all_determinants_are_positive() -> None:
    positive = negative = 0
    for seed in range(150):
        made = factorisations(seed)
        if made is None:
            continue
        network, a, b, bases = made
        assert changes_of_basis(network, a, b) == bases
        path = connect_fibre(network, a, b)
        if any(g.det() < 0 for g in bases):
            assert isinstance(path, Undecided)
            negative += 1
            continue
        assert isinstance(path, Path)
        assert path.end == b
        draw = Seeded(seed)
        data = Dataset(matrix(draw, network.n, 4), matrix(draw, network.m, 4))
        loss = Loss(network, data)
        proof = proof_of_joined(path, loss, loss(a))
        assert not isinstance(proof, Undecided)
        raw = connection_certificate(loss, joined(a, b, loss(a)), *proof)
        assert isinstance(check(raw), Proved)
        positive += 1
    assert positive >= 15
    assert negative >= 30


def test_signs_decide_at_a_unique_optimum() -> None:
    """2-2-2, X = I, Y = diag(2, 1): one unit turned round is separated, two are joined."""
    data = Dataset.from_rows([[1, 0], [0, 1]], [[2, 0], [0, 1]])
    loss = Loss(Network.dense((2, 2, 2), "linear"), data)
    one, two = fmpq_mat([[-1, 0], [0, 1]]), fmpq_mat([[-1, 0], [0, -1]])
    a = (fmpq_mat([[1, 0], [0, 1]]), data.y)
    for turn, together in ((one, False), (two, True)):
        b = (turn * a[0], a[1] * turn)
        assert isinstance(connect_fibre(loss.network, a, b), Path) == together
        wall = parted(loss, a, b, fmpq(1, 2))
        assert isinstance(wall, Undecided) == together
        if not isinstance(wall, Undecided):
            raw = connection_certificate(loss, joined(a, b, fmpq(1, 2)), wall.rule, wall.proof)
            assert isinstance(check(raw), Refuted)


def test_other_networks_and_products_are_refused() -> None:
    network = Network.dense((1, 1, 1), "linear")
    one, two = fmpq_mat([[1]]), fmpq_mat([[2]])
    assert isinstance(connect_fibre(network, (one, one), (two, one)), Undecided)
    zero = fmpq_mat([[0]])
    assert isinstance(connect_fibre(network, (zero, one), (one, zero)), Undecided)
    wide = Network.dense((1, 2, 1), "linear")
    point = (fmpq_mat([[1], [0]]), fmpq_mat([[1, 0]]))
    assert isinstance(connect_fibre(wide, point, point), Undecided)
    with pytest.raises(InputError):
        connect_fibre(Network.dense((1, 1, 1), "relu"), (one, one), (one, one))
