"""Transactions (RFC 3261 section 17): who sends again, how often, and when it gives up. No I/O; times in ms.

Server transactions answer a request that comes again with what they answered before. An INVITE's final response is
sent again until its ACK comes: by the transaction where it refuses, by the dialog's need where it accepts (RFC 3261
section 13.3.1.4), which is one timer here. Client transactions carry our BYE and UPDATE.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from gateway.legs.sip.message import Request, Response, encode

T1_MS = 500  # an estimate of the round trip; RFC 3261 table 4
T2_MS = 4000
T4_MS = 5000
GIVE_UP_MS = 64 * T1_MS  # timers B, F, H and J


@dataclass(frozen=True, slots=True)
class Hop:
    """Where bytes go to or came from: `transport` is udp, tcp or tls, the host an address or a name."""

    transport: str
    host: str
    port: int

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"


@dataclass(frozen=True, slots=True)
class Send:
    hop: Hop
    data: bytes = field(repr=False)


class TransactionState(Enum):
    TRYING = auto()  # no final response yet
    ANSWERED = auto()  # a final response was given
    ACKED = auto()  # and its ACK has come: waits for stray copies
    OVER = auto()


def server_key(request: Request) -> tuple[str, str, str]:
    """RFC 3261 section 17.2.3; the ACK of a refusal and a CANCEL find the INVITE that they belong to."""
    via = request.via
    method = "INVITE" if request.method in ("ACK", "CANCEL") else request.method
    return via.branch, f"{via.host}:{via.port}", method


@dataclass(slots=True)
class ServerTransaction:
    """`timed_out`: the final response was never acknowledged."""

    request: Request
    hop: Hop
    state: TransactionState = TransactionState.TRYING
    response: Response | None = None
    timed_out: bool = False
    _again_ms: int | None = None
    _interval_ms: int = T1_MS
    _until_ms: int | None = None

    @property
    def invite(self) -> bool:
        return self.request.method == "INVITE"

    def respond(self, response: Response, now_ms: int) -> list[Send]:
        """Give a response; nothing follows a final one."""
        if self.state is not TransactionState.TRYING:
            return []
        self.response = response
        if response.final:
            self.state = TransactionState.ANSWERED
            self._until_ms = now_ms + (GIVE_UP_MS if self.invite or not self.hop.reliable else 0)
            # A refusal is sent again over UDP only; an acceptance over everything, as proxies may change transports.
            if self.invite and (response.status < 300 or not self.hop.reliable):
                self._again_ms = now_ms + T1_MS
        return self._send()

    def repeated(self) -> list[Send]:
        """The request came again."""
        return self._send() if self.state in (TransactionState.TRYING, TransactionState.ANSWERED) else []

    def acked(self, now_ms: int) -> None:
        """The ACK of the final response has come."""
        if self.state is TransactionState.ANSWERED:
            self.state, self._again_ms = TransactionState.ACKED, None
            self._until_ms = now_ms + (0 if self.hop.reliable else T4_MS)

    def tick(self, now_ms: int) -> list[Send]:
        """What is due by now; `state` OVER means that it can be forgotten."""
        if self._until_ms is not None and now_ms >= self._until_ms:
            self.timed_out = self.invite and self.state is TransactionState.ANSWERED
            self.state, self._again_ms, self._until_ms = TransactionState.OVER, None, None
            return []
        if self._again_ms is None or now_ms < self._again_ms:
            return []
        self._interval_ms = min(2 * self._interval_ms, T2_MS)
        self._again_ms = now_ms + self._interval_ms
        return self._send()

    def next_due_ms(self) -> int | None:
        return _earliest(self._again_ms, self._until_ms)

    def _send(self) -> list[Send]:
        return [Send(self.hop, encode(self.response))] if self.response is not None else []


@dataclass(slots=True)
class ClientTransaction:
    """One request of ours that is no INVITE. `status` is that of the final response, 408 when none came."""

    request: Request
    hop: Hop
    branch: str
    status: int = 0
    _again_ms: int | None = None
    _interval_ms: int = T1_MS
    _until_ms: int | None = None
    _slow: bool = False

    @property
    def over(self) -> bool:
        return self.status != 0

    def start(self, now_ms: int) -> list[Send]:
        self._until_ms = now_ms + GIVE_UP_MS
        self._again_ms = None if self.hop.reliable else now_ms + T1_MS
        return self._send()

    def received(self, response: Response) -> None:
        """A response of the same branch; a provisional one only slows the repetition down."""
        if response.final:
            self._finish(response.status)
        else:
            self._slow = True

    def tick(self, now_ms: int) -> list[Send]:
        if self._until_ms is not None and now_ms >= self._until_ms:
            self._finish(408)
        if self._again_ms is None or now_ms < self._again_ms:
            return []
        self._interval_ms = T2_MS if self._slow else min(2 * self._interval_ms, T2_MS)
        self._again_ms = now_ms + self._interval_ms
        return self._send()

    def next_due_ms(self) -> int | None:
        return _earliest(self._again_ms, self._until_ms)

    def _finish(self, status: int) -> None:
        self.status = self.status or status
        self._again_ms = self._until_ms = None

    def _send(self) -> list[Send]:
        return [Send(self.hop, encode(self.request))]


def _earliest(*times: int | None) -> int | None:
    return min((time for time in times if time is not None), default=None)


def own_key(request: Request) -> tuple[str, str, str]:
    """A CANCEL is a transaction of its own beside the INVITE that it names."""
    word, by, method = server_key(request)
    return word, by, "CANCEL" if request.method == "CANCEL" else method


def way_back(request: Request, hop: Hop) -> Hop:
    """Where its response goes (RFC 3261 section 18.2.2, RFC 3581)."""
    via = request.via
    if hop.reliable or via.rport:
        return hop
    return Hop(hop.transport, hop.host, via.port or 5060)
