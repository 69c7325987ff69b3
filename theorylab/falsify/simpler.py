"""One step simpler: what a counterexample is shrunk by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flint import fmpq, fmpq_mat

from theorylab.instances import Case
from theorylab.model import Activation, Dataset
from theorylab.model.layers import Entry

_PLAIN = ("linear", "square", "abs", "relu")


def simpler_numbers(value: fmpq) -> list[fmpq]:
    """Rationals that are easier to write than this one, the easiest first.

    >>> [str(v) for v in simpler_numbers(fmpq(-5, 2))]
    ['0', '1', '-1', '-2', '-3', '-3/2', '-5', '5/2']
    """
    sign = -1 if value < 0 else 1
    whole = abs(int(value.p)) // int(value.q)
    tried = [fmpq(0), fmpq(1), fmpq(-1), fmpq(sign * whole), fmpq(sign * (whole + 1)), -value]
    tried += [fmpq(sign * (whole // 2)), fmpq(sign * 2)] if whole > 2 else []
    tried += [value - sign] if abs(value) > 1 else []
    p, q = abs(int(value.p)), int(value.q)
    tried += [fmpq(sign * max(1, p - 1), q)]
    if q > 1:
        tried += [fmpq(sign * (whole * 2 + 1), 2), fmpq(sign * p, q - 1), fmpq(sign * p, q // 2)]

    def size(v: fmpq) -> tuple[int, bool]:
        return abs(int(v.p)) + int(v.q), v < 0

    found: list[fmpq] = []
    for v in tried:
        if size(v) < size(value) and v not in found:
            found.append(v)
    return sorted(found, key=size)


def simpler_cases(case: Case) -> Iterator[Case]:
    """Cases that differ by one simplification, the boldest first; some are not allowed at all."""
    for simpler in (*_smaller(case), *_plainer(case), *_other_numbers(case)):
        if simpler.ridge is None or min(simpler.ridge) >= 0 < max(simpler.ridge):
            yield simpler


def _smaller(case: Case) -> Iterator[Case]:
    network, data = case.network, case.data
    if len(network.hidden) > 1 and network.pattern is None and case.ridge is None:
        for k in range(1, network.depth):
            widths = network.widths[:k] + network.widths[k + 1 :]
            bias = network.bias[: k - 1] + network.bias[k:]
            yield replace(case, network=replace(network, widths=widths, bias=bias))
    everywhere = [list(range(width)) for width in network.widths]
    hidden = list(range(1, network.depth))
    single = [[(k, i)] for k in hidden for i in reversed(range(network.widths[k]))]
    narrow = [(k, network.widths[k] - 1) for k in hidden]
    ends = [[(0, i)] for i in reversed(range(network.n))]
    ends += [[(network.depth, i)] for i in reversed(range(network.m))]
    both = [[*ends[0], *ends[-1]]]
    together = [[*end, *narrow] for end in (*ends, *both)]
    lone = [[*end, step] for end in (*ends, *both) for step in narrow]
    fewer = [(j,) for j in reversed(range(data.samples))]
    for dropped in ([*narrow, *both[0]], *together, narrow, *lone, *single, *ends, both[0]):
        kept = [[i for i in units if (k, i) not in dropped] for k, units in enumerate(everywhere)]
        if all(kept):
            smaller = _restricted(case, kept)
            yield from (_without(smaller, one) for one in fewer if data.samples > 1)
            yield smaller
    if data.samples > 1:
        yield from (_without(case, one) for one in fewer)
    if data.samples > 2:
        yield from (_without(case, (i, j)) for j in range(data.samples) for i in range(j))


def _plainer(case: Case) -> Iterator[Case]:
    network, data = case.network, case.data
    kinds = (
        _PLAIN[: _PLAIN.index(network.activation.kind)]
        if network.activation.kind in _PLAIN
        else _PLAIN
    )
    activations = [Activation(kind) for kind in kinds]
    parameters = network.activation.parameters
    for place, value in enumerate(parameters):
        for other in simpler_numbers(value):
            changed = (*parameters[:place], other, *parameters[place + 1 :])
            activations.append(Activation(network.activation.kind, changed))
    for activation in activations:
        yield replace(case, network=replace(network, activation=activation))
    if network.output == "activation":
        yield replace(case, network=replace(network, output="linear"))
    if case.ridge is None and network.pattern is None:
        for k, flag in enumerate(network.bias):
            if flag:
                bias = (*network.bias[:k], False, *network.bias[k + 1 :])
                yield replace(case, network=replace(network, bias=bias))
    if network.pattern is not None:
        yield replace(case, network=replace(network, pattern=None))
        yield from _other_patterns(case)
    if case.ridge is not None:
        yield replace(case, ridge=None)
        for value in sorted(set(case.ridge), key=str):
            for other in simpler_numbers(value):
                changed = tuple(other if v == value else v for v in case.ridge)
                yield replace(case, ridge=changed)
        for place, value in enumerate(case.ridge):
            for other in (*simpler_numbers(value), *sorted(set(case.ridge), key=str)):
                if other != value and other >= 0:
                    changed = (*case.ridge[:place], other, *case.ridge[place + 1 :])
                    yield replace(case, ridge=changed)
    if data.weights is not None:
        yield from (replace(case, data=replace(data, weights=None, y=data.y * c)) for c in (1, 2))
        for place, value in enumerate(data.weights):
            for other in simpler_numbers(value):
                if other > 0:
                    changed = (*data.weights[:place], other, *data.weights[place + 1 :])
                    yield replace(case, data=replace(data, weights=changed))


def _other_patterns(case: Case) -> Iterator[Case]:
    network = case.network
    assert network.pattern is not None
    for k, layer in enumerate(network.pattern):
        for i, row in enumerate(layer or ()):
            for j, entry in enumerate(row):
                options: list[Entry] = [None] if entry is not None else []
                if isinstance(entry, fmpq):
                    options += simpler_numbers(entry)
                for other in options:
                    rows = [list(r) for r in layer or ()]
                    rows[i][j] = other
                    changed = (
                        *network.pattern[:k],
                        tuple(tuple(r) for r in rows),
                        *network.pattern[k + 1 :],
                    )
                    yield replace(case, network=replace(network, pattern=changed))


def _other_numbers(case: Case) -> Iterator[Case]:
    data = case.data
    rising = sorted(
        zip(
            data.x.transpose().tolist(),
            data.y.transpose().tolist(),
            data.sample_weights,
            strict=True,
        )
    )
    for order in (rising, rising[::-1]):
        weights = None if data.weights is None else [s for _, _, s in order]
        turned = Dataset.from_rows([x for x, _, _ in order], [y for _, y, _ in order], weights)
        yield replace(case, data=replace(turned, name=data.name))
    for x, y in ((data.x * -1, data.y), (data.x, data.y * -1), (data.x * -1, data.y * -1)):
        yield replace(case, data=replace(data, x=x, y=y))
    yield from (replace(case, data=replace(data, y=y)) for y in _simpler_tables(data.y))
    yield from (replace(case, data=replace(data, x=x)) for x in _simpler_tables(data.x))


def _simpler_tables(table: fmpq_mat) -> Iterator[fmpq_mat]:
    for divisor in (2, 3):
        yield table / divisor
    for value in sorted(set(table.entries())):
        for other in simpler_numbers(value):
            yield _like(table, [other if v == value else v for v in table.entries()])
    for place, value in enumerate(table.entries()):
        for other in simpler_numbers(value):
            entries = list(table.entries())
            entries[place] = other
            yield _like(table, entries)


def _like(table: fmpq_mat, entries: Sequence[fmpq]) -> fmpq_mat:
    return fmpq_mat(table.nrows(), table.ncols(), entries)


def _without(case: Case, samples: Sequence[int]) -> Case:
    kept = [j for j in range(case.data.samples) if j not in samples]
    return replace(case, data=replace(case.data.subset(kept), name=case.data.name))


def _restricted(case: Case, kept: Sequence[Sequence[int]]) -> Case:
    """The case with these units of each layer, inputs and outputs included, and no others."""
    network, data = case.network, case.data
    places = []
    for k in range(1, network.depth + 1):
        columns = [*kept[k - 1], *([network.widths[k - 1]] if network.bias[k - 1] else [])]
        places.append([[(i, j) for j in columns] for i in kept[k]])
    pattern = None
    if network.pattern is not None:
        pattern = tuple(
            None if layer is None else tuple(tuple(layer[i][j] for i, j in row) for row in rows)
            for layer, rows in zip(network.pattern, places, strict=True)
        )
    ridge = None
    if case.ridge is not None:
        start, numbers = 0, []
        for k, rows in enumerate(places, start=1):
            height, width = network.shape(k)
            numbers += [case.ridge[start + i * width + j] for row in rows for i, j in row]
            start += height * width
        ridge = tuple(numbers)
    widths = tuple(len(units) for units in kept)
    return Case(
        replace(network, widths=widths, pattern=pattern),
        replace(data.restrict(kept[0], kept[-1]), name=data.name),
        ridge,
    )
