"""Property tests: Hypothesis draws and shrinks, exact arithmetic and the kernel judge.

pytest 09_property_test.py
"""

import pytest
from hypothesis import given, settings

import theorylab as tl
from theorylab.instances import level_pairs, points

settings.register_profile("exact", deadline=None, max_examples=30)  # no clock: it is exact
settings.load_profile("exact")

DATA = tl.Dataset.from_rows([[1], [-1]], [[1], [2]])
WIDE = tl.Network.dense((1, 3, 1), "relu")  # a unit more than there are samples


@given(points(hidden_layers=1, activations=["relu", "abs"], bias=False))
def test_a_unit_may_be_scaled(point):
    network, data, (first, last) = point
    loss = tl.Loss(network, data)
    assert loss((2 * first, last / 2)) == loss((first, last))  # exactly


@given(level_pairs(WIDE, DATA))
def test_two_points_of_one_loss_are_joined(pair):
    assert tl.connect(WIDE, DATA, *pair).outcome == "proved"


@pytest.mark.claim("finite-dimension-connected", instances=3, tries=50)
def test_the_theorem_behind_it(claim):
    claim.holds()
