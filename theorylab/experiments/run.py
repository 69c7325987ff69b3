"""Running experiments: part by part, on one process or several, kept as they finish, resumed."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from theorylab.experiments.experiment import Arrays, Config, Experiment, Measurements, Reading
from theorylab.experiments.register import load
from theorylab.experiments.table import Table
from theorylab.model.rational import write_whole
from theorylab.outcome import InputError, Observed, Printed
from theorylab.sweep import Crashed, Progress, completed, processes

SCHEMA: Final = "theorylab.experiment/1"
_ROWS: Final = "rows.json"
# Parts handed to an executor at once, or one for each of its workers if these are more: so few
# that a deadline finds none that could have waited.
_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """What one reading of an experiment came to, and whether that is what we expect of it."""

    experiment: str
    reading: Reading
    observed: Observed

    @property
    def expected(self) -> bool:
        """Whether the outcome is the expected word."""
        return self.observed.outcome == self.reading.expected


@dataclass(frozen=True, slots=True, eq=False)
class Result(Printed):
    """The table and arrays of an experiment; ``done`` of ``planned`` parts are in it.

    ``findings`` are judged anew from the table each time, and only of a complete one.
    """

    config: Config
    table: Table
    arrays: Arrays
    device: str
    done: int
    planned: int
    seconds: float = 0.0

    def __repr__(self) -> str:
        name = self.config.experiment
        if not self.complete:
            return f"<{name}: {self.done} of {self.planned} parts measured>"
        words = ", ".join(f"{f.reading.variant} {f.observed.outcome}" for f in self.findings)
        return f"<{name}: {words}; seed {self.config.seed}>"

    @property
    def experiment(self) -> Experiment:
        """What was run."""
        return load(self.config.experiment)

    @property
    def complete(self) -> bool:
        """Whether every part was measured."""
        return self.done == self.planned

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every reading with its verdict; none while parts are missing."""
        if not self.complete:
            return ()
        found = self.experiment
        judged = found.judged(self.config, self.table)
        return tuple(Finding(found.name, reading, observed) for reading, observed in judged)

    @property
    def observed(self) -> Observed:
        """The verdict on the first reading. InputError while parts are missing."""
        if not self.complete:
            rule = f"{self.planned - self.done} of {self.planned} parts were not measured"
            raise InputError("result", self.config.experiment, rule, "run it again to go on")
        return self.findings[0].observed

    @property
    def exit_status(self) -> int:
        """0 every reading as expected, 1 the opposite, 3 undecided or unfinished."""
        if not self.complete:
            return 3
        missed = [f.observed.outcome for f in self.findings if not f.expected]
        return 0 if not missed else 1 if any(word != "undecided" for word in missed) else 3

    def figure(self) -> Any:
        """The result drawn on a new matplotlib figure; no window, no state of pyplot."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8.0, 4.5), layout="constrained")
        self.experiment.draw(self.config, self.table, self.arrays, figure)
        return figure

    def to_json(self) -> list[dict[str, Any]]:
        """One object for each reading, as ``theorylab experiment --json`` prints it."""
        rows: list[dict[str, Any]] = []
        found = self.experiment
        for finding in self.findings:
            rows.append(
                {
                    "schema": SCHEMA,
                    "claim": finding.experiment,
                    "title": found.title,
                    "source": str(found.source),
                    "variant": finding.reading.variant,
                    "reading": finding.reading.words,
                    "asserts": finding.reading.expected,
                    "status": finding.observed.outcome,
                    "expected": finding.expected,
                    **finding.observed.to_json(),
                    "seed": self.config.seed,
                    "words": finding.observed.words,
                    "config": self.config.to_json(),
                    "device": self.device,
                    "seconds": round(self.seconds, 3),
                }
            )
        return rows

    def save(self, folder: str | Path) -> Path:
        """Write result.json and result.npz into a folder, made if needed, each whole or not at all.

        The same configuration and device give the same bytes. Raises InputError when it cannot be
        written.
        """
        place = _folder(Path(folder))
        value = {
            "schema": SCHEMA,
            "experiment": self.config.experiment,
            "config": self.config.to_json(),
            "device": self.device,
            "parts": [self.done, self.planned],
            "rows": list(self.table.rows),
        }
        write_whole(place / "result.npz", _packed(self.arrays), "folder")
        text = json.dumps(value, indent=1, allow_nan=False) + "\n"
        return write_whole(place / "result.json", text.encode(), "folder")


def load_result(folder: str | Path) -> Result:
    """The result that ``Result.save`` wrote. InputError when a file is missing or damaged."""
    place = Path(folder) / "result.json"
    try:
        value = json.loads(place.read_text(encoding="utf-8"))
        if value["schema"] != SCHEMA:
            raise ValueError(f"schema {value['schema']}")
        kind = load(value["experiment"]).budgets
        config = type(next(iter(kind.values()))).from_json(value["config"])
        table, device = Table.of(value["rows"]), str(value["device"])
        done, planned = (int(n) for n in value["parts"])
    except OSError as error:
        rule = f"the file cannot be read ({error.strerror})"
        raise InputError("folder", str(place), rule, "name a folder of a saved result") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError) and error.argument in ("experiment", "config"):
            raise
        raise InputError(
            "folder", str(place), "it holds no result of an experiment", "run the experiment again"
        ) from None
    return Result(config, table, _unpacked(place.with_suffix(".npz")), device, done, planned)


def experiment(
    name: str,
    budget: str = "ci",
    *,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    executor: Executor | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> Result:
    """Run the experiment of this name at a budget, "ci" or "full"; see ``run`` for the rest.

    Guarantees: statistical; every finding states its level, power and gates. Raises InputError for
    an unknown name, budget or device, and when torch is not installed.

    >>> found = experiment("max-margin-bias", device="cpu")
    >>> [(finding.reading.variant, finding.observed.outcome) for finding in found.findings]
    [('printed', 'consistent'), ('rate', 'consistent'), ('plain-gd', 'inconsistent')]
    """
    config = load(name).config(budget, seed)
    return run(config, device=device, out=out, executor=executor, seconds=seconds,
               progress=progress)  # fmt: skip


def run(
    config: Config,
    *,
    device: str = "cpu",
    out: str | Path | None = None,
    executor: Executor | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> Result:
    """Measure every part of an experiment that is not yet in the folder ``out``.

    Guarantees: the table depends on configuration and device only, neither on the executor nor on
    what was resumed. ``seconds`` begins no more parts when spent. Raises InputError.
    """
    return run_all([config], device=device, out=out, executor=executor, seconds=seconds,
                   progress=progress)[0]  # fmt: skip


def run_all(
    configs: Sequence[Config],
    *,
    device: str = "cpu",
    out: str | Path | None = None,
    executor: Executor | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """``run`` on several configurations, their parts sharing one executor; finished parts are kept
    in ``out``/EXPERIMENT/parts as they come, so that whatever ends the run costs the parts at work.
    """
    from theorylab.experiments.networks.devices import device as device_of

    where = str(device_of(device))
    folders = [
        None if out is None else _parts_folder(Path(out), config, where) for config in configs
    ]
    jobs, found = list[_Job](), [dict[str, Measurements]() for _ in configs]
    for place, config in enumerate(configs):
        for part in load(config.experiment).parts(config):
            folder = folders[place]
            kept = None if folder is None else _kept(folder / _file(part))
            if kept is None:
                jobs.append(_Job(config, part, where, place))
            else:
                found[place][part] = kept
    planned = len(jobs) + sum(map(len, found))
    spent = [0.0 for _ in configs]
    tell = progress or (lambda done, planned, label: None)
    tell(planned - len(jobs), planned, "parts")

    deadline = None if seconds is None else time.monotonic() + seconds

    def late() -> bool:
        return deadline is not None and time.monotonic() >= deadline

    ahead = max(_AHEAD, getattr(executor, "_max_workers", 0))
    for job, done in completed(_measured, jobs, executor, ahead=ahead, late=late, noun="part"):
        if isinstance(done, Crashed):
            rule = "its process died each time it was measured; other parts are kept"
            raise InputError("part", str(job), rule, "run it with one process to see why")
        measured, took = done
        place, folder = job.place, folders[job.place]
        if folder is not None:
            write_whole(folder / _file(job.part), _part_bytes(measured), "out")
        found[place][job.part] = measured
        spent[place] += took
        tell(sum(map(len, found)), planned, str(job))
    return [
        _assembled(config, found[place], where, spent[place])
        for place, config in enumerate(configs)
    ]


@dataclass(frozen=True, slots=True)
class _Job:
    """A part to measure; ``place`` is that of its configuration among those asked for."""

    config: Config
    part: str
    device: str
    place: int

    def __str__(self) -> str:
        return f"{self.config.experiment} {self.part}"


def _measured(job: _Job) -> tuple[Measurements, float]:
    return measure_part(job.config, job.part, job.device)


def measure_part(config: Config, part: str, device: str) -> tuple[Measurements, float]:
    """One part, and the seconds it took; on one thread, so that the bits are always the same."""
    from threadpoolctl import threadpool_limits

    from theorylab.experiments.networks.devices import one_thread

    began = time.perf_counter()
    with one_thread(), threadpool_limits(1):
        measured = load(config.experiment).measure(config, part, device)
    return measured, time.perf_counter() - began


def _assembled(
    config: Config, found: Mapping[str, Measurements], device: str, seconds: float
) -> Result:
    parts = load(config.experiment).parts(config)
    done = [part for part in parts if part in found]
    table = Table.of([row for part in done for row in found[part].rows])
    arrays = {f"{part}/{name}": a for part in done for name, a in found[part].arrays.items()}
    return Result(config, table, arrays, device, len(done), len(parts), seconds)


def _parts_folder(out: Path, config: Config, device: str) -> Path:
    subject = {"config": config.to_json(), "device": device.partition(":")[0]}
    digest = hashlib.sha256(json.dumps(subject, sort_keys=True).encode()).hexdigest()
    return _folder(out / config.experiment / "parts" / digest[:16], "out")


def _folder(place: Path, argument: str = "folder") -> Path:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"the folder cannot be made ({error.strerror})"
        raise InputError(argument, str(place), rule, "name another") from None
    return place


def _file(part: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-=.," else "_" for c in part)
    return f"{kept[:60]}-{hashlib.sha256(part.encode()).hexdigest()[:8]}.npz"


def _part_bytes(measured: Measurements) -> bytes:
    rows = json.dumps([dict(row) for row in Table.of(measured.rows)], allow_nan=False)
    return _packed({_ROWS: np.frombuffer(rows.encode(), np.uint8), **measured.arrays})


def _kept(place: Path) -> Measurements | None:
    """The part that was kept, or None when there is none or it is damaged: then measure again."""
    if not place.exists():
        return None
    try:
        arrays = dict(_unpacked(place))
        rows = json.loads(arrays.pop(_ROWS).tobytes())
    except (InputError, KeyError, ValueError):
        return None
    return Measurements(rows, arrays)


def _packed(arrays: Arrays) -> bytes:
    buffer, save = io.BytesIO(), cast(Any, np.savez_compressed)
    plain = {name: np.asarray(a) for name, a in arrays.items()}
    for name, array in plain.items():
        if array.dtype.kind not in "biuf":
            rule = "arrays hold truth values or real numbers"
            raise InputError(f"arrays[{name}]", array.dtype, rule, "put words into the table")
    save(buffer, **plain)
    return buffer.getvalue()


def _unpacked(place: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz file; objects, which would have to be unpickled, are refused."""
    try:
        with np.load(io.BytesIO(place.read_bytes())) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError):
        rule = "the file is missing, damaged, or holds other things than arrays of numbers"
        raise InputError("path", str(place), rule, "run the experiment again") from None


@contextmanager
def workers(count: int, device: str) -> Iterator[Executor | None]:
    """So many processes for the parts on a CPU, or None: one process keeps a GPU busy by itself."""
    with processes(count if device == "cpu" else 1) as executor:
        yield executor
