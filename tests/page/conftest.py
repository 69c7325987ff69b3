"""A folder of results such as users make, planted with words that a page must not believe."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import theorylab.evidence
from theorylab.cli import main

# What a page must show as text, wherever it comes from.
PLANTED = "<script>window.planted=1</script><img src=x onerror='window.planted=2'>\"'&"

MINE = f'''"""Claims of one's own."""
import theorylab as tl
from theorylab.instances import dataset, fitted
from theorylab.outcome import Source

PLANTED = {PLANTED!r}


@tl.conjecture("two fits are joined " + PLANTED, ["p >= N"], "joined",
               source=Source(("Eve " + PLANTED,), "On " + PLANTED, 2026, PLANTED))
def one_unit_each(draw):
    samples = draw.integer(1, 2)
    data = dataset(draw, 1, 1, samples, degenerate=False)
    network = tl.Network.dense((1, samples, 1), "relu")
    a, b = fitted(draw, network, data), fitted(draw, network, data)
    return tl.fact("joined", network, data, A=a, B=b)


@tl.conjecture("numbers are small", [])
def small(draw):
    return draw.integer(1, 9) < 5, PLANTED
'''

TABLES = Path(__file__).parents[1] / "experiments" / "tables"


def commands(out: Path) -> Iterator[list[str]]:
    """Some seconds of everything that keeps records."""
    yield ["verify", "deep-linear-connected", "quadratic-connected"]
    yield ["verify", "mine.py"]
    yield ["falsify", "mine.py::one_unit_each"]
    yield ["falsify", "deep-linear-connected", "--drop", "wide"]
    yield ["falsify", "any-depth-connected", "--tries", "5"]
    yield ["phase", "deep-linear-connected", "--n", "1..2", "--p", "1..2", "--pairs", "2"]
    yield ["levels", "--widths", "1,1,1", "--activation", "relu", "--data", "two<b>.csv"]
    yield ["count", "--widths", "1,1,1", "--activation", "linear", "--data", "two<b>.csv",
           "--system", "critical", "--ridge", "generic"]  # fmt: skip
    yield ["sweep", "--widths", "2,1,1", "--activation", "square", "--instances", "2"]
    yield ["connect", "a.json", "b.json", "--data", "two<b>.csv"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, made once; tests that change it take ``folder``."""
    place = tmp_path_factory.mktemp("made")
    (place / "mine.py").write_text(MINE, "utf-8")
    (place / "two<b>.csv").write_text("x1,y1\n1,1\n-1,2\n", "utf-8")
    for name, w in (("a", "1"), ("b", "2")):
        value = {"widths": [1, 2, 1], "activation": "square", "weights": [[["1"], [w]], [["1", w]]]}
        (place / f"{name}.json").write_text(json.dumps(value), "utf-8")
    out = place / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for words in commands(out):
            assert main([*words, "--out", "out", "--json"]) in (0, 1, 3)
    shutil.copytree(TABLES / "max-margin-bias", out / "max-margin-bias")
    return out


@pytest.fixture
def folder(made: Path, tmp_path: Path, remembered: None) -> Path:
    """A copy of the folder, elsewhere, without its experiment: drawing that takes its time."""
    ignored = shutil.ignore_patterns("max-margin-bias")
    return Path(shutil.copytree(made, tmp_path / "copy", ignore=ignored))


@pytest.fixture
def complete(made: Path, tmp_path: Path, remembered: None) -> Path:
    """A copy of the whole folder."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture(scope="session")
def remembered() -> Iterator[None]:
    """What the kernel said of the same bytes is remembered, for it would say it again."""
    ask = theorylab.evidence.checked
    answers = cache(lambda raw: ask("", raw))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            theorylab.evidence, "checked", lambda path, raw: replace(answers(raw), path=path)
        )
        yield
