"""The shop's conversation for scenarios: what the scripted agent answers, and its functions."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from simulator.deepgram.brain import Reply
from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.scenarios.world import Functions

ASK_NUMBER = "What is the order number please?"
STATUS = "Your order {number} is on its way, and it will be with you on Tuesday, in the morning, before ten."
HOURS = "On Saturday we are open from ten until four."
CONNECTING = "I will connect you now."
GOODBYE = "Thank you for calling, and goodbye."


def _look_up(text: str) -> Reply:
    number = re.search(r"\d{4,10}", text)
    assert number is not None
    return calls("get_order_status", json.dumps({"order_number": number[0]}))


def _told(content: str) -> Reply:
    found = json.loads(content)
    return Reply("I could not find that." if "error" in found else STATUS.format(number=found["number"]))


def mind() -> ScriptedMind:
    transfer = {"queue": "orders", "reason": "delivery", "summary": "The caller asked about an order."}
    return ScriptedMind(
        rules=[
            Rule(r"\d{4,10}", _look_up),
            Rule("person", calls("transfer_to_human", json.dumps(transfer))),
            Rule("bye", calls("end_call", '{"reason": "done"}')),
            Rule("open", HOURS),
            Rule("order", ASK_NUMBER),
        ],
        answers={"get_order_status": _told, "transfer_to_human": CONNECTING, "end_call": GOODBYE},
    )


def functions(takes_s: float = 0.1) -> Functions:
    async def order_status(payload: Mapping[str, Any]) -> object:
        await asyncio.sleep(takes_s)
        return {"number": payload["arguments"]["order_number"], "status": "on its way"}

    return Functions({"get_order_status": order_status})
