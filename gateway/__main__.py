"""`python -m gateway`: takes calls until SIGTERM, then gives the live ones away and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
import uvloop

from contract.clock import SystemClock
from contract.errors import VoiceAgentError
from definition import load_all
from gateway import aws
from gateway.facilities import Facilities
from gateway.health import LEASES, Heartbeat
from gateway.legs.sip.endpoint import SipEndpoint
from gateway.openings import keep_openings_rendered
from gateway.protection import Protection
from gateway.service import Service
from gateway.settings import Settings, read
from gateway.supervised import supervised
from gateway.telemetry import bounds, logs
from gateway.telemetry.metrics import Metrics

log = structlog.get_logger()


def main() -> int:
    """The process: 0 after SIGTERM, 1 with one sentence when a setting or a definition is wrong."""
    logs.configure()
    owner = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    try:
        settings = read(os.environ, owner)
        uvloop.run(serve(settings))
    except VoiceAgentError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def serve(settings: Settings) -> None:
    """Run the service with everything on AWS and Deepgram."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(aws.THREADS, thread_name_prefix="boto3"))
    definitions = await asyncio.to_thread(load_all, settings.agents)
    clips = await asyncio.to_thread(aws.prompts, settings)
    at_hand, endpoint = await asyncio.to_thread(aws.facilities, settings, SystemClock(), clips, dict(definitions))
    beats = Heartbeat.of(os.environ)
    service = Service(
        at_hand,
        await asyncio.to_thread(aws.wakeups, settings),
        settings.owner,
        settings.calls,
        settings.release,
        settings.tasks_min,
        beat=lambda: beats.beat(LEASES),
    )
    certificate = await asyncio.to_thread(aws.certificate, settings)
    if endpoint is not None:
        endpoint.calls = service
        if certificate is not None:
            await certificate.load()
        await endpoint.open(certificate.context if certificate is not None else None)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    log.info("started", owner=settings.owner, release=settings.release, agents=sorted(definitions))
    metrics = Metrics(settings.deployment, lambda: _figures(service, at_hand, endpoint), at_hand.clock.now_ms)
    aside: dict[str, Callable[[], Awaitable[None]]] = {
        "openings": lambda: keep_openings_rendered(at_hand, clips),
        "loop lag": at_hand.lag.run,
        "heartbeat": beats.run,
        "metrics": metrics.run,
        "task protection": Protection(settings.ecs_agent_uri, lambda: len(service.calls)).run,
    }
    if certificate is not None:
        aside["certificate"] = certificate.keep
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(supervised(name, work), name=name) for name, work in aside.items()]
        if endpoint is not None:  # without it there is no call to be kept: the task is replaced
            running.append(tasks.create_task(endpoint.run(), name="sip"))
        await service.run()
        for task in running:
            task.cancel()
    beats.close()


def _figures(service: Service, at_hand: Facilities, endpoint: SipEndpoint | None) -> dict[str, float]:
    """`Tasks` of the event loop grow and shrink with the calls: what stays behind is a leak."""
    figures = {"Calls": len(service.calls), "LoopLag": at_hand.lag.p99_ms, "Tasks": len(asyncio.all_tasks())}
    return {**figures, **(endpoint.figures() if endpoint is not None else {}), **bounds.take()}


if __name__ == "__main__":
    sys.exit(main())
