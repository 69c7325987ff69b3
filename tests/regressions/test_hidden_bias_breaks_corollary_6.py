"""Our corrected Corollary 6 once allowed hidden biases; the kernel itself refutes that reading.

Found by the second reader of the kernel, 2026-11-21. 1-1-1, rho = z^2, hidden bias b, X = (0, 1),
Y = (2, -1), p = 1 = C(2, 2): L = (u b^2 - 2)^2 + (u (w+b)^2 + 1)^2 is at least 5 on the wall u = 0
and at least 4 on the side u < 0, while L = 1 at u = 2, b = 1, w = -1.
"""

from __future__ import annotations

from typing import Any

from theorylab import kernel
from theorylab.claims import claim
from theorylab.model import Dataset, Network, matrix
from theorylab.topology.certificate import certificate, statement_json

NETWORK = Network.dense((1, 1, 1), "square", (True, False))
DATA = Dataset.from_rows([[0], [1]], [[2], [-1]])
SQUARE_OF_SUM = [["1", [[0, 2]]], ["2", [[0, 1], [1, 1]]], ["1", [[1, 2]]]]
# variables: 0 = w, 1 = b, 2 = u.  L - 9/2 = 1/2 + u (u b^4 - 4 b^2 + u (w+b)^4 + 2 (w+b)^2)
FOURTH = [
    ["1", [[0, 4], [2, 1]]],
    ["4", [[0, 3], [1, 1], [2, 1]]],
    ["6", [[0, 2], [1, 2], [2, 1]]],
    ["4", [[0, 1], [1, 3], [2, 1]]],
    ["2", [[1, 4], [2, 1]]],
]
PROOF = {
    "wall": [["1", [[2, 1]]]],
    "multiplier": [
        *FOURTH,
        ["2", [[0, 2]]],
        ["4", [[0, 1], [1, 1]]],
        ["-2", [[1, 2]]],
    ],
    "squares": [],
    "margin": "1/2",
    "u": "9/2",
    "v": "4",
    "side": [
        ["1", 0, [["1", [[1, 2], [2, 1]]]]],
        ["4", 1, [["1", [[1, 1]]]]],
        ["1", 0, [*[[c, [*e, [2, 1]]] for c, e in SQUARE_OF_SUM], ["1", []]]],
    ],
    "lower": [[["-1", "1"]], [["2"]]],
}
CONCLUSION = {"kind": "descends", "A": [[["1", "0"]], [["-1"]]], "v": "1", "eps": "0"}


def outcome(hypotheses: list[dict[str, Any]]) -> kernel.Outcome:
    statement = statement_json(NETWORK, DATA, hypotheses, CONCLUSION)
    return kernel.check(certificate(statement, "barrier", PROOF))


def test_without_the_hypothesis_on_biases_the_claim_is_refuted() -> None:
    hypotheses = [h.json for h in claim("polynomial-width").hypotheses]
    assert {"kind": "no_bias"} in hypotheses
    without = [h for h in hypotheses if h != {"kind": "no_bias"}]
    assert isinstance(outcome(without), kernel.Refuted)


def test_with_it_the_instance_is_none_of_the_claims() -> None:
    hypotheses = [h.json for h in claim("polynomial-width").hypotheses]
    answer = outcome(hypotheses)
    assert isinstance(answer, kernel.Rejected)
    assert answer.reason == "hypothesis fails: no_bias"


def test_the_point_lies_where_the_certificate_says() -> None:
    weights = (matrix([[1, 0]]), matrix([[-1]]))
    errors = NETWORK.outputs(weights, DATA.x) - DATA.y
    assert sum(v * v for v in errors.entries()) == 4
