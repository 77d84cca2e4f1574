"""Everything that must stand before the telephone rings: processes, servers, voices. Set up side by side."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from aiohttp import web

from contract.clock import Clock
from contract.errors import VoiceAgentError
from simulator.connect.http import ConnectApi, Contacts, LambdaApi
from simulator.connect.lambdas import LambdaRuntime
from simulator.connect.seams import TextVoice
from simulator.deepgram.access import LOCAL_KEY, PATH
from simulator.estate import Estate, estate
from simulator.kvs.server import KvsService
from simulator.phone import cloud
from simulator.phone.gateway_log import GatewayLog
from simulator.phone.options import BY_NUMBER, Options
from simulator.phone.processes import Child, json_line, running
from simulator.phone.terminal import Terminal
from simulator.phone.voices import flow_voice

CLOSE_S = 1.0
MOTO_SERVES = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")

T = TypeVar("T")


class DeepgramUnreachable(VoiceAgentError):
    """The real service did not say the opening."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        why = self.why.partition(";")[0]
        return (
            f"the real Deepgram service: {why}; check DEEPGRAM_API_KEY and the network, or unset it for the local agent"
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the stand-in for Deepgram: `did` is `open` or `close`."""

    number: int
    did: str
    at_ms: int


@dataclass
class Servers:
    """What this process serves to the others over HTTP."""

    kvs: KvsService
    contacts: Contacts

    @classmethod
    @asynccontextmanager
    async def serving(cls, listener: socket.socket, clock: Clock, lambdas: LambdaRuntime) -> AsyncIterator[Servers]:
        kvs, contacts = KvsService(clock), Contacts()
        app = web.Application()
        routes = [*kvs.routes(url_of(listener)), *ConnectApi(contacts, clock).routes(), *LambdaApi(lambdas).routes()]
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield cls(kvs, contacts)
        finally:
            kvs.stop()
            await runner.cleanup()


class Start(Protocol):
    """Starts a process that ends with the stage."""

    async def __call__(
        self, name: str, arguments: Sequence[str], variables: Mapping[str, str], line: Callable[[str], None]
    ) -> Child: ...


async def open_account(start: Start, own_url: str, key: str) -> cloud.Account:
    """The account on a moto server of its own, which chooses its port itself so that nobody takes it in between."""
    found: list[str] = []

    def line(text: str) -> None:
        if match := MOTO_SERVES.search(text):
            found.append(match[1])

    moto = await start("moto", ["simulator.phone.moto_server", "-H", "127.0.0.1", "-p", "0"], {}, line)
    await moto.until(lambda: bool(found), "it listened")
    return await asyncio.to_thread(cloud.create, cloud.Endpoints(found[0], own_url), key)


async def start_agent(start: Start, definition: Path, session: Callable[[int, str], None], speech: bool) -> str:
    """The stand-in for Deepgram; returns its URL. `session` hears of each session's `open` and `close`."""
    found: dict[str, Any] = {}

    def line(text: str) -> None:
        told = json_line(text)
        if "session" in told:
            session(int(told["session"]), str(told["did"]))
        found.update(told)

    arguments = ["simulator.phone.agent", "--definition", str(definition), *([] if speech else ["--tones"])]
    child = await start("deepgram", arguments, {}, line)
    await child.until(lambda: "url" in found, "it served", limit_s=120)
    return f"{found['url']}{PATH}"


@dataclass
class Stage:
    """`children` are all processes but the Lambdas' by name; `gateway` is the one of them that serves."""

    estate: Estate
    account: cloud.Account
    servers: Servers
    lambdas: LambdaRuntime
    voice: TextVoice
    gateway: Child
    log: GatewayLog
    sessions: list[Session] = field(default_factory=list)


@asynccontextmanager
async def set_up(
    asked: Options, terminal: Terminal, clock: Clock, died: Callable[[Child], None]
) -> AsyncIterator[Stage]:
    """All that a call needs, taken down again at the end. `died` hears of a process that ends by itself.

    Raises:
        VoiceAgentError: a process could not be started, or the real Deepgram service cannot be reached.
    """
    async with AsyncExitStack() as stack:
        setup = _Setup(asked, terminal, clock, died, stack)
        with terminal.working("setting up the pretended AWS services, the agent, the Lambdas and the gateway"):
            stage = await setup.all()
        yield stage


class _Setup:
    """What waits for what: the Lambdas for the account, the gateway for the account and the voice agent."""

    def __init__(
        self,
        asked: Options,
        terminal: Terminal,
        clock: Clock,
        died: Callable[[Child], None],
        stack: AsyncExitStack,
    ) -> None:
        self._asked = asked
        self._terminal = terminal
        self._clock = clock
        self._died = died
        self._stack = stack
        self._estate = estate(
            asked.agent.name, _queues(asked), sip_by_number=asked.sip == BY_NUMBER, agents=(asked.agent,)
        )
        self._listener = stack.enter_context(socket.socket())
        self._listener.bind(("127.0.0.1", 0))
        self._log = GatewayLog(terminal, clock)
        self._sessions: list[Session] = []
        self._began = time.monotonic()

    async def all(self) -> Stage:
        try:
            async with asyncio.TaskGroup() as tasks:

                def begin(work: Coroutine[Any, Any, T], what: str) -> asyncio.Task[T]:
                    return tasks.create_task(self._timed(work, what))

                account = begin(self._account(), "AWS services: table, bucket, queue, secret")
                deepgram = begin(self._deepgram(), self._brain())
                lambdas = begin(self._lambdas(account), "Lambdas, a process each")
                voice = begin(self._voice(), "the flow's own voice")
                gateway = begin(self._gateway(account, deepgram), "gateway; the opening in the agent's voice")
        except* VoiceAgentError as failed:
            raise _first(failed) from None
        runtime, servers = lambdas.result()
        return Stage(
            self._estate,
            account.result(),
            servers,
            runtime,
            voice.result(),
            gateway.result(),
            self._log,
            self._sessions,
        )

    async def _timed(self, work: Coroutine[Any, Any, T], what: str) -> T:
        result = await work
        self._terminal.step(what, time.monotonic() - self._began)
        return result

    async def _account(self) -> cloud.Account:
        return await open_account(self._start, url_of(self._listener), self._asked.deepgram_key or LOCAL_KEY)

    def _brain(self) -> str:
        if self._asked.deepgram_key:
            return "Deepgram: the real service"
        return "voice agent: speech recognition, rules, voice" if self._asked.speech else "voice agent: rules, tones"

    async def _deepgram(self) -> dict[str, str]:
        """The stand-in, unless there is a key for the real service; returns the gateway's variables for it."""
        if self._asked.deepgram_key:
            return {}

        def heard(number: int, did: str) -> None:
            self._sessions.append(Session(number, did, self._clock.now_ms()))

        return {"DEEPGRAM_URL": await start_agent(self._start, self._asked.agent_path, heard, self._asked.speech)}

    async def _lambdas(self, account: asyncio.Task[cloud.Account]) -> tuple[LambdaRuntime, Servers]:
        functions = (await account).functions(self._estate, self._asked.agent)
        runtime = await self._stack.enter_async_context(LambdaRuntime(functions))
        servers = await self._stack.enter_async_context(Servers.serving(self._listener, self._clock, runtime))
        await _to_its_end(runtime.warm_up())
        return runtime, servers

    async def _voice(self) -> TextVoice:
        return await self._stack.enter_async_context(flow_voice(self._estate, speech=self._asked.speech))

    async def _gateway(self, account: asyncio.Task[cloud.Account], deepgram: asyncio.Task[dict[str, str]]) -> Child:
        variables = (await account).gateway_environment(
            self._estate, self._asked.agent, cloud.only(self._asked.agent_path, self._asked.report), await deepgram
        )
        if self._asked.form == "sip":
            variables |= cloud.sip_environment()
        if self._asked.recordings is not None:
            variables["RECORDINGS_DIR"] = str(self._asked.recordings)
        gateway = await self._start("gateway", [self._asked.gateway], variables, self._log.line)
        await gateway.until(lambda: self._log.opening is not None, "the opening was rendered")
        if self._log.opening and self._asked.deepgram_key:
            raise DeepgramUnreachable(self._log.opening)
        return gateway

    async def _start(
        self, name: str, arguments: Sequence[str], variables: Mapping[str, str], line: Callable[[str], None]
    ) -> Child:
        starting = Child.start(name, list(arguments), variables, self._asked.report, line, self._died)
        return await self._stack.enter_async_context(running(starting))


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Cancelled, it is over before the cancellation goes on: a process half started would belong to nobody."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    finally:
        await task


def _first(failed: BaseExceptionGroup[VoiceAgentError]) -> VoiceAgentError:
    """The one that the others follow from."""
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _queues(asked: Options) -> tuple[str, ...]:
    """The definition's queues, the default one last."""
    names = [name for name in asked.agent.queues if name != asked.agent.default_queue]
    return (*names, asked.agent.default_queue)


def url_of(listener: socket.socket) -> str:
    """Where a listening socket is reached over HTTP."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
