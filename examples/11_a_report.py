"""One HTML page of what was found; every certificate inside is checked again as it is made."""

import theorylab as tl

tl.verify(["quadratic-connected", "polynomial-width"], out="kept")
tl.falsify("deep-linear-connected", as_stated=True, out="kept")
tl.phase("deep-linear-connected", n=(1, 2), p=(1, 2, 3), tries=20, pairs=2, out="kept")

page = tl.report("kept", title="Wide networks")
print(page.claims, "claims,", page.instances, "instances")
print(page.held, "of", page.certificates, "certificates hold:", page.path)

# prints:
# 3 claims, 7 instances
# 14 of 14 certificates hold: kept/report.html
