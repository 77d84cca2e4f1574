"""The entry point of `contact_event`, the target of an EventBridge rule."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from contract.clock import SystemClock
from lambdas import environment
from lambdas.contact_event.logic import contact_event
from lambdas.environment import Context


def handler(event: Mapping[str, Any], context: Context) -> dict[str, bool]:
    """An event "Amazon Connect Contact Event"; the answer is for whoever invokes it by hand."""
    clock = SystemClock()
    return {
        "recorded": asyncio.run(
            contact_event(environment.store(clock), clock, event, environment.SETTINGS, environment.TELLER)
        )
    }
