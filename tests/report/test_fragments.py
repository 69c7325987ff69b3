"""Fragments of every kind of result: well-formed, escaped, bounded, and true to the JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from faces import EVIL, MAKERS, face, made

from theorylab.claims import all_claims
from theorylab.falsify.sharpness import topology_claims
from theorylab.outcome import InputError
from theorylab.report.html.figures import figure, pixels, vectors
from theorylab.report.html.fragments import SCHEMAS, fragment
from theorylab.report.html.landscapes import instance
from theorylab.report.html.markup import E, Markup, joined, text
from theorylab.report.html.mathematics import mathml, prose
from theorylab.report.html.panel import style, table
from theorylab.report.latex_statements import instance_latex, statement_latex
from theorylab.report.replay import replay

LARGEST = 200_000
SCHEMAS_MADE = [
    "verification",
    "verification of trials",
    "unexpected",
    "own claim",
    "refutation",
    "survived",
    "counterexample",
    "phase",
    "joined",
    "separated",
    "undecided pair",
    "levels",
    "rejected levels",
    "count",
    "incomplete count",
    "zeros",
    "survey",
    "sharpness",
    "measured",
]


def plain(markup: str) -> str:
    """The words of a fragment as a reader sees them, its tags taken out."""
    bare = re.sub(r"<style>.*?</style>", "", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def tree(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<all>{markup}</all>")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_face_is_well_formed_escaped_bounded_and_the_same_each_time(kind: str) -> None:
    shown = face(kind)
    assert len(shown.encode()) <= LARGEST
    assert shown == made(kind)._repr_html_()
    whole = tree(shown)
    tags = {element.tag.rpartition("}")[2] for element in whole.iter()}
    assert not tags & {"script", "iframe", "object", "link", "base", "form"}
    for element in whole.iter():
        for name, content in element.attrib.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert content.startswith("data:image/")
    assert len(whole.findall("./div[@class]")) == 1  # one panel, nothing beside it


@pytest.mark.parametrize(
    "kind", ["unexpected", "counterexample", "levels", "rejected levels", "wide data"]
)
def test_planted_markup_is_shown_as_the_text_that_it_is(kind: str) -> None:
    shown = face(kind)
    assert "<script" not in shown
    words = plain(shown)
    assert "<script>alert(1)</script> &" in words.replace("< script", "<script") or (
        kind == "levels" and "<script>alert(1)</script>"[:20] in words
    )


def numbers(value: Any) -> Iterator[float | int | str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "exit_status":
                yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


@pytest.mark.parametrize("kind", SCHEMAS_MADE)
def test_every_number_of_the_summary_is_shown(kind: str) -> None:
    value = made(kind).to_json()
    shown = plain(fragment(value))
    first = value[0] if isinstance(value, list) else value
    keys = ("summary", "tried", "shrinks", "tries", "pairs", "seed", "certified", "certified_real")
    keys += ("upper", "variables", "equations", "segments", "samples", "instances", "finished")
    keys += ("mean", "needed_width", "n", "p", "bounds", "runs", "planned")
    asked = {key: first[key] for key in keys if first.get(key) is not None}
    if first["schema"] in ("theorylab.experiment/1",):
        asked = {"n": [row["n"] for row in value], "seed": value[0]["seed"]}
    found = {float(word) for word in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", shown)}
    for number in numbers(asked):
        if number:
            near = {float(f"{number:.{digits}g}") for digits in (3, 4, 5, 6)}
            near |= {round(number, 1), round(number, 2), round(number)}
            assert near & found, (number, shown)


@pytest.mark.parametrize("kind", SCHEMAS_MADE)
def test_the_outcome_is_said_in_words(kind: str) -> None:
    value = made(kind).to_json()
    shown = plain(fragment(value))
    rows = value if isinstance(value, list) else value.get("results") or [value]
    if rows and "data" in rows[0] and "real_orbits" in rows[0]:
        rows = []
    for row in rows:
        word = row.get("status") or row.get("outcome")
        if word is not None and not str(row.get("instance", "")).startswith("random-"):
            said = {"proved": "proved|joined", "refuted": "refuted|separated"}.get(word, word)
            assert re.search(said if "|" in said else re.escape(said), shown)


def test_unexpected_rejected_undecided_and_cut_are_words_too() -> None:
    shown = plain(face("unexpected"))
    assert "NOT what the catalogue expects" in shown
    assert "1 UNEXPECTED" in shown and "1 REJECTED by the kernel" in shown
    assert "unexpected findings" in shown
    assert "1 undecided" in shown
    assert "cut by --seconds after" in shown
    chips = {
        (element.text, look)
        for element in tree(face("unexpected")).iter("span")
        for look in element.get("class", "").split()
    }
    assert {("refuted", "tl-unexpected"), ("rejected", "tl-rejected")} <= chips
    assert {("refuted", "tl-refuted"), ("proved", "tl-proved")} <= chips
    assert "rejected" in shown


def test_of_many_claims_those_in_trouble_stand_open() -> None:
    value = made("unexpected").to_json()
    good = [one for one in value["results"] if one["expected"] and not one["rejected"]]
    value["results"] += [
        {**one, "claim": claim.id} for claim in all_claims()[8:16] for one in good[:1]
    ]
    parts = tree(fragment(value)).findall("./div/details")
    assert len(parts) == 10
    assert [place for place, part in enumerate(parts) if "open" in part.attrib] == [0]


def test_an_unexpected_reading_names_the_expected_word() -> None:
    rows = made("measured").to_json()
    rows[0] |= {"expected": False, "status": "inconsistent"}
    shown = plain(fragment(rows))
    assert "expected: consistent" in shown
    assert "2 of 3 readings as expected" in shown


def test_the_command_that_runs_it_again() -> None:
    commands = {
        "verification": "theorylab verify deep-linear-connected quadratic-connected --instances 5",
        "refutation": "theorylab falsify deep-linear-connected --as-stated",
        "phase": "theorylab phase deep-linear-connected --n 1..2 --p 1..3 --family",
        "survey": "theorylab sweep --widths 2,2,1 --activation square --system interpolation",
        "measured": "theorylab experiment max-margin-bias --device cpu",
    }
    for kind, words in commands.items():
        assert words in plain(face(kind)), kind
    # the file of a claim of one's own is not known to its results
    assert "theorylab verify FILE.py::itself" in plain(face("own claim"))
    assert "theorylab falsify FILE.py::small" in plain(face("counterexample"))
    assert "theorylab falsify FILE.py::small" in str(made("counterexample"))


def test_a_command_that_is_given_is_shown_instead() -> None:
    value = made("refutation").to_json()
    shown = plain(fragment(value, ["theorylab", "falsify", "a b"]))
    assert "theorylab falsify 'a b'" in shown and "--as-stated" not in shown


@pytest.mark.parametrize("kind", ["joined", "levels", "count", "survey", "survived", "phase"])
def test_every_fragment_shows_the_command_that_it_is_given(kind: str) -> None:
    value = made(kind).to_json()
    value = {**value, **({"certificate": "x.json"} if "certificate" in value else {})}
    shown = plain(fragment(value, ["theorylab", "again", kind]))
    assert f"theorylab again {kind}" in shown
    assert ("theorylab check x.json" in shown) == ("certificate" in value)


def test_certificates_are_checked_again_by_two_commands() -> None:
    value = made("refutation").to_json() | {"certificate": "out dir/x.json"}
    shown = plain(fragment(value))
    assert "theorylab check 'out dir/x.json'" in shown
    assert "python -m theorylab.kernel 'out dir/x.json'" in shown


def test_data_sets_that_were_given_up_are_named() -> None:
    shown = plain(face("survey"))
    assert "1 given up" in shown and "21 time 2.5 s, 512 MiB" in shown
    assert "complete (numeric) on 20 of 22 data sets" in shown


def test_survived_is_never_proved() -> None:
    shown = plain(face("survived"))
    assert "survived 20 (seed 0)" in shown
    assert "nothing is proved by that" in shown
    assert "nothing is known" in plain(face("not hunted"))


@pytest.mark.parametrize("word", ["N_u = 1", "PROVED", "theorem is proved"])
def test_no_universal_word_beside_an_outcome(word: str) -> None:
    for kind in ("verification", "phase", "survived", "joined"):
        words = re.sub(r"<math.*?</math>", "", face(kind), flags=re.DOTALL)
        assert word not in plain(words)


def test_an_unknown_schema_is_refused() -> None:
    for strange in ({"schema": "theorylab.other/9"}, {}, [], [3], 7, [{"schema": SCHEMAS[0]}]):
        with pytest.raises(InputError, match="schema"):
            fragment(strange)


def test_a_thousand_rows_fold_and_stay_small() -> None:
    run = made("verification")
    value = run.to_json()
    more = [{**value["results"][-1], "instance": f"random-0-{i}"} for i in range(1000)]
    value["results"] += more
    shown = fragment(value)
    assert len(shown) <= LARGEST
    assert "more random instances, decided as expected" in plain(shown)
    names = [claim.id for claim in all_claims()]
    for outcome in ("proved", "undecided"):
        odd = {"outcome": outcome, "expected": outcome == "proved"}
        value["results"] = [{**one, **odd, "claim": name} for name in names for one in more[:200]]
        shown = fragment(value)
        assert len(shown) <= LARGEST
        assert re.search("not shown here|and [0-9]+ more", plain(shown))
    survey = made("survey").to_json()
    survey["results"] *= 100
    assert len(fragment(survey)) <= LARGEST
    assert "not shown here" in plain(fragment(survey))


def test_tables_count_the_rows_that_they_fold() -> None:
    rows = [[i] for i in range(1000)]
    assert plain(table(["n"], rows[:12])).count(" ") == 12
    shown = table(["n"], rows)
    assert "and 988 more, of which 700 are not shown here" in plain(shown)
    tree(shown)
    assert "and 988 more" in plain(table(["n"], rows[:12], total=1000))


@pytest.mark.parametrize("claim", all_claims(), ids=lambda claim: claim.id)
def test_every_reading_of_the_catalogue_is_mathematics(claim: Any) -> None:
    for variant in claim.variants:
        assert variant.latex
        shown = mathml(variant.latex, display=True)
        assert shown.startswith("<math")
        tree(shown)
        assert "\\" not in plain(shown)
    assert "tl-latex" not in claim._repr_html_()


def test_instances_and_statements_are_mathematics() -> None:
    for kind in ("refutation",):
        statement = made(kind).to_json()["instance"]
        for latex in (instance_latex(statement), statement_latex(statement)):
            shown = prose(latex)
            tree(shown)
            assert "<math" in shown
            assert "\\" not in plain(shown) and "$" not in plain(shown)


@pytest.mark.slow
def test_every_certificate_of_the_catalogue_is_mathematics() -> None:
    files = sorted((Path(__file__).resolve().parents[2] / "proofs").rglob("*.json"))
    assert len(files) > 200
    for file in files:
        shown = instance(json.loads(file.read_text("utf-8"))["statement"])
        tree(shown)
        assert len(shown) <= LARGEST // 4
        assert "\\" not in plain(shown) and "$" not in plain(shown), file
        assert "tl-latex" not in shown, file


def test_a_tilde_is_a_space_and_sim_a_relation() -> None:
    assert "<mo>∼</mo>" in mathml(r"A \sim B") and "<mo>≃</mo>" in mathml(r"A \simeq B")
    assert "∼" not in mathml("A~B")


def test_unknown_mathematics_stays_as_code() -> None:
    for latex in (r"\nonsense{x}", r"\frac{", "}", "", r"\begin{matrix} 1", "<b>&"):
        shown = mathml(latex)
        tree(shown)
        assert shown.startswith(("<code", "<math"))
    assert mathml(r"\nonsense{x<y}") == '<code class="tl-latex">\\nonsense{x&lt;y}</code>'


@pytest.mark.parametrize(
    "planted",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<mi onclick='a()'>x</mi>}",
        r"\text{&lt;script&gt;}",
        r"\mathrm{<img src=x>}",
        r"x</math><script>a()</script><math>",
    ],
)
def test_mathematics_holds_no_markup_of_its_own(planted: str) -> None:
    for shown in (mathml(planted), prose(f"a ${planted}$ b"), prose(planted)):
        for element in tree(shown).iter():
            assert element.tag.rpartition("}")[2] not in ("script", "img")
            assert not any(name.startswith("on") for name in element.attrib)


def test_markup_escapes_text_and_values_and_trusts_markup() -> None:
    made_ = E("p", {"title": EVIL, "hidden": True, "id": None, "lang": False}, EVIL, [E("br")])
    assert tree(made_)[0].text == EVIL
    assert tree(made_)[0].attrib == {"title": EVIL, "hidden": "hidden"}
    assert joined("a<", Markup("<i>b</i>"), None, 3) == "a&lt;<i>b</i>3"
    tree(text("\x00\x0b\ud800 and \ufffe"))
    for tag, inside in (("script", "x"), ("style", "x"), ("br", "x"), ("a b", ""), ("1", "")):
        with pytest.raises(InputError):
            E(tag, inside)
    with pytest.raises(InputError):
        E("p", {"a b": "c"})


def test_the_style_sheet_keeps_to_fragments_and_fetches_nothing() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", style(), flags=re.DOTALL)
    assert "url(" not in sheet and "@import" not in sheet
    for block in re.findall(r"([^{}]+)\{", sheet.removeprefix("<style>")):
        for selector in block.split(","):
            named = selector.strip()
            assert named.startswith((".theorylab", "@media", ".report")), named
    tree(style())


def test_figures_are_small_the_same_and_keep_their_words() -> None:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(4, 3))
    axes = drawn.add_subplot()
    axes.plot([0, 1], [0.123456789, 1])
    axes.set_title("a < b & 0.123456")
    raw = vectors(drawn).decode()
    whole = ElementTree.fromstring(raw)
    words = [element.text for element in whole.iter() if element.tag.endswith("}text")]
    assert "a < b & 0.123456" in words
    places = [value for element in whole.iter() for value in element.attrib.values()]
    assert not any(re.search(r"\d\.\d{3}", value) for value in places)
    assert vectors(drawn).decode() == raw
    assert pixels(drawn) == pixels(drawn) and pixels(drawn).startswith(b"\x89PNG")
    assert 'alt="it &lt;"' in figure(drawn, "it <")
    kinds = set(re.findall(r'src="data:image/([a-z+]+);base64,', face("measured")))
    assert kinds <= {"png", "svg+xml"} and kinds


def test_json_is_all_that_a_fragment_needs() -> None:
    for kind in SCHEMAS_MADE:
        value = made(kind).to_json()
        assert fragment(json.loads(json.dumps(value))) == fragment(value)


def test_the_command_of_a_whole_sharpness_table() -> None:
    value = made("sharpness").to_json()
    assert replay(value) == []
    value["rows"] = [{**value["rows"][0], "claim": claim.id} for claim in topology_claims()]
    assert replay(value) == ["theorylab", "falsify", "all", "--tries", "60"]
    assert "theorylab falsify all --tries 60" in plain(fragment(value))
