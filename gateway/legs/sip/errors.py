"""What can go wrong on the SIP leg, as a tree; each error carries its data and makes its own sentence.

SipError
├── MalformedMessage    bytes that are no SIP message
├── MalformedSdp        a session description that cannot be read
├── MalformedPacket     bytes that are no RTP or RTCP packet
├── PacketRefused       a protected packet that is not genuine, or was seen before
├── NothingInCommon     an offer without a codec or transport that we have
└── NoPortFree          every RTP port is in use, or still being drained
"""

from __future__ import annotations

from contract.errors import VoiceAgentError


class SipError(VoiceAgentError):
    """The root of what the SIP leg raises."""


class _Malformed(SipError):
    kind = ""

    def __init__(self, where: str, expected: str, found: object = None) -> None:
        super().__init__(where, expected, found)
        self.where = where
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        found = "" if self.found is None else f", found {self.found!r:.80}"
        return f"{self.kind}: {self.where}: expected {self.expected}{found}"


class MalformedMessage(_Malformed):
    kind = "SIP message"


class MalformedSdp(_Malformed):
    kind = "session description"


class MalformedPacket(_Malformed):
    kind = "packet"


class PacketRefused(SipError):
    def __init__(self, why: str, index: int | None = None) -> None:
        super().__init__(why, index)
        self.why = why
        self.index = index

    def __str__(self) -> str:
        return f"protected packet: {self.why}" + ("" if self.index is None else f" ({self.index})")


class NothingInCommon(SipError):
    def __init__(self, offered: str) -> None:
        super().__init__(offered)
        self.offered = offered

    def __str__(self) -> str:
        return (
            "the offer has no audio that we speak (PCMU or PCMA at 8,000 Hz, as configured, at an address of the same "
            f"kind as ours): {self.offered:.120}"
        )


class NoPortFree(SipError):
    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last)
        self.first = first
        self.last = last

    def __str__(self) -> str:
        return f"no RTP port from {self.first} to {self.last} is free: all are in calls or still being drained"
