"""The application ``theorylab``: its streams, its options of every command, its exit status.

0 as expected, 1 an unexpected finding or a rejected certificate, 2 bad input, 3 only undecided or
incomplete, 130 interrupted.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from theorylab.cli.options import blaming
from theorylab.outcome import InputError, shortened

if TYPE_CHECKING:
    from rich.console import Console

ORDER = ["list", "verify", "falsify", "phase", "count", "sweep", "connect", "levels", "experiment"]
ORDER += ["check"]


class _InOrder(typer.core.TyperGroup):
    """Commands are shown in the order in which one meets them, not in that of the modules."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    cls=_InOrder,
    name="theorylab",
    help="Decide theorems on the loss landscapes of neural networks, on exact small instances.",
    epilog="Exit status: 0 as expected, 1 unexpected or rejected, 2 bad input, 3 undecided.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

# Options are read as text and parsed here, so that every complaint has the same four parts.
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Seed = Annotated[str, typer.Option(metavar="N", help="The seed of everything drawn.")]
Out = Annotated[
    str | None, typer.Option(metavar="DIR", help="A folder for the certificates, made if needed.")
]
Latex = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write a LaTeX document of the instances decided."),
]

Samples = Annotated[str | None, typer.Option(metavar="N", help="Only the first N samples.")]
Seconds = Annotated[
    str | None, typer.Option(metavar="S", help="Begin nothing more after S seconds.")
]
Picture = Annotated[str | None, typer.Option(metavar="FILE", help="Draw it: .png, .svg or .pdf.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on these arguments (those of the process by default); its exit status.

    >>> main(["--version"])
    theorylab ...
    0
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # An author's name must not end a run on a terminal that cannot spell it.
        sys.stdout.reconfigure(errors="replace")
    try:
        status = app(words, prog_name="theorylab", standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        return _complain(error)
    except _USAGE as error:
        return _complain(_usage(error, words))
    except typer.Exit as error:
        return error.exit_code
    except (Interrupted, KeyboardInterrupt, typer.Abort) as error:
        return _interrupted(str(error))
    except BrokenPipeError:
        # The reader has gone (`theorylab list | head`); Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    # Some versions of typer turn Ctrl-C into this status without a word.
    return _interrupted("") if status == 130 else int(status or 0)


class Interrupted(Exception):
    """Ctrl-C during work that leaves something behind; its text says what."""


def _interrupted(kept: str) -> int:
    print(f"theorylab: interrupted{kept and '; '}{kept}", file=sys.stderr)
    return 130


# The base of typer's usage errors; typer exports only some of its leaves.
_USAGE: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "UsageError")


def _usage(error: typer.BadParameter, words: Sequence[str]) -> InputError:
    rule, _, hint = " ".join(error.format_message().split()).rstrip(".").partition(". ")
    names = [c.name for c in app.registered_commands if c.name]
    command = next((word for word in words if word in names), "")
    usage = f"theorylab {command + ' ' if command else ''}--help shows the usage"
    remedy = f"{_lowered(hint)} {usage}".strip()
    return InputError("arguments", " ".join(words) or "none", _lowered(rule), remedy)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _complain(error: InputError) -> int:
    line = f"theorylab: {error.argument}: {shortened(error.value)}: {error.rule}; {error.remedy}"
    print(" ".join(line.split()), file=sys.stderr)
    return 2


def _version(wanted: bool) -> None:
    if wanted:
        from theorylab import __version__

        print(f"theorylab {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _theorylab(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def console() -> Console:
    """The terminal page of a command."""
    from rich.console import Console

    return Console(highlight=False)


def print_json(value: object) -> None:
    """JSON alone on standard output."""
    print(json.dumps(value, indent=2))


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str], None] | None]:
    """A progress bar on standard error when that is a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    parts = (BarColumn(16), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("preparing the instances", total=None)

        def progress(done: int, planned: int, label: str) -> None:
            bar.update(task, completed=done, total=planned, description=label)

        yield progress


@contextmanager
def kept(out: Path | None) -> Iterator[None]:
    """Ctrl-C says which certificates stay."""
    try:
        yield
    except KeyboardInterrupt:
        words = "" if out is None else f"finished certificates are kept in {out}"
        raise Interrupted(words) from None


def write_document(argument: str, path: Path, text: str) -> None:
    """Write the file an option names, at once or not at all."""
    from theorylab.verify import write

    with blaming(argument):
        write(path, text.encode("utf-8"))
    print(f"wrote {path}", file=sys.stderr)
