"""Activation functions over the rationals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat

from theorylab.model.rational import rational, rational_text
from theorylab.outcome import InputError

_POWERS = {"linear": 1, "square": 2, "cube": 3}
_NAMES = (*_POWERS, "relu", "leaky_relu", "abs", "step", "polynomial")
_PARAMETRIC = {"leaky_relu": "a slope", "polynomial": "its coefficients a0, a1, ..."}


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation function Q -> Q, applied entry by entry.

    ``step`` is 1 for z > 0 and 0 otherwise. Guarantees: exact. Raises InputError for an unknown
    kind, or parameters that the kind does not take.

    >>> Activation("leaky_relu", (rational("1/10"),))(rational(-5))
    -1/2
    """

    kind: str
    parameters: tuple[fmpq, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _NAMES:
            raise InputError(
                "activation",
                self.kind,
                f"the activations are {', '.join(_NAMES)}",
                "choose one of them",
            )
        exact = [rational(value, "activation") for value in self.parameters]
        if self.kind == "polynomial":
            while len(exact) > 1 and exact[-1] == 0:
                exact.pop()
        wanted = self.kind in _PARAMETRIC
        if wanted != bool(exact) or (self.kind == "leaky_relu" and len(exact) != 1):
            needs = _PARAMETRIC.get(self.kind, "no parameter")
            raise InputError(
                "activation",
                (self.kind, *map(str, exact)),
                f"{self.kind} takes {needs}",
                'write e.g. "relu", {"leaky_relu":"1/10"} or {"polynomial":["1","0","1/2"]}',
            )
        object.__setattr__(self, "parameters", tuple(exact))

    def __call__(self, z: fmpq) -> fmpq:
        match self.kind:
            case "linear":
                return z
            case "square":
                return z * z
            case "cube":
                return z * z * z
            case "relu":
                return z if z > 0 else fmpq(0)
            case "leaky_relu":
                return z if z > 0 else self.parameters[0] * z
            case "abs":
                return z if z > 0 else -z
            case "step":
                return fmpq(1 if z > 0 else 0)
            case _:
                total = fmpq(0)
                for coefficient in reversed(self.parameters):
                    total = total * z + coefficient
                return total

    def applied(self, z: fmpq_mat) -> fmpq_mat:
        """The activation of every entry of a matrix; a new matrix unless it is linear."""
        if self.kind == "linear":
            return z
        return fmpq_mat(z.nrows(), z.ncols(), [self(entry) for entry in z.entries()])

    @property
    def coefficients(self) -> tuple[fmpq, ...] | None:
        """a_0, a_1, ... of a polynomial activation, None for the others.

        >>> Activation("cube").coefficients
        (0, 0, 0, 1)
        """
        if self.kind == "polynomial":
            return self.parameters
        if self.kind in _POWERS:
            return (*[fmpq(0)] * _POWERS[self.kind], fmpq(1))
        return None

    @property
    def degrees(self) -> tuple[int, ...] | None:
        """The degrees i with a_i != 0 of a polynomial activation, None for the others."""
        found = self.coefficients
        return None if found is None else tuple(i for i, a in enumerate(found) if a != 0)

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether it is one of the continuous kinds that are linear on each side of 0."""
        return self.kind in ("linear", "relu", "leaky_relu", "abs")

    @property
    def is_homogeneous(self) -> bool:
        """Whether f(c z) = c^d f(z) for every c > 0, with one degree d."""
        degrees = self.degrees
        return len(degrees) == 1 if degrees is not None else True

    def to_json(self) -> str | dict[str, str | list[str]]:
        """The form the kernel reads.

        >>> Activation.parse({"polynomial": ["1", "0", "0.5"]}).to_json()
        {'polynomial': ['1', '0', '1/2']}
        """
        if self.kind == "leaky_relu":
            return {"leaky_relu": rational_text(self.parameters[0])}
        if self.kind == "polynomial":
            return {"polynomial": [rational_text(a) for a in self.parameters]}
        return self.kind

    @staticmethod
    def parse(value: object, slope: object = None) -> Activation:
        """The activation in any form the file contract accepts; InputError for the others.

        >>> Activation.parse("leaky_relu", slope="0.1") == Activation.parse({"leaky_relu": "1/10"})
        True
        """
        if isinstance(value, Activation):
            if slope is not None:
                raise _stray_slope(slope)
            return value
        if isinstance(value, dict) and len(value) == 1:
            kind, content = next(iter(value.items()))
            if kind == "leaky_relu" and slope is None:
                return Activation("leaky_relu", (rational(content, "activation.leaky_relu"),))
            if kind == "polynomial" and isinstance(content, Sequence) and slope is None:
                coefficients = [] if isinstance(content, str) else content
                return Activation(
                    "polynomial",
                    tuple(rational(a, "activation.polynomial") for a in coefficients),
                )
        if not isinstance(value, str):
            raise InputError(
                "activation",
                value,
                f"the activations are {', '.join(_NAMES)}",
                'write e.g. "relu", {"leaky_relu":"1/10"} or {"polynomial":["1","0","1/2"]}',
            )
        if slope is None:
            return Activation(value)
        if value != "leaky_relu":
            raise _stray_slope(slope)
        return Activation(value, (rational(slope, "slope"),))


def _stray_slope(slope: object) -> InputError:
    return InputError(
        "slope", slope, "a slope goes with the bare name leaky_relu", 'remove "slope"'
    )
