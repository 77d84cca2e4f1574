from __future__ import annotations

from concurrent.futures import Future

import structlog

from contract.audio import ULAW_SILENCE
from simulator.deepgram.local.errors import WorkerFailed
from simulator.deepgram.local.voice import Cache, LocalVoice


class Synthesiser:
    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.fails = False

    def __call__(self, text: bytes) -> Future[bytes]:
        self.texts.append(text)
        future: Future[bytes] = Future()
        if self.fails:
            future.set_exception(WorkerFailed("voice", "died"))
        else:
            future.set_result(text * 10)
        return future


def test_a_text_is_synthesised_once() -> None:
    synthesiser = Synthesiser()
    voice = LocalVoice(synthesiser)
    assert voice.speak(" Good\nday. ") == b"Good day." * 10
    assert voice.speak("Good day.") == b"Good day." * 10
    assert synthesiser.texts == [b"Good day."]


def test_no_text_is_no_sound() -> None:
    synthesiser = Synthesiser()
    assert LocalVoice(synthesiser).speak("  ") == b""
    assert synthesiser.texts == []


def test_a_failed_voice_is_silent_for_as_long_and_tries_again() -> None:
    synthesiser = Synthesiser()
    voice = LocalVoice(synthesiser)
    synthesiser.fails = True
    with structlog.testing.capture_logs() as logs:
        assert voice.speak("Good day.") == ULAW_SILENCE * (9 * 60 * 8)
    assert logs[0]["problem"] == "the voice process died"
    assert "Good" not in str(logs)
    synthesiser.fails = False
    assert voice.speak("Good day.") == b"Good day." * 10


def test_the_cache_drops_what_was_not_used_for_longest() -> None:
    cache = Cache(most_bytes=10)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    assert cache.get("a") == b"1234"
    cache.put("c", b"1234")
    assert [cache.get(text) for text in "abc"] == [b"1234", None, b"1234"]
    cache.put("c", b"123456")
    assert [cache.get(text) for text in "ac"] == [b"1234", b"123456"]
