"""The hunt: draw a case, ask for the negation, let the kernel judge, shrink what it refutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from flint import fmpq

from theorylab import kernel
from theorylab.falsify.cases import draw_case
from theorylab.falsify.drawn import Choice, recorded, script_order, simpler_scripts
from theorylab.falsify.reading import Reading
from theorylab.falsify.simpler import simpler_cases, simpler_numbers
from theorylab.instances import Case, Draw, Instance, Seeded, height, shrink_order
from theorylab.kernel.statements import canonical
from theorylab.model import Loss, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import certificate
from theorylab.topology.counterexample import counterexamples, weights_of
from theorylab.topology.path import theta_json
from theorylab.topology.walls.separation import exchanged, with_best_output

Json = dict[str, Any]

_SIZES = 5
BARREN = 400
_MOST_SHRINKS = 400
_ATTEMPTS = 1_500


@dataclass(frozen=True, slots=True)
class Found:
    """A case with an argument against a reading, and the bytes that the kernel refutes."""

    case: Case
    argument: Argument
    raw: bytes
    outcome: kernel.Refuted

    @property
    def instance(self) -> Instance:
        """The counterexample as an instance of the reading."""
        conclusion = self.argument.conclusion
        a = weights_of(conclusion["A"])
        b = weights_of(conclusion["B"]) if "B" in conclusion else None
        case = self.case
        return Instance(
            "counterexample",
            "",
            case.network,
            case.data,
            conclusion,
            a,
            b,
            expected="refuted",
            ridge=case.ridge,
        )


def judged(reading: Reading, case: Case, argument: Argument) -> Found | None:
    """What the kernel refutes of the reading by this argument; None when it does not."""
    statement = reading.stated(case, argument.conclusion)
    raw = certificate(statement, argument.rule, argument.proof)
    outcome = kernel.check(raw)
    same = isinstance(outcome, kernel.Refuted) and outcome.statement.text == reading.statement(
        case, argument.conclusion
    )
    return Found(case, argument, raw, outcome) if same else None  # type: ignore[arg-type]


def attacked(reading: Reading, case: Case) -> Found | None:
    """A refutation of the reading on this case, if a builder finds one and the kernel agrees."""
    loss = Loss(case.network, case.data, case.ridge)
    judgements = (
        judged(reading, case, a) for a in counterexamples(reading.variant.conclusion, loss)
    )
    return next((found for found in judgements if found is not None), None)


def drawn_cases(reading: Reading, tries: int, seed: int) -> Iterator[Case | None]:
    """Different cases for the reading, ``tries`` at most, small ones first and most often.

    None stands for a draw that led to no new case, so that the caller can watch the clock.
    The hypotheses that are kept hold in them as far as can be seen; each that is dropped fails.
    """
    dropped = [h.json for h in reading.dropped]
    seen: set[Case] = set()
    barren, number = 0, 0
    while len(seen) < tries and barren < BARREN:
        size = 1 + number % min(_SIZES, 1 + number // 12)
        draw = Seeded(f"hunt {reading.claim.id} {reading.name} {seed} {number}")
        case = draw_case(draw, reading.kept, dropped, size)
        number += 1
        if case is None or case in seen:
            barren += 1
            yield None
            continue
        barren = 0
        seen.add(case)
        yield case


def shrunk(
    reading: Reading,
    found: Found,
    attack: Callable[[Reading, Case], Found | None],
    attempts: int = _ATTEMPTS,
) -> tuple[Found, int]:
    """The counterexample made simpler until no single simplification is one, and how often.

    Every step is refuted by the kernel anew. First the case, then the level and the points.
    ``attempts`` bounds the simpler cases that are tried, so that a slow proof cannot take forever.
    """
    steps, refused = 0, set[Case]()
    order = shrink_order(found.case)
    simpler = True
    while simpler and steps < _MOST_SHRINKS:
        simpler = False
        for case in simpler_cases(found.case):
            if case in refused or shrink_order(case) >= order or not attempts:
                continue
            attempts -= 1
            smaller = attack(reading, case)
            if smaller is None:
                refused.add(case)
                continue
            found, order, simpler = smaller, shrink_order(case), True
            steps += 1
            break
    return _simpler_points(reading, found, steps)


def _simpler_points(reading: Reading, found: Found, steps: int) -> tuple[Found, int]:
    """Replace the numbers of the points by simpler ones, the level by the loss of the points."""
    simpler = True
    while simpler and steps < _MOST_SHRINKS:
        simpler = False
        for argument in _other_points(found):
            other = judged(reading, found.case, argument)
            if other is not None:
                found, simpler = other, True
                steps += 1
                break
    return found, steps


def _other_points(found: Found) -> Iterator[Argument]:
    """The argument about points one number of which is simpler."""
    conclusion = found.argument.conclusion
    size = _written(conclusion)
    for name, point in _moved_points(found):
        argument = _about(found, name, theta_json(point))
        if argument is not None and _written(argument.conclusion) < size:
            yield argument


def _moved_points(found: Found) -> Iterator[tuple[str, Weights]]:
    """A point with one number simpler, then the output layer fitted anew; B as A turned round."""
    case, conclusion = found.case, found.argument.conclusion
    network, loss = case.network, Loss(case.network, case.data, case.ridge)
    fits = network.is_dense and network.output == "linear" and network.depth > 1
    for name in [name for name in ("A", "B") if name in conclusion]:
        numbers = network.parameters(weights_of(conclusion[name]))
        for place, value in enumerate(numbers):
            for other in simpler_numbers(value):
                moved = network.assemble([*numbers[:place], other, *numbers[place + 1 :]])
                yield name, moved
                if fits:
                    yield name, with_best_output(loss, [*moved[:-1]])
    if "B" in conclusion:
        a = weights_of(conclusion["A"])
        numbers = network.parameters(a)
        for place in range(len(numbers)):
            yield "B", network.assemble([*numbers[:place], -numbers[place], *numbers[place + 1 :]])
        if fits and network.hidden[-1] > 1:
            yield "B", exchanged(a)


def _written(conclusion: Json) -> tuple[int, int, int]:
    """How much there is to write of a conclusion: the level first, then the points."""
    points = [weights_of(conclusion[name]) for name in ("A", "B") if name in conclusion]
    numbers = [v for point in points for layer in point for v in layer.entries()]
    level = height([_number(conclusion["u"])]) if "u" in conclusion else 0
    return level, height(numbers), sum(v < 0 for v in numbers)


def _number(text: str) -> fmpq:
    p, _, q = text.partition("/")
    return fmpq(int(p), int(q or 1))


def _about(found: Found, name: str, point: list[list[list[str]]]) -> Argument | None:
    """The argument with another point, at the level of its points; None above the old level."""
    case, argument = found.case, found.argument
    conclusion = {**argument.conclusion, name: point}
    if "u" not in conclusion:
        return replace(argument, conclusion=conclusion)
    loss = Loss(case.network, case.data, case.ridge)
    level, old = (
        max(loss(weights_of(conclusion["A"])), loss(weights_of(conclusion["B"]))),
        _number(conclusion["u"]),
    )
    if level > old:
        return None
    proof = argument.proof
    if "margin" in proof and "u" not in proof:
        # the wall stands where it stood: what the level loses its margin gains
        proof = {**proof, "margin": str(_number(proof["margin"]) + old - level)}
    return replace(argument, conclusion={**conclusion, "u": str(level)}, proof=proof)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A refuted instance of a family of the claim's own, and the choices that made it."""

    instance: Instance
    choices: tuple[Choice, ...]
    raw: bytes
    outcome: kernel.Refuted


def family_of(reading: Reading) -> Callable[[Draw], Instance] | None:
    """The claim's own family for a hunt: without the dropped hypothesis, or its random instances.

    None when nothing is known of instances in which the dropped hypothesis fails.
    """
    if not reading.dropped:
        return reading.claim.random
    return reading.claim.searches.get(reading.dropped[0].name)


def attacked_instance(
    reading: Reading, instance: Instance, choices: tuple[Choice, ...]
) -> Drawn | None:
    """What the claim's own prover shows against the reading on this instance, if it does."""
    if not reading.covers(instance):
        return None
    found = reading.claim.prover(instance)
    if isinstance(found, Undecided):
        return None
    statement = reading.statement_json(instance)
    raw = certificate(statement, *found)
    outcome = kernel.check(raw)
    if not isinstance(outcome, kernel.Refuted) or outcome.statement.text != canonical(statement):
        return None
    return Drawn(instance, choices, raw, outcome)


def shrunk_choices(
    reading: Reading, found: Drawn, family: Callable[[Draw], Instance]
) -> tuple[Drawn, int]:
    """The refuted instance that simpler choices make, until no single one makes another."""
    steps, simpler = 0, True
    refused: set[tuple[int, ...]] = set()
    while simpler and steps < _MOST_SHRINKS:
        simpler = False
        for script in simpler_scripts(found.choices):
            instance, choices = recorded(family, script)
            key = tuple(choice.value for choice in choices)
            if key in refused or script_order(choices) >= script_order(found.choices):
                continue
            smaller = attacked_instance(reading, instance, choices)
            if smaller is None:
                refused.add(key)
                continue
            found, simpler = smaller, True
            steps += 1
            break
    return found, steps


def seconds_left(begun: float, seconds: float | None) -> bool:
    """Whether a hunt that began then may go on."""
    return seconds is None or time.monotonic() - begun < seconds
