"""The sockets that SIP is spoken on: UDP and TCP at one port, whatever else lives on the machine."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_network
from typing import Any

import pytest

from gateway.legs.sip.admission import AllowList
from gateway.legs.sip.transactions import Hop, Send
from gateway.legs.sip.transport import FREE_PORT_ATTEMPTS, Transport

HOST = "127.0.0.1"
pytestmark = pytest.mark.wall_clock


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens at over TCP."""
    with closing(socket.create_server((HOST, 0))) as other:
        port: int = other.getsockname()[1]
        yield port


def a_transport() -> Transport:
    def receive(data: bytes, hop: Hop) -> None:
        raise AssertionError(hop)

    return Transport(AllowList([ip_network("127.0.0.1/32")]), receive)


def refusing(times: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """TCP ports that turn out to be taken, `times` in a row; returns those that were asked for."""
    loop, asked = asyncio.get_running_loop(), list[int]()
    create = loop.create_server

    async def create_server(protocol: Any, host: str, port: int, **more: Any) -> asyncio.Server:
        asked.append(port)
        if len(asked) <= times:
            raise OSError(98, "address already in use")
        server: asyncio.Server = await create(protocol, host, port, **more)
        return server

    monkeypatch.setattr(loop, "create_server", create_server)
    return asked


async def test_a_chosen_port_that_tcp_has_given_away_is_chosen_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(3, monkeypatch)
    transport = a_transport()
    await transport.serve(HOST, 0)
    assert transport.port == asked[-1]
    assert len(asked) >= 4  # the machine may refuse one, too
    await transport.close()


async def test_a_machine_without_a_free_port_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(FREE_PORT_ATTEMPTS, monkeypatch)
    with pytest.raises(OSError, match="address already in use"):
        await a_transport().serve(HOST, 0)
    assert len(asked) == FREE_PORT_ATTEMPTS


async def test_a_connection_of_our_own_over_tls_reads_no_authorities(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, loop = a_transport(), asyncio.get_running_loop()
    await transport.serve(HOST, 0)
    used: asyncio.Queue[object] = asyncio.Queue()

    async def create_connection(*what: Any, ssl: object) -> None:
        used.put_nowait(ssl)
        raise OSError

    monkeypatch.setattr(loop, "create_connection", create_connection)
    for _ in range(2):
        transport.send(Send(Hop("tls", HOST, taken), b"BYE"))
    first, second = await used.get(), await used.get()
    assert isinstance(first, ssl.SSLContext)
    assert first is second
    assert first.verify_mode is ssl.CERT_REQUIRED
    await transport.close()


async def test_a_port_that_was_asked_for_is_not_changed(taken: int) -> None:
    with pytest.raises(OSError, match="in use"):
        await a_transport().serve(HOST, taken)
