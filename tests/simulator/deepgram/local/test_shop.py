"""Whole conversations with the rules of the sample shop, in the words that recognisers wrote for real recordings."""

from __future__ import annotations

import json

import pytest

from simulator.deepgram.local.rulebook import load
from simulator.deepgram.local.rules import RulesMind
from tests.simulator.deepgram.local.test_rulebook import SHOP

RESULTS = {
    "get_order_status": {
        "found": True,
        "order_number": "471108",
        "status": "on_its_way",
        "delivery_date": "2026-11-28",
        "sentence": "Your table is on its way and should arrive on Saturday.",
    },
    "get_opening_hours": {"day": "saturday", "open": True, "opens": "10:00", "closes": "16:00"},
    "transfer_to_human": {"status": "ok", "note": "The caller will be transferred."},
    "end_call": {"status": "ok", "note": "The call ends."},
}


class Shop:
    def __init__(self) -> None:
        self.mind = RulesMind(load(SHOP))
        self.mind.opened({})
        self.said: list[str] = []
        self.calls: list[tuple[str, dict[str, str]]] = []

    def hears(self, *texts: str) -> str:
        """What the agent said to the last of them, results included."""
        for text in texts:
            self.said.clear()
            reply = self.mind.heard(text, 1_790_000_000_000)
            self.said.append(reply.text)
            while reply.calls:
                (call,) = reply.calls
                self.calls.append((call.name, json.loads(call.arguments)))
                reply = self.mind.answered(call.name, json.dumps(RESULTS[call.name]), 0)
                self.said.append(reply.text)
        return " ".join(filter(None, self.said))


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_default_caller_is_served_from_order_to_person(shop: Shop) -> None:
    assert "order number" in shop.hears("Hi, I'd like to know where my order is.")
    assert "four seven one one zero eight. Your table" in shop.hears("The order number is 471108.")
    assert "from 10 am to 4 pm" in shop.hears("Sorry, when are you open on Saturday?")
    assert "connecting you" in shop.hears("Could I speak to a person about the delivery please?")
    names = [name for name, _ in shop.calls]
    assert names == ["get_order_status", "get_opening_hours", "transfer_to_human"]
    handover = shop.calls[-1][1]
    assert handover["queue"] == "orders"
    for known in ("an order, opening hours", "471108", "on its way", "2026-11-28"):
        assert known in handover["summary"]


@pytest.mark.parametrize(
    ("text", "queue"),
    [
        ("I'd like to speak to customer support.", "support"),
        ("Can I talk to someone about my delivery?", "orders"),
        ("Put me through to the orders department", "orders"),
    ],
)
def test_a_person_can_be_asked_for_at_any_time(shop: Shop, text: str, queue: str) -> None:
    shop.hears(text)
    assert [(name, arguments["queue"]) for name, arguments in shop.calls] == [("transfer_to_human", queue)]


@pytest.mark.parametrize(
    ("answer", "queue"), [("about an order", "orders"), ("something else", "support"), ("hm", "support")]
)
def test_a_person_for_anything_is_asked_what_about(shop: Shop, answer: str, queue: str) -> None:
    assert shop.hears("a human please") == "Is it about an order, or about something else?"
    shop.hears(answer)
    assert shop.calls[0][1]["queue"] == queue


@pytest.mark.parametrize(
    "text",
    [
        "Can you help me check my account balance?",
        "I'm calling about my auto insurance policy.",
        "What happens if I get into an accident?",
        "And the service light came on already.",
        "about two weeks ago, I got a car from the dealership.",
    ],
)
def test_what_the_shop_does_not_do_ends_at_support(shop: Shop, text: str) -> None:
    assert "connect you to a colleague?" in shop.hears(text)
    shop.hears("Sure.")
    assert [(name, arguments["queue"]) for name, arguments in shop.calls] == [("transfer_to_human", "support")]


def test_digits_of_something_else_are_no_order_number(shop: Shop) -> None:
    shop.hears("Hello, my name is Alice Brown, my social is 123456, and my zip code is 606011.")
    assert shop.calls == []
    shop.hears("customer support please")
    assert "Alice Brown" in shop.calls[0][1]["summary"]


@pytest.mark.parametrize(
    "text", ["Thanks, that's all I needed to know.", "Goodbye.", "No thank you, that's all. Goodbye."]
)
def test_who_says_goodbye_is_let_go(shop: Shop, text: str) -> None:
    assert "Goodbye" in shop.hears(text)
    assert [name for name, _ in shop.calls] == ["end_call"]


def test_thanks_are_no_goodbye(shop: Shop) -> None:
    assert "anything else" in shop.hears("Thank you for all the information. That's very helpful.")
    shop.hears("No.")
    assert [name for name, _ in shop.calls] == ["end_call"]


def test_the_whole_week_is_told_without_a_day(shop: Shop) -> None:
    shop.hears("What are your opening hours?", "And tomorrow?")
    assert shop.calls == [("get_opening_hours", {}), ("get_opening_hours", {"day": "tuesday"})]


def test_a_wrong_number_is_corrected(shop: Shop) -> None:
    shop.hears("order 471107", "That's the wrong number", "four seven one one oh eight")
    assert [arguments["order_number"] for _, arguments in shop.calls] == ["471107", "471108"]


def test_who_has_no_number_is_offered_a_person(shop: Shop) -> None:
    assert "colleague?" in shop.hears("Where's my order?", "I don't have the number.")
    shop.hears("yes please")
    assert shop.calls[0][1]["queue"] == "orders"


def test_an_order_that_is_not_found_can_be_tried_again(shop: Shop) -> None:
    reply = shop.mind.heard("order 471107", 0)
    assert reply.calls
    text = shop.mind.answered("get_order_status", '{"found": false, "error": "none"}', 0).text
    assert text == "I cannot find an order four seven one one zero seven. Would you like to try another number?"
    assert "order number" in shop.hears("yes")


def test_who_is_not_understood_three_times_is_offered_a_person(shop: Shop) -> None:
    assert "colleague?" in shop.hears("blah", "blub", "bla")
