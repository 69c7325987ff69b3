"""Entries of a record that its certificates do not show: found, and never shown as proved."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from theorylab.claims import claim
from theorylab.evidence import checked, gather
from theorylab.evidence.claimed import Claimed, misstated
from theorylab.records import Record
from theorylab.report.folder import report

LINEAR = "deep-linear-connected"
Change = Callable[[Any], None]


def edited(folder: Path, schema: str, change: Change) -> None:
    done = 0
    for path in folder.glob("records/*/*.json"):
        value = json.loads(path.read_bytes())
        if value["document"]["schema"] == f"theorylab.{schema}/1":
            change(value["document"])
            path.write_text(json.dumps(value), "utf-8")
            done += 1
    assert done


def row(**changed: Any) -> Change:
    """Change the row of one proved instance."""

    def change(document: Any) -> None:
        for one in document["results"]:
            if one["instance"] == "iris-4-20-3":
                one.update(changed)

    return change


def words(folder: Path) -> str:
    return "\n".join(one.words for one in gather(folder).findings)


@pytest.mark.parametrize(
    ("schema", "change", "expected"),
    [
        ("verify", row(architecture="4-9999-3"), "iris-4-20-3: its certificate has another arch"),
        ("verify", row(activation="relu"), "another activation"),
        ("verify", row(samples=60_000), "another samples"),
        ("verify", row(level="0.001"), "another level"),
        ("verify", row(lemmas=["Lemma 99"]), "another list of lemmas"),
        ("verify", row(conclusion="global_min"), "another conclusion"),
        ("verify", row(outcome="PROVED"), "damaged record: 'PROVED' is no outcome"),
        ("verify", row(outcome="survived"), "the kernel does not vouch for survived"),
        ("verify", lambda d: d["summary"].update(proved=999), "summary: it says 999 proved, the"),
        ("verify", lambda d: d["results"].pop(), "instances, the rows"),
        (
            "falsify",
            lambda d: d["certificate"] and d["instance"]["network"].update(widths=[9]),
            "another instance",
        ),
        ("falsify", lambda d: d.update(rule="magic"), "another rule"),
        ("phase", lambda d: d["cells"][0].update(n=7), "n = 7, p = 1: its certificate has another"),
        ("phase", lambda d: d["cells"][0].update(verdict="lemma"), "summary: it says"),
        ("phase", lambda d: d["cells"][0].update(verdict="proved"), "'proved' is no outcome"),
        ("connect", lambda d: d.update(architecture="1-1"), "another architecture"),
        ("levels", lambda d: d.update(samples=7), "another samples"),
        ("count", lambda d: d.update(certified=99), "it says 99 certified, its certificate "),
        ("count", lambda d: d.update(upper=99), "it says 99 upper, its certificate "),
        ("count", lambda d: d.update(certificate=None), "and no certificate was kept"),
    ],
)
def test_an_entry_that_the_certificate_does_not_have_is_found(
    schema: str, change: Change, expected: str, folder: Path
) -> None:
    edited(folder, schema, change)
    assert expected in words(folder)


def test_a_refutation_of_a_claim_without_erratum_is_never_expected(folder: Path) -> None:
    from theorylab.claims import all_claims

    sound = next(c.id for c in all_claims() if c.erratum is None)
    edited(folder, "verify", row(claim=sound, outcome="refuted"))
    assert "the catalogue knows no erratum of this claim" in words(folder)


def shown(folder: Path, instance: str) -> str:
    """The first line of an instance on the page."""
    assert report(folder).exit_status == 1
    page = (folder / "report.html").read_text("utf-8")
    rows = re.findall(r'<details class="row.*?</summary>', page, re.DOTALL)
    (found,) = (one for one in rows if f"<b>{instance}</b>" in one)
    return str(found)


def test_what_is_not_borne_out_is_shown_as_rejected(folder: Path) -> None:
    assert report(folder).exit_status == 0
    page = (folder / "report.html").read_text("utf-8")
    assert "Not checked again, the records alone say it: " in page and "not borne out" not in page
    edited(folder, "verify", row(architecture="4-9999-3"))
    edited(folder, "connect", lambda d: d.update(architecture="1-1"))
    edited(folder, "falsify", lambda d: d.update(rule="magic"))
    found = shown(folder, "iris-4-20-3")
    assert 'tl-rejected">rejected' in found and "proved</span>" not in found
    page = (folder / "report.html").read_text("utf-8")
    assert "not borne out</span>: the record says " in page
    assert "Not borne out by the files beside it" in page
    assert re.search(r"hunted \([^)]*\): refuted", page) is None


def test_a_certificate_put_in_anothers_place_is_shown_as_rejected(folder: Path) -> None:
    """The digests in the record are made to agree; the instance gives the exchange away."""
    one, other = (
        folder / LINEAR / f"iris-{name}.json" for name in ("thin-1-1-2-1-1", "thin-1-1-1")
    )
    shutil.copy(other, one)
    for path in folder.glob("records/verify/*.json"):
        value = json.loads(path.read_bytes())
        for name in value["certificates"]:
            value["certificates"][name] = sha256((folder / name).read_bytes()).hexdigest()
        path.write_text(json.dumps(value), "utf-8")
    assert 'tl-rejected">rejected' in shown(folder, one.stem)


def test_a_certificate_of_another_reading_with_the_same_hypotheses_is_found() -> None:
    """Only the numbers in the conclusion tell the readings apart."""
    about = claim("bezout-weights")
    instance = next(one for one in about.canonical() if one.variant == "printed")
    raw = about.prove(instance)
    assert isinstance(raw, bytes)
    statement = checked("file", raw).statement
    assert statement is not None
    said = {
        name: misstated(
            Claimed("it", "refuted", "file", about.id, name), statement, Record(None, {})
        )
        for name in ("printed", "corrected")
    }
    assert said["printed"] == "" and "an instance of another reading" in said["corrected"]
