"""Ears that really hear: turns from the endpointer, their words from the recogniser's process."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import structlog

from contract.audio import ulaw_ms
from simulator.deepgram.brain import Heard, SpeechStarted, TurnEnded
from simulator.deepgram.local.endpoint import Ending, Endpointer, Onset
from simulator.deepgram.local.errors import WorkerFailed
from simulator.deepgram.local.transcript import Segment, trusted

log = structlog.get_logger()

Recognise = Callable[[bytes], Future[bytes]]
"""µ-law of one turn in; JSON rows [text, no_speech, logprob, compression] later."""

LONGEST_STALL_MS = 5000
"""A turn ends when no audio at all came for so long."""
LONGEST_MERGED_MS = 15_000


@dataclass(frozen=True, slots=True)
class _Pending:
    turn: Ending
    trigger: str
    rows: Future[bytes]


class LocalEars:
    """One caller. Who speaks on before his words were understood has not ended his turn: both parts are one."""

    def __init__(self, recognise: Recognise, endpointer: Endpointer | None = None) -> None:
        self._recognise = recognise
        self._endpointer = endpointer or Endpointer()
        self._last_audio_ms: int | None = None
        self._pending: deque[_Pending] = deque()
        self._begun = Ending(b"", 0)
        """The first part of a turn that goes on."""

    def push(self, ulaw: bytes, now_ms: int) -> Sequence[Heard]:
        heard = list(self.poll(now_ms))
        self._last_audio_ms = now_ms
        for event in self._endpointer.push(ulaw):
            if isinstance(event, Onset):
                self._take_back()
                heard.append(SpeechStarted(now_ms))
            else:
                self._end(event, "model")
        return heard

    def poll(self, now_ms: int) -> Sequence[Heard]:
        if self._last_audio_ms is not None and now_ms - self._last_audio_ms >= LONGEST_STALL_MS:
            for ending in self._endpointer.finish():
                self._end(ending, "timeout")
        heard: list[Heard] = []
        while self._pending and self._pending[0].rows.done():
            pending = self._pending.popleft()
            heard.append(TurnEnded(_understood(pending), now_ms, pending.trigger))
        return heard

    def force_end(self, now_ms: int) -> Sequence[Heard]:
        """End the open turn; its words come with a later poll."""
        for ending in self._endpointer.finish():
            self._end(ending, "manual")
        return self.poll(now_ms)

    def close(self) -> None:
        """Forget what was not understood yet; the recogniser belongs to everybody and goes on."""
        while self._pending:
            self._pending.pop().rows.cancel()

    def _take_back(self) -> None:
        if self._pending and ulaw_ms(self._pending[-1].turn.ulaw) < LONGEST_MERGED_MS:
            pending = self._pending.pop()
            pending.rows.cancel()
            self._begun = pending.turn

    def _end(self, part: Ending, trigger: str) -> None:
        turn = Ending(self._begun.ulaw + part.ulaw, self._begun.speech_ms + part.speech_ms)
        self._begun = Ending(b"", 0)
        self._pending.append(_Pending(turn, trigger, self._recognise(turn.ulaw)))


def _understood(pending: _Pending) -> str:
    turn = pending.turn
    try:
        rows = json.loads(pending.rows.result())
    except WorkerFailed as error:
        log.warning("turn_not_recognised", problem=str(error), audio_ms=ulaw_ms(turn.ulaw))
        return ""
    return trusted([Segment(*row) for row in rows], turn.speech_ms)
