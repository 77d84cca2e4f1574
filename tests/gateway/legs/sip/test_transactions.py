"""Who sends again, how often, and when it gives up (RFC 3261 section 17)."""

from __future__ import annotations

import pytest

from gateway.legs.sip.message import Request, Response, parse, response
from gateway.legs.sip.transactions import ClientTransaction, Hop, ServerTransaction, TransactionState, server_key
from tests.gateway.legs.sip.samples import PEER, request

TCP = Hop("tcp", "192.0.2.10", 5060)


def read(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def server(method: str = "INVITE", hop: Hop = PEER) -> ServerTransaction:
    return ServerTransaction(read(request(method)), hop)


def answer(transaction: ServerTransaction, status: int) -> Response:
    return response(transaction.request, status, "Reason")


def times(transaction: ServerTransaction | ClientTransaction, until_ms: int) -> list[int]:
    """When it sends again."""
    found, now = [], 0
    while (due := transaction.next_due_ms()) is not None and due <= until_ms:
        now = due
        found += [now] * len(transaction.tick(now))
    return found


def test_an_ack_and_a_cancel_find_their_invite() -> None:
    assert server_key(read(request("ACK"))) == server_key(read(request("CANCEL"))) == server_key(read(request()))
    assert server_key(read(request("BYE"))) != server_key(read(request()))


def test_a_request_that_comes_again_gets_the_same_response() -> None:
    transaction = server("OPTIONS")
    assert transaction.repeated() == []
    sent = transaction.respond(answer(transaction, 200), 0)
    assert transaction.repeated() == sent
    assert transaction.respond(answer(transaction, 500), 0) == []


@pytest.mark.parametrize("status", [200, 486])
def test_over_udp_a_final_response_to_an_invite_is_repeated_until_32_s(status: int) -> None:
    transaction = server()
    assert len(transaction.respond(answer(transaction, 100), 0)) == 1
    assert transaction.next_due_ms() is None
    transaction.respond(answer(transaction, status), 0)
    assert times(transaction, 40_000) == [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
    assert transaction.state is TransactionState.OVER
    assert transaction.timed_out
    assert transaction.repeated() == []


def test_over_a_stream_only_an_acceptance_is_repeated() -> None:
    refused, accepted = server(hop=TCP), server(hop=TCP)
    refused.respond(answer(refused, 486), 0)
    accepted.respond(answer(accepted, 200), 0)
    assert times(refused, 1000) == []
    assert times(accepted, 1000) == [500]


def test_an_ack_ends_the_repeating() -> None:
    transaction = server()
    transaction.respond(answer(transaction, 200), 0)
    transaction.acked(100)
    transaction.acked(200)
    assert transaction.repeated() == []
    assert times(transaction, 5100) == []
    assert transaction.state is TransactionState.OVER
    assert not transaction.timed_out


def test_over_a_stream_nothing_lingers() -> None:
    other, invite = server("BYE", TCP), server(hop=TCP)
    other.respond(answer(other, 200), 5)
    invite.respond(answer(invite, 200), 5)
    invite.acked(6)
    assert (other.next_due_ms(), invite.next_due_ms()) == (5, 6)
    assert other.tick(4) == []


def test_a_request_of_ours_is_repeated_until_it_is_answered() -> None:
    bye = ClientTransaction(read(request("BYE")), PEER, "z9hG4bKone")
    assert len(bye.start(0)) == 1
    assert bye.tick(10) == []
    assert times(bye, 5000) == [500, 1500, 3500]
    bye.received(response(bye.request, 200, "OK"))
    assert bye.over
    assert bye.status == 200
    assert bye.next_due_ms() is None


def test_a_provisional_response_slows_the_repeating_down() -> None:
    bye = ClientTransaction(read(request("BYE")), PEER, "z9hG4bKone")
    bye.start(0)
    bye.received(response(bye.request, 100, "Trying"))
    assert times(bye, 9000) == [500, 4500, 8500]


def test_nobody_answers() -> None:
    over_tcp = ClientTransaction(read(request("BYE")), TCP, "z9hG4bKone")
    over_tcp.start(0)
    assert times(over_tcp, 40_000) == []
    assert over_tcp.status == 408
    over_tcp.received(response(over_tcp.request, 200, "OK"))
    assert over_tcp.status == 408
