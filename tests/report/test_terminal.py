"""The pages for people: their words, their counts, and their lines at every width."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from theorylab.claims import claim
from theorylab.connect import Joining
from theorylab.report.figures import equation, rounded, tidy
from theorylab.report.terminal import (
    print_checked,
    print_joining,
    print_verification,
    short_name,
)
from theorylab.verify import Checked, Result, Verification

PROVED = Result(
    claim="deep-linear-connected",
    title="Deep linear networks wider than min(n, m)",
    variant="corrected",
    instance="iris-4-6-5-3",
    architecture="4-6-5-3",
    activation="linear",
    data="iris",
    samples=150,
    outcome="proved",
    expected=True,
    assurance="kernel",
    reason="joined",
    certificate=None,
    seconds=0.041,
    conclusion="joined",
    level="43.834",
    peak="26191",
    peak_ratio="597",
    lemmas=("Lemma 2",),
    steps=33,
)
REFUTED = replace(
    PROVED,
    variant="printed",
    instance="thin-1-1-1",
    architecture="1-1-1",
    outcome="refuted",
    reason="A and B lie in different components of L <= 0",
    level=None,
    peak=None,
    peak_ratio=None,
    steps=None,
)
UNDECIDED = replace(
    PROVED,
    instance="narrow",
    outcome="undecided",
    expected=False,
    assurance=None,
    reason="undecided: hidden layer 1 has 5 units; widen it to 9",
    level=None,
    peak=None,
    steps=None,
)
REJECTED = replace(UNDECIDED, instance="broken", reason="the kernel rejected it", rejected=True)


def console(width: int = 80, **options: object) -> Console:
    return Console(file=io.StringIO(), width=width, **options)  # type: ignore[arg-type]


def text(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def page(*results: Result, width: int = 80, **more: object) -> str:
    out = console(width)
    options = {"planned": len(results), **more}
    run = Verification(seed=7, results=results, seconds=1.25, **options)  # type: ignore[arg-type]
    print_verification(run, [claim("deep-linear-connected")], out)
    return text(out)


def flowed(words: str) -> str:
    """The page with its line breaks taken out."""
    return " ".join(words.split())


def test_a_block_names_claim_title_source_row_and_counts() -> None:
    shown = flowed(page(PROVED, REFUTED))
    assert shown.startswith("deep-linear-connected")
    assert "C. Daniel Freeman and Joan Bruna (2017)" in shown
    assert "proved corrected 4-6-5-3 linear iris N=150" in shown
    assert "iris-4-6-5-3: joined by 33 segments, never above level 43.834" in shown
    assert "the straight line peaks at 597 x level" in shown
    assert "joined 1 of 1 pair, refuted as expected on 1 instance" in shown


def test_the_summary_line() -> None:
    shown = flowed(page(PROVED, PROVED, REFUTED))
    assert (
        "proved on 2 of 2 instances, 1 erratum instance refuted as expected, 0 undecided; "
        "assurance: kernel; seed 7; 1.25 s" in shown
    )


def test_undecided_rejected_unexpected_and_cut_are_said() -> None:
    wrong = replace(REFUTED, expected=False)
    shown = flowed(page(PROVED, UNDECIDED, REJECTED, wrong, planned=9))
    assert "joined 1 of 4 pairs, 1 unexpected, 1 rejected, 1 undecided" in shown
    assert "narrow: undecided: hidden layer 1 has 5 units; widen it to 9" in shown
    assert "NOT what the catalogue expects" in shown
    assert "1 UNEXPECTED, 1 REJECTED by the kernel" in shown
    assert "cut by --seconds after 4 of 9 instances" in shown


def test_a_descent_that_stops_short_says_so() -> None:
    reason = "never rises and ends within 1e-06 of the optimum (does not reach it)"
    descent = replace(PROVED, conclusion="descends", reason=reason, level=None, peak=None)
    shown = flowed(page(descent))
    assert "within 1e-6 of the optimum (does not reach it)" in shown
    assert "proved on 1 of 1 instance" in shown


def test_a_level_of_zero_shows_the_peak_itself() -> None:
    shown = flowed(page(replace(PROVED, level="0", peak="12", peak_ratio="infinity")))
    assert "the straight line peaks at 12" in shown
    assert "infinity" not in shown


@pytest.mark.parametrize("word", ["PROVED", "N_u", "theorem is", "for all"])
def test_no_universal_words_beside_an_outcome(word: str) -> None:
    assert word not in page(PROVED, REFUTED)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_lines_fit_and_nothing_is_lost(width: int) -> None:
    shown = page(PROVED, REFUTED, UNDECIDED, width=width)
    verbatim = ("theorylab ", "python -m")
    for line in shown.splitlines():
        assert len(line) <= width or line.strip().startswith(verbatim), line
        assert line == line.rstrip()
    for word in ("4-6-5-3", "linear", "iris", "N=150", "kernel", "0.04 s", "597"):
        assert word in shown


def test_paths_are_never_cut() -> None:
    path = "out/" + "deep-linear-connected/" * 6 + "iris.json"
    shown = page(replace(PROVED, certificate=path), width=40, out="out dir")
    assert path in shown
    assert "theorylab check 'out dir'" in shown
    assert "python -m theorylab.kernel 'out dir'/*/*.json" in shown


def test_without_out_the_page_says_how_to_keep_certificates() -> None:
    assert "theorylab verify --out DIR" in page(PROVED)


def test_many_random_instances_are_counted_not_listed() -> None:
    random = [replace(PROVED, instance=f"random-0-{i}") for i in range(40)]
    odd = replace(UNDECIDED, instance="random-0-40")
    shown = flowed(page(PROVED, *random, odd))
    assert "random-0-2:" in shown
    assert "random-0-3:" not in shown
    assert "and 37 more random instances, decided as expected" in shown
    assert "random-0-40: undecided" in shown
    assert "joined 41 of 42 pairs" in shown


def test_colours_repeat_words_and_plain_output_has_no_escapes() -> None:
    out = console(force_terminal=True, color_system="standard")
    run = Verification(0, (PROVED, REFUTED, UNDECIDED), 1.0, 3)
    print_verification(run, [], out)
    coloured = text(out)
    assert "\x1b[1;32mproved" in coloured
    assert "\x1b[1;35mrefuted" in coloured
    assert "\x1b[1;33mundecided" in coloured
    assert "\x1b[" not in page(PROVED, REFUTED, UNDECIDED)


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = console(force_terminal=True, color_system="standard")
    print_verification(Verification(0, (PROVED,), 1.0, 1), [], out)
    assert ";32m" not in text(out)
    assert "[32m" not in text(out)


def test_a_terminal_without_unicode_gets_dashes() -> None:
    raw = io.BytesIO()
    out = Console(file=io.TextIOWrapper(raw, encoding="ascii"), width=60)
    print_verification(Verification(0, (PROVED,), 1.0, 1), [], out)
    out.file.flush()
    assert b"deep-linear-connected ----" in raw.getvalue()


def test_the_check_page() -> None:
    good = Checked(
        "a.json", "proved", "polyline", "square network 1-2-1", "ab" * 32, "", ("c (printed)",)
    )
    bad = Checked("b.json", "rejected", None, None, None, "not JSON: line 1")
    out = console()
    print_checked([good, replace(good, outcome="refuted", claims=()), bad], out)
    shown = text(out)
    assert "proved    a.json" in shown
    assert "an instance of c (printed)" in shown
    assert "sha256 " + "ab" * 32 in shown
    assert "rejected  b.json\n          not JSON: line 1" in shown
    assert "1 proved, 1 refuted, 1 rejected of 3 files; assurance: kernel" in shown


JOINED = Joining(
    architecture="4-20-3",
    activation="square",
    data="iris",
    samples=10,
    hidden=(20,),
    needed_width=(12,),
    level="5/4",
    mean="1/8",
    losses=("5/4", "1/3"),
    outcome="proved",
    construction="any depth",
    segments=7,
    peak="4",
    peak_ratio="3.2",
    assurance="kernel",
    lemmas=("Lemma 2",),
    certificate="out/a b.json",
)


def joining(found: Joining, width: int = 80) -> str:
    out = console(width)
    print_joining(found, out)
    return text(out)


def test_the_connect_page() -> None:
    shown = flowed(joining(JOINED))
    assert "needed hidden width 12; given 20" in shown
    assert "joined: one path component of {L <= u} holds A and B" in shown
    assert "u = max(L(A), L(B)) = 5/4 = 1.25, a sum over the samples" in shown
    assert "u / N = 1/8 = 0.125" in shown
    assert "L(A) = 5/4 = 1.25, L(B) = 1/3 ~ 0.333333" in shown
    assert "7 segments, construction: any depth" in shown
    assert "the straight segment peaks at 3.2 x level" in shown
    assert "theorylab check 'out/a b.json'" in shown


def test_the_connect_page_when_undecided_or_separated() -> None:
    open_ = replace(JOINED, outcome="undecided", reason="too narrow; widen it", segments=None)
    shown = flowed(joining(replace(open_, peak=None, assurance=None, certificate=None)))
    assert "outcome undecided" in shown
    assert "because too narrow; widen it" in shown
    assert "straight" not in shown
    apart = replace(JOINED, outcome="refuted", segments=None, peak=None)
    assert "separated: A and B lie in different path components" in flowed(joining(apart))


@pytest.mark.parametrize("width", [30, 60])
def test_the_connect_page_when_narrow(width: int) -> None:
    for line in joining(JOINED, width).splitlines():
        assert len(line) <= width or "theorylab check" in line


def test_figures() -> None:
    assert rounded("0") == "0"
    assert rounded("99999/10", 4) == "10000"
    assert rounded("-12345", 2) == "-12000"
    assert rounded("1/1024", 10) == "0.0009765625"
    assert rounded("9" * 400) == "1e400"
    assert rounded("1/" + "3" * 400, 3) == "3e-400"
    assert equation("-7") == "= -7"
    assert equation("1" * 50) == "~ 1.11111e49"
    assert tidy("1e-06, 3.2e+09, 2e+10, e-05 and cafe+01") == "1e-6, 3.2e9, 2e10, e-05 and cafe+01"


def test_rounding_is_half_to_even_and_exact() -> None:
    assert rounded("12345/10", 4) == "1234"
    assert rounded("12355/10", 4) == "1236"


def test_short_names() -> None:
    assert short_name("iris[0,5]") == "iris[0,5]"
    assert short_name("iris[0,5,10,15]") == "iris[0,5..15]"
    assert len(short_name("x" * 100)) == 30
