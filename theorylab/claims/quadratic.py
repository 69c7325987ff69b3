"""Quadratic networks: rho(z) = z^2, one or several hidden layers."""

from __future__ import annotations

from math import comb

from theorylab.claims.claim import Claim, Erratum, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR_OUTPUT,
    NO_BIAS,
    ONE_HIDDEN,
    SQUARE,
    every,
    fitted_pair,
    freeman_bruna,
    join_any_depth,
    pair,
    restricted,
    width,
)
from theorylab.instances import Draw, Instance, dataset, weights
from theorylab.model import Network, load_dataset


def _two_layer() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    petals = restricted(iris, "iris petals", (2, 3))
    return (
        fitted_pair(
            "iris-petals-2-12-3", "printed", Network.dense((2, 12, 3), "square"), petals, 1
        ),
        fitted_pair("iris-4-20-3", "corrected", Network.dense((4, 20, 3), "square"), iris, 1),
        fitted_pair(
            "iris-petals-2-6-3", "corrected", Network.dense((2, 6, 3), "square"), petals, 1
        ),
    )


def _random_two_layer(draw: Draw) -> Instance:
    n, m = draw.integer(1, 3), draw.integer(1, 2)
    network = Network.dense((n, n * (n + 1), m), "square")
    data = dataset(draw, n, m, draw.integer(1, 6))
    a, b = weights(draw, network), weights(draw, network)
    return pair("random", "corrected", network, data, a, b)


def _deep() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    petals = every(restricted(iris, "iris petals", (2, 3)), 5)
    length = every(restricted(iris, "petal length", (2,)), 5)
    return (
        fitted_pair(
            "iris-petal-length-1-3-3-3",
            "printed",
            Network.dense((1, 3, 3, 3), "square"),
            length,
            1,
        ),
        fitted_pair(
            "iris-petals-2-6-10-3",
            "corrected",
            Network.dense((2, 6, 10, 3), "square"),
            petals,
            1,
        ),
    )


def _random_deep(draw: Draw) -> Instance:
    n, samples = draw.integer(1, 2), draw.integer(1, 4)
    hidden = tuple(2 * min(samples, comb(n + 2**k - 1, 2**k)) for k in (1, 2))
    network = Network.dense((n, *hidden, 1), "square")
    data = dataset(draw, n, 1, samples, 2)
    a, b = weights(draw, network, 2), weights(draw, network, 2)
    return pair("random", "corrected", network, data, a, b)


QUADRATIC_CONNECTED = Claim(
    id="quadratic-connected",
    title="Two-layer quadratic networks of width 3n^2 have connected sublevel sets",
    source=freeman_bruna("two-layer quadratic networks, M >= 3N^2"),
    variants=(
        Variant(
            "printed",
            "for rho(z) = z^2 and width p >= 3 n^2, every sublevel set is connected",
            r"\rho(z)=z^2,\ p \ge 3n^2 \implies N_u = 1 \text{ for all } u",
            (
                SQUARE,
                ONE_HIDDEN,
                DENSE,
                NO_BIAS,
                LINEAR_OUTPUT,
                width("wide", "p >= 3 n^2", ">=", "3n^2"),
            ),
            "joined",
        ),
        Variant(
            "corrected",
            "for rho(z) = z^2 and width p >= n(n+1), every sublevel set is connected",
            r"\rho(z)=z^2,\ p \ge n(n+1) \implies N_u = 1 \text{ for all } u",
            (
                SQUARE,
                ONE_HIDDEN,
                DENSE,
                NO_BIAS,
                LINEAR_OUTPUT,
                width("wide", "p >= n(n+1)", ">=", "n(n+1)"),
            ),
            "joined",
        ),
    ),
    canonical=_two_layer,
    random=_random_two_layer,
    prover=join_any_depth,
    erratum=Erratum(
        "M >= 3N^2 is needed", "true but loose: no instance refutes it", "M >= N(N+1) suffices"
    ),
)

DEEP_QUADRATIC_CONNECTED = Claim(
    id="deep-quadratic-connected",
    title="Deep quadratic networks of width 3n^(2^k) have connected sublevel sets",
    source=freeman_bruna("deep quadratic networks, M_k >= 3N^(2^k)"),
    variants=(
        Variant(
            "printed",
            "for rho(z) = z^2 and p_k >= 3 n^(2^k), every sublevel set is connected",
            r"\rho(z)=z^2,\ p_k \ge 3n^{2^k} \implies N_u = 1 \text{ for all } u",
            (
                SQUARE,
                DENSE,
                NO_BIAS,
                LINEAR_OUTPUT,
                width("wide", "p_k >= 3 n^(2^k)", ">=", "3n^(2^k)"),
            ),
            "joined",
        ),
        Variant(
            "corrected",
            "for rho(z) = z^2 and p_k >= 2 min(N, C(n+2^k-1, 2^k)), every sublevel set is "
            "connected",
            r"\rho(z)=z^2,\ p_k \ge 2\min\bigl(N, \tbinom{n+2^k-1}{2^k}\bigr) "
            r"\implies N_u = 1 \text{ for all } u",
            (
                SQUARE,
                DENSE,
                NO_BIAS,
                LINEAR_OUTPUT,
                width(
                    "wide",
                    "p_k >= 2 min(N, C(n+2^k-1, 2^k)), N distinct inputs",
                    ">=",
                    "2min(N,C(n+2^k-1,2^k))",
                ),
            ),
            "joined",
        ),
    ),
    canonical=_deep,
    random=_random_deep,
    prover=join_any_depth,
    erratum=Erratum(
        "M_k >= 3N^(2^k) is needed",
        "true but loose: no instance refutes it",
        "M_k >= 2 min(#data, C(N+2^k-1, 2^k)) suffices",
    ),
)
