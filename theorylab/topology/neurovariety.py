"""The dimension of the set of functions that a homogeneous polynomial network represents."""

from __future__ import annotations

from math import comb

from flint import fmpq, fmpq_mat, fmpq_mpoly

from theorylab.model import Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Matrix, polynomial_json, symbolic_weights
from theorylab.topology.exact_algebra import rank
from theorylab.topology.path import Json, theta_json

# Quartics in 3, 4, 5 variables and cubics in 5: one dimension less than the parameters promise.
_DEFECTIVE = {(3, 4, 5), (4, 4, 9), (5, 4, 14), (5, 3, 7)}


def parameter_count_dimension(n: int, p: int, degree: int) -> int:
    """What counting parameters modulo scalings gives for n-p-1 and z^degree: min(pn, all forms).

    >>> parameter_count_dimension(3, 5, 4)
    15
    """
    return min(p * n, comb(n + degree - 1, degree))


def waring_dimension(n: int, p: int, degree: int) -> int:
    """The dimension of the forms sum_k u_k (w_k.x)^degree, p terms in n variables.

    Source: Alexander & Hirschowitz 1995 for degree >= 3; symmetric matrices of rank <= p for 2.

    >>> waring_dimension(3, 5, 4), waring_dimension(3, 2, 2)
    (14, 5)
    """
    if degree == 1:
        return n
    if degree == 2:
        r = min(n, p)
        return r * n - r * (r - 1) // 2
    return parameter_count_dimension(n, p, degree) - ((n, degree, p) in _DEFECTIVE)


def symmetry_fields(network: Network) -> list[list[fmpq_mpoly]]:
    """Polynomial vector fields on weight space that leave the function of the network alone.

    For dense networks without bias and rho = z^l: scalings of every hidden unit; rotations of two
    units below a layer of one unit when l = 2; the general linear group when l = 1. One component
    for each weight. Guarantees: exact; independence and completeness are not promised.
    """
    degree = (network.activation.degrees or (0,))[0]
    layers = symbolic_weights(network)
    fields = []
    for k in range(network.depth - 1):
        units, after = network.widths[k + 1], network.widths[k + 2]
        for i in range(units):
            for j in range(units):
                if i == j or degree == 1:
                    fields.append(_linear(layers, k, i, j, degree))
                elif i < j and degree == 2 and after == 1:
                    fields.append(_rotation(layers, k, i, j))
    return fields


def _still(layers: list[Matrix]) -> list[Matrix]:
    return [[[entry * 0 for entry in row] for row in layer] for layer in layers]


def _linear(layers: list[Matrix], k: int, i: int, j: int, degree: int) -> list[fmpq_mpoly]:
    """Row i of layer k moves along row j, column j of the layer above against column i."""
    field = _still(layers)
    field[k][i] = list(layers[k][j])
    for row, moved in zip(layers[k + 1], field[k + 1], strict=True):
        moved[j] = row[i] * -degree
    return _flat(field)


def _rotation(layers: list[Matrix], k: int, i: int, j: int) -> list[fmpq_mpoly]:
    """u_i (w_i.x)^2 + u_j (w_j.x)^2 stays as it is when w_i moves by u_j w_j, w_j by -u_i w_i."""
    field, above = _still(layers), layers[k + 1][0]
    field[k][i] = [above[j] * v for v in layers[k][j]]
    field[k][j] = [above[i] * v * -1 for v in layers[k][i]]
    return _flat(field)


def _flat(layers: list[Matrix]) -> list[fmpq_mpoly]:
    return [entry for layer in layers for row in layer for entry in row]


def independent_fields(network: Network, at: Weights) -> list[list[fmpq_mpoly]]:
    """As many of the symmetry fields as are independent at a point, first come first."""
    here = [v for layer in at for v in layer.entries()]
    chosen: list[list[fmpq_mpoly]] = []
    values: list[list[fmpq]] = []
    for field in symmetry_fields(network):
        value = [q(*here) for q in field]
        if rank(fmpq_mat([*values, value])) > len(values):
            chosen.append(field)
            values.append(value)
    return chosen


def proof_of_dimension(network: Network, at: Weights, dimension: int) -> Json | Undecided:
    """The kernel's proof that the neurovariety has this dimension, `at` a point of that rank.

    Undecided when none of the upper bounds (all forms, symmetries, catalecticant) meets it.
    Guarantees: none until the kernel has checked it.
    """
    degrees = network.activation.degrees
    if not network.is_dense or any(network.bias) or degrees is None or len(degrees) != 1:
        return Undecided("the network is not dense, without bias, with one power", "the dimension")
    n, p, degree = network.n, network.widths[1], degrees[0]
    whole = degree ** (network.depth - (network.output == "linear"))
    ambient = network.m * comb(n + whole - 1, whole)
    shallow = network.depth == 2 and network.m == 1 and network.output == "linear"
    upper: Json
    if dimension == ambient:
        upper = {"by": "ambient"}
    elif (
        shallow
        and degree % 2 == 0
        and dimension == ambient - 1
        and p < comb(n - 1 + degree // 2, degree // 2)
    ):
        upper = {"by": "catalecticant"}
    else:
        fields = independent_fields(network, at)
        if network.parameter_count - len(fields) != dimension:
            bound = min(ambient, network.parameter_count - len(fields))
            reason = f"the known symmetries give at most {bound}, not {dimension}"
            return Undecided(reason, "the upper bound")
        upper = {"by": "fields", "fields": [[polynomial_json(q) for q in f] for f in fields]}
    return {"at": theta_json(at), "upper": upper}
