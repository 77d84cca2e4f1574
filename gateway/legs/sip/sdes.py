"""Keys of SRTP in a session description (RFC 4568): `a=crypto:` lines, read and written. No I/O.

The keys stand there as they are, so that who reads the signalling reads the call: by default only TLS is good enough.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.legs.sip.srtp import MASTER_BYTES, Suite

SECURE = "RTP/SAVP"
PLAIN = "RTP/AVP"
MASTER_TEXT = MASTER_BYTES * 4 // 3  # in base64, without padding since 30 is a multiple of 3
_SUITES = {suite.label: suite for suite in Suite}


class Srtp(StrEnum):
    """What the settings say of encrypted media."""

    OFF = "off"
    ALLOWED = "allowed"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Profiles:
    """Which media a call may have."""

    plain: bool = True
    secure: bool = False

    @classmethod
    def of(cls, srtp: Srtp, *, confidential: bool) -> Profiles:
        """`confidential`: nobody else reads the session description. What must be secure and cannot be, is nothing."""
        return cls(plain=srtp is not Srtp.REQUIRED, secure=srtp is not Srtp.OFF and confidential)

    def allows(self, protocol: str) -> bool:
        return {PLAIN: self.plain, SECURE: self.secure}.get(protocol, False)


@dataclass(frozen=True, slots=True)
class Crypto:
    """One way to protect what its sender sends: `master` is key and salt."""

    tag: int
    suite: Suite
    master: bytes = field(repr=False)

    @property
    def line(self) -> str:
        return f"a=crypto:{self.tag} {self.suite.label} inline:{base64.b64encode(self.master).decode()}"


def parse(value: str) -> Crypto | None:
    """What follows `a=crypto:`; None for a suite or a parameter that we do not have, and for what cannot be read."""
    parts = value.split()
    suite = _SUITES.get(parts[1]) if len(parts) > 2 else None
    if suite is None or re.fullmatch("[0-9]{1,9}", parts[0]) is None or not all(map(_harmless, parts[3:])):
        return None
    master = _master(parts[2])
    return None if master is None else Crypto(int(parts[0]), suite, master)


def _harmless(parameter: str) -> bool:
    """A size of the window is a hint; what must be understood and is not, rules the line out (section 6.3)."""
    return re.fullmatch(r"-\S+|WSH=[0-9]+", parameter) is not None


def _master(text: str) -> bytes | None:
    """`inline:KEY`, perhaps with a lifetime. A lifetime is longer than any call; an identifier of the master key would
    stand in each packet, and there is none that we could read."""
    match = re.fullmatch(rf"inline:([A-Za-z0-9+/]{{{MASTER_TEXT}}})(?:\|(?:2\^)?[0-9]{{1,15}})?", text)
    return None if match is None else base64.b64decode(match[1])
