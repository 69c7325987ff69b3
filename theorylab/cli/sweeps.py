"""sweep: how many solutions on many random data sets, certified."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from theorylab.cli import options
from theorylab.cli.application import (
    Interrupted,
    Json,
    Latex,
    Seed,
    app,
    console,
    print_json,
    progress_bar,
    write_latex,
)
from theorylab.cli.counts import blaming_options
from theorylab.outcome import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from theorylab.counting.random_data import RandomCounts
    from theorylab.sweep import Limits, Store

# Seconds of work after which its length can be told, and from which on it is worth telling.
_SOON, _LONG = 3.0, 20.0
_OPTIONS = {"dask": "--dask", "seconds": "--each-seconds", "memory": "--each-memory"}


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
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler, whose workers count instead."),
    ] = None,
    each_seconds: Annotated[
        str | None, typer.Option(metavar="S", help="Give up a data set after S seconds.")
    ] = None,
    each_memory: Annotated[
        str | None, typer.Option(metavar="MIB", help="Give up one that takes more memory.")
    ] = None,
    seed: Seed = "0",
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A folder for results (resumed), JSON and histogram."),
    ] = None,
    json_: Json = False,
    latex: Latex = None,
) -> int:
    """Count solutions, certified, and the real ones, on N random data sets."""
    import hashlib

    from theorylab.counting.random_data import RandomCounts, Survey
    from theorylab.records import keep
    from theorylab.report.sweeps import file_stem, print_sweep, with_files
    from theorylab.sweep import Limits, Store

    number, count = options.whole("--seed", seed, 0), options.whole("--instances", instances, 1)
    workers = options.whole("--threads", threads, 1, 1024)
    if dask is not None and workers > 1:
        rule = "the workers are those of the cluster"
        raise InputError("--threads", workers, rule, "leave it out, or --dask")
    limits = None
    if dask is not None or each_seconds is not None or each_memory is not None:
        # Threads of a Dask worker share FLINT's precision: each data set has a process there.
        limits = Limits(
            None if each_seconds is None else options.duration("--each-seconds", each_seconds),
            None if each_memory is None else options.whole("--each-memory", each_memory, 1, 2**30),
        )
    folder, document = options.folder("--out", out), options.file("--latex", latex)
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
        ("--threads", str(workers), "1"), ("--dask", dask, None),
        ("--each-seconds", each_seconds, None), ("--each-memory", each_memory, None),
        ("--seed", str(number), "0"), ("--out", out, None),
    ):  # fmt: skip
        words += [option, value] if value is not None and value != usual else []

    with blaming_options():
        problem = RandomCounts(network, system, ridge, several, number, gauge)
        name = problem.system().name
    digest = hashlib.sha256(json.dumps(problem.subject, sort_keys=True).encode()).hexdigest()
    stem = file_stem(name, digest)
    place = None if folder is None else folder / f"{stem}.sqlite"
    with Store(place, problem.subject) as store:
        with blaming_options():
            generic = problem.generic(say)
        try:
            _swept(problem, count, store, limits, workers, dask)
        except KeyboardInterrupt:
            kept = "" if place is None else f"finished data sets are kept in {place}"
            raise Interrupted(kept) from None
        rows = tuple(store.results(range(count)))
        missing = tuple(
            {"instance": i, **why.to_json()} for i, why in store.unfinished().items() if i < count
        )
    found = Survey(problem, name, generic, rows, count, missing)
    files = () if folder is None else with_files(found, folder, stem)
    if folder is not None:
        keep(folder, "sweep", found.to_json(), words)
    write_latex(document, found, words)
    if json_:
        print_json(found.to_json())
    else:
        print_sweep(found, console(), words, files)
    return found.exit_status


def say(said: str) -> None:
    """Words beside the result, on standard error."""
    print(said, file=sys.stderr)


def _swept(
    problem: RandomCounts,
    count: int,
    store: Store,
    limits: Limits | None,
    workers: int,
    address: str | None,
) -> None:
    from theorylab.sweep import dask, processes, sweep

    with _blaming_limits(), ExitStack() as opened:
        executor: Executor | None = opened.enter_context(
            processes(min(workers, count)) if address is None else dask(address)
        )
        bar = opened.enter_context(progress_bar())
        progress = bar if sys.stderr.isatty() else Estimate(say)
        sweep(problem, range(count), store, executor, progress, limits=limits)


@contextmanager
def _blaming_limits() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        name = _OPTIONS.get(error.argument, error.argument)
        raise InputError(name, error.value, error.rule, error.remedy) from None


class Estimate:
    """Progress where no bar is shown: how long it will last, said once, when that is long.

    >>> now = iter([0.0, 9.0, 11.0, 14.0])
    >>> tell = Estimate(print, lambda: next(now))
    >>> for done in (100, 101, 102, 111):
    ...     tell(done, 1111, "instances")
    1000 instances left, about 8 min 20 s
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._clock = say, clock
        self._told = self._said = False
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, planned: int, label: str) -> None:
        if self._said:
            return
        now = self._clock()
        # from the first that comes: workers need some seconds before they begin
        if self._first is None:
            self._first, self._told = ((now, done) if self._told else None), True
            return
        begun, first = self._first
        if now - begun < _SOON:
            return
        self._said = True
        left = (planned - done) * (now - begun) / (done - first)
        if left > _LONG:
            from theorylab.cli.progress import lasting

            self._say(f"{planned - done} {label} left, about {lasting(left)}")
