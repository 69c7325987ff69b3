"""How many functions a polynomial network represents: filling or defective neurovarieties."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

from flint import fmpq

from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.shapes import DENSE, LINEAR_OUTPUT, NO_BIAS, POLYNOMIAL, restricted
from theorylab.instances import Draw, Instance, Seeded, weights
from theorylab.kernel.statements import Statement
from theorylab.model import Activation, Dataset, Network, Weights, load_dataset
from theorylab.outcome import Source, Undecided
from theorylab.topology.exact_algebra import rank
from theorylab.topology.jacobian import jacobian
from theorylab.topology.neurovariety import (
    parameter_count_dimension,
    proof_of_dimension,
    waring_dimension,
)
from theorylab.topology.path import theta_json

_TRIES = 24
_POWERS = {2: Activation("square"), 3: Activation("cube")}
_NO_DATA = "the data play no part"


def power(degree: int) -> Activation:
    """The activation z^degree."""
    named = _POWERS.get(degree)
    return named or Activation("polynomial", (*[fmpq(0)] * degree, fmpq(1)))


def _point(network: Network, data: Dataset, wanted: int) -> Weights:
    """Small integer weights where the Jacobian on the data has the wanted rank, if they are met."""
    best, highest = None, -1
    for seed in range(_TRIES):
        a = weights(Seeded(f"point {seed}"), network, 3, degenerate=False)
        found = rank(jacobian(network, a, data))
        if found > highest:
            best, highest = a, found
        if highest >= wanted:
            break
    assert best is not None
    return best


def _probes(network: Network) -> Dataset:
    """A few inputs more than there are forms of the degree of the outputs."""
    degree = (network.activation.degrees or (1,))[0] ** (network.depth - 1)
    count = comb(network.n + degree - 1, degree) + 3
    draw = Seeded(f"probes {network.n} {count}")
    x = [[draw.integer(-5, 5) for _ in range(network.n)] for _ in range(count)]
    return Dataset.from_rows(x, [[0] * network.m] * count, name="probes")


def _neurovariety(
    name: str, variant: str, network: Network, true: int, stated: int | None = None, note: str = ""
) -> Instance:
    """The instance that the dimension is ``stated``; ``true`` is what we expect it to be."""
    stated = true if stated is None else stated
    a = _point(network, _probes(network), true)
    conclusion = {"kind": "neurovariety_dimension", "at_least": stated, "at_most": stated}
    data = Dataset.from_rows([[0] * network.n], [[0] * network.m], name="not used")
    expected = "proved" if stated == true else "refuted"
    return Instance(name, variant, network, data, conclusion, a, None, expected, note or _NO_DATA)


def _waring(n: int, p: int, degree: int, variant: str = "corrected", note: str = "") -> Instance:
    """One hidden layer of p units, one output: sums of p powers of linear forms."""
    name = f"{'parameters-' if variant == 'expected' else ''}power-{degree}-{n}-{p}-1"
    true = waring_dimension(n, p, degree)
    stated = parameter_count_dimension(n, p, degree) if variant == "expected" else true
    whole = comb(n + degree - 1, degree)
    word = "filling" if true == whole else f"{true} of {whole}"
    network = Network.dense((n, p, 1), power(degree))
    return _neurovariety(name, variant, network, true, stated, note or word)


def _on_data(name: str, data: Dataset, p: int, degree: int) -> Instance:
    network = Network.dense((data.n, p, data.m), power(degree))
    d = waring_dimension(data.n, p, degree)
    a = _point(network, data, d)
    conclusion = {"kind": "jacobian_rank", "A": theta_json(a), "at_least": d, "at_most": d}
    note = f"{network.parameter_count} weights move the outputs in {d} directions"
    return Instance(name, "on-data", network, data, conclusion, a, note=note)


def _instances() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    setosa = restricted(iris, "iris, setosa", range(4), (0,))
    three = restricted(wine, "wine, 3 inputs", (0, 6, 9), (0,))
    deep = Network.dense((2, 2, 1, 1), "square")
    return (
        *(_waring(n, p, 2) for n, p in ((2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (3, 5))),
        *(_waring(n, p, 3) for n, p in ((3, 3), (3, 4), (4, 6))),
        _waring(3, 4, 4),
        _waring(3, 5, 4, note="defective: 14 of 15, where the parameters promise 15"),
        _waring(3, 6, 4),
        _waring(4, 9, 4, note="defective: 34 of 35"),
        _waring(5, 14, 4, note="defective: 69 of 70"),
        _neurovariety("deep-2-2-1-1", "corrected", deep, 3, note="squares of quadratic forms"),
        _neurovariety(
            "deep-2-2-2-1", "corrected", Network.dense((2, 2, 2, 1), "square"), 5, note="filling"
        ),
        _neurovariety(
            "linear-3-2-3", "corrected", Network.dense((3, 2, 3), "linear"), 8, note="rank <= 2"
        ),
        _waring(3, 2, 2, "expected"),
        _waring(3, 5, 4, "expected"),
        _waring(4, 9, 4, "expected"),
        _waring(5, 14, 4, "expected"),
        _on_data("iris-square-4-3-1", setosa, 3, 2),
        _on_data("iris-cube-4-6-1", setosa, 6, 3),
        _on_data("iris-quartic-4-9-1", setosa, 9, 4),
        _on_data("wine-quartic-3-5-1", three, 5, 4),
    )


def _random(draw: Draw) -> Instance:
    n, p, degree = draw.integer(2, 4), draw.integer(1, 6), draw.integer(2, 4)
    if draw.choice((True, False)):
        return _waring(n, p, degree)
    # One unit for each form at random inputs: the rank says whether they tell the forms apart.
    forms = comb(n + degree - 1, degree)
    x = [[draw.integer(-4, 4) for _ in range(n)] for _ in range(forms + draw.integer(0, 3))]
    data = Dataset.from_rows(x, [[0]] * len(x), name="random")
    apart = Network.dense((n, forms, 1), power(degree))
    if rank(jacobian(apart, _point(apart, data, forms), data)) < forms:
        return _waring(n, p, degree)
    return _on_data("random", data, p, degree)


def _of_one_hidden_layer(statement: Statement) -> tuple[int, int, int] | None:
    """(n, p, degree) of a network n-p-1."""
    network = statement.network
    if len(network.widths) != 3 or network.widths[2] != 1:
        return None
    return network.widths[0], network.widths[1], len(network.activation.coefficients or (0,)) - 1


def _says(statement: Statement, dimension: Callable[[int, int, int], int]) -> bool:
    shape = _of_one_hidden_layer(statement)
    return shape is not None and statement.conclusion.values["at_most"] == dimension(*shape)


def _says_parameter_count(statement: Statement) -> bool:
    return _says(statement, parameter_count_dimension)


def _says_waring(statement: Statement) -> bool:
    return _of_one_hidden_layer(statement) is None or _says(statement, waring_dimension)


def _prove(instance: Instance) -> Proof | Undecided:
    if instance.variant == "on-data":
        return "rank", {}
    network, a = instance.network, instance.a
    found = rank(jacobian(network, a, _probes(network)))
    proof = proof_of_dimension(network, a, found)
    return proof if isinstance(proof, Undecided) else ("rank", proof)


_SHAPE = (POLYNOMIAL, DENSE, NO_BIAS, LINEAR_OUTPUT)

FILLING_WIDTH = Claim(
    id="filling-width",
    title="The dimension of the functions a polynomial network represents, and when they fill",
    source=Source(
        ("Joe Kileel", "Matthew Trager", "Joan Bruna"),
        "On the Expressive Power of Deep Polynomial Neural Networks",
        2019,
        "filling widths; for one hidden layer Alexander & Hirschowitz 1995",
    ),
    variants=(
        Variant(
            "expected",
            "counting parameters modulo scalings gives the dimension: min(W - p, all forms)",
            r"\dim V_{n,p,r} = \min\bigl(pn, \tbinom{n+r-1}{r}\bigr)",
            _SHAPE,
            "neurovariety_dimension",
            _says_parameter_count,
        ),
        Variant(
            "corrected",
            "the dimension of the image of w -> Phi(.; w) is the stated one (for one hidden layer "
            "and one output that of Alexander & Hirschowitz)",
            r"\dim \overline{\{\Phi(\cdot\,;w)\}} = \max_w \operatorname{rank} "
            r"\partial_w \Phi(\cdot\,;w)",
            _SHAPE,
            "neurovariety_dimension",
            _says_waring,
        ),
        Variant(
            "on-data",
            "on data that tell the forms apart the Jacobian of the outputs has that rank at A",
            r"\operatorname{rank} \partial_w\bigl(\Phi(x_j;w)\bigr)_j = \dim V_{n,p,r}",
            _SHAPE,
            "jacobian_rank",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_prove,
    erratum=Erratum(
        "the dimension is what counting parameters modulo scalings gives",
        "quartics n = 3, p = 5: 14, not 15; n = 4, p = 9: 34, not 35; n = 5, p = 14: 69, not 70; "
        "and z^2 with 1 < p < n: every such network",
        "the generic rank of the Jacobian, computed exactly",
    ),
)
