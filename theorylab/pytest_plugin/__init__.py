"""pytest: claims collected as tests, a marker and a fixture for claims in tests of one's own.

``pytest --claims [ID...]`` decides claims beside the usual tests, one test for each instance;
``@pytest.mark.claim(...)`` hands one to a test. Every run of pytest in an environment that has
theorylab loads this module, so it imports pytest alone; the rest comes when a claim is asked for.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from theorylab.pytest_plugin.words import arranged, numbers

if TYPE_CHECKING:
    from theorylab.instances import Instance
    from theorylab.pytest_plugin.fixture import ClaimUnderTest

_MARKER = (
    "claim(which, instances=0, tries=0, seed=0): hand a claim to the fixtures `claim` and "
    "`instance`; which is an id, FILE.py::NAME or a Claim; so many random instances besides the "
    "fixed ones, so many tries of a hunt"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options --claims...; their numbers are read by ``words.numbers``."""
    group = parser.getgroup("theorylab", "theorylab: claims as tests")
    group.addoption(
        "--claims",
        nargs="*",
        action="extend",
        metavar="ID",
        help="Decide claims too: ids, FILE.py[::NAME]; by default those of the ini value "
        "`claims`, or the catalogue. -m claim leaves the other tests out.",
    )
    options = (
        ("instances", "N", "Random instances of each claim besides the fixed."),
        ("tries", "N", "Hunt each claim too, with all its hypotheses, on N cases."),
        ("seed", "N", "The seed of everything drawn [0]."),
        ("out", "DIR", "A folder for the certificates."),
        ("undecided", "fail|skip", "What an undecided instance is [fail]."),
    )
    for name, metavar, words in options:
        group.addoption(f"--claims-{name}", metavar=metavar, help=words)
    parser.addini("claims", "Claims that --claims decides when it names none.", type="linelist")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Paths after ``--claims a b`` are paths again, before conftest files are looked for."""
    words = arranged(args)
    if words != args:
        args[:] = words
        known = parser.parse_known_args(args, namespace=copy.copy(early_config.option))
        early_config.known_args_namespace = known


def pytest_configure(config: pytest.Config) -> None:
    """The marker; the collection of claims where they are asked for."""
    config.addinivalue_line("markers", _MARKER)
    if config.getoption("claims") is not None:
        from theorylab.pytest_plugin.collection import Claims

        config.pluginmanager.register(Claims(config), "theorylab-claims")
    else:
        numbers(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked ``claim`` that takes ``instance`` runs once for each instance of the claim."""
    marker = metafunc.definition.get_closest_marker("claim")
    if marker is not None and not _is_theirs(metafunc.config):
        from theorylab.pytest_plugin.fixture import parametrised

        parametrised(metafunc, marker)


def _is_theirs(config: pytest.Config) -> bool:
    """Whether a project has a marker of this name of its own, registered before we came."""
    lines: list[str] = config.getini("markers")
    return any(re.match(r"claim\b", line) and line != _MARKER for line in lines)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What was decided travels with the report, from the workers of xdist too."""
    report = yield
    if call.when == "call" and (found := getattr(item, "_theorylab", None)):
        setattr(report, "theorylab", found)  # noqa: B010
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was decided, claim by claim, in the words of ``theorylab verify``."""
    reports = (r for listed in terminalreporter.stats.values() for r in listed)
    found = [one for r in reports for one in getattr(r, "theorylab", ())]
    if found:
        from theorylab.pytest_plugin.summary import print_summary

        print_summary(terminalreporter, found)


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> ClaimUnderTest:
    """The claim of the test's marker; without one, any fact is decided by itself.

    ``claim.holds()`` decides the fixed and the random instances and hunts; ``claim.decide(fact,
    proof)`` asks the kernel about one fact, and about a path or a proof that your code made.
    """
    from theorylab.pytest_plugin.fixture import under_test

    return under_test(request)


@pytest.fixture
def instance(request: pytest.FixtureRequest) -> Instance:
    """One instance of the claim of the test's marker; the test runs once for each."""
    from theorylab.pytest_plugin.fixture import instance_of

    return instance_of(request)
