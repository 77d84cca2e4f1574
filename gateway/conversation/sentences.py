"""What the gateway itself says, to the caller or to the model, where the definition says nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from contract.actions import Returned

CANCELLED_LEAVE = (
    "The transfer or hang-up that you asked for was cancelled because the caller went on speaking. "
    "Call the function again if it is still wanted."
)
ANSWER_TRANSFER = "The caller will be transferred after your next sentence. Say one short goodbye and nothing more."
ANSWER_END = "The call ends after your next sentence. Say one short goodbye and nothing more."
ANSWER_ALREADY = "This is already under way. Say nothing more."
ANSWER_SPOKE = "The caller went on speaking, so no keys were asked for."
ANSWER_TOO_MANY = "Too many functions were called in this turn. Answer the caller with what you know."

_WHY = {
    Returned.CLOSED: "the queue is closed now",
    Returned.NO_STAFF: "nobody works in that queue now",
    Returned.FULL: "the queue is full",
    Returned.DECLINED: "the caller declined",
    Returned.FAILED: "of a technical fault",
}


def transfer_returned(why: Returned) -> str:
    """A note for the model."""
    reason = _WHY.get(why, "of an unknown cause")
    return f"The transfer did not happen because {reason}. The caller was told and is back with you. Offer other help."


def confirmation_required(question: str) -> dict[str, str]:
    """What the model is told of a function that the caller has not agreed to yet."""
    return {
        "status": "confirmation_required",
        "ask_the_caller": question,
        "note": "Nothing was done yet. Ask the caller exactly this. Only if they agree, call the function again with "
        "the same arguments.",
    }


def late_result(name: str, content: str) -> str:
    """A note for a model that does not wait for it: of a new session, or because it has cancelled the call."""
    return f"The result of {name}, called earlier: {content}"


def so_far(messages: Sequence[Mapping[str, object]]) -> str:
    """A note for a stored agent in a new session, which is told of the conversation in no other way."""
    told = json.dumps(messages, ensure_ascii=False)
    return f"The connection was renewed; do not greet again. The conversation so far: {told}"


def as_json(content: Mapping[str, object]) -> str:
    """An answer for the model."""
    return json.dumps(content, ensure_ascii=False)
