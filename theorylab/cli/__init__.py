"""The command line: ``theorylab list | verify | falsify | phase | ...``.

Thin: each command reads options, calls one verb, prints its page or its JSON, and turns the outcome
into an exit status.
"""

from theorylab.cli import counts, experiments, landscape, proofs, report, sweeps
from theorylab.cli.application import main

__all__ = ["counts", "experiments", "landscape", "main", "proofs", "report", "sweeps"]
