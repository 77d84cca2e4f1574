"""What callers of a load want, and how their calls may end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.audio import ulaw2lin
from simulator.caller.schedule import HANG_UP_MS, Words
from simulator.deepgram import tones

MS_PER_WORD = 320
FORMS = ("interruptible", "polling")  # the flows whose audio is streamed; a call over SIP needs a line of its own


@dataclass(frozen=True, slots=True)
class Errand:
    """`ends` are the ends that a caller with this errand may expect: see `FleetCall.end`.

    `hang_up_ms`: so long after the last word of both sides the caller gives up; `leaves_ms`: so long after the ring
    in any case, 0 for never.
    """

    name: str
    words: Sequence[Words]
    ends: frozenset[str]
    hang_up_ms: int = HANG_UP_MS
    leaves_ms: int = 0


def says(text: str, after_s: float | None = None) -> Words:
    """Words in tones: when the agent has finished, or `after_s` seconds after it began."""
    pcm = ulaw2lin(tones.encode_utterance(text, MS_PER_WORD))
    return Words(text, pcm, None if after_s is None else int(after_s * 1000))


def errands() -> Sequence[Errand]:
    """One of each kind: a person, a goodbye, a barge-in, somebody who leaves, somebody who says nothing."""
    order, number = says("where is my order"), says("the order number is four seven one one zero eight")
    return (
        Errand("asks for a person", (order, number, says("a person please")), frozenset({"queued"})),
        Errand("wants the hours", (says("when are you open on saturday"), says("no thank you goodbye")), _GOODBYE),
        Errand(
            "interrupts",
            (order, number, says("when are you open", 1.5), says("that is all goodbye")),
            _GOODBYE,
        ),
        Errand("hangs up early", (order,), frozenset({"hung_up"}), leaves_ms=9000),
        Errand("says nothing", (), frozenset({"ended", "hung_up"}), hang_up_ms=60_000),
    )


_GOODBYE = frozenset({"ended", "hung_up"})
"""A caller who has said goodbye may be quicker than the agent."""
