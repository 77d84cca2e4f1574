from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.functions.get_opening_hours import handler as hours
from lambdas.functions.get_order_status import handler as orders
from lambdas.functions.get_order_status.orders import answer, working_day

FRIDAY = date(2027, 1, 15)
CONTEXT = {"contact_id": "c", "agent": "shop", "caller_number": "", "attributes": {}}


def order(number: object) -> dict[str, Any]:
    return answer(number, FRIDAY)


def test_a_known_order_is_found() -> None:
    assert order("100200") == {
        "found": True,
        "order_number": "100200",
        "item": "oak dining table",
        "status": "on_its_way",
        "delivery_date": "2027-01-18",
        "sentence": "Your oak dining table is on its way and should arrive on Monday.",
    }


def test_a_delivered_order_was_delivered_before_today() -> None:
    told = order("654321")
    assert (told["status"], told["delivery_date"]) == ("delivered", "2027-01-12")
    assert told["sentence"] == "Your walnut armchair was delivered on Tuesday."


def test_a_cancelled_order_has_no_delivery_date() -> None:
    told = order("555000")
    assert "delivery_date" not in told
    assert told["sentence"] == "Your alder bed frame was cancelled."


@given(st.from_regex(r"[0-9]{4,10}", fullmatch=True))
def test_any_order_number_has_the_same_plausible_answer_each_time(number: str) -> None:
    told = order(number)
    assert told == order(number)
    assert told["found"] is True
    assert len(told["sentence"]) < 100
    if told["status"] != "cancelled":
        day = date.fromisoformat(told["delivery_date"])
        assert day.weekday() < 5
        assert (day < FRIDAY) == (told["status"] == "delivered")


@pytest.mark.parametrize("number", ["123 456", "123-456", "#123456", "1 2 3 4 5 6", 123456])
def test_an_order_number_is_understood_as_it_is_written(number: object) -> None:
    assert order(number)["item"] == "pine bookcase"


@pytest.mark.parametrize("number", [None, "", "12", "12345678901", "abcdef", "١٢٣٤٥٦", True, 12.5, ["123456"]])
def test_what_is_no_order_number_is_said_to_be_none(number: object) -> None:
    assert order(number) == {"found": False, "error": "An order number has 4 to 10 digits."}


def test_today_is_a_working_day_for_deliveries_or_the_next_one_is() -> None:
    assert working_day(FRIDAY, 0) == FRIDAY
    assert working_day(date(2027, 1, 16), 1) == date(2027, 1, 18)


@pytest.mark.parametrize("event", [{}, {"arguments": None}, {"arguments": {}}])
def test_the_order_function_needs_an_argument(event: dict[str, Any]) -> None:
    assert orders.handler(event, None) == {"error": "order_number is missing"}


def test_the_order_function_answers_with_json() -> None:
    told = orders.handler({"arguments": {"order_number": "123456"}, "context": CONTEXT}, None)
    assert json.loads(json.dumps(told)) == told


def test_the_hours_of_a_day() -> None:
    told = hours.handler({"arguments": {"day": "saturday"}, "context": CONTEXT}, None)
    assert told == {
        "day": "saturday",
        "open": True,
        "opens": "10:00",
        "closes": "16:00",
        "sentence": "On Saturday we are open from 10 in the morning to 4 in the afternoon.",
    }


def test_a_day_on_which_the_shop_is_closed() -> None:
    told = hours.handler({"arguments": {"day": "sunday"}}, None)
    assert told == {"day": "sunday", "open": False, "sentence": "We are closed on Sunday."}


@pytest.mark.parametrize("event", [{}, {"arguments": None}, {"arguments": {"day": None}}])
def test_without_a_day_the_whole_week_is_told(event: dict[str, Any]) -> None:
    told: Any = hours.handler(event, None)
    assert isinstance(told["week"], dict)
    assert list(told["week"]) == list(hours.HOURS)
    assert "closed on Sunday" in str(told["sentence"])


def test_the_evening_begins_at_six() -> None:
    told: Any = hours.handler({"arguments": {"day": "monday"}}, None)
    assert told["sentence"] == "On Monday we are open from 9 in the morning to 6 in the evening."


def test_a_day_that_there_is_not_is_an_error() -> None:
    assert hours.handler({"arguments": {"day": "caturday"}}, None) == {"error": "day is not what the function takes"}
