"""The page of a folder: whole, alike, honest, and deaf to what is planted in files."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import theorylab as tl
from theorylab.evidence import Evidence, gather
from theorylab.kernel import Proved, Refuted, check
from theorylab.outcome import InputError, Source
from theorylab.report.html.bibliography import Bibliography, source_of
from theorylab.report.html.document import document
from theorylab.report.html.downloads import Downloads

Run = Callable[..., tuple[int, str, str]]
PLANTED = "<script>window.planted=1</script>"


class Read(HTMLParser):
    """What a browser would see: elements with their attributes, text by element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside == "script" else self.words).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def evidence(made: Path, remembered: None) -> Evidence:
    return gather(made)


@pytest.fixture(scope="module")
def page(evidence: Evidence) -> Read:
    return Read(document(evidence).raw.decode())


def test_the_command_writes_the_page_and_prints_its_path(run: Run, complete: Path) -> None:
    status, out, err = run("report", complete)
    assert (status, out, err) == (0, f"{complete / 'report.html'}\n", "")
    other = complete / "b" / "c.html"
    status, out, _ = run("report", complete, "--json", "--out", other, "--seed", 3)
    found = json.loads(out)
    assert (status, found["schema"], found["seed"]) == (0, "theorylab.report/1", 3)
    raw = other.read_bytes()
    assert found["path"] == str(other) and found["bytes"] == len(raw)
    assert raw == (complete / "report.html").read_bytes()
    assert (found["records"], found["experiments"], found["findings"]) == (10, 1, [])
    assert found["certificates"] == found["held"] > 30 and found["claims"] == 5


def test_the_same_folder_gives_the_same_bytes_wherever_it_is(made: Path, complete: Path) -> None:
    one = tl.report(complete, complete.parent / "one.html", title="Mine")
    two = tl.report(made, complete.parent / "two.html", title="Mine")
    assert one.sha256 == two.sha256 and one.exit_status == 0
    assert str(one) == str(complete.parent / "one.html")
    assert b"<title>Mine</title>" in (complete.parent / "one.html").read_bytes()


def test_the_sections_and_what_they_say(page: Read) -> None:
    headings = re.findall(r"h[1-6]", " ".join(tag for tag, _ in page.elements))
    levels = [int(h[1]) for h in headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels)), "a level is skipped"
    for words in (
        "Summary", "What was asked", "Errata found", "Claims", "Joined and separated",
        "Level functions", "Phase maps", "Counts", "Sweeps", "Experiments", "References", "BibTeX",
        "theorylab verify deep-linear-connected quadratic-connected",
        "refuted as expected on 3 instances", "joined 3 of 3 pairs",
        f"Recorded by theorylab {tl.__version__}.",
        "The kernel was handed the bytes of", "judged again from their tables: 3 as expected",
        "no certificate states them",
        "n_k > min(n, m), as on the slides", "the straight line reaches",
        "not hunted here: theorylab falsify quadratic-connected --drop square",
        "survived 5 (seed 0)", "your function says False",
        "1 refuted by a hunt", "conjectured: refuted by an instance",
        "@misc{freeman2017topology", "@misc{fisher1936multiple",
    ):  # fmt: skip
        assert words in page.text, words
    assert page.of("math") and page.of("svg") and page.of("img")
    names = [a["href"] for a in page.of("a") if (a.get("href") or "").startswith("#")]
    known = {attributes.get("id") for _, attributes in page.elements}
    assert names and {name[1:] for name in names if name} <= known
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids)), "an id comes twice"
    assert all(a.get("alt") for a in page.of("img"))
    assert all(a.get("aria-label") for a in page.of("svg"))


def test_nothing_is_fetched_and_one_script_runs(page: Read) -> None:
    assert len(page.scripts) == 1 and len(page.of("script")) == 1
    (policy,) = (a["content"] for a in page.of("meta") if a.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'") and "unsafe-eval" not in policy
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "action", "srcdoc", "data", "poster"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:")), (tag, name, value[:60])
    assert not page.of("iframe") and not page.of("object") and not page.of("form")


def test_planted_words_are_shown_as_text(page: Read, made: Path) -> None:
    assert f"two fits are joined {PLANTED}" in page.text
    assert page.text.count(PLANTED) >= 4  # title, words, source, what the function said
    assert "planted" not in page.scripts[0]
    assert "two<b>" in page.text


def test_planted_words_in_every_place_of_a_record_stay_text(folder: Path) -> None:
    evil = "<script>window.planted=1</script><img src=x onerror=alert(1)>\"'"

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poisoned(item) for key, item in value.items()}
        if isinstance(value, list):
            return [poisoned(item) for item in value]
        return f"{value}{evil}" if isinstance(value, str) else value

    kept = ("schema", "command", "version", "certificates")
    for path in folder.glob("records/*/*.json"):
        value = json.loads(path.read_bytes())
        schema = value["document"]["schema"]
        value = {k: v if k in kept else poisoned(v) for k, v in value.items()}
        value["document"]["schema"] = schema
        path.write_text(json.dumps(value), "utf-8")
    made = document(gather(folder), title=evil)
    found = Read(made.raw.decode())
    assert made.findings and len(found.of("script")) == 1
    assert not any(n.startswith("on") for _, a in found.elements for n in a)
    assert all((a.get("src") or "").startswith("data:") for a in found.of("img"))


def test_every_certificate_is_in_the_page_byte_for_byte(
    page: Read, evidence: Evidence, made: Path
) -> None:
    links = [a for a in page.of("a") if a.get("class") == "save"]
    held = {}
    for link in links:
        head, _, data = str(link["href"]).partition(",")
        assert head == "data:application/gzip;base64"
        raw = gzip.decompress(base64.b64decode(data))
        assert isinstance(check(raw), Proved | Refuted)
        held[raw] = link["data-name"]
    assert set(held) == {c.raw for c in evidence.certificates.values()}
    assert len(links) == len(held), "what two files hold is held once"
    for raw, name in held.items():
        assert any(p.read_bytes() == raw for p in made.rglob(str(name)))


def test_without_room_certificates_are_named_only(evidence: Evidence) -> None:
    sizes = {path: len(c.raw) for path, c in evidence.certificates.items()}
    largest, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    downloads = Downloads(evidence.certificates, room=600)
    assert "no room for it here" in downloads.link(largest) and downloads.held == 0
    assert "data:application/gzip" in downloads.link(least) and downloads.held >= 1
    again = downloads.link(least)
    assert "data:" not in again and 'href="#file-' in again, "it is held once"
    assert "is missing" in downloads.link("none.json")


def test_what_is_not_borne_out_is_red_and_status_one(run: Run, folder: Path) -> None:
    (folder / "deep-linear-connected" / "thin-1-1-1.json").unlink()
    status, out, _ = run("report", folder)
    found = Read((folder / "report.html").read_text("utf-8"))
    assert status == 1 and "FINDING records/verify/" in out
    assert "1 finding: what the records say is not borne out by the files" in found.text
    assert [a for a in found.of("div") if a.get("role") == "alert"]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("seed"),
        lambda d: d.update(seconds="long"),
        lambda d: d.update(merges=[{"level": "x", "survivor": 0, "absorbed": [9]}]),
        lambda d: d.update(births=5),
    ],
)
def test_a_damaged_record_is_a_finding_and_never_a_traceback(
    change: Callable[[Any], None], run: Run, folder: Path
) -> None:
    path = next(folder.glob("records/levels/*.json"))
    value = json.loads(path.read_bytes())
    change(value["document"])
    path.write_text(json.dumps(value), "utf-8")
    status, out, err = run("report", folder)
    assert (status, err) == (1, "") and "damaged record" in out
    found = Read((folder / "report.html").read_text("utf-8"))
    assert "Level functions" not in found.text and "Phase maps" in found.text


@pytest.mark.parametrize("key", ["seconds", "results", "summary"])
def test_a_half_written_verification_is_a_finding(key: str, run: Run, folder: Path) -> None:
    for path in folder.glob("records/verify/*.json"):
        value = json.loads(path.read_bytes())
        inside = value["document"]["results"][0] if key == "seconds" else value["document"]
        del inside[key]
        path.write_text(json.dumps(value), "utf-8")
    status, out, err = run("report", folder)
    assert (status, err) == (1, "") and out.count("damaged record") == 2


def test_without_torch_experiments_are_shown_as_recorded(
    run: Run, complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from theorylab.records import keep

    (judged,) = gather(complete).experiments
    keep(complete, "experiment", list(judged.rows), ["theorylab", "experiment", judged.name])

    def missing(folder: Path) -> None:
        rule = "experiments need the package torch, which is not installed"
        raise InputError("experiment", judged.name, rule, "pip install 'theorylab[torch]'")

    monkeypatch.setattr("theorylab.experiments.run.load_result", missing)
    status, out, _ = run("report", complete)
    assert status == 0 and "note: max-margin-bias/result.json: the experiment cannot be" in out
    found = Read((complete / "report.html").read_text("utf-8"))
    assert "Experiments as recorded, not judged again" in found.text
    assert "judged again from their tables" not in found.text


def test_certificates_alone_are_checked_and_shown(run: Run, folder: Path) -> None:
    for name in ("records", "sweep"):
        for path in folder.glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    status, out, err = run("report", folder)
    assert (status, out, err) == (0, f"{folder / 'report.html'}\n", "")
    found = Read((folder / "report.html").read_text("utf-8"))
    assert "No record names them" in found.text and "Claims" not in found.text
    assert "deep-linear-connected/thin-1-1-1.json" in found.text


def test_bad_folders_and_places_are_one_line(run: Run, tmp_path: Path, folder: Path) -> None:
    for words, rule in (
        ((tmp_path / "none",), "there is no such folder"),
        ((folder, "--out", folder), "this is a folder, not a file"),
        ((folder / "two.csv",), "there is no such folder"),
        ((folder, "--out", "/proc/x.html"), "theorylab: --out: /proc/x.html: "),
    ):
        status, out, err = run("report", *words)
        assert (status, out) == (2, "") and rule in err and err.count("\n") == 1


def test_a_work_is_listed_once_and_keys_are_unique() -> None:
    works = Bibliography()
    one = Source(("Ann Lee",), "On deep nets & 100% more", 2020, "Theorem 1")
    works.cite(one)
    assert works.cite(Source(one.authors, one.title, one.year, "Theorem 2")) == works.cite(one)
    works.cite(Source(("Bo Lee",), "Deep down", 2020))
    works.cite(Source(("Cy Lee",), "Deep {up} \\input{x}", 2020))
    works.cite(Source((), "", 0))
    keys = re.findall(r"@misc\{(.*),", works.bibtex())
    assert len(set(keys)) == len(keys) == len(works) == 4
    assert keys[:3] == ["lee2020deep", "lee2020deepb", "lee2020deepc"]
    assert r"On deep nets \& 100\% more" in works.bibtex() and "\\input" not in works.bibtex()
    assert works.bibtex().count("{") == works.bibtex().count("}")
    assert "Theorem 1; Theorem 2" in works.listed() and "Theorem" not in works.bibtex()
    assert source_of(one.to_json()) == one


def test_python_alone_writes_the_same_page(folder: Path) -> None:
    written = tl.report(str(folder))
    assert written.path.endswith("report.html") and written.to_json()["bytes"] == written.size
    with pytest.raises(InputError, match="no such folder"):
        tl.report(folder / "none")
