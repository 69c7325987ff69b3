"""Certificates: canonical JSON <-> statement, rule, proof; and the three things a check may answer.

A certificate is ``{"schema","statement","rule","proof"}``.  A statement is an instance by value, a
list of hypotheses and one conclusion.  It carries no claim's name: a name is matched from outside,
by building the claim's statement again and comparing bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import gcd
from typing import Any, NoReturn

from theorylab.kernel.arith import MAX_DIGITS, Leaves, Matrix, Poly, Refusal, require, spend
from theorylab.kernel.semantics import (
    NAMED,
    SIGNED,
    Activation,
    Data,
    Entry,
    Network,
    Theta,
    loss_fraction,
)

SCHEMA = "theorylab.certificate/1"
MAX_BYTES = 24_000_000
MAX_ENTRIES = 4_000_000
MAX_DEGREE = 400
_RATIONAL = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:/([1-9][0-9]*))?")


@dataclass(frozen=True, slots=True)
class Fact:
    """One conclusion of the closed list, with its points and values."""

    kind: str
    points: dict[str, Theta] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RootSystem:
    """Equations of a network on data: Phi = Y or grad (L + ridge) = 0, some weights fixed."""

    kind: str
    ridge: tuple[Fraction, ...] | None
    fixed: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    network: Network
    data: Data
    hypotheses: tuple[dict[str, Any], ...]
    conclusion: Fact
    text: bytes
    ridge: tuple[Fraction, ...] | None = None

    def loss_fraction(self, theta: Theta) -> tuple[Any, Any]:
        """The loss that the statement is about, its ridge included."""
        return loss_fraction(self.network, theta, self.data, self.ridge)

    def loss(self, theta: Theta) -> Fraction:
        """The same at a point of rational weights."""
        return Fraction(*self.loss_fraction(theta))

    @property
    def sha256(self) -> str:
        """The digest of ``text``, by which files are named; it proves nothing."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True, slots=True)
class Proved:
    """The hypotheses and the conclusion of the statement hold.  Only the kernel makes this."""

    statement: Statement
    rule: str
    lemmas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refuted:
    """The hypotheses hold and the conclusion's fixed negation holds.  Only the kernel makes it."""

    statement: Statement
    rule: str
    lemmas: tuple[str, ...]
    fact: Fact


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing is shown; ``reason`` (at most 300 characters) names the step that failed."""

    reason: str


Outcome = Proved | Refuted | Rejected


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that the kernel accepts."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii") + b"\n"


def decode(raw: bytes) -> Any:
    """Parse canonical JSON; floats, duplicate keys, huge numbers, other spellings are refused."""
    require(type(raw) is bytes, "a certificate is bytes")
    require(len(raw) <= MAX_BYTES, f"certificate is longer than {MAX_BYTES} bytes")
    try:
        value = json.loads(
            raw.decode("ascii"),
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_small_integer,
            object_pairs_hook=_unique_keys,
        )
        same = canonical(value) == raw
    except RecursionError:
        raise Refusal("JSON is nested too deeply") from None
    except ValueError as error:
        raise Refusal(f"not JSON: {error}") from None
    require(same, "not canonical JSON (sorted keys, no spaces, one final newline)")
    return value


def _no_float(text: str) -> NoReturn:
    raise Refusal(f"number {text[:24]} is not an integer; rationals are strings")


def _small_integer(text: str) -> int:
    require(len(text) <= 18, f"integer {text[:24]}... is too long")
    return int(text)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len({key for key, _ in pairs}) == len(pairs), "duplicate key in an object")
    return dict(pairs)


def fields(value: Any, names: str, optional: str = "") -> tuple[Any, ...]:
    """The values of an object that has exactly the keys ``names`` (and perhaps ``optional``)."""
    wanted, extra = names.split(), optional.split()
    require(type(value) is dict, f"expected an object with {names}")
    missing = [k for k in wanted if k not in value]
    unknown = [k for k in value if k not in wanted and k not in extra]
    require(not missing and not unknown, f"keys missing {missing} or unknown {unknown}")
    require(all(value.get(k, "") is not None for k in extra), "an optional key is null")
    return tuple(value[k] for k in wanted) + tuple(value.get(k) for k in extra)


def items(value: Any, what: str) -> list[Any]:
    require(type(value) is list, f"{what} must be a list")
    return value  # type: ignore[no-any-return]


def integer(value: Any, low: int, high: int, what: str) -> int:
    require(type(value) is int and low <= value <= high, f"{what} must be in {low}..{high}")
    return value  # type: ignore[no-any-return]


def flag(value: Any, what: str) -> bool:
    require(type(value) is bool, f"{what} must be true or false")
    return value  # type: ignore[no-any-return]


def rational(value: Any) -> Fraction:
    require(type(value) is str, "a rational must be a string p/q")
    return _rational(value)


@lru_cache(maxsize=4096)
def _rational(value: str) -> Fraction:
    require(len(value) <= 2 * MAX_DIGITS + 2, f"more than {MAX_DIGITS} digits")
    match = _RATIONAL.fullmatch(value)
    if match is None or value == "-0":
        raise Refusal(f"{value[:24]!r} is not a rational p/q")
    p, q = match.group(1), match.group(2)
    require(max(len(p), len(q or "")) <= MAX_DIGITS + 1, f"more than {MAX_DIGITS} digits")
    numerator, denominator = int(p), int(q) if q is not None else 1
    lowest = gcd(numerator, denominator) == 1 and (q is None or denominator > 1)
    require(lowest, f"{value[:24]} is not in lowest terms")
    return Fraction(numerator, denominator)


def matrix(value: Any, shape: tuple[int, int], what: str) -> Matrix:
    rows = [[rational(v) for v in items(row, what)] for row in items(value, what)]
    right = len(rows) == shape[0] and all(len(row) == shape[1] for row in rows)
    require(right, f"{what} must have shape {shape[0]} x {shape[1]}")
    return Matrix.of(rows)


def theta(value: Any, network: Network, what: str) -> Theta:
    layers = items(value, what)
    require(len(layers) == network.depth, f"{what} must have {network.depth} layers")
    shapes = [network.shape(k) for k in range(1, network.depth + 1)]
    point = tuple(matrix(v, s, f"a layer of {what}") for v, s in zip(layers, shapes, strict=True))
    require(network.conforms(point), f"{what} breaks the pattern of the network")
    return point


def flat(point: Theta) -> list[Fraction]:
    """All weights, layer by layer, row by row: the variables of symbolic identities."""
    return [v for layer in point for i in range(len(layer.rows)) for v in layer.row(i)]


def univariate(value: Any) -> Poly:
    """c_0 + c_1 t + ... from a list without trailing zero."""
    spend(1_000)
    coefficients = [rational(c) for c in items(value, "a polynomial")]
    require(len(coefficients) <= MAX_DEGREE + 1, f"degree of a polynomial exceeds {MAX_DEGREE}")
    require(not coefficients or coefficients[-1] != 0, "a polynomial ends with a zero coefficient")
    return Poly.dense(coefficients)


def polynomials(value: Any, shape: tuple[int, int], what: str) -> Matrix:
    """A matrix of polynomials in one variable."""
    rows = tuple(tuple(univariate(v) for v in items(r, what)) for r in items(value, what))
    right = len(rows) == shape[0] and all(len(row) == shape[1] for row in rows)
    require(right, f"{what} must have shape {shape[0]} x {shape[1]}")
    return Matrix(rows)


def multivariate(value: Any, count: int) -> Poly:
    """A polynomial in the ``count`` flattened weights: [coefficient, [[variable, exp], ...]]."""
    terms: dict[tuple[int, ...], Fraction] = {}
    for term in items(value, "a polynomial"):
        require(type(term) is list and len(term) == 2, "a term is [coefficient, exponents]")
        exponents = [0] * count
        for pair in items(term[1], "exponents"):
            require(type(pair) is list and len(pair) == 2, "an exponent is [variable, power]")
            variable = integer(pair[0], 0, count - 1, "a variable")
            require(exponents[variable] == 0, "a variable occurs twice in a term")
            exponents[variable] = integer(pair[1], 1, 64, "an exponent")
        coefficient, key = rational(term[0]), tuple(exponents)
        require(coefficient != 0 and key not in terms, "a term is zero or occurs twice")
        terms[key] = coefficient
    return Poly.of(terms, count)


def leaves(value: Any) -> Leaves:
    result = []
    for leaf in items(value, "leaves"):
        require(type(leaf) is list and len(leaf) == 2, "a leaf is [level, index]")
        level = integer(leaf[0], 0, 256, "a level")
        result.append((level, integer(leaf[1], 0, 10**17, "an index")))
    return result


def _activation(value: Any) -> Activation:
    if type(value) is str:
        if value in NAMED:
            return Activation(value, NAMED[value])
        require(value in SIGNED and value != "leaky_relu", f"unknown activation {value[:24]!r}")
        return Activation(value, None, Fraction(-1 if value == "abs" else 0))
    require(type(value) is dict and len(value) == 1, "activation is a name or one parameter")
    if "leaky_relu" in value:
        return Activation("leaky_relu", None, rational(value["leaky_relu"]))
    (coefficients,) = fields(value, "polynomial")
    listed = [rational(c) for c in items(coefficients, "coefficients")]
    require(1 <= len(listed) <= 33 and (len(listed) == 1 or listed[-1] != 0), "bad coefficients")
    return Activation("polynomial", tuple(listed))


def _entry(value: Any) -> Entry:
    if value is None:
        return None
    return integer(value, 0, 10**9, "a slot") if type(value) is int else rational(value)


def _network(value: Any) -> Network:
    widths, activation, bias, output, pattern = fields(
        value, "widths activation bias output pattern"
    )
    sizes = [integer(w, 1, 100_000, "a width") for w in items(widths, "widths")]
    require(2 <= len(sizes) <= 65, "a network has 1 to 64 layers")
    biases = [flag(b, "bias") for b in items(bias, "bias")]
    require(len(biases) == len(sizes) - 1, "one bias flag per layer")
    require(output in ("linear", "activation"), "output is linear or activation")
    entries = None
    if pattern is not None:
        require(len(items(pattern, "pattern")) == len(biases), "one pattern per layer")
        entries = tuple(
            None
            if layer is None
            else tuple(tuple(_entry(v) for v in items(row, "pattern")) for row in items(layer, "p"))
            for layer in pattern
        )
    network = Network(
        tuple(sizes), _activation(activation), tuple(biases), output == "activation", entries
    )
    shapes = [network.shape(k) for k in range(1, network.depth + 1)]
    require(sum(r * c for r, c in shapes) <= MAX_ENTRIES, "the network is too big")
    for layer, (rows, columns) in zip(entries or (), shapes, strict=bool(entries)):
        fits = layer is None or (len(layer) == rows and all(len(row) == columns for row in layer))
        require(fits, f"a pattern must have shape {rows} x {columns}")
    return network


def _data(value: Any, network: Network) -> Data:
    x, y, weights = fields(value, "x y weights")
    samples = len(items(x, "x"))
    require(1 <= samples <= 100_000, "data has at least one sample")
    inputs = matrix(x, (samples, network.widths[0]), "x")
    targets = matrix(y, (samples, network.widths[-1]), "y")
    positive = Matrix(((1,) * samples,))
    if weights is not None:
        positive = matrix([weights], (1, samples), "weights")
        require(min(positive.rows[0]) > 0, "sample weights must be positive")
    return Data(inputs.transposed, targets.transposed, positive)


def _expression(value: Any, network: Network) -> Any:
    if type(value) is str:
        return rational(value)
    (point,) = fields(value, "loss")
    return theta(point, network, "the point of a loss")


_POINTS = {
    "joined": "A B",
    "separated": "A B",
    "global_min": "",
    "has_zero": "",
    "neurovariety_dimension": "",
    "components": "",
    "level_tree": "",
    "same_function": "A B",
    "span_path": "A B",
}
_VALUES = {
    "joined": "u",
    "separated": "u",
    "descends": "v eps",
    "trapped": "u v",
    "global_min": "v",
    "local_min": "",
    "not_poor_minimum": "",
    "positive_dimension": "",
    "isolated_zero": "",
    "has_zero": "",
    "jacobian_rank": "at_least at_most",
    "zero_manifold": "at_least at_most",
    "neurovariety_dimension": "at_least at_most",
    "nullity": "at_least at_most",
    "components": "u at_least at_most",
    "level_tree": "levels",
    "same_function": "",
    "span_path": "",
}

_DISTANCES = {
    "sup_norm": "kind polynomial a b at_least at_most",
    "best_error": "kind degree a b at_least at_most",
    "nearest": "kind polynomial degree a b",
}


def _distance(value: Any, kind: str) -> Fact:
    """How near polynomials come to the activation on [a, b]."""
    values: dict[str, Any] = {}
    for name, v in zip(_DISTANCES[kind].split(), fields(value, _DISTANCES[kind]), strict=True):
        if name == "degree":
            values[name] = integer(v, 0, MAX_DEGREE, "a degree")
        elif name != "kind":
            values[name] = univariate(v) if name == "polynomial" else rational(v)
    require(values["a"] < values["b"], "an interval has a < b")
    fits = kind != "nearest" or values["polynomial"].degree <= values["degree"]
    require(fits, "the polynomial has a higher degree")
    return Fact(kind, {}, values)


def _levels(value: Any) -> tuple[tuple[Fraction, int], ...]:
    """Where the number of components changes, and to what: [[level, components], ...]."""
    table = []
    for row in items(value, "levels"):
        require(type(row) is list and len(row) == 2, "a row of levels is [level, components]")
        table.append((rational(row[0]), integer(row[1], 1, 10**9, "components")))
    changes = all(a[0] < b[0] and a[1] != b[1] for a, b in pairwise(table))
    require(bool(table) and changes, "levels must increase and each must change the number")
    return tuple(table)


def _value(name: str, value: Any) -> Any:
    if name == "levels":
        return _levels(value)
    if name not in ("at_least", "at_most"):
        return rational(value)
    return None if name == "at_most" and value is None else integer(value, 0, 10**9, name)


def _fact(value: Any, network: Network) -> Fact:
    require(type(value) is dict and type(value.get("kind")) is str, "a conclusion has a kind")
    kind = value["kind"]
    if kind == "relation":
        _, left, op, right = fields(value, "kind left op right")
        require(op in ("<", "<=", "=="), "op is <, <= or ==")
        sides = {"left": _expression(left, network), "right": _expression(right, network)}
        return Fact(kind, {}, {**sides, "op": op})
    if kind == "roots":
        _, system, least, real, most = fields(value, "kind system at_least real_at_least at_most")
        counts = {
            "at_least": integer(least, 0, 10**17, "at_least"),
            "real_at_least": integer(real, 0, 10**9, "real_at_least"),
            "at_most": None if most is None else integer(most, 0, 10**18, "at_most"),
        }
        return Fact(kind, {}, {"system": _root_system(system), **counts})
    if kind in _DISTANCES:
        return _distance(value, kind)
    require(kind in _VALUES, f"unknown conclusion {kind[:24]!r}")
    points, values = _POINTS.get(kind, "A").split(), _VALUES[kind].split()
    fields(value, " ".join(["kind", *points, *values]))
    fact = Fact(
        kind,
        {name: theta(value[name], network, name) for name in points},
        {name: _value(name, value[name]) for name in values},
    )
    require(fact.values.get("eps", 0) >= 0, "eps must not be negative")
    return fact


def _root_system(value: Any) -> RootSystem:
    kind, ridge, fixed = fields(value, "kind ridge fixed")
    require(kind in ("interpolation", "critical"), "a system is interpolation or critical")
    weights = None if ridge is None else tuple(rational(v) for v in items(ridge, "ridge"))
    pairs = []
    for pair in items(fixed, "fixed"):
        require(type(pair) is list and len(pair) == 2, "a fixed parameter is [index, value]")
        pairs.append((integer(pair[0], 0, MAX_ENTRIES, "an index"), rational(pair[1])))
    increasing = all(a[0] < b[0] for a, b in pairwise(pairs))
    require(increasing, "fixed parameters must be listed in order, once each")
    return RootSystem(kind, weights, tuple(pairs))


def _ridge(value: Any, network: Network) -> tuple[Fraction, ...] | None:
    if value is None:
        return None
    ridge = tuple(rational(v) for v in items(value, "ridge"))
    require(network.pattern is None, "a ridge is for dense networks")
    require(len(ridge) == network.entry_count, "ridge has one number for each entry")
    require(min(ridge) >= 0 < max(ridge), "a ridge is not negative, and not all zero")
    return ridge


def parse_statement(value: Any) -> Statement:
    network_json, data_json, hypotheses, conclusion, penalty = fields(
        value, "network data hypotheses conclusion", "ridge"
    )
    network = _network(network_json)
    data, ridge = _data(data_json, network), _ridge(penalty, network)
    listed = items(hypotheses, "hypotheses")
    require(len(listed) <= 16, "a statement has at most 16 hypotheses")
    for hypothesis in listed:
        named = type(hypothesis) is dict and type(hypothesis.get("kind")) is str
        require(named, "a hypothesis has a kind")
    said = any(hypothesis["kind"] in ("ridge", "common_ridge") for hypothesis in listed)
    require(said == (ridge is not None), "a ridge is a hypothesis, ridge or common_ridge")
    fact = _fact(conclusion, network)
    return Statement(network, data, tuple(listed), fact, canonical(value), ridge)


def parse(raw: bytes) -> tuple[Statement, str, Any]:
    """Statement, rule and proof of a certificate; raises ``Refusal`` with the first broken rule."""
    schema, statement, rule, proof = fields(decode(raw), "schema statement rule proof")
    require(schema == SCHEMA, f"schema must be {SCHEMA}")
    require(type(rule) is str, "rule must be a name")
    return parse_statement(statement), rule, proof


def counted(conclusion: Fact, exact: int) -> Fact:
    """The conclusion if the exact number is what it says, else that the number is another."""
    low, high = conclusion.values["at_least"], conclusion.values["at_most"]
    if low <= exact and (high is None or exact <= high):
        return conclusion
    values = {**conclusion.values, "at_least": exact, "at_most": exact}
    return Fact(f"other_{conclusion.kind}", conclusion.points, values)


Rule = Callable[[Statement, Any], tuple[Fact, Sequence[str]]]
