"""The application ``theorylab``: its streams, its options of every command, its exit status.

0 as expected, 1 an unexpected finding or a rejected certificate, 2 bad input, 3 only undecided or
incomplete, 130 interrupted.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
import typer.core

from theorylab.cli.options import blaming
from theorylab.cli.progress import progress_bar as progress_bar
from theorylab.outcome import InputError, shortened

if TYPE_CHECKING:
    from rich.console import Console

    from theorylab.claims import Claim

_F = TypeVar("_F", bound=Callable[..., Any])
_WIDEST = 100
# Commands are shown in the order in which one meets them, not in that of the modules.
GROUPS = {
    "Claims": ("list", "verify", "falsify", "phase", "check"),
    "Your own networks and systems": ("count", "sweep", "connect", "levels"),
    "Trained networks": ("experiment",),
    "A page of results": ("report",),
}
EXAMPLES = (
    ("theorylab list", "all claims"),
    ("theorylab list quadratic-connected", "one in full"),
    ("theorylab verify quadratic-connected --out DIR", "decide it"),
    ("theorylab check DIR", "the kernel, again"),
    ("theorylab falsify quadratic-connected --drop wide", "is it needed?"),
    ("theorylab count system.json", "all solutions"),
    ("theorylab verify my_claims.py", "your own"),
)


class _FrontPage(typer.core.TyperGroup):
    """The first page one sees: commands by what one has in hand, examples, exit statuses."""

    def list_commands(self, ctx: Any) -> list[str]:
        names = super().list_commands(ctx)
        ordered = [name for group in GROUPS.values() for name in group if name in names]
        return [*ordered, *(name for name in names if name not in ordered)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        names = self.list_commands(ctx)
        widest = max(map(len, names))
        grouped = {name for group in GROUPS.values() for name in group}
        rest = tuple(name for name in names if name not in grouped)
        for title, group in (*GROUPS.items(), ("Besides", rest)):
            commands = [(name, self.get_command(ctx, name)) for name in group if name in names]
            rows = [
                (name.ljust(widest), command.get_short_help_str(limit=200))
                for name, command in commands
                if command is not None and not command.hidden
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """They stand above the options."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Examples"):
            longest = max(len(command) for command, _ in EXAMPLES)
            for command, words in EXAMPLES:
                # commands are to be copied: never wrapped
                line = f"{'':{formatter.current_indent}}{command:{longest}}  # {words}"
                fits = len(line) <= formatter.width
                formatter.write(f"{line if fits else line.partition('  # ')[0].rstrip()}\n")
        super().format_epilog(ctx, formatter)


class _Command(typer.core.TyperCommand):
    """Its help names arguments without the types of Python, which say nothing to its readers."""

    def get_help(self, ctx: Any) -> str:
        blank: Callable[[re.Match[str]], str] = lambda match: " " * len(match[0])  # noqa: E731
        return re.sub(r" <(?:list\[)?str\]?>", blank, super().get_help(ctx))


class _Application(typer.Typer):
    def command(self, name: str | None = None, **settings: Any) -> Callable[[_F], _F]:
        return super().command(name, cls=_Command, **settings)


app = _Application(
    cls=_FrontPage,
    name="theorylab",
    help="Decide theorems on the loss landscapes of neural networks, on exact small instances.",
    epilog="Exit status: 0 as expected, 1 unexpected or rejected, 2 bad input, 3 undecided or "
    "incomplete. Every command takes --help.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST},
)

# Options are read as text and parsed here, so that every complaint has the same four parts.
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Seed = Annotated[str, typer.Option(metavar="N", help="The seed of everything drawn.")]
Out = Annotated[
    str | None, typer.Option(metavar="DIR", help="A folder for the certificates, made if needed.")
]
Latex = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write the result as a LaTeX document."),
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
        # The parser itself would not go below 50 columns.
        width = max(24, min(_WIDEST, shutil.get_terminal_size().columns) - 2)
        status = app(words, prog_name="theorylab", standalone_mode=False, terminal_width=width)
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

    # rich would leave bold and dim; NO_COLOR asks for text as it is.
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(highlight=False, color_system=None if plain else "auto")


def print_json(value: object) -> None:
    """JSON alone on standard output."""
    print(json.dumps(value, indent=2))


@contextmanager
def kept(out: Path | None) -> Iterator[None]:
    """Ctrl-C says which certificates stay."""
    try:
        yield
    except KeyboardInterrupt:
        words = "" if out is None else f"finished certificates are kept in {out}"
        raise Interrupted(words) from None


def write_latex(
    path: Path | None, value: object, command: Sequence[str], claims: Sequence[Claim] = ()
) -> None:
    """The LaTeX document of a result, where ``--latex`` asks for one; ``command`` heads it."""
    if path is None:
        return
    from theorylab.report.latex import document
    from theorylab.verify import write

    with blaming("--latex"):
        write(path, document(value, shlex.join(command), claims).encode("utf-8"))
    print(f"wrote {path}", file=sys.stderr)
