"""Small pieces that several tests are made of."""

from __future__ import annotations

from typing import Any

from contract.actions import End, Play, Request, Transfer
from contract.call import LEASE_MS, Call, FlowForm, Lease, MediaStream, Opening
from contract.store import GatewayStore

CONTACT = "11111111-2222-3333-4444-555555555555"
QUEUE = "arn:aws:connect:eu-central-1:123456789012:instance/i/queue/q"
T0 = 1_800_000_000_000

STREAM = "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/s/1"
MEDIA = MediaStream(STREAM, T0, "91343852333181432392682062607743920146159169392")
OPENING = Opening("https://clips.s3.eu-central-1.amazonaws.com/opening.wav", "Hello.", 3000)
CLIP = Play("https://clips.s3.eu-central-1.amazonaws.com/a.wav", 2000)
END = End("caller_done")
TRANSFER = Transfer(QUEUE, "support", "asked_for_human", {"va_summary": "wants a human"})


def a_call(contact_id: str = CONTACT, attempt: int = 1, **changed: Any) -> Call:
    values: dict[str, Any] = {
        "agent": "shop",
        "form": FlowForm.INTERRUPTIBLE,
        "instance_arn": "arn:aws:connect:eu-central-1:123456789012:instance/i",
        "media": MEDIA,
        "started_at_ms": T0,
        "attributes": {"campaign": "spring"},
        "opening": OPENING,
    }
    return Call(contact_id, attempt, **{**values, **changed})


def a_request(loaded: int = 0, attempt: int = 1, **changed: Any) -> Request:
    return Request(CONTACT, attempt, loaded, **changed)


async def taken(store: GatewayStore, **changed: Any) -> Lease:
    """A call that a gateway has just taken."""
    await store.create_call(a_call(**changed))
    lease, _ = await store.take(CONTACT, "gateway-1", T0, LEASE_MS)
    return lease
