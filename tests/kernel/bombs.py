"""Certificates that are small or well formed and would cost hours or gigabytes to believe.

Each must be answered within seconds and within the memory of a laptop; most must be rejected.
"""

from __future__ import annotations

from collections.abc import Callable

from kernel.mutations import canonical
from kernel.writing import UNIT, Json, certificate, move, net

TINY = net([1, 1, 1], "linear")
ONE: Json = [[["1"]], [["1"]]]
TRIVIAL = {"kind": "relation", "left": "0", "op": "<=", "right": "1"}
AT_ONE = {"kind": "joined", "A": ONE, "B": ONE, "u": "1000"}
WHOLE = [[0, 0]]


def small(i: int) -> str:
    """1 over 2,000 digits, mostly coprime."""
    return f"1/{10**1990 + 2 * i + 1}"


def odd(i: int) -> str:
    """Two thousand digits over two thousand digits, in lowest terms."""
    return f"{2 ** (6500 + i % 7)}/{3 ** (4100 + i % 5)}"


def rows(samples: int, value: Callable[[int], str]) -> list[list[str]]:
    return [[value(i)] for i in range(samples)]


def plain(x: Json, y: Json, weights: Json = None) -> Json:
    return {"x": x, "y": y, "weights": weights}


def one(_: int) -> str:
    return "1"


def few(i: int) -> str:
    return small(i) if i < 60 else str(i)


def at_least_q(network: Json, data: Json) -> Json:
    hypothesis = {"kind": "hidden_widths", "relation": ">=", "bound": "q"}
    return certificate(network, data, [hypothesis], TRIVIAL, "witness", {})


def valued(network: Json, data: Json, point: Json) -> Json:
    conclusion = {"kind": "relation", "left": "0", "op": "<=", "right": {"loss": point}}
    return certificate(network, data, [], conclusion, "witness", {})


def minimal(network: Json, data: Json, point: Json, optimum: Json) -> Json:
    proof = {"optimum": optimum, "point": point}
    return certificate(network, data, [], {"kind": "global_min", "v": "0"}, "optimum", proof)


def local(point: Json, guards: Json, terms: Json) -> Json:
    argument = {"by": "identity", "guards": guards, "terms": terms}
    conclusion = {"kind": "local_min", "A": point}
    return certificate(TINY, UNIT, [], conclusion, "optimum", {"local": argument})


def deep_power() -> Json:
    data = plain([["2"]], [["1"]])
    return minimal(net([1] * 41, "cube"), data, [[["2"]]] * 40, {"by": "zero"})


def power_in_a_path() -> Json:
    point = [[["2"]]] * 60
    conclusion = {"kind": "joined", "A": point, "B": point, "u": "1"}
    proof = {"form": "bound", "steps": []}
    network = net([1] * 61, {"polynomial": ["1"] * 33})
    return certificate(network, UNIT, [], conclusion, "polyline", proof)


def dead_layer() -> Json:
    width, samples = 700, 20_000
    network = net([1, width, width, width, 1], "relu")
    data = plain(rows(samples, one), rows(samples, one))
    square = [["1"] * width] * width
    point = [[["1"]] * width, square, [["-1"] * width] * width, [["1"] * width]]
    proof = {"local": {"by": "dead-layer", "layer": 3}}
    conclusion = {"kind": "local_min", "A": point}
    return certificate(network, data, [], conclusion, "optimum", proof)


def common_denominator() -> Json:
    data = plain(rows(100_000, one), rows(100_000, few))
    return certificate(net([1, 1], "linear"), data, [], TRIVIAL, "witness", {})


def many_weights() -> Json:
    weights = [small(i) for i in range(1000)]
    data = plain(rows(1000, one), rows(1000, one), weights)
    return valued(net([1, 1], "linear"), data, [[["2"]]])


def semidefinite() -> Json:
    size = 600
    z = [[str(min(i, j) + 1) for j in range(size)] for i in range(size)]
    optimum = {"by": "ky-fan", "fit": [["1"]] * size, "mu": "0", "Z": z}
    data = plain([["1"]], [["1"] * size])
    return minimal(net([1, size], "linear"), data, [[["1"]] * size], optimum)


def high_rank() -> Json:
    size = 800
    x = [[str(min(i, j) + 1) for j in range(size)] for i in range(size)]
    return at_least_q(net([size, size - 1, 1], "linear"), plain(x, rows(size, one)))


def monomials() -> Json:
    data = plain(rows(600, few), rows(600, one))
    return at_least_q(net([1, 1, 1], {"polynomial": ["1"] * 33}), data)


def walls() -> Json:
    x = [[small(i), small(1000 + i)] for i in range(29)] * 2
    return at_least_q(net([2, 1, 1], "relu"), plain(x, rows(58, one)))


def indicators() -> Json:
    data = plain(rows(15_000, str), rows(15_000, lambda i: "0"))
    optimum = {"by": "orthogonal", "features": "distinct"}
    return minimal(net([1, 1], "linear"), data, [[["0"]]], optimum)


def wide_targets() -> Json:
    data = plain(rows(2000, str), [["0"] * 600] * 2000)
    optimum = {"by": "orthogonal", "features": "distinct"}
    return minimal(net([1, 600], "linear"), data, [[["0"]] * 600], optimum)


def guard_of_high_degree() -> Json:
    guard = [["1", [[0, i], [1, j]]] for i in range(1, 65) for j in range(1, 20)]
    return local([[[odd(0)]], [[odd(1)]]], [guard], [])


def guard_many_times() -> Json:
    guard = [[str(10**1990), [[0, 1]]]]
    return local(ONE, [guard], [["1", [[0, 8]] * 20_000, guard]])


def product() -> Json:
    wall, multiplier = (
        [[small(s + 70 * i + j), [[0, i], [1, j]]] for i in range(1, 12) for j in range(1, 12)]
        for s in (0, 5000)
    )
    proof = {"wall": wall, "multiplier": multiplier, "squares": [], "margin": "1"}
    conclusion = {"kind": "separated", "A": ONE, "B": ONE, "u": "1"}
    return certificate(TINY, UNIT, [], conclusion, "barrier", proof)


def piece(numerator: Json, denominator: Json, leaves: Json) -> Json:
    return {
        "piece": [{"layer": 1, "numerator": [[numerator]], "denominator": ["1"]}],
        "loss": {"numerator": [], "denominator": denominator},
        "denominators": [WHOLE],
        "loss_denominator": leaves,
        "leaves": WHOLE,
    }


def along(network: Json, start: Json, steps: Json) -> Json:
    conclusion = {"kind": "joined", "A": start, "B": start, "u": "100000"}
    proof = {"form": "bound", "steps": steps}
    return certificate(network, UNIT, [], conclusion, "path", proof)


def coprime_coefficients() -> Json:
    numerator = [small(i) for i in range(40)]
    start = [[[numerator[0]]], [["1"]]]
    return along(net([1, 1, 1], "square"), start, [piece(numerator, ["1"], WHOLE)])


def high_degree() -> Json:
    """Every step shows again that a denominator of degree 400 is positive."""
    return along(TINY, ONE, [piece(["1"], ["1"] * 401, WHOLE)] * 2000)


def deep_leaves() -> Json:
    leaves = [[256, 0], *[[level, 1] for level in range(256, 0, -1)]]
    return along(TINY, ONE, [piece(["1"], ["1"] * 401, leaves)])


def many_leaves() -> Json:
    leaves = [[17, i] for i in range(100_000)]
    return along(TINY, ONE, [piece(["1"], ["1"] * 401, leaves)])


def high_degree_of_the_loss() -> Json:
    numerator = ["1"] + ["0"] * 300 + ["1"]
    return along(net([1, 1, 1], {"polynomial": ["1"] * 33}), ONE, [piece(numerator, ["1"], WHOLE)])


def idle_steps() -> Json:
    step = {"move": "output", "layer": 2, "rows": [[0, ["1"]]]}
    proof = {"form": "bound", "steps": [step] * 450_000}
    return certificate(TINY, UNIT, [], AT_ONE, "polyline", proof)


def targets_in_steps() -> Json:
    data = plain(rows(60, one), rows(60, small))
    step = {"move": "output", "layer": 2, "rows": [[0, ["1"]]]}
    proof = {"form": "bound", "steps": [step] * 500}
    return certificate(TINY, data, [], AT_ONE, "polyline", proof)


def slope() -> Json:
    data = plain(rows(500, one), rows(500, one))
    network = net([1] * 61, {"leaky_relu": odd(0)})
    return valued(network, data, [[["-1"]]] * 60)


def products() -> Json:
    width = 1000
    data = plain(rows(990, one), rows(990, one))
    point = [[["1"]] * width, [["1"] * width] * width, [["1"] * width]]
    return valued(net([1, width, width, 1], "linear"), data, point)


def expansion() -> Json:
    point = [[["1"] * 4] * 4, [["1"] * 4]]
    conclusion = {"kind": "local_min", "A": point}
    argument = {"by": "identity", "guards": [], "terms": []}
    data = plain([["1"] * 4] * 500, rows(500, one))
    network = net([4, 4, 1], {"polynomial": ["1"] * 7})
    return certificate(network, data, [], conclusion, "optimum", {"local": argument})


def many_hypotheses() -> Json:
    hypothesis = {"kind": "hidden_widths", "relation": ">=", "bound": "q"}
    data = plain([[str(i), str(i * i % 97)] for i in range(80)], rows(80, one))
    network = net([2, 60, 1], {"polynomial": ["0"] * 6 + ["1"]})
    return certificate(network, data, [hypothesis] * 5000, TRIVIAL, "witness", {})


def fixed_entries() -> Json:
    """One unknown among a million entries."""
    size = 1000
    network = net([size, size, 1], "linear")
    network["pattern"] = [[["1"] * size] * size, [[0] * size]]
    system: Json = {"kind": "interpolation", "ridge": None, "fixed": []}
    counts = {"at_least": 1, "real_at_least": 0, "at_most": None}
    conclusion = {"kind": "roots", "system": system, **counts}
    data = plain([["1"] * size], [["1"]])
    return certificate(network, data, [], conclusion, "root", {"precision": 1, "roots": []})


def high_precision() -> Json:
    box = {
        "center": [[str(2**512), "0"]],
        "radius": "1",
        "inverse": [[[str(2**500), "0"]]],
        "real": True,
    }
    fixed = [[i, "1"] for i in range(1, 7)]
    system: Json = {"kind": "interpolation", "ridge": None, "fixed": fixed}
    counts = {"at_least": 0, "real_at_least": 0, "at_most": None}
    proof = {"precision": 512, "roots": [box] * 1000}
    conclusion = {"kind": "roots", "system": system, **counts}
    return certificate(net([1] * 8, "cube"), UNIT, [], conclusion, "root", proof)


def still(network: Json, data: Json, start: Json, step: Json, count: int) -> Json:
    """A path of many moves that change nothing."""
    conclusion = {"kind": "joined", "A": start, "B": start, "u": "5"}
    proof = {"form": "bound", "steps": [step] * count}
    return certificate(network, data, [], conclusion, "polyline", proof)


def tied_moves() -> Json:
    size = 300
    network = net([size, size, 1], "relu")
    network["pattern"] = [[[None] * size] * size, [[None] * size]]
    start = [[["1"] * size] * size, [["0"] * size]]
    return still(network, plain([["1"] * size], [["1"]]), start, move("idle", 1), 20_000)


def transposed_often() -> Json:
    size = 700
    start = [[["1"]] * size, [["0"] * size] * size, [["0"] * size]]
    step = move("idle", 1, r0=["1"])
    return still(net([1, size, size, 1], "relu"), UNIT, start, step, 200_000)


def many_squares() -> Json:
    powers = [["1", [[0, i], [1, j]]] for i in range(1, 64) for j in range(1, 64)]
    squares = [["1", powers], *[["1", [["1", []]]]] * 50_000]
    proof = {"wall": [["1", [[0, 1]]]], "multiplier": [], "squares": squares, "margin": "1"}
    conclusion = {"kind": "separated", "A": ONE, "B": ONE, "u": "1"}
    return certificate(TINY, UNIT, [], conclusion, "barrier", proof)


def zero_entries() -> Json:
    size = 1000
    start = [[["0"] * size] * size, [["0"] * size]]
    step = {
        "piece": [{"layer": 1, "numerator": [[[]] * size] * size, "denominator": ["1"]}],
        "loss": {"numerator": ["1"], "denominator": ["2"]},
        "denominators": [WHOLE],
        "loss_denominator": WHOLE,
        "leaves": WHOLE,
    }
    conclusion = {"kind": "joined", "A": start, "B": start, "u": "5"}
    proof = {"form": "bound", "steps": [step]}
    network = net([size, size, 1], "linear")
    return certificate(network, plain([["1"] * size], [["1"]]), [], conclusion, "path", proof)


def same_inputs() -> Json:
    hypothesis = {"kind": "connected_at_every_level"}
    data = plain([["1"] * 100] * 30_000, rows(30_000, one))
    network = net([100, *[2] * 63, 1], "linear")
    unfit = {"kind": "global_min", "v": "0"}
    return certificate(network, data, [hypothesis] * 16, unfit, "witness", {})


def ranked(network: Json, data: Json, kind: str, point: Json, proof: Json) -> Json:
    conclusion = {"kind": kind, "at_least": 0, "at_most": 10**9}
    if point is not None:
        conclusion["A"] = point
    return certificate(network, data, [], conclusion, "rank", proof)


def jacobian_of_many_samples() -> Json:
    n = 255
    data = plain([["1"] * n] * 9_000, rows(9_000, one))
    network = net([n, 1, 1], "square")
    return ranked(network, data, "jacobian_rank", [[["1"] * n], [["1"]]], {})


def hessian_of_fixed_entries() -> Json:
    size = 500
    pattern = [[[None if j < 1 and i < 200 else "1" for j in range(size)] for i in range(size)]]
    data = plain([["1"] * size], [["1"] * size])
    network = net([size, size], "square", None, "activation", pattern)
    return ranked(network, data, "nullity", [[["1"] * size] * size], {})


def neurovariety_of_many_inputs() -> Json:
    n = 60_000
    network = net([n, 1], "linear", None, "linear", [[[7] * n]])
    data = plain([["0"] * n], [["0"]])
    proof = {"at": [[["1"] * n]], "upper": {"by": "ambient"}}
    return ranked(network, data, "neurovariety_dimension", None, proof)


def neurovariety_of_a_high_degree() -> Json:
    network = net([6, 3, 3, 3, 1], "cube")
    data = plain([["0"] * 6], [["0"]])
    at = [[["1"] * 6] * 3, [["1"] * 3] * 3, [["1"] * 3] * 3, [["1"] * 3]]
    proof = {"at": at, "upper": {"by": "ambient"}}
    return ranked(network, data, "neurovariety_dimension", None, proof)


def many_fields() -> Json:
    network = net([12, 9, 1], "cube")
    data = plain([["0"] * 12], [["0"]])
    at = [[["1"] * 12] * 9, [["1"] * 9]]
    proof = {"at": at, "upper": {"by": "fields", "fields": [[[]] * 117] * 40_000}}
    return ranked(network, data, "neurovariety_dimension", None, proof)


def tied_equations() -> Json:
    size = 500
    pattern = [[[i % 256 for i in range(size)]] * size, [["1"] * size]]
    data = plain([["1"] * size], [["0"]])
    network = net([size, size, 1], "square", None, "linear", pattern)
    proof = {"constant": "1", "multipliers": [[]], "margins": [], "squares": []}
    return certificate(network, data, [], {"kind": "has_zero"}, "rank", proof)


def _squares_in_a_row(upper: Json, boxes: Json) -> Json:
    """One unknown of degree 2^24."""
    layers = 24
    pattern = [[[0]], *[[["1"]]] * layers]
    network = net([1] * (layers + 2), "square", None, "linear", pattern)
    return counted_zeros(network, plain([["1"]], [["1"]]), upper, boxes)


def counted_zeros(network: Json, data: Json, upper: Json, boxes: Json) -> Json:
    system = {"kind": "interpolation", "ridge": None, "fixed": []}
    most = None if upper is None else 10**9
    conclusion = {
        "kind": "roots",
        "system": system,
        "at_least": 0,
        "real_at_least": 0,
        "at_most": most,
    }
    proof = {"precision": 0, "roots": boxes} | ({} if upper is None else {"upper": upper})
    return certificate(network, data, [], conclusion, "root", proof)


def long_staircase() -> Json:
    return _squares_in_a_row({"by": "staircase", "steps": []}, [])


def powers_of_a_box() -> Json:
    box = {"center": [["0", "0"]], "radius": "1", "inverse": [[["0", "0"]]], "real": True}
    return _squares_in_a_row(None, [box])


def zero_cofactors() -> Json:
    network = net([4, 1], {"polynomial": ["0"] * 24 + ["1"]}, None, "activation", [[[0, 1, 2, 3]]])
    data = plain([["1"] * 4, *(["0"] * j + ["1"] + ["0"] * (3 - j) for j in range(3))], [["1"]] * 4)
    steps = [[[0, []]] * 100_000]
    return counted_zeros(network, data, {"by": "staircase", "steps": steps}, [])


def many_new_terms() -> Json:
    exponents = [[[v, 1 + (i * p) % 63] for v, p in enumerate((1, 2, 5, 11))] for i in range(63)]
    terms = [["1", [*e[:2], [2, 1 + j], e[3]]] for e in exponents for j in range(30)]
    other = [["1", [[1, 1 + j], [3, 1 + 2 * i]]] for i in range(32) for j in range(60)]
    point: Json = [[["1"], ["1"]], [["1", "1"]]]
    proof = {"wall": terms, "multiplier": other, "squares": [], "margin": "1"}
    conclusion = {"kind": "joined", "A": point, "B": point, "u": "100"}
    return certificate(net([1, 2, 1], "square"), UNIT, [], conclusion, "barrier", proof)


def thin_layers() -> Json:
    start: Json = [[["1"]]] * 64
    data = plain([["1"]] * 5_000, rows(5_000, one))
    return still(net([1] * 65, "linear"), data, start, move("layer", 1, r0=["1"]), 1_500)


def many_small_sums() -> Json:
    data = plain([["1"]] * 200, [["0"]] * 200)
    point: Json = [[["0"]] * 128, [["0"] * 128]]
    return ranked(net([1, 128, 1], "square"), data, "nullity", point, {})


def escaping(network: Json, data: Json, start: Json, curve: Json) -> Json:
    conclusion = {"kind": "not_poor_minimum", "A": start}
    return certificate(network, data, [], conclusion, "optimum", {"curve": curve})


def dense_curve() -> Json:
    """Degree 400 in five layers, cubed four times."""
    polynomial = [str(i + 1) for i in range(401)]
    return escaping(net([1] * 6, "cube"), UNIT, [[["1"]]] * 5, [[[polynomial]]] * 5)


def curve_of_many_samples() -> Json:
    size, samples = 30, 90_000
    data = plain(rows(samples, one), rows(samples, one))
    start = [[["0"]] * size, [["0"] * size]]
    moved = [[[["0", "1"]]] * size, [[["0", "1"]] * size]]
    return escaping(net([1, size, 1], "linear"), data, start, moved)


def alike(network: Json, point: Json, proof: Json) -> Json:
    data = plain([["1"] * network["widths"][0]], [["0"] * network["widths"][-1]])
    conclusion = {"kind": "same_function", "A": point, "B": point}
    return certificate(network, data, [], conclusion, "symmetry", proof)


def expanded_outputs() -> Json:
    first = [[str(i * j % 7 + 1) for j in range(24)] for i in range(4)]
    point = [first, [["1", "2", "3", "4"]] * 4, [["1"] * 4]]
    return alike(net([24, 4, 4, 1], "cube"), point, {"by": "expansion"})


def coprime_scales() -> Json:
    size = 2000
    network = net([1, size, 1], {"polynomial": ["0"] * 32 + ["1"]})
    units = {"units": [0] * size, "scales": [small(i) for i in range(size)]}
    return alike(network, [[["0"]] * size, [["0"] * size]], {"by": "units", "layers": [units]})


def numbers_of_a_million_digits() -> bytes:
    return canonical(TRIVIAL).replace(b'"0"', b'"' + b"9" * 10**6 + b'"')


BOMBS: list[Callable[[], Json]] = [
    deep_power,
    power_in_a_path,
    dead_layer,
    common_denominator,
    many_weights,
    semidefinite,
    high_rank,
    monomials,
    walls,
    indicators,
    wide_targets,
    guard_of_high_degree,
    guard_many_times,
    product,
    coprime_coefficients,
    high_degree,
    deep_leaves,
    many_leaves,
    high_degree_of_the_loss,
    idle_steps,
    targets_in_steps,
    slope,
    products,
    expansion,
    many_hypotheses,
    tied_moves,
    transposed_often,
    many_squares,
    zero_entries,
    same_inputs,
    fixed_entries,
    high_precision,
    jacobian_of_many_samples,
    hessian_of_fixed_entries,
    neurovariety_of_many_inputs,
    neurovariety_of_a_high_degree,
    many_fields,
    tied_equations,
    long_staircase,
    powers_of_a_box,
    zero_cofactors,
    many_new_terms,
    thin_layers,
    many_small_sums,
    dense_curve,
    curve_of_many_samples,
    expanded_outputs,
    coprime_scales,
]
QUICK = ("deep_power", "power_in_a_path", "guard_of_high_degree", "common_denominator", "product")
