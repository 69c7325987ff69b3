"""The square loss of a network on a data set."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq, fmpq_mat

from theorylab.model.data import Dataset
from theorylab.model.network import Network, Weights
from theorylab.outcome import InputError


@dataclass(frozen=True, slots=True)
class Loss:
    """L(W) = sum_i s_i |Phi(x_i; W) - y_i|^2, a sum over samples with their weights s_i.

    Guarantees: exact. Raises InputError when network and data do not fit.

    >>> from theorylab.model import matrix
    >>> data = Dataset.from_rows([[1], [2]], [[1], [0]], weights=[1, "1/4"])
    >>> loss = Loss(Network.dense((1, 1, 1), "linear"), data)
    >>> loss((matrix([[1]]), matrix([["1/2"]])))
    1/2
    """

    network: Network
    data: Dataset

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
        return total

    def residual(self, weights: Weights) -> fmpq_mat:
        """Phi(X; W) - Y (m x N)."""
        checked = self.network.check_weights(weights)
        return self.network.outputs(checked, self.data.x) - self.data.y

    def mean(self, weights: Weights) -> fmpq:
        """The loss divided by the number of samples."""
        return self(weights) / self.data.samples
