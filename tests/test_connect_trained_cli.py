"""`theorylab connect` on networks of torch: the page, the JSON, one line for every bad file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

from theorylab.connect import Joining
from theorylab.experiments import trained
from theorylab.experiments.trained import Empirical
from theorylab.model.network_file import write_network
from theorylab.model.torch_networks import from_torch, read_torch, save_torch
from theorylab.report.terminal import print_joining

Run = Callable[..., tuple[int, str, str]]
DATA = ("--data", "digits", "--samples", 4)


def perceptron(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A plain state dict, and a file of save_torch."""
    torch.save(perceptron(0).state_dict(), tmp_path / "a.pt")
    save_torch(tmp_path / "b.pth", *from_torch(perceptron(1)))
    return tmp_path / "a.pt", tmp_path / "b.pth"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves are trained for a few steps only."""
    monkeypatch.setattr(trained, "empirical", partial(trained.empirical, steps=20))


def one_line(found: tuple[int, str, str], *words: str) -> None:
    status, shown, errors = found
    assert (status, shown) == (2, "")
    assert errors.startswith("theorylab: ") and errors.count("\n") == 1
    for word in words:
        assert word in errors, errors


def test_two_networks_of_torch_are_joined(
    run: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    status, shown, errors = run("connect", *pair, *DATA, "--out", tmp_path / "out")
    assert status == 0
    # the widths are told before the work
    assert errors == "hidden widths that suffice: 4; given: 8\n"
    flowed = " ".join(shown.split())
    assert "network 64-8-10+b relu" in flowed and "digits" in flowed
    assert "joined: one path component of {L <= u} holds A and B" in flowed
    assert "empirical: the largest losses met, in floats, not certified" in flowed
    assert "on the segment from A to B; level" in flowed
    assert "on a Bezier curve trained for 1000 steps" in flowed
    (certificate,) = (p for p in (tmp_path / "out").glob("*.json") if "straight" not in p.name)
    status, shown, _ = run("check", certificate)
    assert status == 0 and "1 proved" in shown


@pytest.mark.usefixtures("quick")
def test_the_json_has_both_halves(run: Run, pair: tuple[Path, Path]) -> None:
    status, shown, _ = run("connect", *pair, *DATA, "--json", "--seed", 5)
    value = json.loads(shown)
    assert (status, value["outcome"], value["assurance"]) == (0, "proved", "kernel")
    seen = value["empirical"]
    assert (seen["seed"], seen["points"], seen["steps"]) == (5, 101, 20)
    assert seen["curve"] > 0 and seen["straight"] > 0 and seen["matched"] > 0
    assert value["bits"] is None


@pytest.mark.usefixtures("quick")
def test_bits_round_first_and_the_page_says_so(run: Run, pair: tuple[Path, Path]) -> None:
    status, shown, _ = run("connect", *pair, *DATA, "--bits", 6, "--json")
    value = json.loads(shown)
    assert (status, value["outcome"], value["bits"]) == (0, "proved", 6)
    # pixels are multiples of 2^-4, outputs of 2^-(6 + 6 + 4), losses of their squares
    assert 2**32 % Fraction(value["level"]).denominator == 0
    _, shown, _ = run("connect", *pair, *DATA, "--bits", 6)
    assert "the networks with weights rounded to 1/2^6" in " ".join(shown.split())


@pytest.mark.usefixtures("quick")
def test_a_json_network_beside_one_of_torch(
    run: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    write_network(tmp_path / "b.json", *read_torch(pair[1]))
    status, shown, _ = run("connect", pair[0], tmp_path / "b.json", *DATA, "--json")
    assert status == 0 and json.loads(shown)["empirical"] is not None
    # two JSON networks ask nothing of torch
    status, shown, _ = run("connect", tmp_path / "b.json", tmp_path / "b.json", *DATA, "--json")
    assert status == 0 and json.loads(shown)["empirical"] is None


@pytest.mark.usefixtures("quick")
def test_the_activation_of_a_state_dict(run: Run, pair: tuple[Path, Path]) -> None:
    words = (pair[0], pair[0], *DATA, "--activation", "square", "--json")
    status, shown, _ = run("connect", *words)
    assert status == 0 and json.loads(shown)["activation"] == "square"
    # the second file names its own
    found = run("connect", *pair, *DATA, "--activation", "square")
    one_line(found, "NETWORK_B", "the first is 64-8-10 square")


def test_what_is_wrong_is_said_in_one_line(
    run: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    a, b = pair
    bad = tmp_path / "bad.pt"
    bad.write_bytes(a.read_bytes()[:100])
    one_line(run("connect", bad, b, *DATA), "NETWORK_A", "corrupt")
    one_line(run("connect", a, bad, *DATA), "NETWORK_B", "corrupt")
    torch.save(perceptron(0), bad)
    one_line(run("connect", bad, b, *DATA), "NETWORK_A", "no code of a file is run")
    broken = perceptron(0)
    nn.init.constant_(broken[2].bias, float("nan"))
    torch.save(broken.state_dict(), bad)
    one_line(run("connect", bad, b, *DATA), "layer 2, bias", "nan", "weights are finite")
    one_line(run("connect", tmp_path / "none.pt", b, *DATA), "NETWORK_A", "cannot be read")
    one_line(run("connect", a, b, "--data", "iris"), "4 values in each sample")
    one_line(run("connect", a, b, *DATA[:3], 1798), "--data digits", "1797")
    one_line(run("connect", a, b, *DATA[:3], 0), "--samples")
    one_line(run("connect", a, b, "--data", "mnist-6000"), "--data", "iris, wine")
    one_line(run("connect", a, b, *DATA, "--bits", "ten"), "--bits")
    one_line(run("connect", a, b, *DATA, "--activation", "softsign"), "softsign")
    write_network(tmp_path / "a.json", *read_torch(a))
    exact = (tmp_path / "a.json", tmp_path / "a.json", *DATA)
    one_line(run("connect", *exact, "--bits", 3), "--bits", "JSON")
    one_line(run("connect", *exact, "--activation", "relu"), "--activation", "JSON")


@pytest.mark.parametrize("width", [30, 60, 100])
def test_the_page_when_narrow_and_when_the_curve_diverged(width: int) -> None:
    found = Joining(
        architecture="64-8-10+b",
        activation="relu",
        data="digits[:4]",
        samples=4,
        hidden=(8,),
        needed_width=(4,),
        level="5/4",
        mean="5/16",
        losses=("5/4", "1"),
        outcome="proved",
        bits=7,
        empirical=Empirical(1.25, 2.5, 1.75, float("inf"), 101, 1000, 0.1, 3),
    )
    out = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_joining(found, out)
    assert isinstance(out.file, io.StringIO)
    lines = out.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    flowed = " ".join(" ".join(lines).split())
    assert "rounded to 1/2^7" in flowed
    assert "line 2.5 on the segment from A to B; level 1.25" in flowed
    assert "curve inf on a Bezier curve" in flowed
    assert json.loads(json.dumps(found.to_json()))["empirical"]["curve"] is None
