"""A map of a claim: for n inputs and p units, does its lemma apply, or is it refuted?"""

import theorylab as tl

found = tl.phase("deep-linear-connected", n=(1, 2, 3), p=(1, 2, 3, 4), tries=50, pairs=2)
SIGN = {"lemma": "+", "refuted": "x", "open": "?"}
for p in reversed(found.ps):
    print(f"p = {p}  ", *(SIGN[found.at(n, p).verdict] for n in found.ns))
print("n =     ", *found.ns)

# prints:
# p = 4   + + +
# p = 3   + + x
# p = 2   + x x
# p = 1   x x x
# n =      1 2 3
