"""The faces of a value: its page as text, its HTML and its LaTeX, as ``outcome.Shown`` asks."""

from __future__ import annotations

import io
from typing import Any, Final

from rich.console import Console

from theorylab.claims import Claim
from theorylab.connect import Joining
from theorylab.counting.random_data import Survey
from theorylab.counting.rootcount import RootCount
from theorylab.experiments.run import SCHEMA
from theorylab.experiments.run import Result as Measured
from theorylab.falsify import Counterexample, Refutation, Survived
from theorylab.falsify.sharpness import Sharpness
from theorylab.instances import Case, Instance
from theorylab.levels import Levels
from theorylab.model import Dataset, Loss, Network
from theorylab.outcome import InputError
from theorylab.phase import Phase
from theorylab.report.html import catalogue, measured
from theorylab.report.html.figures import figure
from theorylab.report.html.fragments import fragment
from theorylab.report.html.landscapes import joining
from theorylab.report.html.markup import Markup, joined
from theorylab.report.html.panel import style
from theorylab.report.html.paths import path_profile
from theorylab.report.html.verification import decided
from theorylab.report.replay import replay
from theorylab.topology.profile import profile
from theorylab.verify import Checked, Result, Verification

COLUMNS: Final = 80
# The loss along the path of a longer certificate takes seconds.
_LONG: Final = 1_000_000
# What notebooks export as LaTeX: values of a page at most.
_WRITTEN: Final = (Claim, Network, Dataset, Joining, Levels, Phase, Refutation, RootCount, Survey)


def text(value: object) -> str:
    """The terminal page of a value, 80 columns wide, without colour.

    Raises InputError for a value that has no page.
    """
    held = io.StringIO()
    console = Console(file=held, width=COLUMNS, color_system=None, highlight=False, emoji=False)
    _print(value, console)
    return held.getvalue().rstrip("\n")


def _print(value: Any, console: Console) -> None:
    from theorylab.report import catalogue, counts, experiments, hunts, levels, sweeps, terminal

    match value:
        case Verification():
            terminal.print_verification(value, _known(value), console, replay(value.to_json()))
        case Claim():
            catalogue.print_claims([value], console)
        case Joining():
            terminal.print_joining(value, console)
        case Checked():
            terminal.print_checked([value], console)
        case Refutation() | Counterexample() | Survived():
            hunts.print_hunt(value, console, replay(value.to_json()))
        case Phase():
            hunts.print_phase(value, console, replay(value.to_json()))
        case Sharpness():
            hunts.print_sharpness(value, console)
        case Levels():
            levels.print_levels(value, console)
        case RootCount():
            counts.print_count(value, console, ())
        case Survey():
            sweeps.print_sweep(value, console, replay(value.to_json()))
        case Measured():
            experiments.print_results([value], console, _measured_again(value))
        case _:
            raise _strange(value)


def _strange(value: object) -> InputError:
    rule = "results, claims, networks, data sets and losses have a page"
    return InputError("value", type(value).__name__, rule, "show what a command of tl returned")


def _known(run: Verification) -> list[Claim]:
    from theorylab.claims import all_claims

    names = {result.claim for result in run.results}
    return [claim for claim in all_claims() if claim.id in names]


def html(value: object) -> Markup:
    """The fragment of a value, its style sheet with it.

    Guarantees: well-formed; no script, nothing fetched; the same value gives the same bytes.
    Raises InputError for a value that has no page.
    """
    return joined(style(), _fragment(value))


def _fragment(value: Any) -> Markup:
    match value:
        case Claim():
            return catalogue.claim_card(value.to_json())
        case Network():
            return catalogue.network(value.to_json())
        case Dataset():
            return catalogue.dataset(value.to_json(), value.name, value.source)
        case Loss():
            return _surface("loss", value)
        case Case():
            return _surface("loss", Loss(value.network, value.data, value.ridge))
        case Instance():
            title = f"instance {value.name} ({value.variant}), expected: {value.expected}"
            return _surface(title, value.loss, value.conclusion)
        case Result():
            return decided(value)
        case Measured():
            return _measured(value)
        case Joining():
            return _joining(value)
        case Checked():
            return catalogue.checked([value.to_json()])
        case (
            Verification() | Refutation() | Counterexample() | Survived() | Phase()
            | Sharpness() | Levels() | RootCount() | Survey()
        ):  # fmt: skip
            return fragment(value.to_json())
    raise _strange(value)


def _surface(title: str, loss: Loss, conclusion: dict[str, Any] | None = None) -> Markup:
    rates = loss.penalties
    ridge = None if rates is None else [str(rate) for rate in rates]
    data = loss.data.to_json()
    return catalogue.surface(title, loss.network.to_json(), data, ridge, conclusion)


def _joining(value: Joining) -> Markup:
    raw = value.certificate_bytes
    small = raw is not None and value.outcome == "proved" and len(raw) <= _LONG
    found = profile(raw) if raw is not None and small else None
    return joining(value.to_json(), path=None if found is None else path_profile(found))


def _measured(value: Measured) -> Markup:
    found = value.experiment
    if not value.complete:
        return measured.unfinished(found.name, found.title, value.done, value.planned)
    rows = value.to_json()
    words = "; ".join(f"{row['variant']}: {row['status']}" for row in rows)
    seen = figure(value.figure(), f"{found.title}. {words}")
    return measured.experiments(rows, replay(rows), {found.name: seen}, found.remarks)


def _measured_again(value: Measured) -> list[str]:
    config = value.config
    asked = {"claim": config.experiment, "config": config.to_json(), "seed": config.seed}
    return replay([{"schema": SCHEMA, **asked, "device": value.device}])


def latex(value: object) -> str | None:
    """A small value as LaTeX (``theorylab.report.latex``); None for a run of many instances."""
    from theorylab.report.latex import latex as written

    return written(value) if isinstance(value, _WRITTEN) else None
