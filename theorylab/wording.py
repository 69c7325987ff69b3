"""What was decided, in words: a statement, the sentence of an outcome, a rational as a decimal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from typing import Any

from flint import fmpq

from theorylab import kernel
from theorylab.instances import Instance


def decimal(value: fmpq | Fraction, digits: int = 5) -> str:
    """A rational to so many significant digits, of any size, for people; never read back.

    >>> decimal(Fraction(1, 3)), decimal(fmpq(300)), decimal(fmpq(1, 10**9))
    ('0.33333', '300', '1e-9')
    """
    numerator, denominator = Decimal(int(value.numerator)), Decimal(int(value.denominator))
    rounded = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN).divide(numerator, denominator)
    if -5 <= rounded.adjusted() < max(digits, 6):
        text = f"{rounded:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(rounded.normalize()).lower()


_COUNTED = {
    "jacobian_rank": "the Jacobian of the outputs at A has rank",
    "nullity": "A is critical and the Hessian there has nullity",
    "zero_manifold": "near A the zeros of the loss are a manifold of dimension",
    "neurovariety_dimension": "the functions that the network represents have dimension",
}


_ZEROS = {
    "positive_dimension": "A is a zero of the loss and not isolated",
    "isolated_zero": "A is a zero of the loss, and an isolated one",
    "has_zero": "some weights have loss 0",
    "no_zero": "no real weights have loss 0",
}


_PLAIN = {
    "same_function": "A and B represent one function of all inputs",
    "different_function": "A and B represent different functions: an input tells them apart",
    "not_poor_minimum": "A is no local minimum above the infimum",
    "span_path": "inside some path from A to B the columns span those of A and of B",
    "no_span_path": "inside no path from A to B do the columns always span those of A and of B",
}


def _components(kind: str, values: Mapping[str, Any]) -> str | None:
    """The number of path components of sublevel sets in words; None for other facts."""
    if kind in ("level_tree", "other_level_tree"):
        table = [f"{n} from {decimal(u)}" for u, n in values["levels"]]
        if len(table) > 7:
            table = [*table[:5], f"{len(table) - 6} more changes", table[-1]]
        return f"path components of {{L <= u}}: {', '.join(table)} on"
    if kind == "other_global_min":
        return f"the global minimum is {decimal(values['v'])}"
    if kind not in ("components", "other_components"):
        return None
    low, high = values["at_least"], values["at_most"]
    number = str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"
    return f"{{L <= {decimal(values['u'])}}} has {number} path component{'s' * (number != '1')}"


def _distances(kind: str, values: Mapping[str, Any]) -> str | None:
    """A fact of the rule ``approximation`` in words; None for other facts."""
    if kind not in ("sup_norm", "best_error", "nearest", "not_nearest"):
        return None
    place = f"on [{decimal(values['a'])}, {decimal(values['b'])}]"
    if kind == "nearest":
        return f"no polynomial of degree {values['degree']} is nearer {place}"
    if kind == "not_nearest":
        return f"another polynomial of degree {values['degree']} is nearer {place}"
    what = "max |rho - p|" if kind == "sup_norm" else f"the best error of degree {values['degree']}"
    low, high = values["at_least"], values["at_most"]
    if low == high:
        return f"{what} {place} is {low}"
    if high is None:
        return f"{what} {place} is at least {decimal(low, 10)}"
    return f"{what} {place} is from {decimal(low, 10)} to {decimal(high, 10)}"


def _zeros_and_ranks(kind: str, values: Mapping[str, Any]) -> str | None:
    """A fact of the rule ``rank`` in words; None for other facts."""
    if kind in _ZEROS:
        return _ZEROS[kind]
    words = _COUNTED.get(kind.removeprefix("other_"))
    if words is None:
        return None
    low, high = values["at_least"], values["at_most"]
    number = str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"
    return f"{words} {number}"


def _counted_roots(values: Mapping[str, Any], kind: str) -> str:
    """A count of isolated complex solutions in words, as stated or as refuted."""
    system, least, most = values["system"], values["at_least"], values["at_most"]
    what = "solutions of Phi = Y" if system.kind == "interpolation" else "critical points"
    if kind == "more_roots":
        number = f"more than {most}"
    elif kind == "fewer_roots":
        number = f"fewer than {least}"
    elif least == most:
        number = f"exactly {most}"
    elif most is None:
        number = f"at least {least}"
    else:
        number = f"{least} to {most}" if least else f"at most {most}"
    if least == most == 1:
        what = what.replace("solutions", "solution").replace("points", "point")
    words = f"{number} isolated complex {what}"
    if kind == "roots" and values["real_at_least"]:
        words += f", at least {values['real_at_least']} real"
    fixed = len(system.fixed)
    return f"{words}, {fixed} weight{'s' if fixed > 1 else ''} fixed" if fixed else words


def sentence(
    outcome: kernel.Proved | kernel.Refuted,
    instance: Instance,
    level: str | None = None,
    steps: int | None = None,
    peak: str | None = None,
) -> str:
    """What the kernel said of an instance; ``level``, ``steps``, ``peak`` are of a joined pair."""
    statement = outcome.statement
    if statement.conclusion.kind == "relation":
        holds = "" if isinstance(outcome, kernel.Proved) else " does not hold"
        return f"{_relation(statement)}{holds}"
    if isinstance(outcome, kernel.Refuted):
        return _refuted(outcome, instance)
    kind, values = statement.conclusion.kind, statement.conclusion.values
    for words in (_zeros_and_ranks, _distances, _components):
        if (text := words(kind, values)) is not None:
            return text
    if kind == "roots":
        return _counted_roots(values, "roots")
    if kind == "not_poor_minimum":
        at = f"A, with L = {decimal(instance.loss(instance.a))},"
        fell = outcome.lemmas[-1] == "Lemma 40"
        why = "no local minimum: the loss falls along a curve" if fell else "a global minimum"
        return f"{at} is {why}"
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "joined":
        how = f"in {steps} segments" if steps else f"by {outcome.lemmas[-1]}, without a path"
        text = f"joined below L = {level} {how}"
        return text if peak is None else f"{text}; the straight line peaks at {peak}"
    if kind != "descends":
        return _plainly(statement)
    v, eps = values["v"], values["eps"]
    if eps == 0:
        return f"never rises and reaches the global minimum {decimal(v)}"
    return (
        f"never rises and ends within {decimal(eps, 2)} of the optimum, which is at least "
        f"{decimal(v)} (does not reach it)"
    )


def _refuted(outcome: kernel.Refuted, instance: Instance) -> str:
    values, found = outcome.statement.conclusion.values, outcome.fact
    if found.kind in _PLAIN:
        return _PLAIN[found.kind]
    if found.kind in ("more_roots", "fewer_roots"):
        return _counted_roots(found.values, found.kind)
    for words in (_zeros_and_ranks, _distances, _components):
        if (text := words(found.kind, found.values)) is not None:
            return text
    if found.kind in ("separated", "joined"):
        place = "different components" if found.kind == "separated" else "one component"
        return f"A and B lie in {place} of L <= {decimal(values['u'])}"
    if found.kind == "trapped":
        v, least = found.values["v"], values["v"]
        return (
            f"A's component of L <= {decimal(found.values['u'])} stays above "
            f"{decimal(v)}; elsewhere the loss goes down to {decimal(least)}"
        )
    at = decimal(instance.loss(instance.a))
    return f"A is a local minimum with L = {at}, and another point has less"


def _relation(statement: kernel.Statement) -> str:
    """Both sides of a relation, a loss computed."""
    values = statement.conclusion.values
    left, right = (
        decimal(v) if isinstance(v, Fraction) else f"L = {decimal(statement.loss(v))}"
        for v in (values["left"], values["right"])
    )
    return f"{left} {values['op']} {right}"


def _plainly(statement: kernel.Statement) -> str:
    """A conclusion as its kind with points and values."""
    conclusion = statement.conclusion
    values = ", ".join(f"{k} = {decimal(v)}" for k, v in conclusion.values.items())
    inside = "; ".join(part for part in (", ".join(conclusion.points), values) if part)
    return f"{conclusion.kind}({inside})"


def describe(statement: kernel.Statement) -> str:
    """A statement in words: network, samples, hypotheses and conclusion."""
    network, conclusion = statement.network, statement.conclusion
    widths = "-".join(map(str, network.widths))
    kinds = [h["kind"] for h in statement.hypotheses]
    given = f"; given {', '.join(kinds)}" if kinds else ""
    samples = f"{statement.data.samples} sample{'s' * (statement.data.samples != 1)}"
    head = f"{network.activation.kind} network {widths}, {samples}{given}: "
    if conclusion.kind == "relation":
        left, right = (
            decimal(v) if isinstance(v, Fraction) else "L(theta)"
            for v in (conclusion.values["left"], conclusion.values["right"])
        )
        return f"{head}{left} {conclusion.values['op']} {right}"
    if conclusion.kind == "roots":
        counted = {k: v for k, v in conclusion.values.items() if k != "system" and v is not None}
        words = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in counted.items())
        return f"{head}isolated roots of its {conclusion.values['system'].kind} system: {words}"
    if (fact := _zeros_and_ranks(conclusion.kind, conclusion.values)) is not None:
        return f"{head}{fact}"
    if (fact := _distances(conclusion.kind, conclusion.values)) is not None:
        return f"{head}{fact}"
    if (fact := _components(conclusion.kind, conclusion.values)) is not None:
        return f"{head}{fact}"
    if conclusion.kind in _PLAIN:
        return f"{head}{_PLAIN[conclusion.kind]}"
    return f"{head}{_plainly(statement)}"
