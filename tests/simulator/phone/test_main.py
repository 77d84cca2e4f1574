from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.errors import VoiceAgentError
from simulator.phone import __main__ as phone
from simulator.phone import options, run
from simulator.phone.options import Options
from simulator.phone.terminal import Terminal

WELL = {"result": "transferred", "errors": []}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("REPORT", str(tmp_path))
    monkeypatch.setattr(options, "speech_installed", lambda: True)
    for name in ("FLOW", "PRESET", "AGENT", "CALLER", "DEEPGRAM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def calls(monkeypatch: pytest.MonkeyPatch, report: Mapping[str, Any] | BaseException) -> None:
    """What a call comes to."""

    async def made(asked: Options, terminal: Terminal) -> Mapping[str, Any]:
        if isinstance(report, BaseException):
            raise report
        return report

    monkeypatch.setattr(run, "run", made)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (WELL, 0),
        ({**WELL, "result": "ended"}, 0),
        ({**WELL, "result": "failed"}, 1),
        ({**WELL, "errors": ["moto was killed"]}, 1),
    ],
)
def test_the_exit_code_says_whether_all_went_well(
    monkeypatch: pytest.MonkeyPatch, report: Mapping[str, Any], code: int
) -> None:
    calls(monkeypatch, report)

    assert phone.main() == code


def test_the_title_says_which_call_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls(monkeypatch, WELL)
    phone.main()

    assert capsys.readouterr().out == "A call through the interruptible flow (preset default, agent shop)\n"


def test_a_scripted_agent_is_told_of_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(options, "speech_installed", lambda: False)
    calls(monkeypatch, WELL)
    phone.main()

    assert "the speech packages are missing, so words travel as tones" in capsys.readouterr().out.splitlines()[1]


def test_a_key_means_the_real_service(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "key")
    calls(monkeypatch, WELL)
    phone.main()

    assert "the real Deepgram service" in capsys.readouterr().out


def test_bad_input_is_one_sentence_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOW", "both")

    assert phone.main() == 2
    assert capsys.readouterr().err == "FLOW: expected one of interruptible, polling, sip, found 'both'\n"


def test_what_cannot_be_set_up_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(VoiceAgentError):
        def __str__(self) -> str:
            return "moto ended with code 1"

    calls(monkeypatch, Broken())

    assert phone.main() == 2
    assert capsys.readouterr().err == "moto ended with code 1\n"


def test_a_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "structlog", None)

    assert phone.main() == 2
    assert capsys.readouterr().err == "the Python package structlog is missing: run `make setup`\n"


def test_ctrl_c_says_that_everything_was_taken_down(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls(monkeypatch, KeyboardInterrupt())

    assert phone.main() == 130
    assert "interrupted" in capsys.readouterr().err
