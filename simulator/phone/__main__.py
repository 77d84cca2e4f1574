"""`python -m simulator.phone`: one call, told on the terminal. What cannot be is told in one sentence."""

from __future__ import annotations

import asyncio
import os
import sys

GOOD_ENDS = ("transferred", "ended", "caller_hung_up")


def main() -> int:
    """0 when the call ended well and nothing failed, 1 otherwise, 2 when it could not begin, 130 for Ctrl-C."""
    try:
        return _call()
    except ModuleNotFoundError as error:
        print(f"the Python package {error.name} is missing: run `make setup`", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; everything was taken down", file=sys.stderr)
        return 130


def _call() -> int:
    # Only here, so that a missing package is one sentence.
    import structlog

    from contract.errors import VoiceAgentError
    from simulator.phone import options
    from simulator.phone.processes import stderr_to
    from simulator.phone.run import run
    from simulator.phone.terminal import Terminal

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    terminal = Terminal()
    try:
        asked = options.read(os.environ, speech=options.speech_installed())
        agent = "the real Deepgram service" if asked.deepgram_key else f"agent {asked.agent.name}"
        terminal.title(f"A call through the {asked.form} flow (preset {asked.preset.name}, {agent})")
        if not (asked.speech or asked.deepgram_key):
            terminal.note("the speech packages are missing, so words travel as tones; `make setup` tries again")
        with stderr_to(asked.report / "phone.log"):
            report = asyncio.run(run(asked, terminal))
    except VoiceAgentError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if report["result"] in GOOD_ENDS and not report["errors"] else 1


if __name__ == "__main__":  # pragma: no cover - the command itself
    sys.exit(main())
