"""phase: a map of what is known, with the kernel's word in each cell that claims anything."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from theorylab import kernel
from theorylab.falsify import falsify
from theorylab.falsify.sharpness import sharpness
from theorylab.outcome import InputError
from theorylab.phase import phase
from theorylab.report.hunts import picture, print_hunt, print_phase, print_sharpness


def test_the_sharp_theorem_is_seen_in_the_map() -> None:
    """p >= n + 1 joins, p <= n falls: both sides of the theorem, nothing between."""
    found = phase("scalar-quadratic-connected", (1, 2), (1, 2, 3), pairs=2, tries=20)
    verdicts = {(c.n, c.p): c.verdict for c in found.cells}
    assert verdicts == {(n, p): "lemma" if p > n else "refuted" for n in (1, 2) for p in (1, 2, 3)}
    for cell in found.cells:
        if cell.verdict == "lemma":
            assert cell.words == "lemma applies, 2/2 pairs joined" and cell.lemmas
        else:
            assert cell.certificate_bytes is not None
            outcome = kernel.check(cell.certificate_bytes)
            assert isinstance(outcome, kernel.Refuted)
            assert outcome.statement.network.widths == (cell.n, cell.p, 1)


def test_an_open_cell_says_what_was_searched() -> None:
    found = phase("scalar-quadratic-descent", (3,), (2,), pairs=2, tries=10)
    (cell,) = found.cells
    assert cell.verdict == "open" and 0 < cell.tried <= 10
    assert cell.words.startswith(f"open: survived {cell.tried}")


def test_the_same_seed_gives_the_same_map(tmp_path: Path) -> None:
    maps = [
        phase("deep-linear-connected", (1, 2), (1, 2), pairs=1, tries=5, out=tmp_path / str(i))
        for i in range(2)
    ]
    assert [c.certificate_bytes for c in maps[0].cells] == [
        c.certificate_bytes for c in maps[1].cells
    ]
    assert picture(maps[0]) == picture(maps[1])
    value = json.loads(json.dumps(maps[0].to_json()))
    assert value["schema"] == "theorylab.phase/1" and len(value["cells"]) == 4
    assert sum(value["summary"].values()) == 4
    for cell in value["cells"]:
        assert (cell["certificate"] is not None) == (cell["verdict"] == "refuted")


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"claim_id": "deep-linear-descent"}, "claim"),
        ({"n": ()}, "n"),
        ({"p": (0,)}, "p"),
        ({"tries": 0}, "tries"),
        ({"pairs": 0}, "pairs"),
        ({"family": "n-p-7"}, "family"),
        ({"seconds": -1}, "seconds"),
    ],
)
def test_a_bad_request_names_its_argument(change: dict[str, object], argument: str) -> None:
    request: dict[str, object] = {"claim_id": "deep-linear-connected", "n": (1,), "p": (1,)}
    with pytest.raises(InputError) as error:
        phase(**{**request, **change})  # type: ignore[arg-type]
    assert error.value.argument == argument


def test_the_pages_say_what_was_found() -> None:
    out = io.StringIO()
    console = Console(width=80, file=out)
    print_hunt(falsify("quadratic-connected", "dense", tries=100), console)
    page = out.getvalue()
    assert "refuted by this instance" in page and "pattern 1" in page and "--out DIR" in page
    print_hunt(falsify("deep-linear-connected", tries=5), console)
    page = out.getvalue()
    assert "survived 5 (seed 0)" in page and "nothing is proved by that" in page
    print_phase(phase("deep-linear-connected", (1,), (1, 2), pairs=1, tries=5), console)
    page = out.getvalue()
    assert "lemma applies, 1/1 pairs joined" in page and "refuted (separated)" in page
    print_sharpness(sharpness(["any-depth-connected"], tries=10), console)
    assert "assurance: kernel; seed 0" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80
