"""What can go wrong between Kinesis Video Streams and the caller's audio.

VoiceAgentError
└── KvsError
    ├── MatroskaError           the bytes are not what a reader of Matroska can go on with
    │   ├── MalformedVint       no length marker where an element id or size must be
    │   ├── ElementTooLarge     an element, or a number of them, beyond our limits
    │   ├── ElementMisplaced    an element where it cannot be, or longer than what holds it
    │   ├── LacingRefused       a block that holds several frames
    │   └── TruncatedDocument   the bytes ended inside an element
    ├── StreamFailed            GetMedia reported an error inside the body
    ├── ReadingStopped          the body can no longer be read; `cause` says why
    └── ReadingGivenUp          reading was tried again until the policy's end
"""

from __future__ import annotations

from enum import StrEnum

from contract.errors import VoiceAgentError


class KvsError(VoiceAgentError):
    """The caller's audio cannot be read from Kinesis Video Streams."""


class MatroskaError(KvsError):
    """`offset` counts bytes from the first byte that the reader was fed."""

    def __init__(self, offset: int, what: str, expected: str) -> None:
        super().__init__(offset, what, expected)
        self.offset = offset
        self.what = what
        self.expected = expected

    def __str__(self) -> str:
        return f"byte {self.offset}: {self.what}, expected {self.expected}"


class MalformedVint(MatroskaError):
    pass


class ElementTooLarge(MatroskaError):
    pass


class ElementMisplaced(MatroskaError):
    pass


class LacingRefused(MatroskaError):
    pass


class TruncatedDocument(MatroskaError):
    pass


class StreamFailed(KvsError):
    """A fragment carried AWS_KINESISVIDEO_ERROR_ID and _CODE; the body ends after it (status was 200).

    `error_id` is 0 where the tag was absent or not a number.
    """

    def __init__(self, error_id: int, code: str, fragment_number: str) -> None:
        super().__init__(error_id, code, fragment_number)
        self.error_id = error_id
        self.code = code
        self.fragment_number = fragment_number

    def __str__(self) -> str:
        at = f" at fragment {self.fragment_number}" if self.fragment_number else ""
        return f"GetMedia reported error {self.error_id} ({self.code or 'no code'}) inside its body{at}"


class Cause(StrEnum):
    """Why a GetMedia body can no longer be read, or could not be opened."""

    BODY_ENDED = "body_ended"  # normal: the service ends a session after some 45 minutes
    IDLE = "idle"  # normal: no byte for 3 s, because the producer pauses or is gone
    CLIENT_LIMIT = "client_limit"
    CONNECTION_LIMIT = "connection_limit"
    NOT_FOUND = "not_found"
    INVALID_ENDPOINT = "invalid_endpoint"
    NOT_AUTHORIZED = "not_authorized"
    INVALID_ARGUMENT = "invalid_argument"
    UNREACHABLE = "unreachable"  # name resolution, connecting, TLS, a 5xx answer, a broken connection
    IN_BAND = "in_band"
    CORRUPT = "corrupt"


class ReadingStopped(KvsError):
    """Raised by a media source instead of bytes. `detail` is for the log: an error's name, never audio."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail

    def __str__(self) -> str:
        return f"GetMedia cannot be read: {self.cause}" + (f" ({self.detail})" if self.detail else "")


class ReadingGivenUp(KvsError):
    """`reason` is a short snake_case word for the record of the call."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(reason, attempts)
        self.reason = reason
        self.attempts = attempts

    def __str__(self) -> str:
        return f"caller audio cannot be read ({self.reason}) after {self.attempts} attempts without progress"
