"""Hypotheses are computed from the instance: each predicate once true and once false."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kernel.breaking import (
    CASES,
    HYPOTHESES,
)
from kernel.mutations import canonical, put
from kernel.writing import UNIT, Json, certificate, net

from theorylab.kernel import Proved, Rejected, check

# predicates


def stated(hypothesis: Json, network: Json, data: Json = UNIT, conclusion: Json = None) -> bool:
    """Whether 0 <= 1 is proved under the hypothesis."""
    trivial = {"kind": "relation", "left": "0", "op": "<=", "right": "1"}
    found = check(
        canonical(certificate(network, data, [hypothesis], conclusion or trivial, "witness", {}))
    )
    if isinstance(found, Rejected):
        assert "hypothesis" in found.reason, found.reason
    return isinstance(found, Proved)


def plain(kind: str) -> Json:
    return {"kind": kind}


def width(bound: str, relation: str = ">=") -> Json:
    return {"kind": "hidden_widths", "relation": relation, "bound": bound}


def wide(p: int, activation: Json = "square", n: int = 2, bias: bool = False) -> Json:
    return net([n, p, 1], activation, [bias, False])


# four inputs, two of them the same, on two lines through 0; q(square) = 2, q(abs) = 2, q(relu) = 3
FOUR = {
    "x": [["1", "0"], ["1", "0"], ["-2", "0"], ["1", "1"]],
    "y": [["0"]] * 4,
    "weights": None,
}
PREDICATES: dict[str, tuple[Json, Callable[[bool], Json], Json]] = {
    "linear": (
        {"kind": "activation", "is": "linear"},
        lambda t: wide(1, "linear" if t else "relu"),
        UNIT,
    ),
    "square": (
        {"kind": "activation", "is": "square"},
        lambda t: wide(1, "square" if t else "cube"),
        UNIT,
    ),
    "polynomial": (
        {"kind": "activation", "is": "polynomial"},
        lambda t: wide(1, "cube" if t else "abs"),
        UNIT,
    ),
    "one hidden layer": (
        {"kind": "hidden_layers", "count": 1},
        lambda t: wide(1) if t else net([2, 1], "abs"),
        UNIT,
    ),
    "two hidden layers": (
        {"kind": "hidden_layers", "count": 2},
        lambda t: net([2, 1, 1, 1] if t else [2, 1, 1], "abs"),
        UNIT,
    ),
    "dense": (
        plain("dense"),
        lambda t: net([2, 1], "abs", None, "linear", None if t else [None]),
        UNIT,
    ),
    "no bias": (plain("no_bias"), lambda t: wide(1, bias=not t), UNIT),
    "linear output": (
        plain("linear_output"),
        lambda t: net([2, 1], "abs", None, "linear" if t else "activation"),
        UNIT,
    ),
    "more parameters than equations": (
        plain("more_parameters_than_equations"),
        lambda t: net([2, 2 if t else 1, 1], "abs"),  # 6 or 3 parameters, 4 equations
        FOUR,
    ),
    "a shared slot counts once": (
        plain("more_parameters_than_equations"),
        lambda t: net([1, 1], "abs", [True], "linear", [[[3, None if t else 3]]]),
        UNIT,
    ),
    "min(n,m)": (width("min(n,m)"), lambda t: net([2, 2 if t else 1, 2], "abs"), UNIT),
    "> min(n,m)": (width("min(n,m)", ">"), lambda t: net([2, 3 if t else 2, 2], "abs"), UNIT),
    "min(n,m) in every layer": (
        width("min(n,m)"),
        lambda t: net([2, 2, 2 if t else 1, 2], "abs"),
        UNIT,
    ),
    "q of square": (width("q"), lambda t: wide(2 if t else 1), FOUR),
    "q of abs": (width("q"), lambda t: wide(2 if t else 1, "abs"), FOUR),
    "q of relu": (width("q"), lambda t: wide(3 if t else 2, "relu"), FOUR),
    "2q": (width("2q"), lambda t: wide(4 if t else 3), FOUR),
    "2N": (width("2N"), lambda t: wide(6 if t else 5, "step"), FOUR),
    "monomials from 0": (
        width("monomials from 0"),
        lambda t: wide(6 if t else 5, {"polynomial": ["1", "1", "1"]}),
        FOUR,
    ),
    "monomials from 1": (
        width("monomials from 1"),
        lambda t: wide(5 if t else 4, {"polynomial": ["1", "1", "1"]}),
        FOUR,
    ),
    "3n^2": (width("3n^2"), lambda t: wide(12 if t else 11), FOUR),
    "rank X": (width("rank X"), lambda t: wide(2 if t else 1), FOUR),
    "rank X with a bias": (width("rank X"), lambda t: wide(3 if t else 2, bias=True), FOUR),
    "rank X + 1": (width("rank X + 1"), lambda t: wide(3 if t else 2), FOUR),
    "2 rank X": (width("2 rank X"), lambda t: wide(4 if t else 3), FOUR),
    "2n": (width("2n"), lambda t: wide(4 if t else 3), FOUR),
    "2n+1": (width("2n+1"), lambda t: wide(5 if t else 4), FOUR),
    "one output": (plain("scalar_output"), lambda t: net([2, 1 if t else 2], "abs"), UNIT),
    "n(n+1)": (width("n(n+1)"), lambda t: wide(6 if t else 5), FOUR),
    "3n^(2^k)": (width("3n^(2^k)"), lambda t: net([2, 12, 48 if t else 47, 1], "square"), FOUR),
    "2min": (
        width("2min(N,C(n+2^k-1,2^k))"),
        lambda t: net([2, 6, 6 if t else 5, 1], "square"),
        FOUR,
    ),
    "connected": (plain("connected_at_every_level"), lambda t: wide(6 if t else 5), FOUR),
    "no poor minima": (
        plain("no_poor_minima"),
        lambda t: wide(1, "linear" if t else "abs", 1),
        UNIT,
    ),
}


@pytest.mark.parametrize("name", PREDICATES)
def test_a_predicate_is_computed(name: str) -> None:
    hypothesis, network, data = PREDICATES[name]
    n = network(True)["widths"][0]
    fitting = {**data, "x": data["x"] if len(data["x"]) > 1 else [["1"] * n]}
    for truth in (True, False):
        shape = network(truth)["widths"]
        targets = {**fitting, "y": [["0"] * shape[-1]] * len(fitting["x"])}
        assert stated(hypothesis, network(truth), targets) is truth


def test_ranks_of_the_two_ends() -> None:
    """Two units, and features of rank 1 at both ends."""
    valid = CASES["square, dead row and output"]
    for relation, wanted in ((">=", Proved), (">", Rejected)):
        stronger = put(valid, HYPOTHESES, [width("r(A)+r(B)", relation)])
        assert isinstance(check(canonical(stronger)), wanted)


@pytest.mark.parametrize(
    "hypothesis",
    [
        {"kind": "anything"},
        {"kind": "dense", "is": True},
        {"kind": "activation", "is": "relu"},
        {"kind": "hidden_layers", "count": True},
        {"kind": "hidden_layers", "count": "1"},
        {"kind": "hidden_widths", "relation": "<", "bound": "q"},
        {"kind": "hidden_widths", "relation": ">=", "bound": "p"},
        {"kind": "hidden_widths", "relation": ">=", "bound": 0},
        {"kind": "N_u = 1"},
        {"kind": "loss", "is": "zero"},
        {"kind": "more_parameters_than_equations", "by": 1},
    ],
)
def test_an_unknown_predicate_is_refused(hypothesis: Json) -> None:
    network = net([1, 1, 1], "linear")
    relation = {"kind": "relation", "left": "0", "op": "<=", "right": "1"}
    found = check(canonical(certificate(network, UNIT, [hypothesis], relation, "witness", {})))
    assert isinstance(found, Rejected)
