"""What Connect and EventBridge send to the Lambdas: any JSON object; the answer is what the flow can read."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract.actions import Collect, End, Play, Say, Transfer
from contract.call import LEASE_MS, FlowForm
from contract.clock import LoopClock
from contract.errors import MalformedRecord
from contract.memory import MemoryStore
from contract.turns import Role, Turn
from contract.wire import NEXT_ACTION_FIELDS, START_CALL_FIELDS, parse_request, parse_start
from lambdas.contact_event.logic import contact_event
from lambdas.next_action.limits import Limits
from lambdas.next_action.logic import next_action
from lambdas.start_call.logic import start_call
from simulator.jumping import JumpingEventLoop
from tests.contract.samples import CONTACT
from tests.lambdas.samples import SETTINGS, Recorder, a_start, an_event

AT_ONCE = Limits(block_ms=100, patience_ms=0)
LOG = (
    Play("https://b.s3.us-east-1.amazonaws.com/clip.wav", 1000),
    Say("One moment."),
    Collect("https://b.s3.us-east-1.amazonaws.com/ask.wav", 4, "#", 5),
    Transfer(SETTINGS.default_queue_arn, "support", "asked", {"va_version": "1"}),
    End("goodbye"),
)
_loop = JumpingEventLoop()


def seeds() -> Sequence[bytes]:
    """The three kinds of events."""
    asked = {"attempt": "1", "loaded": "2", "ended": "cut", "returned": "closed", "digits": "12"}
    ended = {"eventType": "DISCONNECTED", "contactId": CONTACT, "channel": "VOICE"}
    events = (
        a_start(),
        a_start(Attributes={"voice_agent": "shop"}, CustomerEndpoint=None, MediaStreams=None),
        an_event(asked),
        *(an_event({**asked, "attempt": "1", "loaded": str(loaded), "ended": "completed"}) for loaded in range(6)),
        an_event({"attempt": "0", "loaded": "none"}, ContactId="another"),
        {"source": "aws.connect", "detail": ended},
    )
    return [json.dumps(event, separators=(",", ":")).encode() for event in events]


def holds(data: bytes) -> None:
    """Each Lambda answers every event, with every field, none of them empty."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return  # Lambda itself refuses it
    if isinstance(event, dict):
        with contextlib.redirect_stdout(io.StringIO()):
            _loop.run_until_complete(_all(event))


async def _all(event: Mapping[str, Any]) -> None:
    store, clock = MemoryStore(), LoopClock(1_790_000_000_000)
    wakeups = Recorder(clock)
    await _answered(store, clock)
    started = await start_call(store, wakeups, clock, event, SETTINGS)
    _readable(started, START_CALL_FIELDS)
    await contact_event(store, clock, event)
    try:
        request = parse_request(event)
    except MalformedRecord:
        return
    for form in (FlowForm.POLLING, FlowForm.INTERRUPTIBLE):
        answer = await next_action(store, wakeups, clock, request, "request", form, AT_ONCE, SETTINGS)
        _readable(answer, NEXT_ACTION_FIELDS)


async def _answered(store: MemoryStore, clock: LoopClock) -> None:
    """A call that a gateway serves, with something of each kind in its log."""
    now = clock.now_ms()
    await store.create_call(parse_start(a_start()).call(now, None))
    lease, _ = await store.take(CONTACT, "gateway", now, LEASE_MS)
    for action in LOG:
        await store.append(lease, action, now)
    await store.put_turn(lease, Turn(1, Role.CALLER, "Hello", started_at_ms=now, ended_at_ms=now))


def _readable(answer: Mapping[str, str], fields: Sequence[str]) -> None:
    assert set(answer) == set(fields), set(answer) ^ set(fields)
    assert all(value.encode() for value in answer.values()), answer
    assert len(json.dumps(answer)) <= 32 * 1024, "Connect takes an answer of 32 KB (administrator guide, Lambda)"
