"""Files of users for the tests of the plugin, and the import of all that a run would import.

pytester forgets what a run imported; extension modules do not survive being imported twice.
"""

from __future__ import annotations

import theorylab.instances.strategies
import theorylab.pytest_plugin.collection
import theorylab.pytest_plugin.fixture
import theorylab.pytest_plugin.summary  # noqa: F401

CLAIMS = """\
import theorylab as tl
from theorylab.instances import weights

LINEAR = ["linear", "dense", "no bias", "one hidden layer"]

@tl.conjecture("wide linear networks are connected", [*LINEAR, "p > min(n,m)"], "joined")
def wide(network, data, draw):
    return tl.fact("joined", network, data, A=weights(draw, network), B=weights(draw, network))

@tl.conjecture("two settings are joined at p >= min(n, m)", [*LINEAR, "p >= min(n,m)"], "joined")
def narrow(draw):
    network = tl.Network.dense((1, 1 if draw.integer(0, 9) == 4 else 2, 1), "linear")
    a = network.assemble([1] * network.parameter_count)
    data = tl.Dataset.from_rows([[1]], [[draw.integer(1, 9)]])
    return tl.fact("joined", network, data, A=a, B=[-layer for layer in a])

@tl.conjecture("squares are not negative")
def squares(draw):
    return draw.integer(-9, 9) ** 2 >= 0

@tl.conjecture("numbers are small")
def small(draw):
    return draw.integer(-9, 99) < 7

@tl.conjecture("nobody knows", [*LINEAR], "joined", prover=lambda instance: tl.undecided)
def unknown(draw):
    network = tl.Network.dense((1, 1, 1), "linear")
    data = tl.Dataset.from_rows([[1]], [[1]])
    return tl.fact("joined", network, data, A=[[[1]], [[1]]], B=[[[2]], [["1/2"]]])
""".replace("tl.undecided", '__import__("theorylab.outcome").outcome.Undecided("it is open")')
