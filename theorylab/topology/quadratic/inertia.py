"""Scalar networks of squares by lemma: what the kernel's rule `inertia` needs to be told.

With d = rank X and p units: p >= d has no spurious valley, p > d has connected sublevel sets, and
at p = d the components are counted as long as no singular form A lies in the sublevel set.
"""

from __future__ import annotations

from itertools import combinations_with_replacement as multisets
from math import comb

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray
from scipy.linalg import lstsq
from scipy.optimize import minimize

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import descends, joined
from theorylab.topology.exact_algebra import (
    is_positive_semidefinite,
    kernel,
    rank,
    solve,
)
from theorylab.topology.path import Json, matrix_json, theta_json
from theorylab.topology.quadratic.forms import (
    Forms,
    QuadraticSetting,
    coefficients,
    from_coefficients,
    quadratic_setting,
)
from theorylab.topology.quadratic.units import diagonalised, squares
from theorylab.topology.spectrum import simplest_between

Floats = NDArray[np.float64]

# Beyond this rank the kernel refuses forms, and the search in floats is slow.
MAX_RANK = 8
_STARTS = 6
_FAR = 1e200
_SHORT = 12
_DENOMINATORS = (1, 2, 4, 8, 16, 64, 1024, 1 << 16)
_PARTS = (fmpq(7, 8), fmpq(1, 2), fmpq(1, 16), fmpq(1, 1024))


def lowest_singular(forms: Forms) -> tuple[float, fmpq_mat]:
    """Return about the least loss of a singular form, and one such form (d x d) near it, exact.

    Guarantees: the second is singular; the first is the best that a search in floats found.
    """
    d, s = forms.setting.d, np.array([float(v) for v in forms.data.sample_weights])
    x = np.array(forms.setting.coordinates.tolist(), dtype=float)
    y, root = np.array(forms.data.y.tolist()[0], dtype=float), np.sqrt(s)

    def lowest(v: Floats) -> float:
        basis = np.linalg.svd(v[None, :] / np.linalg.norm(v))[2][1:]
        pairs = [p * q * root for p, q in multisets(basis @ x, 2)]
        if not pairs:
            return float((root * y) @ (root * y))
        table = np.array(pairs).T
        error = table @ lstsq(table, root * y)[0] - root * y
        return float(error @ error)

    rng = np.random.default_rng(0)
    starts = [
        *np.eye(d),
        *np.linalg.eigh(_floats(forms.best))[1].T,
        *rng.normal(size=(_STARTS, d)),
    ]
    tried = [minimize(lowest, v, method="Nelder-Mead" if d < 4 else "BFGS") for v in starts]
    found = min(tried, key=lambda r: float(r.fun))
    top = found.x / max(found.x, key=abs)
    singular = [_singular(forms, [fmpq(round(t * q), q) for t in top]) for q in _DENOMINATORS]
    return float(found.fun), min(singular, key=forms)


def _singular(forms: Forms, v: list[fmpq]) -> fmpq_mat:
    """The best form A with A v = 0."""
    d = forms.setting.d
    off = kernel(fmpq_mat([v])).basis.transpose()
    if not d - 1:
        return fmpq_mat(1, 1)
    table = squares(off * forms.setting.coordinates)
    found = solve(forms.data.gram(table), forms.data.gram(table, forms.data.y))
    assert found is not None  # normal equations are always consistent
    inner = from_coefficients([value for (value,) in found.tolist()], d - 1)
    return off.transpose() * inner * off


def _floats(a: fmpq_mat) -> Floats:
    return np.array([[float(v) for v in row] for row in a.tolist()])


def joined_by_inertia(
    network: Network, data: Dataset, a: Weights, b: Weights, u: fmpq
) -> Argument | Undecided:
    """Show by lemma that `a` and `b` are joined in {L <= u}: p >= rank X + 1. No path is given.

    Guarantees: none before the kernel has checked losses and ranks. Undecided for other networks.
    Source: own, Theorem 1 (ii) of the notes; see Arjevani et al., arXiv 2501.06074.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 2, 1), "square"), Dataset.from_rows([[1]], [[1]])
    >>> zero = (matrix([[0], [0]]), matrix([[0, 0]]))
    >>> joined_by_inertia(net, data, zero, zero, fmpq(1)).rule
    'inertia'
    """
    setting = quadratic_setting(network, data)
    if isinstance(setting, Undecided):
        return setting
    if setting.width <= setting.d:
        return _too_narrow(setting, setting.d + 1)
    return Argument(joined(a, b, u), "inertia", {})


def descends_by_inertia(network: Network, data: Dataset, a: Weights) -> Argument | Undecided:
    """Show by lemma that a path from `a` never rises and ends at a global minimum: p >= rank X.

    Guarantees: exact minimum; none before the kernel has checked it. Undecided for other networks.
    Source: own, Theorem 1 (i) of the notes; see Arjevani et al., arXiv 2501.06074.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 1, 1), "square"), Dataset.from_rows([[1]], [[1]])
    >>> shown = descends_by_inertia(net, data, (matrix([[0]]), matrix([[-1]])))
    >>> shown.conclusion["v"], shown.proof
    ('0', {'best': {'rows': [0], 'form': ['1']}})
    """
    landscape = _landscape(network, data)
    if isinstance(landscape, Undecided):
        return landscape
    if landscape.setting.width < landscape.setting.d:
        return _too_narrow(landscape.setting, landscape.setting.d)
    conclusion = descends(a, landscape.least, fmpq(0))
    return Argument(conclusion, "inertia", {"best": _best_json(landscape)})


def separated_by_inertia(
    network: Network, data: Dataset, a: Weights, b: Weights, u: fmpq
) -> Argument | Undecided:
    """Show that `a` and `b` lie in different components of {L <= u} at p <= rank X.

    Needs a level below every form of rank less than p, and a sign that differs: of some u_k, or at
    p = rank X of det W. Guarantees: none before the kernel has checked it. Undecided otherwise.

    >>> from theorylab.model import matrix
    >>> net, data = Network.dense((1, 1, 1), "square"), Dataset.from_rows([[1]], [[1]])
    >>> ends = [(matrix([[w]]), matrix([[1]])) for w in (1, -1)]
    >>> separated_by_inertia(net, data, *ends, fmpq(1, 2)).conclusion["kind"]
    'separated'
    """
    landscape = _landscape(network, data)
    if isinstance(landscape, Undecided):
        return landscape
    setting = landscape.setting
    if setting.width > setting.d:
        return Undecided(f"{setting.width} units, and rank X = {setting.d}", "the separation")
    pairs = zip(a[1].entries(), b[1].entries(), strict=True)
    differ = any(p * q < 0 for p, q in pairs)
    if not differ and setting.width == setting.d:
        differ = (a[0] * setting.factor).det() * (b[0] * setting.factor).det() < 0
    if not differ:
        return Undecided("no sign of U and not det W tells the points apart", "the separation")
    regular = _regular(landscape, u)
    if isinstance(regular, Undecided):
        return regular
    conclusion = {**joined(a, b, u), "kind": "separated"}
    return Argument(conclusion, "inertia", {"regular": regular})


def separated_by_signs(network: Network, data: Dataset) -> Argument | Undecided:
    """Find two points of a scalar network of squares with p < rank X that the signs of U separate.

    For each number of positive units the best form is sought in floats; the level is that of the
    second best, or of the best if it has both signs: then two units change places.
    Guarantees: none before the kernel has checked it. Undecided when forms of rank less than p
    are not shown to lie above.

    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[2], [-1]])
    >>> separated_by_signs(Network.dense((2, 1, 1), "square"), data).conclusion["u"]
    '4'
    """
    landscape = _landscape(network, data)
    if isinstance(landscape, Undecided):
        return landscape
    p, loss = landscape.setting.width, Loss(network, data)
    if p > landscape.setting.d:
        return Undecided(f"{p} units, and rank X = {landscape.setting.d}", "the separation")
    found = [_low_point(landscape, network, positive) for positive in range(p + 1)]
    points = sorted((point for point in found if point is not None), key=loss)
    tried: list[tuple[Weights, Weights]] = []
    for i, point in enumerate(points):
        signs = [v > 0 for v in point[1].entries()]
        if any(signs) and not all(signs):
            tried.append((point, _exchanged(point, signs.index(True), signs.index(False))))
        tried += [(other, point) for other in points[:i]]
    for a, b in tried:
        shown = separated_by_inertia(network, data, a, b, max(loss(a), loss(b)))
        if isinstance(shown, Argument):
            return shown
    return Undecided("no two low points with different signs of U were separated", "the pair")


def _exchanged(point: Weights, i: int, j: int) -> Weights:
    """The same network with units i and j in each other's places."""
    order = list(range(point[1].ncols()))
    order[i], order[j] = j, i
    first, second = point[0].tolist(), point[1].entries()
    return fmpq_mat([first[k] for k in order]), fmpq_mat([[second[k] for k in order]])


def _low_point(forms: Forms, network: Network, positive: int) -> Weights | None:
    """About the best point with so many positive eigenvalues of A; None if one tends to 0."""
    setting, data = forms.setting, forms.data
    d, p = setting.d, setting.width
    signs = np.array([1.0] * positive + [-1.0] * (p - positive))
    c = np.array(setting.coordinates.tolist(), dtype=float).T
    y, s = _floats(data.y)[0], np.array([float(v) for v in data.sample_weights])

    def value(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(p, d)
        pre = c @ w.T
        error = (pre**2) @ signs - y
        return float(s @ error**2), (4 * ((s * error)[:, None] * pre * signs).T @ c).reshape(-1)

    rng = np.random.default_rng(0)
    starts = rng.normal(size=(_STARTS, p * d))
    best = min(
        (minimize(value, v, jac=True, method="BFGS") for v in starts), key=lambda r: float(r.fun)
    )
    rows_found = best.x.reshape(p, d)
    top = abs(rows_found).max(axis=1)
    if top.min() < 1e-6 * max(1.0, top.max()):
        return None
    loss, found = Loss(network, data), []
    for q in _DENOMINATORS[:-1]:
        first, second = fmpq_mat(*network.shape(1)), fmpq_mat(*network.shape(2))
        for k, (row, high) in enumerate(zip(rows_found, top, strict=True)):
            for j, v in zip(setting.basis, row, strict=True):
                first[k, j] = fmpq(round(float(v) / high * q), q)
            scaled = fmpq(round(float(high * high * signs[k]) * q), q)
            second[0, k] = scaled / setting.scale
        if all(second.entries()):
            found.append((first, second))
    if not found:
        return None
    # a short point that is nearly as good as the best
    best_loss = min(map(loss, found))
    good = best_loss + (data.gram(data.y)[0, 0] - best_loss) / 50
    return next(point for point in found if loss(point) <= max(good, best_loss))


def decided_by_inertia(
    network: Network, data: Dataset, a: Weights, b: Weights, u: fmpq
) -> Argument | Undecided:
    """Show by lemma that `a` and `b` are joined in {L <= u}, or that they are not.

    Guarantees: none before the kernel has checked it. Undecided otherwise.
    """
    found = joined_by_inertia(network, data, a, b, u)
    if isinstance(found, Undecided):
        return separated_by_inertia(network, data, a, b, u)
    return found


def components_at_full_width(
    network: Network, data: Dataset, u: fmpq | None = None
) -> Argument | Undecided:
    """Count the components of {L <= u} exactly at p >= rank X; at a level of its own without `u`.

    One if p > d, or if a singular form lies in the set; else 2 or 4 C(d, a), a the number of
    positive eigenvalues. Guarantees: none before the kernel has checked it. Undecided when p < d,
    when u is below the minimum, and when no proof was found that singular forms lie above u.
    Source: own, Theorem 1 of the notes; see Arjevani et al., arXiv 2501.06074.

    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[1], [-1]])
    >>> shown = components_at_full_width(Network.dense((2, 2, 1), "square"), data, fmpq(9, 10))
    >>> shown.conclusion["at_least"], shown.conclusion["at_most"]
    (8, 8)
    """
    landscape = _landscape(network, data)
    if isinstance(landscape, Undecided):
        return landscape
    d, p = landscape.setting.d, landscape.setting.width
    if p < d:
        return _too_narrow(landscape.setting, d)
    if u is not None and u < landscape.least:
        return Undecided(f"the level is below the minimum {landscape.least}", "the count")
    proof: Json = {}
    number, form = 1, landscape.best
    if p == d:
        height, singular = lowest_singular(landscape)
        if u is None:
            u = _level(landscape.least, height, landscape(singular))
        if landscape(singular) <= u:
            form = singular
        elif rank(form) == d:
            if height <= float(u):
                return Undecided("a singular form seems to lie below the level", "the level")
            regular = _regular(landscape, u)
            if isinstance(regular, Undecided):
                return regular
            proof["regular"] = regular
            positive = sum(value > 0 for value, _ in diagonalised(form))
            number = 2 if positive in (0, d) else 4 * comb(d, positive)
    u = landscape.least if u is None else u
    proof["point"] = theta_json(landscape.weights(form, network))
    level = {"u": str(u), "at_least": number, "at_most": number}
    return Argument({"kind": "components", **level}, "inertia", proof)


def _landscape(network: Network, data: Dataset) -> Forms | Undecided:
    setting = quadratic_setting(network, data)
    if isinstance(setting, Undecided):
        return setting
    if not 0 < setting.d <= MAX_RANK:
        return Undecided(f"rank X = {setting.d} is not in 1..{MAX_RANK}", "the quadratic form")
    return Forms(setting, data)


def _best_json(forms: Forms) -> Json:
    """The least-squares form as the kernel reads it."""
    form = [str(v) for v in coefficients(forms.best)]
    return {"rows": list(forms.setting.basis), "form": form}


def _too_narrow(setting: QuadraticSetting, needed: int) -> Undecided:
    return Undecided(
        f"{setting.width} units, and rank X = {setting.d}",
        "the width",
        f"widen the hidden layer to {needed}",
    )


def _level(least: fmpq, height: float, reached: fmpq) -> fmpq:
    """A short level below all singular forms, or one with a singular form if there is none."""
    top = fmpq(*height.as_integer_ratio())
    if top <= least + max(least, fmpq(1)) / 10**6:
        return reached
    return least if len(str(least)) <= _SHORT else simplest_between(least, (least + top) / 2)


def _regular(landscape: Forms, u: fmpq) -> Json | Undecided:
    """The hints with which the kernel sees that every form of rank < p, d has a loss above u."""
    gap = u - landscape.least
    k = landscape.setting.d - min(landscape.setting.width, landscape.setting.d) + 1
    for turn in _turns(landscape):
        found = _quartic(landscape, turn, gap, k)
        if found is not None:
            return {"best": _best_json(landscape), **found}
    return Undecided(
        "no proof was found that every form of less rank lies above the level",
        "the regular level",
        "lower the level",
    )


def _turns(landscape: Forms) -> list[fmpq_mat]:
    """Matrices M for which the form of v^T M^T B v may be positive: functions of B, made short."""
    d, b = landscape.setting.d, _floats(landscape.best)
    values, vectors = np.linalg.eigh(b)
    large = abs(values) > 1e-9 * max(abs(values))
    if not large.any():
        return []
    signs, inverse = np.sign(values) * large, np.divide(1, values, where=large, out=0 * values)
    wanted = [vectors * v @ vectors.T for v in (signs, inverse, values)]
    scaled = [m / abs(m).max() for m in wanted]
    free = _allowed(landscape)
    if free is None:
        return [
            fmpq_mat([[fmpq(round(v * q), q) for v in row] for row in m])
            for q in (1, 16, 1 << 12)
            for m in scaled
        ]
    basis = _floats(free)
    found = []
    for m in scaled if free.ncols() else ():
        near = lstsq(basis, m.reshape(-1))[0]
        for q in (1, 16, 1 << 12):
            entries = (free * fmpq_mat([[fmpq(round(float(c) * q), q)] for c in near])).entries()
            found.append(fmpq_mat(d, d, entries))
    return found


def _pairing(turn: fmpq_mat) -> fmpq_mat:
    """R with (M v)^T E v = V^T R e: V the monomials of v, e the coefficients of the form E."""
    d = turn.nrows()
    place = {pair: i for i, pair in enumerate(multisets(range(d), 2))}
    out = fmpq_mat(len(place), len(place))
    for j in range(d):
        for k in range(d):
            column = place[min(j, k), max(j, k)]
            for i in range(d):
                row = place[min(i, k), max(i, k)]
                out[row, column] += turn[j, i] / (1 + (j != k))
    return out


def _allowed(landscape: Forms) -> fmpq_mat | None:
    """A basis of the M whose pairing the data can see, as columns; None if all are."""
    blind = kernel(landscape.data.gram(landscape.features)).basis
    if not blind.ncols():
        return None
    d = landscape.setting.d
    units = [fmpq_mat(d, d, [int(i == j) for j in range(d * d)]) for i in range(d * d)]
    columns = [(_pairing(m) * blind).entries() for m in units]
    return kernel(fmpq_mat(columns).transpose()).basis


def _quartic(landscape: Forms, turn: fmpq_mat, gap: fmpq, k: int) -> Json | None:
    """Multipliers and a relation that show (tr P M^T B)^2 >= c q(P), P of rank k, some c > gap."""
    pairing = _pairing(turn)
    g = pairing * fmpq_mat([coefficients(landscape.best)]).transpose()
    shown = from_coefficients(g.entries(), landscape.setting.d)
    gram = landscape.data.gram(landscape.features)
    solved = solve(gram, pairing.transpose())
    definite = is_positive_semidefinite(shown) and rank(shown) > landscape.setting.d - k
    if solved is None or not definite:
        return None
    cost = pairing * solved
    room = _room(_floats(shown), _floats(cost), k)
    if not float(gap) < room < _FAR:
        return None
    exact_room = fmpq(*room.as_integer_ratio())
    for part in _PARTS:
        c = simplest_between(gap, gap + (exact_room - gap) * part)
        plain = g * g.transpose() - cost * c
        for z in _relations(plain, landscape.setting.d, k):
            if is_positive_semidefinite(plain + z):
                return {
                    "level": str(c),
                    "turn": matrix_json(turn),
                    "multipliers": matrix_json(solved.transpose()),
                    "relation": matrix_json(z),
                }
    return None


def _room(shown: Floats, cost: Floats, k: int) -> float:
    """About the least (tr P S)^2 / q(P) over projectors P of rank k."""
    d = len(shown)

    def ratio(frame: Floats) -> float:
        basis = np.linalg.qr(frame.reshape(d, k))[0]
        projector = basis @ basis.T
        entries = projector[np.triu_indices(d)]
        below = float(entries @ cost @ entries)
        return float((projector * shown).sum()) ** 2 / below if below > 0 else _FAR

    rng = np.random.default_rng(0)
    starts = [np.roll(np.eye(d), i, axis=0)[:, :k].reshape(-1) for i in range(d)]
    starts += list(rng.normal(size=(_STARTS, d * k)))
    method = "Nelder-Mead" if d * k < 4 else "BFGS"
    return min(float(minimize(ratio, v, method=method).fun) for v in starts)


def _vanishing(d: int, k: int) -> list[fmpq_mat]:
    """Quadratic forms of the entries of P that are 0 for all projectors of rank k."""
    pairs = list(multisets(range(d), 2))
    if k > 1:
        trace = [fmpq(int(i == j)) for i, j in pairs]
        norm = [[k * (2 - v) * (i == j) - v * w for j, w in enumerate(trace)]
                for i, v in enumerate(trace)]  # fmt: skip
        return [fmpq_mat(norm)]
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for i, p in enumerate(pairs):
        for j, q in enumerate(pairs[i:], start=i):
            groups.setdefault(tuple(sorted(p + q)), []).append((i, j))
    found = []
    for first, *rest in groups.values():
        for other in rest:
            out = fmpq_mat(len(pairs), len(pairs))
            for sign, (i, j) in ((-1, first), (1, other)):
                out[i, j] = out[j, i] = out[i, j] + fmpq(sign, 1 + (i != j))
            found.append(out)
    return found


def _relations(plain: fmpq_mat, d: int, k: int) -> list[fmpq_mat]:
    """Forms that are 0 on projectors of rank k and may make `plain` semidefinite, short ones first.

    Rows and columns are scaled by powers of two to diagonals near 1, which keeps roundings alike
    on every machine.
    """
    zero, basis = fmpq_mat(plain.nrows(), plain.nrows()), _vanishing(d, k)
    if not basis:
        return [zero]
    start = _floats(plain)
    pairs = list(multisets(range(d), 2))
    tall = abs(start).max(axis=1)[[i == j for i, j in pairs]]
    # for k = 1, P_ab scales as the coordinates a and b do
    coordinate = np.log2(np.maximum(tall, (1e-6 if k == 1 else 1) * tall.max())) / 4
    root = np.exp2(np.round([coordinate[i] + coordinate[j] for i, j in pairs]))
    frame = np.outer(root, root)
    moves = np.array([_floats(m) for m in basis]) / frame
    units = np.exp2(np.round(np.log2(abs(moves).max(axis=(1, 2)))))
    moves /= units[:, None, None]
    start = start / frame

    def soft(z: Floats, sharp: float) -> tuple[float, Floats]:
        values, vectors = np.linalg.eigh(start + np.tensordot(z, moves, 1))
        shift = float(values.min())
        weights = np.exp(-sharp * (values - shift))
        total = float(weights.sum())
        density = vectors * (weights / total) @ vectors.T
        return np.log(total) / sharp - shift, -np.tensordot(moves, density, 2)

    z = np.zeros(len(basis))
    for sharp in (10.0, 100.0, 1000.0, 10000.0):
        z = minimize(soft, z, args=(sharp,), jac=True, method="BFGS").x
    found = [zero]
    for grid in (8 << 2 * i for i in range(14)):
        steps = [fmpq(round(float(v) * grid), grid) for v in z]
        exact = [
            v / fmpq(*float(unit).as_integer_ratio()) for v, unit in zip(steps, units, strict=True)
        ]
        found.append(sum((m * c for m, c in zip(basis, exact, strict=True)), zero))
    return found
