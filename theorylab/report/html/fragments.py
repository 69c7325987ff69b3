"""The HTML of any result, from the JSON that the command line prints of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from theorylab.outcome import InputError
from theorylab.report.html.catalogue import catalogue, checked
from theorylab.report.html.counted import count, survey
from theorylab.report.html.landscapes import hunt, joining, levels, phase, sharpness
from theorylab.report.html.markup import Markup
from theorylab.report.html.measured import experiments
from theorylab.report.html.panel import Json
from theorylab.report.html.verification import verification
from theorylab.report.replay import replay

_OBJECTS: Final[Mapping[str, Callable[[Json, Sequence[str]], Markup]]] = {
    "theorylab.verify/1": verification,
    "theorylab.falsify/1": hunt,
    "theorylab.phase/1": phase,
    "theorylab.count/1": count,
    "theorylab.sweep/1": survey,
    "theorylab.levels/1": levels,
    "theorylab.connect/1": joining,
    "theorylab.sharpness/1": sharpness,
    "theorylab.list/1": catalogue,
}
_LISTS: Final[Mapping[str, Callable[[Sequence[Json], Sequence[str]], Markup]]] = {
    "theorylab.check/1": checked,
    "theorylab.experiment/1": experiments,
}
SCHEMAS: Final = (*_OBJECTS, *_LISTS)


def fragment(value: Any, command: Sequence[str] = ()) -> Markup:
    """A result as HTML, dispatched by its schema; ``command`` are the words that make it again.

    ``value`` is what ``--json`` prints: an object, or a list of objects for experiments and checked
    certificates. Without a ``command`` it is that of ``theorylab.report.replay``. The fragment
    needs ``style.css`` around it (``panel.style()``).
    Guarantees: no number is computed anew; text is escaped; the same JSON gives the same bytes.
    Raises InputError for a schema it does not know.
    """
    several = isinstance(value, list)
    first = (value[0] if value else {}) if several else value
    schema = str(first.get("schema")) if isinstance(first, dict) else "none"
    if several and schema in _LISTS:
        return _LISTS[schema](value, command or replay(value))
    if not several and schema in _OBJECTS:
        return _OBJECTS[schema](value, command or replay(value))
    rule = f"the results are {', '.join(SCHEMAS)}"
    raise InputError("schema", schema, rule, "give what --json prints")
