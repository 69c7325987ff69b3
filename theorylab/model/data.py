"""Data sets: exact inputs and targets, read from CSV or JSON, two real ones shipped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from flint import fmpq, fmpq_mat

from theorylab.model.rational import (
    columns,
    matrix,
    only_keys,
    rational,
    rational_text,
    read_json,
    read_text,
    rows,
)
from theorylab.outcome import InputError, Shown, Source

# As many numbers are written out where a data set is printed.
_FEW = 48
_SHIPPED = {
    "iris": Source(
        ("R. A. Fisher",),
        "The Use of Multiple Measurements in Taxonomic Problems",
        1936,
        "Annals of Eugenics 7(2), 179-188, Table I",
    ),
    "wine": Source(
        ("M. Forina", "S. Aeberhard"),
        "Wine recognition data",
        1991,
        "UCI Machine Learning Repository; measurements from PARVUS, Forina et al., Genoa",
    ),
}


@dataclass(frozen=True, slots=True)
class Dataset(Shown):
    """N samples: inputs x (n x N), targets y (m x N), columns are samples; positive weights.

    ``weights`` None means all ones. Guarantees: exact. Raises InputError for an empty data set,
    sample counts that differ, and weights that are not positive.

    >>> data = Dataset.from_rows([[1, "0.5"], [0, 2], [3, 3]], [[1], [0], [-1]])
    >>> data.n, data.m, data.samples, data.x.table()
    (2, 1, 3, [[1, 0, 3], [1/2, 2, 3]])
    """

    x: fmpq_mat
    y: fmpq_mat
    weights: tuple[fmpq, ...] | None = None
    name: str = "data"
    source: Source | None = None

    def __post_init__(self) -> None:
        for name, part in (("x", self.x), ("y", self.y)):
            if not isinstance(part, fmpq_mat):
                raise InputError(
                    name,
                    part,
                    "an exact matrix, one column for each sample, is expected",
                    "use Dataset.from_rows",
                )
            if part.nrows() == 0 or part.ncols() == 0:
                raise InputError(
                    name,
                    f"{part.ncols()} samples of {part.nrows()} values",
                    "a data set has at least one sample, and at least one value in each",
                    "add rows",
                )
        if self.x.ncols() != self.y.ncols():
            raise InputError(
                "y",
                f"{self.y.ncols()} samples",
                f"x and y have equally many samples, and x has {self.x.ncols()}",
                "give one target for each input",
            )
        if self.weights is None:
            return
        if len(self.weights) != self.samples:
            raise InputError(
                "weights",
                f"{len(self.weights)} weights",
                f"there is one weight for each of the {self.samples} samples",
                "leave weights out for all ones",
            )
        for i, weight in enumerate(self.weights):
            if not rational(weight, f"weights[{i}]") > 0:
                raise InputError(
                    f"weights[{i}]",
                    weight,
                    "sample weights are positive",
                    "leave the sample out instead of weighting it by zero",
                )

    def __str__(self) -> str:
        return f"{self.name}: {self.samples} samples of {self.n} inputs and {self.m} targets"

    def __repr__(self) -> str:
        """The call that makes it; more numbers than a line holds in short."""
        if (self.n + self.m) * self.samples > _FEW:
            return f"<data {self}>"
        value = self.to_json()
        named = {"weights": value["weights"], "name": self.name}
        more = [f", {key}={item!r}" for key, item in named.items() if item not in (None, "data")]
        return f"Dataset.from_rows({value['x']}, {value['y']}{''.join(more)})"

    def __hash__(self) -> int:
        return hash((tuple(self.x.entries()), tuple(self.y.entries()), self.weights, self.name))

    @staticmethod
    def from_rows(
        x: object,
        y: object,
        weights: Sequence[object] | None = None,
        name: str = "data",
        source: Source | None = None,
    ) -> Dataset:
        """The data set with one row for each sample; numbers as ``rational`` reads them."""
        exact = None
        if weights is not None:
            exact = tuple(rational(w, f"weights[{i}]") for i, w in enumerate(weights))
        return Dataset(matrix(x, "x").transpose(), matrix(y, "y").transpose(), exact, name, source)

    @property
    def n(self) -> int:
        """The number of inputs of a sample."""
        return self.x.nrows()

    @property
    def m(self) -> int:
        """The number of targets of a sample."""
        return self.y.nrows()

    @property
    def samples(self) -> int:
        """The number N of samples."""
        return self.x.ncols()

    @property
    def sample_weights(self) -> tuple[fmpq, ...]:
        """The N weights, ones when the data set has none of its own."""
        return (fmpq(1),) * self.samples if self.weights is None else self.weights

    def weighted(self, a: fmpq_mat) -> fmpq_mat:
        """A D for a matrix A (any x N) and the diagonal matrix D of the sample weights."""
        if self.weights is None:
            return a
        return fmpq_mat(
            a.nrows(),
            a.ncols(),
            [v * s for row in a.tolist() for v, s in zip(row, self.weights, strict=True)],
        )

    def gram(self, a: fmpq_mat, b: fmpq_mat | None = None) -> fmpq_mat:
        """A D B^T (B = A when it is left out) for matrices whose columns go with the samples.

        >>> Dataset.from_rows([[1], [2]], [[0], [0]], weights=[1, "1/2"]).gram(matrix([[1, 2]]))
        [3]
        """
        return self.weighted(a) * (a if b is None else b).transpose()

    def subset(self, indices: Sequence[int]) -> Dataset:
        """The data set of these samples, in this order. InputError for an index out of range."""
        for i in indices:
            if not 0 <= i < self.samples:
                raise InputError(
                    "indices",
                    i,
                    f"the samples are numbered 0 to {self.samples - 1}",
                    "choose among them",
                )
        kept = None if self.weights is None else tuple(self.weights[i] for i in indices)
        return Dataset(
            columns(self.x, indices),
            columns(self.y, indices),
            kept,
            f"{self.name}[{','.join(map(str, indices))}]",
            self.source,
        )

    def restrict(
        self, inputs: Sequence[int] | None = None, targets: Sequence[int] | None = None
    ) -> Dataset:
        """The same samples with these inputs and targets only, numbered from 0.

        >>> load_dataset("wine").restrict(inputs=[0, 6], targets=[2]).n
        2
        """
        parts = []
        for name, part, chosen in (("inputs", self.x, inputs), ("targets", self.y, targets)):
            for i in chosen or ():
                if not 0 <= i < part.nrows():
                    raise InputError(
                        name,
                        i,
                        f"the {name} are numbered 0 to {part.nrows() - 1}",
                        "choose among them",
                    )
            table = part.tolist()
            parts.append(part if chosen is None else matrix([table[i] for i in chosen], name))
        return Dataset(parts[0], parts[1], self.weights, self.name, self.source)

    def to_json(self) -> dict[str, Any]:
        """The form the kernel reads: one row for each sample."""
        weights = None if self.weights is None else [rational_text(w) for w in self.weights]
        return {"x": rows(self.x.transpose()), "y": rows(self.y.transpose()), "weights": weights}


def dataset_names() -> tuple[str, ...]:
    """The names of the data sets that ship with the package."""
    return tuple(_SHIPPED)


def load_dataset(name_or_path: str | Path) -> Dataset:
    """A data set that ships with the package, by name, or one in a CSV or JSON file.

    Guarantees: exact, decimals as printed in the file. Raises InputError.

    >>> iris = load_dataset("iris")
    >>> iris.n, iris.m, iris.samples, iris.source.year
    (4, 3, 150, 1936)
    """
    name = str(name_or_path)
    if name in _SHIPPED:
        text = resources.files("theorylab.model").joinpath("datasets", f"{name}.csv")
        return _from_csv(text.read_text(encoding="utf-8"), name, _SHIPPED[name])
    if not name or (re.fullmatch(r"[\w-]+", name) and not Path(name).exists()):
        raise InputError(
            "data",
            name,
            f"the data sets that ship with the package are {', '.join(_SHIPPED)}",
            "choose one of them, name a CSV or JSON file, or see theorylab.experiments.data",
        )
    return read_dataset(name)


def read_dataset(path: str | Path) -> Dataset:
    """The data set in a file: JSON when its name ends in .json, CSV otherwise.

    CSV has the header x1,...,xn,y1,...,ym and optionally a column ``weight``; JSON is
    {"x":[[...]],"y":[[...]],"weights":[...]} with one row for each sample. Raises InputError.
    """
    place = Path(path)
    if place.suffix.lower() == ".json":
        return data_from_json(read_json(place), place.stem)
    return _from_csv(read_text(place), place.stem, None)


def data_from_json(content: dict[str, Any], name: str = "data") -> Dataset:
    """The data set in the decoded content of a JSON file; InputError if malformed."""
    only_keys(content, {"x", "y"}, {"weights"}, "data")
    weights = content.get("weights")
    if not (weights is None or isinstance(weights, list)):
        raise InputError("weights", weights, "a list is expected", "write it in square brackets")
    return Dataset.from_rows(content["x"], content["y"], weights, name)


def _from_csv(text: str, name: str, source: Source | None) -> Dataset:
    try:
        table = [
            (line, [cell.strip() for cell in row])
            for line, row in enumerate(csv.reader(io.StringIO(text), strict=True), start=1)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise InputError(
            "data", name, f"the file is not valid CSV ({error})", "separate values by commas"
        ) from None
    header = table[0][1] if table else []
    x_at, y_at, weight_at = _header(header)
    for line, row in table[1:]:
        if len(row) != len(header):
            raise InputError(
                f"line {line}",
                ",".join(row),
                f"the header names {len(header)} columns, this line has {len(row)}",
                "complete the line",
            )

    def picked(places: list[int]) -> list[list[fmpq]]:
        return [
            [rational(row[j], f"{header[j]}, line {line}") for j in places]
            for line, row in table[1:]
        ]

    weights = [row[0] for row in picked([weight_at])] if weight_at is not None else None
    return Dataset.from_rows(picked(x_at), picked(y_at), weights, name, source)


def _header(header: list[str]) -> tuple[list[int], list[int], int | None]:
    """Where the columns x1.., y1.. and weight are."""
    places: dict[str, list[int]] = {"x": [], "y": []}
    for letter, found in places.items():
        count = sum(1 for cell in header if re.fullmatch(f"{letter}[0-9]+", cell))
        names = [f"{letter}{i}" for i in range(1, count + 1)]
        found.extend(header.index(cell) for cell in names if cell in header)
    weight = [j for j, cell in enumerate(header) if cell == "weight"]
    understood = len(places["x"]) + len(places["y"]) + len(weight)
    if not places["x"] or not places["y"] or len(weight) > 1 or understood != len(header):
        raise InputError(
            "header",
            ",".join(header),
            "the header is x1,...,xn,y1,...,ym and at most one column weight",
            "rename the columns",
        )
    return places["x"], places["y"], weight[0] if weight else None
