"""What can be read off the recording of a call: when the agent was heard, and when it fell silent."""

from __future__ import annotations

from contract.audio import rms

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * 16
LOUD = 150
SILENCE_MS = 400  # so much of it, and the agent has stopped


def loud_frames(pcm: bytes) -> list[bool]:
    """For each 20 ms of 16-bit PCM, 8 kHz, whether there is sound in it."""
    return [rms(pcm[at : at + FRAME_BYTES]) > LOUD for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


def first_sound_ms(pcm: bytes) -> int | None:
    """When the first sound begins."""
    return next((index * FRAME_MS for index, loud in enumerate(loud_frames(pcm)) if loud), None)


def silent_ms(pcm: bytes, from_ms: int) -> int:
    """The end of the sound that is going on at `from_ms`; `from_ms` itself when there is none."""
    frames = loud_frames(pcm)
    last = from_ms
    for index in range(from_ms // FRAME_MS, len(frames)):
        if frames[index]:
            last = (index + 1) * FRAME_MS
        elif index * FRAME_MS - last >= SILENCE_MS:
            break
    return last


def gaps_ms(pcm: bytes, start_ms: int, end_ms: int) -> list[int]:
    """Lengths of the silences between two sounds from `start_ms` to `end_ms`, in order."""
    gaps, quiet, heard = [], 0, False
    for loud in loud_frames(pcm[start_ms * 16 : end_ms * 16]):
        if not loud:
            quiet += FRAME_MS
            continue
        if heard and quiet:
            gaps.append(quiet)
        quiet, heard = 0, True
    return gaps
