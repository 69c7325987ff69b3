"""Deep linear networks: Freeman & Bruna's connectivity, Venturi, Bandeira & Bruna's descent."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR,
    NO_BIAS,
    attempt,
    descent,
    every,
    fitted_pair,
    freeman_bruna,
    pair,
    proved_descent,
    proved_joined,
    restricted,
    small_widths,
    venturi,
    width,
)
from theorylab.instances import Draw, Instance, Seeded, dataset, structured_dataset, weights
from theorylab.model import Dataset, Network, Weights, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.barrier import separated_by_bottleneck
from theorylab.topology.bottleneck import descend_deep_linear, ky_fan_bound
from theorylab.topology.linear import connect_deep_linear


def _pairs() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    one = Dataset.from_rows([[1]], [[1]], name="one point")
    petal = every(restricted(iris, "petal length", (2,), (2,)), 5)
    thin = Network.dense((1, 1, 1), "linear")
    deep = Network.dense((1, 1, 2, 1, 1), "linear")
    ends = ((_column(1), _column(1)), (_column(-1), _column(-1)))
    return (
        fitted_pair("iris-4-6-5-3", "corrected", Network.dense((4, 6, 5, 3), "linear"), iris, 1),
        fitted_pair(
            "wine-13-4-5-4-3", "corrected", Network.dense((13, 4, 5, 4, 3), "linear"), wine, 1
        ),
        pair("thin-1-1-1", "printed", thin, one, *ends, expected="refuted", note=_WALL),
        fitted_flipped("iris-thin-1-1-1", thin, petal),
        fitted_flipped("iris-thin-1-1-2-1-1", deep, petal),
    )


_WALL = "the width equals min(n, m): a wall separates the two signs"


def _column(*values: int) -> fmpq_mat:
    return fmpq_mat([[v] for v in values])


def fitted_flipped(name: str, network: Network, data: Dataset) -> Instance:
    """A near-fit and the same function with the signs around its bottleneck turned round."""
    slope = fmpq(round(100 * data.gram(data.y, data.x)[0, 0] / data.gram(data.x)[0, 0]), 100)
    a: list[fmpq_mat] = []
    for k in range(1, network.depth + 1):
        rows, cols = network.shape(k)
        a.append(fmpq_mat(rows, cols, [fmpq(int(i % (cols + 1) == 0)) for i in range(rows * cols)]))
    a[-1] = a[-1] * slope
    b = list(a)
    b[0], b[-1] = a[0] * -1, a[-1] * -1
    return pair(name, "printed", network, data, tuple(a), tuple(b), expected="refuted", note=_WALL)


def _connect(instance: Instance) -> Proof | Undecided:
    network, data, a, b = instance.network, instance.data, instance.a, instance.b
    assert b is not None
    if all(h > min(network.n, network.m) for h in network.hidden):
        return proved_joined(instance, connect_deep_linear(network, a, b))
    return attempt(separated_by_bottleneck(network, data, a, b, fmpq(instance.conclusion["u"])))


def _random_pair(draw: Draw) -> Instance:
    n, m = draw.integer(1, 3), draw.integer(1, 3)
    low = min(n, m) + 1
    network = Network.dense((n, *small_widths(draw, draw.integer(1, 3), low, low + 2), m), "linear")
    data = dataset(draw, n, m, draw.integer(1, n + 2))
    return pair(
        "random", "corrected", network, data, weights(draw, network), weights(draw, network)
    )


def _square_pair(n: int, p: int, draw: Draw) -> Instance:
    """A pair on n-p-n: the theorem is silent at p = n."""
    network, data = Network.dense((n, p, n), "linear"), structured_dataset(draw, n, n, n + 1)
    a, b = weights(draw, network), weights(draw, network)
    return pair("grid", "corrected", network, data, a, b)


def _descent_from(
    name: str, network: Network, data: Dataset, a: Weights, note: str = ""
) -> Instance:
    """The conclusion that a descends as far as we can certify; its bound is computed exactly."""
    found = descend_deep_linear(network, data, a)
    if isinstance(found, Undecided):
        v = ky_fan_bound(network, data)[0]
        return descent(name, "printed", network, data, a, v, note=note)
    return descent(name, "printed", network, data, a, found.value, found.gap, note=note)


def _descents() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    top = Dataset.from_rows(
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[3, 0, 0], [0, 2, 0], [0, 0, 1]],
        name="diagonal",
    )
    bottom = (fmpq_mat([[0, 0, 1], [0, 1, 0]]), fmpq_mat([[0, 0], [0, 1], [1, 0]]))
    made = []
    for name, widths, data, note in (
        ("iris-filling-4-6-5-3", (4, 6, 5, 3), iris, "filling widths"),
        ("wine-filling-13-3-3", (13, 3, 3), wine, "filling widths"),
        ("iris-bottleneck-4-2-3", (4, 2, 3), iris, "a bottleneck, irrational optimum"),
        ("iris-bottleneck-4-5-2-4-3", (4, 5, 2, 4, 3), every(iris, 5), "three hidden layers"),
    ):
        network = Network.dense(widths, "linear")
        start = weights(Seeded(f"start of {name}"), network, 2, degenerate=False)
        made.append(_descent_from(name, network, data, start, note))
    saddle = "starts at a saddle whose factors are both optimal; the projector is rational"
    network = Network.dense((3, 2, 3), "linear")
    made.append(_descent_from("saddle-3-2-3", network, top, bottom, saddle))
    return tuple(made)


def _random_descent(draw: Draw) -> Instance:
    n, m = draw.integer(1, 3), draw.integer(1, 3)
    widths = (n, *small_widths(draw, draw.integer(1, 2), 1, 3), m)
    network = Network.dense(widths, "linear")
    data = dataset(draw, n, m, draw.integer(1, n + 2))
    return _descent_from("random", network, data, weights(draw, network))


def _descend(instance: Instance) -> Proof | Undecided:
    eps = fmpq(instance.conclusion["eps"])
    found = descend_deep_linear(instance.network, instance.data, instance.a, eps or None)
    return proved_descent(instance, found)


DEEP_LINEAR_CONNECTED = Claim(
    id="deep-linear-connected",
    title="Deep linear networks wider than min(n, m) have connected sublevel sets",
    source=freeman_bruna("Proposition 2.2"),
    variants=(
        Variant(
            "printed",
            "linear network, n_k >= min(n, m) in every hidden layer: every sublevel set is "
            "connected",
            r"n_k \ge \min(n,m)\ (0<k<K) \implies N_u = 1 \text{ for all } u",
            (
                LINEAR,
                DENSE,
                NO_BIAS,
                width("wide", "n_k >= min(n, m)", ">=", "min(n,m)"),
            ),
            "joined",
        ),
        Variant(
            "corrected",
            "linear network, n_k > min(n, m) in every hidden layer: every sublevel set is "
            "connected",
            r"n_k > \min(n,m)\ (0<k<K) \implies N_u = 1 \text{ for all } u",
            (
                LINEAR,
                DENSE,
                NO_BIAS,
                width("wide", "n_k > min(n, m)", ">", "min(n,m)"),
            ),
            "joined",
        ),
    ),
    canonical=_pairs,
    random=_random_pair,
    prover=_connect,
    grids={"n-p-n": _square_pair},
    erratum=Erratum(
        "n_j >= min(n, m) suffices",
        "1-1-1, X = Y = 1: L = (ab - 1)^2, and ab = 0 separates (1, 1) from (-1, -1) below 1",
        "n_k > min(n, m), as on the slides",
    ),
)

DEEP_LINEAR_DESCENT = Claim(
    id="deep-linear-descent",
    title="Deep linear networks have no spurious valley: any depth, widths and data",
    source=venturi("Theorem 8"),
    variants=(
        Variant(
            "printed",
            "linear network, square loss: from every point a path that never rises leads to a "
            "global minimum",
            r"\Phi(x;\theta) = W_K\cdots W_1 x \implies \text{no spurious valley}",
            (LINEAR, DENSE, NO_BIAS),
            "descends",
        ),
    ),
    canonical=_descents,
    random=_random_descent,
    prover=_descend,
)
