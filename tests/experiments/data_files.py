"""Files of data sets, written byte by byte: small, and as their publishers wrote them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorylab.outcome import InputError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
STEMS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
FASHION = Path("/usr/share/datasets/fashion-mnist")


def idx(array: np.ndarray, code: int | None = None) -> bytes:
    """The IDX file of an array."""
    code = CODES[array.dtype.str[1:]] if code is None else code
    head = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def images(n: int, seed: int, size: int = 28) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed)
    x = drawn.integers(0, 256, (n, size, size), dtype=np.uint8)
    return x, drawn.integers(0, 10, n, dtype=np.uint8)


def put_mnist(folder: Path, **changed: bytes | None) -> Path:
    """The four files of a small MNIST; ``changed`` replaces or leaves out some by number."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [*images(30, 1), *images(20, 2)]
    for i, (stem, part) in enumerate(zip(STEMS, parts, strict=True)):
        raw = changed.get(f"f{i}", idx(part))
        if raw is not None:
            (folder / f"{stem}-ubyte").write_bytes(raw)
    return folder


def cifar_rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed)
    pixels = drawn.integers(0, 256, (n, 3072), dtype=np.uint8)
    return pixels, drawn.integers(0, 10, n, dtype=np.uint8)


CIFAR = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]


def one_line(error: pytest.ExceptionInfo[InputError], *words: str) -> None:
    text = str(error.value)
    assert "\n" not in text and all(word in text for word in words), text


def batch(pixels: np.ndarray, labels: np.ndarray) -> dict[Any, Any]:
    return {
        b"batch_label": b"training batch 1 of 5",
        b"labels": labels.tolist(),
        b"data": pixels,
        b"filenames": [b"a.png"] * len(labels),
    }


def python2(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """The bytes that Python 2 wrote, as in the published batches: texts are byte strings."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    raw = pixels.tobytes()
    small = b"".join(b"K" + bytes([label]) for label in labels.tolist())
    shape = b"".join(b"M" + struct.pack("<H", size) for size in pixels.shape)
    return b"".join(
        [
            b"\x80\x02}q\x01(",
            text(b"batch_label") + b"q\x02" + text(b"training batch 1 of 5") + b"q\x03",
            text(b"labels") + b"q\x04]q\x05(" + small + b"e",
            text(b"data") + b"q\x06",
            b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08",
            b"K\x00\x85q\t" + text(b"b") + b"\x87Rq\n(K\x01" + shape + b"\x86",
            b"cnumpy\ndtype\nq\x0b" + text(b"u1") + b"K\x00K\x01\x87Rq\x0c(K\x03" + text(b"|"),
            b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<I", len(raw)),
            raw + b"tb" + text(b"filenames") + b"q\r]q\x0e(" + text(b"a.png") * len(labels) + b"e",
            b"u.",
        ]
    )
