"""The recorded oddities of this repository, replayed byte for byte, and what a replay tells where something differs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.recording.folder import Recording, load
from gateway.recording.tape import Audio
from tests.recordings.__main__ import main
from tests.recordings.difference import SLACK_MS, Difference, _same
from tests.recordings.oddities import HOME, ODDITIES, Oddity, make
from tests.recordings.replayed import judge

pytestmark = pytest.mark.scenario
MEANT = "if this is meant, write the recordings anew: .venv/bin/python -m tests.recordings make"
every_oddity = pytest.mark.parametrize("oddity", ODDITIES.values(), ids=list(ODDITIES))


@every_oddity
def test_the_call_does_what_it_did_when_it_was_recorded(oddity: Oddity) -> None:
    recording = load(oddity.path)
    assert oddity.shows(recording), oddity.fault
    difference = judge(recording)
    assert difference is None, f"{difference}\n{MEANT}"


def test_every_recording_is_of_a_named_fault() -> None:
    assert {path.name for path in HOME.iterdir()} == {oddity.path.name for oddity in ODDITIES.values()}
    assert sum(path.stat().st_size for path in HOME.iterdir()) < 500_000


def test_a_call_that_is_recorded_now_replays(tmp_path: Path) -> None:
    recording = load(make(ODDITIES["into_the_goodbye"], tmp_path))
    assert judge(recording) is None
    assert recording.audio[Audio.CALLER].count(b"\xff") < len(recording.audio[Audio.CALLER])


def changed(recording: Recording, change: Callable[[dict[str, Any]], None], which: Callable[[Any], bool]) -> Recording:
    """The same recording with the first line changed that `which` holds for."""
    lines = copy.deepcopy(recording.lines)
    change(next(line for line in lines if which(line)))
    return replace(recording, lines=lines)


def found(recording: Recording) -> Difference:
    difference = judge(recording)
    assert difference is not None
    return difference


def test_another_action_is_told_with_what_was_recorded_and_what_is_done_now() -> None:
    recording = changed(
        load(ODDITIES["hang_up_in_a_clip"].path),
        lambda line: line["args"][1].update(duration_ms=1),
        lambda line: line.get("do") == "append",
    )
    difference = found(recording)
    shown = str(difference).splitlines()
    assert f"store, number {difference.number}" in shown[0]
    assert "append" in shown[2]
    assert shown[3] == "  append[1].duration_ms: 1 was recorded, 1920 is replayed"


def test_one_wrong_bit_of_the_callers_audio_is_found() -> None:
    recording = load(ODDITIES["hang_up_in_a_clip"].path)
    caller = bytearray(recording.audio[Audio.CALLER])
    caller[5000] ^= 1
    difference = found(replace(recording, audio={**recording.audio, Audio.CALLER: bytes(caller)}))
    assert difference.recorded is not None
    assert difference.recorded.at == "deepgram.1.sent"


def test_another_message_of_deepgram_makes_another_call() -> None:
    def other(line: dict[str, Any]) -> None:
        line["text"] = json.dumps({"type": "ConversationText", "role": "user", "content": "something else"})

    recording = changed(
        load(ODDITIES["hang_up_in_a_clip"].path),
        other,
        lambda line: '"role":"user"' in line.get("text", "").replace(" ", ""),
    )
    difference = found(recording)
    assert difference.replayed is not None
    assert "something else" in json.dumps(difference.replayed.what)


@pytest.mark.parametrize(("later_ms", "same"), [(0, True), (1, True), (1000, False)])
def test_times_of_a_call_in_real_time_may_differ_a_little_wherever_they_stand(later_ms: int, same: bool) -> None:
    key = "0002#end_call#{}"
    one = {"key": key.format(1_795_373_835_499), "at_ms": 1_795_373_835_499}
    other = {"key": key.format(1_795_373_835_499 + later_ms), "at_ms": 1_795_373_835_499 + later_ms}
    assert _same(one, other, SLACK_MS) is same
    assert _same(one, other, 0) is (later_ms == 0)


def test_a_recording_that_breaks_off_is_judged_as_far_as_it_goes() -> None:
    recording = load(ODDITIES["cut_in_mid_word"].path)
    assert judge(replace(recording, lines=recording.lines[: len(recording.lines) // 2])) is None


def test_the_command_says_what_it_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(ODDITIES["hang_up_in_a_clip"].path)]) == 0
    assert "the call does what it did then" in capsys.readouterr().out
    assert main([str(tmp_path)]) == 2
    assert "no sidecar.jsonl in it" in capsys.readouterr().err
    assert main([]) == 2
    assert "make replay RECORDING=" in capsys.readouterr().err
