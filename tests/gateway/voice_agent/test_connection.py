"""The real client against a real local server."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import InvalidURI
from websockets.http11 import Request, Response

from contract.clock import SystemClock
from gateway.voice_agent.connection import WebSocketConnection, WebSocketConnector
from gateway.voice_agent.errors import ConnectionEnded, ConnectionFailed, KeyUnavailable, Unreachable, UpgradeRefused
from gateway.voice_agent.session import VoiceAgentSession
from gateway.voice_agent.treatment import SessionEnded

pytestmark = pytest.mark.wall_clock

KEY = "dg-very-secret-key"
PATH = "/v1/agent/converse"


class Keys:
    """A key source that counts how it was asked."""

    def __init__(self, cached: str = KEY, fresh: str = KEY) -> None:
        self._keys = {False: cached, True: fresh}
        self.asked: list[bool] = []

    async def __call__(self, *, fresh: bool) -> str:
        self.asked.append(fresh)
        return self._keys[fresh]


class Door:
    """The upgrade of a test server: answers with one status, or lets one key in."""

    def __init__(self, key: str = KEY, status: int = 0, body: bytes = b"", **headers: str) -> None:
        self.requests: list[Request] = []
        self._key = key
        self._status = status
        self._body = body
        self._headers = headers

    def __call__(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self._status:
            headers = Headers({name.replace("_", "-"): value for name, value in self._headers.items()})
            headers["Content-Length"] = str(len(self._body))
            return Response(self._status, HTTPStatus(self._status).phrase, headers, self._body)
        if request.headers.get("Authorization") != f"Token {self._key}":
            return Response(401, "Unauthorized", Headers({"Content-Length": "0"}), b"")
        return None


async def echo(connection: ServerConnection) -> None:
    async for frame in connection:
        await connection.send(frame)


def url_of(server: Server, scheme: str = "ws") -> str:
    port = next(iter(server.sockets)).getsockname()[1]
    return f"{scheme}://localhost:{port}{PATH}"


@asynccontextmanager
async def serving(
    door: Door | None = None, handler: Callable[[ServerConnection], Awaitable[None]] = echo
) -> AsyncIterator[str]:
    async with serve(handler, "localhost", 0, process_request=door or Door(), close_timeout=0.1) as server:
        yield url_of(server)


async def failure_of(url: str, keys: Keys | None = None) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as raised:
        await WebSocketConnector(url, keys or Keys()).connect()
    return raised.value


async def test_the_key_goes_into_the_header_and_nothing_is_compressed() -> None:
    door = Door()
    async with serving(door) as url:
        connection = await WebSocketConnector(url, Keys(KEY + "\n")).connect()
        await connection.close()
    (request,) = door.requests
    assert request.path == PATH
    assert request.headers["Authorization"] == f"Token {KEY}"
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_text_and_audio_travel_both_ways_even_in_very_large_frames() -> None:
    async with serving() as url:
        connection = await WebSocketConnector(url, Keys()).connect()
        for frame in ("text", b"\xff" * 160):
            await connection.send(frame)
            assert await connection.recv() == frame
        await connection.close()

    async def large(server_side: ServerConnection) -> None:
        await server_side.send(bytes(3_000_000))

    async with serving(handler=large) as url:
        connection = await WebSocketConnector(url, Keys()).connect()
        assert len(await connection.recv()) == 3_000_000
        await connection.close()


async def test_a_refused_key_is_read_afresh_and_a_changed_one_is_tried_at_once() -> None:
    door, keys = Door("new-key"), Keys("old-key", "new-key")
    async with serving(door) as url:
        connection = await WebSocketConnector(url, keys).connect()
        await connection.close()
    assert keys.asked == [False, True]
    assert len(door.requests) == 2


async def test_a_refused_key_that_has_not_changed_is_not_tried_again() -> None:
    door = Door("another-key")
    async with serving(door) as url:
        failure = await failure_of(url)
    assert isinstance(failure, UpgradeRefused)
    assert failure.status == 401
    assert len(door.requests) == 1


async def test_a_changed_key_that_is_refused_too_is_the_end() -> None:
    async with serving(Door("third")) as url:
        failure = await failure_of(url, Keys("first", "second"))
    assert isinstance(failure, UpgradeRefused)
    assert failure.status == 401


async def test_a_refused_upgrade_keeps_status_code_request_id_and_time() -> None:
    body = json.dumps({"err_code": "TOO_MANY_REQUESTS", "err_msg": "x", "request_id": "r-1"}).encode()
    async with serving(Door(status=429, body=body, Retry_After="3")) as url:
        failure = await failure_of(url)
    assert isinstance(failure, UpgradeRefused)
    assert (failure.status, failure.code, failure.request_id) == (429, "TOO_MANY_REQUESTS", "r-1")
    assert failure.retry_after_ms == 3_000


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"err_code": 7}', b'{"err_code": "a b"}', b"[" * 100_000])
async def test_a_refused_upgrade_may_have_any_body(body: bytes) -> None:
    async with serving(Door(status=503, body=body, dg_request_id="r-2", Retry_After="Fri, 31 Dec 2027")) as url:
        failure = await failure_of(url)
    assert isinstance(failure, UpgradeRefused)
    assert (failure.status, failure.code, failure.request_id, failure.retry_after_ms) == (503, "", "r-2", 0)


async def test_a_redirect_is_not_followed() -> None:
    door = Door(status=302, Location=f"{PATH}/elsewhere")
    async with serving(door) as url:
        failure = await failure_of(url)
    assert isinstance(failure, UpgradeRefused)
    assert failure.status == 302
    assert len(door.requests) == 1


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("localhost", 0))
        failure = await failure_of(f"ws://localhost:{unused.getsockname()[1]}{PATH}")
    assert isinstance(failure, Unreachable)


async def test_a_server_that_never_answers_the_upgrade_is_unreachable() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        connector = WebSocketConnector(f"ws://127.0.0.1:{mute.getsockname()[1]}", Keys(), open_s=0.05)
        with pytest.raises(Unreachable, match="TimeoutError"):
            await connector.connect()


async def test_a_server_that_speaks_something_else_is_unreachable() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "localhost", 0) as server:
        failure = await failure_of(f"ws://localhost:{server.sockets[0].getsockname()[1]}")
    assert isinstance(failure, Unreachable)


async def test_a_proxy_is_used_only_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://localhost:1")
    monkeypatch.setenv("ALL_PROXY", "http://localhost:1")
    async with serving() as url:
        connection = await WebSocketConnector(url, Keys()).connect()
        await connection.close()
        with pytest.raises(Unreachable):
            await WebSocketConnector(url, Keys(), proxy="http://localhost:1").connect()


@pytest.mark.parametrize("url", ["https://agent.deepgram.com", "agent.deepgram.com"])
def test_an_url_of_another_kind_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidURI):
        WebSocketConnector(url, Keys())


# ---- the key ----


@pytest.mark.parametrize("key", ["", "  \n", "two words", "line\r\nInjected: header", "schlüssel", "x" * 513])
async def test_a_key_that_cannot_be_a_header_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(KeyUnavailable) as raised:
        await WebSocketConnector("ws://localhost:1", Keys(key)).connect()
    assert "Injected" not in str(raised.value)
    assert f"found {len(key.strip())} characters" in str(raised.value)


async def test_a_key_source_that_takes_too_long_is_given_up() -> None:
    async def slow(*, fresh: bool) -> str:
        await asyncio.sleep(60)
        return KEY

    with pytest.raises(KeyUnavailable, match=r"not read within 0\.01 s"):
        await WebSocketConnector("ws://localhost:1", slow, key_s=0.01).connect()


async def test_the_key_and_the_conversation_are_in_no_log_no_repr_and_no_exception(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets.server").setLevel(logging.WARNING)  # the server's log is not ours
    async with serving() as url:
        connector = WebSocketConnector(url, Keys())
        connection = await connector.connect()
        await connection.send("what the caller said")
        await connection.recv()
        await connection.close()
    async with serving(Door("another-key")) as url:
        failure = await failure_of(url)
    shown = traceback.TracebackException.from_exception(failure, capture_locals=False)
    for text in (caplog.text, repr(connector), repr(failure), "".join(shown.format())):
        assert KEY not in text
        assert "what the caller said" not in text
    assert failure.__cause__ is None
    assert repr(connector) == f"WebSocketConnector({connector._url!r})"


# ---- the end ----


async def test_a_close_frame_ends_receiving_with_its_code_and_sending_too() -> None:
    async def leave(server_side: ServerConnection) -> None:
        await server_side.send("last")
        await server_side.close(1011, "why")

    async with serving(handler=leave) as url:
        connection = await WebSocketConnector(url, Keys()).connect()
        assert await connection.recv() == "last"
        with pytest.raises(ConnectionEnded) as raised:
            await connection.recv()
        assert (raised.value.code, raised.value.reason) == (1011, "why")
        with pytest.raises(ConnectionEnded):
            await connection.send(b"1")
        await connection.close()
        await connection.close()


async def test_a_socket_that_goes_away_without_a_close_frame_ends_with_1006() -> None:
    async def drop(server_side: ServerConnection) -> None:
        server_side.transport.abort()

    async with serving(handler=drop) as url:
        connection = await WebSocketConnector(url, Keys()).connect()
        with pytest.raises(ConnectionEnded) as raised:
            await connection.recv()
        assert raised.value.code == 1006


async def test_a_text_frame_that_is_no_utf8_ends_the_connection() -> None:
    async def mumble(server_side: ServerConnection) -> None:
        await server_side.send(b"\xff\xfe", text=True)
        await server_side.wait_closed()

    async with serving(handler=mumble) as url:
        connection = await WebSocketConnector(url, Keys()).connect()
        with pytest.raises(ConnectionEnded):
            await connection.recv()


@asynccontextmanager
async def never_reading() -> AsyncIterator[str]:
    """A server that upgrades with a small receive buffer, welcomes, applies, and then reads no more."""
    release = asyncio.Event()

    async def handler(server_side: ServerConnection) -> None:
        await server_side.send('{"type":"Welcome","request_id":"r1"}')
        await server_side.recv()
        await server_side.send('{"type":"SettingsApplied"}')
        server_side.transport.pause_reading()
        await release.wait()
        server_side.transport.abort()

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    listening.bind(("127.0.0.1", 0))
    async with serve(handler, sock=listening, process_request=Door(), ping_interval=None) as server:
        yield url_of(server).replace("localhost", "127.0.0.1")
        release.set()


async def until_it_stalls(connection: WebSocketConnection) -> int:
    """Bytes sent until sending waits for more than 100 ms."""
    sent = 0
    try:
        while True:
            async with asyncio.timeout(0.1):
                await connection.send(bytes(8_000))
            sent += 8_000
    except TimeoutError:
        return sent


async def test_a_server_that_reads_no_more_makes_sending_wait_and_closing_is_bounded_all_the_same() -> None:
    async with never_reading() as url:
        connection = await WebSocketConnector(url, Keys(), close_s=0.05).connect()
        assert "Welcome" in str(await connection.recv())
        await connection.send("{}")
        assert await until_it_stalls(connection) < 1_000_000
        started = asyncio.get_running_loop().time()
        await connection.close()
        assert asyncio.get_running_loop().time() - started < 1


async def test_a_session_over_a_server_that_reads_no_more_drops_audio_and_ends_in_time() -> None:
    async with never_reading() as url:
        connector = WebSocketConnector(url, Keys(), close_s=0.05)
        session = VoiceAgentSession(connector, {"agent": {}}, SystemClock())
        async with asyncio.TaskGroup() as group:
            running = group.create_task(session.run())
            events = session.events()
            await anext(events)
            await anext(events)
            while session.dropped_bytes == 0:
                for _ in range(50):
                    session.send_audio(bytes(160))
                await asyncio.sleep(0.001)
            session.close()
            (ended,) = [event async for event in events]
            assert isinstance(ended, SessionEnded)
            assert ended.code == "CLOSED"
        assert running.done()


# ---- TLS ----


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own making, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


async def test_over_tls_one_context_serves_every_connection_and_a_strange_certificate_none(
    certificate: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server_side, client_side = certificate
    async with serve(echo, "localhost", 0, process_request=Door(), ssl=server_side) as server:
        connector = WebSocketConnector(url_of(server, "wss"), Keys(), ssl_context=client_side)
        for _ in range(2):
            connection = await connector.connect()
            await connection.send("over TLS")
            assert await connection.recv() == "over TLS"
            await connection.close()
        strict = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await WebSocketConnector(url_of(server, "wss"), Keys(), ssl_context=strict).connect()


def test_without_a_context_the_system_s_trust_is_used() -> None:
    connector = WebSocketConnector("wss://agent.deepgram.com/v1/agent/converse", Keys())
    assert connector._tls["ssl"].verify_mode is ssl.CERT_REQUIRED
