"""What theory says, exactly, of the barriers between scalar networks of squares.

L depends on the form A = sum u_k w_k w_k^T only. With d = rank X and p units: for p > d every
sublevel set is connected; at p = d two networks are parted below tau, the least loss of a singular
form, when the signs of U or the orientations of W on the positive or the negative part of A differ
(Theorem 1 of proofs/scalar-quadratic-components); for p < d, where signs of U differ, below the
least loss of a form of rank p - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from theorylab import kernel
from theorylab.model import Dataset, Loss, Network, Weights, load_dataset
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import connection_certificate
from theorylab.topology.quadratic.forms import Forms, quadratic_setting
from theorylab.topology.quadratic.inertia import (
    joined_by_inertia,
    lowest_singular,
    separated_by_inertia,
)

Floats = NDArray[np.float64]
Floating = tuple[Floats, Floats]  # W (p x n) and U (p) of a network
# Features and target: rank X is 2 and 3, and tau lies well above the minimum.
SETS: Final = {"petals": ((2, 3), "class"), "setosa": ((0, 1, 2), "setosa")}
_GRID = 10
_DYADIC = 1 << 12
# Levels that are tried, in shares of the way from the minimum to the height.
_SHARES = (0.95, 0.75, 0.5, 0.25)


def iris(features: Sequence[int], target: str, samples: int) -> Dataset:
    """Every so many-th flower, these features standardised and rounded to tenths, one target.

    ``target`` is "class" (-1, 0, 1), or "setosa" (1 for it, -1 otherwise). Guarantees: exact
    rationals. Raises InputError for another target.

    >>> data = iris((2, 3), "class", 24)
    >>> data.n, data.samples, data.x[0, 0], data.y[0, 23]
    (2, 24, -13/10, 1)
    """
    if target not in ("class", "setosa"):
        raise InputError("target", target, "a target is class or setosa", "choose one")
    whole = load_dataset("iris")
    kept = [k * whole.samples // samples for k in range(samples)]
    x = np.array(whole.x.tolist(), dtype=np.float64)[list(features)][:, kept]
    labels = np.array(whole.y.tolist(), dtype=np.float64)[:, kept].argmax(0)
    y = labels - 1 if target == "class" else np.where(labels == 0, 1, -1)
    tenths = np.rint(_GRID * (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True))
    rows = [[fmpq(int(v), _GRID) for v in column] for column in tenths.T]
    name = f"iris {','.join(map(str, features))} {target}"
    return Dataset.from_rows(rows, [[int(v)] for v in y], name=name)


@dataclass(frozen=True)
class Theory:
    """Scalar networks of squares on data; losses are means over the samples.

    ``tau`` is what a search in floats found, so not below the true one. Raises InputError for
    inputs of rank 0.
    """

    data: Dataset

    @cached_property
    def forms(self) -> Forms:
        """The loss as a function of the form A."""
        setting = quadratic_setting(self.network(1), self.data)
        if isinstance(setting, Undecided) or not setting.d:
            rule = "the inputs have rank 1 at least"
            raise InputError("data", self.data.name, rule, "bring other data")
        return Forms(setting, self.data)

    @property
    def d(self) -> int:
        """The rank of X."""
        return self.forms.setting.d

    @cached_property
    def scale(self) -> float:
        """The loss of the zero network, the mean of y^2."""
        return float(self.data.gram(self.data.y)[0, 0]) / self.data.samples

    @cached_property
    def least(self) -> float:
        """The minimum, of networks of d units and more."""
        return float(self.forms.least) / self.data.samples

    @cached_property
    def tau(self) -> float:
        """About the least loss of a singular form."""
        return lowest_singular(self.forms)[0] / self.data.samples

    def network(self, width: int) -> Network:
        """The network of that many units."""
        return Network.dense((self.data.n, width, 1), "square")

    def parted(self, a: Floating, b: Floating) -> bool:
        """Whether two networks are parted at any level below that of their width.

        Their losses must lie below it: then no form on the way from one to the other is singular.
        Guarantees: the criterion is exact, its signs are those of floats.
        """
        width = len(a[1])
        if width > self.d:
            return False
        if (np.sign(a[1]) != np.sign(b[1])).any():
            return True
        return width == self.d and self._turned(a, b)

    def _turned(self, a: Floating, b: Floating) -> bool:
        """Whether b's rows are those of a, moved along with the form, times a G in O(U) outside
        the component of the identity: a determinant of its diagonal blocks is negative."""
        factor = np.array(self.forms.setting.factor.tolist(), dtype=np.float64)
        (v, u), (w, _) = [(np.sqrt(abs(u))[:, None] * (w @ factor), u) for w, u in (a, b)]
        signs = np.diag(np.sign(u))
        forms = [part.T @ signs @ part for part in (v, w)]
        # (A^-1 B)^(1/2) carries the rows over A to rows over B, along the segment of the forms
        moved = v @ np.real(sqrtm(np.linalg.solve(forms[0], forms[1])))
        turn = w @ np.linalg.inv(moved)
        blocks = (turn[np.ix_(u * s > 0, u * s > 0)] for s in (1, -1))
        return any(bool(np.linalg.det(block) < 0) for block in blocks)

    def proved_wall(self) -> float | None:
        """A level below tau at which the kernel has seen that a minimum of d units and its mirror
        image are parted, so that no singular form lies in the sublevel set; None without a proof.

        Guarantees: exact.
        """
        network = self.network(self.d)
        w, u = self.forms.weights(self.forms.best, network)
        mirrored = fmpq_mat(w)
        for j in range(mirrored.ncols()):
            mirrored[0, j] = -mirrored[0, j]
        n = self.data.samples
        for share in _SHARES:
            level = fmpq(round(n * (self.least + share * (self.tau - self.least)) * 1000), 1000)
            found = separated_by_inertia(network, self.data, (w, u), (mirrored, u), level)
            if _holds(Loss(network, self.data), found):
                return float(level) / n
        return None

    def proved_joined(self, a: Floating, b: Floating) -> bool:
        """Whether the kernel has seen that networks of more than d units are joined in
        {L <= max(L(a), L(b))}. Guarantees: exact, for weights rounded to multiples of 2^-12.
        """
        network = self.network(len(a[1]))
        loss, (first, second) = Loss(network, self.data), (_exact(*w) for w in (a, b))
        level = max(loss(first), loss(second))
        return _holds(loss, joined_by_inertia(network, self.data, first, second, level))


def _holds(loss: Loss, argument: Argument | Undecided) -> bool:
    """Whether there is an argument and the kernel accepts it."""
    if isinstance(argument, Undecided):
        return False
    raw = connection_certificate(loss, argument.conclusion, argument.rule, argument.proof)
    return isinstance(kernel.check(raw), kernel.Proved)


def _exact(w: Floats, u: Floats) -> Weights:
    def rounded(rows: Floats) -> fmpq_mat:
        return fmpq_mat([[fmpq(round(v * _DYADIC), _DYADIC) for v in row] for row in rows.tolist()])

    return rounded(w), rounded(u[None])
