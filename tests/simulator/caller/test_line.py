"""The telephone line: what is played is heard, sample by sample, when it should be."""

from __future__ import annotations

import random
import wave
from pathlib import Path

from contract.audio import ulaw2lin
from simulator.caller.line import AGENT_SPEAKS_RMS, FRAME_SAMPLES, Line
from simulator.caller.schedule import FRAME_MS, Caller, Words

T = 1_790_000_000_000
MS = 16  # bytes of PCM


def noise(samples: int, seed: int = 1) -> bytes:
    """µ-law, loud."""
    return random.Random(seed).randbytes(samples)


def a_line(*words: Words) -> Line:
    return Line(Caller(words), T)


def run(line: Line, ms: int) -> bytes:
    """What was heard meanwhile, PCM."""
    before = len(line.heard)
    for _ in range(ms // FRAME_MS):
        line.tick()
    return bytes(line.heard[before:])


def test_a_prompt_is_heard_sample_by_sample() -> None:
    for starts_ms in (0, 1, 19, 20, 333):
        for samples in (1, 7, 8, 159, 160, 161, 8_003):
            line, prompt = a_line(), noise(samples)
            line.play("p", prompt, T + starts_ms)
            heard = run(line, 2_000)
            at = starts_ms * MS
            assert heard[at : at + 2 * samples] == ulaw2lin(prompt)
            assert heard[:at].strip(b"\x00") == b""
            assert heard[at + 2 * samples :].strip(b"\x00") == b""
            assert line.prompts == []


def test_nothing_is_heard_before_and_after() -> None:
    line = a_line()
    begin, said, heard = line.tick()
    assert (begin, said, heard) == (T, bytes(2 * FRAME_SAMPLES), bytes(2 * FRAME_SAMPLES))
    assert line.now_ms == T + FRAME_MS
    assert line.last_heard_ms == 0


def test_a_prompt_that_began_in_the_past_is_heard_from_where_it_is() -> None:
    line, prompt = a_line(), noise(800)
    run(line, 60)
    line.play("p", prompt, T + 20)
    assert run(line, 200)[: 60 * MS] == ulaw2lin(prompt)[40 * MS :]


def test_a_cut_is_exact_to_the_millisecond() -> None:
    line, prompt = a_line(), noise(8_000)
    line.play("p", prompt, T + 5)
    run(line, 100)
    line.stop("p", T + 107)
    heard = bytes(line.heard) + run(line, 100)
    assert heard[5 * MS : 107 * MS] == ulaw2lin(prompt)[: 102 * MS]
    assert heard[107 * MS :].strip(b"\x00") == b""


def test_what_was_heard_cannot_be_taken_back() -> None:
    line, prompt = a_line(), noise(8_000)
    line.play("p", prompt, T)
    run(line, 100)
    line.stop("p", T + 40)
    assert bytes(line.heard) + run(line, 100) == ulaw2lin(prompt)[: 100 * MS] + bytes(100 * MS)


def test_the_earliest_cut_counts() -> None:
    line, prompt = a_line(), noise(8_000)
    line.play("p", prompt, T)
    line.stop("p", T + 60)
    line.stop("p", T + 40)
    line.stop("p", T + 80)
    line.stop("another", T)
    assert run(line, 100) == ulaw2lin(prompt)[: 40 * MS] + bytes(60 * MS)


def test_a_prompt_that_is_cut_before_it_begins_is_not_heard() -> None:
    line = a_line()
    line.play("p", noise(8_000), T + 300)
    line.stop("p", T + 100)
    assert run(line, 1_000).strip(b"\x00") == b""


def test_the_newest_prompt_ends_the_one_before() -> None:
    line, first, second = a_line(), noise(8_000, 1), noise(400, 2)
    line.play("a", first, T)
    line.play("b", second, T + 130)
    heard = run(line, 1_000)
    assert heard[: 130 * MS] == ulaw2lin(first)[: 130 * MS]
    assert heard[130 * MS : 180 * MS] == ulaw2lin(second)
    assert heard[180 * MS :].strip(b"\x00") == b""
    assert [(prompt.prompt_id, prompt.ends_ms - T) for prompt in line.played] == [("a", 130), ("b", 180)]


def test_prompts_that_follow_each_other_leave_no_gap() -> None:
    line, first, second = a_line(), noise(808, 1), noise(400, 2)
    line.play("a", first, T)
    line.play("b", second, T + 101)
    assert run(line, 160)[: 151 * MS] == ulaw2lin(first + second)


def test_the_end_of_a_prompt_is_the_first_millisecond_without_it() -> None:
    line = a_line()
    assert line.play("a", b"\x00" * 8, T).ends_ms == T + 1
    assert line.play("b", b"\x00" * 9, T).ends_ms == T + 2
    assert line.play("c", b"", T).ends_ms == T


def test_the_agent_speaks_when_it_can_be_heard() -> None:
    line = a_line(Words("a", b"\x01\x00" * 160, after_ms=0))
    line.play("silence", b"\xff" * 8_000, T)
    run(line, 500)
    assert line.last_heard_ms == 0
    assert line.caller.spoken == []
    line.play("p", noise(800), T + 500)
    run(line, 500)
    assert line.caller.spoken == [("a", T + 500, T + 520)]
    assert line.last_heard_ms == T + 600


def test_line_noise_is_not_speech() -> None:
    line = a_line(Words("a", b"\x01\x00" * 160, after_ms=0))
    quiet = ulaw2lin(b"\xf0")
    assert 0 < int.from_bytes(quiet, "little", signed=True) < AGENT_SPEAKS_RMS
    line.play("p", b"\xf0" * 8_000, T)
    run(line, 1_000)
    assert line.last_heard_ms == 0


def test_times_count_from_when_the_call_is_put_through() -> None:
    line = a_line()
    line.connect(T + 5_000)
    assert line.tick()[0] == line.started_ms == T + 5_000


def test_both_sides_are_saved_as_stereo(tmp_path: Path) -> None:
    pcm = bytes(range(256)) * 5
    line, prompt = a_line(Words("a", pcm, after_ms=40)), noise(1_111)
    line.play("p", prompt, T + 13)
    run(line, 500)
    line.save(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        assert file.getnframes() == 500 * 8
        frames = file.readframes(10_000)
    left = b"".join(frames[at : at + 2] for at in range(0, len(frames), 4))
    right = b"".join(frames[at + 2 : at + 4] for at in range(0, len(frames), 4))
    assert left == line.said
    assert right == line.heard
    (_, since, _) = line.caller.spoken[0]
    assert left[(since - T) * MS :].startswith(pcm)
    assert right[13 * MS :].startswith(ulaw2lin(prompt))


class Echo:
    """Says one frame after the other, and keeps what it hears."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def heard(self) -> bytes:
        return noise(FRAME_SAMPLES, len(self.kept))

    def said(self, pcm: bytes) -> None:
        self.kept.append(pcm)

    def pressed(self, keys: str) -> None:
        raise AssertionError("nobody presses keys here")


def test_somebody_else_on_the_line_hears_the_caller_and_is_heard() -> None:
    words = ulaw2lin(noise(800))
    line = a_line(Words("w", words, 0))
    line.other = echo = Echo()
    heard = run(line, 400)
    assert heard[: FRAME_SAMPLES * 2] == ulaw2lin(noise(FRAME_SAMPLES, 0))
    assert b"".join(echo.kept) == bytes(line.said)
    line.other = None
    assert run(line, 20) == bytes(FRAME_SAMPLES * 2)
