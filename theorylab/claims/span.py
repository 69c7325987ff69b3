"""Paths of matrices whose columns span those of both ends: the "simple fact" of the slides."""

from __future__ import annotations

from flint import fmpq_mat

from theorylab.claims.claim import Claim, Erratum, Hypothesis, Proof, Variant
from theorylab.claims.shapes import (
    DENSE,
    LINEAR,
    NO_BIAS,
    attempt,
    every,
    freeman_bruna,
    restricted,
)
from theorylab.instances import Draw, Instance, matrix
from theorylab.model import Dataset, Network, load_dataset
from theorylab.outcome import Undecided
from theorylab.topology.exact_algebra import least_squares
from theorylab.topology.path import theta_json
from theorylab.topology.span import span_path

_ONE_LAYER = Hypothesis.of("one-layer", "a point is one matrix", kind="hidden_layers", count=0)


def _wider(relation: str) -> Hypothesis:
    words = f"the matrix is n x n' with n' {relation} n"
    return Hypothesis.of("wider", words, kind="inputs", relation=relation)


def _between(
    name: str,
    variant: str,
    a: fmpq_mat,
    b: fmpq_mat,
    data: Dataset | None = None,
    expected: str = "proved",
    note: str = "",
) -> Instance:
    """The instance of two matrices; the data play no part."""
    n, width = a.nrows(), a.ncols()
    network = Network.dense((width, n), "linear")
    idle = Dataset(fmpq_mat(width, 1), fmpq_mat(n, 1), name="no data needed")
    conclusion = {"kind": "span_path", "A": theta_json((a,)), "B": theta_json((b,))}
    used = idle if data is None else data
    return Instance(name, variant, network, used, conclusion, (a,), (b,), expected, note)


def _instances() -> tuple[Instance, ...]:
    iris = every(load_dataset("iris"), 5)
    three = restricted(iris, "iris without sepal length 1/5", (1, 2, 3))
    fit, square = least_squares(iris.x, iris), least_squares(three.x, three)
    thin, wide = fmpq_mat([[1, 2, 3], [2, 4, 6]]), fmpq_mat([[0, 1, 0], [0, -1, 0]])
    flip = "the determinant changes its sign, so a matrix between is singular"
    return (
        _between("line-1x2", "printed", fmpq_mat([[1, 0]]), fmpq_mat([[-1, 0]])),
        _between("rank-one-2x3", "printed", thin, wide),
        _between("iris-3x4", "printed", fit, fit * -1, iris),
        _between("sign-1x1", "square", fmpq_mat([[1]]), fmpq_mat([[-1]]), None, "refuted", flip),
        _between("iris-3x3", "square", square, square * -1, three, "refuted", flip),
    )


def _random(draw: Draw) -> Instance:
    n = draw.integer(1, 4)
    width = n + draw.integer(1, 2)
    a, b = matrix(draw, n, width), matrix(draw, n, width)
    kind = draw.choice(("plain", "plain", "turned round", "rank one", "zero", "one line"))
    if kind == "turned round":
        b = a * -1
    elif kind == "rank one":
        a = matrix(draw, n, 1) * matrix(draw, 1, width)
    elif kind == "zero":
        a = fmpq_mat(n, width)
    elif kind == "one line":
        column = matrix(draw, n, 1)
        a, b = column * matrix(draw, 1, width), column * matrix(draw, 1, width)
    return _between("random", "printed", a, b)


def _square_matrices(draw: Draw) -> Instance:
    """As many columns as rows."""
    n = draw.integer(1, 3)
    return _between("search", "printed", matrix(draw, n, n), matrix(draw, n, n))


def _prove(instance: Instance) -> Proof | Undecided:
    assert instance.b is not None
    return attempt(span_path(instance.a[0], instance.b[0]))


SPAN_PATH = Claim(
    id="span-path",
    title="Two matrices with more columns than rows are joined by matrices that span both",
    source=freeman_bruna('the authors\' slides, "simple fact" on linear networks'),
    variants=(
        Variant(
            "printed",
            "for n x n' matrices M_0, M_1 with n' > n there is a path gamma from M_0 to M_1 such "
            "that strictly inside the columns of gamma(t) span those of M_0 and of M_1",
            r"n'>n \implies \exists\gamma,\ \gamma(0)=M_0,\ \gamma(1)=M_1,\ "
            r"\operatorname{col}M_0+\operatorname{col}M_1\subseteq\operatorname{col}\gamma(t)"
            r"\ (0<t<1)",
            (LINEAR, DENSE, NO_BIAS, _ONE_LAYER, _wider(">")),
            "span_path",
        ),
        Variant(
            "square",
            "the same for n' >= n",
            r"n'\ge n \implies \exists\gamma,\ \gamma(0)=M_0,\ \gamma(1)=M_1,\ "
            r"\operatorname{col}M_0+\operatorname{col}M_1\subseteq\operatorname{col}\gamma(t)"
            r"\ (0<t<1)",
            (LINEAR, DENSE, NO_BIAS, _ONE_LAYER, _wider(">=")),
            "span_path",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_prove,
    searches={"wider": _square_matrices},
    erratum=Erratum(
        "the span of a matrix, without saying of what, and nothing about n' = n",
        "1 x 1: from 1 to -1 every path passes 0, whose span misses both; read as the line through "
        "the matrix, the span of gamma(t) misses independent M_0 and M_1 whatever n' is",
        "the column spans, for 0 < t < 1, and n' > n; in general n' > rank [M_0 M_1], or equality "
        "and det(M_0^T M_1) >= 0",
    ),
)
