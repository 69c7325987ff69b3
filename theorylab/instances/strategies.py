"""Hypothesis strategies over the generators: what shrinks in a test is what a sweep draws.

Each strategy is made of the generator whose plural it is, takes its options, and draws one example
by a seed when it is made: what cannot be raises InputError at once, and no strategy is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, Unpack

from flint import fmpq, fmpq_mat
from hypothesis import strategies as st
from hypothesis.vendor.pretty import for_type_by_name

from theorylab.instances.architectures import ACTIVATIONS, Kind, Shape, network
from theorylab.instances.draw import Draw, Seeded
from theorylab.instances.entries import Sizes, matrix, matrix_of_rank, rational_number, whole
from theorylab.instances.parameters import level_pair, weights, weights_kind
from theorylab.instances.samples import data_kind, dataset
from theorylab.instances.surfaces import case, point
from theorylab.instances.values import Case
from theorylab.model import Dataset, Network, Weights, rows

T = TypeVar("T")


class _FromHypothesis:
    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        value: int = self._draw(st.integers(low, high))
        return value

    def choice(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]


def strategy(generator: Callable[[Draw], T]) -> st.SearchStrategy[T]:
    """The Hypothesis strategy whose examples are ``generator(draw)``.

    >>> pairs = strategy(lambda draw: (draw.integer(0, 3), draw.choice("ab")))
    """

    @st.composite
    def built(draw: Callable[[st.SearchStrategy[Any]], Any]) -> T:
        return generator(_FromHypothesis(draw))

    return built()


def _tried(generator: Callable[[Draw], T]) -> st.SearchStrategy[T]:
    """The strategy, its options tried once."""
    generator(Seeded("options"))
    return strategy(generator)


def rationals(height: int = 3) -> st.SearchStrategy[fmpq]:
    """Rationals p/q with |p| and q at most ``height``; they shrink to 0, then to whole numbers."""
    return _tried(lambda draw: rational_number(draw, height))


def matrices(
    n_rows: Sizes, n_columns: Sizes, rank: int | None = None, size: int = 3, denominator: int = 1
) -> st.SearchStrategy[fmpq_mat]:
    """Matrices of p/q with p of -size..size, q of 1..denominator; or of exactly this rank.

    >>> from hypothesis import given
    >>> @given(matrices(3, (2, 4), rank=2))
    ... def the_rank_is_two(a):
    ...     assert a.rank() == 2
    >>> the_rank_is_two()
    """

    def generator(draw: Draw) -> fmpq_mat:
        shape = whole(draw, "n_rows", n_rows), whole(draw, "n_columns", n_columns)
        if rank is not None:
            return matrix_of_rank(draw, *shape, rank, min(size, 2))
        return matrix(draw, *shape, size, denominator=denominator)

    if rank is not None:
        least = [s if isinstance(s, int) else s[0] for s in (n_rows, n_columns)]
        matrix_of_rank(Seeded(0), least[0], least[1], rank)  # the smallest has this rank too
    return _tried(generator)


def networks(
    n: Sizes = (1, 3),
    m: Sizes = (1, 2),
    hidden_layers: Sizes = (1, 2),
    width: Sizes = (1, 4),
    activations: Sequence[Kind] = ACTIVATIONS,
    bias: bool | None = None,
    patterns: Sequence[str] = ("dense",),
    output: str = "linear",
) -> st.SearchStrategy[Network]:
    """Networks, as ``network`` makes them; they shrink to 1-1-1 with the first activation.

    >>> from hypothesis import given
    >>> @given(networks(activations=["relu", "abs"], patterns=["dense", "tied"]))
    ... def zero_weights_fit(network):
    ...     network.check_weights(network.assemble([0] * network.parameter_count))
    >>> zero_weights_fit()
    """
    return _tried(
        lambda draw: network(draw, n, m, hidden_layers, width, activations, bias, patterns, output)
    )


def datasets(
    n: Sizes = (1, 3),
    m: Sizes = (1, 2),
    samples: Sizes = (1, 4),
    size: int = 3,
    degenerate: bool = True,
    *,
    kind: str | None = None,
    rank: int | None = None,
    denominator: int = 1,
) -> st.SearchStrategy[Dataset]:
    """Data, as ``dataset`` makes them: twin samples, rank one, zero and weighted ones too."""
    if rank is not None:
        least = [s if isinstance(s, int) else s[0] for s in (n, samples)]
        matrix_of_rank(Seeded(0), least[0], least[1], rank)

    def generator(draw: Draw) -> Dataset:
        free = kind is None and rank is None and degenerate
        first = data_kind(draw) if free else kind
        return dataset(
            draw, n, m, samples, size, degenerate, kind=first, rank=rank, denominator=denominator
        )

    return _tried(generator)


def weights_of(
    network: Network,
    size: int = 3,
    degenerate: bool = True,
    *,
    ranks: Sequence[int] | None = None,
    kind: str | None = None,
    denominator: int = 1,
) -> st.SearchStrategy[Weights]:
    """Weights of a network, as ``weights`` makes them: of given ranks, of a degenerate kind.

    >>> from hypothesis import given
    >>> net = Network.dense((2, 3, 2), "linear")
    >>> @given(weights_of(net, kind="vanishing product"))
    ... def the_product_vanishes(point):
    ...     assert not any((point[1] * point[0]).entries())
    >>> the_product_vanishes()
    """

    def generator(draw: Draw) -> Weights:
        free = kind is None and ranks is None and degenerate and network.is_dense
        first = weights_kind(draw) if free else kind
        return weights(
            draw, network, size, degenerate, ranks=ranks, kind=first, denominator=denominator
        )

    return _tried(generator)


def level_pairs(
    network: Network, data: Dataset, size: int = 2, *, kind: str | None = None
) -> st.SearchStrategy[tuple[Weights, Weights]]:
    """Pairs of weights of one loss, as ``level_pair`` makes them."""
    return _tried(lambda draw: level_pair(draw, network, data, size, kind=kind))


def cases(samples: Sizes = (1, 3), **shape: Unpack[Shape]) -> st.SearchStrategy[Case]:
    """Networks with data that fit; ``networks`` names the options."""
    return _tried(lambda draw: case(draw, samples, **shape))


def points(
    samples: Sizes = (1, 3), **shape: Unpack[Shape]
) -> st.SearchStrategy[tuple[Network, Dataset, Weights]]:
    """Networks with data and weights that fit; ``networks`` names the options.

    >>> from hypothesis import given
    >>> from theorylab.model import Loss
    >>> @given(points(hidden_layers=1, activations=["relu"]))
    ... def a_loss_is_not_negative(point):
    ...     network, data, weights = point
    ...     assert Loss(network, data)(weights) >= 0
    >>> a_loss_is_not_negative()
    """
    return _tried(lambda draw: point(draw, samples, **shape))


def _matrix_shown(value: fmpq_mat, printer: Any, cycle: bool) -> None:
    table = [[int(e) if "/" not in e else e for e in row] for row in rows(value)]
    printer.text(f"matrix({table})")


def _rational_shown(value: fmpq, printer: Any, cycle: bool) -> None:
    printer.text(f"fmpq({value.p})" if value.q == 1 else f"fmpq({value.p}, {value.q})")


def _made_shown(value: object, printer: Any, cycle: bool) -> None:
    printer.text(repr(value))


# A failing test prints what can be pasted: Network.dense(...), theorylab.model.matrix([[...]]),
# flint.fmpq(p, q). Hypothesis would print the fields of a dataclass instead of its repr.
_SHOWN: tuple[tuple[type, Callable[[Any, Any, bool], None]], ...] = (
    (fmpq_mat, _matrix_shown),
    (fmpq, _rational_shown),
    (Network, _made_shown),
    (Dataset, _made_shown),
)
for _type, _printer in _SHOWN:
    for_type_by_name(_type.__module__, _type.__name__, _printer)
