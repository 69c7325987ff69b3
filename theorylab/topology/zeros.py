"""Identities that show a zero of the loss to be the only one, or that there is none."""

from __future__ import annotations

from functools import reduce
from operator import add

from flint import fmpq, fmpq_mat, fmpq_mpoly

from theorylab.model import Dataset, Network
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument, polynomial_json, squares_of, symbolic_weights
from theorylab.topology.exact_algebra import identity, rank
from theorylab.topology.path import theta_json


def only_zero(network: Network, data: Dataset) -> Argument | Undecided:
    """Show that W_1 = 0 is the only real zero of sum_k u_k (w_k.x_j)^2 = 0, the u_k > 0 fixed.

    The equations add up to sum_k u_k w_k^T G w_k, G = X X^T, and G - d I >= 0 for some d > 0 when
    the inputs span. Over C the zeros have dimension >= pn - N, and over R the count of parameters
    says nothing. Guarantees: exact. Undecided when a hypothesis fails.

    >>> network = Network.with_pattern((1, 2, 1), "square", [None, [["1", "1"]]])
    >>> only_zero(network, Dataset.from_rows([[1]], [[0]])).proof["margins"]
    ['1', '1']
    """
    shape = network.depth == 2 and network.m == 1 and network.activation.kind == "square"
    fixed = [e for e in network.entries(2) if isinstance(e, fmpq) and e > 0]
    free = all(e is None for e in network.entries(1))
    plain = free and len(fixed) == network.widths[1] and not any(network.bias)
    if not (shape and plain and network.output == "linear") or any(data.y.entries()):
        return Undecided("not squares with fixed positive outputs and targets 0", "the identity")
    n, gram = network.n, data.x * data.x.transpose()
    if rank(gram) < n:
        return Undecided("the inputs do not span", "the identity", "add inputs")
    margin = fmpq(1)
    while (squares := squares_of(gram - identity(n) * margin)) is None:
        margin = margin / 2
    terms = [
        [str(u * d), [[str(c), [[k * n + i, 1]]] for i, c in enumerate(line) if c]]
        for k, u in enumerate(fixed)
        for d, line in squares
    ]
    a = (fmpq_mat(len(fixed), n), fmpq_mat([fixed]))
    proof = {
        "constant": "0",
        "multipliers": [[["1", []]]] * data.samples,
        "margins": [str(u * margin) for u in fixed for _ in range(n)],
        "squares": terms,
    }
    return Argument({"kind": "positive_dimension", "A": theta_json(a)}, "rank", proof)


def no_zero(network: Network, data: Dataset) -> Argument | Undecided:
    """Show that one unit u (w.x)^2 meets no targets of both signs, however many weights there are.

    With p = w.x_i, q = w.x_j, y_i > 0 > y_j: u q^2 (u p^2 - y_i) + y_i (u q^2 - y_j) equals
    (u p q)^2 - y_i y_j > 0. Guarantees: exact. Undecided when a hypothesis fails.
    """
    shape = network.widths[1:] == (1, 1) and network.activation.kind == "square"
    if not shape or not network.is_dense or any(network.bias) or network.output != "linear":
        return Undecided("not one unit u (w.x)^2", "the identity")
    targets = data.y.entries()
    signs = [next((j for j, y in enumerate(targets) if y * s > 0), None) for s in (1, -1)]
    if signs[0] is None or signs[1] is None:
        return Undecided("the targets have not both signs", "the identity")
    i, j = signs[0], signs[1]
    (row,), ((u,),) = symbolic_weights(network)

    def along(sample: int) -> fmpq_mpoly:
        return reduce(add, (w * data.x[c, sample] for c, w in enumerate(row)))

    p, q = along(i), along(j)
    multipliers: list[object] = [[] for _ in targets]
    multipliers[i], multipliers[j] = polynomial_json(u * q * q), [[str(targets[i]), []]]
    proof = {
        "constant": str(-targets[i] * targets[j]),
        "multipliers": multipliers,
        "margins": [],
        "squares": [["1", polynomial_json(u * p * q)]],
    }
    return Argument({"kind": "has_zero"}, "rank", proof)


def no_zero_of_units(network: Network, data: Dataset) -> Argument | Undecided:
    """Show that (w.x_j)^2 = y_j has no real solution, as some y_j is negative.

    Guarantees: exact. Undecided when a hypothesis fails.

    >>> network = Network.dense((1, 1), "square", output="activation")
    >>> no_zero_of_units(network, Dataset.from_rows([[2]], [[-3]])).proof["squares"]
    [['1', [['2', [[0, 1]]]]]]
    """
    shape = network.depth == network.m == 1 and network.activation.kind == "square"
    if not shape or not network.is_dense or any(network.bias) or network.output != "activation":
        return Undecided("not one layer (w.x)^2", "the identity")
    targets = data.y.entries()
    j = next((j for j, y in enumerate(targets) if y < 0), None)
    if j is None:
        return Undecided("no target is negative", "the identity")
    multipliers: list[object] = [[] for _ in targets]
    multipliers[j] = [["1", []]]
    form = [[str(data.x[i, j]), [[i, 1]]] for i in range(network.n) if data.x[i, j] != 0]
    proof = {
        "constant": str(-targets[j]),
        "multipliers": multipliers,
        "margins": [],
        "squares": [["1", form]],
    }
    return Argument({"kind": "has_zero"}, "rank", proof)
