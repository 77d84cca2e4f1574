"""The flow's own voice: what Connect would speak with Polly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from contract.audio import ULAW_SILENCE
from simulator.connect.seams import TextVoice
from simulator.deepgram import tones
from simulator.deepgram.local.process import Desk, WorkerProcess
from simulator.deepgram.local.voice import Cache, LocalVoice
from simulator.estate import Estate
from simulator.phone.options import MS_PER_WORD

SSML_SILENCE_MS = 10_000


@asynccontextmanager
async def flow_voice(built: Estate, *, speech: bool) -> AsyncIterator[TextVoice]:
    """A voice for texts; those of the flows are spoken beforehand, since speaking takes longer than a frame."""
    if not speech:
        yield _tones
        return
    desk = Desk(WorkerProcess("voice"))
    voice = LocalVoice(desk.submit, Cache())

    def speak(text: str) -> bytes:
        return _silence() if text.startswith("<speak") else voice.speak(text)

    try:
        for text in sorted(set(texts(built))):
            await asyncio.to_thread(speak, text)
        yield speak
    finally:
        await asyncio.to_thread(desk.close)


def texts(built: Estate) -> Iterator[str]:
    """What the flows say by themselves, in every language, without what a Lambda fills in."""
    for flow in built.instance.flows.values():
        for action in flow.actions.values():
            attributes: Mapping[str, Any] = action.parameters.get("FlowAttributes", {})
            yield from (each["Value"] for name, each in attributes.items() if name.startswith("say_"))


def _tones(text: str) -> bytes:
    return _silence() if text.startswith("<speak") else tones.encode_utterance(text, MS_PER_WORD)


def _silence() -> bytes:
    """SSML stands in the flows for a pause only."""
    return ULAW_SILENCE * (SSML_SILENCE_MS * 8)
