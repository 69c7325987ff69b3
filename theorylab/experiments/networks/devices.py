"""Devices: where an ensemble is computed, made as repeatable as the device allows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from theorylab.outcome import InputError

_REMEDY = "choose auto, cpu, cuda or cuda:N"


def device(name: str = "auto") -> torch.device:
    """The device of a name: auto (a GPU when there is one), cpu, cuda or cuda:N.

    On a GPU, algorithms whose result changes from run to run are switched off for the process, and
    so is the shortened TF32 arithmetic. Guarantees: none on equality of the bits of two devices.
    Raises InputError for another name and for a GPU that is not there.

    >>> device("cpu")
    device(type='cpu')
    >>> device("gpu")
    Traceback (most recent call last):
    theorylab.outcome.InputError: device = gpu: there is no such device; choose auto, cpu, ...
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, colon, number = name.partition(":")
    if kind == "cpu" and not colon:
        return torch.device("cpu")
    if kind != "cuda" or (colon and not (number.isascii() and number.isdigit())):
        raise InputError("device", name, "there is no such device", _REMEDY)
    if not torch.cuda.is_available():
        raise InputError("device", name, "torch finds no GPU on this machine", "choose cpu")
    if colon and int(number) >= torch.cuda.device_count():
        have = f"this machine has {torch.cuda.device_count()} GPUs, numbered from 0"
        raise InputError("device", name, have, _REMEDY)
    # cuBLAS reads this when it is first used; without it its sums are not repeatable
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device(name)


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it a CPU kernel uses one thread, so that the order of its sums is always the same.

    A long product is cut between the threads along its sum when a single net is computed, and not
    when there are several: the bits of a net would depend on its neighbours.

    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def flushed() -> Iterator[None]:
    """Within it a CPU takes numbers that are too small to be normal (1e-38 in float32) for zero.

    The momentum of a weight without gradient decays into them, and arithmetic on them is so slow
    that a small ensemble took 1.2 to 1.7 times as long after some thousand steps.

    >>> with flushed():
    ...     (torch.tensor([1e-40]) * 1).item()
    0.0
    """
    before = (torch.tensor([1e-40]) * 1).item() == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
