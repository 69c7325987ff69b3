"""``theorylab falsify`` and ``phase``: JSON, pages, certificates, exit statuses, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
LINEAR = "deep-linear-connected"


def test_a_refutation_as_json_with_its_certificate(run: Run, tmp_path: Path) -> None:
    words = ("falsify", LINEAR, "--as-stated", "--json", "--seed", 3)
    status, out, _ = run(*words, "--out", tmp_path)
    found = json.loads(out)
    assert (status, found["schema"], found["seed"]) == (1, "theorylab.falsify/1", 3)
    assert (found["claim"], found["dropped"], found["outcome"]) == (LINEAR, None, "refuted")
    assert found["tried"] >= 1 and found["shrinks"] >= 0 and found["fact"] == "separated"
    assert found["instance"]["network"]["widths"] == [1, 1, 1]
    assert found["instance"]["data"]["x"] == found["instance"]["data"]["y"] == [["1"]]
    status, out, _ = run("check", found["certificate"], "--json")
    assert (status, json.loads(out)[0]["outcome"]) == (0, "refuted")
    again = json.loads(run(*words)[1])
    assert {**again, "seconds": 0, "certificate": 0} == {**found, "seconds": 0, "certificate": 0}


def test_a_dropped_hypothesis_on_the_page(run: Run) -> None:
    status, page, _ = run("falsify", LINEAR, "--drop", "wide")
    assert status == 1
    assert "dropped      wide" in page and "refuted by this instance" in page
    assert f"theorylab falsify {LINEAR} --drop wide --out DIR" in page


def test_what_survives_is_not_called_proved(run: Run) -> None:
    words = ("falsify", LINEAR, "--tries", 12)
    status, page, _ = run(*words)
    assert status == 0
    assert "survived 12 (seed 0)" in page and "nothing is proved by that" in page
    assert "proved" not in page.replace("nothing is proved by that", "")
    status, out, _ = run(*words, "--json")
    found = json.loads(out)
    assert (status, found["outcome"], found["tried"]) == (0, "survived", 12)
    assert found["certificate"] is found["instance"] is None


def test_what_was_cut_or_not_tried_is_not_as_expected(run: Run) -> None:
    status, page, _ = run("falsify", LINEAR, "--seconds", "0.05", "--tries", "900000")
    assert status == 3 and "cut after 0.05 s" in page
    words = ("falsify", "scalar-quadratic-components", "--drop", "wide")
    status, page, _ = run(*words)
    assert status == 3 and "not hunted: no case was tried" in page and "survived" not in page
    status, out, _ = run(*words, "--json")
    assert (status, json.loads(out)["tried"]) == (3, 0)


def test_a_map(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "map.svg"
    words = ("phase", LINEAR, "--n", "1..2", "--p", "1..3", "--pairs", 2, "--tries", 30)
    status, out, said = run(*words, "--picture", picture, "--out", tmp_path / "o", "--json")
    found = json.loads(out)
    assert (status, found["schema"], found["claim"]) == (0, "theorylab.phase/1", LINEAR)
    assert (found["n"], found["p"]) == ([1, 2], [1, 2, 3])
    verdicts = {(cell["n"], cell["p"]): cell["verdict"] for cell in found["cells"]}
    for (n, p), verdict in verdicts.items():
        assert verdict == ("lemma" if p > n else "refuted")
    assert picture.read_text("utf-8").startswith("<?xml") and f"wrote {picture}" in said
    refuted = [cell["certificate"] for cell in found["cells"] if cell["verdict"] == "refuted"]
    status, out, _ = run("check", *refuted, "--json")
    assert {one["outcome"] for one in json.loads(out)} == {"refuted"}
    status, page, _ = run(*words)
    assert status == 0 and "lemma applies, 2/2 pairs joined" in page and "refuted" in page


@pytest.mark.parametrize(
    ("words", "argument"),
    [
        (("falsify", "no-such-claim"), "claim"),
        (("falsify", LINEAR, "--drop", "width"), "drop"),
        (("falsify", LINEAR, "--tries", "0"), "--tries"),
        (("falsify", LINEAR, "--seconds", "-1"), "--seconds"),
        (("falsify", "relu-disconnected"), "claim"),
        (("falsify", "real-zeros-mean"), "claim"),
        (("phase", "span-path"), "claim"),
        (("phase", LINEAR, "--n", "3..1"), "--n"),
        (("phase", LINEAR, "--p", "a..b"), "--p"),
        (("phase", LINEAR, "--n", "0"), "--n"),
        (("phase", LINEAR, "--family", "none"), "family"),
        (("phase", LINEAR, "--picture", "map.gif"), "--picture"),
    ],
)
def test_refusals(run: Run, words: tuple[str, ...], argument: str) -> None:
    status, out, said = run(*words)
    assert (status, out) == (2, "")
    assert said.startswith(f"theorylab: {argument}") and said.count("\n") == 1
