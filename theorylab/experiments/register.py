"""The experiments in the order in which one meets them; importing this imports none of them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from theorylab.outcome import InputError

if TYPE_CHECKING:
    from theorylab.experiments.experiment import Experiment


@dataclass(frozen=True, slots=True)
class Entry:
    """An experiment's name, its one-line title, and the module that holds it."""

    name: str
    title: str
    module: str


_ENTRIES: Final = (
    Entry(
        "langevin-boltzmann",
        "Langevin dynamics fills wells by their Boltzmann weight, so prefers the wide one",
        "langevin",
    ),
    Entry(
        "max-margin-bias",
        "Gradient descent on separable data turns to the maximal margin: w = w^ log t + rho",
        "max_margin",
    ),
    Entry(
        "norm-growth",
        "How fast the weights of a homogeneous network grow on separable data",
        "homogeneous",
    ),
    Entry(
        "normalised-margin",
        "The normalised margin of a homogeneous network settles, all examples classified",
        "homogeneous",
    ),
    Entry(
        "flatness-natural-vs-random",
        "Minima of natural labels are flatter than those of random labels",
        "flatness",
    ),
    Entry(
        "polynomial-net-equals-relu",
        "A network with a polynomial fitted to ReLU trains as well as with ReLU",
        "polynomial_nets",
    ),
    Entry(
        "mode-connectivity",
        "Independent solutions are parted on the straight line and joined by a curve",
        "mode_connectivity",
    ),
    Entry(
        "string-geodesic-length",
        "Paths in sublevel sets get longer as the level falls",
        "strings",
    ),
    Entry(
        "relu-connectedness-trend",
        "Barriers between trained networks vanish with the width, as the theory predicts",
        "connectedness",
    ),
    Entry(
        "sgd-noise-gaussian",
        "How Gaussian the noise of minibatch gradients is, and how it dies away",
        "gradient_noise",
    ),
    Entry(
        "sgdl-matches-sgd",
        "Whether SGD with added Gaussian noise does as well as SGD, or better",
        "langevin_descent",
    ),
    Entry(
        "random-labels-fit",
        "Overparametrised networks fit random labels without error",
        "random_labels",
    ),
    Entry(
        "width-test-error",
        "What larger networks overfit: the test loss, or the test error",
        "width",
    ),
    Entry(
        "three-point-interpolation",
        "Between three minima, natural labels leave a larger flat region than random ones",
        "three_points",
    ),
    Entry(
        "trajectory-basins",
        "Training is a descent in basins: early branches part, late ones do not, no local minimum",
        "trajectories",
    ),
    Entry(
        "compositional-approximation",
        "A tree of local units learns a compositional function better than shallow or dense ones",
        "compositional",
    ),
)
NAMES: Final = tuple(entry.name for entry in _ENTRIES)


def entries() -> tuple[Entry, ...]:
    """All experiments, without loading torch."""
    return _ENTRIES


def load(name: str) -> Experiment:
    """The experiment of this name. InputError for an unknown one, or when torch is missing."""
    entry = next((e for e in _ENTRIES if e.name == name), None)
    if entry is None:
        rule = f"the experiments are {', '.join(NAMES)}"
        raise InputError("experiment", name, rule, "choose one of these, or all")
    try:
        importlib.import_module("torch")  # all run under its device and its threads
        module = importlib.import_module(f"theorylab.experiments.studies.{entry.module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("theorylab"):
            raise
        rule = f"experiments need the package {error.name}, which is not installed"
        remedy = "pip install 'theorylab[torch]'"
        raise InputError("experiment", name, rule, remedy) from None
    found: Experiment = module.EXPERIMENTS[name]
    return found
