"""A conjecture of your own: hunted, refuted, shrunk, mended.

theorylab falsify examples/01_your_own_claim.py::one_unit_each
theorylab verify examples/01_your_own_claim.py::one_unit_more
"""

import theorylab as tl
from theorylab.instances import dataset, fitted


def two_fits(draw, more):
    """Two independent fits of a ReLU network with so many units more than samples."""
    samples = draw.integer(1, 2)
    data = dataset(draw, 1, 1, samples, degenerate=False)
    network = tl.Network.dense((1, samples + more, 1), "relu")
    a, b = fitted(draw, network, data), fitted(draw, network, data)
    return tl.fact("joined", network, data, A=a, B=b)


# A unit for each sample fits everything, so one would think that nothing parts two fits.
@tl.conjecture("with a ReLU unit for each sample two fits are joined", ["p >= N"], "joined")
def one_unit_each(draw):
    return two_fits(draw, 0)


@tl.conjecture("with one ReLU unit more they are", ["p >= N+1"], "joined")
def one_unit_more(draw):
    return two_fits(draw, 1)


# A bare truth value: it can only survive, or have a counterexample that nobody has checked.
@tl.conjecture("halving the weights of a linear network halves its loss at most", ["linear"])
def halved(network, data):
    ones = network.assemble([1] * network.parameter_count)
    halves = network.assemble(["1/2"] * network.parameter_count)
    loss = tl.Loss(network, data)
    return loss(halves) >= loss(ones) / 2, f"{loss(ones)} becomes {loss(halves)}"
