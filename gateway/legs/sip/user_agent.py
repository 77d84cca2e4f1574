"""A SIP user agent server (RFC 3261) for many calls: messages and a time in, messages to send and signals out.

No I/O. `receive` never raises: a request that cannot be served is answered with an error, a response that nobody
waits for is dropped, and what is no message at all is counted in `malformed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.legs.sip import sdp
from gateway.legs.sip.dialog import Dialog, DialogId, DialogRecord, branch
from gateway.legs.sip.errors import MalformedMessage, MalformedSdp, NothingInCommon
from gateway.legs.sip.inbound import Inbound
from gateway.legs.sip.message import Header, Request, Response, parse, response, with_headers
from gateway.legs.sip.sdes import Profiles
from gateway.legs.sip.session_timer import MIN_SE_S, SessionTimer, TooSmall
from gateway.legs.sip.signals import Changed, Confirmed, Ended, Invited, Signal
from gateway.legs.sip.transactions import ClientTransaction, Hop, Send, ServerTransaction, TransactionState, server_key

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE"
SUPPORTED = frozenset({"timer"})
MOST_TRANSACTIONS = 4000  # at once; each lives for half a minute
RETRY_AFTER_S = 5  # by then another task has taken its place in front of the load balancer
SDP: Header = ("content-type", "application/sdp")


@dataclass(frozen=True, slots=True)
class Load:
    """What OPTIONS is answered with. A gateway with no room refuses new calls with 503."""

    calls: int
    limit: int
    draining: bool

    @property
    def room(self) -> bool:
        return not self.draining and self.calls < self.limit

    @property
    def header(self) -> Header:
        return ("x-voice-agent-load", f"calls={self.calls};limit={self.limit};draining={int(self.draining)}")


@dataclass(slots=True)
class UserAgent:
    """`address` is our host as peers reach it, `ports` the port by transport. `word` makes random words of letters
    and digits. `profiles` are the media that a call may have, by the transport of its signalling."""

    address: str
    ports: dict[str, int]
    load: Callable[[], Load]
    word: Callable[[], str]
    profiles: Callable[[str], Profiles] = lambda transport: sdp.PLAIN_ONLY
    malformed: int = 0
    repeated: int = 0
    refused: int = 0
    _sends: list[Send] = field(default_factory=list)
    _signals: list[Signal] = field(default_factory=list)
    _servers: dict[tuple[str, str, str], ServerTransaction] = field(default_factory=dict)
    _clients: dict[str, tuple[ClientTransaction, DialogId | None]] = field(default_factory=dict)
    _calls: dict[DialogId, Inbound] = field(default_factory=dict)

    # -- what the shell does ---------------------------------------------------------------------------------

    def receive(self, data: bytes, hop: Hop, now_ms: int) -> None:
        """A datagram, or a message out of a stream."""
        try:
            message = parse(data)
        except MalformedMessage:
            self.malformed += 1
            return
        if isinstance(message, Response):
            self._response(message)
        else:
            self._request(message, hop, now_ms)

    def sends(self) -> list[Send]:
        """What is to be sent now; asking empties the list."""
        sends, self._sends = self._sends, []
        return sends

    def signals(self) -> list[Signal]:
        """What has happened, in order; asking empties the list."""
        signals, self._signals = self._signals, []
        return signals

    def tick(self, now_ms: int) -> None:
        """What is due by now."""
        for key, transaction in list(self._servers.items()):
            self._sends += transaction.tick(now_ms)
            if transaction.state is TransactionState.OVER:
                del self._servers[key]
                if transaction.timed_out:
                    self._unacknowledged(transaction, now_ms)
        for word, (client, about) in list(self._clients.items()):
            self._sends += client.tick(now_ms)
            if client.over:
                self._answered(word, about)
        for call in list(self._calls.values()):
            self._refresh(call, now_ms)

    def next_due_ms(self) -> int | None:
        """When `tick` has something to do."""
        dues = [transaction.next_due_ms() for transaction in self._servers.values()]
        dues += [client.next_due_ms() for client, _ in self._clients.values()]
        dues += [call.timer.next_due_ms() for call in self._calls.values() if call.timer is not None]
        return min((due for due in dues if due is not None), default=None)

    # -- what the owner of a call does -----------------------------------------------------------------------

    def accept(self, id_: DialogId, local: sdp.Local, now_ms: int) -> bool:
        """200 with our side of the media; False when the call is gone, or when nothing can be agreed upon (then it
        is refused with 488)."""
        call = self._open(id_)
        if call is None:
            return False
        call.local = local
        try:
            body = call.take(call.invite.request)
        except (MalformedSdp, NothingInCommon):
            self.refuse(id_, 488, "Not Acceptable Here", now_ms)
            return False
        call.accepted = True
        self._accept(call, call.invite, body, now_ms)
        return True

    def refuse(self, id_: DialogId, status: int, reason: str, now_ms: int, retry_after_s: int = 0) -> None:
        """Say no to a call that was not accepted yet."""
        call = self._open(id_)
        if call is None:
            return
        answer = self._of(call.invite, status, reason, id_)
        if retry_after_s:
            answer = with_headers(answer, ("retry-after", str(retry_after_s)))
        self._sends += call.invite.respond(answer, now_ms)
        self.refused += 1
        self._end(call, "refused")

    def hang_up(self, id_: DialogId, now_ms: int) -> None:
        """BYE, as soon as the call stands; one that does not stand yet is refused."""
        call = self._calls.get(id_)
        if call is None or call.leaving:
            return
        if not call.accepted:
            self.refuse(id_, 480, "Temporarily Unavailable", now_ms)
            return
        call.leaving = True
        if call.confirmed:
            self._bye(call, now_ms)

    def hang_up_foreign(self, record: DialogRecord, now_ms: int) -> None:
        """BYE in a dialog that another gateway began and can no longer end."""
        self._ask(record.foreign(), "BYE", None, now_ms)

    def record(self, id_: DialogId) -> DialogRecord | None:
        """What ends this dialog from elsewhere."""
        call = self._calls.get(id_)
        return call.dialog.record if call is not None else None

    @property
    def idle(self) -> bool:
        """No call, and nothing of ours unanswered."""
        return not self._calls and not self._clients

    # -- requests --------------------------------------------------------------------------------------------

    def _request(self, request: Request, hop: Hop, now_ms: int) -> None:
        known = self._servers.get(server_key(request))
        if request.method == "ACK":
            self._ack(request, known, now_ms)
        elif known is not None and request.method == known.request.method:
            self.repeated += 1
            self._sends += known.repeated()
        elif len(self._servers) >= MOST_TRANSACTIONS:
            self.refused += 1
        else:
            transaction = ServerTransaction(request, self._back(request, hop))
            self._servers[_own_key(request)] = transaction
            self._serve(transaction, known, hop, now_ms)

    def _serve(self, tx: ServerTransaction, invite: ServerTransaction | None, hop: Hop, now_ms: int) -> None:
        request = tx.request
        unsupported = request.tokens("require") - SUPPORTED
        if unsupported:
            answer = with_headers(self._of(tx, 420, "Bad Extension"), ("unsupported", ", ".join(sorted(unsupported))))
            self._sends += tx.respond(answer, now_ms)
            return
        try:
            self._dispatch(tx, invite, hop, now_ms)
        except MalformedMessage:
            self.malformed += 1
            self._say(tx, 400, "Bad Request", now_ms)

    def _dispatch(self, tx: ServerTransaction, invite: ServerTransaction | None, hop: Hop, now_ms: int) -> None:
        call = self._calls.get(_dialog_id(tx.request))
        match tx.request.method:
            case "INVITE" if not tx.request.to.tag:
                self._invite(tx, hop, now_ms)
            case "INVITE" | "UPDATE" if call is not None:
                self._renegotiate(call, tx, now_ms)
            case "BYE" if call is not None:
                self._bye_came(call, tx, now_ms)
            case "CANCEL":
                self._cancel(tx, invite, now_ms)
            case "OPTIONS":
                self._options(tx, now_ms)
            case "INVITE" | "UPDATE" | "BYE":
                self._say(tx, 481, "Call/Transaction Does Not Exist", now_ms)
            case _:
                self._sends += tx.respond(
                    with_headers(self._of(tx, 405, "Method Not Allowed"), ("allow", ALLOW)), now_ms
                )

    def _invite(self, tx: ServerTransaction, hop: Hop, now_ms: int) -> None:
        if not self.load().room:
            busy = with_headers(self._of(tx, 503, "Service Unavailable"), ("retry-after", str(RETRY_AFTER_S)))
            self._sends += tx.respond(busy, now_ms)
            self.refused += 1
            return
        timer = SessionTimer.of(tx.request, now_ms)
        if isinstance(timer, TooSmall):
            self._sends += tx.respond(
                with_headers(self._of(tx, 422, "Session Interval Too Small"), ("min-se", str(MIN_SE_S))), now_ms
            )
            return
        dialog = Dialog.of(tx.request, self.word(), hop)
        self._calls[dialog.id] = Inbound(dialog, tx, timer=timer, profiles=self.profiles(hop.transport))
        self._sends += tx.respond(self._of(tx, 100, "Trying"), now_ms)
        self._signals.append(Invited(dialog.id, tx.request, hop))

    def _renegotiate(self, call: Inbound, tx: ServerTransaction, now_ms: int) -> None:
        """A re-INVITE or an UPDATE: a hold, its end, another address, or just a sign of life."""
        if not call.dialog.in_order(tx.request):
            self._say(tx, 500, "Server Internal Error", now_ms)
            return
        if call.local is None or not call.confirmed or call.leaving:
            self._say(tx, 491, "Request Pending", now_ms)
            return
        before = call.agreed
        if isinstance(timer := SessionTimer.of(tx.request, now_ms), SessionTimer):
            call.timer = timer
        call.dialog.refresh_target(tx.request)
        if tx.request.method == "UPDATE" and not tx.request.body:
            self._sends += tx.respond(self._positive(call, tx, b""), now_ms)
            return
        call.local = call.local.changed()
        try:
            body = call.take(tx.request)
        except (MalformedSdp, NothingInCommon):
            self._say(tx, 488, "Not Acceptable Here", now_ms)
            return
        if tx.invite:
            call.invite, call.confirmed = tx, False
        self._accept(call, tx, body, now_ms)
        if call.agreed is not None and call.agreed != before:
            self._signals.append(Changed(call.dialog.id, call.agreed))

    def _ack(self, request: Request, known: ServerTransaction | None, now_ms: int) -> None:
        """The ACK of a refusal belongs to its transaction, that of an acceptance to its dialog."""
        call = self._calls.get(_dialog_id(request))
        if call is not None and call.accepted:
            known = call.invite
            if request.cseq[0] != known.request.cseq[0]:
                return
        if known is None or known.state is not TransactionState.ANSWERED:
            return
        known.acked(now_ms)
        if call is not None and call.accepted:
            self._confirm(call, request, now_ms)

    def _confirm(self, call: Inbound, ack: Request, now_ms: int) -> None:
        call.confirmed = True
        try:
            usable = call.late(ack)
        except NothingInCommon:
            usable = False
        if call.leaving or not usable or call.agreed is None:
            call.reason = call.reason if call.leaving else "no_media"
            call.leaving = True
            self._bye(call, now_ms)
        else:
            self._signals.append(Confirmed(call.dialog.id, call.agreed))

    def _bye_came(self, call: Inbound, tx: ServerTransaction, now_ms: int) -> None:
        call.dialog.in_order(tx.request)
        self._say(tx, 200, "OK", now_ms)
        if not call.accepted:  # RFC 3261 section 15.1.2: what is pending is answered
            self._sends += call.invite.respond(self._of(call.invite, 487, "Request Terminated", call.dialog.id), now_ms)
        else:
            call.invite.acked(now_ms)
        self._end(call, "bye")

    def _cancel(self, tx: ServerTransaction, invite: ServerTransaction | None, now_ms: int) -> None:
        if invite is None:
            self._say(tx, 481, "Call/Transaction Does Not Exist", now_ms)
            return
        self._say(tx, 200, "OK", now_ms)
        call = next((each for each in self._calls.values() if each.invite is invite), None)
        if call is not None and not call.accepted:  # else it came too late, and a BYE follows
            self._sends += invite.respond(self._of(invite, 487, "Request Terminated", call.dialog.id), now_ms)
            self._end(call, "cancelled")

    def _options(self, tx: ServerTransaction, now_ms: int) -> None:
        load = self.load()
        headers: list[Header] = [("allow", ALLOW), ("accept", "application/sdp"), ("supported", "timer"), load.header]
        if load.room:
            answer = self._of(tx, 200, "OK")
        else:
            answer = self._of(tx, 503, "Service Unavailable")
            headers.append(("retry-after", str(RETRY_AFTER_S)))
        self._sends += tx.respond(with_headers(answer, *headers), now_ms)

    # -- responses -------------------------------------------------------------------------------------------

    def _response(self, message: Response) -> None:
        word = message.via.branch
        client, about = self._clients.get(word, (None, None))
        if client is None or message.cseq != client.request.cseq:
            return
        client.received(message)
        if client.over:
            self._answered(word, about)

    def _answered(self, word: str, about: DialogId | None) -> None:
        """A request of ours has its final response, or will never get one."""
        client, _ = self._clients.pop(word)
        call = self._calls.get(about) if about is not None else None
        if call is None:
            return
        if client.request.method == "BYE":
            self._end(call, call.reason)
        elif client.status in (408, 481):  # RFC 3261 section 12.2.1.2: the peer has lost the call
            self._end(call, "session_expired")

    # -- our own requests ------------------------------------------------------------------------------------

    def _bye(self, call: Inbound, now_ms: int) -> None:
        call.dialog.advance()
        call.timer = None
        self._ask(call.dialog.record, "BYE", call.dialog.id, now_ms)

    def _refresh(self, call: Inbound, now_ms: int) -> None:
        timer = call.timer
        if timer is None or not call.confirmed or call.leaving or now_ms < timer.next_due_ms():
            return
        if timer.ours:
            timer.refreshed_ms = now_ms
            call.dialog.advance()
            self._ask(call.dialog.record, "UPDATE", call.dialog.id, now_ms, timer.refresh_header())
        else:
            call.leaving, call.reason = True, "session_expired"
            self._bye(call, now_ms)

    def _ask(self, record: DialogRecord, method: str, about: DialogId | None, now_ms: int, *more: Header) -> None:
        word = branch(self.word())
        via = f"{self._host}:{self._port(record.transport)}"
        request, hop = record.request(method, word, via, self._contact_uri(record.transport), *more)
        client = ClientTransaction(request, hop, word)
        self._clients[word] = (client, about)
        self._sends += client.start(now_ms)

    def _unacknowledged(self, tx: ServerTransaction, now_ms: int) -> None:
        """Nobody acknowledged our 200 for 32 s: the call is ended as if it stood (RFC 3261 section 13.3.1.4)."""
        call = next((each for each in self._calls.values() if each.invite is tx), None)
        if call is not None and call.accepted:
            call.dialog.advance()
            self._ask(call.dialog.record, "BYE", None, now_ms)
            self._end(call, "no_ack")

    # -- the small things ------------------------------------------------------------------------------------

    def _open(self, id_: DialogId) -> Inbound | None:
        """A call that waits for its answer."""
        call = self._calls.get(id_)
        return call if call is not None and not call.accepted else None

    def _end(self, call: Inbound, reason: str) -> None:
        del self._calls[call.dialog.id]
        self._signals.append(Ended(call.dialog.id, reason))

    def _accept(self, call: Inbound, tx: ServerTransaction, body: bytes, now_ms: int) -> None:
        self._sends += tx.respond(self._positive(call, tx, body), now_ms)

    def _positive(self, call: Inbound, tx: ServerTransaction, body: bytes) -> Response:
        answer = self._of(tx, 200, "OK", call.dialog.id)
        headers: list[Header] = [self._contact(call), ("allow", ALLOW), ("supported", "timer")]
        if call.timer is not None:
            headers += call.timer.headers(tx.request)
        if body:
            headers.append(SDP)
        return Response((*answer.headers, *headers), body, answer.status, answer.reason)

    def _say(self, tx: ServerTransaction, status: int, reason: str, now_ms: int) -> None:
        self._sends += tx.respond(self._of(tx, status, reason), now_ms)

    def _of(self, tx: ServerTransaction, status: int, reason: str, id_: DialogId | None = None) -> Response:
        tag = id_.local if id_ is not None else "" if status == 100 else self.word()
        return response(tx.request, status, reason, to_tag=tag, received=f"{tx.hop.host} {tx.hop.port}")

    def _back(self, request: Request, hop: Hop) -> Hop:
        """Where its response goes (RFC 3261 section 18.2.2, RFC 3581)."""
        via = request.via
        if hop.reliable or via.rport:
            return hop
        return Hop(hop.transport, hop.host, via.port or 5060)

    @property
    def _host(self) -> str:
        return f"[{self.address}]" if ":" in self.address else self.address

    def _port(self, transport: str) -> int:
        return self.ports.get(transport, 5060)

    def _contact_uri(self, transport: str) -> str:
        return f"<sip:voice-agent@{self._host}:{self._port(transport)};transport={transport}>"

    def _contact(self, call: Inbound) -> Header:
        return ("contact", self._contact_uri(call.dialog.record.transport))


def _own_key(request: Request) -> tuple[str, str, str]:
    """A CANCEL is a transaction of its own beside the INVITE that it names."""
    word, by, method = server_key(request)
    return word, by, "CANCEL" if request.method == "CANCEL" else method


def _dialog_id(request: Request) -> DialogId:
    return DialogId(request.call_id, request.to.tag, request.from_.tag)
