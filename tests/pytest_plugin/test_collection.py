"""``pytest --claims`` in folders of users: what is collected, what passes, what is said."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from pytest_plugin.users import CLAIMS

import theorylab as tl
from theorylab import kernel
from theorylab.cli import main

pytest_plugins = ["pytester"]


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's folder: claims, and a usual test."""
    pytester.makepyfile(my_claims=CLAIMS, test_usual="def test_usual(): pass")
    return pytester


def run(folder: pytest.Pytester, *words: str) -> pytest.RunResult:
    return folder.runpytest_inprocess("-W", "error", "--strict-markers", *words)


def ids(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line and " " not in line]


def test_claims_stand_beside_the_usual_tests(folder: pytest.Pytester) -> None:
    result = run(folder, "--claims", "my_claims.py::wide", "quadratic-connected")
    result.assert_outcomes(passed=12 + 3 + 1)
    result.stdout.fnmatch_lines(
        [
            "claims: my_claims.py::wide, quadratic-connected; seed 0",
            "collected 16 items",
            "*= claims =*",
            "my_claims.py::wide: proved on 12 of 12 instances",
            "quadratic-connected: proved on 3 of 3 instances",
        ]
    )
    assert run(folder, "-m", "claim", "--claims=quadratic-connected").parseoutcomes() == {
        "passed": 3,
        "deselected": 1,
    }


def test_node_ids_are_names_and_run_alone(folder: pytest.Pytester) -> None:
    words = ("--claims=quadratic-connected", "--claims-instances=2", "--claims-tries=5")
    listed = ids(run(folder, "--collect-only", "-q", *words))
    assert listed == [
        "test_usual.py::test_usual",
        "claims::quadratic-connected::iris-petals-2-12-3",
        "claims::quadratic-connected::iris-4-20-3",
        "claims::quadratic-connected::iris-petals-2-6-3",
        "claims::quadratic-connected::random-0-0",
        "claims::quadratic-connected::random-0-1",
        "claims::quadratic-connected::hunt",
    ]
    # a node id is enough by itself, the random ones included, and brings no other test along
    result = run(folder, "-v", listed[2], listed[5], "claims::my_claims.py::squares::draws")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["claims::my_claims.py::squares::draws PASSED*"])
    assert run(folder, listed[2], "test_usual.py").parseoutcomes() == {"passed": 2}


def test_paths_after_the_option_are_paths(folder: pytest.Pytester) -> None:
    folder.mkdir("inner").joinpath("test_inner.py").write_text("def test_inner(): pass")
    result = run(folder, "-v", "--claims", "quadratic-connected", "my_claims.py::squares", "inner")
    result.assert_outcomes(passed=3 + 1 + 1)
    assert "test_usual" not in result.stdout.str()
    again = run(folder, "inner", "--claims=quadratic-connected,my_claims.py::squares")
    again.assert_outcomes(passed=3 + 1 + 1)
    again = run(folder, "--claims=quadratic-connected", "--claims", "my_claims.py::squares", ".")
    again.assert_outcomes(passed=3 + 1 + 2)


def test_the_conftest_of_a_path_after_the_option_is_read_first(folder: pytest.Pytester) -> None:
    inner = folder.mkdir("inner")
    inner.joinpath("conftest.py").write_text(
        "def pytest_addoption(parser): parser.addoption('--mine', action='store_true')"
    )
    inner.joinpath("test_inner.py").write_text(
        "def test_inner(request): assert request.config.getoption('mine')"
    )
    result = run(folder, "--mine", "--claims", "my_claims.py::squares", "inner")
    result.assert_outcomes(passed=2)


def test_without_ids_the_ini_value_is_decided(folder: pytest.Pytester) -> None:
    folder.makepyprojecttoml(
        '[tool.pytest.ini_options]\nclaims = ["my_claims.py::squares", "quadratic-connected"]\n'
        'addopts = ["--claims"]'
    )
    run(folder).assert_outcomes(passed=5)
    inner = folder.mkdir("inner")
    folder.chdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inner)
        result = run(folder, "-m", "claim")
        result.assert_outcomes(passed=4)
        result.stdout.fnmatch_lines(["../my_claims.py::squares: survived:*"])


@pytest.mark.slow
def test_without_ids_and_ini_value_the_catalogue_is_collected(folder: pytest.Pytester) -> None:
    listed = ids(run(folder, "--collect-only", "-q", "--claims"))
    expected = [
        f"claims::{one.id}::{case.name}"
        for one in tl.claims.all_claims()
        for case in (*one.canonical(), *one.trials(0, 0))
    ]
    assert listed == ["test_usual.py::test_usual", *expected]


def test_every_outcome_is_that_of_verify(folder: pytest.Pytester) -> None:
    words = ("deep-linear-connected", "span-path", "connected-implies-no-poor-minima")
    result = run(folder, f"--claims={','.join(words)}", "--claims-instances=2", "--junitxml=o.xml")
    verified = tl.verify(words, instances=2)
    result.assert_outcomes(passed=len(verified.results) + 1)
    found = {}
    for test in ElementTree.parse(folder.path / "o.xml").iter("testcase"):
        said = {p.get("name"): p.get("value") for p in test.iter("property")}
        if said:
            found[test.get("classname"), test.get("name")] = said["outcome"], said["assurance"]
    assert found == {
        (f"claims.{r.claim}", r.instance): (r.outcome, r.assurance) for r in verified.results
    }
    assert {outcome for outcome, _ in found.values()} == {"proved", "refuted"}


def test_a_trial_and_a_bare_function_are_told_in_their_own_words(folder: pytest.Pytester) -> None:
    (trial, *_) = tl.claims.claim("real-zeros-mean").trials(0, 0)
    node = f"claims::real-zeros-mean::{trial.name}"
    result = run(folder, node, "claims::my_claims.py::squares")
    text = result.stdout.str()
    assert "squares: survived: no counterexample in 100 draws; nothing is proved by that" in text
    assert "as expected in 1 of 1 trial (assurance statistical)" in text
    assert "proved" not in text.replace("nothing is proved", "")


def test_a_hunt_that_survives_proves_nothing(folder: pytest.Pytester) -> None:
    node = "claims::my_claims.py::wide::hunt"
    result = run(folder, node, "--claims-tries", "7", "--claims-seed", "3")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["my_claims.py::wide: survived 7 (seed 3)"])
    assert "proved" not in result.stdout.str()
    listed = ids(run(folder, "--collect-only", "-q", "--claims-tries=7", "--claims",
                     "relu-disconnected", "real-zeros-mean"))  # fmt: skip
    assert not any(node.endswith("hunt") for node in listed)


def test_certificates_are_kept_and_check(folder: pytest.Pytester) -> None:
    out = folder.path / "out"
    run(folder, "-m", "claim", "--claims=span-path", f"--claims-out={out}")
    for result in tl.verify("span-path").results:
        raw = (out / "span-path" / f"{result.instance}.json").read_bytes()
        assert raw == result.certificate_bytes
        assert not isinstance(kernel.check(raw), kernel.Rejected)


@pytest.mark.slow
def test_the_record_of_a_run_is_that_of_verify(folder: pytest.Pytester) -> None:
    words = ("--claims=span-path,my_claims.py::narrow", "--claims-out=out", "--claims-tries=3")
    run(folder, "-m", "claim", *words)
    (record,) = (folder.path / "out" / "records" / "verify").glob("*.json")
    kept = json.loads(record.read_text("utf-8"))
    again = "pytest -m claim --claims span-path my_claims.py::narrow --claims-tries 3"
    assert kept["command"] == again.split()
    assert list(kept["claims"]) == ["narrow"] and len(kept["certificates"]) == 5 + 12
    (narrow,) = tl.load_claims("my_claims.py::narrow")
    verified = tl.verify([tl.claims.claim("span-path"), narrow]).to_json()
    for one in (kept["document"]["summary"], verified["summary"]):
        del one["seconds"]
    for one in (*kept["document"]["results"], *verified["results"]):
        del one["seconds"], one["certificate"]
    assert kept["document"] == verified
    assert len([*(folder.path / "out" / "records" / "falsify").glob("*.json")]) == 2
    assert main(["report", "out"]) == 0


# Selections and workers


def test_k_x_and_last_failed(folder: pytest.Pytester) -> None:
    words = ("--claims=my_claims.py::small,my_claims.py::narrow,my_claims.py::wide",)
    assert run(folder, *words, "-k", "wide and drawn-3").parseoutcomes() == {
        "passed": 1,
        "deselected": 25,
    }
    assert run(folder, *words, "-x", "-m", "claim").parseoutcomes()["failed"] == 1
    first = run(folder, *words).parseoutcomes()
    assert first == {"passed": 24, "failed": 2}
    again = run(folder, *words, "--lf")
    assert again.parseoutcomes() == {"failed": 2, "deselected": 24}


@pytest.mark.slow
def test_workers_collect_and_decide_the_same(folder: pytest.Pytester) -> None:
    words = ("-W", "error", "-v", "-m", "claim", "--claims-instances=1", "--claims-out=out",
             "--claims", "span-path", "my_claims.py::narrow")  # fmt: skip

    def told(*more: str) -> tuple[list[str], list[str]]:
        lines = folder.runpytest_subprocess(*words, *more).outlines
        tests = [line.split() for line in lines if "PASSED" in line or "FAILED" in line]
        outcomes = {
            (next(w for w in line if "::" in w), "PASSED" in line)
            for line in tests
            if "-" not in line
        }
        tallies = [line for line in lines if ": proved on" in line]
        return sorted(map(str, outcomes)), sorted(tallies)

    alone, shared = told(), told("-n", "2", "-p", "xdist")
    assert alone == shared and len(alone[0]) == 5 + 1 + 12 + 1 and len(alone[1]) == 2
    assert (folder.path / "out" / "narrow" / "drawn-11.json").exists()


# What it costs who does not use it


def test_an_unused_plugin_imports_and_prints_nothing(folder: pytest.Pytester) -> None:
    usual = folder.path / "test_usual.py"
    usual.write_text(
        "import sys\n\ndef test_usual():\n"
        "    heavy = ('flint', 'numpy', 'theorylab.claims', 'theorylab.instances')\n"
        "    assert not [name for name in heavy if name in sys.modules]\n"
        "    assert 'theorylab.pytest_plugin' in sys.modules\n"
    )
    with_it = folder.runpytest_subprocess("-W", "error", "-q")
    with_it.assert_outcomes(passed=1)
    assert with_it.outlines[0].startswith(".") and "claim" not in with_it.stdout.str()
    usual.write_text("def test_usual(): pass")
    without = folder.runpytest_subprocess("-p", "no:theorylab", "-q")
    without.assert_outcomes(passed=1)
    assert folder.runpytest_subprocess("-p", "no:theorylab", "--claims").ret == 4


def test_the_plugin_imports_pytest_alone() -> None:
    script = (
        "import sys, pytest; before = set(sys.modules); import theorylab.pytest_plugin\n"
        "new = {m.split('.')[0] for m in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["theorylab"]


# What is wrong is said in one line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--claims=quadratc-connected"], "did you mean quadratic-connected"),
        (["--claims=missing.py"], "there is no such file"),
        (["claims::nothing::at-all"], "it is not in the catalogue"),
        (["--claims=::"], "claims are ids, FILE.py or FILE.py::NAME"),
        (["--claims", "--claims-tries=-1"], "--claims-tries = -1: a whole number of at least 0"),
        (["--claims-seed=x"], "--claims-seed = x: a whole number is expected"),
        (["--claims-undecided=no"], "an undecided instance fails, or is skipped"),
        (["--claims-out=my_claims.py"], "certificates go into a folder"),
    ],
)
def test_bad_words_are_usage_errors(folder: pytest.Pytester, words: list[str], said: str) -> None:
    result = run(folder, *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line]
    assert line.startswith("ERROR: theorylab: ") and said in line


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("x = (", "", "it is no Python"),
        ("import no_such_module # a conjecture", "", "ModuleNotFoundError"),
        ("x = 'no conjecture'", "", "there is no claim at the top level"),
        (CLAIMS, "::nrrow", "the file has no claim nrrow; it has wide, narrow"),
        (CLAIMS, "::wide::drawn-99", "wide has no instance drawn-99; it has drawn-0"),
        (CLAIMS.replace("1, 1, 1", "1, 0, 1"), "::unknown", "widths"),
    ],
)
def test_a_file_that_does_not_run_is_an_error_of_collection(
    pytester: pytest.Pytester, text: str, words: str, said: str
) -> None:
    pytester.makepyfile(mine=text)
    result = run(pytester, f"--claims=mine.py{words}")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    lines = [line for line in result.outlines if line.startswith("theorylab: ")]
    assert len(lines) == 1 and said in lines[0], result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_the_command_line_of_theorylab_decides_the_same(folder: pytest.Pytester) -> None:
    assert run(folder, "-m", "claim", "--claims=my_claims.py::wide").ret == 0
    assert main(["verify", "my_claims.py::wide"]) == 0
    assert Path("my_claims.py").exists()
