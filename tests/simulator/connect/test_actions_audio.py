from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.connect.check import load_flow
from simulator.connect.events import (
    CallerHungUp,
    PlayPrompt,
    PromptEnded,
    PromptLoaded,
    StartPrompt,
    StartStreaming,
    StopPrompt,
    StopStreaming,
    StreamingFailed,
    StreamingStarted,
)
from simulator.connect.presets import BEST
from tests.simulator.connect.small import (
    FLOW,
    MEDIA,
    NOW,
    SILENCE,
    URL,
    Hand,
    block,
    clip,
    compare,
    document,
    say,
    silence,
    stream,
)


def test_a_text_is_filled_and_asked_for() -> None:
    hand = Hand(say("a", "Hello $.Attributes.name"), attributes={"name": "Ann"}).start()
    assert hand.of(PlayPrompt) == [PlayPrompt("prompt-1", "text", "Hello Ann")]


def test_every_kind_of_prompt_names_its_source() -> None:
    ssml = block("s", "MessageParticipant", {"SSML": "<speak>hi</speak>"}, "l")
    hand = Hand(ssml, silence("l", "c"), clip("c", "$.Attributes.url"), attributes={"url": URL}).start()
    for _ in range(2):
        hand.plays()
        hand.ends()
    kinds = [(play.kind, play.uri_or_text) for play in hand.of(PlayPrompt)]
    assert kinds == [("ssml", "<speak>hi</speak>"), ("library", SILENCE), ("s3", URL)]


def test_a_prompt_starts_after_the_start_delay_and_ends_when_it_has_run_out() -> None:
    hand = Hand(say("a"), preset=replace(BEST, prompt_start_ms=(300, 300))).start()
    hand.tell(PromptLoaded("prompt-1", b"\xff" * 80), after_ms=100)
    assert not hand.of(StartPrompt)
    hand.wait(200)
    assert hand.last(StartPrompt) == StartPrompt("prompt-1", b"\xff" * 80, NOW + 300)
    hand.tell(PromptEnded("prompt-1"), after_ms=10)
    assert hand.path == ["a", "bye"]


def test_a_prompt_that_is_loaded_late_starts_late() -> None:
    hand = Hand(say("a")).start()
    hand.tell(PromptLoaded("prompt-1", b"\xff"), after_ms=900)
    assert hand.last(StartPrompt).starts_at_ms == NOW + 900


def test_the_start_delay_is_drawn_from_the_preset_and_repeatable() -> None:
    preset = replace(BEST, prompt_start_ms=(150, 400))

    def delays() -> list[int]:
        hand = Hand(say("a", then="a"), preset=preset).start()
        found = []
        for _ in range(5):
            asked = hand.now_ms
            hand.plays()
            found.append(hand.last(StartPrompt).starts_at_ms - asked)
            hand.ends()
        return found

    assert delays() == delays()
    assert len(set(delays())) > 1
    assert all(150 <= delay <= 400 for delay in delays())


def test_a_prompt_that_cannot_be_had_takes_the_error_branch() -> None:
    hand = Hand(clip("a")).start()
    hand.ends(failed=True)
    assert hand.path == ["a", "failed"]


def test_a_prompt_without_error_branch_that_fails_goes_on() -> None:
    hand = Hand(say("a")).start()
    hand.ends(failed=True)
    assert hand.path == ["a", "bye"]


@pytest.mark.parametrize("uri", ["$.Attributes.gone", "$.Attributes.bad"])
def test_an_address_that_is_none_takes_the_error_branch_at_once(uri: str) -> None:
    hand = Hand(clip("a", uri), attributes={"bad": "none"}).start()
    assert hand.path == ["a", "failed"]
    assert not hand.of(PlayPrompt)


def test_a_text_that_is_too_long_takes_the_error_branch() -> None:
    long = say("a", "$.Attributes.text", errors={"NoMatchingError": "failed"})
    assert Hand(long, attributes={"text": "x" * 3001}).start().path == ["a", "failed"]


def test_events_of_other_prompts_are_ignored() -> None:
    hand = Hand(say("a")).start()
    hand.tell(PromptLoaded("prompt-9", b"x"))
    hand.tell(PromptEnded("prompt-9"))
    assert hand.path == ["a"]


def test_a_prompt_is_stopped_when_the_caller_hangs_up() -> None:
    hand = Hand(say("a")).start()
    playing = hand.plays()
    hand.tell(CallerHungUp())
    assert hand.of(StopPrompt) == [StopPrompt(playing, hand.now_ms)]


def test_a_prompt_that_has_not_started_needs_no_stop() -> None:
    hand = Hand(say("a")).start()
    hand.tell(CallerHungUp())
    assert not hand.of(StopPrompt)


def test_streaming_goes_on_with_what_the_stream_is() -> None:
    hand = Hand(
        stream("s", then="c"), compare("c", "$.MediaStreams.Customer.Audio.StreamARN", {MEDIA.stream_arn: "bye"})
    )
    hand.start()
    assert hand.of(StartStreaming) == [StartStreaming(("From", "To"))]
    hand.tell(StreamingStarted(MEDIA), after_ms=50)
    assert hand.path == ["s", "c", "bye"]
    assert hand.last(StopStreaming) == StopStreaming(("From", "To"))


def test_streaming_that_fails_takes_the_error_branch() -> None:
    hand = Hand(stream("s")).start()
    hand.tell(StreamingFailed())
    assert hand.path == ["s", "failed"]


def test_streaming_that_does_not_start_in_time_takes_the_error_branch_and_is_stopped() -> None:
    hand = Hand(stream("s")).start()
    hand.wait(10_000)
    assert hand.path == ["s", "failed"]
    assert hand.of(StopStreaming) == [StopStreaming(("From", "To"))]


def test_streaming_that_was_just_started_is_stopped_when_the_caller_hangs_up() -> None:
    hand = Hand(stream("s")).start()
    hand.tell(CallerHungUp())
    assert hand.of(StopStreaming) == [StopStreaming(("From", "To"))]


def test_stopping_adds_the_time_and_starting_again_takes_it_away() -> None:
    hand = Hand(
        stream("s", then="off"),
        stream("off", "Disabled", then="again"),
        stream("again", then="more"),
        stream("more", then="a"),
        say("a"),
    )
    hand.start()
    hand.tell(StreamingStarted(MEDIA))
    assert hand.state.stopped_at_ms == NOW
    hand.tell(StreamingStarted(MEDIA), after_ms=5)
    assert hand.state.stopped_at_ms == 0
    assert hand.path == ["s", "off", "again", "more", "a"]
    assert len(hand.of(StartStreaming)) == 2


def test_stopping_what_does_not_stream_does_nothing() -> None:
    hand = Hand(stream("off", "Disabled")).start()
    assert hand.path == ["off", "bye"]
    assert not hand.of(StopStreaming)


QUEUE_FLOW = f"{FLOW}-queue"


def in_queue(parameters: dict[str, Any], when: dict[str, str] | None = None) -> Hand:
    """A contact whose whole life is a queue flow."""
    loop = block("loop", "MessageParticipantIteratively", parameters, "bye", when)
    hand = Hand(say("a"))
    flow = load_flow(QUEUE_FLOW, "queue", document(loop), hand.instance, "CUSTOMER_QUEUE")
    hand.contact._ex.flow = flow
    return hand.start()


def test_loop_prompts_go_round_and_round() -> None:
    hand = in_queue({"Messages": [{"Text": "please wait"}, {"PromptId": SILENCE}]})
    for _ in range(3):
        hand.plays()
        hand.ends()
    assert [play.kind for play in hand.of(PlayPrompt)] == ["text", "library", "text", "library"]
    hand.tell(CallerHungUp())
    assert hand.contact.ended


def test_loop_prompts_are_interrupted_when_their_time_comes() -> None:
    messages: dict[str, Any] = {"Messages": [{"Text": "please wait"}], "InterruptFrequencySeconds": "30"}
    hand = in_queue(messages, {"MessagesInterrupted": "failed"})
    playing = hand.plays()
    hand.wait(30_000)
    assert hand.last(StopPrompt).prompt_id == playing
    assert hand.path == ["loop", "failed"]


def test_loop_prompts_that_fail_take_the_error_branch() -> None:
    hand = in_queue({"Messages": [{"Text": "please wait"}]})
    hand.ends(failed=True)
    assert hand.path == ["loop", "failed"]


def test_a_loop_prompt_that_loses_its_value_takes_the_error_branch() -> None:
    messages = {"Messages": [{"Text": "a"}, {"Text": "$.Attributes.gone"}]}
    hand = in_queue(messages)
    hand.plays()
    hand.ends()
    assert hand.path == ["loop", "failed"]
