"""Polynomial systems: the door of the room whose other modules each hold one part.

program (straight-line programs), polynomials (systems and their evaluators), gauge (symmetries),
equations (systems of networks), expression and systemfile (text in and out).
"""

from theorylab.counting.equations import critical_system, interpolation_system
from theorylab.counting.gauge import Gauge, Layout, Symmetry, gauge_of, layout_of
from theorylab.counting.gaussian import Gaussian, Scalar
from theorylab.counting.polynomials import Origin, PolynomialSystem, Slice
from theorylab.counting.program import Program, Tape
from theorylab.counting.systemfile import (
    export_names,
    json_text,
    msolve_text,
    phc_text,
    read_system,
    system_from_json,
    system_from_phc,
    write_msolve,
    write_phc,
    write_system,
)

__all__ = [
    "Gauge",
    "Gaussian",
    "Layout",
    "Origin",
    "PolynomialSystem",
    "Program",
    "Scalar",
    "Slice",
    "Symmetry",
    "Tape",
    "critical_system",
    "export_names",
    "gauge_of",
    "interpolation_system",
    "json_text",
    "layout_of",
    "msolve_text",
    "phc_text",
    "read_system",
    "system_from_json",
    "system_from_phc",
    "write_msolve",
    "write_phc",
    "write_system",
]
