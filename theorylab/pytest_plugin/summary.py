"""The section of pytest's report about claims: counted by instance, never a universal word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theorylab.verify import SCHEMA, UNCHECKED


def tally(found: Sequence[dict[str, Any]]) -> str:
    """What was decided of one claim, as the JSON of its tests says.

    >>> row = {"outcome": "proved", "expected": True, "rejected": False}
    >>> tally([row, row, {"outcome": "survived", "tried": 50, "seed": 7, "schema": "falsify"}])
    'proved on 2 of 2 instances; survived 50 (seed 7)'
    """
    hunts = [one for one in found if "tried" in one]
    rest = [one for one in found if "tried" not in one]
    said = [one for one in rest if one.get("conclusion") == "said"]
    trials = [one for one in rest if one.get("observed") is not None]
    exact = [one for one in rest if one not in said and one not in trials]
    errata = [one for one in exact if one["outcome"] == "refuted" and one["expected"]]
    others = len(exact) - len(errata)
    parts = []
    if others:
        proved = sum(one["outcome"] == "proved" and one["expected"] for one in exact)
        parts.append(f"proved on {proved} of {others} instance{'s' * (others != 1)}")
    if errata:
        own = all(one.get("variant") == "conjectured" for one in errata)
        words = f"{'' if own else 'erratum '}instance{'s' * (len(errata) != 1)}"
        parts.append(f"refuted as expected on {len(errata)} {words}")
    if trials:
        good = sum(one["expected"] for one in trials)
        of = f"{len(trials)} trial{'s' * (len(trials) != 1)}"
        parts.append(f"as expected in {good} of {of} (assurance statistical)")
    parts += [f"{one['outcome']}: {one['reason']}" for one in said]
    for label, counted in (
        ("rejected", sum(one.get("rejected", False) for one in exact)),
        ("undecided", sum(_undecided(one) for one in exact)),
        ("UNEXPECTED", sum(_unexpected(one) for one in exact)),
    ):
        if counted:
            parts.append(f"{counted} {label}")
    for one in hunts:
        by = one["tried"] if one["outcome"] == "survived" else "by a hunt"
        parts.append(f"{one['outcome']} {by} (seed {one['seed']})")
    return "; ".join(parts)


def _undecided(one: dict[str, Any]) -> bool:
    return one["outcome"] == "undecided" and not one.get("rejected", False)


def _unexpected(one: dict[str, Any]) -> bool:
    return one["outcome"] != "undecided" and not one["expected"]


def document(found: Sequence[dict[str, Any]], seed: int) -> dict[str, Any]:
    """The JSON of ``theorylab verify`` for these tests, for the record beside the certificates."""
    rows = [{k: v for k, v in one.items() if k not in ("name", "seed")} for one in found]

    def count(outcome: str, expected: bool = True) -> int:
        return sum(one["outcome"] == outcome and one["expected"] == expected for one in rows)

    undecided = count("undecided", False)
    bad = sum(map(_unexpected, rows)) + sum(bool(one["rejected"]) for one in rows)
    summary = {
        "instances": len(rows),
        "planned": len(rows),
        "proved": count("proved"),
        "refuted_as_expected": count("refuted"),
        "consistent": count("consistent"),
        "inconsistent_as_expected": count("inconsistent"),
        "survived": count("survived"),
        "unchecked_counterexamples": count(UNCHECKED, False),
        "unexpected": sum(map(_unexpected, rows)),
        "undecided": undecided,
        "seconds": round(sum(one["seconds"] for one in rows), 3),
        "exit_status": 1 if bad else 3 if undecided else 0,
    }
    return {"schema": SCHEMA, "seed": seed, "results": rows, "summary": summary}


def print_summary(reporter: Any, found: Sequence[dict[str, Any]]) -> None:
    """The section "claims" of the report, one line for each claim."""
    if reporter.config.get_verbosity() < -1:
        return
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        groups.setdefault(one["name"], []).append(one)
    reporter.section("claims")
    for name, ones in groups.items():
        reporter.write_line(f"{name}: {tally(ones)}")
