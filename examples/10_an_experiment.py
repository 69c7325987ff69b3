"""A statistical claim, measured: which of its readings do the samples show?"""

import theorylab as tl

found = tl.experiment("max-margin-bias", device="cpu")
for finding in found.findings:
    said = finding.observed
    print(finding.reading.variant, "is", said.outcome, "with n =", said.n)

# prints:
# printed is consistent with n = 24
# rate is consistent with n = 24
# plain-gd is inconsistent with n = 24
