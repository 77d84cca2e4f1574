"""The command: what is printed, and the exit code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from operations.doctor import __main__ as command
from tests.operations.account import ROOT, Account


@pytest.fixture
def root(account: Account, tmp_path: Path) -> Path:
    """A checkout with the account's settings."""
    folder = tmp_path / "checkout"
    for name in ("agents", "lambdas", "languages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "deployment.yaml").write_text(account.yaml)
    return folder


def test_a_good_deployment_ends_with_0(account: Account, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([], account.clients().session, root) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "settings       ✓ voice-agent: agents shop; 10 calls at once; Deepgram global"
    assert lines[1].startswith("credentials    ✓ arn:aws:sts::111122223333")
    assert "nothing has to be mended" in lines[-1]


def test_a_fault_ends_with_1_and_its_mend_stands_below_it(
    account: Account, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account.leading = []
    assert command.main(["--plain"], account.clients().session, root) == 1
    lines = capsys.readouterr().out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("phone number   ✗")]
    assert lines[at + 1].startswith(" " * 17 + "→ Connect console")
    assert lines[-1].endswith("something has to be mended")


def test_settings_that_cannot_be_read_end_with_2(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "deployment.yaml").write_text("name: x y\n")
    assert command.main([], root=root) == 2
    assert "deployment.yaml:1: name: expected" in capsys.readouterr().out


def test_an_agent_definition_that_is_wrong_ends_with_2(
    account: Account, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "agents" / "shop.yaml").write_text("nothing: here\n")
    assert command.main([], account.clients().session, root) == 2
    assert "shop.yaml" in capsys.readouterr().out
