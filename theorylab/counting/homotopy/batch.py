"""BatchEngine: all paths of a start system, many at a time in vector instructions."""

from __future__ import annotations

import math
import time

import numpy as np

from theorylab.counting.homotopy.engine import (
    Complexes,
    Engine,
    Interrupted,
    PathStatus,
    Solutions,
    require_square,
)
from theorylab.counting.homotopy.homotopy import multihomogeneous, total_degree
from theorylab.counting.homotopy.starts import gamma_of
from theorylab.counting.homotopy.tracker import Options, Paths, track
from theorylab.counting.system import PolynomialSystem
from theorylab.outcome import InputError


class BatchEngine(Engine):
    """All paths of H = (1 - t) f + t gamma (x_i^{d_i} - c_i x0^{d_i}) from t = 1 to t = 0.

    ``options`` say how the paths are followed (see ``track``): kernels, lanes and threads change
    the speed and nothing else. Singular end points and slow paths to infinity are found by
    Cauchy's integral. Roots of norm above 1e8 count as infinite. Regular roots with a scaled
    condition above 1e7 are reported SINGULAR with their points, for extended precision to decide.
    With one homogenising variable roots of deep networks for which |x0|^d is below round-off can
    be taken for infinite ones; ``per_group`` has a projective factor for each group of variables
    (a layer of a network), and one path for each unit of the multihomogeneous Bezout number.

    Guarantees: heuristic; see ``Engine`` for the laws. Source: A. J. Sommese, C. W. Wampler, The
    Numerical Solution of Systems of Polynomials (2005), chapters 2, 3, 8 and 10.

    >>> from theorylab.counting.system import system_from_json
    >>> f = system_from_json({"variables": ["x", "y"], "polynomials": ["x^2+y^2-5", "x*y-2"]})
    >>> found = BatchEngine().solve(f, seed=1)
    >>> found.count(PathStatus.FINITE), found.paths
    (4, 4)
    >>> sorted(tuple(int(round(z.real)) for z in p) for p in found.regular)
    [(-2, -1), (-1, -2), (1, 2), (2, 1)]
    """

    name = "batch"

    def __init__(
        self,
        options: Options | None = None,
        max_paths: int = 1_000_000,
        per_group: bool = False,
    ) -> None:
        self.options = Options() if options is None else options
        self.max_paths = max_paths
        self.per_group = per_group

    def path_count(self, system: PolynomialSystem) -> int:
        """The product of the structural degrees, or the multihomogeneous Bezout number."""
        require_square(system)
        count = math.prod(system.degrees)
        if count and self.per_group:
            count = multihomogeneous(system, system.groups).paths
        if count > self.max_paths:
            raise InputError(
                "system",
                system.name,
                f"it has {count} paths, and this engine follows at most {self.max_paths}",
                "use another engine, a gauge that fixes more, or a larger max_paths",
            )
        return count

    def solve(self, system: PolynomialSystem, *, seed: int = 0) -> Solutions:
        """Follow all paths, again those in doubt. Raises InputError as the laws say, and
        Interrupted with the Solutions so far on Ctrl-C."""
        begun = time.perf_counter()
        if seed < 0:
            raise InputError("seed", seed, "a seed is an integer >= 0", "use 0")
        total = self.path_count(system)
        if not total:
            return self._nothing(system, seed, begun)
        posed = (
            multihomogeneous(system, system.groups, seed)
            if self.per_group
            else total_degree(system, seed)
        )
        starts = posed.starts(np.arange(total, dtype=np.int64))
        try:
            paths = track(posed.homotopy, starts, posed.parameters, options=self.options, seed=seed)
        except Interrupted as stopped:
            assert isinstance(stopped.partial, Paths)
            partial = self._solutions(system, stopped.partial, posed.gamma, seed, begun)
            raise Interrupted(partial) from None
        return self._solutions(system, paths, posed.gamma, seed, begun)

    def _solutions(
        self, system: PolynomialSystem, paths: Paths, gamma: complex, seed: int, begun: float
    ) -> Solutions:
        points = paths.affine
        gone = paths.ids(PathStatus.INFINITY)
        points[gone] = _directions(paths.points[gone][:, : paths.homotopy.equations])
        return Solutions(
            self.name,
            system.variables,
            points,
            tuple(paths.status_of(i) for i in range(len(paths))),
            tuple(paths.reason(i) for i in range(len(paths))),
            paths.steps.astype(np.int64),
            paths.correction,
            paths.condition,
            tuple(int(i) for i in np.flatnonzero(paths.retracked)),
            seed,
            gamma,
            self.options.tau,
            time.perf_counter() - begun,
        )

    def _nothing(self, system: PolynomialSystem, seed: int, begun: float) -> Solutions:
        empty = np.empty(0)
        return Solutions(
            self.name,
            system.variables,
            np.empty((0, len(system.variables)), dtype=np.complex128),
            (),
            (),
            np.empty(0, dtype=np.int64),
            empty,
            empty,
            (),
            seed,
            gamma_of(seed),
            self.options.tau,
            time.perf_counter() - begun,
        )


def _directions(points: Complexes) -> Complexes:
    with np.errstate(all="ignore"):
        found: Complexes = points / np.linalg.norm(points, axis=1, keepdims=True)
    return found
