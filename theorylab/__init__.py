"""theorylab: decide theorems on the loss landscapes of neural networks, exactly.

Importing this package imports nothing else of it: each public name is looked up when it is first
used, so that ``python -m theorylab.kernel`` runs the trusted kernel and nothing beside it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theorylab.model import Dataset as Dataset
    from theorylab.model import Loss as Loss
    from theorylab.model import Network as Network
    from theorylab.model import load_dataset as load_dataset

__version__ = "0.1.0"

# Public name -> the module that holds it. A name equal to the last part of its module and absent
# from that module is the module itself (claims, instances).
_PUBLIC = {
    "Network": "theorylab.model.network",
    "Dataset": "theorylab.model.data",
    "Loss": "theorylab.model.loss",
    "load_dataset": "theorylab.model.data",
    "Claim": "theorylab.claims.claim",
    "claims": "theorylab.claims",
    "verify": "theorylab.verify",
    "falsify": "theorylab.falsify",
    "conjecture": "theorylab.conjecture",
    "fact": "theorylab.conjecture",
    "load_claims": "theorylab.conjecture",
    "levels": "theorylab.levels",
    "phase": "theorylab.phase",
    "count": "theorylab.counting.completeness",
    "connect": "theorylab.connect",
    "sweep": "theorylab.sweep",
    "check": "theorylab.verify",
    "experiment": "theorylab.experiments.run",
    "report": "theorylab.report.folder",
    "instances": "theorylab.instances",
}
__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'theorylab' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name])
    value = getattr(module, name, module if module.__name__ == f"theorylab.{name}" else None)
    if value is None:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))


class _Package(ModuleType):
    """The import system binds a loaded submodule to its parent under its own name, which would
    turn the function ``theorylab.verify`` into the module of that name; public names stay."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
