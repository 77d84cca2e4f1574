"""The user agent against a peer: calls that are taken, refused, cancelled, changed, ended, and those that vanish."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.legs.sip.dialog import DialogId
from gateway.legs.sip.load import Load
from gateway.legs.sip.message import Request, Response, parse
from gateway.legs.sip.sdes import Profiles
from gateway.legs.sip.sdp import Direction
from gateway.legs.sip.signals import Changed, Confirmed, Ended, Invited
from gateway.legs.sip.transactions import Hop
from gateway.legs.sip.user_agent import MOST_TRANSACTIONS
from tests.gateway.legs.sip.samples import LOCAL, OFFER, PEER, Peer, ok, request

INVITE = request(body=OFFER)


def invited(peer: Peer, data: bytes = INVITE, hop: Hop = PEER) -> DialogId:
    peer.says(data, hop=hop)
    (signal,) = peer.agent.signals()
    assert isinstance(signal, Invited)
    return signal.id


def answered(peer: Peer, data: bytes = INVITE, hop: Hop = PEER) -> DialogId:
    id_ = invited(peer, data, hop)
    assert peer.agent.accept(id_, LOCAL, 0)
    peer.collect()
    return id_


def confirmed(peer: Peer, data: bytes = INVITE, hop: Hop = PEER) -> Confirmed:
    id_ = answered(peer, data, hop)
    peer.says(request("ACK", to_tag=id_.local), hop=hop)
    (signal,) = peer.agent.signals()
    assert isinstance(signal, Confirmed)
    assert signal.id == id_
    return signal


def standing(peer: Peer, data: bytes = INVITE, hop: Hop = PEER) -> DialogId:
    return confirmed(peer, data, hop).id


def status(messages: list[Request | Response]) -> int:
    (message,) = messages
    assert isinstance(message, Response)
    return message.status


def last_response(peer: Peer) -> Response:
    message = peer.sent[-1]
    assert isinstance(message, Response)
    return message


def sent_request(peer: Peer) -> Request:
    message = peer.sent[-1]
    assert isinstance(message, Request)
    return message


def test_a_call_is_taken() -> None:
    peer = Peer()
    id_ = invited(peer)
    assert peer.statuses() == [100]
    assert peer.agent.accept(id_, LOCAL, 0)
    peer.collect()
    assert peer.statuses() == [100, 200]
    accepted = last_response(peer)
    assert accepted.to.tag == id_.local
    assert accepted.get("contact") == "<sip:voice-agent@198.51.100.5:5060;transport=udp>"
    assert b"m=audio 20000 RTP/AVP 0 101" in accepted.body
    assert peer.says(request("ACK", to_tag=id_.local)) == []
    (signal,) = peer.agent.signals()
    assert isinstance(signal, Confirmed)
    assert (signal.id, signal.agreed.port) == (id_, 6000)
    assert not peer.agent.accept(id_, LOCAL, 0)
    assert peer.collect() == []


def test_what_is_known_of_a_call_is_known_of_no_other() -> None:
    peer = Peer()
    unknown = DialogId("a", "b", "c")
    assert peer.agent.record(unknown) is None
    assert not peer.agent.accept(unknown, LOCAL, 0)
    peer.agent.refuse(unknown, 480, "No", 0)
    peer.agent.hang_up(unknown, 0)
    assert peer.collect() == []


def test_an_acceptance_is_repeated_until_the_ack_and_an_invite_again_changes_nothing() -> None:
    peer = Peer()
    id_ = answered(peer)
    assert status(peer.says(INVITE)) == 200
    assert status(peer.at(500)) == 200
    peer.says(request("ACK", to_tag=id_.local, cseq=9))  # of another INVITE
    assert peer.agent.signals() == []
    peer.says(request("ACK", to_tag=id_.local), 600)
    assert len(peer.agent.signals()) == 1
    assert peer.at(1500) == []
    assert peer.says(request("ACK", to_tag=id_.local), 1600) == []
    assert peer.agent.signals() == []
    assert peer.agent.repeated == 1


def test_media_at_an_address_that_we_cannot_send_to_are_refused() -> None:
    peer = Peer()
    id_ = invited(peer, request(body=OFFER.replace("c=IN IP4 192.0.2.10", "c=IN IP6 2001:db8::10")))
    assert not peer.agent.accept(id_, LOCAL, 0)
    assert status(peer.collect()) == 488


def test_nobody_acknowledges() -> None:
    peer = Peer()
    id_ = answered(peer)
    peer.at(32_000)
    bye = sent_request(peer)
    assert bye.method == "BYE"
    assert peer.agent.signals() == [Ended(id_, "no_ack")]
    peer.says(ok(bye))
    assert peer.agent.idle


def test_a_refusal_that_nobody_acknowledges_is_forgotten() -> None:
    peer = Peer()
    id_ = invited(peer)
    peer.agent.refuse(id_, 404, "Not Found", 0)
    peer.collect()
    assert peer.agent.signals() == [Ended(id_, "refused")]
    assert status(peer.at(500)) == 404
    assert peer.at(32_000) == []
    assert peer.agent.next_due_ms() is None


def test_a_refusal_is_acknowledged_without_a_dialog() -> None:
    peer = Peer()
    id_ = invited(peer)
    peer.agent.refuse(id_, 503, "Service Unavailable", 0)
    peer.collect()
    assert last_response(peer).status == 503
    peer.says(request("ACK", to_tag=id_.local))
    assert peer.at(600) == []
    assert peer.says(request("ACK", branch="other", to_tag=id_.local)) == []


def test_a_full_gateway_says_when_to_try_again() -> None:
    peer = Peer(Load(4, 4, draining=False))
    assert status(peer.says(INVITE)) == 503
    assert last_response(peer).get("retry-after") == "5"
    assert peer.agent.signals() == []


def test_an_offer_that_we_cannot_speak_is_not_acceptable() -> None:
    peer = Peer()
    id_ = invited(peer, request(body=OFFER.replace("8 0 101", "111")))
    assert not peer.agent.accept(id_, LOCAL, 0)
    peer.collect()
    assert peer.statuses() == [100, 488]


def test_without_an_offer_we_make_one_and_the_ack_answers_it() -> None:
    peer = Peer()
    id_ = answered(peer, request())
    assert b"RTP/AVP 0 8 101" in last_response(peer).body
    peer.says(request("ACK", to_tag=id_.local, body=OFFER))
    (signal,) = peer.agent.signals()
    assert isinstance(signal, Confirmed)
    assert signal.agreed.port == 6000


@pytest.mark.parametrize("body", ["", "nonsense", OFFER.replace("8 0 101", "111")])
def test_an_ack_that_answers_nothing_ends_the_call(body: str) -> None:
    peer = Peer()
    id_ = answered(peer, request())
    peer.says(request("ACK", to_tag=id_.local, body=body))
    peer.says(ok(sent_request(peer)))
    assert peer.agent.signals() == [Ended(id_, "no_media")]


def test_the_peer_hangs_up() -> None:
    peer = Peer()
    id_ = standing(peer)
    bye = request("BYE", to_tag=id_.local, cseq=2, branch="two")
    assert status(peer.says(bye)) == 200
    assert peer.agent.signals() == [Ended(id_, "bye")]
    assert status(peer.says(bye)) == 200
    assert status(peer.says(request("BYE", to_tag=id_.local, cseq=3, branch="three"))) == 481
    assert peer.agent.idle


def test_a_bye_before_the_ack_ends_the_call_too() -> None:
    peer = Peer()
    id_ = answered(peer)
    assert status(peer.says(request("BYE", to_tag=id_.local, cseq=2, branch="two"))) == 200
    assert peer.agent.signals() == [Ended(id_, "bye")]
    assert peer.at(600) == []


def test_a_bye_before_the_answer_terminates_the_invite() -> None:
    peer = Peer()
    id_ = invited(peer)
    peer.says(request("BYE", to_tag=id_.local, cseq=2, branch="two"))
    assert sorted(peer.statuses()) == [100, 200, 487]
    assert peer.agent.signals() == [Ended(id_, "bye")]


def test_we_hang_up() -> None:
    peer = Peer()
    id_ = standing(peer)
    peer.agent.hang_up(id_, 0)
    peer.agent.hang_up(id_, 0)
    (bye,) = peer.collect()
    assert isinstance(bye, Request)
    assert bye.cseq == (1, "BYE")
    assert peer.hops[-1] == Hop("udp", "192.0.2.10", 5070)
    assert [message.cseq for message in peer.at(500)] == [(1, "BYE")]
    peer.says(ok(bye, 100))
    peer.says(ok(bye))
    assert peer.agent.signals() == [Ended(id_, "hung_up")]
    peer.says(ok(bye))
    assert peer.agent.idle


def test_a_bye_that_nobody_answers_ends_the_call_all_the_same() -> None:
    peer = Peer()
    id_ = standing(peer)
    peer.agent.hang_up(id_, 0)
    peer.at(32_000)
    assert peer.agent.signals() == [Ended(id_, "hung_up")]


def test_hanging_up_before_the_ack_waits_for_it() -> None:
    peer = Peer()
    id_ = answered(peer)
    peer.agent.hang_up(id_, 0)
    assert peer.collect() == []
    peer.says(request("ACK", to_tag=id_.local))
    assert sent_request(peer).method == "BYE"


def test_hanging_up_before_the_answer_is_a_refusal() -> None:
    peer = Peer()
    id_ = invited(peer)
    peer.agent.hang_up(id_, 0)
    peer.collect()
    assert peer.statuses() == [100, 480]


def test_a_cancel_terminates_the_invite() -> None:
    peer = Peer()
    id_ = invited(peer)
    peer.says(request("CANCEL"))
    assert peer.statuses() == [100, 200, 487]
    assert peer.agent.signals() == [Ended(id_, "cancelled")]
    assert status(peer.says(request("CANCEL"))) == 200
    peer.says(request("ACK", to_tag=id_.local))
    assert peer.agent.idle


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    peer = Peer()
    id_ = answered(peer)
    assert status(peer.says(request("CANCEL"))) == 200
    peer.says(request("ACK", to_tag=id_.local))
    assert isinstance(peer.agent.signals()[0], Confirmed)


def test_a_cancel_of_nothing() -> None:
    assert status(Peer().says(request("CANCEL"))) == 481


def test_hold_and_resume() -> None:
    peer = Peer()
    id_ = standing(peer)
    hold = request(to_tag=id_.local, cseq=2, branch="two", body=OFFER + "a=sendonly\r\n")
    assert status(peer.says(hold)) == 200
    assert b"a=recvonly" in last_response(peer).body
    assert b"o=- 7 2 " in last_response(peer).body
    (changed,) = peer.agent.signals()
    assert isinstance(changed, Changed)
    assert changed.agreed.direction is Direction.RECEIVES
    assert changed.agreed.held
    peer.agent.hang_up(id_, 0)  # while the re-INVITE has no ACK yet
    assert peer.collect() == []
    peer.says(request("ACK", to_tag=id_.local, cseq=2, branch="ack"))
    assert sent_request(peer).method == "BYE"


def test_a_re_invite_that_changes_nothing_says_nothing() -> None:
    peer = Peer()
    id_ = standing(peer)
    assert status(peer.says(request(to_tag=id_.local, cseq=2, branch="two", body=OFFER))) == 200
    assert peer.agent.signals() == []
    assert status(peer.says(request("UPDATE", to_tag=id_.local, cseq=3, branch="three"))) == 491


def test_a_re_invite_without_an_offer_gets_one() -> None:
    peer = Peer()
    id_ = standing(peer)
    assert status(peer.says(request(to_tag=id_.local, cseq=2, branch="two"))) == 200
    assert b"RTP/AVP 0 8 101" in last_response(peer).body
    peer.says(request("ACK", to_tag=id_.local, cseq=2, branch="ack", body=OFFER))
    assert isinstance(peer.agent.signals()[0], Confirmed)


def test_changes_that_cannot_be_made() -> None:
    peer = Peer()
    id_ = standing(peer)
    assert status(peer.says(request(to_tag=id_.local, cseq=1, branch="old", body=OFFER))) == 500
    assert status(peer.says(request(to_tag=id_.local, cseq=2, branch="two", body="nonsense"))) == 488
    assert status(peer.says(request(to_tag="unknown", cseq=2, branch="x", body=OFFER))) == 481
    assert status(peer.says(request("UPDATE", to_tag=id_.local, cseq=3, branch="y", contact="<>"))) == 400
    assert peer.agent.malformed == 1
    assert status(peer.says(request("UPDATE", to_tag=id_.local, cseq=4, branch="z", body=OFFER))) == 200
    assert peer.agent.signals() == []  # the same as ever


def test_an_update_before_the_answer_has_to_wait() -> None:
    peer = Peer()
    id_ = invited(peer)
    assert status(peer.says(request("UPDATE", to_tag=id_.local, cseq=2, branch="two", body=OFFER))) == 491


def test_an_update_with_an_offer_is_answered() -> None:
    peer = Peer()
    id_ = standing(peer)
    moved = OFFER.replace("m=audio 6000", "m=audio 6010")
    assert status(peer.says(request("UPDATE", to_tag=id_.local, cseq=2, branch="two", body=moved))) == 200
    assert isinstance(peer.agent.signals()[0], Changed)
    assert peer.at(600) == []


def test_options_tell_load_and_draining() -> None:
    peer = Peer(Load(1, 4, draining=False))
    assert status(peer.says(request("OPTIONS"))) == 200
    assert last_response(peer).get("x-voice-agent-load") == "calls=1;limit=4;draining=0"
    assert last_response(peer).get("allow") == "INVITE"
    peer.load = Load(1, 4, draining=True)
    assert status(peer.says(request("OPTIONS", branch="two"))) == 503
    assert last_response(peer).get("x-voice-agent-load") == "calls=1;limit=4;draining=1"


def test_other_methods_and_extensions_are_refused() -> None:
    peer = Peer()
    assert status(peer.says(request("SUBSCRIBE"))) == 405
    assert status(peer.says(request("INVITE", "Require: 100rel, timer", branch="two", body=OFFER))) == 420
    assert last_response(peer).get("unsupported") == "100rel"
    assert status(peer.says(request("INVITE", branch="three", contact="", body=OFFER))) == 400


def test_responses_that_nobody_waits_for_and_garbage_are_dropped() -> None:
    peer = Peer()
    id_ = standing(peer)
    peer.agent.hang_up(id_, 0)
    peer.collect()
    bye = sent_request(peer)
    assert peer.says(ok(bye).replace(b"z9hG4bK", b"z9hG4bKx")) == []
    assert peer.says(ok(bye).replace(b"1 BYE", b"2 BYE")) == []
    assert peer.says(b"garbage") == []
    assert peer.agent.malformed == 1
    assert peer.agent.signals() == []


def test_responses_go_where_requests_come_from() -> None:
    peer = Peer()
    strange = Hop("udp", "192.0.2.10", 4444)
    peer.says(request("OPTIONS"), hop=strange)
    peer.says(request("OPTIONS", branch="two", rport=""), hop=strange)
    peer.says(request("OPTIONS", branch="three", rport="").replace(b":5062", b""), hop=strange)
    peer.says(request("OPTIONS", branch="four", rport=""), hop=Hop("tcp", "192.0.2.10", 4444))
    assert [(hop.transport, hop.port) for hop in peer.hops] == [
        ("udp", 4444), ("udp", 5062), ("udp", 5060), ("tcp", 4444),
    ]  # fmt: skip
    assert last_response(peer).get("via").endswith(";received=192.0.2.10")


def test_a_flood_does_not_fill_the_memory() -> None:
    peer = Peer()
    for number in range(MOST_TRANSACTIONS):
        peer.agent.receive(request("OPTIONS", branch=str(number)), PEER, 0)
    peer.agent.sends()
    assert peer.says(request("OPTIONS", branch="one-more")) == []
    assert peer.agent.refused == 1


def test_another_gateway_can_end_the_call() -> None:
    peer, other = Peer(), Peer()
    id_ = standing(peer)
    record = peer.agent.record(id_)
    assert record is not None
    other.agent.hang_up_foreign(record, 0)
    (bye,) = other.collect()
    assert isinstance(bye, Request)
    assert (bye.method, bye.call_id, bye.from_.tag, bye.to.tag, bye.cseq) == (
        "BYE", "call@peer", id_.local, "theirs", (1000, "BYE"),
    )  # fmt: skip
    other.says(ok(bye))
    assert other.agent.idle
    assert other.agent.signals() == []


# -- session timers (RFC 4028) -----------------------------------------------------------------------------------


def timed(*more: str) -> bytes:
    return request("INVITE", "Supported: timer", *more, body=OFFER)


def test_a_session_that_the_peer_refreshes_goes_on() -> None:
    peer = Peer()
    id_ = standing(peer, timed("Session-Expires: 90;refresher=uac"))
    accepted = next(message for message in peer.sent if isinstance(message, Response) and message.status == 200)
    assert (accepted.get("session-expires"), accepted.get("require")) == ("90;refresher=uac", "timer")
    update = request("UPDATE", "Supported: timer", "Session-Expires: 90", to_tag=id_.local, cseq=2, branch="two")
    assert status(peer.says(update, 50_000)) == 200
    assert peer.at(109_000) == []
    peer.at(110_000)
    assert sent_request(peer).method == "BYE"
    peer.says(ok(sent_request(peer)))
    assert peer.agent.signals() == [Ended(id_, "session_expired")]


@pytest.mark.parametrize("data", [timed("Session-Expires: 90;refresher=uas"),
                                  request("INVITE", "Session-Expires: 90", body=OFFER)])  # fmt: skip
def test_a_session_that_we_have_to_refresh(data: bytes) -> None:
    peer = Peer()
    id_ = standing(peer, data)
    assert peer.agent.next_due_ms() is not None
    peer.at(45_000)
    update = sent_request(peer)
    assert (update.method, update.get("session-expires"), update.body) == ("UPDATE", "90;refresher=uac", b"")
    peer.says(ok(update))
    assert peer.agent.signals() == []
    peer.at(90_000)
    assert sent_request(peer).cseq == (2, "UPDATE")
    peer.says(ok(sent_request(peer), 481))
    assert peer.agent.signals() == [Ended(id_, "session_expired")]


def test_an_interval_that_is_too_short() -> None:
    peer = Peer()
    assert status(peer.says(timed("Session-Expires: 30"))) == 422
    assert last_response(peer).get("min-se") == "90"


def test_an_interval_that_is_no_number_asks_for_none() -> None:
    peer = Peer()
    standing(peer, timed("Session-Expires: soon"))
    assert not any(message.get("session-expires") for message in peer.sent)


# -- whatever comes ----------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_a_peer_sends_in_whatever_order_nothing_raises(rng: random.Random) -> None:
    peer = Peer()
    now, local = 0, "none"
    for step in range(30):
        now += rng.choice([0, 10, 500, 5000])
        method = rng.choice(["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "OPTIONS", "PUBLISH"])
        body = rng.choice(["", OFFER, OFFER + "a=inactive\r\n", "nonsense"])
        tag = rng.choice(["", local])
        extra = rng.choice([(), ("Session-Expires: 90",), ("Require: timer",), ("Record-Route: <sip:p;lr>",)])
        cseq, word = rng.randint(1, 5), rng.choice(["a", "b", str(step)])
        data = bytearray(request(method, *extra, to_tag=tag, cseq=cseq, branch=word, body=body))
        if rng.random() < 0.2:
            data[rng.randrange(len(data))] = rng.randrange(256)
        peer.agent.receive(bytes(data), PEER, now)
        for signal in peer.agent.signals():
            local = signal.id.local
            if isinstance(signal, Invited):
                match rng.randrange(3):
                    case 0:
                        peer.agent.accept(signal.id, LOCAL, now)
                    case 1:
                        peer.agent.refuse(signal.id, 480, "No", now)
                    case _:
                        peer.agent.hang_up(signal.id, now)
        peer.agent.tick(now)
        for send in peer.agent.sends():
            parse(send.data)
    for _ in range(12):
        now += 4000
        peer.agent.tick(now)
        for send in peer.agent.sends():
            parse(send.data)


KEY = base64.b64encode(bytes(range(30))).decode()
SECURE_OFFER = OFFER.replace("RTP/AVP", "RTP/SAVP") + f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"


def a_secure_peer(*, plain: bool = True) -> Peer:
    peer = Peer()
    peer.agent.profiles = {
        "udp": Profiles(plain=plain, secure=False),
        "tls": Profiles(plain=plain, secure=True),
    }.__getitem__
    return peer


def test_keys_are_taken_over_tls_only() -> None:
    tls = Hop("tls", PEER.host, PEER.port)
    peer = a_secure_peer()
    assert confirmed(peer, request(body=SECURE_OFFER), tls).agreed.crypto is not None
    peer = a_secure_peer()
    assert not peer.agent.accept(invited(peer, request(body=SECURE_OFFER)), LOCAL, 0)
    peer.collect()
    assert peer.statuses() == [100, 488]


def test_a_call_that_was_protected_once_does_not_become_readable() -> None:
    peer, tls = a_secure_peer(), Hop("tls", PEER.host, PEER.port)
    id_ = standing(peer, request(body=SECURE_OFFER), tls)
    assert status(peer.says(request(to_tag=id_.local, cseq=2, branch="two", body=OFFER), hop=tls)) == 488
    again = peer.says(request("UPDATE", to_tag=id_.local, cseq=3, branch="three", body=SECURE_OFFER), hop=tls)
    assert status(again) == 200
    offer = peer.says(request(to_tag=id_.local, cseq=4, branch="four"), hop=tls)
    assert b"RTP/SAVP" in last_response(peer).body
    assert status(offer) == 200


def test_where_media_must_be_protected_we_offer_nothing_else_and_take_no_other_answer() -> None:
    peer, tls = a_secure_peer(plain=False), Hop("tls", PEER.host, PEER.port)
    id_ = answered(peer, request(), tls)
    assert b"RTP/SAVP" in last_response(peer).body
    peer.says(request("ACK", to_tag=id_.local, body=SECURE_OFFER), hop=tls)
    assert [type(signal) for signal in peer.agent.signals()] == [Confirmed]
    peer = a_secure_peer(plain=False)
    id_ = answered(peer, request(), tls)
    peer.says(request("ACK", to_tag=id_.local, body=OFFER), hop=tls)
    assert sent_request(peer).method == "BYE"
