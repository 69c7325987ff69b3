"""Options and arguments as numbers, paths, networks and data: complaints name the option."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from theorylab.outcome import InputError

if TYPE_CHECKING:
    from flint import fmpq

    from theorylab.claims import Claim
    from theorylab.model import Dataset, Network, Weights


def whole(argument: str, text: str, low: int | None = None, high: int | None = None) -> int:
    """The integer an option denotes, within its bounds."""
    rule = "a whole number of at most 18 digits is expected"
    if low is not None:
        rule = f"a whole number of at least {low}, of at most 18 digits, is expected"
    if high is not None:
        rule = f"a whole number of {low} to {high} is expected"
    digits = text.strip().removeprefix("-")
    number = int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
    below = number is None or (low is not None and number < low)
    if number is None or below or (high is not None and number > high):
        raise InputError(argument, text, rule, f"write e.g. {argument} {min(high or 3, 3)}")
    return number


def positive(argument: str, text: str) -> fmpq:
    """The positive rational an option denotes, read exactly."""
    from theorylab.model import rational

    value = rational(text, argument)
    if value <= 0:
        raise InputError(argument, text, "a positive number is expected", "leave it out for none")
    return value


def span(argument: str, text: str) -> range:
    """The range a..b, both ends included, or the one number a."""
    low, dots, high = text.partition("..")
    first = whole(argument, low, 1, 1_000)
    last = whole(argument, high, 1, 1_000) if dots else first
    if last < first:
        rule = "a range goes from the smaller number to the larger"
        raise InputError(argument, text, rule, f"write e.g. {argument} {last}..{first}")
    return range(first, last + 1)


def duration(argument: str, text: str) -> float:
    """The positive number of seconds an option denotes."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        rule = "a positive number of seconds is expected"
        raise InputError(argument, text, rule, f"write e.g. {argument} 60, or leave it out")
    return seconds


def biases(where: str, layers: int) -> tuple[bool, ...]:
    """Which layers have a bias: none, all, hidden, or a 0 or 1 for each."""
    named = {
        "none": (False,) * layers,
        "all": (True,) * layers,
        "hidden": (True,) * (layers - 1) + (False,),
    }
    digits = where.split(",")
    if where in named:
        return named[where]
    if len(digits) == layers and set(digits) <= {"0", "1"}:
        return tuple(digit == "1" for digit in digits)
    rule = f"it is none, hidden, all, or a 0 or 1 for each of the {layers} layers"
    raise InputError("--bias", where, rule, "write e.g. --bias hidden")


def _nearest(path: Path) -> Path:
    """The path itself if it exists, else the nearest folder above it that does."""
    return next((p for p in (path, *path.absolute().parents) if p.exists()), path)


def folder(argument: str, name: str | None) -> Path | None:
    """The folder, refused before any work when it cannot be made or written."""
    if name is None:
        return None
    path = named(argument, name)
    nearest = _nearest(path)
    if not nearest.is_dir():
        rule = "certificates go into a folder, and this is a file"
        if nearest != path:
            rule = f"the folder cannot be made, for {nearest} is a file"
        raise InputError(argument, name, rule, "name a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(argument, name, "the folder cannot be written", "name another folder")
    return path


def file(argument: str, name: str | None) -> Path | None:
    """The file, refused before any work when it cannot be written."""
    if name is None:
        return None
    path = named(argument, name)
    if path.is_dir():
        raise InputError(argument, name, "this is a folder, not a file", "name a file in it")
    nearest = _nearest(path.parent)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        rule = f"no file can be written below {nearest}"
        raise InputError(argument, name, rule, "name a file in a folder of yours")
    return path


def picture(argument: str, name: str | None) -> Path | None:
    """The file of a picture, refused before any work for another ending than these."""
    path = file(argument, name)
    if path is not None and path.suffix.lower() not in (".png", ".svg", ".pdf"):
        rule = "a picture ends in .png, .svg or .pdf"
        raise InputError(argument, name, rule, "choose one of these endings")
    return path


def named(argument: str, name: str) -> Path:
    """The path of that name; InputError for an impossible one."""
    if not name.strip() or "\0" in name:
        raise InputError(argument, name, "the name is empty or impossible", "name it in letters")
    return Path(name)


@contextmanager
def blaming(argument: str, path: object = None) -> Iterator[None]:
    """Complaints about what a file holds name the option and the file that it came by."""
    try:
        yield
    except InputError as error:
        inner = error.argument
        where = f"{argument} {path}, {inner}"
        if inner in ("path", "data", "out", "experiment", "budget", "device"):
            where = argument
        elif inner.startswith("path "):
            where = f"{argument} {path}"
        raise InputError(where, error.value, error.rule, error.remedy) from None


def is_torch(path: str) -> bool:
    """Whether the name is that of a file of torch: it ends in .pt or .pth."""
    return Path(path).suffix.lower() in (".pt", ".pth")


def network(
    argument: str, path: str, activation: str = "relu", bits: int | None = None
) -> tuple[Network, Weights]:
    """The network and the weights of a file: JSON, or torch's, which ``bits`` may round."""
    from theorylab.model import read_network
    from theorylab.model.network import torch_networks

    with blaming(argument, path):
        place = named("path", path)
        if not is_torch(path):
            return read_network(place)
        found: tuple[Network, Weights] = torch_networks().read_torch(place, activation, bits)
        return found


def shape(widths: str, activation: str, bias: str = "none") -> Network:
    """The dense network of --widths, --activation and --bias."""
    from theorylab.model import Network

    parts = widths.split(",")
    if len(parts) < 2 or not all(part.strip().isdecimal() for part in parts):
        rule = "the widths of all layers are expected, inputs and outputs included"
        raise InputError("--widths", widths, rule, "write e.g. --widths 2,3,1")
    numbers = tuple(whole("--widths", part, 1, 10_000) for part in parts)
    flags = biases(bias, len(numbers) - 1)
    try:
        return Network.dense(numbers, activation, flags)
    except InputError as error:
        option = f"--{error.argument}"
        raise InputError(option, error.value, error.rule, error.remedy) from None


def dataset(name: str, samples: str | None = None) -> Dataset:
    """The data set of a file, or of a name; the first samples, where an option asks for it."""
    from theorylab.model import dataset_names, load_dataset

    bare = re.fullmatch(r"[\w-]+", name) is not None and not Path(name).exists()
    if bare and name not in dataset_names():
        from theorylab.experiments.data import dataset_names as labelled_names
        from theorylab.experiments.data import exact_dataset

        if name in labelled_names():
            count = None if samples is None else whole("--samples", samples, 1)
            with blaming("--data", name):
                return exact_dataset(name, count)
        known = ", ".join((*dataset_names(), *labelled_names()))
        remedy = "choose one of them, or name a CSV or JSON file"
        raise InputError("--data", name, f"the data sets are {known}", remedy)
    with blaming("--data", name):
        data = load_dataset(name)
    return first_samples(data, samples)


def first_samples(data: Dataset, samples: str | None) -> Dataset:
    """The first samples only, where an option asks for it."""
    from dataclasses import replace

    if samples is None:
        return data
    count = whole("--samples", samples, 1, data.samples)
    return replace(data.subset(range(count)), name=f"{data.name} (first {count} of {data.samples})")


def claims(names: Sequence[str]) -> list[Claim]:
    """The claims of these names: ids of the catalogue, files of the user's own, FILE.py::NAME."""
    from theorylab.claims import claim
    from theorylab.conjecture.file import chosen, is_file_of_claims, load_claims

    found: dict[str, Claim] = {}
    loaded: dict[str, tuple[Claim, ...]] = {}
    for name in names:
        if not is_file_of_claims(name):
            found.setdefault(name, claim(name))
            continue
        place, _, wanted = name.partition("::")
        if place not in loaded:
            loaded[place] = load_claims(named("claim", place))
        for one in chosen(loaded[place], place, wanted):
            if found.setdefault(one.id, one) is not one:
                rule = "two of the files have a claim of this name"
                raise InputError("claim", one.id, rule, "rename one, or verify them apart")
    return list(found.values())


def claim_ids(incomplete: str) -> list[str]:
    """The claims of the catalogue that a shell may complete this to."""
    from theorylab.claims import all_claims

    return [claim.id for claim in all_claims() if claim.id.startswith(incomplete)]


def experiment_names(incomplete: str) -> list[str]:
    """The experiments that a shell may complete this to."""
    from theorylab.experiments.register import NAMES

    return [name for name in (*NAMES, "all") if name.startswith(incomplete)]


def names_to_list(incomplete: str) -> list[str]:
    """Whatever ``list`` shows in full."""
    names = [*claim_ids(incomplete), *experiment_names(incomplete)]
    return [name for name in names if name != "all"]


def certificates(files: Sequence[str]) -> list[Path]:
    """The files themselves and all *.json below the folders, in order."""
    found: list[Path] = []
    for path in (named("FILE", name) for name in files):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*.json") if p.is_file())
            if not inside:
                rule = "no *.json file lies in this folder"
                raise InputError("FILE", str(path), rule, "name a folder of certificates")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            rule = "there is no such file or folder"
            raise InputError("FILE", str(path), rule, "check the path")
    return list(dict.fromkeys(found))
