"""Records: written by every command with --out, replaced by the same command, told apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import theorylab as tl
from theorylab.claims import all_claims, claim
from theorylab.outcome import InputError
from theorylab.records import Record, decoded, is_record, keep, kind, record_of

Run = Callable[..., tuple[int, str, str]]
FAST = "quadratic-connected"


def records(folder: Path) -> dict[str, Any]:
    return {
        p.relative_to(folder).as_posix(): json.loads(p.read_bytes())
        for p in sorted(folder.glob("records/*/*.json"))
    }


def test_every_command_keeps_what_it_says(made: Path) -> None:
    found = records(made)
    verbs = [name.split("/")[1] for name in found]
    assert verbs == [
        "connect",
        "count",
        *["falsify"] * 3,
        "levels",
        "phase",
        "sweep",
        *["verify"] * 2,
    ]
    for value in found.values():
        assert value["schema"] == "theorylab.record/1" and value["version"] == tl.__version__
        assert value["command"][0] == "theorylab" and "--out" not in value["command"]
        assert value["document"]["schema"].startswith(f"theorylab.{value['command'][1]}/")
        for path, digest in value["certificates"].items():
            assert (made / path).is_file() and len(digest) == 64
    listed = [path for value in found.values() for path in value["certificates"]]
    kept = {p.relative_to(made).as_posix() for p in made.rglob("*.json")}
    others = ("records", "straight", "result", "sweep")
    kept = {p for p in kept if not any(word in p for word in others)}
    assert set(listed) == kept


def test_a_record_tells_claims_outside_of_the_catalogue(made: Path) -> None:
    told = {name: value["claims"] for name, value in records(made).items() if value["claims"]}
    assert {tuple(sorted(claims)) for claims in told.values()} == {
        ("one_unit_each", "small"),
        ("one_unit_each",),
    }
    (whole,) = (claims for claims in told.values() if "small" in claims)
    own = whole["one_unit_each"]
    assert own["variants"][0]["conclusion"] == "joined" and own["source"]["year"] == 2026
    assert [h["predicate"]["kind"] for h in own["variants"][0]["hypotheses"]] == ["hidden_widths"]


def test_the_same_command_replaces_its_record_and_no_other(run: Run, tmp_path: Path) -> None:
    words = ("verify", FAST, "--out", tmp_path)
    run(*words, "--seed", 3)
    (first,) = records(tmp_path)
    run(*words, "--seed", 4)
    run(*words, "--seed", 3, "--seconds", 900)
    assert len(records(tmp_path)) == 2 and first in records(tmp_path)
    assert not list(tmp_path.rglob("*.part"))


def test_python_keeps_the_command_that_does_the_same(run: Run, tmp_path: Path) -> None:
    tl.verify(FAST, seed=5, out=tmp_path / "python")
    run("verify", FAST, "--seed", 5, "--out", tmp_path / "shell")
    tl.falsify("deep-linear-connected", "wide", tries=50, out=tmp_path / "python")
    run("falsify", "deep-linear-connected", "--drop", "wide", "--tries", 50,
        "--out", tmp_path / "shell")  # fmt: skip
    one, two = (records(tmp_path / name) for name in ("python", "shell"))
    assert one.keys() == two.keys()
    assert [v["command"] for v in one.values()] == [v["command"] for v in two.values()]


def test_python_alone_has_no_command(tmp_path: Path) -> None:
    points = tl.Dataset.from_rows([[1], [-1]], [[1], [2]])
    for _ in range(2):
        tl.levels(tl.Network.dense((1, 1, 1), "relu"), points, tmp_path)
    (value,) = records(tmp_path).values()
    assert value["command"] is None and value["document"]["outcome"] == "proved"
    narrow = tl.conjecture("one unit is enough", ["linear", "no bias"], "joined", name="narrow")
    tl.verify(narrow, out=tmp_path)
    (value,) = (v for v in records(tmp_path).values() if v["claims"])
    assert value["command"] is None and list(value["claims"]) == ["narrow"]


def test_a_claim_as_data_says_all_that_its_page_shows() -> None:
    value = claim("deep-linear-connected").to_json()
    assert json.loads(json.dumps(value)) == value
    assert [v["name"] for v in value["variants"]] == ["printed", "corrected"]
    assert value["main"] == "corrected" and value["erratum"]["corrected"]
    assert all(c.to_json()["id"] == c.id for c in all_claims())


@pytest.mark.parametrize(
    ("text", "records_it"),
    [
        ('{"schema": "theorylab.verify/1"}', True),
        ('[{"schema": "theorylab.experiment/1"}]', True),
        ('{"schema": "theorylab.certificate/1"}', False),
        ('{"schema": "geojson"}', False),
        ('{"schema": 7}', False),
        ("[]", False),
        ("{", False),
        ("", False),
        ("[" * 100_000, False),
    ],
)
def test_files_are_told_apart_by_what_is_in_them(
    text: str, records_it: bool, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(text, "utf-8")
    assert is_record(tmp_path / "a.json") is records_it
    assert not is_record(tmp_path / "none.json")


def test_a_record_is_read_back_or_refused_in_words() -> None:
    whole = {
        "schema": "theorylab.record/1",
        "version": "0.1.0",
        "command": ["theorylab"],
        "claims": {},
        "certificates": {"a.json": "0"},
        "document": {"schema": "theorylab.count/1"},
    }
    found = record_of(whole)
    assert (found.command, found.schema) == (("theorylab",), "theorylab.count/1")
    assert record_of({"schema": "theorylab.count/1"}) == Record(
        None, {"schema": "theorylab.count/1"}
    )
    for key, value, words in (
        ("certificates", {"../a.json": "0"}, "outside"),
        ("certificates", {"/etc/passwd": "0"}, "outside"),
        ("certificates", [], "malformed"),
        ("certificates", {"a.json": 5}, "no texts"),
        ("command", "theorylab", "no texts"),
        ("command", [["rm"]], "no texts"),
        ("claims", {"a": 3}, "no object"),
        ("document", [3], "no object"),
        ("document", {"schema": "other"}, "none of theorylab"),
        ("version", None, "no texts"),
    ):
        with pytest.raises(ValueError, match=words):
            record_of({**whole, key: value})
    with pytest.raises(ValueError, match="complete"):
        record_of({k: v for k, v in whole.items() if k != "claims"})
    assert kind(decoded(b'{"schema": "theorylab.x/1"}')) == "theorylab.x/1"


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("", "utf-8")
    with pytest.raises(InputError, match="folder cannot be made"):
        keep(tmp_path, "count", {"schema": "theorylab.count/1"})


def test_check_takes_certificates_and_counts_records_apart(run: Run, made: Path) -> None:
    status, out, err = run("check", made, "--json")
    lines = json.loads(out)
    assert status == 0 and {one["outcome"] for one in lines} == {"proved", "refuted"}
    assert not any("records" in one["file"] for one in lines)
    assert err == "12 records of runs left aside; theorylab report shows them\n"


def test_check_still_rejects_what_is_damaged_or_unknown(run: Run, folder: Path) -> None:
    record = next(folder.glob("records/verify/*.json"))
    record.write_bytes(record.read_bytes()[:-40])
    (folder / "other.json").write_text("{}", "utf-8")
    status, out, _ = run("check", folder, "--json")
    rejected = [one["file"] for one in json.loads(out) if one["outcome"] == "rejected"]
    assert status == 1 and sorted(rejected) == sorted([str(record), str(folder / "other.json")])


def test_check_of_records_alone_is_refused_in_one_line(run: Run, folder: Path) -> None:
    status, out, err = run("check", folder / "records")
    assert (status, out) == (2, "") and "records of runs, no certificates" in err
    shutil.rmtree(folder / "records")
    # what the sweep printed is a record too
    assert run("check", folder)[2] == "1 record of a run left aside; theorylab report shows them\n"
