"""Every word of a record is held against its certificate; what does not agree is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from theorylab.evidence import gather, unrecorded
from theorylab.outcome import InputError

LINEAR = "deep-linear-connected"


def edited(folder: Path, schema: str, change: Callable[[Any], None]) -> None:
    """Change the documents of one schema in the records of a folder."""
    done = 0
    for path in folder.glob("records/*/*.json"):
        value = json.loads(path.read_bytes())
        if value["document"]["schema"] == f"theorylab.{schema}/1":
            change(value)
            path.write_text(json.dumps(value), "utf-8")
            done += 1
    assert done


def words(folder: Path) -> str:
    """All findings in one text."""
    return "\n".join(f"{one.file}: {one.words}" for one in gather(folder).findings)


def test_an_honest_folder_has_no_findings_wherever_it_is(made: Path, complete: Path) -> None:
    here, there = gather(made), gather(complete)
    assert here.findings == there.findings == () and here.exit_status == 0
    assert [run.file for run in here.runs] == [run.file for run in there.runs]
    assert len(here.runs) == 10 and len(here.experiments) == 1
    assert {c.outcome for c in here.certificates.values()} == {"proved", "refuted"}
    assert not list(unrecorded(here)) and here.notes == ()


def test_folders_may_lie_in_a_folder(folder: Path) -> None:
    above = folder.parent / "above"
    above.mkdir()
    shutil.move(folder, above / "one")
    shutil.copytree(above / "one", above / "two")
    found = gather(above)
    assert found.findings == () and len(found.runs) == 20
    assert {run.base for run in found.runs} == {"one/", "two/"}


def test_a_missing_certificate_is_found(folder: Path) -> None:
    (folder / LINEAR / "thin-1-1-1.json").unlink()
    assert f"its certificate {LINEAR}/thin-1-1-1.json is missing" in words(folder)
    assert gather(folder).exit_status == 1


def test_a_changed_certificate_is_found_though_the_kernel_accepts_it(folder: Path) -> None:
    shutil.copy(folder / LINEAR / "iris-thin-1-1-1.json", folder / LINEAR / "thin-1-1-1.json")
    assert words(folder).count("is not the one that was written") == 1


def test_a_rejected_certificate_is_found_in_the_words_of_the_kernel(folder: Path) -> None:
    path = folder / LINEAR / "thin-1-1-1.json"
    path.write_bytes(path.read_bytes().replace(b'"Schema"', b"").replace(b'"u":"0"', b'"u":"9"'))
    assert "the kernel rejects it: " in words(folder)
    (folder / LINEAR / "half.json").write_bytes(path.read_bytes()[:99])
    assert "half.json: damaged: neither a certificate nor a record" in words(folder)


@pytest.mark.parametrize(
    ("schema", "change", "expected"),
    [
        (
            "verify",
            lambda v: v["document"]["results"][0].update(certificate=None),
            "no certificate was kept",
        ),
        (
            "levels",
            lambda v: v["document"]["levels"][0].update(components=7),
            "states another value of levels",
        ),
        ("connect", lambda v: v["document"].update(level="1/7"), "states another value of u"),
        ("connect", lambda v: v["document"].update(outcome="refuted"), "the kernel says proved"),
        ("phase", lambda v: v["document"].update(claim="any-depth-connected"), "no instance of"),
        (
            "falsify",
            lambda v: v["document"].update(dropped=None),
            f"no instance of {LINEAR} (corrected)",
        ),
        ("levels", lambda v: v["document"].pop("levels"), "damaged record"),
        ("count", lambda v: v.pop("claims"), "damaged record: it is not complete"),
        (
            "connect",
            lambda v: v["certificates"].update({"../../x.json": "0"}),
            "outside of its folder",
        ),
    ],
)
def test_what_a_record_says_is_held_against_its_certificate(
    schema: str, change: Callable[[Any], None], expected: str, folder: Path
) -> None:
    edited(folder, schema, change)
    assert expected in words(folder)


def test_an_undecided_instance_that_is_called_proved_is_found(folder: Path) -> None:
    def lie(value: Any) -> None:
        for row in value["document"]["results"]:
            row["outcome"] = "proved"

    edited(folder, "verify", lie)
    found = words(folder)
    assert "thin-1-1-1 proved: the kernel says refuted of its certificate" in found
    assert "small draw-0-" in found and "no certificate was kept" in found


def test_a_certificate_of_another_claim_is_found(folder: Path) -> None:
    """The files and digests agree; only what is stated gives the exchange away."""

    def exchange(value: Any) -> None:
        rows = {row["instance"]: row for row in value["document"]["results"]}
        if "iris-4-20-3" in rows:
            rows["iris-4-20-3"]["certificate"] = rows["iris-4-6-5-3"]["certificate"]

    edited(folder, "verify", exchange)
    found = words(folder)
    assert "its certificate is no instance of quadratic-connected (corrected)" in found


@pytest.mark.parametrize("change", [{"hypotheses": []}, {"conclusion": "descends"}])
def test_a_users_claim_is_compared_with_what_the_record_says_it_is(
    change: dict[str, Any], folder: Path
) -> None:
    def other(value: Any) -> None:
        for claim in value["claims"].values():
            claim["variants"][0].update(change)

    edited(folder, "verify", other)
    assert "no instance of one_unit_each (conjectured)" in words(folder)


def test_a_table_that_says_otherwise_than_its_record_is_found(complete: Path) -> None:
    from theorylab.records import keep

    (judged,) = gather(complete).experiments
    rows = [dict(row) for row in judged.rows]
    keep(complete, "experiment", rows, ["theorylab", "experiment", "max-margin-bias"])
    assert words(complete) == ""
    rows[0]["status"] = "inconsistent"
    keep(complete, "experiment", rows, ["theorylab", "experiment", "max-margin-bias"])
    assert "the record says inconsistent of max-margin-bias (printed), its table judged" in words(
        complete
    )
    (complete / "max-margin-bias" / "result.npz").write_bytes(b"PK")
    found = words(complete)
    assert "cannot be judged again" in found and "nothing was judged again" in found


def test_documents_that_were_only_printed_count_once(folder: Path) -> None:
    record = json.loads(next(folder.glob("records/levels/*.json")).read_bytes())
    (folder / "printed.json").write_text(json.dumps(record["document"]), "utf-8")
    assert len(gather(folder).runs) == 10
    shutil.rmtree(folder / "records" / "levels")
    found = gather(folder)
    assert len(found.runs) == 10 and found.findings == ()


def test_certificates_without_a_record_are_shown(folder: Path) -> None:
    shutil.rmtree(folder / "records")
    found = gather(folder)
    assert {c.path for c in unrecorded(found)} == set(found.certificates) != set()
    assert found.findings == ()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "there is no such folder"),
        ({}, "nothing in this folder was written by theorylab"),
        ({"notes.txt": "hello", "geo.json": '{"type": "Point"}'}, "nothing in this folder"),
    ],
)
def test_a_folder_without_results_is_an_input_error(
    content: dict[str, str] | None, rule: str, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    for name, text in (content or {}).items():
        place.mkdir(exist_ok=True)
        (place / name).write_text(text, "utf-8")
    if content == {}:
        place.mkdir()
    with pytest.raises(InputError, match=rule):
        gather(place)


def test_unfinished_work_is_noted(folder: Path, tmp_path: Path) -> None:
    for place in (folder, tmp_path / "other"):
        (place / "width-test-error" / "parts" / "ab12").mkdir(parents=True)
        (place / "sweep-1.sqlite").write_bytes(b"")
    notes = ("sweep-1.sqlite: an unfinished sweep", "width-test-error: an unfinished experiment")
    found = gather(folder)
    assert found.notes == notes and found.findings == ()
    with pytest.raises(InputError, match="an unfinished sweep; run its command again"):
        gather(tmp_path / "other")
    (folder / "sweep-1.json").write_text("{}", "utf-8")
    assert notes[0] not in gather(folder).notes


def test_a_file_instead_of_a_folder_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("", "utf-8")
    with pytest.raises(InputError, match="this is a file"):
        gather(tmp_path / "f")


def test_foreign_files_are_noted_and_left_alone(folder: Path) -> None:
    (folder / "geo.json").write_text('{"type": "Point"}', "utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    found = gather(folder)
    assert found.notes == ("geo.json: not a file of theorylab, left alone",)
    assert found.findings == ()
