"""Count the critical points of a network's loss, and know that none is missing."""

import theorylab as tl
from theorylab.counting.equations import critical_system

# Two layers of one unit each, y = 10 x, and a ridge: one random rational for each weight.
data = tl.Dataset.from_rows([[1]], [[10]])
network = tl.Network.dense((1, 1, 1), "linear")
found = tl.count(critical_system(network, data, "generic"))

print(found.verdict)
print(found.certified_real, "of them real")
print("at most", found.upper, "by the", found.upper_rule)
real = [root for root in found.roots.roots if root.realness.value == "real"]
for root in sorted(real, key=lambda root: root.point[0].real):
    print("near w =", *(f"{w.real:+.3f}" for w in root.point))

# prints:
# 5: COMPLETE (kernel)
# 3 of them real
# at most 5 by the multihomogeneous number {w1_1_1}{w2_1_1}
# near w = -2.388 -3.967
# near w = +0.000 +0.000
# near w = +2.388 +3.967
