"""The equations of a system of polynomials as LaTeX."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from theorylab.outcome import InputError
from theorylab.report.catalogue import counts
from theorylab.report.latex_matrices import escaped, fraction

if TYPE_CHECKING:
    from theorylab.counting.system import PolynomialSystem

_MOST_TERMS = 120


def name_latex(name: str) -> str:
    r"""The name of an unknown: one letter in italics, numbers as its indices.

    >>> print(name_latex("x"), name_latex("w1_2_1"), name_latex("alpha_x"))
    x w_{1,2,1} \mathit{alpha\_x}
    """
    match = re.fullmatch(r"([A-Za-z])_?((?:\d+_)*\d+)?", name)
    if match is None:
        return rf"\mathit{{{escaped(name)}}}"
    letter, numbers = match.groups()
    return letter if numbers is None else f"{letter}_{{{numbers.replace('_', ',')}}}"


def system_latex(system: PolynomialSystem) -> str:
    r"""The equations, expanded; of a system too long for a page only its size.

    >>> from theorylab.counting.system import system_from_phc
    >>> print(system_latex(system_from_phc("1\n1/2*x*x - (x+1)**2;")))
    \begin{align*}
    -\tfrac{1}{2}x^{2}-2x-1 &= 0
    \end{align*}
    """
    try:
        expanded = system.expanded()
    except InputError:
        expanded = None
    if expanded is None or sum(map(len, expanded)) > _MOST_TERMS:
        unknowns = counts(len(system.variables), "unknown")
        return f"{counts(system.equations, 'equation')} in {unknowns}, too long to print."
    names = [name_latex(name) for name in system.variables]
    lines = []
    for terms in expanded:
        written = [_term(str(value), _monomial(names, powers)) for powers, value in terms.items()]
        lines.append(("".join(written).removeprefix("+") or "0") + " &= 0")
    body = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _monomial(names: list[str], powers: tuple[int, ...]) -> str:
    factors = zip(names, powers, strict=True)
    return "".join(name if k == 1 else f"{name}^{{{k}}}" for name, k in factors if k)


def _term(value: str, monomial: str) -> str:
    if not re.fullmatch(r"-?\d+(/\d+)?", value):
        return rf"+({escaped(value)}){monomial}"
    if monomial and value in ("1", "-1"):
        return f"{'-' if value == '-1' else '+'}{monomial}"
    number = fraction(value)
    return f"{'' if number.startswith('-') else '+'}{number}{monomial}"
