"""count and sweep: how many solutions, certified."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import (
    Interrupted,
    Json,
    Out,
    Samples,
    Seed,
    app,
    console,
    print_json,
    progress_bar,
)
from theorylab.outcome import InputError

if TYPE_CHECKING:
    from theorylab.counting.system import PolynomialSystem


@app.command("count", short_help="Count solutions or critical points, certified.")
def _count(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="A system: JSON or PHCpack text.")
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
) -> int:
    """Count isolated solutions, certify each, and say whether these are all."""
    from theorylab.counting.completeness import MOST_THREADS, count
    from theorylab.report.counts import print_count, with_certificate

    number = options.whole("--seed", seed, 0)
    workers = options.whole("--threads", threads, 1, MOST_THREADS)
    folder = options.folder("--out", out)
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
    with _blaming_options():
        found = count(
            chosen, seed=number, engine=engine, domain=domain, threads=workers,
            say=lambda said: print(said, file=sys.stderr),
        )  # fmt: skip
    if folder is not None:
        found = with_certificate(found, folder)
    if json_:
        print_json(found.to_json())
    else:
        print_count(found, console(), words)
    return found.exit_status


@contextmanager
def _blaming_options() -> Iterator[None]:
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


@app.command("sweep", short_help="Count on many random data sets.")
def _sweep(
    widths: Annotated[str | None, typer.Option(metavar="N,N,..", help="The widths.")] = None,
    activation: Annotated[
        str | None, typer.Option(metavar="NAME", help="linear, square or cube.")
    ] = None,
    system: Annotated[
        str, typer.Option(metavar="KIND", help="interpolation or critical.")
    ] = "interpolation",
    ridge: Annotated[
        str | None, typer.Option(metavar="generic|VALUE", help="Of critical points, needed there.")
    ] = None,
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Samples in each data set; as many as fit.")
    ] = None,
    bias: Annotated[
        str, typer.Option(metavar="WHERE", help="none, hidden, all, or 1,0,.. by layer.")
    ] = "none",
    gauge: Annotated[str, typer.Option(metavar="NAME", help="auto, first or bias.")] = "auto",
    instances: Annotated[str, typer.Option(metavar="N", help="How many data sets.")] = "100",
    threads: Annotated[str, typer.Option(metavar="N", help="Processes to use.")] = "1",
    seed: Seed = "0",
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A folder for results (resumed), JSON and histogram."),
    ] = None,
    json_: Json = False,
) -> int:
    """Count solutions, certified, and the real ones, on N random data sets."""
    import hashlib

    from theorylab.counting.random_data import RandomCounts, Survey
    from theorylab.report.sweeps import file_stem, print_sweep, with_files
    from theorylab.sweep import Store, processes, sweep

    number, count = options.whole("--seed", seed, 0), options.whole("--instances", instances, 1)
    workers = options.whole("--threads", threads, 1, 1024)
    folder = options.folder("--out", out)
    for option, value in (("--widths", widths), ("--activation", activation)):
        if value is None:
            rule = "the network's widths and activation are needed"
            raise InputError(option, "none", rule, "theorylab sweep --help shows the usage")
    network = options.shape(str(widths), str(activation), bias)
    several = None if samples is None else options.whole("--samples", samples, 1, 10_000)
    words = ["theorylab", "sweep", "--widths", str(widths), "--activation", str(activation)]
    for option, value, usual in (
        ("--system", system, "interpolation"), ("--ridge", ridge, None),
        ("--samples", samples, None), ("--bias", bias, "none"), ("--gauge", gauge, "auto"),
        ("--instances", str(count), "100"),
        ("--threads", str(workers), "1"), ("--seed", str(number), "0"), ("--out", out, None),
    ):  # fmt: skip
        words += [option, value] if value is not None and value != usual else []

    def say(said: str) -> None:
        print(said, file=sys.stderr)

    with _blaming_options():
        problem = RandomCounts(network, system, ridge, several, number, gauge)
        name = problem.system().name
        generic = problem.generic(say)
    digest = hashlib.sha256(json.dumps(problem.subject, sort_keys=True).encode()).hexdigest()
    stem = file_stem(name, digest)
    place = None if folder is None else folder / f"{stem}.sqlite"
    with Store(place, problem.subject) as store:
        try:
            with progress_bar() as progress, processes(min(workers, count)) as executor:
                sweep(problem, range(count), store, executor, progress)
        except KeyboardInterrupt:
            kept = "" if place is None else f"finished data sets are kept in {place}"
            raise Interrupted(kept) from None
        rows = store.results(range(count))
    found = Survey(problem, name, generic, tuple(rows), count)
    files = () if folder is None else with_files(found, folder, stem)
    if json_:
        print_json(found.to_json())
    else:
        print_sweep(found, console(), words, files)
    return found.exit_status
