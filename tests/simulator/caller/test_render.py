from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator.caller import recording, render
from simulator.caller.recordings import FOLDER, WORDS
from simulator.caller.schedule import parse


def pitch_hz(pcm: bytes) -> float:
    """The median pitch of the voiced frames, by autocorrelation."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    found = []
    for start in range(0, len(samples) - 480, 240):
        frame = samples[start : start + 480] - samples[start : start + 480].mean()
        echo = np.correlate(frame, frame, "full")[479:]
        lag = 25 + int(np.argmax(echo[25:110]))
        if echo[0] > 480 * 500**2 and echo[lag] > 0.5 * echo[0]:
            found.append(8000 / lag)
    return float(np.median(found))


def test_rendering_writes_every_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("hibari")
    render.main([str(tmp_path)])
    assert len(capsys.readouterr().out.splitlines()) == len(WORDS)
    for name in WORDS:
        fresh, kept = recording.read(tmp_path / name), recording.read(FOLDER / name)
        # Another version of numpy may round the last bit otherwise.
        assert abs(len(fresh) - len(kept)) <= 320


def test_the_caller_has_a_deeper_voice_than_the_agent() -> None:
    pytest.importorskip("hibari")
    from hibari import Hibari

    from simulator.deepgram.local.sound import for_telephone, to_pcm

    name, text = next(iter(WORDS.items()))
    agent = to_pcm(for_telephone(Hibari(threads=1)(text, seed=1), 24_000))
    assert pitch_hz(recording.read(FOLDER / name)) < 0.87 * pitch_hz(agent)


def test_the_recordings_are_loud_enough_and_not_cut_off() -> None:
    for name in WORDS:
        samples = np.frombuffer(recording.read(FOLDER / name), "<i2").astype(np.float64) / 32768
        assert 20 * np.log10(np.sqrt(np.mean(samples**2))) == pytest.approx(-21, abs=3)
        assert np.abs(samples).max() < 0.95


def test_the_default_caller_is_a_schedule() -> None:
    from simulator.caller.recordings import DEFAULT_CALLER

    assert [entry.after_ms for entry in parse(DEFAULT_CALLER)] == [None, None, 1500, None]
