"""Small pictures drawn as SVG by hand: lines and words that stay sharp and follow the page.

Every drawing scales with its ``viewBox``; colours come from the classes of the style sheet; its
``aria-label`` says what one sees. Numbers are rounded to a tenth of a unit for drawing only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theorylab.report.figures import rounded
from theorylab.report.html.markup import E, Markup, Part


def svg(width: float, height: float, words: str, *parts: Part) -> Markup:
    """A drawing of this size in user units; ``words`` say what one sees."""
    frame: dict[str, object] = {
        "xmlns": "http://www.w3.org/2000/svg",
        "class": "tl-drawing",
        "viewBox": f"0 0 {_n(width)} {_n(height)}",
        "style": f"max-width: {_n(width)}px",
        "role": "img",
        "aria-label": words,
    }
    return E("svg", frame, parts)


def _n(value: float) -> str:
    """A coordinate: one decimal, no trailing zero."""
    return f"{value:.1f}".removesuffix(".0")


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> Markup:
    """A straight line; ``look`` is its class."""
    ends = {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2), "class": look}
    return E("line", ends)


def polyline(points: Sequence[tuple[float, float]], look: str) -> Markup:
    """A line through these points."""
    return E("polyline", {"points": " ".join(f"{_n(x)},{_n(y)}" for x, y in points), "class": look})


def box(x: float, y: float, width: float, height: float, look: str, title: str = "") -> Markup:
    """A filled rectangle; ``title`` is shown when one points at it."""
    place = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height), "class": look}
    return E("rect", place, E("title", title) if title else None)


def dot(x: float, y: float, look: str, title: str = "") -> Markup:
    """A small disc."""
    place = {"cx": _n(x), "cy": _n(y), "r": "4", "class": look}
    return E("circle", place, E("title", title) if title else None)


def words_at(x: float, y: float, words: str, anchor: str = "start", look: str = "") -> Markup:
    """Words with their base line here."""
    place = {"x": _n(x), "y": _n(y), "text-anchor": anchor, "class": look or None}
    return E("text", place, words)


def histogram(counted: Mapping[int, int], below: str, aside: str) -> Markup:
    """Bars: how often each number came; ``below`` and ``aside`` name the two axes.

    Empty places between the numbers are shown as such, unless there are too many for bars.
    """
    low, high = min(counted), max(counted)
    places = [*range(low, high + 1)] if high - low <= 48 else sorted(counted)
    wide = max(12.0, min(34.0, 440 / len(places)))
    left, top, tall = 44.0, 32.0, 130.0
    most = max(counted.values())
    parts: list[Part] = [words_at(0, 10, aside, look="tl-axis")]
    every = max(1, -(-len(places) * 26 // 440))
    for place, value in enumerate(places):
        count = counted.get(value, 0)
        x, height = left + place * wide, tall * count / most
        if count:
            title = f"{value}: {count}"
            parts.append(
                box(x + 1, top + tall - height, wide - 2, max(1.0, height), "tl-bar", title)
            )
            if wide >= 20:
                parts.append(
                    words_at(
                        x + wide / 2, top + tall - height - 3, str(count), "middle", "tl-small"
                    )
                )
        if place % every == 0:
            parts.append(words_at(x + wide / 2, top + tall + 14, str(value), "middle"))
    right = left + wide * len(places)
    parts += [
        line(left, top + tall, right, top + tall, "tl-rule"),
        words_at(left - 6, top + 8, str(most), "end", "tl-axis"),
        words_at(left - 6, top + tall, "0", "end", "tl-axis"),
        words_at(left, top + tall + 30, below, look="tl-axis"),
    ]
    shown = ", ".join(f"{value}: {count}" for value, count in sorted(counted.items())[:20])
    return svg(max(right + 10, 300), top + tall + 36, f"{below}; {aside}: {shown}", parts)


# Level, survivor, absorbed.
Merge = tuple[Fraction, int, tuple[int, ...]]
_LEAVES = 60


@dataclass(frozen=True, slots=True)
class _Node:
    level: Fraction
    low: Fraction
    children: tuple[_Node, ...] = ()


def _tree(births: Sequence[tuple[int, Fraction]], merges: Sequence[Merge]) -> _Node:
    live = {component: _Node(level, level) for component, level in births}
    for level, survivor, absorbed in merges:
        parts = [live[survivor], *(live.pop(c) for c in absorbed)]
        parts.sort(key=lambda node: (node.low, -node.level))
        live[survivor] = _Node(level, parts[0].low, tuple(parts))
    (root,) = live.values()
    return root


def level_function(
    steps: Sequence[tuple[Fraction, int]],
    births: Sequence[tuple[int, Fraction]],
    merges: Sequence[Merge],
) -> Markup:
    """The merge tree against the level u, beside it the number of components at every level.

    The tree is left out when it has too many leaves to be read.
    """
    levels = [u for u, _ in steps]
    least, top = float(levels[0]), float(levels[-1])
    height = top - least or abs(least) or 1.0
    low, high = least - 0.06 * height, top + 0.16 * height
    left, head, tall = 74.0, 20.0, 220.0

    def y(level: Fraction | float) -> float:
        return head + tall * (high - float(level)) / (high - low)

    with_tree = len(births) <= _LEAVES
    wide = max(120.0, min(360.0, 26.0 * len(births))) if with_tree else 0.0
    gap = 36.0 if with_tree else 0.0
    parts: list[Part] = []
    for u in _marks(levels, births, low, high):
        parts.append(line(left, y(u), left + wide + gap + 190, y(u), "tl-grid"))
        parts.append(words_at(left - 6, y(u) + 4, _short(u), "end"))
    parts.append(words_at(0, 11, "level u", look="tl-axis"))
    if with_tree:
        parts.append(words_at(left, 11, "merge tree", look="tl-axis"))
        parts += _branches(_tree(births, merges), levels[0], left, wide, y, head)
    start = left + wide + gap
    parts.append(words_at(start, 11, "components of {L ≤ u}", look="tl-axis"))
    most = max(n for _, n in steps)
    corners: list[tuple[float, float]] = [(start, y(levels[0]))]
    for i, (u, n) in enumerate(steps):
        x = start + 160 * n / most
        end = y(steps[i + 1][0]) if i + 1 < len(steps) else head
        corners += [(x, y(u)), (x, end)]
        if y(u) - end > 12:
            parts.append(words_at(x + 5, (y(u) + end) / 2 + 4, str(n), look="tl-strong"))
    area = [*corners, (start, corners[-1][1])]
    shape = " ".join(f"{_n(a)},{_n(b)}" for a, b in area)
    parts.append(E("polygon", {"points": shape, "class": "tl-area"}))
    parts.append(polyline(corners, "tl-curve"))
    words = ", ".join(f"{n} from {_short(u)}" for u, n in steps[:12])
    more = f", and {len(steps) - 12} more" if len(steps) > 12 else ""
    said = f"components of the sublevel set: {words}{more}"
    return svg(start + 200, head + tall + 6, said, parts)


def _short(level: Fraction) -> str:
    return str(level) if len(str(level)) <= 8 else rounded(level, 5)


def _marks(
    levels: Sequence[Fraction],
    births: Sequence[tuple[int, Fraction]],
    low: float,
    high: float,
) -> list[Fraction]:
    chosen: list[Fraction] = []
    for level in [levels[0], levels[-1], *reversed(levels), *(u for _, u in births)]:
        if all(abs(float(level - other)) > 0.07 * (high - low) for other in chosen):
            chosen.append(level)
    return sorted(chosen)


def _branches(
    root: _Node, least: Fraction, left: float, wide: float, y: object, head: float
) -> list[Part]:
    """Leaves side by side; a meeting stands over the middle of what meets there."""
    assert callable(y)
    count = _leaves(root)
    parts: list[Part] = []
    dots: list[Part] = []
    placed = 0

    def look(node: _Node) -> str:
        return "tl-global" if node.low == least else "tl-spurious"

    def place(node: _Node) -> float:
        nonlocal placed
        if not node.children:
            placed += 1
            x = left + wide * (placed - 0.5) / count
            kind = "at the global minimum" if node.low == least else "a spurious valley"
            dots.append(dot(x, y(node.level), f"{look(node)} tl-dot", f"born: {kind}"))
            return x
        spots = [place(child) for child in node.children]
        for child, x in zip(node.children, spots, strict=True):
            parts.append(line(x, y(child.level), x, y(node.level), look(child)))
        parts.append(line(min(spots), y(node.level), max(spots), y(node.level), look(node)))
        return (min(spots) + max(spots)) / 2

    x = place(root)
    return [*parts, line(x, y(root.level), x, head, "tl-global"), *dots]


def _leaves(node: _Node) -> int:
    return sum(map(_leaves, node.children)) if node.children else 1


def interval(effect: float, low: float | None, high: float | None) -> Markup:
    """An estimate as a dot on its interval, zero marked if it lies there; None is an open end."""
    ends = [v for v in (low, high, effect) if v is not None]
    # No further: the effect may be a quotient, which zero says nothing of.
    shown_from, shown_to = min(ends), max(ends)
    wide, start = 240.0, 40.0

    def x(value: float) -> float:
        room = shown_to - shown_from
        return start + wide * ((value - shown_from) / room if room else 0.5)

    a, b = (start - 20 if low is None else x(low)), (start + wide + 20 if high is None else x(high))
    parts: list[Part] = [line(start - 20, 12, start + wide + 20, 12, "tl-grid")]
    if shown_from <= 0 <= shown_to:
        parts += [line(x(0), 4, x(0), 20, "tl-rule"), words_at(x(0), 32, "0", "middle", "tl-axis")]
    parts.append(line(a, 12, b, 12, "tl-curve"))
    parts += [line(x(v), 7, x(v), 17, "tl-curve") for v in (low, high) if v is not None]
    parts.append(dot(x(effect), 12, "tl-global tl-dot"))
    free = [0.0] if shown_from <= 0 <= shown_to else []
    # The estimate is named first; an end whose name would lie on another stays without.
    for value in (effect, low, high):
        if value is not None and all(abs(x(value) - x(other)) > 44 for other in free):
            parts.append(words_at(x(value), 32, f"{value:.4g}", "middle", "tl-axis"))
            free.append(value)
    words = [f"{'open' if v is None else format(v, '.4g')}" for v in (low, high)]
    return svg(
        start + wide + 40, 36, f"effect {effect:.4g}, interval {words[0]} to {words[1]}", parts
    )
