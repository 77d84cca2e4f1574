"""A small agent definition for tests, in memory."""

from __future__ import annotations

from dataclasses import replace

from definition import AgentDefinition
from definition.model import (
    FunctionDefinition,
    IdleDefinition,
    QueueDefinition,
    SpeakDefinition,
    ThinkDefinition,
)

NUMBER = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}


def definition(**changed: object) -> AgentDefinition:
    """An agent with two queues and three functions."""
    functions = (
        FunctionDefinition(
            "look_up", "Looks up.", NUMBER, timeout_s=8, while_running="One moment.", on_failure="Sorry."
        ),
        FunctionDefinition("book", "Books."),
        FunctionDefinition("hours", "Hours.", idempotent=True),
    )
    queues = (
        QueueDefinition("orders", "Orders", when_closed="The order desk is closed."),
        QueueDefinition("support", "Everything else"),
    )
    made = AgentDefinition(
        name="shop",
        language="en",
        opening="Good day.",
        prompt="You are kind.",
        listen={"provider": {"type": "deepgram", "version": "v2", "model": "flux-general-en"}},
        think=(ThinkDefinition({"type": "open_ai", "model": "gpt-4o-mini"}),),
        speak=(SpeakDefinition({"type": "deepgram", "model": "aura-2-thalia-en"}),),
        queues={queue.name: queue for queue in queues},
        default_queue="support",
        functions={function.name: function for function in functions},
        idle=IdleDefinition(10, ("Still there?", "Hello?")),
        goodbye="Goodbye.",
        max_duration_s=600,
    )
    return replace(made, **changed)  # type: ignore[arg-type]
