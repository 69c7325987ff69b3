"""How many solutions there are: zero-loss weights, and critical points of a loss with a ridge.

What a claim states comes from a formula (`families`), before anything is counted. The prover then
boxes all solutions and bounds them from above; where the two do not meet it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod
from typing import Any

from flint import fmpq, fmpq_mat

from theorylab.claims import families
from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.families import Expected
from theorylab.claims.shapes import POLYNOMIAL, every, poggio_liao, restricted
from theorylab.counting.bounds import bezout, multihomogeneous
from theorylab.counting.certified import CertifiedRoots, kernel_proof
from theorylab.counting.cofactors import Staircase, staircase
from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.expanded import Expanded
from theorylab.counting.gauge import gauge_of, layout_of
from theorylab.counting.regular import regular_roots
from theorylab.counting.system import PolynomialSystem
from theorylab.instances import Draw, Instance
from theorylab.kernel.statements import Statement
from theorylab.model import Dataset, Network, load_dataset
from theorylab.outcome import Undecided

Json = dict[str, Any]
_TERMS = 20_000
_GAUGES = ("none", "auto", "bias", "first")


# Statements and proofs


def _none(system: PolynomialSystem) -> CertifiedRoots:
    return CertifiedRoots(system, (), ())


def _conclusion(system: PolynomialSystem, least: int, real: int, most: int | None) -> Json:
    found, _, _ = kernel_proof(_none(system), system)
    return {**found, "at_least": least, "real_at_least": real, "at_most": most}


def _instance(
    name: str,
    variant: str,
    system: PolynomialSystem,
    least: int,
    real: int,
    most: int | None,
    expected: str = "proved",
    note: str = "",
) -> Instance:
    origin = system.origin
    assert origin is not None, "the systems of claims come from networks"
    conclusion = _conclusion(system, least, real, most)
    network, data = origin.network, origin.data
    return Instance(name, variant, network, data, conclusion, (), None, expected, note)


def _system(instance: Instance) -> PolynomialSystem:
    """The system that the conclusion of an instance speaks of."""
    wanted = instance.conclusion["system"]
    network, data = instance.network, instance.data
    if wanted["kind"] == "critical":
        return critical_system(network, data, wanted["ridge"])
    for gauge in _GAUGES:
        made = interpolation_system(network, data, gauge)
        assert made.origin is not None
        fixed = [[p, str(v)] for p, v in enumerate(made.origin.template) if isinstance(v, fmpq)]
        if fixed == wanted["fixed"]:
            return made
    raise ValueError("no gauge fixes these weights")


def _expanded(system: PolynomialSystem) -> Expanded:
    names = tuple(f"x{j + 1}" for j in range(len(system.variables)))
    terms: Any = system.expanded(_TERMS)
    return Expanded(names, tuple({m: fmpq(c) for m, c in p.items()} for p in terms))


def _bounds(
    system: PolynomialSystem, expanded: Expanded, enough: int
) -> Iterator[tuple[int, Json]]:
    """Upper bounds and their proofs, the cheapest first."""
    yield bezout(expanded).value, {"by": "bezout"}
    if len(system.groups) > 1:
        found = multihomogeneous(expanded, system.groups).value
        yield found, {"by": "multihomogeneous", "groups": [list(g) for g in system.groups]}
    steps = staircase(expanded, enough)
    if isinstance(steps, Staircase):
        yield steps.bound, steps.to_json()


def _counted(instance: Instance) -> Proof | Undecided:
    """Boxes and a bound that prove or refute the count of an instance."""
    system = _system(instance)
    expanded = _expanded(system)
    least, most = instance.conclusion["at_least"], instance.conclusion["at_most"]
    seen: list[int] = []
    upper: Json | None = None
    for value, by in _bounds(system, expanded, least if most is None else most):
        seen.append(value)
        if value < least or (most is not None and value <= most):
            upper = by
            break
    if upper is not None and (seen[-1] < least or least == 0):
        return kernel_proof(_none(system), system, most, upper)[1:]
    found = regular_roots(system, expanded)
    if isinstance(found, Undecided):
        return found
    if len(found) < least:
        below = (by for value, by in _bounds(system, expanded, least - 1) if value < least)
        refuting = next(below, None)
        if refuting is not None:
            return kernel_proof(_none(system), system, most, refuting)[1:]
    if len(found) < least or (most is not None and upper is None and len(found) <= most):
        words = f"{len(found)} solutions are certified, the bounds are {', '.join(map(str, seen))}"
        return Undecided(words, "count", "theorylab count shows how far one gets")
    return kernel_proof(found, system, most, upper)[1:]


# bezout-weights


def _tied(layers: int, activation: str) -> Network:
    """Layers of width 1 that all have the same weight, the output activated."""
    shape = (1,) * (layers + 1)
    return Network.with_pattern(shape, activation, [[[0]]] * layers, output="activation")


def _measured(data: Dataset, name: str, inputs: tuple[int, ...], target: int) -> Dataset:
    """Some inputs of a data set, and another input as the target."""
    rows = data.x.tolist()
    x, y = fmpq_mat([rows[i] for i in inputs]), fmpq_mat([rows[target]])
    return replace(data, x=x, y=y, name=name)


def _weight_bound(system: PolynomialSystem) -> int:
    """The product of the true weight degrees of all equations, by the layers of the network."""
    origin = system.origin
    assert origin is not None
    fixed = [p for p, v in enumerate(origin.template) if isinstance(v, fmpq)]
    degrees = families.weight_degrees(origin.network, fixed)
    product: int = prod(degrees) ** origin.data.samples
    return product


def _printed_bound(network: Network, data: Dataset) -> int:
    layers = families.activations(network)
    bound: int = families.activation_degree(network) ** (layers * data.samples)
    return bound


def _says(statement: Statement, kind: str) -> tuple[int, int | None] | None:
    """The least and the largest number that is stated of a system of this kind."""
    values = statement.conclusion.values
    return (values["at_least"], values["at_most"]) if values["system"].kind == kind else None


def _applied(statement: Statement) -> tuple[int, int]:
    """The degree of the activation, and how many layers apply it."""
    network = statement.network
    layers = network.depth - (not network.output_activated)
    return len(network.activation.coefficients or (0,)) - 1, layers


def _says_printed_bound(statement: Statement) -> bool:
    degree, layers = _applied(statement)
    bound = degree ** (layers * statement.data.samples)
    return _says(statement, "interpolation") == (0, bound)


def _says_weight_bound(statement: Statement) -> bool:
    said, network = _says(statement, "interpolation"), statement.network
    fixed = [index for index, _ in statement.conclusion.values["system"].fixed]
    degrees = families.degrees_by_layer(
        network.parameters(), network.bias, *_applied(statement), fixed
    )
    return said is not None and said[1] == prod(degrees) ** statement.data.samples


def _says_exactly(kind: str) -> Callable[[Statement], bool]:
    def asserts(statement: Statement) -> bool:
        said = _says(statement, kind)
        return said is not None and said[0] == said[1]

    return asserts


def _says_at_least(statement: Statement) -> bool:
    said = _says(statement, "interpolation")
    return said is not None and said[1] is None


def _bezout_instances() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    flower = _measured(iris.subset([100]), "iris, one flower, petals", (2,), 3)
    point = Dataset.from_rows([[2]], [[3]], name="one point")
    made = []
    for name, network, data in (
        ("tied-square-twice", _tied(2, "square"), point),
        ("tied-linear-twice", _tied(2, "linear"), point),
        ("tied-square-thrice", _tied(3, "square"), point),
        ("tied-cube-twice-iris", _tied(2, "cube"), flower),
    ):
        system = interpolation_system(network, data, "none")
        expected = families.tied_chain(network, data)
        printed, bound = _printed_bound(network, data), _weight_bound(system)
        note = f"{bound} zeros, printed at most {printed}"
        made.append(_instance(f"printed-{name}", "printed", system, 0, 0, printed, "refuted", note))
        counted = (expected.count, expected.real, bound)
        made.append(_instance(name, "corrected", system, *counted, note="the bound is attained"))
    system = _thirty_equations(iris)
    note = "30 equations of degree 3 in 30 weights, the hidden biases 1"
    most = _weight_bound(system)
    made.append(_instance("iris-4-6-1", "corrected", system, 0, 0, most, note=note))
    return tuple(made)


def _thirty_equations(iris: Dataset) -> PolynomialSystem:
    """z^2, 4-6-1, hidden biases 1, on 30 samples of one class against the others."""
    data = restricted(every(iris, 5), "iris 1/5, setosa", (0, 1, 2, 3), (0,))
    return interpolation_system(Network.dense((4, 6, 1), "square", (True, False)), data, "bias")


def _random_bezout(draw: Draw) -> Instance:
    if draw.integer(0, 2) == 0:
        return _random_tied(draw, "corrected")
    widths = (draw.integer(1, 3), *(draw.integer(1, 2) for _ in range(draw.integer(1, 2))), 1)
    activation = draw.choice(("square", "linear", "cube"))
    network = Network.dense(widths, activation)
    layout = layout_of(network)
    unknowns = len(layout.names) - len(gauge_of(layout, "first").fixed)
    points = [[draw.integer(-3, 3) for _ in range(widths[0])] for _ in range(unknowns)]
    targets = [[_nonzero(draw, 5)] for _ in range(unknowns)]
    data = Dataset.from_rows(points, targets, name="random")
    system = interpolation_system(network, data, "first")
    return _instance("random", "corrected", system, 0, 0, _weight_bound(system))


def _nonzero(draw: Draw, size: int) -> int:
    return draw.choice((1, -1)) * draw.integer(1, size)


def _random_tied(draw: Draw, variant: str) -> Instance:
    network = _tied(draw.integer(1, 2), draw.choice(("square", "linear", "cube")))
    data = Dataset.from_rows([[_nonzero(draw, 4)]], [[_nonzero(draw, 9)]], name="random")
    system = interpolation_system(network, data, "none")
    return _expected("random", variant, system, families.tied_chain(network, data))


def _expected(
    name: str, variant: str, system: PolynomialSystem, found: Expected, note: str = ""
) -> Instance:
    """The instance that counts what the formula says; for degenerate data, Bezout's bound."""
    note = note or _words(system)
    if found.exact:
        counted = (found.count, found.real, found.count)
        return _instance(name, variant, system, *counted, note=note)
    bound = bezout(_expanded(system)).value
    return _instance(name, variant, system, 0, 0, bound, note=f"degenerate data; {note}")


def _words(system: PolynomialSystem) -> str:
    """The gauge, and the bounds by degrees beside the count."""
    return "; ".join([_numbers(system), *system.gauge.statements])


def _numbers(system: PolynomialSystem) -> str:
    expanded = _expanded(system)
    words = f"Bezout {bezout(expanded).value}"
    if len(system.groups) > 1:
        words += f", multihomogeneous {multihomogeneous(expanded, system.groups).value}"
    return words


BEZOUT_WEIGHTS = Claim(
    id="bezout-weights",
    title="Bezout's bound for the zeros of a network: the degree in the weights counts",
    source=poggio_liao("Bezout's theorem for the zeros of the empirical error"),
    variants=(
        Variant(
            "printed",
            "N data and d layers of a polynomial activation of degree l: the equations Phi(x_i) = "
            "y_i have at most l^(dN) isolated complex solutions",
            r"\#\{w\in\mathbb C^{W}:\Phi(x_i;w)=y_i,\ i\le N\}_{\text{isolated}}\le l^{dN}",
            (POLYNOMIAL,),
            "roots",
            _says_printed_bound,
        ),
        Variant(
            "corrected",
            "as many equations as weights: at most the product of their true degrees in the "
            "weights, isolated complex solutions counted with multiplicity",
            r"\#\{w\in\mathbb C^{W}:\Phi(x_i;w)=y_i,\ i\le N\}_{\text{isolated}}"
            r"\le\prod_{i}\deg_w\Phi(x_i;w)",
            (POLYNOMIAL,),
            "roots",
            _says_weight_bound,
        ),
    ),
    canonical=_bezout_instances,
    random=_random_bezout,
    prover=_counted,
    erratum=Erratum(
        "at most l^(dN) zeros",
        "rho(w rho(w x)), rho = z^2, one datum: w^6 x^4 = y has 6 > 4 solutions; w w x = y has 2",
        "l^d is the degree in x; in the weights it is l + l^2 + ... + l^d, one more with a linear "
        "output, and the product of these degrees is the bound",
    ),
)


# interpolation-count


def _interpolations() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    flowers = iris.subset([0, 50, 100, 120])
    petals = _measured(iris.subset([0, 50, 100]), "iris, 3 flowers", (2, 3), 1)
    sepals = _measured(flowers, "iris, 4 flowers", (2, 3), 0)
    every_input = _measured(flowers, "iris, 4 flowers", (0, 1, 2), 3)
    three = Dataset.from_rows([[0], [1], [-1]], [[1], [4], [2]], name="three points")
    counted: tuple[tuple[str, Network, Dataset, str, families.Interpolation], ...] = (
        ("unit-square-iris-3", Network.dense((3, 1, 1), "square"), every_input.subset([0, 1, 2]),
         "auto", families.single_unit),
        ("unit-cube-iris-2", Network.dense((2, 1, 1), "cube"), petals.subset([0, 1]),
         "auto", families.single_unit),
        ("square-2-2-1-iris", Network.dense((2, 2, 1), "square"), petals,
         "auto", families.triangular_squares),
        ("cube-2-2-1-iris", Network.dense((2, 2, 1), "cube"), sepals,
         "auto", families.binary_forms),
        ("square-1-1-1-1", Network.dense((1, 1, 1, 1), "square", (True, True, False)), three,
         "bias", families.twice_squared),
    )  # fmt: skip
    made = []
    for name, network, data, gauge, family in counted:
        system = interpolation_system(network, data, gauge)
        made.append(_expected(name, "corrected", system, family(network, data)))
        if not name.startswith("unit"):
            made.append(_as_many_as_bezout(f"printed-{name}", system))
    made.append(_as_many_as_bezout("printed-iris-4-6-1", _thirty_equations(iris)))
    return tuple(made)


def _as_many_as_bezout(name: str, system: PolynomialSystem) -> Instance:
    least = bezout(_expanded(system)).value
    return _instance(name, "printed", system, least, 0, None, "refuted", _numbers(system))


def _random_interpolation(draw: Draw) -> Instance:
    kind = draw.choice(("unit", "tied", "triangular", "forms"))
    if kind == "tied":
        return _random_tied(draw, "corrected")
    family: families.Interpolation
    if kind == "unit":
        n = draw.integer(1, 2)
        network, samples = Network.dense((n, 1, 1), draw.choice(("square", "cube"))), n
        family = families.single_unit
    elif kind == "triangular":
        network, n, samples, family = (
            Network.dense((2, 2, 1), "square"), 2, 3, families.triangular_squares
        )  # fmt: skip
    else:
        network, n, samples, family = (
            Network.dense((2, 2, 1), "cube"), 2, 4, families.binary_forms
        )  # fmt: skip
    # In the plane distinct directions are in general position.
    directions = [(1, 0), (0, 1), (1, 1), (1, -1), (1, 2), (2, 1)]
    points = [[_nonzero(draw, 4)] for _ in range(samples)]
    if n == 2:
        chosen = [directions.pop(draw.integer(0, len(directions) - 1)) for _ in points]
        points = [[scale * v for v in d] for (scale,), d in zip(points, chosen, strict=True)]
    targets = [[_nonzero(draw, 9)] for _ in range(samples)]
    data = Dataset.from_rows(points, targets, name="random")
    system = interpolation_system(network, data)
    return _expected("random", "corrected", system, family(network, data))


INTERPOLATION_COUNT = Claim(
    id="interpolation-count",
    title="How many weights interpolate: far fewer than Bezout's number, and exactly so many",
    source=poggio_liao("number of solutions with zero empirical error"),
    variants=(
        Variant(
            "printed",
            "the equations Phi(x_i) = y_i have a very large number of complex solutions: as many "
            "isolated ones as the product of their degrees in the weights (our reading)",
            r"\#\{w:\Phi(x_i;w)=y_i,\ i\le N\}_{\text{isolated}}\ge\prod_{i}\deg_w\Phi(x_i;w)",
            (POLYNOMIAL,),
            "roots",
            _says_at_least,
        ),
        Variant(
            "corrected",
            "modulo the gauge that the statement fixes, generic data have exactly as many distinct "
            "isolated complex solutions as the formula of the family says, and these are all",
            r"\#\{w\in\mathbb C^{W'}:\Phi(x_i;w)=y_i,\ i\le N\}=k",
            (POLYNOMIAL,),
            "roots",
            _says_exactly("interpolation"),
        ),
    ),
    canonical=_interpolations,
    random=_random_interpolation,
    prover=_counted,
    erratum=Erratum(
        "a very large number of zeros, as many as Bezout's bound",
        "z^2, 2-2-1 on three iris flowers: 4 solutions where Bezout allows 8; z^3: 18 of 81; z^2 "
        "twice with biases: 4 of 147; z^2, 4-6-1 on 30 flowers: fewer than 3^30",
        "the count modulo the gauge is that of the family: l^n for one unit, 2^n for n units z^2 "
        "in n inputs, p! l^p for p units z^(2p-1) in the plane",
    ),
)


# critical-count


def _line(data: Dataset) -> Dataset:
    """Petal width against petal length, 30 flowers."""
    return _measured(every(data, 5), "iris 1/5, petals", (2,), 3)


def _critical() -> tuple[Instance, ...]:
    iris = load_dataset("iris")
    line = _line(iris)
    plane = _measured(every(iris, 5), "iris 1/5, petals to sepals", (2, 3), 0)
    ten = Dataset.from_rows([[1]], [[10]], name="one point")
    counted: tuple[tuple[str, Network, Dataset, Any, families.Critical], ...] = (
        ("linear-1-1-1-iris", Network.dense((1, 1, 1), "linear"), line, "generic",
         families.deep_linear),
        ("linear-1-1-1-1", Network.dense((1, 1, 1, 1), "linear"), ten, 1, families.deep_linear),
        ("linear-1-1-1-1-iris", Network.dense((1, 1, 1, 1), "linear"), line, "generic",
         families.deep_linear),
        ("linear-1-1-1-1-1-iris", Network.dense((1,) * 5, "linear"), line, "generic",
         families.deep_linear),
        ("square-1-1-1-iris", Network.dense((1, 1, 1), "square"), line, "generic",
         families.power_unit),
        ("cube-1-1-1-iris", Network.dense((1, 1, 1), "cube"), line, "generic",
         families.power_unit),
        ("square-1-2-1-iris", Network.dense((1, 2, 1), "square"), line, "generic",
         families.square_units),
        ("linear-2-2-1-iris", Network.dense((2, 2, 1), "linear"), plane, "generic",
         families.planar_linear),
    )  # fmt: skip
    made = []
    for name, network, data, ridge, family in counted:
        system = critical_system(network, data, ridge)
        assert system.origin is not None and system.origin.ridge is not None
        found = family(network, data, system.origin.ridge)
        made.append(_expected(name, "corrected", system, found))
    return tuple(made)


def _random_critical(draw: Draw) -> Instance:
    widths, activation, family = draw.choice(_FAMILIES)
    network = Network.dense(widths, activation)
    samples = draw.integer(widths[0], 3)
    points = [[_nonzero(draw, 3) for _ in range(widths[0])] for _ in range(samples)]
    targets = [[draw.integer(-5, 5)] for _ in range(samples)]
    data = Dataset.from_rows(points, targets, name="random")
    ridge = [fmpq(draw.integer(1, 9), draw.integer(1, 9)) for _ in range(network.parameter_count)]
    system = critical_system(network, data, ridge)
    return _expected("random", "corrected", system, family(network, data, ridge))


_FAMILIES: tuple[tuple[tuple[int, ...], str, families.Critical], ...] = (
    ((1, 1, 1), "linear", families.deep_linear),
    ((1, 1, 1), "square", families.power_unit),
    ((1, 1, 1), "cube", families.power_unit),
    ((1, 1, 1, 1), "linear", families.deep_linear),
    ((2, 1, 1), "linear", families.planar_linear),
    ((1, 2, 1), "square", families.square_units),
    ((2, 2, 1), "linear", families.planar_linear),
)
CRITICAL_COUNT = Claim(
    id="critical-count",
    title="How many critical points a loss with a ridge has, complex ones counted",
    source=poggio_liao("critical points: as many equations as weights"),
    variants=(
        Variant(
            "corrected",
            "with a generic ridge the critical points are isolated, and there are exactly as many "
            "distinct complex ones in C^W as the formula of the family says, nothing fixed",
            r"\#\{w\in\mathbb C^{W}:\nabla(L+\textstyle\sum_i\lambda_i w_i^2)(w)=0\}=k",
            (POLYNOMIAL,),
            "roots",
            _says_exactly("critical"),
        ),
    ),
    canonical=_critical,
    random=_random_critical,
    prover=_counted,
)
