"""Engines outside: `phc` (PHCpack), bertini 2 and msolve. The only room that runs any of them.

All are optional; one that is absent raises MissingEngine, which says how to get it.
THEORYLAB_ENGINES may name a virtual environment of their own, apart from this one.

`phc.solve`, `phc.track`, `phc.mixed_volumes`, `bertini.solve`: numerical, never complete by
themselves. `msolve.complex_solutions`, `msolve.real_solutions`: exact (assurance `cas`).
"""

from theorylab.counting.expanded import Expanded
from theorylab.counting.external import bertini, msolve, phc
from theorylab.counting.external.answer import Point, Solutions
from theorylab.counting.external.installed import Engine, engines
from theorylab.counting.external.msolve import EmptySet, FiniteSet, PositiveDimensional, RealSet
from theorylab.counting.external.phc import MixedVolumes
from theorylab.counting.external.process import EngineError, EngineTimeout, MissingEngine

__all__ = [
    "EmptySet",
    "Engine",
    "EngineError",
    "EngineTimeout",
    "Expanded",
    "FiniteSet",
    "MissingEngine",
    "MixedVolumes",
    "Point",
    "PositiveDimensional",
    "RealSet",
    "Solutions",
    "bertini",
    "engines",
    "msolve",
    "phc",
]
