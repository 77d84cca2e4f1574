"""The tape of one call: lines and audio as they come, without I/O. Somebody else writes down what `take` gives.

A line is `{"t": ns since the beginning, "at": place, ...}`:

    do, args             the call asked something of that place; `n` counts what was asked there, from 1
    n, ok | raised       what came of the n-th
    text | bytes | raised   what a connection or a stream brought; `bytes` counts, the audio itself is beside

Beside the lines there are streams of bytes: `kvs` (what GetMedia brought, Matroska), `agent` (µ-law that the voice
agent sent) and `caller` (µ-law that it was sent); of a call over SIP `line` (the caller's µ-law, 20 ms a beat), `heard`
(what the caller heard) and `prompts` (rendered ones that were read).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from gateway.recording.codec import written
from gateway.telemetry.bounds import Bound, reached

VERSION: Final = 1
MOST_BYTES: Final = 64 * 1024 * 1024  # of one recording, some 25 minutes; what comes later is not kept


class Audio(StrEnum):
    """The streams of bytes beside the lines."""

    KVS = "kvs"
    AGENT = "agent"
    CALLER = "caller"
    LINE = "line"
    HEARD = "heard"
    PROMPTS = "prompts"


class TapeClock:
    """The call's clock while it is recorded: its milliseconds and the tape's times are one time."""

    def __init__(self, epoch_ms: int, now_ns: Callable[[], int]) -> None:
        self._epoch_ms = epoch_ms
        self._now_ns = now_ns
        self._began_ns = now_ns()

    def elapsed_ns(self) -> int:
        return self._now_ns() - self._began_ns

    def now_ms(self) -> int:
        return self._epoch_ms + self.elapsed_ns() // 1_000_000


class Tape:
    """`secrets` are never written: each value is replaced by its `${secret:NAME}`."""

    def __init__(self, clock: TapeClock, header: Mapping[str, object], secrets: Mapping[str, str]) -> None:
        self.full = False
        self.bytes = 0
        self._clock = clock
        self._secrets = {
            spelt: f"${{secret:{name}}}" for name, value in secrets.items() if value for spelt in _spellings(value)
        }
        self._lines: list[str] = []
        self._audio: dict[Audio, bytearray] = {kind: bytearray() for kind in Audio}
        self._asked: dict[str, int] = {}
        self._write({"version": VERSION, "epoch_ms": clock.now_ms(), **{k: written(v) for k, v in header.items()}})

    def asked(self, at: str, do: str, *args: object) -> int:
        """The call asked something; gives back its number, which the answer names."""
        number = self._asked[at] = self._asked.get(at, 0) + 1
        self._note({"at": at, "n": number, "do": do, "args": [written(arg) for arg in args]})
        return number

    def answered(self, at: str, number: int, result: object) -> None:
        self._note({"at": at, "n": number, "ok": written(result)})

    def raised(self, at: str, number: int, error: Exception) -> None:
        self._note({"at": at, "n": number, "raised": written(error)})

    def came(self, at: str, *, text: str | None = None, error: Exception | None = None) -> None:
        """A connection brought a text, or its end."""
        shown = {"raised": written(error)} if error is not None else {"text": self._without_secrets(text or "")}
        self._note({"at": at, **shown})

    def sent(self, at: str, text: str) -> None:
        self._note({"at": at, "do": "send", "args": [self._without_secrets(text)]})

    def audio(self, at: str, kind: Audio, content: bytes, **more: Any) -> None:
        """Bytes that came, or, for `caller` and `heard`, went; `more` stands in the line beside them."""
        if self.full:
            return
        self._audio[kind] += content
        self.bytes += len(content)
        self._note({"at": at, "bytes": len(content), **more})

    def take(self) -> tuple[str, dict[Audio, bytes]]:
        """What was noted since the last time."""
        lines, self._lines = self._lines, []
        audio = {kind: bytes(content) for kind, content in self._audio.items() if content}
        self._audio = {kind: bytearray() for kind in Audio}
        return "".join(f"{line}\n" for line in lines), audio

    def _without_secrets(self, text: str) -> str:
        for value, name in self._secrets.items():
            text = text.replace(value, name)
        return text

    def _note(self, line: dict[str, Any]) -> None:
        if self.full:
            return
        self._write({"t": self._clock.elapsed_ns(), **line})
        if self.bytes > MOST_BYTES:
            self.full = True
            reached(Bound.RECORDING)
            self._write({"t": self._clock.elapsed_ns(), "at": "tape", "full": True})

    def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        self._lines.append(text)
        self.bytes += len(text)


def _spellings(value: str) -> tuple[str, ...]:
    """As it is, and within JSON."""
    return value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
