"""A SIP user agent server (RFC 3261) for many calls: messages and a time in, messages to send and signals out.

No I/O. `receive` never raises: a request that cannot be served is answered with an error, a response that nobody
waits for is dropped, and what is no message at all is counted in `malformed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.legs.sip import sdp
from gateway.legs.sip.dialog import Dialog, DialogId, DialogRecord
from gateway.legs.sip.errors import MalformedMessage, MalformedSdp, NothingInCommon
from gateway.legs.sip.inbound import Inbound
from gateway.legs.sip.load import ALLOW, RETRY_AFTER, Load
from gateway.legs.sip.message import Header, Request, Response, parse, response, with_headers
from gateway.legs.sip.own_requests import Answered, Requests
from gateway.legs.sip.sdes import Profiles
from gateway.legs.sip.session_timer import MIN_SE_S, SessionTimer, TooSmall
from gateway.legs.sip.signals import Changed, Confirmed, Ended, Invited, Signal
from gateway.legs.sip.transactions import Hop, Send, ServerTransaction, TransactionState, own_key, server_key, way_back

SUPPORTED = frozenset({"timer"})
MOST_TRANSACTIONS = 4000  # at once; each lives for half a minute


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
    _calls: dict[DialogId, Inbound] = field(default_factory=dict)
    _requests: Requests = field(init=False)

    def __post_init__(self) -> None:
        self._requests = Requests(self.address, self.ports, self.word)

    # -- what the shell does ---------------------------------------------------------------------------------

    def receive(self, data: bytes, hop: Hop, now_ms: int) -> None:
        """A datagram, or a message out of a stream."""
        try:
            message = parse(data)
        except MalformedMessage:
            self.malformed += 1
            return
        if isinstance(message, Response):
            self._answered(self._requests.received(message))
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
        sends, over = self._requests.tick(now_ms)
        self._sends += sends
        for each in over:
            self._answered(each)
        for call in list(self._calls.values()):
            self._refresh(call, now_ms)

    def next_due_ms(self) -> int | None:
        """When `tick` has something to do."""
        dues = [transaction.next_due_ms() for transaction in self._servers.values()]
        dues.append(self._requests.next_due_ms())
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
        self._sends += call.invite.respond(self._positive(call, call.invite, body), now_ms)
        return True

    def refuse(self, id_: DialogId, status: int, reason: str, now_ms: int) -> None:
        """Say no to a call that was not accepted yet."""
        call = self._open(id_)
        if call is None:
            return
        self._sends += call.invite.respond(self._of(call.invite, status, reason, id_), now_ms)
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
        self._sends += self._requests.ask(record.foreign(), "BYE", None, now_ms)

    def record(self, id_: DialogId) -> DialogRecord | None:
        """What ends this dialog from elsewhere."""
        call = self._calls.get(id_)
        return call.dialog.record if call is not None else None

    @property
    def idle(self) -> bool:
        """No call, and nothing of ours unanswered."""
        return not self._calls and self._requests.idle

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
            transaction = ServerTransaction(request, way_back(request, hop))
            self._servers[own_key(request)] = transaction
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
        call = self._calls.get(DialogId.reached_by(tx.request))
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
                self._sends += tx.respond(with_headers(self._of(tx, 405, "Method Not Allowed"), ALLOW), now_ms)

    def _invite(self, tx: ServerTransaction, hop: Hop, now_ms: int) -> None:
        if not self.load().room:
            busy = with_headers(self._of(tx, 503, "Service Unavailable"), RETRY_AFTER)
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
        self._sends += tx.respond(self._positive(call, tx, body), now_ms)
        if call.agreed is not None and call.agreed != before:
            self._signals.append(Changed(call.dialog.id, call.agreed))

    def _ack(self, request: Request, known: ServerTransaction | None, now_ms: int) -> None:
        """The ACK of a refusal belongs to its transaction, that of an acceptance to its dialog."""
        call = self._calls.get(DialogId.reached_by(request))
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
        status, reason, headers = self.load().answer
        self._sends += tx.respond(with_headers(self._of(tx, status, reason), *headers), now_ms)

    # -- our own requests ------------------------------------------------------------------------------------

    def _answered(self, answered: Answered | None) -> None:
        """A request of ours has its final response, or will never get one."""
        call = self._calls.get(answered.about) if answered is not None and answered.about is not None else None
        if call is None or answered is None:
            return
        if answered.method == "BYE":
            self._end(call, call.reason)
        elif answered.status in (408, 481):  # RFC 3261 section 12.2.1.2: the peer has lost the call
            self._end(call, "session_expired")

    def _bye(self, call: Inbound, now_ms: int) -> None:
        call.dialog.advance()
        call.timer = None
        self._sends += self._requests.ask(call.dialog.record, "BYE", call.dialog.id, now_ms)

    def _refresh(self, call: Inbound, now_ms: int) -> None:
        timer = call.timer
        if timer is None or not call.confirmed or call.leaving or now_ms < timer.next_due_ms():
            return
        if timer.ours:
            timer.refreshed_ms = now_ms
            call.dialog.advance()
            self._sends += self._requests.ask(
                call.dialog.record, "UPDATE", call.dialog.id, now_ms, timer.refresh_header()
            )
        else:
            call.leaving, call.reason = True, "session_expired"
            self._bye(call, now_ms)

    def _unacknowledged(self, tx: ServerTransaction, now_ms: int) -> None:
        """Nobody acknowledged our 200 for 32 s: the call is ended as if it stood (RFC 3261 section 13.3.1.4)."""
        call = next((each for each in self._calls.values() if each.invite is tx), None)
        if call is not None and call.accepted:
            call.dialog.advance()
            self._sends += self._requests.ask(call.dialog.record, "BYE", None, now_ms)
            self._end(call, "no_ack")

    def _open(self, id_: DialogId) -> Inbound | None:
        """A call that waits for its answer."""
        call = self._calls.get(id_)
        return call if call is not None and not call.accepted else None

    def _end(self, call: Inbound, reason: str) -> None:
        del self._calls[call.dialog.id]
        self._signals.append(Ended(call.dialog.id, reason))

    def _positive(self, call: Inbound, tx: ServerTransaction, body: bytes) -> Response:
        headers = (self._contact(call), ALLOW, ("supported", "timer"), *call.headers(tx.request, body))
        return replace(with_headers(self._of(tx, 200, "OK", call.dialog.id), *headers), body=body)

    def _say(self, tx: ServerTransaction, status: int, reason: str, now_ms: int) -> None:
        self._sends += tx.respond(self._of(tx, status, reason), now_ms)

    def _of(self, tx: ServerTransaction, status: int, reason: str, id_: DialogId | None = None) -> Response:
        tag = id_.local if id_ is not None else "" if status == 100 else self.word()
        return response(tx.request, status, reason, to_tag=tag, received=f"{tx.hop.host} {tx.hop.port}")

    def _contact(self, call: Inbound) -> Header:
        return ("contact", self._requests.contact(call.dialog.record.transport))
