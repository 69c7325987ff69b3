"""Numbers, matrices and words of a certificate as LaTeX; what is too long is shown by its start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from theorylab.report.figures import rounded

Rows = Sequence[Sequence[str]]

MOST_ROWS, MOST_COLUMNS, _MOST_CHARACTERS = 12, 12, 52
_SHOWN_ROWS, _LONG_ENTRY, _LONG = 3, 14, 40

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
_SYMBOLS = {
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "×": r"\times",
    "·": r"\cdot",
    "→": r"\to",
    "∞": r"\infty",
    "∈": r"\in",
    "α": r"\alpha",
    "β": r"\beta",
    "ε": r"\varepsilon",
    "θ": r"\theta",
    "λ": r"\lambda",
    "μ": r"\mu",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "Φ": r"\Phi",
    "Ω": r"\Omega",
    "²": r"{}^{2}",
    "³": r"{}^{3}",
    "−": "-",
}


def escaped(text: str) -> str:
    """Plain text as LaTeX text: special characters escaped, mathematical symbols in math mode.

    >>> print(escaped("50% of n_1 >= 2"))
    50\\% of n\\_1 $\\geq$ 2
    """
    for ascii_relation, symbol in ((">=", "≥"), ("<=", "≤"), ("!=", "≠")):
        text = text.replace(ascii_relation, symbol)
    out = []
    for character in text:
        if character in _SPECIAL:
            out.append(_SPECIAL[character])
        elif character in _SYMBOLS:
            out.append(f"${_SYMBOLS[character]}$")
        elif character.isprintable() and (ord(character) < 0x180 or character in "–—‘’“”"):
            out.append(character)
        else:
            out.append(
                r"\textvisiblespace{}" if character.isspace() else f"[U+{ord(character):04X}]"
            )
    return "".join(out)


def fraction(text: str) -> str:
    """A rational as LaTeX math, exact up to 40 characters, else rounded and said to be so.

    >>> print(fraction("-3/2"), fraction("7"))
    -\\tfrac{3}{2} 7
    """
    if len(text) > _LONG:
        return rf"{decimal(text)}\ \text{{(rounded; {_digits(text)} digits in the certificate)}}"
    sign, size = ("-", text[1:]) if text.startswith("-") else ("", text)
    if "/" not in size:
        return sign + size
    top, bottom = size.split("/")
    return rf"{sign}\tfrac{{{top}}}{{{bottom}}}"


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def decimal(text: str) -> str:
    """A rational rounded to six digits, as LaTeX math.

    >>> print(decimal("1/3"), decimal("123456789"))
    0.333333 1.23457\\cdot 10^{8}
    """
    shown = rounded(text, 6)
    if "e" not in shown:
        return shown
    figures, power = shown.split("e")
    return rf"{figures}\cdot 10^{{{power}}}"


def fingerprint(value: object, newline: bool = False) -> str:
    """The SHA-256 of the canonical JSON of a value, as LaTeX that may break across lines."""
    raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    ending = b"\n" if newline else b""
    digest = hashlib.sha256(raw.encode("ascii") + ending).hexdigest()
    parts = [digest[i : i + 8] for i in range(0, 64, 8)]
    return "\\texttt{" + r"\allowbreak ".join(parts) + "}"


def matrix(rows: Rows) -> tuple[str, str]:
    """The matrix as LaTeX math, and a note in LaTeX text: empty, or what the page leaves out."""
    count, columns = len(rows), len(rows[0]) if rows else 0
    if fits(rows):
        body = r" \\ ".join(" & ".join(fraction(entry) for entry in row) for row in rows)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", ""
    kept = count if count <= MOST_ROWS else _SHOWN_ROWS
    shown = [_beginning(row) for row in rows[:kept]]
    width = min(len(row) for row in shown)
    cut = [[*row[:width], *([r"\cdots"] if width < columns else [])] for row in shown]
    if kept < count:
        cut.append([r"\vdots"] + [""] * (len(cut[0]) - 1))
    body = r" \\ ".join(" & ".join(row) for row in cut)
    rounding = any(len(entry) > _LONG_ENTRY for row in rows[:kept] for entry in row[:width])
    parts = [f"{kept} of {count} rows"] if kept < count else []
    parts += [f"{width} of {columns} columns"] if width < columns else []
    parts += ["long entries rounded"] if rounding else []
    said = f"shown: {', '.join(parts)}" if parts else "shown in full"
    note = (
        rf"(${count}\times {columns}$; {said}; SHA-256 of its canonical JSON, one list per row: "
        rf"{fingerprint([list(row) for row in rows])})"
    )
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", note


def _cell(entry: str) -> str:
    return fraction(entry) if len(entry) <= _LONG_ENTRY else decimal(entry)


def _width(entry: str) -> int:
    return min(max(len(part) for part in entry.split("/")), _LONG_ENTRY) + 2


def fits(rows: Rows) -> bool:
    if len(rows) > MOST_ROWS or not rows or len(rows[0]) > MOST_COLUMNS:
        return False
    if any(len(entry) > _LONG_ENTRY for row in rows for entry in row):
        return False
    return sum(max(map(_width, column)) for column in zip(*rows, strict=True)) <= _MOST_CHARACTERS


def _beginning(row: Sequence[str]) -> list[str]:
    shown: list[str] = []
    used = 0
    for entry in row:
        used += _width(entry)
        if shown and (used > _MOST_CHARACTERS or len(shown) == MOST_COLUMNS - 1):
            break
        shown.append(_cell(entry))
    return shown


def equation(name: str, rows: Rows) -> str:
    body, note = matrix(rows)
    return f"\\[ {name} = {body} \\]" + (f"\n{note}" if note else "")
