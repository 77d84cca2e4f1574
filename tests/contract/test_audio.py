from __future__ import annotations

from contract.audio import ULAW_SILENCE, lin2ulaw, rms, ulaw2lin, ulaw_ms


def test_silence_is_silence_in_both_forms() -> None:
    assert ulaw2lin(ULAW_SILENCE * 160) == bytes(320)
    assert lin2ulaw(bytes(320)) == ULAW_SILENCE * 160
    assert rms(bytes(320)) == 0


def test_eight_bytes_are_a_millisecond() -> None:
    assert ulaw_ms(ULAW_SILENCE * 167) == 20
