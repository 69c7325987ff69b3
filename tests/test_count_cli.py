"""``theorylab count``: its JSON contract, its page, its exit statuses, its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
KEYS = {
    *("schema", "seed", "variables", "equations", "domain", "counts", "modulo", "dimension"),
    *("bounds", "certified", "certified_real", "real_undecided", "singular", "unresolved"),
    *("orbits", "upper", "upper_rule", "complete", "roots_assurance", "upper_assurance"),
    *("engine", "seconds", "certificate"),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.json"
    path.write_text('{"x":[[2],[1]],"y":[["3.0"],[1]]}', "utf-8")
    return path


def system(path: Path, variables: list[str], polynomials: list[str]) -> Path:
    path.write_text(json.dumps({"variables": variables, "polynomials": polynomials}), "utf-8")
    return path


def network(data: Path, *words: object) -> list[object]:
    start = ["count", "--widths", "1,1,1", "--activation", "linear", "--data", data]
    return [*start, "--samples", 1, *words]


def test_critical_points_with_a_certificate_that_the_kernel_repeats(
    run: Run, data: Path, tmp_path: Path
) -> None:
    words = network(data, "--system", "critical", "--ridge", "generic", "--out", tmp_path / "o")
    status, out, err = run(*words, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["schema"] == "theorylab.count/1"
    assert set(found) >= KEYS
    assert (found["certified"], found["upper"], found["complete"]) == (5, 5, True)
    assert set(found["bounds"]) == {"bezout", "multihomogeneous", "bkk"}
    assert found["roots_assurance"] == found["upper_assurance"] == "kernel"
    status, out, _ = run("check", found["certificate"])
    assert status == 0
    assert "at least 5" in out
    before = Path(found["certificate"]).read_bytes()
    run(*words)
    assert [p.read_bytes() for p in (tmp_path / "o").glob("*.json")] == [before]


def test_the_page_fits_and_says_what_is_counted(run: Run, data: Path) -> None:
    status, out, _ = run(*network(data, "--system", "critical", "--ridge", "generic"))
    assert status == 0
    lines = out.splitlines()
    assert max(map(len, lines[: lines.index("  count it again with")])) <= 80
    for words in ("5: COMPLETE (kernel)", "isolated distinct", "Bezout 9", "modulo", "seeds 0, 1"):
        assert words in out
    assert f"theorylab count --widths 1,1,1 --activation linear --data {data}" in out


def test_an_incomplete_count_has_status_three(run: Run, tmp_path: Path) -> None:
    path = system(tmp_path / "curve.json", ["x", "y"], ["x*(x*y-1)", "y*(x*y-1)"])
    status, out, _ = run("count", path)
    assert status == 3
    assert "1 certified of at most 5: INCOMPLETE" in out
    assert "1: infinitely many solutions" in out
    assert "the Jacobian has rank 1" in out
    status, out, _ = run("count", path, "--json", "--out", tmp_path / "o")
    assert json.loads(out)["certificate"] is None
    assert not list((tmp_path / "o").glob("*.json"))


def test_multiple_solutions_are_complete_and_said_to_be_multiple(run: Run, tmp_path: Path) -> None:
    path = system(tmp_path / "double.json", ["x", "y"], ["(x-1)^2", "y^2-1"])
    status, out, _ = run("count", path, "--json")
    found = json.loads(out)
    assert (status, found["certified"], found["certified_real"]) == (0, 2, 2)
    assert (found["multiple"], found["multiplicity"], found["component"]) == (2, 4, None)
    status, out, _ = run("count", path)
    assert "2 multiple solutions by exact algebra" in out


@pytest.mark.parametrize(
    ("words", "unknowns", "modulo"),
    [
        (["--bias", "hidden"], 2, "w2_1_1 = 1"),
        (["--bias", "hidden", "--gauge", "bias"], 2, "b1_1 = 1"),
        (["--bias", "1,0", "--gauge", "first"], 2, "w1_1_1 = 1"),
        (["--bias", "all", "--gauge", "none"], 4, "nothing fixed"),
        (["--bias", "none"], 1, "w2_1_1 = 1"),
    ],
)
def test_biases_and_gauges(
    words: list[str], unknowns: int, modulo: str, run: Run, data: Path
) -> None:
    start = ["count", "--widths", "1,1,1", "--activation", "square", "--data", data]
    status, out, _ = run(*start, "--system", "interpolation", *words, "--json")
    found = json.loads(out)
    assert found["variables"] == unknowns
    assert modulo in found["modulo"]
    assert status == (0 if found["complete"] else 3)


def test_threads_are_accepted_and_change_nothing(run: Run, tmp_path: Path) -> None:
    path = system(tmp_path / "two.json", ["x", "y"], ["x^2+y^2-5", "x*y-2"])
    answers = []
    for threads in (1, 2):
        status, out, _ = run("count", path, "--threads", threads, "--json", "--engine", "batch")
        answers.append({**json.loads(out), "seconds": 0})
        assert status == 0
    assert answers[0] == answers[1]


def test_files_interpolation_and_the_torus(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "two"
    path.write_text("2\nx^2 - y;\n x*y - x;\n", "utf-8")
    status, out, _ = run("count", path, "--json")
    assert (status, json.loads(out)["certified"]) == (0, 3)
    status, out, _ = run("count", path, "--domain", "torus", "--json")
    found = json.loads(out)
    assert (status, found["certified"], found["domain"]) == (0, 2, "torus")
    status, out, _ = run(*network(data, "--system", "interpolation"), "--json")
    assert (status, json.loads(out)["certified"]) == (0, 1)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ('{"variables":["x"],"polynomials":["__import__(\'os\')"]}', "polynomials[0]"),
        ('{"variables":["x"],"polynomials":["x^1000000000"]}', "polynomials[0]"),
        ('{"variables":["x","x"],"polynomials":["x"]}', "variables"),
        ('{"variables":["x"],"polynomials":["y"]}', "polynomials[0]"),
        ('{"variables":["x"]}', "polynomials"),
        ("[]", ""),
        ("{", ""),
    ],
)
def test_bad_files_are_refused_in_one_line(
    content: str, part: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content, "utf-8")
    status, out, err = run("count", path)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert part in err
    assert "FILE" in err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["absent.json"],
        ["--widths", "1,1,1"],
        ["--widths", "1,x", "--activation", "linear", "--data", "iris", "--system", "critical"],
        ["--widths", "4,1,1", "--activation", "relu", "--data", "iris", "--system", "critical"],
        ["--widths", "4,1,3", "--activation", "soft", "--data", "iris", "--system", "critical"],
        ["--widths", "4,1,3", "--activation", "linear", "--data", "iris", "--system", "zeros"],
        ["file.json", "--widths", "1,1,1"],
    ],
)
def test_bad_usage_is_refused_in_one_line(words: list[str], run: Run) -> None:
    status, out, err = run("count", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "words",
    [
        ["--ridge", "-1", "--system", "critical"],
        ["--ridge", "1", "--system", "interpolation"],
        ["--engine", "hom4ps", "--system", "critical"],
        ["--domain", "real", "--system", "critical"],
        ["--seed", "x", "--system", "critical"],
        ["--samples", "9", "--system", "critical"],
        ["--bias", "some", "--system", "critical"],
        ["--bias", "1,0,1", "--system", "critical"],
        ["--gauge", "best", "--system", "critical"],
        ["--threads", "0", "--system", "critical"],
    ],
)
def test_bad_options_are_refused_in_one_line(words: list[str], run: Run, data: Path) -> None:
    status, out, err = run(*network(data, *words))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words[0] in err or words[0].removeprefix("--") in err
