from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.legs.kvs.clips import INTERRUPTIBLE, KEPT_PAUSE_BYTES, POLLING, Clip, ClipCutter, ClipLimits
from tests.gateway.sounds import quiet, speech, tone

NOW = 1_000_000
BOTH = pytest.mark.parametrize("limits", [INTERRUPTIBLE, POLLING])


def cutter(audio: bytes = b"", limits: ClipLimits = INTERRUPTIBLE, start: int = 0) -> ClipCutter:
    made = ClipCutter(limits, start)
    if audio:
        made.push(audio, NOW)
    return made


def ms(clip: Clip | None) -> tuple[int, int] | None:
    return None if clip is None else (clip.start // 8, clip.end // 8)


# --- the first clip


def test_nothing_is_cut_from_nothing() -> None:
    assert cutter().first_clip(NOW) is None
    assert cutter().first_due_ms() is None
    assert cutter().next_clip() is None
    assert cutter().in_hand == 0


def test_less_than_a_second_waits() -> None:
    short = cutter(tone(980))
    assert short.first_clip(NOW + 9000) is None
    assert short.first_due_ms() is None


def test_a_pause_after_a_second_is_cut_at_once() -> None:
    assert ms(cutter(tone(1200) + quiet(200) + tone(500)).first_clip(NOW)) == (0, 1400)


def test_a_pause_before_a_second_is_not_enough() -> None:
    assert cutter(tone(500) + quiet(200) + tone(500)).first_clip(NOW) is None


def test_a_short_gap_is_no_pause() -> None:
    assert cutter(tone(1200) + quiet(140) + tone(500)).first_clip(NOW) is None


def test_the_last_pause_in_hand_makes_the_longest_first_clip() -> None:
    audio = tone(1200) + quiet(200) + tone(800) + quiet(200) + tone(300)
    assert ms(cutter(audio).first_clip(NOW)) == (0, 2400)


def test_what_stays_of_a_pause_is_short() -> None:
    clip = cutter(tone(1200) + quiet(600) + tone(200)).first_clip(NOW)
    assert clip is not None
    assert (clip.end, len(clip.ulaw)) == (1800 * 8, 1200 * 8 + KEPT_PAUSE_BYTES)
    assert clip.duration_ms == 1240


def test_a_reply_that_has_stopped_coming_is_left_whole() -> None:
    whole = cutter(tone(2000))
    assert whole.first_due_ms() == NOW + 400
    assert whole.first_clip(NOW + 399) is None
    assert ms(whole.first_clip(NOW + 400)) == (0, 2000)


def test_a_reply_that_still_comes_is_cut_at_its_quietest_place_in_the_end() -> None:
    coming = cutter(tone(1500) + tone(20, 300) + tone(500))
    coming.push(tone(20), NOW + 700)
    assert coming.first_due_ms() == NOW + 800
    assert coming.first_clip(NOW + 799) is None
    assert ms(coming.first_clip(NOW + 800)) == (0, 1520)


def test_a_finished_reply_is_one_clip_however_short() -> None:
    short = cutter(tone(300))
    short.finish()
    assert ms(short.first_clip(NOW)) == (0, 300)
    assert short.first_clip(NOW) is None


@BOTH
def test_the_first_clip_keeps_to_the_limit(limits: ClipLimits) -> None:
    for audio in (tone(40_000), tone(20_000) + quiet(300) + tone(100)):
        clip = cutter(audio, limits).first_clip(NOW + 5000)
        assert clip is not None
        assert clip.duration_ms <= limits.longest_ms


def test_a_stretch_may_begin_in_the_middle() -> None:
    made = cutter(tone(300), start=8000)
    made.finish()
    assert ms(made.next_clip()) == (1000, 1300)


# --- the clips after it


def test_the_next_clip_ends_at_the_last_pause() -> None:
    assert ms(cutter(tone(1200) + quiet(200) + tone(900) + quiet(200) + tone(400)).next_clip()) == (0, 2500)


def test_without_a_pause_the_next_clip_ends_at_the_quietest_place_after_four_seconds() -> None:
    assert ms(cutter(tone(3000) + tone(20, 250) + tone(2000) + tone(20, 400) + tone(500)).next_clip()) == (0, 5040)


def test_without_a_pause_a_little_audio_is_cut_in_its_second_half() -> None:
    assert ms(cutter(tone(100) + tone(20, 250) + tone(1200) + tone(20, 400) + tone(300)).next_clip()) == (0, 1340)


def test_little_audio_waits_unless_it_is_urgent() -> None:
    little = cutter(tone(600))
    assert little.next_clip() is None
    clip = little.next_clip(urgent=True)
    assert clip is not None
    assert 300 <= clip.duration_ms <= 600


def test_hardly_any_audio_waits_even_so() -> None:
    assert cutter(tone(100)).next_clip(urgent=True) is None


def test_the_end_of_a_long_reply_keeps_to_the_limit_and_prefers_pauses() -> None:
    made = cutter(tone(10_000) + quiet(300) + tone(8000))
    made.finish()
    assert [ms(made.next_clip()), ms(made.next_clip()), made.next_clip()] == [(0, 10_300), (10_300, 18_300), None]


def test_more_may_come_after_the_end() -> None:
    made = cutter(tone(303))
    made.finish()
    assert made.finished
    assert ms(made.first_clip(NOW)) == (0, 303)
    made.resume()
    made.push(tone(1200) + quiet(200), NOW + 100)
    assert ms(made.next_clip()) == (303, 1703)


def test_the_search_for_the_quietest_place_may_begin_at_the_very_end() -> None:
    assert ms(cutter(tone(4005), replace(INTERRUPTIBLE, first_least_ms=4000)).next_clip()) == (0, 4005)


def test_a_silent_clip_is_kept_as_it_is() -> None:
    clip = cutter(quiet(2000)).next_clip()
    assert clip is not None
    assert len(clip.ulaw) == 16_000


FRAMES = st.lists(st.tuples(st.integers(1, 4801), st.integers(0, 400)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(FRAMES, st.integers(0, 50), st.sampled_from([INTERRUPTIBLE, POLLING]), st.sets(st.integers(0, 24), max_size=3))
def test_every_byte_is_in_one_clip_in_order_and_no_clip_is_too_long(
    frames: list[tuple[int, int]], seed: int, limits: ClipLimits, ends: set[int]
) -> None:
    spoken = speech(sum(length for length, _ in frames) // 8 + 1, seed, pause_every_ms=1500)
    made, now, pushed, clips = cutter(limits=limits), NOW, 0, list[Clip]()

    def take() -> None:
        clip = made.next_clip(urgent=bool(seed % 2)) if clips else made.first_clip(now)
        if clip is not None:
            clips.append(clip)

    for number, (length, gap) in enumerate(frames):
        made.resume()
        made.push(spoken[pushed : pushed + length], now)
        pushed += length
        take()
        if number in ends:
            made.finish()
            take()
        now += gap
    made.finish()
    while made.in_hand:
        before = made.in_hand
        take()
        assert made.in_hand < before, "a finished cutter always has something to give"
    assert [clip.start for clip in clips] == [0, *(clip.end for clip in clips[:-1])]
    assert clips[-1].end == pushed
    for clip in clips:
        assert clip.end > clip.start
        assert spoken[clip.start : clip.end].startswith(clip.ulaw)
        assert clip.duration_ms <= limits.longest_ms
        assert clip.ulaw


@settings(max_examples=40, deadline=None)
@given(st.integers(1000, 6000), st.integers(0, 50), st.lists(st.integers(0, 120), max_size=20))
def test_the_first_clip_is_there_when_it_was_promised(length: int, seed: int, gaps: list[int]) -> None:
    made, now = cutter(speech(length, seed)), NOW
    for gap in gaps:
        now += gap
        made.push(speech(40, seed), now)
    due = made.first_due_ms()
    assert due is not None
    assert due <= max(now, NOW) + 800
    assert made.first_clip(due) is not None
