"""baresip, a softphone, as the caller of a whole call: it types the code, asks for a person, and is given back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from contract.audio import lin2ulaw, ulaw2lin
from contract.clock import SystemClock
from contract.dynamodb import DynamoStore
from contract.running import in_thread
from contract.turns import Role
from simulator.deepgram import tones
from simulator.estate import lambda_arn
from simulator.phone import cloud, options
from simulator.phone.stage import Stage, set_up
from simulator.phone.terminal import Terminal
from tests.contract.samples import CONTACT
from tests.lambdas.samples import an_event
from tests.sip.peers import HOST
from tests.sip.test_lost_gateway import expected, stands

pytestmark = [
    pytest.mark.sip,
    pytest.mark.timeout(150),
    pytest.mark.skipif(
        shutil.which("baresip") is None, reason="baresip is not installed: run scripts/setup-sip as root"
    ),
]

CODE = "12345678"
SAYS = "Could I speak to a person about the delivery please?"
WAITS_S = 12  # the code, and the opening
CONFIG = """
sip_listen 127.0.0.1:{sip}
module_path /usr/lib/baresip/modules
module g711.so
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


def test_a_softphone_has_a_conversation_and_is_handed_over(tmp_path: Path) -> None:
    asyncio.run(conversation(tmp_path))


async def conversation(folder: Path) -> None:
    asked = options.read({"FLOW": "sip", "REPORT": str(folder)}, speech=False)
    async with set_up(asked, Terminal(), SystemClock(), lambda child: None) as stage:
        store = DynamoStore(stage.account.client("dynamodb"), cloud.TABLE, in_thread)
        await expected(store, folder)
        async with softphone(folder) as phone:
            await phone.command("dial", f"sip:agent@{stage.log.sip}")
            await asyncio.sleep(1.5)
            for key in CODE:
                await phone.command("sndcode", key)
                await asyncio.sleep(0.25)
            await stands(store)
            answer = await transferred(stage, store)
        assert answer["action"] == "transfer"
        assert answer["queue"] == "orders"
        said = [turn.text for turn in await store.turns(CONTACT)]
        assert SAYS in said, said
        heard = [turn.heard_text for turn in await store.turns(CONTACT) if turn.role is Role.VOICE_AGENT]
        words = " ".join(utterance.text for utterance in tones.decode(lin2ulaw(recorded(folder))))
        print(f"baresip heard: {words!r}")
        assert " ".join(heard) == words


async def transferred(stage: Stage, store: DynamoStore) -> dict[str, str]:
    """Ask as the flow does once it has its caller back."""
    async with asyncio.timeout(60):
        while not await store.actions_after(CONTACT, 0):
            await asyncio.sleep(0.3)
    event = an_event({"attempt": "1", "loaded": "0", "ended": "none", "returned": "none", "digits": "none"})
    answer = await stage.lambdas.invoke(lambda_arn("next_action_poll"), event, 8000)
    assert isinstance(answer, dict)
    return answer


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

    async def command(self, name: str, params: str) -> None:
        text = json.dumps({"command": name, "params": params})
        self._writer.write(f"{len(text)}:{text},".encode())
        await self._writer.drain()


@asynccontextmanager
async def softphone(folder: Path) -> AsyncIterator[Softphone]:
    """Running, with what it says in a file, and what it hears recorded."""
    microphone = folder / "microphone.wav"
    speech = ulaw2lin(tones.encode_utterance(SAYS, 320))
    with wave.open(str(microphone), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(WAITS_S * 16_000) + speech + bytes(40 * 16_000))
    control = free_port()
    values = {"sip": 0, "control": control, "microphone": microphone, "ear": folder / "ear.wav", "folder": folder}
    (folder / "config").write_text(CONFIG.format(**values))
    account = f"<sip:caller@{HOST}>;regint=0;audio_codecs=PCMU;dtmfmode=rtpevent\n"
    (folder / "accounts").write_text(account)
    (folder / "contacts").write_text("")
    with (folder / "baresip.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-4", "-f", str(folder), cwd=folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
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


def free_port() -> int:
    """A TCP port that nobody has at this moment."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(10):
        while True:
            try:
                return await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.1)
