"""When the caller speaks, and when it hangs up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.caller.schedule import (
    AGENT_DONE_MS,
    FRAME_BYTES,
    FRAME_MS,
    HANG_UP_MS,
    NEW_SPEECH_MS,
    PATIENCE_MS,
    SILENCE,
    BadSchedule,
    Caller,
    Entry,
    Words,
    parse,
)

T = 1_790_000_000_000


def words(name: str, ms: int = 100, after_ms: int | None = None) -> Words:
    return Words(name, b"\x01\x02" * (ms * 8), after_ms)


class Agent:
    """Speaks at given times, in ms from the start."""

    def __init__(self, *spans: tuple[int, int]) -> None:
        self.spans = list(spans)

    def speaks(self, ms: int) -> bool:
        return any(since <= ms < until for since, until in self.spans)


def run(
    caller: Caller, agent: Agent, ms: int, each: Callable[[int, bytes], None] | None = None
) -> list[tuple[str, int]]:
    """Ticks of 20 ms; what was begun, and when, in ms from the start."""
    for at in range(0, ms, FRAME_MS):
        frame = caller.frame(T + at, agent_speaks=agent.speaks(at))
        assert len(frame) == FRAME_BYTES
        if each is not None:
            each(at, frame)
    return [(name, since - T) for name, since, _ in caller.spoken]


def hangs_up_at(caller: Caller, agent: Agent, limit_ms: int = 120_000) -> int:
    for at in range(0, limit_ms, FRAME_MS):
        caller.frame(T + at, agent_speaks=agent.speaks(at))
        if caller.wants_to_hang_up(T + at + FRAME_MS):
            return at + FRAME_MS
    raise AssertionError("never")


# -- parse -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a.wav", [Entry(Path("a.wav"))]),
        ("a.wav, b/c d.wav@+1.5 ,", [Entry(Path("a.wav")), Entry(Path("b/c d.wav"), 1_500)]),
        ("a.wav@+0", [Entry(Path("a.wav"), 0)]),
        ("a.wav,keys:47*1#,keys:1@+2", [Entry(Path("a.wav")), Entry(Path(), None, "47*1#"), Entry(Path(), 2000, "1")]),
        ("a.wav@+1.001,a.wav@+0.29", [Entry(Path("a.wav"), 1_001), Entry(Path("a.wav"), 290)]),
        ("A.WAV@+2", [Entry(Path("A.WAV"), 2_000)]),
        ("a.wav.wav@+3", [Entry(Path("a.wav.wav"), 3_000)]),
    ],
)
def test_a_schedule_is_a_list_of_files_and_times(text: str, entries: list[Entry]) -> None:
    assert parse(text) == entries


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("", ""),
        (" , ", " , "),
        ("a.mp3", "a.mp3"),
        ("a.wav,b", "b"),
        ("a.wav@1.5", "a.wav@1.5"),
        ("a.wav@+", "a.wav@+"),
        ("a.wav@+-1", "a.wav@+-1"),
        ("a.wav@+1s", "a.wav@+1s"),
        ("a.wav@+.5", "a.wav@+.5"),
        ("a.wav b.wav@+x", "a.wav b.wav@+x"),
        (".wav", ".wav"),
    ],
)
def test_what_is_no_schedule_is_named(text: str, item: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        parse(text)
    assert caught.value.item == item
    assert str(caught.value).startswith(f"CALLER: {item!r} is not FILE.wav or FILE.wav@+SECONDS")


# -- when to speak ---------------------------------------------------------------------------------------------


def test_the_caller_waits_until_the_agent_has_finished() -> None:
    assert run(Caller([words("a")]), Agent((1_000, 3_000)), 10_000) == [("a", 3_000 + AGENT_DONE_MS)]


def test_pauses_between_clips_are_not_the_end() -> None:
    agent = Agent((0, 1_000), (1_000 + AGENT_DONE_MS - FRAME_MS, 5_000))
    assert run(Caller([words("a")]), agent, 10_000) == [("a", 5_000 + AGENT_DONE_MS)]


def test_each_answer_is_waited_for() -> None:
    caller = Caller([words("a", 500), words("b", 500)])
    spoken = run(caller, Agent((0, 1_000), (4_000, 6_000)), 12_000)
    assert spoken == [("a", 1_000 + AGENT_DONE_MS), ("b", 6_000 + AGENT_DONE_MS)]
    assert [(until - since) for _, since, until in caller.spoken] == [500, 500]


def test_the_words_are_spoken_sample_by_sample_and_the_rest_is_silence() -> None:
    pcm = bytes(range(256)) * 3
    said = bytearray()
    caller = Caller([Words("a", pcm)])
    run(caller, Agent((0, 20)), 2_000, lambda at, frame: said.extend(frame))
    at = (20 + AGENT_DONE_MS) * 16
    assert said == bytes(at) + pcm + bytes(len(said) - at - len(pcm))
    assert caller.spoken == [("a", T + 20 + AGENT_DONE_MS, T + 20 + AGENT_DONE_MS + 48)]


def test_barge_in_comes_so_long_after_the_agent_began() -> None:
    assert run(Caller([words("a", after_ms=1_500)]), Agent((400, 9_000)), 5_000) == [("a", 1_900)]


def test_barge_in_of_no_delay_comes_with_the_agents_first_frame() -> None:
    assert run(Caller([words("a", after_ms=0)]), Agent((400, 9_000)), 5_000) == [("a", 400)]


def test_barge_in_counts_from_the_beginning_though_the_agent_is_done_before() -> None:
    assert run(Caller([words("a", after_ms=3_000)]), Agent((0, 500)), 5_000) == [("a", 3_000)]


def test_the_rest_of_what_was_interrupted_is_no_answer() -> None:
    agent = Agent((0, 2_400), (5_000, 7_000))  # goes on for half a second after the caller's words, then answers
    caller = Caller([words("a", 400, after_ms=1_500), words("b")])
    assert run(caller, agent, 12_000) == [("a", 1_500), ("b", 7_000 + AGENT_DONE_MS)]


def test_barge_in_into_an_answer_does_not_count_from_what_was_interrupted() -> None:
    agent = Agent((0, 2_400), (5_000, 9_000))
    caller = Caller([words("a", 400, after_ms=1_500), words("b", after_ms=1_000)])
    assert run(caller, agent, 12_000) == [("a", 1_500), ("b", 6_000)]


def test_speech_after_a_pause_is_an_answer() -> None:
    agent = Agent((0, 2_400), (2_400 + NEW_SPEECH_MS, 4_000))
    caller = Caller([words("a", 400, after_ms=1_500), words("b")])
    assert run(caller, agent, 8_000)[1] == ("b", 4_000 + AGENT_DONE_MS)


def test_an_agent_that_cannot_be_stopped_is_heard_out() -> None:
    caller = Caller([words("a", 400, after_ms=1_500), words("b")])
    assert run(caller, Agent((0, 20_000)), 30_000) == [("a", 1_500), ("b", 20_000 + AGENT_DONE_MS)]


# -- patience --------------------------------------------------------------------------------------------------


def test_a_caller_who_hears_nothing_speaks_anyway() -> None:
    caller = Caller([words("a", 200), words("b", 200)])
    assert run(caller, Agent(), 30_000) == [("a", PATIENCE_MS), ("b", 2 * PATIENCE_MS + 200)]


def test_patience_works_on_a_clock_that_begins_at_zero() -> None:
    caller = Caller([words("a")])
    frames = [caller.frame(at, agent_speaks=False) for at in range(0, PATIENCE_MS + FRAME_MS, FRAME_MS)]
    assert frames[-2] == SILENCE != frames[-1]
    assert caller.spoken == [("a", PATIENCE_MS, PATIENCE_MS + FRAME_MS)]


# -- hanging up ------------------------------------------------------------------------------------------------


def test_the_caller_hangs_up_after_its_own_last_word() -> None:
    agent = Agent((0, 1_000))
    assert hangs_up_at(Caller([words("a", 500)]), agent) == 1_000 + AGENT_DONE_MS + 500 + HANG_UP_MS


def test_the_caller_hangs_up_after_the_agents_last_word() -> None:
    agent = Agent((0, 1_000), (5_000, 9_000))
    assert hangs_up_at(Caller([words("a", 500)]), agent) == 9_000 + HANG_UP_MS


def test_a_caller_with_nothing_to_say_hangs_up_too() -> None:
    assert hangs_up_at(Caller([]), Agent()) == HANG_UP_MS
    assert hangs_up_at(Caller([], hang_up_ms=500), Agent((0, 1_000))) == 1_500


def test_a_caller_does_not_hang_up_before_the_first_frame_or_with_something_to_say() -> None:
    assert not Caller([]).wants_to_hang_up(T)
    caller = Caller([words("a", 500)], hang_up_ms=0)
    caller.frame(T, agent_speaks=False)
    assert not caller.wants_to_hang_up(T + 100_000)


def test_words_without_a_sample_are_over_at_once() -> None:
    caller = Caller([Words("a", b""), words("b")])
    assert [name for name, _ in run(caller, Agent((0, 100), (3_000, 3_100)), 10_000)] == ["a", "b"]


def test_keys_are_pressed_when_it_is_the_callers_turn_and_make_no_sound() -> None:
    caller = Caller([Words("keys", b"", keys="4711#")])
    now = 0
    while not caller.spoken:
        assert caller.pressed() == ""
        assert caller.frame(now, agent_speaks=False) == SILENCE
        now += FRAME_MS
    assert now >= PATIENCE_MS
    assert caller.pressed() == "4711#"
    assert caller.pressed() == ""
