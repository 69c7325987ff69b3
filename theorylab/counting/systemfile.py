"""Systems as files: the JSON contract, PHCpack text in and out, msolve text out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from flint import fmpq

from theorylab.counting.expression import MAX_CHARACTERS, check_size, parse_polynomial
from theorylab.counting.gaussian import Gaussian, Scalar
from theorylab.counting.polynomials import PolynomialSystem, Terms
from theorylab.counting.program import Program
from theorylab.model.rational import only_keys, read_json, read_text, write_whole
from theorylab.outcome import InputError

MAX_EQUATIONS: Final = 1_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_WORDS = re.compile(
    r"(?<![A-Za-z0-9_.])(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[A-Za-z_]\w*", re.ASCII
)
# PHCpack reads i and I as the imaginary unit and an e after a digit as an exponent; both
# programs allow plainer names only than Python does.
_PLAIN = re.compile(r"[A-DF-HJ-Za-df-hj-z][A-Za-z0-9_]{0,19}", re.ASCII)
_UNIT = frozenset({"i", "I"})


def read_system(path: str | Path) -> PolynomialSystem:
    """The system in a file: JSON when its name ends in .json, PHCpack text otherwise.

    JSON is {"variables": ["x", ...], "polynomials": ["x^2+1/2*y-1", ...]}, optionally with "name"
    and "source" texts. Guarantees: exact, decimals as written. Raises InputError, in one line
    and before any work, for everything else.
    """
    place = Path(path)
    try:
        size = place.stat().st_size
    except (OSError, ValueError):
        size = 0  # what is wrong with the path is said where it is read
    if size > 2 * MAX_CHARACTERS:
        raise InputError(
            "path",
            str(path),
            f"system files have at most {2 * MAX_CHARACTERS} bytes, this one {size}",
            "take a smaller system",
        )
    if place.suffix.lower() == ".json":
        return system_from_json(read_json(place), place.stem)
    return system_from_phc(read_text(place), place.stem)


def system_from_json(content: dict[str, Any], name: str = "system") -> PolynomialSystem:
    """The system in the decoded content of a JSON file; InputError if malformed.

    >>> system_from_json({"variables": ["x", "y"], "polynomials": ["x^2+1/2*y-1", "x*y"]})
    <system: 2 equations in 2 unknowns>
    """
    only_keys(content, {"variables", "polynomials"}, {"name", "source"}, "system")
    for key in ("variables", "polynomials"):
        value = content[key]
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value) or not value:
            raise InputError(
                key,
                value,
                f"{key} is a list of texts, not empty",
                'write e.g. {"variables":["x"],"polynomials":["x^2-2"]}',
            )
    for key in ("name", "source"):
        if not isinstance(content.get(key, ""), str):
            raise InputError(key, content[key], f"the {key} is a text", f"leave {key} out")
    variables = _checked_names(content["variables"])
    texts = content["polynomials"]
    _check_count(len(texts), "polynomials")
    check_size("".join(texts), "polynomials")
    program = Program()
    index = {v: i for i, v in enumerate(variables)}
    outputs = tuple(
        parse_polynomial(text, program, index, f"polynomials[{k}]") for k, text in enumerate(texts)
    )
    return PolynomialSystem(
        variables,
        program,
        outputs,
        name=content.get("name", name),
        source=content.get("source", "a JSON file"),
    )


def system_from_phc(text: str, name: str = "system") -> PolynomialSystem:
    """The system in PHCpack text: "n" or "n m" (equations, unknowns), then polynomials ended by
    semicolons; variables in order of first appearance, i and I the imaginary unit. What follows
    the last semicolon needed (title, solutions) is ignored. InputError if malformed.

    >>> system_from_phc("2\\nx**2 + y**2 - 5;\\n 1.5*x*y - 2 + (1-2*i)*x;\\n").variables
    ('x', 'y')
    """
    first, _, rest = text.lstrip().partition("\n")
    numbers = first.split()
    if not 1 <= len(numbers) <= 2 or not all(re.fullmatch("[0-9]{1,6}", n) for n in numbers):
        raise InputError(
            "first line",
            first,
            "PHCpack text begins with the number of equations, and of unknowns if it differs",
            'write e.g. "2" before two equations, or name a .json file',
        )
    equations, unknowns = int(numbers[0]), int(numbers[-1])
    _check_count(equations, "first line")
    pieces = rest.split(";", equations)
    if len(pieces) <= equations:
        raise InputError(
            "polynomials",
            f"{len(pieces) - 1} of them",
            f"the first line announces {equations} polynomials, each ended by a semicolon",
            "correct the number, or add the missing semicolon",
        )
    texts = pieces[:equations]
    check_size("".join(texts), "polynomials")
    found: dict[str, int] = {}
    for piece in texts:
        for match in _WORDS.finditer(piece):
            word = match[0]
            if (word[0].isalpha() or word[0] == "_") and word not in _UNIT:
                found.setdefault(word, len(found))
                if len(found) > unknowns:
                    raise InputError(
                        "polynomials",
                        word,
                        f"the first line announces {unknowns} unknowns, and this is one more",
                        "correct the number of unknowns, or the name",
                    )
    if len(found) != unknowns:
        raise InputError(
            "first line",
            first,
            f"it announces {unknowns} unknowns, and the polynomials contain {len(found)}",
            'write "equations unknowns" on the first line',
        )
    variables = _checked_names(list(found))
    program = Program()
    outputs = tuple(
        parse_polynomial(piece, program, found, f"polynomial {k}", _UNIT)
        for k, piece in enumerate(texts, start=1)
    )
    return PolynomialSystem(variables, program, outputs, name=name, source="PHCpack text")


def _check_count(count: int, argument: str) -> None:
    if not 1 <= count <= MAX_EQUATIONS:
        raise InputError(
            argument,
            count,
            f"a system has 1 to {MAX_EQUATIONS} polynomials",
            "take a smaller system",
        )


def _checked_names(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MAX_EQUATIONS:
        raise InputError(
            "variables",
            f"{len(names)} of them",
            f"a system has at most {MAX_EQUATIONS} variables",
            "take a smaller system",
        )
    seen: set[str] = set()
    for name in names:
        if not _NAME.fullmatch(name):
            raise InputError(
                "variables",
                name,
                "a variable is a letter or _, then letters, digits and _, at most 64 in all",
                'rename it, e.g. "x1"',
            )
        if name in seen:
            raise InputError(
                "variables", name, "each variable is declared once", "remove the second"
            )
        seen.add(name)
    return tuple(names)


def export_names(variables: Sequence[str]) -> tuple[str, ...]:
    """The names under which phc and msolve receive the variables, in the same order.

    Their own when all are plain, x1, x2, ... otherwise; both programs may return them in another
    order, so results are to be read by name.

    >>> export_names(("x", "y")), export_names(("i", "e1"))
    (('x', 'y'), ('x1', 'x2'))
    """
    if all(_PLAIN.fullmatch(name) for name in variables):
        return tuple(variables)
    return tuple(f"x{k}" for k in range(1, len(variables) + 1))


def phc_text(system: PolynomialSystem) -> str:
    """The system in PHCpack's format: expanded, powers collected, coefficients rational.

    Variables are named by ``export_names``; one that occurs in no equation is mentioned in the
    first as x-x, because PHCpack learns of unknowns only by their appearance. Complex
    coefficients are written (1/2+3*i). Raises InputError when the expansion is too large.

    >>> print(phc_text(system_from_phc("1\\n2*x*x - (x+1)**2;")), end="")
    1
    x^2-2*x-1;
    """
    names = export_names(system.variables)
    expanded = system.expanded()
    n, m = len(expanded), len(names)
    appear = {j for terms in expanded for exponents in terms for j, e in enumerate(exponents) if e}
    absent = "".join(f"{x}-{x}+" for j, x in enumerate(names) if j not in appear)
    lines = [_written(terms, names) + ";" for terms in expanded]
    return "\n".join([str(n) if n == m else f"{n} {m}", absent + lines[0], *lines[1:], ""]).replace(
        "+-", "-"
    )


def msolve_text(system: PolynomialSystem, characteristic: int = 0) -> str:
    """The system in msolve's format: expanded, powers collected, denominators cleared.

    ``characteristic`` is 0 or a prime below 2^31. Zero polynomials are left out. Raises
    InputError for complex coefficients, and when the expansion is too large.

    >>> print(msolve_text(system_from_phc("2\\n1/2*u*u - 2/3*v;\\n(u-v)*u;")), end="")
    u,v
    0
    3*u^2-4*v,
    u^2-u*v
    """
    if not system.is_real:
        raise InputError(
            "system",
            system.name,
            "msolve takes rational coefficients, and some here are complex",
            "use another engine",
        )
    names = export_names(system.variables)
    lines = [_written(_integral(terms), names) for terms in system.expanded() if terms]
    return f"{','.join(names)}\n{characteristic}\n" + ",\n".join(lines or ["0"]) + "\n"


def _integral(terms: Terms) -> Terms:
    """The terms times the least common denominator."""
    common = fmpq(1)
    for value in terms.values():
        if isinstance(value, fmpq):
            common = common * (value * common).q
    return {key: value * common for key, value in terms.items()}


def _written(terms: Terms, names: Sequence[str]) -> str:
    parts = []
    for exponents, coefficient in terms.items():
        monomial = "*".join(
            name if e == 1 else f"{name}^{e}" for name, e in zip(names, exponents, strict=True) if e
        )
        parts.append(_term(coefficient, monomial))
    text = "".join(parts) or "+0"
    return text.removeprefix("+")


def _term(coefficient: Scalar, monomial: str) -> str:
    if isinstance(coefficient, Gaussian):
        number = f"+({coefficient})"
    else:
        number = f"{'' if coefficient < 0 else '+'}{coefficient}"
        if monomial and number in ("+1", "-1"):
            return number[0] + monomial
    return f"{number}*{monomial}" if monomial else number


def json_text(system: PolynomialSystem) -> str:
    """The system as the JSON contract, expanded. InputError for complex coefficients."""
    if not system.is_real:
        raise InputError(
            "system",
            system.name,
            "the JSON format has rational coefficients, and some here are complex",
            "write PHCpack text",
        )
    polynomials = [_written(terms, system.variables) for terms in system.expanded()]
    content = {"variables": list(system.variables), "polynomials": polynomials}
    return json.dumps(content, ensure_ascii=True) + "\n"


def write_phc(path: str | Path, system: PolynomialSystem) -> None:
    """Write ``phc_text`` to a file. InputError as there, and when it cannot be written."""
    write_whole(path, phc_text(system).encode("ascii"))


def write_msolve(path: str | Path, system: PolynomialSystem, characteristic: int = 0) -> None:
    """Write ``msolve_text`` to a file. InputError as there, and when it cannot be written."""
    write_whole(path, msolve_text(system, characteristic).encode("ascii"))


def write_system(path: str | Path, system: PolynomialSystem) -> None:
    """Write ``json_text`` to a file. InputError as there, and when it cannot be written."""
    write_whole(path, json_text(system).encode("ascii"))
