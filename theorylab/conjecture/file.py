"""A file of the user's own: every claim at its top level, found by importing it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import traceback
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from theorylab.claims import Claim, all_claims
from theorylab.outcome import InputError, shortened


def is_file_of_claims(text: str) -> bool:
    """Whether a word of the command line names a Python file, or a claim in one.

    >>> [is_file_of_claims(t) for t in ("mine.py", "a/mine.py::narrow", "any-depth-connected")]
    [True, True, False]
    """
    return text.partition("::")[0].endswith(".py")


def load_claims(place: str | os.PathLike[str]) -> tuple[Claim, ...]:
    """The claims at the top level of a Python file, or with ``FILE.py::NAME`` that one.

    The file is run, as pytest runs test files: it is the user's own. What it prints goes to
    standard error. Claims of the catalogue that it imports are left out. Raises InputError for a
    missing file, one that does not run, one without claims, an unknown name, a name given twice.
    Guarantees: nothing is decided by it.

    >>> load_claims("my_claims.py::narrow")
    Traceback (most recent call last):
    theorylab.outcome.InputError: claim = my_claims.py: ...
    """
    path, _, name = os.fspath(place).partition("::")
    module = _imported(Path(path))
    found: dict[str, Claim] = {}
    for claim in vars(module).values():
        if not isinstance(claim, Claim) or any(claim is known for known in all_claims()):
            continue
        if found.setdefault(claim.id, claim) is not claim:
            rule = f"two claims of {path} have this name"
            raise InputError("claim", claim.id, rule, "rename one of them")
    if not found:
        rule = "there is no claim at the top level of this file"
        raise InputError("claim", path, rule, "write @theorylab.conjecture(...) above a function")
    return chosen(tuple(found.values()), path, name)


def chosen(claims: tuple[Claim, ...], path: str, name: str) -> tuple[Claim, ...]:
    """The claim of this name among those of the file, all for no name. InputError for none."""
    found = tuple(claim for claim in claims if name in ("", claim.id))
    if not found:
        known = ", ".join(claim.id for claim in claims)
        rule = "the file has no such claim"
        raise InputError("claim", f"{path}::{name}", rule, f"it has {known}")
    return found


class _Afresh(SourceFileLoader):
    """A loader that neither reads nor writes compiled files: the text that is there counts."""

    def path_stats(self, path: Any) -> Any:
        """No time of change, so that nothing kept is taken for the file."""
        raise OSError


def _imported(path: Path) -> ModuleType:
    if not path.is_file():
        rule = "there is no such file" if not path.exists() else "this is no file"
        raise InputError("claim", str(path), rule, "name a Python file of claims")
    name = f"theorylab_claims_of_{path.stem}"
    loader = _Afresh(name, str(path.absolute()))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None  # a loader was given
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up, and the file may import its neighbours, now or later.
    sys.modules[name] = module
    folder = str(path.absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if os.environ.get("THEORYLAB_DEBUG"):
            raise
        raise _broken(path, error) from None
    return module


def _broken(path: Path, error: BaseException) -> InputError:
    remedy = "mend the file; THEORYLAB_DEBUG=1 shows the traceback"
    if isinstance(error, OSError) and error.filename == str(path.absolute()):
        return InputError("claim", str(path), f"it cannot be read ({error.strerror})", remedy)
    if isinstance(error, SyntaxError) and error.filename == str(path.absolute()):
        rule = f"it is no Python: {error.msg}, line {error.lineno}"
        return InputError("claim", str(path), rule, remedy)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path.absolute())
    ]
    where = f"line {lines[-1]}" if lines else "on import"
    if isinstance(error, InputError):
        value = f"{path}, {where}, {error.argument} = {shortened(error.value)}"
        return InputError("claim", value, error.rule, error.remedy)
    last = traceback.format_exception_only(error)[-1].strip()
    return InputError("claim", str(path), f"{where}: {last}", remedy)
