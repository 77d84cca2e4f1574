"""Who may speak to us, whose call it is, and which ports are free."""

from __future__ import annotations

import pytest

from gateway.legs.sip.admission import AllowList, Claim, CodeByKeys, claim, matches, networks
from gateway.legs.sip.errors import NoPortFree
from gateway.legs.sip.message import Request, parse
from gateway.legs.sip.ports import DRAIN_MOST_MS, DRAIN_MS, Ports
from tests.gateway.legs.sip.samples import request


def invite(*more: str) -> Request:
    message = parse(request("INVITE", *more))
    assert isinstance(message, Request)
    return message


def test_only_configured_networks_are_admitted_and_the_others_are_counted() -> None:
    allowed = AllowList(networks(["99.77.247.0/24", "2001:db8::/64"]))
    assert allowed.admits("99.77.247.3")
    assert allowed.admits("2001:db8::7")
    assert not allowed.admits("99.77.248.3")
    assert not allowed.admits("99.77.248.3")
    assert not allowed.admits("no address")
    assert allowed.dropped == 3
    assert allowed.by_host["99.77.248.3"] == 2


def test_what_is_remembered_of_hosts_is_bounded() -> None:
    allowed = AllowList(networks(["10.0.0.0/8"]))
    for number in range(1100):
        allowed.admits(f"10.0.{number // 250}.{number % 250}")
    assert len(allowed._known) == 1000


def test_a_network_that_is_none() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        networks(["nonsense"])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), Claim("")),
        (("X-Voice-Agent-Code: 12345678",), Claim("12345678")),
        (("User-to-User: 3132333435363738;encoding=hex",), Claim("12345678")),
        (("User-to-User: 00ff;encoding=hex",), Claim("")),
        (("User-to-User: words",), Claim("")),
        (("X-Voice-Agent-Code: ٣٤",), Claim("")),
        (("X-Amzn-ConnectContactId: abc", "X-Voice-Agent-Code: 1"), Claim("1", "abc")),
    ],
)
def test_what_a_call_says_of_itself(headers: tuple[str, ...], expected: Claim) -> None:
    assert claim(invite(*headers)) == expected


def test_user_to_user_in_plain_digits_of_odd_number() -> None:
    assert claim(invite("User-to-User: 1234567")) == Claim("1234567")


def test_a_contact_that_is_named_has_to_be_the_right_one() -> None:
    assert matches(Claim("1"), "abc")
    assert matches(Claim("1", "abc"), "abc")
    assert not matches(Claim("1", "abd"), "abc")
    assert not matches(Claim("1", "ä"), "abc")


def test_a_code_by_keys() -> None:
    code = CodeByKeys(4)
    assert [code.key(key) for key in "1*2#3"] == [None] * 5
    assert code.key("4") == "1234"
    assert code.key("5") == "1234"


def test_a_port_is_drained_before_it_is_used_again() -> None:
    ports = Ports(20_001, 20_006)
    assert ports.free == 2
    first, second = ports.take(), ports.take()
    assert (first, second) == (20_002, 20_004)
    with pytest.raises(NoPortFree, match="20001 to 20006"):
        ports.take()
    draining = ports.drain(first, 0)
    draining.packet(10_000)
    assert draining.dropped == 1
    assert ports.drained(DRAIN_MS) == []
    assert ports.drained(10_000 + DRAIN_MS) == [first]
    assert ports.take() == first
    ports.give_back(second)
    assert ports.take() == second


def test_a_peer_that_never_stops_does_not_keep_a_port_for_ever() -> None:
    ports = Ports(20_000, 20_001)
    draining = ports.drain(ports.take(), 0)
    for now in range(0, DRAIN_MOST_MS, 5000):
        draining.packet(now)
    assert ports.drained(DRAIN_MOST_MS) == [20_000]
