"""The cache of generic instances: read back as written, and never believed when it is damaged."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import families
import numpy as np
import pytest

from theorylab.counting.homotopy import cache
from theorylab.counting.homotopy.cache import cache_folder, family_hash, solved

SQUARES = families.net2(2, 2, 2)
CRITICAL = families.critical((2, 1, 2), "linear", 3)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    solved(SQUARES, folder=folder)
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("system", [SQUARES, CRITICAL], ids=str)
def test_an_entry_is_read_back_as_written(system: Any, tmp_path: Path, said: list[str]) -> None:
    first = solved(system, 2, folder=tmp_path, say=said.append)
    assert first.source == "computed" and not said
    (path,) = tmp_path.iterdir()
    assert path.name == f"generic-{family_hash(system)[:32]}-2.npz"
    again = solved(system, 2, folder=tmp_path, say=said.append)
    assert again.source == "cache" and again.complete and "verified" in said[0]
    assert again.representatives.tobytes() == first.representatives.tobytes()
    assert again.parameters.tobytes() == first.parameters.tobytes()
    assert (again.count, again.orbits, again.seeds) == (first.count, first.orbits, first.seeds)
    other = solved(system, 3, folder=tmp_path)
    assert other.source == "computed"
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".npz", ".npz"]


def changed(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> bytes:
    """The bytes of an entry after a change of its arrays and of what it says about them."""
    with np.load(path) as held:
        arrays = {name: held[name] for name in held.files}
    about = json.loads(arrays["about"].tobytes())
    change(about, arrays)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    made = io.BytesIO()
    np.savez(made, **arrays)
    return made.getvalue()


def _shift(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["representatives"] = arrays["representatives"] * (1 + 1e-5)


def _double(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    points = arrays["representatives"].copy()
    points[2] = -points[1]
    arrays["representatives"] = points


def _fewer(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["representatives"] = arrays["representatives"][:2]
    about["components"][0].update(size=2, orbits=2)


def _nan(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["representatives"] = np.full_like(arrays["representatives"], np.nan)


def _more(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    about["components"][0]["fibre"] = 8


def _shape(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["parameters"] = arrays["parameters"][:-1]


def _objects(about: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["representatives"] = np.array([print, None], dtype=object)


def _key(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda about, arrays: about.update({name: value})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_shift, "no solution"),
        (_double, "two points are one"),
        (_fewer, "trace test"),
        (_nan, ""),
        (_more, "counts do not fit"),
        (_shape, "shapes"),
        (_objects, "pickle"),
        (_key("version", "0.0.0"), "version"),
        (_key("family", "0" * 64), "family"),
        (_key("schema", "other/1"), "schema"),
        (_key("seeds", [5, 6]), "seeds"),
        (_key("components", []), "components"),
        (_key("components", 7), ""),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_wrong_entry_is_ignored_with_a_note_and_mended(
    change: Any, words: str, entry: Path, tmp_path: Path, said: list[str]
) -> None:
    path = tmp_path / entry.name
    path.write_bytes(changed(entry, change))
    found = solved(SQUARES, folder=tmp_path, say=said.append)
    assert found.source == "computed" and found.count == 12
    assert said[0].startswith(f"ignored {path}") and words in said[0]
    assert solved(SQUARES, folder=tmp_path).source == "cache"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}", b"\x93NUMPY"], ids=repr)
def test_garbage_is_ignored(content: bytes, entry: Path, tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / entry.name
    path.write_bytes(content or entry.read_bytes()[:200])
    assert solved(SQUARES, folder=tmp_path, say=said.append).source == "computed"
    assert said[0].startswith("ignored")


def test_the_entry_of_another_family_is_ignored(
    entry: Path, tmp_path: Path, said: list[str]
) -> None:
    name = f"generic-{family_hash(CRITICAL)[:32]}-0.npz"
    (tmp_path / name).write_bytes(entry.read_bytes())
    assert solved(CRITICAL, folder=tmp_path, say=said.append).count == 17
    assert "family" in said[0]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").write_text("")
    found = solved(SQUARES, folder=tmp_path / "file", say=said.append)
    assert found.complete and "not kept" in said[0]
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_incomplete_counts_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    real = cache.generic_count
    monkeypatch.setattr(
        cache, "generic_count", lambda *a, **k: replace(real(*a, **k), agreed=False)
    )
    assert not solved(SQUARES, folder=tmp_path).complete
    assert not list(tmp_path.iterdir())


def test_where_entries_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder({"THEORYLAB_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"THEORYLAB_CACHE": " ", "XDG_CACHE_HOME": "/b"}) is None
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/theorylab")
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder({"HOME": "/h"}) == Path("/h/Library/Caches/theorylab")
    monkeypatch.undo()
    monkeypatch.setenv("THEORYLAB_CACHE", str(tmp_path / "new" / "place"))
    solved(SQUARES)
    assert len(list((tmp_path / "new" / "place").iterdir())) == 1


def test_the_hash_is_of_the_equations_and_not_of_the_data() -> None:
    other = SQUARES.with_values([v + 1 for v in SQUARES.values])
    from dataclasses import replace

    assert family_hash(replace(other, origin=SQUARES.origin)) == family_hash(SQUARES)
    assert family_hash(families.net2(2, 2, 3)) != family_hash(SQUARES)
