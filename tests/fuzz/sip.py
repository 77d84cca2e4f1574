"""What comes from the network on the SIP leg: messages, session descriptions, RTP, RTCP and SRTP, in any order.

An input is packets with a letter in front of each and `|#|#` behind it: `S` a SIP message to the user agent, `M` one to
it over TLS, `R` an RTP packet, `C` an RTCP packet, `r` and `c` the same to a call whose media are protected; any other
letter lets time pass, 100 ms for each byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from gateway.legs.sip import admission, rtcp, sdp
from gateway.legs.sip.dialog import DialogRecord
from gateway.legs.sip.errors import MalformedMessage
from gateway.legs.sip.load import Load
from gateway.legs.sip.message import encode, parse
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import FRAME_BYTES, FRAME_MS, Incoming, Outgoing
from gateway.legs.sip.sdes import Crypto, Profiles
from gateway.legs.sip.sdp import Agreed, Direction, Local
from gateway.legs.sip.signals import Changed, Confirmed, Ended, Invited
from gateway.legs.sip.srtp import MASTER_BYTES, Sender, Suite
from gateway.legs.sip.stream import Stream
from gateway.legs.sip.transactions import Hop
from gateway.legs.sip.user_agent import UserAgent

PEER = ("192.0.2.10", 6000)
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
THEIRS, OURS = bytes(range(MASTER_BYTES)), bytes(MASTER_BYTES)
END = b"|#|#"  # a length would be wrong after each change that inserts a byte
LONGEST_MS = 60_000
MOST_TICKS = 200  # deadlines at one moment


def piece(kind: str, data: bytes) -> bytes:
    return kind.encode() + data + END


def _message(method: str, cseq: int, *more: str, tag: str = "", body: str = "", transport: str = "UDP") -> bytes:
    lines = [
        f"{method} sip:agent@198.51.100.5 SIP/2.0",
        f"Via: SIP/2.0/{transport} 192.0.2.10:5062;branch=z9hG4bK{cseq};rport",
        "From: <sip:+4915112345678@192.0.2.10>;tag=theirs",
        f"To: <sip:agent@198.51.100.5>{';tag=' + tag if tag else ''}",
        "Call-ID: call@peer",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:peer@192.0.2.10:5070>",
        *more,
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


def seeds() -> Sequence[bytes]:
    """Calls as they usually go, and each kind of packet once. Our tags are counted words, the first is `w1`."""
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "|2^20\r\n"
    secure = OFFER.replace("RTP/AVP", "RTP/SAVP") + key
    invite = piece("S", _message("INVITE", 1, "User-to-User: 31323334;encoding=hex", body=OFFER))
    stands = invite + piece("S", _message("ACK", 1, tag="w1"))
    timer = "Session-Expires: 90;refresher=uas"
    held = OFFER.replace("sendrecv", "sendonly")
    peer, sender = Outgoing(5, 0, 0, 0), Sender(THEIRS, Suite.SHA1_80)
    packets = [peer.packet(bytes([number]) * FRAME_BYTES) for number in range(4)]
    press = b"\x80\xe5\0\x09\0\0\x10\0\0\0\0\x05\x05\x0a\0\xa0"
    report = rtcp.report(peer, Incoming(9, 0, 5, 5), 1_000_000, "peer")
    return [
        stands + piece("S", _message("BYE", 2, tag="w1")),
        stands + piece("S", _message("INVITE", 2, timer, tag="w1", body=held)) + piece("t", b"x" * 99),
        stands + piece("S", _message("UPDATE", 3, tag="w1")) + piece("S", b"SIP/2.0 200 OK\r\n\r\n"),
        invite + piece("S", _message("CANCEL", 1)),
        piece("S", _message("INVITE", 1, "Require: timer, 100rel", "Session-Expires: 5")),
        piece("M", _message("INVITE", 1, body=secure, transport="TLS")) + piece("M", _message("ACK", 1, tag="w1")),
        piece("M", _message("INVITE", 1, transport="TLS")) + piece("M", _message("ACK", 1, tag="w1", body=secure)),
        piece("S", _message("OPTIONS", 7)) + piece("S", b"\r\n\r\n") + piece("S", _message("REGISTER", 8)),
        b"".join(piece("R", packet) for packet in packets) + piece("R", press) + piece("C", report),
        b"".join(piece("r", sender.protect(packet)) for packet in packets) + piece("c", sender.protect_report(report)),
        piece("R", b"\xb1" + packets[0][1:12] + b"\0\0\0\1\0\0\0\1\0\0\0\0" + packets[0][12:]),
    ]  # fmt: skip


def holds(data: bytes) -> None:
    """Nothing is raised; what goes out can be read; deadlines move on; what waits does not grow without end."""
    world = _World()
    for packet in data.split(END):
        world.take(packet[:1], packet[1:])
    world.check()


class _World:
    """A user agent whose calls are all taken, and the media of two calls that stand."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000
        words = (f"w{number}" for number in count(1))
        self.agent = UserAgent(
            "198.51.100.5",
            {"udp": 5060, "tcp": 5060, "tls": 5061},
            lambda: Load(0, 4, draining=False),
            lambda: next(words),
            lambda transport: Profiles(plain=True, secure=transport == "tls"),
        )
        agreed = Agreed(*PEER, 0, False, 101, Direction.BOTH, 0)
        protected = Agreed(*PEER, 0, False, 101, Direction.BOTH, 0, Crypto(1, Suite.SHA1_80, THEIRS))
        self.plain, self.secure = (
            Stream(each, Playout(), Outgoing(9, 0, 0, 0), self.now_ms, OURS) for each in (agreed, protected)
        )

    def take(self, kind: bytes, data: bytes) -> None:
        match kind:
            case b"S" | b"M":
                self._message(data, Hop("tls" if kind == b"M" else "udp", *PEER))
            case b"R" | b"r":
                self._stream(kind).receive(data, PEER, self.now_ms)
                self._beat(self._stream(kind))
            case b"C" | b"c":
                self._stream(kind).receive_report(data)
            case _:
                self._pass(min(LONGEST_MS, len(data) * 100))

    def _stream(self, kind: bytes) -> Stream:
        return self.plain if kind.isupper() else self.secure

    def _message(self, data: bytes, hop: Hop) -> None:
        self.agent.receive(data, hop, self.now_ms)
        self._carry_out()

    def _carry_out(self) -> None:
        for signal in self.agent.signals():
            match signal:
                case Invited(id_, request, _):
                    admission.matches(admission.claim(request), "contact")
                    self.agent.accept(id_, Local("198.51.100.5", 20_000, 7, master=OURS), self.now_ms)
                    record = self.agent.record(id_)
                    if record is not None:
                        assert DialogRecord.from_json(record.to_json()) == record
                case Confirmed(id_, agreed) | Changed(id_, agreed):
                    assert agreed.crypto is None or len(agreed.crypto.master) == MASTER_BYTES
                    self.plain.change(agreed, self.now_ms)
                case Ended():
                    pass
        for send in self.agent.sends():
            self._readable(send.data)

    @staticmethod
    def _readable(data: bytes) -> None:
        """What we send is a message that we would take, and its description too."""
        try:
            message = parse(data)
        except MalformedMessage as error:
            raise AssertionError(f"we sent what is no message: {data!r}") from error
        assert parse(encode(message)) == message
        if message.body:
            sdp.parse(message.body)

    def _pass(self, length_ms: int) -> None:
        self.now_ms += length_ms
        for _ in range(MOST_TICKS):
            due = self.agent.next_due_ms()
            if due is None or due > self.now_ms:
                return
            self.agent.tick(self.now_ms)
            self._carry_out()
        raise AssertionError("deadlines that never pass")

    def _beat(self, stream: Stream) -> None:
        self.now_ms += FRAME_MS
        assert len(stream.caller().ulaw) == FRAME_BYTES
        stream.packet(self.now_ms, 0)
        stream.report(self.now_ms, "x")
        assert stream.pressed().strip("0123456789*#ABCD") == ""

    def check(self) -> None:
        for stream in (self.plain, self.secure):
            assert all(value >= 0 for value in stream.figures().values()), stream.figures()
