"""Random data sets for a network: the certified count of each, and what all counts say together."""

from __future__ import annotations

import functools
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import flint
import numpy as np
from flint import acb, arb, fmpq

from theorylab.counting.certified import CertifiedRoot, CertifiedRoots, Fate, Realness
from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.gaussian import Scalar
from theorylab.counting.homotopy.cache import family_hash, solved
from theorylab.counting.homotopy.monodromy import GenericCount
from theorylab.counting.homotopy.parameter import to_instances
from theorylab.counting.polynomials import PolynomialSystem
from theorylab.counting.roots import certify
from theorylab.model import Dataset, Network
from theorylab.outcome import Assurance, InputError, Printed

SCHEMA: Final = "theorylab.sweep/1"
_GRID: Final = 1024
# Certified one by one, some milliseconds each.
_MOST: Final = 20_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RandomCounts:
    """The counts of a network's system on random data; called with i it gives that of data set i.

    ``kind`` is "interpolation" or "critical"; ``ridge`` and ``gauge`` as for the systems. Data are
    standard normal, rounded to 1/1024, seeded by ``seed`` and i. ``samples`` None means as many
    as make interpolation square, or one for each unknown of critical points. Complete on a data
    set means: as many certified roots as the generic member has solutions, by monodromy and the
    trace test (assurance ``numeric``).

    Results are what JSON can hold: ``certified``, ``real`` and ``real_undecided`` in the gauge,
    ``real_orbits`` (see ``real_orbits``), ``singular``, ``unresolved``, ``lost`` paths, ``upper``,
    ``complete``. Equal arguments give equal results in any process.

    >>> problem = RandomCounts(Network.dense((3, 2, 1), "square"))
    >>> problem.sample_count, problem.system(), problem.data(0).y[0, 0]
    (5, <interpolation 3-2-1 square: 5 equations in 5 unknowns>, -557/1024)
    """

    network: Network
    kind: str = "interpolation"
    ridge: Any = None
    samples: int | None = None
    seed: int = 0
    gauge: str = "auto"

    def __post_init__(self) -> None:
        if self.kind not in ("interpolation", "critical"):
            raise InputError(
                "kind", self.kind, "it is interpolation or critical", "choose one of the two"
            )
        if self.kind == "interpolation" and self.ridge is not None:
            raise InputError("ridge", self.ridge, "interpolation has no ridge", "leave it out")
        if self.kind == "critical" and self.ridge is None:
            raise InputError(
                "ridge",
                None,
                "without a ridge critical points come in families that no sweep counts",
                "use the ridge 'generic'",
            )

    def system(self) -> PolynomialSystem:
        """The parametric system, its values those of data set 0. InputError unless square."""
        return _system(self)

    def data(self, i: int) -> Dataset:
        """Data set i."""
        return _data(self, i, self.sample_count)

    @property
    def sample_count(self) -> int:
        """The number of samples in each data set."""
        return _sample_count(self)

    @property
    def subject(self) -> dict[str, Any]:
        """All that the results depend on, the version of the program included, as JSON."""
        from theorylab import __version__

        return {
            "schema": SCHEMA,
            "version": __version__,
            "network": self.network.to_json(),
            "system": self.kind,
            "ridge": None if self.ridge is None else str(self.ridge),
            "samples": self.sample_count,
            "seed": self.seed,
            "gauge": self.gauge,
            "family": family_hash(self.system()),
        }

    def prepare(self) -> None:
        """Compute or read the generic member, once in each process and under no limit."""
        self.generic()

    def generic(self, say: Say | None = None) -> GenericCount:
        """The generic member, from the cache or computed."""
        return _generic(self, say)

    def __call__(self, i: int) -> dict[str, Any]:
        generic = self.generic()
        system = self.system()
        values = _values(system, self.data(i))
        (instance,) = to_instances(generic, [values], seed=self.seed)
        roots = certify(system.with_values(values), instance.points)
        upper = generic.count if generic.complete else None
        return {
            "instance": i,
            "certified": len(roots),
            "real": roots.count(Realness.REAL),
            "real_undecided": roots.count(Realness.UNDECIDED),
            "real_orbits": real_orbits(roots, generic),
            "singular": roots.count(Fate.SINGULAR),
            "unresolved": roots.count(Fate.UNRESOLVED),
            "lost": len(instance.lost),
            "upper": upper,
            "complete": len(roots) == upper,
        }


def _key(problem: RandomCounts) -> str:
    network = json.dumps(problem.network.to_json(), sort_keys=True)
    chosen = [problem.kind, str(problem.ridge), problem.samples, problem.seed, problem.gauge]
    return json.dumps([network, *chosen])


@functools.lru_cache(maxsize=4)
def _prepared(key: str) -> dict[str, Any]:
    """One per problem and process: systems and generic members are dear and cannot be pickled."""
    return {}


def _sample_count(problem: RandomCounts) -> int:
    network = problem.network
    if problem.samples is not None:
        return problem.samples
    one = _data(problem, 0, 1)
    if problem.kind == "critical":
        return -(-network.parameter_count // network.m)
    unknowns = len(interpolation_system(network, one, problem.gauge).variables)
    return max(1, unknowns // network.m)


def _data(problem: RandomCounts, i: int, samples: int) -> Dataset:
    network, rng = problem.network, random.Random(f"sweep {problem.seed} {i}")

    def table(columns: int) -> list[list[fmpq]]:
        return [
            [fmpq(round(rng.gauss(0, 1) * _GRID), _GRID) for _ in range(columns)]
            for _ in range(samples)
        ]

    return Dataset.from_rows(table(network.n), table(network.m), name=f"random {i}")


def _system(problem: RandomCounts) -> PolynomialSystem:
    held = _prepared(_key(problem))
    if "system" not in held:
        held["system"] = _made(problem)
    made: PolynomialSystem = held["system"]
    return made


def _made(problem: RandomCounts) -> PolynomialSystem:
    network, data = problem.network, problem.data(0)
    if problem.kind == "critical":
        return critical_system(
            network, data, problem.ridge, problem.gauge, parametric=True, seed=problem.seed
        )
    plain = interpolation_system(network, data, problem.gauge)
    if plain.equations > len(plain.variables):
        raise InputError(
            "samples",
            problem.sample_count,
            f"{plain.equations} equations in {len(plain.variables)} unknowns have no solutions on "
            "random data",
            f"use at most {len(plain.variables) // network.m} samples",
        )
    return interpolation_system(
        network, data, problem.gauge, "auto", parametric=True, seed=problem.seed
    )


def _generic(problem: RandomCounts, say: Say | None) -> GenericCount:
    held = _prepared(_key(problem))
    if "generic" not in held:
        made = solved(problem.system(), problem.seed, say=say)
        if made.count > _MOST:
            raise InputError(
                "widths",
                problem.network.widths,
                f"each data set has {made.count} solutions, and at most {_MOST} are certified",
                "take a smaller network",
            )
        held["generic"] = made
    found: GenericCount = held["generic"]
    return found


def _values(system: PolynomialSystem, data: Dataset) -> list[Scalar]:
    """The parameters of a data set in the order of the system's, its own ridges behind."""
    rows = [*data.x.transpose().tolist(), *data.y.transpose().tolist()]
    values: list[Scalar] = [value for row in rows for value in row]
    return [*values, *system.values[len(values) :]]


# Real weights


def real_orbits(roots: CertifiedRoots, generic: GenericCount) -> int:
    """How many orbits of the known group are proved to hold real weights, before the gauge.

    Setting weights to 1 can turn real weights into others: w^2 u with u < 0 becomes (iw)^2. A
    solution w comes from real weights by a scaling just if its conjugate is t w, t one of the
    scalings that the gauge leaves: scalings are a split torus, which has no cohomology over R
    (Hilbert 90). Counted so for dense networks with a monomial activation and without a ridge; in
    all others a solution is real if it is.

    Guarantees: a lower bound, at ``flint``: t w and the conjugate of w are proved to be one of the
    certified roots.
    """
    turns = _turns(generic)
    group = generic.group
    points = roots.points
    if not len(points):
        return 0
    size = np.maximum(np.abs(points).max(axis=1), 1e-300)
    found: set[int] = set()
    for i in range(len(roots)):
        for turn in turns:
            gap = np.abs(points[i].conj() - turn * points[i]).max() / size[i]
            if gap < 1e-6 and _conjugate_is(roots, points, i, turn):
                images = group.images(points[i : i + 1])[0]
                # The orbit is named by the first of its certified roots.
                near = np.abs(images[:, None, :] - points[None, :, :]).max(axis=2)
                found.add(int(near.argmin(axis=1).min()))
                break
    return len(found)


def _turns(generic: GenericCount) -> list[Any]:
    origin, group = generic.system.origin, generic.group
    identity = np.ones(group.permutations.shape[1], dtype=np.complex128)
    if origin is None or origin.ridge is not None:
        return [identity]
    network = origin.network
    degrees = network.activation.degrees or ()
    if len(degrees) != 1 or not network.is_dense or network.output != "linear":
        return [identity]
    plain = np.arange(group.permutations.shape[1])
    return [
        group.factors[g] for g in range(group.order) if np.array_equal(group.permutations[g], plain)
    ]


def _conjugate_is(roots: CertifiedRoots, points: Any, i: int, turn: Any) -> bool:
    """Whether the conjugate of root i is proved to be root i turned: both lie in one box."""
    target = turn * points[i]
    j = int(np.abs(points - target[None, :]).max(axis=1).argmin())
    one, other = roots.roots[i], roots.roots[j]
    with flint.ctx.workprec(2 * max(one.box.precision, other.box.precision) + 64):
        here = one.balls()
        turned = [ball * _unit(complex(t)) for ball, t in zip(here, turn, strict=True)]
        conjugate = [acb(ball.real, -ball.imag) for ball in here]
        return _inside(turned, other) and _inside(conjugate, other)


def _unit(turn: complex) -> acb:
    """The root of unity next to this double, as a ball."""
    for order in range(1, 1000):
        k = round(np.angle(turn) / (2 * np.pi) * order)
        if abs(turn - np.exp(2j * np.pi * k / order)) < 1e-13:
            return acb(arb(2 * k) / order).exp_pi_i()
    raise AssertionError("phases of symmetries have small denominators")


def _inside(balls: Sequence[acb], root: CertifiedRoot) -> bool:
    """Whether these balls lie in the box of a root, in which it is the only one."""
    box = root.box
    reach = arb((box.radius, -box.precision))
    for ball, (re, im) in zip(balls, box.center, strict=True):
        for part, middle in ((ball.real, re), (ball.imag, im)):
            if not abs(part - arb((middle, -box.precision))) <= reach:
                return False
    return True


# All together


@dataclass(frozen=True, slots=True)
class Survey(Printed):
    """The counts of a sweep: one row for each data set, in order.

    ``unfinished`` are those given up: ``instance``, ``reason`` ("time", "memory" or "crashed") and
    the limits ``seconds`` and ``memory`` (MiB) that they had.
    """

    problem: RandomCounts
    name: str
    generic: GenericCount
    rows: tuple[dict[str, Any], ...]
    planned: int
    unfinished: tuple[dict[str, Any], ...] = ()

    def __repr__(self) -> str:
        return f"<sweep of {self.name}: complete on {self.complete} of {self.planned} data sets>"

    def histogram(self, key: str = "real") -> dict[int, int]:
        """How many data sets have each value of this key, by value."""
        return dict(sorted(Counter(int(row[key]) for row in self.rows).items()))

    def mean(self, key: str = "real") -> float | None:
        """The mean over the data sets, None without any."""
        return sum(row[key] for row in self.rows) / len(self.rows) if self.rows else None

    @property
    def complete(self) -> int:
        """On how many data sets the count is complete."""
        return sum(bool(row["complete"]) for row in self.rows)

    @property
    def exit_status(self) -> int:
        """0 when every planned data set has a complete count, else 3."""
        return 0 if self.complete == self.planned else 3

    @property
    def upper_rule(self) -> str | None:
        """Which bound the counts are compared with."""
        if not self.generic.complete:
            return None
        seeds = ", ".join(map(str, self.generic.seeds))
        return f"generic count by monodromy and trace test, seeds {seeds}"

    def to_json(self) -> dict[str, Any]:
        """The sweep as ``theorylab sweep --json`` prints it: the same bytes for the same seed."""
        problem, generic = self.problem, self.generic
        return {
            "schema": SCHEMA,
            "seed": problem.seed,
            "name": self.name,
            "network": problem.network.to_json(),
            "system": problem.kind,
            "ridge": None if problem.ridge is None else str(problem.ridge),
            "samples": problem.sample_count,
            "data": "standard normal, rounded to 1/1024",
            "instances": self.planned,
            "finished": len(self.rows),
            "gauge": problem.gauge,
            "modulo": str(generic.system.gauge),
            "counts": "isolated distinct",
            "generic": {
                "count": generic.count,
                "orbits": generic.orbits,
                "complete": generic.complete,
                "seeds": list(generic.seeds),
                "reasons": list(generic.reasons),
            },
            "upper": generic.count if generic.complete else None,
            "upper_rule": self.upper_rule,
            "upper_assurance": Assurance.NUMERIC.value if generic.complete else None,
            "roots_assurance": Assurance.FLINT.value,
            "complete": self.complete,
            "mean": {key: self.mean(key) for key in ("certified", "real", "real_orbits")},
            "histogram": {
                key: {str(k): v for k, v in self.histogram(key).items()}
                for key in ("certified", "real", "real_orbits")
            },
            "results": list(self.rows),
            "unfinished": list(self.unfinished),
        }
