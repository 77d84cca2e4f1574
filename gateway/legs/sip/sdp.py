"""Session descriptions (RFC 8866) in the offer/answer model (RFC 3264): one audio stream, G.711 and key presses.

The first audio line that we can speak is taken, one that is encrypted before one that is not; every other line is
answered with port 0. No I/O.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.legs.sip import sdes
from gateway.legs.sip.errors import MalformedSdp, NothingInCommon
from gateway.legs.sip.sdes import PLAIN, SECURE, Crypto, Profiles
from gateway.legs.sip.srtp import Suite

PCMU, PCMA = 0, 8  # static payload types, RFC 3551 table 4
EVENTS = 101  # what we offer for telephone-event ourselves
MAX_LINES = 400
MOST_CRYPTO = 20  # lines of one medium that are looked at
_STATIC = {PCMU: "PCMU", PCMA: "PCMA"}


class Direction(StrEnum):
    """As the side that writes it sees it."""

    BOTH = "sendrecv"
    SENDS = "sendonly"
    RECEIVES = "recvonly"
    NONE = "inactive"

    @property
    def answered(self) -> Direction:
        """RFC 3264 section 6.1."""
        return {Direction.SENDS: Direction.RECEIVES, Direction.RECEIVES: Direction.SENDS}.get(self, self)


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line. `codecs`: payload type to name in upper case, only those at 8,000 Hz, in the order offered.
    `crypto`: ways to protect it that we have."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str = ""
    codecs: tuple[tuple[int, str], ...] = ()
    direction: Direction = Direction.BOTH
    crypto: tuple[Crypto, ...] = ()

    def payload_type(self, name: str) -> int | None:
        return next((number for number, found in self.codecs if found == name), None)


@dataclass(frozen=True, slots=True)
class Session:
    """A description as it came, line by line of its media."""

    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides speak. `payload_type` is that of the audio, `events` that of key presses or None.

    `direction` is ours. A hold is what makes it anything but sendrecv; `held`: the peer does not want to hear us.
    `crypto` is how the peer protects what it sends; None where media are plain.
    """

    address: str
    port: int
    payload_type: int
    alaw: bool
    events: int | None
    direction: Direction
    line: int
    crypto: Crypto | None = None

    @property
    def held(self) -> bool:
        return self.direction in (Direction.RECEIVES, Direction.NONE) or self.address in ("0.0.0.0", "::")  # noqa: S104


PLAIN_ONLY = Profiles()


@dataclass(frozen=True, slots=True)
class Local:
    """Our side: where RTP reaches us, what names the session, and the master key and salt of what we send."""

    address: str
    port: int
    session_id: int
    version: int = 1
    master: bytes = field(default=b"", repr=False)

    @property
    def ipv6(self) -> bool:
        return ":" in self.address

    def changed(self) -> Local:
        return replace(self, version=self.version + 1)


def parse(body: bytes) -> Session:
    """Raises MalformedSdp."""
    lines = [line for line in re.split(r"\r?\n", body.decode("utf-8", "replace")) if line]
    if not lines or lines[0] != "v=0" or len(lines) > MAX_LINES:
        raise MalformedSdp("first line", f"v=0, and at most {MAX_LINES} lines", lines[:1])
    reader = _Reader()
    for line in lines[1:]:
        if line[1:2] != "=":
            raise MalformedSdp("line", "a letter and =", line)
        reader.line(line[0], line[2:].strip())
    return Session(tuple(reader.media()))


class _Reader:
    """Lines before the first m= hold for all media, unless one says otherwise."""

    def __init__(self) -> None:
        self._address = ""
        self._direction = Direction.BOTH
        self._media: list[Media] = []
        self._maps: list[dict[int, str]] = []

    def line(self, kind: str, value: str) -> None:
        match kind:
            case "c":
                self._connection(value)
            case "m":
                self._media.append(_media_line(value, self._address, self._direction))
                self._maps.append({})
            case "a":
                self._attribute(value)

    def _connection(self, value: str) -> None:
        parts = value.split()
        try:
            address = str(ipaddress.ip_address(parts[2].partition("/")[0]))
        except (IndexError, ValueError):
            raise MalformedSdp("c=", "IN, IP4 or IP6, and an address", value) from None
        if self._media:
            self._media[-1] = replace(self._media[-1], address=address)
        else:
            self._address = address

    def _attribute(self, value: str) -> None:
        name, _, rest = value.partition(":")
        if name in list(Direction):
            self._set_direction(Direction(name))
        elif name == "rtpmap" and self._media:
            self._map(rest)
        elif name == "crypto" and self._media:
            self._crypto(rest)

    def _set_direction(self, direction: Direction) -> None:
        if self._media:
            self._media[-1] = replace(self._media[-1], direction=direction)
        else:
            self._direction = direction

    def _crypto(self, value: str) -> None:
        media, found = self._media[-1], sdes.parse(value)
        if found is not None and len(media.crypto) < MOST_CRYPTO:
            self._media[-1] = replace(media, crypto=(*media.crypto, found))

    def _map(self, value: str) -> None:
        match = re.fullmatch(r"([0-9]{1,3})\s+([^/\s]+)/([0-9]{1,6})(?:/1)?", value)
        if match is not None:
            self._maps[-1][int(match[1])] = match[2].upper() if match[3] == "8000" else ""

    def media(self) -> list[Media]:
        return [
            replace(media, codecs=_codecs(media, maps)) for media, maps in zip(self._media, self._maps, strict=True)
        ]


def _media_line(value: str, address: str, direction: Direction) -> Media:
    parts = value.split()
    port = parts[1].partition("/")[0] if len(parts) > 3 else ""
    if not (port.isascii() and port.isdigit()) or int(port[:6]) > 65_535:
        raise MalformedSdp("m=", "a kind, a port, a protocol and formats", value)
    return Media(parts[0], int(port), parts[2].upper(), tuple(parts[3:]), address, direction=direction)


def _codecs(media: Media, maps: dict[int, str]) -> tuple[tuple[int, str], ...]:
    numbers = [int(name) for name in media.formats if name.isascii() and name.isdigit() and len(name) <= 3]
    named = ((number, maps.get(number, _STATIC.get(number, ""))) for number in numbers if number < 128)
    return tuple((number, name) for number, name in named if name)


def agree(session: Session, profiles: Profiles = PLAIN_ONLY, *, ipv6: bool = False) -> Agreed:
    """Take the first audio line that we can speak, an encrypted one before all others.

    `ipv6`: which addresses our sockets can send to; those of the other kind are none that we can speak to.

    Raises:
        NothingInCommon
    """
    lines = enumerate(session.media)
    for line, media in sorted(lines, key=lambda each: each[1].protocol != SECURE):
        audio = [(number, name) for number, name in media.codecs if name in ("PCMU", "PCMA")]
        if not (_usable(media, profiles, ipv6) and audio):
            continue
        number, name = next((each for each in audio if each[1] == "PCMU"), audio[0])
        events, direction = media.payload_type("TELEPHONE-EVENT"), media.direction.answered
        crypto = media.crypto[0] if media.protocol == SECURE else None
        return Agreed(media.address, media.port, number, name == "PCMA", events, direction, line, crypto)
    offered = [f"{each.kind} {each.protocol} {' '.join(each.formats)} at {each.address}" for each in session.media]
    raise NothingInCommon("; ".join(offered) or "no media")


def _usable(media: Media, profiles: Profiles, ipv6: bool) -> bool:
    reached = media.port and media.address and (":" in media.address) == ipv6
    there = media.kind == "audio" and reached and profiles.allows(media.protocol)
    return bool(there and (media.crypto or media.protocol == PLAIN))


def answer(offer: Session, agreed: Agreed, local: Local) -> bytes:
    """The answer: as many m= lines as the offer has, all but ours refused."""
    lines = _head(local)
    for number, media in enumerate(offer.media):
        if number == agreed.line:
            name = "PCMA" if agreed.alaw else "PCMU"
            crypto = () if agreed.crypto is None else (replace(agreed.crypto, master=local.master),)
            lines += _audio(local, ((agreed.payload_type, name),), agreed.events, agreed.direction, crypto)
        else:
            lines.append(f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}")
    return _text(lines)


def offer(local: Local, direction: Direction = Direction.BOTH, *, secure: bool = False) -> bytes:
    """Our own offer, when the peer sent none."""
    crypto = [Crypto(number, suite, local.master) for number, suite in enumerate(Suite, 1)] if secure else []
    return _text([*_head(local), *_audio(local, ((PCMU, "PCMU"), (PCMA, "PCMA")), EVENTS, direction, crypto)])


def _head(local: Local) -> list[str]:
    kind = "IP6" if local.ipv6 else "IP4"
    origin = f"o=- {local.session_id} {local.version} IN {kind} {local.address}"
    return ["v=0", origin, "s=-", f"c=IN {kind} {local.address}", "t=0 0"]


def _audio(
    local: Local,
    codecs: tuple[tuple[int, str], ...],
    events: int | None,
    direction: Direction,
    crypto: Sequence[Crypto],
) -> list[str]:
    numbers = [number for number, _ in codecs] + ([] if events is None else [events])
    lines = [f"m=audio {local.port} {SECURE if crypto else PLAIN} {' '.join(map(str, numbers))}"]
    lines += [each.line for each in crypto]
    lines += [f"a=rtpmap:{number} {name}/8000" for number, name in codecs]
    if events is not None:
        lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    return [*lines, "a=ptime:20", f"a={direction}"]


def _text(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
