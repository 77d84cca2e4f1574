from __future__ import annotations

import json
from typing import Any

import pytest

from contract.announcement import Kind
from contract.call import LEASE_MS, Call, Result
from contract.clock import LoopClock
from contract.errors import CallEnded, MalformedRecord, StoreUnavailable
from contract.memory import MemoryStore
from lambdas.contact_event.logic import contact_event
from lambdas.settings import Settings
from lambdas.telling import Unserved
from tests.contract.faults import Failing
from tests.contract.samples import CONTACT, T0, a_call, taken

SETTINGS = Settings("arn:support", "support")


def an_event(**detail: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "e",
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": "123456789012",
        "time": "2027-01-15T08:00:00Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:connect:eu-central-1:123456789012:instance/i/contact/{CONTACT}"],
        "detail": {
            "eventType": "DISCONNECTED",
            "contactId": CONTACT,
            "initialContactId": CONTACT,
            "previousContactId": None,
            "channel": "VOICE",
            "initiationMethod": "INBOUND",
            **detail,
        },
    }


async def test_the_end_of_a_voice_contact_is_recorded() -> None:
    store = MemoryStore()
    await store.create_call(a_call())
    assert await contact_event(store, LoopClock(T0), an_event())
    assert (await store.head(CONTACT)).disconnected_at_ms == T0


async def test_the_end_of_somebody_elses_contact_is_ignored() -> None:
    assert await contact_event(MemoryStore(), LoopClock(T0), an_event())


@pytest.mark.parametrize(
    "event",
    [
        {},
        an_event(eventType="QUEUED"),
        an_event(channel="CHAT"),
        an_event(contactId=None),
        {**an_event(), "source": "aws.ec2"},
        {**an_event(), "detail": None},
    ],
)
async def test_other_events_are_left_alone(event: dict[str, Any]) -> None:
    store = MemoryStore()
    await store.create_call(a_call())
    assert not await contact_event(store, LoopClock(T0), event)
    assert (await store.head(CONTACT)).disconnected_at_ms == 0


async def test_a_store_that_does_not_answer_makes_eventbridge_deliver_again() -> None:
    with pytest.raises(StoreUnavailable):
        await contact_event(Failing(MemoryStore(), {"disconnected": 1}).store(), LoopClock(T0), an_event())


HUMAN = {"agentArn": "arn:aws:connect:agent", "connectedToAgentTimestamp": "2027-01-15T09:00:00Z"}
CALLBACK = {"contactId": "callback-1", "initiationMethod": "CALLBACK", "initialContactId": CONTACT}


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in found if line["event"] == "callback_over"]


@pytest.mark.parametrize(("human", "answered"), [(HUMAN, "yes"), ({}, "no"), (None, "no")])
async def test_a_callback_of_one_of_our_calls_is_noted(
    human: dict[str, str] | None, answered: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryStore()
    await store.create_call(a_call())
    assert await contact_event(store, LoopClock(T0), an_event(**CALLBACK, agentInfo=human))
    (line,) = lines(capsys)
    assert (line["contact"], line["callback"], line["answered"]) == (CONTACT, "callback-1", answered)


@pytest.mark.parametrize("initial", ["somebody-elses", None])
async def test_a_callback_of_somebody_else_is_not(initial: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    event = an_event(**{**CALLBACK, "initialContactId": initial})
    assert await contact_event(MemoryStore(), LoopClock(T0), event)
    assert lines(capsys) == []


async def test_the_end_of_an_ordinary_call_is_no_callback(capsys: pytest.CaptureFixture[str]) -> None:
    store = MemoryStore()
    await store.create_call(a_call())
    await contact_event(store, LoopClock(T0), an_event())
    assert lines(capsys) == []


class Heard:
    """What was told of calls that nobody serves."""

    def __init__(self) -> None:
        self.told: list[tuple[Kind, str, int]] = []
        self.results: list[tuple[str, str]] = []
        self.cleared: list[str] = []

    def where(self, call: Call) -> str:
        return "s3://records/x"

    def tell(self, kind: Kind, unserved: Unserved, at_ms: int) -> None:
        self.told.append((kind, unserved.reason, at_ms))
        self.results.append((unserved.result.value, unserved.queue))

    def clear(self, contact_id: str, log_: object) -> None:
        self.cleared.append(contact_id)


async def test_the_end_of_a_call_that_was_sent_to_a_human_is_told_the_same_each_time() -> None:
    store, heard = MemoryStore(), Heard()
    await store.create_call(a_call())
    await store.fail_over(CONTACT, "no_gateway", T0 + 1)
    for later in (2, 9):
        await contact_event(store, LoopClock(T0 + later), an_event(), SETTINGS, heard)
    assert len(set(heard.told)) == 1
    assert heard.told[0][:2] == (Kind.ENDED, "no_gateway")
    assert heard.cleared == [CONTACT, CONTACT]


@pytest.mark.parametrize(
    ("detail", "reason", "result", "queue"),
    [
        ({}, "caller_gone", "caller_hung_up", ""),
        ({"queueInfo": {"queueArn": "arn:support"}}, "flow_failure", "failed", "support"),
    ],
)
async def test_a_call_that_nobody_had_served_when_it_ended_is_told_of_once_and_served_by_nobody(
    detail: dict[str, Any], reason: str, result: str, queue: str
) -> None:
    store, heard = MemoryStore(), Heard()
    await store.create_call(a_call())
    for later in (1, 9):
        await contact_event(store, LoopClock(T0 + later), an_event(**detail), SETTINGS, heard)
    assert set(heard.told) == {(Kind.ENDED, reason, T0 + 1)}
    assert set(heard.results) == {(result, queue)}
    with pytest.raises(CallEnded):
        await store.take(CONTACT, "gateway-1", T0 + 10, LEASE_MS)


async def test_a_caller_whom_a_gateway_took_for_gone_and_a_lambda_sent_to_a_human_was_handed_over() -> None:
    """A SIP session that expires, while the caller is on the line and the flow goes on."""
    store, heard = MemoryStore(), Heard()
    lease = await taken(store)
    await store.end(lease, Result.CALLER_HUNG_UP, "session_expired", T0 + 1)
    await store.fail_over(CONTACT, "session_expired", T0 + 2)
    await contact_event(store, LoopClock(T0 + 9), an_event(), SETTINGS, heard)
    assert heard.told == [(Kind.ENDED, "session_expired", T0 + 9)]
    assert heard.results == [("failed", "support")]


async def test_the_end_of_a_call_that_a_gateway_has_is_its_own_to_tell() -> None:
    store, heard = MemoryStore(), Heard()
    await contact_event(store, LoopClock(T0), an_event(), SETTINGS, heard)
    await taken(store)
    await contact_event(store, LoopClock(T0), an_event(), SETTINGS, heard)
    assert (heard.told, heard.cleared) == ([], [])


async def test_a_record_that_cannot_be_read_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    store = MemoryStore()
    await store.create_call(a_call())

    async def unreadable(contact_id: str) -> None:
        raise MalformedRecord("head", "a map", None)

    store.head = unreadable  # type: ignore[assignment, method-assign]
    assert await contact_event(store, LoopClock(T0), an_event(), SETTINGS, Heard())
    assert "malformed_record" in capsys.readouterr().out
