"""docs/how-to/claims.yml: sound as a workflow, and its steps decide a user's claims."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import ROOT, Page, blocks

FILE = ROOT / "docs" / "how-to" / "claims.yml"
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
STEPS = WORKFLOW["jobs"]["claims"]["steps"]
# theorylab is installed here already, from the tree that is tested.
INSTALL = "Install"


def test_it_may_do_little_and_pins_what_it_uses() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert set(WORKFLOW[True]) == {"push", "pull_request"}  # YAML reads the key `on` as true
    assert WORKFLOW["jobs"]["claims"]["timeout-minutes"] <= 60
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert [re.sub(r"@v\d+$", "", name) for name in used] == [
        "actions/checkout",
        "actions/setup-python",
        "actions/cache",
        "actions/upload-artifact",
    ]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)
    assert all(("run" in step) != ("uses" in step) for step in STEPS)
    # no text of a pull request gets into a shell
    assert not any("${{" in step.get("run", "") for step in STEPS)


def test_what_cannot_be_installed_is_said() -> None:
    (install,) = (step["run"] for step in STEPS if step.get("name") == INSTALL)
    run = subprocess.run(["sh", "-c", install], capture_output=True, text=True, env={})
    assert run.returncode != 0 and "set the variable THEORYLAB" in run.stderr


@pytest.mark.slow
def test_its_steps_decide_the_claims_of_the_tutorial(tmp_path: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    (claims,) = (b.text for b in blocks(tutorial) if b.file == "my_claims.py")
    (tmp_path / "my_claims.py").write_text(claims, encoding="utf-8")
    environment = Page(ROOT / "README.md", tmp_path).environment
    for step in STEPS:
        if "run" not in step or step["name"] == INSTALL:
            continue
        # as GitHub runs it: bash -e, each step in a shell of its own
        run = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
        )
        assert run.returncode == 0, f"{step['name']}: {run.stdout}{run.stderr}"
    kept = STEPS[-1]["with"]["path"].split()
    assert all((tmp_path / name).exists() for name in kept)
    assert len(list((tmp_path / "kept").glob("one_unit_each/*.json"))) >= 12
    assert "one_unit_each" in (tmp_path / "report.html").read_text(encoding="utf-8")
