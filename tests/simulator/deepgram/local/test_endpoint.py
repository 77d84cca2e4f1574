"""Turns from synthetic sound: "speech" here is a buzz with formants, which WebRTC's detector takes for a voice."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.deepgram.local.endpoint import Ending, Endpointer, Limits, NoiseFloor, Onset, SpeechDetector
from simulator.deepgram.local.sound import Samples, to_ulaw

RATE = 8
"""Samples a ms."""


def buzz(ms: int, amplitude: float = 0.2) -> Samples:
    at = np.arange(ms * RATE) / 8000
    tones = [np.sin(2 * np.pi * 130 * n * at) / (1 + abs(130 * n - 600) / 300) for n in range(1, 25)]
    wave = np.sum(tones, axis=0) * (1 + 0.3 * np.sin(2 * np.pi * 4 * at))
    return np.asarray(amplitude * wave / np.abs(wave).max(), dtype=np.float32)


def noise(ms: int, db: float, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0, 10 ** (db / 20), ms * RATE).astype(np.float32)


def silence(ms: int) -> Samples:
    return np.zeros(ms * RATE, np.float32)


def heard(*parts: Samples, block: int = 512) -> list[tuple[str, int]]:
    """Events by name, with the ms of audio after which each came."""
    endpointer, ulaw, events = Endpointer(), to_ulaw(np.concatenate(parts)), []
    for start in range(0, len(ulaw), block):
        for event in endpointer.push(ulaw[start : start + block]):
            events.append((type(event).__name__, (start + block) // RATE))
    return events


def test_a_turn_begins_soon_and_ends_after_the_pause() -> None:
    (first, onset_ms), (second, ending_ms) = heard(silence(1000), buzz(1500), silence(1500), block=160)
    assert (first, second) == ("Onset", "Ending")
    assert 1100 <= onset_ms <= 1250
    assert 3050 <= ending_ms <= 3250


@pytest.mark.parametrize(
    "parts",
    [
        [silence(5000)],
        [noise(5000, -50)],
        [noise(8000, -35)],
        [silence(1000), noise(40, -10), silence(1000), noise(40, -10), silence(1000)],
        [np.sin(np.arange(40_000) * 2 * np.pi * 50 / 8000).astype(np.float32) * np.float32(0.02)],
        [buzz(3000, 0.002)],
    ],
    ids=["silence", "quiet noise", "loud noise", "clicks", "hum", "crosstalk"],
)
def test_what_is_not_speech_begins_no_turn(parts: list[Samples]) -> None:
    assert heard(*parts) == []


def test_speech_over_line_noise_is_a_turn() -> None:
    speech = np.concatenate([silence(1000), buzz(1000), silence(1500)])
    assert [name for name, _ in heard(speech + noise(3500, -42))] == ["Onset", "Ending"]


def test_a_short_pause_ends_no_turn() -> None:
    events = heard(silence(500), buzz(800), silence(450), buzz(800), silence(1000))
    assert [name for name, _ in events] == ["Onset", "Ending"]


def test_a_click_does_not_prolong_a_pause() -> None:
    with_click = heard(silence(500), buzz(800), silence(300), noise(10, -10), silence(1000), block=160)
    without = heard(silence(500), buzz(800), silence(1310), block=160)
    assert abs(with_click[1][1] - without[1][1]) <= 40


def test_the_audio_of_a_turn_has_some_of_what_was_around_it() -> None:
    ulaw = to_ulaw(np.concatenate([silence(1000), buzz(1000), silence(1000)]))
    endings = [event for event in Endpointer().push(ulaw) if isinstance(event, Ending)]
    assert len(endings) == 1
    assert 1400 <= len(endings[0].ulaw) // RATE <= 1700
    assert 900 <= endings[0].speech_ms <= 1200


def test_after_ten_seconds_a_short_pause_ends_the_turn() -> None:
    events = heard(buzz(10_500), silence(350), buzz(500), silence(700))
    assert [name for name, _ in events] == ["Onset", "Ending", "Onset", "Ending"]


def test_no_turn_is_longer_than_the_longest() -> None:
    limits = Limits(longest_turn_ms=2000)
    events = list(Endpointer(limits).push(to_ulaw(buzz(3000))))
    assert [type(event) for event in events] == [Onset, Ending, Onset]


def test_a_turn_can_be_ended_from_outside() -> None:
    endpointer = Endpointer()
    assert list(endpointer.finish()) == []
    list(endpointer.push(to_ulaw(np.concatenate([silence(500), buzz(1000)]))))
    assert endpointer.speaking
    assert [type(event) for event in endpointer.finish()] == [Ending]
    assert not endpointer.speaking


@given(block=st.integers(1, 3000))
@settings(max_examples=10, deadline=None)
def test_the_size_of_blocks_changes_nothing(block: int) -> None:
    ulaw = to_ulaw(np.concatenate([silence(400), buzz(700), silence(900)]))
    endpointer = Endpointer()
    events = [event for at in range(0, len(ulaw), block) for event in endpointer.push(ulaw[at : at + block])]
    assert events == list(Endpointer().push(ulaw))


def test_the_floor_follows_the_line() -> None:
    floor = NoiseFloor()
    for _ in range(500):
        floor.follow(-40.0)
    assert floor.db == pytest.approx(-40)
    for _ in range(40):
        floor.follow(-90.0)
    assert floor.db == -75
    for _ in range(5000):
        floor.follow(0.0)
    assert floor.db == -30


def test_a_frame_costs_microseconds() -> None:
    detector, frame = SpeechDetector(), to_ulaw(buzz(20))
    began = time.perf_counter()
    for _ in range(500):
        detector(frame)
    assert (time.perf_counter() - began) / 500 < 0.0005
