"""Text, JSON and Python values to exact rationals and back; no binary float passes."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeGuard

from flint import fmpq, fmpq_mat, fmpz

from theorylab.outcome import InputError

DIGITS = 3000
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<num>[0-9]+)/(?P<den>[0-9]+)"
    r"|(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?:[eE](?P<exp>[+-]?[0-9]{1,5}))?)"
)
_REMEDY = 'write an integer, a decimal or a fraction such as "3", "-0.35", "1e-3" or "1/2"'


def rational(value: object, argument: str = "value") -> fmpq:
    """The rational number that a text, an int, a Fraction, a Decimal or a flint number denotes.

    Decimals are read as written: "0.1" is 1/10. Guarantees: exact.
    Raises InputError for floats, NaN, infinities, zero denominators and beyond 3000 digits.

    >>> rational("-0.35"), rational("1e-3"), rational("6/4")
    (-7/20, 1/1000, 3/2)
    """
    if isinstance(value, fmpq):
        return value
    if isinstance(value, fmpz) or (isinstance(value, int) and not isinstance(value, bool)):
        return fmpq(value)
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, Decimal):
        value = str(value)
    if isinstance(value, float):
        raise InputError(argument, value, "a binary float is not an exact number", _REMEDY)
    if not isinstance(value, str):
        raise InputError(
            argument, value, f"a rational number is expected, not {_kind(value)}", _REMEDY
        )
    if len(value) > 2 * DIGITS + 8:
        raise InputError(
            argument, value, f"numbers have at most {DIGITS} digits", "shorten the number"
        )
    return _parsed(value, argument)


def _parsed(text: str, argument: str) -> fmpq:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise InputError(argument, text, "this is not a finite rational number", _REMEDY)
    sign = -1 if match["sign"] == "-" else 1
    if match["num"] is not None:
        top, bottom = _integer(match["num"], argument), _integer(match["den"], argument)
        if bottom == 0:
            raise InputError(
                argument, text, "the denominator is not zero", "write a nonzero denominator"
            )
        return fmpq(sign * top, bottom)
    whole, part = match["whole"], match["part"] or ""
    if not whole and not part:
        raise InputError(argument, text, "this is not a finite rational number", _REMEDY)
    exponent = int(match["exp"] or "0") - len(part)
    if len(whole) + len(part) + abs(exponent) > DIGITS:
        raise InputError(
            argument, text, f"numbers have at most {DIGITS} digits", "shorten the number"
        )
    value = sign * int(whole + part)
    return fmpq(value * 10 ** max(exponent, 0), 10 ** max(-exponent, 0))


def _integer(digits: str, argument: str) -> int:
    if len(digits) > DIGITS:
        raise InputError(
            argument, digits, f"numbers have at most {DIGITS} digits", "shorten the number"
        )
    return int(digits)


def rational_text(value: fmpq) -> str:
    """The number in lowest terms: "3", "-1/2".

    >>> rational_text(rational("0.50"))
    '1/2'
    """
    return str(value)


def matrix(table: object, argument: str = "matrix") -> fmpq_mat:
    """The matrix with these rows of exact numbers (a fmpq_mat passes through unchanged).

    Raises InputError for ragged rows and for entries that are not exact numbers.

    >>> matrix([["1/2", 0], [3, "0.25"]]).table()
    [[1/2, 0], [3, 1/4]]
    """
    if isinstance(table, fmpq_mat):
        return table
    remedy = "write one list of numbers for each row, all of the same length"
    if not _is_list(table):
        raise InputError(argument, table, f"rows are expected, not {_kind(table)}", remedy)
    entries: list[fmpq] = []
    width: int | None = None
    for i, row in enumerate(table):
        if not _is_list(row):
            raise InputError(f"{argument}[{i}]", row, "a row is a list of numbers", remedy)
        if width is not None and len(row) != width:
            raise InputError(
                f"{argument}[{i}]",
                row,
                f"all rows have the same length: the first has {width}, this one {len(row)}",
                remedy,
            )
        width = len(row)
        entries.extend(rational(entry, f"{argument}[{i}][{j}]") for j, entry in enumerate(row))
    return fmpq_mat(len(table), width or 0, entries)


def rows(values: fmpq_mat) -> list[list[str]]:
    """The matrix as JSON: one list of texts for each row.

    >>> rows(matrix([["0.5", 2]]))
    [['1/2', '2']]
    """
    return [[rational_text(entry) for entry in row] for row in values.tolist()]


def ones(r: int, c: int) -> fmpq_mat:
    """The r x c matrix of ones."""
    return fmpq_mat(r, c, [1] * (r * c))


def stacked(top: fmpq_mat, bottom: fmpq_mat) -> fmpq_mat:
    """The rows of ``top`` followed by those of ``bottom``, which has as many columns."""
    return fmpq_mat(top.nrows() + bottom.nrows(), top.ncols(), [*top.entries(), *bottom.entries()])


def columns(values: fmpq_mat, indices: Sequence[int]) -> fmpq_mat:
    """The matrix of these columns, in this order."""
    table = values.tolist()
    return fmpq_mat(len(table), len(indices), [row[j] for row in table for j in indices])


def read_text(path: str | Path, argument: str = "path") -> str:
    """The text of a file. Raises InputError when it is missing, a directory or not UTF-8."""
    place = Path(path)
    try:
        return place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            argument, str(path), "the file is not UTF-8 text", "name a text file"
        ) from None
    except IsADirectoryError:
        raise InputError(
            argument, str(path), "this is a directory, not a file", "name a file inside it"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            argument, str(path), f"the file cannot be read ({reason})", "check the path"
        ) from None


def write_whole(path: str | Path, raw: bytes, argument: str = "path") -> Path:
    """Write a file whole or not at all, in a folder that exists. InputError when it cannot be."""
    place = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
            os.chmod(name, 0o644)
            os.replace(name, place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            argument,
            str(path),
            f"the file cannot be written ({error.strerror})",
            "name a file in an existing folder",
        ) from None
    return place


def read_json(path: str | Path, argument: str = "path") -> dict[str, Any]:
    """The JSON object in a file, its numbers exact: 0.1 is read as the rational 1/10.

    Raises InputError for malformed JSON, duplicate keys, NaN and infinities, and other values
    than an object at the top.
    """
    text = read_text(path, argument)

    def constant(name: str) -> object:
        raise InputError(f"{argument} {path}", name, "numbers are finite", _REMEDY)

    def number(digits: str) -> object:
        return rational(digits, f"{argument} {path}")

    def integer(digits: str) -> int:
        sign = -1 if digits.startswith("-") else 1
        return sign * _integer(digits.lstrip("-"), f"{argument} {path}")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in items:
            if key in found:
                raise InputError(
                    f"{argument} {path}", key, "keys occur once", "remove the second occurrence"
                )
            found[key] = value
        return found

    try:
        value = json.loads(
            text,
            parse_float=number,
            parse_int=integer,
            parse_constant=constant,
            object_pairs_hook=pairs,
        )
    except json.JSONDecodeError as error:
        raise InputError(
            argument,
            str(path),
            f"the file is not valid JSON ({error.msg}, line {error.lineno})",
            "correct that line",
        ) from None
    except RecursionError:
        raise InputError(
            argument, str(path), "the JSON is nested too deeply", "flatten it to lists of rows"
        ) from None
    if not isinstance(value, dict):
        raise InputError(argument, str(path), "the file holds one JSON object", 'begin it with "{"')
    return value


def only_keys(value: dict[str, Any], required: set[str], optional: set[str], argument: str) -> None:
    """InputError unless the object has the required keys and no others than the optional."""
    for key in sorted(required - value.keys()):
        raise InputError(argument, sorted(value), f'the key "{key}" is required', f'add "{key}"')
    for key in sorted(value.keys() - required - optional):
        known = ", ".join(sorted(required | optional))
        raise InputError(argument, key, f"the known keys are {known}", f'remove "{key}"')


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _kind(value: object) -> str:
    return {bool: "true or false", dict: "an object", type(None): "null"}.get(
        type(value), f"a {type(value).__name__}"
    )
