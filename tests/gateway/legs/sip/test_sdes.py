"""Keys in a session description: which lines are taken, and what a call may have by settings and transport."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.sip import sdes, sdp
from gateway.legs.sip.errors import NothingInCommon
from gateway.legs.sip.sdes import Crypto, Profiles, Srtp
from gateway.legs.sip.sdp import Session
from gateway.legs.sip.srtp import Suite
from tests.gateway.legs.sip.samples import LOCAL, OFFER

MASTER = bytes(range(30))
KEY = base64.b64encode(MASTER).decode()
LINE = f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
OURS = replace(LOCAL, master=bytes(30))
BOTH = Profiles(plain=True, secure=True)
ONLY = Profiles(plain=False, secure=True)


def offered(*lines: str, protocol: str = "RTP/SAVP") -> Session:
    text = OFFER.replace("RTP/AVP", protocol) + "".join(f"a=crypto:{line}\r\n" for line in lines)
    return sdp.parse(text.encode())


@pytest.mark.parametrize(
    "value",
    [LINE, LINE + "|2^20", LINE + "|1048576", LINE + " WSH=128", LINE + " -odd=1 WSH=64"],
)
def test_a_line_that_we_can_keep_to(value: str) -> None:
    assert sdes.parse(value) == Crypto(1, Suite.SHA1_80, MASTER)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1 AES_CM_128_HMAC_SHA1_80",
        "x" + LINE,
        LINE.replace("128_HMAC", "256_HMAC"),
        LINE + "|2^20|1:4",  # an identifier of the master key in each packet
        LINE + f";inline:{KEY}|2^20|2:4",
        LINE + " UNENCRYPTED_SRTP",
        LINE + " KDR=1",
        LINE.replace("inline:", "uri:"),
        LINE.replace(KEY, KEY[:-4]),
        LINE.replace(KEY, KEY + "="),
        LINE.replace(KEY, "A"),
    ],
)
def test_a_line_that_we_cannot_keep_to_counts_as_not_there(value: str) -> None:
    assert sdes.parse(value) is None


@given(st.text(max_size=80))
def test_no_text_raises(text: str) -> None:
    assert sdes.parse(text) is None
    sdes.parse(f"1 AES_CM_128_HMAC_SHA1_32 inline:{text}")


def test_the_first_suite_that_we_have_is_taken_and_answered_with_its_number_and_our_key() -> None:
    other = base64.b64encode(bytes(46)).decode()
    session = offered(
        f"1 AES_256_CM_HMAC_SHA1_80 inline:{other}", f"2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}", f"3{LINE[1:]}"
    )
    agreed = sdp.agree(session, BOTH)
    assert agreed.crypto == Crypto(2, Suite.SHA1_32, MASTER)
    answer = sdp.answer(session, agreed, OURS).decode()
    assert "m=audio 20000 RTP/SAVP 0 101\r\n" in answer
    assert f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{base64.b64encode(bytes(30)).decode()}\r\n" in answer
    assert KEY not in answer


@pytest.mark.parametrize(
    ("session", "profiles"),
    [
        (offered(LINE), Profiles()),
        (offered(), BOTH),
        (offered("nonsense"), BOTH),
        (offered(protocol="RTP/AVP"), ONLY),
        (offered(LINE, protocol="RTP/AVP"), ONLY),
        (offered(LINE, protocol="RTP/SAVPF"), BOTH),
        (offered(LINE), Profiles(plain=False, secure=False)),
    ],
)
def test_what_may_not_be_is_nothing_in_common(session: Session, profiles: Profiles) -> None:
    with pytest.raises(NothingInCommon):
        sdp.agree(session, profiles)


def test_keys_beside_plain_media_mean_nothing() -> None:
    agreed = sdp.agree(offered(LINE, protocol="RTP/AVP"), BOTH)
    assert agreed.crypto is None
    assert b"crypto" not in sdp.answer(offered(LINE, protocol="RTP/AVP"), agreed, OURS)


def test_of_two_lines_the_encrypted_one_is_taken_wherever_it_stands() -> None:
    media = OFFER[OFFER.index("m=audio") :]
    text = OFFER + media.replace("RTP/AVP", "RTP/SAVP").replace("6000", "6002") + f"a=crypto:{LINE}\r\n"
    session = sdp.parse(text.encode())
    agreed = sdp.agree(session, BOTH)
    assert (agreed.line, agreed.port) == (1, 6002)
    assert "m=audio 0 RTP/AVP" in sdp.answer(session, agreed, OURS).decode()
    assert sdp.agree(session).line == 0


def test_our_own_offer_has_both_suites_and_is_one_that_we_would_take() -> None:
    session = sdp.parse(sdp.offer(OURS, secure=True))
    assert [crypto.suite for crypto in session.media[0].crypto] == list(Suite)
    assert sdp.agree(session, ONLY).crypto == Crypto(1, Suite.SHA1_80, OURS.master)


def test_lines_without_end_are_not_all_kept() -> None:
    assert len(offered(*[LINE] * 100).media[0].crypto) == sdp.MOST_CRYPTO


@pytest.mark.parametrize(
    ("srtp", "confidential", "plain", "secure"),
    [
        (Srtp.OFF, True, True, False),
        (Srtp.ALLOWED, True, True, True),
        (Srtp.ALLOWED, False, True, False),
        (Srtp.REQUIRED, True, False, True),
        (Srtp.REQUIRED, False, False, False),
    ],
)
def test_what_a_call_may_have(srtp: Srtp, confidential: bool, plain: bool, secure: bool) -> None:
    assert Profiles.of(srtp, confidential=confidential) == Profiles(plain, secure)


def test_no_key_stands_in_what_is_printed() -> None:
    agreed = sdp.agree(offered(LINE), BOTH)
    assert "master" not in repr(agreed) + repr(OURS) + repr(offered(LINE))
