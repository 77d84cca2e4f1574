"""`python -m simulator.fleet soak --minutes 10`: see `--help`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path

import structlog

from contract.errors import VoiceAgentError
from simulator.fleet.killing import kill_test
from simulator.fleet.soak import soak
from simulator.phone.processes import stderr_to


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it passed, 1 when it did not, 2 when it could not begin."""
    parser = argparse.ArgumentParser(prog="simulator.fleet", description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("build/fleet"), help="folder for what the processes say")
    commands = parser.add_subparsers(dest="command", required=True)
    soaking = commands.add_parser("soak", help="calls come and go; nothing may be left behind in the gateway")
    soaking.add_argument("--minutes", type=float, default=10.0)
    soaking.add_argument("--calls", type=int, default=4, help="how many at once")
    killing = commands.add_parser("kill", help="a gateway is killed in the middle of its calls; all must go on")
    killing.add_argument("--calls", type=int, default=6)
    chosen = parser.parse_args(argv)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        chosen.report.mkdir(parents=True, exist_ok=True)
        with stderr_to(chosen.report / "fleet.log"):
            return asyncio.run(_work(chosen))
    except VoiceAgentError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _work(chosen: argparse.Namespace) -> Coroutine[None, None, int]:
    if chosen.command == "kill":
        return kill_test(chosen.calls, chosen.report)
    return soak(chosen.minutes, chosen.calls, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
