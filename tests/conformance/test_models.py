"""The laws in the docstring of Model, run over every model of the package.

A new model joins by a line in CASES. What it should compute is written once more in `literal`, one
network at a time, in torch's own graph.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from theorylab.experiments.networks.ensemble import Descent, Trained, train_ensemble
from theorylab.experiments.networks.model import (
    Model,
    Parameters,
    Perceptron,
    Stacked,
    flattened,
    joined,
    loss_of,
    paper_network,
    picked,
    unflattened,
)
from theorylab.experiments.studies.tree import Tree
from theorylab.outcome import InputError

SAMPLES = 60


@dataclass(frozen=True)
class Case:
    """A model, the shape of a sample, a loss, and how it is trained in these tests."""

    name: str
    model: Model
    shape: tuple[int, ...]
    loss: str = "cross-entropy"
    descent: Descent = Descent(0.05, 50, batch=16)  # noqa: RUF009 - frozen
    dtype: torch.dtype = torch.float32

    def data(self, nets: int | None = None) -> tuple[Tensor, Tensor]:
        """Samples and targets, with ``nets`` each net's own targets."""
        source = torch.Generator().manual_seed(1)
        x = torch.randn(SAMPLES, *self.shape, generator=source)
        size = (SAMPLES,) if nets is None else (nets, SAMPLES)
        if self.loss == "cross-entropy":
            return x, torch.randint(0, self.model.output_width, size, generator=source)
        if self.loss == "squares":
            width = self.model.output_width
            return x, torch.randn(*size, *([width] if width > 1 else []), generator=source)
        return x, torch.randint(0, 2, size, generator=source) * 2.0 - 1

    def trained(self, nets: list[int], *, chunk: int | None = None, own: bool = False) -> Trained:
        x, y = self.data(8 if own else None)
        return train_ensemble(
            self.model,
            x,
            y[nets] if own else y,
            nets,
            seed=3,
            descent=self.descent,
            loss=self.loss,
            chunk=chunk,
            dtype=self.dtype,
        )


def _module(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


NORM = {"affine": False, "track_running_stats": False}
FULL = Descent(0.02, 50)
CASES = [
    Case("relu", Perceptron((6, 16, 10)), (6,)),
    Case("deep", Perceptron((6, 33, 17, 5)), (6,), descent=FULL),
    Case("wide-alone", Perceptron((30, 100, 10)), (30,), descent=FULL),
    Case("normed", Perceptron((6, 9, 9, 3), batch_norm=True), (6,)),
    Case("polynomial", Perceptron((6, 9, 3), (0.1, 0.5, 0.2, 0.01)), (6,)),
    Case("polynomial-normed", Perceptron((6, 9, 1), (0.1, 0.5, 0.2), batch_norm=True), (6,),
         "logistic"),
    Case("square", Perceptron((6, 4, 2), "square"), (6,), descent=Descent(0.002, 50, batch=1)),
    Case("linear", Perceptron((6, 1, 1), "identity", bias=False, gain=0.3), (6,), "exponential",
         Descent(0.0005, 50, momentum=0.0)),
    Case("curve", Perceptron((1, 64, 64, 1)), (1,), "squares", FULL),
    Case("double", Perceptron((5, 7, 2), "tanh"), (5,), "squares", FULL, torch.float64),
    Case("adam", Perceptron((6, 8, 3)), (6,), descent=Descent(0.01, 50, batch=7, kind="adam")),
    Case("noisy", Perceptron((6, 8, 3)), (6,),
         descent=Descent(0.05, 50, batch=7, noise=0.01, decay=0.01)),
    Case("stacked", Stacked(_module(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 1)), (6,)), (6,),
         "logistic"),
    Case("stacked-normed",
         Stacked(_module(nn.Linear(6, 9), nn.BatchNorm1d(9, **NORM), nn.GELU(), nn.Linear(9, 3)),
                 (6,)), (6,), descent=Descent(0.05, 20, batch=16)),
    Case("tree", Tree(8, 5), (8,), "squares", Descent(0.01, 50, batch=16)),
    Case("paper", paper_network((1, 8, 8)), (1, 8, 8), descent=Descent(0.02, 3, batch=8)),
]  # fmt: skip
CHEAP = [c for c in CASES if c.name != "paper"]
each = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
cheap = pytest.mark.parametrize("case", CHEAP, ids=lambda c: c.name)


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def same(first: Parameters, second: Parameters) -> bool:
    """Equal bit for bit, nan as nan; the tests also ask that nets did not all stay at nan."""
    return all(
        a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
        for a, b in zip(first, second, strict=True)
    )


def literal(model: Model, parameters: Parameters, x: Tensor) -> Tensor:
    """What one network computes, [n, m], as a textbook says it."""
    if isinstance(model, Stacked):
        module = copy.deepcopy(model.module).to(x.dtype)
        values = dict(zip(dict(module.named_parameters()), parameters, strict=True))
        return torch.func.functional_call(module, values, (x,))
    if isinstance(model, Tree):
        for w, b, v, c in zip(*(parameters[i::4] for i in range(4)), strict=True):
            pairs = zip(x.split(2, 1), w, b, v, c, strict=True)
            x = torch.cat([(p @ w + b).relu() @ v + c for p, w, b, v, c in pairs], 1)
        return x
    assert isinstance(model, Perceptron)
    layers = model.layers(parameters)
    for at, (w, b) in enumerate(layers):
        x = x @ w if b is None else x @ w + b
        if at < len(layers) - 1:
            if model.batch_norm:
                x = nn.functional.batch_norm(x, None, None, training=True)
            x = activation(model)(x)
    return x


def activation(model: Perceptron) -> Callable[[Tensor], Tensor]:
    if isinstance(model.activation, tuple):
        coefficients = model.activation
        return lambda z: sum((a * z**i for i, a in enumerate(coefficients)), torch.zeros_like(z))
    return {
        "relu": torch.relu,
        "tanh": torch.tanh,
        "square": torch.square,
        "identity": lambda z: z,
    }[model.activation]


def literal_loss(outputs: Tensor, y: Tensor, loss: str) -> Tensor:
    if loss == "cross-entropy":
        return nn.functional.cross_entropy(outputs, y)
    y = y if y.dim() == 2 else y[:, None]
    if loss == "squares":
        return ((outputs - y) ** 2).sum(1).mean()
    margins = (outputs * y)[:, 0]
    return (
        nn.functional.softplus(-margins).mean() if loss == "logistic" else (-margins).exp().mean()
    )


def test_every_model_of_the_package_is_here() -> None:
    ours = {m for m in Model.__subclasses__() if m.__module__.startswith("theorylab.")}
    assert {type(case.model) for case in CASES} == ours


@each
@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
def test_outputs_losses_and_gradients_are_those_of_a_literal_loop(case: Case, own: bool) -> None:
    nets = 3
    x, y = case.data(nets if own else None)
    x = x.double()
    if own:
        x = torch.stack([x, x.flip(0), 2 * x])
    y = y.double() if y.is_floating_point() else y
    # biases too are moved away from 0, where they could hide behind a missing term
    weights = case.model.initial(0, range(nets), dtype=torch.float64)
    source = torch.Generator().manual_seed(2)
    weights = tuple(
        w + 0.1 * torch.randn(w.shape, generator=source, dtype=w.dtype) for w in weights
    )
    losses, gradients = case.model.gradients(weights, x, y, case.loss)
    outputs = case.model.outputs(weights, x)
    for k in range(nets):
        alone = tuple(w[k].clone().requires_grad_() for w in weights)
        expected = literal(case.model, alone, x[k] if own else x)
        value = literal_loss(expected, y[k] if own else y, case.loss)
        value.backward()
        # the same sums of at most 10^5 terms of order one, in doubles, in another order
        close = {"rtol": 1e-9, "atol": 1e-11}
        assert torch.allclose(outputs[k], expected, **close)
        assert torch.allclose(losses[k], value, **close)
        for mine, theirs in zip(gradients, alone, strict=True):
            assert torch.allclose(mine[k], theirs.grad, **close)
    assert torch.equal(loss_of(outputs, y, case.loss), losses)


@each
def test_a_net_alone_is_the_net_in_an_ensemble_bit_for_bit(case: Case) -> None:
    everyone = list(range(8))
    together = case.trained(everyone)
    assert not together.diverged.any()
    before = case.model.initial(3, everyone, dtype=case.dtype)
    assert not any(map(torch.equal, before[0], together.parameters[0])), "all have moved"
    for k in (0, 5):
        alone = case.trained([k])
        assert same(alone.parameters, picked(together.parameters, [k]))
        assert torch.equal(alone.losses, together.losses[k : k + 1])
        assert torch.equal(alone.errors, together.errors[k : k + 1])


@each
def test_order_chunks_and_threads_change_no_bit(case: Case) -> None:
    with threads(1):
        together = case.trained(list(range(8)))
    order = [5, 0, 7, 2, 1, 3, 6, 4]
    with threads(2):
        other = case.trained(order, chunk=3)
    assert same(other.parameters, picked(together.parameters, order))
    assert torch.equal(other.losses, together.losses[order])


def test_a_long_sum_is_not_cut_between_threads() -> None:
    # from about a thousand terms a single net's product would be, and not that of several nets
    model, source = Perceptron((64, 16, 10)), torch.Generator().manual_seed(0)
    x = torch.randn(1200, 64, generator=source)
    y = torch.randint(0, 10, (1200,), generator=source)
    rule = Descent(0.05, 5)
    with threads(2):
        alone = train_ensemble(model, x, y, [1], seed=0, descent=rule)
        together = train_ensemble(model, x, y, 3, seed=0, descent=rule)
    with threads(1):
        single = train_ensemble(model, x, y, [1], seed=0, descent=rule)
    assert same(alone.parameters, single.parameters)
    assert same(alone.parameters, picked(together.parameters, [1]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_perceptrons_of_any_shape_keep_their_bits(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(40):
        depth, widest = source.randint(1, 3), source.choice((4, 40, 150))
        widths = tuple(source.randint(1, widest) for _ in range(depth + 1))
        model = Perceptron(
            widths,
            source.choice(("relu", "tanh", "square", "identity", (0.1, 0.5, 0.2))),
            batch_norm=source.random() < 0.3,
            bias=source.random() < 0.8,
            gain=0.5,
        )
        samples = source.choice((1, 2, 7, 33, 250, 1100))
        one = ("squares", "logistic", "exponential")
        loss = source.choice(("cross-entropy", *one) if widths[-1] == 1 else ("cross-entropy",))
        draws = torch.Generator().manual_seed(seed)
        x = torch.randn(samples, widths[0], generator=draws)
        y = torch.randint(0, widths[-1], (samples,), generator=draws)
        if loss != "cross-entropy":
            y = torch.randint(0, 2, (samples,), generator=draws) * 2.0 - 1
        batch = source.choice((None, 1, 5, 16, 64))
        rule = Descent(0.001, 5, batch=batch, kind=source.choice(("sgd", "adam")))
        dtype = source.choice((torch.float32, torch.float64))
        options = {"seed": seed, "descent": rule, "loss": loss, "dtype": dtype}
        together = train_ensemble(model, x, y, 7, **options)
        order = source.sample(range(7), 7)
        with threads(2):
            other = train_ensemble(model, x, y, order, chunk=source.randint(1, 4), **options)
        assert same(other.parameters, picked(together.parameters, order)), (model, loss, rule)


@cheap
def test_targets_of_its_own_are_a_nets_own(case: Case) -> None:
    together = case.trained([0, 1, 2, 3], own=True)
    alone = case.trained([2], own=True)
    assert same(alone.parameters, picked(together.parameters, [2]))
    x, y = case.data(8)
    shared = train_ensemble(
        case.model, x, y[2], [2], seed=3, descent=case.descent, loss=case.loss, dtype=case.dtype
    )
    assert same(alone.parameters, shared.parameters)


@cheap
def test_a_diverging_net_is_reported_and_disturbs_nobody(case: Case) -> None:
    if case.descent.kind == "adam":
        case = replace(case, descent=replace(case.descent, kind="sgd"))
    rate = case.descent.rate
    assert isinstance(rate, float)
    rates = (rate, 1e38, rate)
    calm = case.trained([0, 1, 2])
    wild = replace(case, descent=replace(case.descent, rate=rates, check=10)).trained([0, 1, 2])
    assert wild.diverged.tolist() == [False, True, False]
    assert same(picked(wild.parameters, [0, 2]), picked(calm.parameters, [0, 2]))
    assert torch.equal(wild.losses[[0, 2]], calm.losses[[0, 2]])


@each
def test_initial_weights_depend_on_the_net_and_its_names_only(case: Case) -> None:
    first = case.model.initial(3, [4, 9], "a")
    assert same(case.model.initial(3, [9], "a"), picked(first, [1]))
    # one draw for every kind of number: only its rounding differs
    double = case.model.initial(3, [4, 9], "a", dtype=torch.float64)
    assert same(tuple(p.float() for p in double), first)
    for other in (case.model.initial(3, [9], "b"), case.model.initial(4, [9], "a")):
        assert not torch.equal(other[0], first[0][1:])
    assert sum(p[0].numel() for p in first) == case.model.parameter_count


@each
def test_vectors_of_parameters_go_there_and_back(case: Case) -> None:
    parameters = case.model.initial(0, range(3))
    flat = flattened(parameters)
    assert flat.shape == (3, case.model.parameter_count)
    assert same(unflattened(flat, parameters), parameters)
    assert same(unflattened(flat[1:2], parameters), picked(parameters, [1]))
    assert same(joined([picked(parameters, [0]), picked(parameters, [1, 2])]), parameters)
    with pytest.raises(InputError, match="flat ="):
        unflattened(flat[:, 1:], parameters)
