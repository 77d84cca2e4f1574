"""RTP as the pretended voice connector sends and hears it."""

from __future__ import annotations

import struct

from simulator.sip.media import FRAME, GAP_FRAMES, PAUSE_FRAMES, SILENCE, Earpiece, Microphone

WORD = b"\x10" * FRAME


def packet(sequence: int, payload: bytes = WORD, kind: int = 0) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, sequence, 0, 1) + payload


def test_speech_goes_out_in_order() -> None:
    microphone = Microphone(7)
    first, second = microphone.frame(WORD), microphone.frame(WORD)
    assert struct.unpack("!BBHII", first[:12]) == (0x80, 0, 1, 0, 7)
    assert struct.unpack("!BBHII", second[:12]) == (0x80, 0, 2, 160, 7)
    assert first[12:] == WORD


def test_keys_are_pressed_one_after_the_other() -> None:
    microphone = Microphone(7)
    microphone.press(",5#")
    sent = [microphone.frame(SILENCE) for _ in range(PAUSE_FRAMES + 2 * (8 + GAP_FRAMES) + 3)]
    events = [data for data in sent if data[1] & 0x7F == 101]
    assert [data[12] for data in events] == [5] * 8 + [11] * 8
    assert [data[1] & 0x80 > 0 for data in events] == [True, *[False] * 7] * 2
    assert len({data[4:8] for data in events}) == 2
    assert [data[13] & 0x80 > 0 for data in events[:8]] == [False] * 5 + [True] * 3


def test_what_comes_is_heard_after_two_frames() -> None:
    ear = Earpiece()
    ear.packet(packet(1))
    assert ear.frame() == SILENCE
    ear.packet(packet(2))
    assert [ear.frame(), ear.frame(), ear.frame()] == [WORD, WORD, SILENCE]
    assert (ear.received, ear.missing, ear.gaps) == (2, 1, 0)
    ear.packet(packet(5))
    ear.packet(b"x")
    ear.packet(packet(6, kind=101))
    assert (ear.received, ear.gaps) == (3, 1)
