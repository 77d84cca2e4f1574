from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from contract.clock import SystemClock
from simulator.deepgram import tones
from simulator.deepgram.access import LOCAL_KEY, PATH, Access
from simulator.deepgram.manners import PESSIMISTIC, TEXTBOOK, Incident, Manners
from simulator.deepgram.scripted import scripted_brain
from simulator.deepgram.server import DeepgramServer, Options
from tests.simulator.deepgram.driver import settings

pytestmark = pytest.mark.wall_clock
KEY = {"Authorization": f"Token {LOCAL_KEY}"}
QUICK = replace(TEXTBOOK, applied_after_ms=5, time_scale=100)


def serving(manners: Manners = QUICK, access: Access | None = None, **more: Any) -> DeepgramServer:
    return DeepgramServer(Options(scripted_brain, manners, access or Access(), **more))


@asynccontextmanager
async def session(server: DeepgramServer, path: str = PATH, **more: Any) -> AsyncIterator[ClientConnection]:
    if "subprotocols" not in more:
        more.setdefault("additional_headers", KEY)
    async with connect(server.url + path, proxy=None, max_size=None, **more) as socket:
        yield socket


async def refused(server: DeepgramServer, **more: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        async with session(server, **more):
            pass
    return caught.value


async def message(socket: ClientConnection) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(await socket.recv())
    return body


async def until_closed(socket: ClientConnection) -> tuple[list[str], ConnectionClosed]:
    kinds: list[str] = []
    while True:
        try:
            kinds.append((await message(socket))["type"])
        except ConnectionClosed as closed:
            return kinds, closed


async def test_the_upgrade_is_followed_by_welcome_with_the_request_id_of_the_header() -> None:
    async with serving() as server, session(server) as socket:
        assert socket.response is not None
        welcome = await message(socket)
        assert welcome == {"type": "Welcome", "request_id": socket.response.headers["dg-request-id"]}
        assert server.sessions[0].request_id == welcome["request_id"]


async def test_the_request_id_header_may_be_missing() -> None:
    async with serving(tells_request_id=False) as server, session(server) as socket:
        assert socket.response is not None
        assert "dg-request-id" not in socket.response.headers


async def test_a_wrong_key_is_401_with_a_json_body_and_another_path_404() -> None:
    async with serving() as server:
        wrong = await refused(server, additional_headers={"Authorization": "Token wrong"})
        assert wrong.response.status_code == 401
        assert json.loads(wrong.response.body or b"")["err_code"] == "INVALID_AUTH"
        assert (await refused(server, path="/agent")).response.status_code == 404


async def test_the_key_as_subprotocol_opens_and_the_scheme_is_selected() -> None:
    offered = [Subprotocol("token"), Subprotocol(LOCAL_KEY), Subprotocol("x-deepgram-session-id"), Subprotocol("7")]
    async with serving() as server, session(server, subprotocols=offered) as socket:
        assert socket.subprotocol == "token"


async def test_a_client_with_other_subprotocols_and_a_header_gets_none_of_them() -> None:
    async with serving() as server:
        offered = [Subprotocol("chat")]
        async with session(server, subprotocols=offered, additional_headers=KEY) as socket:
            assert socket.subprotocol is None


async def test_a_token_that_expires_during_the_session_does_not_end_it() -> None:
    expires_ms = SystemClock().now_ms() + 60
    bearer = {"Authorization": "Bearer jwt"}
    async with serving(replace(QUICK, time_scale=1), Access(tokens={"jwt": expires_ms})) as server:
        async with session(server, additional_headers=bearer) as socket:
            await asyncio.sleep(0.08)
            await message(socket)
            await socket.send(json.dumps(settings()))
            assert (await message(socket))["type"] == "SettingsApplied"
        assert (await refused(server, additional_headers=bearer)).response.status_code == 401


async def test_beyond_the_limit_it_is_429_until_one_closes_and_other_refusals_can_be_forced() -> None:
    async with serving(access=Access(limit=1)) as server:
        async with session(server):
            assert (await refused(server)).response.status_code == 429
        for _ in range(100):
            try:
                async with session(server):
                    break
            except InvalidStatus:
                await asyncio.sleep(0.005)
        else:
            pytest.fail("the closed session still counts")
        for status in (402, 403, 503):
            server.options.access.refuse = status
            assert (await refused(server)).response.status_code == status


async def test_it_answers_pings() -> None:
    async with serving() as server, session(server) as socket:
        assert await (await socket.ping()) >= 0


@pytest.mark.parametrize(("code", "seen"), [(1000, 1000), (1005, 1005), (None, 1006)])
async def test_an_error_is_followed_by_a_close_with_a_status_without_one_or_by_a_drop(
    code: int | None, seen: int
) -> None:
    async with serving(replace(QUICK, close_code=code)) as server, session(server) as socket:
        await socket.send("nonsense")
        kinds, closed = await until_closed(socket)
        assert kinds == ["Welcome", "Error"]
        found = closed.rcvd.code if closed.rcvd else 1006
        assert found == seen


async def test_silence_of_the_client_ends_the_session() -> None:
    async with serving() as server, session(server) as socket:
        kinds, _ = await until_closed(socket)
        assert kinds == ["Welcome", "Error"]


async def test_a_drop_before_welcome_is_a_drop() -> None:
    manners = replace(QUICK, incidents=(Incident("open", "drop"),))
    async with serving(manners) as server, session(server) as socket:
        kinds, _ = await until_closed(socket)
        assert kinds == []


async def test_the_greeting_comes_from_the_worker_and_a_second_session_has_its_own() -> None:
    async with serving(replace(QUICK, time_scale=1, pace=1_000)) as server:
        heard = await asyncio.gather(*(greeting(server, text) for text in ("Good morning", "Good evening")))
        assert heard == ["Good morning", "Good evening"]
        assert len({one.request_id for one in server.sessions}) == 2


async def greeting(server: DeepgramServer, text: str) -> str:
    audio = b""
    async with session(server) as socket:
        await socket.send(json.dumps(settings(greeting=text)))
        while True:
            frame = await socket.recv()
            if isinstance(frame, bytes):
                audio += frame
            elif json.loads(frame)["type"] == "AgentAudioDone":
                break
    [found] = tones.decode(audio)
    return found.text


async def test_a_client_that_drops_lets_the_session_go() -> None:
    async with serving(replace(PESSIMISTIC, pace=1_000)) as server:
        async with session(server) as socket:
            await socket.send(json.dumps(settings(greeting="Good morning to you all")))
            await message(socket)
            socket.transport.abort()
        for _ in range(100):
            if server.sessions[0].over:
                break
            await asyncio.sleep(0.005)
        assert server.sessions[0].over


async def test_leaving_the_block_closes_what_is_open() -> None:
    async with serving(replace(QUICK, time_scale=1)) as server:
        socket = await connect(server.url + PATH, additional_headers=KEY, proxy=None)
    await until_closed(socket)
    assert server.sessions[0].over
