"""What a certificate holds, drawn: the loss along a path, the components of sublevel sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log10
from typing import Final

from theorylab.evidence import Certificate
from theorylab.report.figures import rounded
from theorylab.report.html.drawings import line, polyline, svg, words_at
from theorylab.report.html.markup import Markup, Part
from theorylab.topology.profile import Profile

_LEFT: Final = 66.0
_WIDE: Final = 380.0
_HEAD: Final = 22.0
_TALL: Final = 130.0
# Losses so many times the level are drawn by their logarithm, as are descents over many decades.
_HIGHER: Final = 4
_DECADES: Final = 2
_MOST_DECADES: Final = 12


def drawn(certificate: Certificate) -> Markup | None:
    """The drawing of a certificate, for those that hold a path or a table of levels."""
    if certificate.profile is not None:
        return path_profile(certificate.profile)
    statement = certificate.statement
    if certificate.outcome != "proved" or statement is None:
        return None
    table = statement.conclusion.values.get("levels")
    return step_function(table) if table and statement.conclusion.kind == "level_tree" else None


def step_function(table: Sequence[tuple[Fraction, int]]) -> Markup:
    """u -> N_u from the table of a certificate: u from left to right, N_u upwards."""
    levels = [u for u, _ in table]
    most = max(n for _, n in table)
    low, span = levels[0], (levels[-1] - levels[0]) or abs(levels[0]) or Fraction(1)

    def x(u: Fraction) -> float:
        return _LEFT + _WIDE * 0.82 * float((u - low) / span)

    def y(n: int) -> float:
        return _HEAD + _TALL * (1 - 0.9 * n / most)

    corners: list[tuple[float, float]] = [(x(low), y(0))]
    for i, (u, n) in enumerate(table):
        end = x(table[i + 1][0]) if i + 1 < len(table) else _LEFT + _WIDE
        corners += [(x(u), y(n)), (end, y(n))]
    parts: list[Part] = [line(_LEFT, y(0), _LEFT + _WIDE, y(0), "tl-rule")]
    for n in {1, most}:
        parts.append(line(_LEFT, y(n), _LEFT + _WIDE, y(n), "tl-grid"))
        parts.append(words_at(_LEFT - 6, y(n) + 4, str(n), "end"))
    taken: list[float] = []
    for u in (levels[0], levels[-1], *levels):
        if all(abs(x(u) - other) > 52 for other in taken):
            taken.append(x(u))
            parts.append(words_at(x(u), y(0) + 15, _shown(u), "middle", "tl-axis"))
    parts.append(polyline(corners, "tl-curve"))
    parts.append(words_at(_LEFT - 6, 9, "N_u", "end", "tl-axis"))
    parts.append(words_at(_LEFT + _WIDE, y(0) + 15, "level u", "end", "tl-axis"))
    said = ", ".join(f"{n} from {_shown(u)}" for u, n in table[:12])
    return svg(_LEFT + _WIDE + 8, _HEAD + _TALL + 22, f"components of {{L <= u}}: {said}", parts)


def path_profile(found: Profile) -> Markup:
    """The drawing: exact values at rational places, joined by straight strokes for the eye."""
    values = [v for _, v in (*found.path, *found.line)]
    low, high = min(values), max(*values, found.level or Fraction(0))
    scale = _scale(low, high, found.level)
    top = max(v for _, v in found.path)
    parts: list[Part] = [line(_LEFT, _HEAD + _TALL, _LEFT + _WIDE, _HEAD + _TALL, "tl-rule")]
    if found.level is None:
        first, last = found.path[0][1], found.path[-1][1]
        words = f"loss along the descent: from {_shown(first)} to {_shown(last)}"
        marks = [(first, ""), (last, "")]
    else:
        words = f"loss along the path: at most {_shown(top)}, level {_shown(found.level)}"
        marks = [(found.level, "u = "), (high, ""), (low, "")]
        at = scale(found.level)
        parts.append(line(_LEFT, at, _LEFT + _WIDE, at, "tl-level"))
    parts += _marked(marks, scale)
    if found.line:
        parts.append(polyline([(_x(t), scale(v)) for t, v in found.line], "tl-straight"))
        said = f"the straight line reaches {_shown(max(v for _, v in found.line))}"
        parts.append(words_at(_LEFT + _WIDE, 11, said, "end", "tl-spurious-words"))
        words += f"; {said}"
    parts.append(polyline([(_x(t), scale(v)) for t, v in found.path], "tl-curve"))
    logarithmic = isinstance(scale, _Logarithmic)
    parts += _axes(found.segments, "loss, log" if logarithmic else "loss")
    return svg(_LEFT + _WIDE + 8, _HEAD + _TALL + 22, words, parts)


@dataclass(frozen=True, slots=True)
class _Linear:
    """The height of a loss, linear from ``low``."""

    low: Fraction
    high: Fraction

    def __call__(self, value: Fraction) -> float:
        share = float((value - self.low) / (self.high - self.low or 1))
        return _HEAD + _TALL * (1 - 0.94 * share)


@dataclass(frozen=True, slots=True)
class _Logarithmic:
    """The height of the logarithm of a loss; what lies below ``low`` is drawn on the floor."""

    low: Fraction
    high: Fraction

    def __call__(self, value: Fraction) -> float:
        share = _decades(max(value, self.low) / self.low) / _decades(self.high / self.low)
        return _HEAD + _TALL * (1 - 0.94 * share)


def _decades(ratio: Fraction) -> float:
    # integers of any size have a logarithm, floats end at 1e308
    return log10(ratio.numerator) - log10(ratio.denominator)


def _scale(low: Fraction, high: Fraction, level: Fraction | None) -> _Linear | _Logarithmic:
    """Linear, unless the losses go over too many powers of ten to be told apart."""
    if level is not None and 0 < level * _HIGHER < high:
        return _Logarithmic(max(low, level / 30) / 2, high)
    if level is None and low >= 0 and high > 0 and high > low * 10**_DECADES:
        return _Logarithmic(max(low, high / 10**_MOST_DECADES), high)
    return _Linear(low if low > high - low else min(low, Fraction(0)), high)


def _marked(marks: Sequence[tuple[Fraction, str]], scale: _Linear | _Logarithmic) -> list[Part]:
    """Numbers at the left, none over another."""
    parts: list[Part] = []
    taken: list[float] = []
    for value, name in marks:
        place = scale(value)
        below = isinstance(scale, _Logarithmic) and value < scale.low
        if below or any(abs(place - other) < 13 for other in taken):
            continue
        taken.append(place)
        look = "" if name else "tl-axis"
        parts.append(words_at(_LEFT - 6, place + 4, f"{name}{_shown(value)}", "end", look))
    return parts


def _axes(segments: int, loss: str) -> list[Part]:
    many = f"{segments} segment{'s' * (segments != 1)}"
    below = _HEAD + _TALL + 15
    return [
        words_at(_LEFT - 6, 9, loss, "end", "tl-axis"),
        words_at(_LEFT, below, "A", look="tl-axis"),
        words_at(_LEFT + _WIDE / 2, below, f"along the path: {many}", "middle", "tl-axis"),
        words_at(_LEFT + _WIDE, below, "end", "end", "tl-axis"),
    ]


def _x(t: Fraction) -> float:
    return _LEFT + _WIDE * float(t)


def _shown(value: Fraction) -> str:
    exact = str(value)
    return exact if len(exact) <= 7 else rounded(value, 4)
