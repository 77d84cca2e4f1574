"""A call of twenty seconds, made by hand: what its report and its screen have to say of it is known."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from rich.console import Console

from contract.actions import End, Numbered, Outcome, Play
from contract.call import CallState, Head
from contract.turns import FunctionEntry, FunctionState, HeardSource, Role, Turn
from simulator.connect.events import DisconnectReason
from simulator.connect.shell import FlowEvent
from simulator.phone.facts import Facts, Played
from simulator.phone.listening import FRAME_BYTES, FRAME_MS, Track
from simulator.phone.terminal import Terminal

T0 = 1_800_000_000_000
CONTACT = "11111111-2222-3333-4444-555555555555"
SILENCE_ARN = "arn:aws:connect:eu-central-1:111122223333:instance/i/prompt/silence"
QUEUE_ARN = "arn:aws:connect:eu-central-1:111122223333:instance/i/queue/orders"
OPENING = "https://clips.s3.eu-central-1.amazonaws.com/openings/shop-1.wav"
CLIPS = [f"https://clips.s3.eu-central-1.amazonaws.com/c/{number}.wav" for number in range(5)]


def sound(*stretches: tuple[int, int], length_ms: int = 20_000) -> bytes:
    """PCM with sound from the first to the second time of each stretch, ms."""
    pcm = bytearray(length_ms * 16)
    for begin, end in stretches:
        pcm[begin * 16 : end * 16] = b"\x00\x10" * ((end - begin) * 8)
    return bytes(pcm)


def track(*stretches: tuple[int, int]) -> Track:
    return Track.of(sound(*stretches), T0)


def event(at_ms: int, kind: str, identifier: str = "block", type_: str = "Wait", **detail: Any) -> FlowEvent:
    return FlowEvent(T0 + at_ms, kind, identifier, type_, detail)


def caller_turn(number: int, text: str, begin: int, end: int, **marks: int) -> Turn:
    times = {name: T0 + at_ms for name, at_ms in marks.items()}
    return Turn(number, Role.CALLER, text, T0 + begin, T0 + end, end - begin, marks=times)


def agent_turn(number: int, text: str, begin: int, end: int, **changed: Any) -> Turn:
    marks = {"agent_audio_received": T0 + begin - 800, "heard_by_caller": T0 + begin}
    turn = Turn(number, Role.VOICE_AGENT, text, T0 + begin, T0 + end, end - begin, text, HeardSource.MEASURED, False)
    return replace(turn, marks=marks, **changed)


def clip(number: int, ready_ms: int, outcome: Outcome = Outcome.COMPLETED) -> Numbered:
    return Numbered(number, Play(CLIPS[number], 2000), T0 + ready_ms, outcome)


def lookup(state: FunctionState = FunctionState.FINISHED, **changed: Any) -> FunctionEntry:
    entry = FunctionEntry("key", "get_order_status", {"order_number": "471108"}, state, T0 + 7000)
    if state is FunctionState.ENTERED:
        return replace(entry, **changed)
    return replace(entry, **{"finished_at_ms": T0 + 7030, "result": '{"found": true}', **changed})


HEAD = Head(CONTACT, 1, CallState.ENDED, T0, reason="transfer_to_human")

TURNS = (
    agent_turn(1, "Good day.", 400, 2000),
    caller_turn(2, "Where is my order?", 4000, 6000),
    agent_turn(
        3,
        "Your table is ready to leave and comes on Tuesday.",
        9040,
        12_700,
        heard_text="Your table is",
        interrupted=True,
    ),
    caller_turn(4, "Are you open?", 11_010, 13_000, barge_in=11_000, user_started_speaking=12_450),
    agent_turn(5, "From ten to four.", 16_000, 17_900),
)

FACTS = Facts(
    contact_id=CONTACT,
    form="interruptible",
    preset="default",
    started_ms=T0,
    head=HEAD,
    actions=(
        clip(1, 8500),
        clip(2, 10_500, Outcome.CUT),
        clip(3, 15_500),
        clip(4, 15_600, Outcome.CANCELLED),
        Numbered(5, End("caller_done"), T0 + 18_000),
    ),
    turns=TURNS,
    functions=(lookup(),),
    flow=(
        event(10, "enter", "Start streaming", "UpdateContactMediaStreamingBehavior"),
        event(8900, "prompt_asked", prompt_id="a", uri=CLIPS[1]),
        event(12_480, "lambda_returned", invocation_id="i", error=""),
        event(18_000, "enter", "Into the queue", "TransferContactToQueue"),
        event(18_010, "queued", queue_arn=QUEUE_ARN, attributes={"va_reason": "wants a human", "other": "x"}),
    ),
    played=(
        Played(OPENING, T0 + 380, T0 + 2000, False),
        Played(CLIPS[1], T0 + 9000, T0 + 11_200, False),
        Played(SILENCE_ARN, T0 + 11_250, T0 + 11_400, True),
        Played(CLIPS[2], T0 + 11_500, T0 + 12_710, True),
        Played(CLIPS[3], T0 + 15_950, T0 + 17_900, False),
    ),
    spoken=(("order", T0 + 3900, T0 + 6100), ("hours", T0 + 10_940, T0 + 13_100)),
    said=track((4000, 6000), (11_000, 13_000)),
    heard=track((400, 2000), (9040, 11_200), (11_540, 12_710), (16_000, 17_900)),
    disconnect=DisconnectReason.CUSTOMER,
    figures={"taken_at_ms": T0 + 150, "loop_lag_ms_p99": 7.04, "kvs_delay_ms_p50": 1380},
    lag_ms=(1.0, 2.0, 3.0),
)

assert FRAME_BYTES == FRAME_MS * 16


def a_terminal(*, width: int = 120, tty: bool = False) -> tuple[Terminal, io.StringIO]:
    """A terminal that writes to a string, and that string."""
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, force_terminal=tty, no_color=True)
    terminal = Terminal(console)
    terminal.ring(T0)
    file.truncate(0)
    file.seek(0)
    return terminal, file
