"""Training: what a descent is, what is frozen, recorded, marked, refused; the losses by hand."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, log, nan

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from theorylab.experiments.networks.ensemble import Descent, Trained, train_ensemble
from theorylab.experiments.networks.losses import errors, loss_of
from theorylab.experiments.networks.model import Perceptron, Stacked, paper_network, picked
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

MODEL = Perceptron((5, 12, 3))
SEED = 11


def data(samples: int = 40) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    x = torch.randn(samples, 5, generator=source)
    return x, x[:, :3].argmax(1)


def trained(descent: Descent, nets: int | list[int] = 4, **options: object) -> Trained:
    x, y = data()
    return train_ensemble(MODEL, x, y, nets, seed=SEED, descent=descent, **options)  # type: ignore[arg-type]


def by_torch(net: int, descent: Descent) -> nn.Sequential:
    """The same net trained by torch's own modules and optimisers, in doubles."""
    x, y = data()
    start = MODEL.initial(SEED, [net], dtype=torch.float64)
    network = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 3)).double()
    with torch.no_grad():
        for layer, w, b in ((network[0], *start[:2]), (network[2], *start[2:])):
            layer.weight.copy_(w[0].T)
            layer.bias.copy_(b[0, 0])
    kind = torch.optim.Adam if descent.kind == "adam" else torch.optim.SGD
    own = {} if descent.kind == "adam" else {"momentum": descent.momentum}
    optimiser = kind(network.parameters(), lr=descent.rate, weight_decay=descent.decay, **own)
    source = generator(SEED, "batches", net)
    for step in range(descent.steps):
        if descent.batch is None:
            chosen = torch.arange(len(x))
        else:
            if step % 64 == 0:
                block = source.integers(0, len(x), (64, descent.batch), dtype=np.int32)
            chosen = torch.from_numpy(block[step % 64]).long()
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x[chosen].double()), y[chosen]).backward()
        optimiser.step()
    return network


@pytest.mark.parametrize(
    "descent",
    [
        Descent(0.05, 150),
        Descent(0.05, 150, momentum=0.0, batch=7),
        Descent(0.05, 150, batch=7, decay=0.02),
        Descent(0.01, 150, batch=7, kind="adam"),
        Descent(0.01, 150, kind="adam", decay=0.02),
    ],
    ids=["full", "plain", "decay", "adam", "adam-decay"],
)
def test_a_descent_is_the_one_of_torch(descent: Descent) -> None:
    mine = trained(descent, [2, 6], dtype=torch.float64)
    network = by_torch(6, descent)
    theirs = [network[0].weight.T, network[0].bias, network[2].weight.T, network[2].bias]
    for a, b in zip(picked(mine.parameters, [1]), theirs, strict=True):
        # 150 steps of the same arithmetic in doubles, its roundings in another order
        assert torch.allclose(a[0].squeeze(), b.squeeze(), rtol=1e-9, atol=1e-10)


def test_the_mean_over_the_nets_falls_to_no_error() -> None:
    result = trained(Descent(0.1, 600))
    assert result.errors.tolist() == [0, 0, 0, 0] and float(result.losses.max()) < 0.02
    assert result.steps.tolist() == [600] * 4 and not result.diverged.any()


def test_a_rate_for_each_net_is_the_rate_of_that_net() -> None:
    slow, fast = trained(Descent(0.01, 90, batch=8)), trained(Descent(0.1, 90, batch=8))
    mixed = trained(Descent((0.01, 0.1, 0.01, 0.1), 90, batch=8), chunk=3)
    for k, source in enumerate((slow, fast, slow, fast)):
        for a, b in zip(mixed.parameters, source.parameters, strict=True):
            assert torch.equal(a[k], b[k])


def test_a_net_is_frozen_at_the_first_check_that_finds_its_loss_low_enough() -> None:
    free = trained(Descent(0.1, 400, batch=8, record=tuple(range(0, 401, 50))), 6)
    frozen = trained(Descent(0.1, 400, batch=8, stop_loss=0.08, check=50), 6)
    assert len(set(frozen.steps.tolist())) > 1, "the nets stop at different checks"
    for k in range(6):
        history = {r.step: float(r.losses[k]) for r in free.records}
        first = min((s for s in history if s and history[s] <= 0.08), default=400)
        assert int(frozen.steps[k]) == first
        record = next(r for r in free.records if r.step == first)
        for a, b in zip(frozen.parameters, record.parameters, strict=True):
            assert torch.equal(a[k], b[k])
        assert float(frozen.losses[k]) == history[first]


def test_noise_and_memories_of_a_net_go_on_when_another_is_frozen() -> None:
    for descent in (
        Descent(0.1, 230, batch=8, noise=1e-3),
        Descent(0.01, 230, batch=8, kind="adam"),
        Descent((0.1, 0.05, 0.07, 0.1), 230, batch=8),
    ):
        free = trained(replace(descent, record=(120,)))
        middle = float(free.records[0].losses.median())
        some = trained(replace(descent, stop_loss=middle, check=120))
        going = [k for k in range(4) if int(some.steps[k]) == 230]
        assert len(going) == 2, "the two of the smaller loss are frozen at 120"
        for a, b in zip(some.parameters, free.parameters, strict=True):
            assert torch.equal(a[going], b[going])


def test_records_hold_every_net_and_end_with_the_result() -> None:
    result = trained(Descent(0.1, 130, batch=8, record=(0, 64, 130)), 5, chunk=2)
    assert [r.step for r in result.records] == [0, 64, 130]
    start = MODEL.initial(SEED, range(5))
    for a, b in zip(result.records[0].parameters, start, strict=True):
        assert torch.equal(a, b)
    for a, b in zip(result.records[2].parameters, result.parameters, strict=True):
        assert torch.equal(a, b)
    short = trained(Descent(0.1, 64, batch=8), 5)
    assert torch.equal(result.records[1].losses, short.losses)
    assert torch.equal(result.records[1].errors, short.errors)


def test_frozen_and_diverged_nets_stand_in_later_records() -> None:
    rates = (0.1, 1e38, 0.1)
    rule = Descent(rates, 200, batch=8, stop_loss=0.5, check=20, record=(20, 200))
    result = trained(rule, 3)
    assert result.diverged.tolist() == [False, True, False] and int(result.steps[1]) == 20
    assert result.losses[1].isnan() and float(result.errors[1]) == 1
    early, late = result.records
    frozen = [k for k in (0, 2) if int(result.steps[k]) < 200]
    assert frozen, "a net reaches one half"
    assert torch.equal(late.losses[frozen], result.losses[frozen])
    assert early.losses.isnan().tolist() == late.losses.isnan().tolist() == [False, True, False]


def test_a_start_replaces_the_initial_weights_and_zero_steps_change_nothing() -> None:
    start = MODEL.initial(5, [8, 9])
    result = trained(Descent(0.1, 0), [0, 1], start=start)
    for a, b in zip(result.parameters, start, strict=True):
        assert torch.equal(a, b)
    again = trained(Descent(0.1, 100), [0, 1], start=start)
    assert torch.equal(again.parameters[0][1], trained(Descent(0.1, 100), [3],
                       start=picked(start, [1])).parameters[0][0])  # fmt: skip
    assert torch.equal(start[0], MODEL.initial(5, [8, 9])[0]), "the start is left alone"


def test_noise_has_the_deviation_it_says() -> None:
    model = Perceptron((60, 60, 3))
    x = torch.zeros(1, 60)
    start = tuple(torch.zeros_like(p) for p in model.initial(0, range(4)))
    rule = Descent(0.0, 25, noise=0.3)
    result = train_ensemble(model, x, torch.tensor([0]), 4, seed=1, descent=rule, start=start)
    walked = torch.cat([p.flatten() for p in result.parameters])
    # 25 steps of deviation 0.3 make 1.5; over 15,372 draws its estimate errs by 0.0086
    assert abs(float(walked.std()) - 1.5) < 5 * 0.0086
    assert abs(float(walked.mean())) < 5 * 1.5 / len(walked) ** 0.5


def test_names_separate_and_progress_is_told() -> None:
    said: list[tuple[int, int]] = []
    rule = Descent(0.1, 250, batch=8)
    first = trained(rule, chunk=3, progress=lambda done, all_: said.append((done, all_)))
    assert said == [(300, 1000), (600, 1000), (750, 1000), (850, 1000), (950, 1000), (1000, 1000)]
    assert not torch.equal(first.parameters[0], trained(rule, names=("b",)).parameters[0])


def test_samples_of_its_own() -> None:
    x, y = data()
    own = torch.stack([x, x.flip(0), 2 * x])
    rule = Descent(0.05, 80, batch=6)
    both = train_ensemble(MODEL, own, y, 3, seed=SEED, descent=rule)
    for k in range(3):
        alone = train_ensemble(MODEL, own[k], y, [k], seed=SEED, descent=rule)
        assert torch.equal(alone.parameters[0][0], both.parameters[0][k])
        assert torch.equal(alone.losses[0], both.losses[k])


def test_batch_normalised_nets_are_measured_with_the_statistics_of_all_samples() -> None:
    x, y = data()
    model = Perceptron((5, 8, 8, 3), batch_norm=True)
    result = train_ensemble(model, x, y, 2, seed=0, descent=Descent(0.05, 60, batch=10))
    kept = model.statistics(result.parameters, x)
    assert len(kept) == 2 and kept[0][0].shape == (2, 1, 8)
    outputs = model.outputs(result.parameters, x, statistics=kept)
    assert torch.allclose(loss_of(outputs, y, "cross-entropy"), result.losses, rtol=1e-6)
    # one sample alone has statistics of no use; with those kept it gives what it gave in the crowd
    one = model.outputs(result.parameters, x[:1], statistics=kept)
    assert torch.allclose(one[:, 0], outputs[:, 0], rtol=1e-4, atol=1e-5)
    shown = model.preactivations(result.parameters, x)
    assert len(shown) == 2 and float(shown[1].mean(1).abs().max()) < 1e-5


def test_preactivations_are_what_the_activations_get() -> None:
    x, _ = data()
    model = Perceptron((5, 7, 6, 3))
    weights = model.initial(0, range(2))
    first, second = model.preactivations(weights, x)
    assert torch.allclose(first, torch.matmul(x, weights[0]) + weights[1], atol=1e-6)
    last = torch.matmul(second.clamp_min(0), weights[4]) + weights[5]
    assert torch.allclose(last, model.outputs(weights, x), atol=1e-6)


def test_losses_and_errors_by_hand() -> None:
    outputs = torch.tensor([[[log(3.0), 0.0], [0.0, 0.0]], [[nan, 0.0], [inf, 0.0]]])
    y = torch.tensor([0, 1])
    assert loss_of(outputs[:1], y, "cross-entropy").item() == pytest.approx(
        (log(4 / 3) + log(2)) / 2
    )
    # the first net: right, and a tie that goes to the first class; the second is not finite
    assert errors(outputs, y).tolist() == [0.5, 1.0]
    one = torch.tensor([[[2.0], [-1.0], [0.0]]])
    signs = torch.tensor([1.0, 1.0, -1.0])
    assert errors(one, signs).tolist() == pytest.approx([2 / 3]), "a zero takes no side"
    assert loss_of(one, signs, "exponential").item() == pytest.approx((exp(-2) + exp(1) + 1) / 3)
    assert loss_of(one, signs, "logistic").item() == pytest.approx(
        (log(1 + exp(-2)) + log(1 + exp(1)) + log(2)) / 3
    )
    assert loss_of(1000 * one, signs, "logistic").item() == pytest.approx((1000 + log(2)) / 3)
    assert loss_of(one, signs, "squares").item() == pytest.approx((1 + 4 + 1) / 3)
    two = torch.tensor([[[1.0, 2.0]]])
    assert loss_of(two, torch.tensor([[0.0, 0.0]]), "squares").item() == 5


def test_the_network_of_the_paper_has_its_count() -> None:
    model = paper_network()
    assert model.parameter_count == 188_810 and model.output_width == 10
    weights = model.initial(0, [0])
    assert model.outputs(weights, torch.zeros(2, 3, 32, 32)).shape == (1, 2, 10)
    assert paper_network((1, 28, 28)).outputs(
        paper_network((1, 28, 28)).initial(0, [0]), torch.zeros(2, 1, 28, 28)
    ).shape == (1, 2, 10)
    with pytest.raises(InputError, match="shape ="):
        paper_network((3, 64, 64))


def test_stacked_refuses_what_an_ensemble_cannot_share_and_leaves_the_module_alone() -> None:
    with pytest.raises(InputError, match="track_running_stats=False"):
        Stacked(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), (4,))
    with pytest.raises(InputError, match="Flatten"):
        Stacked(nn.Conv2d(1, 2, 3), (1, 5, 5))
    module = nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.5))
    before = module[0].weight.detach().clone()
    x, y = data()
    train_ensemble(Stacked(module, (5,)), x, y, 2, seed=0, descent=Descent(0.1, 10))
    assert torch.equal(module[0].weight, before) and module.training


def test_the_batched_route_of_a_gpu_gives_what_the_nets_give_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = paper_network((1, 8, 8))
    x = torch.randn(2, 6, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1, 2, 3, 4, 5])
    weights = model.initial(0, [0, 1], dtype=torch.float64)
    for given in (x, x[0]):
        losses, slopes = model.gradients(weights, given, y)
        with monkeypatch.context() as patched:
            patched.setattr(Stacked, "_batches", lambda *_: True)
            batched, together = model.gradients(weights, given, y)
        # sums of some thousand terms in doubles, in another order
        assert torch.allclose(losses, batched, rtol=1e-9)
        for a, b in zip(slopes, together, strict=True):
            assert torch.allclose(a, b, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"nets": []}, "nets ="),
        ({"nets": [1, 1]}, "nets ="),
        ({"nets": [-1]}, "nets ="),
        ({"x": torch.zeros(40)}, "x ="),
        ({"x": torch.zeros(0, 5), "y": torch.zeros(0, dtype=torch.int64)}, "at least one sample"),
        ({"x": torch.zeros(3, 40, 5)}, "one row for each net"),
        ({"y": torch.zeros(3, 40, dtype=torch.int64)}, "one row for each net"),
        ({"y": torch.zeros(39, dtype=torch.int64)}, "a target for each of the 40"),
        ({"y": torch.full((40,), 3)}, "from 0 to m - 1"),
        ({"y": torch.zeros(40)}, "whole class numbers"),
        ({"loss": "hinge"}, "loss = hinge"),
        ({"loss": "logistic"}, "labels -1 and 1"),
        ({"loss": "squares"}, "as many columns"),
        ({"descent": Descent((0.1, 0.2), 5)}, "one for each of the 4"),
        ({"start": MODEL.initial(0, [0])}, "start ="),
        ({"start": Perceptron((5, 4, 3)).initial(0, range(4))}, "start ="),
        ({"device": "tpu"}, "device = tpu"),
        ({"chunk": 0}, "chunk = 0"),
    ],
)
def test_bad_training_gives_one_clear_line(options: dict[str, object], says: str) -> None:
    x, y = data()
    given: dict[str, object] = {"x": x, "y": y, "nets": 4, "descent": Descent(0.1, 5), **options}
    with pytest.raises(InputError, match=says):
        train_ensemble(
            MODEL,
            given.pop("x"),
            given.pop("y"),
            given.pop("nets"),
            seed=0,
            **given,  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    "options",
    [{"rate": -1.0}, {"rate": nan}, {"rate": (0.1, inf)}, {"steps": -1}, {"momentum": 1.0},
     {"batch": 0}, {"decay": -1.0}, {"noise": -1.0}, {"kind": "lbfgs"}, {"check": 0},
     {"record": (6,)}],
)  # fmt: skip
def test_a_bad_descent_gives_one_clear_line(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(options))} ="):
        Descent(**{"rate": 0.1, "steps": 5, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("widths", "activation"),
    [((3,), "relu"), ((3, 0), "relu"), ((3, 2), "gelu"), ((3, 2), (1.0,))],
)
def test_an_impossible_perceptron_gives_one_clear_line(
    widths: tuple[int, ...], activation: str | tuple[float, ...]
) -> None:
    with pytest.raises(InputError):
        Perceptron(widths, activation)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_starts_from_the_same_weights_and_batches() -> None:
    rule = Descent(0.05, 20, batch=8, noise=1e-3)
    here, there = trained(rule), trained(rule, device="cuda")
    for a, b in zip(here.parameters, there.parameters, strict=True):
        # twenty steps apart only by roundings of single precision
        assert torch.allclose(a, b.cpu(), rtol=1e-3, atol=1e-4)
