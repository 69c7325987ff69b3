"""Scalar networks U rho(W x), rho = alpha z^2: exact paths through the forms A = sum u_k w_k w_k^T.

The loss depends on A only, and on A it is convex. Units are merged along rational curves that
leave A as it is, until rank A of them live; then the output layer walks straight from A to B.
"""

from __future__ import annotations

from flint import fmpq

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import rank
from theorylab.topology.linear import lifted, reduced_weights
from theorylab.topology.path import Descent, Path, PathBuilder
from theorylab.topology.quadratic.forms import Forms, quadratic_setting
from theorylab.topology.quadratic.sharp import connect_in_steps
from theorylab.topology.quadratic.units import Units, diagonalised

# beyond this rank the steps are long and the kernel's work too much
IN_STEPS = 3


def connect_scalar_quadratic(
    network: Network, data: Dataset, a: Weights, b: Weights
) -> Path | Undecided:
    """Return a path from `a` to `b` along which the loss is at most max(L(a), L(b)).

    One hidden layer of alpha z^2, one output, a hidden bias perhaps; any data and sample weights.
    Succeeds when rank A + rank B <= p, A and B the forms of the ends, so whenever p >= 2 rank X;
    and for rank X <= 3 in many steps (`connect_in_steps`) from p = rank X + 1 on, unless both ends
    are global minima.
    Guarantees: exact, the end is exactly `b`.
    Undecided when the network is narrower. Raises InputError when the weights do not fit.
    Source: own; Venturi, Bandeira & Bruna 2018 for p >= 2n + 1.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[1]])
    >>> a, b = (matrix([[1], [0]]), matrix([[1, 0]])), (matrix([[-1], [2]]), matrix([[1, 0]]))
    >>> connect_scalar_quadratic(net, data, a, b).end == b
    True
    """
    setting = quadratic_setting(network, data)
    a, b = network.check_weights(a), network.check_weights(b)
    if isinstance(setting, Undecided):
        return setting
    p = setting.width
    if setting.d == 0:
        flat = PathBuilder(network, a)
        flat.move("output", 2, b[1])
        flat.move("idle", 1, b[0])
        return flat.path()
    here, there = (Units(setting.inner, reduced_weights(v, setting.factor)) for v in (a, b))
    need = [rank(here.form), rank(there.form)]
    if sum(need) > p and setting.d < p and setting.d <= IN_STEPS:
        loss = Loss(network, data)
        return connect_in_steps(network, data, a, b, max(loss(a), loss(b)))
    if sum(need) > p:
        wide = setting.d + 1 if setting.d <= IN_STEPS else sum(need)
        return Undecided(
            f"the two forms have ranks {need[0]} + {need[1]}, and there are {p} units",
            "both networks side by side",
            f"widen the hidden layer to {wide}",
        )
    there.reduce(max(need[1], min(p // 2, p - need[0])))
    theirs = there.live
    here.reduce(p - len(theirs))
    mine = here.live
    spare = [k for k in range(p) if k not in mine and k not in theirs]
    slots = [k if k not in mine else spare.pop(0) for k in theirs]
    rows_there, u_there = there.w, there.u
    here.place({slot: rows_there[k] for k, slot in zip(theirs, slots, strict=True)})
    here.walk({slot: u_there[k] for k, slot in zip(theirs, slots, strict=True)})
    # all units of A are dead now
    here.go_home(dict(zip(slots, theirs, strict=True)))
    here.place({k: rows_there[k] for k in range(p) if k not in theirs})
    path = here.builder.path().then(there.builder.path().reversed())
    out = PathBuilder(network, a)
    for step in lifted(path, network, a, setting.factor).steps:
        out.append(step)
    out.move("idle", 1, b[0])
    return out.path()


def descend_scalar_quadratic(network: Network, data: Dataset, a: Weights) -> Descent | Undecided:
    """Return a path from `a` to a global minimiser along which the loss never increases.

    One hidden layer of alpha z^2, one output, a hidden bias perhaps; any data and sample weights.
    Succeeds when rank A + min(rank B, rank(B - A)) <= p for the least-squares form B B
    of `Forms.best`, so whenever p >= 2 rank X.
    Guarantees: exact; the residual at the end is orthogonal to all squares of the inputs.
    Undecided when the network is narrower. Raises InputError when the weights do not fit.
    Source: own; the slides of Freeman & Bruna for p >= 2n.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[1]])
    >>> found = descend_scalar_quadratic(net, data, (matrix([[1], [0]]), matrix([[-1, 0]])))
    >>> found.value, found.path.end[1]
    (0, [0, 1])
    """
    setting = quadratic_setting(network, data)
    a = network.check_weights(a)
    if isinstance(setting, Undecided):
        return setting
    optimum = {"by": "orthogonal", "features": "monomials"}
    loss, p = Loss(network, data), setting.width
    if setting.d == 0:
        path = PathBuilder(network, a).path()
        return Descent(path, loss(a), fmpq(0), optimum, True)
    units = Units(setting.inner, reduced_weights(a, setting.factor))
    best, here = Forms(setting, data).best * (1 / setting.scale), units.form
    aim = min((diagonalised(best), diagonalised(best - here)), key=len)
    if rank(here) + len(aim) > p:
        return Undecided(
            f"the forms have ranks {rank(here)} + {len(aim)}, and there are {p} units",
            "both networks side by side",
            f"widen the hidden layer to {rank(here) + len(aim)}",
        )
    total = len(aim) == rank(best)
    units.reduce(p - len(aim))
    live = units.live
    slots = [k for k in range(p) if k not in live][: len(aim)]
    units.place({slot: row for slot, (_, row) in zip(slots, aim, strict=True)})
    goal = {} if total else dict(enumerate(units.u))
    units.walk({**goal, **{slot: value for slot, (value, _) in zip(slots, aim, strict=True)}})
    path = lifted(units.builder.path(), network, a, setting.factor)
    return Descent(path, loss(path.end), fmpq(0), optimum, True)
