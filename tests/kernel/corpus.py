"""Valid certificates: every rule, move, activation, form and feature space, all of them small.

``HANDMADE`` is written down by hand; ``constructed`` asks theorylab.topology for a few more.
"""

from __future__ import annotations

import json

from flint import fmpq_mat
from kernel.corpus_distances import DISTANCES
from kernel.corpus_forms import FORMS
from kernel.corpus_functions import FUNCTIONS
from kernel.corpus_paths import PATHS
from kernel.corpus_points import POINTS
from kernel.corpus_ranks import RANKS
from kernel.corpus_spans import SPANS
from kernel.corpus_trees import TREES
from kernel.corpus_walls import WALLS
from kernel.writing import Case

from theorylab.model import Dataset, Loss, Network
from theorylab.outcome import Undecided
from theorylab.topology.certificate import connection_certificate, joined
from theorylab.topology.connect import connect
from theorylab.topology.path import proof_of_joined

HANDMADE: list[Case] = [
    *PATHS,
    *POINTS,
    *RANKS,
    *DISTANCES,
    *FUNCTIONS,
    *TREES,
    *WALLS,
    *FORMS,
    *SPANS,
]
SHAPES: list[tuple[tuple[int, ...], str, bool]] = [
    ((2, 3, 2), "linear", False),
    ((1, 4, 1), "square", False),
    ((1, 4, 4, 1), "relu", False),
    ((1, 4, 1), "abs", True),
]


def constructed() -> list[Case]:
    """Paths found by connect between two small points."""
    return [_connection(*shape) for shape in SHAPES]


def _connection(widths: tuple[int, ...], activation: str, bias: bool) -> Case:
    """From a point of zero loss to the same point with its hidden units in another order."""
    network = Network.dense(widths, activation, bias)
    point, turned = [], []
    for k, (rows, columns) in enumerate(map(network.shape, range(1, len(widths)))):
        w = [[(3 * i + 2 * j + k) % 4 - 1 for j in range(columns)] for i in range(rows)]
        if k < len(widths) - 2:
            w[2:] = [[0] * columns for _ in w[2:]]
        hidden = widths[k] if k else 0
        mixed = [row[:hidden][::-1] + row[hidden:] for row in w]
        point.append(fmpq_mat(w))
        turned.append(fmpq_mat(mixed if k == len(widths) - 2 else mixed[::-1]))
    a, b, n = tuple(point), tuple(turned), widths[0]
    inputs = [[1] * n, [2, *[-1] * (n - 1)]]
    outputs = network.outputs(a, fmpq_mat(inputs).transpose()).transpose()
    data = Dataset.from_rows(inputs, outputs.tolist())
    found, loss = connect(network, data, a, b), Loss(network, data)
    assert not isinstance(found, Undecided), found
    proof = proof_of_joined(found.path, loss, found.level)
    assert not isinstance(proof, Undecided), proof
    raw = connection_certificate(loss, joined(a, b, found.level), *proof)
    return Case(f"connect {widths} {activation}", json.loads(raw))
