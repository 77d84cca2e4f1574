"""`python -m simulator.deepgram --port 0`: serve until interrupted; the first line of stdout is JSON with the port."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from simulator.deepgram.access import LOCAL_KEY, Access
from simulator.deepgram.brain import Brain, Reply
from simulator.deepgram.manners import PRESETS
from simulator.deepgram.scripted import Rule, ScriptedMind, scripted_brain
from simulator.deepgram.server import DeepgramServer, Options


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator.deepgram", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--key", default=LOCAL_KEY, help="the API key that is accepted")
    parser.add_argument("--limit", type=int, default=45, help="sessions at a time; one more gets HTTP 429")
    parser.add_argument("--manners", choices=sorted(PRESETS), default="pessimistic")
    parser.add_argument("--time-scale", type=float, default=1.0, help="divides time-outs and the session length")
    parser.add_argument("--brain", choices=("scripted", "local"), default="scripted")
    parser.add_argument("--definition", type=Path, help="agent definition, for --brain local")
    chosen = parser.parse_args(argv)
    if chosen.brain == "local" and chosen.definition is None:
        parser.error("--brain local needs --definition")
    return chosen


def brain_factory(chosen: argparse.Namespace) -> Callable[[], Brain]:
    """Blocks for some seconds where models have to be loaded."""
    if chosen.brain == "scripted":
        return _repeating_brain
    # Only now: the models behind it take seconds to load.
    local = importlib.import_module("simulator.deepgram.local")
    definition: Path = chosen.definition
    local.prepare(definition)

    def local_brain() -> Brain:
        brain: Brain = local.brain(definition)
        return brain

    return local_brain


def _repeating_brain() -> Brain:
    return scripted_brain(ScriptedMind([Rule(".", _said)]))


def _said(text: str) -> Reply:
    return Reply(f"You said: {text}")


async def serve(chosen: argparse.Namespace) -> None:
    manners = replace(PRESETS[chosen.manners], time_scale=chosen.time_scale)
    access = Access(keys=frozenset({chosen.key}), limit=chosen.limit)
    options = Options(brain_factory(chosen), manners, access)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with DeepgramServer(options, chosen.host, chosen.port) as server:
        print(json.dumps({"port": server.port, "url": server.url}), flush=True)
        await stop.wait()
    if chosen.brain == "local":
        importlib.import_module("simulator.deepgram.local").close()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
