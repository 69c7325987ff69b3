"""How a forger alters a certificate: every place of the JSON tree, in many ways, by seed.

A mutant is a ``Mutant``: bytes, and whether it is only another spelling or another set of keys of
the same thing, which the kernel must refuse whatever it says.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from kernel.writing import Case, Json

Place = tuple[Any, ...]
RATIONAL = re.compile(r"-?[0-9]+(/[0-9]+)?")
EXCESS = Fraction(1, 10**9)
WORDS = (
    ("joined", "separated", "descends", "trapped", "global_min", "local_min", "not_poor_minimum"),
    ("polyline", "path", "barrier", "optimum", "witness", "root", "rank", "approximation"),
    ("sup_norm", "best_error", "nearest", "global_min", "roots"),
    ("level_tree", "barrier", "polyline", "components", "joined", "separated", "trapped"),
    ("jacobian_rank", "zero_manifold", "nullity", "neurovariety_dimension", "roots"),
    ("positive_dimension", "isolated_zero", "local_min", "not_poor_minimum", "has_zero"),
    ("ambient", "fields", "catalecticant"),
    ("loss", "more_parameters_than_equations"),
    ("layer", "output", "idle", "cell"),
    ("linear", "square", "cube", "relu", "abs", "step", "leaky_relu", "activation"),
    ("bound", "monotone"),
    ("same_function", "span_path", "joined"),
    ("input", "units", "expansion"),
    ("bezout", "multihomogeneous", "staircase"),
    ("interpolation", "critical"),
    ("inertia", "barrier", "level_tree", "components", "joined", "separated", "descends"),
    ("rank X", "rank X + 1", "2 rank X", "2n", "2n+1"),
    ("inputs", "monomials", "walls", "distinct"),
    ("zero", "orthogonal", "ky-fan", "identity", "dead-layer"),
    ("<", "<=", "==", ">", ">="),
    ("min(n,m)", "q", "2q", "2N", "r(A)+r(B)", "monomials from 0", "monomials from 1"),
    ("connected_at_every_level", "no_poor_minima", "dense", "no_bias", "linear_output"),
)
NAMES = ("claim", "id", "name", "deep-linear-connected", "weights", "u", "")


@dataclass(frozen=True, slots=True)
class Mutant:
    case: str
    what: str
    raw: bytes
    spelling: bool


def canonical(value: Json) -> bytes:
    """The kernel's spelling, written down again."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def places(value: Json, at: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Every value of a tree with the way to it."""
    yield at, value
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*at, key))


def put(certificate: Json, at: Place, new: Json) -> Json:
    """The certificate with another value at a place."""
    if not at:
        return new
    result = copy.deepcopy(certificate)
    target = result
    for key in at[:-1]:
        target = target[key]
    target[at[-1]] = new
    return result


def mutants(case: Case, others: list[Case]) -> Iterator[Mutant]:
    """All mutants of a certificate, in a fixed order."""
    whole = case.certificate
    for at, value in places(whole):
        where = "/".join(map(str, at))
        for what, new in _values(value, at):
            yield Mutant(case.name, f"{where} {what}", canonical(put(whole, at, new)), False)
        for what, new in _spellings(value):
            other = type(new) in (int, str) and type(new) is not type(value)
            if "pattern" in at and (new is None or other):
                continue  # a fixed entry made free or shared: another network, no other spelling
            yield Mutant(case.name, f"{where} {what}", canonical(put(whole, at, new)), True)
        if isinstance(value, dict) and len(value) > 1:
            yield from _doubled(case, at, value)
    for other in others:
        for at in (("proof",), ("statement",), *_statement_places()):
            new = other.certificate
            for key in at:
                new = new[key]
            what = f"{'/'.join(at)} of {other.name!r}"
            if new != []:
                yield Mutant(case.name, what, canonical(put(whole, at, new)), False)
    yield from _bytes(case)


def _statement_places() -> list[Place]:
    return [("statement", key) for key in ("network", "data", "hypotheses", "conclusion")]


def _values(value: Json, at: Place) -> Iterator[tuple[str, Json]]:
    """Other values of the same kind: a mutant may be true by accident."""
    if isinstance(value, bool):
        yield "flipped", not value
    elif isinstance(value, int):
        for new in {value + 1, value - 1, -value, 0, 10**9} - {value}:
            yield f"-> {new}", new
    elif isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, list) and at[-1:] != ("hypotheses",):
        yield from _lists(value)  # with fewer hypotheses a statement is as true as before
    elif value is None:
        for other in ([], [["1"]], "1", 0):
            yield f"null -> {other}", other
    elif isinstance(value, dict) and len(value) > 1:
        keys = sorted(value)
        for a, b in pairwise(keys):
            if value[a] != value[b]:
                yield f"{a} and {b} swapped", {**value, a: value[b], b: value[a]}


def _texts(value: str) -> Iterator[tuple[str, Json]]:
    if not RATIONAL.fullmatch(value):
        for group in WORDS:
            for word in group if value in group else ():
                if word != value:
                    yield f"-> {word}", word
        return
    q = Fraction(value)
    news = [q + 1, q - 1, q + EXCESS, q - EXCESS, -q, Fraction(0), q * 10**40, 1 / (q or 2)]
    for new in dict.fromkeys(news):
        if new != q:
            yield f"-> {new}", str(new)


def _lists(value: list[Json]) -> Iterator[tuple[str, Json]]:
    for i in range(len(value)):
        yield f"without {i}", value[:i] + value[i + 1 :]
        yield f"{i} twice", [*value[: i + 1], *value[i:]]
        if i and value[i] != value[i - 1]:
            yield (
                f"{i - 1} and {i} swapped",
                [*value[: i - 1], value[i], value[i - 1], *value[i + 1 :]],
            )
    if len(value) > 2 and value != value[::-1]:
        yield "reversed", value[::-1]
    if len(value) > 1:
        yield "emptied", []


def _spellings(value: Json) -> Iterator[tuple[str, Json]]:
    """Other keys, other types, other ways to write the same number: never accepted."""
    if isinstance(value, dict):
        for key in value:
            rest = {k: v for k, v in value.items() if k != key}
            yield f"without {key}", rest
            yield f"{key} renamed", {**rest, key + "s": value[key]}
            yield f"{key} in the other case", {**rest, key.swapcase(): value[key]}
            if key not in ("weights", "pattern", "at_most", "ridge"):
                yield f"{key} null", {**rest, key: None}
        for name in NAMES:
            if name not in value:
                yield f"with {name!r}", {**value, name: "deep-linear-connected"}
                yield f"with {name!r} null", {**value, name: None}
        yield "as pairs", [[k, v] for k, v in value.items()]
    elif isinstance(value, list):
        yield "as an object", {str(i): v for i, v in enumerate(value)}
        yield "with null", [*value, None]
        yield "with true", [*value, True]
        yield "nested", [[value]]
        yield "as text", json.dumps(value)
    elif isinstance(value, bool):
        yield "as 0 or 1", int(value)
        yield "as text", str(value).lower()
    elif isinstance(value, int):
        yield "as text", str(value)
        yield "as a float", float(value)
        yield "as a list", [value]
        if value in (0, 1):
            yield "as a truth value", bool(value)
    elif isinstance(value, str):
        yield from _respelled(value)


def _respelled(value: str) -> Iterator[tuple[str, Json]]:
    for new in (f"{value} ", f" {value}", f"{value}\n", f"{value}\0", "", None, [value], True):
        yield f"-> {new!r}", new
    if not RATIONAL.fullmatch(value):
        swapped = value.swapcase()
        if not any(swapped in group for group in WORDS):  # 2N is one thing and 2n another
            yield "in the other case", swapped if swapped != value else value + "!"
        return
    q = Fraction(value)
    p, d = q.numerator, q.denominator
    arabic = "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in value)
    wide = "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in value)
    news: list[Json] = [f"{2 * p}/{2 * d}", f"+{value}", f"0{value}", f"{value}.0", f"{p}/{d}x"]
    news += [f"{-p}/-{d}", f"{p} /{d}", f"{value}e0", f"{p}/0", "-0", "0/1", "0/2", "1e3", "0x1"]
    news += ["NaN", "Infinity", "1_0", arabic, wide, float(q), float("inf"), float("nan")]
    news += [f"{value}/1", p if d == 1 else [p, d], f"{p}/{d}/1", "--1", "1/-2", f"{value}\r"]
    news += ["9" * 5000, f"1/{'9' * 5000}", int("9" * 18), int("9" * 30)]
    for new in news:
        if new != value:
            yield f"-> {str(new)[:20]!r}", new


def pairs(case: Case, count: int, seed: int) -> Iterator[Mutant]:
    """Two places altered at once; not where no proof is read and the rule decides either way."""
    if not case.certificate["proof"]:
        return
    rng, whole = random.Random(f"pairs {seed} {case.name}"), case.certificate
    choices = [(at, new) for at, value in places(whole) for _, new in _values(value, at)]
    for _ in range(count):
        (at, new), (to, other) = rng.sample(choices, 2)
        short = min(len(at), len(to))
        if at[:short] != to[:short]:
            raw = canonical(put(put(whole, at, new), to, other))
            what = " and ".join("/".join(map(str, place)) for place in (at, to))
            yield Mutant(case.name, what, raw, False)


def _doubled(case: Case, at: Place, value: dict[str, Json]) -> Iterator[Mutant]:
    """A key that occurs twice, the copy first and last, equal or not."""
    mark = "\x00mark"
    text = canonical(put(case.certificate, at, mark)).decode()
    inside = json.dumps(value, sort_keys=True, separators=(",", ":"))[1:-1]
    for key in sorted(value):
        for other in (value[key], None, "1"):
            pair = f"{json.dumps(key)}:{json.dumps(other, separators=(',', ':'))}"
            for body in (f"{pair},{inside}", f"{inside},{pair}"):
                raw = text.replace(json.dumps(mark), "{" + body + "}").encode()
                yield Mutant(case.name, f"{'/'.join(map(str, at))} {key} twice", raw, True)


def _bytes(case: Case) -> Iterator[Mutant]:
    """Other bytes for the same JSON, or for nearly the same."""
    raw, value = canonical(case.certificate), case.certificate
    spaced = json.dumps(value, sort_keys=True).encode() + b"\n"
    unsorted = json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode() + b"\n"
    variants = {
        "empty": b"",
        "only a newline": b"\n",
        "no newline": raw[:-1],
        "two newlines": raw + b"\n",
        "carriage return": raw[:-1] + b"\r\n",
        "leading space": b" " + raw,
        "tab": raw.replace(b",", b",\t", 1),
        "spaces": spaced,
        "unsorted": unsorted if unsorted != raw else b" " + raw,
        "byte order mark": b"\xef\xbb\xbf" + raw,
        "utf-16": raw.decode().encode("utf-16"),
        "utf-32": raw.decode().encode("utf-32-le"),
        "twice": raw + raw,
        "truncated": raw[: len(raw) // 2],
        "trailing comma": raw[:-2] + b",}\n",
        "trailing text": raw[:-1] + b"x\n",
        "comment": raw[:-1] + b"//\n",
        "null byte": raw[:-1] + b"\0\n",
        "escaped letter": raw.replace(b'"rule"', b'"\\u0072ule"'),
        "escaped solidus": raw.replace(b"certificate/1", b"certificate\\/1"),
        "single quotes": raw.replace(b'"rule"', b"'rule'"),
        "not utf-8": raw.replace(b"certificate/1", b"certificate/1\xff"),
        "non-ascii": raw.replace(b"certificate/1", "certificate/1é".encode()),
        "surrogate": raw.replace(b"certificate/1", b"certificate/1\\ud800"),
        "version 2": raw.replace(b"certificate/1", b"certificate/2"),
        "no version": raw.replace(b"certificate/1", b"certificate"),
        "array": b"[" + raw[:-1] + b"]\n",
        "pickle": b"\x80\x04N.",
    }
    for what, changed in variants.items():
        yield Mutant(case.name, what, changed, True)


def damaged(case: Case, count: int, seed: int) -> Iterator[Mutant]:
    """One byte changed, dropped or doubled at random places."""
    raw, rng = canonical(case.certificate), random.Random(f"{seed} {case.name}")
    for _ in range(count):
        i, kind = rng.randrange(len(raw)), rng.choice(("changed", "dropped", "doubled", "swapped"))
        new = {
            "changed": bytes([rng.choice(b'0123456789-/"[]{},:aex \xff')]),
            "dropped": b"",
            "doubled": raw[i : i + 1] * 2,
            "swapped": raw[i : i + 2][::-1],
        }[kind]
        changed = raw[:i] + new + raw[i + (2 if kind == "swapped" else 1) :]
        if changed != raw:
            yield Mutant(case.name, f"byte {i} {kind}", changed, False)
