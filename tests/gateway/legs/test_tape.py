"""Both sides of a call on one time line."""

from __future__ import annotations

import pytest

from contract.audio import BYTES_PER_MS, ULAW_SILENCE
from gateway.legs.tape import LATE_MS, PART_MS, Part, Tape, stereo_wav

T0 = 1_700_000_000_000


def sound(ms: int, value: int = 1) -> bytes:
    return bytes([value]) * (ms * BYTES_PER_MS)


def silence(ms: int) -> bytes:
    return ULAW_SILENCE * (ms * BYTES_PER_MS)


def test_each_side_stands_at_its_own_time_and_both_are_equally_long() -> None:
    tape = Tape()
    tape.said(T0, sound(20))
    tape.played(T0 + 40, sound(20, 2))
    tape.said(T0 + 60, sound(20))
    assert tape.rest() == Part(T0, sound(20) + silence(40) + sound(20), silence(40) + sound(20, 2) + silence(20))
    assert tape.rest() is None


@pytest.mark.parametrize("jitter", [-3, 3])
def test_a_time_that_is_a_little_off_does_not_tear_the_sound(jitter: int) -> None:
    tape = Tape()
    tape.said(T0, sound(20))
    tape.said(T0 + 20 + jitter, sound(20))
    part = tape.rest()
    assert part is not None
    assert part.caller == sound(40)


def test_what_is_read_again_is_not_kept_twice() -> None:
    tape = Tape()
    tape.said(T0, sound(100))
    tape.said(T0 + 50, sound(50) + sound(20, 3))
    part = tape.rest()
    assert part is not None
    assert part.caller == sound(100) + sound(20, 3)


def test_a_part_is_cut_off_when_nothing_more_is_to_come_of_it() -> None:
    tape = Tape()
    tape.said(T0, sound(PART_MS))
    assert tape.full() is None
    tape.said(T0 + PART_MS, sound(LATE_MS))
    part = tape.full()
    assert part is not None
    assert (part.started_ms, len(part.caller)) == (T0, PART_MS * BYTES_PER_MS)
    tape.played(T0 + PART_MS, sound(20, 2))
    rest = tape.rest()
    assert rest is not None
    assert (rest.started_ms, rest.caller) == (T0 + PART_MS, sound(LATE_MS))
    assert rest.heard == sound(20, 2) + silence(LATE_MS - 20)


def test_the_file_holds_left_and_right() -> None:
    wav = stereo_wav(Part(T0, b"\x01\x02\x03", b"\x11\x12\x13"))
    assert (wav[:4], wav[8:12], len(wav)) == (b"RIFF", b"WAVE", 58 + 6)
    assert wav[58:] == b"\x01\x11\x02\x12\x03\x13"
    assert wav[20:24] == b"\x07\x00\x02\x00", "µ-law, two channels"
