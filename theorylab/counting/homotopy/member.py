"""The system of one network and data set as a member of its family, solved from a generic one."""

from __future__ import annotations

from collections.abc import Callable

from theorylab.counting.gauge import GAUGES
from theorylab.counting.homotopy.cache import solved
from theorylab.counting.homotopy.monodromy import GenericCount, Say
from theorylab.counting.homotopy.parameter import Instance, to_instances
from theorylab.counting.homotopy.tracker import Options
from theorylab.counting.system import PolynomialSystem, critical_system, interpolation_system


def family_of(system: PolynomialSystem) -> PolynomialSystem | None:
    """The parametric system whose values make it this one: same unknowns, same gauge, same data.

    None for systems that are not of a network, not square or sliced, and for critical points
    without a ridge, whose families have components that monodromy does not look for.

    >>> from theorylab.model import Dataset, Network
    >>> data = Dataset.from_rows([[1, 2], [3, -1], [0, 1]], [[1], [0], [2]])
    >>> system = interpolation_system(Network.dense((2, 2, 1), "square"), data)
    >>> family = family_of(system)
    >>> family.variables == system.variables, len(family.parameters)
    (True, 9)
    """
    origin = system.origin
    if origin is None or system.slices or system.parameters or not system.is_square:
        return None

    def interpolation(gauge: str) -> PolynomialSystem:
        return interpolation_system(origin.network, origin.data, gauge, parametric=True)

    def critical(gauge: str) -> PolynomialSystem:
        ridge = list(origin.ridge or ())
        return critical_system(origin.network, origin.data, ridge, gauge, parametric=True)

    make: Callable[[str], PolynomialSystem] = interpolation
    if origin.kind == "critical":
        if origin.ridge is None:
            return None
        make = critical
    for gauge in GAUGES:
        made = make(gauge)
        # Not by their templates: unknown number 1 is equal to a weight that is set to 1.
        if made.gauge == system.gauge:
            return made
    return None


def solve_member(
    system: PolynomialSystem, seed: int = 0, *, threads: int = 1, say: Say | None = None
) -> tuple[GenericCount, Instance] | None:
    """The generic member of the family of a system, and from it the solutions of the system.

    If the generic count is complete, the system has at most that many isolated solutions, and
    ``instance.points`` are all of them up to lost paths. None where ``family_of`` is None.

    Guarantees: heuristic; see ``generic_count`` and ``to_instances``. Raises InputError as they do.
    """
    family = family_of(system)
    if family is None:
        return None
    generic = solved(family, seed, threads=threads, say=say)
    (instance,) = to_instances(
        generic, [family.values], seed=seed, options=Options(threads=threads)
    )
    return generic, instance
