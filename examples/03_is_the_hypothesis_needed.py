"""Is a hypothesis needed? Hunt without it; the kernel refutes, and the instance is shrunk."""

import theorylab as tl

claim = tl.claims.claim("scalar-quadratic-connected")
print(claim.words)
for hypothesis in ("scalar-output", "wide"):
    found = tl.falsify(claim, drop=hypothesis, seed=1)
    print("without", hypothesis, "it is", found.outcome, "by", found.instance.architecture)

found = tl.falsify(claim, tries=100, seed=1)
print("with all of them it", found.outcome, found.tried, "cases: that proves nothing")

# prints:
# for rho(z) = z^2, one output and p >= rank X + 1, every sublevel set is connected
# without scalar-output it is refuted by 2-3-3
# without wide it is refuted by 1-1-1
# with all of them it survived 100 cases: that proves nothing
