"""What the words mean: network, data, loss, literally.  This file is the trust base.

A layer is a matrix whose entries are free parameters, shared parameters or fixed rationals; with a
bias its last column multiplies the constant 1.  ``theta`` is the tuple (W_1, ..., W_K).  The same
lines evaluate numbers, polynomials in a path parameter t and polynomials in symbolic weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import Any

from theorylab.kernel.arith import Matrix, Refusal, bits, spend

Theta = tuple[Matrix, ...]
Entry = None | int | Fraction

NAMED = {
    name: tuple(Fraction(int(i == degree)) for i in range(degree + 1))
    for name, degree in (("linear", 1), ("square", 2), ("cube", 3))
}
SIGNED = ("relu", "leaky_relu", "abs", "step")


@dataclass(frozen=True, slots=True)
class Activation:
    """rho.  ``coefficients`` a_0, a_1, ... if it is a polynomial, else None; step(z) = [z > 0]."""

    kind: str
    coefficients: tuple[Fraction, ...] | None
    slope: Fraction = Fraction(0)

    @property
    def is_linear(self) -> bool:
        return self.coefficients == NAMED["linear"]

    @property
    def is_linear_on_each_side(self) -> bool:
        """Continuous, and linear on z >= 0 and on z <= 0."""
        return self.is_linear or self.kind in ("relu", "leaky_relu", "abs")

    def on(self, z: Matrix) -> Matrix:
        """rho of every entry."""
        if self.coefficients is not None:
            return self._polynomial(z)
        if not isinstance(z.den, int):
            raise Refusal(f"{self.kind} is not a polynomial")
        if self.kind == "step":
            return Matrix(tuple(tuple(int(v > 0) for v in row) for row in z.rows), 1)
        p, q = self.slope.numerator, self.slope.denominator
        spend(len(z.entries), z.bits, max(p.bit_length(), q.bit_length()))
        rows = tuple(tuple(v * q if v > 0 else v * p for v in row) for row in z.rows)
        return Matrix(rows, z.den * q).reduced()

    def _polynomial(self, z: Matrix) -> Matrix:
        if self.is_linear:
            return z
        assert self.coefficients is not None
        scaled = Matrix.of([list(self.coefficients)])
        degree, power, powers = len(self.coefficients) - 1, 1, []
        spend((degree + 1) * (1 + len(z.entries)), degree * z.bits + scaled.bits, z.bits)
        for _ in range(degree + 1):
            powers.append(power)
            power = power * z.den

        def value(v: Any) -> Any:
            # numerator of rho(v/den) over den^degree, by Horner's rule
            total: Any = scaled.rows[0][degree]
            for i in range(degree - 1, -1, -1):
                total = total * v + scaled.rows[0][i] * powers[degree - i]
            return total

        rows = tuple(tuple(value(v) for v in row) for row in z.rows)
        return Matrix(rows, powers[degree] * scaled.den).reduced()


@dataclass(frozen=True, slots=True)
class Network:
    """n_0, ..., n_K; activation after every layer but the last unless ``output_activated``."""

    widths: tuple[int, ...]
    activation: Activation
    bias: tuple[bool, ...]
    output_activated: bool
    pattern: tuple[tuple[tuple[Entry, ...], ...] | None, ...] | None

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def hidden(self) -> tuple[int, ...]:
        return self.widths[1:-1]

    def shape(self, k: int) -> tuple[int, int]:
        return self.widths[k], self.widths[k - 1] + self.bias[k - 1]

    def conforms(self, theta: Theta) -> bool:
        """Whether theta has the shapes, the fixed entries and the shared entries of the network."""
        if len(theta) != self.depth:
            return False
        if any(theta[k - 1].shape != self.shape(k) for k in range(1, self.depth + 1)):
            return False
        shared: dict[int, Fraction] = {}
        spend(40 * sum(len(layer.entries) for layer in theta) if self.pattern else 0)
        for layer, entries in zip(theta, self.pattern or (), strict=bool(self.pattern)):
            for i, row in enumerate(entries or ()):
                for entry, value in zip(row, layer.row(i), strict=True):
                    if isinstance(entry, Fraction) and entry != value:
                        return False
                    if type(entry) is int and shared.setdefault(entry, value) != value:
                        return False
        return True

    def parameters(self) -> list[list[list[Entry]]]:
        """Per layer: the number of each free parameter in order of first appearance, or its value.

        A shared slot counts once.
        """
        numbers: dict[Any, int] = {}
        layers: list[list[list[Entry]]] = []
        for k in range(1, self.depth + 1):
            entries = self.pattern[k - 1] if self.pattern else None
            layers.append([])
            for i in range(self.shape(k)[0]):
                row: list[Entry] = []
                for j in range(self.shape(k)[1]):
                    entry = entries[i][j] if entries else None
                    key = (k, i, j) if entry is None else entry
                    fixed = isinstance(entry, Fraction)
                    row.append(entry if fixed else numbers.setdefault(key, len(numbers)))
                layers[-1].append(row)
        return layers

    @property
    def entry_count(self) -> int:
        return sum(r * c for r, c in (self.shape(k) for k in range(1, self.depth + 1)))

    @property
    def parameter_count(self) -> int:
        """W, the number of free parameters."""
        entries = (p for layer in self.parameters() for row in layer for p in row)
        return 1 + max((p for p in entries if type(p) is int), default=-1)

    def preactivation(self, k: int, weights: Matrix, below: Matrix) -> Matrix:
        """W_k H_{k-1}, the constant 1 appended to H_{k-1} if layer k has a bias."""
        return weights @ (below.with_ones() if self.bias[k - 1] else below)

    def features(self, theta: Theta, x: Matrix) -> list[Matrix]:
        """H_0 = X, H_1, ..., H_{K-1}: hidden features, one column per sample."""
        features = [x]
        for k in range(1, self.depth):
            z = self.preactivation(k, theta[k - 1], features[-1])
            features.append(self.activation.on(z))
        return features

    def output(self, theta: Theta, last: Matrix) -> Matrix:
        """Phi, from the last hidden features."""
        z = self.preactivation(self.depth, theta[-1], last)
        return self.activation.on(z) if self.output_activated else z


@dataclass(frozen=True, slots=True)
class Data:
    """Columns are samples; ``weights`` (one row) are positive and multiply the squared errors."""

    x: Matrix
    y: Matrix
    weights: Matrix

    @property
    def samples(self) -> int:
        return self.weights.shape[1]

    @property
    def distinct_inputs(self) -> list[tuple[Any, ...]]:
        spend(16 * len(self.x.entries), self.x.bits)
        return sorted(set(self.x.columns))

    def gram(self, a: Matrix, b: Matrix) -> Matrix:
        """sum_j s_j a_j b_j^T over the columns of two matrices of numbers."""
        spend(len(a.entries), a.bits, self.weights.bits)
        rows = tuple(tuple(map(mul, row, self.weights.rows[0])) for row in a.rows)
        return Matrix(rows, a.den * self.weights.den) @ b.transposed

    def squared_norm(self, r: Matrix) -> Any:
        """sum_j s_j |r_j|^2 over the columns of a matrix, as numerator and denominator."""
        spend(2 * len(r.entries), r.bits, r.bits + self.weights.bits)
        total: Any = 0
        for s, column in zip(self.weights.rows[0], r.columns, strict=True):
            total = sum(map(mul, column, column)) * s + total
        return total, r.den * r.den * self.weights.den

    @property
    def energy(self) -> Fraction:
        """|Y|^2 = sum_j s_j |y_j|^2."""
        return Fraction(*self.squared_norm(self.y))


def residual(output: Matrix, y: Matrix) -> Matrix:
    """Phi - Y over one denominator."""
    spend(2 * len(y.entries), output.bits, y.bits)
    rows = tuple(
        tuple(p * y.den + (output.den * v) * -1 for p, v in zip(prow, yrow, strict=True))
        for prow, yrow in zip(output.rows, y.rows, strict=True)
    )
    return Matrix(rows, output.den * y.den).reduced()


def loss_fraction(
    network: Network, theta: Theta, data: Data, ridge: tuple[Fraction, ...] | None = None
) -> tuple[Any, Any]:
    """L(theta) = sum_j s_j |Phi(x_j; theta) - y_j|^2 + sum_i ridge_i theta_i^2, sums, not means.

    theta_i runs through the layers row by row. Numerator and denominator: integers, or polynomials
    when theta holds polynomials.
    """
    output = network.output(theta, network.features(theta, data.x)[-1])
    numerator, denominator = data.squared_norm(residual(output, data.y))
    rest = list(ridge or ())
    for layer in theta if ridge else ():
        entries = layer.entries
        scaled = Matrix.of([rest[: len(entries)]])
        rest = rest[len(entries) :]
        spend(4 * len(entries), layer.bits, layer.bits + scaled.bits)
        squares: Any = sum(map(mul, map(mul, entries, entries), scaled.rows[0]))
        below = layer.den * layer.den * scaled.den
        spend(8, bits(numerator) + bits(squares), bits(denominator) + bits(below))
        numerator = numerator * below + squares * denominator
        denominator = denominator * below
    return numerator, denominator


def loss(network: Network, theta: Theta, data: Data) -> Fraction:
    """The loss without ridge at a point of rational weights; ``Statement.loss`` is the whole."""
    return Fraction(*loss_fraction(network, theta, data))
