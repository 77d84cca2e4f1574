"""A caller of the shop asks for an order, interrupts, and wants a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.scenarios.world import Functions, World, spoken

pytestmark = pytest.mark.scenario


async def order_status(payload: Mapping[str, Any]) -> object:
    return {"status": "on its way", "order": payload["arguments"]["order_number"]}


def mind() -> ScriptedMind:
    return ScriptedMind(
        rules=[
            Rule("where.*order", "What is the order number please?"),
            Rule(r"\d{4}", lambda text: calls("get_order_status", '{"order_number": "4711"}')),
            Rule("person", lambda text: calls("transfer_to_human", '{"queue": "orders", "reason": "delivery", "summary": "Order 4711 is late."}')),
        ],
        answers={
            "get_order_status": "Your order 4711 is on its way, and it will be with you on Tuesday, in the morning.",
            "transfer_to_human": "I will connect you now.",
        },
    )


async def test_the_default_call_ends_at_the_right_queue() -> None:
    world = World(
        "interruptible",
        [spoken("where is my order"), spoken("it is 4711"), spoken("may I speak to a person")],
        mind(),
        functions=Functions({"get_order_status": order_status}),
    )
    await world.call()
    for event in world.events:
        print(event.at_ms - 1_790_000_000_000, event.kind, event.identifier, {k: str(v)[:60] for k, v in event.detail.items()} if event.kind not in ("enter", "log") else "")
    for u in world.heard:
        print(u)
    for turn in await world.store.turns("11111111-2222-4333-8444-555555555555"):
        print(turn)
    assert world.queued is not None
    assert world.queued["queue_arn"].endswith("orders")
