"""What a SIP leg is made of beside the call itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from contract.call import Call
from contract.clock import Clock
from contract.store import GatewayStore
from gateway.legs.leg import Question
from gateway.legs.sip.line import Line


@dataclass(frozen=True, slots=True)
class SipServices:
    """What a leg needs. `line` is that of a contact. `opening` reads a rendered opening by its URL, as µ-law; empty
    when it cannot be had. `pass_on` gives secret digits to whom they are for, and returns what the agent may know."""

    store: GatewayStore
    clock: Clock
    line: Callable[[str], Line]
    opening: Callable[[str], Awaitable[bytes]]
    pass_on: Callable[[Call, Question, str], Awaitable[str]]
