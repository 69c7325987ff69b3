"""Networks with their weights as JSON files, exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from theorylab.model.activation import Activation
from theorylab.model.network import Network, Weights
from theorylab.model.rational import matrix, only_keys, read_json, rows, stacked, write_whole
from theorylab.outcome import InputError


def read_network(path: str | Path) -> tuple[Network, Weights]:
    """The network and its weights in a JSON file; see DESIGN section 5 for the contract.

    Keys: widths, activation, weights; optional slope, output, biases (a list with null for a
    layer without bias) and pattern. Guarantees: exact, decimals as written. Raises InputError.
    """
    return network_from_json(read_json(path))


def network_from_json(content: dict[str, Any]) -> tuple[Network, Weights]:
    """The network and weights in the decoded content of such a file; InputError if malformed."""
    only_keys(
        content,
        {"widths", "activation", "weights"},
        {"slope", "output", "biases", "pattern"},
        "network",
    )
    widths = _list(content["widths"], "widths")
    weights = _list(content["weights"], "weights")
    depth = len(widths) - 1
    if len(weights) != depth:
        raise InputError(
            "weights",
            f"{len(weights)} matrices",
            f"widths of length {len(widths)} make {depth} layers",
            "give one matrix for each layer",
        )
    biases = [None] * depth
    if content.get("biases") is not None:
        biases = _list(content["biases"], "biases")
    if len(biases) != depth:
        raise InputError(
            "biases",
            biases,
            f"there is one item for each of the {depth} layers",
            "write null for a layer without bias",
        )
    pattern = content.get("pattern")
    network = Network.with_pattern(
        widths,
        Activation.parse(content["activation"], content.get("slope")),
        None if pattern is None else _list(pattern, "pattern"),
        [bias is not None for bias in biases],
        content.get("output", "linear"),
    )
    layers = []
    for k, (rows_k, bias) in enumerate(zip(weights, biases, strict=True)):
        layer = matrix(rows_k, f"weights[{k}]")
        if bias is not None:
            column = matrix([[b] for b in _list(bias, f"biases[{k}]")], f"biases[{k}]")
            if column.nrows() != layer.nrows():
                raise InputError(
                    f"biases[{k}]",
                    bias,
                    f"there is one bias for each of the {layer.nrows()} rows of weights[{k}]",
                    "correct the biases or the weights",
                )
            layer = stacked(layer.transpose(), column.transpose()).transpose()
        layers.append(layer)
    return network, network.check_weights(layers)


def _list(value: object, argument: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise InputError(argument, value, "a list is expected", "write it in square brackets")
    return list(value)


def network_to_json(network: Network, weights: Weights) -> dict[str, Any]:
    """The content of the file that ``read_network`` reads."""
    content = network.to_json()
    pattern, bias = content.pop("pattern"), content.pop("bias")
    activation = content["activation"]
    if isinstance(activation, dict) and "leaky_relu" in activation:
        content.update(activation="leaky_relu", slope=activation["leaky_relu"])
    tables = [rows(layer) for layer in network.check_weights(weights)]
    content["weights"] = [
        [row[:-1] for row in table] if flag else table
        for table, flag in zip(tables, bias, strict=True)
    ]
    if any(bias):
        content["biases"] = [
            [row[-1] for row in table] if flag else None
            for table, flag in zip(tables, bias, strict=True)
        ]
    if pattern is not None:
        content["pattern"] = pattern
    return content


def write_network(path: str | Path, network: Network, weights: Weights) -> None:
    """Write network and weights as JSON, exactly. Raises InputError when they do not fit."""
    text = json.dumps(network_to_json(network, weights), ensure_ascii=True)
    write_whole(path, (text + "\n").encode("ascii"))
