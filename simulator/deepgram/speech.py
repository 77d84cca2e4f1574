"""The agent's voice on the wire: texts to bursts of frames of any size, and AgentAudioDone in all its variants.

Audio comes faster than it plays, nothing comes between utterances, and AgentAudioDone means "sent", not "heard";
it was seen twice within one reply, with no audio before it, and never.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contract.audio import BYTES_PER_MS, ulaw2lin
from simulator.deepgram.brain import Voice
from simulator.deepgram.line import Line
from simulator.deepgram.settings_check import DEFAULT_SPEAK, entries

TextOrder = Literal["before", "after", "sent"]

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Speech:
    """One piece of agent speech. `measured`: its first audio is reported as latency of a reply."""

    text: str
    after_ms: int
    order: TextOrder
    measured: bool = False
    then: Callable[[], None] | None = None
    amid: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A text whose audio the speaker waits for: answer with `spoken(number, ulaw)`."""

    number: int
    text: str


def sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(text.strip()) if part]


def speakable(settings: Mapping[str, Any]) -> bool:
    """Whether this stand-in can produce the agreed output: µ-law or linear16 at multiples of 8 kHz, raw or WAV."""
    output = settings["audio"].get("output", {})
    known = output.get("encoding", "linear16") in ("linear16", "mulaw")
    return known and output.get("sample_rate", 8000) % 8000 == 0 and output.get("container", "none") != "ogg"


class Speaker:
    """One queue of speeches, one of them being sent."""

    def __init__(self, line: Line, voice: Voice | None) -> None:
        """`voice` speaks at once; without it every text becomes a `job`."""
        self._line = line
        self._voice = voice
        self._queue: deque[Speech] = deque()
        self._current: Speech | None = None
        self._sentences: list[str] = []
        self._text = ""
        self._text_due = False
        self._data = b""
        self._bytes_per_ms = BYTES_PER_MS
        self._begun_ms = 0
        self._sent = 0
        self._sent_of_sentence = 0
        self._first_chunk = True
        self._stalled = False
        self._split_at: int | None = None
        self._job: Job | None = None
        self._jobs = 0
        self._sizes = 0
        self._requests = 0

    # --- from outside

    @property
    def busy(self) -> bool:
        """Whether something is being sent or waits to be. What was sent and is still playing does not count, as the
        service is told nothing of playback: unconfirmed."""
        return self._current is not None or bool(self._queue)

    def say(self, speech: Speech) -> None:
        self._queue.append(speech)
        self._next()

    def text_order(self) -> TextOrder:
        return "after" if self._line.manners.text_after_audio else "before"

    def job(self) -> Job | None:
        return self._job

    def spoken(self, number: int, ulaw: bytes) -> None:
        """The audio of a job; of one that was given up meanwhile, nothing happens."""
        if self._job is None or self._job.number != number:
            return
        self._job = None
        self._send_sentence(self._output(ulaw))

    def stop(self, done_told: bool = False) -> None:
        """Stop at once, drop what is queued, and let the tail of it leak as the service does.

        `done_told`: AgentAudioDone was sent already and is not sent again.
        """
        if not self.busy:
            return
        streaming = self._line.waits_for("chunk")
        self._line.cancel("speech", "chunk")
        if streaming:
            self._leak()
        done = self._line.manners.interrupted_done
        if done != "missing" and not done_told:
            self._line.later(60 if done == "after_late" else 0, lambda: self._line.send("AgentAudioDone"), "late")
        self._queue.clear()
        self._current = self._job = None
        self._data = b""

    # --- one speech

    def _next(self) -> None:
        if self._current is not None or not self._queue:
            return
        self._current = self._queue.popleft()
        self._sent, self._first_chunk, self._stalled, self._split_at = 0, True, False, None
        self._line.later(self._current.after_ms, self._begin, "speech")

    def _begin(self) -> None:
        speech = self._speech()
        split = self._line.manners.text_per_sentence and speech.order != "sent"
        self._sentences = sentences(speech.text) if split else [speech.text]
        if self._synthesis_fails():
            self._line.fail("FAILED_TO_SPEAK", "Failed to speak. Please check your agent.speak settings.")
            return
        self._synthesise()

    def _synthesise(self) -> None:
        self._text = self._sentences.pop(0) if self._sentences else ""
        self._text_due = self._speech().order != "sent" and bool(self._text)
        if self._voice is not None:
            self._send_sentence(self._output(self._voice.speak(self._text)))
            return
        self._jobs += 1
        self._job = Job(self._jobs, self._text)

    def _send_sentence(self, data: bytes) -> None:
        manners = self._line.manners
        self._data, self._begun_ms = data, self._line.now_ms
        self._sent_of_sentence = 0
        if self._speech().order == "before":
            self._tell_text()
        overtaking = manners.request_amid_speech and self._speech().amid is not None
        if not self._sentences and len(data) > 1 and (overtaking or manners.audio_done == "twice"):
            self._split_at = len(data) // 2
        self._line.later(0, self._chunk, "chunk")

    def _chunk(self) -> None:
        """Send one frame and set the timer for the next, so that the pace holds whatever the frames' sizes."""
        manners = self._line.manners
        frame = self._cut()
        if frame:
            self._line.audio(frame)
            self._sent += len(frame)
            self._sent_of_sentence += len(frame)
        self._after_frame()
        if self._line.over:
            return
        if not self._data:
            self._tell_text()
            self._finish_sentence()
            return
        pause = 0
        if self._split_at is not None and self._sent_of_sentence >= self._split_at:
            pause = self._split()
        elif manners.stall_after_ms and not self._stalled and self._sent >= manners.stall_after_ms * self._bytes_per_ms:
            self._stalled = True
            pause = manners.stall_ms
        self._begun_ms += pause
        due = self._begun_ms + round(self._sent_of_sentence / (self._bytes_per_ms * manners.pace))
        self._line.later(max(0, due - self._line.now_ms), self._chunk, "chunk")

    def _cut(self) -> bytes:
        sizes = self._line.manners.chunk_bytes
        size = sizes[self._sizes % len(sizes)]
        self._sizes += 1
        if self._split_at is not None:
            size = min(size, self._split_at - self._sent_of_sentence)
        frame, self._data = self._data[:size], self._data[size:]
        return frame

    def _after_frame(self) -> None:
        first, self._first_chunk = self._first_chunk, False
        if first:
            self._report_latency()
            self._line.reached("speech")
        if first and self._line.manners.audio_done == "early":
            self._line.send("AgentAudioDone")
        if self._speech().order == "after":
            self._tell_text()

    def _split(self) -> int:
        """In the middle of the last sentence: a request that overtakes it, an AgentAudioDone that is not the last."""
        manners, speech = self._line.manners, self._speech()
        self._split_at = None
        if manners.request_amid_speech and speech.amid is not None:
            speech.amid()
        if manners.audio_done != "twice":
            return 0
        self._line.send("AgentAudioDone")
        return manners.audio_done_gap_ms

    def _finish_sentence(self) -> None:
        if self._sentences:
            self._line.later(self._line.manners.between_sentences_ms, self._synthesise, "speech")
            return
        speech, self._current = self._speech(), None
        if not self._queue and self._line.manners.audio_done in ("once", "twice"):
            self._line.send("AgentAudioDone")
        if speech.then is not None:
            speech.then()
        self._next()

    def _leak(self) -> None:
        """Frames and text of the stopped speech that arrive after the interruption."""
        manners = self._line.manners
        for number in range(manners.late_frames):
            if not self._data:
                break
            frame = self._cut()
            self._line.later(10 + 15 * number, lambda frame=frame: self._line.audio(frame), "late")  # type: ignore[misc]
        late = self._text if self._text_due else self._sentences[0] if self._sentences else ""
        if manners.late_text and late:
            self._line.later(20, lambda: self._line.conversation("assistant", late), "late")

    # --- small things

    def _speech(self) -> Speech:
        assert self._current is not None
        return self._current

    def _tell_text(self) -> None:
        if self._text_due:
            self._text_due = False
            self._line.conversation("assistant", self._text)

    def _report_latency(self) -> None:
        if not self._speech().measured:
            return
        manners = self._line.manners
        think, tts = manners.think_ms / 1000, manners.speak_ms / 1000
        if self._line.settings.get("experimental"):
            self._line.send("AgentStartedSpeaking", total_latency=think + tts, tts_latency=tts, ttt_latency=think)
        if manners.merged_latency:
            self._line.send(
                "LatencyReport",
                stt_latency=0.05,
                ttt_token_latency=think,
                ttt_text_latency=think,
                tts_latency=tts,
                total_latency=think + tts,
            )
            return
        self._line.send("LatencyReport", tts_latency=tts)
        self._line.send("LatencyReport", total_latency=think + tts)

    def _synthesis_fails(self) -> bool:
        """Try the providers in turn; a speed that no voice has fails at the first utterance, as documented."""
        if not speakable(self._line.settings):
            return True
        voices = entries(self._line.agent.get("speak", DEFAULT_SPEAK))
        failures = self._line.manners.speak_failures
        failing = failures[self._requests] if self._requests < len(failures) else 0
        self._requests += 1
        for number, voice in enumerate(voices):
            if number >= failing and 0.5 <= voice["provider"].get("speed", 1.0) <= 1.5:
                return False
            self._line.warn("SPEAK_REQUEST_FAILED", f"Speak request to provider {number} failed.")
        return True

    def _output(self, ulaw: bytes) -> bytes:
        """µ-law 8 kHz in the agreed format: G.711 or linear16, whole multiples of 8 kHz by repeating samples."""
        output = self._line.settings["audio"].get("output", {})
        linear = output.get("encoding", "linear16") == "linear16"
        rate: int = output.get("sample_rate", 24000 if linear else 8000)
        width = 2 if linear else 1
        data = ulaw2lin(ulaw) if linear else ulaw
        times = rate // 8000
        if times > 1:
            samples = (data[at : at + width] * times for at in range(0, len(data), width))
            data = b"".join(samples)
        self._bytes_per_ms = rate * width // 1000
        if output.get("container") == "wav" and self._sent == 0:
            data = _wav_header(linear, rate) + data
        return data


def _wav_header(linear: bool, rate: int) -> bytes:
    """A header for audio of unknown length, as streaming encoders write it."""
    width = 2 if linear else 1
    form = struct.pack("<HHIIHH", 1 if linear else 7, 1, rate, rate * width, width, 8 * width)
    endless = struct.pack("<I", 0x7FFFFFFF)
    return b"RIFF" + endless + b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + endless
