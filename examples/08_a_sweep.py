"""How often has a small ReLU loss a spurious valley? A sweep over seeds, kept as it goes.

Kill it and run it again: it goes on where it was. Limits hold in C code too; another executor
(threads, Dask's, MPI's) changes no byte of the results.
"""

from collections import Counter

import theorylab as tl
from theorylab.instances import Seeded, dataset
from theorylab.sweep import Limits, Store, processes, sweep

NETWORK = tl.Network.dense((1, 1, 1), "relu")


def spurious(seed):
    """The number of spurious valleys on three random samples: of the seed alone."""
    data = dataset(Seeded(seed), 1, 1, samples=3, degenerate=False)
    return len(tl.levels(NETWORK, data).spurious)


if __name__ == "__main__":
    subject = {"spurious valleys": "1-1-1 relu", "samples": 3}
    with Store("valleys.sqlite", subject) as store, processes(2) as pool:
        sweep(spurious, range(60), store, pool, limits=Limits(seconds=60, memory=2000))
        found = store.results(range(60))
        print(len(found), "done,", len(store.unfinished()), "not finished")
    for valleys, often in sorted(Counter(found).items()):
        print(valleys, "spurious valleys:", often)

# prints:
# 60 done, 0 not finished
# 0 spurious valleys: 36
# 1 spurious valleys: 24
