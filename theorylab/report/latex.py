"""Every result of the package as LaTeX: ``latex`` a part for a paper, ``document`` a whole file.

A part needs the packages amsmath, amssymb, booktabs, longtable and array.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorylab.outcome import InputError
from theorylab.report.figures import tidy
from theorylab.report.latex_matrices import escaped
from theorylab.report.latex_results import results_table
from theorylab.report.latex_statements import claim_latex, decided_latex
from theorylab.report.latex_statements import data_latex as data_latex
from theorylab.report.latex_statements import instance_latex as instance_latex
from theorylab.report.latex_statements import network_latex as network_latex
from theorylab.report.latex_statements import statement_latex as statement_latex

if TYPE_CHECKING:
    from theorylab.claims.claim import Claim
    from theorylab.verify import Checked, Verification

PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage{array,booktabs,longtable}
\usepackage[margin=25mm]{geometry}
\setcounter{MaxMatrixCols}{20}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\emergencystretch=3em
"""


def latex(value: object, claims: Sequence[Claim] = ()) -> str:
    """A result, a claim, a network or a data set as LaTeX without a preamble, for a paper.

    Results of ``verify, falsify, phase, count, sweep, connect, levels, experiment, check`` and the
    sharpness table; of several experiments or checked files a list. ``claims`` are those of one's
    own in a verification. Raises InputError for other values.

    >>> from theorylab.model import Dataset
    >>> print(latex(Dataset.from_rows([[1], ["1/2"]], [[3], [4]])).splitlines()[1])
    \\[ X = \\begin{pmatrix} 1 & \\tfrac{1}{2} \\end{pmatrix} \\]
    """
    found = _of_one(value)
    found = _of_many(value, claims) if found is None else found
    if found is not None:
        return found
    rule = "results, claims, networks and data sets are written as LaTeX"
    raise InputError("value", type(value).__name__, rule, "give what a command of tl returned")


def _of_one(value: Any) -> str | None:
    from theorylab.claims.claim import Claim
    from theorylab.connect import Joining
    from theorylab.counting.random_data import Survey
    from theorylab.counting.rootcount import RootCount
    from theorylab.falsify import Counterexample, Refutation, Survived
    from theorylab.falsify.sharpness import Sharpness
    from theorylab.instances import Case
    from theorylab.levels import Levels
    from theorylab.model import Dataset, Network
    from theorylab.phase import Phase
    from theorylab.report import latex_results, latex_statements

    match value:
        case Claim():
            return claim_latex(value)
        case RootCount():
            return latex_results.count_latex(value)
        case Survey():
            return latex_results.survey_latex(value)
        case Joining():
            return latex_results.joining_latex(value)
        case Levels():
            return latex_results.levels_latex(value)
        case Phase():
            return latex_results.phase_latex(value)
        case Refutation() | Counterexample() | Survived():
            return latex_results.hunt_latex(value)
        case Sharpness():
            return latex_results.sharpness_latex(value)
        case Case():
            return latex_results.case_latex(value)
        case Network():
            return latex_statements.network_latex(value.to_json())
        case Dataset():
            return latex_statements.data_latex(value.to_json())
    return None


def _of_many(value: Any, claims: Sequence[Claim]) -> str | None:
    """What comes in lists: decided instances, checked files, and experiments."""
    from theorylab.experiments.run import Result
    from theorylab.report.latex_results import experiments_latex
    from theorylab.verify import Checked, Verification

    if isinstance(value, Verification):
        return _verified(value, [*claims, *_claims_of(value)])
    several = [value] if isinstance(value, Checked | Result) else value
    if not isinstance(several, list | tuple) or not several:
        return None
    if all(isinstance(one, Checked) for one in several):
        return "\n\n".join(map(_checked, several))
    if all(isinstance(one, Result) for one in several):
        return experiments_latex(several)
    return None


def document(value: object, preface: str = "", claims: Sequence[Claim] = ()) -> str:
    """The same with a preamble, a file that compiles on its own; ``preface`` is plain text.

    Raises InputError for what ``latex`` does not write.
    """
    return document_latex([latex(value, claims)], preface)


def document_latex(parts: Sequence[str], preface: str = "") -> str:
    """A LaTeX document that compiles on its own, made of these parts; ``preface`` is plain text."""
    head = [escaped(preface)] if preface else []
    body = "\n\n".join([*head, *parts])
    return f"{PREAMBLE}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def verification_latex(run: Verification, claims: Sequence[Claim]) -> str:
    """The document of a run: each claim in its readings, then each instance of it decided."""
    return document_latex([_verified(run, claims)], f"theorylab verify, seed {run.seed}.")


def _claims_of(run: Verification) -> list[Claim]:
    """The claims of the catalogue among those of a run."""
    from theorylab.claims import all_claims

    known = {claim.id: claim for claim in all_claims()}
    return [known[name] for name in dict.fromkeys(r.claim for r in run.results) if name in known]


def _verified(run: Verification, claims: Sequence[Claim]) -> str:
    known = {claim.id: claim for claim in claims}
    parts = []
    for name in dict.fromkeys(result.claim for result in run.results):
        results = [result for result in run.results if result.claim == name]
        title = rf"\section*{{{escaped(results[0].title)}}}"
        parts.append(claim_latex(known[name]) if name in known else title)
        parts.append(results_table(results))
        for result in results:
            heading = f"{result.instance} ({result.variant})"
            if result.certificate_bytes is None:
                outcome = result.outcome
                if result.observed is not None:
                    outcome = f"{result.outcome} ({result.assurance})"
                words = rf"\textbf{{Outcome.}} {outcome}: {escaped(tidy(result.reason))}."
                parts.append(rf"\subsection*{{{escaped(heading)}}}" + f"\n{words}")
            else:
                outcome = f"{result.outcome} ({result.assurance})"
                parts.append(
                    decided_latex(heading, outcome, result.reason, result.certificate_bytes)
                )
    return "\n\n".join(parts)


def checked_latex(checked: Sequence[Checked]) -> str:
    """The document of checked certificates; a rejected file is named with its reason only."""
    return document_latex([*map(_checked, checked)], "theorylab check.")


def _checked(one: Checked) -> str:
    if one.outcome == "rejected":
        heading = rf"\subsection*{{{escaped(one.file)}}}"
        return f"{heading}\n\\textbf{{Rejected.}} {escaped(one.reason)}."
    said = f"{one.outcome} by {one.rule} (kernel)"
    return decided_latex(one.file, said, "", Path(one.file).read_bytes())
