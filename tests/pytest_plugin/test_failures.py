"""What a failing claim looks like: the shrunk counterexample, and a replay that replays."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest
from pytest_plugin.users import CLAIMS

from theorylab.claims import claim
from theorylab.falsify import INTERRUPTED, falsify
from theorylab.pytest_plugin import judging
from theorylab.pytest_plugin.words import Numbers
from theorylab.report.failures import Failure, failure_page
from theorylab.verify import decide

pytest_plugins = ["pytester"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's folder with claims."""
    monkeypatch.delenv("THEORYLAB_DEBUG", raising=False)
    pytester.makepyfile(my_claims=CLAIMS)
    return pytester


def claims(folder: pytest.Pytester, *words: str) -> pytest.RunResult:
    return folder.runpytest_inprocess("-W", "error", "-m", "claim", *words)


def commands(text: str) -> list[list[str]]:
    """The commands that a page prints."""
    lines = [line.strip() for line in text.splitlines() if "──" not in line]
    words = [shlex.split(line) for line in lines if re.match(r"(theorylab|pytest) \S", line)]
    return [line for line in words if line[1] in ("verify", "falsify") or line[0] == "pytest"]


def page_of(text: str) -> list[str]:
    """The lines of a hunt's page that do not say how long it took."""
    lines = text[text.index("theorylab falsify ") :].splitlines()
    end = next(i for i, line in enumerate(lines) if line.strip().startswith("searched"))
    return [line.rstrip(" ─") for line in lines[:end]]


def test_a_refuted_instance_shows_the_shrunk_counterexample_and_replays(
    folder: pytest.Pytester, run: Run
) -> None:
    result = claims(folder, "--claims=my_claims.py::narrow")
    result.assert_outcomes(passed=11, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*_ my_claims.py::narrow, drawn-11 _*",
            "refuted, and proved is expected",
            "  claim        two settings are joined at p >= min(n, m)",
            "  because      A and B lie in different components of L <= 16",
            "theorylab falsify narrow*",
            "  network      1-1-1 linear",
            "  x            (1)",
            "  A            W_1 = (1); W_2 = (1)",
            "  B            W_1 = (-1); W_2 = (-1)",
            "  assurance    kernel (Lemma 7)",
            "my_claims.py::narrow: proved on 11 of 12 instances; 1 UNEXPECTED",
            "FAILED claims::my_claims.py::narrow::drawn-11 - refuted, and proved is expected",
        ]
    )
    text = result.stdout.str()
    assert "Traceback" not in text and ".py:" not in text.replace(".py::", "")
    (_, test), (_, *verify), (_, *hunt, _, _) = commands(text)
    again = claims(folder, test)
    assert again.parseoutcomes() == {"failed": 1} and page_of(again.stdout.str()) == page_of(text)
    status, page, _ = run(*verify)
    assert status == 1 and "drawn-11" in page
    status, page, _ = run(*hunt)
    assert status == 1 and page_of(page) == page_of(text)


def test_a_bare_counterexample_is_unchecked_shrunk_and_replays(
    folder: pytest.Pytester, run: Run
) -> None:
    result = claims(folder, "--claims=my_claims.py::small", "--claims-seed=5")
    text = result.stdout.str()
    assert "counterexample (unchecked): your function says False" in text
    assert "  drawn        7" in text and "refuted" not in text and "proved" not in text
    (_, test, *seed), (_, *verify), (_, *hunt) = commands(text)
    assert page_of(claims(folder, test, *seed).stdout.str()) == page_of(text)
    assert run(*verify)[0] == 1
    status, page, _ = run(*hunt)
    assert status == 1 and page_of(page) == page_of(text)


def test_a_hunt_that_refutes_fails_and_keeps_its_certificate(
    folder: pytest.Pytester, run: Run
) -> None:
    node = "claims::my_claims.py::narrow::hunt"
    result = claims(folder, node, "--claims-out=out", "--claims-seed=1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["refuted by a 1-1-1 linear network and 1 sample", "my_claims.py::narrow: refuted by a *"]
    )
    (certificate,) = (folder.path / "out" / "narrow").glob("*.json")
    assert f"theorylab check out/narrow/{certificate.name}" in result.stdout.str()
    status, page, _ = run("check", certificate)
    assert status == 0 and "1 refuted" in page


def test_a_hunt_that_looked_at_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = claim("any-depth-connected")
    empty = replace(falsify(chosen, tries=1), tried=0)
    monkeypatch.setattr(judging, "falsify", lambda *_, **__: empty)
    subject = judging.Subject(chosen, chosen.id, Numbers(), judging.Hunts(), ("pytest", "x"))
    assert subject.hunted(5)[1] is not None


def test_certificates_lie_where_pytest_was_started_whatever_a_function_does(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)  # to come back
    moving = CLAIMS.replace("    a = network", "    __import__('os').chdir('/')\n    a = network")
    folder.makepyfile(my_claims=moving.replace("1 if", "2 if"))
    result = claims(folder, "claims::my_claims.py::narrow::drawn-0", "--claims-out=out")
    assert result.ret == 0 and (folder.path / "out" / "narrow" / "drawn-0.json").exists()


def test_a_function_that_ends_python_is_at_fault_and_not_passed(
    folder: pytest.Pytester, run: Run
) -> None:
    folder.makepyfile(
        my_claims=CLAIMS.replace("    return draw.integer(-9, 99) < 7", "    exit(0)")
    )
    result = claims(folder, "claims::my_claims.py::small")
    result.assert_outcomes(failed=1)
    for verb in ("verify", "falsify"):
        status, _, err = run(verb, f"{folder.path / 'my_claims.py'}::small")
        assert status == 2 and "its function failed at line" in err
        assert err.count("\n") == 1


def test_the_counterexample_is_shown_once_for_each_claim(folder: pytest.Pytester) -> None:
    folder.makepyfile(
        bad="import theorylab as tl\n"
        "@tl.conjecture('joined', ['linear'], 'joined')\n"
        "def apart(draw):\n"
        "    network, data = tl.Network.dense((1, 1, 1), 'linear'), tl.Dataset.from_rows([[1]], "
        "[[draw.integer(1, 9)]])\n"
        "    y = data.y[0, 0]\n"
        "    return tl.fact('joined', network, data, A=[[[1]], [[y]]], B=[[[-1]], [[-y]]])\n"
    )
    result = claims(folder, "--claims=bad.py")
    text = result.stdout.str()
    assert result.parseoutcomes() == {"failed": 12}
    assert text.count("made as small as it gets") == 1 and text.count("decide it again") == 12


def test_undecided_fails_or_is_skipped(folder: pytest.Pytester) -> None:
    result = claims(folder, "--claims=my_claims.py::unknown")
    result.assert_outcomes(failed=12)
    result.stdout.fnmatch_lines(
        [
            "undecided: it is open",
            "  outcome      undecided",
            "  hunted       survived 1 (seed 0)",
            "my_claims.py::unknown: proved on 0 of 12 instances; 12 undecided",
        ]
    )
    skipped = claims(folder, "--claims=my_claims.py::unknown", "--claims-undecided=skip", "-rs")
    skipped.assert_outcomes(skipped=12)
    skipped.stdout.fnmatch_lines(["SKIPPED*unknown, drawn-11: undecided: it is open"])
    # what is refuted is not undecided, and what no case was found for is not decided
    narrow = claims(folder, "--claims=my_claims.py::narrow", "--claims-undecided=skip")
    assert narrow.parseoutcomes()["failed"] == 1
    never = CLAIMS + "\nnever = tl.conjecture('never', ['linear', 'square'], 'joined', name='no')\n"
    folder.makepyfile(my_claims=never)
    barren = claims(folder, "claims::my_claims.py::no")
    assert barren.ret != 0


def test_a_rejected_certificate_fails_and_is_not_called_undecided(
    folder: pytest.Pytester,
) -> None:
    forged = "lambda instance: ('polyline', {'form': 'bound', 'steps': [], 'optimum': {}})"
    text = CLAIMS[: CLAIMS.index('@tl.conjecture("nobody')]
    unknown = CLAIMS[len(text) :]
    forged_prover = re.sub(
        r"prover=lambda instance: .*\)$", f"prover={forged})", unknown, flags=re.M
    )
    folder.makepyfile(my_claims=text + forged_prover)
    result = claims(folder, "--claims=my_claims.py::unknown", "--claims-undecided=skip")
    assert result.parseoutcomes() == {"failed": 12}
    result.stdout.fnmatch_lines(
        [
            "the kernel rejected the certificate: *",
            "  outcome      rejected by the kernel: nothing is proved or refuted",
            "my_claims.py::unknown: proved on 0 of 12 instances; 12 rejected",
        ]
    )


def test_a_function_that_fails_is_one_line(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.makepyfile(my_claims=CLAIMS.replace("draw.integer(-9, 9) **", "1 // 0 **"))
    result = claims(folder, "--claims=my_claims.py::squares")
    result.stdout.fnmatch_lines(
        ["theorylab: claim = squares: its function failed at line 19 of my_claims.py, *"]
    )
    assert "Traceback" not in result.stdout.str() and "collection.py" not in result.stdout.str()
    monkeypatch.setenv("THEORYLAB_DEBUG", "1")
    shown = claims(folder, "--claims=my_claims.py::squares").stdout.str()
    assert "my_claims.py:19: ZeroDivisionError" in shown and "_pytest" not in shown


def test_an_unexpected_proof_of_the_catalogue_fails() -> None:
    chosen = claim("deep-linear-connected")
    instance = next(i for i in chosen.canonical() if i.expected == "proved")
    result = decide(chosen, instance)
    other = replace(instance, expected="refuted")
    failure = Failure(chosen, chosen.id, result, other, replay=(("pytest", "x"),))
    assert failure.verdict == "proved, and refuted is expected"
    page = failure_page(failure)
    assert "proved by the kernel; the catalogue expects refuted" in page
    assert "Freeman and Joan Bruna" in page


@pytest.mark.parametrize("width", [24, 40, 80, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_a_page_has_its_width_and_its_colours(width: int, colour: bool) -> None:
    found = falsify("deep-linear-connected", as_stated=True)
    chosen = claim("deep-linear-connected")
    page = failure_page(Failure(chosen, chosen.id, found=found), width, colour)
    assert ("\x1b[" in page) == colour
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page)
    prose = [line for line in plain.splitlines() if "theorylab falsify" not in line]
    assert max(map(len, prose)) <= max(width, 24)
    assert plain == failure_page(Failure(chosen, chosen.id, found=found), width)


def test_colours_of_pytest_are_those_of_the_page(folder: pytest.Pytester) -> None:
    words = ("-m", "claim", "--claims=my_claims.py::small")
    assert "\x1b[" not in folder.runpytest_inprocess(*words, "--color=no").stdout.str()
    coloured = folder.runpytest_inprocess(*words, "--color=yes", "--junitxml=o.xml").stdout.str()
    lines = [line for line in coloured.splitlines() if "outcome" in line]
    assert len(lines) == 2 and all("\x1b[" in line for line in lines)
    assert "x1B" not in (folder.path / "o.xml").read_text("utf-8")


def test_ctrl_c_during_a_hunt_ends_the_tests(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = replace(falsify("deep-linear-connected", tries=1), cut=True, reason=INTERRUPTED)
    monkeypatch.setattr(judging, "falsify", lambda *_, **__: interrupted)
    for words in (["--claims-tries=5"], []):
        chosen = "--claims=my_claims.py::narrow,my_claims.py::small"
        result = folder.runpytest_inprocess(chosen, *words, no_reraise_ctrlc=True)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
