"""Mathematics as MathML, which browsers draw themselves: from LaTeX, without any script."""

from __future__ import annotations

import re
from html import escape
from typing import Final
from xml.etree import ElementTree

from theorylab.report.html.markup import E, Markup, joined, text

# What latex2mathml writes as an ordinary letter is not known to it.
_UNKNOWN: Final = re.compile(r"\\[A-Za-z]+")
_ENTITY: Final = re.compile(r"&#x([0-9A-F]{5});")
# What latex2mathml takes for letters: operators have room around them, and ~ is a space.
_OPERATORS: Final = re.compile("<mi>([⟹⟸⟺:;′∼])</mi>")
_NAMED: Final = re.compile(r"(<mi>[a-z]{2,}</mi>)(?!<mo[^>]*>[({\[]|</mrow>|</math>)")
# It takes \sim for ~, which is a space.
_SIMILAR: Final = re.compile(r"\\sim(?![A-Za-z])")
_FENCES: Final = re.compile("<mi>([⟨⟩])</mi>")
_MATHML: Final = "{http://www.w3.org/1998/Math/MathML}"
_NAMES: Final = (
    "math mrow mi mo mn mtext mspace mstyle mfrac msqrt mroot msub msup msubsup munder mover "
    "munderover mtable mtr mtd mpadded mphantom"
)
_ELEMENTS: Final = frozenset(_NAMES.split())
_NAMES_OF_ATTRIBUTES: Final = (
    "display stretchy fence form separator largeop movablelimits symmetric accent minsize maxsize "
    "lspace rspace width height depth voffset linethickness mathvariant displaystyle scriptlevel "
    "columnalign columnlines rowlines rowspacing columnspacing mathsize"
)
_ATTRIBUTES: Final = frozenset(_NAMES_OF_ATTRIBUTES.split())
_INLINE: Final = re.compile(r"\$(?P<inline>[^$]+)\$|\\\[(?P<block>.+?)\\\]", re.DOTALL)
_STYLED: Final = re.compile(r"\\(textbf|texttt|textit|emph)\{((?:[^{}]|\{[^{}]*\})*)\}")
_TAGS: Final = {"textbf": "b", "texttt": "code", "textit": "i", "emph": "em"}
_PLAIN: Final = (
    (r"\allowbreak ", "\N{ZERO WIDTH SPACE}"),
    (r"\textbackslash{}", "\\"),
    (r"\textasciitilde{}", "~"),
    (r"\textasciicircum{}", "^"),
    (r"\textvisiblespace{}", " "),
    (r"\ ", " "),
    ("~", "\N{NO-BREAK SPACE}"),
    *((rf"\{mark}", mark) for mark in "%&#_${}"),
    ("{}", ""),
)


def mathml(latex: str, display: bool = False) -> Markup:
    """The formula as a ``math`` element; LaTeX that is not understood stays, as ``code``.

    Guarantees: no exception; well-formed.

    >>> print(mathml("x < 1"))
    <math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>x</mi>...
    >>> mathml(r"\\nonsense{x}")
    '<code class="tl-latex">\\\\nonsense{x}</code>'
    """
    try:
        from latex2mathml.converter import convert

        known = _SIMILAR.sub("∼", latex)
        found = convert(known, display="block" if display else "inline")
    except Exception:  # a converter's own errors are of many kinds, and none may end a report
        return _unread(latex)
    if _UNKNOWN.search(found):
        return _unread(latex)
    found = _ENTITY.sub(lambda match: escape(chr(int(match[1], 16))), found)
    found = _OPERATORS.sub(r"<mo>\1</mo>", found)
    found = _NAMED.sub(r'\1<mspace width="0.17em"/>', found)
    found = _FENCES.sub(r'<mo stretchy="false">\1</mo>', found)
    found = found.replace("<mi>~</mi>", "<mtext>\N{NO-BREAK SPACE}</mtext>")
    return Markup(found) if _is_mathml(found) else _unread(latex)


def _is_mathml(found: str) -> bool:
    """Whether this is one well-formed formula: the converter copies what it takes for XML."""
    try:
        whole = ElementTree.fromstring(found)
    except ElementTree.ParseError:
        return False
    return all(
        element.tag.removeprefix(_MATHML) in _ELEMENTS and _ATTRIBUTES.issuperset(element.attrib)
        for element in whole.iter()
    )


def _unread(latex: str) -> Markup:
    return E("code", {"class": "tl-latex"}, latex)


def prose(latex: str) -> Markup:
    """LaTeX text as ``theorylab.report.latex`` writes it: formulas, bold, typewriter, lists.

    Guarantees: no exception; whatever is not understood stays as text.

    >>> print(prose(r"50\\% of \\textbf{all}"))
    50% of <b>all</b>
    """
    parts: list[Markup] = []
    for place, piece in enumerate(re.split(r"\\(begin|end)\{itemize\}", latex)):
        if place % 2:
            continue
        if r"\item " in piece:
            items = piece.split(r"\item ")[1:]
            parts.append(E("ul", [E("li", _formulas(item.strip())) for item in items]))
        else:
            parts.append(_formulas(piece))
    return joined(parts)


def _formulas(latex: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for match in _INLINE.finditer(latex):
        parts.append(_styled(latex[end : match.start()]))
        inline = match["inline"]
        parts.append(mathml(match["block"], display=True) if inline is None else mathml(inline))
        end = match.end()
    return joined([*parts, _styled(latex[end:])])


def _styled(latex: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for match in _STYLED.finditer(latex):
        parts.append(_plain(latex[end : match.start()]))
        parts.append(E(_TAGS[match[1]], _plain(match[2])))
        end = match.end()
    return joined([*parts, _plain(latex[end:])])


def _plain(latex: str) -> Markup:
    for written, meant in _PLAIN:
        latex = latex.replace(written, meant)
    return text(latex)
