from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.turns import HeardSource, Role, Turn
from gateway.conversation.spoken import CHARACTER_MS, TORN, heard_share
from gateway.conversation.turns import (
    CUT_AHEAD_MS,
    MORE_MS,
    REPLY_GAP_MS,
    STALL_MS,
    TEXT_AHEAD_MS,
    Turns,
)
from gateway.legs.leg import PlaybackFinished

NOW = 1_000_000
TEXT = "Your order is on its way."


def only(turns: Turns) -> Turn:
    [turn] = turns.all()
    return turn


def finished(turns: Turns, stretch: int, position_ms: int, *, interrupted: bool = False) -> None:
    turns.playback_finished(stretch, position_ms, interrupted=interrupted, at_ms=NOW + 9000)


def spoken(turns: Turns, stretch: int, text: str, ms: int) -> None:
    """A reply with all of its audio."""
    turns.agent_said(text, NOW)
    turns.agent_audio(stretch, ms * 8, NOW)
    turns.agent_audio_done(NOW)


# --- heard_share


@pytest.mark.parametrize(
    ("position", "total", "heard"),
    [
        (0, 1000, ""),
        (-5, 1000, ""),
        (500, 0, ""),
        (1000, 1000, TEXT),
        (2000, 1000, TEXT),
        (40, 1000, ""),
        (160, 1000, "Your"),
        (200, 1000, "Your"),
        (430, 1000, "Your order"),
        (899, 1000, "Your order is on its"),
        (900, 1000, TEXT),
    ],
)
def test_the_share_is_cut_after_a_whole_word(position: int, total: int, heard: str) -> None:
    assert heard_share(TEXT, position, total) == heard


def test_any_white_space_separates_words() -> None:
    assert heard_share("one\ntwo\tthree", 600, 1000) == "one\ntwo"


def test_an_empty_text_has_no_share() -> None:
    assert heard_share("", 50, 100) == ""


@settings(max_examples=100, deadline=None)
@given(st.text("ab \n\t,", max_size=40), st.integers(1, 5000))
def test_the_share_only_grows_and_consists_of_whole_words(text: str, total: int) -> None:
    before = ""
    for position in range(0, total + total // 10 + 2, max(1, total // 25)):
        share = heard_share(text, position, total)
        assert text.startswith(share)
        assert len(share) >= len(before)
        assert share.split() == text.split()[: len(share.split())]
        before = share
    assert heard_share(text, total, total) == text


# --- who said what


def test_turns_are_numbered_in_the_order_in_which_they_begin() -> None:
    turns = Turns()
    turns.opening("Hello.", 600)
    turns.caller_said("Where is my order?", NOW, NOW + 900, {"caller_stopped": NOW + 900})
    spoken(turns, 1, TEXT, 2000)
    assert [(turn.number, turn.role, turn.text) for turn in turns.all()] == [
        (1, Role.VOICE_AGENT, "Hello."),
        (2, Role.CALLER, "Where is my order?"),
        (3, Role.VOICE_AGENT, TEXT),
    ]


def test_a_caller_turn_knows_its_times() -> None:
    turns = Turns()
    marks = {"caller_stopped": NOW + 900}
    turns.caller_said("Hi.", NOW, NOW + 900, marks)
    marks["later"] = 1
    turn = only(turns)
    assert (turn.started_at_ms, turn.ended_at_ms, turn.heard_ms) == (NOW, NOW + 900, 900)
    assert turn.marks == {"caller_stopped": NOW + 900}
    assert (turns.caller_turns, turns.last_caller_text) == (1, "Hi.")


def test_a_caller_turn_whose_onset_was_noticed_late_has_no_negative_length() -> None:
    turns = Turns()
    turns.caller_said("Hi.", NOW + 5, NOW, {})
    assert only(turns).heard_ms == 0


def test_only_what_changed_is_told_and_once() -> None:
    turns = Turns()
    assert turns.changed() == []
    spoken(turns, 1, TEXT, 2000)
    turns.caller_said("Hi.", NOW, NOW, {})
    assert [turn.number for turn in turns.changed()] == [1, 2]
    assert turns.changed() == []
    finished(turns, 1, 2000)
    assert [turn.number for turn in turns.changed()] == [1]


def test_numbers_go_on_after_those_of_another_gateway() -> None:
    earlier = [Turn(1, Role.VOICE_AGENT, "Hello."), Turn(2, Role.CALLER, "Hi."), Turn(3, Role.CALLER, "You there?")]
    turns = Turns(earlier=earlier)
    turns.caller_said("Hello?", NOW, NOW, {})
    assert [turn.number for turn in turns.all()] == [1, 2, 3, 4]
    assert turns.caller_turns == 3
    assert [turn.number for turn in turns.changed()] == [4]
    assert Turns(earlier=earlier).last_caller_text == "You there?"
    assert Turns(7, earlier).caller_turns == 2


# --- text and audio in any order


@pytest.mark.parametrize("order", ["text first", "audio first", "between"])
def test_text_and_audio_come_in_any_order(order: str) -> None:
    turns = Turns()
    if order == "text first":
        turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 8000, NOW)
    if order == "between":
        turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 8000, NOW + 20)
    if order == "audio first":
        turns.agent_said(TEXT, NOW)
    turns.agent_audio_done(NOW)
    turns.playback_started(1, NOW + 700)
    finished(turns, 1, 2000)
    turn = only(turns)
    assert (turn.text, turn.heard_text, turn.heard_ms) == (TEXT, TEXT, 2000)
    assert turn.marks == {"agent_audio_received": NOW, "heard_by_caller": NOW + 700}
    assert (turn.started_at_ms, turn.ended_at_ms, turn.interrupted) == (NOW + 700, NOW + 9000, False)


def test_two_sentences_of_one_stretch_are_one_turn() -> None:
    turns = Turns()
    spoken(turns, 1, "One moment.", 1000)
    spoken(turns, 1, "Here it is.", 1000)
    finished(turns, 1, 1000, interrupted=True)
    turn = only(turns)
    assert turn.text == "One moment. Here it is."
    assert turn.heard_text == "One moment."
    assert turns.last_agent_text == "Here it is."
    assert turns.reply_text == "One moment. Here it is."


def test_a_sentence_that_came_ahead_of_its_audio_belongs_to_the_next_stretch() -> None:
    turns = Turns()
    spoken(turns, 1, "One moment.", 1000)
    turns.agent_said("Here it is.", NOW + 300)
    finished(turns, 1, 1000)
    turns.agent_audio(2, 8000, NOW + 400)
    assert [turn.text for turn in turns.all()] == ["One moment.", "Here it is."]
    assert [turn.heard_text for turn in turns.all()] == ["One moment.", ""]


def test_a_sentence_that_came_behind_its_audio_stays_there() -> None:
    turns = Turns()
    turns.agent_audio(1, 8000, NOW)
    turns.agent_audio_done(NOW)
    turns.agent_said("Are you still there?", NOW)
    finished(turns, 1, 1000)
    turns.agent_audio(2, 8000, NOW + TEXT_AHEAD_MS + 1)
    assert [turn.text for turn in turns.all()] == ["Are you still there?", ""]


def test_a_sentence_during_its_audio_stays_there() -> None:
    turns = Turns()
    turns.agent_audio(1, 8000, NOW)
    turns.agent_said("Hello.", NOW)
    turns.agent_audio_done(NOW)
    finished(turns, 1, 1000)
    turns.agent_audio(2, 8000, NOW + 10)
    assert [turn.text for turn in turns.all()] == ["Hello.", ""]


def test_a_sentence_after_the_caller_heard_the_end_is_a_new_turn() -> None:
    turns = Turns()
    spoken(turns, 1, "One moment.", 1000)
    finished(turns, 1, 1000)
    spoken(turns, 2, "Here it is.", 1000)
    assert [turn.text for turn in turns.all()] == ["One moment.", "Here it is."]


def test_audio_of_a_stretch_goes_on_after_a_turn_of_the_caller() -> None:
    turns = Turns()
    spoken(turns, 1, "One.", 1000)
    turns.caller_said("Hm.", NOW, NOW, {})
    turns.agent_audio(1, 8000, NOW)
    finished(turns, 1, 2000)
    assert [turn.heard_ms for turn in turns.all()] == [2000, 0]


# --- what was heard


def test_a_reply_that_was_never_played_was_not_heard() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 16_000, NOW)
    finished(turns, 1, 0, interrupted=True)
    turn = only(turns)
    assert (turn.heard_text, turn.heard_ms, turn.interrupted) == ("", 0, True)


def test_a_reply_without_any_audio_was_not_heard() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.caller_said("Hm.", NOW, NOW, {})
    reply, _ = turns.all()
    assert (reply.heard_text, reply.interrupted) == ("", True)


def test_the_opening_counts_with_its_known_length() -> None:
    turns = Turns()
    turns.opening("Good day to you", 1500)
    finished(turns, 0, 750, interrupted=True)
    assert only(turns).heard_text == "Good"
    turns.measured(0, 1500, HeardSource.MEASURED)
    assert only(turns).heard_text == "Good day to you"


def test_dropped_audio_of_a_cancelled_reply_counts_for_the_share() -> None:
    turns = Turns()
    turns.agent_audio_dropped(8)  # nothing was said yet
    spoken(turns, 1, TEXT, 1000)
    turns.agent_audio_dropped(8000)
    finished(turns, 1, 1000, interrupted=True)
    assert only(turns).heard_text == "Your order"


def test_a_text_whose_audio_was_never_sent_to_its_end_is_shared_by_the_pace_of_the_voice() -> None:
    turns = Turns()
    turns.opening("x" * 10, 1000)
    turns.agent_said("aaaa bbbb cccc dddd", NOW)  # 1.9 s at this voice's pace
    turns.agent_audio(1, 8000, NOW)
    finished(turns, 1, 1000, interrupted=True)
    assert turns.all()[1].heard_text == "aaaa bbbb"


@pytest.mark.parametrize("cut_first", [True, False])
def test_what_was_announced_as_all_because_the_caller_spoke_was_not_all(cut_first: bool) -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    for step in (turns.cut, turns.agent_audio_done) if cut_first else (turns.agent_audio_done, turns.cut):
        step(NOW)
    finished(turns, 1, 800, interrupted=True)
    assert only(turns).heard_text == "Your order"  # 800 of about 1600 ms


def test_what_was_announced_as_all_long_before_the_caller_spoke_was_all() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 800)
    turns.cut(NOW + CUT_AHEAD_MS + 1)
    finished(turns, 1, 800, interrupted=True)
    assert only(turns).heard_text == TEXT


def test_the_pace_of_an_unknown_voice_is_that_of_a_usual_one() -> None:
    turns = Turns()
    turns.agent_said("aaaa bbbb cccc dddd", NOW)
    turns.agent_audio(1, 8, NOW)
    finished(turns, 1, CHARACTER_MS * 5, interrupted=True)
    assert only(turns).heard_text == "aaaa"


def test_the_pace_is_learned_from_what_was_spoken_to_its_end() -> None:
    turns = Turns()
    spoken(turns, 1, "x" * 10, 2000)
    finished(turns, 1, 2000)
    turns.agent_said("aaaa bbbb", NOW)
    turns.agent_audio(2, 8, NOW)
    finished(turns, 2, 900, interrupted=True)
    assert turns.all()[1].heard_text == "aaaa"


def test_a_measure_amends_a_turn_and_names_its_source() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1000)
    finished(turns, 1, 1000)
    turns.measured(1, 500, HeardSource.MEASURED)
    turn = only(turns)
    assert (turn.heard_ms, turn.heard_text, turn.heard_source) == (500, "Your order", HeardSource.MEASURED)


def test_events_of_unknown_stretches_are_passed_over() -> None:
    turns = Turns()
    turns.playback_started(4, NOW)
    finished(turns, 4, 100)
    turns.measured(4, 100, HeardSource.MEASURED)
    assert turns.all() == []


def test_a_turn_that_was_handed_out_does_not_change_any_more() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1000)
    before = only(turns)
    turns.playback_started(1, NOW)
    assert "heard_by_caller" not in before.marks


# --- after a cough


def test_a_replayed_tail_is_the_same_turn() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 2000)
    turns.playback_started(1, NOW)
    finished(turns, 1, 500, interrupted=True)
    turns.replayed(2, of_stretch=1, from_ms=500)
    turns.playback_started(2, NOW + 4000)
    assert not only(turns).interrupted
    finished(turns, 2, 1500)
    turn = only(turns)
    assert (turn.heard_ms, turn.heard_text, turn.interrupted) == (2000, TEXT, False)
    assert turn.started_at_ms == NOW


def coughed_into() -> Turns:
    """A voice in real time, which sends no more because of the cough; what it had sent is heard."""
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    turns.cut(NOW + 600)
    finished(turns, 1, 600, interrupted=True)
    turns.replayed(2, of_stretch=1, from_ms=600)
    finished(turns, 2, 200)
    return turns


def test_a_reply_that_ended_with_a_cough_was_interrupted_though_all_of_it_was_heard_that_there_is() -> None:
    turn = only(coughed_into())
    assert (turn.heard_ms, turn.heard_text, turn.interrupted) == (800, "Your order", True)


def test_what_is_said_after_a_reply_that_ended_with_a_cough_is_another_one() -> None:
    turns = coughed_into()
    turns.agent_said("Are you still there?", NOW + 1000)
    assert [turn.text for turn in turns.all()] == [TEXT, "Are you still there?"]


def test_a_reply_that_ended_with_a_cough_says_nothing_of_how_the_voice_ends() -> None:
    turns = coughed_into()
    turns.caller_said("Yes?", NOW, NOW, {})
    without_an_end(turns, 3, 1200)  # the first one of those: it is taken to have stalled
    assert heard_of_agent(turns)[1:] == ["Your order is on"]


def test_a_reply_that_goes_on_after_a_cough_was_not_interrupted() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    turns.cut(NOW + 600)
    finished(turns, 1, 600, interrupted=True)
    turns.replayed(2, of_stretch=1, from_ms=600)
    turns.agent_audio(2, 800 * 8, NOW + 900)
    turns.agent_audio_done(NOW + 900)
    finished(turns, 2, 1000)
    assert (only(turns).heard_text, only(turns).interrupted) == (TEXT, False)


def test_a_replayed_tail_may_be_interrupted_again() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 2000)
    finished(turns, 1, 500, interrupted=True)
    turns.replayed(2, of_stretch=1, from_ms=500)
    finished(turns, 2, 500, interrupted=True)
    turns.measured(1, 100, HeardSource.MEASURED)  # of the first part: comes too late
    assert only(turns).heard_text == "Your order"
    turns.replayed(3, of_stretch=2, from_ms=500)
    turns.agent_audio(3, 800, NOW)
    finished(turns, 3, 1100)
    assert only(turns).heard_ms == 2100


def test_a_tail_of_nothing_known_is_a_turn_of_its_own() -> None:
    turns = Turns()
    turns.replayed(2, of_stretch=1, from_ms=500)
    finished(turns, 2, 100)
    assert only(turns).heard_ms == 600


def test_there_is_no_reply_at_first() -> None:
    assert Turns().reply_text == ""


# --- a voice that falls silent in mid-reply


def stalled() -> Turns:
    """Half of a reply, heard to its last sample, and nobody said that it was all."""
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    finished(turns, 1, 800)
    return turns


def test_of_a_voice_that_falls_silent_as_much_was_heard_as_it_may_have_said() -> None:
    turn = only(stalled())
    assert (turn.heard_text, turn.interrupted) == ("Your order", False)


def without_an_end(turns: Turns, stretch: int, ms: int = 1300) -> None:
    """A reply that is heard, and no AgentAudioDone; 1300 ms are a little less than it usually takes."""
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(stretch, ms * 8, NOW)
    finished(turns, stretch, ms)
    turns.caller_said("Yes?", NOW, NOW, {})


def heard_of_agent(turns: Turns) -> list[str]:
    return [turn.heard_text for turn in turns.all() if turn.role is Role.VOICE_AGENT]


def test_a_reply_that_nobody_called_whole_is_taken_for_a_part_though_its_length_is_nearly_right() -> None:
    turns = Turns()
    without_an_end(turns, 1)
    assert heard_of_agent(turns) == ["Your order is on its"]


def test_a_voice_agent_that_never_says_that_it_was_all_is_believed_by_the_length() -> None:
    """What was written of its first replies is amended."""
    turns = Turns()
    without_an_end(turns, 1)
    turns.changed()
    without_an_end(turns, 2)
    assert [turn.heard_text for turn in turns.changed() if turn.role is Role.VOICE_AGENT] == [TEXT, TEXT]
    without_an_end(turns, 3, 800)
    assert heard_of_agent(turns) == [TEXT, TEXT, "Your order"]


def test_one_that_says_it_again_is_expected_to_do_so() -> None:
    turns = Turns()
    without_an_end(turns, 1)
    without_an_end(turns, 2)
    for stretch in (3, 4):
        spoken(turns, stretch, TEXT, 1600)
        finished(turns, stretch, 1600)
        turns.caller_said("Yes?", NOW, NOW, {})
    without_an_end(turns, 5)
    assert heard_of_agent(turns)[2:] == [TEXT, TEXT, "Your order is on its"]


def test_a_gateway_that_takes_over_knows_the_voice_from_what_was_heard_before() -> None:
    """80 ms for a character instead of 65."""
    earlier = [Turn(1, Role.VOICE_AGENT, TEXT, NOW, NOW, 80 * len(TEXT), heard_text=TEXT)]
    turns = Turns(earlier=earlier)
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 1300 * 8, NOW)
    finished(turns, 1, 1300)
    assert turns.all()[-1].heard_text == "Your order is on"


def test_a_voice_that_finds_its_words_again_goes_on_with_its_reply() -> None:
    turns = stalled()
    turns.agent_audio(2, 400 * 8, NOW + 5000)
    turns.agent_said("It comes today.", NOW + 5100)
    turns.agent_audio(2, 1400 * 8, NOW + 5200)
    turns.agent_audio_done(NOW + 5200)
    turns.playback_finished(2, 1000, interrupted=True, at_ms=NOW + 7000)
    turn = only(turns)
    assert turn.text == f"{TEXT} It comes today."
    assert turn.heard_ms == 1800
    assert turn.heard_text == "Your order is on its way. It"


def test_a_sentence_that_follows_a_stall_belongs_to_the_reply() -> None:
    turns = stalled()
    turns.agent_said("It comes today.", NOW + STALL_MS - 1)
    assert only(turns).text == f"{TEXT} It comes today."


def test_what_is_said_long_after_a_stall_is_another_reply() -> None:
    turns = stalled()
    turns.agent_said("Are you still there?", NOW + STALL_MS)
    turns.agent_audio(2, 1300 * 8, NOW + STALL_MS)
    assert [turn.text for turn in turns.all()] == [TEXT, "Are you still there?"]


@pytest.mark.parametrize(("later", "torn"), [(STALL_MS - 1, True), (STALL_MS, False)])
def test_a_reply_that_stalled_when_its_session_was_lost_is_said_again(later: int, torn: bool) -> None:
    turns = stalled()
    turns.session_lost(NOW + later)
    assert turns.remembered()[-1].heard_text == ("" if torn else "Your order")
    assert not turns.torn  # nothing of it is on its way


@pytest.mark.parametrize(
    ("ms", "later", "torn"),
    [
        (1200, MORE_MS + 1199, True),
        (1200, MORE_MS + 1200, False),
        (1400, 0, True),
        (1500, 0, False),
        (800, 20_000, True),  # a dead line is found so late
    ],
)
def test_more_may_have_been_on_its_way_behind_what_was_announced_as_all(ms: int, later: int, torn: bool) -> None:
    """A voice in real time sends its next frame when the last one is over."""
    turns = Turns()
    spoken(turns, 1, TEXT, ms)
    turns.session_lost(NOW + later)
    assert turns.torn is torn
    finished(turns, 1, ms)
    assert (only(turns).heard_text == TEXT) is not torn


@pytest.mark.parametrize(("later", "same"), [(MORE_MS + 799, True), (MORE_MS + 800, False)])
def test_a_reply_that_goes_on_behind_what_was_announced_as_all_is_one_turn(later: int, same: bool) -> None:
    """A call over SIP hears a reply as fast as it comes, and has heard half of it by then."""
    turns = Turns()
    spoken(turns, 1, TEXT, 800)
    finished(turns, 1, 800)
    turns.agent_audio(2, 800 * 8, NOW + later)
    turns.agent_audio_done(NOW + later)
    finished(turns, 2, 800)
    heard = [(turn.text, turn.heard_ms) for turn in turns.all()]
    assert heard == ([(TEXT, 1600)] if same else [(TEXT, 800), ("", 800)])


def test_of_a_reply_that_went_on_the_voices_pace_is_learned_once() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 800)
    finished(turns, 1, 800)
    turns.agent_audio(2, 800 * 8, NOW + 10)
    turns.agent_audio_done(NOW + 10)
    finished(turns, 2, 800)
    turns.caller_said("Yes?", NOW, NOW, {})
    without_an_end(turns, 3, 1300)
    assert heard_of_agent(turns) == [TEXT, "Your order is on its"]


def test_a_stalled_reply_that_is_torn_says_nothing_of_how_the_voice_ends() -> None:
    turns = stalled()
    turns.session_lost(NOW + 100)
    without_an_end(turns, 2, 1200)  # the first one of those: it is taken to have stalled
    assert heard_of_agent(turns)[1:] == ["Your order is on"]


def test_a_reply_that_stalled_and_went_on_is_counted_once() -> None:
    turns = stalled()
    turns.agent_audio(2, 400 * 8, NOW + 100)
    finished(turns, 2, 400)
    assert heard_of_agent(turns) == ["Your order is on"]


def test_a_reply_that_stalls_before_it_was_heard_is_torn_with_its_session() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    turns.session_lost(NOW + 2 * REPLY_GAP_MS)
    assert turns.torn


def test_a_reply_that_goes_on_behind_an_end_that_can_hardly_be_one_is_one_turn() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 300)
    finished(turns, 1, 300)
    turns.agent_audio(2, 1300 * 8, NOW + STALL_MS - 1)
    turns.agent_audio_done(NOW + STALL_MS)
    finished(turns, 2, 1300)
    assert (only(turns).heard_ms, only(turns).heard_text) == (1600, TEXT)


# --- a session that is lost


def test_a_reply_whose_session_is_lost_amid_its_audio_was_not_heard_whole() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    turns.session_lost(NOW + 100)
    assert turns.torn
    finished(turns, 1, 800)
    assert only(turns).heard_text == "Your order"  # 800 of about 1600 ms
    assert only(turns).interrupted
    assert not turns.torn


def test_a_torn_reply_is_said_again_and_what_comes_next_is_a_turn_of_its_own() -> None:
    turns = Turns()
    turns.caller_said("Where is my order?", NOW, NOW, {})
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    turns.session_lost(NOW + 100)
    assert [turn.heard_text for turn in turns.remembered()] == ["", ""]
    turns.agent_said("It is on its way.", NOW + 900)
    assert [turn.text for turn in turns.all()][1:] == [TEXT, "It is on its way."]
    assert [turn.heard_text for turn in turns.remembered()][1:] == ["", ""]  # only the last one may be coming


def test_a_reply_that_nobody_called_whole_is_said_again_however_long_it_is() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 1600 * 8, NOW)
    turns.session_lost(NOW + REPLY_GAP_MS)
    assert turns.torn


@pytest.mark.parametrize(("later", "torn"), [(REPLY_GAP_MS - 1, True), (REPLY_GAP_MS, False)])
def test_of_one_who_never_says_so_the_next_audio_is_waited_for(later: int, torn: bool) -> None:
    turns = Turns()
    without_an_end(turns, 1)
    without_an_end(turns, 2)
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(3, 1600 * 8, NOW)
    turns.session_lost(NOW + later)
    assert turns.torn is torn


def test_a_reply_that_was_all_there_is_not_said_again() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.session_lost(NOW + 10)
    assert not turns.torn
    assert turns.remembered()[-1].heard_text == TEXT  # it is on its way to the caller
    assert only(turns).heard_text == ""  # which the record does not claim before


def test_of_what_the_caller_spoke_into_a_new_session_knows_about_what_was_heard() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.playback_started(1, NOW + 200)
    turns.cut(NOW + 1000)
    turns.session_lost(NOW + 1010)
    assert turns.remembered()[-1].heard_text == "Your order"
    finished(turns, 1, 900, interrupted=True)
    assert turns.remembered()[-1].heard_text == only(turns).heard_text == "Your order is"


def test_what_was_cut_before_its_first_sample_was_not_heard() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.cut(NOW + 10)
    assert turns.remembered()[-1].heard_text == ""


def test_with_nothing_said_there_is_nothing_to_tear() -> None:
    turns = Turns()
    turns.session_lost(NOW)
    turns.cut(NOW)
    assert turns.remembered() == []
    assert not turns.torn
    turns.agent_said(TEXT, NOW)  # without audio
    turns.session_lost(NOW)
    assert turns.remembered()[-1].heard_text == ""
    turns.agent_said("Once more.", NOW)
    assert [turn.text for turn in turns.all()] == [TEXT, "Once more."]
    turns.caller_said("Hello?", NOW, NOW, {})
    assert [turn.text for turn in turns.remembered()] == [TEXT, "Once more.", "Hello?"]


@pytest.mark.parametrize(("ms", "heard"), [(400, "Your"), (500, TEXT)])
def test_what_is_announced_as_all_cannot_be_all_if_nobody_speaks_so_fast(ms: int, heard: str) -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, ms)
    finished(turns, 1, ms)
    assert only(turns).heard_text == heard


# --- a reply that follows another one without a pause, from the next session


GREETING = "Good day. How can I help you?"


def said_again(*, started: bool = True) -> Turns:
    """A greeting of which 800 ms had come when its session was lost, and the whole of it from the next one, in the same
    stretch."""
    turns = Turns()
    turns.agent_said(GREETING, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    if started:
        turns.playback_started(1, NOW + 100)
    turns.session_lost(NOW + 200)
    spoken(turns, 1, GREETING, 2000)
    if not started:
        turns.playback_started(1, NOW + 100)
    return turns


@pytest.mark.parametrize("started", [True, False])
def test_what_is_said_again_is_a_turn_of_its_own_in_the_same_stretch(started: bool) -> None:
    turns = said_again(started=started)
    assert not turns.torn  # the newest is not
    finished(turns, 1, 2800)
    first, second = turns.all()
    assert (first.heard_ms, first.interrupted, first.heard_text) == (800, True, "Good day.")
    assert (second.heard_ms, second.interrupted, second.heard_text) == (2000, False, GREETING)
    assert (first.started_at_ms, second.started_at_ms) == (NOW + 100, NOW + 900)
    assert (first.ended_at_ms, second.ended_at_ms) == (NOW + 7000, NOW + 9000)
    assert second.marks["heard_by_caller"] == NOW + 900


def test_a_turn_that_begins_after_the_audio_before_it_has_run_out_begins_when_it_comes() -> None:
    turns = Turns()
    spoken(turns, 1, GREETING, 800)
    turns.playback_started(1, NOW - 5000)
    turns.session_lost(NOW)
    spoken(turns, 1, TEXT, 2000)
    assert turns.all()[1].started_at_ms == NOW


@pytest.mark.parametrize(
    ("position_ms", "of_first", "of_second"), [(400, 400, 0), (800, 800, 0), (1300, 800, 500), (2800, 800, 2000)]
)
def test_where_the_stretch_is_left_tells_how_much_of_each_was_heard(
    position_ms: int, of_first: int, of_second: int
) -> None:
    turns = said_again()
    finished(turns, 1, position_ms, interrupted=True)
    assert [turn.heard_ms for turn in turns.all()] == [of_first, of_second]
    assert bool(turns.all()[1].started_at_ms) is bool(of_second)
    turns.measured(1, 2800 - position_ms, HeardSource.MEASURED)
    assert sum(turn.heard_ms for turn in turns.all()) == 2800 - position_ms


def test_what_was_heard_out_is_not_interrupted_by_what_cuts_the_next_one() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 2000)
    turns.session_lost(NOW + 5000)
    spoken(turns, 1, GREETING, 2000)
    finished(turns, 1, 3000, interrupted=True)
    assert [turn.interrupted for turn in turns.all()] == [False, True]
    assert turns.all()[0].heard_text == TEXT


@pytest.mark.parametrize("from_ms", [300, 800, 1300])
def test_after_a_cough_both_go_on(from_ms: int) -> None:
    turns = said_again()
    finished(turns, 1, from_ms, interrupted=True)
    turns.replayed(2, of_stretch=1, from_ms=from_ms)
    turns.playback_started(2, NOW + 20_000)
    finished(turns, 2, 2800 - from_ms)
    assert [turn.heard_ms for turn in turns.all()] == [800, 2000]
    assert turns.all()[1].heard_text == GREETING


def test_what_a_lost_session_has_said_is_cut_like_anything_else() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 2000)
    turns.playback_started(1, NOW)
    turns.session_lost(NOW + 300)
    turns.cut(NOW + 1000)
    assert turns.remembered()[0].heard_text == "Your order"
    finished(turns, 1, 1000, interrupted=True)
    turns.cut(NOW + 2000)  # nothing is under way any more
    assert turns.remembered()[0].heard_text == "Your order"


# --- another gateway goes on


def end(stretch: int, position_ms: int, *, interrupted: bool = False) -> PlaybackFinished:
    return PlaybackFinished(stretch, position_ms, interrupted, NOW + 3000)


@pytest.mark.parametrize(
    ("position_ms", "heard", "torn"),
    [(1600, TEXT, False), (1510, TEXT, False), (800, "Your order", True), (0, "", True)],
)
def test_what_is_on_its_way_when_the_call_is_given_away_counts_as_heard(
    position_ms: int, heard: str, torn: bool
) -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.playback_started(1, NOW + 200)
    turns.handed_on(end(1, position_ms))
    turn = only(turns)
    assert (turn.heard_ms, turn.ended_at_ms) == (position_ms, NOW + 3000)
    assert heard.startswith(turn.heard_text)
    assert len(turn.heard_text) >= len(heard) - len(" way.")
    assert turn.interrupted is torn
    assert Turns(2, [turn]).remembered()[-1].heard_text == ("" if torn else turn.heard_text)


def test_a_reply_of_which_nothing_was_on_its_way_is_said_by_the_next_gateway() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.handed_on(None)
    assert TORN in only(turns).marks


def test_what_the_caller_spoke_into_is_not_said_again_by_the_next_gateway() -> None:
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.cut(NOW + 500)
    turns.handed_on(end(1, 500, interrupted=True))
    assert TORN not in only(turns).marks


def test_what_was_over_before_the_call_was_given_away_stays_as_it_was() -> None:
    turns = Turns()
    turns.handed_on(None)
    spoken(turns, 1, TEXT, 1600)
    finished(turns, 1, 900)
    before = turns.all()
    turns.handed_on(None)
    assert turns.all() == before


def test_a_torn_reply_that_the_caller_has_gone_on_from_is_not_said_again() -> None:
    turns = Turns()
    turns.agent_said(TEXT, NOW)
    turns.agent_audio(1, 800 * 8, NOW)
    turns.session_lost(NOW + 100)
    finished(turns, 1, 800)
    torn = only(turns)
    assert TORN in torn.marks
    later = Turn(2, Role.CALLER, "Hello?", NOW, NOW)
    assert Turns(3, [torn, later]).remembered()[0].heard_text == torn.heard_text


def test_a_reply_that_was_heard_on_after_it_was_cut_ended_later() -> None:
    """The flow did not leave its prompt."""
    turns = Turns()
    spoken(turns, 1, TEXT, 1600)
    turns.playback_started(1, NOW)
    turns.playback_finished(1, 700, interrupted=True, at_ms=NOW + 700)
    turns.measured(1, 1600, HeardSource.MEASURED)
    assert only(turns).ended_at_ms == NOW + 1600
    turns.measured(1, 1500, HeardSource.MEASURED)
    assert only(turns).ended_at_ms == NOW + 1600
