from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.connect.check import load_flow
from simulator.connect.core import BLOCKS_AT_ONCE, Contact
from simulator.connect.errors import ContactMisused, EndlessFlow
from simulator.connect.events import (
    CallerHungUp,
    Command,
    ContactStopped,
    Digits,
    Disconnect,
    DisconnectReason,
    Enter,
    InvokeLambda,
    LambdaFailure,
    LambdaReturned,
    PlayPrompt,
    PromptEnded,
    PromptLoaded,
    StartStreaming,
    StreamingFailed,
    StreamingStarted,
    Tick,
)
from simulator.connect.presets import PRESETS, Preset
from simulator.connect.state import ContactState
from tests.simulator.connect import small
from tests.simulator.connect.small import MEDIA, NOW, Hand, block, compare, document, say


def test_a_contact_starts_once() -> None:
    hand = Hand(say("a")).start()
    with pytest.raises(ContactMisused, match="contact-1: a contact starts once"):
        hand.start()


def test_a_contact_hears_nothing_before_it_starts() -> None:
    with pytest.raises(ContactMisused, match="start comes first"):
        Hand(say("a")).contact.handle(Tick(), NOW)


def test_a_contact_that_is_over_does_nothing() -> None:
    hand = Hand(say("a")).start()
    assert hand.tell(ContactStopped())[-1] == Disconnect(DisconnectReason.API)
    assert hand.tell(CallerHungUp()) == []


def test_time_does_not_go_back() -> None:
    hand = Hand(small.invoke("i")).start()
    hand.contact.handle(Tick(), NOW + 1_000)
    hand.contact.handle(CallerHungUp(), NOW)
    assert hand.state.disconnected_at_ms == NOW + 1_000


def test_an_event_that_nobody_waits_for_changes_nothing() -> None:
    then = {"LambdaReturned": "bye", "WaitCompleted": "bye"}
    hand = Hand(small.waiting("w", then)).start()
    assert hand.tell(Digits("1")) == []
    for busy in (small.stream("s"), say("a")):
        hand = Hand(busy).start()
        assert hand.tell(StreamingFailed() if busy["Identifier"] == "a" else Digits("1")) == []


def test_what_was_due_comes_before_what_happens() -> None:
    hand = Hand(small.invoke("i", limit_s=1)).start()
    commands = hand.contact.handle(Digits("1"), NOW + 5_000)
    assert Enter("failed", "DisconnectParticipant") in commands


def test_a_circle_without_time_is_an_error_instead_of_a_hang() -> None:
    circle = compare("c", "$.ContactId", {"x": "c"}, otherwise="c")
    with pytest.raises(EndlessFlow, match=f"main ran {BLOCKS_AT_ONCE + 1} blocks .* 'c'"):
        Hand(circle).start()


def test_a_circle_that_takes_time_goes_on() -> None:
    hand = Hand(say("a", then="a")).start()
    for _ in range(BLOCKS_AT_ONCE + 10):
        hand.tell(PromptEnded(hand.last(PlayPrompt).prompt_id), after_ms=1)
    assert not hand.contact.ended


def test_a_block_without_error_branch_goes_on_when_it_fails() -> None:
    assert Hand(say("a", "$.Attributes.gone"), logging=True).start().path == ["a", "bye"]


def test_the_event_of_the_end_names_the_contact_and_the_reason() -> None:
    hand = Hand(say("a")).start()
    hand.tell(CallerHungUp(), after_ms=3_000)
    detail = hand.contact.disconnected_event()["detail"]
    assert isinstance(detail, dict)
    assert (detail["contactId"], detail["disconnectReason"]) == ("contact-1", "CUSTOMER_DISCONNECT")


NAMES = [f"b{i}" for i in range(6)]
TARGET = st.sampled_from([*NAMES, "bye", "failed"])


@st.composite
def any_block(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(["say", "clip", "invoke", "async", "load", "compare", "loop", "wait", "menu", "stream"])
    )
    then, other = draw(TARGET), draw(TARGET)
    match kind:
        case "say":
            return say(name, "$.External.text", then=then, errors={"NoMatchingError": other})
        case "clip":
            return small.clip(name, "$.External.url", then, other)
        case "invoke":
            return small.invoke(name, then)
        case "async":
            return small.invoke(name, then, asynchronous=True)
        case "load":
            return small.load(name, then, other)
        case "compare":
            return compare(name, "$.External.text", {"hi": then}, otherwise=other)
        case "loop":
            return block(name, "Loop", {"LoopCount": "3"}, when={"ContinueLooping": then, "DoneLooping": other})
        case "wait":
            return small.waiting(name, {"Continue": "bye", "LambdaReturned": then, "WaitCompleted": other})
        case "menu":
            parameters = {"Text": "press", "StoreInput": "False", "InputTimeLimitSeconds": "5"}
            errors = {"InputTimeLimitExceeded": other, "NoMatchingCondition": then}
            return block(name, "GetParticipantInput", parameters, then, {"1": other}, errors)
        case _:
            return small.stream(name, draw(st.sampled_from(["Enabled", "Disabled"])), then)


@st.composite
def any_flow(draw: st.DrawFn) -> dict[str, Any]:
    return document(*[draw(any_block(name)) for name in NAMES])


def answers(commands: list[Command], choose: st.DataObject) -> list[object]:
    """What the world answers, now or never."""
    found: list[object] = []
    for command in commands:
        match command:
            case InvokeLambda(invocation_id):
                payload = {"text": choose.draw(st.sampled_from(["hi", "no"])), "url": small.URL}
                failure = choose.draw(st.sampled_from([None, *LambdaFailure]))
                found.append(LambdaReturned(invocation_id, payload, failure))
            case PlayPrompt(prompt_id):
                failed = choose.draw(st.booleans())
                found += [] if failed else [PromptLoaded(prompt_id, b"\xff" * 800)]
                found.append(PromptEnded(prompt_id, failed))
            case StartStreaming():
                found.append(StreamingStarted(MEDIA))
            case _:
                pass
    return found


def often(data: st.DataObject) -> bool:
    return data.draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(any_flow(), st.sampled_from(list(PRESETS.values())), st.data())
def test_no_flow_hangs_the_interpreter(content: dict[str, Any], preset: Preset, data: st.DataObject) -> None:
    instance = small.an_instance()
    flow = load_flow(small.FLOW, "main", content, instance)
    contact = Contact(ContactState("c", instance), flow, preset)
    now_ms = NOW
    try:
        waiting_for = answers(contact.start(now_ms), data)
        for _ in range(60):
            due = contact.next_due_ms()
            assert contact.ended or due is not None or waiting_for
            if waiting_for and often(data):
                now_ms += data.draw(st.sampled_from([0, 1, 700]))
                event: Any = waiting_for.pop(0)
            else:
                event = data.draw(st.sampled_from([Tick(), Tick(), Digits("1")]))
                now_ms = now_ms if due is None else max(now_ms, due)
            waiting_for += answers(contact.handle(event, now_ms), data)
            due = contact.next_due_ms()
            assert due is None or due > now_ms
    except EndlessFlow:
        return
    contact.handle(CallerHungUp(), now_ms)
    assert contact.ended
