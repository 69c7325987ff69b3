"""Every refusal names the argument, the value, the rule and the remedy, on one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from theorylab.model import (
    Activation,
    Dataset,
    Loss,
    Network,
    convolution,
    load_dataset,
    matrix,
    rational,
    read_network,
    write_network,
)
from theorylab.outcome import Assurance, InputError, Source, Undecided, shortened

NET = '{"widths":[1,1],"activation":"relu","weights":[[["1"]]]%s}'
ONE = Network.dense((1, 1), "linear")


def file(text: str, suffix: str, read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def act(folder: Path) -> Any:
        place = folder / f"input{suffix}"
        place.write_text(text, encoding="latin-1")
        return read(place)

    return act


def net(text: str) -> Callable[[Path], Any]:
    return file(text, ".json", read_network)


def csv(text: str) -> Callable[[Path], Any]:
    return file(text, ".csv", load_dataset)


def data(text: str) -> Callable[[Path], Any]:
    return file(text, ".json", load_dataset)


# What is done -> (argument, words of the value shown, words of the rule)
CASES: list[tuple[str, Callable[[Path], Any], str, str, str]] = [
    ("ragged csv", csv("x1,y1\n1,2\n3\n"), "line 3", "3", "names 2 columns"),
    ("long csv", csv("x1,y1\n1,2,9\n"), "line 2", "1,2,9", "names 2 columns"),
    ("empty csv", csv(""), "header", "", "the header is x1"),
    ("header only", csv("x1,y1\n"), "x", "0 samples", "at least one sample"),
    ("csv without targets", csv("x1,x2\n1,2\n"), "header", "x1,x2", "the header is x1"),
    ("csv with a gap", csv("x1,x3,y1\n1,2,3\n"), "header", "x1,x3,y1", "the header is x1"),
    ("csv twice x1", csv("x1,x1,y1\n1,2,3\n"), "header", "x1,x1,y1", "the header is x1"),
    ("nan in csv", csv("x1,y1\n1,nan\n"), "y1, line 2", "nan", "not a finite rational"),
    ("inf in csv", csv("x1,y1\n-inf,0\n"), "x1, line 2", "-inf", "not a finite rational"),
    ("1/0 in csv", csv("x1,y1\n1,1/0\n"), "y1, line 2", "1/0", "denominator is not zero"),
    ("text in csv", csv("x1,y1\nred,1\n"), "x1, line 2", "red", "not a finite rational"),
    ("empty cell", csv("x1,y1\n,1\n"), "x1, line 2", "''", "not a finite rational"),
    ("bad quote", csv('x1,y1\n"1,2\n'), "data", "input", "not valid CSV"),
    ("zero weight", csv("x1,y1,weight\n1,1,0\n"), "weights[0]", "0", "positive"),
    ("not UTF-8", csv("x1,y1\n\xe9,1\n"), "path", "input.csv", "not UTF-8"),
    ("directory", load_dataset, "path", "/", "directory"),
    ("missing file", lambda d: load_dataset(d / "no.csv"), "path", "no.csv", "cannot be read"),
    ("null in path", lambda d: load_dataset("a\0.csv"), "path", "a", "cannot be read"),
    ("unknown data", lambda _: load_dataset("irsi"), "data", "irsi", "iris, wine"),
    ("empty name", lambda _: load_dataset(""), "data", "''", "iris, wine"),
    ("json NaN", data('{"x":[[NaN]],"y":[[1]]}'), "path ", "NaN", "finite"),
    ("json broken", data('{"x":'), "path", "input.json", "not valid JSON"),
    ("json twice", data('{"x":[[1]],"x":[[2]],"y":[[1]]}'), "path ", "x", "keys occur once"),
    ("json list", data("[1]"), "path", "input.json", "one JSON object"),
    ("json deep", data("[" * 100_000), "path", "input.json", "nested too deeply"),
    ("json no y", data('{"x":[[1]]}'), "data", "['x']", 'the key "y" is required'),
    ("json extra", data('{"x":[[1]],"y":[[1]],"z":1}'), "data", "z", "known keys"),
    ("json weights", data('{"x":[[1]],"y":[[1]],"weights":3}'), "weights", "3", "a list"),
    ("json ragged", data('{"x":[[1],[1,2]],"y":[[1],[1]]}'), "x[1]", "[1, 2]", "same length"),
    ("json counts", data('{"x":[[1],[2]],"y":[[1]]}'), "y", "1 samples", "x has 2"),
    ("json true", data('{"x":[[true]],"y":[[1]]}'), "x[0][0]", "True", "true or false"),
    ("json empty", data('{"x":[],"y":[]}'), "x", "0 samples", "at least one"),
    ("json scalar", data('{"x":1,"y":[[1]]}'), "x", "1", "rows are expected"),
    ("json row", data('{"x":[1],"y":[[1]]}'), "x[0]", "1", "a row is a list"),
    ("huge int", data('{"x":[[%s]],"y":[[1]]}' % ("9" * 3001)), "path ", "999", "3000 digits"),
    ("huge exponent", csv("x1,y1\n1e9999,1\n"), "x1, line 2", "1e9999", "3000 digits"),
    ("weights count", net(NET.replace('[[["1"]]]', "[]") % ""), "weights", "0 mat", "1 layers"),
    ("weights shape", net(NET.replace('"1"]', '"1","2"]') % ""), "weights[0]", "1 x 2", "1 x 1"),
    ("activation", net(NET.replace("relu", "tanh") % ""), "activation", "tanh", "leaky_relu"),
    ("no slope", net(NET.replace("relu", "leaky_relu") % ""), "activation", "leaky", "a slope"),
    ("stray slope", net(NET % ',"slope":1'), "slope", "1", "leaky_relu"),
    ("output", net(NET % ',"output":"softmax"'), "output", "softmax", '"linear"'),
    ("biases", net(NET % ',"biases":[[1,2]]'), "biases[0]", "[1, 2]", "each of the 1 rows"),
    ("biases count", net(NET % ',"biases":[]'), "biases", "[]", "each of the 1 layers"),
    ("unknown key", net(NET % ',"bias":1'), "network", "bias", "known keys"),
    ("pattern", net(NET % ',"pattern":[[["2"]]]'), "weights[0][0][0]", "1", "asks for 2"),
    ("pattern size", net(NET % ',"pattern":[[[null,null]]]'), "pattern[0]", "None", "1 x 1"),
    ("pattern count", net(NET % ',"pattern":[]'), "pattern", "()", "1 layers"),
    ("pattern slot", net(NET % ',"pattern":[[[-1]]]'), "pattern[0]", "-1", "slot number"),
    ("pattern text", net(NET % ',"pattern":["x"]'), "pattern[0]", "x", "list of rows"),
    ("network directory", read_network, "path", "/", "directory"),
    ("write nowhere", lambda d: write_network(d / "a" / "b", ONE, (matrix([[1]]),)), "path", "b",
     "cannot be written"),
    ("no layer", lambda _: Network.dense((3,), "relu"), "widths", "(3,)", "at least two"),
    ("bare width", lambda _: Network.dense(3, "relu"), "widths", "(3,)", "at least two"),  # type: ignore[arg-type]
    ("zero width", lambda _: Network.dense((2, 0), "relu"), "widths", "(2, 0)", "positive"),
    ("true width", lambda _: Network.dense((2, True), "relu"), "widths", "True", "positive"),
    ("bias count", lambda _: Network.dense((1, 1), "relu", (True, False)), "bias", "True", "1 la"),
    ("activation type", lambda _: Network.dense((1, 1), 3), "activation", "3", "relu"),  # type: ignore[arg-type]
    ("two slopes", lambda _: Activation.parse({"leaky_relu": 1}, 2), "activation", "1", "relu"),
    ("polynomial text", lambda _: Activation.parse({"polynomial": "12"}), "activation", "poly",
     "coefficients"),
    ("binary float", lambda _: rational(0.5), "value", "0.5", "binary float"),
    ("float weight", lambda _: ONE.assemble([0.1]), "parameters[0]", "0.1", "binary float"),
    ("too few", lambda _: ONE.assemble([]), "parameters", "0", "1 free parameters"),
    ("no number", lambda _: rational(None, "u"), "u", "None", "null"),
    ("dot", lambda _: rational("."), "value", ".", "not a finite rational"),
    ("expression", lambda _: rational("__import__('os')"), "value", "import", "not a finite"),
    ("unicode digit", lambda _: rational("\u0663"), "value", "\u0663", "not a finite"),
    ("long text", lambda _: rational("1" * 9999), "value", "111", "3000 digits"),
    ("long denominator", lambda _: rational("1/" + "7" * 3001), "value", "777", "3000 digits"),
    ("kernel", lambda _: convolution(2, 3), "kernel", "3", "fits in"),
    ("stride", lambda _: convolution(2, 1, stride=0), "stride", "0", "at least 1"),
    ("list as data", lambda _: Dataset([[1]], [[1]]), "x", "[[1]]", "exact matrix"),  # type: ignore[arg-type]
    ("subset", lambda _: load_dataset("iris").subset([150]), "indices", "150", "0 to 149"),
    ("restrict", lambda _: load_dataset("iris").restrict([4]), "inputs", "4", "0 to 3"),
    ("weights", lambda _: Dataset.from_rows([[1]], [[1]], [1, 2]), "weights", "2", "1 samples"),
    ("loss", lambda _: Loss(ONE, load_dataset("iris")), "data.x", "4 values", "ask for 1"),
    ("assurance", lambda _: Assurance.weakest(), "parts", "()", "at least one part"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "argument", "value", "rule"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_refusal_has_four_parts_on_one_line(
    tmp_path: Path, act: Callable[[Path], Any], argument: str, value: str, rule: str
) -> None:
    with pytest.raises(InputError) as caught:
        act(tmp_path)
    error, line = caught.value, str(caught.value)
    # A blank after "path" stands for the name of the temporary file.
    assert error.argument == argument or error.argument.startswith(argument.rstrip() + " ")
    assert value in shortened(error.value)
    assert rule in error.rule
    assert error.remedy
    assert line.startswith(f"{error.argument} = ") and line.endswith(error.remedy)
    assert "\n" not in line and len(line) < 420


def test_bad_input_is_a_value_error_so_that_callers_can_catch_it() -> None:
    assert issubclass(InputError, ValueError)


def test_huge_values_are_shown_shortened() -> None:
    assert len(shortened(10**100_000)) <= 80
    assert len(shortened("x" * 10**6)) <= 80
    assert shortened("a\nb") == "'a\\nb'"


def test_undecided_names_step_reason_and_remedy() -> None:
    line = str(Undecided("no interior point", "barrier", "try a larger u"))
    assert line == "undecided at barrier: no interior point; try a larger u"
    assert str(Undecided("why")) == "undecided: why"


def test_assurance_is_as_weak_as_the_weakest_part() -> None:
    order = [a.value for a in Assurance]
    assert order == ["kernel", "flint", "cas", "numeric", "statistical", "unchecked"]
    for i, a in enumerate(Assurance):
        for j, b in enumerate(Assurance):
            assert Assurance.weakest(a, b) is list(Assurance)[max(i, j)]
            assert a.at_least(b) == (i <= j)


def test_source_without_place_has_no_note() -> None:
    assert "note" not in Source(("A. Author",), "Title words", 2000).bibtex
