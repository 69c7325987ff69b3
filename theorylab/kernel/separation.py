"""Rule ``barrier``: walls above the level that separate points of a sublevel set.

A wall is a function that is continuous and not 0 on {L <= u}; its sign labels components.  A ridge
only adds to the loss, so what keeps the plain loss above u on a wall keeps the loss above u.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from math import factorial, gcd
from operator import matmul, mul
from typing import Any

from theorylab.kernel import statements as read
from theorylab.kernel.arith import Matrix, Poly, Refusal, require, spend
from theorylab.kernel.arith import is_positive_semidefinite as is_semidefinite
from theorylab.kernel.semantics import Theta, residual
from theorylab.kernel.statements import Fact, Statement

# what tells apart the sides of a wall: a sign, or which unit bends where
Label = Callable[[Theta], Any]

MAX_VARIABLES = 24


def symbolic_loss(statement: Statement) -> tuple[Poly, int]:
    """The loss as a polynomial in all weights (polynomial activations); w_i is the i-th entry.

    A fixed entry is its value, a shared one the variable of the first entry that shares it.
    """
    network, count = statement.network, statement.network.entry_count
    require(network.activation.coefficients is not None, "an identity needs a polynomial")
    require(count <= MAX_VARIABLES, f"an identity in more than {MAX_VARIABLES} variables")
    index, point = 0, []
    first: dict[int, int] = {}
    for layer in network.parameters():
        block = []
        for row in layer:
            places = [first.setdefault(e, index + j) if type(e) is int else e
                      for j, e in enumerate(row)]  # fmt: skip
            index += len(row)
            block.append(tuple(Poly.variable(p, count) if type(p) is int else Poly({}, count) + p
                               for p in places))  # fmt: skip
        point.append(Matrix(tuple(block)))
    numerator, denominator = statement.loss_fraction(tuple(point))
    if not isinstance(numerator, Poly):
        numerator = Poly({}, count) + numerator
    return numerator * Fraction(1, denominator), count


def combination(terms: Any, guards: list[Poly], count: int) -> Poly:
    """sum c prod guard^e Q^2 with c >= 0 (Lemma 6): non-negative where the guards are."""
    total = Poly({}, count)
    for term in read.items(terms, "terms"):
        require(type(term) is list and len(term) == 3, "a term is [c, guards, Q]")
        c, q = read.rational(term[0]), read.multivariate(term[2], count)
        require(c >= 0, "a coefficient of a combination is negative")
        factors = [q]
        for pair in read.items(term[1], "guards"):
            require(type(pair) is list and len(pair) == 2, "a guard is [index, exponent]")
            guard = guards[read.integer(pair[0], 0, len(guards) - 1, "a guard")]
            factors += [guard] * read.integer(pair[1], 1, 8, "an exponent")
        product = q * c
        for factor in factors:
            product = product * factor
        total = total + product
    return total


def sign(value: Any) -> int:
    return int(value > 0) - int(value < 0)


def determinant_sign(matrix: Matrix) -> int:
    """The sign of a square determinant, rows scaled by positive numbers only."""
    rows, result = [list(row) for row in matrix.rows], 1
    while rows:
        pivot = next((i for i, row in enumerate(rows) if row[0]), None)
        if pivot is None:
            return 0
        lead, *head = rows.pop(pivot)
        result *= (-1) ** pivot * sign(lead)
        size, below = max(map(int.bit_length, [lead, *head])), []
        for first, *rest in rows:
            spend(32 * (1 + len(rest)), max(map(int.bit_length, [first, *rest])), size)
            # adding the head to a row changes no determinant
            row = [abs(lead) * v - sign(lead) * first * w for v, w in zip(rest, head, strict=True)]
            common = gcd(*row) or 1
            below.append([v // common for v in row])
        rows = below
    return result


def _identity(symbolic: tuple[Poly, int], u: Fraction, parts: tuple[Any, ...]) -> Poly:
    """The wall g of L - u = margin + sum d Q^2 + h g with margin > 0 (Lemma 7)."""
    wall_json, multiplier, squares, margin = parts
    expanded, count = symbolic
    wall, eps = read.multivariate(wall_json, count), read.rational(margin)
    require(eps > 0, "the margin must be positive")
    identity = combination([[d, [], q] for d, q in _pairs(squares)], [], count)
    identity = identity + wall * read.multivariate(multiplier, count) + (eps + u) - expanded
    require(not identity.terms, "the identity of the wall does not hold")
    return wall


def _polynomial(statement: Statement, u: Fraction, parts: tuple[Any, ...]) -> Label:
    """Lemma 7: g."""
    wall = _identity(symbolic_loss(statement), u, parts)
    return lambda theta: sign(wall(read.flat(theta)))


def _higher(u: Fraction, floor: Fraction, a: Matrix, b: Matrix, gap: Any, frame: Matrix) -> None:
    """u < floor + gap, A >= gap B, and the frame has independent columns."""
    g = read.rational(gap)
    spend(80 * len(a.entries), a.bits, b.bits)
    pairs = ((a.row(i), b.row(i)) for i in range(len(a.rows)))
    excess = [[v - g * w for v, w in zip(*rows, strict=True)] for rows in pairs]
    require(frame.rank() == len(frame.rows[0]), "the columns of the frame are dependent")
    require(is_semidefinite(Matrix.of(excess)), "the gap is not shown to be one")
    require(u < floor + g, "the level is not below the wall")


def ky_fan(statement: Statement, parts: tuple[Any, ...]) -> tuple[Fraction, Matrix]:
    """The bound of Lemma 10 for a linear network without bias, and its Z."""
    network, data = statement.network, statement.data
    fit, mu_text, excess_json = parts
    require(network.activation.is_linear and not any(network.bias), "ky-fan: linear, no bias")
    n, m = network.widths[0], network.widths[-1]
    estimate = read.matrix(fit, (m, n), "fit") @ data.x
    normal = data.gram(residual(estimate, data.y), data.x)
    require(not any(normal.entries), "fit is not a least-squares solution")
    excess, mu = read.matrix(excess_json, (m, m), "Z"), read.rational(mu_text)
    s = data.gram(estimate, estimate)
    z, gram = ([a.row(i) for i in range(m)] for a in (excess, s))
    slack = [[z[i][j] - gram[i][j] + mu * (i == j) for j in range(m)] for i in range(m)]
    require(mu >= 0, "mu must not be negative")
    require(is_semidefinite(excess), "Z is not positive semidefinite")
    require(is_semidefinite(Matrix.of(slack)), "mu I + Z - S is not semidefinite")
    return data.energy - min(network.widths) * mu - sum(z[i][i] for i in range(m)), excess


def _determinant(statement: Statement, u: Fraction, parts: tuple[Any, ...]) -> Label:
    """Lemma 29: det(U^T W_K ... W_{k+1}) of a linear network that has r units in layer k."""
    network = statement.network
    layer, columns, gap, *dual = parts
    floor, excess = ky_fan(statement, tuple(dual))
    k = read.integer(layer, 1, network.depth - 1, "a hidden layer")
    frame = read.matrix(columns, (network.widths[-1], network.widths[k]), "frame")
    turned = frame.transposed
    _higher(u, floor, turned @ excess @ frame, turned @ frame, gap, frame)
    return lambda theta: determinant_sign(reduce(matmul, (turned, *theta[: k - 1 : -1])))


def _features(statement: Statement, u: Fraction, parts: tuple[Any, ...]) -> Label:
    """Lemma 30: det(H_k V), H_k the features of layer k, r in number, all above it linear."""
    network, data, rho = statement.network, statement.data, statement.network.activation
    layer, columns, gap = parts
    k = read.integer(layer, 1, network.depth - 1, "a hidden layer")
    last = k == network.depth - 1 and not network.output_activated
    linear = (last or rho.is_linear) and not any(network.bias[k:])
    continuous = rho.coefficients is not None or rho.is_linear_on_each_side
    require(linear and continuous, "features: rho continuous, linear without bias above the layer")
    frame = read.matrix(columns, (data.samples, network.widths[k]), "frame")
    spend(40 * len(frame.entries), frame.bits, frame.bits + data.weights.bits)
    weighed = zip(map(frame.row, range(data.samples)), data.weights.row(0), strict=True)
    scaled = Matrix.of([[v / s for v in row] for row, s in weighed])
    image = data.y @ frame
    gram = image.transposed @ image
    _higher(u, Fraction(0), gram, frame.transposed @ scaled, gap, frame)
    return lambda theta: determinant_sign(network.features(theta, data.x)[k] @ frame)


def _narrow(statement: Statement, u: Fraction, parts: tuple[Any, ...]) -> Label:
    """Lemma 31: c . g, g what the layers above the only unit of layer k make of the value 1."""
    network, data, rho = statement.network, statement.data, statement.network.activation
    layer, direction = parts
    k = read.integer(layer, 1, network.depth - 1, "a hidden layer")
    degrees = [i for i, a in enumerate(rho.coefficients or ()) if a]
    monomial = len(degrees) == 1 and degrees[0] > 0
    sided = rho.coefficients is None and rho.is_linear_on_each_side and rho.slope <= 0
    fits = network.widths[k] == 1 and not any(network.bias[k:]) and (monomial or sided)
    require(fits, "narrow: one unit, no bias above it, rho >= 0 and homogeneous, or a monomial")
    c = read.matrix([direction], (1, network.widths[-1]), "direction")
    least = Fraction(*data.squared_norm(c @ data.y))
    size = Fraction(sum(map(mul, c.rows[0], c.rows[0])), c.den**2)
    require(least > u * size, "the level is not below the wall")

    def label(theta: Theta) -> int:
        value = Matrix(((1,),))
        for weights in theta[k:-1]:
            value = rho.on(weights @ value)
        return sign((c @ network.output(theta, value)).entries[0])

    return label


def _line(statement: Statement, u: Fraction, parts: tuple[Any, ...]) -> Label:
    """Lemma 31: w . d, w the only unit of layer 1 and d the direction of the line of all inputs."""
    network, data, rho = statement.network, statement.data, statement.network.activation
    d, inputs = (
        read.matrix(list(parts), (1, network.widths[0]), "direction").rows[0],
        data.x.columns,
    )
    spend(8 * len(data.x.entries), data.x.bits)
    vanishes = not any(network.bias) and not (rho.coefficients or (0,))[0]
    central = vanishes and Matrix((d, *inputs)).rank() == 1
    apart = (tuple(v - w for v, w in zip(x, inputs[0], strict=True)) for x in inputs)
    require(network.widths[1] == 1 and any(d), "line: one unit in layer 1, and a direction")
    require(central or Matrix((d, *apart)).rank() == 1, "the inputs are on no such line")
    total = data.gram(data.y, Matrix(((1,) * data.samples,)))
    size = Fraction(sum(v * v for v in total.entries), total.den**2)
    mean = size * data.weights.den / sum(data.weights.rows[0])
    require(u < data.energy - (0 if central else mean), "the level is not below the wall")
    return lambda theta: sign(sum(map(mul, theta[0].rows[0], d)))


def _kinks(statement: Statement, u: Fraction, parts: tuple[Any, ...]) -> Label:
    """Lemma 32: which unit bends in which of p brackets on one line, and which way it points."""
    network, data = statement.network, statement.data
    fits = network.depth == 2 and network.widths[2] == 1 and not network.output_activated
    require(
        fits and network.activation.is_linear_on_each_side, "kinks: one hidden layer, relu-like"
    )
    triples = [read.items(triple, "a bracket") for triple in read.items(parts[0], "brackets")]
    require(len(triples) == network.widths[1] <= 1_000, "kinks: one bracket for each unit")
    require(all(len(triple) == 3 for triple in triples), "a bracket is [start, middle, end]")
    used = [[read.integer(j, 0, data.samples - 1, "a sample") for j in t] for t in triples]
    spend(4 * len(data.x.entries))
    columns = data.x.columns
    base, tip = (columns[used[0][e]] for e in (0, 2))
    axis = next((i for i, (v, w) in enumerate(zip(base, tip, strict=True)) if v != w), None)
    if axis is None:
        raise Refusal("a bracket starts where it ends")
    reached = None
    spend(900 * len(used) * len(base), 4 * data.x.bits, 2 * data.x.bits)
    spend(900 * len(used), 4 * data.x.bits + data.y.bits + data.weights.bits, 4 * data.x.bits)
    for triple in used:
        place = []
        for column in map(columns.__getitem__, triple):
            s = Fraction(column[axis] - base[axis], tip[axis] - base[axis])
            straight = zip(column, base, tip, strict=True)
            require(all(x == v + s * (w - v) for x, v, w in straight), "a sample is off the line")
            place.append(s)
        start, middle, end = place
        require(start < middle < end and (reached is None or reached <= start), "brackets overlap")
        reached = end
        bend = (end - middle, start - end, middle - start)
        y, weights = ([m.rows[0][j] for j in triple] for m in (data.y, data.weights))
        gap = sum(map(mul, bend, y)) / data.y.den
        norm = sum(c * c / w for c, w in zip(bend, weights, strict=True)) * data.weights.den
        require(gap * gap > u * norm, "the level is not below the loss without a kink")

    def label(theta: Theta) -> Any:
        spend(100 * len(used) ** 2)
        found: list[tuple[int, int]] = []
        for z in network.preactivation(1, theta[0], data.x).rows:
            found += [(b, sign(z[k])) for b, (i, _, k) in enumerate(used) if z[i] * z[k] < 0]
        require(len(found) == len(used), "a unit has no kink in a bracket")
        return tuple(found)

    return label


Build = Callable[[Statement, Fraction, tuple[Any, ...]], Label]
WALLS: dict[str, tuple[str, str, Build]] = {
    "identity": ("Lemma 7", "wall multiplier squares margin", _polynomial),
    "determinant": ("Lemma 29", "layer frame gap fit mu Z", _determinant),
    "features": ("Lemma 30", "layer frame gap", _features),
    "narrow": ("Lemma 31", "layer direction", _narrow),
    "line": ("Lemma 31", "direction", _line),
    "kinks": ("Lemma 32", "brackets", _kinks),
}


def _apart(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemma 28: points of {L <= u} that the walls label differently are in different components."""
    conclusion, network = statement.conclusion, statement.network
    walls, listed = read.fields(proof, "walls", "points")
    require(conclusion.kind in ("components", "joined", "separated"), "walls separate or count")
    counting, u = conclusion.kind == "components", conclusion.values["u"]
    require(counting == (listed is not None), "points are for components")
    points = [*conclusion.points.values()]
    spend(2_000 * (len(read.items(walls, "walls")) + len(read.items(listed or [], "points"))))
    points += [read.theta(p, network, "a point") for p in listed or []]
    kinds: list[str] = []
    lemmas, labels = ["Lemma 28"], list[Label]()
    for wall in walls:
        kind = str(wall.get("kind")) if type(wall) is dict else ""
        require(kind in WALLS, "unknown kind of wall")
        kinds.append(kind)
        lemma, names, build = WALLS[kind]
        lemmas.append(lemma)
        labels.append(build(statement, u, read.fields(wall, f"kind {names}")[1:]))
    require(all(statement.loss(point) <= u for point in points), "a point lies above the level")
    seen = [tuple(label(point) for label in labels) for point in points]
    cited = sorted(set(lemmas))
    if not counting:
        require(seen[0] != seen[1], "A and B are not on different sides of a wall")
        return Fact("separated", conclusion.points, {"u": u}), cited
    number = len(set(seen))
    if kinds == ["kinks"] and network.pattern is None and statement.ridge is None:
        # the units of each point can be permuted
        number = len({tuple(sorted(label)) for (label,) in seen})
        number *= factorial(min(network.widths[1], 20))
    low, high = conclusion.values["at_least"], conclusion.values["at_most"]
    if high is not None and number > high:
        return Fact("other_components", {}, {"u": u, "at_least": number, "at_most": None}), cited
    require(high is None and number >= low, f"the walls show {number} components")
    return conclusion, cited


def barrier(statement: Statement, proof: Any) -> tuple[Fact, list[str]]:
    """Lemmas 7, 28-32: walls above the level that separate; or that trap A's component."""
    if type(proof) is dict and "walls" in proof:
        return _apart(statement, proof)
    *parts, level, side, floor, lower = read.fields(
        proof, "wall multiplier squares margin", "u side v lower"
    )
    points = statement.conclusion.points
    start = points.get("A")
    if start is None:
        raise Refusal("the conclusion has no point A")
    trap = side is not None
    u = read.rational(level) if trap else statement.conclusion.values.get("u")
    if u is None or (level is not None and not trap):
        raise Refusal("u belongs to the conclusion, or to the proof of a trap")
    symbolic, count = symbolic_loss(statement)
    wall = _identity((symbolic, count), u, tuple(parts))
    require(statement.loss(start) <= u, "A lies above the level")
    here = wall(read.flat(start))
    if not trap:
        require(floor is None and lower is None, "v and lower belong to a trap")
        end = points.get("B")
        if end is None:
            raise Refusal("the conclusion has no point B")
        require(statement.loss(end) <= u, "B lies above the level")
        require(here * wall(read.flat(end)) < 0, "A and B are not on different sides of the wall")
        return Fact("separated", {"A": start, "B": end}, {"u": u}), ["Lemma 7"]
    require(here != 0, "A lies on the wall")
    v = read.rational(floor)
    oriented = wall if here > 0 else wall * -1
    terms = [[c, [[0, e]] if e else [], q] for c, e, q in _triples(side)]
    remainder = symbolic - v - combination(terms, [oriented], count)
    require(not remainder.terms, "the identity on A's side does not hold")
    below = read.theta(lower, statement.network, "lower")
    require(statement.loss(below) < v, "the lower point is not lower")
    return Fact("trapped", {"A": start}, {"u": u, "v": v}), ["Lemma 7", "Lemma 6"]


def _pairs(value: Any) -> list[list[Any]]:
    listed = read.items(value, "squares")
    require(all(type(v) is list and len(v) == 2 for v in listed), "a square is [d, Q]")
    return listed


def _triples(value: Any) -> list[list[Any]]:
    listed = read.items(value, "side")
    right = all(type(v) is list and len(v) == 3 and type(v[1]) is int for v in listed)
    require(right and all(v[1] in (0, 1) for v in listed), "a side term is [c, 0 or 1, Q]")
    return listed
