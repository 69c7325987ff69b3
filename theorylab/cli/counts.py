"""count: how many solutions, certified."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import (
    Json,
    Latex,
    Out,
    Samples,
    Seed,
    app,
    console,
    print_json,
    progress_bar,
    write_latex,
)
from theorylab.outcome import InputError

if TYPE_CHECKING:
    from theorylab.counting.system import PolynomialSystem


@app.command("count", short_help="Count solutions or critical points, certified.")
def _count(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A system: JSON or PHCpack text.")
    ] = None,
    widths: Annotated[
        str | None, typer.Option(metavar="N,N,..", help="Instead of FILE: a network's widths.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(metavar="NAME", help="linear, square or cube.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="CSV or JSON data, or iris, wine.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="KIND", help="interpolation or critical.")
    ] = None,
    ridge: Annotated[
        str | None,
        typer.Option(metavar="generic|VALUE", help="Of critical points; generic isolates them."),
    ] = None,
    samples: Samples = None,
    bias: Annotated[
        str | None, typer.Option(metavar="WHERE", help="none, hidden, all, or 1,0,.. by layer.")
    ] = None,
    gauge: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto, none, first or bias.")
    ] = None,
    domain: Annotated[
        str, typer.Option(metavar="affine|torus", help="torus: no coordinate is zero.")
    ] = "affine",
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="auto, batch, simple, phc or bertini.")
    ] = "auto",
    threads: Annotated[
        str, typer.Option(metavar="N", help="Threads, for the engines that take them.")
    ] = "1",
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Count isolated solutions, certify each, and say whether these are all."""
    from theorylab.counting.completeness import MOST_THREADS, count
    from theorylab.records import keep
    from theorylab.report.counts import print_count, with_certificate

    number = options.whole("--seed", seed, 0)
    workers = options.whole("--threads", threads, 1, MOST_THREADS)
    folder, document = options.folder("--out", out), options.file("--latex", latex)
    shape = {
        "--widths": widths,
        "--activation": activation,
        "--data": data,
        "--system": system,
        "--ridge": ridge,
        "--samples": samples,
        "--bias": bias,
        "--gauge": gauge,
    }
    chosen, words = _system(file, shape, number)
    for option, value, usual in (("domain", domain, "affine"), ("engine", engine, "auto")):
        words += [f"--{option}", value] if value != usual else []
    words += ["--threads", str(workers)] if workers > 1 else []
    words += ["--seed", str(number)] if number else []
    with blaming_options(), progress_bar("counting"):
        found = count(
            chosen, seed=number, engine=engine, domain=domain, threads=workers,
            say=lambda said: print(said, file=sys.stderr),
        )  # fmt: skip
    if folder is not None:
        found = with_certificate(found, folder)
        keep(folder, "count", found.to_json(), words)
    write_latex(document, found, words)
    if json_:
        print_json(found.to_json())
    else:
        print_count(found, console(), words)
    return found.exit_status


@contextmanager
def blaming_options() -> Iterator[None]:
    """Complaints about a system name the option that it came by."""
    try:
        yield
    except InputError as error:
        name = error.argument
        options = ("engine", "domain", "seed", "samples", "ridge", "kind", "widths", "gauge")
        where = f"--{name}".replace("kind", "system") if name in options else name
        raise InputError(where, error.value, error.rule, error.remedy) from None


def _system(
    file: str | None, shape: dict[str, str | None], seed: int
) -> tuple[PolynomialSystem, list[str]]:
    """The system of a file or of a network, and the words that name it on the command line."""
    from theorylab.counting.gauge import GAUGES
    from theorylab.counting.system import critical_system, interpolation_system, read_system

    given = {option: value for option, value in shape.items() if value is not None}
    if file is not None:
        if given:
            rule = "a FILE holds the whole system"
            raise InputError(next(iter(given)), file, rule, "give FILE, or --widths and the others")
        with options.blaming("FILE", file):
            return read_system(options.named("path", file)), ["theorylab", "count", file]
    for option in ("--widths", "--activation", "--data", "--system"):
        if option not in given:
            rule = "a FILE, or --widths, --activation, --data and --system are needed"
            raise InputError(option, "none", rule, "theorylab count --help shows the usage")
    kind = given["--system"]
    if kind not in ("interpolation", "critical"):
        raise InputError("--system", kind, "it is interpolation or critical", "choose one")
    network = options.shape(given["--widths"], given["--activation"], given.get("--bias", "none"))
    gauge = given.get("--gauge", "auto")
    if gauge not in GAUGES:
        raise InputError("--gauge", gauge, f"it is one of {', '.join(GAUGES)}", "choose one")
    chosen = options.dataset(given["--data"], given.get("--samples"))
    words = ["theorylab", "count", *(w for pair in given.items() for w in pair)]
    if kind == "critical":
        ridge = given.get("--ridge")
        return critical_system(network, chosen, ridge, gauge, seed=seed), words
    if "--ridge" in given:
        rule = "interpolation has no ridge"
        raise InputError("--ridge", given["--ridge"], rule, "leave it out, or --system critical")
    return interpolation_system(network, chosen, gauge), words
