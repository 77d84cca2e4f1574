"""The local agent put together: with small fakes, and with the real models."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from contract.audio import ULAW_SILENCE, lin2ulaw
from simulator.caller.recordings import DEFAULT_CALLER, FOLDER, WORDS
from simulator.deepgram import local
from simulator.deepgram.brain import Heard, TurnEnded
from simulator.deepgram.local import packages
from simulator.deepgram.local.digits import runs
from simulator.deepgram.local.ears import LocalEars
from simulator.deepgram.local.errors import RulesInvalid, SpeechPackagesMissing
from simulator.deepgram.local.language import words
from simulator.deepgram.local.process import Desk, WorkerProcess

SHOP = Path(__file__).parents[4] / "agents" / "shop.yaml"


class FakeDesk(Desk):
    def __init__(self, role: str) -> None:
        super().__init__(WorkerProcess(role))
        self.role = role
        self.open = True

    def submit(self, job: bytes) -> Future[bytes]:
        future: Future[bytes] = Future()
        future.set_result(job)
        return future

    def close(self) -> None:
        self.open = False


@pytest.fixture
def desks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeDesk]]:
    made: list[FakeDesk] = []

    def studio() -> local.Studio:
        def desk(role: str) -> FakeDesk:
            made.append(FakeDesk(role))
            return made[-1]

        return local.Studio(desk)

    local.close()
    monkeypatch.setattr(local, "_new_studio", studio)
    yield made
    local.close()


def test_sessions_share_what_hears_and_speaks(desks: list[FakeDesk]) -> None:
    local.prepare(SHOP)
    first, second = local.brain(SHOP), local.brain(SHOP)
    assert [desk.role for desk in desks] == ["recogniser", "voice"]
    assert first.mind is not second.mind
    assert first.ears is not second.ears
    assert first.voice.speak("Hello.") == b"Hello."
    local.close()
    assert not any(desk.open for desk in desks)
    local.close()


def test_an_agent_without_rules_is_refused(desks: list[FakeDesk], tmp_path: Path) -> None:
    for begin in (local.prepare, local.brain):
        with pytest.raises(RulesInvalid) as caught:
            begin(tmp_path / "other.yaml")
        assert caught.value.path == tmp_path / "rules" / "other.yaml"


def test_missing_packages_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    local.close()
    monkeypatch.setitem(packages.MODULES, "no_such_module", "no-such-package")
    with pytest.raises(SpeechPackagesMissing):
        local.brain(SHOP)


# -- with the real models --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready() -> Iterator[None]:
    try:
        packages.require()
    except SpeechPackagesMissing as missing:
        pytest.skip(str(missing))
    local.prepare(SHOP)
    yield
    local.close()


def recording(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return lin2ulaw(file.readframes(file.getnframes()))


async def hear(ulaw: bytes) -> list[str]:
    """The turns in it, pushed in blocks of 64 ms; understanding takes 500 ms of audio time, however long it does."""
    ears = local.brain(SHOP).ears
    assert isinstance(ears, LocalEars)
    heard: list[Heard] = []
    now_ms = waiting_ms = 0
    for at in range(0, len(ulaw) + 16_000, 512):
        now_ms += 64
        block = ulaw[at : at + 512]
        heard += ears.push(block + ULAW_SILENCE * (512 - len(block)), now_ms)
        waiting_ms = waiting_ms + 64 if ears._pending else 0
        if waiting_ms >= 500:
            await asyncio.wait_for(asyncio.wrap_future(ears._pending[0].rows), 30)
    ears.close()
    return [event.text for event in heard if isinstance(event, TurnEnded)]


def plain(text: str) -> list[str]:
    """Words with the digits of a number together, however they are written."""
    heard = words(text)
    for run in reversed(runs(heard)):
        heard[run.start : run.end] = [run.digits]
    return heard


@pytest.mark.wall_clock
@pytest.mark.parametrize("name", list(WORDS))
async def test_the_default_caller_is_understood_word_for_word(ready: None, name: str) -> None:
    pcm = await asyncio.to_thread(recording, FOLDER / name)
    assert [plain(turn) for turn in await hear(pcm)] == [plain(WORDS[name])]


SAID = {
    "quick-question": "Hi there, I have a quick question",
    "account-balance": "Can you help me check my account balance?",
    "that-is-all": "Thanks, that's all I needed to know",
    "identify-myself": "Hello, my name is Alice Brown, my social is 1234, and my zip code is 60601",
    "about-my-policy": "I'm calling about my auto insurance policy",
    "accident-question": "What happens if I get into an accident?",
    "thank-you": "Thank you for all the information, that's very helpful",
    "speak-to-customer-support": "I'd like to speak to customer support.",
}


@pytest.mark.wall_clock
@pytest.mark.parametrize("name", list(SAID))
async def test_other_callers_are_understood_word_for_word(ready: None, shared_data: Path, name: str) -> None:
    ulaw = await asyncio.to_thread(recording, shared_data / "speech" / f"{name}.wav")
    assert [plain(turn) for turn in await hear(ulaw)] == [plain(SAID[name])]


@pytest.mark.wall_clock
async def test_a_real_call_with_pauses_and_noise_is_followed(ready: None, shared_data: Path) -> None:
    ulaw = await asyncio.to_thread(recording, shared_data / "speech" / "real-call-caller.wav")
    turns = await hear(ulaw)
    text = " ".join(turns)
    for said in (
        "My name is Jack",
        "two weeks ago, I got a car from the dealership",
        "service light",
        "My last name is",
    ):
        assert said in text
    assert 4 <= len(turns) <= 10
    assert "" not in turns


@pytest.mark.wall_clock
async def test_the_agent_understands_its_own_voice(ready: None) -> None:
    voice = local.brain(SHOP).voice
    for text in ("Yes.", "No.", "Goodbye.", "Four seven one one zero eight."):
        ulaw = await asyncio.to_thread(voice.speak, text)
        assert [plain(turn) for turn in await hear(ULAW_SILENCE * 4000 + ulaw)] == [plain(text)]


def test_the_default_caller_has_a_recording_for_each_of_its_turns() -> None:
    names = [item.split("@")[0] for item in DEFAULT_CALLER.split(",")]
    assert 3 <= len(names) <= 5
    assert set(names) <= set(WORDS)
    assert sum((FOLDER / name).stat().st_size for name in WORDS) < 300_000
