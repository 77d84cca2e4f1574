"""Session timers (RFC 4028): a call whose peer vanished without a BYE ends by itself. No I/O; times in ms."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.legs.sip.message import Header, Request

MIN_SE_S = 90
MARGIN_S = 32  # RFC 4028 section 10: a BYE min(32, a third) before the session expires
MOST_S = 86_400


@dataclass(frozen=True, slots=True)
class TooSmall:
    """The peer wants a shorter interval than we take: 422 with Min-SE."""


@dataclass(slots=True)
class SessionTimer:
    """`ours`: we have to refresh, since the peer said so."""

    interval_s: int
    ours: bool
    refreshed_ms: int

    @classmethod
    def of(cls, request: Request, now_ms: int) -> SessionTimer | TooSmall | None:
        """What a request asks for; None when it knows no session timers. What cannot be read asks for none."""
        text, _, params = request.get("session-expires").partition(";")
        text = text.strip()
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            return None
        interval = min(int(text), MOST_S)
        if interval < MIN_SE_S:
            return TooSmall()
        return cls(interval, "refresher=uas" in params.replace(" ", "").lower(), now_ms)

    def headers(self, request: Request) -> tuple[Header, ...]:
        """For the 200; a peer that does not know timers is not told to require them."""
        if "timer" not in request.tokens("supported"):
            self.ours = True
        role = "uas" if self.ours else "uac"
        required = () if self.ours else (("require", "timer"),)
        return (("session-expires", f"{self.interval_s};refresher={role}"), *required)

    def next_due_ms(self) -> int:
        """When to refresh, or when to give up."""
        left_s = self.interval_s / 2 if self.ours else self.interval_s - min(MARGIN_S, self.interval_s / 3)
        return self.refreshed_ms + int(left_s * 1000)

    def refresh_header(self) -> Header:
        """For an UPDATE of ours: in it we are the client."""
        return ("session-expires", f"{self.interval_s};refresher=uac")
