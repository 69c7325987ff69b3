"""Statements and certificates: exact values put into the bytes that the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq

from theorylab.kernel.statements import SCHEMA, canonical
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.topology.path import theta_json

Json = dict[str, Any]


def joined(a: Weights, b: Weights, u: fmpq) -> Json:
    """The conclusion that a and b lie in one path component of {L <= u}."""
    return {"kind": "joined", "A": theta_json(a), "B": theta_json(b), "u": str(u)}


def descends(a: Weights, v: fmpq, eps: fmpq) -> Json:
    """The conclusion that a path from a never rises and ends within eps of the lower bound v."""
    return {"kind": "descends", "A": theta_json(a), "v": str(v), "eps": str(eps)}


def not_poor_minimum(a: Weights) -> Json:
    """The conclusion that a is no weak local minimum above the infimum."""
    return {"kind": "not_poor_minimum", "A": theta_json(a)}


def above(level: fmpq, weights: Weights) -> Json:
    """The relation level < L(weights)."""
    return {
        "kind": "relation",
        "left": str(level),
        "op": "<",
        "right": {"loss": theta_json(weights)},
    }


def statement_json(
    network: Network,
    data: Dataset,
    hypotheses: Sequence[Json],
    conclusion: Json,
    ridge: Sequence[fmpq] | None = None,
) -> Json:
    """The statement {instance by value, hypotheses, conclusion} as the kernel reads it.

    ``ridge`` has one number for each weight (``Loss.penalties``); the kernel wants it among the
    hypotheses too, as ridge or common_ridge.
    """
    statement = {
        "network": network.to_json(),
        "data": data.to_json(),
        "hypotheses": list(hypotheses),
        "conclusion": conclusion,
    }
    return statement if ridge is None else {**statement, "ridge": [str(q) for q in ridge]}


def certificate(statement: Json, rule: str, proof: Json) -> bytes:
    """The canonical bytes of a certificate. Guarantees: none until the kernel has checked it."""
    return canonical({"schema": SCHEMA, "statement": statement, "rule": rule, "proof": proof})


def connection_certificate(loss: Loss, conclusion: Json, rule: str, proof: Json) -> bytes:
    """The certificate of a bare fact: a statement without hypotheses but that of a ridge."""
    ridge = loss.penalties
    hypotheses = [] if ridge is None else [{"kind": "ridge"}]
    statement = statement_json(loss.network, loss.data, hypotheses, conclusion, ridge)
    return certificate(statement, rule, proof)
