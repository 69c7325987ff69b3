"""Zero sets and Hessians of networks with more parameters than equations: Poggio & Liao."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.shapes import POLYNOMIAL, attempt, every, poggio_liao, restricted
from theorylab.instances import Draw, Instance, Seeded, weights
from theorylab.model import Activation, Dataset, Network, Weights, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import kernel, least_squares, rank
from theorylab.topology.jacobian import jacobian
from theorylab.topology.path import theta_json
from theorylab.topology.zeros import no_zero, only_zero

ZERO_LOSS = Hypothesis.of("zero-loss", "the loss at A is zero", **{"kind": "loss", "is": "zero"})
POSITIVE_LOSS = Hypothesis.of(
    "positive-loss", "the loss at A is positive", **{"kind": "loss", "is": "positive"}
)
MORE_PARAMETERS = Hypothesis.of(
    "more-parameters",
    "there are more free parameters than equations, W > N m",
    kind="more_parameters_than_equations",
)
QUARTIC = Activation("polynomial", tuple(map(fmpq, (0, 6, -6, -2, 3))))
PLUS_SQUARE = Activation("polynomial", (fmpq(0), fmpq(1), fmpq(1)))
_ACTIVATIONS = (
    Activation("square"),
    PLUS_SQUARE,
    Activation("cube"),
    Activation("linear"),
    Activation("polynomial", (fmpq(1), fmpq(2), fmpq(0), fmpq(1))),
)
_HUNTED = (QUARTIC, _ACTIVATIONS[4], PLUS_SQUARE, Activation("cube"))


def nullity(a: Weights, at_least: int, at_most: int | None) -> dict[str, Any]:
    """The conclusion that a is critical and the nullity of its Hessian is between the two."""
    bounds = {"at_least": at_least, "at_most": at_most}
    return {"kind": "nullity", "A": theta_json(a), **bounds}


def _taught(network: Network, data: Dataset, a: Weights) -> Dataset:
    """The inputs of the data with the outputs of the network itself as targets."""
    outputs = network.outputs(a, data.x)
    return replace(data, y=outputs, name=f"{data.name.removesuffix(', taught')}, taught")


def _teacher(name: str, network: Network, size: int = 3) -> Weights:
    return weights(Seeded(f"teacher of {name}"), network, size, degenerate=False)


def _full_rank_teacher(name: str, network: Network, data: Dataset) -> Weights:
    """The first of some small integer teachers whose Jacobian has the rank of the equations."""
    teachers = [_teacher(f"{name} {seed}", network) for seed in range(8)]
    wanted = data.samples * network.m
    found = (a for a in teachers if rank(jacobian(network, a, data)) == wanted)
    return next(found, teachers[0])


def _manifold(
    name: str, network: Network, data: Dataset, a: Weights | None = None, note: str = ""
) -> Instance:
    a = _full_rank_teacher(name, network, data) if a is None else a
    taught = _taught(network, data, a)
    d = network.parameter_count - data.samples * network.m
    conclusion = {"kind": "zero_manifold", "A": theta_json(a), "at_least": d, "at_most": d}
    return Instance(name, "corrected", network, taught, conclusion, a, note=note)


def _one_zero(name: str, data: Dataset, units: int, note: str = "") -> Instance:
    network = Network.with_pattern((data.n, units, 1), "square", [None, [["1"] * units]])
    data = replace(data, y=fmpq_mat(1, data.samples), name=f"{data.name}, targets 0")
    a = (fmpq_mat(units, data.n), fmpq_mat([[1] * units]))
    conclusion = {"kind": "positive_dimension", "A": theta_json(a)}
    return Instance(name, "printed", network, data, conclusion, a, None, "refuted", note)


def _signed(name: str, data: Dataset, note: str = "") -> Instance:
    network = Network.dense((data.n, 1, 1), "square")
    a = (fmpq_mat(1, data.n), fmpq_mat(1, 1))
    return Instance(name, "solvable", network, data, {"kind": "has_zero"}, a, None, "refuted", note)


_REAL_INPUTS = "real inputs; the targets are the outputs of a teacher, so A has loss 0"


def _zeros() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    thirty = every(iris, 5)
    circle = Network.with_pattern((1, 2, 1), "square", [None, [["1", "1"]]])
    two = iris.subset([0, 149]).restrict(targets=[0])
    sides = replace(two, y=fmpq_mat([[1, -1]]), name="iris[0,149], setosa or not")
    return (
        _manifold(
            "teacher-iris-4-6-6-1", Network.dense((4, 6, 6, 1), "square"), thirty, note=_REAL_INPUTS
        ),
        _manifold(
            "teacher-wine-13-4-1",
            Network.dense((13, 4, 1), "cube"),
            every(wine, 5),
            note=_REAL_INPUTS,
        ),
        _manifold(
            "circle-1-2-1",
            circle,
            Dataset.from_rows([[1]], [[0]], name="one point"),
            (_column(fmpq(3, 5), fmpq(4, 5)), fmpq_mat([[1, 1]])),
            "w1^2 + w2^2 = 1",
        ),
        _one_zero(
            "one-zero-1-2-1",
            Dataset.from_rows([[1]], [[0]], name="one point"),
            2,
            "w1^2 + w2^2 = 0: two parameters, one equation, one real zero",
        ),
        _one_zero("iris-one-zero-4-8-1", thirty, 8, "32 parameters, 30 equations, one real zero"),
        _signed(
            "no-zero-2-1-1",
            Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]], name="two signs"),
            "u w1^2 = 1 and u w2^2 = -1",
        ),
        _signed("iris-no-zero-4-1-1", sides, "two flowers, five parameters, no real zero"),
    )


def _decide_zeros(instance: Instance) -> Proof | Undecided:
    network, data = instance.network, instance.data
    if instance.variant == "printed":
        return attempt(only_zero(network, data))
    if instance.variant == "solvable":
        return attempt(no_zero(network, data))
    if rank(jacobian(network, instance.a, data)) < data.samples * network.m:
        return Undecided("the Jacobian has not full rank at A", "the implicit function theorem")
    return "rank", {}


def _small(draw: Draw, most: int) -> tuple[Network, Dataset, Weights]:
    """A small polynomial network, inputs, and weights whose outputs are the targets."""
    n, m = draw.integer(1, 2), draw.integer(1, 2)
    hidden = tuple(draw.integer(1, 3) for _ in range(draw.integer(1, 2)))
    network = Network.dense((n, *hidden, m), draw.choice(_ACTIVATIONS), draw.choice((False, True)))
    samples = draw.integer(1, most)
    x = fmpq_mat(n, samples, [fmpq(draw.integer(-3, 3)) for _ in range(n * samples)])
    data = Dataset(x, fmpq_mat(m, samples), None, "random")
    a = weights(draw, network, 2)
    return network, _taught(network, data, a), a


def _random_zeros(draw: Draw) -> Instance:
    if draw.integer(0, 3) == 0:
        return _random_signs(draw)
    network, data, a = _small(draw, 4)
    derivatives = jacobian(network, a, data)
    kept: list[int] = []
    for j in range(data.samples):
        chosen = [o * data.samples + i for o in range(network.m) for i in (*kept, j)]
        if rank(fmpq_mat([derivatives.tolist()[i] for i in chosen])) == len(chosen):
            kept.append(j)
    if not kept or network.parameter_count <= len(kept) * network.m:
        n, units = draw.integer(1, 2), draw.integer(2, 3)
        inputs = [[int(i == j) + draw.integer(0, 1) * (i < j) for j in range(n)] for i in range(n)]
        return _one_zero("random", Dataset.from_rows(inputs, [[0]] * n, name="random"), units)
    return _manifold("random", network, replace(data.subset(kept), name="random"), a)


def _random_signs(draw: Draw) -> Instance:
    """Two inputs and targets of two signs, for one unit u (w.x)^2 with more weights than two."""
    n = draw.integer(2, 4)
    x = [[draw.integer(-3, 3) for _ in range(n)] for _ in range(2)]
    y = [[draw.integer(1, 9)], [-draw.integer(1, 9)]]
    return _signed("random", Dataset.from_rows(x, y, name="random"))


OVERPARAMETRISED_ZEROS = Claim(
    id="overparametrised-zeros",
    title="More weights than equations: where the zeros form a manifold, and where they do not",
    source=poggio_liao("zeros of the polynomial network with more weights than data"),
    variants=(
        Variant(
            "printed",
            "with more weights than equations, a real zero lies on a zero set of positive "
            "dimension",
            r"W > Nm,\ L(A)=0 \implies \dim_A \{L=0\} \ge 1",
            (POLYNOMIAL, MORE_PARAMETERS, ZERO_LOSS),
            "positive_dimension",
        ),
        Variant(
            "solvable",
            "with more weights than equations there is a zero",
            r"W > Nm \implies \{L=0\} \ne \emptyset",
            (POLYNOMIAL, MORE_PARAMETERS),
            "has_zero",
        ),
        Variant(
            "corrected",
            "at a real zero where the Jacobian of the outputs has rank N m, the zero set is a "
            "manifold of dimension W - N m",
            r"L(A)=0,\ \operatorname{rank} J(A)=Nm \implies \{L=0\} \text{ is, near } A, "
            r"\text{ a manifold of dimension } W-Nm",
            (POLYNOMIAL, ZERO_LOSS),
            "zero_manifold",
        ),
    ),
    canonical=_zeros,
    random=_random_zeros,
    prover=_decide_zeros,
    erratum=Erratum(
        "more weights than equations give a zero set of positive dimension",
        "over R (w1 x)^2 + (w2 x)^2 = 0 is one point, and u (w.x)^2 takes no two signs; over C "
        "every component of a non-empty zero set has dimension at least W - N m",
        "at a real zero where the Jacobian has rank N m, a manifold of dimension W - N m",
    ),
)


def _zero_loss(name: str, network: Network, data: Dataset, a: Weights | None = None) -> Instance:
    """At a taught zero: the nullity of the Hessian is W minus the rank of the Jacobian."""
    a = _teacher(name, network, 2) if a is None else a
    taught = _taught(network, data, a)
    count, r = network.parameter_count, rank(jacobian(network, a, taught))
    note = f"W - rank J = {count} - {r}, computed before the Hessian"
    conclusion = nullity(a, count - r, count - r)
    return Instance(name, "corrected", network, taught, conclusion, a, note=note)


def _critical(
    name: str,
    variant: str,
    network: Network,
    data: Dataset,
    a: Weights,
    expected: str,
    note: str,
    orbit: int = 0,
) -> Instance:
    bounds = {"printed": (0, 0), "equilibria": (1, None), "orbit": (orbit, None)}[variant]
    conclusion = nullity(a, *bounds)
    return Instance(name, variant, network, data, conclusion, a, None, expected, note)


def _fitted_output(name: str, network: Network, data: Dataset) -> Weights:
    """Random hidden weights whose features span, and the best output weights, mostly zero."""
    a = _teacher(name, network)
    best = least_squares(network.features(a, data.x)[-1], data)
    return (*a[:-1], best)


def _column(*values: Any) -> fmpq_mat:
    return fmpq_mat([[fmpq(v)] for v in values])


def _hessians() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    thirty = every(iris, 5)
    petals = restricted(iris, "iris petals, setosa", (2, 3), (0,))
    square, linear = Activation("square"), Activation("linear")
    one, two = Network.dense((1, 1, 1), square), Network.dense((1, 2, 1), square)
    signs = Dataset.from_rows([[1], [2]], [[1], [-1]], name="two signs")
    three = Dataset.from_rows([[1], [-1], [2]], [[1], [2], [1]], name="three points")
    point = Dataset.from_rows([[1]], [[1]], name="one point")
    valley = Dataset.from_rows([[1], [-1]], [[-6], [-8]], name="two points")
    bent, wide = Network.dense((1, 1, 1), PLUS_SQUARE), Network.dense((2, 6, 1), square)
    curve = Network.dense((1, 1, 1), QUARTIC, (True, False))
    deep, gl = Network.dense((4, 3, 3), linear), Network.dense((4, 2, 3), linear)
    low = fmpq(-3, 17)
    minimum, padded = (_column(1), _column(low)), (_column(1, 0), fmpq_mat([[low, 0]]))
    best = least_squares(fmpq_mat([[1, -1, 2], [1, 1, 4]]), three)
    slope = best[0, 1] / best[0, 0]
    bend = (_column(slope), _column(best[0, 0] / slope))
    fit, some = _fitted_output("iris-petals-2-6-1", wide, petals), every(petals, 5)
    again = _fitted_output("iris-petals-2-6-1", wide, some)
    regression = (
        least_squares(thirty.x, thirty),
        fmpq_mat([[int(i == j) for j in range(3)] for i in range(3)]),
    )
    zero = (fmpq_mat(1, 1), fmpq_mat(1, 1))
    fitted = "best fit of the quadratic forms to the 150 flowers: a global minimum"
    return (
        _critical(
            "square-1-1-1",
            "printed",
            one,
            signs,
            minimum,
            "refuted",
            "the global minimum L = 25/17, degenerate by (u, w) -> (u/c^2, cw)",
        ),
        _critical(
            "square-1-2-1",
            "printed",
            two,
            signs,
            padded,
            "refuted",
            "the same minimum with a second unit at zero",
        ),
        _critical("iris-petals-2-6-1", "printed", wide, petals, fit, "refuted", fitted),
        _critical(
            "bent-1-1-1",
            "printed",
            bent,
            three,
            bend,
            "proved",
            "z + z^2 has no scaling: here it holds, L = 16/11",
        ),
        _critical(
            "saddle-1-1-1",
            "equilibria",
            Network.dense((1, 1, 1), linear),
            point,
            zero,
            "refuted",
            "(uw - 1)^2 at 0: a non-degenerate saddle",
        ),
        _critical(
            "strict-minimum-1-1-1",
            "equilibria",
            curve,
            valley,
            (fmpq_mat([[1, 0]]), _column(1)),
            "refuted",
            "3 parameters, 2 equations, a strict local minimum with L = 50",
        ),
        _zero_loss("teacher-iris-4-6-1", Network.dense((4, 6, 1), square), thirty),
        _zero_loss("teacher-iris-linear-4-2-3", gl, thirty),
        _zero_loss("teacher-iris-4-2-2-1", Network.dense((4, 2, 2, 1), square), thirty),
        _critical(
            "orbit-iris-petals-2-6-1", "orbit", wide, some, again, "proved", "six units scale", 6
        ),
        _critical(
            "orbit-iris-linear-4-3-3",
            "orbit",
            deep,
            thirty,
            regression,
            "proved",
            "the general linear group of the hidden layer has dimension 9",
            9,
        ),
    )


def _random_hessian(draw: Draw) -> Instance:
    if draw.choice((True, False)):
        network, data, a = _small(draw, 3)
        return _zero_loss("random", network, data, a)
    # U = 0 and targets orthogonal to all features: critical. For n = 1 the Hessian is
    # [[G, D], [D, 0]] with D diagonal, D_k = -2 sum_j y_j x_j rho'(w_k x_j).
    units = draw.integer(2, 3)
    # Where the features span all monomials of rho, and for homogeneous rho, every D_k is 0.
    samples, rho = draw.integer(units + 1, 2 * units - 1), draw.choice(_HUNTED)
    network = Network.dense((1, units, 1), rho)
    x = fmpq_mat(1, samples, [fmpq(j + 1) for j in range(samples)])
    first = draw.integer(1, 3)
    w = _column(*(first + k for k in range(units)))
    orthogonal = kernel(rho.applied(w * x)).basis.transpose().tolist()
    y = fmpq_mat([orthogonal[draw.integer(0, len(orthogonal) - 1)]])
    data, a = Dataset(x, y, None, "random"), (w, fmpq_mat(1, units))
    moved = jacobian(network, (w, fmpq_mat([[1] * units])), data)
    slopes = [sum((y[0, j] * moved[j, k] for j in range(samples)), fmpq(0)) for k in range(units)]
    found = all(slopes)
    note = "a non-degenerate saddle" if found else "the search found a degenerate one"
    expected = "refuted" if found else "proved"
    return _critical("random", "equilibria", network, data, a, expected, note)


DEGENERATE_MINIMA = Claim(
    id="degenerate-minima",
    title="Zero-loss points are degenerate by W - rank J; the others are as their symmetries say",
    source=poggio_liao("Proposition 1"),
    variants=(
        Variant(
            "printed",
            "a minimum of non-zero loss is not degenerate (read: critical, the Hessian regular)",
            r"\nabla L(A)=0,\ L(A)>0 \implies \det \nabla^2 L(A) \ne 0",
            (POLYNOMIAL, POSITIVE_LOSS),
            "nullity",
        ),
        Variant(
            "equilibria",
            "with more weights than equations every critical point is degenerate (our reading)",
            r"W > Nm,\ \nabla L(A)=0 \implies \det \nabla^2 L(A) = 0",
            (POLYNOMIAL, MORE_PARAMETERS),
            "nullity",
        ),
        Variant(
            "corrected",
            "at zero loss the nullity of the Hessian is W - rank J",
            r"L(A)=0 \implies \dim\ker \nabla^2 L(A) = W-\operatorname{rank} J(A)",
            (POLYNOMIAL, ZERO_LOSS),
            "nullity",
        ),
        Variant(
            "orbit",
            "at any critical point the nullity is at least the dimension of its symmetry orbit",
            r"\nabla L(A)=0 \implies \dim\ker \nabla^2 L(A) \ge \dim (G\cdot A)",
            (POLYNOMIAL,),
            "nullity",
        ),
    ),
    canonical=_hessians,
    random=_random_hessian,
    prover=lambda instance: ("rank", {}),
    erratum=Erratum(
        "non-zero local minima are usually not degenerate; and, a reading of ours, with more "
        "weights than equations every critical point is",
        "z^2, n = 1, data (1,1), (2,-1): the minimum L = 25/17 has nullity 1; and (uw - 1)^2 at 0 "
        "is a non-degenerate critical point with two weights and one equation",
        "at zero loss nullity W - rank J; elsewhere at least the dimension of the symmetry orbit",
    ),
)
