"""What a test can make go wrong, and how the service refuses.

VoiceAgentError
└── KvsRefusal        a request is answered with an error; `refusal` says which
    └── NoFragment    the selector names nothing that the stream has
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contract.errors import VoiceAgentError


class Refusal(StrEnum):
    """Error codes of the API, as clients see them."""

    CLIENT_LIMIT = "ClientLimitExceededException"
    CONNECTION_LIMIT = "ConnectionLimitExceededException"
    NOT_FOUND = "ResourceNotFoundException"
    INVALID_ENDPOINT = "InvalidEndpointException"
    INVALID_ARGUMENT = "InvalidArgumentException"
    NOT_AUTHORIZED = "NotAuthorizedException"
    ACCESS_DENIED = "AccessDeniedException"
    THROTTLING = "ThrottlingException"
    INTERNAL = "InternalFailure"

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        return _STATUS.get(self, 400)


_STATUS = {
    Refusal.NOT_FOUND: 404,
    Refusal.NOT_AUTHORIZED: 401,
    Refusal.ACCESS_DENIED: 403,
    Refusal.INTERNAL: 500,
}


class KvsRefusal(VoiceAgentError):
    def __init__(self, refusal: Refusal, why: str) -> None:
        super().__init__(refusal, why)
        self.refusal = refusal
        self.why = why

    def __str__(self) -> str:
        return f"{self.refusal}: {self.why}"


class NoFragment(KvsRefusal):
    def __init__(self, number: int) -> None:
        super().__init__(Refusal.NOT_FOUND, f"the stream has no fragment {number}")
        self.number = number


@dataclass(frozen=True, slots=True)
class Refused:
    """GetMedia is answered with an error."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class InBand:
    """Before the next fragment comes an error, and the body ends; ids are those of GetMedia's reference."""

    error_id: int = 5000
    code: str = "INTERNAL_ERROR"


@dataclass(frozen=True, slots=True)
class Corrupted:
    """One byte is another: the one after `after_bytes` more bytes of the body."""

    after_bytes: int
    mask: int = 0xFF


@dataclass(frozen=True, slots=True)
class Cut:
    """The body ends after `after_bytes` more bytes; `broken`: the connection, without a proper end."""

    after_bytes: int
    broken: bool = False


BodyFault = InBand | Corrupted | Cut
Fault = Refused | BodyFault
