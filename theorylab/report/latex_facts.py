"""Hypotheses and conclusions of the kernel's closed lists as LaTeX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from theorylab.report.latex_matrices import Rows, equation, escaped, fraction

Json = dict[str, Any]

_BOUNDS = {
    "min(n,m)": r"\min(n,m)",
    "q": r"q",
    "2q": r"2q",
    "r(A)+r(B)": r"r_k(A)+r_k(B)",
    "2N": r"2N",
    "N+1": r"N+1",
    "q+1": r"q+1",
    "rank X": r"\operatorname{rank}X",
    "rank X + 1": r"\operatorname{rank}X+1",
    "2 rank X": r"2\operatorname{rank}X",
    "2n": r"2n",
    "2n+1": r"2n+1",
    "monomials from 1": r"\sum_{i\ge 1,\ a_i\ne 0}\tbinom{n+i-1}{i}",
    "monomials from 0": r"\sum_{i\ge 0,\ a_i\ne 0}\tbinom{n+i-1}{i}",
    "3n^2": r"3n^{2}",
    "n(n+1)": r"n(n+1)",
    "3n^(2^k)": r"3n^{2^{k}}",
    "2min(N,C(n+2^k-1,2^k))": r"2\min\bigl(N,\tbinom{n+2^{k}-1}{2^{k}}\bigr)",
}
PLAIN = {
    "dense": "every entry of every layer is a free parameter",
    "no_bias": "no layer has a bias",
    "linear_output": "the output is linear in the last layer",
    "scalar_output": "there is one output",
    "connected_at_every_level": r"every sublevel set $\Omega_u=\{L\le u\}$ is path connected",
    "no_poor_minima": r"$L$ has no poor local minimum and no spurious valley",
    "kostlan": "the coefficients are independent and Gaussian, with multinomial variances",
    "more_parameters_than_equations": r"there are more free parameters than equations, $W>Nm$",
    "ridge": r"$L$ has a ridge, $\lambda_i\ge 0$ for each weight $\theta_i$",
    "common_ridge": r"$L$ has a ridge, the same $\lambda>0$ for all weights",
}


def hypothesis_latex(hypothesis: Json) -> str:
    """One hypothesis of the kernel's closed list; one this page does not know, by its JSON."""
    kind = hypothesis["kind"]
    if kind in PLAIN:
        return PLAIN[kind]
    if kind == "activation":
        name = hypothesis["is"]
        known = {
            "linear": r"$\rho(z)=z$",
            "square": r"$\rho(z)=z^{2}$",
            "homogeneous": r"$\rho(tz)=t\rho(z)$ for $t\ge 0$, $\rho$ continuous, not linear",
        }
        return known.get(name, rf"$\rho$ is {'a ' if name == 'polynomial' else ''}{escaped(name)}")
    if kind == "loss" and hypothesis["is"] in ("zero", "positive"):
        return "$L(A)=0$" if hypothesis["is"] == "zero" else "$L(A)>0$"
    if kind == "hidden_layers":
        count = hypothesis["count"]
        return f"{count} hidden layer" + ("" if count == 1 else "s")
    if kind == "inputs" and hypothesis["relation"] in (">", ">="):
        sign = {">": ">", ">=": r"\ge"}[hypothesis["relation"]]
        return f"$n_0 {sign} n_K$"
    if kind == "hidden_widths" and hypothesis["bound"] in _BOUNDS:
        relation = {">": ">", ">=": r"\ge"}[hypothesis["relation"]]
        bound, less = _BOUNDS[hypothesis["bound"]], hypothesis.get("less", 0)
        if bound == "N+1" and less:
            bound, less = "N", less - 1
        bound += f"-{less}" if less else ""
        return rf"$p_k {relation} {bound}$ for every hidden width $p_k$"
    return rf"\texttt{{{escaped(json.dumps(hypothesis, sort_keys=True))}}}"


def _point(name: str, theta: Sequence[Rows]) -> str:
    return "\n".join(
        equation(rf"W_{{{k}}}^{{({name})}}", layer) for k, layer in enumerate(theta, start=1)
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
        "components": _number_of_components(conclusion, below),
        "level_tree": _level_tree(conclusion),
        "same_function": r"$\Phi(x;A)=\Phi(x;B)$ for all inputs $x$.",
        "span_path": r"A path $\gamma$ of matrices leads from $A$ to $B$ such that the columns of "
        r"$\gamma(t)$, $0<t<1$, span those of $A$ and of $B$.",
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


def _number_of_components(conclusion: Json, below: str) -> str:
    if conclusion["kind"] != "components":
        return ""
    low, high = conclusion["at_least"], conclusion["at_most"]
    bound = f"at least {low}" if high is None else f"between {low} and {high}"
    number = str(low) if low == high else bound
    return f"The number of path components of {below}, is {number}."


def _level_tree(conclusion: Json) -> str:
    """The table of a level tree, an interval of levels in each row."""
    if conclusion["kind"] != "level_tree":
        return ""
    levels = conclusion["levels"]
    least = fraction(levels[0][0])
    ends = [*(fraction(level) for level, _ in levels[1:]), None]
    rows = [
        f"${fraction(level)}\\le u" + (f"<{end}$" if end else "$") + f" & ${n}$"
        for (level, n), end in zip(levels, ends, strict=True)
    ]
    table = " \\\\\n".join(rows)
    return (
        rf"$\{{L\le u\}}$ is empty for $u<{least}$; otherwise its number of path components is"
        "\n\\[ \\begin{array}{ll}\n" + table.replace("$", "") + "\n\\end{array} \\]"
    )


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
        p = "$p(z)=\\sum_i c_iz^i$ with\n" + equation("c", [conclusion["polynomial"]]) + "\n"
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
