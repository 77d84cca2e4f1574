"""What can go wrong between us and the Voice Agent's socket, as a tree; no message holds the API key or anything said.

VoiceAgentError
└── VoiceAgentConnectionError
    ├── ConnectionFailed        it could not be opened
    │   ├── KeyUnavailable      the API key cannot be read, or is none
    │   ├── UpgradeRefused      an HTTP status instead of a WebSocket
    │   └── Unreachable         name, network, TLS, time-out, or no WebSocket server at all
    └── ConnectionEnded         it was open and is no more
"""

from __future__ import annotations

from contract.errors import VoiceAgentError

NO_CLOSE_FRAME = 1006  # RFC 6455, section 7.1.5: the socket went away without a close frame


class VoiceAgentConnectionError(VoiceAgentError):
    """Something about the WebSocket to the Voice Agent."""


class ConnectionFailed(VoiceAgentConnectionError):
    """The connection could not be opened."""


class KeyUnavailable(ConnectionFailed):
    """`why` is a short phrase without the key."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"no usable API key: {self.why}"


class UpgradeRefused(ConnectionFailed):
    """`code` is the body's `err_code`, or ""; `retry_after_ms` is 0 where the server named no time."""

    def __init__(self, status: int, code: str = "", request_id: str = "", retry_after_ms: int = 0) -> None:
        super().__init__(status, code, request_id, retry_after_ms)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after_ms = retry_after_ms

    def __str__(self) -> str:
        return f"the upgrade was answered with {self.status} {self.code or '(no code)'}, expected 101"


class Unreachable(ConnectionFailed):
    """`why` is a short phrase: the kind of failure, not its text."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the Voice Agent cannot be reached: {self.why}"


class ConnectionEnded(VoiceAgentConnectionError):
    """`code` is the close code, 1006 where no close frame came; neither it nor `reason` says why (see Error)."""

    def __init__(self, code: int = NO_CLOSE_FRAME, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the connection ended with close code {self.code}"
