"""Pictures as bytes: the same figure and the same matplotlib give the same PNG and SVG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}


def saved(figure: Figure, kind: str = "png") -> bytes:
    """The figure as png, svg or pdf."""
    import matplotlib

    held = io.BytesIO()
    stamp: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}}.get(kind, {})
    with matplotlib.rc_context({"svg.hashsalt": "theorylab"}):
        figure.savefig(held, format=kind, dpi=150, metadata=stamp)
    return held.getvalue()
