"""Names that the flow shares with our Lambdas, and the places where the flow keeps what it must remember.

Contact attributes stay with the contact and are seen by humans; flow attributes are the state of the loop.
`none` stands for empty, because the flow language refuses empty strings.
"""

from __future__ import annotations

from collections.abc import Mapping

NONE = "none"
HANDOVER_VERSION = "2"

# The handover, as contract.handover lists it; a test holds the two together, as flows import nothing of ours.
ESSENTIAL = ("va_version", "va_reason", "va_queue", "va_summary", "va_agent", "va_turns", "va_result")
CONTEXT = ("va_intent", "va_sentiment", "va_customer_id", "va_verified", "va_record")  # essential too, since version 2
REST = ("va_last_caller", "va_last_agent", "va_functions", "va_transcript")

ATTEMPT = "$.Attributes.va_attempt"
CLIP_URL = "$.Attributes.va_prompt_url"
CURRENT_QUEUE = "$.Queue.ARN"  # the one that was set last
QUEUE_ARN = "$.Attributes.va_queue_arn"
STREAMING = "$.Attributes.va_streaming"  # "ours" while we have it on, "stopped" after we stopped it
STREAM_ARN = "$.MediaStreams.Customer.Audio.StreamARN"
STREAM_STOPPED = "$.MediaStreams.Customer.Audio.StopTimestamp"
KEYS_PRESSED = "$.StoredCustomerInput"
CALLER = "$.CustomerEndpoint.Address"

TIMED_OUT = "Timeout"  # what $.StoredCustomerInput holds when no key was pressed (administrator guide)
SECRET_LOST = "unknown"  # noqa: S105 - the same, where the Lambda that passes them on failed
SECRET_ENTERED = "entered"  # noqa: S105 - what the voice agent is told instead of secret digits


def answer(name: str) -> str:
    """A field of the last Lambda's answer."""
    return f"$.External.{name}"


def remembered(name: str) -> str:
    """A flow attribute."""
    return f"$.FlowAttributes.{name}"


def fresh(**changed: str) -> Mapping[str, str]:
    """What is remembered when an answer was taken: what was returned and typed has been told, and is over."""
    return {"returned": NONE, "digits": NONE, **changed}


def request() -> Mapping[str, str]:
    """What next_action is asked with."""
    told = ("loaded", "ended", "returned", "digits", "language")
    return {"attempt": ATTEMPT, **{name: remembered(name) for name in told}}
