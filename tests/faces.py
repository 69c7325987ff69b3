"""One value of every kind that shows itself, made once; names in them try to break the page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import theorylab as tl
from theorylab.claims import claim
from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.random_data import RandomCounts, Survey
from theorylab.falsify.sharpness import sharpness
from theorylab.instances import Seeded, fitted
from theorylab.model import Activation, Network, matrix
from theorylab.outcome import Observed

EVIL = "<script>alert(1)</script> & \"q\" 'a' </div>"
LINEAR = "deep-linear-connected"


def _thin(sign: int) -> tuple[Any, ...]:
    return (matrix([[sign]]), matrix([[sign]]))


def _point() -> tl.Dataset:
    return tl.Dataset.from_rows([[1]], [[1]])


def _connected() -> Any:
    iris, network = tl.load_dataset("iris"), Network.dense((4, 6, 5, 3), "linear")
    a, b = (fitted(Seeded(seed), network, iris) for seed in (1, 2))
    return tl.connect(network, iris, a, b)


def _undecided_pair() -> Any:
    network = Network.dense((4, 1, 3), "relu")
    data = tl.load_dataset("iris").subset(range(9))
    a, b = ((matrix([row]), matrix([[1], [0], [0]])) for row in ([1, 0, 0, 0], [0, 1, 0, 0]))
    return tl.connect(network, data, a, b)


def _counterexample() -> Any:
    @tl.conjecture(f"a drawn integer is below three {EVIL}")
    def small(draw: Any) -> tuple[bool, str]:
        return draw.integer(0, 9) < 3, EVIL

    return tl.falsify(small, tries=50)


def _of_a_case() -> Any:
    @tl.conjecture("a linear network has one layer", ["linear"])
    def shallow(network: Network, data: tl.Dataset) -> bool:
        return network.depth == 1

    return tl.falsify(shallow, tries=50)


def _bare() -> Any:
    @tl.conjecture("an integer is itself")
    def itself(draw: Any) -> bool:
        return bool(draw.integer(0, 4) <= 4)

    return tl.verify(itself)


def _brackets() -> Any:
    points = tl.Dataset.from_rows([[1], [-1]], [[1], [2]], name=EVIL)
    return tl.levels(Network.dense((1, 1, 1), "relu"), points)


def _swept() -> Survey:
    problem = RandomCounts(Network.dense((2, 2, 1), "square"))
    generic = problem.generic(lambda words: None)
    rows = tuple(problem(i) for i in range(20))
    odd = {**rows[0], "instance": 20, "complete": False, "lost": 2, "real_orbits": 7}
    given_up = {"instance": 21, "reason": "time", "seconds": 2.5, "memory": 512}
    return Survey(problem, problem.system().name, generic, (*rows, odd), 22, (given_up,))


def _checked(number: int) -> Any:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "a & <b>"
        tl.verify(LINEAR, out=folder)
        files = sorted((folder / LINEAR).glob("*.json"))
        (folder / "bad<i>.json").write_text("{}")
        return tl.check([*files[-2:], folder / "bad<i>.json"])[number]


def _measured() -> Any:
    return tl.experiment("max-margin-bias", device="cpu")


def _wide_data() -> tl.Dataset:
    rows = [[f"{i}/{j + 7}" for j in range(30)] for i in range(80)]
    return tl.Dataset.from_rows(rows, [[i] for i in range(80)], weights=[1] * 80, name=EVIL)


def _tied() -> Network:
    kind = Activation.parse({"polynomial": ["1", "0", "1/2"]})
    return Network.with_pattern((2, 2, 1), kind, [[[0, None], ["1/2", 0]], None])


MAKERS: dict[str, Callable[[], Any]] = {
    "verification": lambda: tl.verify([LINEAR, "quadratic-connected"], instances=5),
    "verification of trials": lambda: _trials(),
    "unexpected": lambda: _wrong(),
    "own claim": _bare,
    "instance": lambda: made("verification").results[0],
    "refutation": lambda: tl.falsify(LINEAR, as_stated=True),
    "survived": lambda: tl.falsify(LINEAR, tries=20),
    "not hunted": lambda: tl.falsify("finite-dimension-descent", "one-hidden-layer", tries=5),
    "counterexample": _counterexample,
    "counterexample of a case": lambda: _of_a_case(),
    "phase": lambda: tl.phase(LINEAR, (1, 2), (1, 2, 3), pairs=2, tries=20),
    "joined": _connected,
    "separated": lambda: tl.connect(
        Network.dense((1, 1, 1), "linear"), _point(), _thin(1), _thin(-1)
    ),
    "undecided pair": _undecided_pair,
    "levels": _brackets,
    "levels of one": lambda: tl.levels(Network.dense((1, 2, 1), "relu"), _point()),
    "rejected levels": lambda: replace(made("levels"), outcome="rejected", reason=EVIL),
    "count": lambda: tl.count(
        critical_system(Network.dense((1, 1, 1, 1), "linear"), _point(), "generic")
    ),
    "incomplete count": lambda: replace(
        made("count"), upper=None, upper_assurance=None, notes=(EVIL,)
    ),
    "zeros": lambda: tl.count(interpolation_system(Network.dense((1, 1, 1), "linear"), _point())),
    "survey": _swept,
    "sharpness": lambda: sharpness(["any-depth-connected"], tries=60),
    "measured": _measured,
    "unfinished": lambda: replace(made("measured"), done=0),
    "checked": lambda: _checked(0),
    "rejected file": lambda: _checked(2),
    "claim": lambda: claim(LINEAR),
    "claim without formula": lambda: tl.conjecture("w", ["linear"], "joined", name="evil-claim"),
    "network": lambda: Network.dense((4, 5, 3), "relu", True),
    "tied network": _tied,
    "data": lambda: tl.load_dataset("iris"),
    "wide data": _wide_data,
    "case": lambda: made("counterexample of a case").case,
    "exact instance": lambda: made("refutation").instance,
    "loss": lambda: tl.Loss(Network.dense((1, 1, 1), "square"), _point()),
    "ridge": lambda: tl.Loss(Network.dense((1, 1, 1), "linear"), _point(), matrix([["1/3"]])[0, 0]),
}


def _trials() -> Any:
    run = made("verification")
    words = "mean 2.018 [1.98, 2.06] against 2"
    seen = Observed(
        "consistent", 0.018, (1.98, 2.06), 0.37, 900, "0", (("all counted", True),), words
    )
    trial = replace(
        run.results[0],
        claim="real-zeros-mean",
        title="Real zeros",
        reason=words,
        outcome="consistent",
        assurance="statistical",
        observed=seen,
        conclusion="mean",
        lemmas=(),
        level=None,
        peak=None,
        peak_ratio=None,
        steps=None,
        instance="two quadrics",
    )
    against = replace(trial, outcome="inconsistent", observed=replace(seen, outcome="inconsistent"))
    return replace(run, results=(trial, against), planned=2)


def _wrong() -> Any:
    run = made("verification")
    first, second, third, *rest = run.results
    results = (
        replace(first, outcome="refuted", expected=False, instance=EVIL, reason=EVIL, note=EVIL),
        replace(second, outcome="undecided", expected=False, assurance=None, reason=EVIL),
        replace(
            third, rejected=True, outcome="undecided", expected=False, certificate=f"{EVIL}.json"
        ),
        *rest,
    )
    return replace(run, results=results, planned=len(results) + 3)


@cache
def made(name: str) -> Any:
    """The value of this kind."""
    return MAKERS[name]()


@cache
def face(name: str) -> str:
    """The HTML of the value of this kind."""
    return str(made(name)._repr_html_())
