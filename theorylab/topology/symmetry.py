"""Weights that represent one function: bases of hidden layers, scalings, permutations, twins."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate, product

from flint import fmpq, fmpq_mat

from theorylab.model import Activation, Network, Weights
from theorylab.model.rational import columns
from theorylab.outcome import InputError, Undecided
from theorylab.topology.barrier import Argument
from theorylab.topology.exact_algebra import beside, kernel, solve
from theorylab.topology.path import Json, rational, theta_json

# The kernel expands outputs in so many inputs only.
MAX_INPUTS = 24
_TRIES = 10_000


def same_function(network: Network, a: Weights, b: Weights) -> Argument | Undecided:
    """Show that `a` and `b` give the same outputs for all inputs, or an input where they differ.

    Complete for polynomial activations in at most 24 inputs; else b's units are matched with units
    of a up to scale, several perhaps with one.
    Guarantees: exact. Raises InputError when the weights do not fit.

    >>> net = Network.dense((1, 2, 1), "relu")
    >>> a = (fmpq_mat([[1], [-1]]), fmpq_mat([[1, 2]]))
    >>> b = (fmpq_mat([[-2], [3]]), fmpq_mat([[1, fmpq(1, 3)]]))
    >>> same_function(net, a, b).proof
    {'by': 'units', 'layers': [{'units': [1, 0], 'scales': ['2', '3']}]}
    """
    a, b = network.check_weights(a), network.check_weights(b)
    conclusion = {"kind": "same_function", "A": theta_json(a), "B": theta_json(b)}
    x = _difference(network, a, b)
    if x is not None:
        proof: Json = {"by": "input", "x": [rational(v) for v in x.entries()]}
        return Argument(conclusion, "symmetry", proof)
    if network.activation.degrees is not None and network.n <= MAX_INPUTS:
        return Argument(conclusion, "symmetry", {"by": "expansion"})
    found = unit_map(network, a, b)
    if isinstance(found, Undecided):
        return found
    return Argument(conclusion, "symmetry", {"by": "units", "layers": found})


def unit_map(
    network: Network, a: Weights, b: Weights, *, one_to_one: bool = False
) -> list[Json] | Undecided:
    """Match each hidden unit of `b` with a unit of `a` of which it is a scaled copy.

    A unit of b that nothing reads has no partner (null), and two may share one, unless they are
    `one_to_one`: then b arises from a by permuting and scaling units.
    Guarantees: what is found is exact; a failure within the budget proves nothing.
    """
    budget = iter(range(_TRIES))
    below: list[int | None] = list(range(network.n))
    found = next(_matched(network, a, b, 0, below, [fmpq(1)] * network.n, one_to_one, budget), None)
    if found is not None:
        return found
    return Undecided("no units of A match those of B", "the units", "compare the outputs")


def rescaled(
    network: Network, a: Weights, orders: Sequence[Sequence[int]], scales: Sequence[Sequence[fmpq]]
) -> Weights:
    """Permute and scale hidden units: unit i of layer k becomes scales[k][i] times orders[k][i].

    The weights that read a unit are divided by h, rho(c z) = h rho(z).
    Raises InputError for a scale under which the activation is not homogeneous.
    """
    below, factors = list(range(network.n)), [fmpq(1)] * network.n
    made = []
    for k, layer in enumerate(a):
        height, width = layer.nrows(), layer.ncols()
        last = k == network.depth - 1
        order = range(height) if last else orders[k]
        factor = [fmpq(1)] * height if last else scales[k]
        sources = [*below, *range(len(below), width)]
        shrinks = [*factors, *[fmpq(1)] * (width - len(below))]
        made.append(
            fmpq_mat(
                [
                    [c * layer[i, j] / h for j, h in zip(sources, shrinks, strict=True)]
                    for i, c in zip(order, factor, strict=True)
                ]
            )
        )
        below, factors = list(order), [_required(network.activation, c) for c in factor]
    return tuple(made)


def rebased(a: Weights, bases: Sequence[fmpq_mat]) -> Weights:
    """Return U_k W_k U_{k-1}^-1 with U_0 = U_K = 1, biases U_k b_k: one linear function."""
    layers = list(a)
    for k, basis in enumerate(bases):
        above, size = layers[k + 1], basis.nrows()
        weights = columns(above, range(size)) * basis.inv()
        biases = columns(above, range(size, above.ncols()))
        layers[k], layers[k + 1] = basis * layers[k], beside(weights, biases)
    return tuple(layers)


def homogeneity(rho: Activation, c: fmpq) -> fmpq | None:
    """h with rho(c z) = h rho(z) for all z, or None where there is none that the kernel knows.

    >>> homogeneity(Activation.parse("square"), fmpq(-3)), homogeneity(Activation("relu"), fmpq(2))
    (9, 2)
    >>> homogeneity(Activation("relu"), fmpq(-2)) is None
    True
    """
    if rho.degrees is not None:
        powers = {c**i for i in rho.degrees} or {fmpq(1)}
        return powers.pop() if len(powers) == 1 else None
    if rho.kind == "abs":
        return abs(c)
    return None if c <= 0 else fmpq(1) if rho.kind == "step" else c


def _required(rho: Activation, c: fmpq) -> fmpq:
    h = homogeneity(rho, c)
    if h is None or h == 0:
        rule = f"{rho.kind} is not homogeneous for this scale"
        raise InputError("scales", c, rule, "use positive scales, or 1")
    return h


def _difference(network: Network, a: Weights, b: Weights) -> fmpq_mat | None:
    """A small input at which the outputs differ: axes first, then the corners of a box."""
    n = network.n
    axes = [[fmpq(s * int(i == j)) for i in range(n)] for j in range(n) for s in (1, -1)]
    corners = (list(map(fmpq, c)) for c in product((1, -2, 3), repeat=min(n, 5)))
    for x in [[fmpq(0)] * n, *axes, *([*c, *[fmpq(1)] * (n - len(c))] for c in corners)]:
        at = fmpq_mat(n, 1, x)
        if network.outputs(a, at) != network.outputs(b, at):
            return at
    return None


def _matched(
    network: Network,
    a: Weights,
    b: Weights,
    k: int,
    below: Sequence[int | None],
    factors: Sequence[fmpq],
    one_to_one: bool,
    budget: Iterator[int],
) -> Iterator[list[Json]]:
    """The matchings of the layers from k on, given how the units below are matched."""
    reached = _gathered(b[k], a[k].ncols(), below, factors)
    if k == network.depth - 1:
        if all(row == source for row, source in zip(reached, a[k].tolist(), strict=True)):
            yield []
        return
    read = [any(b[k + 1][r, i] != 0 for r in range(b[k + 1].nrows())) for i in range(len(reached))]
    for chosen in _partners(network.activation, reached, a[k].tolist(), read, one_to_one, budget):
        units, scales = [p for p, _ in chosen], [c for _, c in chosen]
        shrinks = [homogeneity(network.activation, c) or fmpq(0) for c in scales]
        for rest in _matched(network, a, b, k + 1, units, shrinks, one_to_one, budget):
            yield [{"units": units, "scales": [rational(c) for c in scales]}, *rest]


def _gathered(
    layer: fmpq_mat, width: int, below: Sequence[int | None], factors: Sequence[fmpq]
) -> list[list[fmpq] | None]:
    """What each unit of b reads, told by the units of a; None where it reads a lost unit."""
    out: list[list[fmpq] | None] = []
    for row in layer.tolist():
        reached = [fmpq(0)] * width
        for j, (v, place) in enumerate(zip(row, [*below, *range(len(below), width)], strict=True)):
            if place is not None:
                reached[place] += v * (factors[j] if j < len(below) else 1)
        places = zip(row, below, strict=False)
        out.append(None if any(v != 0 and p is None for v, p in places) else reached)
    return out


def _partners(
    rho: Activation,
    reached: Sequence[list[fmpq] | None],
    sources: Sequence[list[fmpq]],
    read: Sequence[bool],
    one_to_one: bool,
    budget: Iterator[int],
    taken: tuple[tuple[int | None, fmpq], ...] = (),
) -> Iterator[tuple[tuple[int | None, fmpq], ...]]:
    """Choices of (unit of a, scale) for every unit of b; unused units first, none last."""
    i = len(taken)
    if i == len(reached):
        yield taken
        return
    if next(budget, None) is None:
        return
    used = {p for p, _ in taken}
    candidates: list[tuple[int | None, fmpq]] = []
    row = reached[i]
    if row is not None:
        for p, source in enumerate(sources):
            c = _ratio(row, source)
            if c is not None and homogeneity(rho, c) and not (one_to_one and p in used):
                candidates.append((p, c))
        candidates.sort(key=lambda pair: pair[0] in used)
    if not read[i] and not one_to_one:
        candidates.append((None, fmpq(1)))
    for choice in candidates:
        yield from _partners(rho, reached, sources, read, one_to_one, budget, (*taken, choice))


def _ratio(row: Sequence[fmpq], source: Sequence[fmpq]) -> fmpq | None:
    """c with row = c source; 1 where both are zero."""
    first = next((j for j, v in enumerate(source) if v != 0), None)
    c = fmpq(1) if first is None else row[first] / source[first]
    return c if all(v == c * w for v, w in zip(row, source, strict=True)) else None


def basis_change(a: Weights, b: Weights) -> tuple[fmpq_mat, ...] | None:
    """Return invertible U_1, ..., U_{K-1} with b_k U_{k-1} = U_k a_k, U_0 = U_K = 1, if any.

    Guarantees: what is found is exact; None may be wrong with small probability.

    >>> one, two = fmpq_mat([[1]]), fmpq_mat([[2]])
    >>> basis_change((one, two), (two, one))
    ([2],)
    """
    sizes = [layer.nrows() for layer in a[:-1]]
    starts = [0, *accumulate(size * size for size in sizes)]
    equations, targets = [], []
    for k, (old, new) in enumerate(zip(a, b, strict=True)):
        for i in range(new.nrows()):
            for j in range(old.ncols()):
                row, target = [fmpq(0)] * starts[-1], fmpq(0)
                if k and j < sizes[k - 1]:
                    for p in range(sizes[k - 1]):
                        row[starts[k - 1] + p * sizes[k - 1] + j] += new[i, p]
                else:
                    target -= new[i, j]
                for p in range(old.nrows()):
                    if k < len(sizes):
                        row[starts[k] + i * sizes[k] + p] -= old[p, j]
                    elif p == i:
                        target += old[p, j]
                equations.append(row)
                targets.append([target])
    if not sizes:
        return () if a == b else None
    system = fmpq_mat(equations)
    special = solve(system, fmpq_mat(targets))
    if special is None:
        return None
    free = kernel(system).basis
    rng = random.Random(0)
    for _ in range(8):
        drawn = fmpq_mat(free.ncols(), 1, [rng.randint(-9, 9) for _ in range(free.ncols())])
        values = (special + free * drawn).entries()
        bases = [fmpq_mat(n, n, values[s : s + n * n]) for n, s in zip(sizes, starts, strict=False)]
        if all(u.det() != 0 for u in bases):
            return tuple(bases)
    return None
