"""sipp as a peer, and a gateway's SIP side in this process, whose legs only make a sound."""

from __future__ import annotations

import asyncio
import datetime
import math
import shutil
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.audio import SAMPLE_RATE, lin2ulaw, ulaw2lin
from contract.clock import SystemClock
from contract.memory import MemoryStore
from gateway.legs.sip.endpoint import SipEndpoint
from gateway.legs.sip.settings import read
from gateway.legs.sip.socket_line import SipLine

HERE = Path(__file__).parent
HOST = "127.0.0.1"
needs_sipp = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is not installed: run scripts/setup-sip as root"
)


def tone(hertz: float) -> bytes:
    """A whole second of a sine, µ-law."""
    samples = [int(8000 * math.sin(math.tau * hertz * at / SAMPLE_RATE)) for at in range(SAMPLE_RATE)]
    return lin2ulaw(struct.pack(f"<{SAMPLE_RATE}h", *samples))


def loudest(ulaw: bytes) -> tuple[float, float]:
    """The strongest frequency of the last two seconds, in Hz, and its share of the power."""
    samples = np.frombuffer(ulaw2lin(ulaw), dtype="<i2")[-16_000:].astype(float)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    peak = int(power.argmax())
    return peak * 8000 / len(samples), float(power[max(0, peak - 3) : peak + 4].sum() / power.sum())


@dataclass
class Talk:
    """What one call said and heard."""

    line: SipLine
    ended: str = ""
    heard: bytearray = field(default_factory=bytearray)


@dataclass
class Talkers:
    """The service of a gateway without a voice agent: every call gets a tone of its own, and its audio is kept."""

    clock: SystemClock
    limit: int = 60
    stopping: bool = False
    delay_s: float = 0.0
    talks: dict[str, Talk] = field(default_factory=dict)
    endpoint: SipEndpoint | None = None
    taken: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def answer(self, contact_id: str) -> bool:
        assert self.endpoint is not None
        talk = self.talks[contact_id] = Talk(self.endpoint.lines[contact_id])
        self.taken += 1
        task = asyncio.create_task(self._talk(contact_id, talk, self.endpoint.taken(contact_id)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _talk(self, contact_id: str, talk: Talk, release: Callable[[], None]) -> None:
        line, second = talk.line, tone(frequency(contact_id))

        def beat(left_out: int) -> None:
            playout = line.stream.playout
            if not playout.playing or len(playout._queue) < 8000:
                playout.speak(second)
            packet = line.stream.packet(self.clock.now_ms(), left_out)
            if packet is not None:
                line.send(packet)
            talk.heard += line.stream.caller().ulaw

        line.start(beat)
        talk.ended = await line.ended()
        self.taken -= 1
        release()


def frequency(contact_id: str) -> int:
    """Of the tone of a call, in Hz: 40 Hz apart."""
    return 400 + 40 * int(contact_id.rpartition("-")[2])


class SlowStore(MemoryStore):
    """A code takes its time to be found."""

    wait_s = 0.0

    async def claim_code(self, code: str, now_ms: int) -> str | None:
        await asyncio.sleep(self.wait_s)
        return await super().claim_code(code, now_ms)


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


def server_context(file: Path) -> ssl.SSLContext:
    """What a gateway shows whose secret holds this."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@dataclass
class Side:
    endpoint: SipEndpoint
    calls: Talkers
    store: SlowStore
    port: int
    tls_port: int | None

    async def codes(self, count: int, path: Path) -> Path:
        """As many codes as calls, in a file for sipp."""
        lines = []
        for number in range(count):
            code = f"{number:08d}"
            lines.append(f"{code};")
            await self.store.put_code(code, f"call-{number}", SystemClock().now_ms() + 120_000)
        file = path / "codes.csv"
        await asyncio.to_thread(file.write_text, "SEQUENTIAL\n" + "\n".join(lines) + "\n")
        return file


@asynccontextmanager
async def a_side(first_rtp: int = 20_000, tls: ssl.SSLContext | None = None, **more: str) -> AsyncIterator[Side]:
    """The gateway's SIP side on free ports of the loopback; `more` are settings.

    RTP ports stand below those that Linux gives out by itself (from 32768 on): another program's socket would be in
    the way now and then. Each test has some of its own, because those of ended calls rest for 30 s.
    """
    settings = read(
        {
            "SIP_NETWORKS": "127.0.0.1/32",
            "SIP_PUBLIC_ADDRESS": HOST,
            "SIP_LISTEN": HOST,
            "SIP_PORT": "0",
            "SIP_TLS_PORT": "0",
            "RTP_FIRST_PORT": str(first_rtp),
            "RTP_LAST_PORT": str(first_rtp + 300),
            **more,
        }
    )
    assert settings is not None
    clock, store = SystemClock(), SlowStore()
    calls = Talkers(clock)
    endpoint = SipEndpoint(settings, store, clock, calls=calls)
    calls.endpoint = endpoint
    await endpoint.open(tls)
    running = asyncio.create_task(endpoint.run())
    try:
        yield Side(endpoint, calls, store, endpoint.agent.ports["udp"], endpoint._transport.tls_port)
    finally:
        running.cancel()
        await asyncio.wait([running])


@dataclass(frozen=True)
class Sipp:
    """How a run of sipp ended: 0 when every call went as its scenario says."""

    code: int
    output: str


async def sipp(
    scenario: str, port: int, codes: Path, work: Path, *more: str, calls: int = 1, limit_s: int = 40
) -> Sipp:
    """Run a scenario of this folder against a port of the loopback."""
    process = await asyncio.create_subprocess_exec(
        "sipp", f"{HOST}:{port}", "-sf", str(HERE / "scenarios" / f"{scenario}.xml"), "-inf", str(codes),
        "-i", HOST, "-mi", HOST, "-m", str(calls), "-l", str(calls), "-nostdin", "-timeout", str(limit_s),
        "-timeout_error", "-trace_err", "-error_file", str(work / "errors.log"), *more,
        cwd=work, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    errors = work / "errors.log"
    said = await asyncio.to_thread(lambda: errors.read_text() if errors.exists() else "")
    return Sipp(process.returncode or 0, said + output.decode()[-2000:])
