"""Who may open a session: what the HTTP upgrade answers, without I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

PATH: Final = "/v1/agent/converse"
LOCAL_KEY: Final = "local-key"

_REASONS: Final[Mapping[int, tuple[str, str]]] = {
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    403: ("INSUFFICIENT_PERMISSIONS", "The credentials lack the scope for this product."),
    404: ("NOT_FOUND", "There is nothing at this path."),
    429: ("TOO_MANY_REQUESTS", "Too many concurrent connections of this project."),
    503: ("SERVICE_UNAVAILABLE", "The service is overloaded."),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer instead of the upgrade; the shape of the body is documented for other products: unconfirmed."""

    status: int
    code: str
    message: str

    def body(self, request_id: str) -> str:
        return json.dumps({"err_code": self.code, "err_msg": self.message, "request_id": request_id})


def refusal(status: int) -> Refusal:
    code, message = _REASONS.get(status, ("INTERNAL_SERVER_ERROR", "The request failed."))
    return Refusal(status, code, message)


@dataclass(slots=True)
class Access:
    """`keys`: API keys. `tokens`: temporary tokens and when they expire, epoch ms. `limit`: sessions at a time.

    `refuse`: a status that every further request gets, whatever its credentials; settable while it runs.
    """

    keys: frozenset[str] = frozenset({LOCAL_KEY})
    tokens: Mapping[str, int] = field(default_factory=dict)
    limit: int = 45
    refuse: int | None = None

    def decide(
        self, path: str, authorization: str | None, protocols: Sequence[str], live: int, now_ms: int
    ) -> Refusal | None:
        """Nothing when the session may open. `live`: how many are open."""
        if path.partition("?")[0] != PATH:
            return refusal(404)
        if self.refuse is not None:
            return refusal(self.refuse)
        if not self._known(authorization, protocols, now_ms):
            return refusal(401)
        return refusal(429) if live >= self.limit else None

    def _known(self, authorization: str | None, protocols: Sequence[str], now_ms: int) -> bool:
        """A header `Token <key>` or `Bearer <token>`, else the same pair as the first two subprotocols.

        An API key as Bearer is refused, as the live service does.
        """
        if authorization is not None:
            scheme, _, secret = authorization.strip().partition(" ")
        elif len(protocols) >= 2:
            scheme, secret = protocols[0], protocols[1]
        else:
            return False
        if scheme.lower() == "token":
            return secret.strip() in self.keys
        return scheme.lower() == "bearer" and self.tokens.get(secret.strip(), 0) > now_ms


def chosen_subprotocol(protocols: Sequence[str]) -> str | None:
    """The scheme word is what the server selects, never the secret beside it."""
    return protocols[0] if protocols and protocols[0].lower() in ("token", "bearer") else None
