"""`make replay RECORDING=DIR`: a recorded call against the call code as it is now; `python -m tests.recordings make`
writes the recordings of this repository anew."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import structlog

from gateway.recording.errors import RecordingError
from gateway.recording.folder import Recording, load
from tests.recordings.oddities import ODDITIES, make, pack
from tests.recordings.replayed import judge


def main(arguments: list[str]) -> int:
    """0 when the call does what it did then, 1 with the first difference, 2 when the recording cannot be read."""
    structlog.configure(processors=[_nothing])
    if not arguments:
        print("say which: make replay RECORDING=build/recordings/CONTACT-EPOCH", file=sys.stderr)
        return 2
    if arguments[0] == "make":
        return _make()
    return max(_replay(Path(argument)) for argument in arguments)


def _replay(path: Path) -> int:
    try:
        recording = load(path)
    except RecordingError as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    difference = judge(recording)
    print(f"{recording.name}: {_figures(recording)}; replayed in {time.monotonic() - began:.1f} s")
    if difference is None:
        print("the call does what it did then")
        return 0
    print(f"the first difference is\n{difference}")
    return 1


def _figures(recording: Recording) -> str:
    seconds = recording.lines[-1]["t"] / 1e9 if recording.lines else 0.0
    audio = ", ".join(f"{len(content)} bytes of {kind}" for kind, content in recording.audio.items())
    return f"{seconds:.1f} s, {len(recording.lines)} lines, {audio}"


def _make() -> int:
    for oddity in ODDITIES.values():
        with tempfile.TemporaryDirectory() as folder:
            made = make(oddity, Path(folder))
            pack(made, oddity.path)
        shown = "" if oddity.shows(load(oddity.path)) else "; THE FAULT IS NOT IN IT"
        print(f"{oddity.path.name}: {oddity.path.stat().st_size} bytes, {oddity.fault}{shown}")
    return 0


def _nothing(*_: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
