r"""Tables in LaTeX, of the packages booktabs and longtable: no vertical rules, page breaks."""

from __future__ import annotations

from collections.abc import Sequence

from theorylab.report.latex_matrices import escaped


def table(columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""A table that may break across pages; ``rows`` are LaTeX already, ``heads`` plain words.

    ``columns`` has a letter of LaTeX for each column. Raises ValueError for a row of another
    length than the head.

    >>> print(table("rl", ["n", "50%"], [["$1$", "a"]]))
    \begin{longtable}[l]{@{}rl@{}}
    \toprule
    n & 50\% \\
    \midrule
    \endhead
    \bottomrule
    \endfoot
    $1$ & a \\
    \end{longtable}
    """
    if any(len(row) != len(heads) for row in rows):
        raise ValueError("a row has another number of cells than the head")
    lines = [rf"\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}", r"\toprule"]
    if any(heads):
        lines += [_line([*map(escaped, heads)]), r"\midrule"]
    lines += [r"\endhead", r"\bottomrule", r"\endfoot"]
    return "\n".join([*lines, *map(_line, rows), r"\end{longtable}"])


def labelled(rows: Sequence[tuple[str, str]]) -> str:
    r"""Labels and what belongs to them; the labels are plain words, the rest is LaTeX already."""
    cells = [(escaped(label), words) for label, words in rows]
    return table(f"l{paragraph(0.78)}", ("", ""), cells)


def paragraph(share: float) -> str:
    r"""A column of prose, so wide a share of the line, set ragged.

    >>> print(paragraph(0.5))
    >{\raggedright\arraybackslash}p{0.5\linewidth}
    """
    return rf">{{\raggedright\arraybackslash}}p{{{share:g}\linewidth}}"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
