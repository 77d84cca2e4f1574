from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from simulator.deepgram import local
from simulator.deepgram.access import LOCAL_KEY, PATH
from simulator.deepgram.brain import Brain
from simulator.deepgram.scripted import scripted_brain
from simulator.phone import agent

SHOP = Path(__file__).resolve().parents[3] / "agents" / "shop.yaml"


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_sessions_are_told_of_when_they_begin_and_end(capsys: pytest.CaptureFixture[str]) -> None:
    brain = agent.watched(scripted_brain)
    first, _ = brain(), brain()
    first.ears.close()

    assert told(capsys) == [
        {"session": 1, "did": "open"},
        {"session": 2, "did": "open"},
        {"session": 1, "did": "close"},
    ]


def test_with_tones_it_follows_the_rules_without_any_speech_package() -> None:
    brain = agent.brains(SHOP, tones=True)()
    brain.mind.opened({})

    assert "order number" in brain.mind.heard("Where is my order?", 0).text


def test_with_speech_it_loads_the_models_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[Path] = []
    made: list[Brain] = []

    def a_brain(path: Path) -> Brain:
        made.append(scripted_brain())
        return made[-1]

    monkeypatch.setattr(local, "prepare", prepared.append)
    monkeypatch.setattr(local, "brain", a_brain)
    make = agent.brains(SHOP, tones=False)

    assert [make(), make()] == made
    assert prepared == [SHOP]


@pytest.mark.wall_clock
async def test_it_serves_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    serving = asyncio.create_task(agent.serve(scripted_brain))
    url = ""
    while not url:
        await asyncio.sleep(0.01)
        url = "".join(str(line.get("url", "")) for line in told(capsys))
    async with connect(f"{url}{PATH}", additional_headers={"Authorization": f"Token {LOCAL_KEY}"}) as socket:
        assert json.loads(await socket.recv())["type"] == "Welcome"
    os.kill(os.getpid(), signal.SIGTERM)
    await serving

    assert told(capsys) == [{"session": 1, "did": "open"}, {"session": 1, "did": "close"}]


def test_wrong_rules_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agent.main(["--definition", str(tmp_path / "none.yaml"), "--tones"]) == 1
    assert "none.yaml" in capsys.readouterr().err


def test_the_command_serves_what_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    async def serve(make: object) -> None:
        assert callable(make)

    monkeypatch.setattr(agent, "serve", serve)
    monkeypatch.setattr(local, "close", lambda: closed.append(True))

    assert agent.main(["--definition", str(SHOP), "--tones"]) == 0
    assert closed == [True]
