"""Data sets: exact reading, the shipped ones against their source."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model.drawn import NUMBERS, cases

from theorylab.model import (
    Dataset,
    Network,
    Weights,
    dataset_names,
    load_dataset,
    matrix,
    rational,
    rational_text,
    read_dataset,
    rows,
)
from theorylab.model.data import data_from_json


@given(cases())
def test_data_json_round_trips_exactly(case: tuple[Network, Weights, Dataset]) -> None:
    data = case[2]
    back = data_from_json(json.loads(json.dumps(data.to_json())))
    assert back == data and hash(back) == hash(data)


@given(NUMBERS)
def test_rational_text_round_trips(value: object) -> None:
    assert rational_text(rational(value)) == str(value)
    assert rational(rational_text(rational(value))) == rational(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-99, max_value=99))
def test_decimals_are_read_as_written(value: object) -> None:
    numerator, denominator = rational(str(value)).p, rational(str(value)).q
    assert value * int(denominator) == int(numerator)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.1", "1/10"),
        (".5", "1/2"),
        ("5.", "5"),
        ("+3", "3"),
        ("-0", "0"),
        ("1e-3", "1/1000"),
        ("-2.50E2", "-250"),
        (" 6/4 ", "3/2"),
    ],
)
def test_spellings_of_numbers(text: str, wanted: str) -> None:
    assert rational_text(rational(text)) == wanted


def test_csv_reads_weights_blank_lines_and_any_column_order(tmp_path: Path) -> None:
    place = tmp_path / "d.csv"
    place.write_text("\ufeffy1,x2,weight,x1\n1,0.10,1/2,-3\n\n 2 , 1e1 ,1,4\n", encoding="utf-8")
    data = load_dataset(place)
    assert data.name == "d"
    assert data.to_json() == {
        "x": [["-3", "1/10"], ["4", "10"]],
        "y": [["1"], ["2"]],
        "weights": ["1/2", "1"],
    }


def test_json_numbers_are_exact_decimals(tmp_path: Path) -> None:
    place = tmp_path / "d.json"
    place.write_text('{"x":[[0.1],[1e-3]],"y":[[-0.35],["1/3"]]}')
    assert read_dataset(place).to_json() == {
        "x": [["1/10"], ["1/1000"]],
        "y": [["-7/20"], ["1/3"]],
        "weights": None,
    }


@pytest.mark.parametrize(
    ("name", "file", "shape", "counts", "distinct"),
    [
        ("iris", "iris.csv", (4, 3, 150), (50, 50, 50), 149),
        ("wine", "wine_data.csv", (13, 3, 178), (59, 71, 48), 178),
    ],
)
def test_shipped_data_is_the_text_of_its_source(
    name: str, file: str, shape: tuple[int, int, int], counts: tuple[int, ...], distinct: int
) -> None:
    data = load_dataset(name)
    assert (data.n, data.m, data.samples) == shape
    assert tuple(sum(row) for row in data.y.tolist()) == counts
    assert len({tuple(column) for column in data.x.transpose().tolist()}) == distinct
    ours = resources.files("theorylab.model").joinpath("datasets", f"{name}.csv").read_text()
    theirs = resources.files("sklearn.datasets.data").joinpath(file).read_text()
    classes = [f"{int(c == 0)},{int(c == 1)},{int(c == 2)}" for c in range(3)]
    wanted = []
    for line in theirs.splitlines()[1:]:
        inputs, species = line.rsplit(",", 1)
        wanted.append(f"{inputs},{classes[int(species)]}")
    assert ours.splitlines()[1:] == wanted


def test_iris_has_the_two_samples_that_differ_at_uci_as_in_fisher() -> None:
    x = load_dataset("iris").to_json()["x"]
    assert x[34] == [rational_text(rational(v)) for v in ("4.9", "3.1", "1.5", "0.2")]
    assert x[37] == [rational_text(rational(v)) for v in ("4.9", "3.6", "1.4", "0.1")]


def test_every_shipped_data_set_cites_its_source() -> None:
    text = resources.files("theorylab.model").joinpath("datasets", "SOURCES.md").read_text()
    assert dataset_names() == ("iris", "wine")
    for name in dataset_names():
        source = load_dataset(name).source
        assert source is not None and source.authors
        assert f"{name}.csv" in text and source.authors[0] in text and str(source.year) in text


def test_subset_restrict_and_gram() -> None:
    data = Dataset.from_rows([[1, 2], [3, 4], [5, 6]], [[1], [0], [2]], ["1/2", 1, 3])
    part = data.subset([2, 0])
    assert rows(part.x) == [["5", "1"], ["6", "2"]]
    assert [str(w) for w in part.sample_weights] == ["3", "1/2"]
    assert data.restrict(inputs=[1]).x == matrix([[2, 4, 6]])
    assert data.gram(data.y) == matrix([["25/2"]])
    assert data.gram(data.y, data.x) == matrix([["61/2", "37"]])
