"""The record of a call, read as it grows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from contract.actions import Numbered, Play
from contract.call import CallState, Head
from contract.errors import CallNotFound, StoreUnavailable
from contract.store import GatewayStore
from contract.turns import FunctionEntry, Turn


@dataclass
class Record:
    store: GatewayStore
    contact_id: str
    head: Head | None = None
    turns: list[Turn] = field(default_factory=list)
    functions: list[FunctionEntry] = field(default_factory=list)
    actions: list[Numbered] = field(default_factory=list)

    async def read(self) -> None:
        """Read everything anew; what cannot be read stays as it was."""
        with contextlib.suppress(CallNotFound, StoreUnavailable):
            self.head = await self.store.head(self.contact_id)
            self.turns = list(await self.store.turns(self.contact_id))
            self.functions = list(await self.store.functions(self.contact_id))
            self.actions = list(await self.store.actions_after(self.contact_id, 0))

    @property
    def closed(self) -> bool:
        return self.head is not None and self.head.state is CallState.ENDED

    def clip(self, url: str) -> str:
        """What to call the clip at `url`."""
        found = (one.seq for one in self.actions if isinstance(one.action, Play) and one.action.prompt_url == url)
        number = next(found, None)
        return "a clip" if number is None else f"clip {number}"
