"""`python -m simulator.phone.agent --definition agents/shop.yaml [--tones]`: the stand-in for Deepgram of one phone.

Rules for a mind; real speech, or `--tones` that carry words where the speech packages are missing. Writes JSON
lines: `{"url": ...}` once it serves, then `{"session": N, "did": "open" | "close"}`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from contract.errors import VoiceAgentError
from simulator.deepgram import local
from simulator.deepgram.brain import Brain
from simulator.deepgram.local.rulebook import load
from simulator.deepgram.local.rules import RulesMind
from simulator.deepgram.scripted import ScriptedEars, ScriptedVoice
from simulator.deepgram.server import DeepgramServer, Options


def tell(**line: object) -> None:
    print(json.dumps(line), flush=True)


def watched(make: Callable[[], Brain]) -> Callable[[], Brain]:
    """Tell of every session when it begins and when its ears are closed."""
    numbers = itertools.count(1)

    def brain() -> Brain:
        made, number = make(), next(numbers)
        close = made.ears.close

        def closed() -> None:
            close()
            tell(session=number, did="close")

        made.ears.close = closed  # type: ignore[method-assign]
        tell(session=number, did="open")
        return made

    return brain


def brains(definition: Path, *, tones: bool) -> Callable[[], Brain]:
    """What makes the agent of a session; blocks for some seconds where models have to be loaded.

    Raises:
        LocalAgentError: the rules are wrong, or a model cannot be loaded.
    """
    if tones:
        book = load(local.rules_path(definition))
        return lambda: Brain(ScriptedEars(), RulesMind(book), ScriptedVoice())
    local.prepare(definition)
    return lambda: local.brain(definition)


async def serve(make: Callable[[], Brain]) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with DeepgramServer(Options(watched(make))) as server:
        tell(url=server.url)
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """0 after SIGTERM; 1 with one sentence when rules, packages or models are not as they should be."""
    parser = argparse.ArgumentParser(prog="simulator.phone.agent", description=__doc__)
    parser.add_argument("--definition", type=Path, required=True)
    parser.add_argument("--tones", action="store_true")
    chosen = parser.parse_args(argv)
    try:
        asyncio.run(serve(brains(chosen.definition, tones=chosen.tones)))
    except VoiceAgentError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        local.close()
    return 0


if __name__ == "__main__":  # pragma: no cover - the command itself
    sys.exit(main())
