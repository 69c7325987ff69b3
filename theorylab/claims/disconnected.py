"""Where sublevel sets fall apart: deep linear networks at a bottleneck, and data against ReLU."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Hypothesis, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR,
    NO_BIAS,
    every,
    freeman_bruna,
    pair,
    proved_joined,
    restricted,
    small_widths,
)
from theorylab.instances import Draw, Instance, dataset
from theorylab.kernel.statements import Statement
from theorylab.model import Activation, Dataset, Loss, Network, Weights, load_dataset
from theorylab.outcome import Source, Undecided
from theorylab.topology.disconnected import separation
from theorylab.topology.fibre import changes_of_basis, connect_fibre
from theorylab.topology.walls.determinants import separated_by_determinant
from theorylab.topology.walls.separation import Separation

_DRAWS = 60
_RELU, _ABS = Activation("relu"), Activation("abs")
_LEAKY = Activation("leaky_relu", (fmpq(1, 4),))
_KINKED = (_RELU, _ABS, _LEAKY)


def _several(
    name: str, network: Network, data: Dataset, note: str, ridge: fmpq | None = None
) -> Instance:
    """The instance "some level, found here, has as many components as the walls show"."""
    found = separation(Loss(network, data, ridge))
    if isinstance(found, Undecided):
        raise RuntimeError(f"no separation for {name}: {found}")
    return _instance(name, found, note)


def _instance(name: str, found: Separation, note: str = "") -> Instance:
    loss, conclusion = found.loss, found.components.conclusion
    return Instance(
        name, "corrected", loss.network, loss.data, conclusion, found.points[0], note=note
    )


def _separate(instance: Instance) -> Proof | Undecided:
    if instance.b is not None:
        path = connect_fibre(instance.network, instance.a, instance.b)
        return proved_joined(instance, path)
    found = separation(instance.loss, fmpq(instance.conclusion["u"]))
    if isinstance(found, Undecided):
        return found
    return found.components.rule, found.components.proof


# Deep linear networks


def _bottlenecks(widths: tuple[int, ...]) -> int:
    """b, the number of hidden layers of the least of all widths."""
    return widths[1:-1].count(min(widths))


def _one_for_each_sign(statement: Statement) -> bool:
    values, b = statement.conclusion.values, _bottlenecks(statement.network.widths)
    return b > 0 and values["at_least"] == 2**b and values["at_most"] is None


def _same_signs(statement: Statement) -> bool:
    """A and B are factorisations of one matrix through its rank, all changes of basis positive."""
    points = statement.conclusion.points
    a, b = (
        tuple(
            fmpq_mat(
                [
                    [fmpq(v.numerator, v.denominator) for v in layer.row(i)]
                    for i in range(layer.shape[0])
                ]
            )
            for layer in points[name]
        )
        for name in "AB"
    )
    found = changes_of_basis(Network.dense(statement.network.widths, "linear"), a, b)
    return found is not None and all(g.det() > 0 for g in found)


def _turned(point: Weights, *bases: fmpq_mat) -> Weights:
    """The factorisation B_k = G_k A_k G_{k-1}^-1 of the same matrix."""
    layers = list(point)
    for k, g in enumerate(bases):
        layers[k], layers[k + 1] = g * layers[k], layers[k + 1] * g.inv()
    return tuple(layers)


def _fibres() -> tuple[Instance, ...]:
    """Minimisers with equal signs: both units of a layer turned round, or exchanged with a turn."""
    iris = load_dataset("iris")
    round_, exchange = fmpq_mat([[-1, 0], [0, -1]]), fmpq_mat([[0, 1], [-1, 0]])
    made = []
    for name, widths, data, bases in (
        ("fibre-3-2-3", (3, 2, 3), _diagonal(3, 2, 1), [round_]),
        ("fibre-3-2-2-3", (3, 2, 2, 3), _diagonal(3, 2, 1), [round_, exchange]),
        ("fibre-iris-4-2-3", (4, 2, 3), iris, [round_]),
    ):
        network = Network.dense(widths, "linear")
        found = separated_by_determinant(Loss(network, data))
        if isinstance(found, Undecided):
            raise RuntimeError(f"no separation for {name}: {found}")
        a = found.points[0]
        made.append(pair(name, "same-signs", network, data, a, _turned(a, *bases)))
    return tuple(made)


def _diagonal(*values: int) -> Dataset:
    n = len(values)
    unit = [[int(i == j) for j in range(n)] for i in range(n)]
    scaled = [[v * value for v in row] for row, value in zip(unit, values, strict=True)]
    return Dataset.from_rows(unit, scaled, name="diagonal")


def _linear_instances() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    one = Dataset.from_rows([[1]], [[1]], name="one point")
    cases = (
        ("thin-1-1-1", (1, 1, 1), one, "L = (uw - 1)^2"),
        ("thin-1-1-1-1", (1, 1, 1, 1), one, "four sign patterns"),
        ("square-2-2-2", (2, 2, 2), _diagonal(1, 1), "the width equals min(n, m)"),
        ("diagonal-3-2-4-2-3", (3, 2, 4, 2, 3), _diagonal(3, 2, 1), "two layers of width 2"),
        ("iris-4-2-3", (4, 2, 3), iris, "the optimum is irrational"),
        ("iris-4-3-5-3-3", (4, 3, 5, 3, 3), iris, "two layers of width m"),
        ("wine-13-1-2-1-3", (13, 1, 2, 1, 3), every(wine, 6), "two layers of one unit"),
    )
    apart = (
        _several(name, Network.dense(widths, "linear"), data, note)
        for name, widths, data, note in cases
    )
    return (*apart, *_fibres())


def _random_linear(draw: Draw) -> Instance:
    for _ in range(_DRAWS):
        n, m = draw.integer(1, 3), draw.integer(1, 3)
        widths = (n, *small_widths(draw, draw.integer(1, 3), 1, 3), m)
        network = Network.dense(widths, "linear")
        data = dataset(draw, n, m, draw.integer(n, n + 2), degenerate=False)
        found = separated_by_determinant(Loss(network, data))
        if isinstance(found, Separation):
            return _instance("random", found)
    return _linear_instances()[0]


DEEP_LINEAR_COMPONENTS = Claim(
    id="deep-linear-components",
    title="Deep linear networks with b tight layers: 2^b components at least",
    source=Source(
        ("Matthew Trager", "Kathlen Kohn", "Joan Bruna"),
        "Pure and spurious critical points: a geometric study of linear networks",
        2019,
        "components of the fibre; the levels above the minimum are ours",
    ),
    variants=(
        Variant(
            "corrected",
            "linear network, r its least width, b hidden layers of width r, the best matrix of "
            "rank r unique and of rank r: the minimisers, and {L <= u} for u below min L + s_r - "
            "s_{r+1}, have at least 2^b components",
            r"s_r > s_{r+1} \implies N_u \ge 2^{b}\quad"
            r"(\min L \le u < \min L + s_r - s_{r+1})",
            (LINEAR, DENSE, NO_BIAS),
            "components",
            _one_for_each_sign,
        ),
        Variant(
            "same-signs",
            "linear network, all hidden layers of the rank r of a matrix M: two factorisations "
            "B_k = G_k A_k G_{k-1}^{-1} of M with det G_k > 0 for all k are joined where the "
            "product is M",
            r"W_K\cdots W_1 = M,\ \det G_k > 0 \implies A \sim B",
            (LINEAR, DENSE, NO_BIAS),
            "joined",
            _same_signs,
        ),
    ),
    canonical=_linear_instances,
    random=_random_linear,
    prover=_separate,
)


# ReLU networks

_HOMOGENEOUS = Hypothesis.of(
    "homogeneous",
    "the activation is relu, leaky_relu or abs",
    **{"kind": "activation", "is": "homogeneous"},
)


def _two_at_least(statement: Statement) -> bool:
    values = statement.conclusion.values
    return values["at_least"] >= 2 and values["at_most"] is None


def _on_the_line(places: tuple[int, ...], targets: tuple[int, ...], name: str) -> Dataset:
    return Dataset.from_rows([[s] for s in places], [[y] for y in targets], name=name)


def _relu_instances() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    petal = every(restricted(iris, "petal length", (2,), (2,)), 5)
    opposite = Dataset.from_rows([[1], [-1]], [[1], [2]], name="1 and -1")
    odd = Dataset.from_rows([[1], [-1]], [[1], [-1]], name="1 and -1, odd")
    places = (-1, 0, 1, 3, 4, 5)
    ramp = _on_the_line(places, (0, 0, 1, 3, 4, 4), "ramp")
    with_one = Dataset.from_rows([[s, 1] for s in places], [[y] for y in (0, 0, 1, 3, 4, 4)])
    vees = _on_the_line(places, (-4, -4, -2, 2, 4, 4), "two abs")
    long = (-1, 0, 1, 3, 4, 5, 7, 8, 9)
    three = _on_the_line(long, (0, 0, 1, 3, 4, 4, 4, 4, 3), "three kinks")
    bent = Dataset.from_rows(
        [[s] for s in (-1, 0, 1, 3, 4, 5)],
        [[y] for y in ("1", "1", "7/4", "13/4", "4", "4")],
        name="leaky ramp",
    )
    biased = (True, False)
    return (
        _several("line-1-1-1", Network.dense((1, 1, 1), "relu"), opposite, "w = 0 has loss 5"),
        _several("line-leaky-1-1-1", Network.dense((1, 1, 1), _LEAKY), opposite, "w = 0"),
        _several(
            "line-iris-1-1-1",
            Network.dense((1, 1, 1), "relu", bias=True),
            petal,
            "real data: w = 0 leaves the mean alone",
        ),
        _several(
            "line-iris-1-1-2-1",
            Network.dense((1, 1, 2, 1), "relu", bias=True),
            petal,
            "real data, two hidden layers with biases",
        ),
        _several("narrow-1-1-1", Network.dense((1, 1, 1), "relu"), odd, "the sign of the output"),
        _several(
            "narrow-1-3-1-2-1",
            Network.dense((1, 3, 1, 2, 1), "relu"),
            odd,
            "three hidden layers, the second of one unit",
        ),
        _several(
            "kinks-2-2-1",
            Network.dense((2, 2, 1), "relu"),
            with_one,
            "inputs (s, 1): two brackets, 2! orders",
        ),
        _several("kinks-bias-1-2-1", Network.dense((1, 2, 1), "relu", biased), ramp, "hidden bias"),
        _several(
            "kinks-bias-1-3-1",
            Network.dense((1, 3, 1), "relu", biased),
            three,
            "three brackets, 3! orders",
        ),
        _several("kinks-abs-1-2-1", Network.dense((1, 2, 1), "abs", biased), vees, "2! 2^2"),
        _several("kinks-leaky-1-2-1", Network.dense((1, 2, 1), _LEAKY, biased), bent, "slope 1/4"),
        _several("features-2-2-2", Network.dense((2, 2, 2), "relu"), _diagonal(3, 3), "det H"),
        _several(
            "features-iris-4-3-3",
            Network.dense((4, 3, 3), "relu"),
            iris,
            "real data, all 150 flowers: three species need three independent features",
        ),
        _several(
            "features-3-4-2-3",
            Network.dense((3, 4, 2, 3), "abs", (True, True, False)),
            _diagonal(3, 3, 1),
            "two hidden layers with biases",
        ),
    )


def _random_bracket(draw: Draw) -> Loss:
    """A teacher of p units, each with its kink in a bracket of its own, and exact targets."""
    p = draw.integer(2, 3)
    activation = draw.choice(_KINKED)
    biased = draw.choice((True, False))
    network = Network.dense((1, p, 1) if biased else (2, p, 1), activation, (biased, False))
    rows, centre, kinks = [-3], 0, []
    for _ in range(p):
        kinks.append(fmpq(2 * centre + draw.choice((0, 1, -1)), 2))
        rows += [centre - 1, centre, centre + 1]
        centre += draw.integer(3, 5)
    rows.append(centre)
    turns = [draw.choice((1, -1)) for _ in range(p)]
    hidden = fmpq_mat([[s, -s * t] for s, t in zip(turns, kinks, strict=True)])
    outer = fmpq_mat([[draw.choice((1, 2, 3, -1, -2)) for _ in range(p)]])
    x = fmpq_mat([rows] if biased else [rows, [1] * len(rows)])
    y = network.outputs((hidden, outer), x)
    return Loss(network, Dataset(x, y, None, "bracket teacher"))


def _random_features(draw: Draw) -> Loss:
    """Independent inputs and targets of full rank for a layer of r units."""
    r = draw.integer(2, 3)
    activation = draw.choice(_KINKED)
    hidden = draw.choice(((r,), (r + 1, r)))
    network = Network.dense((r, *hidden, r), activation)
    x = fmpq_mat([[fmpq(int(i == j) * draw.integer(1, 3)) for j in range(r)] for i in range(r)])
    y = fmpq_mat([[fmpq(int(i == j) * draw.integer(1, 4)) for j in range(r)] for i in range(r)])
    return Loss(network, Dataset(x, y, None, "diagonal"))


def _random_line(draw: Draw) -> Loss:
    """Inputs of both signs and one unit, or one unit between wider layers."""
    samples = draw.integer(1, 2)
    places = [draw.integer(1, 3) for _ in range(samples)] + [-draw.integer(1, 3)]
    if draw.choice((True, False)):
        activation = draw.choice((_RELU, _LEAKY))
        network = Network.dense((1, 1, 1), activation)
        targets = [draw.integer(1, 4) for _ in places]
    else:
        network = Network.dense((1, draw.integer(1, 2), 1, draw.integer(1, 2), 1), "relu")
        targets = [draw.integer(1, 4) * (1 if s > 0 else -1) for s in places]
    return Loss(network, Dataset(fmpq_mat([places]), fmpq_mat([targets]), None, "both signs"))


FAMILIES = (_random_bracket, _random_features, _random_line)


def _random_relu(draw: Draw) -> Instance:
    for _ in range(_DRAWS):
        # leaky units on a line may have one sign only that does better than 0
        found = separation(draw.choice(FAMILIES)(draw))
        if isinstance(found, Separation):
            return _instance("random", found)
    return _relu_instances()[0]


RELU_DISCONNECTED = Claim(
    id="relu-disconnected",
    title="Half-rectified networks have disconnected sublevel sets for some data",
    source=freeman_bruna("Section 2.4"),
    variants=(
        Variant(
            "corrected",
            "for these networks some data, those of the instance, have a sublevel set of at least "
            "two components (the data may choose n, or there are biases; for n = 1 without bias "
            "every sublevel set is connected from p = 3 on)",
            r"\exists\, (X, Y),\ u:\quad N_u \ge 2",
            (_HOMOGENEOUS,),
            "components",
            _two_at_least,
        ),
    ),
    canonical=_relu_instances,
    random=_random_relu,
    prover=_separate,
    quantifier="existential",
)
