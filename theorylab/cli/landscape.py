"""falsify and levels: counterexamples, and how many components sublevel sets have."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import (
    Json,
    Latex,
    Out,
    Picture,
    Samples,
    Seconds,
    Seed,
    app,
    console,
    kept,
    print_json,
    progress_bar,
    write_latex,
)
from theorylab.outcome import InputError


@app.command("levels", short_help="The number of components of every sublevel set.")
def _levels(
    network: Annotated[
        str | None, typer.Argument(metavar="NETWORK", help="A network as JSON: its shape.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="CSV or JSON data, or iris, wine.")
    ] = None,
    widths: Annotated[
        str | None, typer.Option(metavar="N,N,1", help="Instead of NETWORK: the widths.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(metavar="NAME", help="relu, abs or linear; a slope needs NETWORK.")
    ] = None,
    bias: Annotated[
        str | None, typer.Option(metavar="WHERE", help="none, hidden, all, or 1,0 by layer.")
    ] = None,
    samples: Samples = None,
    picture: Picture = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Count the components of {L <= u} for every level u, exactly, for one hidden layer."""
    from theorylab.levels import levels
    from theorylab.report.levels import draw, print_levels

    number, folder = options.whole("--seed", seed), options.folder("--out", out)
    drawing, document = options.picture("--picture", picture), options.file("--latex", latex)
    given = {"--widths": widths, "--activation": activation, "--bias": bias}
    chosen = {option: value for option, value in given.items() if value is not None}
    if network is not None:
        if chosen:
            rule = "NETWORK holds the whole shape"
            remedy = "give NETWORK, or --widths and --activation"
            raise InputError(next(iter(chosen)), network, rule, remedy)
        shape, _ = options.network("NETWORK", network)
    else:
        for option in ("--widths", "--activation"):
            if option not in chosen:
                rule = "NETWORK, or --widths and --activation are needed"
                raise InputError(option, "none", rule, "theorylab levels --help shows the usage")
        shape = options.shape(str(widths), str(activation), bias or "none")
    if data is None:
        raise InputError("--data", "none", "a data set is needed", "name a file, iris or wine")
    points = options.dataset(data, samples)
    words = ["theorylab", "levels", *([network] if network is not None else [])]
    words += [w for pair in chosen.items() for w in pair] + ["--data", data]
    words += ["--samples", samples] if samples is not None else []

    def say(said: str) -> None:
        print(said, file=sys.stderr)

    with progress_bar("visiting the regions"), kept(folder):
        found = levels(shape, points, folder, say=say, command=words)
    write_latex(document, found, words)
    place = None if drawing is None or found.outcome != "proved" else draw(found, drawing)
    if json_:
        print_json(found.to_json(number))
    else:
        print_levels(found, console(), words, place)
    return found.exit_status


@app.command("falsify", short_help="Hunt for a counterexample, and shrink it.")
def _falsify(
    claim: Annotated[
        str,
        typer.Argument(
            metavar="CLAIM|all",
            help="A claim, or FILE.py::NAME; all: see above.",
            autocompletion=options.claim_ids,
        ),
    ],
    drop: Annotated[
        str | None, typer.Option(metavar="HYPOTHESIS", help="Hunt without this hypothesis.")
    ] = None,
    as_stated: Annotated[
        bool, typer.Option("--as-stated", help="Hunt the statement as the source prints it.")
    ] = False,
    tries: Annotated[str, typer.Option(metavar="N", help="Different cases at most.")] = "2000",
    seconds: Seconds = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Hunt for a counterexample to a claim; the kernel refutes, or it is not found.

    CLAIM = all makes the sharpness table: every claim about components, paths and valleys without
    each of its hypotheses; --tries and --seconds then bound each hunt.
    """
    from theorylab.falsify import falsify
    from theorylab.report.hunts import print_hunt, print_sharpness

    number, budget = options.whole("--seed", seed), options.whole("--tries", tries, 1)
    limit = None if seconds is None else options.duration("--seconds", seconds)
    document = options.file("--latex", latex)
    folder = options.folder("--out", out)
    if claim == "all":
        if drop is not None or as_stated:
            given = "--as-stated" if drop is None else f"--drop {drop}"
            rule = "all drops each hypothesis of each claim in turn"
            raise InputError("arguments", given, rule, "leave it out, or name a claim")
        from theorylab.falsify.sharpness import sharpness

        with progress_bar() as progress:
            table = sharpness(
                tries=budget, seed=number, seconds=limit, out=folder, progress=progress
            )
        words = ["theorylab", "falsify", "all", "--tries", str(budget)]
        words += ["--seed", str(number)] if number else []
        write_latex(document, table, words)
        if json_:
            print_json(table.to_json())
        else:
            print_sharpness(table, console())
        return table.exit_status
    chosen = options.claims([claim])
    if len(chosen) > 1:
        names = ", ".join(one.id for one in chosen)
        raise InputError("CLAIM", claim, f"it has {names}", f"name one: {claim}::{chosen[0].id}")
    words = ["theorylab", "falsify", claim, *(["--drop", drop] if drop is not None else [])]
    words += ["--as-stated"] if as_stated else []
    words += ["--tries", str(budget)] if budget != 2000 else []
    words += ["--seed", str(number)] if number else []
    with progress_bar() as progress:
        found = falsify(
            chosen[0], drop, as_stated=as_stated, tries=budget, seed=number, seconds=limit,
            out=folder, progress=progress, command=words,
        )  # fmt: skip
    write_latex(document, found, words)
    if json_:
        print_json(found.to_json())
    else:
        print_hunt(found, console(), words)
    return found.exit_status


@app.command("phase", short_help="A map of a claim over n inputs and p units.")
def _phase(
    claim: Annotated[
        str,
        typer.Argument(
            metavar="CLAIM",
            help="A claim with such a family.",
            autocompletion=options.claim_ids,
        ),
    ],
    n: Annotated[str, typer.Option("--n", metavar="A..B", help="Numbers of inputs.")] = "1..3",
    p: Annotated[str, typer.Option("--p", metavar="A..B", help="Numbers of units.")] = "1..6",
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which family of the claim.")
    ] = None,
    tries: Annotated[
        str, typer.Option(metavar="N", help="Cases searched in a cell without the lemma.")
    ] = "200",
    pairs: Annotated[str, typer.Option(metavar="N", help="Instances proved in a cell.")] = "8",
    picture: Picture = None,
    seconds: Seconds = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Say for each n and p: the lemma applies, refuted by an instance, or open."""
    from theorylab.phase import phase
    from theorylab.report.hunts import picture as drawn
    from theorylab.report.hunts import print_phase
    from theorylab.verify import write

    ns, ps = options.span("--n", n), options.span("--p", p)
    number, folder = options.whole("--seed", seed), options.folder("--out", out)
    drawing, document = options.picture("--picture", picture), options.file("--latex", latex)
    budget, several = options.whole("--tries", tries, 1), options.whole("--pairs", pairs, 1)
    limit = None if seconds is None else options.duration("--seconds", seconds)
    words = ["theorylab", "phase", claim]
    for option, value, usual in (
        ("--n", n, "1..3"), ("--p", p, "1..6"), ("--family", family, None),
        ("--tries", str(budget), "200"), ("--pairs", str(several), "8"),
        ("--seed", str(number), "0"),
    ):  # fmt: skip
        words += [option, value] if value is not None and value != usual else []
    with progress_bar() as progress:
        found = phase(
            claim, ns, ps, family=family, tries=budget, pairs=several, seed=number,
            seconds=limit, out=folder, progress=progress, command=words,
        )  # fmt: skip
    write_latex(document, found, words)
    if drawing is not None:
        write(drawing, drawn(found, drawing.suffix.lower()[1:]))
        print(f"wrote {drawing}", file=sys.stderr)
    if json_:
        print_json(found.to_json())
    else:
        print_phase(found, console(), words)
    return found.exit_status
