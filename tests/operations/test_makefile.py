"""The Makefile's commands of operations, as make would run them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TAKE_SETTINGS = sorted(
    file.parent.name
    for file in (ROOT / "operations").glob("*/__main__.py")
    if '"--deployment"' in file.read_text() or "operations.command import" in file.read_text()
)


def recipe(target: str, *given: str) -> str:
    """The lines of a target, with what is given on make's command line; nothing is run."""
    asked = ["make", "--dry-run", "--assume-old=.venv/ready", "--assume-old=.venv/ready-deploy", target, *given]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_commands_that_read_settings_are_known() -> None:
    assert {"cost", "doctor", "explain", "forget", "inject"} == set(TAKE_SETTINGS)


@pytest.mark.parametrize("target", TAKE_SETTINGS)
def test_a_deployment_that_is_named_is_the_one_that_is_looked_into(target: str) -> None:
    found = recipe(target, "CONTACT=c", "SAY=a", "DEPLOYMENT=second.yaml")
    assert re.search(rf"-m operations\.{target}\b", found)
    assert "--deployment second.yaml" in found
    assert "--deployment" not in recipe(target, "CONTACT=c", "SAY=a")
