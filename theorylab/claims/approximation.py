"""ReLU and polynomials in the sup norm: Poggio & Liao replace the one by the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from theorylab.claims.claim import Claim, Erratum, Proof, Variant
from theorylab.claims.shapes import DENSE, NO_BIAS, poggio_liao
from theorylab.instances import Draw, Instance
from theorylab.model import Activation, Dataset, Network, load_dataset
from theorylab.model.approximation import legendre_expansion
from theorylab.model.rational import rational_text
from theorylab.outcome import Undecided
from theorylab.topology.sup_norm import (
    best_error_between,
    nearest_or_not,
    polynomial_json,
    sup_norm_between,
)

RELU = Activation("relu")
LEAKY = Activation("leaky_relu", (fmpq(1, 10),))
ABS = Activation("abs")
# E_l(|x|) on [-1, 1] for l = 2, 4, ..., 12 in units of 10^-10, rounded down; E_2 = 1/8 is exact.
# They are bounds to be proved, not measured: the statement of an instance is made of them.
_BEST = (1250000000, 676208992, 459290620, 346897280, 278451185, 232473264)
_UNIT = fmpq(1, 10**10)


def legendre_error(degree: int) -> fmpq:
    """max | |x| - S(x) | on [-1, 1], S the Legendre expansion of |x| up to the degree >= 0.

    With k the degree halved and rounded down it is (2k+1) C(2k,k)^2 / (2^(4k+1) (k+1)), about
    1 / (pi k), and is met at 0.

    >>> [str(legendre_error(degree)) for degree in (1, 2, 4)]
    ['1/2', '3/16', '15/128']
    """
    k = degree // 2
    return fmpq((2 * k + 1) * comb(2 * k, k) ** 2, 2 ** (4 * k + 1) * (k + 1))


def best_error(degree: int) -> tuple[fmpq, fmpq]:
    """Bounds of E_degree(|x|) on [-1, 1], at most 10^-10 apart, for the degrees 1, ..., 13.

    >>> [tuple(map(str, best_error(degree))) for degree in (1, 3, 4)]
    [('1/2', '1/2'), ('1/8', '1/8'), ('21131531/312500000', '676208993/10000000000')]
    """
    if degree < 4:
        return (fmpq(1, 2 if degree == 1 else 8),) * 2
    low = _BEST[degree // 2 - 1] * _UNIT
    return low, low + _UNIT


def _bend(activation: Activation) -> fmpq:
    """c >= 0 with rho(x) = (something linear) +- c |x|."""
    return abs(1 + activation(fmpq(-1))) / 2


def _instance(
    name: str, variant: str, activation: Activation, conclusion: dict[str, Any], **more: Any
) -> Instance:
    """The instance on the network 1-1; its data, unless given, are the ends and the kink."""
    network = Network.dense((1, 1), activation, output="activation")
    if "data" not in more:
        ends = [fmpq(0), *(fmpq(conclusion[end]) for end in "ab")]
        rows = [[x] for x in sorted(ends)]
        text = f"[{conclusion['a']}, {conclusion['b']}]"
        more["data"] = Dataset.from_rows(rows, [[activation(x)] for (x,) in rows], name=text)
    return Instance(name, variant, network, conclusion=conclusion, a=(fmpq_mat([[1]]),), **more)


def _between(kind: str, a: fmpq, b: fmpq, bounds: Sequence[fmpq], **more: Any) -> dict[str, Any]:
    low, high = bounds
    texts = {"a": a, "b": b, "at_least": low, "at_most": high}
    return {"kind": kind, **{k: rational_text(fmpq(v)) for k, v in texts.items()}, **more}


def _legendre(
    name: str, activation: Activation, degree: int, c: fmpq, note: str = "", kind: str = "sup_norm"
) -> Instance:
    """The expansion on [-c, c]: its error by the formula, or that it is the nearest."""
    p = polynomial_json(legendre_expansion(activation, degree, -c, c))
    if kind == "nearest":
        ends = {"a": rational_text(-c), "b": rational_text(c)}
        conclusion = {"kind": kind, "polynomial": p, "degree": degree, **ends}
        best = "proved" if degree == 1 else "refuted"
        return _instance(name, "nearest", activation, conclusion, expected=best, note=note)
    error = c * _bend(activation) * legendre_error(degree)
    conclusion = _between(kind, -c, c, (error, error), polynomial=p)
    return _instance(name, "printed", activation, conclusion, note=note)


def _best(
    name: str, activation: Activation, degree: int, a: fmpq, b: fmpq, note: str = ""
) -> Instance:
    """The best error on [a, b], between those of the largest and the smallest [-c, c] about it."""
    low, high = best_error(degree)
    bend = _bend(activation)
    # off the symmetric intervals an exact bound can be met where bisection never comes
    slack = 1 if a == -b else fmpq(10**6 + 1, 10**6)
    bounds = (min(-a, b) * bend * low, max(-a, b) * bend * high * slack)
    conclusion = _between("best_error", a, b, bounds, degree=degree)
    return _instance(name, "corrected", activation, conclusion, note=note)


def _on_iris() -> tuple[Instance, ...]:
    """On the interval that the centred petal lengths of iris fill, all 150 of them."""
    iris = load_dataset("iris")
    lengths = [iris.x[2, j] for j in range(iris.samples)]
    mean = sum(lengths, fmpq(0)) / iris.samples
    x = [value - mean for value in lengths]
    rows = fmpq_mat([x])
    data = Dataset(rows, RELU.applied(rows), None, "iris petal lengths, centred", iris.source)
    a, b, degree = min(x), max(x), 10
    p = legendre_expansion(RELU, degree, a, b)
    # the bounds were chosen by hand, to three digits
    expansion = _between(
        "sup_norm", a, b, (fmpq(85, 1000), fmpq(86, 1000)), polynomial=polynomial_json(p)
    )
    best = _between("best_error", a, b, (fmpq(436, 10000), fmpq(437, 10000)), degree=degree)
    return (
        _instance("iris-legendre-10", "printed", RELU, expansion, data=data),
        _instance("iris-best-10", "corrected", RELU, best, data=data),
    )


def _outside() -> Instance:
    p = legendre_expansion(RELU, 10, fmpq(-1), fmpq(1))
    bounds = (fmpq(2070), fmpq(2071))
    conclusion = _between("sup_norm", fmpq(-2), fmpq(2), bounds, polynomial=polynomial_json(p))
    note = "the expansion on [-1, 1], used on [-2, 2]: the fit must cover the pre-activations"
    return _instance("legendre-10-outside", "printed", RELU, conclusion, note=note)


def _ratio(degree: int) -> str:
    """How many times the best error the expansion has, on [-1, 1]."""
    ratio = legendre_error(degree) / best_error(degree)[0]
    if ratio == 1:
        return "the error of the expansion is the same"
    return f"the error of the expansion is {float(ratio):.4g} times that"


def _instances() -> tuple[Instance, ...]:
    one = fmpq(1)
    printed = [_legendre(f"legendre-{d}", RELU, d, one) for d in (1, *range(2, 13, 2))]
    best = [_best(f"best-{d}", RELU, d, -one, one, _ratio(d)) for d in range(1, 13)]
    nearest = [
        _legendre(f"nearest-{d}", RELU, d, one, kind="nearest") for d in (1, 2, 3, 4, 6, 8, 10, 12)
    ]
    iris_expansion, iris_best = _on_iris()
    return (
        *printed,
        iris_expansion,
        _outside(),
        *best,
        _best("leaky-best-5", LEAKY, 5, fmpq(-7, 3), fmpq(2)),
        _best("abs-best-8", ABS, 8, -one, one),
        iris_best,
        *nearest,
    )


def _random(draw: Draw) -> Instance:
    slopes = (fmpq(1, 10), fmpq(-1, 2), fmpq(3), fmpq(-1))
    kinds = (RELU, ABS, *(Activation("leaky_relu", (s,)) for s in slopes))
    activation, degree = draw.choice(kinds), draw.integer(1, 8)
    a, b = (fmpq(draw.integer(1, 12), draw.integer(1, 4)) for _ in "ab")
    if draw.choice((True, False)):
        return _best("random", activation, degree, -a, b)
    return _legendre("random", activation, degree, a)


def _prove(instance: Instance) -> Proof | Undecided:
    stated, activation = instance.conclusion, instance.network.activation
    a, b = fmpq(stated["a"]), fmpq(stated["b"])
    if stated["kind"] == "nearest":
        p = fmpq_poly([fmpq(c) for c in stated["polynomial"]])
        return nearest_or_not(activation, p, stated["degree"], a, b)
    bounds = fmpq(stated["at_least"]), fmpq(stated["at_most"])
    if stated["kind"] == "best_error":
        return best_error_between(activation, stated["degree"], a, b, *bounds)
    p = fmpq_poly([fmpq(c) for c in stated["polynomial"]])
    return sup_norm_between(activation, p, a, b, *bounds)


RELU_POLYNOMIAL_APPROXIMATION = Claim(
    id="relu-polynomial-approximation",
    title="ReLU and its polynomial approximations: the exact sup-norm error at each degree",
    source=poggio_liao("ReLU replaced by a univariate polynomial; Legendre expansion"),
    variants=(
        Variant(
            "printed",
            "on an interval the Legendre expansion of ReLU approximates it in the sup norm: the "
            "error at each degree is as stated",
            r"\max_{[a,b]}|\rho - S_l| = \epsilon_l, \quad "
            r"S_l = \textstyle\sum_{k\le l} \langle\rho,P_k\rangle P_k",
            (DENSE, NO_BIAS),
            "sup_norm",
        ),
        Variant(
            "corrected",
            "the error of the best polynomial of each degree lies between the stated bounds",
            r"E_l = \min_{\deg p\le l}\ \max_{[a,b]}|\rho - p|",
            (DENSE, NO_BIAS),
            "best_error",
        ),
        Variant(
            "nearest",
            "no polynomial of its degree is nearer to ReLU in the sup norm than the Legendre "
            "expansion",
            r"\max_{[a,b]}|\rho - S_l| = E_l",
            (DENSE, NO_BIAS),
            "nearest",
        ),
    ),
    canonical=_instances,
    random=_random,
    prover=_prove,
    erratum=Erratum(
        "ReLU is approximated in the sup norm by its Legendre expansion",
        "true but loose: the expansion is nearest in L2; on [-1, 1] it is nearest in the sup norm "
        "at degree 1 only, 3/32 against 1/16 at degree 2, 2.03 times the best error at degree 12",
        "on [-1, 1] the best polynomial of degree 2k has an error near 0.1401/(2k), the expansion "
        "one near 1/(2 pi k), and an odd degree above 1 gains nothing",
    ),
)
