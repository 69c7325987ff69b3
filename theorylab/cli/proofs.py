"""list, verify, connect, check: what the kernel proves and refutes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import (
    Json,
    Latex,
    Out,
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

if TYPE_CHECKING:
    from theorylab.verify import Checked


@app.command("list", short_help="Show the catalogue, or a claim of it in full.")
def _list(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLAIM",
            help="Claims or experiments to show in full, or FILE.py.",
            autocompletion=options.names_to_list,
        ),
    ] = None,
    json_: Json = False,
    seed: Seed = "0",
) -> int:
    """Show the catalogue of claims and experiments; of a CLAIM its readings, its hypotheses by the
    names that falsify --drop takes, its source and erratum."""
    from theorylab.claims import all_claims
    from theorylab.experiments.register import NAMES, entries, load

    number = options.whole("--seed", seed)
    wanted = list(dict.fromkeys(names or ()))
    tried = [name for name in wanted if name in NAMES]
    claims = options.claims([name for name in wanted if name not in NAMES])
    chosen = [entry for entry in entries() if entry.name in tried or not wanted]
    shown = claims if wanted else [*all_claims()]
    if json_:
        listed = [
            {
                "id": claim.id,
                "title": claim.title,
                "source": str(claim.source) if claim.source else None,
                "quantifier": claim.quantifier,
                "hypotheses": [hypothesis.words for hypothesis in claim.hypotheses],
                "kind": claim.kind,
                "erratum": claim.erratum is not None,
                "words": claim.words,
                "variants": [variant.name for variant in claim.variants],
                "names": [hypothesis.name for hypothesis in claim.hypotheses],
                "families": [*claim.grids],
            }
            for claim in shown
        ]
        value = {"schema": "theorylab.list/1", "seed": number, "claims": listed}
        experiments = [{"id": entry.name, "title": entry.title} for entry in chosen]
        print_json({**value, "experiments": experiments})
        return 0
    from theorylab.report.catalogue import print_catalogue, print_claims

    if wanted:
        print_claims(claims, console(), [load(name) for name in tried])
    else:
        print_catalogue(shown, console(), chosen)
    return 0


@app.command("verify", short_help="Decide claims on exact instances.")
def _verify(
    claims: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLAIM",
            help="Claims, or FILE.py[::NAME] of yours; by default all.",
            autocompletion=options.claim_ids,
        ),
    ] = None,
    instances: Annotated[
        str, typer.Option(metavar="N", help="Random instances of each claim besides the fixed.")
    ] = "0",
    seconds: Seconds = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Decide claims on exact instances; the kernel alone says proved or refuted."""
    from theorylab.claims import all_claims
    from theorylab.verify import verify

    ids = list(dict.fromkeys(claims or ()))
    chosen = options.claims(ids) or [*all_claims()]
    number, count = options.whole("--seed", seed), options.whole("--instances", instances, 0)
    limit = None if seconds is None else options.duration("--seconds", seconds)
    folder, document = options.folder("--out", out), options.file("--latex", latex)
    command = ["theorylab", "verify", *ids, *(["--instances", str(count)] if count else [])]
    command += ["--seed", str(number)] if number else []
    with progress_bar() as progress, kept(folder):
        run = verify(
            chosen, instances=count, seed=number, seconds=limit, out=folder, progress=progress,
            command=command,
        )  # fmt: skip
    write_latex(document, run, command, chosen)
    if json_:
        print_json(run.to_json())
    else:
        from theorylab.report.terminal import print_verification

        print_verification(run, chosen, console(), command)
    return run.exit_status


@app.command("connect", short_help="Join two settings of one network by a path.")
def _connect(
    network_a: Annotated[
        str, typer.Argument(metavar="NETWORK_A", help="A network: JSON, or .pt of torch.")
    ],
    network_b: Annotated[str, typer.Argument(metavar="NETWORK_B", help="Another of its shape.")],
    data: Annotated[
        str,
        typer.Option(metavar="FILE|NAME", help="CSV or JSON data, or a name: iris, wine, digits."),
    ],
    samples: Samples = None,
    activation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="That of a .pt which does not name it [relu]."),
    ] = None,
    bits: Annotated[
        str | None,
        typer.Option(metavar="N", help="Round the weights of a .pt to multiples of 2^-N."),
    ] = None,
    ridge: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Add VALUE times the squared weights.")
    ] = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Join two weight settings of one network by a path that stays below the higher loss."""
    from theorylab.connect import connect, prepare, same_network, with_curves
    from theorylab.records import keep

    number = options.whole("--seed", seed)
    trained = options.is_torch(network_a) or options.is_torch(network_b)
    for option, value in (("--activation", activation), ("--bits", bits)):
        if value is not None and not trained:
            rule = "it is for networks of torch, and a JSON network says all itself"
            raise InputError(option, value, rule, "leave it out, or name .pt files")
    rounded = None if bits is None else options.whole("--bits", bits, 0, 200)
    network, a = options.network("NETWORK_A", network_a, activation or "relu", rounded)
    other, b = options.network("NETWORK_B", network_b, activation or "relu", rounded)
    same_network(network, other)
    chosen = options.dataset(data, samples)
    folder, document = options.folder("--out", out), options.file("--latex", latex)
    penalty = None if ridge is None else options.positive("--ridge", ridge)
    before = prepare(network, chosen, a, b, penalty)
    if before.needed_width is not None:
        needed, given = (_listed(widths) for widths in (before.needed_width, before.hidden))
        print(f"hidden widths that suffice: {needed}; given: {given}", file=sys.stderr)
    words = ["theorylab", "connect", network_a, network_b, "--data", data]
    for option, value in (
        ("--samples", samples), ("--activation", activation), ("--bits", bits),
        ("--ridge", ridge), ("--seed", str(number) if number else None),
    ):  # fmt: skip
        words += [] if value is None else [option, value]
    stem = f"{Path(network_a).stem}-{Path(network_b).stem}"
    with progress_bar("looking for a path"), kept(folder):
        found = connect(network, chosen, a, b, folder, stem, penalty, words)
        found = replace(found, bits=rounded)
        if trained and penalty is None:
            found = with_curves(found, network, chosen, a, b, number)
    if folder is not None:
        keep(folder, "connect", found.to_json(number), words)
    write_latex(document, found, words)
    if json_:
        print_json(found.to_json(number))
    else:
        from theorylab.report.terminal import print_joining

        print_joining(found, console(), words)
    return found.exit_status


@app.command("check", short_help="Check certificates again.")
def _check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Certificates, or folders of them.")
    ],
    json_: Json = False,
    latex: Latex = None,
    seed: Annotated[str, typer.Option(metavar="N", hidden=True)] = "0",
) -> int:
    """Check certificates again with the kernel alone; folders are searched for *.json."""
    from theorylab.records import is_record
    from theorylab.verify import check

    number = options.whole("--seed", seed)
    found = options.certificates(files)
    paths = [path for path in found if not is_record(path)]
    if not paths:
        rule = "these are records of runs, no certificates"
        raise InputError("FILE", " ".join(files), rule, "theorylab report DIR shows them")
    document = options.file("--latex", latex)
    checked: list[Checked] = []
    with progress_bar("reading the files") as progress:
        for path in paths:
            progress(len(checked), len(paths), path.name)
            checked += check([path])
    if left := len(found) - len(paths):
        many = "1 record of a run" if left == 1 else f"{left} records of runs"
        print(f"{many} left aside; theorylab report shows them", file=sys.stderr)
    write_latex(document, checked, ["theorylab", "check", *files])
    if json_:
        schema = {"schema": "theorylab.check/1", "seed": number}
        print_json([{**schema, **one.to_json()} for one in checked])
    else:
        from theorylab.report.terminal import print_checked

        print_checked(checked, console())
    return 1 if any(one.outcome == "rejected" for one in checked) else 0


def _listed(widths: Sequence[int]) -> str:
    return ", ".join(map(str, widths)) or "none"
