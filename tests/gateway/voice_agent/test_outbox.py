from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.voice_agent.outbox import Outbox


def drain(outbox: Outbox) -> list[str | bytes]:
    frames = []
    while (frame := outbox.pop()) is not None:
        frames.append(frame)
    return frames


def test_messages_leave_before_audio_and_each_kind_in_order() -> None:
    outbox = Outbox(100)
    outbox.put_audio(b"1")
    outbox.put_message("a")
    outbox.put_audio(b"2")
    outbox.put_message("b")
    assert outbox
    assert drain(outbox) == ["a", "b", b"1", b"2"]
    assert not outbox


def test_over_the_limit_the_oldest_audio_is_dropped_and_counted_while_messages_stay() -> None:
    outbox = Outbox(4)
    outbox.put_message("a")
    for frame in (b"11", b"22", b"33"):
        outbox.put_audio(frame)
    assert outbox.dropped_bytes == 2
    assert drain(outbox) == ["a", b"22", b"33"]


def test_a_frame_that_exceeds_the_limit_alone_still_goes_out() -> None:
    outbox = Outbox(4)
    outbox.put_audio(b"1")
    outbox.put_audio(b"222222")
    assert drain(outbox) == [b"222222"]
    assert outbox.dropped_bytes == 1


@settings(max_examples=100)
@given(st.lists(st.one_of(st.none(), st.binary(min_size=1, max_size=9)), max_size=40))
def test_what_goes_in_comes_out_or_is_counted(steps: list[bytes | None]) -> None:
    outbox = Outbox(20)
    put = out = 0
    for step in steps:
        if step is None:
            out += len(outbox.pop() or b"")
        else:
            outbox.put_audio(step)
            put += len(step)
    waiting = sum(map(len, drain(outbox)))
    assert waiting <= 20
    assert put == out + waiting + outbox.dropped_bytes
