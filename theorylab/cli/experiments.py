"""experiment: statistical claims measured on trained networks."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import (
    Interrupted,
    Json,
    Latex,
    Picture,
    Seconds,
    Seed,
    app,
    console,
    print_json,
    progress_bar,
    write_latex,
)
from theorylab.outcome import InputError


@app.command("experiment", short_help="Measure a statistical claim on trained networks.")
def _experiment(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|all",
            help="An experiment, or all of them.",
            autocompletion=options.experiment_names,
        ),
    ],
    budget: Annotated[
        str, typer.Option(metavar="ci|full", help="How much: a minute, or hours of a GPU.")
    ] = "ci",
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu, cuda or cuda:N.")
    ] = "auto",
    threads: Annotated[
        str | None, typer.Option(metavar="N", help="Processes on a CPU; as many as it has cores.")
    ] = None,
    seconds: Seconds = None,
    picture: Picture = None,
    seed: Seed = "0",
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A folder for parts (resumed), tables and pictures."),
    ] = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Train and measure; say whether a claim's readings are consistent with what is seen."""
    from theorylab.experiments.register import NAMES, load
    from theorylab.records import keep
    from theorylab.report.experiments import drawn, print_results, with_files

    number = options.whole("--seed", seed, 0)
    limit = None if seconds is None else options.duration("--seconds", seconds)
    cores = os.cpu_count() or 1
    workers_ = cores if threads is None else options.whole("--threads", threads, 1, 1024)
    folder, drawing = options.folder("--out", out), options.picture("--picture", picture)
    document = options.file("--latex", latex)
    if drawing is not None and name == "all":
        rule = "one experiment makes one picture"
        raise InputError("--picture", str(drawing), rule, "name the experiment, or give --out DIR")
    with options.blaming("NAME"):
        chosen = [load(one) for one in (NAMES if name == "all" else (name,))]
    with options.blaming("--budget"):
        configs = [one.config(budget, number) for one in chosen]
    with options.blaming("--device"):
        from theorylab.experiments.networks.devices import device as device_of

        where = str(device_of(device))
    words = ["theorylab", "experiment", name, *(["--budget", budget] if budget != "ci" else [])]
    words += ["--device", device] if device != "auto" else []
    words += ["--seed", str(number)] if number else []
    from theorylab.experiments.run import run_all, workers

    parts = sum(len(one.parts(config)) for one, config in zip(chosen, configs, strict=True))
    if budget == "full":
        said = f"{parts} parts of some minutes each on a GPU, hours on a CPU"
        print(f"{said}; --seconds S stops between parts, --out DIR goes on", file=sys.stderr)
    elif name == "all":
        # benchmarks/results/experiments-ci.txt
        print(f"{parts} parts, some 2 minutes on two free cores", file=sys.stderr)
    try:
        with (
            progress_bar("preparing the parts") as progress,
            workers(min(workers_, parts), where) as executor,
        ):
            results = run_all(
                configs, device=where, out=folder, executor=executor, seconds=limit,
                progress=progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        said = "" if folder is None else f"finished parts are kept in {folder}"
        raise Interrupted(said) from None
    files = () if folder is None else with_files(results, folder)
    rows = [row for result in results for row in result.to_json()]
    if folder is not None and rows:
        keep(folder, "experiment", rows, words)
    write_latex(document, results, words)
    if drawing is not None and results[0].complete:
        from theorylab.verify import write

        with options.blaming("--picture"):
            write(drawing, drawn(results[0], drawing))
        print(f"wrote {drawing}", file=sys.stderr)
    if json_:
        print_json([row for result in results for row in result.to_json()])
    else:
        print_results(results, console(), words, files)
    statuses = {result.exit_status for result in results}
    return 1 if 1 in statuses else max(statuses)
