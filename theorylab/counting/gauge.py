"""Symmetries of weight space, and which weights are fixed so that they no longer blur a count.

Rescaling hidden units multiplies each weight by a monomial in the scales: its character, an
integer vector with one place for each unit. Ties, frozen entries and the activation bind the
scales by further characters. So the scaling symmetry is the dual of a quotient of lattices, and
what fixing weights to 1 leaves of it is read off exactly from determinants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpz_mat

from theorylab.model import Network
from theorylab.outcome import InputError

GAUGES = ("auto", "none", "first", "bias")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each free parameter of a network stands: ``entries[k-1][i][j]`` of W_k is the number
    of a parameter, or the value of a frozen entry; ``layers`` says where each first appears.

    >>> layout_of(Network.dense((1, 2, 1), "square", bias=[True, False])).names
    ('w1_1_1', 'b1_1', 'w1_2_1', 'b1_2', 'w2_1_1', 'w2_1_2')
    """

    network: Network
    entries: tuple[tuple[tuple[int | fmpq, ...], ...], ...]
    names: tuple[str, ...]
    layers: tuple[int, ...]

    def places(self) -> Iterator[tuple[int, int, int, int | fmpq]]:
        """All entries as (k, i, j, entry), k = 1..K, i and j from 0."""
        for k, layer in enumerate(self.entries, start=1):
            for i, row in enumerate(layer):
                for j, entry in enumerate(row):
                    yield k, i, j, entry

    def is_free(self, k: int) -> bool:
        """Whether every entry of W_k is a parameter that stands nowhere else."""
        inside = [entry for row in self.entries[k - 1] for entry in row]
        everywhere = [entry for *_, entry in self.places() if not isinstance(entry, fmpq)]
        return all(not isinstance(e, fmpq) and everywhere.count(e) == 1 for e in inside)


def layout_of(network: Network) -> Layout:
    """The layout, parameters numbered as ``Network.parameters`` lists them."""
    names: list[str] = []
    layers: list[int] = []
    slots: dict[int, int] = {}
    entries = []
    for k in range(1, network.depth + 1):
        r, c = network.shape(k)
        found: list[int | fmpq] = []
        for place, entry in enumerate(network.entries(k)):
            i, j = divmod(place, c)
            if isinstance(entry, fmpq):
                found.append(entry)
            elif entry is not None and entry in slots:
                found.append(slots[entry])
            else:
                found.append(len(names))
                if entry is not None:
                    slots[entry] = len(names)
                    names.append(f"s{entry}")
                elif network.bias[k - 1] and j == c - 1:
                    names.append(f"b{k}_{i + 1}")
                else:
                    names.append(f"w{k}_{i + 1}_{j + 1}")
                layers.append(k)
        entries.append(tuple(tuple(found[i * c : (i + 1) * c]) for i in range(r)))
    return Layout(network, tuple(entries), tuple(names), tuple(layers))


@dataclass(frozen=True, slots=True)
class Symmetry:
    """The map of parameters x -> y, y_j = e^(2 pi i phases[j]) x_permutation[j].

    Guarantees: exact; it maps solutions to solutions of the same gauge.
    """

    permutation: tuple[int, ...]
    phases: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """What was fixed, why, what that loses, and the known finite group that still acts.

    ``fixed`` holds (parameter number, value); ``statements`` says each fixing in words;
    ``lossless`` is the widest field over which every orbit with the fixed weights nonzero is met;
    ``symmetries`` generates the known residual group of order ``order``, described by ``group``;
    it may be a part of the whole. ``continuous`` is the dimension of known symmetry left unfixed.
    """

    fixed: tuple[tuple[int, fmpq], ...] = ()
    statements: tuple[str, ...] = ()
    lossless: str = "every field"
    symmetries: tuple[Symmetry, ...] = ()
    order: int = 1
    group: str = "trivial"
    continuous: int = 0

    def __str__(self) -> str:
        what = "; ".join(self.statements) or "nothing fixed"
        left = f"; known finite group left: {self.group}, order {self.order}"
        if self.continuous:
            left += f"; continuous symmetry left: dimension at least {self.continuous}"
        return f"{what}; meets every orbit over {self.lossless}{left}"


def gauge_of(layout: Layout, choice: str = "auto", ridge: str = "none") -> Gauge:
    """The gauge of a polynomial network for the choice "auto", "none", "first" or "bias".

    "first" sets to 1 the first incoming weight of each hidden unit, "bias" its bias where it has
    one. "auto" absorbs the outgoing weight of the units of the last hidden layer when there is
    one output (and takes a triangular first factor, for z^2), sets first incoming weights
    to 1 elsewhere, and takes identity blocks in dense deep linear networks. Only as many weights
    are fixed as the symmetry has dimensions. ``ridge`` is "none", "common" or "generic": a ridge
    breaks all but finitely many, or but a compact group of, symmetries.

    Guarantees: the group order is exact for the known symmetries: scalings and exchanges of
    units. Raises InputError for an unknown choice and activations that are not polynomial.

    >>> print(gauge_of(layout_of(Network.dense((2, 2, 1), "cube"))))
    w2_1_1 = w2_1_2 = 1 (scaling of hidden units); solutions in which one of these weights
    vanishes are not counted; meets every orbit over C and R;
    known finite group left: (scalings 9) x S_2, order 18
    """
    if choice not in GAUGES:
        raise InputError(
            "gauge", choice, f"the gauges are {', '.join(GAUGES)}", "choose one of them"
        )
    if layout.network.activation.degrees is None:
        raise InputError(
            "activation",
            layout.network.activation.kind,
            "systems of polynomial equations need a polynomial activation",
            "use linear, square, cube or a polynomial",
        )
    if ridge != "none":
        choice = "none"
    scalings = _Scalings(layout, ridge != "none")
    fixed: dict[int, fmpq] = {}
    statements: list[str] = []
    lossless = "every field"
    if choice == "auto" and _is_dense_linear(layout):
        fixed, statement = _identity_blocks(layout)
        if fixed:
            statements.append(statement)
    elif choice != "none":
        ones = scalings.independent(list(_preferred(layout, choice)))
        if ones:
            fixed = dict.fromkeys(ones, fmpq(1))
            named = " = ".join(layout.names[p] for p in sorted(ones))
            statements.append(
                f"{named} = 1 (scaling of hidden units); solutions in which one of these "
                "weights vanishes are not counted"
            )
            torsion = scalings.residual(fixed)[0]
            if torsion % 2 == 0:
                lossless = "C (over R the signs of the weights set to 1 are lost)"
            elif torsion > 1:
                lossless = "C and R"
        if choice == "auto" and _is_orthogonal(layout, fixed):
            zeros, statement = _triangular(layout)
            fixed |= zeros
            if zeros:
                statements.append(statement)
    torsion, torus, phases = scalings.residual(fixed)
    symmetries = list(phases)
    factors = [f"(scalings {torsion})"] if torsion > 1 else []
    order = torsion
    for size, swaps in _exchanges(layout, fixed) if ridge != "generic" else ():
        symmetries += swaps
        order *= math.factorial(size)
        factors.append(f"S_{size}")
    torus += _turning(layout, fixed, ridge) if choice != "auto" else 0
    return Gauge(
        tuple(sorted(fixed.items())),
        tuple(statements),
        lossless,
        tuple(symmetries),
        order,
        " x ".join(factors) or "trivial",
        torus,
    )


class _Scalings:
    """The characters of all entries and the relations that bind the scales of the units."""

    def __init__(self, layout: Layout, ridge: bool) -> None:
        network = layout.network
        degrees = network.activation.degrees or (0,)
        self.common = degrees[0]
        self.step = math.gcd(*(d - self.common for d in degrees))
        self.layout = layout
        self.unit: dict[tuple[int, int], int] = {}
        last = network.depth if network.output == "activation" else network.depth - 1
        for k in range(1, last + 1):
            for i in range(network.widths[k]):
                self.unit[k, i] = len(self.unit)
        relations = []
        for (k, _), place in self.unit.items():
            # c^d is one number for all degrees d; at an activated output it is 1.
            bound = math.gcd(self.step, self.common) if k == network.depth else self.step
            relations.append([bound if u == place else 0 for u in range(len(self.unit))])
        self.character: dict[int, list[int]] = {}
        for k, i, j, entry in layout.places():
            vector = self._character(k, i, j)
            if not isinstance(entry, fmpq):
                first = self.character.setdefault(entry, vector)
                relations.append([a - b for a, b in zip(vector, first, strict=True)])
            elif entry != 0:
                relations.append(vector)
        if ridge:
            # Squares of weights stay as they are.
            relations += [[2 * a for a in vector] for vector in self.character.values()]
        self.relations = [row for row in relations if any(row)]
        self.lattice = _hermite([*self.character.values(), *self.relations])

    def _character(self, k: int, i: int, j: int) -> list[int]:
        vector = [0] * len(self.unit)
        if (k, i) in self.unit:
            vector[self.unit[k, i]] += 1
        if k > 1 and j < self.layout.network.widths[k - 1]:
            vector[self.unit[k - 1, j]] -= self.common
        return vector

    def independent(self, preferred: Sequence[int]) -> list[int]:
        """Parameters whose being 1 leaves finitely many scalings, the first that do so."""
        basis = _hermite(self.relations)
        chosen = []
        for p in preferred:
            if len(basis) == len(self.lattice):
                break
            larger = _hermite([*basis, self.character[p]])
            if len(larger) > len(basis):
                basis = larger
                chosen.append(p)
        return chosen

    def residual(self, fixed: dict[int, fmpq]) -> tuple[int, int, tuple[Symmetry, ...]]:
        """Order of the finite part, dimension, and generators if the dimension is 0."""
        # Weights held at 0 stay there under every scaling and say nothing about it.
        moving = {p: v for p, v in self.character.items() if fixed.get(p) != 0}
        lattice = _hermite([*moving.values(), *self.relations])
        rank = len(lattice)
        if not rank or not self.character:
            return 1, 0, ()
        held = [self.character[p] for p, value in fixed.items() if value != 0]
        basis = fmpq_mat(fmpz_mat(lattice))
        right = basis.transpose() * (basis * basis.transpose()).inv()

        def coordinates(vectors: list[list[int]]) -> fmpq_mat:
            return fmpq_mat(fmpz_mat(vectors)) * right

        bound = [*self.relations, *held]
        if not bound:
            return 1, rank, ()
        rows = coordinates(bound).tolist()
        reduced = _hermite([[int(q.p) for q in row] for row in rows])
        smith = fmpz_mat(reduced).snf() if reduced else fmpz_mat(0, rank)
        torsion = math.prod(abs(int(smith[i, i])) for i in range(len(reduced)))
        if len(reduced) < rank:
            return torsion, rank - len(reduced), ()
        duals = fmpq_mat(fmpz_mat(reduced)).inv()
        count = len(self.layout.names)
        values = coordinates([moving.get(p, [0] * len(self.unit)) for p in range(count)]) * duals
        identity = tuple(range(count))
        found = []
        for j in range(rank):
            phases = tuple(values[p, j] - values[p, j].floor() for p in range(count))
            if any(phase != 0 for phase in phases):
                found.append(Symmetry(identity, phases))
        return torsion, 0, tuple(found)


def _hermite(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """A basis, in Hermite form, of the lattice that the rows generate."""
    if not rows or not rows[0]:
        return []
    reduced = fmpz_mat([list(row) for row in rows]).hnf().tolist()
    return [[int(a) for a in row] for row in reduced if any(a != 0 for a in row)]


def _preferred(layout: Layout, choice: str) -> Iterator[int]:
    """The parameters in the order in which a gauge would rather set them to 1."""
    network = layout.network
    depth = network.depth
    hidden = range(1, depth)
    if choice == "auto" and depth > 1 and network.m == 1:
        last = layout.entries[-1][0][: network.widths[-2]]
        yield from (entry for entry in last if not isinstance(entry, fmpq))
    if choice == "bias":
        for k in hidden:
            if network.bias[k - 1]:
                column = (row[-1] for row in layout.entries[k - 1])
                yield from (entry for entry in column if not isinstance(entry, fmpq))
    for k in range(1, depth + 1):
        for row in layout.entries[k - 1]:
            yield from (entry for entry in row if not isinstance(entry, fmpq))


def _is_dense_linear(layout: Layout) -> bool:
    network = layout.network
    return network.activation.kind == "linear" and all(
        layout.is_free(k) for k in range(1, network.depth + 1)
    )


def _identity_blocks(layout: Layout) -> tuple[dict[int, fmpq], str]:
    """GL of each hidden layer: an identity block in the layer below it, from the first up."""
    network = layout.network
    fixed: dict[int, fmpq] = {}
    notes = []
    effective = network.n
    for k in range(1, network.depth):
        rows, width = layout.entries[k - 1], network.widths[k]
        if network.bias[k - 1] and network.bias[k]:
            # The layer above can take over the whole bias.
            fixed |= {int(row[-1]): fmpq(0) for row in rows}
            notes.append(f"b{k} = 0 (the bias above takes it over)")
            columns = list(range(effective))
        else:
            columns = [*range(effective)] + [network.widths[k - 1]] * network.bias[k - 1]
        block = columns[:width]
        for i, row in enumerate(rows):
            for c, j in enumerate(block):
                fixed[int(row[j])] = fmpq(int(i == c))
        listed = ", ".join(str(j + 1) for j in block)
        notes.append(f"column{'s' * (len(block) > 1)} {listed} of W_{k} = identity")
        if width > len(columns):
            for row in layout.entries[k]:
                for j in range(len(columns), width):
                    fixed[int(row[j])] = fmpq(0)
            notes.append(f"W_{k + 1} = 0 from column {len(columns) + 1} on, its bias aside")
        effective = len(block)
    statement = (
        f"{', '.join(notes)} (GL of the hidden layers); "
        "solutions in which such a block is singular are not counted"
    )
    return fixed, statement


def _is_orthogonal(layout: Layout, fixed: dict[int, fmpq]) -> bool:
    """Whether the last hidden layer gives a sum of squares with all its output weights 1."""
    network = layout.network
    if network.depth < 2 or network.m != 1 or network.output != "linear":
        return False
    if network.activation.degrees != (2,) or not layout.is_free(network.depth - 1):
        return False
    outgoing = layout.entries[-1][0][: network.widths[-2]]
    return layout.is_free(network.depth) and all(fixed.get(int(e)) == 1 for e in outgoing)


def _turning(layout: Layout, fixed: dict[int, fmpq], ridge: str) -> int:
    """Dimensions of known symmetry besides scalings, when "auto" has not fixed them."""
    network = layout.network
    if ridge == "generic" or network.depth < 2:
        return 0
    if _is_dense_linear(layout):
        # GL modulo diagonal scalings; a common ridge keeps the orthogonal part alone.
        return sum(p * (p - 1) // (2 if ridge == "common" else 1) for p in network.hidden)
    p = network.widths[-2]
    ones = {int(e): fmpq(1) for e in layout.entries[-1][0][:p] if not isinstance(e, fmpq)}
    return p * (p - 1) // 2 if ridge == "none" and _is_orthogonal(layout, ones) else 0


def _triangular(layout: Layout) -> tuple[dict[int, fmpq], str]:
    """The orthogonal group of a sum of squares: zeros below the diagonal of its rows."""
    k = layout.network.depth - 1
    zeros = {
        int(entry): fmpq(0) for i, row in enumerate(layout.entries[k - 1]) for entry in row[:i]
    }
    named = " = ".join(layout.names[p] for p in sorted(zeros))
    statement = (
        f"{named} = 0 (orthogonal symmetry of the sum of squares: triangular W_{k}); solutions "
        f"in which a leading minor of W_{k}^T W_{k} vanishes are not counted"
    )
    return zeros, statement


def _exchanges(
    layout: Layout, fixed: dict[int, fmpq]
) -> Iterator[tuple[int, tuple[Symmetry, ...]]]:
    """Classes of interchangeable units of one layer, with exchanges that generate S_size."""
    network = layout.network
    for k in range(1, network.depth):
        left = list(range(network.widths[k]))
        while left:
            first, *others = left
            swaps = [(j, _exchange(layout, fixed, k, first, j)) for j in others]
            found = {j: swap for j, swap in swaps if swap is not None}
            left = [j for j in others if j not in found]
            if found:
                yield len(found) + 1, tuple(found.values())


def _exchange(layout: Layout, fixed: dict[int, fmpq], k: int, a: int, b: int) -> Symmetry | None:
    """What exchanging units a and b of layer k does to the parameters, if it is a symmetry."""
    other = {a: b, b: a}
    image: dict[int, int] = {}
    for layer, i, j, entry in layout.places():
        row = other.get(i, i) if layer == k else i
        column = other.get(j, j) if layer == k + 1 else j
        partner = layout.entries[layer - 1][row][column]
        if isinstance(entry, fmpq) or isinstance(partner, fmpq):
            if type(entry) is not type(partner) or entry != partner:
                return None
        elif image.setdefault(entry, partner) != partner:
            return None
    if any(fixed.get(p) != fixed.get(q) for p, q in image.items()):
        return None
    if all(p == q or p in fixed for p, q in image.items()):
        return None  # nothing that is left to find moves
    count = len(layout.names)
    return Symmetry(tuple(image.get(p, p) for p in range(count)), (fmpq(0),) * count)
