"""list, verify, connect, check: what the kernel proves and refutes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

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
    write_document,
)
from theorylab.outcome import InputError


@app.command("list", short_help="Show the claims of the catalogue.")
def _list(json_: Json = False, seed: Seed = "0") -> int:
    """Show the catalogue: claims with hypotheses, source and erratum; experiments."""
    from theorylab.claims import all_claims
    from theorylab.experiments.register import entries

    number = options.whole("--seed", seed)
    claims = all_claims()
    if json_:
        listed = [
            {
                "id": claim.id,
                "title": claim.title,
                "source": str(claim.source),
                "quantifier": claim.quantifier,
                "hypotheses": [hypothesis.words for hypothesis in claim.hypotheses],
                "kind": claim.kind,
                "erratum": claim.erratum is not None,
                "words": claim.words,
                "variants": [variant.name for variant in claim.variants],
            }
            for claim in claims
        ]
        tried = [{"id": entry.name, "title": entry.title} for entry in entries()]
        value = {"schema": "theorylab.list/1", "seed": number, "claims": listed}
        print_json({**value, "experiments": tried})
    else:
        from theorylab.report.terminal import print_claims

        print_claims(claims, console(), entries())
    return 0


@app.command("verify", short_help="Decide claims on exact instances.")
def _verify(
    claims: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLAIM]...", help="Claims, or FILE.py[::NAME] of yours; by default all."
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
    with progress_bar() as progress, kept(folder):
        run = verify(
            chosen, instances=count, seed=number, seconds=limit, out=folder, progress=progress
        )
    if document is not None:
        from theorylab.report.latex import verification_latex

        write_document("--latex", document, verification_latex(run, chosen))
    if json_:
        print_json(run.to_json())
    else:
        from theorylab.report.terminal import print_verification

        command = ["theorylab", "verify", *ids]
        command += ["--instances", str(count)] if count else []
        command += ["--seed", str(number)] if number else []
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
) -> int:
    """Join two weight settings of one network by a path that stays below the higher loss."""
    from theorylab.connect import connect, prepare, same_network, with_curves

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
    folder = options.folder("--out", out)
    penalty = None if ridge is None else options.positive("--ridge", ridge)
    before = prepare(network, chosen, a, b, penalty)
    if before.needed_width is not None:
        needed, given = (_listed(widths) for widths in (before.needed_width, before.hidden))
        print(f"hidden widths that suffice: {needed}; given: {given}", file=sys.stderr)
    with kept(folder):
        found = connect(
            network, chosen, a, b, folder, f"{Path(network_a).stem}-{Path(network_b).stem}", penalty
        )
        found = replace(found, bits=rounded)
        if trained and penalty is None:
            found = with_curves(found, network, chosen, a, b, number)
    if json_:
        print_json(found.to_json(number))
    else:
        from theorylab.report.terminal import print_joining

        print_joining(found, console())
    return found.exit_status


@app.command("check", short_help="Check certificates again.")
def _check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Certificates, or folders of them.")
    ],
    json_: Json = False,
    latex: Latex = None,
    seed: Annotated[str, typer.Option(metavar="N", hidden=True)] = "0",
) -> int:
    """Check certificates again with the kernel alone; folders are searched for *.json."""
    from theorylab.verify import check

    number = options.whole("--seed", seed)
    paths = options.certificates(files)
    document = options.file("--latex", latex)
    checked = check(paths)
    if document is not None:
        from theorylab.report.latex import checked_latex

        write_document("--latex", document, checked_latex(checked))
    if json_:
        schema = {"schema": "theorylab.check/1", "seed": number}
        print_json([{**schema, **one.to_json()} for one in checked])
    else:
        from theorylab.report.terminal import print_checked

        print_checked(checked, console())
    return 1 if any(one.outcome == "rejected" for one in checked) else 0


def _listed(widths: Sequence[int]) -> str:
    return ", ".join(map(str, widths)) or "none"
