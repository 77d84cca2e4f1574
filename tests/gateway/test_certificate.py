"""The certificate of SIP over TLS: read from its secret, renewed without a restart, and never by something unusable."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from gateway.certificate import Certificate, CertificateUnusable, load_pem
from tests.sip.peers import certificate as made

pytestmark = pytest.mark.wall_clock
SECRET = "voice-agent/sip-tls"


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two keys with their certificates."""
    return [made(tmp_path_factory.mktemp("pem") / "both.pem").read_text() for _ in range(2)]


class Secrets:
    def __init__(self) -> None:
        self.client = boto3.client(
            "secretsmanager", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stubber = Stubber(self.client)
        self.stubber.activate()
        self.certificate = Certificate(self.client, SECRET)

    def holds(self, pem: str) -> None:
        self.stubber.add_response("get_secret_value", {"SecretString": pem}, {"SecretId": SECRET})

    def refuses(self, code: str) -> None:
        self.stubber.add_client_error("get_secret_value", code)


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


def shown(context: ssl.SSLContext, pem: str) -> bool:
    """Whether a client that trusts `pem` alone gets through the handshake; both sides in memory."""
    trusting = ssl.create_default_context(cadata=pem[pem.index("-----BEGIN CERTIFICATE") :])
    trusting.check_hostname = False
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return client.version() is not None


async def test_what_the_secret_holds_is_shown(secrets: Secrets, pems: list[str]) -> None:
    secrets.holds(pems[0])
    await secrets.certificate.load()
    assert shown(secrets.certificate.context, pems[0])
    assert not shown(secrets.certificate.context, pems[1])


async def test_a_renewed_one_is_shown_to_new_connections_without_a_restart(secrets: Secrets, pems: list[str]) -> None:
    for pem in (pems[0], pems[0], pems[1]):
        secrets.holds(pem)
        await secrets.certificate.load()
    assert shown(secrets.certificate.context, pems[1])


@pytest.mark.parametrize("pem", ["no pem at all", "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"])
async def test_what_cannot_be_used_is_refused_and_the_one_in_use_stays(
    secrets: Secrets, pems: list[str], pem: str
) -> None:
    secrets.holds(pems[0])
    await secrets.certificate.load()
    secrets.holds(pem)
    with pytest.raises(CertificateUnusable, match=r"voice-agent/sip-tls.*private key and the certificate"):
        await secrets.certificate.load()
    assert shown(secrets.certificate.context, pems[0])


async def test_a_secret_that_cannot_be_read_says_why(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets.refuses("ResourceNotFoundException")
    with pytest.raises(CertificateUnusable, match="ResourceNotFoundException"):
        await secrets.certificate.load()

    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://x")

    monkeypatch.setattr(secrets.client, "get_secret_value", unreachable)
    with pytest.raises(CertificateUnusable, match="EndpointConnectionError"):
        await secrets.certificate.load()


async def test_it_is_looked_for_again_and_again_whatever_is_found(secrets: Secrets, pems: list[str]) -> None:
    secrets.refuses("ThrottlingException")
    secrets.holds(pems[1])
    keeping = asyncio.create_task(secrets.certificate.keep(every_s=0.01))
    async with asyncio.timeout(20):
        while not shown(secrets.certificate.context, pems[1]):
            await asyncio.sleep(0.01)
    keeping.cancel()
    await asyncio.wait([keeping])


def test_the_key_is_never_in_a_file(pems: list[str]) -> None:
    read: list[str] = []

    class Context:
        def load_cert_chain(self, path: str) -> None:
            read.append(Path(path).resolve().name)

    load_pem(Context(), pems[0])  # type: ignore[arg-type]
    assert "memfd:certificate" in read[0]
