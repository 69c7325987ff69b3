"""A cached generic count must have all components of its family, found by forging entries.

The critical points of 1-2-1 square with a ridge for each weight are 16 + 8 + 8 + 1 = 33, by which
weights vanish. An entry that listed the first of these four components alone was "verified" and
gave "16 COMPLETE (numeric)": each component passed its trace test, and none was missed.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from theorylab.counting.homotopy.cache import solved
from theorylab.counting.system import critical_system
from theorylab.model import Dataset, Network

FAMILY = critical_system(
    Network.dense((1, 2, 1), "square"),
    Dataset.from_rows([[1], [2]], [[1], [3]]),
    "generic",
    parametric=True,
)


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    assert solved(FAMILY, folder=folder).count == 33
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("kept", [slice(0, 1), slice(1, None)], ids=["first alone", "first gone"])
def test_an_entry_that_lacks_components_is_ignored(
    entry: Path, tmp_path: Path, kept: slice
) -> None:
    with np.load(entry) as held:
        arrays = {name: held[name] for name in held.files}
    about = json.loads(arrays["about"].tobytes())
    sizes = np.cumsum([0, *(part["size"] for part in about["components"])])
    first, last = sizes[:-1][kept][0], sizes[1:][kept][-1]
    about["components"] = about["components"][kept]
    arrays["representatives"] = arrays["representatives"][first:last]
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    made = io.BytesIO()
    np.savez(made, **arrays)
    (tmp_path / entry.name).write_bytes(made.getvalue())
    said: list[str] = []
    found = solved(FAMILY, folder=tmp_path, say=said.append)
    assert (found.count, found.complete, found.source) == (33, True, "computed")
    assert any("ignored" in words and "trace test" in words for words in said)
