"""One call from the set-up to the report."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from contract.clock import SystemClock
from simulator.phone.call import PhoneCall
from simulator.phone.closing import closing
from simulator.phone.facts import Facts
from simulator.phone.options import Options
from simulator.phone.processes import Child
from simulator.phone.report import build
from simulator.phone.stage import Stage, set_up
from simulator.phone.terminal import Terminal

STOP_S = 8.0

Beside = Callable[[PhoneCall, Child], Coroutine[Any, Any, None]]
"""Runs beside a call, with the gateway's process, and is cancelled with its end: for what may go wrong meanwhile."""


async def run(asked: Options, terminal: Terminal, beside: Beside | None = None) -> Mapping[str, Any]:
    """One call; returns the report, which is in its folder too.

    Raises:
        VoiceAgentError: a process could not be started, or the real Deepgram service cannot be reached.
    """
    facts, _ = await conduct(asked, terminal, beside)
    report = build(facts)
    await asyncio.to_thread(_write, asked.report / "report.json", report)
    closing(terminal.screen, report, facts, asked.report)
    return report


async def conduct(asked: Options, terminal: Terminal, beside: Beside | None = None) -> tuple[Facts, Stage]:
    """One call, recorded; what is known of it, and what it was carried out with, which is taken down by then.

    Raises:
        VoiceAgentError: as `run`.
    """
    call: PhoneCall | None = None

    def died(child: Child) -> None:
        if call is not None:
            call.died(child)

    clock = SystemClock()
    async with set_up(asked, terminal, clock, died) as stage:
        call = PhoneCall(asked, stage, clock, terminal)
        stage.log.failed = call.failed
        aside = asyncio.create_task(beside(call, stage.gateway)) if beside else None
        try:
            end = await call.run(lambda: stage.gateway.alive)
        finally:
            if aside is not None:
                aside.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await aside
        await stage.gateway.stop(STOP_S)  # its last lines are part of what is known
        await asyncio.to_thread(call.exchange.line.save, asked.report / "call.wav")
        return replace(call.facts(end, stage.log.figures), errors=tuple(call.errors)), stage


def _write(path: Path, report: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
