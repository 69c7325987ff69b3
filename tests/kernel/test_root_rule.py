"""Rule `root`: what it accepts is true, and each hypothesis of its lemmas matters.

The system is the gradient of (2uw - 3)^2 + w^2/3 + u^2/5 in (w, u): 5 critical points, 3 real, at
(0, 0) and where w^2/3 = u^2/5. Boxes are made here with sympy and plain integers.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import sympy as sp

from theorylab import kernel
from theorylab.kernel.arith import Poly
from theorylab.kernel.roots import Box, equations
from theorylab.kernel.statements import parse_statement

P = 60
W, U = sp.symbols("w u")
ENERGY = (2 * U * W - 3) ** 2 + W**2 / 3 + U**2 / 5
GRADIENT = [sp.diff(ENERGY, W), sp.diff(ENERGY, U)]
JACOBIAN = sp.Matrix(GRADIENT).jacobian([W, U])
NETWORK = {
    "widths": [1, 1, 1],
    "activation": "linear",
    "bias": [False, False],
    "output": "linear",
    "pattern": None,
}
DATA = {"x": [["2"]], "y": [["3"]], "weights": None}
CRITICAL: dict[str, Any] = {"kind": "critical", "ridge": ["1/3", "1/5"], "fixed": []}
GROUPS = {"by": "multihomogeneous", "groups": [[0], [1]]}


def dyadic(value: sp.Expr) -> str:
    return str(int(sp.floor(value * 2**P)))


def pair(value: sp.Expr, real: bool) -> list[str]:
    return [dyadic(sp.re(value)), "0" if real else dyadic(sp.im(value))]


def all_roots() -> list[dict[str, Any]]:
    found = []
    for solution in sp.solve(GRADIENT, [W, U], dict=True):
        point = [sp.N(solution[v], 40) for v in (W, U)]
        inverse = sp.N(JACOBIAN.subs({W: point[0], U: point[1]}), 40).inv()
        real = all(abs(sp.im(v)) < 1e-30 for v in point)
        found.append(
            {
                "center": [pair(v, real) for v in point],
                "radius": str(2 ** (P - 20)),
                "inverse": [[pair(inverse[i, j], real) for j in range(2)] for i in range(2)],
                "real": real,
            }
        )
    return found


ROOTS = all_roots()


def certificate(
    at_least: int = 5,
    real: int = 3,
    at_most: int | None = 5,
    roots: list[dict[str, Any]] | None = None,
    upper: dict[str, Any] | None = GROUPS,
    system: dict[str, Any] | None = None,
    network: dict[str, Any] | None = None,
    precision: int = P,
) -> bytes:
    conclusion = {
        "kind": "roots",
        "system": system or CRITICAL,
        "at_least": at_least,
        "real_at_least": real,
        "at_most": at_most,
    }
    proof: dict[str, Any] = {"precision": precision, "roots": ROOTS if roots is None else roots}
    if upper is not None:
        proof["upper"] = upper
    statement = {
        "network": network or NETWORK,
        "data": DATA,
        "hypotheses": [],
        "conclusion": conclusion,
    }
    return kernel.canonical(
        {"schema": kernel.SCHEMA, "statement": statement, "rule": "root", "proof": proof}
    )


def says(raw: bytes) -> str:
    outcome = kernel.check(raw)
    if isinstance(outcome, kernel.Rejected):
        return outcome.reason
    return "proved" if isinstance(outcome, kernel.Proved) else "refuted"


def test_the_count_is_complete() -> None:
    assert says(certificate()) == "proved"


def test_a_lower_bound_alone() -> None:
    assert says(certificate(at_most=None, upper=None)) == "proved"
    assert says(certificate(2, 0, None, ROOTS[:3], None)) == "proved"


def test_five_roots_refute_at_most_four() -> None:
    assert says(certificate(0, 0, 4)) == "refuted"
    assert says(certificate(0, 0, 5)) == "proved"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at_least": 6, "at_most": 9, "upper": {"by": "bezout"}}, "fewer roots"),
        ({"real": 4}, "fewer real roots"),
        ({"upper": {"by": "bezout"}}, "upper bound is not shown"),
        ({"upper": None}, "upper bound says by which"),
        ({"upper": {"by": "multihomogeneous", "groups": [[0]]}}, "partition"),
        ({"upper": {"by": "multihomogeneous", "groups": [[0], [1], []]}}, "partition"),
        ({"upper": {"by": "multihomogeneous", "groups": [[0, 1], [1]]}}, "partition"),
        ({"at_most": None}, "no upper bound is stated"),
        ({"roots": [*ROOTS, ROOTS[0]], "at_most": None, "upper": None}, "not disjoint"),
        ({"system": {**CRITICAL, "ridge": ["1/3"]}}, "one ridge per parameter"),
        ({"system": {**CRITICAL, "ridge": ["1/3", "1/4"]}}, "Krawczyk"),
        ({"system": {**CRITICAL, "ridge": None}}, "Krawczyk"),
        ({"system": {**CRITICAL, "kind": "interpolation", "ridge": None}}, "as many equations"),
        ({"system": {**CRITICAL, "fixed": [[2, "1"]]}}, "does not exist"),
        ({"system": {**CRITICAL, "fixed": [[0, "1"], [0, "1"]]}}, "in order"),
        ({"network": {**NETWORK, "activation": "relu"}}, "polynomial activation"),
        ({"precision": P + 1}, "Krawczyk"),
        ({"precision": 513}, "precision"),
    ],
)
def test_each_hypothesis_matters(change: dict[str, Any], reason: str) -> None:
    assert reason in says(certificate(**change))


def altered(path: list[Any], value: Any) -> list[dict[str, Any]]:
    roots = copy.deepcopy(ROOTS[:1] + [r for r in ROOTS if not r["real"]][:1])
    place: Any = roots
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return roots


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ([0, "center", 0, 0], str(2**P), "Krawczyk"),
        ([0, "radius"], "0", "positive integer"),
        ([0, "radius"], "1/2", "positive integer"),
        ([0, "radius"], "-5", "positive integer"),
        ([0, "radius"], str(2 ** (P + 4)), "Krawczyk"),
        ([0, "inverse", 0], [["0", "0"], ["0", "0"]], "Krawczyk"),
        ([0, "inverse", 1], [["0", "0"]], "as many complex numbers"),
        ([0, "center"], [["0", "0"]], "as many complex numbers"),
        ([0, "center", 0, 0], "1/2", "integers over"),
        ([0, "real"], 1, "true or false"),
        ([1, "real"], True, "real centre"),
    ],
)
def test_each_number_of_a_root_matters(path: list[Any], value: Any, reason: str) -> None:
    assert reason in says(certificate(0, 0, None, altered(path, value), None))


def test_overlapping_boxes_are_not_disjoint() -> None:
    """The same root in a second box, moved by a quarter of its radius: Krawczyk holds in both."""
    edge = copy.deepcopy(ROOTS[0])
    moved = int(edge["center"][0][0]) + 2 ** (P - 22)
    edge["center"][0][0] = str(moved)
    assert "not disjoint" in says(certificate(0, 0, None, [ROOTS[0], edge], None))


def test_the_system_is_the_gradient() -> None:
    value = {
        "network": NETWORK,
        "data": DATA,
        "hypotheses": [],
        "conclusion": {
            "kind": "roots",
            "system": CRITICAL,
            "at_least": 0,
            "real_at_least": 0,
            "at_most": None,
        },
    }
    statement = parse_statement(value)
    for derived, literal in zip(
        equations(statement, statement.conclusion.values["system"]), GRADIENT, strict=True
    ):
        terms = {k: sp.Rational(c, derived.den) for k, c in derived.terms.items()}
        assert terms == dict(sp.Poly(literal, W, U).terms())


def test_fixed_and_shared_parameters_count_once() -> None:
    """w * w * x = y with one shared slot: two zeros, as CLAIMS C12 says, not one."""
    tied = {**NETWORK, "pattern": [[[7]], [[7]]]}
    roots = [
        {
            "center": [[str(sign * round(2**P * 1.5**0.5)), "0"]],
            "radius": str(2 ** (P - 20)),
            "inverse": [[[str(round(sign * 2**P / (4 * 1.5**0.5))), "0"]]],
            "real": True,
        }
        for sign in (1, -1)
    ]
    system = {"kind": "interpolation", "ridge": None, "fixed": []}
    raw = certificate(2, 2, 2, roots, {"by": "bezout"}, system, tied)
    assert says(raw) == "proved"


def test_a_zero_equation_has_no_bound() -> None:
    network = {**NETWORK, "activation": {"polynomial": ["0"]}, "widths": [1, 1, 1]}
    system = {"kind": "critical", "ridge": None, "fixed": []}
    assert "identically zero" in says(certificate(0, 0, 5, [], {"by": "bezout"}, system, network))


def test_box_products_contain_all_products() -> None:
    a, b = Box(-5, 3, 2, 7, 2), Box(1, 4, -6, -1, 2)
    product = a * b
    for x in range(-5, 4):
        for y in range(2, 8):
            for s in range(1, 5):
                for t in range(-6, 0):
                    re, im = x * s - y * t, x * t + y * s
                    assert product.a * 4 <= re <= product.b * 4
                    assert product.c * 4 <= im <= product.d * 4


def test_partial_derivatives() -> None:
    p = Poly({(2, 1): 3, (0, 2): -1, (0, 0): 5}, 2, 7)
    assert p.derivative(0) == Poly({(1, 1): 6}, 2, 7)
    assert p.derivative(1) == Poly({(2, 0): 3, (0, 1): -2}, 2, 7)


# Lemma 25. The members are 12 w u^2 + w - 18 u and 20 w^2 u - 30 w + u, made primitive; step 1
# gives 5 w^2 - 3 u^2, step 2 gives 12 u^3 - 30 w + u: the standard monomials are 1, w, u, wu, u^2.
STEPS: list[Any] = [
    [[0, [["5", [[0, 1]]]]], [1, [["-3", [[1, 1]]]]]],
    [[1, [["1", []]]], [2, [["-4", [[1, 1]]]]]],
]


POWER = {"polynomial": ["0"] * 32 + ["1"]}
IDENTITY = [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]]


def stairs(steps: Any = STEPS) -> dict[str, Any]:
    return {"by": "staircase", "steps": steps}


def test_a_staircase_completes_the_count() -> None:
    outcome = kernel.check(certificate(upper=stairs()))
    assert isinstance(outcome, kernel.Proved)
    assert outcome.lemmas == ("Lemma 18", "Lemma 25")


def test_a_staircase_needs_no_roots() -> None:
    assert says(certificate(0, 0, 5, [], stairs())) == "proved"
    assert "upper bound is not shown" in says(certificate(0, 0, 4, [], stairs()))


def test_fewer_roots_than_stated_refute() -> None:
    assert says(certificate(6, 0, None, [], stairs())) == "refuted"
    assert says(certificate(6, 0, 9, [], stairs())) == "refuted"
    assert says(certificate(6, 0, None, [], GROUPS)) == "refuted"
    assert "fewer roots" in says(certificate(5, 0, None, [], stairs()))


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        # A wrong cofactor: 5w f - 4u g keeps the leading monomial w^2 u^2, so w^2 is not cut off.
        ([[[0, [["5", [[0, 1]]]]], [1, [["-4", [[1, 1]]]]]], *STEPS[1:]], "pure power"),
        ([STEPS[0], [[1, [["1", []]]], [2, [["-3", [[1, 1]]]]]]], "pure power"),
        (STEPS[:1], "pure power"),
        ([], "pure power"),
        # A member that is not there yet, itself among them.
        ([[[2, [["1", []]]]], *STEPS], "a member must be"),
        ([[[-1, [["1", []]]]], *STEPS], "a member must be"),
        (STEPS[::-1], "a member must be"),
        # Zero has no leading monomial: it must not cut the whole staircase away.
        ([*STEPS, []], "gives zero"),
        ([*STEPS, [[0, []]]], "gives zero"),
        ([*STEPS, [[0, [["1", []]]], [0, [["-1", []]]]]], "gives zero"),
        # Cofactors are polynomials in the two unknowns.
        ([[[0, [["5", [[2, 1]]]]]], *STEPS], "a variable must be"),
        ([[[0, [["5", [[0, -1]]]]]], *STEPS], "an exponent must be"),
        ([[[0, [["5", [[0, 65]]]]]], *STEPS], "an exponent must be"),
        ([[[0, [["0", []]]]], *STEPS], "a term is zero"),
        ([[0, [["5", []]]]], "a summand is"),
        ({}, "must be a list"),
        (None, "must be a list"),
    ],
)
def test_each_hypothesis_of_the_staircase_matters(steps: Any, reason: str) -> None:
    assert reason in says(certificate(upper=stairs(steps)))


def test_the_order_of_monomials_is_fixed() -> None:
    """By total degree first: 12 u^3 - 30 w + u never counts as the pure power w."""
    third = [[1, [["1", []]]], [2, [["-4", [[1, 1]]]]]]
    assert "pure power" in says(certificate(0, 0, 9, [], stairs([STEPS[0], [[1, [["1", []]]]]])))
    assert says(certificate(0, 0, 4, [], stairs([STEPS[0], third]))) != "proved"
    assert "unknown" in says(certificate(upper={**stairs(), "order": "lex"}))


def test_more_members_only_lower_the_bound() -> None:
    extra = [[3, [["7/3", [[0, 2]]]]]]
    assert says(certificate(upper=stairs([*STEPS, extra]))) == "proved"


def test_a_staircase_counts_multiplicities() -> None:
    """w^2 u = y at y = 0 with u = 1: one zero, double, so at most 2 and never at most 1."""
    system = {"kind": "interpolation", "ridge": None, "fixed": [[1, "1"]]}
    network = {**NETWORK, "activation": "square"}
    value = {"schema": kernel.SCHEMA, "rule": "root"}
    for most, expected in ((2, "proved"), (1, "the upper bound is not shown")):
        conclusion = {
            "kind": "roots",
            "system": system,
            "at_least": 0,
            "real_at_least": 0,
            "at_most": most,
        }
        statement = {
            "network": network,
            "data": {"x": [["1"]], "y": [["0"]], "weights": None},
            "hypotheses": [],
            "conclusion": conclusion,
        }
        proof = {"precision": 0, "roots": [], "upper": stairs([])}
        assert says(kernel.canonical({**value, "statement": statement, "proof": proof})) == expected


def test_no_zero_at_all() -> None:
    """u w = 1 and 2 u w = 3 contradict each other: 1 is in the ideal, nothing is standard."""
    data = {"x": [["1"], ["2"]], "y": [["1"], ["3"]], "weights": None}
    conclusion = {
        "kind": "roots",
        "system": {"kind": "interpolation", "ridge": None, "fixed": []},
        "at_least": 0,
        "real_at_least": 0,
        "at_most": 0,
    }
    statement = {"network": NETWORK, "data": data, "hypotheses": [], "conclusion": conclusion}
    one = [[[0, [["2", []]]], [1, [["-1", []]]]]]
    for steps, expected in ((one, "proved"), ([], "pure power")):
        proof = {"precision": 0, "roots": [], "upper": stairs(steps)}
        value = {"schema": kernel.SCHEMA, "statement": statement, "rule": "root", "proof": proof}
        assert expected in says(kernel.canonical(value))


def test_dense_cofactors_upon_each_other_are_too_much_work() -> None:
    dense = [["1", [[0, 2 * i + 1], [1, 2 * j + 1]]] for i in range(30) for j in range(30)]
    steps = [[[k, dense]] for k in range(1, 60)]
    assert "work" in says(certificate(0, 0, 5, [], stairs(steps)))


@pytest.mark.slow
def test_a_billion_standard_monomials_are_too_much_work() -> None:
    """Three inputs, z^32 twice: the equations are w_i^1024 = 1."""
    statement = {
        "network": {**NETWORK, "widths": [3, 1, 1], "activation": POWER, "output": "activation"},
        "data": {"x": IDENTITY, "y": [["1"]] * 3, "weights": None},
        "hypotheses": [],
        "conclusion": {
            "kind": "roots",
            "system": {"kind": "interpolation", "ridge": None, "fixed": [[3, "1"]]},
            "at_least": 0,
            "real_at_least": 0,
            "at_most": 2**30,
        },
    }
    proof = {"precision": 0, "roots": [], "upper": stairs([])}
    value = {"schema": kernel.SCHEMA, "statement": statement, "rule": "root", "proof": proof}
    assert "work" in says(kernel.canonical(value))
