"""An agent without speech: it hears and speaks `tones`, and says what a script tells it. Deterministic, and fast."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.audio import BYTES_PER_MS, rms, ulaw2lin
from simulator.deepgram import tones
from simulator.deepgram.brain import Brain, Call, Heard, Reply, SpeechStarted, TurnEnded

FRAME_MS: Final = 20
LOUD: Final = 500
"""Root mean square of linear16 above which a frame is speech."""
START_MS: Final = 60
END_MS: Final = 600

Answer = Reply | str | Callable[[str], Reply]


class ScriptedEars:
    """Speech by its energy: begun after 60 ms of it, over after 600 ms without; the time that counts is the audio's."""

    def __init__(self, end_ms: int = END_MS) -> None:
        self._end_ms = end_ms
        self._rest = b""
        self._decoder = tones.Decoder()
        self._collector = tones.Collector()
        self._loud_ms = 0
        self._quiet_ms = 0
        self._speaking = False
        self.closed = False

    def push(self, ulaw: bytes, now_ms: int) -> Sequence[Heard]:
        data = self._rest + ulaw
        size = FRAME_MS * BYTES_PER_MS
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        events: list[Heard] = []
        for at in range(0, whole, size):
            events += self._frame(data[at : at + size], now_ms)
        return events

    def poll(self, now_ms: int) -> Sequence[Heard]:
        return ()

    def close(self) -> None:
        self.closed = True

    def force_end(self, now_ms: int) -> Sequence[Heard]:
        if not self._speaking:
            return ()
        return (self._end(now_ms, "manual"),)

    def _frame(self, frame: bytes, now_ms: int) -> list[Heard]:
        self._collector.add(self._decoder.push(frame))
        if rms(ulaw2lin(frame)) > LOUD:
            self._loud_ms += FRAME_MS
            self._quiet_ms = 0
        else:
            self._quiet_ms += FRAME_MS
            self._loud_ms = 0
        if not self._speaking and self._loud_ms >= START_MS:
            self._speaking = True
            return [SpeechStarted(now_ms)]
        if self._speaking and self._quiet_ms >= self._end_ms:
            return [self._end(now_ms, "model")]
        return []

    def _end(self, now_ms: int, trigger: str) -> TurnEnded:
        self._speaking = False
        text = " ".join(utterance.text for utterance in self._collector.take())
        return TurnEnded(text, now_ms, trigger)


@dataclass(frozen=True, slots=True)
class Rule:
    """When the caller says something that matches `pattern` (anywhere in it, any case), the agent answers so."""

    pattern: str
    answer: Answer


class ScriptedMind:
    """The first rule that matches; for a function's result the answer of that name.

    `settings`, `turns`, `results` and `withdrawals` are there for tests to look at.
    """

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        answers: Mapping[str, Answer] | None = None,
        otherwise: Answer = "Sorry, I did not get that.",
    ) -> None:
        self._rules = tuple(rules)
        self._answers = dict(answers or {})
        self._otherwise = otherwise
        self.settings: Mapping[str, Any] = {}
        self.turns: list[str] = []
        self.results: list[tuple[str, str]] = []
        self.withdrawals = 0
        self._results_before = 0

    def opened(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    def updated(self, settings: Mapping[str, Any], now_ms: int) -> None:
        self.settings = settings

    def heard(self, text: str, now_ms: int) -> Reply:
        self.turns.append(text)
        self._results_before = len(self.results)
        for rule in self._rules:
            if re.search(rule.pattern, text, re.IGNORECASE):
                return _reply(rule.answer, text)
        return _reply(self._otherwise, text)

    def answered(self, name: str, content: str, now_ms: int) -> Reply:
        self.results.append((name, content))
        return _reply(self._answers.get(name, Reply("")), content)

    def withdrawn(self, now_ms: int) -> None:
        self.turns.pop()
        del self.results[self._results_before :]
        self.withdrawals += 1


class ScriptedVoice:
    """320 ms a word, 200 ms more after a comma or a full stop; `tones.decode` reads it again."""

    def __init__(self, ms_per_word: int = 320, stop_ms: int = 200) -> None:
        self._ms_per_word = ms_per_word
        self._stop_ms = stop_ms

    def speak(self, text: str) -> bytes:
        return tones.encode_utterance(text, self._ms_per_word, gap_ms=40, stop_ms=self._stop_ms)


def calls(name: str, arguments: str = "{}", say: str = "") -> Reply:
    """An answer that calls one function."""
    return Reply(say, (Call(name, arguments),))


def scripted_brain(mind: ScriptedMind | None = None, end_ms: int = END_MS) -> Brain:
    return Brain(ScriptedEars(end_ms), mind or ScriptedMind(), ScriptedVoice())


def _reply(answer: Answer, text: str) -> Reply:
    if isinstance(answer, str):
        return Reply(answer)
    return answer if isinstance(answer, Reply) else answer(text)
