"""Curves between networks: known barriers, exact permutations, nets that do not see each other."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
from torch import Tensor

from theorylab.experiments.networks.curves import (
    Bending,
    Curve,
    bezier,
    line,
    line_barrier,
    matched,
    profile,
)
from theorylab.experiments.networks.model import Parameters, Perceptron, picked
from theorylab.experiments.seeds import generator
from theorylab.outcome import InputError

torch.set_num_threads(1)
PRODUCT = Perceptron((1, 1, 1), "identity", bias=False)
ONE = torch.ones(1, 1, dtype=torch.float64)


def product(*values: float) -> Parameters:
    """One network w u for each value, u = w = that value."""
    w = torch.tensor(values, dtype=torch.float64)[:, None, None]
    return w, w.clone()


def drawn(model: Perceptron, nets: int, names: str = "curves") -> Parameters:
    """Networks with biases that are not zero, so that permutations must carry them along."""
    found = model.initial(0, range(nets), names, dtype=torch.float64)
    return tuple(p + 0.1 * torch.linspace(-1, 1, p[0].numel()).reshape(p.shape[1:]) for p in found)


def task(nets: int | None = None) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    labels = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    return x, labels if nets is None else torch.stack([labels.roll(k) for k in range(nets)])


def test_a_curve_is_the_literal_one() -> None:
    a, b, c = (drawn(Perceptron((2, 3, 1)), 2, name) for name in "abc")
    for t in (0.0, 0.25, 1.0):
        shares = (1 - t) ** 2, 2 * t * (1 - t), t**2
        wanted = [sum(s * q for s, q in zip(shares, p, strict=True))
                  for p in zip(a, b, c, strict=True)]  # fmt: skip
        assert all(map(torch.equal, Curve((a, b, c)).at(t), wanted))
    both = Curve((a, c)).at(torch.tensor([0.0, 0.5], dtype=torch.float64))
    assert torch.equal(both[0][0], a[0][0]) and torch.equal(both[0][1], (a[0][1] + c[0][1]) / 2)


def test_known_heights() -> None:
    # the loss along the segment from w = u = 1 to w = u = -1 is ((1 - 2t)^2 - 1)^2
    found = line(PRODUCT, product(1, 0.5), product(-1, 0.5), ONE, ONE, "squares", 5)
    assert found.losses[:, 0].tolist() == [0, 0.5625, 1, 0.5625, 0]
    assert found.barrier.tolist() == [1, 0] and found.peak.tolist() == [1, 0.5625]
    # above the chord of unequal ends: w = u from 1 to 0 has losses 0 and 1
    rising = line_barrier(PRODUCT, product(1), product(0), ONE, ONE, "squares", 3)
    assert rising.tolist() == [(0.25 - 1) ** 2 - 0.5]
    convex = line_barrier(Perceptron((5, 3)), *(drawn(Perceptron((5, 3)), 4, n) for n in "ab"),
                          *task(), "cross-entropy")  # fmt: skip
    assert convex.tolist() == [0] * 4


def test_errors_have_a_barrier_too() -> None:
    model = Perceptron((1, 1), bias=False)
    a, b = ((torch.tensor([[[w]]], dtype=torch.float64),) for w in (1.0, 2.0))
    labels = torch.tensor([1.0, -1.0], dtype=torch.float64)
    found = line(model, a, b, torch.tensor([[1.0], [1.0]], dtype=torch.float64), labels, "logistic")
    assert found.errors.unique().tolist() == [0.5] and found.error_barrier.tolist() == [0]


def test_a_loss_that_is_not_finite_is_an_infinite_barrier() -> None:
    for bad in (float("nan"), float("inf")):
        found = line(PRODUCT, product(1, 1), product(bad, 1), ONE, ONE, "squares")
        assert found.barrier.tolist() == [float("inf"), 0]


@pytest.mark.parametrize("bias", [True, False])
def test_matching_undoes_a_permutation(bias: bool) -> None:
    model = Perceptron((5, 7, 6, 3), bias=bias)
    a = drawn(model, 3)
    shuffled = [p.clone() for p in a]
    stride = 1 + bias
    for layer, width in enumerate((7, 6)):
        order = torch.randperm(width, generator=torch.Generator().manual_seed(layer))
        for i in range(stride * layer, stride * (layer + 1)):
            shuffled[i] = shuffled[i][..., order]
        shuffled[stride * (layer + 1)] = shuffled[stride * (layer + 1)][:, order]
    assert not torch.equal(shuffled[0], a[0])
    assert all(map(torch.equal, matched(a, tuple(shuffled)), a))


def test_matching_keeps_the_function_and_finds_the_best_order() -> None:
    model = Perceptron((5, 4, 3))
    a, b = drawn(model, 6, "a"), drawn(model, 6, "b")
    found = matched(a, b)
    # because: the same terms of each sum in another order
    torch.testing.assert_close(model.outputs(found, task()[0]), model.outputs(b, task()[0]))
    assert not torch.equal(found[0], b[0])

    def likeness(p: Parameters) -> Tensor:
        parts = [(q * r).flatten(1).sum(1) for q, r in zip(a, p, strict=True)]
        return torch.stack(parts).sum(0)

    every = torch.stack(
        [likeness((b[0][..., o], b[1][..., o], b[2][:, o], b[3])) for o in
         map(list, permutations(range(4)))]
    )  # fmt: skip
    # because: sums of the same products in another order
    torch.testing.assert_close(likeness(found), every.amax(0))


def test_a_step_descends_the_loss_of_the_middle_point() -> None:
    model = Perceptron((5, 4, 3))
    a, b = drawn(model, 2, "a"), drawn(model, 2, "b")
    x, y = task()
    still = bezier(model, a, b, x, y, "cross-entropy", seed=1, nets=[0, 1], bending=Bending(0))
    middle = [((p + q) / 2).requires_grad_() for p, q in zip(a, b, strict=True)]
    assert all(map(torch.equal, still.controls[1], middle))
    once = Bending(1, (0.05, 0.1), batch=None)
    moved = bezier(model, a, b, x, y, "cross-entropy", seed=1, nets=[0, 1], bending=once)
    times = [generator(1, "bezier", k).random(100)[0] for k in (0, 1)]
    t = torch.tensor(times, dtype=torch.float64)[:, None, None]
    points = [(1 - t) ** 2 * p + 2 * t * (1 - t) * q + t**2 * r
              for p, q, r in zip(a, middle, b, strict=True)]  # fmt: skip
    outputs = torch.relu(points[1] + x @ points[0]) @ points[2] + points[3]
    for k, rate in enumerate(once.rate if isinstance(once.rate, tuple) else ()):
        torch.nn.functional.cross_entropy(outputs[k], y).backward(retain_graph=True)
        for new, old in zip(moved.controls[1], middle, strict=True):
            assert old.grad is not None
            # because: autograd sums in another order
            torch.testing.assert_close(new[k], (old - rate * old.grad)[k].detach())


@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("own", [False, True])
def test_a_curve_does_not_see_the_others(batch: int | None, own: bool) -> None:
    model = Perceptron((5, 6, 3))
    a, b = drawn(model, 5, "a"), drawn(model, 5, "b")
    x, y = task(5 if own else None)
    bending = Bending(120, batch=batch)
    every = bezier(model, a, b, x, y, "cross-entropy", seed=2, nets=range(5), bending=bending)
    alone = bezier(
        model,
        picked(a, [3]),
        picked(b, [3]),
        x,
        y[3:4] if own else y,
        "cross-entropy",
        seed=2,
        nets=[3],
        bending=bending,
    )
    for p, q in zip(every.controls[1], alone.controls[1], strict=True):
        assert torch.equal(p[3:4], q)
    other = bezier(model, a, b, x, y, "cross-entropy", seed=9, nets=range(5), bending=bending)
    assert not torch.equal(other.controls[1][0], every.controls[1][0])


def test_the_curve_goes_round_a_hill_but_not_through_a_wall() -> None:
    # w1 u1 + w2 u2 = 1: from (1, 0; 1, 0) to (-1, 0; -1, 0) one must use the second unit
    wide = Perceptron((1, 2, 1), "identity", bias=False)
    w = torch.tensor([[[1.0, 0.1]]], dtype=torch.float64)
    a, b = (w, w.transpose(1, 2)), (-w, -w.transpose(1, 2))
    bending = Bending(1500, 0.1, batch=None)
    found = bezier(wide, a, b, ONE, ONE, "squares", seed=0, nets=[0], bending=bending)
    assert line(wide, a, b, ONE, ONE, "squares").peak > 0.9
    assert profile(wide, found, ONE, ONE, "squares").peak < 0.3
    # with one unit w u = 0 lies between, where the loss is 1
    narrow = product(1), product(-1)
    walled = bezier(PRODUCT, *narrow, ONE, ONE, "squares", seed=0, nets=[0], bending=bending)
    assert profile(PRODUCT, walled, ONE, ONE, "squares", 2_001).peak > 0.99


def test_mistakes_are_named() -> None:
    model = Perceptron((5, 4, 3))
    a, b = drawn(model, 2, "a"), drawn(model, 2, "b")
    x, y = task()
    with pytest.raises(InputError, match="points"):
        line(model, a, b, x, y, "cross-entropy", 1)
    with pytest.raises(InputError, match="nets"):
        bezier(model, a, b, x, y, "cross-entropy", seed=0, nets=[0])
    with pytest.raises(InputError, match="rate"):
        bezier(model, a, b, x, y, "cross-entropy", seed=0, nets=[0, 1], bending=Bending(1, (0.1,)))
    for wrong in (Bending, lambda **k: Bending(**{"steps": 3, **k})):
        with pytest.raises(InputError, match="bending"):
            wrong(rate=-1.0)
    with pytest.raises(InputError, match="bending"):
        Bending(batch=0)
    for other in (b[:3], (*b, *b), tuple(p[..., :1] for p in b), tuple(p.flatten(1) for p in b)):
        with pytest.raises(InputError, match="units are matched"):
            matched(a, other)
