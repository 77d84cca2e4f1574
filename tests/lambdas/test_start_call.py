from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest

from contract.actions import Returned
from contract.call import CODE_DIGITS, EXPECTED_MS, LEASE_MS, CallState, FlowForm, MediaStream, Result
from contract.clock import LoopClock
from contract.errors import CallNotFound, MalformedRecord, StoreUnavailable
from contract.fleet import Gateway
from contract.memory import MemoryStore
from contract.store import FlowStore
from contract.wire import START_CALL_FIELDS
from lambdas.settings import Settings
from lambdas.start_call.logic import start_call
from tests.contract.faults import Failing, Killed, Unanswered, killed_at
from tests.contract.samples import CONTACT, MEDIA, OPENING, QUEUE, T0, a_call
from tests.lambdas.samples import SETTINGS, Recorder, a_start, an_event

SIP = replace(SETTINGS, sip=True, sip_number="+4930123")
SIP_EVENT = an_event({"agent": "shop", "form": "sip"}, MediaStreams=None)


async def start(
    store: FlowStore, event: dict[str, Any] | None = None, wakeups: Any = None, settings: Settings = SETTINGS
) -> dict[str, str]:
    clock = LoopClock(T0)
    return await start_call(store, wakeups or Recorder(clock), clock, event or a_start(), settings)


async def test_a_call_is_recorded_and_a_gateway_asked_for() -> None:
    store = MemoryStore()
    await store.put_opening("shop", OPENING)
    wakeups = Recorder(LoopClock(T0))
    answer = await start(store, wakeups=wakeups)
    assert tuple(answer) == START_CALL_FIELDS
    assert all(answer.values())
    assert (answer["action"], answer["attempt"], answer["openingUrl"], answer["openingMs"], answer["reason"]) == (
        "agent",
        "1",
        OPENING.url,
        "3000",
        "none",
    )
    call = await store.call(CONTACT)
    assert (call.agent, call.form, call.media, call.opening) == ("shop", FlowForm.INTERRUPTIBLE, MEDIA, OPENING)
    assert (call.caller_number, call.system_number, call.language) == ("+4930123456", "+4930999", "en-US")
    assert (call.started_at_ms, call.attributes, call.initial_contact_id) == (T0, {"va_attempt": "0"}, CONTACT)
    assert wakeups.sent == [(CONTACT, 0)]


async def test_without_a_rendered_opening_the_agent_greets() -> None:
    answer = await start(MemoryStore())
    assert (answer["action"], answer["openingUrl"], answer["openingMs"]) == ("agent", "none", "none")


async def test_each_retry_wakes_a_gateway_until_one_has_the_call() -> None:
    store, wakeups = MemoryStore(), Recorder(LoopClock(T0))
    first = await start(store, wakeups=wakeups)
    assert await start(store, wakeups=wakeups) == first
    await store.take(CONTACT, "g", T0, LEASE_MS)
    assert await start(store, wakeups=wakeups) == first
    assert len(wakeups.sent) == 2


async def test_the_flow_may_bring_the_caller_back() -> None:
    store = MemoryStore()
    await start(store)
    answer = await start(store, an_event({"agent": "shop", "form": "polling", "attempt": "1"}))
    assert (answer["action"], answer["attempt"]) == ("agent", "2")
    assert (await store.head(CONTACT)).attempt == 2


async def test_withheld_numbers_and_null_endpoints_are_no_obstacle() -> None:
    store = MemoryStore()
    event = a_start(CustomerEndpoint=None, SystemEndpoint=None, Attributes=None, LanguageCode=None)
    assert (await start(store, event))["action"] == "agent"
    call = await store.call(CONTACT)
    assert (call.caller_number, call.system_number, call.attributes) == ("", "", {})


@pytest.mark.parametrize(
    "streams",
    [None, {}, {"Customer": None}, {"Customer": {"Audio": None}}, {"Customer": {"Audio": {"StreamARN": None}}}],
)
async def test_without_a_media_stream_the_caller_goes_to_the_queue(streams: Any) -> None:
    store = MemoryStore()
    answer = await start(store, a_start(MediaStreams=streams))
    assert (answer["action"], answer["reason"], answer["queueArn"]) == ("transfer", "no_media_stream", QUEUE)
    assert (answer["va_reason"], answer["va_agent"], answer["va_queue"]) == ("no_media_stream", "shop", "support")
    assert all(answer.values())
    assert await store.live_calls(T0) == 0


async def test_a_sip_call_needs_no_media_stream() -> None:
    store = MemoryStore()
    wakeups = Recorder(LoopClock(T0))
    answer = await start(store, SIP_EVENT, wakeups, SIP)
    assert answer["action"] == "agent"
    assert (await store.call(CONTACT)).media == MediaStream("", 0, "")
    assert (await store.head(CONTACT)).state is CallState.EXPECTED
    assert wakeups.sent == []


async def test_a_sip_call_is_known_by_a_code_that_is_good_once_and_for_two_minutes() -> None:
    store = MemoryStore()
    answer = await start(store, SIP_EVENT, settings=SIP)
    code = answer["sipCode"]
    assert len(code) == CODE_DIGITS
    assert code.isdigit()
    assert (answer["sipNumber"], answer["sipDigits"]) == ("+4930123", f",,{code}")
    assert await store.claim_code("0" if code != "0" else "1", T0) is None
    assert await store.claim_code(code, T0 + EXPECTED_MS - 1) == CONTACT
    assert await store.claim_code(code, T0) is None
    again = await start(store, SIP_EVENT, settings=SIP)
    assert again["sipCode"] != code
    assert await store.claim_code(again["sipCode"], T0 + EXPECTED_MS) is None


async def test_without_a_sip_deployment_the_caller_goes_to_the_queue() -> None:
    answer = await start(MemoryStore(), SIP_EVENT)
    assert (answer["action"], answer["reason"]) == ("transfer", "sip_not_deployed")


async def test_why_a_caller_comes_back_to_the_agent_is_kept_for_it() -> None:
    store = MemoryStore()
    event = an_event({"agent": "shop", "form": "sip", "returned": "closed"}, MediaStreams=None)
    await start(store, event, settings=SIP)
    assert (await store.call(CONTACT)).returned is Returned.CLOSED


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Details": None},
        an_event({"agent": "none", "form": "polling"}),
        an_event({"agent": "shop", "form": "telepathic"}),
        an_event({"agent": "shop", "form": "polling", "attempt": "many"}),
        an_event({"agent": "shop", "form": "polling"}, ContactId=None),
    ],
)
async def test_an_event_that_makes_no_sense_takes_the_caller_to_the_queue(event: Any) -> None:
    answer = await start_call(MemoryStore(), Recorder(LoopClock(T0)), LoopClock(T0), event, SETTINGS)
    assert (answer["action"], answer["reason"], answer["queueArn"]) == ("transfer", "malformed_event", QUEUE)


@pytest.mark.parametrize(("operation", "times"), [("opening", 1), ("create_call", 1000)])
async def test_a_store_that_does_not_answer_takes_the_caller_to_the_queue(operation: str, times: int) -> None:
    store = MemoryStore()
    answer = await start(Failing(store, {operation: times}).store())
    assert (answer["action"], answer["reason"]) == ("transfer", "store_unavailable")
    with pytest.raises(CallNotFound):
        await store.head(CONTACT)


@pytest.mark.parametrize("lose", [Failing, Unanswered])
@pytest.mark.parametrize("write", ["create_call", "put_code"])
async def test_a_write_that_fails_or_whose_answer_gets_lost_is_made_again(write: str, lose: type[Failing]) -> None:
    store = MemoryStore()
    answer = await start(lose(store, {write: 2}).store(), SIP_EVENT, settings=SIP)
    assert answer["action"] == "agent"
    assert (await store.head(CONTACT)).attempt == 1
    assert await store.claim_code(answer["sipCode"], T0) == CONTACT


async def test_a_call_that_the_caller_is_turned_away_from_is_not_left_to_a_gateway() -> None:
    store = MemoryStore()
    answer = await start(Unanswered(store, {"create_call": 1000}).store())
    assert (answer["action"], answer["reason"]) == ("transfer", "store_unavailable")
    head = await store.head(CONTACT)
    assert (head.state, head.result, head.reason) == (CallState.ENDED, Result.FAILED, "store_unavailable")


async def test_the_attempt_before_stays_as_it_is_when_another_one_is_not_recorded() -> None:
    store = MemoryStore()
    await start(store)
    again = an_event({"agent": "shop", "form": "polling", "attempt": "1"})
    answer = await start(Failing(store, {"create_call": 1000}).store(), again)
    assert answer["reason"] == "store_unavailable"
    assert (await store.head(CONTACT)).state is CallState.WAITING


async def test_a_record_that_cannot_be_read_takes_the_caller_to_the_queue(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Failing(MemoryStore(), {"head": 1}, MalformedRecord("head.state", "a state", "+4915112345678"))
    answer = await start(broken.store())
    assert (answer["action"], answer["reason"]) == ("transfer", "malformed_record")
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["level"]) for line in logged] == [
        ("malformed_record", "ERROR"),
        ("turned_away", "WARNING"),
    ]
    assert logged[0]["where"] == "head.state"
    assert "4915112345678" not in str(logged)


async def test_an_opening_that_cannot_be_read_is_left_out() -> None:
    broken = Failing(MemoryStore(), {"opening": 1}, MalformedRecord("opening.url", "a value", None))
    answer = await start(broken.store())
    assert (answer["action"], answer["openingUrl"]) == ("agent", "none")


async def test_a_wake_up_that_fails_is_no_obstacle() -> None:
    class Deaf:
        async def send(self, contact_id: str) -> None:
            raise StoreUnavailable("send_message", "test")

    assert (await start(MemoryStore(), wakeups=Deaf()))["action"] == "agent"


async def test_beyond_the_limit_of_live_calls_the_caller_goes_to_the_queue() -> None:
    store = MemoryStore()
    await store.create_call(a_call("other"))
    settings = Settings(QUEUE, "support", max_calls=1)
    assert (await start(store, settings=settings))["reason"] == "too_many_calls"
    settings = Settings(QUEUE, "support", max_calls=2)
    assert (await start(store, settings=settings))["action"] == "agent"
    assert (await start(store, settings=settings))["action"] == "agent"  # the call itself counts, once


async def test_a_call_that_died_long_ago_takes_nobodys_session() -> None:
    store = MemoryStore()
    await store.create_call(a_call("other", started_at_ms=T0 - 20_000))
    assert (await start(store, settings=Settings(QUEUE, "support", max_calls=1)))["action"] == "agent"


def a_gateway(**changed: Any) -> Gateway:
    return replace(Gateway("gateway-1", "new", 2, reported_at_ms=T0), **changed)


@pytest.mark.parametrize(
    ("reported", "reason"),
    [
        (a_gateway(calls=2), "gateways_full"),
        (a_gateway(reported_at_ms=T0 - 10_000), "no_gateway"),
        (a_gateway(stopping=True), "no_gateway"),
    ],
)
async def test_where_nobody_would_take_the_call_the_caller_is_spared_the_wait(
    reported: Gateway, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryStore()
    await store.report(reported)
    answer = await start(store)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    told = line["event"], line["level"], line["contact"], line["reason"]
    assert told == ("turned_away", "WARNING", CONTACT, reason)
    assert (answer["action"], answer["reason"], answer["va_reason"]) == ("transfer", reason, reason)
    assert await store.live_calls(T0) == 0


async def test_a_call_that_is_recorded_is_not_turned_away_when_it_is_asked_for_again() -> None:
    store = MemoryStore()
    await store.report(a_gateway(calls=1))
    assert (await start(store))["action"] == "agent"
    await store.report(a_gateway(calls=2))
    assert (await start(store))["action"] == "agent"


async def test_a_report_that_cannot_be_read_is_no_obstacle() -> None:
    broken = Failing(MemoryStore(), {"fleet": 1}, MalformedRecord("gateway.limit", "a number", "many"))
    assert (await start(broken.store()))["action"] == "agent"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2])
async def test_a_call_survives_a_lambda_that_is_killed_between_any_two_calls(at: int, after: bool) -> None:
    store, wakeups = MemoryStore(), Recorder(LoopClock(T0))
    with contextlib.suppress(Killed):
        await start(killed_at(store, at, after), wakeups=wakeups)
    assert (await start(store, wakeups=wakeups))["action"] == "agent"
    assert (await store.head(CONTACT)).state is CallState.WAITING
    assert wakeups.sent


async def test_an_attribute_of_the_contact_names_the_agent() -> None:
    store = MemoryStore()
    await start(store, a_start(Attributes={"voice_agent": "clinic"}))
    assert (await store.call(CONTACT)).agent == "clinic"
