"""The words of the command line: which name claims, which name paths, and the numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from theorylab.outcome import InputError

NODES = "claims::"
_OPTION = "--claims"
# What follows these is theirs, whatever it looks like.
_VALUED = (["--deselect"], ["-k"], ["-m"], ["-o"], ["-c"], ["-p"], ["-W"], ["--ignore"])


def arranged(args: Sequence[str]) -> list[str]:
    """The command line with each word after --claims in its place: ``--claims=ID``, or a path.

    A word that exists as a path is one, but for a Python file that mentions a claim. A node id
    ``claims::...`` anywhere names a claim, or an instance.

    >>> arranged(["-x", "--claims", "a", "b.py::c", "--", "d"])
    ['-x', '--claims=a', '--claims=b.py::c', '--', 'd']
    >>> arranged(["--claims", "."]), arranged(["claims::a::b"])
    (['--claims=', '.'], ['--claims=claims::a::b'])
    >>> arranged(["--deselect", "claims::a::b"])
    ['--deselect', 'claims::a::b']
    """
    words, follows = list[str](), False
    for word in args:
        if word == _OPTION:
            follows = True
            words.append(f"{_OPTION}=")
        elif word.startswith(NODES) and words[-1:] not in _VALUED:
            words.append(f"{_OPTION}={word}")
        elif word.startswith("-") or not follows:
            follows = False
            words.append(word)
        elif _is_path(word):
            words.append(word)
        else:
            if words[-1] == f"{_OPTION}=":
                words.pop()
            words.append(f"{_OPTION}={word}")
    return words


def _is_path(word: str) -> bool:
    file = Path(word.partition("::")[0])
    return file.exists() and not (file.suffix == ".py" and mentions_claims(file))


def mentions_claims(file: Path) -> bool:
    """Whether the text of a file speaks of a conjecture, or makes a Claim."""
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return False
    return "conjecture" in text or "Claim(" in text


def named(config: pytest.Config) -> list[str]:
    """The words that name claims: those of the command line, else of the ini value.

    A file of the ini value is looked for beside the ini file.
    """
    given = [part for word in config.getoption("claims") or () for part in word.split(",") if part]
    if given:
        return list(dict.fromkeys(given))
    listed: list[str] = config.getini("claims")
    folder = Path(config.inipath).parent if config.inipath else config.rootpath
    words = []
    for word in listed:
        file, colons, name = word.partition("::")
        if file.endswith(".py"):
            word = os.path.relpath(folder / file, config.invocation_params.dir) + colons + name
        words.append(word)
    return list(dict.fromkeys(words))


@dataclass(frozen=True, slots=True)
class Numbers:
    """How much is drawn, by which seed, where certificates go, and what undecided is."""

    instances: int = 0
    tries: int = 0
    seed: int = 0
    out: Path | None = None
    skips_undecided: bool = False


_READ = pytest.StashKey[Numbers]()


def numbers(config: pytest.Config) -> Numbers:
    """The options --claims-...; UsageError in one line for impossible ones."""
    if _READ not in config.stash:
        config.stash[_READ] = _read(config)
    return config.stash[_READ]


def _read(config: pytest.Config) -> Numbers:
    def whole(name: str, low: int | None) -> int:
        text = config.getoption(f"claims_{name}")
        if text is None:
            return 0
        digits = text.strip().removeprefix("-")
        number = int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
        if number is None or (low is not None and number < low):
            rule = "a whole number" + ("" if low is None else f" of at least {low}")
            error = InputError(f"--claims-{name}", text, f"{rule} is expected", "write e.g. 3")
            raise refused(error)
        return number

    undecided = config.getoption("claims_undecided")
    if undecided not in (None, "fail", "skip"):
        rule = "an undecided instance fails, or is skipped"
        raise refused(InputError("--claims-undecided", undecided, rule, "write fail or skip"))
    out = config.getoption("claims_out")
    if out is not None:
        place = config.invocation_params.dir / out
        if not out.strip() or (place.exists() and not place.is_dir()):
            rule = "certificates go into a folder"
            raise refused(InputError("--claims-out", out, rule, "name a folder"))
    return Numbers(
        instances=whole("instances", 0),
        tries=whole("tries", 0),
        seed=whole("seed", None),
        out=None if out is None else config.invocation_params.dir / out,
        skips_undecided=undecided == "skip",
    )


def refused(error: InputError) -> pytest.UsageError:
    """The complaint as pytest prints it: one line, exit status 4."""
    return pytest.UsageError(f"theorylab: {error}")
