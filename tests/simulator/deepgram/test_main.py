from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from simulator.deepgram.__main__ import arguments, brain_factory, serve
from simulator.deepgram.brain import Reply


def test_the_scripted_brain_repeats_what_it_hears() -> None:
    brain = brain_factory(arguments([]))()
    assert brain.mind.heard("hello", 0) == Reply("You said: hello")


def test_the_local_brain_is_loaded_by_name_with_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = types.ModuleType("simulator.deepgram.local")
    prepared: list[Path] = []
    module.prepare = prepared.append
    module.brain = lambda definition: ("brain", definition)
    monkeypatch.setitem(sys.modules, "simulator.deepgram.local", module)
    make = brain_factory(arguments(["--brain", "local", "--definition", "agents/a.yaml"]))
    made: object = make()
    assert made == ("brain", Path("agents/a.yaml"))
    assert prepared == [Path("agents/a.yaml")]


def test_the_local_brain_needs_a_definition(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--brain", "local"])
    assert "--definition" in capsys.readouterr().err


@pytest.fixture
def chosen() -> argparse.Namespace:
    return arguments(["--time-scale", "10"])


@pytest.mark.wall_clock
async def test_it_serves_until_a_signal_comes(capsys: pytest.CaptureFixture[str], chosen: argparse.Namespace) -> None:
    serving = asyncio.create_task(serve(chosen))
    told = ""
    for _ in range(1_000):
        if told := capsys.readouterr().out:
            break
        await asyncio.sleep(0.005)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(serving, 10)
    assert json.loads(told)["port"] > 0


def test_it_prints_its_port_and_stops_on_a_signal() -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "simulator.deepgram", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert told["url"] == f"ws://127.0.0.1:{told['port']}"
