"""Random exact instances, and the certificate bytes of a path, for the tests of this room."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from flint import fmpq, fmpq_mat

from theorylab.kernel import check
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.topology.certificate import connection_certificate, descends, joined
from theorylab.topology.path import Path, proof_of_descent, proof_of_joined


def joined_certificate(path: Path, loss: Loss, u: fmpq) -> bytes:
    found = proof_of_joined(path, loss, u)
    assert isinstance(found, tuple), str(found)
    return connection_certificate(loss, joined(path.start, path.end, u), *found)


def descent_certificate(
    path: Path, loss: Loss, optimum: dict[str, Any], v: fmpq, eps: fmpq
) -> bytes:
    found = proof_of_descent(path, loss, optimum)
    assert isinstance(found, tuple), str(found)
    return connection_certificate(loss, descends(path.start, v, eps), *found)


def assert_proved(raw: bytes) -> None:
    outcome = check(raw)
    assert type(outcome).__name__ == "Proved", getattr(outcome, "reason", outcome)


def random_matrix(rows: int, columns: int, rng: random.Random, size: int = 3) -> fmpq_mat:
    return fmpq_mat(rows, columns, [rng.randint(-size, size) for _ in range(rows * columns)])


def random_weights(widths: tuple[int, ...], rng: random.Random) -> Weights:
    """Small integers; often with a zero layer, a layer of rank one, or all layers zero."""
    layers = [random_matrix(r, c, rng) for c, r in pairwise(widths)]
    k = rng.randrange(len(layers))
    rows, columns = layers[k].nrows(), layers[k].ncols()
    kind = rng.random()
    if kind < 0.35:
        layers[k] = random_matrix(rows, 1, rng) * random_matrix(1, columns, rng)
    elif kind < 0.5:
        layers[k] = fmpq_mat(rows, columns)
    elif kind < 0.6:
        layers = [fmpq_mat(layer.nrows(), layer.ncols()) for layer in layers]
    return tuple(layers)


def random_data(widths: tuple[int, ...], rng: random.Random, samples: int | None = None) -> Dataset:
    """Small integers; often of low rank, with repeated samples, with weights, sometimes X = 0."""
    n, m = widths[0], widths[-1]
    count = samples if samples is not None else rng.randint(1, n + 2)
    x, y = random_matrix(n, count, rng), random_matrix(m, count, rng)
    kind = rng.random()
    if kind < 0.3 and n > 1:
        x = random_matrix(n, n - 1, rng) * random_matrix(n - 1, count, rng)
    elif kind < 0.4:
        x = fmpq_mat(n, count)
    elif kind < 0.6:
        # the same inputs once more, with other targets
        x = fmpq_mat([row + row for row in x.tolist()])
        y = random_matrix(m, 2 * count, rng)
    weights = None
    if rng.random() < 0.4:
        weights = tuple(fmpq(rng.randint(1, 4), rng.randint(1, 3)) for _ in range(x.ncols()))
    return Dataset(x, y, weights)


def linear(widths: tuple[int, ...]) -> Network:
    return Network.dense(widths, "linear")
