from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contract.actions import Numbered, Outcome, Play, Returned, Say
from contract.call import CallState, Head, Result
from lambdas.next_action.decision import Decision, FailOver, Give, Leave, Listen, View, Wait, decide, unowned
from lambdas.next_action.limits import POLL, WAIT, Limits
from tests.contract.samples import CLIP, CONTACT, END, T0, TRANSFER

HEAD = Head(
    CONTACT,
    1,
    CallState.ACTIVE,
    T0,
    waiter="r1",
    owner="g",
    epoch=1,
    lease_until_ms=T0 + 8000,
    loaded_at_ms=T0,
    asked_at_ms=T0,
)
CLIP_ENDS = 400 + 2000 + 20  # start delay, clip, margin


def at(ms: int, head: Head = HEAD, *log: Numbered, limits: Limits = WAIT, **changed: Any) -> Decision:
    values: dict[str, Any] = {"ahead": True, "returned": Returned.NONE, "asked_at_ms": T0, "moved_at_ms": T0}
    return decide(View(head, log, "r1", now_ms=T0 + ms, **{**values, **changed}), limits)


def line(seq: int, action: Any = CLIP) -> Numbered:
    return Numbered(seq, action, T0)


PLAYING = replace(HEAD, last_seq=1, loaded=1)


def test_a_request_that_is_no_longer_the_newest_listens() -> None:
    assert at(0, replace(HEAD, waiter="r2")) == Listen(Outcome.NONE)


def test_nothing_to_do_is_waited_out_and_then_listens() -> None:
    assert at(0) == Wait(50)
    assert at(2999) == Wait(50)
    assert at(3000) == Wait(100)
    assert at(20_950, replace(HEAD, lease_until_ms=T0 + 35_000)) == Wait(50)
    assert at(21_000, replace(HEAD, lease_until_ms=T0 + 35_000)) == Listen(Outcome.NONE)


def test_a_head_that_moved_is_looked_at_fast_again() -> None:
    assert at(5000, moved_at_ms=T0 + 4000) == Wait(50)


def test_the_polling_form_is_held_for_a_shorter_time() -> None:
    assert at(5800, limits=POLL, ahead=False) == Listen(Outcome.NONE)


def test_the_next_action_waits_for_the_end_of_the_clip() -> None:
    assert at(CLIP_ENDS - 1, PLAYING, line(1), line(2)) == Wait(1)
    assert at(CLIP_ENDS, PLAYING, line(1), line(2)) == Give(line(2), Outcome.COMPLETED)


@pytest.mark.parametrize("action", [TRANSFER, END, Say("Sorry.")])
def test_so_do_a_transfer_an_end_and_a_sentence(action: Any) -> None:
    assert at(100, PLAYING, line(1), line(2, action)) == Wait(50)
    assert at(CLIP_ENDS, PLAYING, line(1), line(2, action)) == Give(line(2, action), Outcome.COMPLETED)


def test_the_learned_start_delay_counts() -> None:
    assert at(CLIP_ENDS, replace(PLAYING, start_delay_ms=900), line(1), line(2)) == Wait(50)


def test_barge_in_is_answered_at_once() -> None:
    cut = replace(PLAYING, cancelled_up_to=1)
    assert at(100, cut, line(1)) == Listen(Outcome.CUT)
    assert at(100, replace(cut, last_seq=2), line(1), line(2)) == Give(line(2), Outcome.CUT)


def test_barge_in_skips_what_was_cancelled() -> None:
    head = replace(PLAYING, last_seq=4, cancelled_up_to=3)
    assert at(100, head, *map(line, (1, 2, 3, 4))) == Give(line(4), Outcome.CUT)


def test_a_clip_that_is_over_was_not_cut_by_a_late_cancellation() -> None:
    assert at(CLIP_ENDS, replace(PLAYING, cancelled_up_to=1), line(1)) == Wait(50)


def test_a_clip_whose_end_the_flow_reported_is_over() -> None:
    head = replace(PLAYING, ended=Outcome.CUT)
    assert at(10, head, line(1), line(2)) == Give(line(2), Outcome.CUT)


def test_in_the_polling_form_nothing_plays_while_it_asks() -> None:
    assert at(10, PLAYING, line(1), line(2), ahead=False) == Give(line(2), Outcome.COMPLETED)


def test_an_action_that_is_no_clip_is_over_when_the_flow_asks() -> None:
    assert at(0, PLAYING, line(1, Say("Sorry.")), line(2)) == Give(line(2), Outcome.COMPLETED)


def test_a_clip_without_a_line_in_the_log_counts_as_over() -> None:
    assert at(0, PLAYING, line(2)) == Give(line(2), Outcome.COMPLETED)


def test_a_clip_longer_than_the_time_is_left_to_play_until_the_time_is_over() -> None:
    long = line(1, Play("https://x/y.wav", 60_000))
    assert at(20_999, PLAYING, long) == Wait(1)
    assert at(21_000, PLAYING, long) == Listen(Outcome.NONE)


def test_the_opening_is_a_clip_like_any_other() -> None:
    opening = replace(HEAD, opening_ms=2000, last_seq=1)
    assert at(CLIP_ENDS - 1, opening, line(1)) == Wait(1)
    assert at(CLIP_ENDS, opening, line(1)) == Give(line(1), Outcome.COMPLETED)
    assert at(100, replace(opening, opening_cancelled=True)) == Listen(Outcome.CUT)
    assert at(100, replace(opening, ended=Outcome.COMPLETED), line(1)) == Give(line(1), Outcome.COMPLETED)


def test_the_opening_of_a_second_attempt_is_not_cut_by_what_the_first_cancelled() -> None:
    second = replace(HEAD, opening_ms=2000, base_seq=5, last_seq=5, loaded=5, cancelled_up_to=5)
    assert at(100, second) == Wait(50)


def test_without_an_opening_nothing_came_before() -> None:
    assert at(0, replace(HEAD, last_seq=1), line(1)) == Give(line(1), Outcome.NONE)
    assert at(0, replace(HEAD, last_seq=1, opening_ms=2000), line(1), ahead=False) == Give(line(1), Outcome.NONE)


def test_what_is_cancelled_is_not_given() -> None:
    head = replace(HEAD, last_seq=2, cancelled_up_to=2)
    assert at(0, head, line(1), line(2)) == Wait(50)


def test_a_caller_who_is_gone_is_let_go() -> None:
    assert at(0, replace(PLAYING, disconnected_at_ms=T0), line(1)) == Leave("caller_gone", Outcome.NONE)


def test_nobody_took_the_call_for_6_s() -> None:
    waiting = replace(HEAD, state=CallState.WAITING, owner="", lease_until_ms=0)
    assert at(5999, waiting) == Wait(100)
    assert at(6000, waiting) == FailOver("no_gateway", Outcome.NONE)


@pytest.mark.parametrize("state", [CallState.ACTIVE, CallState.WAITING])
def test_the_gateway_is_lost_20_s_after_its_last_renewal(state: CallState) -> None:
    head = replace(HEAD, state=state)
    assert at(19_999, head) == Wait(100)
    assert at(20_000, head) == FailOver("gateway_lost", Outcome.NONE)


def test_what_a_lost_gateway_said_is_still_heard() -> None:
    assert at(25_000, replace(HEAD, last_seq=1), line(1)) == Give(line(1), Outcome.NONE)
    playing = replace(PLAYING, loaded_at_ms=T0 + 20_000)
    assert at(20_900, playing, line(1)) == Wait(50)


def test_an_ended_call_is_left() -> None:
    ended = replace(HEAD, state=CallState.ENDED, result=Result.ENDED, reason="goodbye")
    assert at(0, ended) == Leave("goodbye", Outcome.NONE)


@pytest.mark.parametrize("result", [r for r in Result if r is not Result.ENDED])
def test_any_other_end_takes_a_caller_who_is_still_there_to_a_human(result: Result) -> None:
    ended = replace(HEAD, state=CallState.ENDED, result=result, reason="deepgram_down")
    assert at(0, ended) == FailOver("deepgram_down", Outcome.NONE)
    assert at(0, replace(ended, reason="")) == FailOver("call_ended", Outcome.NONE)


def test_the_end_of_a_call_does_not_cut_the_last_words() -> None:
    ended = replace(PLAYING, state=CallState.ENDED, result=Result.ENDED, reason="goodbye", cancelled_up_to=1)
    assert at(100, ended, line(1)) == Wait(50)
    assert at(CLIP_ENDS, ended, line(1)) == Leave("goodbye", Outcome.COMPLETED)


def test_a_caller_who_came_back_from_our_own_transfer_is_not_sent_in_a_circle() -> None:
    ended = replace(HEAD, state=CallState.ENDED, result=Result.FAILED, reason="gateway_lost")
    assert at(0, ended, returned=Returned.CLOSED) == FailOver("gateway_lost", Outcome.NONE)
    again = replace(ended, failed_over_at_ms=T0)
    assert at(0, again) == FailOver("gateway_lost", Outcome.NONE)
    assert at(0, again, returned=Returned.CLOSED) == Leave("no_human", Outcome.NONE)


def test_a_call_is_unowned_while_it_waits_or_its_lease_has_expired() -> None:
    assert unowned(replace(HEAD, state=CallState.WAITING), T0)
    assert not unowned(HEAD, T0 + 7999)
    assert unowned(HEAD, T0 + 8000)
    assert not unowned(replace(HEAD, state=CallState.ENDED), T0 + 8000)


def test_a_lambda_with_little_time_left_holds_a_request_for_less() -> None:
    assert WAIT.within(24_000) == WAIT
    assert WAIT.within(12_000).block_ms == 10_000
    assert WAIT.within(1000).block_ms == 0


def test_a_clip_that_was_found_in_the_track_ends_when_it_really_ends() -> None:
    found = replace(PLAYING, heard_seq=PLAYING.loaded, heard_at_ms=T0 + 900, last_seq=2)
    ends = 900 + CLIP.duration_ms + WAIT.heard_margin_ms
    assert at(ends - 1, found, line(1), line(2)) == Wait(1)
    assert at(ends, found, line(1), line(2)) == Give(line(2), Outcome.COMPLETED)


def test_the_start_of_an_earlier_clip_says_nothing() -> None:
    earlier = replace(PLAYING, heard_seq=PLAYING.loaded - 1, heard_at_ms=T0 - 5000)
    assert at(CLIP_ENDS - 1, earlier, line(1)) == Wait(1)
