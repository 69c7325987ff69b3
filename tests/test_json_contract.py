"""The JSON of every command against DESIGN section 5: keys, words, and nothing else on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from theorylab.cli import main

CLAIM = "deep-linear-connected"


def printed(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    status = main([str(word) for word in words])
    assert status in (0, 1, 3)
    return json.loads(capsys.readouterr().out)


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    value = printed(capsys, "list", "--json", "--seed", 4)
    assert (value["schema"], value["seed"]) == ("theorylab.list/1", 4)
    for claim in value["claims"]:
        wanted = {"id", "title", "source", "quantifier", "hypotheses", "kind", "erratum"}
        assert wanted <= claim.keys()
        assert claim["quantifier"] in ("universal", "existential")
        assert claim["kind"] in ("exact", "statistical")
        assert isinstance(claim["erratum"], bool)
        assert claim["hypotheses"]
        assert all(isinstance(words, str) for words in claim["hypotheses"])


def test_verify(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("verify", CLAIM, "--json", "--seed", 4, "--instances", 1, "--out", tmp_path)
    value = printed(capsys, *words)
    assert (value["schema"], value["seed"]) == ("theorylab.verify/1", 4)
    assert {"schema", "seed", "results", "summary"} <= value.keys()
    assert len(value["results"]) == value["summary"]["instances"]
    for result in value["results"]:
        wanted = {"claim", "variant", "instance", "outcome", "expected", "assurance", "reason"}
        assert wanted | {"certificate", "seconds"} <= result.keys()
        assert result["claim"] == CLAIM
        assert result["variant"] in ("printed", "corrected")
        assert result["outcome"] in ("proved", "refuted")
        assert result["expected"] is True
        assert result["assurance"] == "kernel"
        assert Path(result["certificate"]).is_file()
        assert isinstance(result["seconds"], float)
    assert any("random-4-" in result["instance"] for result in value["results"])


def test_verify_without_out_has_no_certificate(capsys: pytest.CaptureFixture[str]) -> None:
    value = printed(capsys, "verify", "quadratic-connected", "--json")
    assert {result["certificate"] for result in value["results"]} == {None}


def test_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main(["verify", CLAIM, "--out", str(tmp_path), "--json"])
    (tmp_path / "zz.json").write_text("{}", "utf-8")
    capsys.readouterr()
    value = printed(capsys, "check", tmp_path, "--json")
    assert isinstance(value, list)
    for one in value:
        wanted = {"file", "outcome", "rule", "statement", "instance_sha256", "reason"}
        assert wanted <= one.keys()
        assert (one["schema"], one["seed"]) == ("theorylab.check/1", 0)
    assert {one["outcome"] for one in value} == {"proved", "refuted", "rejected"}
    rejected = [one for one in value if one["outcome"] == "rejected"]
    assert [Path(one["file"]).name for one in rejected] == ["zz.json"]
    assert rejected[0]["reason"]
    assert rejected[0]["instance_sha256"] is None
    for one in value:
        if one["outcome"] != "rejected":
            assert len(one["instance_sha256"]) == 64


def one_by_one(tmp_path: Path, width: int) -> list[Path]:
    paths = []
    for name, sign in (("a", ""), ("b", "-")):
        weights = [[[f"{sign}1"]] * width, [[f"{sign}1"] + ["0"] * (width - 1)]]
        path = tmp_path / f"{name}{width}.json"
        content = {"widths": [1, width, 1], "activation": "linear", "weights": weights}
        path.write_text(json.dumps(content), "utf-8")
        paths.append(path)
    return paths


@pytest.mark.parametrize(("width", "outcome"), [(1, "refuted"), (2, "proved")])
def test_connect(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, width: int, outcome: str
) -> None:
    data = tmp_path / "d.json"
    data.write_text('{"x":[[1],[2]],"y":[[1],[2]]}', "utf-8")
    words = ("connect", *one_by_one(tmp_path, width), "--data", data, "--out", tmp_path / "out")
    value = printed(capsys, *words, "--json", "--seed", 3)
    assert (value["schema"], value["seed"]) == ("theorylab.connect/1", 3)
    assert {"outcome", "level", "certificate", "segments", "needed_width"} <= value.keys()
    assert value["outcome"] == outcome
    assert (value["level"], value["mean"]) == ("0", "0")
    assert value["needed_width"] == [2]
    assert Path(value["certificate"]).is_file()
    assert value["assurance"] == "kernel"
    if outcome == "proved":
        assert value["segments"] > 0
        assert value["peak"] == "5"
    else:
        assert value["segments"] is None


def test_connect_undecided(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, row in (("a", ["1", "0", "0", "0"]), ("b", ["0", "1", "0", "0"])):
        weights = [[row], [["1"], ["0"], ["0"]]]
        content = {"widths": [4, 1, 3], "activation": "relu", "weights": weights}
        (tmp_path / f"{name}.json").write_text(json.dumps(content), "utf-8")
    pair = (tmp_path / "a.json", tmp_path / "b.json")
    value = printed(capsys, "connect", *pair, "--data", "iris", "--samples", 9, "--json")
    assert value["outcome"] == "undecided"
    assert (value["certificate"], value["segments"], value["assurance"]) == (None, None, None)
    assert value["needed_width"] == [2]
    assert value["reason"]
    assert value["samples"] == 9


def test_what_the_pages_say_is_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Fragments and reports are made from the JSON alone."""
    (one, *_) = printed(capsys, "verify", CLAIM, "--json")["results"]
    assert one["title"] and one["rejected"] is False
    hunted = printed(capsys, "falsify", CLAIM, "--as-stated", "--json")
    assert hunted["title"] and hunted["words"] and hunted["note"] == ""
    assert hunted["losses"] == {"A": "0", "B": "0"}
    map_ = ("phase", CLAIM, "--n", "1..1", "--p", "1..2", "--tries", "20", "--pairs", "2", "--json")
    value = printed(capsys, *map_)
    assert value["title"] and value["words"]
