"""The square loss of a network on a data set, perhaps with a ridge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flint import fmpq, fmpq_mat

from theorylab.model.data import Dataset
from theorylab.model.network import Network, Weights
from theorylab.outcome import InputError, Shown

# one number for all weights, or one for each entry, layer by layer, row by row
Ridge = fmpq | tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class Loss(Shown):
    """L(W) = sum_i s_i |Phi(x_i; W) - y_i|^2, a sum over samples with their weights s_i.

    With a ridge, plus sum_k ridge_k w_k^2 over all entries w_k of the layers, row by row.
    Guarantees: exact. Raises InputError when network and data do not fit, for a ridge that is
    negative, zero everywhere, or of the wrong length, and for one of a network that is not dense.

    >>> from theorylab.model import matrix
    >>> data = Dataset.from_rows([[1], [2]], [[1], [0]], weights=[1, "1/4"])
    >>> net, weights = Network.dense((1, 1, 1), "linear"), (matrix([[1]]), matrix([["1/2"]]))
    >>> Loss(net, data)(weights), Loss(net, data, fmpq(2))(weights)
    (1/2, 3)
    """

    network: Network
    data: Dataset
    ridge: Ridge | None = None

    def __post_init__(self) -> None:
        for name, wanted, found in (
            ("x", self.network.n, self.data.n),
            ("y", self.network.m, self.data.m),
        ):
            if wanted != found:
                raise InputError(
                    f"data.{name}",
                    f"{found} values in each sample",
                    f"the widths {self.network.widths} ask for {wanted}",
                    "change the first or last width, or choose other columns",
                )
        entries = self.penalties
        if entries is None:
            return
        if not self.network.is_dense:
            raise InputError("ridge", self.ridge, "the network is not dense", "leave the ridge out")
        if len(entries) != self._size:
            rule = f"the network has {self._size} weights"
            raise InputError("ridge", f"{len(entries)} numbers", rule, "give one for each, or one")
        if min(entries) < 0 or not any(entries):
            rule = "no number of a ridge is negative, and one is positive"
            raise InputError("ridge", self.ridge, rule, "give e.g. 1/10")

    def __str__(self) -> str:
        ridge = "" if self.ridge is None else ", with a ridge"
        return f"loss of {self.network} on {self.data}{ridge}"

    @property
    def _size(self) -> int:
        shapes = (self.network.shape(k) for k in range(1, self.network.depth + 1))
        return sum(r * c for r, c in shapes)

    @property
    def penalties(self) -> tuple[fmpq, ...] | None:
        """The ridge of each entry, layer by layer, row by row; None without a ridge."""
        if self.ridge is None or isinstance(self.ridge, tuple):
            return self.ridge
        return (fmpq(self.ridge),) * self._size

    def __call__(self, weights: Weights) -> fmpq:
        """The loss at these weights."""
        residual = self.residual(weights)
        total = fmpq(0)
        for row in residual.tolist():
            if self.data.weights is None:
                total += sum((r * r for r in row), fmpq(0))
            else:
                for r, s in zip(row, self.data.weights, strict=True):
                    total += s * r * r
        entries: Iterator[fmpq] = (v for layer in weights for v in layer.entries())
        if (rates := self.penalties) is not None:
            total += sum((c * v * v for c, v in zip(rates, entries, strict=True)), fmpq(0))
        return total

    def residual(self, weights: Weights) -> fmpq_mat:
        """Phi(X; W) - Y (m x N)."""
        checked = self.network.check_weights(weights)
        return self.network.outputs(checked, self.data.x) - self.data.y

    def mean(self, weights: Weights) -> fmpq:
        """The loss divided by the number of samples."""
        return self(weights) / self.data.samples
