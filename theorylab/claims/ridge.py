"""Two-layer linear networks with a ridge: Freeman & Bruna's connectivity, and how far it goes."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR,
    NO_BIAS,
    ONE_HIDDEN,
    attempt,
    every,
    freeman_bruna,
    proved_joined,
    restricted,
    width,
)
from theorylab.instances import Draw, Instance, Seeded, dataset, fitted, weights
from theorylab.model import Dataset, Loss, Network, Weights, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.certificate import joined
from theorylab.topology.ridge.paths import connect_ridge
from theorylab.topology.walls.shell import separated_by_shell
from theorylab.topology.walls.unit_ridge import separated_by_unit_ridge

RIDGE = Hypothesis.of("ridge", "the loss has a ridge", kind="ridge")
COMMON_RIDGE = Hypothesis.of(
    "common-lambda", "the ridge is the same for all weights", kind="common_ridge"
)
_WIDE = width("wide", "n_1 > min(n, m)", ">", "min(n,m)")
_DEAR = "the second unit is cheaper: below the level it cannot change its sign"
_ORIGIN = "0 is a strict local minimum, and a spurious valley, at every width"


def _pair(
    name: str,
    variant: str,
    loss: Loss,
    a: Weights,
    b: Weights,
    expected: str = "proved",
    note: str = "",
) -> Instance:
    conclusion = joined(a, b, max(loss(a), loss(b)))
    network, data, ridge = loss.network, loss.data, loss.ridge
    return Instance(name, variant, network, data, conclusion, a, b, expected, note, ridge)


def _instances() -> tuple[Instance, ...]:
    one = Dataset.from_rows([[1]], [[1]], name="one point")
    ten = Dataset.from_rows([[1]], [[10]], name="one point")
    iris = every(load_dataset("iris"), 5)
    petal = restricted(iris, "petal length", (2,), (2,))
    tiny = Loss(Network.dense((1, 2, 1), "linear"), one, fmpq(1, 2))
    wide = Loss(Network.dense((4, 4, 3), "linear"), iris, fmpq(1, 10))
    thin, deep = (Network.dense(widths, "linear") for widths in ((1, 2, 1), (1, 2, 2, 1)))
    dear = (fmpq(3, 4), fmpq(2, 3), fmpq(3, 4), fmpq(2, 3))
    dear_petal = (fmpq(30), fmpq(1), fmpq(30), fmpq(1))
    near = fitted(Seeded("ridge A"), wide.network, iris, 2)
    far = tuple(w * -1 for w in fitted(Seeded("ridge B"), wide.network, iris, 2))
    return (
        _pair("tiny-1-2-1", "corrected", tiny, _first_unit(1, 1), _first_unit(-1, fmpq(-1, 2))),
        _pair("iris-4-4-3", "corrected", wide, near, far),
        _flipped("unit-ridge-1-2-1", Loss(thin, one, dear), fmpq(3, 5)),
        _flipped("iris-unit-ridge-1-2-1", Loss(thin, petal, dear_petal), fmpq(1, 3)),
        _from_zero("deep-1-2-2-1", Loss(deep, ten, fmpq(1)), fmpq(2)),
        _from_zero("iris-deep-1-2-2-1", Loss(deep, petal, fmpq(1, 10)), fmpq(1, 2)),
    )


def _first_unit(w: fmpq | int, u: fmpq | int) -> Weights:
    """One live unit of a 1-2-1 network."""
    return fmpq_mat([[w], [0]]), fmpq_mat([[u, 0]])


def _flipped(name: str, loss: Loss, v: fmpq) -> Instance:
    """All in the second, cheaper unit; and the same with both its signs turned round."""
    a = (fmpq_mat([[0], [v]]), fmpq_mat([[0, v]]))
    b = tuple(w * -1 for w in a)
    return _pair(name, "printed", loss, a, b, "refuted", _DEAR)


def _from_zero(name: str, loss: Loss, v: fmpq) -> Instance:
    """0, and weights v in a chain of first units."""
    shapes = [loss.network.shape(k) for k in range(1, loss.network.depth + 1)]
    a = tuple(fmpq_mat(*shape) for shape in shapes)
    b = tuple(fmpq_mat(r, c, [v, *[fmpq(0)] * (r * c - 1)]) for r, c in shapes)
    return _pair(name, "deep", loss, a, b, "refuted", _ORIGIN)


def _random(draw: Draw) -> Instance:
    n, m = draw.integer(1, 3), draw.integer(1, 3)
    network = Network.dense((n, min(n, m) + draw.integer(1, 2), m), "linear")
    data = dataset(draw, n, m, draw.integer(1, n + 2))
    loss = Loss(network, data, fmpq(draw.integer(1, 8), draw.integer(1, 8)))
    return _pair("random", "corrected", loss, weights(draw, network), weights(draw, network))


def _prove(instance: Instance) -> Proof | Undecided:
    loss, a, b = instance.loss, instance.a, instance.b
    assert b is not None
    level = fmpq(instance.conclusion["u"])
    if instance.variant == "corrected":
        found = connect_ridge(loss, a, b)
        return proved_joined(instance, found if isinstance(found, Undecided) else found.path)
    if instance.variant == "printed":
        walls = separated_by_unit_ridge(loss, level, (a, b))
    else:
        walls = separated_by_shell(loss, level, a, b)
    return attempt(walls if isinstance(walls, Undecided) else walls.separated)


LINEAR_RIDGE_CONNECTED = Claim(
    id="linear-ridge-connected",
    title="Two-layer linear networks with one common ridge have connected sublevel sets",
    source=freeman_bruna("ridge regression, after Proposition 2.2"),
    variants=(
        Variant(
            "printed",
            "two-layer linear network with a ridge, n_1 > min(n, m): every sublevel set is "
            "connected",
            r"K = 2,\ n_1 > \min(n,m),\ L = |\Phi - Y|^2 + \text{ridge} \implies N_u = 1",
            (LINEAR, DENSE, NO_BIAS, ONE_HIDDEN, RIDGE, _WIDE),
            "joined",
        ),
        Variant(
            "corrected",
            "two-layer linear network with one ridge for all weights, n_1 > min(n, m): every "
            "sublevel set is connected",
            r"K = 2,\ n_1 > \min(n,m),\ L = |\Phi - Y|^2 + \lambda|\theta|^2,\ \lambda > 0 "
            r"\implies N_u = 1 \text{ for all } u",
            (LINEAR, DENSE, NO_BIAS, ONE_HIDDEN, COMMON_RIDGE, _WIDE),
            "joined",
        ),
        Variant(
            "deep",
            "linear network of any depth with one ridge for all weights, n_k > min(n, m): every "
            "sublevel set is connected",
            r"n_k > \min(n,m),\ L = |\Phi - Y|^2 + \lambda|\theta|^2,\ \lambda > 0 "
            r"\implies N_u = 1 \text{ for all } u",
            (LINEAR, DENSE, NO_BIAS, COMMON_RIDGE, _WIDE),
            "joined",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_prove,
    erratum=Erratum(
        "a ridge, without saying that it is the same for all weights, or at any depth",
        "1-2-1 with ridges 3/4 and 2/3 of its units: two components on [8/9, 15/16); 1-2-2-1, y = "
        "10, ridge 1: 0 is a strict local minimum with L = 100, and L(2, 2, 2) = 16",
        "one common ridge and one hidden layer",
    ),
)
