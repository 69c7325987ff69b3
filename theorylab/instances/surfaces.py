"""Networks with data and weights that fit: points of loss surfaces, made to shrink well.

Every choice has a place of its own, whatever the sizes are: a search can lower a width, leave out a
layer or a sample, and all other numbers stay where they were.
"""

from __future__ import annotations

from typing import Unpack

from flint import fmpq_mat

from theorylab.instances.architectures import Shape, network
from theorylab.instances.draw import Draw
from theorylab.instances.entries import Sizes, size_range
from theorylab.instances.parameters import of_kind, weights, weights_kind
from theorylab.instances.samples import data_kind, sample_by_sample
from theorylab.instances.values import Case
from theorylab.model import Dataset, Network, Weights

_SIZE = 3
# more numbers than this are drawn as they are needed
_ROOM = 600


def case(draw: Draw, samples: Sizes = (1, 3), **shape: Unpack[Shape]) -> Case:
    """A network (``network`` takes the options) and data that fit it, degenerate ones too.

    >>> from theorylab.instances import Seeded
    >>> case(Seeded(5), samples=1, n=1, m=1, hidden_layers=0).architecture
    '1-1'
    """
    kind = data_kind(draw)
    drawn = network(draw, **shape)
    return Case(drawn, _data(draw, drawn, samples, kind, shape))


def _data(draw: Draw, drawn: Network, samples: Sizes, kind: str, shape: Shape) -> Dataset:
    room = size_range("n", shape.get("n", (1, 3)))[1], size_range("m", shape.get("m", (1, 2)))[1]
    return sample_by_sample(draw, (drawn.n, drawn.m), room, samples, _SIZE, kind)


def point(
    draw: Draw, samples: Sizes = (1, 3), **shape: Unpack[Shape]
) -> tuple[Network, Dataset, Weights]:
    """A network, data that fit it and weights of it, degenerate ones too.

    >>> from theorylab.instances import Seeded
    >>> net, data, at = point(Seeded(1), n=2, activations=["relu"])
    >>> net.check_weights(at) == at and net.n == data.n == 2
    True
    """
    kinds = data_kind(draw), weights_kind(draw)
    drawn = network(draw, **shape)
    data = _data(draw, drawn, samples, kinds[0], shape)
    sizes = [shape.get("n", (1, 3)), shape.get("m", (1, 2)), shape.get("width", (1, 4))]
    side = 1 + max(size_range("width", one)[1] for one in sizes)
    layers = 1 + size_range("hidden_layers", shape.get("hidden_layers", (1, 2)), 0)[1]
    if not drawn.is_dense or layers * side * side > _ROOM:
        return drawn, data, weights(draw, drawn, kind=kinds[1] if drawn.is_dense else None)
    tables = []
    for k in range(layers, 0, -1):
        numbers = [draw.integer(-_SIZE, _SIZE) for _ in range(side * (side - 1))][::-1]
        if k <= drawn.depth:
            rows, columns = drawn.shape(k)
            tables.append(fmpq_mat([numbers[i * side : i * side + columns] for i in range(rows)]))
    tables.reverse()
    return drawn, data, of_kind(draw, drawn, tables, kinds[1])
