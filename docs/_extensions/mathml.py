"""Sphinx writes mathematics as MathML, which browsers lay out themselves: no script, no network."""

from typing import Any

from docutils.nodes import SkipNode
from sphinx.application import Sphinx

from theorylab.report.html.mathematics import mathml


def _inline(self: Any, node: Any) -> None:
    self.body.append(str(mathml(node.astext())))
    raise SkipNode


def _block(self: Any, node: Any) -> None:
    self.body.append(f'<div class="math">{mathml(node.astext(), display=True)}</div>')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
