"""The flow's own voice: what Connect would speak with Polly, rendered before the telephone rings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from contract.audio import ULAW_SILENCE
from simulator.deepgram import tones
from simulator.estate import Estate

SSML_SILENCE_MS = 10_000


async def flow_voice(built: Estate, *, speech: bool) -> Callable[[str], bytes]:
    """A voice for texts; those of the flows are spoken beforehand, since speaking takes longer than a frame."""
    if not speech:
        return lambda text: tones.encode_utterance(text, 320)
    from simulator.deepgram.local.process import Desk, WorkerProcess
    from simulator.deepgram.local.voice import Cache, LocalVoice

    voice = LocalVoice(Desk(WorkerProcess("voice")).submit, Cache())

    def speak(text: str) -> bytes:
        return ULAW_SILENCE * (SSML_SILENCE_MS * 8) if text.startswith("<speak") else voice.speak(text)

    for text in sorted(set(_texts(built))):
        await asyncio.to_thread(speak, text)
    return speak


def _texts(built: Estate) -> Iterator[str]:
    for flow in built.instance.flows.values():
        for action in flow.actions.values():
            text: Any = action.parameters.get("Text")
            if isinstance(text, str) and "$." not in text:
                yield text
