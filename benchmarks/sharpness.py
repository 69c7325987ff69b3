"""The sharpness table: every topological claim without each of its hypotheses.

    python benchmarks/sharpness.py [TRIES [CLAIM ...]] > benchmarks/results/sharpness.txt

A row is refuted, by a shrunk counterexample that the kernel refutes; it survived, "none known" with
the number of different cases searched; or it is not hunted, and the row says why. Runs on one core;
no time limit, so that the table is the same on every machine but for its seconds.
"""

from __future__ import annotations

import platform
import sys
import time

from theorylab.falsify.sharpness import sharpness, topology_claims


def main() -> None:
    """Print the table, a claim at a time."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    ids = sys.argv[2:] or [c.id for c in topology_claims()]
    print(f"sharpness table, {tries} cases at most for each row, seed 0, one core")
    print(f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")
    refuted = survived = total = 0
    slowest = 0.0
    for name in ids:
        print(f"\n{name}", flush=True)
        for row in sharpness([name], tries=tries).rows:
            total += 1
            refuted += row.outcome == "refuted"
            survived += row.outcome == "survived"
            words = row.why if row.outcome == "not hunted" else f"none known: {row.why}"
            if row.outcome == "refuted":
                words, slowest = row.counterexample, max(slowest, row.seconds)
            print(f"  without {row.hypothesis:17} {row.outcome:10}  {words}", end="")
            print(f"  [{row.tried} tried, {row.seconds:.1f} s]", flush=True)
    print(f"\n{refuted} of {total} rows refuted, the slowest in {slowest:.1f} s; ", end="")
    print(f"{survived} survived, {total - refuted - survived} not hunted")


if __name__ == "__main__":
    main()
