"""The command line: exit statuses, one clear line for every bad input, nothing half-written."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import theorylab
from theorylab.claims import Claim, all_claims
from theorylab.kernel import Proved, Refuted, check
from theorylab.outcome import Undecided

FAST = "quadratic-connected"
MIXED = "deep-linear-connected"

Run = Callable[..., tuple[int, str, str]]


def network(path: Path, widths: list[int], weights: list[Any], activation: str = "square") -> Path:
    path.write_text(
        json.dumps({"widths": widths, "activation": activation, "weights": weights}), "utf-8"
    )
    return path


@pytest.fixture
def thin(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two zeros of (uw - 1)^2 on either side of uw = 0, and the datum."""
    a = network(tmp_path / "a.json", [1, 1, 1], [[["1"]], [["1"]]], "linear")
    b = network(tmp_path / "b.json", [1, 1, 1], [[["-1"]], [["-1"]]], "linear")
    data = tmp_path / "one.json"
    data.write_text('{"x":[[1]],"y":[["1.0"]]}', "utf-8")
    return a, b, data


@pytest.fixture
def wide(tmp_path: Path) -> tuple[Path, Path]:
    """Two settings of a 4-8-3 square network, wide enough for four samples of iris."""
    rows = [[str((3 * i + j) % 5 - 2) for j in range(4)] for i in range(8)]
    up = [[str((i + 2 * j) % 3 - 1) for j in range(8)] for i in range(3)]
    a = network(tmp_path / "wide a.json", [4, 8, 3], [rows, up])
    b = network(tmp_path / "wide-b.json", [4, 8, 3], [rows[::-1], up[::-1]])
    return a, b


# --- what each command prints and its status -----------------------------------------------------


def test_version_help_and_no_arguments(run: Run) -> None:
    assert run("--version") == (0, f"theorylab {theorylab.__version__}\n", "")
    status, shown, _ = run()
    assert status == 0
    assert all(name in shown for name in ("list", "verify", "connect", "check"))
    for name in ("list", "verify", "connect", "check"):
        status, shown, errors = run(name, "--help")
        assert (status, errors) == (0, "")
        assert "--json" in shown


def test_list(run: Run) -> None:
    status, shown, errors = run("list")
    assert (status, errors) == (0, "")
    assert all(claim.id in shown for claim in all_claims())


def test_verify_one_claim(run: Run) -> None:
    status, shown, errors = run("verify", FAST)
    assert (status, errors) == (0, "")
    assert "joined 3 of 3 pairs" in shown
    assert "0 undecided; assurance: kernel; seed 0" in " ".join(shown.split())


def test_an_erratum_is_expected_to_be_refuted(run: Run) -> None:
    status, shown, _ = run("verify", MIXED)
    assert status == 0
    assert "refuted as expected on 3 instances" in shown


def test_out_keeps_certificates_that_check(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "certificates"
    status, shown, _ = run("verify", MIXED, "--out", out)
    assert status == 0
    files = sorted(p for p in out.rglob("*.json") if "records" not in p.parts)
    assert len(files) >= 5
    for file in files:
        assert isinstance(check(file.read_bytes()), Proved | Refuted)
    assert not [p for p in out.rglob("*") if p.is_file() and p.suffix != ".json"]
    assert f"theorylab check {out}" in shown
    status, shown, _ = run("check", out)
    assert status == 0
    assert f"of {len(files)} files" in shown


def test_the_same_seed_gives_the_same_certificates(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run("verify", FAST, "--instances", 2, "--seed", 5, "--out", tmp_path / name)
    one, two = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).glob("*/*.json")}
        for name in ("one", "two")
    )
    assert one == two
    assert any("random-5-" in str(path) for path in one)


def test_seconds_cuts_and_says_so(run: Run) -> None:
    status, shown, _ = run("verify", FAST, "--seconds", "1e-9")
    assert status == 3
    assert "cut by --seconds after 1 of 3 instances" in shown


def test_a_claim_named_twice_is_verified_once(run: Run) -> None:
    assert "proved on 3 of 3 instances" in run("verify", FAST, FAST)[1]


def test_latex_documents(run: Run, tmp_path: Path) -> None:
    paper = tmp_path / "deep" / "paper.tex"
    status, _, errors = run("verify", MIXED, "--latex", paper, "--out", tmp_path / "out", "--json")
    assert status == 0
    assert errors == f"wrote {paper}\n"
    assert paper.read_text("utf-8").count(r"\subsection*") == 5
    status, _, _ = run("check", tmp_path / "out", "--latex", paper)
    assert status == 0
    assert r"\textbf{Outcome.} The conclusion below is refuted" in paper.read_text("utf-8")


def test_undecided_alone_is_status_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claim, "prove", lambda *_: Undecided("too narrow", remedy="widen it"))
    status, shown, _ = run("verify", FAST)
    assert status == 3
    assert "too narrow; widen it" in " ".join(shown.split())
    assert "3 undecided" in " ".join(shown.split())


def test_a_rejected_certificate_is_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claim, "prove", lambda *_: b"{}\n")
    status, shown, _ = run("verify", FAST)
    assert status == 1
    assert "3 REJECTED by the kernel" in " ".join(shown.split())


def test_check_statuses(run: Run, tmp_path: Path) -> None:
    run("verify", FAST, "--out", tmp_path)
    good = next(tmp_path.glob("*/*.json"))
    forged = tmp_path / "forged.json"
    forged.write_bytes(good.read_bytes().replace(b'"schema"', b'"Schema"'))
    assert run("check", good)[0] == 0
    status, shown, _ = run("check", good, forged)
    assert status == 1
    assert "rejected" in shown
    assert "1 proved, 0 refuted, 1 rejected of 2 files" in shown


# --- connect -------------------------------------------------------------------------------------


def test_connect_joins(run: Run, wide: tuple[Path, Path], tmp_path: Path) -> None:
    words = ("connect", *wide, "--data", "iris", "--samples", 4, "--out", tmp_path / "out")
    status, shown, errors = run(*words)
    assert status == 0
    assert errors.startswith("hidden widths that suffice: ")
    assert "joined: one path component" in shown
    files = sorted((tmp_path / "out").glob("*.json"))
    assert files[0].name.startswith("wide a-wide-b-")
    assert all(isinstance(check(file.read_bytes()), Proved) for file in files)
    run(*words)
    assert sorted((tmp_path / "out").glob("*.json")) == files


def test_connect_separates(run: Run, thin: tuple[Path, Path, Path]) -> None:
    a, b, data = thin
    status, shown, _ = run("connect", a, b, "--data", data)
    assert status == 0
    assert "separated: A and B lie in different path components" in shown


def test_connect_with_a_ridge(run: Run, tmp_path: Path) -> None:
    a = network(tmp_path / "a.json", [1, 2, 1], [[["1"], ["0"]], [["1", "0"]]], "linear")
    b = network(tmp_path / "b.json", [1, 2, 1], [[["-1"], ["0"]], [["-1", "0"]]], "linear")
    (tmp_path / "d.csv").write_text("x1,y1\n1,2\n", "utf-8")
    words = ("connect", a, b, "--data", tmp_path / "d.csv", "--ridge")
    status, shown, _ = run(*words, "1/4")
    assert status == 0 and "joined: one path component" in shown
    assert "L adds 1/4 times" in shown and "= 3/2" in shown
    status, shown, _ = run(*words, "1/4", "--json")
    assert (json.loads(shown)["ridge"], json.loads(shown)["level"]) == ("1/4", "3/2")
    for value in ("0", "-1", "x"):
        status, shown, errors = run(*words[:-1], f"--ridge={value}")
        assert (status, shown) == (2, "") and errors.startswith(f"theorylab: --ridge: {value}: ")


def test_connect_undecided_says_which_width_would_do(run: Run, tmp_path: Path) -> None:
    a = network(tmp_path / "a.json", [4, 1, 3], [[["1", "0", "0", "0"]], [["1"], ["0"], ["0"]]])
    b = network(tmp_path / "b.json", [4, 1, 3], [[["0", "1", "0", "0"]], [["1"], ["0"], ["0"]]])
    status, shown, errors = run("connect", a, b, "--data", "iris")
    assert status == 3
    assert "outcome      undecided" in shown
    assert "widen hidden layer 1 to 2" in shown
    assert errors == "hidden widths that suffice: 2; given: 1\n"


def test_decimals_are_exact(run: Run, tmp_path: Path) -> None:
    a = network(tmp_path / "a.json", [1, 1], [[[0.1]]], "linear")
    b = network(tmp_path / "b.json", [1, 1], [[["1/10"]]], "linear")
    (tmp_path / "d.csv").write_text("x1,y1\n10,1.0\n", "utf-8")
    status, shown, _ = run("connect", a, b, "--data", tmp_path / "d.csv", "--json")
    assert status == 0
    assert json.loads(shown)["level"] == "0"


# --- bad input: one line, status 2, nothing on standard output, nothing written ------------------

GOOD = {"widths": [2, 2, 1], "activation": "relu", "weights": [[["1", "2"], ["3", "4"]], [[1, 1]]]}
BAD_NETWORKS = {
    "ragged": ({**GOOD, "weights": [[["1", "2"], ["3"]], [["1", "1"]]]}, "weights[0][1]"),
    "wrong widths": ({**GOOD, "widths": [2, 3, 1]}, "layer 1 is 3 x 2"),
    "zero width": ({**GOOD, "widths": [2, 0, 1]}, "widths"),
    "no layers": ({**GOOD, "widths": [2], "weights": []}, "widths"),
    "missing layer": ({**GOOD, "weights": [[["1", "2"], ["3", "4"]]]}, "weights"),
    "denominator 0": ({**GOOD, "weights": [[["1/0", "2"], ["3", "4"]], [["1", "1"]]]}, "1/0"),
    "word": ({**GOOD, "weights": [[["one", "2"], ["3", "4"]], [["1", "1"]]]}, "one"),
    "null": ({**GOOD, "weights": [[[None, "2"], ["3", "4"]], [["1", "1"]]]}, "null"),
    "nan": ({**GOOD, "weights": [[[float("nan"), "2"], ["3", "4"]], [["1", "1"]]]}, "NaN"),
    "infinite": ({**GOOD, "weights": [[[float("inf"), "2"], ["3", "4"]], [["1", "1"]]]}, "Inf"),
    "activation": ({**GOOD, "activation": "gelu"}, "gelu"),
    "stray key": ({**GOOD, "color": 1}, "color"),
    "no weights": ({"widths": [2, 1], "activation": "relu"}, "weights"),
    "a list": ([1, 2], "one JSON object"),
    "too deep": ("[" * 100_000, "nested too deeply"),
    "not json": ("{", "not valid JSON"),
    "twice": ('{"widths":[1,1],"widths":[1,1]}', "once"),
    "empty": ("", "not valid JSON"),
    "not text": (b"\xff\xfe\x00", "not UTF-8"),
}


def one_line(found: tuple[int, str, str], *words: str) -> None:
    status, shown, errors = found
    assert status == 2, found
    assert shown == ""
    assert errors.endswith("\n")
    assert errors.count("\n") == 1
    assert "Traceback" not in errors
    name, argument, rest = errors.rstrip("\n").split(": ", 2)
    assert name == "theorylab"
    assert argument
    assert "; " in rest, "a rule and a remedy"
    assert not rest.endswith("; ")
    for word in words:
        assert word in errors, errors


@pytest.mark.parametrize("kind", BAD_NETWORKS)
def test_bad_networks(run: Run, tmp_path: Path, kind: str) -> None:
    content, words = BAD_NETWORKS[kind]
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    good.write_text(json.dumps(GOOD), "utf-8")
    if isinstance(content, bytes):
        bad.write_bytes(content)
    else:
        bad.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    data = tmp_path / "d.json"
    data.write_text('{"x":[[1,2]],"y":[[1]]}', "utf-8")
    out = tmp_path / "out"
    one_line(run("connect", bad, good, "--data", data, "--out", out), "NETWORK_A", words)
    one_line(run("connect", good, bad, "--data", data, "--out", out), "NETWORK_B", words)
    assert not out.exists()


BAD_DATA = {
    "empty.json": ('{"x":[],"y":[]}', "at least one sample"),
    "empty.csv": ("x1,x2,y1\n", "at least one sample"),
    "nothing.csv": ("", "header"),
    "header.csv": ("a,b\n1,2\n", "header"),
    "short.csv": ("x1,x2,y1\n1,2\n", "line 2"),
    "word.csv": ("x1,x2,y1\n1,two,3\n", "two"),
    "zero.csv": ("x1,x2,y1\n1,1/0,3\n", "denominator"),
    "ragged.json": ('{"x":[[1,2],[1]],"y":[[1],[2]]}', "same length"),
    "unequal.json": ('{"x":[[1,2],[1,3]],"y":[[1]]}', ""),
    "weights.json": ('{"x":[[1,2]],"y":[[1]],"weights":[0]}', "positive"),
    "three inputs.json": ('{"x":[[1,2,3]],"y":[[1]]}', "widths"),
    "nan.json": ('{"x":[[NaN,2]],"y":[[1]]}', "NaN"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data(run: Run, tmp_path: Path, name: str) -> None:
    content, words = BAD_DATA[name]
    net, data = tmp_path / "net.json", tmp_path / name
    net.write_text(json.dumps(GOOD), "utf-8")
    data.write_text(content, "utf-8")
    one_line(run("connect", net, net, "--data", data), words)


def test_files_that_are_not_there_or_folders(run: Run, tmp_path: Path) -> None:
    net = tmp_path / "net.json"
    net.write_text(json.dumps(GOOD), "utf-8")
    one_line(run("connect", tmp_path / "none.json", net, "--data", "iris"), "NETWORK_A", "none")
    one_line(run("connect", tmp_path, net, "--data", "iris"), "NETWORK_A", "directory")
    one_line(run("connect", net, net, "--data", tmp_path), "--data", "directory")
    one_line(run("connect", net, net, "--data", "irsi"), "--data", "iris, wine")
    one_line(run("connect", net, net, "--data", ""), "--data")
    one_line(run("check", tmp_path / "none.json"), "FILE", "no such file")
    empty = tmp_path / "empty"
    empty.mkdir()
    one_line(run("check", empty), "FILE", "no *.json")
    one_line(run("check", ""), "FILE")
    one_line(run("check"), "FILE")


def test_two_architectures(run: Run, wide: tuple[Path, Path], tmp_path: Path) -> None:
    other = network(tmp_path / "o.json", [1, 1], [[["1"]]])
    one_line(run("connect", wide[0], other, "--data", "iris"), "NETWORK_B", "1-1", "4-8-3 square")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "no-such-claim-at-all-xyz"), "theorylab list"),
        (("verify", "deep-linear-conected"), "deep-linear-connected"),
        (("verify", "9" * 5000), "catalogue"),
        (("verify", FAST, "--instances", "x"), "--instances: x"),
        (("verify", FAST, "--instances", "-1"), "--instances: -1"),
        (("verify", FAST, "--instances", "1.5"), "whole number"),
        (("verify", FAST, "--instances", "9" * 30), "18 digits"),
        (("verify", FAST, "--seed", "pi"), "--seed: pi"),
        (("verify", FAST, "--seconds", "0"), "--seconds: 0"),
        (("verify", FAST, "--seconds", "nan"), "--seconds: nan"),
        (("verify", FAST, "--seconds", "soon"), "--seconds: soon"),
        (("verify", FAST, "--bogus"), "--bogus"),
        (("verify", FAST, "--seed"), "--seed"),
        (("verify", FAST, "--out", ""), "--out"),
        (("verify", FAST, "--latex", ""), "--latex"),
        (("vrify",), "did you mean 'verify'"),
        (("--nope",), "--nope"),
        (("list", "everything"), "everything"),
        (("connect", "a.json"), "NETWORK_B"),
        (("connect", "a.json", "b.json"), "--data"),
    ],
)
def test_bad_arguments(run: Run, words: tuple[str, ...], said: str) -> None:
    one_line(run(*words), said)


@pytest.mark.parametrize("samples", ["0", "-3", "151", "many"])
def test_bad_samples(run: Run, wide: tuple[Path, Path], samples: str) -> None:
    found = run("connect", *wide, "--data", "iris", "--samples", samples)
    one_line(found, f"--samples: {samples}", "1 to 150")


def test_out_and_latex_are_refused_before_any_work(
    run: Run, tmp_path: Path, wide: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object) -> bytes:
        raise AssertionError("work began")

    monkeypatch.setattr(Claim, "prove", work)
    monkeypatch.setattr(importlib.import_module("theorylab.connect"), "find_path", work)
    file = tmp_path / "file"
    file.write_text("mine", "utf-8")
    one_line(run("verify", FAST, "--out", file), "--out", "folder")
    one_line(run("verify", FAST, "--out", file / "below"), "--out", "is a file")
    one_line(run("verify", FAST, "--latex", tmp_path), "--latex", "folder")
    one_line(run("verify", FAST, "--latex", file / "a.tex"), "--latex")
    one_line(run("connect", *wide, "--data", "iris", "--out", file), "--out")
    assert file.read_text("utf-8") == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    one_line(run("verify", FAST, "--out", tmp_path / "new"), "--out", "cannot be written")


def test_an_unknown_claim_makes_no_folder(run: Run, tmp_path: Path) -> None:
    one_line(run("verify", FAST, "nonsense", "--out", tmp_path / "out"), "nonsense")
    assert not (tmp_path / "out").exists()


# --- as a process --------------------------------------------------------------------------------


def process(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "theorylab", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def test_python_m_theorylab() -> None:
    found = process("--version")
    assert (found.returncode, found.stdout) == (0, f"theorylab {theorylab.__version__}\n")
    assert process("verify", "nonsense").returncode == 2


def test_help_imports_no_mathematics() -> None:
    code = (
        "import sys; from theorylab.cli import main; main(['--help']); "
        "print([m for m in ('flint','numpy','sympy','hypothesis','rich') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_a_terminal_that_cannot_spell_does_not_end_the_run() -> None:
    found = process("list", env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert found.returncode == 0
    assert found.stdout.isascii()


def test_a_closed_pipe_is_quiet() -> None:
    command = f"'{sys.executable}' -m theorylab list | head -n 1"
    found = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert found.stderr == ""
    assert found.stdout.startswith("claims, decided on exact instances")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupt_keeps_what_is_finished(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("verify", MIXED, "--instances", "3000", "--out", str(out))
    command = [sys.executable, "-m", "theorylab", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as going:
        for _ in range(600):
            if list(out.rglob("*.json")):
                break
            time.sleep(0.05)
        going.send_signal(signal.SIGINT)
        shown, errors = going.communicate(timeout=60)
    assert going.returncode == 130
    assert shown == ""
    assert errors == f"theorylab: interrupted; finished certificates are kept in {out}\n"
    kept = [path for path in out.rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        assert isinstance(check(path.read_bytes()), Proved | Refuted), path
