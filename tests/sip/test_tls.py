"""SIP over TLS: the same messages in an encrypted stream."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.gateway.legs.sip.samples import request
from tests.sip.peers import HOST, a_side, certificate, server_context

pytestmark = [pytest.mark.sip, pytest.mark.wall_clock]


async def test_options_over_tls_are_answered_on_the_same_stream(tmp_path: Path) -> None:
    file = await asyncio.to_thread(certificate, tmp_path / "key.pem")
    async with a_side(23_200, await asyncio.to_thread(server_context, file)) as side:
        trusting = await asyncio.to_thread(ssl.create_default_context, cafile=str(file))
        trusting.check_hostname = False
        reader, writer = await asyncio.open_connection(HOST, side.tls_port, ssl=trusting)
        writer.write(request("OPTIONS", transport="TLS"))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")
        writer.write(b"garbage without an end of headers" * 3000)
        assert await reader.read() == b""
        assert side.endpoint._transport.broken_streams == 1
        writer.close()
