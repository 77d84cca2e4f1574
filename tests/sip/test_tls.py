"""SIP over TLS: the same messages in an encrypted stream."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.clock import SystemClock
from contract.memory import MemoryStore
from gateway.legs.sip.endpoint import SipEndpoint
from gateway.legs.sip.settings import read
from tests.gateway.legs.sip.samples import request
from tests.sip.peers import HOST, Talkers

pytestmark = [pytest.mark.sip, pytest.mark.wall_clock]


def certificate(path: Path) -> Path:
    """Private key and certificate in one file, as the secret holds them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain) + pem)
    return path


async def test_options_over_tls_are_answered_on_the_same_stream(tmp_path: Path) -> None:
    file = await asyncio.to_thread(certificate, tmp_path / "key.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    await asyncio.to_thread(context.load_cert_chain, file)
    names = {"SIP_NETWORKS": "127.0.0.1/32", "SIP_PUBLIC_ADDRESS": HOST, "SIP_LISTEN": HOST}
    settings = read({**names, "SIP_PORT": "0", "SIP_TLS_PORT": "0"})
    assert settings is not None
    clock = SystemClock()
    endpoint = SipEndpoint(settings, MemoryStore(), clock, calls=Talkers(clock))
    await endpoint.open(context)
    running = asyncio.create_task(endpoint.run())
    try:
        port = endpoint._transport._servers[1].sockets[0].getsockname()[1]
        trusting = await asyncio.to_thread(ssl.create_default_context, cafile=str(file))
        trusting.check_hostname = False
        reader, writer = await asyncio.open_connection(HOST, port, ssl=trusting)
        writer.write(request("OPTIONS", transport="TLS"))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")
        writer.write(b"garbage without an end of headers" * 3000)
        assert await reader.read() == b""
        assert endpoint._transport.broken_streams == 1
        writer.close()
    finally:
        running.cancel()
        await asyncio.wait([running])
