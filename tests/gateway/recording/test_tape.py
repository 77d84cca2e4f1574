"""The tape of one call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.errors import StoreUnavailable
from gateway.recording import tape as tapes
from gateway.recording.tape import VERSION, Audio, Tape, TapeClock

MS = 1_000_000


class Hand:
    """A clock that is moved by hand, in ns."""

    def __init__(self) -> None:
        self.ns = 7 * MS

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def hand() -> Hand:
    return Hand()


def a_tape(hand: Hand, secrets: dict[str, str] | None = None) -> Tape:
    return Tape(TapeClock(1000, hand), {"release": "r"}, secrets or {})


def lines(tape: Tape) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tape.take()[0].splitlines()]


def test_the_first_line_says_which_format_and_what_the_call_began_with(hand: Hand) -> None:
    assert lines(a_tape(hand)) == [{"version": VERSION, "epoch_ms": 1000, "release": "r"}]


def test_times_count_from_the_beginning_in_ns_and_the_clock_goes_with_them(hand: Hand) -> None:
    clock = TapeClock(1000, hand)
    hand.ns += 2 * MS + 999_999
    assert (clock.elapsed_ns(), clock.now_ms()) == (2_999_999, 1002)


def test_asking_and_its_answer_share_a_number(hand: Hand) -> None:
    tape = a_tape(hand)
    tape.take()
    first, second = tape.asked("store", "head", "c"), tape.asked("store", "end")
    hand.ns += 5
    tape.answered("store", first, 3)
    tape.raised("store", second, StoreUnavailable("end", "Throttling"))
    asked, _, answered, raised = lines(tape)
    assert asked == {"t": 0, "at": "store", "n": 1, "do": "head", "args": ["c"]}
    assert answered == {"t": 5, "at": "store", "n": 1, "ok": 3}
    assert raised["raised"] == {"is": "StoreUnavailable", "args": ["end", "Throttling"]}


def test_audio_stands_beside_the_lines(hand: Hand) -> None:
    tape = a_tape(hand)
    tape.audio("deepgram.1", Audio.AGENT, b"abc")
    tape.audio("deepgram.1.sent", Audio.CALLER, b"d")
    text, audio = tape.take()
    assert '"bytes":3' in text
    assert audio == {Audio.AGENT: b"abc", Audio.CALLER: b"d"}
    assert tape.take() == ("", {})


def test_no_secret_is_written(hand: Hand) -> None:
    tape = a_tape(hand, {"KEY": 'se"cret', "EMPTY": ""})
    tape.sent("deepgram.1", json.dumps({"authorization": 'Bearer se"cret'}))
    tape.sent("deepgram.1", 'Bearer se"cret')
    text, _ = tape.take()
    assert "cret" not in text.replace("${secret:KEY}", "")
    assert text.count("${secret:KEY}") == 2


def test_a_recording_that_is_full_says_so_once_and_takes_nothing_more(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapes, "MOST_BYTES", 200)
    tape = a_tape(hand)
    tape.audio("kvs.1", Audio.KVS, bytes(300))
    tape.audio("kvs.1", Audio.KVS, bytes(300))
    tape.asked("store", "head")
    text, audio = tape.take()
    assert json.loads(text.splitlines()[-1]) == {"t": 0, "at": "tape", "full": True}
    assert len(audio[Audio.KVS]) == 300
