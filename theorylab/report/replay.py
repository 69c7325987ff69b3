"""The command that makes a result again, from the JSON that the command line prints of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from theorylab.outcome import InputError

Json = dict[str, Any]
# The reading of a user's own claim; its file is not known, so the command says FILE.py.
_OWN = "conjectured"


def replay(value: Any) -> list[str]:
    """The words of the command; none where the result does not tell its files or options.

    ``value`` is what ``--json`` prints, a list for experiments.

    >>> replay({"schema": "theorylab.falsify/1", "claim": "c", "variant": "printed",
    ...         "dropped": None, "seed": 7})
    ['theorylab', 'falsify', 'c', '--as-stated', '--seed', '7']
    """
    rows = value if isinstance(value, list) else [value]
    schema = rows[0].get("schema") if rows else None
    made = {
        "theorylab.verify/1": _verify,
        "theorylab.falsify/1": _falsify,
        "theorylab.phase/1": _phase,
        "theorylab.sharpness/1": _sharpness,
        "theorylab.sweep/1": _sweep,
        "theorylab.experiment/1": _experiment,
    }.get(str(schema))
    return [] if made is None else made(rows[0])


def _seed(value: Json) -> list[str]:
    return ["--seed", str(value["seed"])] if value["seed"] else []


def _verify(value: Json) -> list[str]:
    results = value["results"]
    if not results:
        return []
    from theorylab.claims import all_claims

    names = list(dict.fromkeys(result["claim"] for result in results))
    every = [claim.id for claim in all_claims()]
    given = [name if name in every else _own(name) for name in names]
    words = ["theorylab", "verify", *([] if set(names) == set(every) else given)]
    drawn = [r for r in results if r["instance"].startswith(f"random-{value['seed']}-")]
    many = max((sum(r["claim"] == name for r in drawn) for name in names), default=0)
    return words + (["--instances", str(many)] if many else []) + _seed(value)


def _own(name: str) -> str:
    return f"FILE.py::{name}"


def _falsify(value: Json) -> list[str]:
    own = value["variant"] == _OWN
    words = ["theorylab", "falsify", _own(value["claim"]) if own else value["claim"]]
    if value["dropped"]:
        words += ["--drop", value["dropped"]]
    elif value["variant"] == "printed":
        words.append("--as-stated")
    return words + _seed(value)


def _phase(value: Json) -> list[str]:
    def span(numbers: Sequence[int]) -> str:
        return f"{numbers[0]}..{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}"

    if any(
        [*range(numbers[0], numbers[-1] + 1)] != numbers for numbers in (value["n"], value["p"])
    ):
        return []
    words = ["theorylab", "phase", value["claim"], "--n", span(value["n"]), "--p", span(value["p"])]
    words += ["--family", value["family"], "--tries", str(value["tries"])]
    return [*words, "--pairs", str(value["pairs"]), *_seed(value)]


def _sharpness(value: Json) -> list[str]:
    """The command makes the table of every claim; for less of it there is none."""
    from theorylab.falsify.sharpness import topology_claims

    if {row["claim"] for row in value["rows"]} != {claim.id for claim in topology_claims()}:
        return []
    return ["theorylab", "falsify", "all", "--tries", str(value["tries"]), *_seed(value)]


def _sweep(value: Json) -> list[str]:
    network = value["network"]
    if not isinstance(network["activation"], str) or network["pattern"] is not None:
        return []
    if network["output"] != "linear":
        return []
    words = ["theorylab", "sweep", "--widths", ",".join(map(str, network["widths"]))]
    words += ["--activation", network["activation"], "--system", value["system"]]
    words += ["--ridge", value["ridge"]] if value["ridge"] is not None else []
    words += ["--samples", str(value["samples"])]
    if any(network["bias"]):
        words += ["--bias", ",".join("01"[flag] for flag in network["bias"])]
    if value.get("gauge", "auto") != "auto":
        words += ["--gauge", value["gauge"]]
    return [*words, "--instances", str(value["instances"]), *_seed(value)]


def _experiment(value: Json) -> list[str]:
    from theorylab.experiments.register import load

    try:
        budgets = load(value["claim"]).budgets
    except InputError:  # no such experiment here, or no torch
        return []
    for budget, config in budgets.items():
        # JSON turns tuples to lists, and the seed is an option of its own.
        told = json.loads(json.dumps({**config.to_json(), "seed": value["seed"]}))
        if told == json.loads(json.dumps(value["config"])):
            words = ["theorylab", "experiment", value["claim"]]
            words += ["--budget", budget] if budget != "ci" else []
            return [*words, "--device", value["device"], *_seed(value)]
    return []
