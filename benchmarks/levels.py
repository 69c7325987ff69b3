"""Level trees: growth with samples, units and rank, and SMT solvers on the same separations.

Run: python benchmarks/levels.py [--quick]. First table: relu networks n-p-1 on random integer data;
`build` makes the tree, `check` is the kernel on the certificate's bytes, parsing included; seconds
of the processor, the median of three runs where one takes less than 2 s. Second table: "A and B lie
in different components of {L <= u}". Ours is the whole way, tree, certificate and check, and knows
N_u at every level; z3 and cvc5 are asked, in SMT-LIB, whether {L <= u} meets a wall between A, B,
parsing included and the start of python not. Each call of a solver is a process of its own with
LIMIT seconds of the processor; the python that has z3-solver and cvc5 is THEORYLAB_SMT, or
.engines/bin/python, or this one. --quick: small sizes and a limit of 5 s.
"""

from __future__ import annotations

import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from theorylab import kernel
from theorylab.model import Dataset, Loss, Network
from theorylab.model.rational import matrix
from theorylab.topology.certificate import certificate, statement_json
from theorylab.topology.level_trees.tree import LevelTree, level_tree
from theorylab.topology.path import theta_json

LIMIT = 60
QUICK = 5
SIZES = [  # n, p, samples
    *((2, 1, samples) for samples in (10, 20, 40, 80, 160)),
    *((2, 2, samples) for samples in (5, 10, 20, 40)),
    *((2, 3, samples) for samples in (4, 5, 6, 8, 10)),
    *((2, 4, samples) for samples in (4, 5, 6)),
    *((3, 1, samples) for samples in (6, 12, 24)),
    *((3, 2, samples) for samples in (4, 6, 8)),
    *((4, 1, samples) for samples in (6, 8, 10)),
    (5, 1, 8),
]
ENGINES = Path(__file__).resolve().parent.parent / ".engines" / "bin" / "python"

Z3 = """
import sys, time, z3
question = sys.stdin.read()
begun = time.process_time()
solver = z3.SolverFor("QF_NRA")
solver.from_string(question)
print(solver.check(), time.process_time() - begun)
"""
CVC5 = """
import cvc5, sys, time
question = sys.stdin.read() + "(check-sat)"
begun = time.process_time()
solver = cvc5.Solver(cvc5.TermManager())
parser = cvc5.InputParser(solver)
parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, question, "wall")
answer = ""
while not (command := parser.nextCommand()).isNull():
    answer = command.invoke(solver, parser.getSymbolManager()).strip() or answer
print(answer, time.process_time() - begun)
"""


def random_data(n: int, samples: int) -> Dataset:
    """Integers of -9..9, the seed made of the size."""
    rng = random.Random(f"{n} {samples}")
    x = [[rng.randint(-9, 9) for _ in range(n)] for _ in range(samples)]
    return Dataset.from_rows(x, [[rng.randint(-9, 9)] for _ in range(samples)])


def timed(work: Callable[[], object]) -> float:
    """Seconds, the median of three when it is quick."""
    taken = []
    while not taken or (len(taken) < 3 and taken[0] < 2):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def certified(network: Network, data: Dataset, tree: LevelTree, conclusion: object = None) -> bytes:
    """The certificate of the table, or of another conclusion that follows from the tree."""
    stated = conclusion or {"kind": "level_tree", "levels": tree.levels_json}
    return certificate(statement_json(network, data, [], stated), "level_tree", tree.proof)  # type: ignore[arg-type]


def sizes(quick: bool) -> None:
    heads = "n p samples    regions problems solutions levels  births      kB   build   check"
    print(heads)
    for n, p, samples in SIZES:
        if quick and (p > 3 or samples * p > 20):
            continue
        network, data = Network.dense((n, p, 1), "relu"), random_data(n, samples)
        tree = level_tree(network, data)
        raw = certified(network, data, tree)
        assert isinstance(kernel.check(raw), kernel.Proved)
        build = timed(lambda: level_tree(network, data))  # noqa: B023
        check = timed(lambda: kernel.check(raw))  # noqa: B023
        print(
            f"{n} {p} {samples:7d} {tree.regions:10,d} {tree.problems:8,d} {tree.solutions:9,d}"
            f" {len(tree.levels):6d} {len(tree.births):7d} {len(raw) / 1000:7.1f}"
            f" {build:7.3f} {check:7.3f}",
            flush=True,
        )


def smt(network: Network, data: Dataset, u: str, wall: str, fixed: dict[str, str]) -> str:
    """SMT-LIB: L <= u and the wall, over all weights that are not fixed."""
    p, n = network.hidden[0], network.n

    def term(q: object) -> str:
        top, _, bottom = str(q).partition("/")
        shown = f"(- {top[1:]})" if top.startswith("-") else top
        return f"(/ {shown} {bottom})" if bottom else shown

    lines = ["(set-logic QF_NRA)"]
    for k in range(p):
        for name in [f"u{k}", *(f"w{k}{i}" for i in range(n))]:
            if name in fixed:
                lines.append(f"(define-fun {name} () Real {term(fixed[name])})")
            else:
                lines.append(f"(declare-const {name} Real)")
    squares = []
    for j, (column, (y,)) in enumerate(
        zip(data.x.transpose().tolist(), data.y.transpose().tolist(), strict=True)
    ):
        for k in range(p):
            parts = " ".join(f"(* {term(v)} w{k}{i})" for i, v in enumerate(column))
            lines.append(f"(define-fun z{k}{j} () Real (+ 0 {parts}))")
        units = " ".join(f"(* u{k} (ite (> z{k}{j} 0) z{k}{j} 0))" for k in range(p))
        lines.append(f"(define-fun r{j} () Real (- (+ 0 {units}) {term(y)}))")
        squares.append(f"(* r{j} r{j})")
    lines.append(f"(assert (<= (+ {' '.join(squares)}) {term(u)}))")
    return "\n".join([*lines, f"(assert {wall})", ""])


def solved(script: str, question: str, limit: int) -> tuple[str, float | None]:
    """What a solver says, and the seconds that it says it took."""
    interpreter = os.environ.get("THEORYLAB_SMT") or (str(ENGINES) if ENGINES.exists() else "")
    run = subprocess.run(
        [interpreter or sys.executable, "-c", script], input=question, text=True,
        capture_output=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
    )  # fmt: skip
    if run.returncode < 0:
        return f"> {limit} s", None
    if "No module named" in run.stderr:
        return "absent", None
    words = run.stdout.split()
    return (words[0], float(words[1])) if len(words) == 2 else ("fails", None)


def separations(limit: int) -> None:
    two = Dataset.from_rows([[1], [-1]], [[1], [1]])
    uneven = Dataset.from_rows([[1], [-1]], [[1], [2]])
    line, ramp = (-1, 0, 1, 3, 4, 5), (0, 0, 1, 3, 4, 4)
    brackets = Dataset.from_rows([[s, 1] for s in line], [[y] for y in ramp])
    unit, pair = Network.dense((1, 1, 1), "relu"), Network.dense((2, 2, 1), "relu")
    sides = ([[["1"]], [["1"]]], [[["-1"]], [["1"]]])
    high = ([[["1"]], [["1"]]], [[["-1"]], [["2"]]])
    orders = (
        [[["1", "0"], ["1", "-4"]], [["1", "-1"]]],
        [[["1", "-4"], ["1", "0"]], [["-1", "1"]]],
    )
    # the kink of the first unit lies in neither bracket
    side = "(or (and (>= {0} 0) (>= {1} 0)) (and (<= {0} 0) (<= {1} 0)))"
    kink = f"(and {side.format('z00', 'z02')} {side.format('z03', 'z05')})"
    cases = [
        ("1-1-1, w = 0, u = 3/2", unit, two, "3/2", sides, "(= w00 0)", {}),
        ("1-1-1, w = 0, u = 9/2", unit, uneven, "9/2", high, "(= w00 0)", {}),
        ("brackets 2-2-1, u = 1/5, u_k = 1, -1", pair, brackets, "1/5", orders, kink,
         {"u0": "1", "u1": "-1"}),
        ("brackets 2-2-1, u = 1/5, all weights free", pair, brackets, "1/5", orders, kink, {}),
    ]  # fmt: skip
    print(f"{'separation':44s} {'ours':>7s} {'z3':>16s} {'ratio':>7s} {'cvc5':>16s} {'ratio':>7s}")
    for name, network, data, u, (a, b), wall, fixed in cases:
        points = {key: tuple(matrix(m) for m in point) for key, point in (("A", a), ("B", b))}
        assert max(Loss(network, data)(p) for p in points.values()) <= matrix([[u]])[0, 0]
        conclusion = {"kind": "separated", "u": u, **{k: theta_json(p) for k, p in points.items()}}

        def ours() -> None:
            raw = certified(network, data, level_tree(network, data), conclusion)  # noqa: B023
            assert isinstance(kernel.check(raw), kernel.Proved)

        mine = timed(ours)
        cells = [f"{name:44s} {mine:7.4f}"]
        for script in (Z3, CVC5):
            word, seconds = solved(script, smt(network, data, u, wall, fixed), limit)
            shown = word if seconds is None else f"{word} {seconds:.3f} s"
            ratio = "" if seconds is None or word != "unsat" else f"{seconds / mine:.1f}"
            if seconds is None and word.startswith(">"):
                ratio = f">{limit / mine:.0f}"
            cells.append(f"{shown:>16s} {ratio:>7s}")
        print(" ".join(cells), flush=True)


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    print(f"{platform.machine()}, Python {platform.python_version()}, processor seconds")
    sizes(quick)
    limit = QUICK if quick else LIMIT
    asked = {name: solved(script, "", limit)[0] for name, script in (("z3", Z3), ("cvc5", CVC5))}
    present = [name for name, word in asked.items() if word != "absent"]
    print(f"\nsolvers: {', '.join(present) or 'neither z3 nor cvc5 is installed'}; limit {limit} s")
    separations(limit)


if __name__ == "__main__":
    main()
