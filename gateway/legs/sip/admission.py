"""Who may speak to us, and whose call it is: networks, and the single-use code. No I/O."""

from __future__ import annotations

import hmac
import ipaddress
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.legs.sip.message import Request

CODE_HEADER = "x-voice-agent-code"  # what the SIP media application adds
CONTACT_HEADER = "x-amzn-connectcontactid"  # what Connect's external voice transfer adds
UUI_HEADER = "user-to-user"  # RFC 7433: hexadecimal digits, and parameters
MOST_CODE = 64
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError, which names the text that is no network."""
    return tuple(ipaddress.ip_network(text) for text in texts)


@dataclass(slots=True)
class AllowList:
    """Networks that may send SIP and RTP. `dropped` counts packets from elsewhere, by host, for the first thousand
    hosts."""

    networks: Sequence[Network]
    dropped: int = 0
    by_host: Counter[str] = field(default_factory=Counter)
    _known: dict[str, bool] = field(default_factory=dict)

    def admits(self, host: str) -> bool:
        """Runs for every packet."""
        known = self._known.get(host)
        if known is None:
            known = self._look(host)
        if not known:
            self.dropped += 1
            self.by_host[host] += 1
        return known

    def _look(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        found = any(address in network for network in self.networks)
        if len(self._known) < 1000:
            self._known[host] = found
        return found


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call says of itself: the code, "" where it must come by key presses; the contact, "" where unknown."""

    code: str
    contact_id: str = ""


def claim(request: Request) -> Claim:
    """By header or User-to-User; what cannot be read counts as not said."""
    code = request.get(CODE_HEADER).strip() or _user_to_user(request.get(UUI_HEADER))
    return Claim(code if _is_code(code) else "", request.get(CONTACT_HEADER).strip())


def matches(claimed: Claim, contact_id: str) -> bool:
    """Whether the contact that the code was made for is the one that the call names, if it names one."""
    named = claimed.contact_id or contact_id
    return hmac.compare_digest(named.encode("utf-8", "replace"), contact_id.encode())


def _user_to_user(value: str) -> str:
    text = value.partition(";")[0].strip()
    try:
        return bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text


def _is_code(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_CODE


@dataclass(slots=True)
class CodeByKeys:
    """The code as Connect types it after the answer: `length` digits; other keys are passed over."""

    length: int
    _keys: str = ""

    def key(self, key: str) -> str | None:
        """The code, once it is complete."""
        if key.isdigit() and len(self._keys) < self.length:
            self._keys += key
        return self._keys if len(self._keys) == self.length else None
