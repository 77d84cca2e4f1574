"""Whose a call is: its code is claimed, once. Who guesses has to wait."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from contract.clock import Clock
from contract.errors import ContractError
from contract.store import GatewayStore

log = structlog.get_logger()

WRONG_CODES = 10  # from one host within a minute: then it has to wait, whatever it says
WRONG_CODES_MS = 60_000
MOST_HOSTS = 1000  # whose wrong codes are remembered


@dataclass(slots=True)
class Codes:
    """`unmatched`: calls that nobody knew."""

    store: GatewayStore
    clock: Clock
    unmatched: int = 0
    _wrong: dict[str, list[int]] = field(default_factory=dict)

    async def claim(self, code: str, host: str) -> str | None:
        """The contact that a code stands for; None when there is none, or when it cannot be found out."""
        now = self.clock.now_ms()
        wrong = [at for at in self._wrong.get(host, []) if now - at < WRONG_CODES_MS]
        contact_id = None
        if len(wrong) < WRONG_CODES:
            try:
                contact_id = await self.store.claim_code(code, now)
            except ContractError as error:
                log.error("code_not_claimed", why=type(error).__name__)
                return None
        if contact_id is None:
            self._wrong.pop(host, None)
            self._wrong[host] = [*wrong, now][-WRONG_CODES:]  # the newest last
            if len(self._wrong) > MOST_HOSTS:
                del self._wrong[next(iter(self._wrong))]
            self.unmatched += 1
            log.warning("code_unknown", host=host, too_many=len(wrong) >= WRONG_CODES)
        return contact_id
