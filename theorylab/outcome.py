"""The words of an outcome that live outside the kernel, and citations as data."""

from __future__ import annotations

import enum
import importlib
import re
from dataclasses import dataclass
from math import isfinite
from types import ModuleType
from typing import Any

_SHOWN = 80


def shortened(value: object) -> str:
    """The value as one line of at most 80 characters, its middle left out when it is longer.

    >>> shortened("ab\\ncd")
    "'ab\\\\ncd'"
    >>> len(shortened("7" * 10_000))
    80
    """
    # Rendering a huge value only to drop most of it can take minutes; a long text is cut first.
    if isinstance(value, str) and len(value) > 2 * _SHOWN:
        value = value[:_SHOWN] + value[-_SHOWN:]
    try:
        text = str(value)
    except ValueError:  # Python refuses to print integers beyond its digit limit
        text = f"a {type(value).__name__} too long to print"
    if not text.isprintable() or text != text.strip() or not text:
        text = repr(text)
    if len(text) <= _SHOWN:
        return text
    head = (_SHOWN - 5) // 2
    return f"{text[:head]} ... {text[-(_SHOWN - 5 - head) :]}"


class InputError(ValueError):
    """A bad input: which argument, the value it had, the rule it breaks, and what to do.

    >>> print(InputError("widths", (2, 0), "every width is at least 1", "write e.g. 2,3,1"))
    widths = (2, 0): every width is at least 1; write e.g. 2,3,1
    """

    def __init__(self, argument: str, value: object, rule: str, remedy: str) -> None:
        super().__init__(argument, value, rule, remedy)
        self.argument = argument
        self.value = value
        self.rule = rule
        self.remedy = remedy

    def __str__(self) -> str:
        line = f"{self.argument} = {shortened(self.value)}: {self.rule}; {self.remedy}"
        return " ".join(line.split())


class Shown:
    """A value that a notebook shows as HTML, and exports as LaTeX where that fits a page.

    Both are written in ``theorylab.report``, a room above those where values are made. No room may
    import one above it, so the report is looked up by its name when a value is first shown; that
    also keeps the package quick to import.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(_faces().html(self))

    def _repr_latex_(self) -> str | None:
        found: str | None = _faces().latex(self)
        return found


class Printed(Shown):
    """A result: ``str`` is its terminal page, which IPython shows too; ``repr`` is one line."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        # IPython takes the __repr__ of a class before what it inherits.
        cls._repr_pretty_ = Printed._repr_pretty_  # type: ignore[method-assign]

    def __str__(self) -> str:
        return str(_faces().text(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        nested = len(getattr(printer, "stack", ())) > 1
        printer.text(repr(self) if cycle or nested else str(self))


def _faces() -> ModuleType:
    return importlib.import_module("theorylab.report.notebook")


@dataclass(frozen=True, slots=True)
class Undecided:
    """The outcome of one instance that was neither proved nor refuted: why, and what to try.

    >>> print(Undecided("n_1 = 2 is not above 3", "the path", "widen the hidden layer to 4"))
    undecided at the path: n_1 = 2 is not above 3; widen the hidden layer to 4
    """

    reason: str
    step: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        where = f" at {self.step}" if self.step else ""
        return f"undecided{where}: {self.reason}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Observed:
    """A statistical finding: ``outcome`` is consistent, inconsistent or undecided, never proved.

    ``effect`` is the size that the test names, ``interval`` its estimate's, ``n`` the number of
    independent units, ``gates`` what had to hold before the test could speak, ``p_adjusted`` Holm's
    where several numbers were tested, ``power`` the chance of a word at the declared effect.

    >>> found = Observed("consistent", 0.01, (1.9, 2.2), 0.4, 600, "0", (("complete", True),))
    >>> print(found), found.to_json()["gates"]
    consistent: effect 0.01, n = 600
    (None, {'complete': True})
    """

    outcome: str
    effect: float
    interval: tuple[float, float]
    p: float | None
    n: int
    seed: str
    gates: tuple[tuple[str, bool], ...] = ()
    words: str = ""
    p_adjusted: float | None = None
    power: float | None = None

    def __post_init__(self) -> None:
        if self.outcome not in ("consistent", "inconsistent", "undecided"):
            rule = "a finding is consistent, inconsistent or undecided"
            raise InputError("outcome", self.outcome, rule, "choose one of the three")

    def __str__(self) -> str:
        return f"{self.outcome}: {self.words or f'effect {self.effect:.2g}, n = {self.n}'}"

    def to_json(self) -> dict[str, Any]:
        """The finding as ``verify --json`` prints it."""
        names = ("effect", "p", "p_adjusted", "power", "n", "seed")
        value = {name: _finite(getattr(self, name)) for name in names}
        interval = [_finite(end) for end in self.interval]
        return {**value, "interval": interval, "gates": dict(self.gates)}


def _finite(value: Any) -> Any:
    # JSON has no infinity: an open end of an interval is null
    return None if isinstance(value, float) and not isfinite(value) else value


class Assurance(enum.Enum):
    """Who vouches for a result, strongest first; a result has the weakest of its parts.

    >>> Assurance.weakest(Assurance.KERNEL, Assurance.FLINT).value
    'flint'
    >>> Assurance.KERNEL.at_least(Assurance.NUMERIC)
    True
    """

    KERNEL = "kernel"
    FLINT = "flint"
    CAS = "cas"
    NUMERIC = "numeric"
    STATISTICAL = "statistical"
    UNCHECKED = "unchecked"  # a user's own function, and nothing else

    def at_least(self, other: Assurance) -> bool:
        """Whether this assurance is as strong as the other, or stronger."""
        order = list(Assurance)
        return order.index(self) <= order.index(other)

    @staticmethod
    def weakest(*parts: Assurance) -> Assurance:
        """The assurance of a result made of these parts. InputError when there are none."""
        if not parts:
            raise InputError(
                "parts", parts, "a result has at least one part", "name who vouches for it"
            )
        return max(parts, key=list(Assurance).index)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement or a data set comes from; ``where`` names the theorem, table or page.

    >>> s = Source(("C. Daniel Freeman", "Joan Bruna"), "Topology and Geometry", 2017, "Prop. 2.2")
    >>> print(s)
    C. Daniel Freeman and Joan Bruna (2017), Topology and Geometry, Prop. 2.2
    >>> print(s.bibtex)
    @misc{freeman2017topology,
      author = {C. Daniel Freeman and Joan Bruna},
      title = {Topology and Geometry},
      year = {2017},
      note = {Prop. 2.2},
    }
    """

    authors: tuple[str, ...]
    title: str
    year: int
    where: str = ""

    def __str__(self) -> str:
        tail = f", {self.where}" if self.where else ""
        if not self.authors:
            return f"{self.title} ({self.year}){tail}"
        *others, last = self.authors
        names = f"{', '.join(others)} and {last}" if others else last
        return f"{names} ({self.year}), {self.title}{tail}"

    def to_json(self) -> dict[str, Any]:
        """Authors, title, year and place, as data."""
        value = {"title": self.title, "year": self.year, "where": self.where}
        return {"authors": list(self.authors), **value}

    @property
    def bibtex(self) -> str:
        """The BibTeX entry, its key made of first author's last name, year and first title word."""
        last = self.authors[0].split()[-1] if self.authors else "anonymous"
        words = re.findall(r"[a-z]{4,}", self.title.lower()) or [""]
        key = re.sub(r"[^a-z0-9]", "", f"{last.lower()}{self.year}{words[0]}")
        fields = [
            ("author", " and ".join(self.authors)),
            ("title", self.title),
            ("year", str(self.year)),
            ("note", self.where),
        ]
        lines = [f"  {field} = {{{value}}}," for field, value in fields if value]
        return "\n".join([f"@misc{{{key},", *lines, "}"])
