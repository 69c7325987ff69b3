"""The hunt through a user's own function: what it says is attacked, nothing else.

What it makes is judged by the kernel, or, where it only says True or False, by nobody. A case
that it was asked about is shrunk in the order of ``shrink_order``, the choices it drew after that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count

from theorylab.claims import Said
from theorylab.falsify.cases import draw_case
from theorylab.falsify.drawn import Choice, Recorded, script_order, simpler_scripts
from theorylab.falsify.hunt import Drawn, attacked_instance, drawn_cases
from theorylab.falsify.reading import Reading
from theorylab.falsify.simpler import simpler_cases
from theorylab.instances import Case, Draw, Seeded, shrink_order
from theorylab.outcome import InputError

_ATTEMPTS = 4_000
_REDRAWN = 12
_NEAR = 12
# Small cases drawn anew where nothing near a counterexample is simpler, and draws on each.
_SMALL = 60
_ON_EACH = 4


@dataclass(frozen=True, slots=True)
class Made:
    """What the function made of a case and of choices, and what is wrong with it.

    ``against`` is the refutation of an instance, or the False of a bare truth value; None where
    nothing was found against it.
    """

    case: Case | None
    choices: tuple[Choice, ...]
    against: Drawn | Said | None


def made(
    reading: Reading, case: Case | None, script: list[int], after: Draw | None = None
) -> Made | None:
    """What the function says; None when it says nothing of a case of this reading."""
    claim = reading.claim
    assert claim.says is not None  # only such claims are asked
    if case is not None and not reading.allows(case):
        return None
    draw = Recorded(script, after)
    answer = claim.says(draw, case)
    choices = tuple(draw.choices)
    if isinstance(answer, Said):
        return Made(case, choices, None if answer.holds else answer)
    if answer is None or not reading.covers(answer):
        return None
    return Made(case, choices, attacked_instance(reading, answer, choices))


def spoken(reading: Reading, tries: int, seed: int) -> Iterator[Made | None]:
    """What the function says of draw after draw; None where it says nothing.

    Of ``tries`` different cases at most; without end where it draws all by itself. InputError when
    it says another thing of the same draw: then nothing could be shrunk or shown again.
    """
    for case, draw in _draws(reading, tries, seed):
        found = made(reading, case, [], draw)
        if found is not None and found.against is not None:
            again = made(reading, case, [choice.value for choice in found.choices])
            if again is None or again.against is None:
                rule = "its function says two things of one instance"
                remedy = "let it draw everything from draw, and nothing from elsewhere"
                raise InputError("claim", reading.claim.id, rule, remedy)
        yield found


def _draws(reading: Reading, tries: int, seed: int) -> Iterator[tuple[Case | None, Draw]]:
    name = f"hunt {reading.claim.id} {reading.name} {seed}"
    if not reading.claim.on_cases:
        yield from ((None, Seeded(f"{name} {number}")) for number in count())
        return
    for number, case in enumerate(drawn_cases(reading, tries, seed)):
        if case is not None:
            yield case, Seeded(f"{name} choices {number}")


def shrunk_made(reading: Reading, found: Made, deadline: float | None) -> tuple[Made, int]:
    """The counterexample made simpler until no single simplification is one, and how often.

    The case first, then the choices; each step is asked of the function anew, and judged anew.
    Guarantees: the same counterexample is shrunk to the same bytes unless the deadline cuts.
    """
    steps, attempts, simpler = 0, _ATTEMPTS, True
    refused = set[tuple[Case | None, tuple[int, ...]]]()
    while simpler:
        simpler = False
        for case, script, after in chain(_candidates(found), _small(reading, found)):
            late = deadline is not None and time.monotonic() > deadline
            if late or not attempts:
                return found, steps
            if after is None and (case, tuple(script)) in refused:
                continue
            attempts -= 1
            if after is None:
                refused.add((case, tuple(script)))
            try:
                other = made(reading, case, script, after)
            except InputError:  # the function fails on what is simpler: that is no counterexample
                continue
            if other is None or other.against is None or not _is_simpler(other, found):
                continue
            found, simpler = other, True
            steps += 1
            break
    return found, steps


def _candidates(found: Made) -> Iterator[tuple[Case | None, list[int], Draw | None]]:
    """Simpler cases, by the same choices and by others; then simpler choices, by and by all."""
    values = [choice.value for choice in found.choices]
    if found.case is not None:
        order = shrink_order(found.case)
        simpler = [case for case in simpler_cases(found.case) if shrink_order(case) < order]
        yield from ((case, values, None) for case in simpler)
        if values:
            for k in range(_REDRAWN):
                yield from ((case, [], Seeded(f"simpler {k}")) for case in simpler)
    for script in simpler_scripts(found.choices):
        yield found.case, script, None
    for place, choice in enumerate(found.choices):
        least, away = choice.simplest, abs(choice.value - choice.simplest)
        for distance in range(1, min(away, _NEAR)):
            for other in (least + distance, least - distance):
                if choice.low <= other <= choice.high:
                    yield found.case, [*values[:place], other, *values[place + 1 :]], None


def _small(reading: Reading, found: Made) -> Iterator[tuple[Case | None, list[int], Draw | None]]:
    """Small cases that are no steps from this one, for what needs two changes at once."""
    if found.case is None:
        return
    order, seen = shrink_order(found.case), set[Case]()
    kept, gone = reading.kept, [h.json for h in reading.dropped]
    for k in range(_SMALL):
        case = draw_case(Seeded(f"small {k}"), kept, gone, 1 + k % 2)
        if case is None or case in seen or shrink_order(case) >= order:
            continue
        seen.add(case)
        yield from ((case, [], Seeded(f"small {k} {i}")) for i in range(_ON_EACH))


def _is_simpler(one: Made, other: Made) -> bool:
    orders = [shrink_order(found.case) if found.case else () for found in (one, other)]
    if orders[0] != orders[1]:
        return orders[0] < orders[1]
    return script_order(one.choices) < script_order(other.choices)
