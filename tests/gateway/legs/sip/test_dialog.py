"""A dialog, and what of it another gateway needs."""

from __future__ import annotations

import pytest

from gateway.legs.sip.dialog import Dialog, DialogRecord, branch
from gateway.legs.sip.errors import MalformedMessage
from gateway.legs.sip.message import Request, parse
from gateway.legs.sip.transactions import Hop
from tests.gateway.legs.sip.samples import PEER, request


def dialog(*more: str, hop: Hop = PEER, contact: str = "<sip:peer@192.0.2.10:5070>") -> Dialog:
    invite = parse(request("INVITE", *more, contact=contact))
    assert isinstance(invite, Request)
    return Dialog.of(invite, "ours", hop)


def test_a_request_in_the_dialog_goes_to_the_contact() -> None:
    found = dialog()
    found.advance()
    bye, hop = found.record.request("BYE", branch("x"), "198.51.100.5:5060", "<sip:voice-agent@198.51.100.5>")
    assert hop == Hop("udp", "192.0.2.10", 5070)
    assert bye.uri == "sip:peer@192.0.2.10:5070"
    assert (bye.from_.tag, bye.to.tag, bye.call_id, bye.cseq) == ("ours", "theirs", "call@peer", (1, "BYE"))
    assert bye.via.branch == "z9hG4bKx"


def test_a_route_comes_first_and_a_stream_goes_back_where_it_came_from() -> None:
    routed = dialog("Record-Route: <sip:proxy.example;lr>, <sip:second;lr>")
    bye, hop = routed.record.request("BYE", "z9hG4bKx", "us", "<sip:us>")
    assert hop == Hop("udp", "proxy.example", 5060)
    assert bye.all("route") == ("<sip:proxy.example;lr>", "<sip:second;lr>")
    assert dialog(hop=Hop("tcp", "192.0.2.99", 4444)).record.next_hop() == Hop("tcp", "192.0.2.99", 4444)


def test_a_contact_that_names_no_place_is_the_place_that_it_came_from() -> None:
    assert dialog(contact="<tel:+49>").record.next_hop() == PEER


def test_an_invite_without_a_contact_cannot_be_a_call() -> None:
    with pytest.raises(MalformedMessage, match="a Contact"):
        dialog(contact="")


def test_the_record_survives_its_way_through_the_table() -> None:
    found = dialog("Record-Route: <sip:proxy;lr>").record
    assert DialogRecord.from_json(found.to_json()) == found
    assert found.foreign().cseq == found.cseq + 1000


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"routes":[]}', '{"routes":1}', "null", '{"routes":[],"x":1}'])
def test_a_broken_record_is_our_own_error(text: str) -> None:
    with pytest.raises(MalformedMessage, match="dialog record"):
        DialogRecord.from_json(text)


def test_a_record_with_a_port_that_is_none() -> None:
    text = dialog().record.to_json().replace('"port":5060', '"port":"x"')
    with pytest.raises(MalformedMessage):
        DialogRecord.from_json(text)


def test_old_copies_are_noticed_and_a_contact_can_move() -> None:
    found = dialog()
    newer = parse(request("INVITE", cseq=2, contact="<sip:moved@192.0.2.77>"))
    assert isinstance(newer, Request)
    assert found.in_order(newer)
    assert not found.in_order(newer)
    found.refresh_target(newer)
    assert found.record.target == "sip:moved@192.0.2.77"
    nowhere = parse(request("UPDATE", cseq=3, contact=""))
    assert isinstance(nowhere, Request)
    found.refresh_target(nowhere)
    assert found.record.target == "sip:moved@192.0.2.77"
