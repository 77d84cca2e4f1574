"""Sets everything up, runs one call, reports, and takes everything down again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract.clock import SystemClock
from contract.errors import VoiceAgentError
from simulator.connect.lambdas import LambdaRuntime
from simulator.deepgram.access import LOCAL_KEY, PATH
from simulator.estate import estate
from simulator.phone import cloud, options
from simulator.phone.call import PhoneCall, Servers
from simulator.phone.options import Options
from simulator.phone.processes import Child, free_port, json_line, running
from simulator.phone.report import build
from simulator.phone.terminal import Terminal
from simulator.phone.voices import flow_voice

NO_SPEECH = Path(".venv/no-speech")


@dataclass
class GatewayLog:
    """What the gateway's log says that the phone wants to know."""

    terminal: Terminal
    clock: SystemClock
    started: bool = False
    ready: bool = False
    figures: dict[str, Any] = field(default_factory=dict)

    def line(self, text: str) -> None:
        line = json_line(text)
        match line.get("event"):
            case "started":
                self.started = True
            case "opening_rendered" | "opening_not_rendered":
                self.ready = True
            case "call_taken":
                self.figures["taken_at_ms"] = self.clock.now_ms()
            case "call_over":
                self.figures |= line
        self.terminal.gateway(line, self.clock.now_ms())


def main() -> int:
    """Exit code 0 when the caller ended at a human or at a goodbye, 1 otherwise, 2 for bad input."""
    terminal = Terminal()
    try:
        asked = options.read(os.environ, speech=not NO_SPEECH.exists())
        report = asyncio.run(run(asked, terminal))
    except VoiceAgentError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0 if report["result"] in ("transferred", "ended", "caller_hung_up") and not report["errors"] else 1


async def run(asked: Options, terminal: Terminal) -> Mapping[str, Any]:
    """One call; returns the report, which is in its folder too.

    Raises:
        VoiceAgentError: a process could not be started.
    """
    terminal.title(f"A call through the {asked.form} flow (preset {asked.preset.name}, agent {asked.agent.name})")
    asked.report.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        return await _call(asked, terminal, stack)


async def _call(asked: Options, terminal: Terminal, stack: AsyncExitStack) -> Mapping[str, Any]:
    clock = SystemClock()
    built = estate(asked.agent.name, tuple(_queues(asked)))
    moto_port, own_port = free_port(), free_port()
    endpoints = cloud.Endpoints(f"http://127.0.0.1:{moto_port}", f"http://127.0.0.1:{own_port}")

    terminal.step("starting the pretended AWS services")
    moto = await stack.enter_async_context(
        running(Child.start("moto", ["-m", "moto.server", "-H", "127.0.0.1", "-p", str(moto_port)], {}, asked.report))
    )
    deepgram = await _deepgram(asked, terminal, stack)
    await _listening(moto, moto_port)
    key = asked.deepgram_key or LOCAL_KEY
    account = await asyncio.to_thread(cloud.create, endpoints, key)

    terminal.step("starting the Lambdas, one process each")
    lambdas = await stack.enter_async_context(LambdaRuntime(account.functions(built)))
    servers = await Servers.start(own_port, clock, lambdas)
    stack.push_async_callback(servers.runner.cleanup)
    await lambdas.warm_up()

    terminal.step("starting the gateway; it renders the opening in the agent's voice")
    log = GatewayLog(terminal, clock)
    environment = account.gateway_environment(built, str(asked.agent_path.parent), deepgram)
    gateway = await stack.enter_async_context(
        running(Child.start("gateway", ["-m", "gateway"], environment, asked.report, log.line))
    )
    await gateway.until(lambda: log.ready, "the opening was rendered")
    voice = await flow_voice(built, speech=asked.speech)

    terminal.title("The telephone rings\n")
    call = PhoneCall(asked, built, account, servers, lambdas, voice, clock, terminal)
    end = await call.run()
    await gateway.stop()
    report = build(call.facts(end, log.figures, []))
    call.exchange.line.save(asked.report / "call.wav")
    (asked.report / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    terminal.result(report, str(asked.report))
    return report


def _queues(asked: Options) -> list[str]:
    """The definition's queues, the default one last."""
    names = [name for name in asked.agent.queues if name != asked.agent.default_queue]
    return [*names, asked.agent.default_queue]


async def _deepgram(asked: Options, terminal: Terminal, stack: AsyncExitStack) -> dict[str, str]:
    """The stand-in, unless there is a key for the real service; returns the gateway's variables for it."""
    if asked.deepgram_key:
        terminal.step("using the real Deepgram service")
        return {}
    terminal.step("loading the local agent: speech recognition and voice" if asked.speech else "starting the agent")
    found: dict[str, Any] = {}
    brain = "local" if asked.speech else "scripted"
    arguments = ["-m", "simulator.deepgram", "--port", "0", "--brain", brain, "--definition", str(asked.agent_path)]
    child = await stack.enter_async_context(
        running(Child.start("deepgram", arguments, {}, asked.report, lambda text: found.update(json_line(text))))
    )
    await child.until(lambda: "url" in found, "it served")
    return {"DEEPGRAM_URL": f"{found['url']}{PATH}"}


async def _listening(child: Child, port: int) -> None:
    """Wait until somebody answers on the port."""
    answered = False

    async def knock() -> None:
        nonlocal answered
        while not answered:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                answered = True

    task = asyncio.create_task(knock())
    try:
        await child.until(lambda: answered, "it listened")
    finally:
        task.cancel()


if __name__ == "__main__":
    sys.exit(main())
