"""The SIP side on real sockets: what goes wrong in one call stays there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from contract.clock import SystemClock
from contract.memory import MemoryStore
from gateway.legs.sip.dialog import DialogRecord
from gateway.legs.sip.endpoint import SipEndpoint
from gateway.legs.sip.line import BROKE
from gateway.legs.sip.settings import read
from simulator import jumping
from tests.gateway.legs.sip.phone import HOST, PATIENCE_S, Phone
from tests.gateway.legs.sip.samples import OFFER
from tests.sip.peers import Side, a_side

FIRST_RTP = 27_000  # apart from those of tests/sip


def on_uvloop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """As the gateway runs: uvloop's sockets raise where asyncio's tell the protocol."""
    with capture_logs():
        jumping.run(test(), uvloop.new_event_loop)


@asynccontextmanager
async def gateway_and(phones: int, first_rtp: int = FIRST_RTP) -> AsyncIterator[tuple[Side, list[Phone]]]:
    """The SIP side, and telephones with a code each: "00000000" and so on."""
    async with a_side(first_rtp) as side:
        for number in range(phones):
            await side.store.put_code(f"{number:08d}", f"call-{number}", SystemClock().now_ms() + 120_000)
        made = [await Phone.to(side.port) for _ in range(phones)]
        try:
            yield side, made
            for line in list(side.endpoint._open.values()):
                line.hang_up()
            for phone in made:
                await phone.over()
            if side.calls._tasks:
                await asyncio.wait(side.calls._tasks)
        finally:
            for phone in made:
                phone.close()


async def talking(side: Side, phones: list[Phone]) -> None:
    for number, phone in enumerate(phones):
        assert (await phone.dial(f"{number:08d}")).status == 200
        await phone.hears(1)
        async with asyncio.timeout(PATIENCE_S):
            while f"call-{number}" not in side.calls.talks:
                await phone.hears(1)


def test_a_beat_that_raises_ends_its_own_call_and_no_other() -> None:
    async def test() -> None:
        async with gateway_and(2) as (side, phones):
            await talking(side, phones)
            line = side.calls.talks["call-0"].line
            stream = line.stream
            stream.change(replace(stream.agreed, address="::1"), 0)  # sendto raises: no socket of ours reaches it
            async with asyncio.timeout(PATIENCE_S):
                assert await line.ended() == BROKE
            await phones[1].hears(60)
            await phones[0].over()

    on_uvloop(test)


def test_a_message_that_cannot_be_sent_holds_up_no_other() -> None:
    async def test() -> None:
        async with gateway_and(1, FIRST_RTP + 400) as (side, phones):
            await talking(side, phones)
            nowhere = DialogRecord("a@b", "<sip:a>;tag=1", "<sip:b>;tag=2", "sip:b@[::1]:5060", (), 1, "udp", HOST, 1)
            side.endpoint.give_back(nowhere.to_json())
            await phones[0].hears(10)
            side.calls.talks["call-0"].line.hang_up()
            await phones[0].over()

    on_uvloop(test)


@pytest.mark.wall_clock
async def test_a_signal_that_cannot_be_served_ends_its_own_call_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway_and(2, FIRST_RTP + 800) as (side, phones):
        stands, ids = side.endpoint._stands, list[str]()

        def breaking(id_: Any, agreed: Any) -> None:
            ids.append(id_.call_id)
            if id_.call_id == phones[0].call_id:
                raise RuntimeError("planted")
            stands(id_, agreed)

        monkeypatch.setattr(side.endpoint, "_stands", breaking)
        with capture_logs() as logged:
            assert (await phones[0].dial("00000000")).status == 200
            assert (await phones[1].dial("00000001")).status == 200
            await phones[0].over()
            await phones[1].hears(10)
        assert [each["event"] for each in logged if each["log_level"] == "error"] == ["sip_call_broke"]


@pytest.mark.wall_clock
async def test_media_at_an_ipv6_address_are_refused() -> None:
    async with gateway_and(1, FIRST_RTP + 1200) as (side, phones):
        answer = await phones[0].dial("00000000", OFFER.replace("c=IN IP4 192.0.2.10", "c=IN IP6 ::1"))
        assert answer.status == 488
        assert not side.endpoint.lines


@pytest.mark.wall_clock
async def test_the_end_of_an_attempt_leaves_the_line_of_the_next_one_alone() -> None:
    async with gateway_and(1, FIRST_RTP + 1600) as (side, phones):
        await talking(side, phones)
        first = side.endpoint.lines["call-0"]
        release = side.endpoint.taken("call-0")
        await side.store.put_code("00000001", "call-0", SystemClock().now_ms() + 120_000)
        again = await Phone.to(side.port)
        phones.append(again)
        assert (await again.dial("00000001")).status == 200
        await again.hears(1)
        second = side.endpoint.lines["call-0"]
        assert second is not first
        release()
        await phones[0].over()
        assert side.endpoint.lines["call-0"] is second
        await again.hears(10)
        side.endpoint.taken("call-0")()
        await again.over()
        assert not side.endpoint.lines
        side.endpoint.taken("call-0")()  # of a call that has no line here


@pytest.mark.wall_clock
async def test_a_line_that_the_service_cannot_take_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(contact_id: str) -> bool:
        return False

    async with gateway_and(1, FIRST_RTP + 2000) as (side, phones):
        monkeypatch.setattr(side.calls, "answer", answer)
        assert (await phones[0].dial("00000000")).status == 200
        await phones[0].over()
        assert not side.endpoint.lines


async def test_the_record_of_a_dialog_that_cannot_be_read_stays_out_of_the_log() -> None:
    settings = read({"SIP_NETWORKS": "127.0.0.1/32", "SIP_PUBLIC_ADDRESS": HOST})
    assert settings is not None
    with capture_logs() as logged:
        SipEndpoint(settings, MemoryStore(), SystemClock()).give_back('{"remote":"<sip:+4915112345678@192.0.2.10>"')
    (line,) = logged
    assert line["event"] == "dialog_not_read"
    assert "4915112345678" not in repr(line)


@pytest.mark.wall_clock
async def test_where_no_key_can_come_no_code_is_waited_for() -> None:
    async with gateway_and(1, FIRST_RTP + 2400) as (_, phones):
        without = phones[0].offer.replace("AVP 8 0 101", "AVP 8 0")
        with capture_logs() as logged:
            assert (await phones[0].dial("", without)).status == 200
            await phones[0].over()
        (line,) = [each for each in logged if each["event"] == "no_code"]
        assert line["telephone_event"] is False
