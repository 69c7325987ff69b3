"""Hypotheses in words: "one hidden layer", "p >= 2q" and so on, as the kernel's predicates."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from theorylab.claims import Hypothesis
from theorylab.outcome import InputError

# what a hidden width is compared with, in the kernel's spelling
BOUNDS = (
    "min(n,m)", "q", "2q", "q+1", "r(A)+r(B)", "2N", "N+1", "rank X", "rank X + 1", "2 rank X",
    "2n", "2n+1", "3n^2", "n(n+1)", "3n^(2^k)", "2min(N,C(n+2^k-1,2^k))", "monomials from 0",
    "monomials from 1",
)  # fmt: skip
_BARE = {bound.replace(" ", ""): bound for bound in BOUNDS}
# N is the number of distinct inputs; the kernel knows N + 1 and 2N, and how much less will do
_SHORTENED = {"N": ("N+1", 1), "N-1": ("N+1", 2)}
_WIDTH = re.compile(r"p(?:_k)?\s*(>=|>)\s*(.+)")
_LESS = re.compile(r"(.+)-([1-9][0-9]{0,2})")
_NUMBERS = ("no", "one", "two", "three", "four", "five")

_ACTIVATIONS = {
    "linear": "the activation is linear",
    "square": "the activation is z^2",
    "polynomial": "the activation is a polynomial",
    "homogeneous": "the activation is relu, leaky_relu or abs",
}
_PLAIN = {
    "dense": "every weight is its own free parameter",
    "no bias": "there are no biases",
    "linear output": "the last layer is linear",
    "scalar output": "there is one output",
    "ridge": "the loss has a ridge",
    "common ridge": "the loss has one ridge for all weights",
    "more parameters than equations": "there are more parameters than equations",
    "connected at every level": "every sublevel set is connected",
    "no poor minima": "no local minimum is poor",
}
_OTHERS = {
    "zero loss": ("the loss at A is zero", {"kind": "loss", "is": "zero"}),
    "positive loss": ("the loss at A is positive", {"kind": "loss", "is": "positive"}),
    "n >= m": ("there are as many inputs as outputs", {"kind": "inputs", "relation": ">="}),
    "n > m": ("there are more inputs than outputs", {"kind": "inputs", "relation": ">"}),
}


def hypothesis(words: str | Hypothesis) -> Hypothesis:
    """The hypothesis that the words name; its predicate is one that the kernel computes.

    n inputs, m outputs, p units in every hidden layer, N distinct inputs, q the dimension of the
    span of all hidden features on the data. Raises InputError for words it does not know.

    >>> hypothesis("p >= N").json == {
    ...     "kind": "hidden_widths", "relation": ">=", "bound": "N+1", "less": 1}
    True
    >>> hypothesis("two hidden layers").name
    'two-hidden-layers'
    """
    if isinstance(words, Hypothesis):
        return words
    if not isinstance(words, str):
        rule = "a hypothesis is named by words"
        raise InputError("hypotheses", words, rule, 'write e.g. "one hidden layer"')
    plain = " ".join(words.replace("_", " ").replace("-", " ").split()).lower()
    name = plain.replace(" ", "-")
    if plain in _ACTIVATIONS:
        return Hypothesis.of(name, _ACTIVATIONS[plain], **{"kind": "activation", "is": plain})
    if plain in _PLAIN:
        return Hypothesis.of(name, _PLAIN[plain], kind=plain.replace(" ", "_"))
    if plain in _OTHERS:
        said, predicate = _OTHERS[plain]
        return Hypothesis.of(name.replace("->=-", "-at-least-").replace("->-", "-above-"), said,
                             **predicate)  # fmt: skip
    layers = re.fullmatch(r"(\w+) hidden layers?", plain)
    if layers is not None and (layers[1] in _NUMBERS or layers[1].isdecimal()):
        count = _NUMBERS.index(layers[1]) if layers[1] in _NUMBERS else int(layers[1])
        verb = "is" if count == 1 else "are"
        return Hypothesis.of(name, f"there {verb} {plain}", kind="hidden_layers", count=count)
    found = _width(words)
    return _unknown(words, plain) if found is None else found


def _width(words: str) -> Hypothesis | None:
    match = _WIDTH.fullmatch(words.strip())
    if match is None:
        return None
    relation, bare = match[1], match[2].replace(" ", "")
    less = 0
    if bare in _SHORTENED:
        bare, less = _SHORTENED[bare]
    elif bare not in _BARE and (lowered := _LESS.fullmatch(bare)) is not None:
        bare, less = lowered[1], int(lowered[2])
    if bare not in _BARE:
        return None
    predicate = {"kind": "hidden_widths", "relation": relation, "bound": _BARE[bare]}
    slack = {"less": less} if less else {}
    return Hypothesis.of("wide", words.strip(), **predicate, **slack)


def known() -> tuple[str, ...]:
    """All words that ``hypothesis`` knows, bounds apart."""
    return (*_ACTIVATIONS, *_PLAIN, *_OTHERS, "one hidden layer")


def _unknown(words: str, plain: str) -> Hypothesis:
    if _WIDTH.fullmatch(words.strip()) is not None:
        rule, remedy = "a width is compared with one of the kernel's bounds", ", ".join(BOUNDS)
        raise InputError("hypotheses", words, rule, f"choose among {remedy}, or these minus k")
    if plain in ("relu", "leaky relu", "abs"):
        rule = "the kernel tells these apart only together: homogeneous is relu, leaky_relu or abs"
        remedy = f'write "homogeneous", or take draw and make {plain} networks'
        raise InputError("hypotheses", words, rule, remedy)
    near = difflib.get_close_matches(plain, known(), 2, 0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known())}"
    rule = "the kernel has no such hypothesis (relu and the like belong into the function)"
    raise InputError("hypotheses", words, rule, f'{remedy}; and widths such as "p >= 2q"')


def hypotheses(words: Sequence[str | Hypothesis]) -> tuple[Hypothesis, ...]:
    """The hypotheses that the words name, each once. InputError when two have one name."""
    if isinstance(words, str):
        rule = "hypotheses are a list of words"
        raise InputError("hypotheses", words, rule, f'write ["{words}"]')
    found = tuple(hypothesis(one) for one in words)
    names = [h.name for h in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        rule = "two hypotheses have this name, and --drop could not tell them apart"
        raise InputError("hypotheses", twice, rule, "leave one of them out")
    return found
