"""The certificate that SIP over TLS shows: out of Secrets Manager, and again when somebody has renewed it there.

The private key is never in a file: OpenSSL reads nothing but files, so that it gets one that is memory (the root of
the container cannot be written to either).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from contract.aws import code_of
from contract.errors import VoiceAgentError
from contract.running import Run, in_thread

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

log = structlog.get_logger()
EVERY_S = 3600.0


class CertificateUnusable(VoiceAgentError):
    """`why` never holds a part of the secret."""

    def __init__(self, secret: str, why: str) -> None:
        super().__init__(secret, why)
        self.secret = secret
        self.why = why

    def __str__(self) -> str:
        return (
            f"the certificate for SIP over TLS, in the secret {self.secret}, cannot be used ({self.why}): it has to "
            "hold the private key and the certificate with its chain, in PEM, one after the other"
        )


class Certificate:
    """`context` is for servers; connections that are there keep the certificate that they began with."""

    def __init__(self, client: SecretsManagerClient, secret: str, run: Run = in_thread) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._client = client
        self._secret = secret
        self._run = run
        self._loaded = ""

    async def load(self) -> None:
        """Take what is in the secret now, if it is not what is in use. Raises CertificateUnusable."""
        await self._run(self._load)

    def _load(self) -> None:
        pem = self._read()
        if pem == self._loaded:
            return
        try:
            load_pem(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pem)  # what cannot be used must not spoil the one in use
            load_pem(self.context, pem)
        except ssl.SSLError as error:
            raise CertificateUnusable(self._secret, error.reason or "no reason given") from None
        self._loaded = pem
        log.info("certificate_loaded", secret=self._secret)

    async def keep(self, every_s: float = EVERY_S) -> None:
        """Look again and again; one that cannot be used is told, and the one in use stays."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.load()
            except CertificateUnusable as error:
                log.error("certificate_unusable", secret=error.secret, why=error.why)

    def _read(self) -> str:
        try:
            return self._client.get_secret_value(SecretId=self._secret).get("SecretString", "")
        except ClientError as error:
            raise CertificateUnusable(self._secret, code_of(error)) from None
        except BotoCoreError as error:
            raise CertificateUnusable(self._secret, type(error).__name__) from None


def load_pem(context: ssl.SSLContext, pem: str) -> None:
    """Private key and chain into a context. Raises ssl.SSLError."""
    memory = os.memfd_create("certificate")
    try:
        with os.fdopen(os.dup(memory), "w") as file:
            file.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)
