"""Deep linear networks of any widths: from every point the loss can descend to its minimum.

Through a true bottleneck of width r the network is W2 W1 (W2 m x r) times data. For fixed W2 the
best W1 is the least-squares one, and the loss is |Y|^2 - tr(P S), P the projector on the range of
W2, S = Yhat D Yhat^T. A rational segment moves W2 straight and lets W1 follow. If W2(t) = D(t) W2
with D(t) a function of S whose logarithmic derivative grows with the eigenvalue, tr(P S) never
decreases; every exact segment below is of this form on a part of the range of W2 and constant on
the orthogonal rest of it.
"""

from __future__ import annotations

from functools import reduce

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import columns, stacked
from theorylab.outcome import InputError, Undecided
from theorylab.topology.exact_algebra import (
    beside,
    completing,
    identity,
    independent_columns,
    kernel,
    least_squares,
    left_inverse,
    projector,
    rank,
    rank_factorisation,
    right_inverse,
    rows,
    trace,
)
from theorylab.topology.linear import (
    descend_filling,
    effective,
    fill_columns,
    fill_rows,
    is_least_squares,
    lifted,
    product,
    reduced_weights,
    require_linear,
)
from theorylab.topology.path import (
    Descent,
    Json,
    PathBuilder,
    Polynomials,
    matrix_json,
    rational,
)
from theorylab.topology.positivity import sign_leaves
from theorylab.topology.spectrum import (
    RationalTop,
    aligned_top,
    eigen,
    ky_fan_dual,
    rational_top,
    rounded,
    size_of,
)


def descend_deep_linear(
    network: Network, data: Dataset, a: Weights, eps: fmpq | None = None
) -> Descent | Undecided:
    """Descend from `a` to a global minimum, or to within `eps` of it where it is irrational.

    Any depth, widths, data and sample weights. With a bottleneck and irrational top eigenspaces the
    end is within `eps` (default: about a millionth of |Y|^2) of a certified lower bound, that of
    ky_fan_bound unless `eps` asks for a tighter one.
    Guarantees: the lower bound is exact; so is the path, whose monotonicity along approximated
    segments has been certified here, and which proof_of_descent certifies in full.
    Raises InputError for a network that is not linear, dense and without bias, and eps <= 0.
    Source: Venturi, Bandeira & Bruna 2018, Theorem 8.

    >>> net = Network.dense((2, 1, 2), "linear")
    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    >>> zero = (fmpq_mat(1, 2), fmpq_mat(2, 1))
    >>> found = descend_deep_linear(net, data, zero)
    >>> found.value, found.reaches, Loss(net, data)(found.path.end)
    (1, True, 1)
    """
    require_linear(network)
    loss, a = Loss(network, data), network.check_weights(a)
    if eps is not None and eps <= 0:
        raise InputError("eps", eps, "the tolerance is positive", "use e.g. 1/1000000")
    span = rank(data.x)
    if is_least_squares(product(a), data):
        here = PathBuilder(network, a).path()
        return Descent(here, loss(a), fmpq(0), _ORTHOGONAL, True)
    if min(network.hidden, default=network.m) >= min(span, network.m):
        path = descend_filling(network, data, a)
        return Descent(path, loss(path.end), fmpq(0), _ORTHOGONAL, True)
    return _pass_bottleneck(loss, a, eps)


_ORTHOGONAL: Json = {"by": "orthogonal", "features": "inputs"}


def ky_fan_bound(
    network: Network, data: Dataset, tightness: fmpq | None = None
) -> tuple[fmpq, Json]:
    """Return (v, proof) with L >= v at all weights of a linear network, for the rule "optimum".

    v = |Y|^2 - r mu - tr Z, r the least width. Guarantees: exact; v = min L when the top r
    eigenspaces of S = Yhat D Yhat^T are rational, else within about `tightness` (default: 10^-9
    tr S) of it.
    Raises InputError for a network that is not linear, dense and without bias.
    Source: Fan 1949 (variational principle); Eckart & Young 1936.

    >>> data = Dataset.from_rows([[1, 0], [0, 1]], [[2, 0], [0, 1]])
    >>> ky_fan_bound(Network.dense((2, 1, 2), "linear"), data)[0]
    1
    """
    require_linear(network)
    fit, s = _fitted(data)
    if tightness is None:
        tightness = _tightness(trace(s))
    r = min(network.widths)
    mu, excess = ky_fan_dual(s, r, tightness)
    proof = {
        "by": "ky-fan",
        "fit": matrix_json(fit),
        "mu": rational(mu),
        "Z": matrix_json(excess),
    }
    return trace(data.gram(data.y)) - r * mu - trace(excess), proof


def _tightness(total: fmpq) -> fmpq:
    return (total or fmpq(1)) / 10**9


def _fitted(data: Dataset) -> tuple[fmpq_mat, fmpq_mat]:
    """A least-squares matrix (m x n) of the data and S = Yhat D Yhat^T (m x m)."""
    fit = least_squares(data.x, data)
    return fit, data.gram(fit * data.x)


def _pass_bottleneck(loss: Loss, a: Weights, eps: fmpq | None) -> Descent | Undecided:
    network, data = loss.network, loss.data
    energy, s = trace(data.gram(data.y)), _fitted(data)[1]
    if eps is None:
        eps = size_of(fmpq_mat([[energy]])) / 2**20
    value, optimum = ky_fan_bound(network, data, min(eps / 16, _tightness(trace(s))))
    top = rational_top(s, min(network.hidden))
    if loss(a) <= (value + eps if top is None else value):
        here, reaches = PathBuilder(network, a).path(), loss(a) == value
        return Descent(here, value, fmpq(0) if reaches else eps, optimum, reaches)
    inner, factor = effective(network, data)
    assert inner is not None  # X = 0 is a filling case
    walk = _Bottleneck(inner, reduced_weights(a, factor), data)
    if top is not None:
        walk.repair(independent_columns(top.weak))
        _climb_exactly(walk, top)
    else:
        walk.repair(rounded(eigen(walk.s, 20)[1], 2))
        failure = _climb_nearly(walk, energy - value - eps)
        if failure is not None:
            return failure
    path = lifted(walk.builder.path(), network, a, factor)
    at_end = loss(path.end)
    reaches = at_end == value
    if not reaches and at_end > value + eps:
        return Undecided(
            f"the path ends {float(at_end - value):.3g} above the lower bound",
            "the Ky Fan bound",
            "use a larger eps",
        )
    return Descent(path, value, fmpq(0) if reaches else eps, optimum, reaches)


class _Bottleneck:
    """A linear network as W2 W1 times data around its narrowest hidden layer, of width r.

    upper = W2 = W_K F (m x r), lower = W1 = G W_1 (r x n); F and G, the layers between, keep full
    column and row rank. s = Yhat D Yhat^T (m x m), fit = Yhat's matrix (m x n).
    """

    def __init__(self, network: Network, start: Weights, data: Dataset) -> None:
        self.builder = PathBuilder(network, start)
        self.r = min(network.hidden)
        compressed = rank_factorisation(data.x)[1]
        self.fit = least_squares(compressed, data)
        self.s = self.fit * data.gram(compressed) * self.fit.transpose()
        depth, narrow = network.depth, network.hidden.index(self.r) + 1
        if narrow + 1 < depth:
            fill_columns(self.builder, narrow + 1, depth - 1)
        if narrow > 1:
            fill_rows(self.builder, narrow, 2)
        between = self.builder.current
        self._above = product((identity(self.r), *between[narrow:-1]))
        self._below = product((*between[1:narrow], identity(self.r)))

    @property
    def upper(self) -> fmpq_mat:
        return self.builder.current[-1] * self._above

    @property
    def lower(self) -> fmpq_mat:
        return self._below * self.builder.current[0]

    def repair(self, wanted: fmpq_mat) -> None:
        """Give W2 rank r, its new columns taken from `wanted` first, and W1 its best value."""
        upper = self.upper
        found = kernel(upper)
        if found.free:
            self._set_lower(self.lower - found.basis * rows(self.lower, found.free))
            candidates = beside(wanted, identity(upper.nrows()))
            added = completing(columns(upper, found.pivots), candidates)
            table, fresh = upper.transpose().tolist(), candidates.transpose().tolist()
            for f, j in zip(found.free, added, strict=False):
                table[f] = fresh[j]
            self._set_upper(fmpq_mat(table).transpose())
        self._set_lower(left_inverse(self.upper) * self.fit)

    def _set_upper(self, value: fmpq_mat) -> None:
        change = (value - self.upper) * left_inverse(self._above)
        self.builder.move("layer", self.builder.network.depth, self.builder.current[-1] + change)

    def _set_lower(self, value: fmpq_mat) -> None:
        change = right_inverse(self._below) * (value - self.lower)
        self.builder.move("layer", 1, self.builder.current[0] + change)

    def captured(self, upper: fmpq_mat) -> fmpq:
        """tr(P S), P the projector on the range of `upper` (full column rank)."""
        return trace(left_inverse(upper) * self.s * upper)

    def rises(self, change: fmpq_mat) -> bool:
        """Whether tr(P S) is certified non-decreasing along W2 + t change, 0 <= t <= 1."""
        start = _linear(self.upper, change)
        det, adjugate = _inverse(_times(_transposed(start), start))
        inner = _times(_transposed(start), _times(_constant(self.s), start))
        product_ = _times(adjugate, inner)
        num = sum((product_[i][i] for i in range(self.r)), _ZERO)
        slope = num.derivative() * det - num * det.derivative()
        strict = sign_leaves(det, strict=True)
        return not any(
            isinstance(leaves, Undecided) for leaves in (strict, sign_leaves(slope, strict=False))
        )

    def go(self, change: fmpq_mat) -> None:
        """Follow W2 + t change, W1 staying the best for it; nothing when the change is zero."""
        if change == fmpq_mat(change.nrows(), change.ncols()):
            return
        first, last = self.builder.current[0], self.builder.current[-1]
        moving = _linear(self.upper, change)
        det, adjugate = _inverse(_times(_transposed(moving), moving))
        best = _times(adjugate, _times(_transposed(moving), _constant(self.fit)))
        rest = _constant(first - right_inverse(self._below) * self.lower)
        numerator = tuple(
            tuple(p + q * det for p, q in zip(row, base, strict=True))
            for row, base in zip(
                _times(_constant(right_inverse(self._below)), best), rest, strict=True
            )
        )
        common = reduce(lambda g, p: g if p.is_zero() else g.gcd(p), _entries(numerator), det)
        common = common * (det(fmpq(0)) / common(fmpq(0)))
        lower = (1, tuple(tuple(p // common for p in row) for row in numerator), det // common)
        upper = _linear(last, change * left_inverse(self._above))
        self.builder.piece([lower, (self.builder.network.depth, upper, _ONE)])


def _climb_exactly(walk: _Bottleneck, top: RationalTop) -> None:
    """Raise tr(P S) to the sum of the top r eigenvalues by at most four exact segments."""
    _swap(walk, top.strict)
    _swap(walk, top.weak)
    walk.go(top.weak * walk.upper - walk.upper)
    # Now W2 lies in the weak top. Its part that meets the tied eigenspace alone stays; the
    # orthogonal rest, as large as the strict top, is turned into it.
    upper = walk.upper
    level = upper * kernel(top.strict * upper).basis
    rest = projector(upper) - projector(level)
    walk.go((top.strict - identity(upper.nrows())) * rest * upper)


def _swap(walk: _Bottleneck, space: fmpq_mat) -> None:
    """Give (projector `space`) W2 the greatest possible rank.

    v_i in W2 with space v_i = 0 become v_i + t w_i, w_i in the space and orthogonal to W2: Rayleigh
    quotients of the w_i are at least those of the v_i, and S mixes the two not at all.
    """
    upper = walk.upper
    image = space * upper
    needed = min(rank(space), walk.r) - rank(image)
    if needed <= 0:
        return
    leaving = upper * columns(kernel(image).basis, range(needed))
    conditions = stacked(image.transpose(), identity(upper.nrows()) - space)
    entering = columns(kernel(conditions).basis, range(needed))
    walk.go(entering * left_inverse(leaving) * upper)


def _climb_nearly(walk: _Bottleneck, wanted: fmpq) -> Undecided | None:
    """Raise tr(P S) to `wanted`, less than the sum of the irrational top r eigenvalues."""
    for bits in (96, 192, 384, 768):
        for _ in range(walk.r + 1):
            if walk.captured(walk.upper) >= wanted:
                return None
            here = projector(walk.upper)
            top = aligned_top(walk.s, here, walk.r, bits)
            meeting = here * top * here + 2 * (identity(here.nrows()) - here)
            values, vectors = eigen(meeting, bits)
            if values[-1] > fmpq(1, 2**24):
                if not _approach(walk, top, wanted, bits // 2):
                    break
            elif not _leave(walk, top, columns(vectors, [len(values) - 1]), bits):
                break
    if walk.captured(walk.upper) >= wanted:
        return None
    return Undecided(
        "no certified segment raises W2 to the irrational top eigenspaces",
        "the bottleneck",
        "use a larger eps, or start elsewhere",
    )


def _approach(walk: _Bottleneck, top: fmpq_mat, wanted: fmpq, bits: int) -> bool:
    """Go most of the straight way to top W2, which the lemma lets rise, rounded to few bits.

    Short of the end by 2^-c the slope still exceeds what rounding a few bits finer can spoil.
    """
    upper = walk.upper
    scale = size_of(upper)
    whole = top * upper - upper
    for c in range(2, bits - 8):
        for finer in (3, 6, 10, 16):
            change = scale * rounded((1 - fmpq(1, 2**c)) / scale * whole, c + finer)
            if walk.captured(upper + change) >= wanted and walk.rises(change):
                walk.go(change)
                return True
    return False


def _leave(walk: _Bottleneck, top: fmpq_mat, leaving: fmpq_mat, bits: int) -> bool:
    """Leave a place where W2 meets the orthogonal complement of the top, in v (m x 1).

    v turns towards w in the top and orthogonal to W2 while W2 also climbs a little; both are
    rounded, and the segment is shortened until its rise is certified.
    """
    upper = walk.upper
    here = projector(upper)
    outside = top * (identity(here.nrows()) - here) * top
    entering = columns(eigen(outside, bits)[1], [0])
    if (leaving.transpose() * walk.s * entering)[0, 0] < 0:
        entering = -entering
    turn = entering * leaving.transpose() * upper
    climb = top * upper - upper
    before = walk.captured(upper)
    scale = size_of(upper)
    for finer in (4, 8, 16, 32):
        for halvings in range(12):
            part = (turn + climb / 4) / scale / 2**halvings
            change = scale * rounded(part, finer + halvings)
            full = rank(upper + change) == walk.r
            if full and walk.captured(upper + change) > before and walk.rises(change):
                walk.go(change)
                return True
    return False


_ONE = fmpq_poly([1])
_ZERO = fmpq_poly([])


def _entries(a: Polynomials) -> list[fmpq_poly]:
    return [p for row in a for p in row]


def _constant(a: fmpq_mat) -> Polynomials:
    return tuple(tuple(fmpq_poly([q]) for q in row) for row in a.tolist())


def _linear(a: fmpq_mat, change: fmpq_mat) -> Polynomials:
    return tuple(
        tuple(fmpq_poly([p, q]) for p, q in zip(row, more, strict=True))
        for row, more in zip(a.tolist(), change.tolist(), strict=True)
    )


def _transposed(a: Polynomials) -> Polynomials:
    return tuple(zip(*a, strict=True))


def _times(a: Polynomials, b: Polynomials) -> Polynomials:
    turned = _transposed(b)
    return tuple(
        tuple(sum((p * q for p, q in zip(row, c, strict=True)), _ZERO) for c in turned) for row in a
    )


def _inverse(a: Polynomials) -> tuple[fmpq_poly, Polynomials]:
    """Determinant and adjugate of a square polynomial matrix.

    Source: Faddeev & Leverrier's recursion (Householder, The Theory of Matrices, 6.7).
    """
    n = len(a)
    adjugate = _constant(identity(n))
    coefficient = _ONE
    for k in range(1, n + 1):
        moved = _times(a, adjugate)
        coefficient = sum((moved[i][i] for i in range(n)), _ZERO) * fmpq(-1, k)
        if k < n:
            adjugate = tuple(
                tuple(p + coefficient if i == j else p for j, p in enumerate(row))
                for i, row in enumerate(moved)
            )
    sign = fmpq((-1) ** n)
    return coefficient * sign, tuple(tuple(p * -sign for p in row) for row in adjugate)
