"""proofs/: the committed certificates are what verify makes, and the bare kernel accepts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from theorylab.claims import all_claims
from theorylab.verify import verify

ROOT = Path(__file__).resolve().parent.parent
PROOFS = ROOT / "proofs"
FILES = sorted(PROOFS.glob("*/*.json"))


def test_the_committed_certificates_are_what_verify_writes(tmp_path: Path) -> None:
    verify(out=tmp_path)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.glob("*/*.json")}
    committed = {p.relative_to(PROOFS): p.read_bytes() for p in FILES}
    assert made.keys() == committed.keys(), "run: theorylab verify --out proofs"
    assert made == committed


def test_the_bare_kernel_replays_them_without_any_package() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-S", "-m", "theorylab.kernel", *map(str, FILES)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) == len(FILES) > 30
    assert all(": proved: " in line or ": refuted: " in line for line in lines)


@pytest.mark.parametrize("claim_id", [c.id for c in all_claims()])
def test_every_claim_has_its_page(claim_id: str) -> None:
    page = (PROOFS / claim_id / "README.md").read_text(encoding="utf-8")
    for part in ("Statement", "Source", "Proof"):
        assert part.lower() in page.lower(), part
    assert list((PROOFS / claim_id).glob("*.json"))
