"""What a source of LaTeX must be without a LaTeX to ask: balanced, in known macros, in step."""

from __future__ import annotations

import re

# Each is of LaTeX itself or of a package of the preamble, and was seen to compile.
_WORDS = """
Omega Phi allowbreak alpha approx arraybackslash ast begin beta bigl bigr bottomrule cdot
cdots deg det dim dots emph emptyset end endfoot endhead epsilon exists gamma ge geq
implies in infty item ker lambda langle le leq linewidth mathbb mathit mathsf max midrule
min mu nabla ne neq operatorname overline partial prod qquad quad raggedright rangle rho
section sigma sim sqrt subsection subseteq sum tbinom text textasciicircum textasciitilde
textbackslash textbar textbf textgreater textless textquotedbl textrm textstyle texttt
textvisiblespace tfrac theta times to toprule varepsilon vdots
"""
MACROS = frozenset(_WORDS.split())
ENVIRONMENTS = frozenset({"longtable", "itemize", "pmatrix", "array", "cases", "align*"})


def balanced(source: str) -> None:
    """Braces, math and environments open and close in order."""
    bare = re.sub(r"\\[{}$\\]", "", source.replace("\\\\", ""))
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert source.count(r"\[") == source.count(r"\]")
    open_: list[str] = []
    for verb, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", source):
        if verb == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert not open_


def known_macros(source: str) -> None:
    """No macro besides the list, and no environment besides these."""
    used = {*re.findall(r"\\([A-Za-z]+)", source)}
    assert used <= MACROS, used - MACROS
    environments = {*re.findall(r"\\begin\{(\w+\*?)\}", source)}
    assert environments <= ENVIRONMENTS, environments - ENVIRONMENTS


def sound(source: str) -> None:
    """Balanced, in known macros, every row of a table as long as its columns say."""
    balanced(source)
    known_macros(source)
    for columns, body in re.findall(
        r"\\begin\{longtable\}\[l\]\{@\{\}(.*?)@\{\}\}\n(.*?)\\end\{longtable\}", source, re.DOTALL
    ):
        wide = len(re.sub(r">\{.*?\}p\{.*?\}", "p", columns))
        rows = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert rows and all(len(re.findall(r"(?<!\\)&", row)) == wide - 1 for row in rows)
