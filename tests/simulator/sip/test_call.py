"""The pretended voice connector's side of a call."""

from __future__ import annotations

from simulator.sip.call import Message, OutboundCall, State, connector_headers

SDP = "v=0\r\nc=IN IP4 127.0.0.9\r\nm=audio 20000 RTP/AVP 0 101\r\n"


def a_call() -> OutboundCall:
    call = OutboundCall("word", "127.0.0.1", 5070, 6000, "127.0.0.1:5060", "agent", "+49", (("X-A", "b"),))
    call.start(0)
    return call


def last(call: OutboundCall) -> Message:
    message = Message.of(call.sent[-1])
    assert message is not None
    return message


def answer(status: int, method: str = "INVITE", body: str = "", call_id: str = "word@127.0.0.1") -> bytes:
    lines = [
        f"SIP/2.0 {status} Reason",
        f"Call-ID: {call_id}",
        "To: <sip:agent@x>;tag=theirs",
        f"CSeq: 1 {method}",
        "Contact: <sip:agent@127.0.0.9:5060>",
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


def standing() -> OutboundCall:
    call = a_call()
    call.receive(answer(200, body=SDP), 100)
    return call


def test_it_rings_until_somebody_says_so() -> None:
    call = a_call()
    invite = last(call)
    assert invite.first == "INVITE sip:agent@127.0.0.1:5060 SIP/2.0"
    assert (invite.headers["x-a"], invite.headers["cseq"]) == ("b", "1 INVITE")
    call.tick(499)
    assert len(call.sent) == 1
    call.tick(500)
    call.tick(1500)
    assert len(call.sent) == 3
    call.receive(answer(100), 1600)
    call.tick(9000)
    assert len(call.sent) == 3


def test_it_is_answered_and_acknowledges_every_copy_of_the_answer() -> None:
    call = standing()
    assert (call.state, call.remote) == (State.STANDING, ("127.0.0.9", 20000))
    assert last(call).first == "ACK sip:agent@127.0.0.9:5060 SIP/2.0"
    assert last(call).headers["to"] == "<sip:agent@x>;tag=theirs"
    call.receive(answer(200, body=SDP), 200)
    assert [Message.of(data).first[:3] for data in call.sent if Message.of(data)] == ["INV", "ACK", "ACK"]  # type: ignore[union-attr]


def test_it_is_refused() -> None:
    call = a_call()
    call.receive(answer(503), 100)
    assert (call.state, call.reason) == (State.OVER, "503")
    assert last(call).first.startswith("ACK sip:agent@127.0.0.1:5060")
    call.tick(9000)
    call.hang_up(9000)
    assert len(call.sent) == 2


def test_nobody_answers() -> None:
    call = a_call()
    for now in range(0, 40_000, 500):
        call.tick(now)
    assert (call.state, call.reason) == (State.OVER, "no_answer")


def test_the_other_side_hangs_up() -> None:
    call = standing()
    bye = "BYE sip:x SIP/2.0\r\nCall-ID: word@127.0.0.1\r\nVia: v\r\nCSeq: 7 BYE\r\n\r\n"
    call.receive(bye.encode(), 200)
    assert (call.state, call.reason) == (State.OVER, "bye")
    assert last(call).first == "SIP/2.0 200 OK"
    assert last(call).headers["cseq"] == "7 BYE"


def test_it_hangs_up() -> None:
    call = standing()
    call.hang_up(200)
    call.hang_up(200)
    assert last(call).first == "BYE sip:agent@127.0.0.9:5060 SIP/2.0"
    call.tick(700)
    assert last(call).headers["cseq"] == "2 BYE"
    call.receive(answer(200, "BYE"), 800)
    assert (call.state, call.reason) == (State.OVER, "hung_up")


def test_a_bye_that_nobody_answers() -> None:
    call = standing()
    call.hang_up(200)
    for now in range(200, 40_000, 500):
        call.tick(now)
    assert (call.state, call.reason) == (State.OVER, "hung_up")


def test_it_gives_up_before_the_answer() -> None:
    call = a_call()
    call.hang_up(100)
    call.hang_up(100)
    assert last(call).first.startswith("CANCEL ")
    call.receive(answer(200, "CANCEL"), 150)
    call.receive(answer(487), 200)
    assert call.reason == "487"


def test_a_cancel_that_comes_too_late_is_followed_by_a_bye() -> None:
    call = a_call()
    call.hang_up(100)
    call.receive(answer(200, body=SDP), 200)
    assert last(call).first.startswith("BYE ")


def test_an_answer_that_cannot_be_used_ends_the_call() -> None:
    call = a_call()
    call.receive(answer(200), 100)
    assert last(call).first.startswith("BYE ")
    assert call.remote is None


def test_a_sign_of_life_is_answered_and_the_rest_is_not() -> None:
    call = standing()
    before = len(call.sent)
    call.receive(b"UPDATE sip:x SIP/2.0\r\nCall-ID: word@127.0.0.1\r\nCSeq: 3 UPDATE\r\n\r\n", 0)
    call.receive(b"INFO sip:x SIP/2.0\r\nCall-ID: word@127.0.0.1\r\n\r\n", 0)
    call.receive(answer(200, "UPDATE"), 0)
    call.receive(answer(200, call_id="other"), 0)
    call.receive(b"\x00", 0)
    call.receive(answer(200).replace(b"200", b"xxx"), 0)
    assert len(call.sent) == before + 1


def test_a_contact_without_brackets() -> None:
    call = a_call()
    call.receive(answer(200, body=SDP).replace(b"<sip:agent@127.0.0.9:5060>", b"sip:agent@127.0.0.9;x"), 100)
    assert last(call).first == "ACK sip:agent@127.0.0.9 SIP/2.0"


def test_what_a_connector_adds() -> None:
    assert connector_headers("abc", "12") == (
        ("X-Amzn-ConnectContactId", "abc"),
        ("X-Amzn-ConnectInitialContactId", "abc"),
        ("User-to-User", "3132;encoding=hex"),
    )
    assert len(connector_headers("abc", "")) == 2


def test_a_goodbye_that_comes_twice_is_answered_twice_and_ends_the_call_once() -> None:
    call = standing()
    before = len(call.sent)
    call.receive(answer(487), 100)
    bye = b"BYE sip:x SIP/2.0\r\nCall-ID: word@127.0.0.1\r\nCSeq: 2 BYE\r\n\r\n"
    call.receive(bye, 200)
    call.receive(bye, 300)
    assert [sent.splitlines()[0] for sent in call.sent[before:]].count(b"SIP/2.0 200 OK") == 2
