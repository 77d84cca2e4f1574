"""A peer in a few lines: requests as Amazon Chime SDK Voice Connector or sipp would send them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from gateway.legs.sip.load import Load
from gateway.legs.sip.message import Request, Response, encode, parse
from gateway.legs.sip.sdp import Local
from gateway.legs.sip.transactions import Hop
from gateway.legs.sip.user_agent import UserAgent

PEER = Hop("udp", "192.0.2.10", 5060)
LOCAL = Local("198.51.100.5", 20_000, 7)
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
)


def request(
    method: str = "INVITE",
    *more: str,
    to_tag: str = "",
    cseq: int = 1,
    branch: str = "one",
    body: str = "",
    call_id: str = "call@peer",
    contact: str = "<sip:peer@192.0.2.10:5070>",
    rport: str = ";rport",
    cseq_method: str = "",
    transport: str = "UDP",
) -> bytes:
    lines = [
        f"{method} sip:agent@198.51.100.5 SIP/2.0",
        f"Via: SIP/2.0/{transport} 192.0.2.10:5062;branch=z9hG4bK{branch}{rport}",
        "From: <sip:+4915112345678@192.0.2.10>;tag=theirs",
        f"To: <sip:agent@198.51.100.5>{';tag=' + to_tag if to_tag else ''}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {cseq_method or method}",
        *([f"Contact: {contact}"] if contact else []),
        *more,
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


def ok(sent: Request, status: int = 200) -> bytes:
    headers = tuple(each for each in sent.headers if each[0] in ("via", "from", "to", "call-id", "cseq"))
    return encode(Response(headers, b"", status, "OK"))


@dataclass
class Peer:
    """A user agent and everything that it sent, parsed."""

    load: Load = field(default_factory=lambda: Load(0, 4, draining=False))
    sent: list[Request | Response] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)

    def __post_init__(self) -> None:
        words = (f"word{number}" for number in itertools.count(1))
        self.agent = UserAgent("198.51.100.5", {"udp": 5060, "tcp": 5060}, lambda: self.load, lambda: next(words))

    def says(self, data: bytes, now_ms: int = 0, hop: Hop = PEER) -> list[Request | Response]:
        """What the user agent sends upon it."""
        self.agent.receive(data, hop, now_ms)
        return self.collect()

    def at(self, now_ms: int) -> list[Request | Response]:
        self.agent.tick(now_ms)
        return self.collect()

    def collect(self) -> list[Request | Response]:
        sends = self.agent.sends()
        self.hops += [send.hop for send in sends]
        messages = [parse(send.data) for send in sends]
        self.sent += messages
        return messages

    def statuses(self) -> list[int]:
        return [message.status for message in self.sent if isinstance(message, Response)]
