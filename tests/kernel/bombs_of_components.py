"""Certificates that ask the rules about components for more work than they may do."""

from __future__ import annotations

from collections.abc import Callable

from kernel.bombs import odd, one, plain, rows, small, still
from kernel.writing import UNIT, Json, certificate, move, net


def tree(widths: list[int], data: Json) -> Json:
    """A level tree whose problems are not answered."""
    conclusion, proof = {"kind": "global_min", "v": "0"}, {"solutions": [], "chosen": []}
    return certificate(net(widths, "relu"), data, [], conclusion, "level_tree", proof)


def curve(n: int, samples: int) -> Json:
    """Points in general position."""
    x = [[str(t**i) for i in range(n)] for t in range(1, samples + 1)]
    return plain(x, rows(samples, one))


def regions_of_many_units() -> Json:
    return tree([2, 40, 1], curve(2, 3))


def many_cells() -> Json:
    return tree([2, 1, 1], curve(2, 3000))


def many_rays() -> Json:
    return tree([6, 1, 1], curve(6, 40))


def cells_of_high_rank() -> Json:
    return tree([5, 1, 1], curve(5, 16))


def long_inputs_of_a_tree() -> Json:
    data = plain([[small(i), small(1000 + i)] for i in range(40)], rows(40, one))
    return tree([2, 2, 1], data)


def zero_inputs_of_a_tree() -> Json:
    return tree([2500, 1, 1], plain([["0"] * 2500] * 2000, rows(2000, one)))


def spanned(n: int, width: int, value: Callable[[int], str], proof: Json) -> Json:
    a = [[value(i * width + j) for j in range(width)] for i in range(n)]
    data = {"x": [["0"] * width], "y": [["0"] * n], "weights": None}
    conclusion = {"kind": "span_path", "A": [a], "B": [[row[::-1] for row in a]]}
    return certificate(net([width, n], "linear"), data, [], conclusion, "span", proof)


def wide_span() -> Json:
    """The rank of two matrices side by side, all entries of two thousand digits."""
    return spanned(30, 31, odd, {})


def orientation() -> Json:
    """A determinant of entries that have long coprime denominators."""
    return spanned(8, 8, small, {})


def many_minors() -> Json:
    """A vertex again and again, two ranks each time."""
    vertex = [[str((i * j + i) % 7 - 3) for j in range(40)] for i in range(39)]
    proof = {"vertices": [vertex] * 800, "minors": [list(range(39))] * 801}
    return spanned(39, 40, one, proof)


def many_vertices() -> Json:
    """A path of one entry that stands still."""
    data, point = plain([["1"]], [["1"]]), [[["1"]]]
    conclusion = {"kind": "span_path", "A": point, "B": point}
    proof = {"vertices": point * 400_000, "minors": [[0]] * 400_001}
    return certificate(net([1, 1], "linear"), data, [], conclusion, "span", proof)


def forms(x: Json, value: Callable[[int], str]) -> Json:
    """The regular level of a network of squares whose best form is 0, every hint long."""
    n, size = len(x[0]), len(x[0]) * (len(x[0]) + 1) // 2
    regular = {
        "best": {"rows": list(range(n)), "form": ["0"] * size},
        "level": value(1),
        "turn": [[value(i + j) for j in range(n)] for i in range(n)],
        "multipliers": [[value(i * j) for j in range(size)] for i in range(size)],
        "relation": [[value(i + j) for j in range(size)] for i in range(size)],
    }
    point = [[["0"] * n] * n, [["1"] * n]]
    conclusion = {"kind": "components", "u": "0", "at_least": 0, "at_most": 1}
    data = plain(x, [["0"]] * len(x))
    proof = {"point": point, "regular": regular}
    return certificate(net([n, n, 1], "square"), data, [], conclusion, "inertia", proof)


def eight(value: Callable[[int], str]) -> Json:
    return [[value(i * j + 1) if i >= j else "0" for j in range(8)] for i in range(8)]


def long_forms() -> Json:
    return forms(eight(one), odd)


def coprime_forms() -> Json:
    return forms(eight(one), small)


def long_squares() -> Json:
    return forms(eight(odd), one)


def forms_of_many_samples() -> Json:
    return forms([*eight(one), *[[str(i + j * j) for j in range(8)] for i in range(20_000)]], one)


def counted_components(network: Json, data: Json, walls_: Json, points: Json) -> Json:
    conclusion = {"kind": "components", "u": "0", "at_least": 2, "at_most": None}
    proof = {"walls": walls_, "points": points}
    return certificate(network, data, [], conclusion, "barrier", proof)


def wide_determinant() -> Json:
    """A frame of 300 x 300 whose determinant grows, at six points."""
    size = 300
    frame = [[str((i * j) % 97 + int(i == j)) for j in range(size)] for i in range(size)]
    z = [[str(min(i, j) + 1) for j in range(size)] for i in range(size)]
    zero = [["0"] * size] * size
    data = plain([["1"] * size], [["0"] * size])
    wall = {"kind": "determinant", "layer": 1, "frame": frame, "gap": "0"}
    points = [[zero, frame]] * 6
    walls_ = [{**wall, "fit": zero, "mu": "0", "Z": z}]
    return counted_components(net([size] * 3, "linear"), data, walls_, points)


def features_of_many_samples() -> Json:
    """Columns of 2,000 digits, one row for each of 3,000 samples."""
    samples, size = 3_000, 2
    frame = [[str(10**1990 + (7 * i + 1) ** (1 + j)) for j in range(size)] for i in range(samples)]
    data = plain(rows(samples, one), [["1", "0"]] * samples)
    wall = {"kind": "features", "layer": 1, "frame": frame, "gap": "1"}
    point: Json = [[["1"]] * size, [["1"] * size] * size]
    return counted_components(net([1, size, size], "relu"), data, [wall], [point])


def weighed_features() -> Json:
    """The frame divided by 6,000 different weights."""
    samples = 6_000
    data = {**plain(rows(samples, one), rows(samples, one)), "weights": [""]}
    data["weights"] = [str(i + 1) for i in range(samples)]
    frame = [["1", str(i)] for i in range(samples)]
    wall = {"kind": "features", "layer": 1, "frame": frame, "gap": "1"}
    point: Json = [[["1"], ["1"]], [["1", "1"]]]
    return counted_components(net([1, 2, 1], "relu"), data, [wall], [point])


def line_of_long_inputs() -> Json:
    """3,000 inputs of 1,990 digits."""
    long = [str(10**1990 + 3 * i) for i in range(3_000)]
    data = plain([[v, v] for v in long], rows(3_000, one))
    wall = {"kind": "line", "direction": ["1", "1"]}
    return counted_components(net([2, 1, 1], "relu"), data, [wall], [])


def thousand_brackets() -> Json:
    """1,000 brackets of 3,000 samples in 60 inputs on a line."""
    samples, width = 3_000, 60
    inputs = [[str(i * (k + 1)) for k in range(width)] for i in range(samples)]
    data = plain(inputs, [[str(int(i % 3 == 1))] for i in range(samples)])
    brackets = [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(1_000)]
    wall = {"kind": "kinks", "brackets": brackets}
    return counted_components(net([width, 1_000, 1], "relu"), data, [wall] * 20, [])


def brackets_of_long_places() -> Json:
    data = plain([[str(10**1900 * i)] for i in range(3_000)], rows(3_000, str))
    wall = {"kind": "kinks", "brackets": [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(1_000)]}
    return counted_components(net([1, 1_000, 1], "relu", [True, False]), data, [wall], [])


def walls_again_and_again() -> Json:
    """The same expansion asked for by 8,000 walls: L = 1 + 1 (L - 1)."""
    square = [["1", [[0, 6], [2, 2]]], ["2", [[0, 3], [1, 3], [2, 1], [3, 1]]]]
    rest = [*square, ["1", [[1, 6], [3, 2]]], ["-1", []]]
    wall = {"kind": "identity", "wall": [["1", []]], "multiplier": rest, "squares": []}
    point: Json = [[["1"], ["1"]], [["1", "-1"]]]
    data = plain([["1"]], [["0"]])
    walls_ = [{**wall, "margin": "1"}] * 8_000
    return counted_components(net([1, 2, 1], "cube"), data, walls_, [point])


def many_labels() -> Json:
    """20 points, each with 500 units to place in 500 brackets."""
    samples = 1_500
    teacher = [[str(sum(max(0, s - 3 * i - 1) for i in range(500)))] for s in range(samples)]
    data = plain(rows(samples, str), teacher)
    wall = {"kind": "kinks", "brackets": [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(500)]}
    point: Json = [[["1", str(-3 * i - 1)] for i in range(500)], [["1"] * 500]]
    network = net([1, 500, 1], "relu", [True, False])
    return counted_components(network, data, [wall], [point] * 20)


def long_ridge() -> Json:
    """A ridge of 2,000-digit numbers on a polyline of idle moves."""
    size = 300
    start: Json = [[["0"]] * size, [["0"] * size]]
    whole = still(net([1, size, 1], "relu"), UNIT, start, move("idle", 1, r0=["1"]), 500)
    whole["statement"]["ridge"] = [odd(i) for i in range(2 * size)]
    whole["statement"]["hypotheses"] = [{"kind": "ridge"}]
    return whole


BOMBS: list[Callable[[], Json]] = [
    regions_of_many_units,
    many_cells,
    many_rays,
    cells_of_high_rank,
    long_inputs_of_a_tree,
    zero_inputs_of_a_tree,
    wide_span,
    orientation,
    many_minors,
    many_vertices,
    long_forms,
    coprime_forms,
    long_squares,
    forms_of_many_samples,
    wide_determinant,
    features_of_many_samples,
    weighed_features,
    line_of_long_inputs,
    thousand_brackets,
    brackets_of_long_places,
    walls_again_and_again,
    many_labels,
    long_ridge,
]
