"""The gradients of single samples, and what the noise of their minibatches looks like."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from theorylab.experiments.networks.model import Model, Parameters, flattened

NOMINAL: Final = 0.05
_POOL: Final = 20_000


def sample_gradients(
    model: Model, parameters: Parameters, x: Tensor, y: Tensor, loss: str = "cross-entropy"
) -> Tensor:
    """The gradients [n, P] of the losses of single samples, in the parameters [1, ...] of one net.

    Guarantees: heuristic (floats); not for models in which samples meet, as in batch normalisation.

    >>> from theorylab.experiments.networks.model import Perceptron
    >>> model = Perceptron((2, 1), bias=False)
    >>> sample_gradients(model, (torch.ones(1, 2, 1),), torch.eye(2), torch.zeros(2, 1), "squares")
    tensor([[2., 0.],
            [0., 2.]])
    """
    # as many nets with the same parameters as samples, and each sees one sample
    same = tuple(p.expand(len(x), *p.shape[1:]) for p in parameters)
    return flattened(model.gradients(same, x[:, None], y[:, None], loss)[1])


def participation_ratio(centred: Tensor) -> float:
    """(sum of eigenvalues)^2 / sum of their squares, of the covariance of rows that are centred.

    >>> participation_ratio(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    2.0
    """
    gram = (centred @ centred.T).double()
    return float(torch.diagonal(gram).sum() ** 2 / gram.square().sum())


def isotropic_participation(n: int, p: int) -> float:
    """The participation ratio expected of n rows of p independent Gaussians, centred.

    Guarantees: asymptotic, the moments of Marchenko and Pastur's law. It is less than n, however
    many directions there are.

    >>> round(isotropic_participation(1000, 9000), 1)
    899.2
    """
    return (n - 1) * p / (n - 1 + p)


def minibatch_noise(
    one: NDArray[np.float64], batch: int, draws: int, source: np.random.Generator
) -> NDArray[np.float64]:
    """The noise [draws, directions] of minibatches, each direction with minibatches of its own.

    ``one`` [n, directions] is the centred gradient of each sample. Drawing with replacement.

    >>> noise = minibatch_noise(np.array([[-1.0], [1.0]]), 4, 1000, np.random.default_rng(0))
    >>> noise.shape, sorted(set(noise.ravel().tolist()))
    ((1000, 1), [-1.0, -0.5, 0.0, 0.5, 1.0])
    """
    found = np.empty((draws, one.shape[1]))
    for place, column in enumerate(one.T):
        found[:, place] = column[source.integers(0, len(one), (draws, batch))].mean(1)
    return found


def rejected_share(noise: NDArray[np.float64]) -> float:
    """The share of columns that D'Agostino and Pearson's test rejects at 5 %."""
    return float((stats.normaltest(noise, axis=0).pvalue < NOMINAL).mean())


@lru_cache(maxsize=4)
def gaussian_rejections(draws: int) -> NDArray[np.bool_]:
    """Whether the test of ``rejected_share`` rejects, for 20,000 samples that are Gaussian."""
    source = np.random.default_rng(draws)
    found = [
        stats.normaltest(source.standard_normal((draws, 1000)), axis=0).pvalue < NOMINAL
        for _ in range(_POOL // 1000)
    ]
    return np.concatenate(found)
