"""Claims of a user's own: conjectures in a file, decided by the kernel or vouched for by nobody."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import fmpq

import theorylab as tl
from theorylab import kernel
from theorylab.claims import Claim, all_claims
from theorylab.conjecture import conjecture, fact, load_claims
from theorylab.conjecture.fact import CONCLUSIONS
from theorylab.conjecture.predicates import BOUNDS, hypothesis, known
from theorylab.conjecture.searchers import search
from theorylab.falsify import Counterexample, Refutation, Survived, falsify, reading
from theorylab.falsify.spoken import shrunk_made, spoken
from theorylab.instances import Draw, Instance, fitted, weights
from theorylab.kernel import hypotheses as kernel_hypotheses
from theorylab.kernel import statements
from theorylab.model import Dataset, Loss, Network, matrix
from theorylab.outcome import InputError, Undecided
from theorylab.topology.certificate import connection_certificate, statement_json
from theorylab.topology.path import Path as WeightPath

Run = Callable[..., tuple[int, str, str]]
EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "01_your_own_claim.py"
LINEAR = ["linear", "one hidden layer", "dense", "no bias"]
ONE = Dataset.from_rows([[1]], [[1]])

FILE = """\
import theorylab as tl
from theorylab.instances import weights

@tl.conjecture("two settings are joined at p >= min(n, m)",
               ["linear", "dense", "no bias", "p >= min(n,m)"], "joined")
def narrow(network, data):
    a = network.assemble([1] * network.parameter_count)
    return tl.fact("joined", network, data, A=a, B=[-layer for layer in a])

@tl.conjecture("squares are not negative")
def squares(draw):
    return draw.integer(-9, 9) ** 2 >= 0
"""


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


# What the kernel decides


def test_a_claim_of_a_few_lines_is_refuted_and_its_certificate_checks(
    run: Run, tmp_path: Path
) -> None:
    path = written(tmp_path, FILE)
    assert len(FILE.splitlines()) <= 15
    words = ("falsify", f"{path}::narrow", "--out", tmp_path / "out")
    status, page, _ = run(*words)
    assert status == 1 and "refuted by this instance" in page and "1-1-1 linear" in page
    assert "narrow" in page and "two settings are joined" in page
    status, out, _ = run(*words, "--json")
    found = json.loads(out)
    assert (status, found["schema"], found["claim"]) == (1, "theorylab.falsify/1", "narrow")
    assert (found["outcome"], found["assurance"]) == ("refuted", "kernel")
    assert found["instance"]["hypotheses"][-1]["bound"] == "min(n,m)"
    raw = Path(found["certificate"]).read_bytes()
    outcome = kernel.check(raw)
    assert isinstance(outcome, kernel.Refuted) and outcome.fact.kind == "separated"
    again = json.loads(run(*words, "--json")[1])
    assert {**again, "seconds": 0} == {**found, "seconds": 0}


def test_a_file_is_verified_claim_by_claim(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    status, out, _ = run("verify", path, "--instances", 2, "--json")
    results = json.loads(out)["results"]
    assert {r["claim"] for r in results} == {"narrow", "squares"} and status in (0, 3)
    by_kernel = [r for r in results if r["claim"] == "narrow"]
    assert len(by_kernel) == 14 and {r["variant"] for r in by_kernel} == {"conjectured"}
    assert {r["outcome"] for r in by_kernel} <= {"proved", "refuted", "undecided"}
    decided = [r for r in by_kernel if r["outcome"] != "undecided"]
    assert decided and {r["assurance"] for r in decided} == {"kernel"}
    (said,) = [r for r in results if r["claim"] == "squares"]
    assert (said["outcome"], said["expected"], said["assurance"]) == ("survived", True, None)
    status, page, _ = run("verify", f"{path}::squares")
    assert status == 0 and "survived" in page and "unchecked" in page
    assert "nothing is proved by that" in page and "0 of 0" not in page
    status, page, _ = run("verify", "quadratic-connected", f"{path}::squares")
    assert status == 0 and "joined 3 of 3 pairs" in page and "survived" in page


def test_the_example(run: Run) -> None:
    assert len(EXAMPLE.read_text("utf-8").splitlines()) <= 40
    one_each, one_more, halved = load_claims(EXAMPLE)
    found = falsify(one_each, seed=3)
    assert isinstance(found, Refutation) and found.fact == "separated"
    network, data = found.instance.network, found.instance.data
    assert (network.widths, network.activation.kind) == ((1, 2, 1), "relu")
    assert sorted(data.x.entries()) == [-1, 1] and data.y.entries() == [1, 1]
    mended = tl.verify(one_more)
    assert (mended.count("proved"), mended.exit_status) == (12, 0)
    status, page, _ = run("falsify", f"{EXAMPLE}::halved")
    assert status == 1 and "counterexample (unchecked)" in page and "1 becomes 1/16" in page
    assert halved.kind == "unchecked"


def test_a_claim_from_python_without_a_function() -> None:
    narrow = conjecture("p >= min(n, m)", [*LINEAR, "p >= min(n,m)"], "joined", name="narrow")
    assert isinstance(narrow, Claim) and narrow.main.hypotheses[-1].name == "wide"
    found = tl.falsify(narrow)
    assert isinstance(found, Refutation) and found.instance.network.widths == (1, 1, 1)
    assert found.instance.data.x.entries() == found.instance.data.y.entries() == [1]
    wider = conjecture("p > min(n, m)", [*LINEAR, "p > min(n,m)"], "joined", name="wider")
    assert isinstance(falsify(wider, tries=60), Survived)
    dropped = falsify(wider, "wide", tries=200)
    assert isinstance(dropped, Refutation) and dropped.dropped == ("wide",)
    run = tl.verify([wider, "quadratic-connected"])
    assert (run.count("proved"), run.exit_status) == (15, 0)


def test_valleys_are_hunted_by_hypotheses_but_verify_needs_points() -> None:
    words = ["polynomial", "one hidden layer", "dense", "no bias", "scalar output"]
    claim = conjecture("no valley is spurious", words, "descends", name="no-valley")
    found = falsify(claim, tries=300)
    assert isinstance(found, Refutation) and found.fact == "trapped"
    with pytest.raises(InputError, match="falsify hunts it"):
        tl.verify(claim)


def test_relations_are_statements_of_the_kernel() -> None:
    @conjecture("a smaller point is no worse", ["linear", "dense"], "relation")
    def smaller(network: Network, data: Dataset, draw: Draw) -> Any:
        point = weights(draw, network)
        return [layer / 2 for layer in point], "<=", point

    found = falsify(smaller, seed=1)
    assert isinstance(found, Refutation) and (found.rule, found.fact) == ("witness", "no_relation")
    assert found.instance.network.widths == (1, 1, 1)
    assert found.instance.data.x.entries() == found.instance.data.y.entries() == [1]
    outcome = kernel.check(found.certificate_bytes)
    assert isinstance(outcome, kernel.Refuted)
    values = outcome.statement.conclusion.values
    assert outcome.statement.loss(values["left"]) > outcome.statement.loss(values["right"])

    @conjecture("a square is at most its cube", conclusion="relation")
    def cube(draw: Draw) -> Any:
        a = draw.integer(-5, 5)
        return a**3, ">=", fmpq(a) ** 2

    found = falsify(cube)
    assert isinstance(found, Refutation) and found.instance.conclusion == {
        "kind": "relation", "left": "1", "op": "<=", "right": "-1"
    }  # fmt: skip
    assert "only your function" in found.instance.note
    run = tl.verify(cube, instances=5)
    results = run.results
    assert run.exit_status == 1
    assert {r.expected for r in results if r.outcome == "refuted"} == {False}
    assert len(results) == 17 and {r.outcome for r in results} == {"proved", "refuted"}
    assert all(r.reason for r in results)


@pytest.mark.slow
def test_every_canonical_instance_is_a_fact_that_the_searchers_decide() -> None:
    seen = set()
    for claim in all_claims():
        made = [i for i in claim.canonical() if i.network.parameter_count * i.data.samples < 150]
        for instance in made[:2]:
            found = search(instance)
            assert not isinstance(found, Undecided), (claim.id, instance.name)
            loss, (rule, proof) = instance.loss, found
            outcome = kernel.check(connection_certificate(loss, instance.conclusion, rule, proof))
            word = "proved" if isinstance(outcome, kernel.Proved) else "refuted"
            assert word == instance.expected, (claim.id, instance.name)
            seen.add(instance.conclusion["kind"])
    assert len(seen) >= 14, seen


def test_what_a_fact_says_is_read_by_the_kernel_at_once() -> None:
    assert set(CONCLUSIONS) == {*statements._VALUES, *statements._DISTANCES, "roots", "relation"}
    network = Network.dense((1, 1, 1), "relu")
    b = (matrix([[2]]), matrix([["1/2"]]))
    made = fact("joined", network, ONE, A=[[[1]], [[1]]], B=b)
    assert made.conclusion["u"] == "0" and made.b is not None
    descent = fact("descends", network, ONE, A=b, v=0)
    assert (descent.conclusion["eps"], descent.conclusion["v"]) == ("0", "0")
    counted = fact("components", network, ONE, u="1/2", at_least=1, at_most=None)
    assert isinstance(search(counted), tuple)
    for kind, values in (
        ("joined", {"A": b}),
        ("components", {"u": 1}),
        ("global_min", {"v": 0.5}),
        ("no_such_fact", {}),
        ("joined", {"A": b, "B": (matrix([[1]]),)}),
        ("local_min", {"A": "weights"}),
        ("descends", {"A": b, "v": 0, "eps": -1}),
    ):
        with pytest.raises(InputError):
            fact(kind, network, ONE, **values)


def test_the_statement_is_fixed_before_a_prover_runs_and_a_forged_proof_is_rejected() -> None:
    seen: list[dict[str, Any]] = []

    def forger(instance: Instance) -> Any:
        seen.append(instance.conclusion)
        return "polyline", {"form": "bound", "steps": [], "optimum": None}

    @conjecture("a jump", LINEAR, "joined", prover=forger)
    def jump(draw: Draw) -> Instance:
        network = Network.dense((1, 1, 1), "linear")
        points = [network.assemble([w, w]) for w in (1, -1)]
        return fact("joined", network, ONE, A=points[0], B=points[1])

    run = tl.verify(jump)
    assert {r.outcome for r in run.results} == {"undecided"} and run.exit_status == 1
    assert all(r.rejected for r in run.results) and seen
    assert isinstance(falsify(jump, tries=3), Survived)


def test_a_prover_may_give_a_path_or_leave_it_to_ours() -> None:
    def along(instance: Instance) -> WeightPath | None:
        from theorylab.topology.connect import Connection, connect

        assert instance.b is not None
        found = connect(instance.network, instance.data, instance.a, instance.b)
        return found.path if isinstance(found, Connection) else None

    for prover in (along, lambda instance: None):

        @conjecture("wide", [*LINEAR, "p > min(n,m)"], "joined", prover=prover)
        def wide(network: Network, data: Dataset, draw: Draw) -> Instance:
            points = [fitted(draw, network, data) for _ in range(2)]
            return fact("joined", network, data, A=points[0], B=points[1])

        assert tl.verify(wide).count("proved") == 12

    @conjecture("wide", LINEAR, "joined", prover=lambda instance: 7)
    def seven(network: Network, data: Dataset) -> Instance:
        zero = network.assemble([0] * network.parameter_count)
        return fact("joined", network, data, A=zero, B=zero)

    with pytest.raises(InputError, match="a prover returns"):
        tl.verify(seven)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_case_that_no_single_step_reaches_is_found_anew(seed: int) -> None:
    @conjecture("shrinking the weights never hurts", ["linear"], "relation")
    def shrinking(network: Network, data: Dataset, draw: Draw) -> Any:
        point = weights(draw, network)
        return [layer / 2 for layer in point], "<=", point

    found = falsify(shrinking, seed=seed)
    assert isinstance(found, Refutation) and found.instance.network.widths == (1, 1, 1)


def test_only_instances_with_the_hypotheses_count() -> None:
    @conjecture("joined", [*LINEAR, "p > min(n,m)"], "joined")
    def sometimes(draw: Draw) -> Instance | None:
        if draw.integer(0, 3) == 0:
            return None
        network = Network.dense((1, draw.integer(1, 2), 1), "linear")
        a, b = weights(draw, network), weights(draw, network)
        return fact("joined", network, ONE, A=a, B=b)

    assert {r.architecture for r in tl.verify(sometimes).results} == {"1-2-1"}
    found = falsify(sometimes, tries=40)
    assert isinstance(found, Survived) and found.tried == 40

    @conjecture("never", ["square"], "joined")
    def never(draw: Draw) -> Instance:
        network = Network.dense((1, 1, 1), "linear")
        zero = network.assemble([0, 0])
        return fact("joined", network, ONE, A=zero, B=zero)

    with pytest.raises(InputError, match="in which its hypotheses hold"):
        tl.verify(never)
    nothing = falsify(never)
    assert isinstance(nothing, Survived) and (nothing.tried, nothing.exit_status) == (0, 3)


def test_a_missing_return_and_a_truth_value_of_numpy_are_named() -> None:
    @conjecture("nothing is returned", ["linear"], "joined")
    def silent(network: Network, data: Dataset) -> None:
        zero = network.assemble([0] * network.parameter_count)
        fact("joined", network, data, A=zero, B=zero)

    @conjecture("numpy has truth values of its own")
    def foreign(draw: Draw) -> object:
        return np.float64(draw.integer(0, 1)) >= 0

    with pytest.raises(InputError, match=r"returned None in all of 400 draws; is a `return` missi"):
        tl.verify(silent)
    with pytest.raises(InputError, match=r"foreign returned numpy.bool: .*; write bool\(...\)"):
        falsify(foreign, tries=1)


def test_drawn_networks_are_not_all_of_the_smallest_size() -> None:
    @conjecture("joined", ["square", *LINEAR[1:], "p >= n(n+1)"], "joined")
    def wide(network: Network, data: Dataset, draw: Draw) -> Instance:
        return fact("joined", network, data, A=weights(draw, network), B=weights(draw, network))

    assert {i.network.widths[0] for i in wide.canonical()} == {1, 2, 3}


# Bare truth values


def test_a_bare_truth_value_is_never_proved_or_refuted(run: Run, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        FILE.replace("return draw.integer(-9, 9) ** 2 >= 0", "return draw.integer(-9, 9) < 7"),
    )
    status, page, _ = run("falsify", f"{path}::squares")
    assert status == 1 and "counterexample (unchecked)" in page
    assert "unchecked: your function vouches, not the kernel" in page
    assert "drawn        7" in page and f"theorylab falsify {path}::squares" in page
    assert "refuted" not in page and "proved" not in page
    status, out, _ = run("falsify", f"{path}::squares", "--json", "--seed", 4)
    found = json.loads(out)
    assert status == 1 and found["outcome"] == "counterexample (unchecked)"
    assert found["assurance"] == "unchecked" and found["instance"] == {"choices": [7]}
    assert found["certificate"] is found["fact"] is found["rule"] is None
    status, out, _ = run("verify", f"{path}::squares", "--json")
    value = json.loads(out)
    (result,) = value["results"]
    assert (status, result["outcome"]) == (1, "counterexample (unchecked)")
    assert (result["assurance"], result["expected"]) == ("unchecked", False)
    assert value["summary"]["unchecked_counterexamples"] == 1
    assert value["summary"]["proved"] == value["summary"]["refuted_as_expected"] == 0
    status, page, _ = run("verify", f"{path}::squares")
    assert status == 1 and "refuted" not in page.replace("refuted as expected", "")


def test_a_bare_truth_value_survives() -> None:
    @conjecture("a loss is not negative", ["linear"])
    def positive(network: Network, data: Dataset, draw: Draw) -> bool:
        return bool(Loss(network, data)(network.assemble([draw.integer(-2, 2)] * 1)) >= 0)

    @conjecture("an integer is itself")
    def itself(draw: Draw) -> bool:
        return draw.integer(0, 4) <= 4

    found = falsify(itself, tries=100)
    assert isinstance(found, Survived) and found.tried == 5
    assert "no more different cases" in found.reason and found.exit_status == 0
    assert "proved" not in repr(found)
    with pytest.raises(InputError, match="parameters"):
        falsify(positive)  # a network of more than one parameter: the function's own fault


def test_cases_shrink_in_the_order_of_the_house_then_the_choices() -> None:
    @conjecture("no two units with three samples", ["homogeneous", "dense", "one hidden layer"])
    def small(network: Network, data: Dataset, draw: Draw) -> tuple[bool, str]:
        number = draw.integer(-9, 9)
        bad = network.hidden[0] >= 2 and data.samples >= 3 and number >= 2
        return not bad, f"number {number}"

    for seed in (0, 1):
        found = falsify(small, seed=seed)
        assert isinstance(found, Counterexample) and found.case is not None
        assert found.case.network == Network.dense((1, 2, 1), "abs")
        assert not any([*found.case.data.x.entries(), *found.case.data.y.entries()])
        assert (found.case.data.samples, found.choices, found.said) == (3, (2,), "number 2")


def test_a_function_that_fails_on_something_simpler_does_not_end_the_shrinking() -> None:
    @conjecture("odd numbers are below 7")
    def odd(draw: Draw) -> bool:
        number = draw.integer(0, 999)
        return 6 // number >= 0 and (number % 2 == 0 or number < 7)

    found = falsify(odd)
    assert isinstance(found, Counterexample) and found.choices == (7,) and found.shrinks > 0


def test_ctrl_c_while_shrinking_keeps_the_counterexample(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["theorylab.falsify"], "shrunk_made", interrupted)

    @conjecture("small")
    def small(draw: Draw) -> bool:
        return draw.integer(0, 99) < 5

    found = falsify(small)
    assert isinstance(found, Counterexample) and found.choices[0] >= 5 and found.shrinks == 0


def test_time_cuts_the_shrinking() -> None:
    @conjecture("small")
    def small(draw: Draw) -> bool:
        return draw.integer(0, 10**6) + draw.integer(0, 10**6) < 5

    first = next(spoken(reading(small), 1, 0))
    assert first is not None
    assert shrunk_made(reading(small), first, 0.0) == (first, 0)
    shrunk, steps = shrunk_made(reading(small), first, None)
    assert steps > 0 and sum(choice.value for choice in shrunk.choices) == 5


# Words


def test_every_bound_and_every_word_is_a_predicate_of_the_kernel() -> None:
    network, a = Network.dense((1, 8, 1), "square"), [[["1"]] * 8, [["1"] * 8]]
    pair = {"kind": "joined", "A": a, "B": a, "u": "100"}
    assert {bound for bound in BOUNDS if f'"{bound}"' not in inspect.getsource(kernel_hypotheses)
            and not bound.startswith("monomials")} == set()  # fmt: skip
    for words in [*known(), *(f"p >= {bound}" for bound in BOUNDS), "p > N", "p >= 2 N - 1"]:
        predicate = hypothesis(words).json
        ridge = [fmpq(1)] * 16 if "ridge" in words else None
        stated = statement_json(network, ONE, [predicate], pair, ridge)
        try:
            kernel_hypotheses.check(predicate, statements.parse_statement(stated))
        except kernel.arith.Refusal as refusal:
            assert str(refusal).startswith("hypothesis"), (words, str(refusal))
    assert hypothesis("p >= N").json == hypothesis("p >= N+1 - 1").json
    assert hypothesis("One-hidden_layer").json == {"kind": "hidden_layers", "count": 1}
    assert hypothesis("3 hidden layers").json["count"] == 3
    with pytest.raises(InputError, match='write "homogeneous", or take draw and make relu'):
        hypothesis("relu")


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: conjecture(""), "words"),
        (lambda: conjecture("a", ["relu"]), "hypotheses"),
        (lambda: conjecture("a", ["p >= 7q"]), "hypotheses"),
        (lambda: conjecture("a", "linear"), "hypotheses"),
        (lambda: conjecture("a", [3]), "hypotheses"),  # type: ignore[list-item]
        (lambda: conjecture("a", ["p >= q", "p >= 2q"]), "hypotheses"),
        (lambda: conjecture("a", [], "joint"), "conclusion"),
        (lambda: conjecture("a", [], "nullity", name="a"), "conclusion"),
        (lambda: conjecture("a", [], "joined", name="a/b"), "name"),
        (lambda: conjecture("a", [], "joined", name="any-depth-connected"), "name"),
        (lambda: conjecture("a")(lambda draw: True), "name"),
        (lambda: conjecture("a", ["linear"])(_of_draw), "hypotheses"),
        (lambda: conjecture("a", ["zero loss"])(_of_a_case), "hypotheses"),
        (lambda: conjecture("a")(_of_nothing), "parameters"),
        (lambda: conjecture("a")(_of_a_network), "parameters"),
        (lambda: falsify(conjecture("a")(_three)), "claim"),
        (lambda: falsify(conjecture("a", [], "joined")(_three)), "claim"),
        (lambda: falsify(conjecture("a", [], "relation")(_three)), "claim"),
        (lambda: falsify(conjecture("a", [], "relation")(_floats)), "claim"),
        (lambda: falsify(conjecture("a", [], "relation")(_unequal)), "claim"),
        (lambda: falsify(conjecture("a")(_of_draw), "wide"), "drop"),
        (lambda: falsify(conjecture("a")(_of_draw), as_stated=True), "variant"),
    ],
)
def test_refusals(make: Callable[[], object], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.argument == argument and "\n" not in str(caught.value)


def _of_draw(draw: Draw) -> bool:
    return draw.integer(0, 1) < 2


def _of_a_case(network: Network, data: Dataset) -> bool:
    return True


def _of_nothing() -> bool:
    return True


def _of_a_network(network: Network) -> bool:
    return True


def _three(draw: Draw) -> int:
    return 3


def _floats(draw: Draw) -> Any:
    return 0.5, "<", 1


def _unequal(draw: Draw) -> Any:
    return 1, "!=", 1


# Files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("x = (\n", "it is no Python: '(' was never closed, line 1"),
        ("\nimport no_such_module\n", "line 2: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "line 1: SystemExit: 3"),
        ("import theorylab\n", "there is no claim at the top level"),
        ("from theorylab.claims.linear import *\n", "there is no claim at the top level"),
        (FILE.replace('min(n,m)"', 'max(n,m)"'), "a width is compared"),
        (FILE.replace("import weights", "import weihgts"), "line 2: ImportError"),
        (FILE + "other = tl.conjecture('a', [], 'joined', name='squares')\n", "two claims"),
        (FILE + "x = tl.conjecture('a', [], 'joined', name='polynomial-width')\n", "catalogue"),
    ],
)
def test_a_bad_file_is_one_line(run: Run, tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text, "utf-8")
    for command in ("verify", "falsify"):
        status, out, error = run(command, path)
        assert (status, out) == (2, "") and said in " ".join(error.split()), error
        assert error.startswith("theorylab: claim: ") and error.count("\n") == 1


def test_names_in_a_file(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    status, _, error = run("verify", f"{path}::nrrow")
    assert status == 2 and "it has narrow, squares" in error
    status, _, error = run("falsify", path)
    assert status == 2 and f"name one: {path}::narrow" in error
    other = written(tmp_path, FILE, "other.py")
    status, _, error = run("verify", f"{path}::squares", f"{other}::squares")
    assert status == 2 and "rename one" in error
    assert run("verify", f"{path}::squares", f"{path}::squares")[0] == 0


def test_a_file_is_read_afresh_and_leaves_nothing_beside_it(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    assert run("falsify", f"{path}::squares", "--tries", 5)[0] == 0
    written(tmp_path, FILE.replace(">= 0", ">  0"))  # of the same length, in the same second
    assert run("falsify", f"{path}::squares")[0] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["mine.py"]


def test_what_a_file_prints_stays_out_of_the_json(run: Run, tmp_path: Path) -> None:
    text = "print('loud')\n" + FILE.replace(
        "    return draw", "    print('louder')\n    return draw"
    )
    path = written(tmp_path, text)
    status, out, error = run("verify", f"{path}::squares", "--json")
    assert status == 0 and json.loads(out)["seed"] == 0
    assert "loud\n" in error and "louder\n" in error


def test_a_function_that_fails_is_one_line_or_with_debug_a_traceback(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(
        tmp_path, FILE.replace("return draw.integer(-9, 9)", "return 1 // (draw.integer(0, 1))")
    )
    for command, seed in (("falsify", "hunt squares conjectured 0"), ("verify", "squares:0:")):
        status, out, error = run(command, f"{path}::squares")
        assert (status, out, error.count("\n")) == (2, "", 1)
        assert "claim: squares" in error and "line 12 of mine.py" in error and seed in error
        assert "ZeroDivisionError" in error
    monkeypatch.setenv("THEORYLAB_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("falsify", f"{path}::squares")


def test_a_function_must_say_one_thing_of_one_instance() -> None:
    answers = iter([True, True, False, True, True])

    @conjecture("whatever")
    def fickle(draw: Draw) -> bool:
        draw.integer(0, 10**9)
        return next(answers)

    with pytest.raises(InputError, match="two things of one instance"):
        falsify(fickle)


def test_a_latex_document_of_conjectures(run: Run, tmp_path: Path) -> None:
    path, document = written(tmp_path, FILE), tmp_path / "all.tex"
    run("verify", path, "--latex", document)
    text = document.read_text("utf-8")
    assert "survived" in text and "\\[  \\]" not in text and "None" not in text


def test_the_example_imports_public_names_only() -> None:
    tree = ast.parse(EXAMPLE.read_text("utf-8"))
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert names == ["theorylab.instances"]
