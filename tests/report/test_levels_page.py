"""The page and the picture of a level tree."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from rich.console import Console

from theorylab.levels import Levels, levels
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError
from theorylab.report.levels import Node, draw, print_levels, tree_of

BRACKETS = Dataset.from_rows(
    [[s, 1] for s in (-1, 0, 1, 3, 4, 5)], [[y] for y in (0, 0, 1, 3, 4, 4)], None, "brackets"
)
UNIT = Dataset.from_rows([[1], [-1]], [[1], [2]], None, "two points")


@pytest.fixture(scope="module")
def brackets() -> Levels:
    return levels(Network.dense((2, 2, 1), "relu"), BRACKETS)


def page(found: Levels, width: int = 90) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_levels(found, console, ["theorylab", "levels", "--data", "brackets.csv"])
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_page(brackets: Levels) -> None:
    shown = " ".join(page(brackets).split())
    assert "proved: the components of {L <= u} at every level u, 4 intervals" in shown
    assert "from u = 1320/1993 ~ 0.662318 on" in shown
    assert "20/43 ~ 0.465116, the largest climb that a component needs" in shown
    assert "2 components at the minimum, 4 spurious valleys born above it" in shown
    assert "576 regions" in shown and "kernel (Lemma 33; Lemma 34)" in shown
    assert "0.448252 654/1459 4" in shown
    assert "theorylab levels --data brackets.csv" in shown


def test_never_a_universal_word(brackets: Levels) -> None:
    assert not re.search(r"N_u = 1|poor local", page(brackets))


@pytest.mark.parametrize("width", [40, 60, 112])
def test_the_page_fits(brackets: Levels, width: int) -> None:
    lines = page(brackets, width).splitlines()
    assert all(len(line) <= width for line in lines if "theorylab levels --" not in line)
    assert any("components" in line for line in lines)


def test_the_page_of_a_tree_that_never_merges() -> None:
    shown = " ".join(page(levels(Network.dense((1, 3, 1), "relu"), UNIT)).split())
    assert "from the minimum on: one component at every level" in shown
    assert "1 component at the minimum, no spurious valley" in shown
    assert "merges" not in shown


def test_a_rejected_tree_shows_its_reason_and_nothing_else(brackets: Levels) -> None:
    shown = page(replace(brackets, outcome="rejected", reason="a weight is not positive"))
    assert "the kernel rejected the certificate: a weight is not positive" in shown
    assert "1320/1993" not in shown and "components" not in shown


def test_the_merge_tree(brackets: Levels) -> None:
    root = tree_of(brackets.tree)

    def leaves(node: Node) -> list[Fraction]:
        return [leaf for c in node.children for leaf in leaves(c)] or [node.level]

    def rises(node: Node) -> bool:
        return all(c.level < node.level and rises(c) for c in node.children)

    assert root.level == Fraction(1320, 1993) and len(root.children) == 3
    assert sorted(leaves(root)) == sorted(b.level for b in brackets.tree.births)
    assert rises(root) and root.low == 0
    assert [child.low for child in root.children] == sorted(child.low for child in root.children)


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_the_same_picture_for_the_same_tree(
    brackets: Levels, tmp_path: Path, ending: str, start: bytes
) -> None:
    first, second = (draw(brackets, tmp_path / f"{name}{ending}") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(start)


def test_the_picture_names_levels_and_numbers(brackets: Levels, tmp_path: Path) -> None:
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none"}):
        text = draw(brackets, tmp_path / "tree.svg").read_text("utf-8")
    for word in ("1320/1993", "20/43", ">0<", "spurious valley", "brackets", "components of"):
        assert word in text, word
    # one dot for each birth, besides the two of the legend
    assert text.count("<use ") >= 6


def test_what_cannot_be_drawn(brackets: Levels, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ends in"):
        draw(brackets, tmp_path / "tree.gif")
    with pytest.raises(InputError, match="only proved trees"):
        draw(replace(brackets, outcome="rejected"), tmp_path / "tree.png")
