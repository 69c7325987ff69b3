"""Labelled samples as NumPy arrays: a checksum, standardised inputs, balanced splits, shuffles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

Inputs = NDArray[np.float32]
Labels = NDArray[np.int64]

_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Labelled:
    """Training part x (n x d, float32), y (n, int64) and test part, which may have no rows.

    ``shape`` is (channels, height, width) or (d,), ``origin`` says where the data came from. The
    arrays are read-only: hand them on by ``torch.tensor``, which copies. Raises InputError for
    arrays that do not fit each other, and for labels out of range.
    """

    name: str
    x: Inputs
    y: Labels
    x_test: Inputs
    y_test: Labels
    classes: int
    shape: tuple[int, ...]
    origin: str

    def __post_init__(self) -> None:
        d, where = int(np.prod(self.shape)), f"{self.name} of {self.origin}"
        for part, x, y in (("training", self.x, self.y), ("test", self.x_test, self.y_test)):
            if len(x) != len(y):
                rule = f"every input has one label, and the {part} part has {len(y)} labels"
                raise InputError(where, f"{len(x)} inputs", rule, "bring both whole files")
            if x.ndim != 2 or x.shape[1] != d or x.dtype != np.float32 or y.dtype != np.int64:
                rule = f"inputs are n x {d} of float32, labels are int64"
                raise InputError(where, f"{x.shape} {x.dtype}, {y.dtype}", rule, "convert them")
            if len(y) and not 0 <= y.min() <= y.max() < self.classes:
                wrong = int(y[(y < 0) | (y >= self.classes)][0])
                rule = f"labels are 0 to {self.classes - 1} in the {part} part"
                raise InputError(where, f"label {wrong}", rule, "these are other data")
        for field in ("x", "y", "x_test", "y_test"):
            view = getattr(self, field).view()  # the caller's own array stays as it is
            view.setflags(write=False)
            object.__setattr__(self, field, view)
        if not len(self.y):
            rule = "there is at least one training sample"
            raise InputError(where, "0 samples", rule, "bring the whole files")

    @property
    def sha256(self) -> str:
        """The SHA-256 of type, shape and bytes (little-endian) of x, y, x_test and y_test."""
        digest = hashlib.sha256()
        for array in (self.x, self.y, self.x_test, self.y_test):
            portable = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest.update(f"{portable.dtype.str}{portable.shape}".encode())
            digest.update(portable.data if portable.size else b"")
        return digest.hexdigest()

    def standardised(self) -> Labelled:
        """The data with each feature centred on its training mean, all over one deviation.

        That deviation is the one of all raw training values together. For data without a test part
        split first and standardise the ``Split``. Raises InputError when all values are equal.
        """
        mean, deviation = _moments(self.name, self.x)
        return replace(
            self,
            x=_standard(self.x, mean, deviation),
            x_test=_standard(self.x_test, mean, deviation),
        )

    def split(
        self, train: int, validation: int = 0, test: int | None = None, seed: int = 0
    ) -> Split:
        """Disjoint parts of these sizes, their classes balanced as far as they reach.

        The test part is drawn from the data's own if there is one, otherwise from what training
        and validation leave; test None takes it all. A smaller training part of the same seed lies
        inside a larger one, whatever the other sizes. Raises InputError for too few samples.

        >>> from theorylab.experiments.data import load_dataset
        >>> parts = load_dataset("digits").split(train=1000, validation=300)
        >>> len(parts.y), len(parts.y_validation), len(parts.y_test), np.bincount(parts.y).tolist()
        (1000, 300, 497, [100, 100, 100, 100, 100, 100, 100, 100, 100, 100])
        """
        own = len(self.y_test) > 0
        for part, count, least in (("train", train, 1), ("validation", validation, 0)):
            if count < least:
                raise InputError(part, count, f"it is at least {least}", "ask for more")
        wanted = train + validation + (0 if own or test is None else test)
        if wanted > len(self.y):
            rule = f"{self.name} has {len(self.y)} training samples for all parts"
            raise InputError("train", f"{wanted} in all", rule, "ask for fewer")
        left = len(self.y_test) if own else len(self.y) - train - validation
        if test is not None and not 0 <= test <= left:
            rule = f"{left} samples are left for the test part"
            raise InputError("test", test, rule, "ask for as many")
        pool = _Pool(self.y, self.classes, seed, self.name, "split")
        training, validating = pool.take(train), pool.take(validation)
        x_test, y_test = (self.x_test, self.y_test) if own else (self.x, self.y)
        if own:
            pool = _Pool(self.y_test, self.classes, seed, self.name, "split of test")
        testing = pool.take(left if test is None else test)
        return Split(
            self.name,
            self.x[training],
            self.y[training],
            self.x[validating],
            self.y[validating],
            x_test[testing],
            y_test[testing],
            self.classes,
            self.shape,
        )


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test parts, each in a drawn order; the last two may be empty."""

    name: str
    x: Inputs
    y: Labels
    x_validation: Inputs
    y_validation: Labels
    x_test: Inputs
    y_test: Labels
    classes: int
    shape: tuple[int, ...]

    def standardised(self) -> Split:
        """All parts by the mean and deviation of the training part; see ``Labelled``."""
        mean, deviation = _moments(self.name, self.x)
        return replace(
            self,
            x=_standard(self.x, mean, deviation),
            x_validation=_standard(self.x_validation, mean, deviation),
            x_test=_standard(self.x_test, mean, deviation),
        )


def random_labels(y: Labels, classes: int, seed: int, net: int) -> Labels:
    """The labels in a drawn order: every class keeps its count, and inputs say nothing of them.

    Raises InputError for labels out of range.

    >>> random_labels(np.array([0, 0, 1, 2]), classes=3, seed=0, net=1).tolist()
    [0, 1, 2, 0]
    """
    if len(y) and not 0 <= y.min() <= y.max() < classes:
        rule = f"labels are 0 to {classes - 1}"
        raise InputError("y", f"{y.min()} to {y.max()}", rule, "give the number of classes")
    drawn = generator(seed, "random labels", net).permutation(y)
    return drawn.astype(np.int64)


class _Pool:
    """The samples of each class in a drawn order, to be taken from without replacement."""

    def __init__(self, y: Labels, classes: int, seed: int, name: str, role: str) -> None:
        drawn = generator(seed, role, name)
        # the classes that are asked first when the samples do not divide evenly
        self.order = drawn.permutation(classes)
        self.left = [drawn.permutation(np.flatnonzero(y == c)) for c in range(classes)]
        self.seed, self.name, self.role = seed, name, role
        self.parts = 0

    def take(self, count: int) -> NDArray[np.intp]:
        """The indices of the next part, as many of each class as there are, in a drawn order."""
        share = np.zeros(len(self.left), dtype=np.intp)
        have = np.array([len(indices) for indices in self.left])
        while (missing := count - int(share.sum())) > 0:
            open_ones = np.array([c for c in self.order if share[c] < have[c]])
            step = missing // len(open_ones)
            if step == 0:
                share[open_ones[:missing]] += 1
            else:
                share[open_ones] = np.minimum(share[open_ones] + step, have[open_ones])
        taken = [indices[:s] for indices, s in zip(self.left, share, strict=True)]
        self.left = [indices[s:] for indices, s in zip(self.left, share, strict=True)]
        self.parts += 1
        order = generator(self.seed, self.role, self.name, "order", self.parts)
        return order.permutation(np.concatenate(taken))


def _moments(name: str, x: Inputs) -> tuple[NDArray[np.float64], float]:
    """The mean of each feature and the deviation of all values, in float64 by blocks of rows."""
    total, squares = np.zeros(x.shape[1]), 0.0
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK].astype(np.float64)
        total += block.sum(axis=0)
        squares += float(np.square(block).sum())
    overall = float(total.sum()) / x.size
    variance = squares / x.size - overall**2
    if not variance > 0 or bool((x == x.flat[0]).all()):
        rule = "inputs that are all equal cannot be standardised"
        raise InputError(name, f"{len(x)} samples", rule, "bring other data")
    return total / len(x), float(np.sqrt(variance))


def _standard(x: Inputs, mean: NDArray[np.float64], deviation: float) -> Inputs:
    centred = x - mean.astype(np.float32)
    centred /= np.float32(deviation)
    return centred
