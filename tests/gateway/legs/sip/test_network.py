"""A bad network between caller and gateway: what the caller says stays continuous, and the figures tell."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import dataclass

import pytest

from contract.audio import lin2ulaw, rms, ulaw2lin
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.stream import Stream

PEER = ("192.0.2.10", 6000)
SECONDS = 60
FRAMES = SECONDS * 50


@dataclass(frozen=True)
class Weather:
    """Shares of packets that are lost or come twice, and how late packets are at most, in ms."""

    lost: float = 0.0
    twice: float = 0.0
    late_ms: int = 0


def sine() -> list[bytes]:
    samples = [int(6000 * math.sin(math.tau * 440 * at / 8000)) for at in range(8000)]
    second = lin2ulaw(struct.pack("<8000h", *samples))
    return [second[at : at + 160] for at in range(0, 8000, 160)] * SECONDS


def heard(weather: Weather, seed: int = 1) -> tuple[list[bytes], dict[str, int]]:
    """A minute of a sine as the voice agent gets it, and the figures of the call."""
    chance = random.Random(seed)
    stream = Stream(Agreed(*PEER, 0, False, 101, Direction.BOTH, 0), Playout(), Outgoing(1, 0, 0, 0), 0)
    out, arrivals = Outgoing(9, 0, 65_000, 2**32 - 1000), []
    for number, frame in enumerate(sine()):
        packet = out.packet(frame)
        for _ in range(2 if chance.random() < weather.twice else 1):
            if chance.random() >= weather.lost:
                arrivals.append((number * 20 + chance.uniform(0, weather.late_ms), packet))
    arrivals.sort(key=lambda arrival: arrival[0])
    frames = []
    for beat in range(10, FRAMES * 20, 20):
        while arrivals and arrivals[0][0] <= beat:
            at, packet = arrivals.pop(0)
            stream.receive(packet, PEER, int(at))
        frames.append(stream.caller().ulaw)
    return frames[50:], stream.figures()


def longest_silence_ms(frames: list[bytes]) -> int:
    longest = present = 0
    for frame in frames:
        present = present + 20 if rms(ulaw2lin(frame)) < 300 else 0
        longest = max(longest, present)
    return longest


@pytest.mark.parametrize(
    ("weather", "silence_ms", "made_up_share"),
    [
        (Weather(), 0, 0.0),
        (Weather(lost=0.01), 20, 0.02),
        (Weather(lost=0.05), 80, 0.07),
        (Weather(twice=0.05), 0, 0.0),
        (Weather(late_ms=35), 0, 0.01),
        (Weather(lost=0.02, twice=0.02, late_ms=60), 60, 0.08),
    ],
)
def test_the_caller_stays_audible(weather: Weather, silence_ms: int, made_up_share: float) -> None:
    frames, figures = heard(weather)
    assert longest_silence_ms(frames) <= silence_ms
    assert figures["inserted_ms"] <= made_up_share * SECONDS * 1000
    assert abs(figures["rtp_lost"] - weather.lost * FRAMES) <= FRAMES * (0.012 + weather.twice)
    assert figures["kvs_delay_ms_p50"] <= 140
