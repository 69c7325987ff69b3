"""``theorylab falsify all``: the sharpness table as a command, kept and shown again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from theorylab.claims import claim
from theorylab.falsify import INTERRUPTED, Survived, sharpness
from theorylab.kernel import Refuted, check

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def two_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = (claim("deep-linear-connected"), claim("polynomial-width"))
    monkeypatch.setattr(sharpness, "topology_claims", lambda: chosen)


def test_the_table_with_its_certificates_and_record(run: Run, tmp_path: Path) -> None:
    words = ("falsify", "all", "--tries", 30, "--seed", 2, "--out", tmp_path)
    status, out, err = run(*words, "--json")
    table = json.loads(out)
    assert (status, err, table["schema"]) == (0, "", "theorylab.sharpness/1")
    names = [(row["claim"], row["hypothesis"]) for row in table["rows"]]
    wanted = [(c, h.name) for c in ("deep-linear-connected", "polynomial-width")
              for h in claim(c).hypotheses]  # fmt: skip
    assert names == wanted and table["planned"] == len(wanted)
    refuted = [row for row in table["rows"] if row["outcome"] == "refuted"]
    assert ("deep-linear-connected", "wide") in [(r["claim"], r["hypothesis"]) for r in refuted]
    for row in table["rows"]:
        assert (row["certificate"] is not None) is (row["outcome"] == "refuted")
    for row in refuted:
        assert isinstance(check(Path(row["certificate"]).read_bytes()), Refuted)
    (record,) = tmp_path.glob("records/falsify/*.json")
    value = json.loads(record.read_bytes())
    assert value["command"] == ["theorylab", "falsify", "all", "--tries", "30", "--seed", "2"]
    assert len(value["certificates"]) == len(refuted)
    page = run(*words)[1]
    assert "deep-linear-connected" in page and f"{len(refuted)} of {len(wanted)} refuted" in page
    assert list(tmp_path.glob("records/falsify/*.json")) == [record]


def test_the_report_shows_each_row_beside_its_hypothesis(run: Run, tmp_path: Path) -> None:
    run("falsify", "all", "--tries", 30, "--out", tmp_path)
    assert run("report", tmp_path) == (0, f"{tmp_path / 'report.html'}\n", "")
    page = (tmp_path / "report.html").read_text("utf-8")
    card = page[page.index('id="claim-deep-linear-connected"') :]
    card = card[: card.index("</article>")]
    assert card.count('<span class="tl-chip tl-refuted">refuted</span>') >= 2
    assert "1-1-1 linear" in card and "not hunted here" not in card
    assert "a hypothesis was dropped" in page


def test_interruption_keeps_the_rows_so_far(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, calls = sharpness.hunt, []

    def hunt(attack: object, **given: object) -> object:
        calls.append(attack)
        if len(calls) == 3:
            return Survived("c", "", "printed", (), "", 1, 9, 0, 0.0, INTERRUPTED, True)
        return honest(attack, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(sharpness, "hunt", hunt)
    status, out, _ = run("falsify", "all", "--tries", 5, "--out", tmp_path, "--json")
    assert status == 3 and len(json.loads(out)["rows"]) == 2 and len(calls) == 3
    assert list(tmp_path.glob("records/falsify/*.json"))


@pytest.mark.parametrize("option", [("--drop", "wide"), ("--as-stated",)])
def test_all_takes_no_single_hypothesis(option: tuple[str, ...], run: Run) -> None:
    status, out, err = run("falsify", "all", *option)
    assert (status, out) == (2, "") and "all drops each hypothesis of each claim in turn" in err
