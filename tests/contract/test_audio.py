from __future__ import annotations

import struct

import pytest

from contract.audio import ULAW_SILENCE, alike, halved, lin2ulaw, quieter, rms, ulaw2lin, ulaw_ms


def test_silence_is_silence_in_both_forms() -> None:
    assert ulaw2lin(ULAW_SILENCE * 160) == bytes(320)
    assert lin2ulaw(bytes(320)) == ULAW_SILENCE * 160
    assert rms(bytes(320)) == 0


def test_eight_bytes_are_a_millisecond() -> None:
    assert ulaw_ms(ULAW_SILENCE * 167) == 20


def test_likeness_is_of_shape_and_not_of_loudness() -> None:
    wave = struct.pack("<8h", 0, 500, 1000, 500, 0, -500, -1000, -500)
    assert alike(wave, quieter(wave, 0.5)) == pytest.approx(1.0, abs=0.01)
    assert alike(wave, quieter(wave, -1)) == pytest.approx(-1.0, abs=0.01)
    assert alike(wave, bytes(16)) == alike(bytes(16), wave) == 0.0


def test_halving_takes_the_mean_of_two_samples() -> None:
    assert halved(struct.pack("<5h", 100, 200, -50, 50, 7)) == struct.pack("<2h", 150, 0)
