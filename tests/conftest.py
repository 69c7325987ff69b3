"""For all tests: exact arithmetic has no useful deadline, and nobody's cache is read or written."""

import signal
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from theorylab.cli import main

Run = Callable[..., tuple[int, str, str]]

# A run in the background of a shell ignores Ctrl-C, and so would all its children.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("theorylab", deadline=None, print_blob=True)
settings.load_profile("theorylab")


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Solved generic members are kept for one session of tests only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THEORYLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line in this process: status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call
