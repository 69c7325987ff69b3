"""Losses and errors of many networks at once: outputs [K, n, m] against targets."""

from __future__ import annotations

import torch
from torch import Tensor

from theorylab.outcome import InputError

LOSSES = ("cross-entropy", "squares", "logistic", "exponential")
_CLASSES_RULE = "cross-entropy takes whole class numbers from 0 to m - 1, one for each sample"


def target_of(y: Tensor, outputs: int, loss: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """The targets as numbers, [n, m] or [K, n, m]: class numbers become unit vectors.

    ``y`` is [n] or [K, n], for "squares" also [n, m] or [K, n, m]. Guarantees: exact. Raises
    InputError for an unknown loss and for targets that do not fit it.

    >>> target_of(torch.tensor([1, 0]), 2, "cross-entropy").tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    if loss not in LOSSES:
        raise InputError("loss", loss, f"a loss is one of {', '.join(LOSSES)}", "choose one")
    if loss == "cross-entropy":
        if y.is_floating_point() or y.dim() not in (1, 2):
            raise InputError("y", tuple(y.shape), _CLASSES_RULE, "give integers [n] or [K, n]")
        if y.numel() and not 0 <= int(y.min()) <= int(y.max()) < outputs:
            raise InputError("y", int(y.max()), _CLASSES_RULE, f"there are {outputs} outputs")
        return (y[..., None] == torch.arange(outputs, device=y.device)).to(dtype)
    if loss != "squares" and (outputs != 1 or not bool((y.abs() == 1).all())):
        rule = f"the {loss} loss takes labels -1 and 1 and a network of one output"
        raise InputError("y", tuple(y.shape), rule, "use cross-entropy for more classes")
    if y.dim() == 1 or y.shape[-1] != outputs:
        y = y[..., None]
    if y.shape[-1] != outputs:
        rule = "the targets have as many columns as the network has outputs"
        raise InputError("y", tuple(y.shape), rule, f"give {outputs} columns")
    return y.to(dtype)


def loss_of(outputs: Tensor, y: Tensor, loss: str) -> Tensor:
    """The mean loss [K] over the samples of outputs [K, n, m]; "squares" sums over the outputs.

    Guarantees: heuristic (floats). Raises InputError as ``target_of``.

    >>> loss_of(torch.zeros(1, 3, 2), torch.tensor([0, 1, 1]), "cross-entropy")
    tensor([0.6931])
    """
    return _loss(outputs, target_of(y, outputs.shape[2], loss, outputs.dtype), loss)


def _loss(outputs: Tensor, target: Tensor, loss: str) -> Tensor:
    if loss == "cross-entropy":
        logs = torch.log_softmax(outputs.transpose(1, 2).contiguous(), 1).transpose(1, 2)
        return -(logs * target).sum(2).mean(1)
    if loss == "squares":
        return (outputs - target).square().sum(2).mean(1)
    margin = outputs * target
    if loss == "logistic":
        return _softplus(-margin).sum(2).mean(1)
    return torch.exp(-margin).sum(2).mean(1)


def _softplus(t: Tensor) -> Tensor:
    # torch's softplus and sigmoid treat the last numbers of a tensor by other code than those
    # before them, so that bits would depend on a net's place; exp and log1p do not
    return t.clamp_min(0).add_(torch.log1p(torch.exp(-t.abs())))


def slope_of(outputs: Tensor, target: Tensor, loss: str) -> Tensor:
    """The derivative of each mean loss in the outputs, [K, n, m]; ``target`` of ``target_of``.

    Guarantees: heuristic (floats); an entry depends on its own net alone, bit for bit.

    >>> slope_of(torch.tensor([[[3.0]]]), torch.tensor([[1.0]]), "squares")
    tensor([[[4.]]])
    """
    share = 1.0 / outputs.shape[1]
    if loss == "cross-entropy":
        # torch is forty times slower along the last axis of few numbers than across it
        shares = torch.softmax(outputs.transpose(1, 2).contiguous(), 1)
        return (shares.transpose(1, 2) - target).mul_(share)
    if loss == "squares":
        return (outputs - target).mul_(2 * share)
    if loss == "logistic":
        return torch.exp(-_softplus(outputs * target)).mul_(target).mul_(-share)
    return torch.exp(-(outputs * target)).mul_(target).mul_(-share)


def errors(outputs: Tensor, y: Tensor) -> Tensor:
    """The fraction [K] of samples that are classified wrongly.

    Class numbers [n] or [K, n] are compared with the largest output, labels -1 and 1 with the sign
    of the one output, unit vectors by their largest entries; an output that is not finite is
    wrong. Guarantees: exact for the outputs given.

    >>> errors(torch.tensor([[[1.0, 2.0], [float("nan"), 0.0]]]), torch.tensor([1, 0]))
    tensor([0.5000])
    """
    finite = outputs.isfinite().all(2)
    if not y.is_floating_point() and outputs.shape[2] > 1:
        right = outputs.argmax(2) == y
    else:
        target = target_of(y, outputs.shape[2], "squares", outputs.dtype)
        if outputs.shape[2] == 1:
            right = (outputs * target).squeeze(2) > 0
        else:
            right = outputs.argmax(2) == target.argmax(-1)
    return 1 - (right & finite).to(outputs.dtype).mean(1)
