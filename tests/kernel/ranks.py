"""Ranks, nullities, zeros and dimensions by sympy's derivatives: a check on the rule ``rank``."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import literal
from kernel.segments import (
    Json,
    Theta,
    coefficients,
    forward,
    loss_over,
    need,
    numbered,
    numbers,
    polynomial_rho,
)
from sympy import QQ, Matrix, Rational
from sympy.polys.rings import ring

COUNTS = ("jacobian_rank", "zero_manifold", "nullity", "neurovariety_dimension")


class Space:
    """Network and data over Q[parameters, inputs]; a shared slot is one variable."""

    def __init__(self, network: Json, data: Json) -> None:
        self.network, self.data = network, data
        self.places, self.count = numbered(network)
        inputs = range(network["widths"][0])
        names = [f"w{i}" for i in range(self.count)] + [f"x{i}" for i in inputs]
        self.ring, *gens = ring(names, QQ)
        self.weights, self.inputs = gens[: self.count], gens[self.count :]
        self.theta = [
            [[self.weights[v] if isinstance(v, int) else self.number(v) for v in row] for row in w]
            for w in self.places
        ]
        self.rho = polynomial_rho(network, self.ring.one)

    def number(self, value: Json) -> Json:
        q = Fraction(value)
        return self.ring.one * QQ(q.numerator, q.denominator)

    def flat(self, point: Theta) -> list[Fraction]:
        """The parameters of a point."""
        found: dict[int, Fraction] = {}
        for layer, w in zip(self.places, point, strict=True):
            for row, values in zip(layer, w, strict=True):
                found |= {i: v for i, v in zip(row, values, strict=True) if isinstance(i, int)}
        return [found[i] for i in range(self.count)]

    def at(self, p: Json, here: list[Fraction]) -> Rational:
        """p, in the parameters only, at a point."""
        total = Fraction(0)
        for key, c in p.terms():
            term = Fraction(int(c.numerator), int(c.denominator))
            for value, power in zip(here, key, strict=False):
                term *= value**power
            total += term
        return Rational(total.numerator, total.denominator)

    def equations(self) -> list[Json]:
        """Phi - Y, output by output."""
        rows = [
            forward(self.network, list(map(self.number, x)), self.theta, self.ring.one, self.rho)[1]
            for x in self.data["x"]
        ]
        pairs = zip(rows, self.data["y"], strict=True)
        found = [[f - self.number(y) for f, y in zip(*pair, strict=True)] for pair in pairs]
        return [row[o] for o in range(len(found[0])) for row in found]

    def functions(self) -> list[Json]:
        """Phi as polynomials in parameters and inputs."""
        return forward(self.network, self.inputs, self.theta, self.ring.one, self.rho)[1]

    def read(self, terms: Json) -> Json:
        total, seen = self.ring.zero, set()
        for coefficient, exponents in terms:
            monomial = self.number(coefficient)
            for variable, power in exponents:
                need(0 <= variable < self.count and power >= 1, "exponent")
                monomial = monomial * self.weights[variable] ** power
            seen.add(str(sorted(exponents)))
            total = total + monomial
        need(len(seen) == len(terms), "a term twice")
        return total

    def jacobian_rank(self, here: list[Fraction]) -> int:
        rows = [[self.at(f.diff(w), here) for w in self.weights] for f in self.equations()]
        return int(Matrix(rows).rank())

    def coefficient_rank(self, here: list[Fraction]) -> int:
        """The rank of the derivative of the coefficients in x."""
        columns = []
        for w in self.weights:
            column: dict[Json, Fraction] = {}
            for o, f in enumerate(self.functions()):
                for key, c in f.diff(w).terms():
                    term = Fraction(int(c.numerator), int(c.denominator))
                    for value, power in zip(here, key, strict=False):
                        term *= value**power
                    place = (o, *key[self.count :])
                    column[place] = column.get(place, Fraction(0)) + term
            columns.append(column)
        places = sorted({place for column in columns for place in column})
        need(places, "no function moves")
        return int(Matrix([[Rational(str(c.get(p, 0))) for c in columns] for p in places]).rank())


def shown_rank(network: Json, data: Json, conclusion: Json, proof: Json) -> tuple[str, Json]:
    """The kind of the fact that is shown, and the exact number that belongs to it if any."""
    kind = conclusion["kind"]
    if kind == "has_zero" and set(proof) == {"point"}:
        point = numbers(proof["point"])
        need(literal.conforms(network, point), "pattern")
        need(literal.loss(network, data, point) == 0, "no zero")
        return kind, None
    space = Space(network, data)
    need(space.count > 0, "no parameters")
    if kind == "neurovariety_dimension":
        return kind, _dimension(space, proof)
    if kind == "has_zero":
        _identity(space, proof, None)
        return "no_zero", None
    point = numbers(conclusion["A"])
    here = space.flat(point)
    if kind == "nullity":
        need(proof == {}, "a proof")
        energy = loss_over(network, data, space.theta, space.ring.one, space.rho)
        slopes = [energy.diff(w) for w in space.weights]
        need(not any(space.at(p, here) for p in slopes), "not critical")
        hessian = [[space.at(p.diff(w), here) for w in space.weights] for p in slopes]
        return kind, space.count - int(Matrix(hessian).rank())
    if kind == "jacobian_rank":
        need(proof == {}, "a proof")
        return kind, space.jacobian_rank(here)
    need(literal.loss(network, data, point) == 0, "no zero")
    if proof:
        need(kind in ("positive_dimension", "isolated_zero"), "an identity")
        _identity(space, proof, here)
        return "isolated_zero", None
    equations = len(data["x"]) * network["widths"][-1]
    need(space.jacobian_rank(here) == equations, "not of full rank")
    free = space.count - equations
    if kind == "zero_manifold":
        return kind, free
    need(kind in ("positive_dimension", "isolated_zero"), "unknown conclusion")
    return "positive_dimension" if free else "isolated_zero", None


def _identity(space: Space, proof: Json, here: list[Fraction] | None) -> None:
    keys = {"constant", "multipliers", "margins", "squares"}
    need(set(proof) == keys, "keys")
    equations, total = space.equations(), space.ring.zero
    for h, f in zip(proof["multipliers"], equations, strict=True):
        total = total + space.read(h) * f
    constant, margins = Fraction(proof["constant"]), [Fraction(d) for d in proof["margins"]]
    if here is None:
        need(constant > 0 and not margins, "the constant")
    else:
        need(constant == 0 and len(margins) == space.count and min(margins) > 0, "the margins")
        for d, w, a in zip(margins, space.weights, here, strict=True):
            total = total - (w - space.number(a)) ** 2 * space.number(d)
    for e, q in proof["squares"]:
        need(Fraction(e) >= 0, "a negative square")
        total = total - space.read(q) ** 2 * space.number(e)
    need(total == space.number(constant), "the identity")


def _dimension(space: Space, proof: Json) -> int:
    """The rank at the point; that it is the highest is tried at random points as well."""
    network, upper = space.network, proof["upper"]
    need(set(proof) == {"at", "upper"}, "keys")
    at = numbers(proof["at"])
    need(literal.conforms(network, at), "pattern")
    found, rng = space.coefficient_rank(space.flat(at)), random.Random(3)
    for _ in range(4):
        anywhere = [Fraction(rng.randint(-99, 99)) for _ in range(space.count)]
        need(space.coefficient_rank(anywhere) <= found, "a higher rank elsewhere")
    if upper["by"] == "ambient":
        monomials = {
            (o, *key[space.count :]) for o, f in enumerate(space.functions()) for key in dict(f)
        }
        need(upper == {"by": "ambient"} and found == len(monomials), "ambient")
    elif upper["by"] == "catalecticant":
        n, p, listed = network["widths"][0], network["widths"][1], coefficients(network) or []
        k, odd = divmod(len(listed) - 1, 2)
        need(upper == {"by": "catalecticant"} and not odd and k > 0, "catalecticant")
        need(not any(listed[:-1]) and len(network["widths"]) == 3, "one power")
        need(True not in network["bias"] and network["output"] == "linear", "plain")
        need(network["widths"][2] == 1 and p < comb(n - 1 + k, k), "narrow")
        need(found == comb(n - 1 + 2 * k, 2 * k) - 1, "catalecticant")
    else:
        need(set(upper) == {"by", "fields"} and upper["by"] == "fields", "fields")
        values = []
        for field in upper["fields"]:
            parts = [space.read(q) for q in field]
            for f in space.functions():
                pairs = zip(parts, space.weights, strict=True)
                need(not sum((v * f.diff(w) for v, w in pairs), space.ring.zero), "a field")
            values.append([space.at(q, space.flat(at)) for q in parts])
        need(not values or Matrix(values).rank() == len(values), "dependent fields")
        need(found == space.count - len(values), "fields")
    return found
