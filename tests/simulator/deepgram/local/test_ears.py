from __future__ import annotations

import json
from concurrent.futures import Future

import pytest
import structlog

from simulator.deepgram.brain import Forcible, Heard, SpeechStarted, TurnEnded
from simulator.deepgram.local.ears import LocalEars
from simulator.deepgram.local.errors import WorkerFailed
from simulator.deepgram.local.sound import to_ulaw
from tests.simulator.deepgram.local.test_endpoint import buzz, silence

SPEECH = to_ulaw(buzz(1000))
PAUSE = to_ulaw(silence(800))


class Recogniser:
    """Keeps the jobs; the test answers them."""

    def __init__(self) -> None:
        self.jobs: list[tuple[bytes, Future[bytes]]] = []

    def __call__(self, ulaw: bytes) -> Future[bytes]:
        self.jobs.append((ulaw, Future()))
        return self.jobs[-1][1]

    def answer(self, text: str, index: int = -1) -> None:
        self.jobs[index][1].set_result(json.dumps([[text, 0.02, -0.1, 0.9]]).encode())


class Caller:
    """Pushes audio in blocks of 64 ms and keeps the time."""

    def __init__(self) -> None:
        self.recogniser = Recogniser()
        self.ears = LocalEars(self.recogniser)
        self.now_ms = 0

    def speaks(self, *parts: bytes) -> list[Heard]:
        audio = b"".join(parts)
        heard: list[Heard] = []
        for at in range(0, len(audio), 512):
            self.now_ms += 64
            heard += self.ears.push(audio[at : at + 512], self.now_ms)
        return heard

    def poll(self) -> list[Heard]:
        return list(self.ears.poll(self.now_ms))


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_a_turn_is_known_at_once_and_understood_later(caller: Caller) -> None:
    assert [type(event) for event in caller.speaks(PAUSE, SPEECH, PAUSE)] == [SpeechStarted]
    assert caller.poll() == []
    caller.recogniser.answer("Hello there.")
    assert caller.poll() == [TurnEnded("Hello there.", caller.now_ms)]
    assert caller.poll() == []


def test_a_push_brings_what_became_ready(caller: Caller) -> None:
    caller.speaks(PAUSE, SPEECH, PAUSE)
    caller.recogniser.answer("Hello there.")
    assert [type(event) for event in caller.speaks(PAUSE)] == [TurnEnded]


def test_what_is_doubtful_ends_as_an_empty_turn(caller: Caller) -> None:
    caller.speaks(PAUSE, SPEECH, PAUSE)
    caller.recogniser.jobs[0][1].set_result(b"[]")
    assert caller.poll() == [TurnEnded("", caller.now_ms)]


def test_who_speaks_on_before_being_understood_has_not_ended_the_turn(caller: Caller) -> None:
    events = caller.speaks(PAUSE, SPEECH, PAUSE, SPEECH, PAUSE)
    assert [type(event) for event in events] == [SpeechStarted, SpeechStarted]
    first, second = caller.recogniser.jobs
    assert first[1].cancelled()
    assert second[0].startswith(first[0])
    assert len(second[0]) > 1.8 * len(first[0])
    caller.recogniser.answer("All of it.")
    assert caller.poll() == [TurnEnded("All of it.", caller.now_ms)]


def test_a_long_turn_is_not_taken_back(caller: Caller) -> None:
    long = to_ulaw(buzz(16_000))
    events = caller.speaks(PAUSE, long, PAUSE, SPEECH, PAUSE)
    caller.recogniser.answer("Second.", 1)
    assert caller.poll() == []
    caller.recogniser.answer("First.", 0)
    assert [event.text for event in caller.poll() if isinstance(event, TurnEnded)] == ["First.", "Second."]
    assert [type(event) for event in events] == [SpeechStarted, SpeechStarted]


def test_a_turn_ends_when_the_audio_stops_coming(caller: Caller) -> None:
    caller.speaks(PAUSE, SPEECH)
    caller.now_ms += 4999
    assert caller.poll() == []
    assert not caller.recogniser.jobs
    caller.now_ms += 1
    caller.poll()
    caller.recogniser.answer("Cut off.")
    assert caller.poll() == [TurnEnded("Cut off.", caller.now_ms, "timeout")]


def test_nothing_is_heard_before_there_is_audio(caller: Caller) -> None:
    caller.now_ms = 100_000
    assert caller.poll() == []


def test_a_turn_can_be_forced_to_end(caller: Caller) -> None:
    assert isinstance(caller.ears, Forcible)
    assert caller.ears.force_end(0) == []
    caller.speaks(PAUSE, SPEECH)
    assert caller.ears.force_end(caller.now_ms) == []
    caller.recogniser.answer("Forced.")
    assert caller.poll() == [TurnEnded("Forced.", caller.now_ms, "manual")]


def test_a_failed_recogniser_is_an_empty_turn_and_a_line_in_the_log(caller: Caller) -> None:
    caller.speaks(PAUSE, SPEECH, PAUSE)
    caller.recogniser.jobs[0][1].set_exception(WorkerFailed("recogniser", "died"))
    with structlog.testing.capture_logs() as logs:
        assert caller.poll() == [TurnEnded("", caller.now_ms)]
    assert logs[0]["problem"] == "the recogniser process died"


def test_closing_gives_up_what_is_not_understood(caller: Caller) -> None:
    caller.speaks(PAUSE, SPEECH, PAUSE)
    caller.ears.close()
    assert caller.recogniser.jobs[0][1].cancelled()
    assert caller.poll() == []
