"""Devices by name, and what is set while an ensemble is computed."""

from __future__ import annotations

import os

import pytest
import torch

from theorylab.experiments.networks.devices import device, flushed, one_thread
from theorylab.outcome import InputError


def test_auto_is_a_device_that_is_there() -> None:
    found = device("auto")
    assert found.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.zeros(2, device=found).sum() == 0
    assert device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "mps", "CPU"])
def test_an_unknown_device_gives_one_clear_line(name: str) -> None:
    with pytest.raises(InputError, match="choose auto, cpu, cuda or cuda:N") as caught:
        device(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_said_to_be_missing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no GPU on this machine; choose cpu"):
        device(name)


def test_a_gpu_is_made_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = torch.are_deterministic_algorithms_enabled()
    try:
        assert device("cuda:1") == torch.device("cuda:1")
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(before)
    with pytest.raises(InputError, match="2 GPUs"):
        device("cuda:2")


def test_threads_and_tiny_numbers_are_as_before_after_a_fault() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    tiny = torch.tensor([1e-40])
    try:
        with pytest.raises(RuntimeError), one_thread(), flushed():
            assert torch.get_num_threads() == 1 and (tiny * 1).item() == 0
            raise RuntimeError
        assert torch.get_num_threads() == 2 and (tiny * 1).item() > 0
    finally:
        torch.set_num_threads(before)
