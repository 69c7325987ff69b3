"""Figures of matplotlib held in a page: vectors with text as text, or pixels where smaller."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

from theorylab.report.html.markup import Markup
from theorylab.report.html.panel import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A picture of thousands of marks is smaller as pixels.
_LARGE: Final = 90_000
_DPI: Final = 150
_COLOURS: Final = 96
_VALUE: Final = re.compile(r'="[^"]*"')
_DECIMALS: Final = re.compile(r"(?<=[0-9]\.[0-9]{2})[0-9]+")


def figure(drawn: Figure, words: str) -> Markup:
    """The figure as an image in the page; ``words`` say what one sees.

    Guarantees: the same bytes for the same figure and the same matplotlib.
    """
    raw = vectors(drawn)
    if len(raw) <= _LARGE:
        return picture(raw, "svg", words)
    return picture(pixels(drawn), "png", words)


def vectors(drawn: Figure) -> bytes:
    """The figure as SVG: words stay words, places are rounded to a hundredth of a point."""
    raw = _saved(drawn, "svg").decode("utf-8")
    return _VALUE.sub(lambda match: _DECIMALS.sub("", match[0]), raw).encode("utf-8")


def pixels(drawn: Figure) -> bytes:
    """The figure as PNG of few colours, a third of the bytes of all of them."""
    from PIL import Image

    whole = Image.open(io.BytesIO(_saved(drawn, "png"))).convert("RGB")
    held = io.BytesIO()
    # Flat colours on white: dots of two colours for one between them would show.
    whole.quantize(_COLOURS, dither=Image.Dither.NONE).save(held, format="png", optimize=True)
    return held.getvalue()


def _saved(drawn: Figure, kind: str) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(drawn)
    held = io.BytesIO()
    stamp: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}}[kind]
    with matplotlib.rc_context({"svg.hashsalt": "theorylab", "svg.fonttype": "none"}):
        drawn.savefig(held, format=kind, dpi=_DPI, metadata=stamp)
    return held.getvalue()
