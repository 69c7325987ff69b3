"""Exact paths between scalar networks of squares with rank X < p < 2 rank X units.

The forms walk from A to a common target C in steps of few squares, each below the level: write the
squares into the free units, walk straight, merge until rank-many units live. There the units of
one end become those of the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq, fmpq_mat

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import rank
from theorylab.topology.linear import lifted, reduced_weights
from theorylab.topology.path import Path, PathBuilder
from theorylab.topology.quadratic.forms import Forms, quadratic_setting
from theorylab.topology.quadratic.units import Unit, Units, diagonalised

_ROUNDS = 40
_HALVINGS = 12
_GRID = (1, 2, 4, 8, 16, 64, 256, 4096)
_LONG = 80


def connect_in_steps(
    network: Network, data: Dataset, a: Weights, b: Weights, u: fmpq
) -> Path | Undecided:
    """Return a path from `a` to `b` in {L <= u}, at any width p >= rank X + 1.

    One hidden layer of alpha z^2, one output, a hidden bias perhaps. Needs u above the minimum.
    Guarantees: exact, the end is exactly `b`; the level is kept at every vertex.
    Undecided when the network is narrower, when u is the minimum, and when the steps become too
    small. Raises InputError when the weights do not fit.
    Source: own.

    >>> from theorylab.model import matrix
    >>> net = Network.dense((2, 3, 1), "square")
    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]])
    >>> a = (matrix([[1, 1], [1, -1], [0, 2]]), matrix([[1, 1, 1]]))
    >>> b = (matrix([[1, 0], [0, 3], [1, 1]]), matrix([[-1, 2, 1]]))
    >>> level = max(Loss(net, data)(w) for w in (a, b))
    >>> connect_in_steps(net, data, a, b, level).end == b
    True
    """
    setting = quadratic_setting(network, data)
    a, b = network.check_weights(a), network.check_weights(b)
    if isinstance(setting, Undecided):
        return setting
    if not 0 < setting.d < setting.width:
        return Undecided(
            f"{setting.width} units, and rank X = {setting.d}",
            "the free unit",
            f"widen the hidden layer to {setting.d + 1}",
        )
    forms = Forms(setting, data)
    loss = Loss(network, data)
    if max(loss(a), loss(b)) > u:
        return Undecided(f"an end lies above the level {u}", "the level")
    aim = _target(forms, u)
    if aim is None:
        return Undecided(f"the level is the minimum {forms.least}", "the slack", "raise the level")
    ends = [Units(setting.inner, reduced_weights(v, setting.factor)) for v in (a, b)]
    for units in ends:
        units.reduce(clean=_LONG)
        if not _walk(units, forms, aim, u):
            return Undecided("the steps below the level become too small", "the walk")
    here, there = ends
    theirs = there.live
    goal: list[Unit] = [(there.u[k], there.w[k]) for k in theirs]
    here.go_home(dict(zip(here.become(goal), theirs, strict=True)))
    here.place({k: there.w[k] for k in here.free})
    path = here.builder.path().then(there.builder.path().reversed())
    out = PathBuilder(network, a)
    for step in lifted(path, network, a, setting.factor).steps:
        out.append(step)
    out.move("idle", 1, b[0])
    return out.path()


def _target(forms: Forms, u: fmpq) -> fmpq_mat | None:
    """A short form near the minimiser, well below the level."""
    if u == forms.least:
        return None
    best = forms.best * (1 / forms.setting.scale)
    for q in _GRID:
        rounded = fmpq_mat([[fmpq(round(v * q), q) for v in row] for row in best.tolist()])
        if 2 * forms(rounded * forms.setting.scale) <= u + forms.least:
            return rounded
    return best


def _walk(units: Units, forms: Forms, aim: fmpq_mat, u: fmpq) -> bool:
    """Take the form to `aim` in rounds, each at most the whole remaining way; False if stuck."""
    for _ in range(_ROUNDS):
        here = units.form
        if here == aim:
            return True
        room = units.builder.network.hidden[0] - rank(here)
        steps = None
        for halving in range(_HALVINGS):
            grid = 1 << (halving + 4)
            target = aim
            if halving:
                part = here + (aim - here) / 2**halving
                target = fmpq_mat([[fmpq(round(v * grid), grid) for v in r] for r in part.tolist()])
            steps = _groups(forms, here, target, room, u)
            if steps is not None:
                break
        if steps is None:
            return False
        for group in steps:
            free = units.free
            units.place({slot: row for slot, (_, row) in zip(free, group, strict=False)})
            added = {slot: value for slot, (value, _) in zip(free, group, strict=False)}
            units.walk({**dict(enumerate(units.u)), **added})
            units.reduce(clean=_LONG)
            if units.size > _LONG:
                units.become(diagonalised(units.form))
    return False


def _groups(
    forms: Forms, here: fmpq_mat, target: fmpq_mat, room: int, u: fmpq
) -> list[list[Unit]] | None:
    """The squares of target - here, so many at a time, if f stays at most u; steepest first."""
    scale, d = forms.setting.scale, here.nrows()
    slope = forms.gradient(here * scale) * scale
    for terms in (diagonalised(target - here), _near_eigen(target - here)):
        left = sorted(terms, key=lambda term: term[0] * _at(slope, term[1]))
        groups, form, free = [], here, room
        while left:
            group, left = left[:free], left[free:]
            for value, row in group:
                column = fmpq_mat(d, 1, row)
                form = form + column * column.transpose() * value
            if forms(form * scale) > u:
                break
            groups.append(group)
            free = forms.setting.width - rank(form)
        else:
            return groups
    return None


def _at(form: fmpq_mat, row: Sequence[fmpq]) -> fmpq:
    column = fmpq_mat(len(row), 1, row)
    return (column.transpose() * form * column)[0, 0]


def _near_eigen(form: fmpq_mat) -> list[Unit]:
    """Squares along short rational vectors near the eigenvectors, in whose basis it is reduced."""
    table = np.array([[float(v) for v in row] for row in form.tolist()])
    vectors = np.linalg.eigh(table)[1]
    basis = fmpq_mat([[fmpq(round(8 * v), 8) for v in row] for row in vectors])
    if basis.det() == 0:
        return diagonalised(form)
    inverse = basis.inv()
    found = []
    for value, row in diagonalised(basis.transpose() * form * basis):
        found.append((value, (fmpq_mat([row]) * inverse).entries()))
    return found
