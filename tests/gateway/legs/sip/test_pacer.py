"""One beat for all calls."""

from __future__ import annotations

from gateway.legs.sip.pacer import SLOTS, Beat, Pacer


def run(pacer: Pacer, until_ms: float) -> None:
    while (due := pacer.next_due_ms()) is not None and due <= until_ms:
        pacer.serve(due)


def test_without_calls_nobody_is_due() -> None:
    pacer = Pacer(0)
    assert pacer.next_due_ms() is None
    pacer.serve(100)
    pacer.leave(7)
    assert pacer.left_out == 0


def test_calls_are_spread_over_the_beat() -> None:
    pacer = Pacer(0)
    served: list[int] = []

    def beat(number: int) -> Beat:
        return lambda left_out: served.append(number)

    for number in range(SLOTS):
        pacer.join(beat(number), 0)
    pacer.serve(10)
    assert served == [0, 1, 2, 3, 4, 5]
    pacer.serve(18)
    assert len(served) == SLOTS


def test_each_call_is_served_every_20_ms() -> None:
    pacer = Pacer(0)
    beats: list[int] = []
    pacer.join(beats.append, 0)
    run(pacer, 1000)
    assert beats == [0] * 51
    assert pacer.latest_ms == 0


def test_a_call_that_comes_later_does_not_catch_up() -> None:
    pacer = Pacer(0)
    beats: list[int] = []
    number = pacer.join(beats.append, 5001)
    run(pacer, 5020)
    assert beats == [0]
    pacer.leave(number)
    assert pacer.next_due_ms() is None


def test_a_second_call_in_a_slot_keeps_its_time() -> None:
    pacer = Pacer(0)
    for _ in range(SLOTS + 1):
        pacer.join(lambda left_out: None, 0)
    assert pacer.next_due_ms() == 0


def test_what_is_a_little_late_is_sent_late_and_what_is_very_late_is_left_out() -> None:
    pacer = Pacer(0)
    beats: list[int] = []
    pacer.join(beats.append, 0)
    pacer.serve(35)
    pacer.serve(35)
    assert beats == [0, 0]
    pacer.serve(145)
    assert beats == [0, 0, 5]
    assert (pacer.left_out, pacer.latest_ms) == (5, 105)
    assert pacer.next_due_ms() == 160
