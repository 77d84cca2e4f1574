"""What a leg has of its SIP call, whoever carries it: sockets in production, the scenarios' clock in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway.legs.sip.stream import Stream

Beat = Callable[[int], None]
BROKE = "line_broke"


class Line(Protocol):
    """One SIP call that stands."""

    @property
    def stream(self) -> Stream: ...

    @property
    def record(self) -> str:
        """The dialog, as another gateway needs it."""
        ...

    def start(self, beat: Beat) -> None:
        """Call `beat` every 20 ms from now on, with the number of beats that were left out before."""
        ...

    def send(self, packet: bytes) -> None:
        """RTP to the peer."""
        ...

    async def ended(self) -> str:
        """Returns when the call is over, with how it ended: see `signals.Ended`; or with BROKE when it still stands,
        but carries no media any more."""
        ...

    def hang_up(self) -> None:
        """BYE, unless the call is over; again is harmless."""
        ...

    def close(self) -> None:
        """No more beats; the port is drained. The call must have been hung up."""
        ...
