"""What the user agent tells of its calls: frozen events, each with the dialog that it is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.legs.sip.dialog import DialogId
from gateway.legs.sip.message import Request
from gateway.legs.sip.sdp import Agreed
from gateway.legs.sip.transactions import Hop


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody calls; answer with `accept` or `refuse`."""

    id: DialogId
    request: Request = field(repr=False)
    hop: Hop


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The ACK has come: the call stands. `agreed` is also what came late, with the ACK."""

    id: DialogId
    agreed: Agreed


@dataclass(frozen=True, slots=True)
class Changed:
    """A re-INVITE or an UPDATE agreed upon something else: another address, another codec, a hold or its end."""

    id: DialogId
    agreed: Agreed


@dataclass(frozen=True, slots=True)
class Ended:
    """The one end of a call: `bye`, `cancelled`, `refused`, `no_ack`, `no_media` (in the ACK), `session_expired`,
    or `hung_up`, when our own BYE was answered or nobody answered it."""

    id: DialogId
    reason: str


Signal = Invited | Confirmed | Changed | Ended
