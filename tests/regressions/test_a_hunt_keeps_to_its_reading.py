"""A hunt once "refuted" a true corrected reading with an instance of the printed one.

``overparametrised-zeros`` draws instances of several readings. The hunt for the corrected one (a
zero manifold where the rank is full) took up an instance of the printed one (positive dimension
at every zero), put the corrected hypotheses on it, and the kernel rightly refuted that statement.
"""

from __future__ import annotations

import pytest

from theorylab.claims import claim
from theorylab.falsify import Survived, falsify
from theorylab.falsify.reading import reading
from theorylab.instances import Seeded


def test_the_corrected_reading_survives() -> None:
    found = falsify("overparametrised-zeros", tries=60)
    assert isinstance(found, Survived) and found.tried == 60


def test_the_printed_reading_falls_by_its_own_conclusion() -> None:
    found = falsify("overparametrised-zeros", as_stated=True, tries=200)
    assert found.outcome == "refuted"
    assert found.instance.conclusion["kind"] == "positive_dimension"


def test_cases_of_other_readings_are_not_counted() -> None:
    found = falsify("interpolation-count", as_stated=True, tries=5)
    assert isinstance(found, Survived)
    assert (found.tried, found.reason) == (0, "the claim draws no instances of this reading")


@pytest.mark.parametrize("as_stated", [False, True])
def test_a_reading_covers_what_it_says_only(as_stated: bool) -> None:
    hunted = reading("overparametrised-zeros", as_stated=as_stated)
    drawn = [claim("overparametrised-zeros").random(Seeded(n)) for n in range(60)]
    covered = [instance for instance in drawn if hunted.covers(instance)]
    assert 0 < len(covered) < len(drawn)
    assert {i.conclusion["kind"] for i in covered} == {hunted.variant.conclusion}
