"""A theorem on data of your own: does its path exist between two fits of them?"""

import theorylab as tl
from theorylab.instances import Seeded, fitted

# Hours of light and height of a plant, as you measured them; decimals are read exactly.
LIGHT = [["1.5"], ["2.0"], ["3.5"], ["5.0"], ["6.5"]]
HEIGHT = [["3.1"], ["3.9"], ["5.2"], ["5.0"], ["4.4"]]
data = tl.Dataset.from_rows(LIGHT, HEIGHT)

# Venturi, Bandeira & Bruna 2018, Theorem 5: units enough for both leave one valley.
network = tl.Network.dense((1, 6, 1), "relu", bias=(True, False))
a, b = (fitted(Seeded(seed), network, data) for seed in (1, 2))
found = tl.connect(network, data, a, b)
print(found.outcome, found.assurance, "by", found.construction)
print("hidden units:", found.hidden[0], "given,", found.needed_width[0], "needed")

# prints:
# proved kernel by any depth
# hidden units: 6 given, 4 needed
