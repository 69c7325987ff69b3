"""One instance of a user's claim: a fact about a network and data, or a relation of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flint import fmpq_mat

from theorylab.instances import Instance
from theorylab.kernel.arith import MAX_WORK, METER, Refusal
from theorylab.kernel.statements import parse_statement
from theorylab.model import Dataset, Loss, Network, Ridge, Weights, matrix, rational
from theorylab.outcome import InputError
from theorylab.topology.certificate import statement_json
from theorylab.topology.path import theta_json

Json = dict[str, Any]

VARIANT = "conjectured"
# the data of a statement about bare numbers
NO_DATA = "none"

# every kind of conclusion that the kernel reads
CONCLUSIONS = (
    "joined", "separated", "descends", "trapped", "global_min", "local_min", "not_poor_minimum",
    "positive_dimension", "isolated_zero", "has_zero", "jacobian_rank", "zero_manifold",
    "neurovariety_dimension", "nullity", "components", "level_tree", "same_function", "span_path",
    "sup_norm", "best_error", "nearest", "roots", "relation",
)  # fmt: skip
_WHOLE = ("at_least", "at_most", "degree", "real_at_least")
_AS_IT_IS = ("op", "system", "levels")
_TURNED = {">": "<", ">=": "<="}


def fact(
    kind: str, network: Network, data: Dataset, *, ridge: Ridge | None = None, **values: Any
) -> Instance:
    """The instance "this fact holds of network and data": what a conjecture's function returns.

    ``kind`` and ``values`` are those of a conclusion of the kernel: joined and separated (A, B, u;
    u is max(L(A), L(B)) unless given), descends (A, v, eps), global_min (v), local_min,
    not_poor_minimum, isolated_zero, positive_dimension (A), has_zero, components (u, at_least,
    at_most), level_tree (levels), nullity, jacobian_rank, zero_manifold (A, at_least, at_most),
    neurovariety_dimension (at_least, at_most), same_function (A, B), relation (left, op, right:
    numbers, or weights for the loss there), roots and more. Points are weights (matrices).
    Guarantees: exact; nothing is decided here. Raises InputError for what the kernel cannot read.

    >>> network, data = Network.dense((1, 1, 1), "relu"), Dataset.from_rows([[1]], [[1]])
    >>> fact("joined", network, data, A=[[[1]], [[1]]], B=[[[2]], [["1/2"]]]).conclusion["u"]
    '0'
    """
    loss = Loss(network, data, ridge)
    points = {name: _weights(network, values[name]) for name in ("A", "B") if name in values}
    conclusion: Json = {"kind": kind}
    for name, value in values.items():
        conclusion[name] = (
            theta_json(points[name]) if name in points else _json(network, name, value)
        )
    if kind in ("joined", "separated") and "u" not in values and len(points) == 2:
        conclusion["u"] = str(max(loss(point) for point in points.values()))
    if kind == "descends":
        conclusion.setdefault("eps", "0")
    hypotheses = [] if ridge is None else [{"kind": "ridge"}]
    METER.left = MAX_WORK
    try:
        parse_statement(statement_json(network, data, hypotheses, conclusion, loss.penalties))
    except Refusal as refusal:
        rule = f"the kernel cannot read such a conclusion: {refusal}"
        raise InputError("fact", kind, rule, "help(theorylab.fact) lists the facts") from None
    somewhere = network.assemble([0] * network.parameter_count)
    a = points.get("A", somewhere)
    return Instance("", VARIANT, network, data, conclusion, a, points.get("B"), ridge=ridge)


def relation(
    left: object, op: str, right: object, network: Network, data: Dataset, ridge: Ridge | None
) -> Instance:
    """The instance "left op right" for exact numbers, or weights of the network for its loss."""
    if op in _TURNED:
        left, op, right = right, _TURNED[op], left
    if op not in ("<", "<=", "=="):
        rule = "a relation is <, <=, ==, >= or >"
        raise InputError("relation", op, rule, "write e.g. (left, '<=', right)")
    made = fact("relation", network, data, ridge=ridge, left=left, op=op, right=right)
    bare = [side for side in ("left", "right") if isinstance(made.conclusion[side], str)]
    note = f"what {' and '.join(bare)} should be, only your function says" if bare else ""
    return replace(made, note=note)


def bare_numbers() -> tuple[Network, Dataset]:
    """The least network and data: a statement has some, and a relation of numbers uses none."""
    return Network.dense((1, 1), "linear"), Dataset.from_rows([[0]], [[0]], name=NO_DATA)


def _weights(network: Network, value: object) -> Weights:
    if not isinstance(value, Sequence) or isinstance(value, str):
        rule = "a point is the weights of the network: one matrix for each layer"
        raise InputError("fact", value, rule, "give W_1, ..., W_K")
    layers = [matrix(layer, f"layer {k}") for k, layer in enumerate(value, start=1)]
    return network.check_weights(layers)


def _json(network: Network, name: str, value: Any) -> Any:
    if name in _AS_IT_IS or value is None or name in _WHOLE:
        return value
    if name == "polynomial":
        return [str(rational(c, name)) for c in value]
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (fmpq_mat, list, tuple)):
        return {"loss": theta_json(_weights(network, value))}
    return str(rational(value, name))
