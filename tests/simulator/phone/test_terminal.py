from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contract.turns import FunctionState, HeardSource
from simulator.phone import timing
from simulator.phone.terminal import KNOWN_AFTER_MS
from tests.simulator.phone.samples import (
    CLIPS,
    FACTS,
    OPENING,
    QUEUE_ARN,
    SILENCE_ARN,
    T0,
    TURNS,
    a_terminal,
    agent_turn,
    event,
    lookup,
)


def shown(*events: Any) -> list[str]:
    """What the terminal shows of these events of the flow, without times."""
    terminal, file = a_terminal()
    for one in events:
        terminal.flow(one)
    terminal.screen.show()
    return [" ".join(line.split()[1:]) for line in file.getvalue().splitlines()]


def test_setting_up_shows_what_is_under_way_and_what_is_ready() -> None:
    terminal, file = a_terminal()
    terminal.title("A call")
    with terminal.working("setting up"):
        terminal.step("AWS services", 2.44)
    terminal.note("no speech")

    assert [line.split() for line in file.getvalue().splitlines()] == [
        ["A", "call"],
        ["setting", "up"],
        ["AWS", "services", "2.4", "s"],
        ["no", "speech"],
    ]


def test_on_a_terminal_something_moves_while_it_sets_up() -> None:
    terminal, file = a_terminal(tty=True)
    with terminal.working("setting up"):
        pass

    assert "setting up" in file.getvalue()


def test_times_count_from_the_ring() -> None:
    terminal, file = a_terminal()
    terminal.caller(T0 + 5140, "order", over_agent=False)
    terminal.show(T0 + 5140 + KNOWN_AFTER_MS)

    assert file.getvalue() == "    5.14  caller      speaks (order)\n"


def test_a_line_waits_for_what_may_have_happened_before_it() -> None:
    terminal, file = a_terminal()
    terminal.caller(T0 + 5140, "order", over_agent=False)
    terminal.show(T0 + 5140)

    assert file.getvalue() == ""


def test_a_caller_who_speaks_into_the_agents_words_is_seen_to_do_so() -> None:
    terminal, file = a_terminal()
    terminal.caller(T0, "hours", over_agent=True)
    terminal.screen.show()

    assert "speaks (hours), into the agent's words" in file.getvalue()


def test_what_was_understood_is_shown_once() -> None:
    terminal, file = a_terminal()
    for _ in range(2):
        terminal.understood(TURNS[1], T0 + 7000)
    terminal.screen.show()

    assert file.getvalue() == "    7.00  understood  “Where is my order?”\n"


def test_of_an_agent_turn_that_grows_only_what_is_new_is_shown() -> None:
    terminal, file = a_terminal()
    turn = agent_turn(3, "Order four.", 9000, 0)
    terminal.agent(turn, 0, T0 + 8500)
    terminal.agent(turn, T0 + 9000, T0 + 9100)
    terminal.agent(turn, T0 + 9000, T0 + 9300)
    terminal.agent(replace(turn, text="Order four. It is ready."), T0 + 9000, T0 + 9600)
    terminal.screen.show()

    assert file.getvalue().splitlines() == [
        "    9.00  agent       “Order four.”",
        "    9.60  agent       “It is ready.”",
    ]


def test_a_turn_whose_last_sentence_moved_to_the_next_one_is_not_shown_again() -> None:
    terminal, file = a_terminal()
    terminal.agent(agent_turn(3, "One. Two.", 9000, 0), T0 + 9000, T0 + 9000)
    terminal.agent(agent_turn(3, "One.", 9000, 0), T0 + 9000, T0 + 9300)
    terminal.screen.show()

    assert len(file.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("heard", "expected"),
    [("Your table is", "the caller heard “Your table is”"), ("", "the caller heard nothing of it")],
)
def test_an_interruption_shows_how_much_was_heard_once_that_was_measured(heard: str, expected: str) -> None:
    terminal, file = a_terminal()
    turn = agent_turn(3, "Your table is ready.", 9000, 11_000, interrupted=True, heard_text=heard)
    terminal.agent(replace(turn, heard_source=HeardSource.ESTIMATED), 0, T0 + 11_100)
    for at_ms in (12_000, 12_200):
        terminal.agent(turn, 0, T0 + at_ms)
    terminal.screen.show()

    assert file.getvalue() == f"   12.00  agent       was interrupted; {expected}\n"


def test_a_function_shows_its_arguments_its_result_and_how_long_it_took() -> None:
    terminal, file = a_terminal()
    terminal.function(lookup())
    terminal.function(lookup())
    terminal.screen.show()

    assert file.getvalue() == (
        '    7.03  function    get_order_status(order_number="471108") → {"found": true}  (finished in 30 ms)\n'
    )


def test_a_function_that_takes_its_time_is_shown_when_it_begins() -> None:
    terminal, file = a_terminal()
    terminal.function(lookup(FunctionState.ENTERED))
    terminal.function(lookup(FunctionState.FAILED, result="", error="timeout"))
    terminal.screen.show()

    assert file.getvalue().splitlines() == [
        '    7.00  function    get_order_status(order_number="471108") …',
        '    7.03  function    get_order_status(order_number="471108") → timeout  (failed in 30 ms)',
    ]


def test_the_latency_of_a_turn_is_shown_once() -> None:
    terminal, file = a_terminal()
    first, second = timing.answered(FACTS)
    for answer in (first, first, replace(second, received_ms=0)):
        terminal.answered(answer)
    terminal.screen.show()

    assert file.getvalue().splitlines() == [
        "    9.04  latency     3.04 s after the caller's last word; the audio had come 0.80 s before",
        "   16.00  latency     3.00 s after the caller's last word",
    ]


def test_a_barge_in_is_shown_once_with_its_times() -> None:
    terminal, file = a_terminal()
    (found,) = timing.barge_ins(FACTS)
    for _ in range(2):
        terminal.barged_in(found, T0 + 14_000)
    terminal.screen.show()

    assert file.getvalue() == (
        "   14.00  barge-in    noticed 1.45 s after the caller's first sound, agent silent after 1.71 s\n"
    )


def test_prompts_are_named_as_a_person_would() -> None:
    terminal, file = a_terminal()
    terminal.clip = lambda url: "clip 1"
    for prompt_id, uri in (("a", OPENING), ("b", CLIPS[1]), ("c", "Please hold."), ("d", SILENCE_ARN)):
        terminal.flow(event(0, "prompt_asked", prompt_id=prompt_id, uri=uri))
        terminal.flow(event(100, "prompt_started", prompt_id=prompt_id, ms=1500))
    terminal.screen.show()

    assert [line.split("flow")[1].strip() for line in file.getvalue().splitlines()] == [
        "plays the opening (1.50 s)",
        "plays clip 1 (1.50 s)",
        "plays “Please hold.” (1.50 s)",
    ]


def test_a_clip_that_is_cut_is_shown_and_a_silence_that_is_cut_is_not() -> None:
    lines = shown(
        event(0, "prompt_asked", prompt_id="a", uri=CLIPS[1]),
        event(100, "prompt_started", prompt_id="a", ms=1500),
        event(700, "prompt_stopped", prompt_id="a"),
        event(800, "prompt_asked", prompt_id="b", uri="<speak><break time='10s'/></speak>"),
        event(900, "prompt_stopped", prompt_id="b"),
    )

    assert lines == ["flow plays a clip (1.50 s)", "flow cuts a clip after 0.60 s"]


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("lambda", {"arn": "arn:aws:lambda:e:1:function:start_call"}, "flow asks for a voice agent"),
        ("lambda_returned", {"error": "timeout"}, "flow a Lambda failed: timeout"),
        ("streaming_started", {"stream_arn": "s"}, "flow streams what the caller says"),
        ("streaming_failed", {}, "flow cannot stream what the caller says"),
        ("prompt_failed", {"prompt_id": "a", "why": "gone"}, "flow cannot play a prompt: gone"),
        ("queued", {"queue_arn": QUEUE_ARN, "attributes": {}}, "flow hands the caller to the queue orders"),
        ("callback", {"queue_arn": QUEUE_ARN, "number": "+1"}, "flow books a callback in orders"),
        ("disconnected", {"reason": "CUSTOMER_DISCONNECT"}, "caller hangs up"),
        ("disconnected", {"reason": "CONTACT_FLOW_DISCONNECT"}, "flow hangs up"),
    ],
)
def test_what_the_flow_does_is_told_where_it_concerns_the_caller(
    kind: str, detail: dict[str, Any], expected: str
) -> None:
    assert shown(event(0, kind, **detail)) == [expected]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("lambda", {"arn": "arn:aws:lambda:e:1:function:next_action_wait"}),
        ("lambda_returned", {"error": ""}),
        ("log", {"line": {}}),
        ("enter", {}),
    ],
)
def test_the_rest_of_what_the_flow_does_is_left_out(kind: str, detail: dict[str, Any]) -> None:
    assert shown(event(0, kind, **detail)) == []


def test_waiting_for_key_presses_is_shown() -> None:
    assert shown(event(0, "enter", type_="GetParticipantInput")) == ["flow waits for key presses"]


def test_the_gateway_is_shown_when_it_takes_the_call_and_when_it_warns() -> None:
    terminal, file = a_terminal()
    for line in (
        {"event": "call_taken", "level": "info"},
        {"event": "call_over", "level": "info"},
        {"event": "voice_agent_lost", "level": "warning", "contact": "c", "code": "LOST"},
        {"event": "voice_agent_lost", "level": "warning", "contact": "c", "code": "LOST"},
        {"event": "sweep_failed", "level": "error"},
        {"event": "a library says: something", "level": "warning"},
        {},
    ):
        terminal.gateway(line, T0)
    terminal.failure(T0, "moto was killed")
    terminal.screen.show()

    assert [" ".join(line.split()[1:]) for line in file.getvalue().splitlines()] == [
        "gateway has the call",
        "gateway voice_agent_lost (code LOST)",
        "gateway sweep_failed",
        "failure moto was killed",
    ]


def test_a_transfer_over_sip_is_seen_from_the_ring_to_the_way_back() -> None:
    assert shown(
        event(100, "dialled", number="voice-agent", connector_arn="arn:vc"),
        event(200, "dialled", number="+493012345678", connector_arn=""),
        event(300, "third_party_answered"),
        event(400, "third_party_left", outcome="completed"),
        event(500, "third_party_left", outcome="CallFailed"),
    ) == [
        "flow transfers the call to the voice connector",
        "flow transfers the call to the number +493012345678",
        "gateway answers over SIP",
        "gateway hangs up: the call is back with the flow",
        "gateway cannot be had: CallFailed",
    ]
