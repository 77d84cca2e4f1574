"""The silences of the flows, as the one format that a Connect prompt may have."""

from __future__ import annotations

from pathlib import Path

from contract.audio import ULAW_SILENCE
from gateway.legs.kvs.wav import ulaw_wav

SOUNDS = {"silence": 50_000, "short-silence": 200}
"""Milliseconds. The long one outlasts every Wait of the flow, the short one is the grain of its polling."""


def silence(folder: Path, name: str) -> Path:
    """Write one of SOUNDS; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.wav"
    path.write_bytes(ulaw_wav(ULAW_SILENCE * (SOUNDS[name] * 8)))
    return path
