"""Files of labelled images: IDX, NumPy archives, CIFAR-10's binary version; sizes before memory.

No file is trusted: what a header declares is held against the length of the file before anything
of that size is allocated, and what is compressed may not grow beyond ``LIMIT``.
"""

from __future__ import annotations

import gzip
import io
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from theorylab.outcome import InputError

LIMIT = 1 << 30  # bytes: CIFAR-10 as float32 takes 0.7 of it
_MOST_AXES = 4
_DEFLATE = 1032  # what one byte of a deflate stream can become at most
_IDX = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CIFAR_ROW = 3073
_AGAIN = "fetch the file again"
# whatever NumPy's reader of headers and zipfile say about bytes that are no array
_NO_ARRAY = (
    ValueError,
    SyntaxError,
    TypeError,
    RuntimeError,
    NotImplementedError,
    MemoryError,
    tokenize.TokenError,
)

Raw = NDArray[Any]


def read_whole(path: Path, limit: int = LIMIT) -> bytes:
    """The bytes of a file of at most ``limit`` bytes. InputError for what cannot be read."""
    with readable(path):
        length = path.stat().st_size
        if length > limit:
            rule = f"the file has {length} bytes, more than {limit}"
            raise InputError("path", str(path), rule, "this is another file, or keep less in it")
        return path.read_bytes()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What the system or a decompressor says about a file becomes one InputError."""
    try:
        yield
    except gzip.BadGzipFile as error:
        raise InputError("path", str(path), f"it is not gzip ({error})", _AGAIN) from None
    except OSError as error:
        rule = f"the file cannot be read ({error.strerror or error})"
        raise InputError("path", str(path), rule, "check its name and permissions") from None
    except EOFError:
        rule = "the compressed file ends too early"
        raise InputError("path", str(path), rule, _AGAIN) from None
    except (zlib.error, zipfile.BadZipFile) as error:
        rule = f"the compressed file is damaged ({error})"
        raise InputError("path", str(path), rule, _AGAIN) from None


def read_idx(path: Path) -> Raw:
    """The array in an IDX file, decompressed when its name ends in .gz.

    Guarantees: exact. Raises InputError for a wrong magic number and for data shorter or longer
    than the header says. Source: the format's note at yann.lecun.com/exdb/mnist.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path).tolist()
    [5, 0, 4]
    """
    packed = path.suffix == ".gz"
    with readable(path):
        length = path.stat().st_size * (_DEFLATE if packed else 1)
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(4)
            axes = head[3] if len(head) == 4 else 0
            known = len(head) == 4 and head[:2] == b"\0\0" and head[2] in _IDX
            if not known or not 1 <= axes <= _MOST_AXES:
                rule = (
                    f"an IDX file begins with 0, 0, a type and 1 to {_MOST_AXES} axes, and this "
                    f"one begins with {head.hex(' ') or 'nothing'}"
                )
                raise InputError("path", str(path), rule, "name an IDX file, .gz if compressed")
            sizes = file.read(4 * axes)
            shape = tuple(
                int.from_bytes(sizes[4 * i : 4 * i + 4], "big") for i in range(len(sizes) // 4)
            )
            dtype = np.dtype(_IDX[head[2]])
            size = prod(shape) * dtype.itemsize
            declared = "x".join(map(str, shape))
            if len(shape) < axes or size > length:
                rule = f"its header declares {declared or 'no'} values, more than the file holds"
                raise InputError("path", str(path), rule, _AGAIN)
            if size > LIMIT:
                rule = f"its header declares {size} bytes, more than {LIMIT}"
                raise InputError("path", str(path), rule, "keep less in it")
            raw = file.read(size + 1)
    if len(raw) != size:
        rule = f"its header declares {declared} values, {size} bytes, and the data " + (
            f"end after {len(raw)}" if len(raw) < size else "go on behind them"
        )
        raise InputError("path", str(path), rule, _AGAIN)
    return np.frombuffer(raw, dtype).reshape(shape)


def read_npz(path: Path) -> dict[str, Raw]:
    """The arrays of a NumPy archive (.npz) by name, none of them of Python objects.

    Guarantees: exact; nothing of the file is executed. Raises InputError for what is no such
    archive, damaged or larger than ``LIMIT``.
    """
    found, total = {}, 0
    with readable(path), zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            where = f"{path}, {entry.filename}"
            total += entry.file_size
            if total > LIMIT:
                rule = f"the archive unpacks to more than {LIMIT} bytes"
                raise InputError("path", where, rule, "keep less in it")
            try:
                # the other methods decompress without a bound
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"compression {entry.compress_type}")
                with archive.open(entry) as file:
                    raw = file.read(entry.file_size + 1)
                found[entry.filename.removesuffix(".npy")] = _npy(raw)
            except _NO_ARRAY as error:
                rule = f"this is no array of numbers that can be read ({error})"
                raise InputError("path", where, rule, "write it by numpy.savez") from None
    return found


def _npy(raw: bytes) -> Raw:
    """The array of a .npy file, its size checked first; ``_NO_ARRAY`` for anything else."""
    file = io.BytesIO(raw)
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(file)
    else:
        raise ValueError(f"version {version} of the format")
    if dtype.kind not in "biuf":
        raise ValueError(f"values of type {dtype}")
    if prod(shape) * dtype.itemsize != len(raw) - file.tell():
        raise ValueError(f"its header declares {shape} values of type {dtype}")
    values = np.frombuffer(raw, dtype, offset=file.tell())
    return values.reshape(shape[::-1]).T if fortran else values.reshape(shape)


def read_cifar_binary(path: Path) -> tuple[Raw, Raw]:
    """Pixels (n x 3072) and labels (n) of one file of CIFAR-10's "binary version".

    Guarantees: exact. Raises InputError unless the file is whole rows of 3,073 bytes.
    Source: cs.toronto.edu/~kriz/cifar.html.
    """
    raw = read_whole(path)
    if not raw or len(raw) % _CIFAR_ROW:
        rule = f"it has {len(raw)} bytes, and a row of CIFAR-10's binary version has {_CIFAR_ROW}"
        raise InputError("path", str(path), rule, _AGAIN)
    rows = np.frombuffer(raw, np.uint8).reshape(-1, _CIFAR_ROW)
    return rows[:, 1:], rows[:, 0]
