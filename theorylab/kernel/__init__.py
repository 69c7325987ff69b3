"""The trusted kernel: bytes in, Proved, Refuted or Rejected out.  Standard library only."""

from theorylab.kernel.rules import check
from theorylab.kernel.statements import (
    SCHEMA,
    Outcome,
    Proved,
    Refuted,
    Rejected,
    Statement,
    canonical,
)

__all__ = [
    "SCHEMA",
    "Outcome",
    "Proved",
    "Refuted",
    "Rejected",
    "Statement",
    "canonical",
    "check",
]
