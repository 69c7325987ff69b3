"""Maps of what is known for n inputs and p units, and what a search in the silent ranges finds.

    python benchmarks/phase.py [TRIES] > benchmarks/results/phase.txt

Where the theorems are silent, every cell is searched; one core, no time limit.
"""

from __future__ import annotations

import sys

from theorylab.phase import phase

MAPS = (
    ("deep-linear-connected", "n-p-n", (1, 2, 3), (1, 2, 3, 4)),
    ("scalar-quadratic-connected", "n-p-1", (1, 2, 3), (1, 2, 3, 4)),
    ("scalar-quadratic-descent", "n-p-1", (1, 2, 3), (1, 2, 3)),
    ("finite-dimension-connected", "n-p-3 square", (1, 2), (1, 2, 3, 4, 5, 6)),
    ("finite-dimension-connected", "n-p-3 relu", (1, 2), (1, 2, 3, 4, 5, 6)),
    ("finite-dimension-connected", "n-p-3 cube", (1, 2), (1, 2, 3, 4, 5, 6)),
)


def main() -> None:
    """Print each map, cell by cell."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"{tries} cases at most and 8 instances for each cell, seed 0, one core")
    for name, family, ns, ps in MAPS:
        found = phase(name, ns, ps, family=family, tries=tries)
        print(f"\n{name}, {family} ({found.seconds:.0f} s)")
        for cell in found.cells:
            print(f"  n = {cell.n}, p = {cell.p}  {cell.words}", flush=True)


if __name__ == "__main__":
    main()
