"""The step-by-step guide: what a human sees of the handover in the agent workspace when they take the call.

A view, and the flow that shows it; the main flows set that flow by the event hook DefaultAgentUI before the transfer.
It runs as a chat contact of its own beside the call (flow language reference, ShowView), so nothing in it reaches the
caller. The transcript is not in the view: ShowView takes 16 KB with the contact's attributes, which hold it too.

The shape of the template is that of the administrator guide, custom views: elements with _id, Type, Props and Content,
and `$.name` for what the flow passes.
"""

from __future__ import annotations

from typing import Any

from flows.language import Flow, When
from flows.routing import DisconnectParticipant, ShowView

Json = dict[str, Any]

DONE = "Done"
READ = "Read"
ACTIONS = (DONE, READ)
LIMIT_S = 3600
MOST_BYTES = 16_384

FACTS = {
    "va_reason": "Reason",
    "va_intent": "Intent",
    "va_sentiment": "Sentiment",
    "va_customer_id": "Customer",
    "va_verified": "Verified",
    "va_queue": "Queue",
    "va_agent": "Voice agent",
    "va_result": "Result",
    "va_record": "Record",
}
TEXTS = {
    "va_summary": "Summary",
    "va_last_caller": "The caller's last words",
    "va_last_agent": "The voice agent's last words",
    "va_functions": "Looked up and done",
}
_SHOW = "Show the handover"
_END = "End the guide"


def view_template() -> Json:
    """The view, whose inputs are named as the contact's attributes."""
    facts = [{"Label": label, "Value": f"$.{name}"} for name, label in FACTS.items()]
    cards = [_card(name, heading) for name, heading in TEXTS.items()]
    return {
        "Head": {"Title": "Handover", "Configuration": {"Layout": {"Columns": ["12"]}}},
        "Body": [
            {"_id": "facts", "Type": "AttributeBar", "Props": {"Attributes": facts}, "Content": []},
            {"_id": "texts", "Type": "Container", "Props": {}, "Content": cards},
            {"_id": "done", "Type": "Button", "Props": {"Action": DONE}, "Content": [DONE]},
        ],
    }


def _card(name: str, heading: str) -> Json:
    props = {"Id": name, "Heading": heading, "Description": f"$.{name}", "Action": READ}
    return {"_id": name, "Type": "Card", "Props": props, "Content": []}


def guide(view_arn: str) -> Flow:
    """The flow that shows the view until it is done with; a card that is chosen shows it again."""
    flow = Flow("voice-agent-guide", "What a human sees of the handover.")
    data = {name: f"$.Attributes.{name}" for name in (*FACTS, *TEXTS)}
    branches = (When(DONE, _END), When(READ, _SHOW))
    flow.add(_SHOW, ShowView(view_arn, data, LIMIT_S, branches, otherwise=_END, timed_out=_END, failed=_END))
    flow.add(_END, DisconnectParticipant())
    return flow
