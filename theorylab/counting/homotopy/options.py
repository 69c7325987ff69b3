"""How paths are followed: the choices of a caller, and the numbers of the step control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from theorylab.counting.homotopy import loop
from theorylab.counting.homotopy.engine import Floats
from theorylab.outcome import InputError

KERNELS: Final = ("auto", "generated", "interpreted")
DRIFT: Final = 0.05
"""An exponent of |x0| above this is that of a path on its way to infinity."""
INFINITE_X0: Final = 1e-8
"""Points with a homogenising coordinate below this are at infinity: roots beyond 1e8 are."""
SMALL_X0: Final = 1e-5
"""Points with one below this are at infinity if they are singular as well."""


@dataclass(frozen=True, slots=True)
class Options:
    """How paths are followed. The numbers behind them are in ``control``.

    ``tau`` is the aim for the first Newton correction, which is the error of the prediction, and
    ``finer`` that of paths followed again. ``resume`` follows paths that seem to go to infinity
    until a strict rule holds; without it they stay SUSPENDED. ``endgame`` finds singular end
    points by Cauchy's integral, ``retrack`` follows failed and coinciding paths again. ``lanes``
    and ``kernels`` ("auto", "generated", "interpreted") are the machine's best unless forced,
    here or by THEORYLAB_LANES and THEORYLABKERNELS.

    >>> Options().tau, Options(threads=2).threads
    (0.0001, 2)
    """

    tau: float = 1e-4
    finer: float = 1e-6
    max_steps: int = 3000
    threads: int = 1
    lanes: int | None = None
    kernels: str = "auto"
    resume: bool = True
    endgame: bool = True
    retrack: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.tau <= 1e-2:
            raise InputError(
                "tau", self.tau, "0 < tau <= 0.01: a larger one jumps paths", "use 1e-4"
            )
        if not 0 < self.finer <= 1e-2:
            raise InputError("finer", self.finer, "0 < finer <= 0.01", "use 1e-6")
        if self.threads < 1:
            raise InputError("threads", self.threads, "at least one thread follows paths", "use 1")
        if self.max_steps < 1:
            raise InputError("max_steps", self.max_steps, "at least one step", "use 3000")
        if self.kernels not in KERNELS:
            raise InputError("kernels", self.kernels, f"one of {', '.join(KERNELS)}", "use auto")

    def control(self, strict: bool = False) -> Floats:
        """The numbers of the step control, indexed by the names in ``loop``.

        Source of the values: measurements of a prototype on 155,000 paths without a jump.
        """
        found = np.zeros(loop.CONTROLS)
        found[loop.TAU] = self.tau
        found[loop.REJECT] = 16.0
        found[loop.ACCEPT] = 1e-5
        found[loop.ACCEPT_END] = 1e-12
        found[loop.CONTRACTION] = 0.3
        found[loop.ITERATIONS] = 3
        found[loop.ITERATIONS_END] = 5
        found[loop.FIRST] = 1e-2
        found[loop.LARGEST] = 0.25
        found[loop.GROWTH] = 2.0
        found[loop.MAX_STEPS] = self.max_steps
        # Sizes are relative to each coordinate, but to no less than this share of the point.
        # Small coordinates can be pure round-off: a path that makes no headway measures coarsely.
        found[loop.FLOOR] = 1e-12
        found[loop.PATIENCE] = 250
        found[loop.COARSE] = 1e-3
        found[loop.LAST_T] = 0.0
        found[loop.SMALLEST_T] = 1e-30
        # A path is taken to diverge when |x0| has become small like one positive power of t. A
        # large finite root looks the same until |x0| is below 1 / |root|: so the first rule only
        # suspends, and the strict one counts roots beyond 1e8 as infinite.
        found[loop.WATCH_T] = 0.1
        found[loop.VALUATION] = DRIFT
        found[loop.STEADY] = 0.05
        found[loop.SAMPLES] = 3
        found[loop.CUT_X0] = 1e-3
        found[loop.STRICT] = float(strict)
        found[loop.STRICT_T] = 1e-8
        found[loop.STRICT_X0] = INFINITE_X0
        found[loop.CALM_T] = 1e-6
        # A factor of t over which an exponent holds, and the t from which on that is enough.
        found[loop.LONG], found[loop.LONG_T] = 2.0**12, 1e-12
        # Steps of drifting paths are those of log t. Smaller ones than the least are round-off,
        # and end the path, once the exponent has held over this factor of t, down to this t.
        found[loop.LARGEST_LOG], found[loop.LEAST_LOG] = 4.0, 0.05
        found[loop.SURE], found[loop.SURE_T] = 2.0**8, 1e-7
        found[loop.SMALL_X0] = SMALL_X0
        found[loop.NOISE] = 1e-11
        return found
