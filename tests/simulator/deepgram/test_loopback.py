from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from contract.clock import LoopClock
from simulator.deepgram import tones
from simulator.deepgram.access import Access
from simulator.deepgram.loopback import Loopback, Service
from simulator.deepgram.manners import PESSIMISTIC, Incident, Manners
from simulator.deepgram.scripted import scripted_brain
from tests.simulator.deepgram.driver import START_MS, settings


class Ended(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code


class Refused(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def service(manners: Manners = PESSIMISTIC, access: Access | None = None) -> Service:
    return Service(scripted_brain, LoopClock(START_MS), ended=Ended, refused=Refused, manners=manners, access=access)


async def opened(manners: Manners = PESSIMISTIC, **agent: str) -> Loopback:
    connection = await service(manners).connect()
    await connection.send(json.dumps(settings(**agent)))
    while json.loads(await text_of(connection))["type"] != "SettingsApplied":
        pass
    return connection


async def text_of(connection: Loopback) -> str:
    while not isinstance(frame := await connection.recv(), str):
        pass
    return frame


async def test_recv_waits_for_the_timers_of_the_session() -> None:
    loop = asyncio.get_running_loop()
    await opened()
    assert loop.time() == pytest.approx(0.11, abs=0.002)


async def test_a_whole_turn_passes_over_it() -> None:
    connection = await opened()
    heard = bytearray()

    async def speak() -> None:
        audio = tones.encode_utterance("How are you") + tones.silence(3_000)
        for at in range(0, len(audio), 160):
            await connection.send(audio[at : at + 160])
            await asyncio.sleep(0.02)

    async def listen() -> None:
        while True:
            frame = await connection.recv()
            if isinstance(frame, bytes):
                heard.extend(frame)

    listener = asyncio.create_task(listen())
    await speak()
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    assert [found.text for found in tones.decode(bytes(heard))] == ["Sorry, I did not get that."]
    assert connection.session.counters.too_fast == 0


async def test_a_client_that_never_receives_is_told_later_what_fell_due_in_order() -> None:
    connection = await opened()
    await asyncio.sleep(15)
    assert [json.loads(await text_of(connection))["type"] for _ in range(2)] == [
        "QualityReportNobodyHasHeardOf",
        "Error",
    ]
    with pytest.raises(Ended) as caught:
        await connection.recv()
    assert caught.value.code == 1005


async def test_after_the_end_both_directions_raise_it() -> None:
    connection = await opened(replace(PESSIMISTIC, incidents=(Incident("clock", "drop", at_ms=1_000),)))
    await asyncio.sleep(2)
    for _ in range(2):
        with pytest.raises(Ended) as caught:
            await connection.send(b"\xff")
        assert caught.value.code == 1006
    assert connection.closed
    await connection.close()


async def test_close_wakes_who_receives_and_drops_what_is_under_way() -> None:
    connection = await opened(greeting="Good morning")

    async def receive() -> None:
        while True:
            await connection.recv()

    receiver = asyncio.create_task(receive())
    await asyncio.sleep(5)
    await connection.close()
    with pytest.raises(Ended) as caught:
        await receiver
    assert caught.value.code == 1000
    assert connection.session.over
    with pytest.raises(Ended):
        await connection.recv()


async def test_a_session_that_says_nothing_more_is_waited_for_until_it_is_closed() -> None:
    connection = await opened()
    connection.session.closed(START_MS + 1_000)
    connection._inbox.clear()
    waiting = asyncio.create_task(connection.recv())
    await asyncio.sleep(3_600)
    assert not waiting.done()
    await connection.close()
    with pytest.raises(Ended):
        await waiting


async def test_a_wrong_key_and_a_full_service_are_refused_and_a_closed_connection_makes_room() -> None:
    full = service(access=Access(limit=1))
    with pytest.raises(Refused) as caught:
        await full.connect("wrong")
    assert caught.value.status == 401
    first = await full.connect()
    with pytest.raises(Refused) as caught:
        await full.connect()
    assert caught.value.status == 429
    assert "TOO_MANY_REQUESTS" in caught.value.body
    await first.close()
    second = await full.connect()
    assert second.session.request_id != first.session.request_id
    assert full.connections == [first, second]
    await second.close()
