"""Networks from torch and back: every float exactly, and one clear line for all that is not one."""

from __future__ import annotations

import io
import operator
import subprocess
import sys
import zipfile
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from theorylab.model import Network, Weights, matrix, rational
from theorylab.model.network import torch_networks
from theorylab.model.torch_networks import (
    MAX_WEIGHTS,
    Pointwise,
    from_torch,
    read_torch,
    save_torch,
    to_torch,
    torch_rounding,
)
from theorylab.outcome import InputError

KINDS: list[Any] = [
    "relu",
    "linear",
    "square",
    "cube",
    {"leaky_relu": "3/32"},
    {"polynomial": ["1/4", "-1/2", "0", "2"]},
]
DYADIC = st.builds(lambda p, k: Fraction(p, 2**k), st.integers(-(2**11), 2**11), st.integers(0, 9))
# By their bits: floats that are narrowed are mostly thrown away.
_HALVES = st.integers(0, 0x7BFF).map(lambda bits: float(np.array(bits, "u2").view("f2")))
_SINGLES = st.integers(0, 0x7F7F_FFFF).map(lambda bits: float(np.array(bits, "u4").view("f4")))
FLOATS = {
    torch.float16: st.builds(operator.mul, _HALVES, st.sampled_from((1.0, -1.0))),
    torch.float32: st.builds(operator.mul, _SINGLES, st.sampled_from((1.0, -1.0))),
    torch.float64: st.floats(allow_nan=False, allow_infinity=False),
}


@st.composite
def settings_of(draw: st.DrawFn, numbers: st.SearchStrategy[Any]) -> tuple[Network, Weights]:
    """A dense network of some depth and weights of these numbers."""
    widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=4))
    bias = draw(st.lists(st.booleans(), min_size=len(widths) - 1, max_size=len(widths) - 1))
    kind = draw(st.sampled_from(KINDS))
    # torch writes no activation after the last layer of a linear network
    output = draw(st.sampled_from(["linear", "activation"])) if kind != "linear" else "linear"
    network = Network.dense(widths, kind, bias, output)
    count = network.parameter_count
    return network, network.assemble(draw(st.lists(numbers, min_size=count, max_size=count)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(max_examples=40)
@given(pair=settings_of(DYADIC))
def test_there_and_back_is_exact(dtype: torch.dtype, pair: tuple[Network, Weights]) -> None:
    network, weights = pair
    module = network.to_torch(weights, dtype)
    assert torch_rounding(weights, dtype) == 0
    assert Network.from_torch(module) == (network, weights)
    if network.output == "linear":
        assert from_torch(module.state_dict(), network.activation) == (network, weights)


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=40)
@given(data=st.data())
def test_every_float_is_the_rational_that_it_is(dtype: torch.dtype, data: st.DataObject) -> None:
    values = data.draw(st.lists(FLOATS[dtype], min_size=6, max_size=6))
    layer = nn.Linear(2, 2, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(values[:4], dtype=dtype).reshape(2, 2))
        layer.bias.copy_(torch.tensor(values[4:], dtype=dtype))
    _, (found,) = from_torch(nn.Sequential(layer))
    wanted = [Fraction(values[i]) for i in (0, 1, 4, 2, 3, 5)]
    assert [Fraction(str(q)) for q in found.entries()] == wanted


def test_bfloat16_too() -> None:
    layer = nn.Linear(1, 1, bias=False, dtype=torch.bfloat16)
    nn.init.constant_(layer.weight, 0.1)
    assert from_torch(nn.Sequential(layer))[1][0][0, 0] == rational("205/2048")


@settings(max_examples=30)
@given(pair=settings_of(st.fractions(-3, 3, max_denominator=7)))
def test_the_rounding_is_stated(pair: tuple[Network, Weights]) -> None:
    network, weights = pair
    _, found = from_torch(to_torch(network, weights, torch.float32))
    moved = [
        abs(Fraction(str(p)) - Fraction(str(q)))
        for W, V in zip(weights, found, strict=True)
        for p, q in zip(W.entries(), V.entries(), strict=True)
    ]
    assert Fraction(str(torch_rounding(weights, torch.float32))) == max(moved)
    assert max(moved) <= Fraction(3, 2**24)


@given(values=st.lists(st.floats(-4, 4), min_size=3, max_size=3), bits=st.integers(0, 12))
def test_bits_round_to_multiples(values: list[float], bits: int) -> None:
    layer = nn.Linear(3, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([values]))
    _, (found,) = from_torch(nn.Sequential(layer), bits=bits)
    for value, entry in zip(values, found.entries(), strict=True):
        assert (entry * 2**bits).q == 1
        assert abs(Fraction(str(entry)) - Fraction(value)) <= Fraction(1, 2 ** (bits + 1))


def test_ties_go_to_even() -> None:
    layer = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.25, 0.75]]))
    assert from_torch(nn.Sequential(layer), bits=1)[1][0].table() == [[0, 1]]


@settings(max_examples=40)
@given(
    pair=settings_of(st.fractions(-2, 2, max_denominator=9)),
    x=st.lists(st.fractions(-2, 2, max_denominator=9), min_size=3, max_size=3),
)
def test_torch_computes_what_the_exact_network_does(
    pair: tuple[Network, Weights], x: list[Fraction]
) -> None:
    module = to_torch(*pair)
    network, weights = from_torch(module)  # the same floats, exactly
    inputs = [float(v) for v in x[: network.n]]
    column = matrix([[Fraction(v)] for v in inputs])
    exact = [Fraction(str(v)) for v in network.outputs(weights, column).entries()]
    seen = module(torch.tensor([inputs], dtype=torch.float64))[0].tolist()
    # the same sums with all signs positive bound every partial sum; the coefficients as well
    kind: Any = network.activation.to_json()
    if isinstance(kind, dict) and "polynomial" in kind:
        kind = {"polynomial": [a.lstrip("-") for a in kind["polynomial"]]}
    positive = Network.dense(network.widths, kind, network.bias, network.output)
    sizes = tuple(matrix([[abs(v) for v in row] for row in W.tolist()]) for W in weights)
    bounds = positive.outputs(sizes, matrix([[abs(Fraction(v))] for v in inputs])).entries()
    for value, wanted, bound in zip(seen, exact, bounds, strict=True):
        # at most 4 additions and 6 products a layer, raised to at most the 27th power
        assert abs(Fraction(value) - wanted) <= Fraction(str(bound)) * 10 * 3 * 27 / 2**53


def relu(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), *layers, nn.Linear(3, 1))


def with_weight(value: float) -> nn.Sequential:
    module = relu(nn.ReLU())
    with torch.no_grad():
        module[2].weight[0, 1] = value
    return module


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (with_weight(float("nan")), "layer 2, weight = nan: weights are finite"),
        (with_weight(float("-inf")), "layer 2, weight = -inf"),
        (relu(nn.Tanh()), "layer 1 = Tanh: the layers that have exact counterparts are Linear, R"),
        (relu(nn.BatchNorm1d(3), nn.ReLU()), "layer 1 = BatchNorm1d"),
        (relu(nn.Dropout()), "layer 1 = Dropout"),
        (relu(nn.Sequential(nn.ReLU(), nn.GELU())), "layer 1.1 = GELU"),
        (relu(nn.ReLU(), nn.ReLU()), "layer 2 = ReLU: an activation follows a Linear layer"),
        (nn.Sequential(nn.ReLU(), nn.Linear(1, 1)), "layer 0 = ReLU"),
        (relu(nn.ReLU(), nn.Linear(3, 3)), "all activations of a network are the same, not relu"),
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1)), "layer 2 = (1, 4): the lay"),
        (nn.Sequential(), "a network has a Linear layer"),
        (nn.Linear(2, 3), "module = Linear: only an nn.Sequential says"),
        ([1, 2], "source = list"),
        ({}, "has the layers of one nn.Sequential"),
        ({"0.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)}, "state = fc.bias"),
        ({"0.weight": [1, 2]}, "state = 0.weight"),
        ({1: torch.ones(1, 1)}, "state = 1"),
        ({"a.0.weight": torch.ones(2, 2), "b.1.weight": torch.ones(2, 2)}, "one nn.Sequential"),
        ({"0.bias": torch.ones(2)}, "layer 0 = a bias alone"),
        ({"0.weight": torch.ones(2)}, "layer 0, weight = (2,): the weight of a Linear layer has 2"),
        ({"0.weight": torch.ones(0, 2)}, "none empty"),
        ({"0.weight": torch.ones(2, 2), "0.bias": torch.ones(3)}, "one bias for each of the 2"),
        ({"0.weight": torch.ones(2, 2).long()}, "weights are dense tensors of floats"),
        ({"0.weight": torch.ones(2, 2).to_sparse()}, "weights are dense tensors of floats"),
        ({"0.weight": torch.ones(2, 2, device="meta")}, "weights are dense tensors of floats"),
        ({"0.weight": torch.ones(1, 1).expand(9999, 9999)}, f"at most {MAX_WEIGHTS:,} weights"),
        (
            {"0.weight": torch.ones(2, 2), "1.weight": torch.ones(2, 2)},
            "no activation stands between the layers 0 and 1",
        ),
    ],
)
def test_what_is_no_network_is_refused_by_name(source: Any, words: str) -> None:
    with pytest.raises(InputError) as error:
        from_torch(source)
    assert words in str(error.value)


def test_other_mistakes() -> None:
    network, weights = from_torch(relu(nn.ReLU()))
    for bits in (-1, 201, 1.5):
        with pytest.raises(InputError, match="bits"):
            from_torch(relu(nn.ReLU()), bits=bits)  # type: ignore[arg-type]
    for kind in ("abs", "step"):
        with pytest.raises(InputError, match=kind):
            to_torch(Network.dense(network.widths, kind, True), weights)
    with pytest.raises(InputError, match="floats"):
        to_torch(network, weights, torch.int32)
    huge = (matrix([["1e300"]]),)
    with pytest.raises(InputError, match=r"beyond the range of torch\.float32"):
        to_torch(Network.dense((1, 1), "linear"), huge, torch.float32)
    with pytest.raises(InputError, match="beyond the range"):
        to_torch(Network.dense((1, 1), "linear"), (matrix([["1e400"]]),))
    with pytest.raises(InputError, match="weights"):
        to_torch(Network.dense((2, 3, 2), "relu", True), weights)
    with pytest.raises(InputError, match="this module is for"):
        Pointwise(Network.dense((1, 1), "relu").activation)


def test_nested_flattened_and_prefixed_networks() -> None:
    inner = nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.25))
    module = nn.Sequential(nn.Flatten(), inner, nn.Linear(3, 2), nn.Identity())
    network, _ = from_torch(module)
    assert network == Network.dense((4, 3, 2), {"leaky_relu": "1/4"}, True)
    renamed = {f"net.{key}": value for key, value in relu(nn.ReLU()).state_dict().items()}
    assert from_torch(renamed)[0] == Network.dense((2, 3, 1), "relu", True)
    shuffled = OrderedDict(reversed(relu(nn.ReLU()).state_dict().items()))
    assert from_torch(shuffled)[0].widths == (2, 3, 1)


# --- files --------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(pair=settings_of(DYADIC))
def test_files_keep_everything(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[Network, Weights]
) -> None:
    path = tmp_path_factory.mktemp("pt") / "net.pt"
    assert save_torch(path, *pair) == 0
    # what is said elsewhere does not count: the file names its activation
    assert read_torch(path, "cube") == pair


def test_a_slope_that_is_no_float_stays_exact(tmp_path: Path) -> None:
    network = Network.dense((1, 1, 1), {"leaky_relu": "1/10"})
    weights = (matrix([["1/3"]]), matrix([[1]]))
    moved = save_torch(tmp_path / "a.pt", network, weights, torch.float32)
    assert Fraction(0) < Fraction(str(moved)) < Fraction(1, 2**24)
    assert read_torch(tmp_path / "a.pt")[0] == network


def test_a_state_dict_and_the_old_format(tmp_path: Path) -> None:
    module = relu(nn.ReLU())
    for new in (True, False):
        torch.save(module.state_dict(), tmp_path / "s.pt", _use_new_zipfile_serialization=new)
        assert read_torch(tmp_path / "s.pt") == from_torch(module)
    network, weights = read_torch(tmp_path / "s.pt", "square", bits=4)
    assert network.activation.kind == "square" and (weights[0][0, 0] * 16).q == 1


class Trap:
    """Unpickled, it would write a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


def saved(value: Any) -> bytes:
    held = io.BytesIO()
    torch.save(value, held)
    return held.getvalue()


GOOD = saved(relu(nn.ReLU()).state_dict())
SCHEMA: dict[str, Any] = {
    "schema": "theorylab.network/1",
    "widths": [2, 3, 1],
    "activation": "relu",
    "state": relu(nn.ReLU()).state_dict(),
}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "corrupt, or not a file of torch.save"),
        (b"hello, this is text", "corrupt"),
        (b'{"widths": [1, 2]}', "corrupt"),
        (GOOD[: len(GOOD) // 2], "corrupt"),
        (GOOD[:-30], "corrupt"),
        (GOOD[:70] + bytes(200) + GOOD[270:], "corrupt"),
        (saved(relu(nn.ReLU())), "no code of a file is run"),
        (saved([1, 2]), "holds a list"),
        (saved(torch.ones(2)), "holds a Tensor"),
        (saved({"epoch": 3, "0.weight": torch.ones(1, 1)}), "state = epoch"),
        (saved(SCHEMA | {"schema": "theorylab.network/9"}), "the schema is theorylab.network/1"),
        (saved(SCHEMA | {"state": 3}), "with a state dict in it"),
        (saved(SCHEMA | {"widths": [2, 4, 1]}), "widths = (2, 4, 1): the weights of the file"),
        (saved(SCHEMA | {"widths": [2, 0, 1]}), "widths"),
        (saved(SCHEMA | {"activation": "softsign"}), "softsign"),
        (saved(SCHEMA | {"activation": 7}), "activation"),
        (saved(SCHEMA | {"output": "both"}), "both"),
        (saved(SCHEMA | {"more": 1}), "more"),
        (saved({"schema": "theorylab.network/1"}), "required"),
    ],
)  # fmt: skip
def test_bad_files_get_one_line(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "bad.pt"
    path.write_bytes(raw)
    with pytest.raises(InputError) as error:
        read_torch(path)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_no_code_of_a_file_is_run(tmp_path: Path) -> None:
    torch.save({"0.weight": Trap(str(tmp_path / "sprung"))}, tmp_path / "trap.pt")
    with pytest.raises(InputError, match="no code of a file is run"):
        read_torch(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_networks(), "MAX_BYTES", 2**20)
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(2**20 + 1))
    assert (tmp_path / "bomb.pt").stat().st_size < 2**12
    with pytest.raises(InputError, match="unpacks to"):
        read_torch(tmp_path / "bomb.pt")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.pt", "a\0b.pt"):
        with pytest.raises(InputError, match="cannot be read"):
            read_torch(path)
    with pytest.raises(InputError, match="cannot be written"):
        save_torch(tmp_path / "no" / "a.pt", *from_torch(relu(nn.ReLU())))


def test_without_torch_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    network, weights = from_torch(relu(nn.ReLU()))
    monkeypatch.delitem(sys.modules, "theorylab.model.torch_networks")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match="pip install"):
        network.to_torch(weights)
    with pytest.raises(InputError, match="torch, which is not installed"):
        Network.from_torch({})


def test_torch_is_imported_only_when_it_is_wanted() -> None:
    script = (
        "import sys, theorylab.model, theorylab.connect, theorylab.cli, theorylab.report.terminal\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
