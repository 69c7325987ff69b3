"""Values in a notebook and in a terminal: real cells of a real IPython, pages by ``str``."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faces import MAKERS, face, made

import theorylab
from theorylab.outcome import InputError, Printed
from theorylab.report import notebook

# Their text is one line: they are no results, or parts of one.
SHORT = {
    "instance",
    "case",
    "exact instance",
    "network",
    "tied network",
    "data",
    "wide data",
    "loss",
    "ridge",
}


@pytest.fixture(scope="module")
def shell() -> Any:
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell

    found = InteractiveShell.instance()
    yield found
    InteractiveShell.clear_instance()


def shown(shell: Any, value: Any) -> dict[str, str]:
    """What a notebook is sent for a cell that displays the value."""
    from IPython.utils.capture import capture_output

    shell.user_ns["value"] = value
    with capture_output() as captured:
        done = shell.run_cell("display(value)")
    assert done.success and captured.stderr == ""
    (output,) = captured.outputs
    return dict(output.data)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_cell_shows_the_page_as_html_and_as_text(shell: Any, kind: str) -> None:
    value = made(kind)
    bundle = shown(shell, value)
    assert bundle["text/html"] == face(kind)
    assert bundle["text/plain"] == (repr(value) if kind in SHORT else str(value))
    latex = bundle.get("text/latex", "").replace(r"\{", "").replace(r"\}", "")
    assert latex.count("{") == latex.count("}")


@pytest.mark.parametrize("kind", MAKERS)
def test_text_is_a_page_of_80_columns_and_repr_one_line(kind: str) -> None:
    value = made(kind)
    page = str(value)
    assert "\x1b" not in page and page == page.rstrip()
    if kind not in SHORT:
        assert "\n" in page
        commands = ("theorylab ", "python -m", "sha256 ", "$ ")
        for line in page.splitlines():
            assert len(line) <= 80 or line.strip().startswith(commands), line
    assert "\n" not in repr(value) and len(repr(value)) <= 400


def test_values_in_a_cell_print_inside_containers(shell: Any) -> None:
    bundle = shown(shell, [made("data"), made("verification"), made("loss")])
    assert "text/html" not in bundle
    assert "<verification of 18 of 18 instances" in bundle["text/plain"]
    assert bundle["text/plain"].startswith("[<data iris: 150 samples of 4 inputs")


def test_small_data_print_as_the_words_that_make_them() -> None:
    from theorylab.model import Dataset

    data = Dataset.from_rows([[1], ["1/2"]], [[0], [3]], weights=[1, "2/3"], name="two")
    again = "Dataset.from_rows([['1'], ['1/2']], [['0'], ['3']], weights=['1', '2/3'], name='two')"
    assert repr(data) == again
    assert repr(made("wide data")).startswith("<data ")


def test_a_value_without_a_page_is_refused() -> None:
    for shows in (notebook.text, notebook.html):
        with pytest.raises(InputError, match="page"):
            shows(3)
    assert notebook.latex(3) is None


def test_values_are_made_without_loading_the_report() -> None:
    script = (
        "import sys, theorylab as tl; tl.Network, tl.Dataset, tl.verify, tl.connect, tl.levels\n"
        "import theorylab.falsify\n"
        "print([m for m in sys.modules if m.startswith(('theorylab.report', 'rich', 'latex2'))])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout == "[]\n", run.stderr


def test_every_result_of_a_verb_shows_itself() -> None:
    verbs = ("verify", "connect", "levels", "phase", "falsify", "experiments.run")
    rooms = [f"theorylab.{verb}" for verb in verbs]
    rooms += ["theorylab.counting.rootcount", "theorylab.counting.random_data"]
    results = {
        value
        for room in rooms
        for value in vars(importlib.import_module(room)).values()
        if isinstance(value, type) and hasattr(value, "to_json") and hasattr(value, "exit_status")
    }
    assert len(results) >= 9
    assert all(issubclass(one, Printed) for one in results)
    assert results <= {type(made(kind)) for kind in MAKERS}


def test_only_one_place_below_the_report_names_it() -> None:
    """``outcome.Shown`` looks the report up by name; nothing else below may."""
    package = Path(theorylab.__file__).parent
    above = ("report", "cli", "pytest_plugin", "__init__.py", "__main__.py")
    below = [p for p in package.rglob("*.py") if p.relative_to(package).parts[0] not in above]
    naming = [p.name for p in below if re.search(r'"theorylab\.report', p.read_text("utf-8"))]
    assert naming == ["outcome.py"]
