from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.call import Head, Lease, Opening
from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from definition.model import SpeakDefinition
from gateway.facilities import Facilities
from gateway.legs.kvs.prompts import MemoryPrompts, PromptNotStored
from gateway.openings import AGAIN_S, keep_openings_rendered, opening_key, render_openings
from gateway.voice_agent.connection import Connection
from gateway.voice_agent.errors import ConnectionFailed, UpgradeRefused
from tests.gateway.definitions import definition
from tests.gateway.voice_agent.fakes import FakeConnection

T0 = 1_800_000_000_000
AUDIO = b"\x55" * 8000
DONE = {"type": "AgentAudioDone"}
SHOP = definition()

Script = Callable[[FakeConnection], Awaitable[None]]


class Speaker:
    """Hands out connections that speak by a script, or cannot be had."""

    def __init__(self, script: Script | ConnectionFailed) -> None:
        self.connections: list[FakeConnection] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._script = script

    async def connect(self) -> Connection:
        if isinstance(self._script, ConnectionFailed):
            raise self._script
        connection = FakeConnection(applies=True)
        connection.deliver({"type": "Welcome", "request_id": "r1"})
        self.connections.append(connection)
        self.tasks.append(asyncio.create_task(_play(self._script, connection)))
        return connection


async def _play(script: Script, connection: FakeConnection) -> None:
    await asyncio.sleep(0.2)
    await script(connection)


def _not_used(lease: Lease, head: Head, call: Any) -> Any:
    raise AssertionError("no leg is opened")


def facilities(speaker: Speaker, store: MemoryStore, **changed: Any) -> Facilities:
    return Facilities(
        store=store,
        clock=LoopClock(T0),
        connector=speaker,
        invoker=None,  # type: ignore[arg-type]
        open_leg=_not_used,
        definitions={"shop": replace(SHOP, **changed)},
        queue_arns={},
        random=lambda: 0.5,
    )


async def render(
    script: Script | ConnectionFailed,
    *,
    store: MemoryStore | None = None,
    prompts: MemoryPrompts | None = None,
    **changed: Any,
) -> tuple[MemoryStore, MemoryPrompts, list[Any], Speaker]:
    store, prompts = store or MemoryStore(), prompts or MemoryPrompts()
    speaker = Speaker(script)
    with capture_logs() as logs:
        complete = await render_openings(facilities(speaker, store, **changed), prompts)
    assert complete is not any(line["event"] == "opening_not_rendered" for line in logs)
    for task in speaker.tasks:
        await task
    assert all(connection.closed for connection in speaker.connections)
    return store, prompts, logs, speaker


async def speaks(connection: FakeConnection) -> None:
    connection.deliver(AUDIO, DONE)


async def test_an_opening_is_spoken_stored_and_known() -> None:
    store, prompts, _, _ = await render(speaks)
    [(url, wav)] = prompts.objects.items()
    assert wav.endswith(AUDIO)
    assert await store.opening("shop") == Opening(url, "Good day.", 1000)


async def test_an_opening_that_is_known_is_not_spoken_again() -> None:
    store, prompts, _, _ = await render(speaks)
    _, _, _, speaker = await render(speaks, store=store, prompts=prompts)
    assert speaker.connections == []


async def test_another_text_or_voice_is_spoken_anew() -> None:
    store, prompts, _, _ = await render(speaks)
    await render(speaks, store=store, prompts=prompts, opening="Good evening.")
    opening = await store.opening("shop")
    assert opening is not None
    assert opening.text == "Good evening."
    assert len(prompts.objects) == 2


def test_the_key_names_what_the_caller_hears() -> None:
    other = replace(SHOP, speak=(SpeakDefinition({"type": "deepgram", "model": "aura-2-luna-en"}),))
    assert len({opening_key(SHOP), opening_key(other), opening_key(replace(SHOP, opening="Hello."))}) == 3
    assert opening_key(SHOP) == opening_key(replace(SHOP, prompt="You are curt."))
    assert opening_key(SHOP).startswith("openings/shop-")


async def test_audio_after_an_audio_done_belongs_to_it() -> None:
    async def in_bursts(connection: FakeConnection) -> None:
        connection.deliver(DONE, AUDIO, DONE)
        await asyncio.sleep(0.4)
        connection.deliver(AUDIO)
        await asyncio.sleep(0.4)
        connection.deliver(AUDIO, DONE)

    store, _, _, _ = await render(in_bursts)
    opening = await store.opening("shop")
    assert opening is not None
    assert opening.duration_ms == 3000


async def test_an_opening_whose_end_is_not_known_is_not_used() -> None:
    async def endless(connection: FakeConnection) -> None:
        connection.deliver(AUDIO)

    store, prompts, logs, _ = await render(endless)
    assert await store.opening("shop") is None
    assert prompts.objects == {}
    assert "no end of its audio within 20 s" in logs[-1]["why"]


async def test_an_agent_that_says_nothing_has_no_opening() -> None:
    async def silent(connection: FakeConnection) -> None:
        connection.deliver(DONE)

    _, _, logs, _ = await render(silent)
    assert "(no audio)" in logs[-1]["why"]


async def test_a_session_that_breaks_leaves_no_half_opening() -> None:
    async def breaks(connection: FakeConnection) -> None:
        connection.deliver(AUDIO)
        connection.end()

    store, _, logs, _ = await render(breaks)
    assert await store.opening("shop") is None
    assert "CONNECTION_LOST" in logs[-1]["why"]


async def test_a_session_that_ends_after_its_opening_was_heard_is_good_enough() -> None:
    async def ends(connection: FakeConnection) -> None:
        connection.deliver(AUDIO, DONE)
        connection.end()

    store, _, _, _ = await render(ends)
    assert await store.opening("shop") is not None


async def test_a_session_that_cannot_be_had_is_logged() -> None:
    _, _, logs, _ = await render(UpgradeRefused(401))
    assert "HTTP_401" in logs[-1]["why"]


class NoPrompts(MemoryPrompts):
    async def put(self, key: str, wav: bytes) -> str:
        raise PromptNotStored(key, "AccessDenied")


class NoStore(MemoryStore):
    async def opening(self, agent: str) -> Opening | None:
        raise StoreUnavailable("opening", "Throttled")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"prompts": NoPrompts()}, "AccessDenied"),
        ({"store": NoStore()}, "Throttled"),
        ({"speak": (SpeakDefinition({"type": "open_ai", "credentials": {"key": "${secret:KEY}"}}),)}, "KEY"),
    ],
)
async def test_whatever_fails_the_gateway_goes_on(given: dict[str, Any], why: str) -> None:
    _, _, logs, _ = await render(speaks, **given)
    assert logs[-1]["event"] == "opening_not_rendered"
    assert why in logs[-1]["why"]


async def test_what_could_not_be_rendered_is_tried_again_until_it_can() -> None:
    class Late(Speaker):
        tries = 0

        async def connect(self) -> Connection:
            Late.tries += 1
            if Late.tries < 3:
                raise UpgradeRefused(401)
            return await super().connect()

    speaker, store = Late(speaks), MemoryStore()
    before = asyncio.get_running_loop().time()
    with capture_logs():
        await keep_openings_rendered(facilities(speaker, store), MemoryPrompts())
    assert await store.opening("shop") is not None
    assert asyncio.get_running_loop().time() - before >= 2 * AGAIN_S
    for task in speaker.tasks:
        await task


async def test_an_opening_that_depends_on_the_caller_is_not_rendered_and_an_older_one_not_played() -> None:
    store = MemoryStore()
    await store.put_opening("shop", Opening("https://x/openings/old.wav", "Good day.", 1000))
    at_hand = facilities(Speaker(ConnectionFailed("not needed")), store)
    agent = next(iter(at_hand.definitions.values()))
    changed = replace(agent, opening="Hello {{attributes.name | there}}.")
    for _ in range(2):
        await render_openings(replace(at_hand, definitions={agent.name: changed}), MemoryPrompts())
        assert await store.opening(agent.name) == Opening("", "", 0)
