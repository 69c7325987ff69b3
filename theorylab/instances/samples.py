"""Data sets of few small numbers, degenerate ones too."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from theorylab.instances.draw import Draw
from theorylab.instances.entries import (
    Sizes,
    kept,
    matrix,
    matrix_of_rank,
    number,
    positive,
    size_range,
    whole,
)
from theorylab.model import Dataset
from theorylab.model.rational import ones
from theorylab.outcome import InputError

DATA_KINDS = ("plain", "twin samples", "rank one", "zero", "weights")


def dataset(
    draw: Draw,
    n: Sizes,
    m: Sizes,
    samples: Sizes,
    size: int = 3,
    degenerate: bool = True,
    *,
    kind: str | None = None,
    rank: int | None = None,
    denominator: int = 1,
) -> Dataset:
    """Data of p/q with p of -size..size; degenerate ones too, and those with sample weights.

    ``kind`` asks for one of DATA_KINDS: all samples alike ("twin samples"), inputs of rank one or
    zero, "weights" of the samples; ``rank`` for inputs X (n x N) of exactly that rank. Numbers are
    whole unless ``denominator`` is above 1. InputError for what cannot be.

    >>> from theorylab.instances import Seeded
    >>> dataset(Seeded(0), 1, 1, 2, kind="twin samples")
    Dataset.from_rows([['3'], ['3']], [['0'], ['0']], name='random twin samples')
    """
    if kind is not None and (kind not in DATA_KINDS or rank is not None):
        rule = f"the kinds of data are {', '.join(DATA_KINDS)}, and a rank goes without a kind"
        raise InputError("kind", kind, rule, "choose one of them")
    positive("denominator", denominator)
    if rank is not None:
        widths = whole(draw, "n", n), whole(draw, "m", m)
        count = whole(draw, "samples", samples)
        x = matrix_of_rank(draw, widths[0], count, rank, min(size, 2))
        y = matrix(draw, widths[1], count, size, denominator=denominator)
        return Dataset(x, y, None, "random")
    fixed = isinstance(n, int) and isinstance(m, int) and isinstance(samples, int)
    if kind is not None or denominator > 1 or not fixed:
        kind = kind or (data_kind(draw) if degenerate else "plain")
        widths = whole(draw, "n", n), whole(draw, "m", m)
        room = size_range("n", n)[1], size_range("m", m)[1]
        return sample_by_sample(draw, widths, room, samples, size, kind, denominator)
    n, m, samples = whole(draw, "n", n), whole(draw, "m", m), whole(draw, "samples", samples)
    # the order of these draws is that of the seeds of the catalogue
    x, y = matrix(draw, n, samples, size), matrix(draw, m, samples, size)
    kind = data_kind(draw) if degenerate else "plain"
    sample_weights = None
    if kind == "twin samples":
        first = fmpq_mat([[row[0]] for row in x.tolist()])
        x = first * ones(1, samples)
    elif kind == "rank one":
        x = matrix(draw, n, 1, size) * matrix(draw, 1, samples, size)
    elif kind == "zero":
        x = fmpq_mat(n, samples)
    elif kind == "weights":
        sample_weights = tuple(fmpq(draw.integer(1, 4), 2) for _ in range(samples))
    return Dataset(x, y, sample_weights, f"random {kind}")


def sample_by_sample(
    draw: Draw,
    widths: tuple[int, int],
    room: tuple[int, int],
    samples: Sizes,
    size: int,
    kind: str,
    denominator: int = 1,
) -> Dataset:
    """Data of a kind, made to shrink well: no choice depends on how many samples or inputs are.

    Each sample has ``room`` for so many inputs and targets, of which the first ``widths`` count.
    """
    n, m = widths

    # A search moves what it needs to the numbers drawn last: these are the first of the first.
    def vector(count: int) -> list[fmpq]:
        return [number(draw, size, denominator) for _ in range(count)][::-1]

    x: list[list[fmpq]] = []
    y: list[list[fmpq]] = []
    sample_weights: list[fmpq] = []
    for is_there in reversed(kept(draw, "samples", samples)):
        inputs, targets = vector(room[0])[:n], vector(room[1])[:m]
        weight = fmpq(draw.integer(1, 4), 2) if kind == "weights" else fmpq(1)
        if is_there:
            x, y = [inputs, *x], [targets, *y]
            sample_weights.append(weight)
    if kind == "twin samples":
        x = [x[0]] * len(x)
    elif kind == "rank one":
        x = [[row[0] * q for q in x[0]] for row in x]
    elif kind == "zero":
        x = [[fmpq(0)] * n] * len(x)
    rows = [fmpq_mat(part).transpose() for part in (x, y)]
    weighted = tuple(sample_weights) if kind == "weights" else None
    return Dataset(rows[0], rows[1], weighted, f"random {kind}")


def data_kind(draw: Draw) -> str:
    """One of DATA_KINDS, more often plain; drawn before the numbers it makes shrinking easier."""
    return draw.choice(("plain", "plain", *DATA_KINDS))


def structured_dataset(draw: Draw, n: int, m: int, size: int) -> Dataset:
    """Small integer data of one of the kinds that landscapes are known to depend on."""
    kind = draw.choice(("small", "small", "unit", "identity", "line", "rank one", "signs", "twins"))
    samples = draw.integer(1, max(size, 1) + 1)
    if kind == "identity":
        samples = n
        x = fmpq_mat([[int(i == j) for j in range(n)] for i in range(n)])
    elif kind == "line":
        # points on one line that misses the origin, in runs of neighbours
        runs, x_rows = draw.integer(1, max(1, size - 1)), []
        x_rows.append([fmpq(4 * r + d) for r in range(runs) for d in (-1, 0, 1)])
        samples = 3 * runs
        x_rows += [[fmpq(int(i == 0))] * samples for i in range(n - 1)]
        x = fmpq_mat(x_rows)
    elif kind == "rank one":
        x = matrix(draw, n, 1, 2) * matrix(draw, 1, samples, 2)
    elif kind in ("signs", "unit"):
        x = fmpq_mat(n, samples, [draw.choice((1, -1)) for _ in range(n * samples)])
    else:
        x = matrix(draw, n, samples, 2)
    labels = draw.choice(("small", "signs", "one-hot", "teacher", "small"))
    if labels == "signs":
        c = draw.integer(1, 2)
        y = fmpq_mat(m, samples, [draw.choice((c, -c)) for _ in range(m * samples)])
    elif labels == "one-hot":
        hot = [draw.integer(0, m - 1) for _ in range(samples)]
        y = fmpq_mat([[int(hot[j] == i) for j in range(samples)] for i in range(m)])
    elif labels == "teacher":
        # one kink in each run of neighbours: a function that needs every unit
        slope = [fmpq(draw.integer(0, 2)) for _ in range(samples)]
        y = fmpq_mat([[sum(slope[: j // 3 + 1], fmpq(0)) * (j % 3) for j in range(samples)]] * m)
    else:
        y = matrix(draw, m, samples, 3)
    weights = None
    if draw.integer(0, 9) == 0:
        weights = tuple(fmpq(draw.integer(1, 3)) for _ in range(samples))
    if kind == "twins" and samples > 1:
        x = fmpq_mat([[row[0]] * 2 + row[2:] for row in x.tolist()])
    return Dataset(x, y, weights, kind)


def one_target_each(draw: Draw, n: int, m: int, units: int) -> Dataset:
    """As many samples as the last hidden layer has units, each with a target of its own."""
    x = matrix(draw, n, units, 2)
    c = draw.integer(1, 2)
    rows = [[c * int(i == j) for j in range(units)] for i in range(m)]
    return Dataset(x, fmpq_mat(rows), None, "one target each")
