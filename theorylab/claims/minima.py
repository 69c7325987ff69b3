"""What connected sublevel sets say about poor minima: less than is printed, and no converse."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.linear import fitted_flipped
from theorylab.claims.shapes import attempt, every, freeman_bruna, pair, restricted
from theorylab.instances import Draw, Instance
from theorylab.model import Dataset, Network, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.barrier import (
    Argument,
    dead_relu_minimum,
    separated_by_bottleneck,
    weak_minimum_of_squares,
)

_CONNECTED = Hypothesis.of(
    "connected",
    "every non-empty sublevel set is connected (by Lemma 14: widths >= 2N)",
    kind="connected_at_every_level",
)
_NO_POOR = Hypothesis.of(
    "no-poor-minima",
    "no local minimum is poor (by Lemma 15: the 1-1-1 linear network)",
    kind="no_poor_minima",
)


def _weak_minimum(network: Network, data: Dataset) -> Argument | Undecided:
    if network.activation.kind == "relu":
        return dead_relu_minimum(network, data)
    return weak_minimum_of_squares(network, data)


def _weak(name: str, network: Network, data: Dataset, note: str = "") -> Instance:
    found = _weak_minimum(network, data)
    if isinstance(found, Undecided):
        raise RuntimeError(f"no weak minimum for this instance: {found}")
    a = tuple(fmpq_mat([[fmpq(v) for v in row] for row in m]) for m in found.conclusion["A"])
    return Instance(name, "printed", network, data, found.conclusion, a, None, "refuted", note)


def _instances() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    thirty = every(iris, 5)
    petal = every(restricted(iris, "petal length", (2,), (2,)), 5)
    thin = Network.dense((1, 1, 1), "linear")
    one = fmpq_mat([[1]])
    converse = pair(
        "converse-1-1-1",
        "converse",
        thin,
        Dataset.from_rows([[1]], [[1]], name="one point"),
        (one, one),
        (one * -1, one * -1),
        expected="refuted",
        note="L = (uw - 1)^2: no poor minimum, two components below 1",
    )
    on_iris = fitted_flipped("converse-iris-1-1-1", thin, petal)
    return (
        _weak(
            "plateau-square-1-2-1",
            Network.dense((1, 2, 1), "square"),
            Dataset.from_rows([[1]], [[-1]], name="one point"),
            "L = (u1 w1^2 + u2 w2^2 + 1)^2 at (1, 1, 0, 0)",
        ),
        _weak(
            "dead-relu-iris-4-60-3",
            Network.dense((4, 60, 3), "relu"),
            thirty,
            "all 60 units are off on all samples",
        ),
        _weak(
            "dead-relu-iris-4-60-60-3",
            Network.dense((4, 60, 60, 3), "relu", (True, True, False)),
            thirty,
            "two hidden layers with biases",
        ),
        converse,
        Instance(
            on_iris.name,
            "converse",
            on_iris.network,
            on_iris.data,
            on_iris.conclusion,
            on_iris.a,
            on_iris.b,
            "refuted",
        ),
    )


def _random(draw: Draw) -> Instance:
    samples = draw.integer(1, 3)
    points = [[draw.integer(1, 4)] for _ in range(samples)]
    targets = [[-draw.integer(1, 4)] for _ in range(samples)]
    network = Network.dense((1, 2 * samples, 1), "square")
    return _weak("random", network, Dataset.from_rows(points, targets, name="negative targets"))


def _refute(instance: Instance) -> Proof | Undecided:
    if instance.variant == "converse":
        assert instance.b is not None
        level = fmpq(instance.conclusion["u"])
        network, data = instance.network, instance.data
        return attempt(separated_by_bottleneck(network, data, instance.a, instance.b, level))
    return attempt(_weak_minimum(instance.network, instance.data))


CONNECTED_IMPLIES_NO_POOR_MINIMA = Claim(
    id="connected-implies-no-poor-minima",
    title="Connected sublevel sets exclude poor local minima - read weakly, they do not",
    source=freeman_bruna("Proposition 2.1"),
    variants=(
        Variant(
            "printed",
            "if every sublevel set is connected, no local minimum (weak ones included) is poor",
            r"N_u = 1 \text{ for all } u \implies \text{no poor local minima}",
            (_CONNECTED,),
            "not_poor_minimum",
        ),
        Variant(
            "converse",
            "if no local minimum is poor, every sublevel set is connected",
            r"\text{no poor local minima} \implies N_u = 1 \text{ for all } u",
            (_NO_POOR,),
            "joined",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_refute,
    erratum=Erratum(
        "N_u = 1 for all u implies no poor local minima",
        "z^2, p = 2, X = 1, Y = -1 at (u, w) = (1, 1, 0, 0), and dead ReLU networks of every width",
        "it implies no spurious valley, hence no strict poor minimum",
    ),
)
