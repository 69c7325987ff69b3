"""How many paths one vector instruction of this processor moves, and the layout of their numbers.

A complex number of W paths is a block [2][W] of doubles: W real parts, then W imaginary parts.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Final

from llvmlite import binding

from theorylab.outcome import InputError

WIDTHS: Final = (2, 4, 8)
"""The numbers of lanes that kernels can be made for."""
VARIABLE: Final = "THEORYLAB_LANES"
"""The environment variable that forces a number of lanes."""


@cache
def native() -> int:
    """The lanes of the widest vector of doubles this processor has: 8, 4 or 2; 0 for none."""
    try:
        found = binding.get_host_cpu_features()
    except RuntimeError:  # LLVM cannot tell on this processor
        found = {}
    if found.get("avx512f"):
        return 8
    if found.get("avx2"):
        return 4
    architecture = binding.get_process_triple().split("-")[0]
    return 2 if found.get("sse2") or found.get("neon") or architecture == "aarch64" else 0


def lanes(forced: int | None = None) -> int:
    """The lanes to use: the argument, else the environment variable, else what is native.

    A width beyond the processor's own is right but slow. Raises InputError for other widths.
    """
    given = os.environ.get(VARIABLE) if forced is None else forced
    if given is None or given == "":
        return native() or WIDTHS[0]
    if str(given) not in map(str, WIDTHS):
        raise InputError(
            VARIABLE if forced is None else "lanes",
            given,
            "kernels are made for 2, 4 or 8 lanes",
            "leave it out: then the processor's own width is taken",
        )
    return int(given)
