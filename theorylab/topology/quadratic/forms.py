"""Scalar networks of squares: the quadratic form that the loss depends on, and the loss of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement as multisets

from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import ones, stacked
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import echelon, least_squares, rank_factorisation
from theorylab.topology.quadratic.units import diagonalised, squares


@dataclass(frozen=True, slots=True)
class QuadraticSetting:
    """A scalar network of squares on data: X = F C, C the rows `basis` of X, d = rank X of them.

    Under a hidden bias X has a row of ones. `scale` is alpha; `factor` is F (as many rows as X);
    `coordinates` is C (d x N); `width` is p.
    """

    scale: fmpq
    basis: tuple[int, ...]
    factor: fmpq_mat
    coordinates: fmpq_mat
    width: int

    @property
    def d(self) -> int:
        """The rank of X, of (X, 1) under a hidden bias."""
        return int(self.factor.ncols())

    @property
    def inner(self) -> Network:
        """The network on the coordinates; its hidden rows are W F."""
        return Network.dense((self.d, self.width, 1), "square")

    def form(self, weights: Weights) -> fmpq_mat:
        """Return alpha F^T W^T diag(U) W F (d x d): what the loss depends on."""
        first = weights[0] * self.factor
        table = zip(first.tolist(), weights[1].entries(), strict=True)
        return first.transpose() * fmpq_mat([[v * u * self.scale for v in r] for r, u in table])


def quadratic_setting(network: Network, data: Dataset) -> QuadraticSetting | Undecided:
    """Return the setting; Undecided unless it is one dense hidden layer of alpha z^2, one output.

    A hidden bias is allowed, an output bias is not. Raises InputError when network and data differ.

    >>> data = Dataset.from_rows([[1, 2], [2, 4]], [[1], [0]])
    >>> setting = quadratic_setting(Network.dense((2, 3, 1), "square"), data)
    >>> setting.d, setting.coordinates
    (1, [1, 2])
    """
    Loss(network, data)
    plain = network.is_dense and network.output == "linear" and network.depth == 2
    coefficients = network.activation.coefficients or ()
    if not plain or network.m != 1 or network.bias[1] or network.activation.degrees != (2,):
        return Undecided(
            "not one dense hidden layer of a z^2 with one output and no output bias",
            "the quadratic form",
            "use a scalar network of squares",
        )
    x = stacked(data.x, ones(1, data.samples)) if network.bias[0] else data.x
    coordinates, factor = (part.transpose() for part in rank_factorisation(x.transpose()))
    basis = echelon(x.transpose())[1]
    return QuadraticSetting(coefficients[2], basis, factor, coordinates, network.hidden[0])


@dataclass(frozen=True)
class Forms:
    """f(A) = sum_i s_i (c_i^T A c_i - y_i)^2 on symmetric d x d matrices A = alpha sum u w w^T.

    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[2], [-1]])
    >>> forms = Forms(quadratic_setting(Network.dense((2, 1, 1), "square"), data), data)
    >>> forms.best, forms.least, forms(fmpq_mat(2, 2))
    ([2,  0]
    [0, -1], 0, 5)
    """

    setting: QuadraticSetting
    data: Dataset

    @cached_property
    def features(self) -> fmpq_mat:
        """The monomials c_a c_b, a <= b, one column for each sample."""
        return squares(self.setting.coordinates)

    @cached_property
    def best(self) -> fmpq_mat:
        """A minimiser B, the form of a global minimiser if the width is at least d."""
        return from_coefficients(least_squares(self.features, self.data).entries(), self.setting.d)

    @cached_property
    def least(self) -> fmpq:
        """The minimum of f."""
        return self(self.best)

    def __call__(self, form: fmpq_mat) -> fmpq:
        """f(A)."""
        error = self._error(form)
        return self.data.gram(error)[0, 0]

    def gradient(self, form: fmpq_mat) -> fmpq_mat:
        """Half the gradient: sum_i s_i (c_i^T A c_i - y_i) c_i c_i^T."""
        c = self.setting.coordinates
        scaled = zip(*c.tolist(), strict=True)
        errors = self._error(form).entries()
        weighed = [[v * e for v in column] for column, e in zip(scaled, errors, strict=True)]
        return self.data.gram(fmpq_mat(weighed).transpose(), c)

    def _error(self, form: fmpq_mat) -> fmpq_mat:
        return fmpq_mat([coefficients(form)]) * self.features - self.data.y

    def weights(self, form: fmpq_mat, network: Network) -> Weights:
        """Weights of a form of at most p non-zero eigenvalues; one unit for each, others zero."""
        first, second = fmpq_mat(*network.shape(1)), fmpq_mat(*network.shape(2))
        for k, (value, row) in enumerate(diagonalised(form)):
            second[0, k] = value / self.setting.scale
            for j, v in zip(self.setting.basis, row, strict=True):
                first[k, j] = v
        return first, second


def from_coefficients(values: Sequence[fmpq], d: int) -> fmpq_mat:
    """Return the symmetric matrix of a quadratic form, from the coefficients of c_a c_b, a <= b."""
    form = fmpq_mat(d, d)
    for (i, j), value in zip(multisets(range(d), 2), values, strict=True):
        form[i, j] = form[j, i] = value if i == j else value / 2
    return form


def coefficients(form: fmpq_mat) -> list[fmpq]:
    """Return the coefficients of the monomials c_a c_b, a <= b, in c^T A c."""
    return [form[i, j] * (1 + (i != j)) for i, j in multisets(range(form.nrows()), 2)]
