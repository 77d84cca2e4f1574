"""A dialog as its answering side knows it (RFC 3261 section 12), and the requests that we send in it. No I/O.

`Dialog.record` is all that another gateway needs to end the call with a BYE when this one is gone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from gateway.legs.sip.errors import MalformedMessage
from gateway.legs.sip.message import BRANCH_COOKIE, VERSION, Header, Request, parse_address, parse_uri
from gateway.legs.sip.transactions import Hop

FOREIGN_CSEQ_STEP = 1000  # another gateway's BYE has to count on from what this one may have sent


@dataclass(frozen=True, slots=True)
class DialogId:
    """What the messages of one dialog have in common; `local` is our tag."""

    call_id: str
    local: str
    remote: str

    @classmethod
    def reached_by(cls, request: Request) -> DialogId:
        """Of the dialog that a request of the peer belongs to."""
        return cls(request.call_id, request.to.tag, request.from_.tag)


@dataclass(frozen=True, slots=True)
class DialogRecord:
    """The state that requests of ours are made of; plain texts and numbers, for the record of the call."""

    call_id: str
    local: str  # our From: URI and tag
    remote: str  # their To
    target: str  # the URI of the peer's Contact
    routes: tuple[str, ...]
    cseq: int
    transport: str
    host: str  # where the INVITE came from
    port: int

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> DialogRecord:
        """Raises MalformedMessage."""
        try:
            values = json.loads(text)
            routes = tuple(str(route) for route in values.pop("routes"))
            record = cls(**values, routes=routes)
            int(record.cseq), int(record.port)
        except (TypeError, ValueError, KeyError, AttributeError):
            raise MalformedMessage("dialog record", "JSON of a dialog", text) from None
        return record

    def request(self, method: str, branch: str, via: str, contact: str, *more: Header) -> tuple[Request, Hop]:
        """The next request in this dialog, and where to send it.

        `via` is our host and port. Loose routes only: a strict router has not been seen for twenty years.
        """
        headers: list[Header] = [
            ("via", f"{VERSION}/{self.transport.upper()} {via};branch={branch};rport"),
            ("max-forwards", "70"),
            *(("route", route) for route in self.routes),
            ("from", self.local),
            ("to", self.remote),
            ("call-id", self.call_id),
            ("cseq", f"{self.cseq} {method}"),
            ("contact", contact),
            *more,
        ]
        return Request(tuple(headers), b"", method, self.target), self.next_hop()

    def next_hop(self) -> Hop:
        """The first route or the peer's Contact; where the INVITE came from, if that names no place.

        A stream goes back to where it came from: the peer's own connection is the way through its firewall.
        """
        if self.transport != "udp":
            return Hop(self.transport, self.host, self.port)
        try:
            uri = parse_uri(parse_address(self.routes[0]).uri if self.routes else self.target)
        except MalformedMessage:
            return Hop(self.transport, self.host, self.port)
        return Hop(self.transport, uri.host, uri.port or 5060)

    def foreign(self) -> DialogRecord:
        """For the gateway that ends what another one began."""
        return _next(self, FOREIGN_CSEQ_STEP)


def _next(record: DialogRecord, step: int = 1) -> DialogRecord:
    return DialogRecord(**{**asdict(record), "routes": record.routes, "cseq": record.cseq + step})


@dataclass(slots=True)
class Dialog:
    """One call's dialog, from its INVITE on. `remote_cseq`: the newest request that the peer sent."""

    id: DialogId
    record: DialogRecord
    remote_cseq: int

    @classmethod
    def of(cls, invite: Request, local_tag: str, hop: Hop) -> Dialog:
        """Raises MalformedMessage when the INVITE says nowhere how its sender can be reached."""
        contact = invite.get("contact")
        if not contact:
            raise MalformedMessage("INVITE", "a Contact")
        to, remote = invite.to, invite.from_
        record = DialogRecord(
            call_id=invite.call_id,
            local=f"<{to.uri}>;tag={local_tag}",
            remote=f"<{remote.uri}>;tag={remote.tag}",
            target=parse_address(contact).uri,
            routes=invite.all("record-route"),
            cseq=0,
            transport=hop.transport,
            host=hop.host,
            port=hop.port,
        )
        return cls(DialogId(invite.call_id, local_tag, remote.tag), record, invite.cseq[0])

    def advance(self) -> None:
        """The next request of ours has the next number."""
        self.record = _next(self.record)

    def in_order(self, request: Request) -> bool:
        """Whether a request of the peer is newer than all before it; one that is not is an old copy."""
        number, _ = request.cseq
        if number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, request: Request) -> None:
        """A re-INVITE or an UPDATE may move the peer's Contact."""
        contact = request.get("contact")
        if contact:
            values = {**asdict(self.record), "routes": self.record.routes, "target": parse_address(contact).uri}
            self.record = DialogRecord(**values)


def branch(word: str) -> str:
    """A branch out of a random word."""
    return f"{BRANCH_COOKIE}{word}"
