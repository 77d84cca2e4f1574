"""A pretended account with any number of gateways, whose callers and agent speak in tones: light on the machine."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import definition
from contract.clock import Clock, SystemClock
from contract.dynamodb import DynamoStore
from contract.running import in_thread
from definition import AgentDefinition
from simulator.connect.lambdas import LambdaRuntime
from simulator.connect.seams import TextVoice
from simulator.deepgram.access import LOCAL_KEY
from simulator.estate import Estate, estate
from simulator.phone.cloud import TABLE, Account, only
from simulator.phone.processes import Child, json_line, running
from simulator.phone.stage import Servers, open_account, start_agent, url_of
from simulator.phone.voices import flow_voice

REMEMBERED = 100  # contacts that have ended
DEPLOYMENT = "fleet"  # a gateway with the name of a deployment writes its metrics


@dataclass
class Gateway:
    """One task of the service. `figures` are its last metrics; `lines` of its log that tell of trouble are kept."""

    name: str
    child: Child | None = None
    owner: str = ""  # its name in leases
    figures: dict[str, float] = field(default_factory=dict)
    measured: int = 0
    troubles: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    expected: frozenset[str] = frozenset()

    def line(self, text: str) -> None:
        """One line of its output."""
        told = json_line(text)
        if "_aws" in told:
            self.figures = {name: value for name, value in told.items() if isinstance(value, (int, float))}
            self.measured += 1
            return
        event = str(told.get("event", text))
        if event == "started":
            self.owner = str(told.get("owner"))
        self.happened.append(event)
        broken = told.get("level") in ("error", "critical") and event not in self.expected
        if broken or text.startswith(("Traceback", "Task exception", "Exception")):
            self.troubles.append(text)

    @property
    def process(self) -> Child:
        assert self.child is not None
        return self.child

    @property
    def pid(self) -> int:
        return self.process.process.pid


@dataclass
class Fleet:
    """The account, its servers and Lambdas, and the gateways so far."""

    folder: Path
    estate: Estate
    account: Account
    servers: Servers
    lambdas: LambdaRuntime
    voice: TextVoice
    store: DynamoStore
    deepgram_url: str
    clock: Clock
    agent: AgentDefinition
    agents: Path
    stack: AsyncExitStack
    clients: Mapping[str, Any]  # boto3's, by service
    gateways: list[Gateway] = field(default_factory=list)
    _streams: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _free_streams: list[str] = field(default_factory=list)
    _ended: deque[str] = field(default_factory=deque)

    async def start_gateway(self, **variables: str) -> Gateway:
        """One more task; returns when it serves."""
        gateway = Gateway(f"gateway-{len(self.gateways) + 1}")
        environment = {
            **self.account.gateway_environment(
                self.estate, self.agent, str(self.agents), {"DEEPGRAM_URL": self.deepgram_url}
            ),
            "DEPLOYMENT": DEPLOYMENT,
            **variables,
        }
        starting = Child.start(gateway.name, ["gateway"], environment, self.folder, gateway.line)
        gateway.child = await self.stack.enter_async_context(running(starting))
        self.gateways.append(gateway)
        await gateway.child.until(lambda: "started" in gateway.happened, "it served")
        return gateway

    async def opening_rendered(self) -> None:
        """The first gateway of an account renders the opening; calls before that would begin with a greeting."""
        first = self.gateways[0]
        await first.process.until(lambda: "opening_rendered" in first.happened, "the opening was rendered")

    def take_stream(self) -> str:
        """A video stream's ARN that no live call writes to: Connect uses them again and again."""
        return self._free_streams.pop() if self._free_streams else f"{self.estate.stream_arn}{next(self._streams):04d}"

    def call_over(self, contact_id: str, arn: str) -> None:
        """Its stream may be used again; Connect knows a contact for long after its end."""
        self.servers.kvs.streams.pop(arn, None)
        self._free_streams.append(arn)
        self._ended.append(contact_id)
        if len(self._ended) > REMEMBERED:
            self.servers.contacts.by_id.pop(self._ended.popleft(), None)


@asynccontextmanager
async def set_up(folder: Path, agent: Path = Path("agents/shop.yaml")) -> AsyncIterator[Fleet]:
    """Everything but the gateways. Output of all processes goes to `folder`.

    Raises:
        VoiceAgentError: a process could not be started.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    clock = SystemClock()
    shop = definition.load(agent)
    built = estate(shop.name, _queues(shop.queues, shop.default_queue), agents=(shop,))
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))

        async def start(
            name: str, arguments: Sequence[str], variables: Mapping[str, str], line: Callable[[str], None]
        ) -> Child:
            starting = Child.start(name, list(arguments), variables, folder, line)
            return await stack.enter_async_context(running(starting))

        account = await open_account(start, url_of(listener), LOCAL_KEY)
        url = await start_agent(start, agent, lambda number, did: None, speech=False)
        runtime = await stack.enter_async_context(LambdaRuntime(account.functions(built, shop)))
        servers = await stack.enter_async_context(Servers.serving(listener, clock, runtime))
        await runtime.warm_up()
        voice = await stack.enter_async_context(flow_voice(built, speech=False))
        clients = {name: await asyncio.to_thread(account.client, name) for name in ("dynamodb", "s3")}
        store = DynamoStore(clients["dynamodb"], TABLE, in_thread)
        yield Fleet(
            folder,
            built,
            account,
            servers,
            runtime,
            voice,
            store,
            url,
            clock,
            shop,
            Path(only(agent, folder)),
            stack,
            clients,
        )


def _queues(names: Mapping[str, object], default: str) -> tuple[str, ...]:
    return (*(name for name in names if name != default), default)
