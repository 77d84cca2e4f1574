"""`python -m flows NAME` writes a flow for reading."""

from __future__ import annotations

import json

import pytest

from flows.__main__ import main


@pytest.mark.parametrize("name", ["interruptible", "polling", "sip", "queue"])
def test_writes_the_flow_with_indentation(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 0
    written = capsys.readouterr().out
    assert json.loads(written)["Metadata"]["name"] == f"voice-agent-{name}"
    assert '\n  "Version"' in written


@pytest.mark.parametrize("arguments", [[], ["other"], ["polling", "x"]])
def test_says_how_it_is_used_otherwise(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: python -m flows" in capsys.readouterr().err
