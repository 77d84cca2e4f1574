from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.audio import ulaw2lin
from gateway.legs.kvs.heard import (
    CUT_MISSING_MS,
    KEPT_HOPS,
    LONGEST_DELAY_MS,
    MISSING_MS,
    STAYS_MS,
    Found,
    Heard,
    HeardTrack,
    Measured,
    Missing,
    StartDelays,
    Stays,
)
from tests.gateway.sounds import noise, quiet, speech, tone

T0 = 1_700_000_000_000
CLIP = speech(2000, seed=7)
OTHER = speech(1500, seed=8)


def feed(track: HeardTrack, ulaw: bytes, from_ms: int = 0, block_ms: int = 64) -> list[Measured]:
    """Give the track audio that begins `from_ms` after T0, block by block; what it says."""
    found: list[Measured] = []
    step = block_ms * 8
    for at in range(0, len(ulaw), step):
        found += track.block(T0 + from_ms + at // 8, ulaw2lin(ulaw[at : at + step]))
    return found


def begins(found: list[Measured], seq: int = 1) -> int:
    [event] = [event for event in found if isinstance(event, Found) and event.seq == seq]
    return event.at_ms - T0


def heard(found: list[Measured], seq: int = 1) -> int:
    [event] = [event for event in found if isinstance(event, Heard) and event.seq == seq]
    return event.heard_bytes


def looking(*clips: bytes, offered_ms: int = 0) -> HeardTrack:
    track = HeardTrack()
    for number, clip in enumerate(clips, 1):
        assert track.offered(number, clip, T0 + offered_ms)
    return track


def test_without_anything_to_look_for_nothing_is_said() -> None:
    assert feed(HeardTrack(), tone(1000)) == []


def test_a_clip_that_makes_no_sound_is_not_looked_for() -> None:
    assert not HeardTrack().offered(1, quiet(2000), T0)


@pytest.mark.parametrize("delay", [150, 283, 400, 1204])
@pytest.mark.parametrize("block_ms", [64, 20, 12, 1000])
def test_a_clip_is_found_again_wherever_it_begins(delay: int, block_ms: int) -> None:
    found = feed(looking(CLIP), quiet(delay) + CLIP + quiet(1000), block_ms=block_ms)
    assert abs(begins(found) - delay) <= 12
    assert heard(found) == len(CLIP)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.integers(80, 1500), st.integers(1, 1500), st.integers(600, 3000), st.booleans())
def test_any_speech_is_found_at_any_offset_and_cut_at_any_place(
    seed: int, delay: int, odd: int, cut_ms: int, cut: bool
) -> None:
    clip = speech(3000, seed)
    track = looking(clip)
    played = clip[: cut_ms * 8] if cut else clip
    found = feed(track, quiet(delay), -delay + delay) if odd % 7 == 0 else []
    track = looking(clip)
    audio = quiet(delay) + played
    found = feed(track, audio[: (delay + cut_ms) * 8], block_ms=1 + odd % 90)
    if cut:
        track.cut(T0 + delay + cut_ms - 100)
    found += feed(track, audio[(delay + cut_ms) * 8 :] + quiet(4000), delay + cut_ms)
    assert abs(begins(found) - delay) <= 16
    if cut and cut_ms < 2800:
        assert cut_ms - 300 <= heard(found) // 8 <= cut_ms + 16
    elif not cut:
        assert heard(found) == len(clip)


def test_a_clip_is_heard_when_it_is_over_and_not_before() -> None:
    track = looking(CLIP)
    assert [type(event) for event in feed(track, quiet(200) + CLIP[: 1900 * 8])] == [Found]
    assert [type(event) for event in feed(track, CLIP[1900 * 8 :] + quiet(200), 2100)] == [Heard]


def test_a_clip_that_was_left_is_measured_without_waiting_for_its_end() -> None:
    track = looking(speech(15_000))
    found = feed(track, quiet(200) + speech(15_000)[: 1000 * 8])
    track.cut(T0 + 1100)
    found += feed(track, quiet(200), 1200)
    track.cut(T0 + 1400)  # the first time counts
    found += feed(track, quiet(600), 1400)
    assert 900 <= heard(found) // 8 <= 1010


def test_a_clip_that_the_flow_does_not_leave_is_told_of_once_before_its_end() -> None:
    long = speech(4000)
    track = looking(long)
    feed(track, quiet(200) + long[: 1000 * 8])
    track.cut(T0 + 1100)
    assert feed(track, long[1000 * 8 : 1500 * 8], 1200) == []
    assert feed(track, long[1500 * 8 : 2400 * 8], 1700) == [Stays(1)]
    assert [type(event) for event in feed(track, long[2400 * 8 :] + quiet(200), 2600)] == [Heard]


def test_a_clip_that_began_after_it_was_withdrawn_is_given_the_time_to_be_left() -> None:
    track = HeardTrack()
    track.offered(1, CLIP, T0, stopped_ms=T0 - 800)
    assert [type(event) for event in feed(track, quiet(200) + CLIP[: STAYS_MS * 8])] == [Found]


def test_the_next_reply_is_not_taken_for_the_rest_of_a_clip_that_was_left() -> None:
    track = looking(speech(15_000))
    found = feed(track, quiet(200) + speech(15_000)[: 1000 * 8])
    track.cut(T0 + 1100)
    track.offered(2, OTHER, T0 + 1900)
    found += feed(track, quiet(900) + OTHER + quiet(500), 1200)
    assert heard(found) // 8 <= 1010
    assert abs(begins(found, 2) - 2100) <= 12
    assert heard(found, 2) == len(OTHER)


def test_a_clip_that_was_withdrawn_before_it_was_taken_may_still_be_heard() -> None:
    track = HeardTrack()
    track.offered(1, CLIP, T0, stopped_ms=T0 - 50)
    found = feed(track, quiet(200) + CLIP[: 700 * 8] + quiet(1000))
    assert 600 <= heard(found) // 8 <= 710


def test_a_hole_in_the_track_does_not_end_a_clip_that_was_not_left() -> None:
    track = looking(CLIP)
    found = feed(track, quiet(200) + CLIP[: 700 * 8])
    found += feed(track, CLIP[1200 * 8 :] + quiet(500), 200 + 1200)
    assert heard(found) == len(CLIP)


def test_a_clip_that_never_shows_up_is_missing() -> None:
    track = looking(CLIP)
    found = feed(track, quiet(MISSING_MS + 200))
    assert found == [Missing(1)]
    assert feed(track, quiet(1000), MISSING_MS + 200) == []


def test_a_clip_in_whose_place_nothing_was_played_is_silent_where_there_had_been_sound() -> None:
    track = HeardTrack()
    feed(track, OTHER)
    track.offered(1, CLIP, T0 + 2000)
    assert feed(track, quiet(MISSING_MS + 1000), 1500) == [Missing(1, silent=True)]


def test_a_clip_in_whose_place_something_else_was_played_is_not_silent() -> None:
    track = HeardTrack()
    feed(track, OTHER)
    track.offered(1, CLIP, T0 + 2000)
    found = feed(track, quiet(1000) + speech(1500, seed=11) + quiet(MISSING_MS), 1500)
    assert found == [Missing(1)]


def test_a_withdrawn_clip_is_not_taken_for_the_same_words_said_again() -> None:
    """Its session broke, and what was said again sounds alike: the flow has the new one, and plays no older one."""
    track = HeardTrack()
    track.offered(1, CLIP, T0, stopped_ms=T0)
    found = feed(track, quiet(150) + CLIP[: 300 * 8] + quiet(400))
    track.offered(2, CLIP, T0 + 800)
    found += feed(track, quiet(150) + CLIP + quiet(CUT_MISSING_MS + 1000), from_ms=850)
    assert found[0] == Missing(1, cut=True)
    assert abs(begins(found, 2) - 1000) <= 12
    assert heard(found, 2) == len(CLIP)


def test_a_clip_that_was_withdrawn_is_not_waited_for_so_long() -> None:
    track = looking(CLIP)
    track.cut(T0 + 100)
    assert feed(track, quiet(CUT_MISSING_MS + 300)) == [Missing(1, cut=True)]


@pytest.mark.parametrize("begins_after_ms", [100, 700])
def test_what_begins_after_the_flow_has_gone_on_is_no_clip_of_ours(begins_after_ms: int) -> None:
    """A sentence of the flow's own may begin like one of the agent's; the track may come late, too."""
    track = looking(CLIP)
    track.cut(T0 + 100)
    track.left(T0 + 200)
    track.left(T0 + 900)  # the first time counts
    found = feed(track, quiet(begins_after_ms) + CLIP + quiet(500))
    if begins_after_ms == 100:
        assert heard(found) == len(CLIP)
    else:
        assert found == [Missing(1, cut=True)]


def test_another_sound_is_not_taken_for_the_clip() -> None:
    loud_then_quiet = tone(100, 8000) + tone(500, 400)
    quiet_then_loud = tone(400, 400) + tone(200, 8000)
    assert feed(looking(loud_then_quiet), quiet(300) + quiet_then_loud + quiet(300)) == []


def test_a_place_in_the_middle_of_a_sound_is_not_where_a_clip_begins() -> None:
    assert feed(looking(tone(600)), tone(1000)) == []


def test_a_track_that_begins_in_the_middle_of_a_sound_is_compared_from_there() -> None:
    assert feed(looking(CLIP, offered_ms=-500), noise(2000, 3000)) == []


def test_noise_on_the_line_below_speech_does_not_matter() -> None:
    line = bytearray(quiet(300) + CLIP + quiet(1000))
    pcm = bytearray(ulaw2lin(bytes(line)))
    drawn = random.Random(3)
    track, found = looking(CLIP), list[Measured]()
    noisy = bytearray()
    for at in range(0, len(pcm), 2):
        sample = int.from_bytes(pcm[at : at + 2], "little", signed=True) + drawn.randint(-100, 100)
        noisy += max(-32768, min(32767, sample)).to_bytes(2, "little", signed=True)
    for at in range(0, len(noisy), 1024):
        found += track.block(T0 + at // 16, bytes(noisy[at : at + 1024]))
    assert abs(begins(found) - 300) <= 12
    assert heard(found) == len(CLIP)


def test_loud_noise_before_a_clip_is_not_the_clip() -> None:
    found = feed(looking(CLIP), quiet(200) + noise(60, 3000) + quiet(300) + CLIP + quiet(400))
    assert abs(begins(found) - 560) <= 12


def test_clips_one_right_after_the_other_are_told_apart() -> None:
    clips = [CLIP, OTHER, speech(1800, seed=9)]
    found = feed(looking(*clips), quiet(200) + b"".join(clips) + quiet(500))
    starts = [begins(found, seq) for seq in (1, 2, 3)]
    assert all(abs(start - expected) <= 50 for start, expected in zip(starts, (200, 2200, 3700), strict=True))
    assert [heard(found, seq) for seq in (1, 2, 3)] == [len(clip) for clip in clips]


def test_a_clip_that_was_skipped_does_not_hide_the_one_after_it() -> None:
    track = looking(CLIP)
    track.offered(2, OTHER, T0 + 500)
    found = feed(track, quiet(900) + OTHER + quiet(MISSING_MS))
    assert Missing(1) in found
    assert abs(begins(found, 2) - 900) <= 12


def test_a_repeated_block_changes_nothing() -> None:
    track = looking(CLIP)
    audio = quiet(200) + CLIP + quiet(800)
    found = feed(track, audio[: 640 * 8])
    found += feed(track, audio[512 * 8 : 640 * 8], 512)
    found += feed(track, audio[600 * 8 :], 600)
    assert abs(begins(found) - 200) <= 12
    assert heard(found) == len(CLIP)


def test_a_clock_that_was_set_back_starts_the_track_anew() -> None:
    track = looking(CLIP, offered_ms=60_000)
    feed(track, noise(3000, 3000), 60_000)
    feed(track, quiet(MISSING_MS), 63_000)
    track.offered(2, CLIP, T0)
    found = feed(track, quiet(200) + CLIP + quiet(500))
    assert abs(begins(found, 2) - 200) <= 12


def test_an_hour_of_track_does_not_grow() -> None:
    track = HeardTrack()
    for minute in range(4):
        feed(track, quiet(30_000), minute * 30_000, block_ms=1000)
    track.offered(1, CLIP, T0 + 120_000)
    found = feed(track, quiet(200) + CLIP + quiet(500), 120_000)
    assert abs(begins(found) - 120_200) <= 12
    assert len(track._levels) <= 2 * KEPT_HOPS + 200


def test_a_clip_that_was_offered_long_ago_is_sought_as_far_back_as_is_kept() -> None:
    track = HeardTrack()
    for part in range(3):
        feed(track, quiet(30_000), part * 30_000, block_ms=1000)
    track.offered(1, CLIP, T0)
    assert feed(track, quiet(64), 90_000) == [Missing(1)]


def test_the_delay_is_counted_from_the_offer() -> None:
    found = feed(looking(CLIP, offered_ms=100), quiet(450) + CLIP + quiet(100))
    [event] = [event for event in found if isinstance(event, Found)]
    assert abs(event.delay_ms - 350) <= 12


# --- start delays


def test_an_unknown_delay_is_what_was_known_before() -> None:
    assert StartDelays().p95(400) == 400


def test_the_slowest_of_twenty_counts() -> None:
    delays = StartDelays()
    for delay in range(100, 120):
        delays.add(delay)
    assert delays.p95(400) == 119
    for delay in range(120, 140):
        delays.add(delay)
    assert delays.p95(400) == 138


def test_what_is_no_start_of_a_prompt_does_not_count() -> None:
    delays = StartDelays()
    delays.add(LONGEST_DELAY_MS + 1)
    assert delays.p95(400) == 400
