"""PHCpack: the program `phc` (black box, mixed volumes) and phcpy's path tracker.

Source: J. Verschelde, Algorithm 795: PHCpack, ACM TOMS 25 (1999). In-process solving by phcpy is
never used: it swallows exceptions and then returns an empty list.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path

from flint import fmpq

from theorylab.counting.expanded import Expanded
from theorylab.counting.external.answer import Point, Solutions, distinct, ready, sifted
from theorylab.counting.external.process import (
    EngineError,
    EngineTimeout,
    MissingEngine,
    Ran,
    ask_worker,
    program,
    run,
)
from theorylab.outcome import InputError, Undecided

PROGRAM_REMEDY = "apt-get install phcpack"
PHCPY_REMEDY = "apt-get install python3-phcpy"
_NEXT_SEED = 1_000_003
_DIGITS = {"d": 17, "dd": 34, "qd": 66}
_OPTION = {"d": "-b", "dd": "-b2", "qd": "-b4"}
_NUMBER = r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?"
_COORDINATE = re.compile(rf"^\s*(x\d+)\s*:\s*({_NUMBER})\s+({_NUMBER})\s*$", re.M)
_QUALITY = re.compile(rf"== err :\s*({_NUMBER}) = rco :\s*({_NUMBER}) = res :\s*({_NUMBER}) =")
_NOT_A_NUMBER = re.compile(r"\b(nan|inf)", re.I)


@dataclass(frozen=True, slots=True)
class MixedVolumes:
    """`mixed` counts isolated solutions in the torus, `stable` in affine space, both at most."""

    mixed: int
    stable: int
    version: str
    seconds: float


def executable() -> Path:
    """The program `phc`. Raises MissingEngine."""
    found = program("phc")
    if found is None:
        raise MissingEngine("phc", "the program `phc`", PROGRAM_REMEDY)
    return found


def installed_version() -> str:
    """The version `phc --version` prints. Raises MissingEngine, EngineError."""
    with tempfile.TemporaryDirectory() as name:
        ran = run("phc", [str(executable()), "--version"], timeout=60, directory=Path(name))
    return _version(ran.words)


def solve(
    system: Expanded, *, precision: str = "d", seed: int = 0, timeout: float = 600.0
) -> Solutions | Undecided:
    """The finite solutions that `phc -b` finds (`-b2`, `-b4` for precision "dd", "qd").

    When it crashes it is run again with two other seeds, and then with two tasks; the notes say
    so. An empty answer is Undecided: phc does not tell "none" from "none found".
    Guarantees: heuristic. Raises MissingEngine, EngineError with phc's own words, EngineTimeout,
    InputError when the system is not square.
    """
    option = _chosen(_OPTION, precision)
    seeded = _seed_option(seed)
    phc = executable()
    refused = ready(system, "phc")
    if refused is not None:
        return refused
    text = _problem(system, _DIGITS[precision])
    # Measured on 73 critical points: a seed in four escapes the overflow in its condition tables;
    # two tasks are the last resort, since they once returned 13 of 73 with exit status 0.
    others = [_seed_option((seed + k * _NEXT_SEED) % (2**31 - 2)) for k in (1, 2)]
    attempts = [[option, word] for word in (seeded, *others)] + [[option, "-t2", seeded]]
    words: list[str] = []
    end = time.monotonic() + timeout
    for options in attempts:
        command = [str(phc), *options, "in", "out"]
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "in").write_text(text)
            try:
                left = max(end - time.monotonic(), 0.1) if words else timeout
                ran = run("phc", command, timeout=left, directory=directory)
            except EngineTimeout as error:
                if not words:
                    raise
                words.append(error.happened)
                break
            answer = (directory / "in").read_text(errors="replace")
            log = directory / "out"
            said = log.read_text(errors="replace") if log.exists() else ""
        found = _after_last(answer, "THE SOLUTIONS")
        if ran.status != 0:
            words.append(_complaint(ran, said))
            continue
        notes = tuple(
            f"phc {' '.join(failed)} failed: {word}"
            for failed, word in zip(attempts, words, strict=False)
        )
        if found is None or not _blocks(found):
            return Undecided(
                f"phc returned no solutions, which is no evidence that there are none{_words(ran)}",
                "phc",
                "ask msolve, or run again with another seed",
            )
        return _solutions(system, found, " ".join(["phc", *options]), ran, said, notes)
    raise EngineError("phc", "every attempt failed", "; ".join(words))


def mixed_volumes(system: Expanded, *, seed: int = 0, timeout: float = 600.0) -> MixedVolumes:
    """The mixed volume and stable mixed volume of the Newton polytopes, by `phc -m -b`.

    Guarantees: exact up to errors of phc, which computes cells in floating point.
    Raises MissingEngine, EngineError, EngineTimeout, InputError when the system is not square.
    """
    phc = executable()
    refused = ready(system, "phc")
    if refused is not None:
        raise InputError("system", system, refused.reason, refused.remedy or "use another bound")
    # Only supports matter; generic coefficients keep phc from simplifying the equations.
    supports = Expanded(
        system.variables,
        tuple({m: fmpq(k + 2) for k, m in enumerate(p)} for p in system.polynomials),
    )
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "in").write_text(_problem(supports, 17))
        command = [str(phc), "-m", "-b", _seed_option(seed), "in", "out"]
        ran = run("phc", command, timeout=timeout, directory=directory)
        log = directory / "out"
        said = log.read_text(errors="replace") if log.exists() else ""
    mixed = re.search(r"^mixed volume : (\d+)\s*$", said, re.M)
    stable = re.search(r"^stable mixed volume : (\d+)\s*$", said, re.M)
    if ran.status != 0 or mixed is None or stable is None:
        raise EngineError("phc", f"no mixed volume, status {ran.status}", _complaint(ran, said))
    return MixedVolumes(int(mixed[1]), int(stable[1]), installed_version(), ran.seconds)


def track(
    target: Expanded,
    start: Expanded,
    points: Sequence[Point],
    *,
    precision: str = "d",
    seed: int = 0,
    timeout: float = 600.0,
) -> Solutions | Undecided:
    """Track the given solutions of a user's own start system to the target, by phcpy's tracker.

    The two systems have the same variables; the homotopy is gamma (1 - t) start + t target with a
    random gamma drawn from the seed. It runs in a fresh process of a Python that has phcpy.
    Guarantees: heuristic. Raises MissingEngine, EngineError, EngineTimeout, InputError.
    """
    _chosen(_DIGITS, precision)
    _seed_option(seed)
    if target.variables != start.variables:
        raise InputError(
            "start", start.variables, "both systems have the same variables", "reorder them"
        )
    for point in points:
        if len(point) != len(start.variables):
            raise InputError("points", point, "a point has one coordinate per variable", "mend it")
    for system in (target, start):
        refused = ready(system, "phcpy")
        if refused is not None:
            return refused
    if not points:
        raise InputError("points", points, "at least one start point is tracked", "give one")
    names = _names(target)
    request = {
        "target": _equations(target, _DIGITS[precision]),
        "start": _equations(start, _DIGITS[precision]),
        "names": names,
        "points": [[[z.real, z.imag] for z in map(complex, point)] for point in points],
        "precision": precision,
        "seed": seed + 1,
    }
    worker = Path(__file__).with_name("phcpy_worker.py")
    answer, ran = ask_worker("phcpy", "phcpy", PHCPY_REMEDY, worker, request, timeout=timeout)
    ends = [
        tuple(complex(*values[name]) for name in names)
        for values in answer["ends"]
        # The imaginary part of t is garbage when tasks are used.
        if abs(values["t"][0] - 1) < 1e-8 and set(names) <= set(values)
    ]
    good, _ = sifted(target, ends)
    if not good:
        return Undecided(
            f"none of {len(points)} paths reached a solution{_words(ran)}",
            "phcpy",
            "check that the points solve the start system, or try another seed",
        )
    kept = distinct(good)
    return Solutions(
        engine="phcpy",
        version=answer["version"],
        command=f"track precision={precision}",
        seed=seed,
        seconds=ran.seconds,
        variables=target.variables,
        points=tuple(kept),
        duplicates=len(good) - len(kept),
        failures=len(points) - len(good),
        infinite=None,
        paths=len(points),
        notes=("duplicate end points: a path jumped",) if len(kept) < len(good) else (),
    )


def phc_text(system: Expanded) -> str:
    """The system in PHCpack's text format, coefficients exact, equations as they are.

    >>> print(phc_text(Expanded(("x", "y"), ({(2, 0): fmpq(1, 3), (0, 1): fmpq(-1)},))), end="")
    1 2
     1/3*x^2 - y;
    """
    counts = [len(system.polynomials)]
    if not system.is_square:
        counts.append(len(system.variables))
    lines = [" ".join(map(str, counts))]
    return "\n".join([*lines, *(f" {line};" for line in str(system).splitlines()), ""])


def _names(system: Expanded) -> list[str]:
    # phc reads e, E, i and I as numbers, whatever the user calls the variables.
    return [f"x{j}" for j in range(len(system.variables))]


def _equations(system: Expanded, digits: int) -> list[str]:
    """One text per equation, for floating point.

    phc misreads two signs in a row, so each term has one; its integers are machine integers, so
    coefficients are scaled and written as decimals unless they are small integers. The first
    equation names every variable in order ("+x0-x0"): phc numbers them as they appear, and the
    two systems of a homotopy must agree on it.
    """
    names = _names(system)
    texts = []
    for polynomial in system.polynomials:
        largest = max(map(abs, polynomial.values()))
        # Only a power of two: small integers stay what they are.
        scale = fmpq(1) if fmpq(1, 10**6) < largest < 10**6 else _power_of_two(largest)
        terms = [
            "*".join(
                [_decimal(c / scale, digits)]
                + [f"{names[j]}^{power}" for j, power in enumerate(m) if power]
            )
            for m, c in polynomial.items()
        ]
        texts.append("".join(terms))
    texts[0] = "".join(f"+{name}-{name}" for name in names) + texts[0]
    return [f"{text};" for text in texts]


def _problem(system: Expanded, digits: int) -> str:
    return "\n".join([str(len(system.polynomials)), *_equations(system, digits), ""])


def _power_of_two(value: fmpq) -> fmpq:
    shift = int(value.p).bit_length() - int(value.q).bit_length()
    return fmpq(2**shift) if shift >= 0 else fmpq(1, 2**-shift)


def _decimal(value: fmpq, digits: int) -> str:
    sign = "-" if value < 0 else "+"
    top, bottom = abs(int(value.p)), int(value.q)
    if bottom == 1 and top < 10**6:
        return f"{sign}{top}"
    quotient = Context(prec=digits).divide(Decimal(top), Decimal(bottom))
    return f"{sign}{quotient:.{digits - 1}E}"


def _after_last(text: str, mark: str) -> str | None:
    place = text.rfind(mark)
    return None if place < 0 else text[place:]


def _blocks(text: str) -> list[str]:
    return re.split(r"^solution \d+ :.*$", text, flags=re.M)[1:]


def _solutions(
    system: Expanded,
    found: str,
    command: str,
    ran: Ran,
    log: str,
    notes: tuple[str, ...],
) -> Solutions | Undecided:
    names = _names(system)
    blocks = _blocks(found)
    points: list[Point] = []
    for block in blocks:
        values = {n: complex(float(a), float(b)) for n, a, b in _COORDINATE.findall(block)}
        if set(values) == set(names):
            points.append(tuple(values[name] for name in names))
        elif not _NOT_A_NUMBER.search(block):
            raise EngineError("phc", "a solution could not be read", block)
    announced = re.search(r"THE SOLUTIONS[^\n]*\n\s*(\d+)\s+\d+", found)
    if announced is not None and int(announced[1]) != len(blocks):
        raise EngineError("phc", f"it announced {announced[1]} solutions, wrote {len(blocks)}")
    good, junk = sifted(system, points)
    if not good:
        return Undecided(
            f"none of the {len(blocks)} points phc returned solves the system", "phc", "ask msolve"
        )
    kept = distinct(good)
    return Solutions(
        engine="phc",
        version=_version(log),
        command=command,
        # The last option is the seed; phc logs none for linear systems.
        seed=int(command.rsplit("-0", 1)[1]) - 1,
        seconds=ran.seconds,
        variables=system.variables,
        points=tuple(kept),
        duplicates=len(good) - len(kept),
        failures=junk + len(blocks) - len(points),
        infinite=None,
        paths=None,
        notes=notes,
    )


def _version(log: str) -> str:
    match = re.search(r"PHCv([\d.]+)", log)
    return match[1] if match else "unknown"


def _complaint(ran: Ran, log: str) -> str:
    said = ran.words.strip() or log[-2000:].strip()
    raised = re.findall(r"[^\n]*(?:raised|exception|Exception|ERROR)[^\n]*", said)
    return f"exit status {ran.status}: " + (" ".join(raised[-2:]) or said[-300:] or "no words")


def _words(ran: Ran) -> str:
    said = " ".join(ran.words.split())
    return f" (it said: {said[-200:]})" if said else ""


def _seed_option(seed: int) -> str:
    if not 0 <= seed < 2**31 - 2:
        raise InputError("seed", seed, "a seed of phc is from 0 to 2^31 - 3", "choose another")
    # To phc a seed of zero means one drawn from the clock.
    return f"-0{seed + 1}"


def _chosen(table: dict[str, int] | dict[str, str], precision: str) -> str:
    if precision not in table:
        raise InputError("precision", precision, f"it is one of {', '.join(table)}", 'use "d"')
    return str(table[precision])
