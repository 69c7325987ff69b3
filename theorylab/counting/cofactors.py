"""Steps from the equations of a system to a staircase: why it has at most so many solutions.

A Buchberger computation over Z that remembers how each element was made from earlier ones, stops
as soon as the standard monomials are few enough, and keeps only the steps that matter. The kernel
repeats the steps (Lemma 25); nothing here is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from math import gcd
from typing import Any, Final

from flint import fmpz_mpoly, fmpz_mpoly_ctx

from theorylab.counting.expanded import Expanded, Monomial
from theorylab.outcome import Undecided

MOST_UNKNOWNS: Final = 10
# Terms met in reductions, and bits of a coefficient. Measured: an attempt ends in 3 seconds.
_WORK: Final = 1_500_000
_BITS: Final = 8_000
# Beyond so many bits what is reached becomes a member, and its cofactors start again from 1.
_COFACTOR_BITS: Final = 400

Step = tuple[tuple[int, dict[Monomial, int]], ...]


@dataclass(frozen=True, slots=True)
class Staircase:
    """At most ``bound`` solutions in C^n, with multiplicity, and the steps that show it.

    Members 0, 1, ... are the equations in primitive integers, then one for each step: the sum of
    cofactor times member, made primitive. The leading monomials (degrevlex) of all members leave
    ``bound`` standard monomials. Guarantees: exact; the kernel checks it by Lemma 25.
    """

    bound: int
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, Any]:
        """The proof of an upper bound as the kernel reads it."""
        return {"by": "staircase", "steps": [[_summand(*s) for s in step] for step in self.steps]}


def _summand(member: int, cofactor: dict[Monomial, int]) -> list[Any]:
    terms = [
        [str(c), [[j, e] for j, e in enumerate(m) if e]]
        for m, c in sorted(cofactor.items(), reverse=True)
    ]
    return [member, terms]


def staircase(system: Expanded, enough: int = 0) -> Staircase | Undecided:
    """Steps that bound the number of all complex solutions of a system, square or not.

    It stops at ``enough`` standard monomials, or at a Groebner basis. Guarantees: exact.
    Undecided where solutions are not finite in number, and beyond fixed bounds on the work.
    Source: B. Buchberger's algorithm with the criteria of R. Gebauer and H. M. Moeller (1988).

    >>> from flint import fmpq
    >>> circle = {(2, 0): fmpq(1), (0, 2): fmpq(1), (0, 0): fmpq(-5)}
    >>> found = staircase(Expanded(("x", "y"), (circle, {(1, 1): fmpq(1), (0, 0): fmpq(-2)})))
    >>> found.bound, found.to_json()["steps"]
    (4, [[[0, [['1', [[1, 1]]]]], [1, [['-1', [[0, 1]]]]]]])
    """
    n = len(system.variables)
    if not 0 < n <= MOST_UNKNOWNS or not all(system.polynomials):
        return _undecided(f"a staircase is tried up to {MOST_UNKNOWNS} unknowns")
    # Reduced tails are shorter for most systems; for a few their numbers explode.
    found = _Buchberger(system, enough, tails=True).run()
    if isinstance(found, Undecided):
        found = _Buchberger(system, enough, tails=False).run()
    return found


def standard_count(corners: Iterable[Monomial], n: int, most: int) -> int | None:
    """The number of monomials that no corner divides; None if there are more than ``most``.

    >>> standard_count([(2, 0), (1, 1), (0, 3)], 2, 100)
    4
    """
    kept_corners = list(corners)
    pure = {j for c in kept_corners for j in range(n) if c[j] == sum(c)}
    if len(pure) < n:
        return None
    found, layer = 0, {(0,) * n}
    while layer:
        kept = [m for m in layer if not any(_divides(c, m) for c in kept_corners)]
        found += len(kept)
        if found > most:
            return None
        layer = {(*m[:j], m[j] + 1, *m[j + 1 :]) for m in kept for j in range(n)}
    return found


def _undecided(reason: str) -> Undecided:
    return Undecided(reason, "staircase", "keep the assurance of the exact count")


def _divides(a: Monomial, b: Monomial) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _lcm(a: Monomial, b: Monomial) -> Monomial:
    return tuple(map(max, a, b))


def _less(a: Monomial, b: Monomial) -> Monomial:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def _lowered(
    p: fmpz_mpoly, made: dict[int, fmpz_mpoly], scale: int
) -> tuple[fmpz_mpoly, dict[int, fmpz_mpoly], int]:
    """The same with p primitive (the sign stays, as in the kernel) and lower cofactors."""
    if not len(p):
        return p, made, scale
    content = gcd(*map(int, p.coeffs()))
    scale *= content
    common = gcd(scale, *(int(c) for q in made.values() for c in q.coeffs()))
    if common > 1:
        made = {key: q / common for key, q in made.items()}
    return p / content if content > 1 else p, made, scale // common


class _TooMuch(Exception):
    """The bounds on the work are reached."""


class _Buchberger:
    def __init__(self, system: Expanded, enough: int, *, tails: bool) -> None:
        self.n = len(system.variables)
        self.enough = enough
        self.tails = tails
        self.ring = fmpz_mpoly_ctx.get(("x", self.n), "degrevlex")
        self.members: list[fmpz_mpoly] = []
        self.leads: list[Monomial] = []
        self.made: list[dict[int, fmpz_mpoly]] = []
        self.pairs: list[tuple[int, Monomial, int, int]] = []
        self.alive: list[int] = []
        self.work = 0
        for p in system.integral():
            self._add(self.ring.from_dict(dict(p)), {})
        self.given = len(self.members)

    def run(self) -> Staircase | Undecided:
        bound = self._bound()
        try:
            while self.pairs and (bound is None or bound > self.enough):
                _, _, i, j = heappop(self.pairs)
                if self._extend(i, j):
                    bound = self._bound()
        except _TooMuch:
            return _undecided("the steps to a Groebner basis grew too long")
        if bound is None:
            return _undecided("no staircase is finite: there are infinitely many solutions")
        return Staircase(bound, self._kept())

    def _bound(self) -> int | None:
        most = 100 * self.enough + 10_000
        return standard_count((self.leads[i] for i in self.alive), self.n, most)

    def _add(self, p: fmpz_mpoly, made: dict[int, fmpz_mpoly]) -> None:
        """A new member, and its pairs as Gebauer and Moeller keep them."""
        new, lead = len(self.members), tuple(map(int, p.monomial(0)))
        old = [
            pair
            for pair in self.pairs
            if not _divides(lead, pair[1])
            or _lcm(self.leads[pair[2]], lead) == pair[1]
            or _lcm(self.leads[pair[3]], lead) == pair[1]
        ]
        fresh: dict[Monomial, int] = {}
        for i in self.alive:
            both = _lcm(self.leads[i], lead)
            # Of several pairs with one lcm a coprime one speaks for all: it is superfluous.
            if both not in fresh or _less(both, lead) == self.leads[i]:
                fresh[both] = i
        for both, i in fresh.items():
            beaten = any(other != both and _divides(other, both) for other in fresh)
            if not beaten and _less(both, lead) != self.leads[i]:
                old.append((sum(both), both, i, new))
        self.pairs = []
        for pair in old:
            heappush(self.pairs, pair)
        self.alive = [i for i in self.alive if not _divides(lead, self.leads[i])] + [new]
        self._remember(p, made)

    def _extend(self, i: int, j: int) -> bool:
        """Reduce one S-polynomial; whether it gave a new member."""
        both = _lcm(self.leads[i], self.leads[j])
        a, b = int(self.members[i].coefficient(0)), int(self.members[j].coefficient(0))
        common = gcd(a, b)
        made = {
            i: self._monomial(_less(both, self.leads[i]), b // common),
            j: self._monomial(_less(both, self.leads[j]), -(a // common)),
        }
        # Throughout, the sum of made times members is scale times p.
        p, scale, place = self.members[i] * made[i] + self.members[j] * made[j], 1, 0
        while place < len(p):
            monomial = tuple(map(int, p.monomial(place)))
            k = next((k for k in self.alive if _divides(self.leads[k], monomial)), None)
            if k is None:
                place = place + 1 if self.tails else len(p)
                continue
            lead, c = int(self.members[k].coefficient(0)), int(p.coefficient(place))
            factor = abs(lead // gcd(lead, c))
            taken = self._monomial(_less(monomial, self.leads[k]), -factor * c // lead)
            p = p * factor + self.members[k] * taken
            made = {key: value * factor for key, value in made.items()}
            made[k] = made.get(k, self.ring.constant(0)) + taken * scale
            p, made, scale = _lowered(p, made, scale)
            if self._long(made) and len(p):
                made, scale = {self._remember(p, made): self.ring.constant(1)}, 1
            self.work += len(p) + len(self.members[k]) + sum(map(len, made.values()))
            self._watch(p)
        self.work += len(p) + 10
        if not len(p):
            return False
        p, made, _ = _lowered(p, made, scale)
        self._watch(p)
        self._add(p, made)
        return True

    def _remember(self, p: fmpz_mpoly, made: dict[int, fmpz_mpoly]) -> int:
        self.members.append(p)
        self.leads.append(tuple(map(int, p.monomial(0))))
        self.made.append({key: value for key, value in made.items() if len(value)})
        return len(self.members) - 1

    def _long(self, made: dict[int, fmpz_mpoly]) -> bool:
        largest = max(abs(int(c)) for q in made.values() for c in q.coeffs())
        return largest.bit_length() > _COFACTOR_BITS

    def _watch(self, p: fmpz_mpoly) -> None:
        if self.work > _WORK or (len(p) and int(p.coefficient(0)).bit_length() > _BITS):
            raise _TooMuch

    def _monomial(self, exponents: Monomial, coefficient: int) -> fmpz_mpoly:
        return self.ring.from_dict({exponents: coefficient})

    def _kept(self) -> tuple[Step, ...]:
        """The steps behind the corners of the staircase, members renumbered."""
        needed = set(self.alive)
        for new in range(len(self.members) - 1, self.given - 1, -1):
            if new in needed:
                needed |= self.made[new].keys()
        kept = [new for new in range(self.given, len(self.members)) if new in needed]
        number = {i: i for i in range(self.given)}
        number |= {new: self.given + k for k, new in enumerate(kept)}
        return tuple(
            tuple((number[i], _terms(self.made[new][i])) for i in sorted(self.made[new]))
            for new in kept
        )


def _terms(p: fmpz_mpoly) -> dict[Monomial, int]:
    return {tuple(map(int, m)): int(c) for m, c in p.to_dict().items()}
