"""Kawaguchi: deep linear networks have no poor local minimum, weak ones included."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq, fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.shapes import DENSE, LINEAR, NO_BIAS, attempt, small_widths
from theorylab.instances import Draw, Instance, Seeded, matrix
from theorylab.model import Dataset, Network, Weights, load_dataset
from theorylab.model.rational import columns, stacked
from theorylab.outcome import Source, Undecided
from theorylab.topology.certificate import not_poor_minimum
from theorylab.topology.escape import not_poor
from theorylab.topology.exact_algebra import beside, identity, kernel, least_squares, rows


def orthogonal(draw: Draw, size: int) -> fmpq_mat:
    """A rational orthogonal matrix (Cayley 1846): (I - S)(I + S)^-1 of a small skew S.

    >>> q = orthogonal(Seeded(1), 3)
    >>> q * q.transpose() == identity(3)
    True
    """
    skew = fmpq_mat(size, size)
    for i in range(size):
        for j in range(i):
            skew[i, j] = fmpq(draw.integer(-2, 2), draw.choice((1, 2)))
            skew[j, i] = -skew[i, j]
    return (identity(size) - skew) * (identity(size) + skew).inv()


def critical_point(draw: Draw, widths: Sequence[int]) -> tuple[Network, Dataset, Weights]:
    """A linear network of at least two layers, data, and rational weights where grad L = 0.

    The fit is Q diag(s) V' with orthogonal Q and V, the inputs V diag(x); ties and zeros among s
    and x are likely. W_K ... W_1 keeps some of the directions. The other units carry what the
    gradient does not see, from below up to one layer and from there on to the output, and bases of
    the hidden layers are arbitrary: ranks, kernels and zero layers of all kinds.
    """
    network = Network.dense(widths, "linear")
    n, m, depth = network.n, network.m, network.depth
    left, right = orthogonal(draw, m), orthogonal(draw, n)
    s = [fmpq(draw.choice((1, 2, 2, 3, 0))) for _ in range(min(m, n))]
    stretch = [fmpq(draw.choice((1, 1, 2, 0))) for _ in range(n)]
    x = beside(right * _diagonal(stretch, n, n), fmpq_mat(n, 1))
    off = beside(fmpq_mat(m, n), matrix(draw, m, 1, 2))
    y = left * _diagonal(s, m, n) * right.transpose() * x + off
    weighed = draw.integer(0, 1) == 1
    sizes = tuple(fmpq(draw.integer(1, 3)) for _ in range(n + 1)) if weighed else None
    data = Dataset(x, y, sizes, "aligned data")
    kept = [i for i in range(len(s)) if draw.integer(0, 1)][: min(network.widths)]
    lost = [i for i in range(len(s)) if i not in kept and s[i] * stretch[i] != 0]
    cut, r = draw.integer(1, depth), len(kept)
    layers = []
    for k in range(1, depth + 1):
        row_count, column_count = network.shape(k)
        out, into = row_count if k < depth else r, column_count if k > 1 else r
        layer = fmpq_mat(out, into)
        for i in range(out):
            for j in range(into):
                if i < r and j < r:
                    layer[i, j] = fmpq(int(i == j)) * (s[kept[i]] if k == depth else 1)
                elif (k < cut and i >= r) or (k > cut and j >= r):
                    layer[i, j] = fmpq(draw.integer(-2, 2))
        layers.append(layer)
    unseen = columns(right, [i for i in range(n) if i not in lost]).transpose()
    spare = layers[0].nrows() - r
    read = matrix(draw, spare, unseen.nrows(), 2 if cut > 1 else 0) * unseen
    kept_rows = rows(layers[0], range(r)) * columns(right, kept).transpose()
    layers[0] = stacked(kept_rows, read)
    unheard = columns(left, [i for i in range(m) if i not in lost])
    spare = layers[-1].ncols() - r
    written = unheard * matrix(draw, unheard.ncols(), spare, 2 if cut < depth else 0)
    layers[-1] = beside(columns(left, kept) * columns(layers[-1], range(r)), written)
    for k in range(depth - 1):
        basis = invertible(draw, network.widths[k + 1])
        layers[k], layers[k + 1] = basis * layers[k], layers[k + 1] * basis.inv()
    return network, data, tuple(layers)


def _diagonal(values: Sequence[fmpq], row_count: int, column_count: int) -> fmpq_mat:
    out = fmpq_mat(row_count, column_count)
    for i, v in enumerate(values):
        out[i, i] = v
    return out


def invertible(draw: Draw, size: int) -> fmpq_mat:
    """Unit triangular factors: invertible whatever is drawn."""
    lower, upper = identity(size), identity(size)
    for i in range(size):
        for j in range(i):
            lower[i, j] = fmpq(draw.integer(-1, 1))
            upper[j, i] = fmpq(draw.integer(-1, 1))
    return lower * upper


def _at(name: str, network: Network, data: Dataset, a: Weights, note: str = "") -> Instance:
    return Instance(name, "corrected", network, data, not_poor_minimum(a), a, note=note)


def _zeros(network: Network) -> Weights:
    return tuple(fmpq_mat(*network.shape(k)) for k in range(1, network.depth + 1))


def _instances() -> tuple[Instance, ...]:
    iris, wine = load_dataset("iris"), load_dataset("wine")
    chain = Network.dense((1, 1, 1, 1), "linear")
    one = Dataset.from_rows([[1]], [[1]], name="one point")
    deep = Network.dense((4, 5, 4, 3), "linear")
    unseen = kernel(iris.gram(iris.y, iris.x)).basis.transpose()
    shallow = Network.dense((4, 5, 3), "linear")
    blind = fmpq_mat([[1], [2], [0], [-1], [1]]) * unseen
    white = Dataset.from_rows(
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[2, 0, 0], [0, 2, 0], [0, 0, 1]], name="white inputs"
    )
    last = (fmpq_mat([[0, 0, 1]]), fmpq_mat([[0], [0], [1]]))
    thin = Network.dense((3, 1, 3), "linear")
    best = least_squares(iris.x, iris)
    wide = (identity(4), best)
    made = [
        _at("chain-at-zero-1-1-1-1", chain, one, _zeros(chain), "L = (abc - 1)^2: order 3"),
        _at("iris-at-zero-4-5-4-3", deep, iris, _zeros(deep), "gradient and Hessian are zero"),
        _at("iris-blind-4-5-3", shallow, iris, (blind, fmpq_mat(3, 5)), "W_1 sees no target"),
        _at("wine-at-zero-13-4-3", Network.dense((13, 4, 3), "linear"), wine,
            (fmpq_mat(4, 13), fmpq_mat(3, 4)), "a strict saddle"),
        _at("white-inputs-3-1-3", thin, white, last, "XX' = I; the direction kept is the third"),
        _at("iris-least-squares-4-4-3", Network.dense((4, 4, 3), "linear"), iris, wide,
            "the exact fit"),
    ]  # fmt: skip
    for name, seed, widths, note in (
        ("second-best-4-3-2-3-4", 4, (4, 3, 2, 3, 4), "full rank: negative curvature"),
        ("degenerate-3-4-2-4-3", 6, (3, 4, 2, 4, 3), "rank 1 of 2, the loss falls as -t^7"),
        ("degenerate-2-3-3-3-3-2", 8, (2, 3, 3, 3, 3, 2), "rank 1 of 2, five layers"),
        ("rank-deficient-inputs-3-3-3-3", 39, (3, 3, 3, 3), "X of rank 2"),
        ("global-3-4-2-4-3", 16, (3, 4, 2, 4, 3), "the best rank 2, by the Ky Fan bound"),
    ):
        made.append(_at(name, *critical_point(Seeded(seed), widths), note))
    return tuple(made)


def _random(draw: Draw) -> Instance:
    widths = small_widths(draw, draw.integer(3, 6), 1, 4)
    return _at("random", *critical_point(draw, widths))


def _escape(instance: Instance) -> Proof | Undecided:
    return attempt(not_poor(instance.network, instance.data, instance.a))


DEEP_LINEAR_LOCAL_MINIMA = Claim(
    id="deep-linear-local-minima",
    title="Deep linear networks: every local minimum, weak ones included, is a global one",
    source=Source(
        ("Kenji Kawaguchi",), "Deep Learning without Poor Local Minima", 2016, "Theorem 2.3"
    ),
    variants=(
        Variant(
            "corrected",
            "linear network, any depth, widths and data: no weights are a local minimum above the "
            "least loss",
            r"\Phi(x;\theta) = W_K\cdots W_1 x \implies \text{every local minimum is global}",
            (LINEAR, DENSE, NO_BIAS),
            "not_poor_minimum",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_escape,
    erratum=Erratum(
        "it needs the eigenvalues of E[XX'] to be distinct (as quoted on the slides; the paper "
        "asks this of Y X'(XX')^-1 X Y', with XX' and XY' of full rank)",
        "nothing: inputs with XX' = I, of rank one or zero, and equal singular values do no harm",
        "no hypothesis on the data is needed (Lu & Kawaguchi 2017, Zhang 2019)",
    ),
)
