"""The marker ``claim`` and the fixtures ``claim`` and ``instance`` in tests of users."""

from __future__ import annotations

import json

import pytest
from pytest_plugin.users import CLAIMS

import theorylab as tl

pytest_plugins = ["pytester"]

# what the documents show: a conjecture, and one's own code, in a file of tests
TESTS = """\
import pytest
import theorylab as tl
from theorylab.instances import fitted
from theorylab.topology.connect import connect

@tl.conjecture("wide linear networks are connected",
               ["linear", "dense", "no bias", "p > min(n,m)"], "joined")
def wide(network, data, draw):
    return tl.fact("joined", network, data, A=fitted(draw, network, data),
                   B=fitted(draw, network, data))

@pytest.mark.claim(wide, instances=10, tries=50)
def test_the_conjecture(claim):
    claim.holds()

@pytest.mark.claim(wide, instances=5)
def test_my_paths(claim, instance):
    path = connect(instance.network, instance.data, instance.a, instance.b).path
    claim.decide(instance, path)
"""


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's folder with claims."""
    pytester.makepyfile(my_claims=CLAIMS)
    return pytester


def mine(folder: pytest.Pytester, text: str, *words: str) -> pytest.RunResult:
    start = "import pytest\nimport theorylab as tl\n"
    folder.makepyfile(test_mine=start + text)
    return folder.runpytest_inprocess("-W", "error", "--strict-markers", *words)


def test_the_documented_file(folder: pytest.Pytester) -> None:
    result = mine(folder, TESTS)
    result.assert_outcomes(passed=1 + 12 + 5)
    result.stdout.fnmatch_lines(
        ["*= claims =*", "wide: proved on 39 of 39 instances; survived 50 (seed 0)"]
    )
    listed = mine(folder, TESTS, "--collect-only", "-q").outlines
    assert "test_mine.py::test_my_paths[drawn-0]" in listed
    assert "test_mine.py::test_my_paths[random-0-4]" in listed


def test_what_holds_gives_back(folder: pytest.Pytester) -> None:
    text = """
@pytest.mark.claim("my_claims.py::wide", instances=3, seed=2)
def test_run(claim):
    run = claim.holds()
    assert (run.count("proved"), run.seed, run.exit_status) == (15, 2, 0)
    assert [i.name for i in claim.instances][-1] == "random-2-2"
    assert claim.claim.id == "wide"
    assert claim.hunt(5)["tried"] == 5

@pytest.mark.claim("my_claims.py::squares", tries=5)
def test_bare(claim):
    run = claim.holds()
    assert run.count("survived") == 1 and run.count("proved") == 0

@pytest.mark.claim("deep-linear-connected")
def test_catalogue(claim, instance):
    assert claim.decide(instance).outcome == instance.expected
"""
    mine(folder, text).assert_outcomes(passed=2 + 5)


def test_a_false_conjecture_fails_with_its_counterexample(folder: pytest.Pytester) -> None:
    text = """
@pytest.mark.claim("my_claims.py::narrow")
def test_narrow(claim):
    claim.holds()

@pytest.mark.claim("my_claims.py::narrow")
def test_hunted(claim):
    claim.hunt(50)

@pytest.mark.claim("my_claims.py::small", seed=3)
def test_small(claim):
    claim.holds()
"""
    result = mine(folder, text)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "refuted, and proved is expected",
            "  pytest test_mine.py::test_narrow",
            "  theorylab verify my_claims.py::narrow",
            "  A            W_1 = (1); W_2 = (1)",
            "refuted by a 1-1-1 linear network and 1 sample",
            "  drawn        7",
            "  theorylab falsify my_claims.py::small --seed 3",
            "FAILED test_mine.py::test_narrow - Failed: refuted, and proved is expected",
        ]
    )
    text = result.stdout.str()
    assert "Traceback" not in text and "def test_" not in text


def test_a_fact_alone_and_what_my_code_made(folder: pytest.Pytester) -> None:
    text = """
NET, DATA = tl.Network.dense((1, 2, 1), "linear"), tl.Dataset.from_rows([[1]], [[1]])
A, B = [[[1], [0]], [[1, 0]]], [[[1], [0]], [[1, 1]]]

def test_fact(claim):
    assert claim.decide(tl.fact("joined", NET, DATA, A=A, B=B)).outcome == "proved"

def test_apart(claim):
    thin = tl.Network.dense((1, 1, 1), "linear")
    fact = tl.fact("joined", thin, DATA, A=[[[1]], [[1]]], B=[[[-1]], [[-1]]])
    assert claim.decide(fact, expected="refuted").outcome == "refuted"
    claim.decide(fact)

def test_forged(claim):
    steps = {"form": "bound", "steps": [], "optimum": {}}
    claim.decide(tl.fact("joined", NET, DATA, A=A, B=B), ("polyline", steps))

def test_open(claim):
    from theorylab.outcome import Undecided
    claim.decide(tl.fact("joined", NET, DATA, A=A, B=B), Undecided("my code gave up"))
"""
    result = mine(folder, text)
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "  claim        the fact of test_apart",
            "  outcome      refuted by the kernel; the claim says proved",
            "  A            W_1 = (1); W_2 = (1)",
            "  pytest test_mine.py::test_apart",
            "the kernel rejected the certificate: *",
            "undecided: my code gave up",
            "test_fact: proved on 1 of 1 instance",
            "test_apart: proved on 0 of 1 instance; refuted as expected on 1 instance; 1 UNEXP*",
            "test_forged: proved on 0 of 1 instance; 1 rejected",
        ]
    )
    assert "theorylab verify" not in result.stdout.str()
    skipped = mine(folder, text, "-k", "open or forged", "--claims-undecided=skip")
    assert skipped.parseoutcomes() == {"failed": 1, "skipped": 1, "deselected": 2}


def test_options_are_the_defaults_of_the_marker(folder: pytest.Pytester) -> None:
    text = """
@pytest.mark.claim("my_claims.py::wide")
def test_all(claim, instance): pass

@pytest.mark.claim("my_claims.py::wide", instances=0, seed=1)
class TestMany:
    def test_some(self, instance): pass
"""
    words = ("--collect-only", "-q", "--claims-instances=2", "--claims-seed=6")
    listed = [line for line in mine(folder, text, *words).outlines if "random" in line]
    assert listed == [f"test_mine.py::test_all[random-6-{i}]" for i in (0, 1)]
    out = mine(
        folder,
        '@pytest.mark.claim("my_claims.py::narrow")\ndef test_n(claim): claim.holds()',
        "--claims-out=kept",
    )
    assert out.ret == 1 and (folder.path / "kept" / "narrow" / "drawn-11.json").exists()


def test_a_fact_alone_is_kept_without_a_record_so_the_report_finds_nothing_amiss(
    folder: pytest.Pytester,
) -> None:
    text = """
def test_alone(claim):
    network, data = tl.Network.dense((1, 1, 1), "linear"), tl.Dataset.from_rows([[1]], [[1]])
    point = network.assemble([1, 1])
    claim.decide(tl.fact("joined", network, data, A=point, B=point))
"""
    out = mine(folder, text, "--claims=my_claims.py::wide", "--claims-out=kept")
    assert out.ret == 0 and (folder.path / "kept" / "test_alone" / "test_alone.json").exists()
    (record,) = (folder.path / "kept" / "records" / "verify").glob("*.json")
    told = json.loads(record.read_text())
    assert {row["claim"] for row in told["document"]["results"]} == {"wide"}
    assert tl.report("kept").exit_status == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('claim("wide-netwrks")\ndef test_a(claim): pass', "it is not in the catalogue"),
        ('claim("quadratc-connected")\ndef test_a(claim): pass', "did you mean quadratic"),
        ("claim\ndef test_a(claim): pass", "marker = nothing: it takes one claim"),
        ('claim("span-path", 3)\ndef test_a(claim): pass', "it takes one claim"),
        ('claim("span-path", instnces=3)\ndef test_a(claim): pass', "span-path', instnces=..."),
        ('claim("span-path", tries="3")\ndef test_a(claim): pass', "tries = 3: a whole number"),
        ('claim("span-path", tries=-3)\ndef test_a(claim): pass', "tries = -3: a whole number"),
        ("claim(3)\ndef test_a(claim): pass", "a claim is an id, FILE.py::NAME, or a Claim"),
        ('claim("span-path")\ndef test_a(): pass', "takes neither of the fixtures"),
        ('claim("my_claims.py")\ndef test_a(claim): pass', "it has wide, narrow"),
        ('claim("my_claims.py::wid")\ndef test_a(claim): pass', "it has wide, narrow"),
        ('claim("other.py::wide")\ndef test_a(claim): pass', "there is no such file"),
        ('claim("span-path::x")\ndef test_a(claim): pass', "a marker names a claim, not an"),
        ('claim("my_claims.py::small")\ndef test_a(instance): pass', "and makes no instances"),
    ],
)
def test_a_wrong_marker_is_an_error_in_one_line(
    folder: pytest.Pytester, text: str, said: str
) -> None:
    result = mine(folder, f"@pytest.mark.{text}\n")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    (line,) = [line for line in result.outlines if line.startswith("theorylab: test_a, ")]
    assert "@pytest.mark.claim: " in line and said in line
    assert "Traceback" not in result.stdout.str()


def test_fixtures_without_a_marker_say_what_is_missing(folder: pytest.Pytester) -> None:
    text = """
def test_a(instance): pass
def test_b(claim): claim.holds()
def test_c(claim): claim.decide(3)
"""
    result = mine(folder, text)
    result.assert_outcomes(errors=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "theorylab: instance = test_a: *; write @pytest.mark.claim(...)",
            "E*InputError: claim = *this test has no claim; write @pytest.mark.claim*",
            "E*InputError: fact = 3: the kernel decides facts; make one with theorylab.fact(...)",
        ]
    )


def test_fixtures_of_one_s_own_are_left_alone(folder: pytest.Pytester) -> None:
    text = """
@pytest.fixture
def claim(): return 1
@pytest.fixture
def instance(): return 2
def test_own(claim, instance): assert (claim, instance) == (1, 2)
"""
    mine(folder, text).assert_outcomes(passed=1)


def test_a_project_may_have_a_marker_of_this_name(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "def pytest_configure(config):\n"
        "    config.addinivalue_line('markers', 'claim(ticket): what a test is for')\n"
    )
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.claim('TICKET-12')\n"
        "def test_own(): pass\n"
        "@pytest.mark.claim\n"
        "def test_bare(): pass\n"
    )
    result = pytester.runpytest_inprocess("-W", "error", "--strict-markers")
    result.assert_outcomes(passed=2)
