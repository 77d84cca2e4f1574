"""SIP messages: what is read, what is refused, and that nothing else is ever raised."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.sip.errors import MalformedMessage
from gateway.legs.sip.message import (
    MAX_BYTES,
    Framer,
    Request,
    Response,
    encode,
    parse,
    parse_address,
    parse_uri,
    parse_via,
    response,
    split_list,
    with_headers,
)
from tests.gateway.legs.sip.samples import OFFER, request

INVITE = request(body=OFFER)


def read(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def test_a_request_is_read() -> None:
    invite = read(INVITE)
    assert (invite.method, invite.uri, invite.call_id) == ("INVITE", "sip:agent@198.51.100.5", "call@peer")
    assert invite.via.branch == "z9hG4bKone"
    assert (invite.via.host, invite.via.port, invite.via.transport, invite.via.rport) == (
        "192.0.2.10",
        5062,
        "udp",
        True,
    )
    assert (invite.from_.uri, invite.from_.tag, invite.to.tag) == ("sip:+4915112345678@192.0.2.10", "theirs", "")
    assert invite.cseq == (1, "INVITE")
    assert invite.body == OFFER.encode()
    assert invite.get("subject") == ""


def test_a_response_is_read() -> None:
    answer = parse(INVITE.replace(b"INVITE sip:agent@198.51.100.5 SIP/2.0", b"SIP/2.0 180 Still ringing"))
    assert isinstance(answer, Response)
    assert (answer.status, answer.reason, answer.final) == (180, "Still ringing", False)


def test_what_is_written_is_read_again() -> None:
    invite = read(INVITE)
    again = read(encode(invite))
    assert dict(again.headers).keys() == dict(invite.headers).keys()
    assert (again.method, again.uri, again.body, again.call_id) == (
        invite.method,
        invite.uri,
        invite.body,
        invite.call_id,
    )
    assert b"Call-ID: call@peer\r\nCSeq: 1 INVITE\r\n" in encode(invite)


def test_compact_names_folded_lines_and_bare_line_feeds_are_read() -> None:
    data = INVITE.replace(b"Call-ID:", b"i :").replace(b"From: <sip", b"f:\r\n <sip")
    assert read(data).call_id == "call@peer"
    assert read(data).from_.tag == "theirs"
    bare = request().replace(b"\r\n", b"\n")
    assert read(bare).method == "INVITE"


def test_empty_lines_before_a_message_are_keep_alives() -> None:
    assert read(b"\r\n\r\n" + INVITE).method == "INVITE"


def test_lists_are_taken_apart_and_quotes_are_not() -> None:
    assert split_list('"Last, First" <sip:a@b;x=1,2>, <sip:c@d>') == ['"Last, First" <sip:a@b;x=1,2>', "<sip:c@d>"]
    invite = read(request("INVITE", "Supported: timer, 100rel,", "Supported: Path"))
    assert invite.tokens("supported") == {"timer", "100rel", "path"}


def test_bytes_that_are_no_utf_8_go_through() -> None:
    data = request("INVITE", "Subject: x").replace(b"Subject: x", b"Subject: \xff\xfe")
    assert b"\xff\xfe" in encode(parse(data))


def test_a_datagram_may_be_longer_than_it_says_and_not_shorter() -> None:
    assert read(INVITE + b"garbage").body == OFFER.encode()
    with pytest.raises(MalformedMessage, match="body: expected"):
        parse(INVITE[:-5])


def test_without_a_length_the_body_is_the_rest() -> None:
    assert read(INVITE.replace(b"Content-Length", b"X-Length")).body == OFFER.encode()


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", "request line"),
        (b"INVITE sip:agent@198.51.100.5 SIP/2.0", b"SIP/2.0 999 What", "status line"),
        (b"INVITE sip:agent@198.51.100.5 SIP/2.0", b"SIP/2.01 200 What", "status line"),
        (b"INVITE sip", b"IN\xffVITE sip", "request line"),
        (b"Call-ID: call@peer", b"Call-ID:", "Call-ID"),
        (b"Call-ID: call@peer", b"Call ID: call@peer", "header"),
        (b"Call-ID: call@peer", b"no colon", "header"),
        (b";branch=z9hG4bKone", b"", "Via"),
        (b"SIP/2.0/UDP 192", b"SIP/1.0/UDP 192", "Via"),
        (b"192.0.2.10:5062;branch", b"192.0.2.10:99999;branch", "Via"),
        (b";tag=theirs", b"", "From"),
        (b"<sip:+4915112345678@192.0.2.10>", b"<sip:+4915112345678@192.0.2.10", "address"),
        (b"<sip:agent@198.51.100.5>", b"<>", "address"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 ACK", "CSeq"),
        (b"CSeq: 1 INVITE", b"CSeq: x INVITE", "CSeq"),
        (b"CSeq: 1 INVITE", b"CSeq: 99999999999 INVITE", "CSeq"),
        (b"CSeq: 1 INVITE", b"CSeq: 1", "CSeq"),
        (b"Content-Length: ", b"Content-Length: -", "Content-Length"),
    ],
)
def test_what_a_transaction_cannot_do_without_is_refused(before: bytes, after: bytes, where: str) -> None:
    assert before in INVITE
    with pytest.raises(MalformedMessage) as refused:
        parse(INVITE.replace(before, after, 1))
    assert refused.value.where == where
    assert str(refused.value).startswith(f"SIP message: {where}: expected ")


def test_a_message_has_its_limits() -> None:
    with pytest.raises(MalformedMessage, match="size"):
        parse(INVITE + b"x" * MAX_BYTES)
    with pytest.raises(MalformedMessage, match="at most 128"):
        parse(request("INVITE", *["X: y"] * 130))
    with pytest.raises(MalformedMessage, match="an empty line"):
        parse(b"INVITE")


def test_addresses() -> None:
    assert parse_address('"A;B" <sip:a@b;transport=tcp>;tag=1;x="y"').params == (("tag", "1"), ("x", "y"))
    assert parse_address("sip:a@b;tag=1;;") == parse_address("<sip:a@b>;tag=1")


def test_uris() -> None:
    uri = parse_uri("SIPS:me@[2001:db8::1]:5061;transport=TLS?x=y")
    assert (uri.scheme, uri.user, uri.host, uri.port, uri.transport) == ("sips", "me", "2001:db8::1", 5061, "tls")
    with pytest.raises(MalformedMessage, match="sip: or sips:"):
        parse_uri("tel:+49")
    with pytest.raises(MalformedMessage, match="a host"):
        parse_uri("sip:a@b c")


def test_a_via_may_have_blanks() -> None:
    assert parse_via("SIP / 2.0 / TCP host ;branch=z9hG4bK1").transport == "tcp"


def test_a_response_takes_the_headers_of_its_request() -> None:
    invite = read(request("INVITE", "Record-Route: <sip:proxy;lr>", "Via: SIP/2.0/UDP other;branch=z9hG4bK2"))
    answer = with_headers(response(invite, 200, "OK", to_tag="ours", received="203.0.113.9 6060"), ("x", "y"))
    assert [name for name, _ in answer.headers] == [
        "via", "from", "to", "call-id", "cseq", "record-route", "via", "x",
    ]  # fmt: skip
    assert answer.get("via").endswith("5062;branch=z9hG4bKone;received=203.0.113.9;rport=6060")
    assert answer.all("via")[1] == "SIP/2.0/UDP other;branch=z9hG4bK2"
    assert answer.to.tag == "ours"
    plain = response(invite, 404, "Not Found")
    assert plain.to.tag == ""
    assert not plain.get("record-route")


def test_a_via_that_asks_for_no_port_gets_none() -> None:
    answer = response(read(request(rport="")), 200, "OK", received="203.0.113.9 6060")
    assert "rport" not in answer.get("via")


@given(st.binary(max_size=600))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        message = parse(data)
    except MalformedMessage:
        return
    assert parse(encode(message)).call_id == message.call_id


@given(st.randoms(use_true_random=False))
def test_no_broken_message_raises_anything_else(rng: random.Random) -> None:
    data = bytearray(INVITE)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        match rng.randrange(3):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randrange(1, 9)]
            case _:
                data[at:at] = rng.choice([b"\r\n", b";", b",", b"<", b'"', b":", b"\x00", b" ", b"\xff"])
    try:
        message = parse(bytes(data))
    except MalformedMessage:
        return
    if isinstance(message, Request):
        encode(response(message, 200, "OK", to_tag="t", received="192.0.2.1 5060"))


def test_a_stream_is_cut_into_messages_wherever_it_is_cut() -> None:
    stream = b"\r\n" + INVITE + request("BYE", cseq=2)
    for size in (1, 7, 100, len(stream)):
        framer = Framer()
        found = [message for at in range(0, len(stream), size) for message in framer.feed(stream[at : at + size])]
        assert [read(message).method for message in found] == ["INVITE", "BYE"]


@pytest.mark.parametrize(
    "stream",
    [
        request().replace(b"Content-Length: 0", b"X: y"),
        request().replace(b"Content-Length: 0", b"Content-Length: 999999"),
        b"x" * (MAX_BYTES + 1),
    ],
)
def test_a_stream_that_lost_its_place_is_given_up(stream: bytes) -> None:
    with pytest.raises(MalformedMessage, match="stream"):
        Framer().feed(stream)


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_no_stream_raises_anything_else(chunks: list[bytes]) -> None:
    framer = Framer()
    try:
        for chunk in chunks:
            framer.feed(chunk)
    except MalformedMessage:
        pass
