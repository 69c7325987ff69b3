"""Networks: the pattern mechanism, the activations, the file contract."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import literal
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model.drawn import ACTIVATIONS, NUMBERS, cases

from theorylab.model import (
    Activation,
    Dataset,
    Network,
    Weights,
    convolution,
    matrix,
    rational,
    read_network,
    rows,
    write_network,
)
from theorylab.model.network_file import network_from_json, network_to_json
from theorylab.outcome import InputError


def exact(values: Any) -> list[Fraction]:
    return [Fraction(str(value)) for value in values]


@pytest.mark.parametrize("form", ACTIVATIONS, ids=str)
@given(z=NUMBERS)
def test_activation_is_the_literal_one(form: Any, z: Fraction) -> None:
    activation = Activation.parse(form)
    assert activation.to_json() == form
    assert Fraction(str(activation(rational(z)))) == literal.activation(form, z)
    if activation.coefficients is not None:
        total = sum(Fraction(str(a)) * z**i for i, a in enumerate(activation.coefficients))
        assert total == literal.activation(form, z)


@pytest.mark.parametrize("form", [*ACTIVATIONS, {"polynomial": ["0", "0", "3"]}], ids=str)
@given(z=NUMBERS, c=st.fractions(min_value=Fraction(1, 9), max_value=9))
def test_homogeneous_activations_are(form: Any, z: Fraction, c: Fraction) -> None:
    activation = Activation.parse(form)
    if not activation.is_homogeneous:
        assert form == {"polynomial": ["1", "-1/2", "0", "2"]}
        return
    degrees = activation.degrees
    d = degrees[0] if degrees is not None else int(form != "step")
    assert literal.activation(form, c * z) == c**d * literal.activation(form, z)


def test_activation_normal_form_and_kinds() -> None:
    assert Activation.parse({"polynomial": ["1", "0", "0"]}).to_json() == {"polynomial": ["1"]}
    assert Activation.parse({"polynomial": [0, "1/2", "2"]}).degrees == (1, 2)
    assert Activation("relu").coefficients is None
    linear_sides = ("linear", "square", "relu", "abs", "step", "cube")
    kept = {name for name in linear_sides if Activation(name).is_piecewise_linear}
    assert kept == {"linear", "relu", "abs"}


@given(cases())
def test_assembled_weights_conform_and_parameters_undo_it(
    case: tuple[Network, Weights, Dataset],
) -> None:
    network, weights, _ = case
    assert literal.conforms(network.to_json(), [rows(layer) for layer in weights])
    assert network.assemble(network.parameters(weights)) == weights
    assert network.check_weights(weights) == weights


@given(cases())
def test_a_changed_fixed_or_shared_entry_is_refused(
    case: tuple[Network, Weights, Dataset],
) -> None:
    network, weights, _ = case
    form = network.to_json()
    for k, layer in enumerate(weights):
        for i in range(layer.nrows()):
            for j in range(layer.ncols()):
                table = [row[:] for row in layer.tolist()]
                table[i][j] += 1
                changed = (*weights[:k], matrix(table), *weights[k + 1 :])
                if literal.conforms(form, [rows(w) for w in changed]):
                    network.check_weights(changed)
                else:
                    with pytest.raises(InputError, match=r"weights\["):
                        network.check_weights(changed)


@given(cases())
def test_features_end_in_the_outputs(case: tuple[Network, Weights, Dataset]) -> None:
    network, weights, data = case
    features = network.features(weights, data.x)
    assert [h.nrows() for h in features] == list(network.widths[:-1])
    z = network.preactivation(network.depth, weights[-1], features[-1])
    wanted = network.activation.applied(z) if network.output == "activation" else z
    assert network.outputs(weights, data.x) == wanted


@given(st.data())
def test_convolution_pattern_is_the_literal_convolution(data: st.DataObject) -> None:
    length, inputs, outputs = (data.draw(st.integers(1, n)) for n in (6, 2, 2))
    padding, stride = data.draw(st.integers(0, 2)), data.draw(st.integers(1, 3))
    kernel = data.draw(st.integers(1, length + 2 * padding))
    bias = data.draw(st.booleans())
    layer = convolution(
        length,
        kernel,
        inputs=inputs,
        outputs=outputs,
        stride=stride,
        padding=padding,
        bias=bias,
        first_slot=3,
    )
    network = Network.with_pattern((inputs * length, len(layer)), "linear", [layer], bias)

    def numbers(count: int) -> list[Fraction]:
        return data.draw(st.lists(NUMBERS, min_size=count, max_size=count))

    # A tap that only ever meets padding occurs nowhere in the pattern; the others keep their slot.
    taps = [[numbers(kernel) for _ in range(inputs)] for _ in range(outputs)]
    biases = numbers(outputs)
    every = [tap for o in taps for i in o for tap in i] + (biases if bias else [])
    values = [[v if not isinstance(v, int) else every[v - 3] for v in row] for row in layer]
    weights = network.check_weights((matrix(values),))
    signal = [numbers(length) for _ in range(inputs)]
    wanted = [
        value + (b if bias else 0)
        for channel, b in zip(
            literal.convolution(signal, taps, stride, padding), biases, strict=True
        )
        for value in channel
    ]
    x = matrix([[v] for channel in signal for v in channel])
    assert exact(network.outputs(weights, x).entries()) == wanted


def test_convolution_counts_its_slots_once() -> None:
    layer = convolution(8, 3, inputs=2, outputs=4, bias=True)
    network = Network.with_pattern((16, 24), "relu", [layer], bias=True)
    assert network.parameter_count == 4 * (2 * 3 + 1)


@given(cases())
def test_network_files_round_trip_exactly(case: tuple[Network, Weights, Dataset]) -> None:
    network, weights, _ = case
    content = json.loads(json.dumps(network_to_json(network, weights)))
    back, again = network_from_json(content)
    assert back.to_json() == network.to_json()
    assert again == weights


def test_network_file_reads_json_decimals_exactly(tmp_path: Path) -> None:
    place = tmp_path / "net.json"
    place.write_text(
        '{"widths":[2,1,1],"activation":"leaky_relu","slope":0.1,"output":"activation",'
        '"weights":[[[0.1,"1e-3"]],[["-1/3"]]],"biases":[[2],null],"pattern":[[[null,0,0.5]],null]}'
    )
    with pytest.raises(InputError, match="the pattern asks for 1/2"):
        read_network(place)
    place.write_text(place.read_text().replace("0,0.5", '0,"2"'))
    network, weights = read_network(place)
    assert network.activation.to_json() == {"leaky_relu": "1/10"}
    assert network.bias == (True, False)
    assert [rows(layer) for layer in weights] == [[["1/10", "1/1000", "2"]], [["-1/3"]]]
    write_network(tmp_path / "copy.json", network, weights)
    assert read_network(tmp_path / "copy.json") == (network, weights)


def test_dense_network_has_null_pattern_even_when_given_free_entries() -> None:
    network = Network.with_pattern((1, 1), "linear", [[[None]]])
    assert network.is_dense and network.to_json()["pattern"] is None


def test_a_network_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, place = Network.dense((1, 1), "linear"), tmp_path / "net.json"
    write_network(place, network, (matrix([[1]]),))
    before = place.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputError, match="No space left"):
        write_network(place, network, (matrix([[2]]),))
    assert place.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net.json"]
