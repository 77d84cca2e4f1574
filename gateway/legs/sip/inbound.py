"""One inbound call as its user agent keeps it: the INVITE, what was agreed, what is still open."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.legs.sip import sdp
from gateway.legs.sip.dialog import Dialog
from gateway.legs.sip.errors import MalformedSdp
from gateway.legs.sip.message import Header, Request
from gateway.legs.sip.sdes import Profiles
from gateway.legs.sip.sdp import Agreed, Local
from gateway.legs.sip.session_timer import SessionTimer
from gateway.legs.sip.transactions import ServerTransaction

SDP: Header = ("content-type", "application/sdp")


@dataclass(slots=True)
class Inbound:
    """`invite` is the newest INVITE transaction. `leaving`: a BYE is wanted as soon as the ACK has come; `reason` is
    why, in the end. `profiles`: a call whose media were protected once stays protected."""

    dialog: Dialog
    invite: ServerTransaction
    offer: sdp.Session | None = None
    agreed: Agreed | None = None
    local: Local | None = None
    timer: SessionTimer | None = None
    accepted: bool = False
    confirmed: bool = False
    leaving: bool = False
    reason: str = "hung_up"
    profiles: Profiles = sdp.PLAIN_ONLY

    def take(self, request: Request) -> bytes:
        """Agree upon the offer in a request, and answer it; without one we offer ourselves.

        Raises:
            MalformedSdp, NothingInCommon: nothing has changed.
        """
        assert self.local is not None
        if not request.body:
            self.offer = None
            return sdp.offer(self.local, secure=not self.profiles.plain)
        offer = sdp.parse(request.body)
        agreed = sdp.agree(offer, self.profiles, ipv6=self.local.ipv6)
        self.offer = offer
        self._take(agreed)
        return sdp.answer(offer, agreed, self.local)

    def late(self, ack: Request) -> bool:
        """The ACK brings the answer to our own offer; False when it brings none that will do.

        Raises:
            NothingInCommon
        """
        if self.offer is not None:
            return True
        assert self.local is not None
        try:
            self._take(sdp.agree(sdp.parse(ack.body), self.profiles, ipv6=self.local.ipv6))
        except MalformedSdp:
            return False
        return True

    def headers(self, request: Request, body: bytes) -> tuple[Header, ...]:
        """What our 200 upon a request says of the session timer, and of what its body is."""
        timer = tuple(self.timer.headers(request)) if self.timer is not None else ()
        return (*timer, SDP) if body else timer

    def _take(self, agreed: Agreed) -> None:
        self.agreed = agreed
        if agreed.crypto is not None:
            self.profiles = replace(self.profiles, plain=False)
