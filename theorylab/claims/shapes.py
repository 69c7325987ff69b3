"""Hypotheses that several claims share, and the provers of their conclusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flint import fmpq

from theorylab.claims.claim import Hypothesis, Proof
from theorylab.instances import Draw, Instance, Seeded, fitted
from theorylab.model import Dataset, Loss, Network, Weights
from theorylab.outcome import Source, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.certificate import descends, joined
from theorylab.topology.lifted import connect_any_depth
from theorylab.topology.path import Descent, Path, proof_of_descent, proof_of_joined

FREEMAN_BRUNA = "Topology and Geometry of Half-Rectified Network Optimization"
VENTURI = "Spurious Valleys in Two-layer Neural Network Optimization Landscapes"
POGGIO_LIAO = "Theory II: Deep learning and optimization"

LINEAR = Hypothesis.of(
    "linear", "the activation is linear", **{"kind": "activation", "is": "linear"}
)
SQUARE = Hypothesis.of("square", "the activation is z^2", **{"kind": "activation", "is": "square"})
POLYNOMIAL = Hypothesis.of(
    "polynomial", "the activation is a polynomial", **{"kind": "activation", "is": "polynomial"}
)
DENSE = Hypothesis.of("dense", "every weight is its own free parameter", kind="dense")
NO_BIAS = Hypothesis.of("no-bias", "there are no biases", kind="no_bias")
LINEAR_OUTPUT = Hypothesis.of("linear-output", "the last layer is linear", kind="linear_output")
ONE_HIDDEN = Hypothesis.of(
    "one-hidden-layer", "there is one hidden layer", kind="hidden_layers", count=1
)


def width(name: str, words: str, relation: str, bound: str) -> Hypothesis:
    """The hypothesis that every hidden width is >= or > a bound that the kernel computes."""
    return Hypothesis.of(name, words, kind="hidden_widths", relation=relation, bound=bound)


def freeman_bruna(where: str) -> Source:
    """A theorem of Freeman & Bruna."""
    return Source(("C. Daniel Freeman", "Joan Bruna"), FREEMAN_BRUNA, 2017, where)


def venturi(where: str) -> Source:
    """A theorem of Venturi, Bandeira & Bruna."""
    authors = ("Luca Venturi", "Afonso S. Bandeira", "Joan Bruna")
    return Source(authors, VENTURI, 2018, where)


def poggio_liao(where: str) -> Source:
    """A statement of Poggio & Liao."""
    return Source(("Tomaso Poggio", "Qianli Liao"), POGGIO_LIAO, 2018, where)


def pair(
    name: str,
    variant: str,
    network: Network,
    data: Dataset,
    a: Weights,
    b: Weights,
    **more: Any,
) -> Instance:
    """The instance "a and b are joined in the sublevel set of the higher of their losses"."""
    loss = Loss(network, data)
    return Instance(name, variant, network, data, joined(a, b, max(loss(a), loss(b))), a, b, **more)


def fitted_pair(
    name: str,
    variant: str,
    network: Network,
    data: Dataset,
    seed: int,
    units: int | None = None,
    note: str = "",
) -> Instance:
    """A pair of independent near-fits: random hidden layers, best output layer, rounded."""
    a = fitted(Seeded(f"{name} A {seed}"), network, data, units)
    b = fitted(Seeded(f"{name} B {seed}"), network, data, units)
    return pair(name, variant, network, data, a, b, note=note)


def descent(
    name: str,
    variant: str,
    network: Network,
    data: Dataset,
    a: Weights,
    v: fmpq,
    eps: fmpq | int = 0,
    **more: Any,
) -> Instance:
    """The instance "a path that never rises leads from a to within eps of the lower bound v"."""
    conclusion = descends(a, v, fmpq(eps))
    return Instance(name, variant, network, data, conclusion, a, **more)


def proved_joined(instance: Instance, path: Path | Undecided) -> Proof | Undecided:
    """The proof that a path stays below the level of the instance."""
    if isinstance(path, Undecided):
        return path
    return proof_of_joined(path, instance.loss, fmpq(instance.conclusion["u"]))


def proved_descent(instance: Instance, found: Descent | Undecided) -> Proof | Undecided:
    """The proof that a path never rises and ends where the instance says."""
    if isinstance(found, Undecided):
        return found
    return proof_of_descent(found.path, instance.loss, found.optimum)


def join_any_depth(instance: Instance) -> Proof | Undecided:
    """Prove a joined pair by the any-depth construction."""
    assert instance.b is not None
    path = connect_any_depth(instance.network, instance.data, instance.a, instance.b)
    return proved_joined(instance, path)


def every(data: Dataset, step: int) -> Dataset:
    """Every ``step``-th sample of a data set."""
    return replace(data.subset(range(0, data.samples, step)), name=f"{data.name} 1/{step}")


def restricted(
    data: Dataset, name: str, inputs: Sequence[int], targets: Sequence[int] | None = None
) -> Dataset:
    """The data set with these inputs, and these targets, only."""
    return replace(data.restrict(inputs, targets), name=name)


def attempt(argument: Argument | Undecided) -> Proof | Undecided:
    """The rule and the proof of an argument."""
    return argument if isinstance(argument, Undecided) else (argument.rule, argument.proof)


def small_widths(draw: Draw, layers: int, low: int, high: int) -> tuple[int, ...]:
    """Some hidden widths of low..high."""
    return tuple(draw.integer(low, high) for _ in range(layers))
