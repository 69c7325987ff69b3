"""Feed-forward networks over the rationals: the architecture and its forward pass."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from flint import fmpq, fmpq_mat

from theorylab.model.activation import Activation
from theorylab.model.layers import (
    Entry,
    Pattern,
    bad_entry,
    convolution,
    entry_json,
    layer_pattern,
)
from theorylab.model.rational import ones, rational, stacked
from theorylab.outcome import InputError, Shown

__all__ = ["Activation", "Entry", "Network", "Pattern", "Weights", "convolution"]

Weights = tuple[fmpq_mat, ...]


@dataclass(frozen=True, slots=True)
class Network(Shown):
    """A feed-forward network of given widths: an architecture, without its weights.

    Layer k = 1..K maps H_{k-1} (n_{k-1} x N, columns are samples) to W_k H_{k-1}; with a bias,
    the last column of W_k multiplies a row of ones. The activation follows every layer but the
    last, and that one too when ``output`` is "activation". Each entry of a layer's pattern is
    None (its own free parameter), an int (a slot, shared by all entries of the network with that
    number) or a rational (fixed): biases, convolutions, masks, frozen and tied weights alike.

    Guarantees: exact. Raises InputError for impossible shapes.

    >>> network = Network.dense((2, 3, 1), "square")
    >>> network.depth, network.n, network.hidden, network.m, network.shape(1)
    (2, 2, (3,), 1, (3, 2))
    """

    widths: tuple[int, ...]
    activation: Activation
    bias: tuple[bool, ...]
    output: str = "linear"
    pattern: Pattern | None = None

    def __post_init__(self) -> None:
        widths = self.widths
        ok = isinstance(widths, tuple) and all(type(w) is int and w >= 1 for w in widths)
        if not ok or len(widths) < 2:
            raise InputError(
                "widths",
                widths,
                "widths are at least two positive integers n_0, ..., n_K",
                "write e.g. 2,3,1",
            )
        if not isinstance(self.activation, Activation):
            raise InputError(
                "activation",
                self.activation,
                "the activation is an Activation",
                "use Network.dense, which also takes its name",
            )
        if len(self.bias) != self.depth or not all(type(b) is bool for b in self.bias):
            raise InputError(
                "bias",
                self.bias,
                f"there is one truth value for each of the {self.depth} layers",
                "write e.g. (True, False)",
            )
        if self.output not in ("linear", "activation"):
            raise InputError(
                "output",
                self.output,
                'the output is "linear" or "activation"',
                "choose one of the two",
            )
        if self.pattern is not None:
            self._check_pattern(self.pattern)

    def _check_pattern(self, pattern: Pattern) -> None:
        if len(pattern) != self.depth:
            raise InputError(
                "pattern",
                pattern,
                f"a pattern has one item for each of the {self.depth} layers, not {len(pattern)}",
                "write null for a dense layer",
            )
        for k, layer in enumerate(pattern, start=1):
            if layer is None:
                continue
            r, c = self.shape(k)
            if len(layer) != r or any(len(row) != c for row in layer):
                raise InputError(
                    f"pattern[{k - 1}]",
                    layer,
                    f"layer {k} is {r} x {c}, its bias in the last column",
                    "give it that many rows and columns",
                )
            for entry in (entry for row in layer for entry in row):
                if not (entry is None or isinstance(entry, fmpq) or type(entry) is int):
                    raise bad_entry(f"pattern[{k - 1}]", entry)
                if type(entry) is int and entry < 0:
                    raise bad_entry(f"pattern[{k - 1}]", entry)

    def __str__(self) -> str:
        bias = "+b" if any(self.bias) else ""
        return f"{'-'.join(map(str, self.widths))}{bias} {self.activation.kind}"

    def __repr__(self) -> str:
        """The call that makes it: Network.dense(...), or Network.with_pattern(...)."""
        written = self.to_json()
        kind, pattern = written["activation"], written["pattern"]
        words = [repr(self.widths), repr(kind), *([] if pattern is None else [repr(pattern)])]
        if any(self.bias):
            words.append(f"bias={True if all(self.bias) else self.bias}")
        if self.output != "linear":
            words.append(f"output={self.output!r}")
        return f"Network.{'dense' if pattern is None else 'with_pattern'}({', '.join(words)})"

    @staticmethod
    def dense(
        widths: Sequence[int],
        activation: Activation | str,
        bias: bool | Sequence[bool] = False,
        output: str = "linear",
    ) -> Network:
        """The network whose every entry is a free parameter; one ``bias`` serves all layers."""
        return Network.with_pattern(widths, activation, None, bias, output)

    @staticmethod
    def with_pattern(
        widths: Sequence[int],
        activation: Activation | str,
        pattern: Sequence[Any] | None,
        bias: bool | Sequence[bool] = False,
        output: str = "linear",
    ) -> Network:
        """The network with this pattern: per layer None, or rows of None, slots and fixed values.

        An int is a slot number; a fixed value is a text, a Fraction or a flint rational.

        >>> tied = Network.with_pattern((2, 2, 1), "square", [[[0, None], ["1/2", 0]], None])
        >>> tied.parameter_count
        4
        """
        sizes = tuple(widths) if isinstance(widths, Sequence) else (widths,)
        flags = (bias,) * (len(sizes) - 1) if isinstance(bias, bool) else tuple(bias)
        entries: Pattern | None = None
        if pattern is not None:
            entries = tuple(layer_pattern(layer, k) for k, layer in enumerate(pattern))
        return Network(sizes, Activation.parse(activation), flags, output, entries)

    @property
    def depth(self) -> int:
        """The number K of layers."""
        return len(self.widths) - 1

    @property
    def n(self) -> int:
        """The number of inputs."""
        return self.widths[0]

    @property
    def m(self) -> int:
        """The number of outputs."""
        return self.widths[-1]

    @property
    def hidden(self) -> tuple[int, ...]:
        """The widths of the hidden layers."""
        return self.widths[1:-1]

    @property
    def is_dense(self) -> bool:
        """Whether every entry of every layer is its own free parameter."""
        return self.pattern is None or all(
            layer is None or all(entry is None for row in layer for entry in row)
            for layer in self.pattern
        )

    def shape(self, k: int) -> tuple[int, int]:
        """Rows and columns of W_k, k = 1..K, a bias column included."""
        return self.widths[k], self.widths[k - 1] + (1 if self.bias[k - 1] else 0)

    def entries(self, k: int) -> Iterator[Entry]:
        """The pattern of W_k row by row; None throughout for a dense layer."""
        layer = None if self.pattern is None else self.pattern[k - 1]
        if layer is None:
            r, c = self.shape(k)
            yield from [None] * (r * c)
        else:
            for row in layer:
                yield from row

    @property
    def parameter_count(self) -> int:
        """The number of free parameters; a shared slot counts once."""
        every = [entry for k in range(1, self.depth + 1) for entry in self.entries(k)]
        return every.count(None) + len({entry for entry in every if type(entry) is int})

    def parameters(self, weights: Weights) -> tuple[fmpq, ...]:
        """The free parameters of these weights, in order of first appearance."""
        found: list[fmpq] = []
        slots: set[int] = set()
        for k, layer in enumerate(self.check_weights(weights), start=1):
            for entry, value in zip(self.entries(k), layer.entries(), strict=True):
                if entry is None:
                    found.append(value)
                elif isinstance(entry, int) and entry not in slots:
                    slots.add(entry)
                    found.append(value)
        return tuple(found)

    def assemble(self, parameters: Sequence[object]) -> Weights:
        """The weights with these free parameters, the inverse of ``parameters``.

        >>> tied = Network.with_pattern((2, 1), "linear", [[[0, 0]]])
        >>> [W.table() for W in tied.assemble(["1/3"])]
        [[[1/3, 1/3]]]
        """
        if len(parameters) != self.parameter_count:
            raise InputError(
                "parameters",
                len(parameters),
                f"the network has {self.parameter_count} free parameters",
                "give exactly that many numbers",
            )
        following = iter([rational(p, f"parameters[{i}]") for i, p in enumerate(parameters)])
        slots: dict[int, fmpq] = {}
        layers = []
        for k in range(1, self.depth + 1):
            values = []
            for entry in self.entries(k):
                if isinstance(entry, fmpq):
                    values.append(entry)
                elif entry is None:
                    values.append(next(following))
                else:
                    if entry not in slots:
                        slots[entry] = next(following)
                    values.append(slots[entry])
            layers.append(fmpq_mat(*self.shape(k), values))
        return tuple(layers)

    def check_weights(self, weights: Sequence[fmpq_mat]) -> Weights:
        """These weights, their shapes and their pattern checked; InputError if they do not fit."""
        if len(weights) != self.depth:
            raise InputError(
                "weights",
                f"{len(weights)} matrices",
                f"there is one matrix for each of the {self.depth} layers",
                "give W_1, ..., W_K, each with its bias as last column",
            )
        for k, layer in enumerate(weights, start=1):
            r, c = self.shape(k)
            if (layer.nrows(), layer.ncols()) != (r, c):
                raise InputError(
                    f"weights[{k - 1}]",
                    f"a {layer.nrows()} x {layer.ncols()} matrix",
                    f"layer {k} is {r} x {c}"
                    + (", its bias in the last column" if self.bias[k - 1] else ""),
                    "correct the matrix or the widths",
                )
        if self.pattern is not None:
            self._check_against_pattern(weights)
        return tuple(weights)

    def _check_against_pattern(self, weights: Sequence[fmpq_mat]) -> None:
        slots: dict[int, fmpq] = {}
        for k, layer in enumerate(weights, start=1):
            for place, (entry, value) in enumerate(
                zip(self.entries(k), layer.entries(), strict=True)
            ):
                wanted = slots.setdefault(entry, value) if isinstance(entry, int) else entry
                if wanted is not None and wanted != value:
                    i, j = divmod(place, layer.ncols())
                    why = "the shared slot" if isinstance(entry, int) else "the pattern"
                    raise InputError(
                        f"weights[{k - 1}][{i}][{j}]",
                        value,
                        f"{why} asks for {wanted} at this place",
                        "use Network.assemble, which fills shared and fixed entries",
                    )

    def preactivation(self, k: int, layer: fmpq_mat, below: fmpq_mat) -> fmpq_mat:
        """W_k applied to H_{k-1} (n_{k-1} x N), a row of ones appended when layer k has a bias."""
        if self.bias[k - 1]:
            below = stacked(below, ones(1, below.ncols()))
        return layer * below

    def features(self, weights: Weights, x: fmpq_mat) -> tuple[fmpq_mat, ...]:
        """H_0 = x, H_1, ..., H_{K-1}: what each layer receives, without rows of ones."""
        found = [x]
        for k in range(1, self.depth):
            found.append(self.activation.applied(self.preactivation(k, weights[k - 1], found[-1])))
        return tuple(found)

    def outputs(self, weights: Weights, x: fmpq_mat) -> fmpq_mat:
        """The outputs (m x N) on the inputs x (n x N). Guarantees: exact.

        >>> from theorylab.model import matrix
        >>> network = Network.dense((1, 2, 1), "relu", bias=True)
        >>> W = (matrix([[1, 0], [-1, "1/2"]]), matrix([[2, 4, "-1/3"]]))
        >>> network.outputs(W, matrix([[0, 1, -1]])).table()
        [[5/3, 5/3, 17/3]]
        """
        last = self.features(weights, x)[-1]
        z = self.preactivation(self.depth, weights[-1], last)
        return self.activation.applied(z) if self.output == "activation" else z

    @staticmethod
    def from_torch(
        source: Any, activation: Activation | str = "relu", bits: int | None = None
    ) -> tuple[Network, Weights]:
        """The network and weights of an nn.Sequential or its state dict, every float exactly.

        See `theorylab.model.torch_networks.from_torch`. InputError too when torch is missing.
        """
        found: tuple[Network, Weights] = torch_networks().from_torch(source, activation, bits)
        return found

    def to_torch(self, weights: Weights, dtype: Any = None) -> Any:
        """The nn.Sequential of this network with these weights as floats, float64 by default.

        See `theorylab.model.torch_networks.to_torch`. InputError too when torch is missing.
        """
        return torch_networks().to_torch(self, weights, dtype)

    def to_json(self) -> dict[str, Any]:
        """The form the kernel reads; an all-free pattern is written as null."""
        pattern = None
        if self.pattern is not None and not self.is_dense:
            pattern = [
                None if layer is None else [[entry_json(entry) for entry in row] for row in layer]
                for layer in self.pattern
            ]
        return {
            "widths": list(self.widths),
            "activation": self.activation.to_json(),
            "bias": list(self.bias),
            "output": self.output,
            "pattern": pattern,
        }


def torch_networks() -> ModuleType:
    """The module `theorylab.model.torch_networks`, imported now; InputError without torch."""
    try:
        return importlib.import_module("theorylab.model.torch_networks")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        rule = "networks of torch are read and made with torch, which is not installed"
        raise InputError("torch", None, rule, 'pip install "theorylab[torch]"') from None
