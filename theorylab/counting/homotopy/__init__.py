"""Untrusted numerics: engines that follow homotopy paths and report how each one ended."""

from theorylab.counting.homotopy.batch import BatchEngine
from theorylab.counting.homotopy.engine import (
    Endpoint,
    Engine,
    Interrupted,
    PathStatus,
    Solutions,
)
from theorylab.counting.homotopy.simple import SimpleEngine

ENGINES: tuple[type[Engine], ...] = (BatchEngine, SimpleEngine)
"""Every built-in engine, the fastest one first; the conformance tests run over these."""

__all__ = [
    "ENGINES",
    "BatchEngine",
    "Endpoint",
    "Engine",
    "Interrupted",
    "PathStatus",
    "SimpleEngine",
    "Solutions",
]
