"""Machine-made variants of a claim: a bound lowered, a strict one made weak, a hypothesis gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from theorylab.claims import Claim, Hypothesis, Variant
from theorylab.falsify.reading import Reading, without


def mutants(claim: Claim) -> tuple[Reading, ...]:
    """Every variant of the claim's main reading that one such change makes; most are false.

    A change that gives a reading of the claim that is already there is left out.

    >>> from theorylab.claims import claim
    >>> [m.variant.name for m in mutants(claim("finite-dimension-descent"))][-1]
    'printed, wide lowered by one'
    """
    made: list[Reading] = []
    whole = Reading(claim, claim.main)
    made += [without(whole, h.name) for h in whole.variant.hypotheses]
    made += [Reading(claim, changed) for changed in weaker_bounds(whole.variant)]
    different: dict[tuple[str, str], Reading] = {}
    known = {(str([h.json for h in v.hypotheses]), v.conclusion) for v in claim.variants}
    for reading in made:
        key = (str(list(reading.kept)), reading.variant.conclusion)
        if key not in known:
            different.setdefault(key, reading)
    return tuple(different.values())


def weaker_bounds(variant: Variant) -> Iterator[Variant]:
    """The variant with one bound on the widths made weak, if it is strict, or lowered by one."""
    for place, hypothesis in enumerate(variant.hypotheses):
        predicate = hypothesis.json
        if predicate["kind"] != "hidden_widths":
            continue
        if predicate["relation"] == ">":
            how, changed = "made weak", {**predicate, "relation": ">="}
        else:
            how, changed = "lowered by one", {**predicate, "less": predicate.get("less", 0) + 1}
        words = f"{hypothesis.words}, {how}"
        weaker = Hypothesis(hypothesis.name, words, tuple(sorted(changed.items())))
        listed = (*variant.hypotheses[:place], weaker, *variant.hypotheses[place + 1 :])
        yield replace(
            variant,
            name=f"{variant.name}, {hypothesis.name} {how}",
            words=f"{variant.words} - with {words}",
            hypotheses=listed,
        )
