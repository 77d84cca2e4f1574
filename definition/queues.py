"""To whom an agent hands over: queues, reasons and intents, and what a contact's place in a queue depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from definition.model import Otherwise, QueueDefinition
from definition.options import SENTENCE
from definition.shape import Choice, Findings, Key, ListOf, MapOf, Table, Text, may, meant, need, shown, whole
from definition.source import Node

NAME = Text("a name of small letters, digits, _ and -, beginning with a letter", 64, r"[a-z][a-z0-9_-]*")
_WORD = r"[a-z][a-z0-9_]*"
_REASON = Text("a reason of small letters, digits and _", 64, _WORD)
_PRIORITY = whole(1, 10, "a priority, 1 being the highest,")  # Connect's own is 5
_QUEUE = Table(
    "a queue with description",
    {
        "description": need(Text("who takes these calls", 400)),
        "when_closed": may(SENTENCE, ""),
        "when_no_staff": may(SENTENCE, ""),
        "when_full": may(SENTENCE, ""),
        "priority": may(_PRIORITY, 0),
        "otherwise": may(Choice(*Otherwise), Otherwise.AGENT),
    },
)
# The keys of a definition that are about handing over.
HANDOVER: dict[str, Key] = {
    "queues": need(MapOf(_QUEUE, NAME, "queues", least=1)),
    "default_queue": need(Text("the name of one of the queues", 64)),
    "reasons": may(ListOf(_REASON, "reasons", 0), []),
    "intents": may(ListOf(Text("an intent of small letters, digits and _", 64, _WORD), "intents", 0), []),
    "priorities": may(MapOf(_PRIORITY, _REASON, "priorities"), {}),
}


def default_queue_exists(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """A failure goes there, so it must be one of the queues."""
    queues, name = data.get("queues"), data.get("default_queue")
    if queues and name and name not in queues:
        near = meant(name, queues)
        names = ", ".join(each for each in queues if each.isprintable())
        findings.below(node, "default_queue", f"one of the queues {names}{near}", shown(name))


def priorities_are_of_reasons(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """A priority of a reason that no transfer has would never count."""
    reasons = data.get("reasons") or []
    for name in data.get("priorities") or {}:
        if name not in reasons:
            known = f"one of the reasons {', '.join(map(str, reasons))}{meant(name, map(str, reasons))}"
            findings.below(node, "priorities", known if reasons else "a list of reasons beside it", f"'{name}'")


def queue_definition(name: str, queue: Mapping[str, Any]) -> QueueDefinition:
    """What was read of one queue."""
    return QueueDefinition(name, **{**queue, "otherwise": Otherwise(queue["otherwise"])})
