"""Recording never costs a call anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.recording.folder import load
from tests.recordings.oddities import ODDITIES, make

pytestmark = pytest.mark.scenario


def test_a_disk_that_takes_nothing_costs_the_recording_and_not_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "kept").mkdir()
    monkeypatch.setattr("gateway.recording.folder.append", full)
    monkeypatch.setattr("gateway.recording.folder.finish", lambda folder: None)
    made = make(ODDITIES["hang_up_in_a_clip"], tmp_path)
    assert made.name == "kept"


def test_the_header_holds_the_definition_and_no_secret(tmp_path: Path) -> None:
    header = load(make(ODDITIES["hang_up_in_a_clip"], tmp_path)).header
    assert header["definition"]["name"] == "shop"
    assert "secrets" not in header
