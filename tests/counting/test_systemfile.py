"""System files: round trips, export traps, and hostile content refused in one line."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from theorylab.counting.system import (
    Gaussian,
    PolynomialSystem,
    export_names,
    interpolation_system,
    json_text,
    msolve_text,
    phc_text,
    read_system,
    system_from_json,
    system_from_phc,
    write_msolve,
    write_phc,
    write_system,
)
from theorylab.model import Dataset, Network
from theorylab.outcome import InputError


def made(*polynomials: str, variables: str = "x y") -> PolynomialSystem:
    return system_from_json({"variables": variables.split(), "polynomials": list(polynomials)})


COEFFICIENTS = st.fractions(max_denominator=50).filter(bool)
EXPONENTS = st.tuples(*[st.integers(0, 3)] * 3)
POLYNOMIALS = st.lists(st.dictionaries(EXPONENTS, COEFFICIENTS, max_size=6), min_size=1, max_size=3)


def written(terms: dict[tuple[int, ...], Any], star: str) -> str:
    text = ""
    for exponents, c in terms.items():
        factors = [f"({c})" if c < 0 else str(c)]
        factors += [f"{v}{star}{e}" for v, e in zip("xyz", exponents, strict=True)]
        text += "+" + "*".join(factors)
    return text or "0"


@given(POLYNOMIALS, st.sampled_from(["^", "**", " ^ "]))
def test_round_trips(polynomials: list[dict[tuple[int, ...], Any]], star: str) -> None:
    system = made(*[written(terms, star) for terms in polynomials], variables="x y z")
    wanted = [
        {key: fmpq(c.numerator, c.denominator) for key, c in terms.items()} for terms in polynomials
    ]
    assert list(system.expanded()) == wanted
    assert list(system_from_json(json.loads(json_text(system))).expanded()) == wanted
    again = system_from_phc(phc_text(system))
    assert set(again.variables) == {"x", "y", "z"}
    place = [again.variables.index(v) for v in "xyz"]  # PHCpack orders by first appearance
    found = [
        {tuple(key[i] for i in place): c for key, c in terms.items()} for terms in again.expanded()
    ]
    assert found == wanted


@given(POLYNOMIALS)
def test_msolve_text_is_canonical(polynomials: list[dict[tuple[int, ...], Any]]) -> None:
    text = msolve_text(made(*[written(terms, "^") for terms in polynomials], variables="x y z"))
    names, characteristic, *lines = text.splitlines()
    assert names == "x,y,z" and characteristic == "0"
    body = "".join(lines)
    assert not set(body) & set("/(). ")
    for polynomial in body.split(","):
        for monomial in re.split("[+-]", polynomial.removeprefix("-")):
            letters = re.findall("[a-z]", monomial)
            assert len(letters) == len(set(letters)), "never u*u"
            assert not re.search(r"[0-9]\*[0-9]", monomial)


@pytest.mark.parametrize("text", ["x*x", "x*y*x", "x^1*x", "(x)*(x)", "x*2*x*3"])
def test_powers_are_collected_everywhere(text: str) -> None:
    system = made(text, "y-1")
    for exported in (phc_text(system), msolve_text(system), json_text(system)):
        assert "x^2" in exported and not re.search(r"x\*(y\*)?x", exported)


def test_network_systems_survive_export(tmp_path: Path) -> None:
    data = Dataset.from_rows([["1/3", 2], [1, "-0.7"], [5, 1]], [["2/7"], [1], [3]])
    system = interpolation_system(Network.dense((2, 2, 1), "square"), data)
    write_phc(tmp_path / "a.phc", system)
    write_system(tmp_path / "a.json", system)
    write_msolve(tmp_path / "a.ms", system, 2147483647)
    assert read_system(tmp_path / "a.json").expanded() == system.expanded()
    back = read_system(tmp_path / "a.phc")
    place = [back.variables.index(v) for v in system.variables]
    for ours, theirs in zip(system.expanded(), back.expanded(), strict=True):
        assert {tuple(k[i] for i in place): c for k, c in theirs.items()} == ours
    assert (tmp_path / "a.ms").read_text().splitlines()[1] == "2147483647"


def test_names_that_engines_misread_are_replaced_in_order() -> None:
    for names in (("i", "y"), ("e1", "y"), ("I", "y"), ("_a", "y"), ("x" * 30, "y"), ("E", "y")):
        assert export_names(names) == ("x1", "x2")
    assert export_names(("w1_1_2", "b2_1", "s0")) == ("w1_1_2", "b2_1", "s0")
    assert phc_text(made("i^2-e", "i*e-1", variables="i e")).splitlines()[1:] == [
        "x1^2-x2;",
        "x1*x2-1;",
    ]


def test_phc_text_mentions_every_unknown_and_both_numbers() -> None:
    assert phc_text(made("y^2-2")).splitlines() == ["1 2", "x-x+y^2-2;"]
    assert system_from_phc(phc_text(made("y^2-2"))).variables == ("x", "y")
    assert phc_text(made("-y^2-x*2")).splitlines()[1] == "-y^2-2*x;"


def test_complex_coefficients_go_to_phc_only() -> None:
    system = system_from_phc("1\n(1/2 - 3*i)*x^2 + 2*I*x - i^2;\n")
    assert system.expanded() == (
        {(2,): Gaussian(fmpq(1, 2), fmpq(-3)), (1,): Gaussian(fmpq(0), fmpq(2)), (0,): fmpq(1)},
    )
    assert system_from_phc(phc_text(system)).expanded() == system.expanded()
    for write in (msolve_text, json_text):
        with pytest.raises(InputError, match="some here are complex"):
            write(system)
    with pytest.raises(InputError, match="rational coefficients"):
        system.polynomials()


def test_phc_files_as_phcpack_writes_them() -> None:
    text = """ 2
 x**2 + 4*y**2 - 4;
        2*y**2 - x + 1.5E-01
 ;

THE SOLUTIONS :
2 2
solution 1 : t : 1.0 0.0
"""
    system = system_from_phc(text)
    assert system.expanded()[1] == {(0, 2): fmpq(2), (1, 0): fmpq(-1), (0, 0): fmpq(3, 20)}


def test_what_the_grammar_allows() -> None:
    values = {
        "x^2+1/2*y-1": "10",
        " - x * -2 ": "6",
        "(x-y)*(x+y)/4": "-7/4",
        "2^3": "8",
        "x--1": "4",
        "-x^2": "-9",
        "(-x)^2": "9",
        "x^0": "1",
        "1e-2*x+.5+3.": "353/100",
        "+x": "3",
        "((((x))))": "3",
        "6/2/3*x": "3",
        "x/(1+1)": "3/2",
    }  # fmt: skip
    for text, value in values.items():
        found = made(text).evaluate_exact([fmpq(3), fmpq(4)])
        assert str(found[0]) == value, text


DEEP = "(" * 5000 + "x" + ")" * 5000
MALFORMED: list[tuple[str, str]] = [
    ("", "ends too early"),
    ("   ", "ends too early"),
    ("__import__('os').system('true')", "not one of the variables"),
    ("x.real", "made of numbers"),
    ("exec(x)", "not one of the variables"),
    ("x(y)", "an operator is missing"),
    ("lambda: x", "not one of the variables"),
    ("x; y", "made of numbers"),
    ("x = 1", "made of numbers"),
    ("x\x00", "made of numbers"),
    ("ｘ", "made of numbers"),
    ("x + ²", "made of numbers"),
    ("٣*x", "made of numbers"),
    ("z", "not one of the variables"),
    ("i*x", "not one of the variables"),
    ("2x", "an operator is missing"),
    ("x y", "an operator is missing"),
    ("2 3", "an operator is missing"),
    ("2e5x", "an operator is missing"),
    ("x^1000000000", "exponents are at most 10000"),
    ("x^" + "9" * 4000, "exponents are at most 10000"),
    ("x^10001", "exponents are at most 10000"),
    ("(x^5000)^3", "degrees are at most 10000"),
    ("x^6000*y^6000", "degrees are at most 10000"),
    ("((3^9999)^9999)^9999", "expand to at most"),
    ("(1" + "0" * 500 + "*x)^5000", "expand to at most"),
    ("x^-1", "an exponent is an integer"),
    ("x^1/2^y", "an exponent is an integer"),
    ("x^0.5", "an exponent is an integer"),
    ("x^(2)", "an exponent is an integer"),
    ("x^2^3", "ambiguous"),
    ("1/x", "only a nonzero number divides"),
    ("x/0", "only a nonzero number divides"),
    ("x/(1-1)", "only a nonzero number divides"),
    ("1" * 4000, "at most 3000 digits"),
    ("1e99999", "at most 3000 digits"),
    ("1e999999", "not a finite rational"),
    ("x+", "ends too early"),
    ("x**", "an exponent is an integer"),
    ("*x", "made of numbers"),
    ("---x", "made of numbers"),
    ("(x", "a parenthesis is not closed"),
    ("x)", "an operator is missing"),
    ("()", "made of numbers"),
    (DEEP, "at most 100 deep"),
    ("-" * 5000 + "x", "made of numbers"),
    ("+".join(["x"] * 1_000_000), "at most 100000 summands|at most 2000000 characters"),
    ("x-1" * 200_000, "at most 100000 summands"),
    ("x*" * 999_999 + "x", "degrees are at most 10000"),
]


@pytest.mark.parametrize(("text", "rule"), MALFORMED, ids=lambda v: repr(v[:25]))
def test_hostile_polynomials_are_refused_in_one_line(text: str, rule: str) -> None:
    start = time.process_time()
    with pytest.raises(InputError, match=rule) as caught:
        made(text)
    assert time.process_time() - start < 1
    line = str(caught.value)
    assert "\n" not in line and len(line) < 400 and line.isprintable()


CONTENT: list[tuple[Any, str]] = [
    ({"variables": ["x"]}, '"polynomials" is required'),
    ({"variables": ["x"], "polynomials": ["x"], "code": "1"}, "the known keys"),
    ({"variables": ["x", "x"], "polynomials": ["x"]}, "declared once"),
    ({"variables": ["x-y"], "polynomials": ["x"]}, "a variable is a letter"),
    ({"variables": [""], "polynomials": ["x"]}, "a variable is a letter"),
    ({"variables": ["x" * 65], "polynomials": ["x"]}, "at most 64"),
    ({"variables": ["é"], "polynomials": ["x"]}, "a variable is a letter"),
    ({"variables": ["x\n"], "polynomials": ["x"]}, "a variable is a letter"),
    ({"variables": [], "polynomials": ["1"]}, "not empty"),
    ({"variables": ["x"], "polynomials": []}, "not empty"),
    ({"variables": "x", "polynomials": ["x"]}, "a list of texts"),
    ({"variables": ["x"], "polynomials": [1]}, "a list of texts"),
    ({"variables": ["x"], "polynomials": [["x"]]}, "a list of texts"),
    ({"variables": ["x"], "polynomials": ["x"], "name": 3}, "the name is a text"),
    ({"variables": ["x"], "polynomials": ["x"] * 1001}, "1 to 1000 polynomials"),
    ({"variables": [f"x{k}" for k in range(1001)], "polynomials": ["x0"]}, "at most 1000 var"),
    ({"variables": ["x"], "polynomials": ["x+" * 30_000 + "x"] * 4}, "at most 100000 summands"),
]


@pytest.mark.parametrize(("content", "rule"), CONTENT, ids=range(len(CONTENT)))
def test_hostile_json_is_refused_in_one_line(content: Any, rule: str, tmp_path: Path) -> None:
    place = tmp_path / "system.json"
    place.write_text(json.dumps(content))
    with pytest.raises(InputError, match=rule) as caught:
        read_system(place)
    assert "\n" not in str(caught.value)


PHC: list[tuple[str, str]] = [
    ("", "begins with the number of equations"),
    ("x^2-1;", "begins with the number of equations"),
    ("-1\nx;", "begins with the number of equations"),
    ("1 1 1\nx;", "begins with the number of equations"),
    ("999999999999\nx;", "begins with the number of equations"),
    ("0\n", "1 to 1000 polynomials"),
    ("99999\n", "1 to 1000 polynomials"),
    ("2\nx-1;", "announces 2 polynomials"),
    ("1\nx-y;", "announces 1 unknowns, and this is one more"),
    ("2\nx-1;\nx-2;", "announces 2 unknowns, and the polynomials contain 1"),
    ("1\nos.system(x);", "announces 1 unknowns|made of numbers"),
    ("1\nx^1000000000;", "exponents are at most"),
    ("1\n" + "x+" * 1_000_000 + "x;", "at most"),
    ("1\n" + DEEP + ";", "at most 100 deep"),
]


@pytest.mark.parametrize(("text", "rule"), PHC, ids=lambda v: repr(v[:25]))
def test_hostile_phc_text_is_refused_in_one_line(text: str, rule: str, tmp_path: Path) -> None:
    place = tmp_path / "system.phc"
    place.write_text(text)
    with pytest.raises(InputError, match=rule) as caught:
        read_system(place)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="xyi019.+-*/^() eE_;", max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (lambda: made(text), lambda: system_from_phc(f"1 2\n{text};")):
        try:
            system = read()
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert all(d <= 10_000 for d in system.degrees)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_system(tmp_path / "missing.json")
    with pytest.raises(InputError, match="directory"):
        read_system(tmp_path)
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate(10**10)  # sparse: refused by its size, before it is read
    with pytest.raises(InputError, match="at most 4000000 bytes"):
        read_system(big)
    with pytest.raises(InputError, match="cannot be written"):
        write_phc(tmp_path / "no" / "such", made("x"))
