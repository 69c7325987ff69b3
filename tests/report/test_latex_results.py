"""LaTeX of every result: balanced, escaped, exact, in macros that are known to compile."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from latex_source import balanced, sound

import theorylab as tl
from theorylab.cli import main
from theorylab.counting.system import system_from_json
from theorylab.falsify.sharpness import Row, Sharpness
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError
from theorylab.report.latex import PREAMBLE, document, latex
from theorylab.report.latex_polynomials import name_latex, system_latex
from theorylab.report.latex_results import number
from theorylab.report.latex_tables import labelled, table

PLANTED = r"50% of a_b & c#1 ~ {x} \ $y^2 <ü>"


def one_hidden() -> tuple[Network, Dataset]:
    points = Dataset.from_rows([[1], [-1], [2], [-2]], [[1], [2], [-1], [3]])
    return Network.dense((1, 2, 1), "relu"), points


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    network, points = one_hidden()
    deep = Network.dense((1, 2, 1), "linear")
    line = Dataset.from_rows([[1]], [[1]])
    from theorylab.instances import Seeded, fitted

    a, b = (fitted(Seeded(seed), deep, line) for seed in (1, 2))
    circle = system_from_json(
        {"variables": ["x", "y"], "polynomials": ["x^2+1/2*y^2-5", "x*y-2"]}, PLANTED
    )
    return {
        "verify": tl.verify("deep-linear-connected"),
        "falsify": tl.falsify("deep-linear-connected", as_stated=True),
        "survived": tl.falsify("deep-linear-connected", tries=3),
        "phase": tl.phase("deep-linear-connected", (1, 2, 3), (1, 2, 3), tries=20, pairs=2),
        "count": tl.count(circle),
        "connect": tl.connect(deep, line, a, b),
        "levels": tl.levels(network, points),
        "experiment": tl.experiment("max-margin-bias", device="cpu"),
        "network": network,
        "data": points,
    }


def test_every_result_is_sound(results: dict[str, Any]) -> None:
    for value in results.values():
        sound(latex(value))
        whole = document(value, PLANTED)
        balanced(whole)
        assert whole.startswith(PREAMBLE) and whole.endswith("\\end{document}\n")


def test_the_level_function_is_exact(results: dict[str, Any]) -> None:
    source = latex(results["levels"])
    assert r"$2$ & $\tfrac{11}{5}$ & $2$ \\" in source
    assert r"$\tfrac{11}{5}$ &  & $1$ \\" in source
    assert r"$1$ & $2$ & $0$ & $\tfrac{11}{5}$ & $\tfrac{1}{5}$ \\" in source


def test_long_levels_are_rounded_and_marked(results: dict[str, Any]) -> None:
    assert number("1/3") == r"$\tfrac{1}{3}$"
    long = f"{10**20 + 1}/{3 * 10**20}"
    assert number(long) == r"$\approx 0.333333$"
    tree = results["levels"].tree
    scaled = replace(tree, levels=tuple((level * Fraction(long), n) for level, n in tree.levels))
    assert r"\approx 0.666667" in latex(replace(results["levels"], tree=scaled))


def test_a_rejected_level_tree_shows_no_table(results: dict[str, Any]) -> None:
    source = latex(replace(results["levels"], outcome="rejected", reason=PLANTED))
    sound(source)
    assert "rejected" in source and r"\tfrac{11}{5}" not in source


def test_the_grid_has_a_mark_for_each_cell(results: dict[str, Any]) -> None:
    source = latex(results["phase"])
    assert r"$3$ & $+$ & $+$ & $\times$ \\" in source
    assert r"$1$ & $\times$ & $\times$ & $\times$ \\" in source
    cut = replace(results["phase"], cells=results["phase"].cells[:-1])
    assert r"$3$ & $+$ & $+$ & -- \\" in latex(cut)


def test_open_cells_say_how_many_were_searched(results: dict[str, Any]) -> None:
    found = results["phase"]
    cell = replace(found.cells[0], verdict="open", tried=17, proved=1)
    source = latex(replace(found, cells=(cell, *found.cells[1:])))
    assert r"$?\;17$ $1/2$" in source
    partly = replace(found.at(1, 3), proved=1)
    kept = tuple(partly if c == found.at(1, 3) else c for c in found.cells)
    assert r"$+$ $1/2$" in latex(replace(found, cells=kept))


def test_a_hunt_shows_the_instance_and_the_lemma(results: dict[str, Any]) -> None:
    source = latex(results["falsify"])
    assert "refuted by this instance" in source and "Lemma 7" in source
    assert r"W_{1}^{(A)} = \begin{pmatrix} 1 \end{pmatrix}" in source
    assert "survived 3 (seed 0): nothing is proved" in latex(results["survived"])


def test_a_count_shows_bounds_and_equations(results: dict[str, Any]) -> None:
    source = latex(results["count"])
    assert "4: COMPLETE" in source and "Bezout 4" in source
    assert r"x^{2}+\tfrac{1}{2}y^{2}-5 &= 0" in source and r"xy-2 &= 0" in source


def test_a_pair_has_levels_and_its_certificate(results: dict[str, Any]) -> None:
    source = latex(results["connect"])
    assert "proved" in source and r"\textbf{Conclusion.}" in source
    assert r"$A$ and $B$ lie in one path component" in source


def test_findings_have_a_row_each(results: dict[str, Any]) -> None:
    found = results["experiment"]
    source = latex([found, found])
    sound(source)
    assert source.count("inconsistent &") == 2 and source.count("printed &") == 2
    unfinished = replace(found, done=0)
    assert "nothing is judged" in latex(unfinished)


def test_instances_have_a_row_in_the_table_of_their_claim(results: dict[str, Any]) -> None:
    source = latex(results["verify"])
    for one in results["verify"].results:
        assert f"{one.instance} & {one.variant} & {one.outcome} &" in source


def test_names_are_escaped_everywhere(results: dict[str, Any]) -> None:
    row = Row(PLANTED, "v", PLANTED, "refuted", PLANTED, "", 3, 0.1)
    table_ = Sharpness((row, replace(row, outcome="survived", counterexample="")), 50, 0, 1.0, 2)
    planted = {
        "sharpness": table_,
        "falsify": replace(results["falsify"], title=PLANTED, words=PLANTED + "2"),
        "phase": replace(results["phase"], title=PLANTED, words=PLANTED, family=PLANTED),
        "connect": replace(results["connect"], data=PLANTED, reason=PLANTED),
        "count": replace(results["count"], notes=(PLANTED,), modulo=PLANTED),
    }
    for value in planted.values():
        source = latex(value)
        sound(source)
        assert r"50\% of a\_b \& c\#1 \textasciitilde{} \{x\} \textbackslash{} \$y" in source


def test_names_of_unknowns() -> None:
    assert [name_latex(name) for name in ("x", "x12", "w1_2_1", "z_3")] == [
        "x",
        "x_{12}",
        "w_{1,2,1}",
        "z_{3}",
    ]
    assert name_latex("speed_a") == r"\mathit{speed\_a}"


def test_a_system_too_long_for_a_page_is_named_by_its_size() -> None:
    names = [f"x{i}" for i in range(130)]
    system = system_from_json({"variables": names, "polynomials": ["+".join(names)]}, "long")
    assert system_latex(system) == "1 equation in 130 unknowns, too long to print."


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="number of cells"):
        table("rr", ("a", "b"), [("1",)])
    sound(labelled([("a_b", "words")]))


def test_other_values_are_refused() -> None:
    for value in (3, [], [3], "text"):
        with pytest.raises(InputError, match="LaTeX"):
            latex(value)


@pytest.mark.slow
def test_commands_write_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, points = one_hidden()
    data, shape = tmp_path / "d.json", tmp_path / "n.json"
    data.write_text(json.dumps(points.to_json()))
    weights = [[["1"], ["0"]], [["1", "1"]]]
    shape.write_text(json.dumps({"widths": [1, 2, 1], "activation": "relu", "weights": weights}))
    system = tmp_path / "s.json"
    system.write_text('{"variables":["x"],"polynomials":["x^2-2"]}')
    thin = ["--widths", "2,2,1", "--activation", "square"]
    for words, heading in (
        (["count", str(system)], "Solutions"),
        (["sweep", *thin, "--instances", "2"], "A sweep"),
        (["connect", str(shape), str(shape), "--data", str(data)], "A pair"),
        (["levels", str(shape), "--data", str(data)], "Level function"),
        (["falsify", "quadratic-connected", "--tries", "2"], "Hunt"),
        (["phase", "deep-linear-connected", "--n", "1", "--p", "1..2", "--pairs", "1"], "Map"),
        (["experiment", "max-margin-bias", "--device", "cpu", "--threads", "1"], "Experiment"),
        (["verify", "quadratic-connected"], "Two-layer quadratic"),
    ):
        place = tmp_path / f"{words[0]}.tex"
        assert main([*words, "--latex", str(place)]) == 0, words
        source = place.read_text()
        balanced(source)
        assert heading in source
        assert f"wrote {place}" in capsys.readouterr().err
        assert main([*words, "--latex", str(tmp_path)]) == 2
        assert "--latex" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_documents_compile(results: dict[str, Any], tmp_path: Path) -> None:
    for name, value in results.items():
        (tmp_path / f"{name}.tex").write_text(document(value, PLANTED))
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout[-2000:]
