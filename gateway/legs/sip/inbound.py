"""One inbound call as its user agent keeps it: the INVITE, what was agreed, what is still open."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.legs.sip import sdp
from gateway.legs.sip.dialog import Dialog
from gateway.legs.sip.errors import MalformedSdp
from gateway.legs.sip.message import Request
from gateway.legs.sip.sdp import Agreed, Local
from gateway.legs.sip.session_timer import SessionTimer
from gateway.legs.sip.transactions import ServerTransaction


@dataclass(slots=True)
class Inbound:
    """`invite` is the newest INVITE transaction. `leaving`: a BYE is wanted as soon as the ACK has come; `reason` is
    why, in the end."""

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

    def take(self, request: Request) -> bytes:
        """Agree upon the offer in a request, and answer it; without one we offer ourselves.

        Raises:
            MalformedSdp, NothingInCommon: nothing has changed.
        """
        assert self.local is not None
        if not request.body:
            self.offer = None
            return sdp.offer(self.local)
        offer = sdp.parse(request.body)
        agreed = sdp.agree(offer)
        self.offer, self.agreed = offer, agreed
        return sdp.answer(offer, agreed, self.local)

    def late(self, ack: Request) -> bool:
        """The ACK brings the answer to our own offer; False when it brings none that will do.

        Raises:
            NothingInCommon
        """
        if self.offer is not None:
            return True
        try:
            self.agreed = sdp.agree(sdp.parse(ack.body))
        except MalformedSdp:
            return False
        return True
