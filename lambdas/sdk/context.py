"""Who calls: facts of the contact, which the language model can neither see nor change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    """A parameter with this hint gets the context, whatever its name is; the model never hears of it.

    `attributes` are the contact's attributes when the call began. `caller_number` is E.164, or empty where it was
    withheld. `remembered`: what functions of this call have kept for later ones, see `lambdas.sdk.remember`.
    """

    contact_id: str = ""
    agent: str = ""
    caller_number: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    remembered: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Context:
        """Out of the event of the Lambda."""
        given = event.get("context") or {}
        attributes, kept = (
            {str(key): str(value) for key, value in (given.get(name) or {}).items()}
            for name in ("attributes", "remembered")
        )
        contact_id, agent, caller_number = (
            str(given.get(name) or "") for name in ("contact_id", "agent", "caller_number")
        )
        return cls(contact_id, agent, caller_number, attributes, kept)
