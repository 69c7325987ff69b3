"""Exact numbers as people read them: short exact text, rounded decimals marked as such."""

from __future__ import annotations

import re
from fractions import Fraction

_EXPONENT = re.compile(r"(?<=[0-9])e([+-])0*([0-9]+)\b")
SHORT = 12


def rounded(value: Fraction | str, digits: int = 4) -> str:
    """The number to so many significant digits, rounded half to even by integer arithmetic.

    Guarantees: correctly rounded; no binary float passes. Trailing zeros are left out.

    >>> rounded("1320/1993"), rounded("5/4"), rounded("-1/3000000"), rounded("123456789")
    ('0.6623', '1.25', '-3.333e-7', '1.235e8')
    """
    q = Fraction(value)
    if q == 0:
        return "0"
    sign, q = ("-", -q) if q < 0 else ("", q)
    power = len(str(q.numerator)) - len(str(q.denominator))
    if q < Fraction(10) ** power:
        power -= 1
    whole = round(q / Fraction(10) ** (power - digits + 1))
    if whole == 10**digits:
        whole, power = whole // 10, power + 1
    figures = str(whole)
    if not -4 <= power < 6:
        tail = figures[1:].rstrip("0")
        return f"{sign}{figures[0]}{'.' + tail if tail else ''}e{power}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{figures}".rstrip("0")
    point = power + 1
    if point >= digits:
        return f"{sign}{figures}{'0' * (point - digits)}"
    return f"{sign}{figures[:point]}.{figures[point:]}".rstrip("0").rstrip(".")


def equation(value: str, digits: int = 6) -> str:
    """What follows a name: ``= `` the exact text when it is short, ``~ `` a rounded decimal.

    >>> equation("3"), equation("5/4"), equation("1/3"), equation("1" * 30 + "/7")
    ('= 3', '= 5/4 = 1.25', '= 1/3 ~ 0.333333', '~ 1.5873e28')
    """
    decimal = rounded(value, digits)
    if value == decimal:
        return f"= {value}"
    near = f"{'=' if Fraction(decimal) == Fraction(value) else '~'} {decimal}"
    return f"= {value} {near}" if len(value) <= SHORT else near


def tidy(text: str) -> str:
    """A decimal with its exponent written short: ``e+09`` as ``e9``, ``e-05`` as ``e-5``.

    >>> tidy("ends within 1.5e-05 of 3.2962e+09")
    'ends within 1.5e-5 of 3.2962e9'
    """
    return _EXPONENT.sub(lambda match: f"e{match[1].lstrip('+')}{match[2]}", text)
