"""Weight symmetries: which weights represent one function, as an exact identity in all inputs."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.saddles import invertible
from theorylab.claims.shapes import (
    DENSE,
    LINEAR,
    attempt,
    every,
    poggio_liao,
    small_widths,
)
from theorylab.instances import Draw, Instance, Seeded, dataset, weights
from theorylab.kernel.statements import Statement, decode
from theorylab.model import Activation, Dataset, Network, Weights, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.path import theta_json
from theorylab.topology.symmetry import (
    basis_change,
    rebased,
    rescaled,
    same_function,
    unit_map,
)


def _pair(
    name: str,
    variant: str,
    network: Network,
    data: Dataset,
    a: Weights,
    b: Weights,
    expected: str = "proved",
    note: str = "",
) -> Instance:
    conclusion = {"kind": "same_function", "A": theta_json(a), "B": theta_json(b)}
    return Instance(name, variant, network, data, conclusion, a, b, expected, note)


def _other_bases(draw: Draw, network: Network, a: Weights) -> Weights:
    """Other bases of all hidden layers."""
    return rebased(a, [invertible(draw, width) for width in network.hidden])


def _other_units(draw: Draw, network: Network, a: Weights) -> Weights:
    """The hidden units in another order, each scaled as its activation allows; idle ones by 1."""
    orders, scales = [], []
    for layer in a[:-1]:
        table = layer.tolist()
        left = list(range(len(table)))
        order = [left.pop(draw.integer(0, len(left) - 1)) for _ in table]
        orders.append(order)
        scales.append([_scale(draw, network) if any(table[i]) else fmpq(1) for i in order])
    return rescaled(network, a, orders, scales)


def _scale(draw: Draw, network: Network) -> fmpq:
    """A scale under which the activation is homogeneous; 1 or -1, or 1, if it hardly is."""
    c = fmpq(draw.integer(1, 4), draw.integer(1, 3))
    degrees = network.activation.degrees
    if degrees is None:
        return c
    sign = draw.choice((1, -1)) if len({i % 2 for i in degrees}) == 1 else 1
    return sign * c if len(degrees) == 1 else fmpq(sign)


_CUBIC = Activation.parse({"polynomial": ["0", "2", "0", "-1/3"]})


def _instances() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    fifth = every(iris, 5)
    one = Dataset.from_rows([[1]], [[1]], name="one point")
    plane = Dataset.from_rows([[1, 0], [0, 1]], [[1], [1]], name="two axes")
    made = []
    for variant, shape, activation, bias, data in (
        ("printed", (4, 6, 5, 3), "linear", False, iris),
        ("printed", (13, 4, 5, 4, 3), "linear", True, wine),
        ("units", (4, 8, 3), "relu", True, iris),
        ("units", (4, 6, 5, 3), "relu", (True, True, False), fifth),
        ("units", (4, 5, 4, 3), "square", False, fifth),
        ("units", (4, 6, 3), _CUBIC, False, fifth),
        ("any-activation", (4, 3, 3), "relu", False, fifth),
    ):
        network = Network.dense(shape, activation, bias)
        kind = network.activation.kind
        name = f"{kind.replace('_', '-')}-{data.name.split()[0]}-{'-'.join(map(str, shape))}"
        draw = Seeded(f"{variant} {name}")
        a = weights(draw, network, 3, degenerate=False)
        other = _other_units if variant == "units" else _other_bases
        b = other(draw, network, a)
        expected = "refuted" if variant == "any-activation" else "proved"
        name = f"{'bases' if variant != 'units' else 'units'}-{name}"
        made.append(_pair(name, variant, network, data, a, b, expected))
    w, u = fmpq_mat([[1, 2], [3, -1]]), fmpq_mat([[1, 1]])
    turn = fmpq_mat([[fmpq(3, 5), fmpq(4, 5)], [fmpq(-4, 5), fmpq(3, 5)]])
    twins = fmpq_mat([[1], [5]]), fmpq_mat([[2, 0]])
    split = fmpq_mat([[1], [1]]), fmpq_mat([[3, -1]])
    made += [
        _pair("rotation-square-2-2-1", "larger", Network.dense((2, 2, 1), "square"), plane,
              (w, u), (turn * w, u), note="sum (w_k.x)^2 is invariant under rotations of W"),
        _pair("twins-relu-1-2-1", "larger", Network.dense((1, 2, 1), "relu"), one, twins, split,
              note="a unit and a dead one against two twins"),
    ]  # fmt: skip
    return tuple(made)


def _random(draw: Draw) -> Instance:
    variant = draw.choice(("units", "printed"))
    linear = variant == "printed"
    widths = small_widths(draw, draw.integer(2, 4), 1, 3)
    kinds: tuple[Activation | str, ...] = ("relu", "abs", "square", "cube", "step", _CUBIC)
    network = Network.dense(
        widths, "linear" if linear else draw.choice(kinds), not linear and draw.integer(0, 1) == 1
    )
    a = weights(draw, network)
    b = _other_bases(draw, network, a) if linear else _other_units(draw, network, a)
    return _pair("random", variant, network, dataset(draw, network.n, network.m, 2), a, b)


def _bases_of_units(draw: Draw) -> Instance:
    """A change of basis in the hidden layers of a network that is not linear."""
    widths = small_widths(draw, draw.integer(3, 4), 1, 3)
    kinds: tuple[Activation | str, ...] = ("square", "relu", "abs", "cube", "step", _CUBIC)
    network = Network.dense(widths, draw.choice(kinds))
    a = weights(draw, network)
    b = _other_bases(draw, network, a)
    return _pair("search", "printed", network, dataset(draw, network.n, network.m, 1), a, b)


def _compare(instance: Instance) -> Proof | Undecided:
    assert instance.b is not None
    return attempt(same_function(instance.network, instance.a, instance.b))


def _said(statement: Statement) -> tuple[Network, Weights, Weights]:
    """The network and the two points of a statement, as the provers hold them."""
    told = decode(statement.text)["network"]
    network = Network.with_pattern(
        told["widths"], told["activation"], told["pattern"], told["bias"], told["output"]
    )
    a, b = (
        tuple(
            fmpq_mat([[fmpq(v, layer.den) for v in row] for row in layer.rows]) for layer in point
        )
        for point in (statement.conclusion.points[end] for end in "AB")
    )
    return network, a, b


def _by_bases(statement: Statement) -> bool:
    _, a, b = _said(statement)
    return basis_change(a, b) is not None


def _by_units(statement: Statement) -> bool:
    return not isinstance(unit_map(*_said(statement), one_to_one=True), Undecided)


def _not_by_units(statement: Statement) -> bool:
    return not _by_units(statement)


WEIGHT_SYMMETRY = Claim(
    id="weight-symmetry",
    title="Symmetries of the weights: the function stays the same, for all inputs",
    source=poggio_liao("symmetries of the weights"),
    variants=(
        Variant(
            "printed",
            "linear network: W_k -> U_k W_k U_{k-1}^-1, b_k -> U_k b_k with invertible U_k does "
            "not change the function",
            r"\Phi(\cdot;(U_kW_kU_{k-1}^{-1},U_kb_k)_k) = \Phi(\cdot;\theta),\ U_k\in GL(n_k)",
            (LINEAR,),
            "same_function",
            _by_bases,
        ),
        Variant(
            "units",
            "hidden units permuted, and scaled by c with rho(cz) = h(c) rho(z) while what reads "
            "them is divided by h(c): the function does not change",
            r"\rho(cz) = h(c)\rho(z) \implies \Phi(\cdot;(D_kP_kW_kP_{k-1}^{T}h(D_{k-1})^{-1})_k)"
            r" = \Phi(\cdot;\theta)",
            (DENSE,),
            "same_function",
            _by_units,
        ),
        Variant(
            "larger",
            "weights that no permutation and scaling of units relates may have the same function",
            r"\Phi(\cdot;A) = \Phi(\cdot;B),\ B \ne DP\cdot A",
            (DENSE,),
            "same_function",
            _not_by_units,
        ),
        Variant(
            "any-activation",
            "W_k -> U_k W_k U_{k-1}^-1, b_k -> U_k b_k does not change the function, whatever the "
            "activation",
            r"\Phi(\cdot;(U_kW_kU_{k-1}^{-1},U_kb_k)_k) = \Phi(\cdot;\theta)"
            r"\ \text{for every}\ \rho",
            (DENSE,),
            "same_function",
            _by_bases,
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_compare,
    searches={"linear": _bases_of_units},
    erratum=Erratum(
        "the U_k in GL(n_k) read as symmetries of every network",
        "ReLU, 4-3-3: a change of basis that is no scaled permutation, and an input that tells",
        "bases for linear networks; permutations and scalings that the activation allows otherwise",
    ),
)
