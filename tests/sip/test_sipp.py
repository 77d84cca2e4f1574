"""sipp against the gateway's SIP side on the loopback: load, two-way media, losses, early ends, changes, garbage."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

import pytest

from tests.sip.peers import HOST, Talk, a_side, frequency, loudest, needs_sipp, sipp

pytestmark = [pytest.mark.sip, pytest.mark.wall_clock, needs_sipp, pytest.mark.timeout(90)]

CALLS = 50


def crossed(talks: dict[str, Talk], least_share: float) -> list[str]:
    """Calls that heard something else than their own tone, which the peer sends back. Tones are 40 Hz apart."""
    found = []
    for contact_id, talk in talks.items():
        hertz, share = loudest(bytes(talk.heard))
        if abs(hertz - frequency(contact_id)) > 2 or share < least_share:
            found.append(f"{contact_id}: {hertz:.0f} Hz, {share:.2f}")
    return found


def throw(garbage: list[bytes], port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for data in garbage:
            peer.sendto(data, (HOST, port))


async def test_fifty_calls_at_once_hear_each_its_own_tone_and_none_is_lost(tmp_path: Path) -> None:
    async with a_side() as side:
        codes = await side.codes(CALLS, tmp_path)
        ran = await sipp("talk", side.port, codes, tmp_path, "-r", "25", "-rtp_echo", "-mp", "26000", calls=CALLS)
        assert ran.code == 0, ran.output
        talks = side.calls.talks
        assert len(talks) == CALLS
        assert {talk.ended for talk in talks.values()} == {"bye"}
        figures = [talk.line.stream.figures() for talk in talks.values()]
        received = sum(each["rtp_received"] for each in figures)
        lost = sum(each["rtp_lost"] for each in figures)
        late = side.endpoint.beats.pacer
        await asyncio.to_thread(
            print,
            f"{CALLS} calls: {received} packets in, {sum(each['rtp_sent'] for each in figures)} out, {lost} lost, "
            f"latest beat {late.latest_ms:.1f} ms, {late.left_out} beats left out",
        )
        assert received > CALLS * 150
        # Where the machine left beats out there are gaps in what was heard, which spread each tone.
        assert crossed(talks, least_share=0.0 if late.left_out else 0.6) == []


async def test_messages_that_get_lost_are_sent_again(tmp_path: Path) -> None:
    async with a_side(20_400) as side:
        codes = await side.codes(40, tmp_path)  # with ten calls no answer got lost in one run out of eight
        ran = await sipp("early_bye", side.port, codes, tmp_path, "-lost", "20", "-r", "40", calls=40)
        assert ran.code == 0, ran.output
        assert side.endpoint.agent.repeated > 0


async def test_a_call_that_ends_as_soon_as_it_stands(tmp_path: Path) -> None:
    async with a_side(20_800) as side:
        codes = await side.codes(20, tmp_path)
        ran = await sipp("early_bye", side.port, codes, tmp_path, "-r", "50", calls=20)
        assert ran.code == 0, ran.output
        async with asyncio.timeout(5):
            while not side.endpoint.agent.idle:
                await asyncio.sleep(0.05)


async def test_hold_and_resume(tmp_path: Path) -> None:
    async with a_side(21_200) as side:
        codes = await side.codes(3, tmp_path)
        ran = await sipp("hold", side.port, codes, tmp_path, "-rtp_echo", "-mp", "27000", calls=3)
        assert ran.code == 0, ran.output
        assert len(side.calls.talks) == 3


async def test_a_cancel_that_comes_in_time(tmp_path: Path) -> None:
    async with a_side(21_600) as side:
        side.store.wait_s = 1.0
        codes = await side.codes(5, tmp_path)
        ran = await sipp("cancel", side.port, codes, tmp_path, calls=5)
        assert ran.code == 0, ran.output
        assert side.calls.talks == {}


async def test_over_tcp_too(tmp_path: Path) -> None:
    async with a_side(22_000) as side:
        codes = await side.codes(3, tmp_path)
        ran = await sipp("early_bye", side.port, codes, tmp_path, "-t", "t1", calls=3)
        assert ran.code == 0, ran.output


async def test_a_wrong_code_is_refused_and_soon_not_even_looked_up(tmp_path: Path) -> None:
    async with a_side(22_400) as side:
        codes = tmp_path / "wrong.csv"
        await asyncio.to_thread(codes.write_text, "SEQUENTIAL\n99999999;\n")
        ran = await sipp("early_bye", side.port, codes, tmp_path, calls=12)
        assert ran.code != 0
        assert side.endpoint.figures()["SipUnmatched"] == 12
        assert side.calls.talks == {}


async def test_garbage_harms_nobody(tmp_path: Path) -> None:
    rng = random.Random(7)
    async with a_side(22_800) as side:
        garbage = [rng.randbytes(rng.randrange(1, 600)) for _ in range(300)]
        for first in range(0, len(garbage), 50):  # all at once would overflow the socket of a busy machine
            await asyncio.to_thread(throw, garbage[first : first + 50], side.port)
            await asyncio.sleep(0.05)
        codes = await side.codes(2, tmp_path)
        ran = await sipp("early_bye", side.port, codes, tmp_path, calls=2)
        assert ran.code == 0, ran.output
        assert side.endpoint.figures()["SipMalformed"] >= 250
