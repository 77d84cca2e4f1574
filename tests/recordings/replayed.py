"""Replaying a recording and judging it."""

from __future__ import annotations

import json

from gateway.recording.folder import Recording
from gateway.recording.tape import Audio, Tape
from tests.recordings.difference import Difference, first_difference
from tests.recordings.player import replay


def as_recording(tape: Tape, like: Recording) -> Recording:
    """What a replay did, as if it had been read from disk."""
    lines, audio = tape.take()
    first, *rest = [json.loads(line) for line in lines.splitlines()]
    return Recording(like.name, first, rest, {kind: audio.get(kind, b"") for kind in Audio})


def judge(recording: Recording) -> Difference | None:
    """Replay it; None where the call did what it did then."""
    tape, _ = replay(recording)
    return first_difference(recording, as_recording(tape, recording))
