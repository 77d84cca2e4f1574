from __future__ import annotations

import json
from typing import Any

import pytest

from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from lambdas.contact_event.logic import contact_event
from tests.contract.faults import Failing
from tests.contract.samples import CONTACT, T0, a_call


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
