"""report: one page of a folder of results."""

from __future__ import annotations

from typing import Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import Json, app, print_json, progress_bar
from theorylab.outcome import InputError


@app.command("report", short_help="Write one page of a folder of results.")
def _report(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="A folder that --out DIR of commands wrote.")
    ],
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="The page [DIR/report.html].")
    ] = None,
    title: Annotated[
        str, typer.Option(metavar="TEXT", help="The heading of the page.")
    ] = "theorylab report",
    json_: Json = False,
    seed: Annotated[str, typer.Option(metavar="N", hidden=True)] = "0",
) -> int:
    """Write one self-contained HTML page of a folder, its certificates checked again.

    Exit status 1 when a record says what the certificate or the table beside it does not.
    """
    from theorylab.report.folder import report

    number = options.whole("--seed", seed)
    place = options.file("--out", out)
    try:
        with progress_bar() as progress:
            written = report(options.named("DIR", folder), place, title=title, progress=progress)
    except InputError as error:
        if error.argument != "out":
            raise
        raise InputError("--out", error.value, error.rule, error.remedy) from None
    if json_:
        print_json(written.to_json(number))
    else:
        for line in written.lines():
            print(line)
    return written.exit_status
