"""baresip, a softphone, commanded from here: what it says comes out of a file, and what it hears is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import socket
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.sip.peers import HOST

needs_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None, reason="baresip is not installed: run scripts/setup-sip as root"
)
KEY_S = 0.25
CONFIG = """
sip_listen 127.0.0.1:0
sip_verify_server no
{certificate}
module_path /usr/lib/baresip/modules
module g711.so
module srtp.so
module aufile.so
module sndfile.so
module account.so
module menu.so
module ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
audio_source aufile,{microphone}
audio_player aufile,{ear}
audio_buffer 20-160
snd_path {folder}
"""


def recorded(folder: Path) -> bytes:
    """What baresip has heard, 16-bit PCM."""
    path = max(folder.glob("dump*dec*.wav"), key=lambda path: path.stat().st_size)
    with wave.open(str(path)) as file:
        return bytes(file.readframes(file.getnframes()))


class Softphone:
    """baresip, commanded over its control socket (netstrings of JSON)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._reader = reader

    async def until(self, event: str) -> None:
        """Wait until it says that this has happened, such as CALL_ESTABLISHED."""
        async with asyncio.timeout(20):
            while (await self._message()).get("type") != event:
                pass

    async def _message(self) -> dict[str, object]:
        length = await self._reader.readuntil(b":")
        message: dict[str, object] = json.loads((await self._reader.readexactly(int(length[:-1]) + 1))[:-1])
        return message

    async def type(self, keys: str) -> None:
        """Press keys, as a person does."""
        for key in keys:
            await self.command("sndcode", key)
            await asyncio.sleep(KEY_S)

    async def command(self, name: str, params: str) -> None:
        text = json.dumps({"command": name, "params": params})
        self._writer.write(f"{len(text)}:{text},".encode())
        await self._writer.drain()


@asynccontextmanager
async def softphone(folder: Path, pcm: bytes, account: str = "") -> AsyncIterator[Softphone]:
    """Running. It says `pcm` (16-bit, 8 kHz), once, from its first moment in a call on; it hangs up when that is
    over. `account` are more parameters of its account."""
    control = await asyncio.to_thread(free_port)
    await asyncio.to_thread(written, folder, pcm, account, control)
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'exec baresip -4 -f "$0" >baresip.log 2>&1 </dev/null', str(folder), cwd=folder
    )
    try:
        reader, writer = await connected(control)
        try:
            yield Softphone(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def written(folder: Path, pcm: bytes, account: str, control: int) -> None:
    """Its files."""
    microphone = folder / "microphone.wav"
    with wave.open(str(microphone), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(pcm)
    values: dict[str, object] = {
        "control": control,
        "microphone": microphone,
        "ear": folder / "ear.wav",
        "folder": folder,
    }
    pem = folder / "certificate.pem"  # without one it speaks no TLS
    values["certificate"] = f"sip_certificate {pem}" if pem.exists() else ""
    (folder / "config").write_text(CONFIG.format(**values))
    parameters = f"regint=0;audio_codecs=PCMU;dtmfmode=rtpevent{account}"
    (folder / "accounts").write_text(f"<sip:caller@{HOST}>;{parameters}\n")
    (folder / "contacts").write_text("")


def free_port() -> int:
    """A TCP port that nobody has at this moment, and that Linux gives to nobody by itself."""
    for port in random.sample(range(28_000, 32_000), 50):
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind((HOST, port))
            return port
    raise RuntimeError("none of fifty ports is free")


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(10):
        while True:
            try:
                return await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.1)
