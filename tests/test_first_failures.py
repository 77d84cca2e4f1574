"""That a test in real time failed at first is told at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no socket")

def test_one(): assert 1 == 2, "late by 3 s"
def test_two(broken): pass
def test_three(): pass
"""


def test_failures_and_errors_are_kept_in_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    kept = tmp_path / "kept"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.first_failures",
        "-p",
        "no:cacheprovider",
        "test_it.py",
    ]
    for _ in range(2):
        environment = {**os.environ, "FIRST_FAILURES": str(kept), "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
        subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True)
    once = (
        "test_it.py::test_one (call): AssertionError: late by 3 s\ntest_it.py::test_two (setup): OSError: no socket\n"
    )
    assert kept.read_text() == 2 * once


def test_the_makefile_tells_them_last() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "FIRST_FAILURES=$(FIRST) $(BIN)/pytest -q $(1) ||" in makefile
    recipe = makefile.partition("\ntest:")[2].partition("\n\n")[0]
    assert "cat $(FIRST)" in recipe.splitlines()[-2]
