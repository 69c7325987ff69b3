"""Trained networks made exact, and what floats see between two settings of one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

import torch
from flint import fmpq_mat

from theorylab.experiments.networks.curves import Bending, bezier, line, matched, profile
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.model import Activation, Dataset, Loss, Network, Weights
from theorylab.model.torch_networks import exact_entry, nearest_float
from theorylab.outcome import InputError

POINTS = 101
STEPS = 1000
RATES = (0.1, 0.03, 0.01, 0.003)
_PERCEPTRONS = {"relu": "relu", "linear": "identity", "square": "square"}


def exact_network(
    model: Perceptron, parameters: Parameters, k: int = 0, bits: int | None = None
) -> tuple[Network, Weights]:
    """Network k of an ensemble over the rationals, each float as the dyadic rational that it is.

    With ``bits`` the weights are rounded to multiples of 2^-bits, ties to even.
    Guarantees: exact without ``bits``. Raises InputError for tanh, batch normalisation, and weights
    that are not finite.

    >>> model = Perceptron((2, 3, 1))
    >>> network, weights = exact_network(model, model.initial(0, range(4), "demo"), 3)
    >>> network.widths, network.activation.kind, network.bias
    ((2, 3, 1), 'relu', (True, True))
    """
    if model.batch_norm or model.activation == "tanh":
        what = "batch normalisation" if model.batch_norm else "tanh"
        rule = "exact networks have polynomial or relu activations and no normalisation"
        raise InputError("model", what, rule, "train another architecture")
    matrices = []
    for number, (w, b) in enumerate(model.layers(parameters), start=1):
        table = w[k].T if b is None else torch.cat([w[k], b[k]]).T
        values = table.detach().double().cpu()
        if not values.isfinite().all():
            rule = "weights are finite; training diverged"
            raise InputError(f"layer {number}", f"net {k}", rule, "train with a lower rate")
        entries = [exact_entry(value, bits) for value in values.reshape(-1).tolist()]
        matrices.append(fmpq_mat(values.shape[0], values.shape[1], entries))
    return Network.dense(model.widths, _exact_activation(model), model.bias), tuple(matrices)


def _exact_activation(model: Perceptron) -> Activation:
    if isinstance(model.activation, tuple):
        return Activation("polynomial", tuple(exact_entry(a) for a in model.activation))
    names = {name: kind for kind, name in _PERCEPTRONS.items()}
    return Activation(names[model.activation])


def perceptron_of(network: Network) -> Perceptron:
    """The perceptron that computes in floats what the network does exactly.

    Raises InputError unless the network is dense with linear output, its layers all have biases or
    none has, and its activation is relu, linear or a polynomial.
    """
    coefficients = network.activation.coefficients
    kind = network.activation.kind
    one_bias = len(set(network.bias)) == 1
    if not network.is_dense or network.output != "linear" or not one_bias:
        rule = "perceptrons are dense, with linear output, and biases everywhere or nowhere"
        raise InputError("network", "-".join(map(str, network.widths)), rule, "choose such a one")
    if kind not in _PERCEPTRONS and coefficients is None:
        rule = "perceptrons have the activation relu, linear or a polynomial"
        raise InputError("activation", kind, rule, "choose one of these")
    activation: str | tuple[float, ...]
    if kind in _PERCEPTRONS:
        activation = _PERCEPTRONS[kind]
    else:
        values = tuple(nearest_float(a) for a in coefficients or ())
        activation = values if len(values) > 1 else (*values, 0.0)
    return Perceptron(network.widths, activation, bias=network.bias[0])


def parameters_of(
    network: Network,
    points: Sequence[Weights],
    dtype: torch.dtype = torch.float64,
    device: str | torch.device = "cpu",
) -> Parameters:
    """These weight settings as an ensemble of ``perceptron_of(network)``, each weight rounded.

    >>> from theorylab.model import matrix
    >>> network = Network.dense((1, 1, 1), "relu", bias=True)
    >>> [p.flatten().tolist() for p in parameters_of(network, [(matrix([[1, 2]]),) * 2])]
    [[1.0], [2.0], [1.0], [2.0]]
    """
    bias = perceptron_of(network).bias
    made = []
    for k in range(network.depth):
        tables = [
            [[nearest_float(q) for q in row] for row in network.check_weights(point)[k].tolist()]
            for point in points
        ]
        layers = torch.tensor(tables, dtype=torch.float64).transpose(1, 2)
        parts = [layers[:, :-1], layers[:, -1:]] if bias else [layers]
        made += [part.contiguous().to(dtype).to(device) for part in parts]
    return tuple(made)


def targets_of(data: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs [N, n] and targets [N, m] as float64. InputError for weighted samples."""
    if data.weights is not None:
        rule = "losses in floats weigh all samples alike"
        raise InputError("weights", data.name, rule, "leave the weights out")
    x, y = (
        torch.tensor([[nearest_float(q) for q in row] for row in part.transpose().tolist()])
        for part in (data.x, data.y)
    )
    return x.double(), y.double()


@dataclass(frozen=True, slots=True)
class Empirical:
    """The largest losses that floats met between A and B; sums over the samples, as the level is.

    ``straight`` on the segment from A to B, ``matched`` on that from A to B with its hidden units
    permuted to resemble A's (the same function, another point), ``curve`` on a quadratic Bezier
    curve from A to B whose middle point was trained for ``steps`` steps, at the best ``rate`` of a
    few. Each was looked at in ``points`` places. Guarantees: heuristic, nothing of it is certified;
    a path that climbs lower may exist, and between the places each may climb higher.
    """

    level: float
    straight: float
    matched: float
    curve: float
    points: int
    steps: int
    rate: float
    seed: int

    def to_json(self) -> dict[str, Any]:
        """The findings as ``theorylab connect --json`` prints them."""
        numbers = {field.name: getattr(self, field.name) for field in fields(self)}
        # a curve whose training diverged has no height that JSON can write
        return {name: n if isfinite(n) else None for name, n in numbers.items()}


def empirical(
    network: Network,
    data: Dataset,
    a: Weights,
    b: Weights,
    seed: int = 0,
    steps: int = STEPS,
    rates: tuple[float, ...] = RATES,
) -> Empirical:
    """Train Bezier curves from a to b and look along the lowest and along the straight segments.

    One curve for each rate. Everything is in float64 on the CPU, with all samples in every step.
    Guarantees: heuristic. Raises InputError for networks without a perceptron and for weighted
    samples.
    """
    model = perceptron_of(network)
    x, y = targets_of(data)
    start, end = (parameters_of(network, [point]) for point in (a, b))
    loss = Loss(network, data)
    bending = Bending(steps, rates, batch=None)
    nets = [0] * len(rates)  # the same draws for every rate
    several, others = picked(start, nets), picked(end, nets)
    curve = bezier(
        model,
        several,
        others,
        x,
        y,
        "squares",
        seed=seed,
        nets=nets,
        names=("connect",),
        bending=bending,
    )
    heights = profile(model, curve, x, y, "squares", POINTS).peak
    best = int(heights.argmin())
    segments = (start, end), (start, matched(start, end))
    straight, permuted = (
        float(line(model, *segment, x, y, "squares", POINTS).peak[0]) for segment in segments
    )
    n = data.samples
    level = nearest_float(max(loss(a), loss(b)))
    return Empirical(
        level=level,
        straight=n * straight,
        matched=n * permuted,
        curve=n * float(heights[best]),
        points=POINTS,
        steps=steps,
        rate=rates[best],
        seed=seed,
    )
