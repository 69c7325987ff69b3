"""conjecture: a claim of your own, in a file of your own, decided as the catalogue's are.

A conjecture is a sentence, hypotheses, and a function that says of one instance what the sentence
says: a fact about network and data or a relation of exact numbers, which the kernel decides, or a
bare truth value, for which nobody vouches but the function.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, overload

from theorylab.claims import Claim, Hypothesis, Said, Variant, all_claims
from theorylab.claims.claim import Proof
from theorylab.conjecture.fact import CONCLUSIONS, VARIANT, bare_numbers, fact, relation
from theorylab.conjecture.file import load_claims
from theorylab.conjecture.predicates import hypotheses as named_hypotheses
from theorylab.conjecture.searchers import search
from theorylab.falsify.cases import draw_case
from theorylab.falsify.drawn import Recorded
from theorylab.falsify.reading import Reading, on_points
from theorylab.instances import Case, Draw, Instance, Seeded, weights
from theorylab.outcome import InputError, Source, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.counterexample import NEGATED
from theorylab.topology.path import Path, proof_of_joined

__all__ = ["conjecture", "fact", "load_claims"]

Function = Callable[..., Any]
Prover = Callable[[Instance], Any]

_FIXED = 12
_SIZES = 3
_DRAWS = 400
_GIVEN = ("network", "data", "ridge", "draw")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")


@overload
def conjecture(
    words: str,
    hypotheses: Sequence[str | Hypothesis] = (),
    conclusion: str | None = None,
    *,
    name: str,
    prover: Prover | None = None,
    source: Source | None = None,
) -> Claim: ...


@overload
def conjecture(
    words: str,
    hypotheses: Sequence[str | Hypothesis] = (),
    conclusion: str | None = None,
    *,
    name: None = None,
    prover: Prover | None = None,
    source: Source | None = None,
) -> Callable[[Function], Claim]: ...


def conjecture(
    words: str,
    hypotheses: Sequence[str | Hypothesis] = (),
    conclusion: str | None = None,
    *,
    name: str | None = None,
    prover: Prover | None = None,
    source: Source | None = None,
) -> Claim | Callable[[Function], Claim]:
    """A claim of your own: decorates the function that says what it says of one instance.

    The function is given what its parameters name: ``network`` and ``data`` (and ``ridge``), drawn
    so that the hypotheses hold, or ``draw`` alone, to make its own from ``theorylab.instances``;
    ``draw`` besides network and data chooses weights. It returns, by ``conclusion``:

    - a fact (``fact(...)``) of that kind, or for "relation" (left, op, right) with exact numbers,
      or weights for the loss there: the kernel proves or refutes what ``prover`` (a path, a rule
      with a proof, or None), or else our own searchers, propose;
    - with no conclusion a bare bool, or (bool, words): it can only survive, or have a
      counterexample that nobody has checked;
    - None when it says nothing of this instance.

    With a ``name`` there is no function: "joined", "descends" or "not_poor_minimum" for all points
    of all losses with these hypotheses. Then the claim is returned at once, for falsify to hunt;
    verify joins random pairs.

    Guarantees: the kernel alone proves or refutes a fact; nobody vouches for a bare truth value.
    Raises InputError for hypotheses and conclusions it does not know.

    >>> narrow = conjecture("one unit is enough", ["linear", "no bias"], "joined", name="narrow")
    >>> from theorylab.falsify import falsify
    >>> found = falsify(narrow)
    >>> found.outcome, found.instance.network.widths
    ('refuted', (1, 1, 1))
    """
    if not isinstance(words, str) or not words.strip():
        rule = "a conjecture is a sentence"
        raise InputError("words", words, rule, 'write @conjecture("...") above the function')
    listed = named_hypotheses(hypotheses)
    if conclusion is not None and conclusion not in CONCLUSIONS:
        rule = f"the conclusions of the kernel are {', '.join(CONCLUSIONS)}"
        raise InputError("conclusion", conclusion, rule, "choose one, or leave it out")
    variant = Variant(VARIANT, " ".join(words.split()), "", listed, conclusion or "said")
    if name is not None:
        return _of_all_points(_checked(name), variant, prover, source)

    def made(function: Function) -> Claim:
        return _spoken(function, variant, prover, source)

    return made


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        rule = "a name is made of letters, digits, - and _"
        raise InputError("name", name, rule, "rename the conjecture")
    if any(name == known.id for known in all_claims()):
        rule = "a claim of the catalogue has this name"
        raise InputError("name", name, rule, "rename the conjecture")
    return name


def _of_all_points(
    name: str, variant: Variant, prover: Prover | None, source: Source | None
) -> Claim:
    if variant.conclusion not in NEGATED:
        rule = f"without a function a conclusion is one of {', '.join(NEGATED)}"
        raise InputError("conclusion", variant.conclusion, rule, "decorate a function")

    def pair(draw: Draw) -> Instance:
        case = _drawn_case(claim, draw)
        network = case.network
        if network.is_dense:
            points = [weights(draw, network) for _ in "AB"]
        else:
            count = network.parameter_count
            points = [network.assemble([draw.integer(-3, 3) for _ in range(count)]) for _ in "AB"]
        return fact("joined", network, case.data, ridge=case.ridge, A=points[0], B=points[1])

    def random(draw: Draw) -> Instance:
        if variant.conclusion != "joined":
            rule = "hypotheses alone make no points to prove this of"
            raise InputError("claim", name, rule, "falsify hunts it; verify needs a function")
        return _covered(claim, draw, pair)

    claim = Claim(
        id=name,
        title=variant.words,
        source=source,
        variants=(variant,),
        canonical=lambda: _first(name, random),
        random=random,
        prover=proposed(name, prover),
    )
    return claim


def _spoken(
    function: Function, variant: Variant, prover: Prover | None, source: Source | None
) -> Claim:
    name = _checked(getattr(function, "__name__", ""))
    given = tuple(inspect.signature(function).parameters)
    on_cases = "network" in given
    known = set(given) <= set(_GIVEN) and (on_cases == ("data" in given)) and bool(given)
    if not known or ("ridge" in given and not on_cases):
        rule = "a conjecture's function takes network and data (ridge, draw besides), or draw"
        raise InputError("parameters", ", ".join(given) or "none", rule, "rename its parameters")
    bare = variant.conclusion == "said"
    unseen = [h.name for h in variant.hypotheses if not on_cases or on_points(h.json)]
    if bare and unseen:
        rule = "a bare truth value has no points, and without network and data nothing to check"
        remedy = "take network and data, or leave the hypothesis out"
        raise InputError("hypotheses", f"{name}: {', '.join(unseen)}", rule, remedy)

    file = _file_of(function)

    def says(draw: Draw, case: Case | None) -> Instance | Said | None:
        if on_cases and case is None:
            case = _drawn_case(claim, draw)
        handed: dict[str, object] = {"draw": draw}
        if case is not None:
            handed |= {"network": case.network, "data": case.data, "ridge": case.ridge}
        with _calling(name, file, draw):
            answer = function(**{parameter: handed[parameter] for parameter in given})
        return _understood(claim, answer, case, draw)

    def random(draw: Draw) -> Instance:
        return _covered(claim, draw, lambda draw: says(draw, None))

    claim = Claim(
        id=name,
        title=variant.words,
        source=source,
        variants=(variant,),
        canonical=(lambda: ()) if bare else (lambda: _first(name, random)),
        random=random,
        prover=proposed(name, prover),
        kind="unchecked" if bare else "exact",
        says=says,
        on_cases=on_cases,
    )
    return claim


def _first(name: str, random: Callable[[Draw], Instance]) -> tuple[Instance, ...]:
    """The instances that verify looks at when no more are asked for."""
    return tuple(replace(random(Seeded(f"{name} {i}")), name=f"drawn-{i}") for i in range(_FIXED))


def _covered(claim: Claim, draw: Draw, make: Callable[[Draw], Instance | Said | None]) -> Instance:
    """The first instance made in which the hypotheses hold. InputError when none comes up."""
    reading, silent = Reading(claim, claim.main), True
    for _ in range(_DRAWS):
        made = make(draw)
        if isinstance(made, Instance) and reading.covers(made):
            return made
        silent = silent and made is None
    if silent:
        rule = f"its function returned None in all of {_DRAWS} draws"
        raise InputError("claim", claim.id, rule, "is a `return` missing?")
    rule = f"none of {_DRAWS} draws made an instance in which its hypotheses hold"
    raise InputError("claim", claim.id, rule, "make such instances, or drop a hypothesis")


def _drawn_case(claim: Claim, draw: Draw) -> Case:
    """A case that satisfies the hypotheses. InputError when none comes up."""
    reading = Reading(claim, claim.main)
    for _ in range(_DRAWS):
        case = draw_case(draw, reading.kept, (), draw.integer(1, _SIZES))
        if case is not None and reading.allows(case):
            return case
    rule = f"no network and data with its hypotheses came up in {_DRAWS} draws"
    raise InputError("claim", claim.id, rule, "take draw, and make them in the function")


def _understood(
    claim: Claim, answer: object, case: Case | None, draw: Draw
) -> Instance | Said | None:
    """What the function answered, as the claim's conclusion has it."""
    kind = claim.main.conclusion
    if answer is None:
        return None
    if kind == "said":
        words = ""
        if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], str):
            answer, words = answer
        if isinstance(answer, bool):
            return Said(answer, words, case)
        rule, remedy = "without a conclusion it returns True or False", 'say conclusion="..."'
        if type(answer).__module__ == "numpy":
            rule, remedy = "a truth value of Python is expected", "write bool(...)"
    elif kind == "relation" and isinstance(answer, tuple) and len(answer) == 3:
        bare = Case(*bare_numbers())
        place = bare if case is None else case
        with _calling(claim.id, "", draw):
            return relation(*answer, place.network, place.data, place.ridge)
    elif isinstance(answer, Instance) and answer.conclusion["kind"] == kind:
        return answer
    else:
        rule = f"its conclusion is {kind}"
        remedy = "return (left, op, right)" if kind == "relation" else f'return fact("{kind}", ...)'
    module = "numpy." if type(answer).__module__ == "numpy" else ""
    shown = f"{claim.id} returned {module}{type(answer).__name__}"
    raise InputError("claim", shown, rule, remedy)


def proposed(name: str, own: Prover | None) -> Callable[[Instance], Proof | Undecided]:
    """The prover of a claim made of a user's own (None: our searchers alone).

    Raises InputError when it fails, or returns what is no path, proof, Undecided or None.
    """
    file = "" if own is None else _file_of(own)

    def prove(instance: Instance) -> Proof | Undecided:
        found = None
        if own is not None:
            with _calling(name, file, None):
                found = own(instance)
        if found is None:
            return search(instance)
        if isinstance(found, Argument):
            return found.rule, found.proof
        if isinstance(found, Path):
            from flint import fmpq

            return proof_of_joined(found, instance.loss, fmpq(instance.conclusion["u"]))
        if isinstance(found, Undecided) or (isinstance(found, tuple) and len(found) == 2):
            return found
        rule = "a prover returns a path, (rule, proof), Undecided or None"
        raise InputError("claim", f"{name}, its prover", rule, "return one of these")

    return prove


@contextlib.contextmanager
def _calling(name: str, file: str, draw: Draw | None) -> Iterator[None]:
    """An exception of the user's function in one line; its prints go to standard error.

    The line is the last one of ``file``. With THEORYLAB_DEBUG set the exception itself passes.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:  # or sys.exit(0) in it would end as if all were well
        if os.environ.get("THEORYLAB_DEBUG"):
            raise
        own = isinstance(error, InputError)
        said = str(error) if own else traceback.format_exception_only(error)[-1].strip()
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == file]
        where = f"line {lines[-1]} of {os.path.basename(file)}" if lines else "what it returned"
        seed = draw.seed if isinstance(draw, Seeded | Recorded) else None
        drawn = "" if seed is None else f", drawn by seed {seed!r}"
        remedy = "mend it; THEORYLAB_DEBUG=1 shows the traceback"
        raise InputError(
            "claim", name, f"its function failed at {where}{drawn}: {said}", remedy
        ) from None


def _file_of(function: Callable[..., Any]) -> str:
    """The file that a function is written in; nothing for a callable that is no function."""
    return function.__code__.co_filename if inspect.isfunction(function) else ""
