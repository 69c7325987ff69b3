"""The formats of data sets against bytes written here, every fault one clear line."""

from __future__ import annotations

import gzip
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiments.data_files import (
    CODES,
    batch,
    cifar_rows,
    idx,
    one_line,
    python2,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from theorylab.experiments.data.batches import read_batch
from theorylab.experiments.data.formats import LIMIT, read_idx, read_npz
from theorylab.outcome import InputError

# IDX


@given(
    st.sampled_from(sorted(CODES)).flatmap(
        lambda kind: arrays.arrays(
            np.dtype(kind), arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)
        )
    ),
    st.booleans(),
)
def test_idx_round_trips(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / ("some.gz" if packed else "some")
    path.write_bytes(gzip.compress(idx(array), 1) if packed else idx(array))
    back = read_idx(path)
    assert back.dtype == array.dtype.newbyteorder(">") and back.shape == array.shape
    assert back.tobytes() == array.astype(back.dtype).tobytes()


GOOD = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "this one begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08"),
        (b"\x89PNG" + GOOD, "begins with 89 50 4e 47"),
        (b"\0\0\x07\x01\0\0\0\1a", "a type and 1 to 4 axes"),
        (b"\0\0\x08\0", "a type and 1 to 4 axes"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255, "a type and 1 to 4 axes"),
        (GOOD[:9], "its header declares"),
        (GOOD[:-1], "the data end after 5"),
        (GOOD + b"!", "go on behind them"),
        (bytes([0, 0, 14, 4]) + b"\xff" * 16, "more than the file holds"),
        (bytes([0, 0, 8, 1, 0, 1, 0, 0]) + b"a" * 9, "more than the file holds"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_faulty_idx_file_is_named(tmp_path: Path, raw: bytes, words: str, packed: bool) -> None:
    path = tmp_path / ("faulty.gz" if packed else "faulty")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(InputError) as error:
        read_idx(path)
    if packed and "more than the file holds" in words and len(raw) < 20:
        words = "declares"  # a compressed file could hold that much, so its end is what tells
    one_line(error, "faulty", words)


def test_damaged_and_missing_compressed_files_are_named(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD)
    faults = {
        "plain": (GOOD, "not gzip"),
        "cut": (packed[:-9], "ends too early"),
        "cut in the check": (packed[:-3], "ends too early"),
        "bent": (packed[:12] + bytes([packed[12] ^ 255]) + packed[13:], "the file"),
        "check": (packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], "not gzip (CRC"),
    }
    for name, (raw, words) in faults.items():
        path = tmp_path / f"{name}.gz"
        path.write_bytes(raw)
        with pytest.raises(InputError) as error:
            read_idx(path)
        one_line(error, name, words)
    with pytest.raises(InputError) as error:
        read_idx(tmp_path / "absent.gz")
    one_line(error, "cannot be read (No such file or directory)")
    with pytest.raises(InputError) as error:
        read_idx(tmp_path)
    one_line(error, "cannot be read (Is a directory)")


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    head = bytes([0, 0, 8, 2]) + struct.pack(">2I", 1 << 16, (LIMIT >> 16) + 1)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
    with path.open("ab") as plain:
        plain.write(bytes(LIMIT // 1000))  # long enough to hold it, were it compressed well
    with pytest.raises(InputError) as error:
        read_idx(path)
    one_line(error, f"more than {LIMIT}")


# .npz


def test_npz_is_read_in_every_order_and_type(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    kept = {
        "c": np.arange(12, dtype=np.uint8).reshape(3, 4),
        "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "b": np.arange(3, dtype=">i4"),
        "empty": np.zeros((0, 5), np.float32),
        "scalar": np.array(7),
    }
    for save in (np.savez, np.savez_compressed):
        save(path, **kept)
        back = read_npz(path)
        assert back.keys() == kept.keys()
        assert all((back[k] == kept[k]).all() and back[k].shape == kept[k].shape for k in kept)


def npy(header: str, body: bytes = b"") -> bytes:
    text = (header + " " * (117 - len(header)) + "\n").encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (b"hello", "no array of numbers"),
        (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", b"ab"), "declares (9,)"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"), "declares"),
        (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -2), }", b"ab"), "no array"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"N."), "type object"),
        (npy("{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", bytes(16)), "type <U4"),
        (npy("(" * 90), "no array of numbers"),
        (npy("__import__('os')"), "no array of numbers"),
    ],
)
def test_a_faulty_member_of_an_npz_is_named(tmp_path: Path, member: bytes, words: str) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member)
    with pytest.raises(InputError) as error:
        read_npz(path)
    one_line(error, "a.npz, x.npy", words)


def test_an_npz_of_objects_does_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "a.npz", tmp_path / "trace"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (trace,))

    np.savez(path, x=np.array([Evil()], dtype=object))
    with pytest.raises(InputError):
        read_npz(path)
    assert not trace.exists()


def test_a_cut_an_unknown_and_a_swollen_npz_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(100_000, np.uint8))
    monkeypatch.setattr("theorylab.experiments.data.formats.LIMIT", 10_000)
    with pytest.raises(InputError) as error:
        read_npz(path)
    one_line(error, "unpacks to more than 10000 bytes")
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError) as error:
        read_npz(path)
    one_line(error, "a.npz", "damaged")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }"))
    with pytest.raises(InputError) as error:
        read_npz(path)
    one_line(error, "compression 12")


def test_a_member_that_unpacks_to_more_than_it_says_is_not_unpacked(tmp_path: Path) -> None:
    path, file, size = tmp_path / "a.npz", BytesIO(), 40_000_000
    np.savez_compressed(file, x=np.zeros(size, np.uint8))
    true = (size + 128).to_bytes(4, "little")
    assert file.getvalue().count(true) >= 1
    path.write_bytes(file.getvalue().replace(true, (128 + 16).to_bytes(4, "little")))
    tracemalloc.start()
    with pytest.raises(InputError) as error:
        read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one_line(error, "a.npz")
    assert peak < size // 10


# CIFAR-10


def test_the_python_version_of_python_2_is_read(tmp_path: Path) -> None:
    pixels, labels = cifar_rows(300, 0)
    path = tmp_path / "data_batch_1"
    path.write_bytes(python2(pixels, labels))
    theirs = pickle.loads(path.read_bytes(), encoding="bytes")  # noqa: S301
    assert (theirs[b"data"] == pixels).all() and theirs[b"labels"] == labels.tolist()
    x, y = read_batch(path)
    assert (x == pixels).all() and y.tolist() == labels.tolist()


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_python_version_of_python_3_is_read(tmp_path: Path, protocol: int, order: str) -> None:
    pixels, labels = cifar_rows(300, 0)
    path = tmp_path / "data_batch_1"
    kept = np.asarray(pixels, order=order)  # type: ignore[call-overload]
    path.write_bytes(pickle.dumps(batch(kept, labels), protocol))
    x, y = read_batch(path)
    assert (x == pixels).all() and y.tolist() == labels.tolist()


def call(module: str, name: str) -> bytes:
    return f"\x80\x02c{module}\n{name}\nU\x04trueq\x01\x85R.".encode("latin-1")


def loop() -> bytes:
    """Keys nested so that hashing them doubles with each level."""
    return b"\x80\x02}(" + b"K\x01" + b"q\x00h\x00\x86" * 40 + b"K\x01u."


def copies() -> bytes:
    """One text encoded again and again."""
    again = b"c_codecs\nencode\nh\x01h\x02\x86R"
    text = b"X" + struct.pack("<I", 50_000) + b"a" * 50_000
    return b"\x80\x02]" + text + b"q\x01X\x06\0\0\0latin1q\x02" + again * 1000 + b"."


SMALL = cifar_rows(2, 0)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "pickle exhausted before seeing STOP"),
        (python2(*SMALL)[:-1], "pickle exhausted"),
        (python2(*SMALL)[:500], "expected"),
        (b"\x80\x02].", "it holds no dict"),
        (b"\x80\x02}.", 'no array of bytes under "data"'),
        (python2(*SMALL).replace(b"labels", b"Labels"), 'no list of numbers under "labels"'),
        (python2(*SMALL).replace(b"M\x02\0", b"M\x03\0"), "6144 bytes for the shape (3, 3072)"),
        (call("os", "system"), "asks for os system"),
        (call("builtins", "eval"), "asks for builtins eval"),
        (call("_codecs", "encode"), "calls something else"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "asks for os system"),
        (b"\x80\x02(i__main__\nX\n.", "instruction INST"),
        (b"\x80\x02Ptoken\n.", "instruction PERSID"),
        (b"\x80\x02\x82\x01.", "instruction EXT1"),
        (b"\x80\x02K\x01K\x02b.", "fills something else"),
        (b"\x80\x02h\x07.", "recalls 7"),
        (b"\x80\x02R.", "stack runs empty"),
        (b"\x80\x02.", "stack runs empty"),
        (b"\x80\x02(t(.", "stack runs empty"),
        (b"\x80\x02u.", "no mark"),
        (b"\x80\x02]U\x01aK\x02s.", "meets something else"),
        (b"\x80\x02}]K\x02s.", "a key that is no text"),
        (b"\x80\x02}(U\x01au.", "a key that is no text"),
        (b"\x80\x02\x8a\x01\x05.", "instruction LONG1"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "not enough data"),
        (loop(), "a key that is no text"),
        (copies(), "more bytes than it has"),
        (pickle.dumps({b"data": np.zeros((2, 3)), b"labels": [1, 2]}, 2), "unsigned bytes"),
        (pickle.dumps({b"data": np.zeros(6, np.uint8), b"labels": [1]}, 2), "the shape (6,)"),
        (pickle.dumps(batch(*SMALL), 5), "_frombuffer"),
        (pickle.dumps({"x": np.zeros((2, 3), dtype=object)}, 2), "unsigned bytes"),
    ],
)
def test_any_other_pickle_is_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(raw)
    with pytest.raises(InputError) as error:
        read_batch(path)
    one_line(error, "data_batch_1", "no batch of CIFAR-10", words)


VALID = [
    (read_batch, "b", python2(*cifar_rows(1, 0))),
    (read_batch, "b", pickle.dumps(batch(*cifar_rows(1, 0)), 4)),
    (read_idx, "i", GOOD),
    (read_idx, "i.gz", gzip.compress(GOOD, mtime=0)),
]


@pytest.mark.parametrize(("read", "name", "raw"), VALID, ids=["py2", "py3", "idx", "idx.gz"])
@given(random_source=st.randoms(use_true_random=False))
def test_bent_files_give_arrays_or_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    read: Callable[[Path], object],
    name: str,
    raw: bytes,
    random_source: random.Random,
) -> None:
    bent = bytearray(raw)
    # most of a batch is pixels: bend its program, at both ends
    ends = [*range(min(300, len(raw))), *range(max(0, len(raw) - 60), len(raw))]
    for _ in range(random_source.randint(1, 3)):
        place = random_source.choice(ends)
        if random_source.random() < 0.2:
            del bent[place : place + random_source.randint(1, 4)]
        elif place < len(bent):
            bent[place] = random_source.randrange(256)
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(bytes(bent))
    try:
        assert read(path) is not None
    except InputError as error:
        assert "\n" not in str(error)
