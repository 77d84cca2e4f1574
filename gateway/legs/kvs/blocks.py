"""What is read from a stream for one caller, and which of its tracks is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Named as Connect names the tracks."""

    FROM_CUSTOMER = "AUDIO_FROM_CUSTOMER"
    TO_CUSTOMER = "AUDIO_TO_CUSTOMER"


_OLD_FROM_CUSTOMER = "Track_audio/L16"


@dataclass(frozen=True, slots=True)
class CallerBlock:
    """One block of our contact: signed 16-bit little-endian, 8 kHz, mono, 16 bytes a millisecond.

    `media_ms` is the epoch time of its first sample by the producer's clock. `server_ms` and `producer_ms`
    are those of the fragment, 0 where its tags do not say.
    """

    media_ms: int
    pcm: bytes
    direction: Direction
    fragment_number: str
    server_ms: int
    producer_ms: int


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """The stream has gone on to another contact; nothing of ours will follow."""

    last_media_ms: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far reading has come; what a reconnect starts from.

    `fragment_number` and `continuation_token` are those of the last fragment that was read to its end and was
    ours, "" before the first; `open_fragment` is the one being read; `media_ms` the newest time delivered.
    """

    fragment_number: str = ""
    continuation_token: str = ""
    open_fragment: str = ""
    media_ms: int = 0


def direction_of(track: int, names: Mapping[int, str], hints: Mapping[Direction, str]) -> Direction | None:
    """Direction of a track: by its name; without a telling one by the AUDIO_* tags; else the caller's.

    Numbers say nothing: in captures number 1 is now one side, now the other, and the tags may contradict the
    names. Old streams call the caller's only track "Track_audio/L16", or do not name it.
    Returns None where a track can be neither.
    """
    name = names.get(track, "")
    named = set(names.values())
    for direction in Direction:
        if name == direction:
            return direction
    for direction, number in hints.items():
        if number == str(track) and direction not in named:
            return direction
    anonymous = name in ("", _OLD_FROM_CUSTOMER)
    first = all(other >= track for other, its in names.items() if its == name)
    if anonymous and first and Direction.FROM_CUSTOMER not in named:
        return Direction.FROM_CUSTOMER
    return None
