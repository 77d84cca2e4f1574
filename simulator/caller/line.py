"""The telephone line: caller and prompts on one clock of 20 ms, recorded as both sides hear it."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from contract.audio import BYTES_PER_MS, ULAW_SILENCE, rms, ulaw2lin
from simulator.caller.schedule import FRAME_MS, SILENCE, Caller

FRAME_SAMPLES = FRAME_MS * BYTES_PER_MS  # of µ-law: a sample is a byte
AGENT_SPEAKS_RMS = 150


@dataclass(slots=True)
class Prompt:
    """A prompt on the line: µ-law samples, when they begin, and when they were cut."""

    prompt_id: str
    ulaw: bytes
    starts_ms: int
    stops_ms: int | None = None

    @property
    def samples(self) -> int:
        """How many of them are heard: all, or those before the cut."""
        if self.stops_ms is None:
            return len(self.ulaw)
        return max(0, min(len(self.ulaw), (self.stops_ms - self.starts_ms) * BYTES_PER_MS))

    @property
    def ends_ms(self) -> int:
        """The first whole millisecond at which nothing of it is left."""
        return self.starts_ms - (-self.samples // BYTES_PER_MS)


class Other(Protocol):
    """Somebody else on the line."""

    def heard(self) -> bytes:
        """What they say in these 20 ms, µ-law."""
        ...

    def said(self, pcm: bytes) -> None:
        """What the caller says in these 20 ms, 16-bit PCM."""
        ...

    def pressed(self, keys: str) -> None:
        """The caller presses keys, from now on one after the other."""
        ...


@dataclass(slots=True)
class Line:
    """Mixes what the caller hears, asks the caller to speak, and keeps both. Times are epoch ms."""

    caller: Caller
    now_ms: int
    said: bytearray = field(default_factory=bytearray)  # PCM, from the first frame on
    heard: bytearray = field(default_factory=bytearray)
    prompts: list[Prompt] = field(default_factory=list)
    played: list[Prompt] = field(default_factory=list)  # every prompt there was, in order
    other: Other | None = None  # to whom the call was transferred
    started_ms: int = 0
    last_heard_ms: int = 0  # last sample of agent speech that the caller heard

    def __post_init__(self) -> None:
        self.started_ms = self.now_ms

    def connect(self, now_ms: int) -> None:
        """The call is put through: times count from here."""
        self.now_ms = self.started_ms = now_ms

    def play(self, prompt_id: str, ulaw: bytes, starts_ms: int) -> Prompt:
        """Connect plays one prompt at a time: the newest ends the ones before it."""
        for earlier in self.prompts:
            self.stop(earlier.prompt_id, starts_ms)
        prompt = Prompt(prompt_id, ulaw, starts_ms)
        self.prompts.append(prompt)
        self.played.append(prompt)
        return prompt

    def stop(self, prompt_id: str, at_ms: int) -> None:
        """Cut a prompt; nothing happens where it has ended. What was heard cannot be taken back."""
        at_ms = max(at_ms, self.now_ms)
        for prompt in self.prompts:
            if prompt.prompt_id == prompt_id:
                prompt.stops_ms = at_ms if prompt.stops_ms is None else min(at_ms, prompt.stops_ms)

    def tick(self) -> tuple[int, bytes, bytes]:
        """The next 20 ms: when they begin, what the caller says and what the caller hears, 16-bit PCM."""
        begin = self.now_ms
        heard = ulaw2lin(self._heard(begin)) if self.prompts or self.other is not None else SILENCE
        speaks = heard != SILENCE and rms(heard) > AGENT_SPEAKS_RMS
        said = self.caller.frame(begin, agent_speaks=speaks)
        if speaks:
            self.last_heard_ms = begin + FRAME_MS
        if self.other is not None:
            self.other.said(said)
        self.said += said
        self.heard += heard
        self.now_ms += FRAME_MS
        if self.prompts:
            self.prompts = [prompt for prompt in self.prompts if prompt.ends_ms > self.now_ms]
        return begin, said, heard

    def _heard(self, begin: int) -> bytes:
        """µ-law of one frame."""
        frame = bytearray(ULAW_SILENCE * FRAME_SAMPLES if self.other is None else self.other.heard())
        for prompt in self.prompts:
            source = (begin - prompt.starts_ms) * BYTES_PER_MS  # of the frame's first sample, in the prompt
            piece = prompt.ulaw[max(0, source) : max(0, min(source + FRAME_SAMPLES, prompt.samples))]
            at = max(0, -source)
            frame[at : at + len(piece)] = piece
        return bytes(frame)

    def save(self, path: Path) -> None:
        """Stereo WAV, 8 kHz, 16 bit: left what the caller said, right what the caller heard."""
        frames = bytearray(2 * len(self.said))
        frames[0::4], frames[1::4] = self.said[0::2], self.said[1::2]
        frames[2::4], frames[3::4] = self.heard[0::2], self.heard[1::2]
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(frames))
