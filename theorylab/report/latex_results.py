"""Results as LaTeX: what was counted, joined, hunted, mapped and measured, in tables.

Exact values are written exactly; a value too long for a table is rounded and marked by a sign of
approximation. Nothing is computed here: every number is one that the result holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from theorylab.report.figures import rounded, tidy
from theorylab.report.latex_matrices import decimal, escaped, fraction
from theorylab.report.latex_polynomials import system_latex
from theorylab.report.latex_statements import data_latex, decided_latex, network_latex
from theorylab.report.latex_tables import labelled, paragraph, table

if TYPE_CHECKING:
    from theorylab.connect import Joining
    from theorylab.counting.random_data import Survey
    from theorylab.counting.rootcount import RootCount
    from theorylab.experiments.run import Result
    from theorylab.falsify import Counterexample, Refutation, Survived
    from theorylab.falsify.sharpness import Sharpness
    from theorylab.instances import Case
    from theorylab.levels import Levels
    from theorylab.phase import Cell, Phase
    from theorylab.verify import Result as Decided

_SHORT = 14
_KEYS = (("certified", "certified"), ("real", "real"), ("real_orbits", "orbits with real weights"))


def number(text: str) -> str:
    r"""A rational in math mode: exact when short, else rounded and marked as that.

    >>> print(number("-3/2"), number("1" * 20 + "/7"))
    $-\tfrac{3}{2}$ $\approx 1.5873\cdot 10^{18}$
    """
    return f"${fraction(text)}$" if len(text) <= _SHORT else rf"$\approx {decimal(text)}$"


def results_table(results: Sequence[Decided]) -> str:
    """What a run decided, a row for each instance; it says who vouches."""
    rows = [
        (
            escaped(r.instance),
            escaped(r.variant),
            escaped(r.outcome) + _surprise(r.expected or _is_open(r)),
            "" if r.level is None else escaped(tidy(r.level)),
            escaped(r.assurance or "none"),
        )
        for r in results
    ]
    heads = ("instance", "reading", "outcome", "level, rounded", "assurance")
    return table(f"{paragraph(0.36)}llrl", heads, rows)


def count_latex(found: RootCount) -> str:
    """A count with its bounds and conventions; what the kernel checked, or the equations."""
    rows = [(label, escaped(words)) for label, words in found.rows()]
    parts = [_headed("Solutions", found.name), labelled(rows)]
    if found.certificate_bytes is not None:
        parts.append(
            decided_latex("The certified statement", "proved", "", found.certificate_bytes)
        )
    elif found.roots is not None and found.roots.system.origin is None:
        parts.append(system_latex(found.roots.system))
    return _joined(parts)


def survey_latex(found: Survey) -> str:
    """The counts of a sweep: on how many data sets there are so many solutions."""
    bound = f"{found.generic.count}: {found.upper_rule}" if found.generic.complete else "no bound"
    rows = [
        ("counts", f"complete (numeric) on {found.complete} of {found.planned} data sets"),
        ("system", f"{found.name}, {found.problem.sample_count} samples"),
        ("data", f"standard normal, rounded to 1/1024, seed {found.problem.seed}"),
        ("modulo", str(found.generic.system.gauge)),
        ("at most", bound),
        ("assurance", "roots flint, bound numeric" if found.generic.complete else "roots flint"),
    ]
    if found.unfinished:
        rows.append(("given up", f"{len(found.unfinished)} data sets, beyond a limit or crashed"))
    parts = [
        _headed("A sweep", found.name),
        labelled([(label, escaped(words)) for label, words in rows]),
    ]
    if found.rows:
        counted = {key: found.histogram(key) for key, _ in _KEYS}
        values = sorted({value for numbers in counted.values() for value in numbers})
        lines = [
            (f"${value}$", *(f"${counted[key].get(value, 0)}$" for key, _ in _KEYS))
            for value in values
        ]
        means = [
            Fraction(sum(value * many for value, many in counted[key].items()), len(found.rows))
            for key, _ in _KEYS
        ]
        lines.append((r"\midrule mean", *(number(str(mean)) for mean in means)))
        said = "On how many data sets there are so many solutions, by what is counted:"
        parts += [said, table("rrrr", ("number", *(words for _, words in _KEYS)), lines)]
    return _joined(parts)


def levels_latex(found: Levels) -> str:
    """The function from levels to numbers of components, and where components meet."""
    head = [_headed("Level function", f"{found.architecture} {found.activation}")]
    if found.outcome != "proved" or found.certificate_bytes is None:
        rows = [("outcome", "the kernel rejected the certificate"), ("because", found.reason)]
        return _joined([*head, labelled([(k, escaped(v)) for k, v in rows])])
    steps = [
        (number(str(low)), "" if high is None else number(str(high)), f"${n}$")
        for low, high, n in found.steps
    ]
    parts = [
        *head,
        r"The number $N_u$ of path components of $\{L\le u\}$, $\textrm{from}\le u<\textrm{to}$:",
        table("llr", ("from", "to", "components"), steps),
    ]
    if found.tree.merges:
        born = {birth.component: birth.level for birth in found.tree.births}
        merges = [
            (
                f"${one}$",
                number(str(born[one])),
                f"${merge.survivor}$",
                number(str(merge.level)),
                number(str(merge.level - born[one])),
            )
            for merge in found.tree.merges
            for one in merge.absorbed
        ]
        said = "Which component meets a lower one, and where (exact, not in the certificate):"
        heads = ("component", "born at", "meets", "at", "climb")
        parts += [said, table("rlrll", heads, merges)]
    lemmas = f"proved (kernel: {'; '.join(found.lemmas)})"
    return _joined(
        [*parts, decided_latex("The certified statement", lemmas, "", found.certificate_bytes)]
    )


def phase_latex(found: Phase) -> str:
    """A map as a grid, inputs across and hidden units down from the widest."""
    rows = [
        (f"${p}$", *(_cell(found.at(n, p), found.pairs) for n in found.ns))
        for p in reversed(found.ps)
    ]
    heads = ("p \\ n", *map(str, found.ns))
    legend = (
        r"$+$: the lemma applies; $\times$: refuted, certified by the kernel; $?$: open, with the "
        "number of cases searched in vain; beside a mark, of how many instances the kernel proved "
        "how many where it is not all of them; a dash: not reached."
    )
    return _joined(
        [
            _headed("Map", found.claim),
            rf"\textbf{{{escaped(found.title)}}} ({escaped(found.variant)}): "
            rf"{escaped(found.words)}. Family {escaped(found.family)}, $n$ inputs, $p$ hidden "
            rf"units; {found.pairs} instances and {found.tries} cases for each cell, seed "
            rf"{found.seed}.",
            table("r" + "c" * len(found.ns), heads, rows),
            legend,
        ]
    )


def _cell(cell: Cell | None, pairs: int) -> str:
    if cell is None:
        return "--"
    if cell.verdict == "refuted":
        return r"$\times$"
    mark = "$+$" if cell.verdict == "lemma" else rf"$?\;{cell.tried}$"
    some = 0 < cell.proved < pairs or (cell.verdict == "open" and cell.proved)
    return rf"{mark} ${cell.proved}/{cell.pairs}$" if some else mark


def hunt_latex(found: Refutation | Counterexample | Survived) -> str:
    """A hunt: what was attacked, and the certified instance, the unchecked case, or nothing."""
    from theorylab.falsify import Counterexample, Refutation

    rows = [("claim", found.title)]
    rows += [("hunted", found.words)] if found.words != found.title else []
    rows += [("dropped", ", ".join(found.dropped))] if found.dropped else []
    searched = f"{found.tried} case{'s' * (found.tried != 1)}, seed {found.seed}"
    shrinks = f"in {getattr(found, 'shrinks', 0)} steps"
    if isinstance(found, Refutation):
        rows += [("outcome", "refuted by this instance"), ("shrunk", shrinks)]
        parts = [
            decided_latex(
                "The instance",
                f"refuted (kernel: {'; '.join(found.lemmas)})",
                found.fact.replace("_", " "),
                found.certificate_bytes,
            )
        ]
    elif isinstance(found, Counterexample):
        rows += [("outcome", found.outcome), ("because", found.said or "the function says False")]
        rows += [("assurance", "unchecked: a function vouches, not the kernel")]
        drawn = [("drawn", ", ".join(map(str, found.choices)))] if found.choices else []
        rows += [*drawn, ("shrunk", shrinks)]
        parts = [] if found.case is None else [case_latex(found.case)]
    else:
        rows.append(("outcome", f"survived {found.tried} (seed {found.seed}): nothing is proved"))
        rows += [("stopped", found.reason)] if found.reason else []
        parts = []
    rows.append(("searched", searched))
    said = labelled([(label, escaped(words)) for label, words in rows])
    return _joined([_headed("Hunt", found.claim), said, *parts])


def case_latex(case: Case) -> str:
    """A network and data, with the ridge of the loss if there is one."""
    parts = [network_latex(case.network.to_json()), data_latex(case.data.to_json())]
    if case.ridge is not None:
        listed = ",\\ ".join(fraction(str(value)) for value in case.ridge)
        parts.append(rf"The loss has a ridge besides, $\lambda=({listed})$.")
    return _joined(parts)


def sharpness_latex(found: Sharpness) -> str:
    """What happens to each claim without each of its hypotheses."""
    rows = [
        (
            rf"\texttt{{{escaped(r.claim)}}}",
            escaped(r.hypothesis),
            escaped(r.outcome),
            escaped(r.counterexample or r.why),
        )
        for r in found.rows
    ]
    heads = ("claim", "without", "outcome", "counterexample, or why none is known")
    columns = f"{paragraph(0.26)}{paragraph(0.18)}l{paragraph(0.36)}"
    said = f"Up to {found.tries} cases for each row, seed {found.seed}; refuted is by the kernel."
    return _joined([_headed("Sharpness", "claims without their hypotheses"), said,
                    table(columns, heads, rows)])  # fmt: skip


def experiments_latex(results: Sequence[Result]) -> str:
    """The findings of experiments, one table for each."""
    return _joined([part for result in results for part in _experiment(result)])


def _experiment(result: Result) -> list[str]:
    found, config = result.experiment, result.config
    said = (
        rf"\textbf{{{escaped(found.title)}.}} {escaped(str(found.source))}. "
        rf"Assurance: statistical, level {config.alpha:g}, seed {config.seed}."
    )
    parts = [_headed("Experiment", found.name), said]
    if not result.complete:
        done = f"{result.done} of {result.planned} parts measured: nothing is judged before all are"
        return [*parts, f"{done}."]
    rows = []
    for finding in result.findings:
        seen, reading = finding.observed, finding.reading
        outcome = seen.outcome + _surprise(finding.expected or seen.outcome == "undecided")
        details = tidy(seen.words.removeprefix(f"{reading.words}: "))
        shut = [name for name, is_open in seen.gates if not is_open]
        details += f"; shut: {', '.join(shut)}" if shut else ""
        words = rf"{escaped(reading.words)}: {escaped(details)}"
        rows.append((escaped(reading.variant), outcome, words))
    columns = f"{paragraph(0.16)}l{paragraph(0.6)}"
    return [*parts, table(columns, ("reading", "outcome", "what was seen, rounded"), rows)]


def joining_latex(found: Joining) -> str:
    """Whether two settings are joined below the higher loss, by which path, and who says so."""
    rows = [
        ("network", escaped(f"{found.architecture} {found.activation}")),
        ("data", escaped(f"{found.data}, N={found.samples}")),
        ("outcome", escaped(found.outcome + (f": {found.reason}" if found.reason else ""))),
        ("level", rf"$u=\max(L(A),L(B))$: {_valued(found.level)}, a sum over the samples"),
        ("losses", f"$L(A)$: {_valued(found.losses[0])}; $L(B)$: {_valued(found.losses[1])}"),
    ]
    if found.bits is not None:
        rows.append(("rounded", f"the weights, to multiples of $2^{{-{found.bits}}}$"))
    if found.needed_width is not None:
        widths = ", ".join(map(str, found.needed_width))
        rows.append(("needed", f"hidden widths {widths} suffice"))
    if found.segments is not None:
        rows.append(("path", escaped(f"{found.segments} segments, by {found.construction}")))
    if found.peak is not None:
        rows.append(("straight", f"the segment from $A$ to $B$ reaches {_valued(found.peak)}"))
    if found.assurance is not None:
        rows.append(("assurance", escaped(f"{found.assurance} ({'; '.join(found.lemmas)})")))
    parts = [_headed("A pair", f"{found.architecture} {found.activation}"), labelled(rows)]
    if found.certificate_bytes is not None and found.outcome in ("proved", "refuted"):
        said = f"{found.outcome} (kernel)"
        parts.append(decided_latex("The certified statement", said, "", found.certificate_bytes))
    return _joined(parts)


def _valued(text: str) -> str:
    """An exact value, with a rounded decimal beside it where that helps."""
    short = rounded(text, 6)
    if short == text or len(text) > _SHORT:
        return number(text)
    return rf"{number(text)} ($\approx {decimal(text)}$)"


def _is_open(result: Decided) -> bool:
    return result.outcome == "undecided" and not result.rejected


def _surprise(is_none: bool) -> str:
    return "" if is_none else r" (\emph{unexpected})"


def _headed(kind: str, name: str) -> str:
    return rf"\subsection*{{{escaped(kind)}: {escaped(name)}}}"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(parts)
