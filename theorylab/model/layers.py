"""Which entries of a layer are free, shared or fixed: biases, convolutions, masks, tied weights."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq

from theorylab.model.rational import rational, rational_text
from theorylab.outcome import InputError

Entry = None | int | fmpq
Pattern = tuple[tuple[tuple[Entry, ...], ...] | None, ...]


def convolution(
    length: int,
    kernel: int,
    *,
    inputs: int = 1,
    outputs: int = 1,
    stride: int = 1,
    padding: int = 0,
    bias: bool = False,
    first_slot: int = 0,
) -> tuple[tuple[Entry, ...], ...]:
    """The pattern of a one-dimensional convolution layer (cross-correlation, as in practice).

    The layer reads ``inputs`` channels of ``length`` values, channel after channel, and gives
    ``outputs`` channels of (length + 2 padding - kernel) // stride + 1 values. Slot
    first_slot + (o * inputs + i) * kernel + t is tap t from channel i to channel o; the biases,
    one for each output channel, follow. The number of slots is outputs * (inputs * kernel + bias).

    Raises InputError when a number is out of range.

    >>> [[str(e) for e in row] for row in convolution(3, 2)]
    [['0', '1', '0'], ['0', '0', '1']]
    >>> convolution(3, 2)[0][:2], convolution(3, 2)[1][1:]
    ((0, 1), (0, 1))
    """
    for name, value, least in (
        ("length", length, 1),
        ("kernel", kernel, 1),
        ("inputs", inputs, 1),
        ("outputs", outputs, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
        ("first_slot", first_slot, 0),
    ):
        if type(value) is not int or value < least:
            raise InputError(
                name, value, f"{name} is an integer, at least {least}", f"use {least} or more"
            )
    if kernel > length + 2 * padding:
        raise InputError(
            "kernel",
            kernel,
            f"the kernel fits in length + 2 padding = {length + 2 * padding}",
            "shorten the kernel or pad more",
        )
    positions = (length + 2 * padding - kernel) // stride + 1
    biases = first_slot + outputs * inputs * kernel
    pattern: list[tuple[Entry, ...]] = []
    for o in range(outputs):
        for p in range(positions):
            row: list[Entry] = [fmpq(0)] * (inputs * length)
            for i in range(inputs):
                for t in range(kernel):
                    at = p * stride + t - padding
                    if 0 <= at < length:
                        row[i * length + at] = first_slot + (o * inputs + i) * kernel + t
            pattern.append((*row, biases + o) if bias else tuple(row))
    return tuple(pattern)


def layer_pattern(layer: object, k: int) -> tuple[tuple[Entry, ...], ...] | None:
    """The pattern of one layer from None or rows of None, slots and fixed values; InputError."""
    if layer is None:
        return None
    if not isinstance(layer, Sequence) or not all(
        isinstance(row, Sequence) and not isinstance(row, str) for row in layer
    ):
        raise InputError(
            f"pattern[{k}]",
            layer,
            "the pattern of a layer is null or a list of rows",
            "give one row for each unit of the layer",
        )
    return tuple(
        tuple(_entry(entry, f"pattern[{k}][{i}]") for entry in row) for i, row in enumerate(layer)
    )


def _entry(entry: object, argument: str) -> Entry:
    if isinstance(entry, (bool, float)):
        raise bad_entry(argument, entry)
    if entry is None or isinstance(entry, int):
        return entry
    return rational(entry, argument)


def bad_entry(argument: str, entry: object) -> InputError:
    """The error for a value that is no pattern entry."""
    return InputError(
        argument,
        entry,
        "an entry is null (free), a slot number 0, 1, ... (shared) or a rational text (fixed)",
        'write e.g. null, 0 or "1/2"',
    )


def entry_json(entry: Entry) -> int | str | None:
    """An entry as the kernel reads it."""
    return rational_text(entry) if isinstance(entry, fmpq) else entry
