"""No forged certificate is accepted: mutants of a corpus, hand-made forgeries, bytes, work bombs.

What the kernel still accepts after an alteration must be a true statement with a right proof; an
independent evaluator says so, and such mutants are counted and listed (``pytest -s``).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from kernel import bombs_of_components
from kernel.bombs import BOMBS, QUICK, numbers_of_a_million_digits
from kernel.corpus import HANDMADE, constructed
from kernel.independent import judge
from kernel.mutations import Mutant, canonical, damaged, mutants, pairs, places, put
from kernel.segments import NotShown
from kernel.writing import UNIT, Case, Json, certificate, net

from theorylab.kernel import Rejected, check
from theorylab.kernel import canonical as kernel_canonical

TREES = {bomb.__name__: bomb for bomb in (*BOMBS, *bombs_of_components.BOMBS)}

SLOWEST_CHECK = 40  # seconds of user time: the bound is on hanging, not on speed
ACCEPTED_AT_MOST = 0.025  # statements with bounds stay true when these are loosened
NAMES = [case.name for case in HANDMADE if case.certificate["proof"]]


@cache
def corpus() -> tuple[Case, ...]:
    return (*HANDMADE, *constructed())


def forged(case: Case, seed: int = 0) -> Iterable[Mutant]:
    """Every mutant of a case, pasted parts of two other cases included."""
    cases = corpus()
    i = cases.index(case)
    others = [cases[(i + 1) % len(cases)], cases[(7 * i + 3) % len(cases)]]
    return chain(mutants(case, others), damaged(case, 100, seed), pairs(case, 500, seed))


def outcome_of(raw: bytes) -> str:
    """proved, refuted or rejected, within the time a check may take; no faults of the kernel."""
    start = time.process_time()
    outcome = check(raw)
    assert time.process_time() - start < SLOWEST_CHECK
    if isinstance(outcome, Rejected):
        assert not outcome.reason.startswith("internal"), outcome.reason
    return type(outcome).__name__.lower()


def try_all(tried: Iterable[Mutant]) -> tuple[int, list[str]]:
    """How many mutants there were, and which were accepted: rightly, or the test fails."""
    count, accepted = 0, []
    for mutant in tried:
        count += 1
        found = outcome_of(mutant.raw)
        if found == "rejected":
            continue
        where = f"{mutant.case}: {mutant.what}"
        assert not mutant.spelling, f"another spelling is accepted: {where}"
        try:
            assert judge(json.loads(mutant.raw)) == found, where
        except NotShown as error:
            pytest.fail(f"a forgery is accepted: {where}: {error}")
        accepted.append(f"{where} ({found})")
    return count, accepted


def report(count: int, accepted: list[str]) -> None:
    share = len(accepted) / count
    print(f"\n{count} mutants, {len(accepted)} accepted, all true and proved ({share:.2%}):")
    print("\n".join(accepted))
    assert share <= ACCEPTED_AT_MOST


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_the_corpus_is_valid(case: Case) -> None:
    assert outcome_of(canonical(case.certificate)) == case.outcome.lower()
    assert judge(case.certificate) == case.outcome.lower()
    assert canonical(case.certificate) == kernel_canonical(case.certificate)


def test_the_corpus_covers_every_kind() -> None:
    found: dict[str, set[str]] = {}
    for case in corpus():
        for at, value in places(case.certificate):
            if at and isinstance(value, str):
                found.setdefault(str(at[-1]), set()).add(value)
    rules = {"polyline", "path", "barrier", "optimum", "witness", "root", "rank", "approximation"}
    rules |= {"level_tree"}
    assert found["rule"] == rules | {"symmetry", "span", "inertia"}
    assert found["move"] == {"layer", "output", "idle", "cell"}
    assert found["form"] == {"bound", "monotone"}
    assert found["features"] == {"inputs", "monomials", "walls", "distinct"}
    assert found["by"] == {"zero", "orthogonal", "ky-fan", "identity", "dead-layer"} | {
        "bezout",
        "multihomogeneous",
        "staircase",
        "ambient",
        "fields",
        "catalecticant",
        "input",
        "units",
        "expansion",
    }
    assert found["activation"] == {"linear", "square", "cube", "relu", "abs", "step"}
    assert {"polynomial", "leaky_relu", "piece"} <= {
        key for case in corpus() for at, _ in places(case.certificate) for key in map(str, at)
    }
    assert {"min(n,m)", "q", "2q", "2N", "r(A)+r(B)", "3n^2", "n(n+1)"} <= found["bound"]
    assert len(corpus()) >= 25
    networks = [case.certificate["statement"]["network"] for case in corpus()]
    assert any(network["pattern"] for network in networks)
    assert any(True in network["bias"] for network in networks)
    assert any(network["output"] == "activation" for network in networks)
    assert {len(network["widths"]) for network in networks} >= {2, 3, 4}


def test_mutants() -> None:
    """Every seventh mutant of the handmade certificates."""
    every = chain.from_iterable(map(forged, HANDMADE))
    chosen = (mutant for i, mutant in enumerate(every) if i % 7 == 0)
    count, accepted = try_all(chosen)
    assert count >= 2000
    report(count, accepted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_all_mutants(seed: int) -> None:
    report(*try_all(chain.from_iterable(forged(case, seed) for case in corpus())))


TRUE_BUT_EMPTY = certificate(
    net([1, 1], "linear"),
    UNIT,
    [],
    {"kind": "relation", "left": "0", "op": "<=", "right": "1"},
    "witness",
    {},
)


def test_a_true_relation_takes_no_claims_name() -> None:
    assert outcome_of(canonical(TRUE_BUT_EMPTY)) == "proved"
    for at, value in places(TRUE_BUT_EMPTY):
        for name in ("deep-linear-connected", "claim", "joined"):
            stuck: list[Json] = [name, {"claim": name}, [name]]
            if isinstance(value, dict):
                stuck += [{**value, "claim": name}, {**value, name: True}, {**value, "id": name}]
            if isinstance(value, list):
                stuck += [[*value, name], [name, *value]]
            if isinstance(value, str):
                stuck += [value + name, name + value]
            for new in stuck:
                assert outcome_of(canonical(put(TRUE_BUT_EMPTY, at, new))) == "rejected"


@pytest.mark.parametrize("name", NAMES)
def test_a_conclusion_pasted_from_a_trivial_certificate(name: str) -> None:
    """A proof of 0 <= 1 under another conclusion, and another proof under 0 <= 1."""
    case = next(case for case in HANDMADE if case.name == name)
    for key in ("rule", "proof"):
        altered = {**case.certificate, key: TRUE_BUT_EMPTY[key]}
        assert outcome_of(canonical(altered)) == "rejected"
    both = {**TRUE_BUT_EMPTY, "statement": case.certificate["statement"]}
    assert outcome_of(canonical(both)) == "rejected"


RAW = canonical(TRUE_BUT_EMPTY)
BYTES = {
    "lists": b"[" * 100_000,
    "closed lists": b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "objects": b'{"a":' * 100_000 + b"0" + b"}" * 100_000 + b"\n",
    "a deep hypothesis": RAW.replace(
        b'"hypotheses":[]', b'"hypotheses":[' + b"[" * 900 + b"]" * 900 + b"]"
    ),
    "a million digits": numbers_of_a_million_digits(),
    "an integer of a million digits": RAW.replace(b"[1,1]", b"[1," + b"9" * 10**6 + b"]"),
    "NaN": RAW.replace(b'"0"', b"NaN"),
    "Infinity": RAW.replace(b'"0"', b"-Infinity"),
    "a float": RAW.replace(b'"0"', b"0.0"),
    "an exponent": RAW.replace(b"[1,1]", b"[1,1e3]"),
    "minus zero": RAW.replace(b"[1,1]", b"[1,-0]"),
    "text minus zero": RAW.replace(b'"0"', b'"-0"'),
    "true for one": RAW.replace(b"[1,1]", b"[1,true]"),
    "unicode digits": RAW.replace(b'"0"', b'"\\u0660"'),
    "a raw unicode digit": RAW.replace(b'"0"', '"٠"'.encode()),
    "latin-1": RAW.replace(b'"0"', b'"\xe9"'),
    "an overlong zero": RAW.replace(b'"0"', b'"\xc0\xb0"'),
    "a lone surrogate": RAW.replace(b'"0"', b'"\\ud800"'),
    "random": bytes(range(256)),
    "zeros": bytes(1000),
    "a long name": RAW.replace(b'"rule"', b'"' + b"r" * 10**6 + b'"'),
    "a million keys": b"{" + b",".join(b'"%07d":0' % i for i in range(10**6)) + b"}\n",
    "a million elements": b"[" + b"0," * 10**6 + b"0]\n",
    "a huge degree": RAW.replace(b'"linear","bias"', b'{"polynomial":["1","1"]},"bias"').replace(
        b'["1","1"]', b"[" + b'"1",' * 10**5 + b'"1"]'
    ),
    "a huge width": RAW.replace(b"[1,1]", b"[1,999999999999999999]"),
    "a huge index": RAW.replace(b"[1,1]", b"[1,9999999999999999999]"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_certificate(name: str) -> None:
    assert BYTES[name] != RAW
    assert outcome_of(BYTES[name]) == "rejected"


@pytest.mark.parametrize("value", [None, "{}", bytearray(b"{}"), 0, [], {}, memoryview(b"{}")])
def test_what_is_not_bytes_is_rejected(value: object) -> None:
    assert isinstance(check(value), Rejected)  # type: ignore[arg-type]


def answer(raw: bytes, folder: Path) -> None:
    """The bare kernel answers within the time, in 4 GB, and does not believe it."""
    file = folder / "bomb.json"
    file.write_bytes(raw)
    # Other tests of this process have had children as well.
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    found = subprocess.run(
        [sys.executable, "-m", "theorylab.kernel", str(file)],
        capture_output=True,
        text=True,
        timeout=4 * SLOWEST_CHECK,
        preexec_fn=_limit,
        check=False,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert found.returncode == 1 and ": rejected: " in found.stdout, found.stdout + found.stderr
    assert "internal error" not in found.stdout, found.stdout
    assert used < SLOWEST_CHECK, f"{used:.1f} s: {found.stdout}"


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))


@pytest.mark.parametrize("name", QUICK)
def test_work_bombs(name: str, tmp_path: Path) -> None:
    answer(canonical(TREES[name]()), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TREES if name not in QUICK])
def test_more_work_bombs(name: str, tmp_path: Path) -> None:
    answer(canonical(TREES[name]()), tmp_path)
