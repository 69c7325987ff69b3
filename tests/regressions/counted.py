"""Short ways to systems and their counts, for the regression files of `count`."""

from __future__ import annotations

from typing import Any

import pytest
import zoo

from theorylab.counting import ladder
from theorylab.counting.completeness import RootCount, count
from theorylab.counting.external import engines
from theorylab.counting.system import PolynomialSystem, system_from_json
from theorylab.outcome import Undecided


def system(variables: str, *polynomials: str) -> PolynomialSystem:
    return system_from_json({"variables": variables.split(), "polynomials": list(polynomials)})


def of(known: zoo.Known) -> PolynomialSystem:
    written = str(known.system).splitlines()
    content = {"variables": list(known.system.variables), "polynomials": written}
    return system_from_json(content, known.name)


def need(*names: str) -> None:
    """Skip where one of these engines is not installed."""
    found = {engine.name for engine in engines() if engine.place is not None}
    missing = sorted(set(names) - found)
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")


def without_exact_algebra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave counts exact, and take away the solutions that exact algebra finds."""

    def undecided(*args: Any, **options: Any) -> Undecided:
        return Undecided("not here", "univariate representation")

    monkeypatch.setattr(ladder, "univariate_representation", undecided)


def honest(found: RootCount, true: int) -> None:
    """No more than there are, and complete only with all of them."""
    assert found.certified <= true
    assert found.upper is None or found.upper >= found.certified
    assert not found.complete or found.certified == true


__all__ = ["count", "honest", "need", "of", "system", "without_exact_algebra"]
