"""LaTeX of instances and statements: exact content, honest ellipses, balanced source."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from latex_source import balanced

from theorylab.claims import all_claims, claim
from theorylab.kernel import check
from theorylab.report.latex import checked_latex, document_latex, verification_latex
from theorylab.report.latex_facts import conclusion_latex, hypothesis_latex
from theorylab.report.latex_matrices import escaped, fraction, matrix
from theorylab.report.latex_statements import (
    activation_latex,
    claim_latex,
    data_latex,
    instance_latex,
    network_latex,
    statement_latex,
)
from theorylab.verify import Checked, verify

POINT = [[["1/2", "-1"], ["0", "3"]], [["1", "1"]]]
STATEMENT: dict[str, Any] = {
    "network": {
        "widths": [2, 2, 1],
        "activation": "square",
        "bias": [False, False],
        "output": "linear",
        "pattern": None,
    },
    "data": {"x": [["1", "0"], ["1/3", "2"]], "y": [["1"], ["-5/7"]], "weights": None},
    "hypotheses": [{"kind": "dense"}],
    "conclusion": {"kind": "joined", "A": POINT, "B": POINT, "u": "9/4"},
}


def test_an_instance_is_written_exactly() -> None:
    source = instance_latex(STATEMENT)
    balanced(source)
    assert r"Widths $2\to 2\to 1$" in source
    assert r"\Phi(x;\theta)=W_{2}\,\rho\bigl(W_{1}x\bigr)" in source
    assert r"\rho(z)=z^{2}" in source
    assert r"X = \begin{pmatrix} 1 & \tfrac{1}{3} \\ 0 & 2 \end{pmatrix}" in source
    assert r"Y = \begin{pmatrix} 1 & -\tfrac{5}{7} \end{pmatrix}" in source


def test_a_statement_has_hypotheses_conclusion_points_and_level() -> None:
    source = statement_latex(STATEMENT)
    balanced(source)
    assert r"\item every entry of every layer is a free parameter" in source
    assert r"$u=\tfrac{9}{4}$" in source
    assert r"W_{1}^{(A)} = \begin{pmatrix} \tfrac{1}{2} & -1 \\ 0 & 3 \end{pmatrix}" in source
    assert "W_{2}^{(B)}" in source


def test_large_data_are_abbreviated_honestly() -> None:
    x = [[str(i), f"{i}/7" if i % 7 else str(i)] for i in range(150)]
    data = {"x": x, "y": [["1"]] * 150, "weights": None}
    source = data_latex(data)
    balanced(source)
    assert r"X^{\mathsf T}" in source
    assert r"\vdots" in source
    assert "shown: 3 of 150 rows" in source
    raw = json.dumps(x, separators=(",", ":")).encode()
    shown = source.replace(r"\allowbreak ", "")
    assert hashlib.sha256(raw).hexdigest() in shown


def test_wide_matrices_say_how_many_columns_are_missing() -> None:
    body, note = matrix([[str(i) for i in range(40)]] * 2)
    assert body.count(r"\cdots") == 2
    assert "11 of 40 columns" in note
    assert r"\vdots" not in body


def test_long_entries_are_rounded_and_said_to_be() -> None:
    long = "1" * 30 + "/" + "3" * 30
    body, note = matrix([[long, "1"]])
    assert "0.333333" in body
    assert "long entries rounded" in note
    assert "digits in the certificate" in fraction("1" * 50)


def test_small_matrices_have_no_note() -> None:
    assert matrix([["1", "2"], ["3", "1/4"]])[1] == ""


def test_activations() -> None:
    assert activation_latex("relu") == r"\rho(z)=\max(z,0)"
    assert activation_latex({"polynomial": ["0", "-1", "0", "2"]}) == r"\rho(z)=-z+2z^{3}"
    assert activation_latex({"polynomial": ["0"]}) == r"\rho(z)=0"
    balanced(f"${activation_latex({'leaky_relu': '1/10'})}$")
    for name in ("linear", "square", "cube", "abs", "step"):
        assert activation_latex(name).startswith(r"\rho(z)=")


def test_biases_weights_and_patterns() -> None:
    network = {
        "widths": [1, 2, 1],
        "activation": "relu",
        "bias": [True, False],
        "output": "activation",
        "pattern": [[[0, None], [0, "1/2"]], None],
    }
    source = network_latex(network)
    balanced(source)
    assert r"\overline{x}" in source
    assert "layer 1 has a bias" in source
    assert r"s_{0} & \ast \\ s_{0} & \tfrac{1}{2}" in source
    weighted = data_latex({"x": [["1"]], "y": [["1"]], "weights": ["1/2"]})
    balanced(weighted)
    assert r"s = \begin{pmatrix} \tfrac{1}{2} \end{pmatrix}" in weighted
    assert r"\sum_{j=1}^{N}s_j" in weighted


def counted(kind: str, ridge: Any, fixed: Any, least: int, most: int | None) -> dict[str, Any]:
    return {
        "kind": "roots",
        "system": {"kind": kind, "ridge": ridge, "fixed": fixed},
        "at_least": least,
        "real_at_least": 1,
        "at_most": most,
    }


@pytest.mark.parametrize(
    ("conclusion", "words"),
    [
        ({"kind": "separated", "A": POINT, "B": POINT, "u": "1"}, "different path components"),
        ({"kind": "descends", "A": POINT, "v": "1", "eps": "0"}, "ends with $L=v$"),
        (
            {"kind": "descends", "A": POINT, "v": "1", "eps": "1/1000000"},
            r"$L\le v+\varepsilon$, $\varepsilon=\tfrac{1}{1000000}$",
        ),
        ({"kind": "trapped", "A": POINT, "u": "2", "v": "1"}, r"$L\ge v=1$"),
        ({"kind": "global_min", "v": "1"}, "it is attained"),
        ({"kind": "local_min", "A": POINT}, "local minimum"),
        ({"kind": "not_poor_minimum", "A": POINT}, "not a local minimum above"),
        (
            {"kind": "relation", "left": "1", "op": "<", "right": {"loss": POINT}},
            r"1 < L(\theta_{2})",
        ),
        (counted("interpolation", None, [[2, "1"]], 0, 4), r"at most $4$ isolated complex"),
        (counted("interpolation", None, [[2, "1"]], 0, 4), r"where $\theta_{3}=1$ are fixed"),
        (counted("interpolation", None, [], 81, None), r"\Phi(x_j;\theta)=y_j"),
        (counted("critical", ["1", "1/2"], [], 5, 5), r"exactly $5$ isolated complex solutions"),
        (counted("critical", ["1", "1/2"], [], 5, 9), r"at least $5$ and at most $9$"),
        (counted("critical", ["1", "1/2"], [], 5, 5), r"$\lambda=(1,\tfrac{1}{2})$"),
        (counted("critical", None, [], 2, None), r"At least $1$ of them are real"),
    ],
)
def test_every_conclusion(conclusion: dict[str, Any], words: str) -> None:
    source = conclusion_latex(conclusion)
    balanced(source)
    assert words in source


def test_hypotheses() -> None:
    wide = {"kind": "hidden_widths", "relation": ">=", "bound": "2q"}
    assert hypothesis_latex(wide) == r"$p_k \ge 2q$ for every hidden width $p_k$"
    for less, bound in ((1, "N"), (2, "N-1"), (3, "N-2")):
        fewer = {**wide, "bound": "N+1", "less": less}
        assert hypothesis_latex(fewer) == rf"$p_k \ge {bound}$ for every hidden width $p_k$"
    assert hypothesis_latex({"kind": "hidden_layers", "count": 1}) == "1 hidden layer"
    unknown = hypothesis_latex({"kind": "not_yet", "x": 1})
    balanced(unknown)
    assert r"not\_yet" in unknown


def test_every_hypothesis_of_the_catalogue_is_known_to_the_page() -> None:
    for one in all_claims():
        for variant in one.variants:
            for hypothesis in variant.hypotheses:
                assert r"\texttt" not in hypothesis_latex(hypothesis.json), hypothesis


def test_escaping() -> None:
    assert escaped("a_b & 5% #1 ~ {x} \\ $") == (
        r"a\_b \& 5\% \#1 \textasciitilde{} \{x\} \textbackslash{} \$"
    )
    assert escaped("n >= 1") == r"n $\geq$ 1"
    assert escaped("Fréchet ∂") == "Fréchet [U+2202]"


@pytest.mark.parametrize("one", all_claims(), ids=lambda one: one.id)
def test_every_claim(one: Any) -> None:
    source = claim_latex(one)
    balanced(source)
    assert escaped(one.title) in source
    assert one.latex in source


def test_documents(tmp_path: Path) -> None:
    run = verify("deep-linear-connected", out=tmp_path)
    source = verification_latex(run, [claim("deep-linear-connected")])
    balanced(source)
    assert source.startswith(r"\documentclass")
    assert source.endswith("\\end{document}\n")
    shown = source.replace(r"\allowbreak ", "")
    for result in run.results:
        assert result.instance in source
        assert result.certificate is not None
        outcome = check(Path(result.certificate).read_bytes())
        assert outcome.statement.sha256 in shown  # type: ignore[union-attr]


def test_a_rejected_file_is_named_with_its_reason() -> None:
    source = checked_latex([Checked("a_b.json", "rejected", None, None, None, "not JSON: {")])
    balanced(source)
    assert r"a\_b.json" in source
    assert r"not JSON: \{" in source


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_document_compiles(tmp_path: Path) -> None:
    source = document_latex([instance_latex(STATEMENT), statement_latex(STATEMENT)], "50% & more")
    (tmp_path / "a.tex").write_text(source)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
