"""Networks wide enough for the feature space of the data: Venturi, Bandeira & Bruna, and deeper."""

from __future__ import annotations

from collections.abc import Callable

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR_OUTPUT,
    NO_BIAS,
    ONE_HIDDEN,
    POLYNOMIAL,
    attempt,
    descent,
    every,
    fitted_pair,
    join_any_depth,
    pair,
    proved_descent,
    proved_joined,
    restricted,
    small_widths,
    venturi,
    width,
)
from theorylab.instances import (
    Draw,
    Instance,
    Seeded,
    dataset,
    one_target_each,
    structured_dataset,
    weights,
)
from theorylab.model import Activation, Dataset, Loss, Network, Weights, load_dataset
from theorylab.outcome import Source, Undecided
from theorylab.topology.barrier import trapped_by_constant_term
from theorylab.topology.exact_algebra import least_squares, trace
from theorylab.topology.feature_space import feature_dimension
from theorylab.topology.lifted import connect_by_exchange, descend_finite_dimension

ACTIVATIONS = (
    Activation("square"),
    Activation("relu"),
    Activation("polynomial", (fmpq(1), fmpq(1), fmpq(1))),
    Activation("leaky_relu", (fmpq(1, 10),)),
    Activation("abs"),
    Activation("polynomial", (fmpq(0), fmpq(1), fmpq(0), fmpq(2))),
    Activation("cube"),
    Activation("step"),
)


def _minimum(network: Network, data: Dataset) -> fmpq:
    """The global minimum of a network wide enough for its feature space, by exact descent."""
    zero = tuple(fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1))
    found = descend_finite_dimension(network, data, zero)
    if isinstance(found, Undecided):
        raise RuntimeError(f"no global minimum for this instance: {found}")
    return found.value


def _descent_from(
    name: str, variant: str, network: Network, data: Dataset, a: Weights, note: str = ""
) -> Instance:
    return descent(name, variant, network, data, a, _minimum(network, data), note=note)


def _descend(instance: Instance) -> Proof | Undecided:
    found = descend_finite_dimension(instance.network, instance.data, instance.a)
    return proved_descent(instance, found)


def _start(name: str, network: Network) -> Weights:
    return weights(Seeded(f"start of {name}"), network, 2, degenerate=False)


def _descents() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    thirty = every(iris, 5)
    made = []
    for name, network, data in (
        ("iris-square-4-10-3", Network.dense((4, 10, 3), "square"), iris),
        ("iris-relu-4-30-3", Network.dense((4, 30, 3), "relu"), thirty),
        ("iris-relu-4-149-3", Network.dense((4, 149, 3), "relu"), iris),
        ("iris-step-bias-4-30-3", Network.dense((4, 30, 3), "step", (True, False)), thirty),
    ):
        made.append(_descent_from(name, "printed", network, data, _start(name, network)))
    valley = Dataset.from_rows([[1], [-2], [3]], [[-1], [-1], [-4]], name="negative targets")
    flat = (fmpq_mat([[0], [0]]), fmpq_mat([[1, 1]]))
    network = Network.dense((1, 2, 1), "square")
    note = "starts at a weak poor local minimum and descends all the same: a plateau is no valley"
    made.append(_descent_from("out-of-a-plateau-1-2-1", "printed", network, valley, flat, note))
    return tuple(made)


def _random_descent(draw: Draw) -> Instance:
    n, m, samples = draw.integer(1, 2), draw.integer(1, 2), draw.integer(1, 6)
    data = dataset(draw, n, m, samples)
    activation = draw.choice(ACTIVATIONS)
    q = max(1, feature_dimension(Network.dense((n, 1, m), activation), data)[0])
    network = Network.dense((n, q, m), activation)
    return _descent_from("random", "printed", network, data, weights(draw, network))


def _pairs() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    return (
        fitted_pair("iris-square-4-20-3", "printed", Network.dense((4, 20, 3), "square"), iris, 1),
        fitted_pair(
            "iris-relu-4-60-3", "printed", Network.dense((4, 60, 3), "relu"), every(iris, 5), 1
        ),
        fitted_pair(
            "wine-leaky-13-12-3",
            "corrected",
            Network.dense((13, 12, 3), ACTIVATIONS[3]),
            wine,
            1,
            6,
            "six live units in each network: rank H_A + rank H_B = 12, far below 2q",
        ),
        fitted_pair(
            "iris-square-4-11-3",
            "sharp",
            Network.dense((4, 11, 3), "square"),
            iris,
            1,
            note="q = 10, one unit more",
        ),
    )


def _join(instance: Instance) -> Proof | Undecided:
    """By the ranks at both ends, which needs no search for rows; else by exchange of units."""
    found = join_any_depth(instance)
    if not isinstance(found, Undecided):
        return found
    assert instance.b is not None
    path = connect_by_exchange(instance.network, instance.data, instance.a, instance.b)
    return found if isinstance(path, Undecided) else proved_joined(instance, path)


def _random_pair(draw: Draw) -> Instance:
    n, m, samples = draw.integer(1, 2), draw.integer(1, 2), draw.integer(1, 5)
    data = dataset(draw, n, m, samples)
    activation = draw.choice(ACTIVATIONS)
    q = feature_dimension(Network.dense((n, 1, m), activation), data)[0]
    variant, p = draw.choice((("printed", max(1, 2 * q)), ("sharp", q + 1)))
    network = Network.dense((n, p, m), activation)
    return pair("random", variant, network, data, weights(draw, network), weights(draw, network))


def _grid_pair(activation: Activation) -> Callable[[int, int, Draw], Instance]:
    """Pairs on n-p-3; fewer than q + 1 units are too few for some data."""

    def at(n: int, p: int, draw: Draw) -> Instance:
        network = Network.dense((n, p, 3), activation)
        few = draw.choice((True, False))
        data = one_target_each(draw, n, 3, p) if few else structured_dataset(draw, n, 3, n + 2)
        a, b = weights(draw, network), weights(draw, network)
        return pair("grid", "sharp", network, data, a, b)

    return at


def _deep_pairs() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    thirty = every(iris, 5)
    return (
        fitted_pair(
            "iris-relu-bias-4-12-12-3",
            "corrected",
            Network.dense((4, 12, 12, 3), "relu", True),
            thirty,
            1,
            6,
            "two hidden layers with biases, six live units in each",
        ),
        fitted_pair(
            "wine-abs-13-8-8-8-3",
            "corrected",
            Network.dense((13, 8, 8, 8, 3), "abs"),
            every(wine, 4),
            1,
            4,
            "three hidden layers",
        ),
        fitted_pair(
            "iris-step-bias-4-16-16-3",
            "corrected",
            Network.dense((4, 16, 16, 3), "step", True),
            thirty,
            1,
            8,
            "a discontinuous activation",
        ),
        fitted_pair(
            "iris-cubic-4-8-8-3",
            "corrected",
            Network.dense((4, 8, 8, 3), ACTIVATIONS[5]),
            every(iris, 30),
            1,
            4,
        ),
        fitted_pair(
            "iris-relu-bias-4-11-11-3",
            "sharp",
            Network.dense((4, 11, 11, 3), "relu", True),
            every(iris, 15),
            1,
            note="ten samples, two hidden layers of eleven units",
        ),
    )


def _random_deep_pair(draw: Draw) -> Instance:
    n, m, samples = draw.integer(1, 2), draw.integer(1, 2), draw.integer(1, 4)
    data = dataset(draw, n, m, samples, 2)
    variant, low = draw.choice((("corrected", 2 * samples), ("sharp", samples + 1)))
    hidden = small_widths(draw, draw.integer(1, 2), low, low + 1)
    network = Network.dense((n, *hidden, m), draw.choice(ACTIVATIONS), draw.choice((False, True)))
    a, b = weights(draw, network, 2), weights(draw, network, 2)
    return pair("random", variant, network, data, a, b)


def _polynomial_widths() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    full = Activation("polynomial", (fmpq(1), fmpq(1), fmpq(1)))
    odd = Activation("polynomial", (fmpq(0), fmpq(1), fmpq(1)))
    made = []
    for name, variant, network, note in (
        ("iris-4-14-3", "printed", Network.dense((4, 14, 3), odd), "a_0 = 0: the bounds agree"),
        ("iris-4-15-3", "corrected", Network.dense((4, 15, 3), full), "a_0 = 1: 1 + 4 + 10"),
    ):
        made.append(_descent_from(name, variant, network, iris, _start(name, network), note))
    return (*made, *_trapped())


def _trapped() -> tuple[Instance, ...]:
    """The erratum: with a_0 != 0 the printed sum leaves the constants out."""
    network = Network.dense((1, 1, 1), Activation("polynomial", (fmpq(1), fmpq(1))))
    small = Dataset.from_rows([[1], [-1]], [[4], [-2]], name="two points")
    petal = every(restricted(load_dataset("iris"), "petal length", (2,), (2,)), 5)
    made = []
    for name, data in (("constant-term-1-1-1", small), ("iris-constant-term-1-1-1", petal)):
        a, v = _behind_the_wall(network, data)
        made.append(descent(name, "printed", network, data, a, v, expected="refuted", note=_VALLEY))
    return tuple(made)


_VALLEY = "the start lies in a spurious valley: no path leaves it without rising"


def _behind_the_wall(network: Network, data: Dataset) -> tuple[Weights, fmpq]:
    """A point whose component has no global minimiser, and the global minimum."""
    loss = Loss(network, data)
    for sign in (1, -1):
        # close to the wall W_2 = 0 the constant is nearly 0, and the slope is at its best
        outer = fmpq(-sign, 10)
        slope = least_squares(data.x, data)[0, 0]
        a = (fmpq_mat([[fmpq(round(slope / outer * 100), 100)]]), fmpq_mat([[outer]]))
        energy = trace(data.gram(data.y))
        found = trapped_by_constant_term(network, data, a, (loss(a) + energy) / 2)
        if not isinstance(found, Undecided):
            network_2 = Network.dense((1, 2, 1), network.activation)
            return a, _minimum(network_2, data)
    raise RuntimeError("no trapped point on these data")


def _descend_or_trap(instance: Instance) -> Proof | Undecided:
    found = _descend(instance)
    if not isinstance(found, Undecided):
        return found
    loss, data = instance.loss, instance.data
    level = (loss(instance.a) + trace(data.gram(data.y))) / 2
    trap = attempt(trapped_by_constant_term(instance.network, data, instance.a, level))
    return found if isinstance(trap, Undecided) else trap


def _random_polynomial_width(draw: Draw) -> Instance:
    n, samples = draw.integer(1, 2), draw.integer(1, 6)
    data = dataset(draw, n, 1, samples)
    coefficients = (draw.integer(0, 1), draw.integer(0, 1), draw.integer(1, 2))
    activation = Activation("polynomial", tuple(map(fmpq, coefficients)))
    sizes = (1, n, n * (n + 1) // 2)
    p = sum(size for size, a in zip(sizes, coefficients, strict=True) if a)
    network = Network.dense((n, p, 1), activation)
    return _descent_from("random", "corrected", network, data, weights(draw, network))


_ONE_LAYER = (ONE_HIDDEN, DENSE, LINEAR_OUTPUT)

FINITE_DIMENSION_DESCENT = Claim(
    id="finite-dimension-descent",
    title="Width p >= q leaves no spurious valley (one hidden layer, any activation)",
    source=venturi("Theorem 5"),
    variants=(
        Variant(
            "printed",
            "one hidden layer of width p >= q = dim span of the features on the data: from every "
            "point a path that never rises leads to a global minimum",
            r"p \ge q = \dim\operatorname{span}\{\rho(wX)\} \implies "
            r"\text{no spurious valley}",
            (*_ONE_LAYER, width("wide", "p >= q", ">=", "q")),
            "descends",
        ),
    ),
    canonical=_descents,
    random=_random_descent,
    prover=_descend,
)

FINITE_DIMENSION_CONNECTED = Claim(
    id="finite-dimension-connected",
    title="Width p >= 2q makes every sublevel set connected (one hidden layer)",
    source=venturi("Theorem 5"),
    variants=(
        Variant(
            "printed",
            "one hidden layer of width p >= 2q: every sublevel set is connected",
            r"p \ge 2q \implies N_u = 1 \text{ for all } u",
            (*_ONE_LAYER, width("wide", "p >= 2q", ">=", "2q")),
            "joined",
        ),
        Variant(
            "corrected",
            "one hidden layer of width p >= rank H_A + rank H_B: A and B are joined in every "
            "sublevel set that contains both",
            r"p \ge \operatorname{rank} H_A + \operatorname{rank} H_B \implies "
            r"A \sim B \text{ in } \Omega_{\max(L(A),L(B))}",
            (
                *_ONE_LAYER,
                width("wide", "p >= rank H_A + rank H_B", ">=", "r(A)+r(B)"),
            ),
            "joined",
        ),
        Variant(
            "sharp",
            "one hidden layer of width p >= q + 1: every sublevel set is connected (compare "
            "Nguyen, Brechet & Mondelli 2021 before calling it new)",
            r"p \ge q + 1 \implies N_u = 1 \text{ for all } u",
            (*_ONE_LAYER, width("wide", "p >= q + 1", ">=", "q+1")),
            "joined",
        ),
    ),
    canonical=_pairs,
    random=_random_pair,
    prover=_join,
    grids={
        "n-p-3 square": _grid_pair(ACTIVATIONS[0]),
        "n-p-3 relu": _grid_pair(ACTIVATIONS[1]),
        "n-p-3 cube": _grid_pair(ACTIVATIONS[6]),
    },
    erratum=Erratum(
        '"no poor local minima" at p >= 2q',
        "connected-implies-no-poor-minima",
        "no spurious valley, one global valley; weak poor local minima exist at every width",
    ),
)

ANY_DEPTH_CONNECTED = Claim(
    id="any-depth-connected",
    title="Any depth, any activation: widths r_k(A) + r_k(B) join A and B",
    source=Source(("theorylab authors",), "Any-depth connectivity by feature ranks", 2026, "C7"),
    variants=(
        Variant(
            "corrected",
            "any depth, any activation, biases or not: if p_k >= r_k(A) + r_k(B) in every hidden "
            "layer, A and B are joined in every sublevel set that contains both",
            r"p_k \ge r_k(A) + r_k(B)\ (0<k<K) \implies "
            r"A \sim B \text{ in } \Omega_{\max(L(A),L(B))}",
            (
                DENSE,
                LINEAR_OUTPUT,
                width("wide", "p_k >= r_k(A) + r_k(B)", ">=", "r(A)+r(B)"),
            ),
            "joined",
        ),
        Variant(
            "sharp",
            "any depth, any activation, biases or not: if p_k >= N + 1 in every hidden layer, N "
            "distinct inputs, every sublevel set is connected (compare Nguyen, Brechet & Mondelli "
            "2021 before calling it new)",
            r"p_k \ge N + 1\ (0<k<K) \implies N_u = 1 \text{ for all } u",
            (DENSE, LINEAR_OUTPUT, width("wide", "p_k >= N + 1", ">=", "N+1")),
            "joined",
        ),
    ),
    canonical=_deep_pairs,
    random=_random_deep_pair,
    prover=_join,
)

POLYNOMIAL_WIDTH = Claim(
    id="polynomial-width",
    title="Polynomial activations: the width that leaves no spurious valley",
    source=venturi("Corollary 6"),
    variants=(
        Variant(
            "printed",
            "rho = sum a_i z^i and p >= sum over i >= 1 with a_i != 0 of C(n+i-1, i): no spurious "
            "valley",
            r"p \ge \sum_{i\ge 1,\,a_i\ne 0}\tbinom{n+i-1}{i} \implies "
            r"\text{no spurious valley}",
            (
                POLYNOMIAL,
                *_ONE_LAYER,
                NO_BIAS,
                width("wide", "p >= sum over i >= 1", ">=", "monomials from 1"),
            ),
            "descends",
        ),
        Variant(
            "corrected",
            "rho = sum a_i z^i and p >= sum over i >= 0 with a_i != 0 of C(n+i-1, i): no spurious "
            "valley",
            r"p \ge \sum_{i\ge 0,\,a_i\ne 0}\tbinom{n+i-1}{i} \implies "
            r"\text{no spurious valley}",
            (
                POLYNOMIAL,
                *_ONE_LAYER,
                NO_BIAS,
                width("wide", "p >= sum over i >= 0", ">=", "monomials from 0"),
            ),
            "descends",
        ),
    ),
    canonical=_polynomial_widths,
    random=_random_polynomial_width,
    prover=_descend_or_trap,
    erratum=Erratum(
        "the sum starts at i = 1",
        "n = 1, rho = 1 + z, p = 1, X = (1, -1), Y = (4, -2): a spurious valley for 2 < u < 20",
        "the sum starts at i = 0 when a_0 != 0",
    ),
)
