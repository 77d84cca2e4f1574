"""SRTP with a softphone that somebody else wrote: the code as keys, speech both ways, nothing of it readable."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from contract.audio import lin2ulaw, ulaw2lin
from contract.clock import SystemClock
from tests.sip.peers import HOST, a_side, certificate, frequency, loudest, server_context, tone
from tests.sip.softphone import needs_baresip, recorded, softphone

pytestmark = [pytest.mark.sip, pytest.mark.wall_clock, needs_baresip, pytest.mark.timeout(90)]

CODE = "40302010"
CALL = "call-3"
THEIRS_HZ = 900
TALK_S = 4.0


async def test_a_softphone_that_encrypts_is_heard_and_hears(tmp_path: Path) -> None:
    file = await asyncio.to_thread(certificate, tmp_path / "certificate.pem")
    context = await asyncio.to_thread(server_context, file)
    wanted = {"SIP_SRTP": "required", "SIP_TLS_SECRET_ARN": "arn:secret"}
    speech = ulaw2lin(tone(THEIRS_HZ)) * 30
    async with a_side(23_600, context, **wanted) as side, softphone(tmp_path, speech, ";mediaenc=srtp-mand") as phone:
        await side.store.put_code(CODE, CALL, SystemClock().now_ms() + 120_000)
        await phone.command("dial", f"sip:agent@{HOST}:{side.tls_port};transport=tls")
        await phone.until("CALL_ESTABLISHED")
        await phone.type(CODE)
        async with asyncio.timeout(10):
            while CALL not in side.calls.talks:
                await asyncio.sleep(0.05)
        talk = side.calls.talks[CALL]
        await asyncio.sleep(TALK_S)
        await phone.command("hangup", "")
        async with asyncio.timeout(10):
            while not talk.ended:
                await asyncio.sleep(0.05)
    assert talk.line.stream.agreed.crypto is not None
    assert talk.ended == "bye"
    figures = talk.line.stream.figures()
    assert figures["rtp_received"] > 100
    # On a busy machine one that was refused has been seen: the phone may send before it encrypts (its wait_secure=0).
    assert figures["rtp_forged"] + figures["rtp_malformed"] <= 2
    record = await asyncio.to_thread(recorded, tmp_path)
    (heard, ours), (told, theirs) = loudest(bytes(talk.heard)), loudest(lin2ulaw(record))
    assert (abs(heard - THEIRS_HZ) < 2, ours > 0.8) == (True, True), (heard, ours)
    assert (abs(told - frequency(CALL)) < 2, theirs > 0.8) == (True, True), (told, theirs)
