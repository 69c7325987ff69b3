"""Scalar quadratic networks: U rho(W x), rho(z) = z^2, sharp in the width and d = rank X."""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR_OUTPUT,
    NO_BIAS,
    ONE_HIDDEN,
    SQUARE,
    attempt,
    descent,
    every,
    fitted_pair,
    freeman_bruna,
    pair,
    proved_descent,
    proved_joined,
    restricted,
    venturi,
    width,
)
from theorylab.instances import Draw, Instance, Seeded, dataset, structured_dataset, weights
from theorylab.model import Dataset, Network, Weights, load_dataset
from theorylab.outcome import Source, Undecided
from theorylab.topology.barrier import weak_minimum_of_squares
from theorylab.topology.quadratic.forms import Forms, quadratic_setting
from theorylab.topology.quadratic.inertia import (
    components_at_full_width,
    descends_by_inertia,
    joined_by_inertia,
)
from theorylab.topology.quadratic.paths import connect_scalar_quadratic, descend_scalar_quadratic

_SCALAR = Hypothesis.of("scalar-output", "there is one output", kind="scalar_output")
_SETTING = (SQUARE, ONE_HIDDEN, DENSE, NO_BIAS, LINEAR_OUTPUT, _SCALAR)
# a longer path is left to the lemma: checking it would take too long
_MOST_SEGMENTS = 150
_OURS = "the sharp width is ours; see Arjevani et al., arXiv 2501.06074, before calling it new"


def _square(*widths: int) -> Network:
    return Network.dense(widths, "square")


def _iris(inputs: tuple[int, ...], target: int, step: int) -> Dataset:
    data = restricted(load_dataset("iris"), "iris", inputs, (target,))
    return data if step == 1 else every(data, step)


_AXES = Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]], name="two axes")
_DEFINITE = Dataset.from_rows(
    [[1, 0], [0, 1], [1, 1], [1, -1]], [[1], [1], [2], [2]], name="the form I"
)


def _minimum(name: str, network: Network, data: Dataset, note: str = "") -> Instance:
    found = weak_minimum_of_squares(network, data)
    if isinstance(found, Undecided):
        raise RuntimeError(f"no weak minimum for this instance: {found}")
    a = tuple(fmpq_mat([[fmpq(v) for v in row] for row in m]) for m in found.conclusion["A"])
    return Instance(name, "printed", network, data, found.conclusion, a, None, "refuted", note)


def _descent(name: str, network: Network, data: Dataset, a: Weights, note: str = "") -> Instance:
    """The conclusion that a descends to the least-squares form, which d units can have."""
    found = descends_by_inertia(network, data, a)
    if isinstance(found, Undecided):
        raise RuntimeError(f"no minimum for this instance: {found}")
    v = fmpq(found.conclusion["v"])
    return descent(name, "corrected", network, data, a, v, note=note)


def _descents() -> tuple[Instance, ...]:
    iris, petals = _iris((0, 1, 2, 3), 0, 5), _iris((2, 3), 2, 5)
    negative = Dataset.from_rows([[1]], [[-1]], name="one point")
    found = [
        _minimum("plateau-1-2-1", _square(1, 2, 1), negative, "L = (u.w^2 + 1)^2 at w = 0"),
        _minimum("plateau-iris-petals-2-4-1", _square(2, 4, 1), petals, "all hidden weights 0"),
    ]
    for p, note in ((8, "a path: p >= 2 rank X"), (4, "by lemma: p = rank X")):
        network = _square(4, p, 1)
        start = weights(Seeded(f"iris 4-{p}-1"), network, 2, degenerate=False)
        found.append(_descent(f"iris-4-{p}-1", network, iris, start, note))
    plateau = (fmpq_mat(2, 2), fmpq_mat([[1, 1]]))
    found.append(_descent("axes-2-2-1", _square(2, 2, 1), _AXES, plateau, "from W = 0"))
    return tuple(found)


def _random_descent(draw: Draw) -> Instance:
    n = draw.integer(1, 3)
    network = _square(n, draw.integer(n, 2 * n + 1), 1)
    data = dataset(draw, n, 1, draw.integer(n, n * (n + 1) // 2 + 2))
    a = weights(draw, network)
    if not any(data.x.entries()):
        return descent("random", "corrected", network, data, a, data.gram(data.y)[0, 0])
    return _descent("random", network, data, a)


def _descend(instance: Instance) -> Proof | Undecided:
    if instance.variant == "printed":
        return attempt(weak_minimum_of_squares(instance.network, instance.data, instance.a))
    found = descend_scalar_quadratic(instance.network, instance.data, instance.a)
    if isinstance(found, Undecided):
        return attempt(descends_by_inertia(instance.network, instance.data, instance.a))
    return proved_descent(instance, found)


def _pairs() -> tuple[Instance, ...]:
    iris = _iris((0, 1, 2, 3), 0, 5)
    petals = replace(_iris((2, 3), 2, 5), name="iris petals 1/5")
    lines = fmpq_mat([[1], [2]]) * fmpq_mat([petals.x.tolist()[0]])
    flat = replace(petals, x=lines, name="iris on a line")
    return (
        fitted_pair("iris-4-9-1", "printed", _square(4, 9, 1), iris, 1, note="p = 2n + 1"),
        fitted_pair("iris-4-8-1", "corrected", _square(4, 8, 1), iris, 1, note="a path, p = 2n"),
        fitted_pair(
            "iris-petals-2-3-1", "corrected", _square(2, 3, 1), petals, 1, note="p = rank X + 1"
        ),
        fitted_pair("iris-4-5-1", "corrected", _square(4, 5, 1), iris, 1, note="by lemma"),
        fitted_pair("iris-line-2-2-1", "corrected", _square(2, 2, 1), flat, 1, note="rank X = 1"),
    )


def _random_pair(draw: Draw) -> Instance:
    n = draw.integer(1, 3)
    network = _square(n, draw.integer(n + 1, 2 * n + 1), 1)
    data = dataset(draw, n, 1, draw.integer(n, n * (n + 1) // 2 + 2))
    a, b = weights(draw, network), weights(draw, network)
    return pair("random", "corrected", network, data, a, b)


def _grid_data(n: int, draw: Draw) -> Dataset:
    return structured_dataset(draw, n, 1, n * (n + 1) // 2)


def _grid_pair(n: int, p: int, draw: Draw) -> Instance:
    network, data = _square(n, p, 1), _grid_data(n, draw)
    return pair("grid", "corrected", network, data, weights(draw, network), weights(draw, network))


def _grid_descent(n: int, p: int, draw: Draw) -> Instance:
    """A start anywhere; the bound is that of the best form, which d units can have."""
    network, data = _square(n, p, 1), _grid_data(n, draw)
    a = weights(draw, network)
    setting = quadratic_setting(network, data)
    least = data.gram(data.y)[0, 0]
    if not isinstance(setting, Undecided) and setting.d:
        least = Forms(setting, data).least
    return descent("grid", "corrected", network, data, a, least)


def _connect(instance: Instance) -> Proof | Undecided:
    network, data, a, b = instance.network, instance.data, instance.a, instance.b
    assert b is not None
    path = connect_scalar_quadratic(network, data, a, b)
    if isinstance(path, Undecided) or path.segments > _MOST_SEGMENTS:
        level = fmpq(instance.conclusion["u"])
        return attempt(joined_by_inertia(network, data, a, b, level))
    return proved_joined(instance, path)


def _counted(
    name: str, widths: tuple[int, ...], data: Dataset, u: fmpq, number: int, note: str = ""
) -> Instance:
    network = _square(*widths)
    zero = tuple(fmpq_mat(*network.shape(k)) for k in (1, 2))
    conclusion = {"kind": "components", "u": str(u), "at_least": number, "at_most": number}
    return Instance(name, "corrected", network, data, conclusion, zero, note=note)


def _counts() -> tuple[Instance, ...]:
    one = Dataset.from_rows([[1]], [[1]], name="one point")
    petals = replace(_iris((2, 3), 0, 1), name="iris petals, setosa")
    iris = replace(_iris((0, 1, 2, 3), 0, 1), name="iris, setosa")
    below = "above the minimum, below every singular form"
    return (
        _counted("one-1-1-1", (1, 1, 1), one, fmpq(1, 2), 2, "L = (u w^2 - 1)^2 below 1"),
        _counted("one-1-1-1-above", (1, 1, 1), one, fmpq(1), 1, "u = 0 has L = 1"),
        _counted("axes-2-2-1", (2, 2, 1), _AXES, fmpq(9, 10), 8, "two data, eight components"),
        _counted("axes-2-2-1-above", (2, 2, 1), _AXES, fmpq(1), 1, "diag(1, 0) has L = 1"),
        _counted("axes-2-3-1", (2, 3, 1), _AXES, fmpq(9, 10), 1, "one unit more"),
        _counted("definite-2-2-1", (2, 2, 1), _DEFINITE, fmpq(8, 5), 2, "below 5/3"),
        _counted("definite-2-2-1-above", (2, 2, 1), _DEFINITE, fmpq(5, 3), 1, "at 5/3"),
        _counted("iris-petals-2-2-1", (2, 2, 1), petals, fmpq(33), 8, below),
        _counted("iris-4-4-1", (4, 4, 1), iris, fmpq(207, 100), 24, below),
        _counted("iris-4-6-1", (4, 6, 1), iris, fmpq(207, 100), 1, "p > rank X"),
    )


def _random_count(draw: Draw) -> Instance:
    n = draw.integer(1, 2)
    points = [[int(i == j) for j in range(n)] for i in range(n)]
    targets = [[draw.choice((1, -1)) * draw.integer(1, 3)] for _ in range(n)]
    data, p = Dataset.from_rows(points, targets, name="axes"), n + draw.integer(0, 1)
    found = components_at_full_width(_square(n, p, 1), data)
    if isinstance(found, Undecided):
        raise RuntimeError(f"no count for this instance: {found}")
    u, number = fmpq(found.conclusion["u"]), found.conclusion["at_least"]
    return _counted("random", (n, p, 1), data, u, number)


def _count(instance: Instance) -> Proof | Undecided:
    level = fmpq(instance.conclusion["u"])
    return attempt(components_at_full_width(instance.network, instance.data, level))


SCALAR_QUADRATIC_DESCENT = Claim(
    id="scalar-quadratic-descent",
    title="Scalar quadratic networks as wide as the rank of the inputs have no spurious valley",
    source=freeman_bruna("later slides: quadratic networks, M >= 2N"),
    variants=(
        Variant(
            "printed",
            "for rho(z) = z^2, one output and p >= 2n, no local minimum is poor",
            r"\rho(z)=z^2,\ m=1,\ p \ge 2n \implies \text{no poor local minima}",
            (*_SETTING, width("wide", "p >= 2n", ">=", "2n")),
            "not_poor_minimum",
        ),
        Variant(
            "corrected",
            "for rho(z) = z^2, one output and p >= rank X, a path that never rises leads from "
            "every point to a global minimum",
            r"\rho(z)=z^2,\ m=1,\ p \ge \operatorname{rank} X \implies \text{no spurious valley}",
            (*_SETTING, width("wide", "p >= rank X", ">=", "rank X")),
            "descends",
        ),
    ),
    canonical=_descents,
    random=_random_descent,
    prover=_descend,
    grids={"n-p-1": _grid_descent},
    erratum=Erratum(
        "p >= 2n: no poor local minima",
        "z^2, p = 2, X = 1, Y = -1 at W = 0, U = (1, 1): a weak local minimum with L = 1",
        f"p >= rank X: no spurious valley ({_OURS})",
    ),
)

SCALAR_QUADRATIC_CONNECTED = Claim(
    id="scalar-quadratic-connected",
    title="Scalar quadratic networks wider than the rank of the inputs: connected sublevel sets",
    source=venturi("quadratic networks, p >= 2n + 1"),
    variants=(
        Variant(
            "printed",
            "for rho(z) = z^2, one output and p >= 2n + 1, every sublevel set is connected",
            r"\rho(z)=z^2,\ m=1,\ p \ge 2n+1 \implies N_u = 1 \text{ for all } u",
            (*_SETTING, width("wide", "p >= 2n + 1", ">=", "2n+1")),
            "joined",
        ),
        Variant(
            "corrected",
            "for rho(z) = z^2, one output and p >= rank X + 1, every sublevel set is connected",
            r"\rho(z)=z^2,\ m=1,\ p > \operatorname{rank} X \implies N_u = 1 \text{ for all } u",
            (*_SETTING, width("wide", "p >= rank X + 1", ">=", "rank X + 1")),
            "joined",
        ),
    ),
    canonical=_pairs,
    random=_random_pair,
    prover=_connect,
    grids={"n-p-1": _grid_pair},
    erratum=Erratum(
        "p >= 2n + 1 is needed",
        "true but loose: no instance refutes it",
        f"p >= rank X + 1 suffices, and p = rank X does not ({_OURS})",
    ),
)

SCALAR_QUADRATIC_COMPONENTS = Claim(
    id="scalar-quadratic-components",
    title="Scalar quadratic networks: how many components a sublevel set has at p = rank X",
    source=Source((), f"theorylab, proofs/scalar-quadratic-components: {_OURS}", 2026, "Theorem 1"),
    variants=(
        Variant(
            "corrected",
            "for rho(z) = z^2, one output and p >= rank X = d, a non-empty {L <= u} has one "
            "component if p > d or if a form of rank < d lies in it, else 2 or 4 C(d, a), as the "
            "a positive eigenvalues of its forms are all or none of d, or not",
            r"\rho(z)=z^2,\ m=1,\ p = \operatorname{rank} X = d \implies "
            r"N_u \in \{1, 2, 4\tbinom{d}{a}\}",
            (*_SETTING, width("wide", "p >= rank X", ">=", "rank X")),
            "components",
        ),
    ),
    canonical=_counts,
    random=_random_count,
    prover=_count,
)
