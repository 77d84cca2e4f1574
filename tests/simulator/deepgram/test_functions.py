from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from simulator.deepgram.manners import PESSIMISTIC, TEXTBOOK, Manners
from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.simulator.deepgram.driver import Client, settings, textbook

SPECULATIVE = replace(PESSIMISTIC, speculation_ms=900)


def asked(text: str, manners: Manners = PESSIMISTIC, **more: Any) -> Client:
    return Client(manners, **more).open().forget().ask(text).quiet(300)


def test_arguments_are_a_string_that_holds_json() -> None:
    [call] = asked("look it up").calls()
    assert json.loads(call["arguments"]) == {"order": "12"}
    assert call["client_side"] is True


@pytest.mark.parametrize("arguments", ["", "{not json", "[1]"])
def test_arguments_can_be_empty_or_broken(arguments: str) -> None:
    client = textbook(ScriptedMind([Rule(".", calls("look_up", arguments))])).open().ask("look")
    assert client.quiet(300).calls()[0]["arguments"] == arguments


def test_two_calls_come_in_one_request_and_the_turn_goes_on_after_both_answers_in_any_order() -> None:
    client = asked("do both", TEXTBOOK)
    [request] = client.messages("FunctionCallRequest")
    assert [call["name"] for call in request["functions"]] == ["look_up", "book"]
    client.answer(1).quiet(2_000)
    assert client.frames() == []
    client.answer(0).quiet(6_000)
    assert client.spoken() == ["It is booked. It is on its way."]
    assert [name for name, _ in client.mind.results] == ["book", "look_up"]


def test_an_answer_is_echoed_and_enters_the_history() -> None:
    client = asked("look it up")
    client.answer(content="found")
    [echo] = client.messages("FunctionCallResponse")
    assert (echo["name"], echo["content"], echo["id"]) == ("look_up", "found", client.calls()[0]["id"])
    [entry] = client.messages("History")[-1]["function_calls"]
    assert entry == {**client.calls()[0], "response": "found"}


def test_without_history_an_answer_is_only_echoed() -> None:
    client = Client()
    client.raw(json.dumps({**settings(), "flags": {"history": False}}))
    client.quiet(200).ask("look it up").quiet(300).answer()
    assert client.messages("FunctionCallResponse")
    assert not client.messages("History")


def test_an_answer_with_an_unknown_id_and_a_second_answer_are_ignored() -> None:
    client = asked("look it up")
    client.send("FunctionCallResponse", id="never", name="look_up", content="x")
    assert client.session.counters.unknown_answers == 1
    client.answer().answer().quiet(3_000)
    assert client.session.counters.unknown_answers == 2
    assert client.spoken() == ["It is on its way."]


def test_a_second_answer_to_one_of_two_open_calls_is_ignored() -> None:
    client = asked("do both", TEXTBOOK).answer(0).answer(0)
    assert client.session.counters.unknown_answers == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "look_up", "content": "x"},
        {"id": "a", "name": "look_up", "content": {"object": 1}},
        {"id": "a", "name": "look_up", "content": "x", "thought_signature": "s"},
    ],
)
def test_an_answer_that_is_not_to_the_letter_ends_the_session(fields: dict[str, Any]) -> None:
    client = asked("look it up")
    client.send("FunctionCallResponse", **fields)
    assert client.error()["code"] == "UNPARSABLE_CLIENT_MESSAGE"


def test_a_missing_answer_is_waited_for_as_long_as_audio_flows() -> None:
    client = asked("look it up").quiet(60_000)
    assert not client.messages("Error")
    assert client.answer().quiet(3_000).spoken() == ["It is on its way."]


def test_a_barge_in_cancels_the_open_call_and_a_late_answer_is_dropped_without_a_word() -> None:
    client = asked("look it up").say("never mind")
    [cancelled] = client.messages("FunctionCallCancelled")
    assert cancelled["functions"] == [{"id": client.calls()[0]["id"], "name": "look_up"}]
    client.answer()
    assert client.session.counters.late_answers == 1
    assert not client.messages("FunctionCallResponse")
    assert client.quiet(5_000).spoken() == ["Very well indeed."]
    assert client.mind.results == []


def test_a_call_may_come_before_the_turn_is_confirmed_and_its_text_after_it() -> None:
    client = asked("look it up")
    assert client.kinds("History")[:3] == ["UserStartedSpeaking", "FunctionCallRequest", "ConversationText"]


def test_a_deferred_call_comes_only_after_the_confirmation() -> None:
    client = asked("book a table")
    assert client.kinds("History", "EndOfTurn") == ["UserStartedSpeaking", "ConversationText", "FunctionCallRequest"]


def test_a_sibling_that_is_not_deferred_is_sent_at_once_and_both_are_waited_for() -> None:
    client = asked("do both")
    assert client.kinds("History", "EndOfTurn") == [
        "UserStartedSpeaking",
        "FunctionCallRequest",
        "ConversationText",
        "FunctionCallRequest",
    ]
    client.answer(0).quiet(2_000)
    assert client.frames() == []
    assert client.answer(1).quiet(6_000).spoken() == ["It is on its way.", "It is booked."]


def test_a_resumed_turn_drops_a_deferred_call_silently_and_cancels_one_that_was_sent() -> None:
    client = Client(SPECULATIVE).open().say("do both").quiet(900).say("or nothing").quiet(500)
    assert [call["name"] for call in client.calls()] == ["look_up"]
    [cancelled] = client.messages("FunctionCallCancelled")
    assert [call["name"] for call in cancelled["functions"]] == ["look_up"]


def test_a_resumed_turn_with_only_a_deferred_call_cancels_nothing_that_the_client_could_see() -> None:
    client = Client(SPECULATIVE).open().say("book a table").quiet(900).say("or nothing").quiet(500)
    assert client.calls() == []
    assert not client.messages("FunctionCallCancelled")


def test_an_answer_before_the_confirmation_is_spoken_after_it() -> None:
    client = Client(replace(SPECULATIVE, speculation_ms=2_000)).open().say("look it up").quiet(900).answer()
    client.quiet(1_000)
    assert client.frames() == []
    assert client.quiet(4_000).spoken() == ["It is on its way."]


@pytest.mark.parametrize("with_id", [True, False])
def test_a_hosted_function_is_told_and_answered_by_the_service_with_or_without_id(with_id: bool) -> None:
    manners = replace(PESSIMISTIC, hosted_answer_has_id=with_id)
    mind = ScriptedMind([Rule(".", calls("hosted"))], {"hosted": "All is well."})
    client = asked("hosted please", manners, mind=mind, hosted={"hosted": '{"fine":true}'})
    assert client.calls()[0]["client_side"] is False
    [response] = client.messages("FunctionCallResponse")
    assert response["content"] == '{"fine":true}'
    assert ("id" in response) == with_id
    assert client.quiet(3_000).spoken() == ["All is well."]


def test_the_clients_own_answer_to_a_hosted_function_is_ignored() -> None:
    client = asked("mixed please", replace(PESSIMISTIC, hosted_ms=5_000)).answer(1)
    assert client.session.counters.unknown_answers == 1
    assert not client.messages("FunctionCallResponse")


def test_a_hosted_function_without_an_answer_fails_with_a_warning() -> None:
    client = asked("hosted please")
    assert client.codes() == ["FUNCTION_CALL_FAILED"]
    assert client.mind.results[0][0] == "hosted"


def test_an_undeclared_function_ends_the_session() -> None:
    assert asked("unknown thing").quiet(500).error()["code"] == "NON_EXISTENT_FUNCTION_CALLED"


def test_a_filler_has_its_own_audio_done_before_the_request() -> None:
    client = asked("filler please", replace(PESSIMISTIC, audio_done="once")).quiet(4_000)
    assert client.kinds("History", "EndOfTurn")[-3:] == ["audio", "AgentAudioDone", "FunctionCallRequest"]
    assert client.spoken() == ["One moment please."]


def test_a_request_may_overtake_the_second_half_of_the_filler() -> None:
    manners = replace(PESSIMISTIC, request_amid_speech=True, text_after_audio=False)
    client = asked("filler please", manners).quiet(4_000)
    assert client.kinds("History", "EndOfTurn", "ConversationText")[1:] == [
        "audio",
        "FunctionCallRequest",
        "AgentAudioDone",
        "audio",
        "AgentAudioDone",
    ]
    once = asked("filler please", replace(manners, audio_done="once")).quiet(4_000)
    assert once.kinds("History", "EndOfTurn", "ConversationText")[1:] == [
        "audio",
        "FunctionCallRequest",
        "audio",
        "AgentAudioDone",
    ]


def test_the_goodbye_follows_the_answer() -> None:
    client = asked("bye").answer()
    assert client.quiet(3_000).kinds("History", "EndOfTurn", "ConversationText")[-1] == "AgentAudioDone"
    assert client.spoken() == ["It is on its way."]


@pytest.mark.parametrize(("empty", "done"), [("seen", 1), ("done", 1), ("nothing", 0)])
def test_an_answer_may_be_followed_by_no_goodbye_at_all(empty: Any, done: int) -> None:
    mind = ScriptedMind([Rule(".", calls("look_up"))])
    client = asked("bye", replace(PESSIMISTIC, empty_reply=empty), mind=mind).answer().quiet(3_000)
    assert client.frames() == []
    assert len(client.messages("AgentAudioDone")) == done
