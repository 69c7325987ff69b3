"""The exact instance and statement of a certificate as LaTeX, and a claim in all its readings.

Everything is written from the statement's own JSON, the values the kernel read. A matrix too large
for a page is given by its size, its first rows and the SHA-256 of its canonical JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theorylab.report.figures import tidy
from theorylab.report.latex_facts import PLAIN, conclusion_latex, hypothesis_latex
from theorylab.report.latex_matrices import (
    MOST_COLUMNS,
    MOST_ROWS,
    equation,
    escaped,
    fingerprint,
    fits,
    fraction,
)

if TYPE_CHECKING:
    from theorylab.claims.claim import Claim, Hypothesis

Json = dict[str, Any]


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
    if len(layer) > MOST_ROWS or len(layer[0]) > MOST_COLUMNS:
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
    if all(map(fits, flipped)):
        lines += [equation("X", flipped[0]), equation("Y", flipped[1])]
    else:
        lines += [equation(r"X^{\mathsf T}", x), equation(r"Y^{\mathsf T}", y)]
    if weights is None:
        lines.append(r"\[ L(\theta)=\sum_{j=1}^{N}\bigl|\Phi(x_j;\theta)-y_j\bigr|^2 \]")
    else:
        lines.append(equation("s", [weights]))
        lines.append(r"\[ L(\theta)=\sum_{j=1}^{N}s_j\,\bigl|\Phi(x_j;\theta)-y_j\bigr|^2 \]")
    return "\n".join(lines)


def instance_latex(statement: Json) -> str:
    """The exact instance of a kernel statement: the network, its activation, the data.

    ``statement`` is the value of the key "statement" of a certificate that the kernel has read.
    """
    parts = [network_latex(statement["network"]), data_latex(statement["data"])]
    if "ridge" in statement:
        parts.append(_ridge_latex(statement["ridge"]))
    return "\n\n".join(parts)


def _ridge_latex(ridge: Sequence[str]) -> str:
    """The ridge of the loss; its entries go with those of W_1, W_2, ..., row by row."""
    loss = r"$L(\theta)=\sum_j s_j|\Phi(x_j;\theta)-y_j|^2"
    if len(set(ridge)) == 1:
        return rf"The loss is {loss}+\lambda|\theta|^2$, $\lambda={fraction(ridge[0])}$."
    listed = ",\\ ".join(map(fraction, ridge))
    return rf"The loss is {loss}+\sum_i\lambda_i\theta_i^2$ with ${{\lambda=({listed})}}$."


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
        rf"\texttt{{{escaped(claim.id)}}}. {escaped(str(claim.source or 'A conjecture'))}.",
    ]
    for variant in claim.variants:
        lines += ["", rf"\textbf{{Statement ({escaped(variant.name)}).}} {escaped(variant.words)}."]
        if variant.latex:
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
    if hypothesis.json["kind"] in PLAIN:
        return escaped(hypothesis.words)
    return rf"{escaped(hypothesis.words)}: {hypothesis_latex(hypothesis.json)}"


def decided_latex(heading: str, outcome: str, reason: str, raw: bytes) -> str:
    """A certificate under a heading: its outcome, the exact instance, the statement."""
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
