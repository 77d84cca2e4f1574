"""The shop of the scenarios, with one function more: one that must not run twice for the same question."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from definition import FunctionDefinition
from simulator.deepgram.brain import Reply
from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.chaos.weather import ChaosFunctions, Weather
from tests.scenarios import shop
from tests.scenarios import world as scenarios

CANCELLED = "Order {number} has been cancelled, as you wished, and you will have your money back in three days."
LONG = (
    "We make tables, chairs and shelves of oak, ash and beech. Each of them is made to order, in four weeks. "
    "You choose the wood, the size and the oil. We deliver them to your door, and take your old furniture with us."
)
_CANCEL = FunctionDefinition(
    "cancel_order",
    "Cancel an order.",
    parameters={
        "type": "object",
        "properties": {"order_number": {"type": "string", "pattern": "^[0-9]{4,10}$"}},
        "required": ["order_number"],
        "additionalProperties": False,
    },
    timeout_s=8,
    idempotent=False,
    defer_until_eot=False,  # as a Deepgram that does not know it: it may be cancelled and asked for again
    while_running="One moment please.",
)
SHOP = replace(scenarios.SHOP, functions={**scenarios.SHOP.functions, _CANCEL.name: _CANCEL})


def _cancel(text: str) -> Reply:
    number = re.search(r"\d{4,10}", text)
    return calls("cancel_order", json.dumps({"order_number": number[0]})) if number else Reply("Which order?")


def _cancelled(content: str) -> Reply:
    number = json.loads(content).get("number")
    return Reply(CANCELLED.format(number=number) if number else "I am not sure about that.")


def _looked_up(content: str) -> Reply:
    number = json.loads(content).get("number")
    return Reply(shop.STATUS.format(number=number) if number else "I could not find that.")


def mind() -> ScriptedMind:
    """A wish for a person comes first: two turns that a failure has made one may hold something else, too."""
    asked = shop.mind()
    person = next(rule for rule in asked._rules if rule.pattern == "person")
    return ScriptedMind(
        rules=[person, Rule("cancel", _cancel), Rule("furniture", LONG), *asked._rules],
        answers={**asked._answers, "get_order_status": _looked_up, "cancel_order": _cancelled},
    )


def functions(weather: Weather, takes_s: float) -> ChaosFunctions:
    async def number(payload: Mapping[str, Any]) -> object:
        await asyncio.sleep(takes_s)
        return {"number": payload["arguments"]["order_number"]}

    return ChaosFunctions({"get_order_status": number, "cancel_order": number}, weather=weather)
