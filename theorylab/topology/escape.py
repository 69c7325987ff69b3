"""Deep linear networks: from every weights that are no global minimum a curve leads down at once.

With P = W_K ... W_1, f(P) = |P X - Y|^2 and G its gradient, L_k = W_K ... W_{k+1} and R_k =
W_k ... W_1. A gradient that is not zero is followed. At a critical point with G != 0 let j be the
first index where L_j is injective. A channel t v_k w_k' in each layer k < j, v_k in the kernel of
L_k, leaves P as it is and makes the gradient of layer j a power of t, unless L_j' G = 0. Then
either R_j is not surjective, and a channel from above through the left kernel of R_j opens L_j' G;
or P has the full rank of its bottleneck, and a direction of negative curvature turns a direction of
the fit towards the residual (Eckart & Young). The proof is on the claim's page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd, lcm

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.model.rational import columns
from theorylab.outcome import Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.bottleneck import ky_fan_bound
from theorylab.topology.certificate import not_poor_minimum
from theorylab.topology.exact_algebra import (
    identity,
    kernel,
    left_inverse,
    projector,
    rank,
    right_inverse,
    solve,
    trace,
)
from theorylab.topology.linear import is_least_squares, product, require_linear
from theorylab.topology.path import Json, poly_json
from theorylab.topology.spectrum import eigen

Series = tuple[fmpq_mat, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Weights that move as polynomials in t: for each layer the coefficients of t^0, t^1, ..."""

    layers: tuple[Series, ...]

    @property
    def degree(self) -> int:
        """The highest power of t."""
        return max(map(len, self.layers)) - 1

    def json(self) -> Json:
        """The proof of the rule "optimum" that the loss falls along the curve."""
        return {"curve": [_polynomials(series) for series in self.layers]}


def not_poor(network: Network, data: Dataset, a: Weights) -> Argument | Undecided:
    """Show that `a` is no poor local minimum: it is a global one, or a curve leads down from it.

    Guarantees: exact. Raises InputError for a network that is not linear, dense and without bias.

    >>> net = Network.dense((1, 1, 1), "linear")
    >>> zero = (fmpq_mat([[0]]), fmpq_mat([[0]]))
    >>> not_poor(net, Dataset.from_rows([[1]], [[1]]), zero).proof
    {'curve': [[[['0', '-1']]], [[['0', '-1']]]]}
    """
    require_linear(network)
    conclusion = not_poor_minimum(network.check_weights(a))
    if is_least_squares(product(a), data):
        optimum: Json = {"by": "orthogonal", "features": "inputs"}
        return Argument(conclusion, "optimum", {"optimum": optimum})
    found = escape_curve(network, data, a)
    if isinstance(found, Curve):
        return Argument(conclusion, "optimum", found.json())
    bound, optimum = ky_fan_bound(network, data)
    if Loss(network, data)(a) <= bound:
        return Argument(conclusion, "optimum", {"optimum": optimum})
    return found


def escape_curve(network: Network, data: Dataset, a: Weights) -> Curve | Undecided:
    """Return a curve from `a` along which the loss falls at once.

    Any depth, widths, data and sample weights; Undecided at a global minimum.
    Guarantees: exact: the first coefficient of L - L(a) along the curve is negative.
    Raises InputError for a network that is not linear, dense and without bias.
    Source: own construction for Kawaguchi 2016, Lu & Kawaguchi 2017, Zhang 2019.

    >>> net = Network.dense((1, 1, 1, 1), "linear")
    >>> zero = (fmpq_mat([[0]]),) * 3
    >>> escape_curve(net, Dataset.from_rows([[1]], [[1]]), zero).degree
    1
    """
    require_linear(network)
    layers: list[Series] = [(w,) for w in network.check_weights(a)]
    slope = 2 * data.gram(product(a) * data.x - data.y, data.x)
    if _is_zero(slope):
        return Undecided("the gradient in W_K ... W_1 is zero", "the product", "A is a minimum")
    found = _followed(layers, slope, data)
    if found is not None:
        return found
    uppers = [_composed(a[k:], w.nrows()) for k, w in enumerate(a, 1)]
    j = next(k for k, upper in enumerate(uppers, 1) if rank(upper) == upper.ncols())
    entering = uppers[j - 1].transpose() * slope
    if _is_zero(entering):
        above = _composed(a[j:-1], a[j - 1].nrows())
        lost = kernel(product(a[:j]).transpose()).basis
        if not lost.ncols():
            return _turned(a, j, above, slope, data)
        through = solve(above.transpose(), columns(lost, [0]))
        assert through is not None  # L_j, and so W_{K-1} ... W_{j+1}, is injective
        target = _first_column(slope)
        layers[-1] = (a[-1], target * through.transpose())
        entering = target.transpose() * slope
    source = _first_column(entering.transpose())
    for k in range(1, j):
        leaving = _first_column(kernel(uppers[k - 1]).basis)
        layers[k - 1] = (a[k - 1], leaving * source.transpose())
        source = leaving
    found = _followed(layers, slope, data)
    assert found is not None
    return found


def _followed(layers: Sequence[Series], slope: fmpq_mat, data: Dataset) -> Curve | None:
    """Where P(t) is constant: the curve plus -t^N D in the layer whose gradient has least order.

    D is the first coefficient of that gradient; N is the least for which it decides.
    """
    best: tuple[int, int, fmpq_mat] | None = None
    for k, layer in enumerate(layers):
        above = _series(layers[k + 1 :], layer[0].nrows())
        below = _series(layers[:k], data.n)
        turned = [w.transpose() for w in below]
        gradient = _times([w.transpose() for w in above], _times([slope], turned))
        order = _order(gradient)
        if order is not None and (best is None or order < best[0]):
            best = order, k, gradient[order]
    if best is None:
        return None
    order, k, gradient_ = best
    step = _primitive(gradient_)
    above = _series(layers[k + 1 :], step.nrows())
    below = _series(layers[:k], data.n)
    effect = _order(_times(above, _times([step], _times(below, [data.x]))))
    power = max(1, order - 2 * (order if effect is None else effect) + 1)
    moved = list(layers)
    padding = [fmpq_mat(step.nrows(), step.ncols())] * (power + 1 - len(layers[k]))
    grown = [*layers[k], *padding]
    grown[power] = grown[power] - step
    moved[k] = tuple(grown)
    return Curve(tuple(moved))


def _turned(
    a: Weights, j: int, above: fmpq_mat, slope: fmpq_mat, data: Dataset
) -> Curve | Undecided:
    """A direction of negative curvature at a critical point of full rank r = n_j.

    L_j moves by p b' and R_j by c q', in W_K and W_1: the second coefficient is
    |p|^2 |b' R X|^2 + |L c|^2 |q' X|^2 + 2 (p.Lc) (b' R X . q' X) + (b.c) p' G q.
    """
    left, right = product(a[j:]), product(a[:j])
    gram = data.gram(data.x)
    fit = data.gram(data.y, data.x)
    missing = solve(gram, (fit - product(a) * gram).transpose())
    assert missing is not None  # normal equations
    residual = missing.transpose() * gram * missing
    inner = right * gram * right.transpose()
    size = left.transpose() * left
    outside = identity(left.nrows()) - projector(left)
    captured = left * inner * left.transpose()
    captured = captured + (1 + trace(captured)) * outside
    idle = kernel(inner).basis
    for bits in (4, 8, 16, 32, 64, 128, 256):
        p = _primitive(columns(eigen(residual, bits)[1], [0]))
        weakest = columns(eigen(captured, bits)[1], [left.nrows() - 1])
        b = _first_column(idle) if idle.ncols() else _primitive(left.transpose() * weakest)
        if _is_zero(p) or _is_zero(b):
            continue
        q, c = _primitive(missing * p), _primitive(size.inv() * b)
        turn = left * c
        own = _dot(p, p) * _dot(b, inner * b)
        other = _dot(turn, turn) * _dot(q, gram * q)
        mixed = 2 * _dot(p, turn) * _dot(b, right * gram * q) + _dot(b, c) * _dot(p, slope * q)
        if mixed * mixed > 4 * own * other and other > 0:
            last = p * b.transpose() * left_inverse(above)
            lower = _composed(a[1:j], a[0].nrows())
            first = right_inverse(lower) * c * q.transpose() * (-mixed / (2 * other))
            middle: list[Series] = [(w,) for w in a[1:-1]]
            return Curve(((a[0], first), *middle, (a[-1], last)))
    return Undecided(
        "no direction of negative curvature was found",
        "the bottleneck",
        "A seems to be a global minimum: prove that by the Ky Fan bound",
    )


def _composed(weights: Weights, size: int) -> fmpq_mat:
    """The product of some layers, the identity of this size for none."""
    return reduce(lambda below, layer: layer * below, weights, identity(size))


def _series(layers: Sequence[Series], size: int) -> list[fmpq_mat]:
    """The same for layers that move."""
    start = [identity(size)]
    return reduce(lambda below, layer: _times(layer, below), layers, start)


def _times(p: Sequence[fmpq_mat], q: Sequence[fmpq_mat]) -> list[fmpq_mat]:
    out = [fmpq_mat(p[0].nrows(), q[0].ncols()) for _ in range(len(p) + len(q) - 1)]
    for i, left in enumerate(p):
        for k, right in enumerate(q):
            out[i + k] += left * right
    return out


def _order(series: Sequence[fmpq_mat]) -> int | None:
    return next((i for i, w in enumerate(series) if not _is_zero(w)), None)


def _is_zero(w: fmpq_mat) -> bool:
    return not any(w.entries())


def _first_column(w: fmpq_mat) -> fmpq_mat:
    """The first column that is not zero, in coprime integers."""
    found = (columns(w, [i]) for i in range(w.ncols()))
    return _primitive(next(c for c in found if not _is_zero(c)))


def _primitive(w: fmpq_mat) -> fmpq_mat:
    """The positive multiple with coprime integer entries; zero stays."""
    entries = w.entries()
    common = gcd(*(int(q.p) for q in entries))
    return w * fmpq(lcm(*(int(q.q) for q in entries)), common) if common else w


def _dot(u: fmpq_mat, v: fmpq_mat) -> fmpq:
    return (u.transpose() * v)[0, 0]


def _polynomials(series: Series) -> list[list[list[str]]]:
    """The entries of a layer as the kernel reads polynomials in t."""
    rows, cols = series[0].nrows(), series[0].ncols()
    return [
        [poly_json(fmpq_poly([w[i, j] for w in series])) for j in range(cols)] for i in range(rows)
    ]
