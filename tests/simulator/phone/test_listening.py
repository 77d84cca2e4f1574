from __future__ import annotations

from simulator.phone.listening import LOUD, Track
from tests.simulator.phone.samples import sound


def test_a_sound_has_a_beginning_and_an_end_on_the_clock_of_the_recording() -> None:
    track = Track.of(sound((400, 1000)), started_ms=5000)

    assert (track.first_sound_ms(5000), track.last_sound_ms(5000)) == (5400, 6000)


def test_only_sound_between_the_two_times_counts() -> None:
    track = Track.of(sound((400, 1000), (2000, 3000)))

    assert track.first_sound_ms(1000, 2500) == 2000
    assert track.last_sound_ms(0, 1500) == 1000
    assert track.last_sound_ms(0, 2410) == 2420, "in whole frames of 20 ms"


def test_silence_has_neither_beginning_nor_end() -> None:
    track = Track.of(sound((400, 1000)))

    assert track.first_sound_ms(1000) is None
    assert track.last_sound_ms(1000, 5000) is None


def test_times_before_and_after_the_recording_are_none() -> None:
    track = Track.of(sound((0, 1000), length_ms=1000), started_ms=10_000)

    assert track.first_sound_ms(0, 99_000) == 10_000
    assert track.last_sound_ms(0, 5000) is None


def test_gaps_lie_between_two_sounds() -> None:
    track = Track.of(sound((400, 1000), (1500, 2000), (2100, 3000)))

    assert track.gaps_ms(0, 20_000) == [(1000, 500), (2000, 100)]


def test_one_sound_has_no_gap() -> None:
    assert Track.of(sound((400, 1000))).gaps_ms(0, 20_000) == []


def test_what_is_quieter_than_the_limit_is_silence() -> None:
    track = Track.of((LOUD - 2).to_bytes(2, "little") * 1600)

    assert track.first_sound_ms(0) is None


def test_a_last_piece_of_less_than_a_frame_is_left_out() -> None:
    assert len(Track.of(sound(length_ms=70)).loud) == 3
