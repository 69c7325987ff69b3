"""What the reference shows is documented: every public name, and each part of a public class."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from documents import ROOT

import theorylab

sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
from generated_pages import ROOMS

PUBLIC = {name: getattr(theorylab, name) for name in theorylab._PUBLIC}
MODULES = [module for _, modules in ROOMS for module in modules]


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """The methods and properties that a class itself defines for its users."""
    for name, member in vars(value).items():
        if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            yield name, getattr(value, name) if inspect.isroutine(member) else member


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_says_what_it_does_and_shows_it(name: str) -> None:
    said = inspect.getdoc(PUBLIC[name]) or ""
    assert said.splitlines()[0].rstrip().endswith((".", ":")) or len(said.splitlines()) > 1
    assert ">>> " in said, "a docstring shows the name at work"
    if inspect.isfunction(PUBLIC[name]):
        assert "Guarantees:" in said, "exact, enclosure or heuristic"
        assert "InputError" in said, "what a bad argument raises"


@pytest.mark.parametrize("module", MODULES)
def test_a_documented_module_documents_all_that_it_has(module: str) -> None:
    room = __import__(module, fromlist=["_"])
    assert inspect.getdoc(room)
    names = getattr(room, "__all__", [n for n in vars(room) if not n.startswith("_")])
    own = [getattr(room, n) for n in names]
    own = [v for v in own if getattr(v, "__module__", "").startswith("theorylab")]
    for value in own:
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{module}.{value.__qualname__}"
        if inspect.isclass(value):
            missing = [name for name, part in parts(value) if not inspect.getdoc(part)]
            assert not missing, f"{module}.{value.__qualname__}: {missing}"
