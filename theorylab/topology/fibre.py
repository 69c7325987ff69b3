"""Two factorisations of one matrix through layers of its rank: joined when all signs agree."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model import Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import identity, rank, right_inverse
from theorylab.topology.linear import product, require_linear
from theorylab.topology.path import Path, PathBuilder, Polynomials

_ONE = fmpq_poly([1])


@dataclass(frozen=True, slots=True)
class _Step:
    """Row `i` plus `factor` times row `j`; for i = j row `i` is multiplied by `factor`."""

    i: int
    j: int
    factor: fmpq

    @property
    def undone(self) -> _Step:
        return _Step(self.i, self.j, 1 / self.factor if self.i == self.j else -self.factor)


def changes_of_basis(network: Network, a: Weights, b: Weights) -> list[fmpq_mat] | None:
    """G_1, ..., G_{K-1} with B_k = G_k A_k G_{k-1}^-1, G_0 and G_K the identity; None without.

    For linear networks all of whose hidden layers have the width r, the rank of the product.

    >>> net = Network.dense((1, 1, 1), "linear")
    >>> a, b = ((fmpq_mat([[w]]), fmpq_mat([[1 / fmpq(w)]])) for w in (1, -2))
    >>> changes_of_basis(net, a, b)
    [[-2]]
    """
    require_linear(network)
    a, b = network.check_weights(a), network.check_weights(b)
    whole = product(a)
    tight = set(network.hidden) == {rank(whole)}
    if not tight or product(b) != whole:
        return None
    found = [b[0] * right_inverse(a[0])]
    for k in range(1, network.depth - 1):
        found.append(b[k] * found[-1] * a[k].inv())
    return found


def connect_fibre(network: Network, a: Weights, b: Weights) -> Path | Undecided:
    """Return a path from `a` to `b` along which the product W_K ... W_1 is constant.

    All hidden layers have the width r, the rank of the product, and every G_k of
    ``changes_of_basis`` has a positive determinant: it is then a product of row operations that
    can be done little by little, undone in the layer above. Undecided otherwise; where a
    determinant is negative and the product is a unique optimum, there is no such path.
    Guarantees: exact, the end is exactly `b`. Source: Trager, Kohn & Bruna 2019.

    >>> net = Network.dense((1, 1, 1), "linear")
    >>> a, b = ((fmpq_mat([[w]]), fmpq_mat([[1 / fmpq(w)]])) for w in (1, 2))
    >>> connect_fibre(net, a, b).segments
    1
    """
    found = changes_of_basis(network, a, b)
    if found is None:
        return Undecided("not two factorisations of one matrix through its rank", "the fibre")
    if any(g.det() <= 0 for g in found):
        return Undecided("a change of basis has a negative determinant", "the fibre")
    builder = PathBuilder(network, a)
    for k, g in enumerate(found, start=1):
        for step in reversed(_reduction(g)):
            _follow(builder, k, step.undone)
    assert builder.current == network.check_weights(b)
    return builder.path()


def _reduction(g: fmpq_mat) -> list[_Step]:
    """Row operations that turn a matrix of positive determinant into the identity."""
    table, steps, r = fmpq_mat(g), list[_Step](), g.nrows()

    def do(i: int, j: int, factor: fmpq) -> None:
        if factor == (1 if i == j else 0):
            return
        for c in range(r):
            table[i, c] = table[i, c] * factor if i == j else table[i, c] + factor * table[j, c]
        steps.append(_Step(i, j, factor))

    for i in range(r):
        if i < r - 1 and table[i, i] != 1:
            if all(table[j, i] == 0 for j in range(i + 1, r)):
                do(i + 1, i, fmpq(1))
            j = next(j for j in range(i + 1, r) if table[j, i] != 0)
            do(i, j, (1 - table[i, i]) / table[j, i])
        do(i, i, 1 / table[i, i])
        for j in range(r):
            if j != i:
                do(j, i, -table[j, i])
    assert table == identity(r)
    return steps


def _follow(builder: PathBuilder, k: int, step: _Step) -> None:
    """The row operation on W_k, with its inverse on the columns of W_{k+1}, little by little."""
    lower, upper = builder.current[k - 1], builder.current[k]
    i, j, c = step.i, step.j, step.factor
    rows, columns = _constant(lower), _constant(upper)
    if i == j:
        grown = fmpq_poly([1, c - 1])
        rows[i] = [grown * p for p in rows[i]]
        columns = [
            [p if place == i else p * grown for place, p in enumerate(row)] for row in columns
        ]
        builder.piece([(k, _frozen(rows), _ONE), (k + 1, _frozen(columns), grown)])
        return
    t = fmpq_poly([0, c])
    rows[i] = [p + t * q for p, q in zip(rows[i], rows[j], strict=True)]
    for row in columns:
        row[j] = row[j] - t * row[i]
    builder.piece([(k, _frozen(rows), _ONE), (k + 1, _frozen(columns), _ONE)])


def _constant(m: fmpq_mat) -> list[list[fmpq_poly]]:
    return [[fmpq_poly([q]) for q in row] for row in m.tolist()]


def _frozen(rows: list[list[fmpq_poly]]) -> Polynomials:
    return tuple(tuple(row) for row in rows)
