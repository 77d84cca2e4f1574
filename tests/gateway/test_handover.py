from __future__ import annotations

from dataclasses import replace

from contract.call import Call, FlowForm, MediaStream
from contract.handover import KEYS
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from gateway.conversation.ending import Leave
from gateway.conversation.turns import Turns
from gateway.handover import handover

CALL = Call("c1", 1, "shop", FlowForm.POLLING, "arn", MediaStream("", 0, ""), 0)
ASKED = Leave("transfer_to_human", "orders", "Parcel 12 is late.", "call_1", "late parcel")


def test_every_key_is_there_and_the_models_words_reach_the_human() -> None:
    values = handover(CALL, ASKED, Turns())
    assert tuple(values) == KEYS
    assert values["va_reason"] == "late parcel"
    assert values["va_queue"] == "orders"
    assert values["va_summary"] == "Parcel 12 is late."
    assert values["va_agent"] == "shop"
    assert values["va_result"] == "transferred"
    assert values["va_turns"] == "0"


def test_a_transfer_that_nobody_asked_for_is_a_failure() -> None:
    values = handover(CALL, Leave("voice_agent_mute", "support"), Turns())
    assert (values["va_result"], values["va_reason"]) == ("failed", "voice_agent_mute")


def test_it_holds_what_was_heard_the_newest_last_and_the_turns_before_this_gateway() -> None:
    turns = Turns(earlier=[Turn(1, Role.CALLER, "Hi.")])
    turns.agent_said("Good day to you.", 0)
    turns.agent_audio(1, 8000, 0)
    turns.agent_audio_done(0)
    turns.playback_finished(1, 600, interrupted=True, at_ms=0)
    turns.caller_said("A person please.", 0, 0, {})
    values = handover(CALL, Leave("x", "support"), turns)
    assert values["va_transcript"] == "Caller: Hi.\nAgent: Good day\nCaller: A person please."
    assert values["va_last_caller"] == "A person please."
    assert values["va_turns"] == "3"


def test_it_holds_what_the_definition_asks_for_and_where_the_record_is() -> None:
    leave = replace(ASKED, intent="order_status", sentiment="negative")
    values = handover(CALL, leave, Turns(), record="s3://records/calls/c1/1.json")
    assert (values["va_intent"], values["va_sentiment"]) == ("order_status", "negative")
    assert values["va_record"] == "s3://records/calls/c1/1.json"


def test_it_names_the_functions_that_were_called() -> None:
    entry = FunctionEntry("k", "look_up", {}, FunctionState.FINISHED, 0)
    assert handover(CALL, ASKED, Turns(), [entry])["va_functions"] == "look_up: finished"
