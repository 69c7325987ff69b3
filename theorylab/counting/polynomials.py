"""PolynomialSystem: one straight-line program, evaluated in floats, balls, Q(i) or polynomials."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import flint
import numpy as np
import numpy.typing as npt
from flint import acb, acb_mat, arb, fmpq, fmpq_mat, fmpq_mpoly, fmpq_mpoly_ctx

from theorylab.counting.gauge import Gauge
from theorylab.counting.gaussian import Gaussian, Scalar, bits, scalar
from theorylab.counting.program import Complexes, Program, Tape, to_complex
from theorylab.model import Dataset, Network, Weights
from theorylab.outcome import InputError

Terms = dict[tuple[int, ...], Scalar]
# Products of terms formed by one expansion; a few seconds at most.
_WORK = 20_000_000


@dataclass(frozen=True, slots=True)
class Slice:
    """The affine linear equation sum_j coefficients[j] x_j + constant = 0."""

    coefficients: tuple[fmpq, ...]
    constant: fmpq


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The network problem a system states, so that others can state it again by themselves.

    ``kind`` is "interpolation" or "critical"; ``template[p]`` says of parameter p of the network
    the number of its unknown, or the value to which the gauge fixes it; ``ridge`` has one
    coefficient for each parameter.
    """

    kind: str
    network: Network
    data: Dataset
    template: tuple[int | fmpq, ...]
    ridge: tuple[fmpq, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PolynomialSystem:
    """Equations output = 0 in the variables, as one program; slices are its last equations.

    ``parameters`` are numbers kept out of the program (for parameter homotopies) and ``values``
    those it is evaluated at unless others are given. ``groups`` partitions the variables (one
    group for each layer of a network). Points are sequences of one number for each variable.

    >>> p = Program()
    >>> x, y = p.variable(0), p.variable(1)
    >>> s = PolynomialSystem(("x", "y"), p, (p.sub(p.mul(x, y), p.constant(2)), p.add(x, y)))
    >>> s.degrees, s.evaluate_exact([fmpq(1), fmpq(1, 2)]), s.evaluate(np.array([[1j, 2]]))
    ((2, 1), (-3/2, 3/2), array([[-2.+2.j,  2.+1.j]]))
    """

    variables: tuple[str, ...]
    program: Program
    outputs: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    values: tuple[Scalar, ...] = ()
    name: str = "system"
    source: str = ""
    gauge: Gauge = Gauge()  # noqa: RUF009  frozen
    slices: tuple[Slice, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if len(self.values) != len(self.parameters):
            raise InputError(
                "values",
                f"{len(self.values)} values",
                f"the system has {len(self.parameters)} parameters",
                "give one value for each",
            )
        if not self.groups:
            object.__setattr__(self, "groups", (tuple(range(len(self.variables))),))

    def __repr__(self) -> str:
        return f"<{self.name}: {self.shape_in_words}>"

    @property
    def equations(self) -> int:
        """The number of equations, slices included."""
        return len(self.outputs)

    @property
    def is_square(self) -> bool:
        """Whether there are as many equations as unknowns."""
        return len(self.outputs) == len(self.variables)

    @property
    def is_real(self) -> bool:
        """Whether all coefficients and parameter values are rational."""
        return self._tape().is_real and not any(isinstance(v, Gaussian) for v in self.values)

    @property
    def shape_in_words(self) -> str:
        """How many equations in how many unknowns, and what that says of the dimension."""
        excess = len(self.variables) - len(self.outputs)
        shape = f"{len(self.outputs)} equations in {len(self.variables)} unknowns"
        if excess > 0:
            return f"{shape}: every component of the solutions has dimension at least {excess}"
        return shape if excess == 0 else f"{shape}: overdetermined by {-excess}"

    @property
    def _wrt(self) -> list[int]:
        return [self.program.variable(i) for i in range(len(self.variables))]

    def derivatives(self) -> tuple[tuple[int, ...], ...]:
        """The Jacobian as nodes of the program, one row for each equation."""
        return self.program.jacobian(self.outputs, self._wrt)

    def _tape(self, values: bool = True, jacobian: bool = False) -> Tape:
        nodes = list(self.outputs) if values else []
        if jacobian:
            nodes += [node for row in self.derivatives() for node in row]
        return self.program.tape(nodes)

    # Structural degrees

    @property
    def degrees(self) -> tuple[int, ...]:
        """Upper bounds of the total degrees, read off the program (exact unless terms cancel)."""
        return self.program.degrees(self.outputs, frozenset(range(len(self.variables))))

    def multidegrees(self, partition: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        """Upper bounds of the degrees of each equation (row) in each block of variables.

        Raises InputError when the blocks do not partition the variables 0, 1, ...
        """
        if sorted(i for block in partition for i in block) != list(range(len(self.variables))):
            raise InputError(
                "partition",
                [list(block) for block in partition],
                f"each of the variables 0 to {len(self.variables) - 1} is in one block",
                "list each variable once",
            )
        found = [self.program.degrees(self.outputs, frozenset(block)) for block in partition]
        return tuple(zip(*found, strict=True))

    def exact_degrees(self) -> tuple[int, ...]:
        """The total degrees by expansion, 0 for the zero polynomial. Raises as ``expanded``."""
        return tuple(max(map(sum, terms), default=0) for terms in self.expanded())

    # Complex doubles, many points at once

    def _batch(
        self, points: npt.ArrayLike, parameters: npt.ArrayLike | None, tape: Tape
    ) -> Complexes:
        given = np.asarray(points, dtype=np.complex128)
        if given.ndim != 2 or given.shape[1] != len(self.variables):
            raise InputError(
                "points",
                f"an array of shape {given.shape}",
                f"points are rows of {len(self.variables)} numbers",
                "give a matrix, one row for each point",
            )
        if parameters is None:
            return tape.run_batch(given, to_complex(self.values)[None, :])
        chosen = np.atleast_2d(np.asarray(parameters, dtype=np.complex128))
        if chosen.shape[0] not in (1, given.shape[0]) or chosen.shape[1] != len(self.values):
            raise InputError(
                "parameters",
                f"an array of shape {chosen.shape}",
                f"there are {len(self.values)} parameters, for all points or for each",
                "give a vector, or a matrix with one row for each point",
            )
        return tape.run_batch(given, chosen)

    def evaluate(self, points: npt.ArrayLike, parameters: npt.ArrayLike | None = None) -> Complexes:
        """The equations (batch x equations) at complex points (batch x variables), in double.

        Guarantees: none (floating point). Raises InputError for wrong shapes.
        """
        return self._batch(points, parameters, self._tape())

    def jacobian(self, points: npt.ArrayLike, parameters: npt.ArrayLike | None = None) -> Complexes:
        """The derivatives (batch x equations x variables) at complex points, in double."""
        found = self._batch(points, parameters, self._tape(False, True))
        return found.reshape(len(found), len(self.outputs), len(self.variables))

    def evaluate_with_jacobian(
        self, points: npt.ArrayLike, parameters: npt.ArrayLike | None = None
    ) -> tuple[Complexes, Complexes]:
        """``evaluate`` and ``jacobian`` in one pass, which shares their common work."""
        found = self._batch(points, parameters, self._tape(True, True))
        k = len(self.outputs)
        return found[:, :k], found[:, k:].reshape(len(found), k, len(self.variables))

    # Balls

    def _balls(
        self,
        point: Sequence[acb | arb],
        precision: int,
        tape: Tape,
        parameters: Sequence[acb | arb] | None,
    ) -> tuple[acb, ...]:
        self._check_point(point)
        with flint.ctx.workprec(precision):
            memo, key = self.program._memo, ("balls", id(tape), precision)
            constants = memo.get(key)
            if constants is None:
                # The tape is kept beside them, so that its id stays its own.
                constants = memo[key] = ([_ball(c) for c in tape.constants], tape)
            chosen = [_ball(v) for v in self.values] if parameters is None else parameters
            return tape.run(point, chosen, constants[0])

    def evaluate_balls(
        self,
        point: Sequence[acb | arb],
        precision: int = 53,
        parameters: Sequence[acb | arb] | None = None,
    ) -> tuple[acb, ...]:
        """Balls that contain the equations at every point of the given balls.

        Guarantees: enclosure, at ``precision`` bits. An equation without variables may come back
        as an arb; acb(...) reads both.
        """
        return tuple(acb(v) for v in self._balls(point, precision, self._tape(), parameters))

    def jacobian_balls(
        self,
        point: Sequence[acb | arb],
        precision: int = 53,
        parameters: Sequence[acb | arb] | None = None,
    ) -> acb_mat:
        """Balls that contain the Jacobian at every point of the given balls. An enclosure."""
        found = self._balls(point, precision, self._tape(False, True), parameters)
        return acb_mat(len(self.outputs), len(self.variables), list(found))

    # Exact

    def _check_point(self, point: Sequence[Any]) -> None:
        if len(point) != len(self.variables):
            raise InputError(
                "point",
                f"{len(point)} numbers",
                f"the system has {len(self.variables)} variables",
                "give one number for each",
            )

    def evaluate_exact(
        self, point: Sequence[Scalar], parameters: Sequence[Scalar] | None = None
    ) -> tuple[Scalar, ...]:
        """The equations at a point of Q^n or Q(i)^n. Guarantees: exact."""
        self._check_point(point)
        found = self._tape().run(point, self.values if parameters is None else parameters)
        return tuple(map(scalar, found))

    def jacobian_exact(
        self, point: Sequence[Scalar], parameters: Sequence[Scalar] | None = None
    ) -> tuple[tuple[Scalar, ...], ...]:
        """The Jacobian, one row for each equation, at a point of Q^n or Q(i)^n. Exact."""
        self._check_point(point)
        tape = self._tape(False, True)
        found = tape.run(point, self.values if parameters is None else parameters)
        n = len(self.variables)
        flat = list(map(scalar, found))
        return tuple(tuple(flat[i * n : (i + 1) * n]) for i in range(len(self.outputs)))

    def generic_rank(self, seed: int = 0) -> int:
        """The exact rank of the Jacobian at one seeded point of Q^n, for systems over Q.

        Guarantees: at most the rank at a generic point, and equal to it for all points outside a
        hypersurface. Raises InputError for systems with complex coefficients.
        """
        self._only_real("a rank over Q")
        rng = random.Random(seed)
        point = [fmpq(rng.randint(-999, 999), 128) for _ in self.variables]
        rows = self.jacobian_exact(point)
        if not rows or not self.variables:
            return 0
        flat: list[Any] = [entry for row in rows for entry in row]
        return int(fmpq_mat(len(rows), len(self.variables), flat).rank())

    # Expanded

    def _only_real(self, what: str) -> None:
        if not self.is_real:
            raise InputError(
                "system",
                self.name,
                f"{what} needs rational coefficients, and some here are complex",
                "use a system with rational coefficients",
            )

    def expanded(self, max_terms: int = 100_000) -> tuple[Terms, ...]:
        """Each equation as {exponents: coefficient}, without zero coefficients.

        Guarantees: exact. Raises InputError once a polynomial has more than ``max_terms`` terms
        or the products to form are too many.

        >>> p = Program()
        >>> s = PolynomialSystem(("x",), p, (p.power(p.add(p.variable(0), p.constant(1)), 2),))
        >>> s.expanded()
        ({(2,): 1, (1,): 2, (0,): 1},)
        """
        found = self._expanded(max_terms)
        return tuple(_terms(polynomial) for polynomial in found)

    def polynomials(self, max_terms: int = 100_000) -> tuple[fmpq_mpoly, ...]:
        """The expanded equations as FLINT polynomials in degrevlex order, for systems over Q."""
        self._only_real("a polynomial over Q")
        return self._expanded(max_terms)

    def _expanded(self, max_terms: int) -> tuple[Any, ...]:
        tape = self._tape()
        # Indexed names: FLINT keeps a context for ever, so do not make one for each spelling.
        ring = fmpq_mpoly_ctx.get(("x", len(self.variables)), "degrevlex")
        work = 0

        def lifted(value: Scalar) -> Any:
            if isinstance(value, Gaussian):
                return Gaussian(ring.constant(value.re), ring.constant(value.im))
            return ring.constant(value)

        def times(a: Any, b: Any) -> Any:
            nonlocal work
            work += _size(a) * _size(b) * (1 + (_width(a) + _width(b)) // 512)
            product = None if work > _WORK else a * b
            if product is None or _size(product) > max_terms:
                raise InputError(
                    "system",
                    self.name,
                    f"expansion is bounded to {max_terms} terms and {_WORK} products of terms",
                    "evaluate the program instead of expanding it, or take a smaller system",
                )
            return product

        return tape.run(
            ring.gens(),
            [lifted(v) for v in self.values],
            [lifted(c) for c in tape.constants],
            times,
        )

    # Back to the network

    def parameters_at(self, point: Sequence[Any]) -> tuple[Any, ...]:
        """All free parameters of the network at a point: its unknowns and what the gauge fixed.

        Raises InputError for a system that does not come from a network.
        """
        self._check_point(point)
        return tuple(
            entry if isinstance(entry, fmpq) else point[entry] for entry in self._from().template
        )

    def weights_at(self, point: Sequence[fmpq]) -> Weights:
        """The network's weights at a rational point. Guarantees: exact."""
        return self._from().network.assemble(self.parameters_at(point))

    def _from(self) -> Origin:
        if self.origin is None:
            raise InputError(
                "system",
                self.name,
                "only systems made from a network have weights",
                "use interpolation_system or critical_system",
            )
        return self.origin

    def with_slices(self, count: int, seed: int = 0) -> PolynomialSystem:
        """This system and ``count`` generic affine linear equations, seeded, over Q.

        Isolated solutions of the result are counted by the degree of the components of dimension
        ``count``; InputError for more slices than unknowns.
        """
        if not 0 <= count <= len(self.variables):
            raise InputError(
                "slices",
                count,
                f"there are 0 to {len(self.variables)} slices, the number of unknowns",
                "use the dimension of the solution set",
            )
        if not count:
            return self
        rng = random.Random(f"slices {seed}")
        added = []
        for _ in range(count):
            numbers = [generic_rational(rng) for _ in range(len(self.variables) + 1)]
            added.append(Slice(tuple(numbers[:-1]), numbers[-1]))
        return self.sliced(added)

    def sliced(self, slices: Sequence[Slice]) -> PolynomialSystem:
        """This system and these affine linear equations, the last ones."""
        if not slices:
            return self
        program = self.program
        nodes = [
            program.total(
                [
                    *(
                        program.mul(program.constant(c), program.variable(j))
                        for j, c in enumerate(line)
                    ),
                    program.constant(constant),
                ]
            )
            for line, constant in ((s.coefficients, s.constant) for s in slices)
        ]
        return replace(
            self,
            outputs=(*self.outputs, *nodes),
            slices=(*self.slices, *slices),
            name=f"{self.name}, {len(slices)} generic slice{'s' if len(slices) > 1 else ''}",
        )

    def with_values(self, values: Sequence[Any]) -> PolynomialSystem:
        """The same program at other parameter values (int, fmpq or Gaussian)."""
        return replace(self, values=tuple(map(scalar, values)), origin=None)


def generic_rational(rng: random.Random) -> fmpq:
    """A dyadic rational, odd / 1024, between 1/4 and 1 in size: generic, and exact in floats."""
    return fmpq(rng.choice((-1, 1)) * rng.randrange(257, 1024, 2), 1024)


def _ball(value: Scalar) -> acb | arb:
    if isinstance(value, Gaussian):
        return acb(arb(value.re), arb(value.im))
    return arb(value)


def _parts(polynomial: Any) -> Iterator[Any]:
    if isinstance(polynomial, Gaussian):
        yield from (polynomial.re, polynomial.im)
    else:
        yield polynomial


def _size(polynomial: Any) -> int:
    return sum(len(part) for part in _parts(polynomial))


def _width(polynomial: Any) -> int:
    return max(bits(part.leading_coefficient()) if part else 0 for part in _parts(polynomial))


def _terms(polynomial: Any) -> Terms:
    if not isinstance(polynomial, Gaussian):
        return {tuple(map(int, key)): value for key, value in polynomial.to_dict().items()}
    re, im = polynomial.re.to_dict(), polynomial.im.to_dict()
    zero = fmpq(0)
    return {
        tuple(map(int, key)): scalar(Gaussian(re.get(key, zero), im.get(key, zero)))
        for key in [*re, *(key for key in im if key not in re)]
    }
