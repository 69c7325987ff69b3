"""The reference pages that are written from the objects themselves, anew at each build.

The catalogue of claims with its proofs, the experiments, the command line and the public Python
names: what is listed is what the package has.
"""

import contextlib
import importlib
import inspect
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from sphinx.application import Sphinx

import theorylab
from theorylab.claims import Claim, all_claims
from theorylab.cli import application
from theorylab.experiments.register import NAMES, load

ROOT = Path(__file__).resolve().parent.parent.parent

# Modules whose public names the reference documents, besides those of ``theorylab`` itself.
ROOMS = (
    ("Words of an outcome", ("theorylab.outcome",)),
    ("The kernel", ("theorylab.kernel",)),
    ("Networks, data, losses", ("theorylab.model",)),
    ("Instances", ("theorylab.instances",)),
    ("Polynomial systems and counts", (
        "theorylab.counting.equations", "theorylab.counting.systemfile",
        "theorylab.counting.rootcount", "theorylab.counting.random_data",
    )),
    ("Results of the verbs", (
        "theorylab.verify", "theorylab.falsify", "theorylab.connect", "theorylab.levels",
        "theorylab.phase",
    )),
    ("Sweeps", ("theorylab.sweep",)),
    ("Claims", ("theorylab.claims.claim",)),
    ("Experiments", (
        "theorylab.experiments.experiment", "theorylab.experiments.run",
        "theorylab.experiments.verdict", "theorylab.experiments.trained",
    )),
)  # fmt: skip

# A small run of every command; its JSON is what the reference describes.
FILES = {
    "circle.json": '{"variables": ["x", "y"], "polynomials": ["x^2 + y^2 - 5", "x*y - 2"]}',
    "data.csv": "x1,y1\n1,1\n-1,1\n",
    "a.json": '{"widths": [1, 3, 1], "activation": "relu", '
    '"weights": [[["1"], ["-1"], ["0"]], [["1", "1", "0"]]]}',
    "b.json": '{"widths": [1, 3, 1], "activation": "relu", '
    '"weights": [[["-1"], ["1"], ["0"]], [["1", "1", "0"]]]}',
}
RUNS = (
    "list",
    "verify quadratic-connected --out kept",
    "falsify deep-linear-connected --as-stated",
    "phase deep-linear-connected --n 1..1 --p 1..2 --tries 5 --pairs 1",
    "count circle.json",
    "sweep --widths 2,1,1 --activation square --instances 2",
    "connect a.json b.json --data data.csv",
    "levels --widths 1,2,1 --activation relu --data data.csv",
    "experiment max-margin-bias --device cpu",
    "check kept",
    "report kept",
)
_DEEPEST = 3


def escaped(text: str) -> str:
    """Plain words as Markdown: nothing in them is markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>$#|{}~^" else c for c in " ".join(text.split()))


def claims_page(claims: Iterable[Claim]) -> Iterator[str]:
    """The catalogue: one line for each claim, and the way to its page."""
    yield "# The catalogue of claims\n"
    yield "Written from the objects in `theorylab.claims`; `theorylab list` shows the same.\n"
    yield "| claim | says |\n|---|---|"
    for claim in claims:
        mark = " (erratum)" if claim.erratum else ""
        yield f"| [{claim.id}](claims/{claim.id}.md) | {escaped(claim.title)}{mark} |"
    yield "\n```{toctree}\n:hidden:\n"
    yield from (f"claims/{claim.id}" for claim in claims)
    yield "```"


def claim_page(claim: Claim) -> Iterator[str]:
    """One claim: its readings, hypotheses, source and erratum, then the proof as it is kept."""
    yield f"# {claim.id}\n"
    yield f"{escaped(claim.title)}.\n"
    yield f"{claim.quantifier.capitalize()}, {claim.kind}. {escaped(str(claim.source))}.\n"
    for variant in claim.variants:
        yield f"**{variant.name}.** {escaped(variant.words)}.\n"
        if variant.latex:
            yield f"$$\n{variant.latex}\n$$\n"
    yield "| hypothesis (`--drop`) | words |\n|---|---|"
    yield from (f"| `{h.name}` | {escaped(h.words)} |" for h in claim.hypotheses)
    if claim.grids:
        families = ", ".join(f"`{name}`" for name in claim.grids)
        yield f"\nFamilies for `theorylab phase`: {families}."
    if claim.erratum is not None:
        yield f"\n*Printed* {escaped(claim.erratum.printed)}. *Finding*"
        yield f"{escaped(claim.erratum.refuted_by)}. *Correct* {escaped(claim.erratum.corrected)}."
    proof = (ROOT / "proofs" / claim.id / "README.md").read_text(encoding="utf-8")
    yield proof[proof.index("\n## ") :]
    yield "\n## Again\n\n```text"
    yield f"theorylab verify {claim.id} --out DIR"
    yield f"python -m theorylab.kernel DIR/{claim.id}/*.json\n```"


def errata_table(claims: Iterable[Claim]) -> Iterator[str]:
    """What is printed, what was found and what holds, for each claim with an erratum."""
    yield "| claim | printed | finding | correct |\n|---|---|---|---|"
    for claim in claims:
        if claim.erratum is not None:
            parts = (claim.erratum.printed, claim.erratum.refuted_by, claim.erratum.corrected)
            words = " | ".join(map(escaped, parts))
            yield f"| [{claim.id}](/reference/generated/claims/{claim.id}.md) | {words} |"


def experiments_page() -> Iterator[str]:
    """The experiments with their readings and the word that a sound run comes to."""
    yield "# The experiments\n"
    yield "Written from the objects; a reading is expected to be *inconsistent* where the statement"
    yield "as printed does not hold.\n"
    for name in NAMES:
        found = load(name)
        yield f"## {name}\n\n{escaped(found.title)}.\n\n{escaped(str(found.source))}.\n"
        yield "| reading | words | expected |\n|---|---|---|"
        for reading in found.readings:
            yield f"| `{reading.variant}` | {escaped(reading.words)} | {reading.expected} |"
        yield f"\n{escaped(found.remarks)}\n" if found.remarks else ""


def command_line_page() -> Iterator[str]:
    """Every command with its arguments and options, from the application."""
    group = typer.main.get_command(application.app)
    yield "# The command line\n"
    yield "Exit status: 0 as expected, 1 unexpected or rejected, 2 bad input, 3 undecided or"
    yield "incomplete, 130 interrupted. Every command takes `--help`.\n"
    with typer.Context(group, info_name="theorylab") as top:
        for name in group.list_commands(top):
            command = group.get_command(top, name)
            with typer.Context(command, info_name=f"theorylab {name}", parent=None) as context:
                yield f"## {name}\n\n{escaped(command.help or '')}\n"
                yield f"```text\n{command.get_usage(context)}\n```\n"
                for parameter in command.get_params(context):
                    record = parameter.get_help_record(context)
                    if record is not None and parameter.name != "help":
                        yield f"`{record[0]}`\n: {escaped(record[1])}\n"


def keys(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(key, an example) of a JSON value; ``[]`` stands for each element of a list."""
    if isinstance(value, dict) and value and depth <= _DEEPEST:
        for key, part in value.items():
            yield from keys(part, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and depth <= _DEEPEST:
        yield from keys(value[0], f"{path}[]", depth)
    else:
        shown = json.dumps(value, ensure_ascii=False)
        yield path, shown if len(shown) <= 60 else f"{shown[:28]} ... {shown[-28:]}"


def json_page() -> Iterator[str]:
    """The JSON of every command, from a small run of it."""
    yield "# JSON\n"
    yield "Every command takes `--json`: one document on standard output, and nothing else. Keys"
    yield "are only ever added; `schema` changes when one must mean something else. Exact numbers"
    yield "are texts. Below is every key, with its value in one small run.\n"
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, text in FILES.items():
            Path(name).write_text(text, encoding="utf-8")
        for command in RUNS:
            out, noise = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(noise):
                application.main([*command.split(), "--json"])
            yield f"## {command.split()[0]}\n\n```text\ntheorylab {command} --json\n```\n"
            yield "| key | for instance |\n|---|---|"
            for key, shown in keys(json.loads(out.getvalue())):
                yield f"| `{key}` | {escaped(shown)} |"
            yield ""


def python_page() -> Iterator[str]:
    """The public names, each by its docstring, then the rooms that hold the values."""
    yield "# Python\n"
    yield "`import theorylab as tl` gives the names of the first section; each is looked up when it"
    yield "is first used.\n\n## theorylab\n\n```{eval-rst}"
    public = {name: getattr(theorylab, name) for name in theorylab._PUBLIC}
    for name, value in public.items():
        if not inspect.ismodule(value):
            kind = "class" if inspect.isclass(value) else "function"
            yield f".. auto{kind}:: {theorylab._PUBLIC[name]}.{name}"
            yield "   :members:\n" if kind == "class" else ""
    yield "```\n"
    for title, modules in ROOMS:
        yield f"## {title}\n"
        for module in modules:
            room = importlib.import_module(module)
            above = [name for name in vars(room) if vars(room)[name] in public.values()]
            yield f"### {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:"
            yield f"   :exclude-members: {', '.join(sorted(above))}\n```\n" if above else "```\n"


def write(app: Sphinx) -> None:
    """Write all pages into docs/reference/generated; a page that did not change stays as it is."""
    folder = Path(app.srcdir) / "reference" / "generated"
    claims = all_claims()
    pages = {
        "claims.md": claims_page(claims),
        "errata.md": errata_table(claims),
        "experiments.md": experiments_page(),
        "command-line.md": command_line_page(),
        "json.md": json_page(),
        "python.md": python_page(),
        **{f"claims/{claim.id}.md": claim_page(claim) for claim in claims},
    }
    for stale in set(folder.rglob("*.md")) - {folder / name for name in pages}:
        stale.unlink()
    for name, lines in pages.items():
        place, text = folder / name, "\n".join(lines) + "\n"
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            place.write_text(text, encoding="utf-8")


def as_plain_words(
    _: Sphinx, __: str, ___: str, ____: object, _____: object, lines: list[str]
) -> None:
    """Docstrings are words and sessions; a bar in them is an absolute value, no markup."""
    for at, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = line.split("``")
            parts[::2] = (part.replace("|", "\\|") for part in parts[::2])
            lines[at] = "``".join(parts)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", as_plain_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
