"""The event-driven loop, in every way in which a prompt may be left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.connect.events import CallerHungUp, LambdaFailure, PlayPrompt, StopPrompt
from simulator.connect.presets import BEST, Preset, preset
from tests.simulator.connect.small import Hand, clip, compare, invoke, load, say, silence, waiting

THEN = {"Continue": "clip", "LambdaReturned": "load", "WaitCompleted": "late"}


def looped(preset: Preset, minimum_s: int = 1) -> Hand:
    """As our flow does it: a clip, silence, a sentence, and the Lambda that ends it; its clip plays after 400 ms."""
    blocks = (
        invoke("ask", "wait", asynchronous=True, limit_s=35),
        waiting("wait", THEN, limit_s=40, minimum_s=minimum_s),
        clip("clip", then="silence", failed="silence"),
        silence("silence", "sorry"),
        say("sorry"),
        load("load", "what"),
        compare("what", "$.External.action", {"again": "ask"}, otherwise="bye"),
        say("late"),
    )
    hand = Hand(*blocks, preset=preset).start()
    hand.plays()
    return hand


def test_the_event_cuts_the_prompt_at_once() -> None:
    hand = looped(BEST)
    playing = hand.last(PlayPrompt).prompt_id
    hand.returns({"action": "end"}, after_ms=1_000)
    assert hand.last(StopPrompt) == StopPrompt(playing, hand.now_ms)
    assert hand.path[-2:] == ["what", "bye"]


def test_the_loop_goes_round_two_hundred_times() -> None:
    hand = looped(BEST)
    for _ in range(200):
        hand.returns({"action": "again"}, after_ms=1_000)
        hand.plays()
    assert hand.path.count("ask") == 201
    assert not hand.contact.ended


@pytest.mark.parametrize(("name", "later_ms"), [("late_cut", 500), ("later_cut", 900)])
def test_a_late_cut_lets_the_prompt_play_a_little_more(name: str, later_ms: int) -> None:
    hand = looped(preset(name))
    hand.returns({"action": "end"}, after_ms=1_000)
    hand.wait(later_ms - 1)
    assert not hand.of(StopPrompt)
    hand.wait(1)
    assert hand.of(StopPrompt)
    assert hand.path[-1] == "bye"


def test_a_late_cut_between_two_prompts_is_at_once() -> None:
    hand = looped(preset("late_cut"))
    hand.returns({"action": "end"}, after_ms=1_000)
    hand.ends(after_ms=100)
    assert hand.path[-3:] == ["load", "what", "bye"]


def test_a_cut_at_the_end_lets_the_prompt_play_out() -> None:
    hand = looped(preset("cut_at_end"))
    hand.returns({"action": "end"}, after_ms=1_000)
    hand.wait(20_000)
    assert hand.path[-1] == "clip"
    hand.ends()
    assert hand.path[-3:] == ["load", "what", "bye"]
    assert not hand.of(StopPrompt)


def test_a_cut_at_the_end_is_made_by_the_limit_where_the_prompt_is_too_long() -> None:
    hand = looped(preset("cut_at_end"))
    hand.returns({"action": "end"}, after_ms=1_000)
    hand.wait(40_000)
    assert hand.path[-3:] == ["load", "what", "bye"]


def test_what_is_never_cut_ends_at_the_limit() -> None:
    hand = looped(preset("never_cut"))
    hand.returns({"action": "end"}, after_ms=1_000)
    hand.ends(after_ms=1_000)
    hand.plays()
    assert hand.path[-1] == "silence"
    hand.wait(40_000)
    assert hand.path[-1] == "late"


def test_where_not_even_the_limit_cuts_the_branch_runs_to_its_end() -> None:
    hand = looped(preset("nothing_cuts"))
    hand.returns({"action": "end"})
    hand.wait(60_000)
    assert hand.path[-1] == "clip"
    hand.ends()
    assert hand.path[-1] == "late"


def test_an_early_event_is_held_back_for_the_minimum_time() -> None:
    hand = looped(preset("held_back"), minimum_s=5)
    hand.returns({"action": "end"})
    hand.wait(4_599)
    assert hand.path[-1] == "clip"
    hand.wait(1)
    assert hand.path[-1] == "bye"


def test_an_early_event_is_taken_where_it_is_not_held_back() -> None:
    hand = looped(BEST, minimum_s=5)
    hand.returns({"action": "end"})
    assert hand.path[-1] == "bye"


def test_an_event_that_is_held_back_beyond_the_limit_is_lost() -> None:
    hand = looped(preset("held_back"), minimum_s=50)
    hand.returns({"action": "end"})
    hand.wait(40_000)
    assert hand.path[-1] == "late"


def test_a_failed_lambda_takes_the_event_branch() -> None:
    hand = looped(BEST)
    hand.returns(error=LambdaFailure.FUNCTION)
    assert hand.path[-2:] == ["load", "failed"]


def test_a_failed_lambda_may_bring_no_event() -> None:
    hand = looped(preset("no_event_on_failure"))
    hand.returns(error=LambdaFailure.FUNCTION)
    hand.wait(40_000)
    assert hand.path[-1] == "late"


def test_a_lambda_that_overruns_counts_as_failed() -> None:
    hand = looped(BEST)
    hand.wait(35_000)
    assert hand.path[-2:] == ["load", "failed"]


@pytest.mark.parametrize(
    "name", ["best", "late_cut", "later_cut", "held_back", "never_cut", "nothing_cuts", "cut_at_end"]
)
def test_a_caller_who_hangs_up_ends_the_wait(name: str) -> None:
    hand = looped(preset(name))
    hand.returns({"action": "again"})
    hand.tell(CallerHungUp())
    assert hand.contact.ended
    assert hand.contact.next_due_ms() is None


def test_an_answer_that_is_there_before_the_wait_ends_it_at_once() -> None:
    blocks = (invoke("ask", "first", asynchronous=True), say("first", then="wait"), waiting("wait", THEN))
    rest = (clip("clip"), load("load"), say("late"))
    hand = Hand(*blocks, *rest, preset=replace(BEST, name="x")).start()
    hand.plays()
    hand.returns({"a": "1"})
    hand.ends()
    assert hand.path[-2:] == ["load", "bye"]
    assert not hand.of(StopPrompt)


def test_a_clip_that_fails_goes_on_within_the_branch() -> None:
    blocks = (invoke("ask", "wait", asynchronous=True), waiting("wait", THEN), clip("clip", failed="silence"))
    hand = Hand(*blocks, silence("silence"), load("load"), say("late")).start()
    hand.ends(failed=True)
    assert hand.path[-2:] == ["clip", "silence"]


def test_the_end_of_the_branch_is_the_end_of_the_contact() -> None:
    hand = looped(preset("never_cut"))
    for _ in range(3):
        hand.ends()
        hand.wait(400)
    assert hand.contact.ended
