"""Session descriptions: what is agreed upon, and that no bytes raise anything but our own errors."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.sip import sdp
from gateway.legs.sip.errors import MalformedSdp, NothingInCommon
from gateway.legs.sip.sdp import Direction
from tests.gateway.legs.sip.samples import LOCAL, OFFER


def agreed(text: str) -> sdp.Agreed:
    return sdp.agree(sdp.parse(text.encode()))


def test_pcmu_is_taken_before_pcma_wherever_it_stands() -> None:
    found = agreed(OFFER)
    assert (found.payload_type, found.alaw, found.events) == (0, False, 101)
    assert (found.address, found.port, found.direction, found.held) == ("192.0.2.10", 6000, Direction.BOTH, False)


def test_pcma_alone_will_do() -> None:
    found = agreed(OFFER.replace("AVP 8 0 101", "AVP 8").replace("a=rtpmap:101 telephone-event/8000\r\n", ""))
    assert (found.payload_type, found.alaw, found.events) == (8, True, None)


def test_a_dynamic_number_may_be_pcmu_too() -> None:
    found = agreed(OFFER.replace("AVP 8 0 101", "AVP 96").replace("rtpmap:0 PCMU", "rtpmap:96 pcmu"))
    assert found.payload_type == 96


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("AVP 8 0 101", "AVP 111"),
        ("m=audio 6000", "m=audio 0"),
        ("m=audio", "m=video"),
        ("RTP/AVP", "RTP/SAVP"),
        ("c=IN IP4 192.0.2.10\r\n", ""),
        ("IP4 192.0.2.10\r\nt", "IP6 2001:db8::10\r\nt"),
        ("AVP 8 0 101\r\na=rtpmap:0 PCMU/8000", "AVP 0\r\na=rtpmap:0 PCMU/16000"),
    ],
)
def test_nothing_in_common(before: str, after: str) -> None:
    assert before in OFFER
    with pytest.raises(NothingInCommon, match="the offer has no audio that we speak"):
        agreed(OFFER.replace(before, after))


def test_of_two_addresses_the_one_is_taken_that_we_can_send_to() -> None:
    both = OFFER + "m=audio 6002 RTP/AVP 0\r\nc=IN IP6 2001:db8::10\r\n"
    assert agreed(both).address == "192.0.2.10"
    assert sdp.agree(sdp.parse(both.encode()), ipv6=True).address == "2001:db8::10"


def test_no_media_at_all() -> None:
    with pytest.raises(NothingInCommon, match="no media"):
        agreed("v=0\r\n")


@pytest.mark.parametrize(
    "text", ["", "v=1\r\n", "v=0\r\nhello\r\n", "v=0\r\nm=audio x RTP/AVP 0\r\n", "v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
             "v=0\r\nm=audio 5 RTP/AVP\r\n", "v=0\r\nc=IN IP4\r\n", "v=0\r\nc=IN IP4 host.example\r\n",
             "v=0\r\n" + "a=x\r\n" * 500]
)  # fmt: skip
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(MalformedSdp, match="session description: "):
        sdp.parse(text.encode())


def test_a_line_of_its_own_media_wins_over_that_of_the_session() -> None:
    text = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n") + "c=IN IP4 192.0.2.11/127\r\na=sendrecv\r\n"
    found = agreed(text)
    assert (found.address, found.direction) == ("192.0.2.11", Direction.BOTH)


def test_attributes_before_any_media_and_odd_ones_are_passed_over() -> None:
    text = OFFER.replace("t=0 0\r\n", "t=0 0\r\na=rtpmap:0 X/8000\r\na=crypto:1 a inline:b\r\n")
    assert agreed(text + "a=rtpmap:nonsense\r\na=crypto:nonsense\r\nb=AS:64\r\n").payload_type == 0


@pytest.mark.parametrize(
    ("theirs", "ours", "held"),
    [
        ("sendonly", Direction.RECEIVES, True),
        ("recvonly", Direction.SENDS, False),
        ("inactive", Direction.NONE, True),
        ("sendrecv", Direction.BOTH, False),
    ],
)
def test_a_hold_is_answered_with_its_counterpart(theirs: str, ours: Direction, held: bool) -> None:
    found = agreed(OFFER + f"a={theirs}\r\n")
    assert (found.direction, found.held) == (ours, held)


def test_the_old_way_to_hold_is_an_address_of_zeros() -> None:
    assert agreed(OFFER.replace("c=IN IP4 192.0.2.10", "c=IN IP4 0.0.0.0")).held


def test_the_answer_has_as_many_lines_as_the_offer() -> None:
    offer = sdp.parse((OFFER + "m=video 7000 RTP/AVP 96\r\n").encode())
    text = sdp.answer(offer, sdp.agree(offer), LOCAL).decode()
    assert "m=audio 20000 RTP/AVP 0 101\r\n" in text
    assert "m=video 0 RTP/AVP 96\r\n" in text
    assert "c=IN IP4 198.51.100.5\r\n" in text
    again = agreed(text)
    assert (again.payload_type, again.events, again.port) == (0, 101, 20_000)


def test_an_answer_in_pcma_without_key_presses() -> None:
    offer = sdp.parse(OFFER.replace("AVP 8 0 101", "AVP 8").encode())
    text = sdp.answer(offer, sdp.agree(offer), LOCAL).decode()
    assert "m=audio 20000 RTP/AVP 8\r\n" in text
    assert "telephone-event" not in text


def test_an_offer_of_ours_can_be_answered() -> None:
    text = sdp.offer(replace(LOCAL, address="2001:db8::5").changed())
    assert b"o=- 7 2 IN IP6 2001:db8::5" in text
    found = sdp.agree(sdp.parse(text), ipv6=True)
    assert (found.payload_type, found.events, found.direction) == (0, 101, Direction.BOTH)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(MalformedSdp, NothingInCommon):
        sdp.agree(sdp.parse(b"v=0\r\n" + data))


@given(st.randoms(use_true_random=False))
def test_no_broken_description_raises_anything_else(rng: random.Random) -> None:
    data = bytearray(OFFER.encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        if rng.random() < 0.5:
            data[at] = rng.randrange(256)
        else:
            del data[at : at + rng.randrange(1, 6)]
    try:
        offer = sdp.parse(bytes(data))
        sdp.answer(offer, sdp.agree(offer), LOCAL)
    except (MalformedSdp, NothingInCommon):
        pass
