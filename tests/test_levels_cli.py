"""``theorylab levels``: its JSON, its page, its picture, its certificate, its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
RELU = ("levels", "--widths", "2,2,1", "--activation", "relu")
POINTS = "x1,y1\n1,1\n-1,2\n"
BRACKETS = "x1,x2,y1\n" + "\n".join(
    f"{s},1,{y}" for s, y in zip((-1, 0, 1, 3, 4, 5), (0, 0, 1, 3, 4, 4), strict=True)
)


@pytest.fixture
def brackets(tmp_path: Path) -> Path:
    place = tmp_path / "brackets.csv"
    place.write_text(BRACKETS + "\n", "utf-8")
    return place


def test_json(run: Run, brackets: Path) -> None:
    status, out, _ = run(*RELU, "--data", brackets, "--json", "--seed", 5)
    found = json.loads(out)
    assert (status, found["schema"], found["seed"]) == (0, "theorylab.levels/1", 5)
    assert found["levels"] == [
        {"from": "0", "to": "654/1459", "components": 2},
        {"from": "654/1459", "to": "20/43", "components": 4},
        {"from": "20/43", "to": "1320/1993", "components": 3},
        {"from": "1320/1993", "to": None, "components": 1},
    ]
    assert (found["global_min"], found["top_merge"]) == ("0", "1320/1993")
    assert (found["barrier"], found["outcome"], found["assurance"]) == ("20/43", "proved", "kernel")
    assert found["certificate"] is None
    # births and merges come from the same least values, but the kernel does not state them
    assert found["certified"] == ["levels", "global_min"]


def test_page_picture_and_certificate(run: Run, brackets: Path, tmp_path: Path) -> None:
    picture, out = tmp_path / "tree.png", tmp_path / "certificates"
    words = (*RELU, "--data", brackets, "--picture", picture, "--out", out)
    status, page, said = run(*words)
    assert status == 0 and "connected" in page and "1320/1993" in page
    assert "not in the certificate" in " ".join(page.split())
    assert "least-squares problems" in said
    assert picture.read_bytes().startswith(b"\x89PNG")
    (certificate,) = out.glob("*.json")
    status, checked, _ = run("check", certificate, "--json")
    assert (status, json.loads(checked)[0]["outcome"]) == (0, "proved")


def test_a_network_file_gives_the_shape_with_its_slope(run: Run, tmp_path: Path) -> None:
    data, network = tmp_path / "data.csv", tmp_path / "net.json"
    data.write_text("x1,y1\n1,1\n-1,1\n", "utf-8")
    network.write_text(
        '{"widths":[1,1,1],"activation":{"leaky_relu":"1/2"},"weights":[[["0"]],[["0"]]]}', "utf-8"
    )
    status, out, _ = run("levels", network, "--data", data, "--json")
    # CLAIMS C10 (i): each side of the wall w = 0 reaches 2 - (1 - a)^2 / (1 + a^2)
    assert status == 0
    assert json.loads(out)["levels"] == [
        {"from": "9/5", "to": "2", "components": 2},
        {"from": "2", "to": None, "components": 1},
    ]


@pytest.mark.parametrize(
    ("words", "argument"),
    [
        (("levels",), "--widths"),
        (("levels", "--widths", "2,2,1"), "--activation"),
        (
            ("levels", "--widths", "2,2,1", "--activation", "relo", "--data", "iris"),
            "--activation: relo: the activations are",
        ),
        (
            ("levels", "--widths", "2-2-1", "--activation", "relu", "--data", "iris"),
            "--widths: 2-2-1: the widths of all layers are expected",
        ),
        (RELU, "--data"),
        ((*RELU, "--data", "nowhere.csv"), "--data"),
        ((*RELU, "--data", "iris"), "data.x"),
        ((*RELU, "--data", "{data}", "--picture", "tree.txt"), "--picture"),
        ((*RELU, "--data", "{data}", "--samples", "7"), "--samples"),
        (("levels", "net.json", "--widths", "2,2,1", "--data", "iris"), "--widths"),
        (("levels", "--widths", "2,2,1", "--activation", "square", "--data", "{data}"), "network"),
        (("levels", "--widths", "2,40,1", "--activation", "relu", "--data", "{data}"), "network"),
    ],
)
def test_refusals(run: Run, brackets: Path, words: tuple[str, ...], argument: str) -> None:
    status, out, said = run(*(word.format(data=brackets) for word in words))
    assert (status, out) == (2, "")
    assert said.startswith(f"theorylab: {argument}") and said.count("\n") == 1
