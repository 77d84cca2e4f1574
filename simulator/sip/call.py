"""An outbound SIP call as Amazon's voice connector makes it: INVITE, ACK, BYE, and their repetitions. No I/O.

The headers are those that public integrations report of Connect's external voice transfer; User-to-User is
hexadecimal (RFC 7433). Written from RFC 3261, apart from the gateway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

T1_MS = 500
ANSWER_LIMIT_MS = 32_000


class State(Enum):
    CALLING = auto()
    STANDING = auto()
    LEAVING = auto()  # our BYE is out
    OVER = auto()


@dataclass(slots=True)
class Message:
    """What this side reads of a message: first line, headers by lower-case name, body."""

    first: str
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, data: bytes) -> Message | None:
        head, found, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        if not found or not first:
            return None
        pairs = (line.partition(":") for line in lines)
        return cls(first, {name.strip().lower(): value.strip() for name, _, value in pairs}, body)


@dataclass(slots=True)
class OutboundCall:
    """`sent` is what is to be sent; the shell empties it. `reason` is why the call is over: `bye`, `hung_up`,
    `no_answer`, or the status that refused it. `remote` is where RTP goes, once answered."""

    word: str  # makes Call-ID, tag and branches
    address: str
    port: int  # of SIP
    media_port: int
    target: str  # host:port of the gateway
    user: str
    caller: str
    headers: tuple[tuple[str, str], ...] = ()
    state: State = State.CALLING
    reason: str = ""
    remote: tuple[str, int] | None = None
    sent: list[bytes] = field(default_factory=list)
    _to: str = ""
    _contact: str = ""
    _cseq: int = 1
    _begun_ms: int = 0
    _again_ms: int = 0
    _interval_ms: int = T1_MS
    _repeat: bytes = b""
    _cancelled: bool = False

    def start(self, now_ms: int) -> None:
        """Ring."""
        self._begun_ms = now_ms
        self._send_until_answered(self._invite(), now_ms)

    def receive(self, data: bytes, now_ms: int) -> None:
        message = Message.of(data)
        if message is None or message.headers.get("call-id") != self._call_id:
            return
        if message.first.startswith("SIP/2.0 "):
            self._response(message, now_ms)
        else:
            self._request(message)

    def hang_up(self, now_ms: int) -> None:
        """BYE, or CANCEL where nobody has answered."""
        if self.state is State.CALLING and not self._cancelled:
            self._cancelled = True
            self.sent.append(self._request_text("CANCEL", 1, self._uri, "", f"{self.word}-1"))
        elif self.state is State.STANDING:
            self.state = State.LEAVING
            self._cseq += 1
            self._send_until_answered(
                self._request_text("BYE", self._cseq, self._contact, self._to, f"{self.word}-{self._cseq}"), now_ms
            )

    def tick(self, now_ms: int) -> None:
        """What is due: a repetition, or giving up."""
        if self._repeat and now_ms >= self._again_ms:
            if now_ms - self._begun_ms > ANSWER_LIMIT_MS:
                self._over("no_answer" if self.state is State.CALLING else "hung_up")
                return
            self.sent.append(self._repeat)
            self._interval_ms = min(2 * self._interval_ms, 4000)
            self._again_ms = now_ms + self._interval_ms

    @property
    def _call_id(self) -> str:
        return f"{self.word}@{self.address}"

    @property
    def _uri(self) -> str:
        return f"sip:{self.user}@{self.target}"

    def _response(self, message: Message, now_ms: int) -> None:
        status = int(message.first[8:11]) if message.first[8:11].isdigit() else 0
        method = message.headers.get("cseq", "").rpartition(" ")[2]
        if method == "INVITE":
            self._invite_answered(status, message, now_ms)
        elif method == "BYE" and status >= 200 and self.state is State.LEAVING:
            self._over("hung_up")

    def _invite_answered(self, status: int, message: Message, now_ms: int) -> None:
        if 100 <= status < 200:
            self._repeat = b""  # RFC 3261 section 17.1.1.2: a provisional response ends the repeating
            return
        self._to = message.headers.get("to", "")
        if 200 <= status < 300:
            self._contact = _between(message.headers.get("contact", ""))
            self.sent.append(self._request_text("ACK", 1, self._contact, self._to, f"{self.word}-ack"))
            self._answered(message, now_ms)
        elif status >= 300:
            self.sent.append(self._request_text("ACK", 1, self._uri, self._to, f"{self.word}-1"))
            self._over(str(status))

    def _answered(self, message: Message, now_ms: int) -> None:
        if self.state is not State.CALLING:
            return
        self._repeat = b""
        self.state = State.STANDING
        address = re.search(r"^c=IN IP4 ([0-9.]+)", message.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+) RTP/AVP 0\b", message.body, re.MULTILINE)
        if address is None or port is None:
            self.hang_up(now_ms)
        else:
            self.remote = (address[1], int(port[1]))
        if self._cancelled:  # the CANCEL came too late
            self.hang_up(now_ms)

    def _request(self, message: Message) -> None:
        method = message.first.partition(" ")[0]
        if method == "BYE":
            self.sent.append(self._ok(message))
            self._over("bye")
        elif method in ("UPDATE", "OPTIONS"):
            self.sent.append(self._ok(message))

    def _ok(self, message: Message) -> bytes:
        names = ("via", "from", "to", "call-id", "cseq")
        lines = [f"{name.title()}: {message.headers.get(name, '')}" for name in names]
        return "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""]).encode()

    def _over(self, reason: str) -> None:
        if self.state is not State.OVER:
            self.state, self.reason, self._repeat = State.OVER, reason, b""

    def _send_until_answered(self, data: bytes, now_ms: int) -> None:
        self._repeat, self._interval_ms, self._again_ms = data, T1_MS, now_ms + T1_MS
        self.sent.append(data)

    def _invite(self) -> bytes:
        body = "\r\n".join(
            [
                "v=0", f"o=- 1 1 IN IP4 {self.address}", "s=-", f"c=IN IP4 {self.address}", "t=0 0",
                f"m=audio {self.media_port} RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000",
                "a=rtpmap:101 telephone-event/8000", "a=ptime:20", "a=sendrecv", "",
            ]
        )  # fmt: skip
        extra = [f"{name}: {value}" for name, value in self.headers]
        more = [*extra, "Content-Type: application/sdp"]
        return self._request_text("INVITE", 1, self._uri, "", f"{self.word}-1", more, body)

    def _request_text(
        self, method: str, cseq: int, uri: str, to: str, branch: str, more: list[str] | None = None, body: str = ""
    ) -> bytes:
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self.caller}@{self.address}>;tag={self.word}",
            f"To: {to or f'<{self._uri}>'}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.caller}@{self.address}:{self.port}>",
            *(more or []),
            f"Content-Length: {len(body.encode())}",
            "",
            body,
        ]
        return "\r\n".join(lines).encode()


def _between(value: str) -> str:
    match = re.search(r"<([^>]*)>", value)
    return match[1] if match else value.partition(";")[0]


def connector_headers(contact_id: str, user_to_user: str) -> tuple[tuple[str, str], ...]:
    """What Connect's external voice transfer adds to its INVITE."""
    uui = (("User-to-User", f"{user_to_user.encode().hex()};encoding=hex"),) if user_to_user else ()
    return (("X-Amzn-ConnectContactId", contact_id), ("X-Amzn-ConnectInitialContactId", contact_id), *uui)
