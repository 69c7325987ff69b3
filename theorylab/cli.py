"""The command line: ``theorylab list | verify | count | sweep | connect | check``.

Thin: it reads options, calls one verb, prints its page or its JSON, and turns the outcome into an
exit status: 0 as expected, 1 an unexpected finding or a rejected certificate, 2 bad input, 3 only
undecided or incomplete, 130 interrupted.
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

from theorylab.options import biases as _biases
from theorylab.options import duration as _duration
from theorylab.options import file as _file
from theorylab.options import folder as _folder
from theorylab.options import named as _named
from theorylab.options import whole as _whole
from theorylab.outcome import InputError, shortened

if TYPE_CHECKING:
    from rich.console import Console

    from theorylab.counting.system import PolynomialSystem
    from theorylab.model import Dataset, Network, Weights

app = typer.Typer(
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
    except (_Interrupted, KeyboardInterrupt, typer.Abort) as error:
        return _interrupted(str(error))
    except BrokenPipeError:
        # The reader has gone (`theorylab list | head`); Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    # Some versions of typer turn Ctrl-C into this status without a word.
    return _interrupted("") if status == 130 else int(status or 0)


class _Interrupted(Exception):
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


@app.command("list", short_help="Show the claims of the catalogue.")
def _list(json_: Json = False, seed: Seed = "0") -> int:
    """Show the claims of the catalogue: statement, hypotheses, source, erratum."""
    from theorylab.claims import all_claims

    number = _whole("--seed", seed)
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
        _print_json({"schema": "theorylab.list/1", "seed": number, "claims": listed})
    else:
        from theorylab.report.terminal import print_claims

        print_claims(claims, _console())
    return 0


@app.command("verify", short_help="Decide claims on exact instances.")
def _verify(
    claims: Annotated[
        list[str] | None, typer.Argument(metavar="[CLAIM]...", help="Claims; all by default.")
    ] = None,
    instances: Annotated[
        str, typer.Option(metavar="N", help="Random instances of each claim besides the fixed.")
    ] = "0",
    seconds: Annotated[
        str | None, typer.Option(metavar="S", help="Begin no further instance after S seconds.")
    ] = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Decide claims on exact instances; the kernel alone says proved or refuted."""
    from theorylab.claims import all_claims, claim
    from theorylab.verify import verify

    ids = list(dict.fromkeys(claims or ()))
    chosen = [claim(identifier) for identifier in ids] or [*all_claims()]
    number, count = _whole("--seed", seed), _whole("--instances", instances, 0)
    limit = None if seconds is None else _duration("--seconds", seconds)
    folder, document = _folder("--out", out), _file("--latex", latex)
    with _progress() as progress, _kept(folder):
        run = verify(
            ids, instances=count, seed=number, seconds=limit, out=folder, progress=progress
        )
    if document is not None:
        from theorylab.report.latex import verification_latex

        _write("--latex", document, verification_latex(run, chosen))
    if json_:
        _print_json(run.to_json())
    else:
        from theorylab.report.terminal import print_verification

        command = ["theorylab", "verify", *ids]
        command += ["--instances", str(count)] if count else []
        command += ["--seed", str(number)] if number else []
        print_verification(run, chosen, _console(), command)
    return run.exit_status


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
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Only the first N samples.")
    ] = None,
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

    number = _whole("--seed", seed, 0)
    workers = _whole("--threads", threads, 1, MOST_THREADS)
    folder = _folder("--out", out)
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
        _print_json(found.to_json())
    else:
        print_count(found, _console(), words)
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
    from theorylab.model import Network

    given = {option: value for option, value in shape.items() if value is not None}
    if file is not None:
        if given:
            rule = "a FILE holds the whole system"
            raise InputError(next(iter(given)), file, rule, "give FILE, or --widths and the others")
        with _blaming("FILE", file):
            return read_system(_named("path", file)), ["theorylab", "count", file]
    for option in ("--widths", "--activation", "--data", "--system"):
        if option not in given:
            rule = "a FILE, or --widths, --activation, --data and --system are needed"
            raise InputError(option, "none", rule, "theorylab count --help shows the usage")
    kind = given["--system"]
    if kind not in ("interpolation", "critical"):
        raise InputError("--system", kind, "it is interpolation or critical", "choose one")
    numbers = [_whole("--widths", w, 1, 10_000) for w in given["--widths"].split(",")]
    biases = _biases(given.get("--bias", "none"), len(numbers) - 1)
    with _blaming("--activation"):
        network = Network.dense(tuple(numbers), given["--activation"], biases)
    gauge = given.get("--gauge", "auto")
    if gauge not in GAUGES:
        raise InputError("--gauge", gauge, f"it is one of {', '.join(GAUGES)}", "choose one")
    chosen = _first(_data(given["--data"]), given.get("--samples"))
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
    from theorylab.model import Network
    from theorylab.report.sweeps import file_stem, print_sweep, with_files
    from theorylab.sweep import Store, processes, sweep

    number, count = _whole("--seed", seed, 0), _whole("--instances", instances, 1)
    workers = _whole("--threads", threads, 1, 1024)
    folder = _folder("--out", out)
    for option, value in (("--widths", widths), ("--activation", activation)):
        if value is None:
            rule = "the network's widths and activation are needed"
            raise InputError(option, "none", rule, "theorylab sweep --help shows the usage")
    numbers = [_whole("--widths", w, 1, 10_000) for w in str(widths).split(",")]
    biases = _biases(bias, len(numbers) - 1)
    with _blaming("--activation"):
        network = Network.dense(tuple(numbers), str(activation), biases)
    several = None if samples is None else _whole("--samples", samples, 1, 10_000)
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
            with _progress() as progress, processes(min(workers, count)) as executor:
                sweep(problem, range(count), store, executor, progress)
        except KeyboardInterrupt:
            kept = "" if place is None else f"finished data sets are kept in {place}"
            raise _Interrupted(kept) from None
        rows = store.results(range(count))
    found = Survey(problem, name, generic, tuple(rows), count)
    files = () if folder is None else with_files(found, folder, stem)
    if json_:
        _print_json(found.to_json())
    else:
        print_sweep(found, _console(), words, files)
    return found.exit_status


@app.command("connect", short_help="Join two settings of one network by a path.")
def _connect(
    network_a: Annotated[str, typer.Argument(metavar="NETWORK_A", help="A network, as JSON.")],
    network_b: Annotated[str, typer.Argument(metavar="NETWORK_B", help="Another of its shape.")],
    data: Annotated[
        str, typer.Option(metavar="FILE|NAME", help="CSV or JSON data, or a name: iris, wine.")
    ],
    samples: Annotated[
        str | None, typer.Option(metavar="N", help="Only the first N samples.")
    ] = None,
    seed: Seed = "0",
    out: Out = None,
    json_: Json = False,
) -> int:
    """Join two weight settings of one network by a path that stays below the higher loss."""
    from theorylab.connect import connect, prepare, same_network

    number = _whole("--seed", seed)
    network, a = _network("NETWORK_A", network_a)
    other, b = _network("NETWORK_B", network_b)
    same_network(network, other)
    chosen = _first(_data(data), samples)
    folder = _folder("--out", out)
    before = prepare(network, chosen, a, b)
    if before.needed_width is not None:
        needed, given = (_listed(widths) for widths in (before.needed_width, before.hidden))
        print(f"hidden widths that suffice: {needed}; given: {given}", file=sys.stderr)
    with _kept(folder):
        found = connect(
            network, chosen, a, b, folder, f"{Path(network_a).stem}-{Path(network_b).stem}"
        )
    if json_:
        _print_json(found.to_json(number))
    else:
        from theorylab.report.terminal import print_joining

        print_joining(found, _console())
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

    number = _whole("--seed", seed)
    paths = _certificates(files)
    document = _file("--latex", latex)
    checked = check(paths)
    if document is not None:
        from theorylab.report.latex import checked_latex

        _write("--latex", document, checked_latex(checked))
    if json_:
        schema = {"schema": "theorylab.check/1", "seed": number}
        _print_json([{**schema, **one.to_json()} for one in checked])
    else:
        from theorylab.report.terminal import print_checked

        print_checked(checked, _console())
    return 1 if any(one.outcome == "rejected" for one in checked) else 0


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None] | None]:
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
def _kept(out: Path | None) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        words = "" if out is None else f"finished certificates are kept in {out}"
        raise _Interrupted(words) from None


def _write(argument: str, path: Path, text: str) -> None:
    from theorylab.verify import write

    with _blaming(argument):
        write(path, text.encode("utf-8"))
    print(f"wrote {path}", file=sys.stderr)


@contextmanager
def _blaming(argument: str, path: object = None) -> Iterator[None]:
    """Complaints about what a file holds name the option and the file that it came by."""
    try:
        yield
    except InputError as error:
        inner = error.argument
        where = f"{argument} {path}, {inner}"
        if inner in ("path", "data", "out"):
            where = argument
        elif inner.startswith("path "):
            where = f"{argument} {path}"
        raise InputError(where, error.value, error.rule, error.remedy) from None


def _network(argument: str, path: str) -> tuple[Network, Weights]:
    from theorylab.model import read_network

    with _blaming(argument, path):
        return read_network(_named("path", path))


def _data(name: str) -> Dataset:
    from theorylab.model import load_dataset

    with _blaming("--data", name):
        return load_dataset(name)


def _first(data: Dataset, samples: str | None) -> Dataset:
    from dataclasses import replace

    if samples is None:
        return data
    count = _whole("--samples", samples, 1, data.samples)
    return replace(data.subset(range(count)), name=f"{data.name} (first {count} of {data.samples})")


def _listed(widths: Sequence[int]) -> str:
    return ", ".join(map(str, widths)) or "none"


def _certificates(files: Sequence[str]) -> list[Path]:
    """The files themselves and all *.json below the folders, in order."""
    found: list[Path] = []
    for path in (_named("FILE", name) for name in files):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*.json") if p.is_file())
            if not inside:
                rule = "no *.json file lies in this folder"
                raise InputError("FILE", str(path), rule, "name a folder of certificates")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            rule = "there is no such file or folder"
            raise InputError("FILE", str(path), rule, "check the path")
    return list(dict.fromkeys(found))
