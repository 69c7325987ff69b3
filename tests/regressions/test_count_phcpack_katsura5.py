"""katsura-5: 32 solutions, of which the torus has 30.

PHCpack's Demo/katsura5 gives mixed volume 32, which bounds the torus; its list of 32 has
(0, .., 0, 1) in it with coordinates 1e-158 and 0. There are two solutions with zero coordinates.
"""

from __future__ import annotations

from regressions.counted import count, of
from zoo import katsura


def test_affine_and_torus() -> None:
    found = count(of(katsura(5)))
    assert (found.certified, found.certified_real, found.complete) == (32, 16, True)
    found = count(of(katsura(5)), domain="torus")
    assert (found.certified, found.certified_real, found.complete) == (30, 14, True)
