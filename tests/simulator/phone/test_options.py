from __future__ import annotations

import shutil
import wave
from pathlib import Path

import pytest

from contract.audio import lin2ulaw, ulaw2lin
from contract.errors import VoiceAgentError
from simulator.caller import recordings
from simulator.caller.schedule import HANG_UP_MS
from simulator.deepgram import tones
from simulator.deepgram.local import packages
from simulator.deepgram.local.errors import SpeechPackagesMissing
from simulator.phone.options import Options, read, speech_installed
from tests.simulator.phone.samples import sound

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def asked(tmp_path: Path, *, speech: bool = True, **environment: str) -> Options:
    return read({"REPORT": str(tmp_path / "report"), **environment}, speech=speech)


def refused(tmp_path: Path, *, speech: bool = True, **environment: str) -> str:
    with pytest.raises(VoiceAgentError) as error:
        asked(tmp_path, speech=speech, **environment)
    return str(error.value)


def wav(path: Path, pcm: bytes = sound(length_ms=100), rate: int = 8000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def test_nothing_asked_for_is_the_default_call(tmp_path: Path) -> None:
    call = asked(tmp_path)

    assert (call.form, call.preset.name, call.agent.name, call.deepgram_key) == ("interruptible", "default", "shop", "")
    assert [words.name for words in call.words] == ["order", "number", "hours", "person"]
    assert [words.after_ms for words in call.words] == [None, None, 1500, None]
    assert call.hang_up_ms == HANG_UP_MS
    assert call.report.is_dir()


def test_empty_variables_count_as_not_set(tmp_path: Path) -> None:
    assert asked(tmp_path, FLOW="", PRESET="", AGENT="", CALLER="", DEEPGRAM_API_KEY="") == asked(tmp_path)


def test_everything_can_be_chosen(tmp_path: Path) -> None:
    agents = tmp_path / "agents"
    agents.mkdir()
    other = agents / "other.yaml"
    other.write_text((ROOT / "agents/shop.yaml").read_text().replace("name: shop", "name: other"))
    call = asked(
        tmp_path,
        FLOW="polling",
        PRESET="best",
        AGENT=str(other),
        CALLER=f"{wav(tmp_path / 'a.wav')},{wav(tmp_path / 'b.wav')}@+2",
        DEEPGRAM_API_KEY=" key\n",
    )

    assert (call.form, call.preset.name, call.agent.name, call.deepgram_key) == ("polling", "best", "other", "key")
    assert [(words.name, words.after_ms) for words in call.words] == [("a", None), ("b", 2000)]


def test_the_local_agent_needs_rules_for_the_definition_and_says_so_at_once(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text((ROOT / "agents/shop.yaml").read_text().replace("name: shop", "name: other"))

    assert refused(tmp_path, AGENT=str(other)).startswith(f"{tmp_path}/rules/other.yaml:")


def test_an_unknown_flow_is_refused_with_those_there_are(tmp_path: Path) -> None:
    assert refused(tmp_path, FLOW="both") == "FLOW: expected one of interruptible, polling, sip, found 'both'"


def test_a_call_is_transferred_to_a_connector_or_to_a_number(tmp_path: Path) -> None:
    assert refused(tmp_path, SIP="carrier pigeon") == "SIP: expected connector or number, found 'carrier pigeon'"


def test_an_unknown_preset_is_refused_with_those_there_are(tmp_path: Path) -> None:
    assert "never_cut" in refused(tmp_path, PRESET="worst")


def test_a_broken_definition_is_refused_with_file_line_key_and_expectation(tmp_path: Path) -> None:
    broken = tmp_path / "shop.yaml"
    broken.write_text((ROOT / "agents/shop.yaml").read_text().replace("name: shop", "name: shop\ntypo: 1"))

    assert f"{broken}:5: typo: expected" in refused(tmp_path, AGENT=str(broken))


def test_a_recording_of_another_format_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", rate=16_000)
    told = refused(tmp_path, CALLER=str(path))

    assert "8000 Hz, 16-bit PCM, 1 channel is needed, this is 16000 Hz" in told
    assert f"sox {path} -r 8000 -b 16 -c 1 -e signed-integer" in told


def test_a_schedule_of_another_form_is_refused(tmp_path: Path) -> None:
    assert "FILE.wav@+SECONDS" in refused(tmp_path, CALLER="a.mp3")


def test_a_report_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert refused(tmp_path, REPORT=str(tmp_path / "file" / "report")).startswith("REPORT: expected a folder")


def test_without_speech_packages_the_default_callers_words_are_tones(tmp_path: Path) -> None:
    call = asked(tmp_path, speech=False)
    heard = [" ".join(one.text for one in tones.decode(lin2ulaw(words.pcm))) for words in call.words]

    assert heard == [recordings.WORDS[f"{words.name}.wav"] for words in call.words]
    assert [words.after_ms for words in call.words] == [None, None, 1500, None]


def test_without_speech_packages_a_recording_of_speech_is_refused_with_what_to_do(tmp_path: Path) -> None:
    copy = tmp_path / "order.wav"
    shutil.copy(recordings.FOLDER / "order.wav", copy)
    told = refused(tmp_path, speech=False, CALLER=str(copy))

    assert told.startswith(f"CALLER: {copy} can only be understood with the speech packages")
    assert "make setup" in told


def test_without_speech_packages_a_recording_of_tones_is_as_good(tmp_path: Path) -> None:
    pcm = ulaw2lin(tones.encode_utterance("Hello there."))
    call = asked(tmp_path, speech=False, CALLER=str(wav(tmp_path / "hello.wav", pcm)))

    assert call.words[0].pcm == pcm


def test_the_real_service_understands_speech_without_any_package(tmp_path: Path) -> None:
    call = asked(tmp_path, speech=False, DEEPGRAM_API_KEY="key")

    assert not tones.decode(lin2ulaw(call.words[0].pcm))


def test_speech_needs_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise SpeechPackagesMissing(("hibari-tts",))

    monkeypatch.setattr(packages, "require", missing)

    assert not speech_installed(tmp_path / "no-speech")


def test_the_set_ups_marker_switches_speech_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "require", lambda: None)
    assert speech_installed(tmp_path / "no-speech")

    (tmp_path / "no-speech").touch()
    assert not speech_installed(tmp_path / "no-speech")
