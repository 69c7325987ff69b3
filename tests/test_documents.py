"""Every page of docs/ is run from an empty folder and prints what it shows; Sphinx builds them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT, Block, Page, blocks, commands, mended
from test_architecture import ROOMS

from theorylab.claims import all_claims

DOCS = ROOT / "docs"
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if not {"_build", "generated"} & {*p.parts}]
SLOW = {"tutorial.md"} | {
    f"how-to/{name}.md"
    for name in (
        "count-solutions",
        "decide-a-claim",
        "experiments",
        "hunt-and-shrink",
        "join-networks",
        "latex",
        "levels-and-phase-maps",
        "property-tests",
        "report",
        "sweep",
        "your-own-claim",
    )
}
# What cannot be run here, page by page; the mark beside each block says why.
NOT_RUN = {"how-to/experiments.md": 1, "how-to/sweep.md": 2, "tutorial.md": 1}


def named(path: Path) -> str:
    return path.relative_to(DOCS).as_posix()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(p, id=named(p), marks=[pytest.mark.slow] if named(p) in SLOW else [])
        for p in PAGES
    ],
)
def test_a_page_prints_what_it_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Page(path, tmp_path).run()


def test_what_is_not_run_is_counted() -> None:
    left = {named(p): sum(b.not_run is not None for b in blocks(p.read_text())) for p in PAGES}
    assert {name: count for name, count in left.items() if count} == NOT_RUN
    assert {*SLOW} <= {named(p) for p in PAGES}


def test_the_architecture_page_has_the_rooms_in_their_order() -> None:
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    (shown,) = (block.text for block in blocks(page) if block.language == "text")
    told = [set(re.findall(r"\w+", group)) for group in shown.split("<")]
    built = {path.stem for path in (ROOT / "theorylab").iterdir()}
    assert told == [rooms & built for rooms in ROOMS if rooms & built - {"__main__"}]


@pytest.mark.slow
def test_sphinx_builds_the_pages_without_a_warning_and_without_the_network(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    run = subprocess.run(
        [*build, "-d", str(tmp_path / ".doctrees")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    pages = {p.relative_to(tmp_path).as_posix(): p.read_text() for p in tmp_path.rglob("*.html")}
    for name, page in pages.items():
        fetched = re.findall(r'<(?:script|img|iframe)[^>]* src="(https?:[^"]*)', page)
        fetched += re.findall(r'<link[^>]* rel="stylesheet"[^>]* href="(https?:[^"]*)', page)
        assert not fetched, f"{name} asks the network for {fetched}"
    listed = [page for name, page in pages.items() if "/claims/" in name]
    assert len(listed) == len(all_claims()) and all("<math" in page for page in listed)
    # LaTeX that is not understood is shown as it is written
    assert not any("tl-latex" in page for page in pages.values())


# -- the runner itself: each way in which a page can be wrong is seen


def ran(text: str, folder: Path) -> Page:
    page = Page(ROOT / "README.md", folder)
    page.blocks = list(blocks(text))
    page.run()
    return page


def test_blocks_have_marks_captions_and_lines() -> None:
    text = "# t\n\n<!-- status: 1 -->\n```console\n$ false\n```\n\nwords\n\n"
    text += "```{code-block} python\n:caption: a.py\n\nx = 1\n```\n```\nplain\n```\n"
    first, second, third = blocks(text)
    assert first == Block("console", "$ false\n", 4, {"status": "1"})
    assert second == Block("python", "x = 1\n", 10, {"file": "a.py"})
    assert (third.language, third.marks) == ("text", {})


def test_commands_are_continued_and_told_from_their_output() -> None:
    assert commands("$ a \\\n> b\nout\n$ c\n") == [("a \\\nb\n", "out\n"), ("c\n", "")]


def test_files_sessions_and_commands_of_a_page_see_each_other(tmp_path: Path) -> None:
    ran(
        "```{code-block} python\n:caption: deep/a.py\n\nprint(7)\n```\n"
        "```console\n$ python deep/a.py\n7\n$ false\n$ echo $?\n1\n```\n"
        "```python\n>>> x = 1\n```\n```python\n>>> x + 1\n2\n\n```\n"
        "```python\n>>> print('a\\n\\n1.5 s')\na\n\n0.3 s\n>>> from deep import a\n7\n```\n",
        tmp_path,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```console\n$ echo a\nb\n```\n", "but shown"),
        ("```console\n$ echo a\n```\n", "but shown"),
        ("```console\n$ false\n```\n", "status 1"),
        ("<!-- status: 1 -->\n```console\n$ true\n```\n", "status 0"),
        ("```console\necho a\n```\n", "starts with"),
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected"),
        ("```python\n>>> print('a\\n\\nb')\na\n\nc\n```\n", "Expected"),
        ("```python\nx = 1\n```\n", "a session, or a file"),
        ("```cobol\nx\n```\n", "no way to run cobol"),
    ],
)
def test_a_page_that_is_not_true_fails(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=re.escape(said)):
        ran(text, tmp_path)


def test_seconds_may_differ_and_nothing_else(tmp_path: Path) -> None:
    ran(
        "```console\n$ echo 'a    0.25 s'\na 1.50 s\n$ printf 'a\\nb\\nc\\n'\na\n...\nc\n```\n",
        tmp_path,
    )
    with pytest.raises(AssertionError):
        ran("```console\n$ echo '2 of 3  0.25 s'\n1 of 3 0.25 s\n```\n", tmp_path)


def test_a_page_is_mended_where_it_is_not_true(tmp_path: Path, monkeypatch: Any) -> None:
    page = tmp_path / "page.md"
    kept = "words\n\n```console\n$ printf 'a\\nb\\nc\\n'\na\n...\nc\n```\n"
    page.write_text(kept + "\n```console\n$ echo \\\n> new\nold\n$ true\n```\n")
    monkeypatch.setattr("documents.ROOT", tmp_path)
    found = mended(page, tmp_path)
    assert found == kept + "\n```console\n$ echo \\\n> new\nnew\n$ true\n```\n"
    page.write_text(found)
    assert mended(page, tmp_path) == found
    Page(page, tmp_path).run()
