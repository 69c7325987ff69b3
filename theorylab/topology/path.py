"""Polylines and piecewise rational paths in weight space, and the proofs the kernel reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import gcd
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.model import Loss, Network, Weights
from theorylab.outcome import InputError, Undecided
from theorylab.topology.positivity import Leaves, sign_leaves, touching_points

Json = dict[str, Any]
Polynomials = tuple[tuple[fmpq_poly, ...], ...]
MovingLayer = tuple[int, Polynomials, fmpq_poly]

# (num, den) of the reduced loss -> the polynomial that must be non-negative on [0, 1]
Target = Callable[[fmpq_poly, fmpq_poly], fmpq_poly]

MOVE_KINDS = ("layer", "output", "idle", "cell")
_ONE = fmpq_poly([1])
_ZERO = fmpq_poly([])
_REVERSE = fmpq_poly([1, -1])


@dataclass(frozen=True, slots=True)
class Move:
    """A straight segment on which only W_layer changes, to `matrix`; `layer` counts from 1."""

    kind: str
    layer: int
    matrix: fmpq_mat

    def after(self, weights: Weights) -> Weights:
        """Return the weights at the end of the move."""
        return (*weights[: self.layer - 1], self.matrix, *weights[self.layer :])


@dataclass(frozen=True, slots=True)
class Piece:
    """A rational segment: W_k(t) = numerator/denominator for t in [0, 1]; other layers stay.

    layers: (k, numerator n_k x cols of polynomials, denominator), k from 1, increasing.
    """

    layers: tuple[MovingLayer, ...]

    def at(self, weights: Weights, t: fmpq) -> Weights:
        """Return the weights at parameter `t`, the unmoved layers being those of `weights`."""
        out = list(weights)
        for k, numerator, denominator in self.layers:
            d = denominator(t)
            out[k - 1] = fmpq_mat([[p(t) / d for p in row] for row in numerator])
        return tuple(out)

    def after(self, weights: Weights) -> Weights:
        """Return the weights at the end of the piece."""
        return self.at(weights, fmpq(1))

    def substituted(self, s: fmpq_poly) -> Piece:
        """Return the piece reparametrised by t = s(t')."""
        return Piece(
            tuple(
                (k, tuple(tuple(p(s) for p in row) for row in numerator), denominator(s))
                for k, numerator, denominator in self.layers
            )
        )

    def cut(self, points: Sequence[fmpq]) -> list[Piece]:
        """Return the consecutive parts between 0, the increasing `points` and 1."""
        ends = [fmpq(0), *points, fmpq(1)]
        return [self.substituted(fmpq_poly([a, b - a])) for a, b in pairwise(ends)]


Step = Move | Piece


@dataclass(frozen=True, slots=True)
class Path:
    """A path in the weight space of `network`: `start`, then exact steps one after the other.

    Guarantees: exact; consecutive steps meet by construction (a Piece is checked when built by
    PathBuilder).
    """

    network: Network
    start: Weights
    steps: tuple[Step, ...]

    def vertices(self) -> list[Weights]:
        """Return the weights at the start and after every step."""
        out = [self.start]
        for step in self.steps:
            out.append(step.after(out[-1]))
        return out

    @property
    def end(self) -> Weights:
        """The weights at the end of the path."""
        return reduce(lambda weights, step: step.after(weights), self.steps, self.start)

    @property
    def segments(self) -> int:
        """How many steps the path has."""
        return len(self.steps)

    def reversed(self) -> Path:
        """Return the same path walked from its end to its start."""
        vertices = self.vertices()
        steps: list[Step] = []
        for before, step in zip(reversed(vertices[:-1]), reversed(self.steps), strict=True):
            if isinstance(step, Piece):
                steps.append(step.substituted(_REVERSE))
            else:
                steps.append(Move(step.kind, step.layer, before[step.layer - 1]))
        return Path(self.network, vertices[-1], tuple(steps))

    def then(self, other: Path) -> Path:
        """Return this path followed by `other`; raises ValueError unless the ends meet exactly."""
        if self.network != other.network or self.end != other.start:
            raise ValueError("the second path does not start where the first one ends")
        return Path(self.network, self.start, self.steps + other.steps)


class PathBuilder:
    """Walks from `start` one exact step at a time and remembers the way."""

    def __init__(self, network: Network, start: Weights) -> None:
        self.network = network
        self.start: Weights = tuple(start)
        self.current: Weights = self.start
        self._steps: list[Step] = []

    def move(self, kind: str, layer: int, matrix: fmpq_mat) -> None:
        """Go straight to the weights with W_layer = `matrix`, if they are not there already.

        Raises ValueError when the kind, layer or shape cannot belong to a move.
        """
        old = self.current[layer - 1]
        if kind not in MOVE_KINDS or (kind == "output" and layer != len(self.current)):
            raise ValueError(f"no move {kind!r} of layer {layer}")
        if (matrix.nrows(), matrix.ncols()) != (old.nrows(), old.ncols()):
            raise ValueError(f"layer {layer}: shape {matrix.nrows()} x {matrix.ncols()} is wrong")
        if matrix != old:
            self.append(Move(kind, layer, matrix))

    def piece(self, layers: Sequence[MovingLayer]) -> None:
        """Follow a rational segment; raises ValueError unless it starts at the current weights."""
        piece = Piece(tuple(sorted(layers, key=lambda entry: entry[0])))
        if piece.at(self.current, fmpq(0)) != self.current:
            raise ValueError("the piece does not start at the current weights")
        self.append(piece)

    def append(self, step: Step) -> None:
        """Follow a step made elsewhere."""
        self._steps.append(step)
        self.current = step.after(self.current)

    def path(self) -> Path:
        """Return the path walked so far."""
        return Path(self.network, self.start, tuple(self._steps))


def rational(q: fmpq) -> str:
    """Return the kernel's text of a rational: lowest terms, no denominator 1.

    >>> rational(fmpq(-2, 4))
    '-1/2'
    """
    return str(q)


def matrix_json(matrix: fmpq_mat) -> list[list[str]]:
    """Return the rows of a matrix as the kernel reads them."""
    return [[str(q) for q in row] for row in matrix.tolist()]


def theta_json(weights: Weights) -> list[list[list[str]]]:
    """Return weights as the kernel reads them, layer by layer."""
    return [matrix_json(matrix) for matrix in weights]


def poly_json(p: fmpq_poly) -> list[str]:
    """Return polynomial coefficients, low degree first; the zero polynomial is [].

    >>> poly_json(fmpq_poly([0, fmpq(1, 2)]))
    ['0', '1/2']
    """
    return [str(q) for q in p.coeffs()]


def leaves_json(leaves: Leaves) -> list[list[int]]:
    """Return dyadic leaves as the kernel reads them."""
    return [[level, index] for level, index in leaves]


def proof_of_joined(path: Path, loss: Loss, u: fmpq) -> tuple[str, Json] | Undecided:
    """Return (rule, proof) that `path` stays in {L <= u}.

    Guarantees: positivity of every rational piece is certified exactly; the vertices of straight
    moves are left to the kernel, which evaluates them anyway.
    Undecided when a piece rises above u, or touches u at an irrational point.
    """
    return _proof(path, loss, "bound", lambda num, den: u * den - num)


def proof_of_descent(path: Path, loss: Loss, optimum: Json) -> tuple[str, Json] | Undecided:
    """Return (rule, proof) that L never increases along `path`; `optimum` proves the lower bound.

    Guarantees: as `proof_of_joined`.
    """
    found = _proof(
        path,
        loss,
        "monotone",
        lambda num, den: num * den.derivative() - num.derivative() * den,
    )
    if isinstance(found, Undecided):
        return found
    rule, proof = found
    return rule, {**proof, "optimum": optimum}


def loss_along(
    network: Network, weights: Weights, piece: Piece, loss: Loss
) -> tuple[fmpq_poly, fmpq_poly]:
    """Return the reduced loss num/den along `piece` (polynomials in t, den(0) > 0).

    Guarantees: exact, gcd(num, den) = 1, den with coprime integer coefficients.
    Raises InputError unless the activation is polynomial.

    >>> from theorylab.model import Dataset
    >>> net = Network.dense((1, 1), "linear")
    >>> data = Dataset.from_rows([[1]], [[0]])
    >>> t = Piece(((1, ((fmpq_poly([1, 1]),),), fmpq_poly([1])),))
    >>> loss_along(net, (fmpq_mat([[1]]),), t, Loss(net, data))
    (x^2 + 2*x + 1, 1)
    """
    moving = {k: (numerator, denominator) for k, numerator, denominator in piece.layers}
    data = loss.data
    features: list[list[fmpq_poly]] = [[fmpq_poly([q]) for q in row] for row in data.x.tolist()]
    den = _ONE
    for k in range(1, network.depth + 1):
        if k in moving:
            rows, layer_den = moving[k]
        else:
            rows, layer_den = _constant_rows(weights[k - 1]), _ONE
        inputs = [*features, [den] * data.samples] if network.bias[k - 1] else features
        features = [_combination(row, inputs, data.samples) for row in rows]
        den = den * layer_den
        if k < network.depth or network.output == "activation":
            features, den = _activated(network, features, den)
        features, den = _cancelled(features, den)
    residual = [
        [p - y * den for p, y in zip(row, targets, strict=True)]
        for row, targets in zip(features, data.y.tolist(), strict=True)
    ]
    residual, den = _cancelled(residual, den)
    num = sum(
        (s * p * p for row in residual for s, p in zip(data.sample_weights, row, strict=True)),
        _ZERO,
    )
    den = den * den
    rates = iter(loss.penalties or ())
    for k in range(1, network.depth + 1) if loss.ridge is not None else ():
        if k in moving:
            rows, layer_den = moving[k]
        else:
            rows, layer_den = _constant_rows(weights[k - 1]), _ONE
        penalty = sum((next(rates) * p * p for row in rows for p in row), _ZERO)
        num, den = num * layer_den * layer_den + penalty * den, den * layer_den * layer_den
    return _reduced(num, den)


def _constant_rows(matrix: fmpq_mat) -> Polynomials:
    return tuple(tuple(fmpq_poly([q]) for q in row) for row in matrix.tolist())


def _combination(
    row: Sequence[fmpq_poly], inputs: list[list[fmpq_poly]], samples: int
) -> list[fmpq_poly]:
    used = [(w, h) for w, h in zip(row, inputs, strict=True) if not w.is_zero()]
    return [sum((w * h[i] for w, h in used), _ZERO) for i in range(samples)]


def _activated(
    network: Network, features: list[list[fmpq_poly]], den: fmpq_poly
) -> tuple[list[list[fmpq_poly]], fmpq_poly]:
    coefficients = network.activation.coefficients
    if coefficients is None:
        raise InputError(
            "activation",
            network.activation.kind,
            "rational pieces need a polynomial activation",
            "use straight moves only",
        )
    degree = max((i for i, a in enumerate(coefficients) if a != 0), default=0)
    powers = [_ONE]
    for _ in range(degree):
        powers.append(powers[-1] * den)

    def apply(p: fmpq_poly) -> fmpq_poly:
        value = fmpq_poly([coefficients[degree]])
        for i in range(degree - 1, -1, -1):
            value = value * p + coefficients[i] * powers[degree - i]
        return value

    return [[apply(p) for p in row] for row in features], powers[degree]


def _cancelled(
    rows: list[list[fmpq_poly]], den: fmpq_poly
) -> tuple[list[list[fmpq_poly]], fmpq_poly]:
    """Cancel the factor common to all entries and the denominator, which keeps degrees small."""
    common = den
    for p in (p for row in rows for p in row):
        if common.degree() <= 0:
            return rows, den
        if not p.is_zero():
            common = common.gcd(p)
    if common.degree() <= 0:
        return rows, den
    return [[p // common for p in row] for row in rows], den // common


def _reduced(num: fmpq_poly, den: fmpq_poly) -> tuple[fmpq_poly, fmpq_poly]:
    common = den if num.is_zero() else den.gcd(num)
    num, den = num // common, den // common
    integers = [int(c) for c in den.numer().coeffs()]
    scale = fmpq(den.denom()) / gcd(*integers)
    if den(fmpq(0)) < 0:
        scale = -scale
    return num * scale, den * scale


def _proof(path: Path, loss: Loss, form: str, target: Target) -> tuple[str, Json] | Undecided:
    steps: list[Json] = []
    weights = path.start
    for number, step in enumerate(path.steps, start=1):
        if isinstance(step, Move):
            steps.append(_move_json(step, weights))
        else:
            for part in _piece_json(path.network, weights, step, loss, target):
                if isinstance(part, Undecided):
                    return Undecided(f"step {number} of the path: {part.reason}")
                steps.append(part)
        weights = step.after(weights)
    rule = "path" if any(isinstance(step, Piece) for step in path.steps) else "polyline"
    return rule, {"form": form, "steps": steps}


def _move_json(step: Move, weights: Weights) -> Json:
    old = weights[step.layer - 1].tolist()
    rows = [
        [i, [str(q) for q in row]] for i, row in enumerate(step.matrix.tolist()) if row != old[i]
    ]
    return {"move": step.kind, "layer": step.layer, "rows": rows}


def _piece_json(
    network: Network, weights: Weights, piece: Piece, loss: Loss, target: Target
) -> Iterator[Json | Undecided]:
    num, den = loss_along(network, weights, piece, loss)
    wanted = target(num, den)
    leaves = sign_leaves(wanted, strict=False)
    if isinstance(leaves, Undecided):
        points = touching_points(wanted)
        if not points:
            yield leaves
            return
        for part in piece.cut(points):
            yield from _piece_json(network, weights, part, loss, target)
        return
    positive = [sign_leaves(d, strict=True) for d in (*(e[2] for e in piece.layers), den)]
    denominators: list[list[list[int]]] = []
    for found in positive:
        if isinstance(found, Undecided):
            yield Undecided(f"denominator: {found.reason}")
            return
        denominators.append(leaves_json(found))
    yield {
        "piece": [
            {
                "layer": k,
                "numerator": [[poly_json(p) for p in row] for row in numerator],
                "denominator": poly_json(denominator),
            }
            for k, numerator, denominator in piece.layers
        ],
        "loss": {"numerator": poly_json(num), "denominator": poly_json(den)},
        "denominators": denominators[:-1],
        "loss_denominator": denominators[-1],
        "leaves": leaves_json(leaves),
    }


@dataclass(frozen=True, slots=True)
class Descent:
    """A path along which the loss never increases, and how near to the global minimum it ends.

    `value` <= L everywhere, as `optimum` (a proof in the kernel's words) shows at the end of the
    path, and L(end) <= `value` + `gap`; `reaches`: the end is a global minimiser, so `gap` = 0.
    """

    path: Path
    value: fmpq
    gap: fmpq
    optimum: Json
    reaches: bool
