from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.deepgram.brain import Call, Reply
from simulator.deepgram.manners import PESSIMISTIC, Manners
from simulator.deepgram.thinking import merged
from tests.simulator.deepgram.driver import Client

THINK = {"provider": {"type": "open_ai", "model": "m"}}
TWO = [THINK, {"provider": {"type": "anthropic", "model": "m"}}]


def failing(*failures: int) -> Client:
    return Client(replace(PESSIMISTIC, think_failures=failures)).open(think=TWO)


def test_a_failing_llm_warns_and_the_next_one_answers_and_the_next_turn_begins_with_the_first() -> None:
    client = failing(1, 0).ask("hello").quiet(4_000).ask("hello").quiet(4_000)
    assert client.codes() == ["THINK_REQUEST_FAILED"]
    assert client.spoken() == ["Very well indeed."] * 2


def test_when_all_llms_fail_the_session_ends() -> None:
    client = failing(2).ask("hello")
    assert client.codes() == ["THINK_REQUEST_FAILED", "THINK_REQUEST_FAILED", "FAILED_TO_THINK"]
    assert client.kinds()[-1] == "close"


def test_all_llms_may_fail_after_a_function_was_answered() -> None:
    client = Client(replace(PESSIMISTIC, think_failures=(0, 1))).open().ask("look it up").quiet(300).answer()
    assert client.codes() == ["THINK_REQUEST_FAILED", "FAILED_TO_THINK"]


def test_a_slow_llm_is_warned_about_every_five_seconds_and_then_answers() -> None:
    client = Client(replace(PESSIMISTIC, think_ms=12_000)).open().ask("hello").quiet(14_000)
    assert client.codes() == ["SLOW_THINK_REQUEST", "SLOW_THINK_REQUEST"]
    assert client.spoken() == ["Very well indeed."]


def test_a_slow_llm_that_is_interrupted_is_not_warned_about_any_more() -> None:
    client = Client(replace(PESSIMISTIC, think_ms=12_000)).open().ask("hello").say("stop").quiet(500)
    assert client.codes() == []


@pytest.mark.parametrize(("empty", "done"), [("seen", 0), ("done", 1), ("nothing", 0)])
def test_a_turn_may_have_no_reply_with_or_without_audio_done(empty: Any, done: int) -> None:
    client = Client(replace(PESSIMISTIC, empty_reply=empty)).open().ask("say nothing").quiet(3_000)
    assert client.frames() == []
    assert len(client.messages("AgentAudioDone")) == done


def test_the_merged_form_of_latency_sends_no_single_fields() -> None:
    manners: Manners = replace(PESSIMISTIC, merged_latency=True, stt_floods=False)
    assert len(Client(manners).open().ask("hello").quiet(3_000).messages("LatencyReport")) == 1


def test_several_replies_become_one_continuation() -> None:
    first, second = Reply("One.", (Call("a", ""),)), Reply("", (Call("b", ""),))
    assert merged([first, second]) == Reply("One.", (Call("a", ""), Call("b", "")))
