"""verify and check: same seed same bytes, files whole, the kernel's word and no other."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from theorylab import kernel
from theorylab.outcome import InputError
from theorylab.verify import check, decimal, verify, write

PROOFS = Path(__file__).parents[1] / "proofs"
LIGHT = ("quadratic-connected", "deep-linear-connected", "connected-implies-no-poor-minima")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.glob("*/*.json"))}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        verify(LIGHT, instances=3, seed=7, out=tmp_path / name)
    assert tree(tmp_path / "one") == tree(tmp_path / "two") != {}
    verify(LIGHT, instances=3, seed=8, out=tmp_path / "three")
    assert tree(tmp_path / "three") != tree(tmp_path / "one")


def test_every_written_certificate_passes_check_and_the_bare_kernel(tmp_path: Path) -> None:
    run = verify(LIGHT, out=tmp_path)
    assert run.exit_status == 0
    files = sorted(tmp_path.glob("*/*.json"))
    checked = check(files)
    assert {c.outcome for c in checked} == {"proved", "refuted"}
    for result in run.results:
        assert result.certificate is not None
        (line,) = check(result.certificate)
        assert line.outcome == result.outcome
        assert f"{result.claim} ({result.variant})" in line.claims
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("bezout-weights/iris-4-6-1", ("bezout-weights (corrected)",)),
        ("bezout-weights/printed-tied-square-twice", ("bezout-weights (printed)",)),
        (
            "bezout-weights/tied-square-twice",
            ("bezout-weights (corrected)", "interpolation-count (corrected)"),
        ),
        ("interpolation-count/printed-iris-4-6-1", ("interpolation-count (printed)",)),
        ("critical-count/square-1-1-1-iris", ("critical-count (corrected)",)),
        ("filling-width/parameters-power-4-3-5-1", ("filling-width (expected)",)),
        ("filling-width/power-4-3-5-1", ("filling-width (corrected)",)),
        ("filling-width/power-2-3-3-1", ("filling-width (expected)", "filling-width (corrected)")),
        ("filling-width/deep-2-2-1-1", ("filling-width (corrected)",)),
    ],
)
def test_check_names_the_readings_whose_numbers_are_stated(
    file: str, names: tuple[str, ...]
) -> None:
    (line,) = check(PROOFS / f"{file}.json")
    assert line.claims == names


def test_check_names_no_claim_for_a_bare_relation(tmp_path: Path) -> None:
    verify("quadratic-connected", out=tmp_path)
    lines = check(sorted(tmp_path.rglob("*.straight-line.json")))
    assert lines and all(line.outcome == "proved" and line.claims == () for line in lines)


def test_a_time_limit_only_cuts() -> None:
    run = verify(LIGHT, seconds=1e-9)
    assert len(run.results) == 1 and run.cut and run.exit_status == 3


def test_bad_arguments_are_refused_before_any_work(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("here already")
    with pytest.raises(InputError, match="out"):
        verify("quadratic-connected", out=file)
    with pytest.raises(InputError, match="instances"):
        verify("quadratic-connected", instances=-1)
    with pytest.raises(InputError, match="seconds"):
        verify("quadratic-connected", seconds=0)
    with pytest.raises(InputError, match="catalogue"):
        verify("no-such-claim", out=tmp_path / "never")
    assert file.read_text() == "here already"
    assert not (tmp_path / "never").exists()


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write(tmp_path / "deep" / "a.json", b"first\n")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputError, match="No space left"):
        write(target, b"second\n")
    assert target.read_bytes() == b"first\n"
    assert [p.name for p in target.parent.iterdir()] == ["a.json"]


def test_a_missing_certificate_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        check(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_bytes(b"{}\n")
    assert check(tmp_path / "bad.json")[0].outcome == "rejected"


def test_only_the_kernel_speaks_of_proof() -> None:
    run = verify("any-depth-connected")
    for result in run.results:
        assert result.certificate_bytes is not None
        assert isinstance(kernel.check(result.certificate_bytes), kernel.Proved)


def test_decimals_are_for_people() -> None:
    assert decimal(Fraction(-7, 2)) == "-3.5"
    assert decimal(Fraction(10**400, 3)) == "3.3333e+399"
    assert decimal(Fraction(1, 10**400)) == "1e-400"


def test_a_descent_that_stops_short_says_so() -> None:
    run = verify("deep-linear-descent")
    short = [r for r in run.results if r.within is not None]
    assert {r.instance for r in short} == {
        "iris-bottleneck-4-2-3",
        "iris-bottleneck-4-5-2-4-3",
    }
    for result in run.results:
        reaches = "reaches the global minimum" in result.reason
        assert reaches == (result.within is None)
        assert ("does not reach it" in result.reason) != reaches
