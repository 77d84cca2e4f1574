"""The caller's audio on its way to the ears: how fast it comes, and in which format."""

from __future__ import annotations

from typing import Any

from contract.audio import lin2ulaw
from simulator.deepgram.brain import Ears
from simulator.deepgram.line import Line
from simulator.deepgram.turns import Turns

PACE_LIMIT = 2
AHEAD_LIMIT_MS = 1_000
"""Audio may be this far ahead of twice real time; beyond it, it comes too fast. The threshold is unconfirmed."""


def hearable(settings: dict[str, Any]) -> bool:
    """Whether this stand-in can decode the agreed input: µ-law or linear16, whole multiples of 8 kHz."""
    audio = settings["audio"].get("input", {"encoding": "linear16", "sample_rate": 24000})
    rate: int = audio["sample_rate"]
    return audio["encoding"] in ("mulaw", "linear16") and rate > 0 and rate % 8000 == 0


class Pace:
    """A bucket that drains at twice real time. Audio in a burst was seen to lose everything but its first words."""

    def __init__(self) -> None:
        self._ahead_ms = 0.0
        self._at_ms = 0

    def allowed_ms(self, length_ms: float, now_ms: int) -> float:
        """How much of a frame of this length still keeps to the pace."""
        drained_ms = PACE_LIMIT * (now_ms - self._at_ms)
        self._at_ms = now_ms
        self._ahead_ms = max(0.0, self._ahead_ms - drained_ms)
        allowed_ms = min(length_ms, AHEAD_LIMIT_MS - self._ahead_ms)
        self._ahead_ms += allowed_ms
        return allowed_ms


class Listening:
    def __init__(self, line: Line, ears: Ears, turns: Turns) -> None:
        self._line = line
        self._ears = ears
        self._turns = turns
        self._pace = Pace()
        self._early: list[bytes] | None = []
        self._rest = b""

    def frame(self, data: bytes) -> None:
        """One binary frame; what comes before `begin` is kept."""
        counters = self._line.counters
        if not data:
            counters.empty_frames += 1
            if self._line.manners.empty_frame_ends:
                self._line.shut(1000)
            return
        counters.frames += 1
        counters.audio_bytes += len(data)
        data = self._in_time(data)
        if self._early is not None:
            self._early.append(data)
        else:
            self._push(data)

    def begin(self) -> None:
        """Settings are applied: what came before is heard now."""
        early, self._early = self._early or [], None
        for data in early:
            self._push(data)

    def poll(self) -> None:
        """What the ears understood meanwhile."""
        if not self._line.over:
            self._turns.take(self._ears.poll(self._line.now_ms))

    def _push(self, data: bytes) -> None:
        if self._turns.speaking and self._line.manners.stt_floods:
            self._line.send("LatencyReport", stt_latency=0.05)
        self._turns.take(self._ears.push(self._ulaw(data), self._line.now_ms))

    def _in_time(self, data: bytes) -> bytes:
        """The frame, cut off where it comes too fast."""
        _, _, bytes_per_ms = self._format()
        length_ms = len(data) / bytes_per_ms
        allowed_ms = self._pace.allowed_ms(length_ms, self._line.now_ms)
        if allowed_ms >= length_ms:
            return data
        self._line.counters.too_fast += 1
        return data[: int(allowed_ms * bytes_per_ms) & ~1]

    def _ulaw(self, data: bytes) -> bytes:
        """µ-law 8 kHz: samples in between are dropped; half a sample waits for its other half."""
        linear, times, _ = self._format()
        step = times * (2 if linear else 1)
        data = self._rest + data
        whole = len(data) - len(data) % step
        data, self._rest = data[:whole], data[whole:]
        return (lin2ulaw(data) if linear else data)[::times]

    def _format(self) -> tuple[bool, int, int]:
        """Whether it is linear, samples for each one of 8 kHz, bytes for each ms."""
        audio = self._line.settings["audio"].get("input", {"encoding": "linear16", "sample_rate": 24000})
        linear = audio["encoding"] == "linear16"
        times: int = audio["sample_rate"] // 8000
        return linear, times, times * (16 if linear else 8)
