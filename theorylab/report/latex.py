"""The exact instance and statement of a certificate as LaTeX.

Everything is written from the statement's own JSON, the values the kernel read. A matrix too large
for a page is given by its size, its first rows and the SHA-256 of its canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorylab.report.figures import rounded, tidy

if TYPE_CHECKING:
    from theorylab.claims.claim import Claim, Hypothesis
    from theorylab.verify import Checked, Verification

Json = dict[str, Any]
Rows = Sequence[Sequence[str]]

_MOST_ROWS, _MOST_COLUMNS, _MOST_CHARACTERS = 12, 12, 52
_SHOWN_ROWS, _LONG_ENTRY, _LONG = 3, 14, 40

PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=25mm]{geometry}
\setcounter{MaxMatrixCols}{20}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\emergencystretch=3em
"""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
_SYMBOLS = {
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "×": r"\times",
    "·": r"\cdot",
    "→": r"\to",
    "∞": r"\infty",
    "∈": r"\in",
    "α": r"\alpha",
    "β": r"\beta",
    "ε": r"\varepsilon",
    "θ": r"\theta",
    "λ": r"\lambda",
    "μ": r"\mu",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "Φ": r"\Phi",
    "Ω": r"\Omega",
    "²": r"{}^{2}",
    "³": r"{}^{3}",
    "−": "-",
}


def escaped(text: str) -> str:
    """Plain text as LaTeX text: special characters escaped, mathematical symbols in math mode.

    >>> print(escaped("50% of n_1 >= 2"))
    50\\% of n\\_1 $\\geq$ 2
    """
    for ascii_relation, symbol in ((">=", "≥"), ("<=", "≤"), ("!=", "≠")):
        text = text.replace(ascii_relation, symbol)
    out = []
    for character in text:
        if character in _SPECIAL:
            out.append(_SPECIAL[character])
        elif character in _SYMBOLS:
            out.append(f"${_SYMBOLS[character]}$")
        elif character.isprintable() and (ord(character) < 0x180 or character in "–—‘’“”"):
            out.append(character)
        else:
            out.append(
                r"\textvisiblespace{}" if character.isspace() else f"[U+{ord(character):04X}]"
            )
    return "".join(out)


def fraction(text: str) -> str:
    """A rational as LaTeX math, exact up to 40 characters, else rounded and said to be so.

    >>> print(fraction("-3/2"), fraction("7"))
    -\\tfrac{3}{2} 7
    """
    if len(text) > _LONG:
        return rf"{_decimal(text)}\ \text{{(rounded; {_digits(text)} digits in the certificate)}}"
    sign, size = ("-", text[1:]) if text.startswith("-") else ("", text)
    if "/" not in size:
        return sign + size
    top, bottom = size.split("/")
    return rf"{sign}\tfrac{{{top}}}{{{bottom}}}"


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _decimal(text: str) -> str:
    decimal = rounded(text, 6)
    if "e" not in decimal:
        return decimal
    figures, power = decimal.split("e")
    return rf"{figures}\cdot 10^{{{power}}}"


def fingerprint(value: object, newline: bool = False) -> str:
    """The SHA-256 of the canonical JSON of a value, as LaTeX that may break across lines."""
    raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    ending = b"\n" if newline else b""
    digest = hashlib.sha256(raw.encode("ascii") + ending).hexdigest()
    parts = [digest[i : i + 8] for i in range(0, 64, 8)]
    return "\\texttt{" + r"\allowbreak ".join(parts) + "}"


def matrix(rows: Rows) -> tuple[str, str]:
    """The matrix as LaTeX math, and a note in LaTeX text: empty, or what the page leaves out."""
    count, columns = len(rows), len(rows[0]) if rows else 0
    if _fits(rows):
        body = r" \\ ".join(" & ".join(fraction(entry) for entry in row) for row in rows)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", ""
    kept = count if count <= _MOST_ROWS else _SHOWN_ROWS
    shown = [_beginning(row) for row in rows[:kept]]
    width = min(len(row) for row in shown)
    cut = [[*row[:width], *([r"\cdots"] if width < columns else [])] for row in shown]
    if kept < count:
        cut.append([r"\vdots"] + [""] * (len(cut[0]) - 1))
    body = r" \\ ".join(" & ".join(row) for row in cut)
    rounding = any(len(entry) > _LONG_ENTRY for row in rows[:kept] for entry in row[:width])
    parts = [f"{kept} of {count} rows"] if kept < count else []
    parts += [f"{width} of {columns} columns"] if width < columns else []
    parts += ["long entries rounded"] if rounding else []
    said = f"shown: {', '.join(parts)}" if parts else "shown in full"
    note = (
        rf"(${count}\times {columns}$; {said}; SHA-256 of its canonical JSON, one list per row: "
        rf"{fingerprint([list(row) for row in rows])})"
    )
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", note


def _cell(entry: str) -> str:
    return fraction(entry) if len(entry) <= _LONG_ENTRY else _decimal(entry)


def _width(entry: str) -> int:
    return min(max(len(part) for part in entry.split("/")), _LONG_ENTRY) + 2


def _fits(rows: Rows) -> bool:
    if len(rows) > _MOST_ROWS or not rows or len(rows[0]) > _MOST_COLUMNS:
        return False
    if any(len(entry) > _LONG_ENTRY for row in rows for entry in row):
        return False
    return sum(max(map(_width, column)) for column in zip(*rows, strict=True)) <= _MOST_CHARACTERS


def _beginning(row: Sequence[str]) -> list[str]:
    shown: list[str] = []
    used = 0
    for entry in row:
        used += _width(entry)
        if shown and (used > _MOST_CHARACTERS or len(shown) == _MOST_COLUMNS - 1):
            break
        shown.append(_cell(entry))
    return shown


def _equation(name: str, rows: Rows) -> str:
    body, note = matrix(rows)
    return f"\\[ {name} = {body} \\]" + (f"\n{note}" if note else "")


def activation_latex(activation: Any) -> str:
    """The definition of the activation, as LaTeX math.

    >>> print(activation_latex({"polynomial": ["1", "0", "1/2"]}))
    \\rho(z)=1+\\tfrac{1}{2}z^{2}
    """
    plain = {
        "linear": "z",
        "square": "z^{2}",
        "cube": "z^{3}",
        "relu": r"\max(z,0)",
        "abs": "|z|",
        "step": r"[z>0]",
    }
    if isinstance(activation, str):
        return rf"\rho(z)={plain[activation]}"
    if "leaky_relu" in activation:
        slope = fraction(activation["leaky_relu"])
        return rf"\rho(z)=\begin{{cases}} z & z>0 \\ {slope}\,z & z\le 0 \end{{cases}}"
    terms = []
    for power, coefficient in enumerate(activation["polynomial"]):
        if coefficient == "0":
            continue
        variable = {0: "", 1: "z"}.get(power, f"z^{{{power}}}")
        number = fraction(coefficient)
        if variable and number in ("1", "-1"):
            number = number[:-1]
        terms.append(number + variable)
    return rf"\rho(z)={'+'.join(terms).replace('+-', '-') or '0'}"


def _forward(network: Json) -> str:
    depth = len(network["widths"]) - 1
    linear = network["activation"] == "linear"
    expression = "x"
    for k in range(1, depth + 1):
        wrapped = rf"\overline{{{expression}}}" if network["bias"][k - 1] else expression
        expression = rf"W_{{{k}}}\,{wrapped}" if wrapped != "x" else f"W_{{{k}}}x"
        if not linear and (k < depth or network["output"] == "activation"):
            expression = rf"\rho\bigl({expression}\bigr)"
    return expression


def network_latex(network: Json) -> str:
    """Architecture, activation, biases and shared or fixed entries of a network."""
    widths = network["widths"]
    arrows = r"\to ".join(map(str, widths))
    lines = [
        rf"\textbf{{Network.}} Widths ${arrows}$, $\Phi(x;\theta)={_forward(network)}$, "
        rf"${activation_latex(network['activation'])}$."
    ]
    if any(network["bias"]):
        biased = [str(k) for k, flag in enumerate(network["bias"], start=1) if flag]
        layers = f"layer{'' if len(biased) == 1 else 's'} {', '.join(biased)}"
        have = "has a bias" if len(biased) == 1 else "have a bias"
        lines.append(
            rf"$\overline{{h}}$ is $h$ with 1 appended: {layers} {have}, the last column of $W_k$."
        )
    for k, layer in enumerate(network["pattern"] or (), start=1):
        if layer is not None:
            lines.append(_pattern(k, layer))
    return "\n".join(lines)


def _pattern(k: int, layer: Sequence[Sequence[Any]]) -> str:
    meaning = r"$\ast$ is free, entries $s_i$ with one index are shared, numbers are fixed."
    if len(layer) > _MOST_ROWS or len(layer[0]) > _MOST_COLUMNS:
        size = rf"${len(layer)}\times {len(layer[0])}$"
        return (
            rf"$W_{{{k}}}$ has a pattern of free, shared and fixed entries ({size}; SHA-256 of its "
            rf"canonical JSON: {fingerprint(layer)})."
        )

    def entry(value: Any) -> str:
        if value is None:
            return r"\ast"
        return f"s_{{{value}}}" if isinstance(value, int) else fraction(value)

    body = r" \\ ".join(" & ".join(map(entry, row)) for row in layer)
    return rf"\[ W_{{{k}}} = \begin{{pmatrix}} {body} \end{{pmatrix}} \]" + f"\n{meaning}"


def data_latex(data: Json) -> str:
    """The data: samples are the columns of X and Y, or the rows of the transposes when many."""
    x, y, weights = data["x"], data["y"], data["weights"]
    samples = len(x)
    count = f"{samples} sample" + ("" if samples == 1 else "s")
    lines = [rf"\textbf{{Data.}} $N={samples}$: {count}, inputs $X$, targets $Y$."]
    flipped = [list(map(list, zip(*rows, strict=True))) for rows in (x, y)]
    if all(map(_fits, flipped)):
        lines += [_equation("X", flipped[0]), _equation("Y", flipped[1])]
    else:
        lines += [_equation(r"X^{\mathsf T}", x), _equation(r"Y^{\mathsf T}", y)]
    if weights is None:
        lines.append(r"\[ L(\theta)=\sum_{j=1}^{N}\bigl|\Phi(x_j;\theta)-y_j\bigr|^2 \]")
    else:
        lines.append(_equation("s", [weights]))
        lines.append(r"\[ L(\theta)=\sum_{j=1}^{N}s_j\,\bigl|\Phi(x_j;\theta)-y_j\bigr|^2 \]")
    return "\n".join(lines)


def instance_latex(statement: Json) -> str:
    """The exact instance of a kernel statement: the network, its activation, the data.

    ``statement`` is the value of the key "statement" of a certificate that the kernel has read.
    """
    return network_latex(statement["network"]) + "\n\n" + data_latex(statement["data"])


_BOUNDS = {
    "min(n,m)": r"\min(n,m)",
    "q": r"q",
    "2q": r"2q",
    "r(A)+r(B)": r"r_k(A)+r_k(B)",
    "2N": r"2N",
    "monomials from 1": r"\sum_{i\ge 1,\ a_i\ne 0}\tbinom{n+i-1}{i}",
    "monomials from 0": r"\sum_{i\ge 0,\ a_i\ne 0}\tbinom{n+i-1}{i}",
    "3n^2": r"3n^{2}",
    "n(n+1)": r"n(n+1)",
    "3n^(2^k)": r"3n^{2^{k}}",
    "2min(N,C(n+2^k-1,2^k))": r"2\min\bigl(N,\tbinom{n+2^{k}-1}{2^{k}}\bigr)",
}
_PLAIN = {
    "dense": "every entry of every layer is a free parameter",
    "no_bias": "no layer has a bias",
    "linear_output": "the output is linear in the last layer",
    "connected_at_every_level": r"every sublevel set $\Omega_u=\{L\le u\}$ is path connected",
    "no_poor_minima": r"$L$ has no poor local minimum and no spurious valley",
    "kostlan": "the coefficients are independent and Gaussian, with multinomial variances",
    "more_parameters_than_equations": r"there are more free parameters than equations, $W>Nm$",
}


def hypothesis_latex(hypothesis: Json) -> str:
    """One hypothesis of the kernel's closed list; one this page does not know, by its JSON."""
    kind = hypothesis["kind"]
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "activation":
        name = hypothesis["is"]
        known = {"linear": r"$\rho(z)=z$", "square": r"$\rho(z)=z^{2}$"}
        return known.get(name, rf"$\rho$ is {'a ' if name == 'polynomial' else ''}{escaped(name)}")
    if kind == "loss" and hypothesis["is"] in ("zero", "positive"):
        return "$L(A)=0$" if hypothesis["is"] == "zero" else "$L(A)>0$"
    if kind == "hidden_layers":
        count = hypothesis["count"]
        return f"{count} hidden layer" + ("" if count == 1 else "s")
    if kind == "hidden_widths" and hypothesis["bound"] in _BOUNDS:
        relation = {">": ">", ">=": r"\ge"}[hypothesis["relation"]]
        bound = _BOUNDS[hypothesis["bound"]]
        return rf"$p_k {relation} {bound}$ for every hidden width $p_k$"
    return rf"\texttt{{{escaped(json.dumps(hypothesis, sort_keys=True))}}}"


def _point(name: str, theta: Sequence[Rows]) -> str:
    return "\n".join(
        _equation(rf"W_{{{k}}}^{{({name})}}", layer) for k, layer in enumerate(theta, start=1)
    )


def _side(expression: Any, name: str) -> tuple[str, str]:
    if isinstance(expression, str):
        return fraction(expression), ""
    return rf"L(\theta_{{{name}}})", _point(name, expression["loss"])


def conclusion_latex(conclusion: Json) -> str:
    """The conclusion, its points and values; ``L`` is the loss of the instance."""
    kind = conclusion["kind"]
    if kind in ("sup_norm", "best_error", "nearest"):
        return _distance(conclusion)
    values: dict[str, str] = {
        key: fraction(conclusion[key]) for key in ("u", "v", "eps") if key in conclusion
    }
    if kind == "relation":
        left, left_point = _side(conclusion["left"], "1")
        right, right_point = _side(conclusion["right"], "2")
        op = {"<": "<", "<=": r"\le", "==": "="}[conclusion["op"]]
        return "\n".join(filter(None, [rf"\[ {left} {op} {right} \]", left_point, right_point]))
    if kind == "roots":
        return _roots_latex(conclusion)
    below = rf"$\{{L\le u\}}$, $u={values['u']}$" if "u" in values else ""
    sentence = {
        "joined": f"$A$ and $B$ lie in one path component of {below}.",
        "separated": f"$A$ and $B$ lie in different path components of {below}.",
        "descends": _descent(conclusion, values),
        "trapped": rf"The path component of $A$ in {below}, has $L\ge v={values.get('v')}$, "
        "although some point has less loss.",
        "global_min": rf"$\min_\theta L(\theta)={values.get('v')}$, and it is attained.",
        "local_min": "$A$ is a local minimum of $L$.",
        "not_poor_minimum": "$A$ is not a local minimum above the infimum of $L$.",
        "positive_dimension": "$L(A)=0$, and $A$ is not an isolated zero of $L$.",
        "isolated_zero": "$L(A)=0$, and $A$ is an isolated zero of $L$.",
        "has_zero": r"$L(\theta)=0$ for some real $\theta$.",
        **_counted(conclusion),
    }.get(kind, rf"\texttt{{{escaped(kind)}}}")
    points = [_point(name, conclusion[name]) for name in "AB" if name in conclusion]
    return "\n".join([sentence, *points])


def _roots_latex(conclusion: Json) -> str:
    """A count of isolated solutions: the equations, what is fixed, how many."""
    system, least, most = (conclusion[key] for key in ("system", "at_least", "at_most"))
    lines = [r"The equations \[ \Phi(x_j;\theta)=y_j,\quad j=1,\dots,N, \]"]
    if system["kind"] == "critical":
        ridge = system["ridge"]
        extra = "" if ridge is None else r"+\sum_i\lambda_i\theta_i^2"
        lines = [rf"The equations \[ \nabla_\theta\bigl(L(\theta){extra}\bigr)=0 \]"]
        if ridge is not None:
            listed = ",".join(fraction(v) for v in ridge)
            lines.append(rf"with $\lambda=({listed})$,")
    if system["fixed"]:
        held = ",\\ ".join(rf"\theta_{{{i + 1}}}={fraction(v)}" for i, v in system["fixed"])
        lines.append(rf"where ${held}$ are fixed,")
    low = rf"at least ${least}$" if least or most is None else ""
    high = "" if most is None else rf"at most ${most}$"
    number = rf"exactly ${most}$" if least == most else " and ".join(filter(None, (low, high)))
    lines.append(rf"have {number} isolated complex solutions in the free parameters $\theta_i$,")
    lines.append("numbered layer by layer, row by row.")
    if conclusion["real_at_least"]:
        lines.append(rf"At least ${conclusion['real_at_least']}$ of them are real.")
    return "\n".join(lines)


def _counted(conclusion: Json) -> dict[str, str]:
    """The sentence of a rank, a nullity or a dimension, with its bounds."""
    if "at_most" not in conclusion:
        return {}
    low, high = conclusion["at_least"], conclusion["at_most"]
    bounds = f"={low}" if low == high else rf"\ge {low}"
    bounds += "" if high in (low, None) else rf"\text{{ and }}\le {high}"
    outputs = r"\partial\bigl(\Phi(x_j;\theta)\bigr)_j(A)"
    return {
        "jacobian_rank": rf"$\operatorname{{rank}}{outputs}{bounds}$ in the free parameters.",
        "zero_manifold": rf"Near $A$, $\{{L=0\}}$ is a manifold of dimension $d{bounds}$.",
        "nullity": rf"$\nabla L(A)=0$ and $\dim\ker\nabla^2L(A){bounds}$ in the free parameters.",
        "neurovariety_dimension": rf"$\dim\{{\Phi(\cdot\,;\theta)\}}{bounds}$ (any data).",
    }


def _distance(conclusion: Json) -> str:
    """How near a polynomial, or the nearest one, comes to the activation on an interval."""
    a, b, degree = fraction(conclusion["a"]), fraction(conclusion["b"]), conclusion.get("degree")
    best = rf"\min_{{\deg q\le {degree}}}\max_{{[{a},{b}]}}|\rho-q|"
    shown = rf"\max_{{[{a},{b}]}}|\rho-p|"
    p = ""
    if "polynomial" in conclusion:
        p = "$p(z)=\\sum_i c_iz^i$ with\n" + _equation("c", [conclusion["polynomial"]]) + "\n"
    if conclusion["kind"] == "nearest":
        return p + rf"\[ {shown} = {best} \]"
    subject = best if conclusion["kind"] == "best_error" else shown
    low, high = fraction(conclusion["at_least"]), fraction(conclusion["at_most"])
    if low == high:
        return p + rf"\[ {subject} = {low} \]"
    return p + rf"\[ {low} \le {subject} \le {high} \]"


def _descent(conclusion: Json, values: dict[str, str]) -> str:
    if conclusion["kind"] != "descends":
        return ""
    ends = r"$L=v$" if conclusion["eps"] == "0" else r"$L\le v+\varepsilon$"
    eps = "" if conclusion["eps"] == "0" else rf", $\varepsilon={values['eps']}$"
    return (
        rf"$L\ge v={values['v']}$ everywhere, and along some path from $A$ the loss never "
        rf"increases and ends with {ends}{eps}."
    )


def statement_latex(statement: Json) -> str:
    """Hypotheses and conclusion of a kernel statement; ``instance_latex`` writes its instance."""
    hypotheses = statement["hypotheses"]
    lines = []
    if hypotheses:
        lines += [r"\textbf{Hypotheses.}", r"\begin{itemize}"]
        lines += [rf"\item {hypothesis_latex(h)}" for h in hypotheses]
        lines.append(r"\end{itemize}")
    lines += [r"\textbf{Conclusion.}", conclusion_latex(statement["conclusion"])]
    return "\n".join(lines)


def claim_latex(claim: Claim) -> str:
    """A claim of the catalogue: its title, source, statement in each reading, and erratum."""
    lines = [
        rf"\section*{{{escaped(claim.title)}}}",
        rf"\texttt{{{escaped(claim.id)}}}. {escaped(str(claim.source))}.",
    ]
    for variant in claim.variants:
        lines += ["", rf"\textbf{{Statement ({escaped(variant.name)}).}} {escaped(variant.words)}."]
        lines.append(rf"\[ {variant.latex} \]")
        if variant.hypotheses:
            lines.append(r"\begin{itemize}")
            lines += [rf"\item {_named(h)}" for h in variant.hypotheses]
            lines.append(r"\end{itemize}")
    if claim.erratum is not None:
        erratum = claim.erratum
        lines += [
            "",
            rf"\textbf{{Erratum.}} Printed: {escaped(erratum.printed)}. "
            rf"Finding: {escaped(erratum.refuted_by)}. "
            rf"Correct: {escaped(erratum.corrected)}.",
        ]
    return "\n".join(lines)


def _named(hypothesis: Hypothesis) -> str:
    if hypothesis.json["kind"] in _PLAIN:
        return escaped(hypothesis.words)
    return rf"{escaped(hypothesis.words)}: {hypothesis_latex(hypothesis.json)}"


def document_latex(parts: Sequence[str], preface: str = "") -> str:
    """A LaTeX document that compiles on its own, made of these parts; ``preface`` is plain text."""
    head = [escaped(preface)] if preface else []
    body = "\n\n".join([*head, *parts])
    return f"{PREAMBLE}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def _decided(heading: str, outcome: str, reason: str, raw: bytes) -> str:
    statement = json.loads(raw)["statement"]
    lines = [
        rf"\subsection*{{{escaped(heading)}}}",
        rf"\textbf{{Outcome.}} The conclusion below is {escaped(outcome)}"
        + (f": {escaped(tidy(reason))}." if reason else ".")
        + rf" SHA-256 of the statement: {fingerprint(statement, newline=True)}.",
        "",
        instance_latex(statement),
        "",
        statement_latex(statement),
    ]
    return "\n".join(lines)


def verification_latex(run: Verification, claims: Sequence[Claim]) -> str:
    """The document of a run: each claim in its readings, then each instance of it decided."""
    parts = []
    for claim in claims:
        results = [result for result in run.results if result.claim == claim.id]
        if not results:
            continue
        parts.append(claim_latex(claim))
        for result in results:
            heading = f"{result.instance} ({result.variant})"
            if result.certificate_bytes is None:
                outcome = "undecided"
                if result.observed is not None:
                    outcome = f"{result.outcome} ({result.assurance})"
                words = rf"\textbf{{Outcome.}} {outcome}: {escaped(tidy(result.reason))}."
                parts.append(rf"\subsection*{{{escaped(heading)}}}" + f"\n{words}")
            else:
                outcome = f"{result.outcome} ({result.assurance})"
                parts.append(_decided(heading, outcome, result.reason, result.certificate_bytes))
    return document_latex(parts, f"theorylab verify, seed {run.seed}.")


def checked_latex(checked: Sequence[Checked]) -> str:
    """The document of checked certificates; a rejected file is named with its reason only."""
    parts = []
    for one in checked:
        if one.outcome == "rejected":
            heading = rf"\subsection*{{{escaped(one.file)}}}"
            parts.append(f"{heading}\n\\textbf{{Rejected.}} {escaped(one.reason)}.")
        else:
            raw = Path(one.file).read_bytes()
            parts.append(_decided(one.file, f"{one.outcome} by {one.rule} (kernel)", "", raw))
    return document_latex(parts, "theorylab check.")
