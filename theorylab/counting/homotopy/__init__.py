"""Untrusted numerics: engines that follow homotopy paths and report how each one ended."""

from theorylab.counting.homotopy.engine import Endpoint, Engine, PathStatus, Solutions
from theorylab.counting.homotopy.simple import SimpleEngine

ENGINES: tuple[type[Engine], ...] = (SimpleEngine,)
"""Every built-in engine, the most dependable one first; the conformance tests run over these."""

__all__ = ["ENGINES", "Endpoint", "Engine", "PathStatus", "SimpleEngine", "Solutions"]
