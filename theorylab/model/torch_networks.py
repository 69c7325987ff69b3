"""Networks from torch and back: every float is the dyadic rational that it is.

This module imports torch; ``Network.from_torch`` and its like import it when they are called.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from flint import fmpq, fmpq_mat
from torch import Tensor, nn

from theorylab.model.activation import Activation
from theorylab.model.network import Network, Weights
from theorylab.model.rational import only_keys, rational_text, write_whole
from theorylab.outcome import InputError

__all__ = ["Pointwise", "from_torch", "read_torch", "save_torch", "to_torch", "torch_rounding"]

SCHEMA = "theorylab.network/1"
MAX_WEIGHTS = 4_000_000
MAX_BYTES = 2**30
MAX_BITS = 200
SUPPORTED = "Linear, ReLU, LeakyReLU, Identity, and Pointwise for polynomials"
_KEY = re.compile(r"(?P<prefix>(?:.*\.)?)(?P<place>[0-9]{1,6})\.(?P<part>weight|bias)")
_SAVE = "save the state_dict() of an nn.Sequential, or use theorylab's save_torch"

# A layer as it was found: its name, its weight [out, in], its bias [out] or None.
Layer = tuple[str, Tensor, Tensor | None]


class Pointwise(nn.Module):
    """An activation of this package with polynomial form, as a torch module.

    >>> Pointwise(Activation("square"))(torch.tensor([3.0])).tolist()
    [9.0]
    """

    def __init__(self, activation: Activation) -> None:
        super().__init__()
        coefficients = activation.coefficients
        if coefficients is None:
            raise InputError(
                "activation",
                activation.kind,
                "this module is for linear, square, cube and polynomial",
                "use nn.ReLU or nn.LeakyReLU",
            )
        self.activation = activation
        self.floats = tuple(nearest_float(a) for a in coefficients)

    def forward(self, z: Tensor) -> Tensor:
        total = torch.full_like(z, self.floats[-1])
        for a in reversed(self.floats[:-1]):
            total = total * z + a
        return total


def from_torch(
    source: nn.Module | Mapping[str, Any],
    activation: Activation | str = "relu",
    bits: int | None = None,
) -> tuple[Network, Weights]:
    """The network and weights of an nn.Sequential, or of the state dict of one.

    Layers are Linear, with or without bias, and one activation for all: ReLU, LeakyReLU, Identity
    or Pointwise; a Flatten may come first. A state dict does not name its activation:
    ``activation`` does, and the output is linear. With ``bits`` weights become the nearest
    multiples of 2^-bits, ties to even; slopes and coefficients stay.
    Guarantees: exact without ``bits``: each float is the rational that it is.
    Raises InputError naming the layer for other layers, mixed activations, shapes that do not
    follow each other, and weights that are not finite.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
    >>> network, weights = from_torch(net)
    >>> network.widths, network.bias, network.activation.kind
    ((2, 3, 1), (True, False), 'relu')
    >>> weights[1][0, 0] == fmpq(*net[2].weight[0, 0].item().as_integer_ratio())
    True
    """
    if bits is not None and not (type(bits) is int and 0 <= bits <= MAX_BITS):
        rule = f"weights are rounded to multiples of 2^-bits, bits from 0 to {MAX_BITS}"
        raise InputError("bits", bits, rule, "leave it out for the weights as they are")
    if isinstance(source, nn.Module):
        layers, kind, output = _of_module(source)
    elif isinstance(source, Mapping):
        kind, output = Activation.parse(activation), "linear"
        layers = _of_state(source, kind)
    else:
        rule = "an nn.Sequential or its state dict is expected"
        raise InputError("source", type(source).__name__, rule, _SAVE)
    _check_shapes(layers)
    widths = [layers[0][1].shape[1], *(weight.shape[0] for _, weight, _ in layers)]
    flags = [bias is not None for _, _, bias in layers]
    network = Network.dense(widths, kind, flags, output)
    return network, tuple(_exact(layer, bits) for layer in layers)


def to_torch(network: Network, weights: Weights, dtype: torch.dtype | None = None) -> nn.Sequential:
    """The nn.Sequential of a network, on the CPU: Linear layers and activations in turn.

    ``dtype`` is float64 when left out. Guarantees: each weight is the float64 nearest to it, then
    rounded to the dtype; `torch_rounding` says by how much, 0 when nothing is lost, and then
    ``from_torch`` gives the network back. Slopes become floats. Raises InputError for abs and step,
    weights beyond the range of the dtype, and weights that do not fit.

    >>> from theorylab.model import matrix
    >>> network = Network.dense((1, 2, 1), "relu")
    >>> weights = matrix([[1], ["-1/2"]]), matrix([[2, 3]])
    >>> from_torch(to_torch(network, weights, torch.float32)) == (network, weights)
    True
    """
    layers: list[nn.Module] = []
    for k, (matrix, values) in enumerate(
        zip(network.check_weights(weights), _floats(weights, dtype), strict=True), start=1
    ):
        rows, columns = matrix.nrows(), matrix.ncols()
        table = values.reshape(rows, columns)
        bias = network.bias[k - 1]
        layer = nn.Linear(columns - bias, rows, bias=bias, dtype=table.dtype)
        with torch.no_grad():
            layer.weight.copy_(table[:, : columns - bias])
            if bias:
                layer.bias.copy_(table[:, -1])
        layers.append(layer)
        if k < network.depth or network.output == "activation":
            layers.append(_module(network.activation))
    return nn.Sequential(*layers)


def torch_rounding(weights: Weights, dtype: torch.dtype | None = None) -> fmpq:
    """The largest distance of a weight to the float that `to_torch` makes of it; exact."""
    distances = [
        abs(exact_entry(value) - entry)
        for matrix, values in zip(weights, _floats(weights, dtype), strict=True)
        for value, entry in zip(values.double().tolist(), matrix.entries(), strict=True)
    ]
    return max(distances, default=fmpq(0))


def save_torch(
    path: str | Path, network: Network, weights: Weights, dtype: torch.dtype | None = None
) -> fmpq:
    """Write a .pt file that `read_torch` reads; how far the dtype (float64) moved a weight.

    Raises InputError as `to_torch` does, and when the file cannot be written.
    """
    content = {
        "schema": SCHEMA,
        "widths": list(network.widths),
        "activation": network.activation.to_json(),
        "output": network.output,
        "state": dict(to_torch(network, weights, dtype).state_dict()),
    }
    held = io.BytesIO()
    torch.save(content, held)
    write_whole(path, held.getvalue())
    return torch_rounding(weights, dtype)


def read_torch(
    path: str | Path, activation: Activation | str = "relu", bits: int | None = None
) -> tuple[Network, Weights]:
    """The network and weights of a .pt file: the state dict of an nn.Sequential, or `save_torch`'s.

    ``activation`` and ``bits`` are as in `from_torch`; a file of `save_torch` names its own
    activation. No code of the file is run (weights_only).
    Guarantees: exact without ``bits``. Raises InputError for missing, corrupt and other files.
    """
    content = _loaded(path)
    if not isinstance(content, Mapping):
        rule = f"the file holds a {type(content).__name__}, not the weights of a network"
        raise InputError("path", str(path), rule, _SAVE)
    if "schema" not in content:
        return from_torch(content, activation, bits)
    only_keys(dict(content), {"schema", "widths", "activation", "state"}, {"output"}, "network")
    if content["schema"] != SCHEMA or not isinstance(content["state"], Mapping):
        rule = f"the schema is {SCHEMA}, with a state dict in it"
        raise InputError("schema", content["schema"], rule, _SAVE)
    network, weights = from_torch(content["state"], content["activation"], bits)
    said = Network.dense(
        content["widths"], content["activation"], network.bias, content.get("output", "linear")
    )
    if said.widths != network.widths:
        rule = f"the weights of the file are those of widths {network.widths}"
        raise InputError("widths", said.widths, rule, "write the file with save_torch")
    return said, weights


def _loaded(path: str | Path) -> Any:
    """What the file holds; torch's many ways to fail become one line each."""
    place = Path(path)
    try:
        with place.open("rb") as file:
            file.read(1)
        if zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_BYTES:
                rule = f"the file unpacks to {size:,} bytes, more than {MAX_BYTES:,}"
                raise InputError("path", str(path), rule, "name the file of a smaller network")
    except zipfile.BadZipFile:
        pass  # torch says so below
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        rule = f"the file cannot be read ({reason})"
        raise InputError("path", str(path), rule, "check the path") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(place, weights_only=True, map_location="cpu")
    except Exception as error:
        # UnpicklingError, RuntimeError, KeyError, EOFError, ... : whatever the bytes lead to
        code = "GLOBAL" in str(error) or "TorchScript" in str(error)
        rule = "the file is corrupt, or not a file of torch.save"
        if code:
            rule = "the file holds Python objects (a whole module?), and no code of a file is run"
        raise InputError("path", str(path), rule, _SAVE) from None


def _of_module(module: nn.Module) -> tuple[list[Layer], Activation, str]:
    """The linear layers of an nn.Sequential, their activation, and where the last one stands."""
    if not isinstance(module, nn.Sequential):
        rule = "only an nn.Sequential says in which order its layers act"
        raise InputError("module", type(module).__name__, rule, "wrap the layers in nn.Sequential")
    layers: list[Layer] = []
    between: list[Activation] = []
    open_at: str | None = None
    for name, layer in _flattened(module, ""):
        if type(layer) is nn.Flatten and not layers and layer.start_dim == 1:
            continue
        if type(layer) is nn.Identity:
            continue
        if isinstance(layer, nn.Linear):
            if layers and open_at is None:
                between.append(Activation("linear"))
            layers.append((name, layer.weight, layer.bias))
            open_at = None
            continue
        between.append(_activation(name, layer))
        if not layers or open_at is not None:
            rule = "an activation follows a Linear layer, one activation each"
            raise InputError(f"layer {name}", type(layer).__name__, rule, "take one out")
        open_at = name
    if not layers:
        raise InputError("module", module, "a network has a Linear layer", f"use {SUPPORTED}")
    if len(set(between)) > 1:
        kinds = ", ".join(dict.fromkeys(found.kind for found in between))
        rule = f"all activations of a network are the same, not {kinds}"
        raise InputError("module", f"{len(layers)} Linear layers", rule, "use one activation")
    kind = between[0] if between else Activation("linear")
    return layers, kind, "linear" if open_at is None else "activation"


def _flattened(module: nn.Sequential, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    for name, layer in module.named_children():
        if isinstance(layer, nn.Sequential):
            yield from _flattened(layer, f"{prefix}{name}.")
        else:
            yield prefix + name, layer


def _activation(name: str, layer: nn.Module) -> Activation:
    if isinstance(layer, Pointwise):
        return layer.activation
    if type(layer) is nn.ReLU:
        return Activation("relu")
    if type(layer) is nn.LeakyReLU:
        return Activation("leaky_relu", (exact_entry(float(layer.negative_slope)),))
    rule = f"the layers that have exact counterparts are {SUPPORTED}"
    raise InputError(f"layer {name}", type(layer).__name__, rule, "use these layers only")


def _module(activation: Activation) -> nn.Module:
    """The torch module of an activation. InputError for those without one."""
    match activation.kind:
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(nearest_float(activation.parameters[0]))
        case "linear":
            return nn.Identity()
        case "square" | "cube" | "polynomial":
            return Pointwise(activation)
    rule = f"the activations that torch gets are those of {SUPPORTED}"
    raise InputError("activation", activation.kind, rule, "choose another activation")


def _of_state(state: Mapping[Any, Any], activation: Activation) -> list[Layer]:
    """The layers of a state dict with the keys of an nn.Sequential."""
    found: dict[int, dict[str, Tensor]] = {}
    prefixes = set()
    for key, value in state.items():
        match = _KEY.fullmatch(key) if isinstance(key, str) else None
        if match is None or not isinstance(value, Tensor):
            rule = "a state dict has tensors 0.weight, 0.bias, 2.weight, ... of an nn.Sequential"
            raise InputError("state", key, rule, _SAVE)
        found.setdefault(int(match["place"]), {})[match["part"]] = value
        prefixes.add(match["prefix"])
    if not found or len(prefixes) > 1:
        rule = "a state dict has the layers of one nn.Sequential"
        raise InputError("state", sorted(prefixes), rule, _SAVE)
    places = sorted(found)
    layers = []
    for below, place in zip([None, *places], places, strict=False):
        if "weight" not in found[place]:
            rule = "every layer of the state dict has a weight"
            raise InputError(f"layer {place}", "a bias alone", rule, _SAVE)
        if below is not None and place == below + 1 and activation.kind != "linear":
            rule = f"no activation stands between the layers {below} and {place}"
            raise InputError(f"layer {place}", activation.kind, rule, 'say activation "linear"')
        layers.append((str(place), found[place]["weight"], found[place].get("bias")))
    return layers


def _check_shapes(layers: list[Layer]) -> None:
    """InputError unless every layer takes what the one before it gives, in floats that are few."""
    below: int | None = None
    count = 0
    for name, weight, bias in layers:
        for part, tensor, dimensions in (("weight", weight, 2), ("bias", bias, 1)):
            if tensor is None:
                continue
            where, shape = f"layer {name}, {part}", tuple(tensor.shape)
            if tensor.dim() != dimensions or 0 in shape:
                rule = f"the {part} of a Linear layer has {dimensions} dimensions, none empty"
                raise InputError(where, shape, rule, f"the layers may be {SUPPORTED}")
            plain = tensor.layout == torch.strided and tensor.device.type != "meta"
            if not (plain and tensor.is_floating_point()):
                rule = "weights are dense tensors of floats"
                raise InputError(where, f"{tensor.dtype}, {tensor.layout}", rule, "convert them")
            count += tensor.numel()
        shape = tuple(weight.shape)
        if below is not None and shape[1] != below:
            rule = f"the layer before gives {below} values"
            raise InputError(f"layer {name}", shape, rule, "correct the order or the shapes")
        if bias is not None and bias.shape[0] != shape[0]:
            rule = f"there is one bias for each of the {shape[0]} outputs"
            raise InputError(f"layer {name}, bias", tuple(bias.shape), rule, "correct the shapes")
        below = shape[0]
    if count > MAX_WEIGHTS:
        rule = f"exact networks have at most {MAX_WEIGHTS:,} weights"
        raise InputError("source", f"{count:,} weights", rule, "train a smaller network")


def _exact(layer: Layer, bits: int | None) -> fmpq_mat:
    """The matrix of a layer, its bias in the last column. InputError for nan and inf."""
    name, weight, bias = layer
    parts = [("weight", weight.detach().double().cpu())]
    if bias is not None:
        parts.append(("bias", bias.detach().double().cpu()[:, None]))
    for part, tensor in parts:
        bad = tensor[~tensor.isfinite()]
        if len(bad):
            rule = "weights are finite; training diverged"
            raise InputError(
                f"layer {name}, {part}", bad[0].item(), rule, "train with a lower rate"
            )
    values = torch.cat([tensor for _, tensor in parts], 1)
    entries = [exact_entry(value, bits) for value in values.reshape(-1).tolist()]
    return fmpq_mat(values.shape[0], values.shape[1], entries)


def exact_entry(value: float, bits: int | None = None) -> fmpq:
    """The rational that a float is, or the multiple of 2^-bits nearest to it, ties to even.

    >>> exact_entry(0.375), exact_entry(0.375, 2)
    (3/8, 1/2)
    """
    if bits is None:
        return fmpq(*value.as_integer_ratio())
    return fmpq(round(Fraction(value) * 2**bits), 2**bits)


def nearest_float(value: fmpq) -> float:
    """The float64 nearest to a rational. InputError beyond their range."""
    try:
        return int(value.p) / int(value.q)
    except OverflowError:
        rule = "the number is beyond the range of floats"
        raise InputError("value", rational_text(value), rule, "scale the network") from None


def _floats(weights: Weights, dtype: torch.dtype | None) -> list[Tensor]:
    """The entries of every matrix, row by row, as floats of this dtype."""
    wanted = torch.float64 if dtype is None else dtype
    if not wanted.is_floating_point:
        raise InputError("dtype", wanted, "weights are floats", "use torch.float32")
    found = []
    for k, matrix in enumerate(weights, start=1):
        exact = [nearest_float(entry) for entry in matrix.entries()]
        values = torch.tensor(exact, dtype=torch.float64).to(wanted)
        if not values.isfinite().all():
            rule = f"a weight is beyond the range of {wanted}"
            raise InputError(f"weights[{k - 1}]", max(exact, key=abs), rule, "use torch.float64")
        found.append(values)
    return found
