from __future__ import annotations

from concurrent.futures import Future

import pytest

from contract.audio import ULAW_SILENCE
from simulator.deepgram import tones
from simulator.estate import estate
from simulator.phone import voices
from simulator.phone.voices import SSML_SILENCE_MS, flow_voice, texts

SSML = "<speak><break time='10s'/></speak>"


class Desk:
    """Speaks every text as its own bytes."""

    def __init__(self, process: object) -> None:
        self.spoken: list[str] = []
        self.closed = False

    def submit(self, job: bytes) -> Future[bytes]:
        self.spoken.append(job.decode())
        future: Future[bytes] = Future()
        future.set_result(job)
        return future

    def close(self) -> None:
        self.closed = True


def test_what_the_flows_say_by_themselves_is_known_beforehand() -> None:
    found = set(texts(estate()))

    assert found
    assert not [text for text in found if "$." in text]


async def test_without_speech_packages_texts_are_tones() -> None:
    async with flow_voice(estate(), speech=False) as voice:
        assert tones.decode(voice("Please hold."))[0].text == "Please hold."
        assert voice(SSML) == ULAW_SILENCE * (SSML_SILENCE_MS * 8)


@pytest.mark.wall_clock
async def test_texts_of_the_flows_are_spoken_before_the_telephone_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    desks: list[Desk] = []

    def desk(process: object) -> Desk:
        desks.append(Desk(process))
        return desks[-1]

    monkeypatch.setattr(voices, "Desk", desk)
    built = estate()
    async with flow_voice(built, speech=True) as voice:
        before = list(desks[0].spoken)
        spoken = [voice(text) for text in set(texts(built))]
        assert voice(SSML) == ULAW_SILENCE * (SSML_SILENCE_MS * 8)

    assert spoken
    assert desks[0].spoken == before, "nothing was spoken anew"
    assert desks[0].closed
