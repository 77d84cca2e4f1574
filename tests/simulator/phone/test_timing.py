from __future__ import annotations

from dataclasses import replace

from simulator.phone import timing
from tests.simulator.phone.samples import FACTS, T0, TURNS, agent_turn, caller_turn, event, lookup, track


def test_an_answer_is_timed_on_the_recording() -> None:
    first, second = timing.answered(FACTS)

    assert (first.stopped_ms, first.received_ms, first.heard_ms) == (T0 + 6000, T0 + 8240, T0 + 9040)
    assert (second.stopped_ms, second.heard_ms) == (T0 + 13_000, T0 + 16_000)


def test_an_agent_turn_that_nobody_heard_is_no_answer() -> None:
    turns = (TURNS[1], replace(TURNS[2], marks={}), TURNS[4])

    assert [one.agent.number for one in timing.answered(replace(FACTS, turns=turns))] == [5]


def test_where_no_recording_is_near_the_records_own_times_count() -> None:
    facts = replace(FACTS, spoken=(), played=(), said=track(), heard=track())
    first, _ = timing.answered(facts)
    (found,) = timing.barge_ins(facts)

    assert (first.stopped_ms, first.heard_ms) == (T0 + 6000, T0 + 9040)
    assert (found.onset_ms, found.silent_ms) == (T0 + 11_000, T0 + 11_000)


def test_a_silent_recording_leaves_the_records_own_times() -> None:
    facts = replace(FACTS, said=track(), heard=track())
    first, _ = timing.answered(facts)
    (found,) = timing.barge_ins(facts)

    assert (first.stopped_ms, first.heard_ms, found.onset_ms) == (T0 + 6000, T0 + 9040, T0 + 11_000)


def test_a_recording_that_is_far_away_is_another_one() -> None:
    facts = replace(FACTS, spoken=(("later", T0 + 19_000, T0 + 19_500),))

    assert next(timing.answered(facts)).stopped_ms == T0 + 6000


def test_a_barge_in_ends_with_the_last_sound_of_what_there_was_to_play() -> None:
    (found,) = timing.barge_ins(FACTS)

    assert found.turn.number == 4
    assert (found.onset_ms, found.noticed_ms, found.told_ms) == (T0 + 11_000, T0 + 12_450, T0 + 12_480)
    assert found.silent_ms == T0 + 12_710, "the second clip had begun by then; the third answers the caller"


def test_a_flow_that_was_never_told_has_no_time_for_it() -> None:
    (found,) = timing.barge_ins(replace(FACTS, flow=(event(12_000, "lambda_returned", error=""),)))

    assert found.told_ms == 0


def test_the_first_word_is_the_first_sound() -> None:
    assert timing.first_word_ms(FACTS) == T0 + 400
    assert timing.first_word_ms(replace(FACTS, heard=track())) == 0


def test_an_agent_turn_that_the_record_has_no_time_of_has_not_begun() -> None:
    unheard = replace(agent_turn(6, "More.", 0, 0), marks={}, started_at_ms=0)

    assert timing.began_ms(FACTS, unheard) == 0


def test_while_the_call_goes_on_a_prompt_may_be_about_to_begin() -> None:
    before = replace(FACTS, played=())
    turn = TURNS[2]

    assert timing.began_ms(before, turn, now_ms=T0 + 9100) == 0
    assert list(timing.answered(replace(before, turns=TURNS[:3]), now_ms=T0 + 9100)) == []
    assert timing.began_ms(before, turn, now_ms=T0 + 12_000) == T0 + 9040
    assert timing.began_ms(FACTS, turn, now_ms=T0 + 9100) == T0 + 9040


def test_a_turn_was_understood_before_the_function_that_followed_from_it() -> None:
    turn = caller_turn(2, "Where is my order?", 4000, 6000)

    assert timing.understood_ms(FACTS, turn, T0 + 7200) == T0 + 7000
    assert timing.understood_ms(replace(FACTS, functions=()), turn, T0 + 7200) == T0 + 7200


def test_a_function_of_an_earlier_turn_tells_nothing_of_a_later_one() -> None:
    facts = replace(FACTS, functions=(lookup(),))

    assert timing.understood_ms(facts, TURNS[3], T0 + 14_000) == T0 + 14_000


def test_an_agent_that_is_on_the_line_itself_is_timed_on_the_line() -> None:
    facts = replace(FACTS, form="sip", played=())
    first, _ = timing.answered(facts)
    (found,) = timing.barge_ins(facts)

    assert first.heard_ms == T0 + 9040
    assert found.told_ms == 0
    assert T0 + 12_450 <= found.silent_ms <= T0 + 12_450 + timing.PACKETS_MS
