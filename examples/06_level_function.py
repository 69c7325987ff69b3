"""How many valleys a loss has at each level, exactly, and a picture of how they merge."""

import theorylab as tl
from theorylab.report.levels import draw

data = tl.Dataset.from_rows([[1], [-1]], [[1], [2]])
for units in (1, 2, 3):
    found = tl.levels(tl.Network.dense((1, units, 1), "relu"), data)
    steps = ", ".join(f"{n} from {low}" for low, _, n in found.steps)
    print(f"{units} units: {steps}; {len(found.spurious)} spurious")
    draw(found, f"levels-{units}.svg")

# prints:
# 1 units: 1 from 1, 2 from 4, 1 from 5; 1 spurious
# 2 units: 2 from 0, 1 from 1; 0 spurious
# 3 units: 1 from 0; 0 spurious
