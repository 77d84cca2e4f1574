"""The SDK of functions: what a handler makes of an event, and what it never lets through."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, TypedDict

import pytest

from lambdas.sdk import Between, Context, Private, Refused, Unit, function, handover, remember, serve

CONTEXT = {"contact_id": "c-1", "agent": "shop", "caller_number": "+49301", "attributes": {"tier": "gold"}}


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    LARGE = 3


@dataclass
class Address:
    street: str
    zip_code: str = ""


class Wish(TypedDict):
    colour: Colour
    count: int


@function(timeout_s=3, idempotent=True)
def order(
    article: str,
    count: Annotated[int, Between(1, 9), Unit("pieces")] = 1,
    *,
    price: float | None = None,
    gift: bool = False,
    kind: Literal["new", "used"] = "new",
    colour: Colour = Colour.RED,
    size: Size | None = None,
    day: date | None = None,
    at: time | None = None,
    since: datetime | None = None,
    to: Address | None = None,
    more: list[Wish] | None = None,
    notes: dict[str, str] | None = None,
    anything: Any = None,
    code: Annotated[str, Private()] = "",
    caller: Context = Context(),  # noqa: B008 - frozen
) -> dict[str, object]:
    return {key: value for key, value in locals().items() if value not in (None, "", False)}


@function
def whoami(context: Context) -> object:
    return context


@function()
def refuses() -> None:
    raise Refused("That is not possible on a Sunday.")


handler = serve(order, whoami, refuses)


def ask(name: str, **arguments: object) -> Any:
    return handler({"function": name, "arguments": arguments, "context": CONTEXT}, None)


def test_arguments_become_what_the_hints_say() -> None:
    told = ask(
        "order",
        article="desk",
        count=2,
        price=3,
        gift=True,
        kind="used",
        colour="red",
        size=3,
        day="2027-01-15",
        at="10:30",
        since="2027-01-15T10:30:00",
        to={"street": "Elm"},
        more=[{"colour": "red", "count": 1}],
        notes={"a": "b"},
        anything=[1],
        code="1234",
    )
    assert told == {
        "article": "desk",
        "count": 2,
        "price": 3.0,
        "gift": True,
        "kind": "used",
        "colour": "red",
        "size": 3,
        "day": "2027-01-15",
        "at": "10:30:00",
        "since": "2027-01-15T10:30:00",
        "to": {"street": "Elm", "zip_code": ""},
        "more": [{"colour": "red", "count": 1}],
        "notes": {"a": "b"},
        "anything": [1],
        "code": "1234",
        "caller": {**CONTEXT, "remembered": {}},
    }
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "article is missing"),
        ({"article": 7}, "article is not what the function takes"),
        ({"article": "a", "count": True}, "count is not what the function takes"),
        ({"article": "a", "price": True}, "price is not what the function takes"),
        ({"article": "a", "kind": "old"}, "kind is not what the function takes"),
        ({"article": "a", "colour": "blue"}, "colour is not what the function takes"),
        ({"article": "a", "day": "soon"}, "day is not what the function takes"),
        ({"article": "a", "to": {}}, "to is not what the function takes"),
        ({"article": "a", "to": {"city": "x"}}, "to is not what the function takes"),
        ({"article": "a", "more": [{"colour": "blue"}]}, "more.colour is not what the function takes"),
        ({"article": "a", "other": 1}, "there are arguments that the function does not have"),
    ],
)
def test_what_does_not_fit_is_refused_without_its_value(arguments: dict[str, object], error: str) -> None:
    assert ask("order", **arguments) == {"error": error}


def test_the_context_is_the_events_whatever_the_model_passes() -> None:
    assert ask("whoami")["contact_id"] == "c-1"
    forged = {"contact_id": "forged", "caller_number": "+1"}
    assert ask("whoami", context=forged) == {"error": "there are arguments that the function does not have"}


def test_without_a_context_it_is_empty() -> None:
    assert handler({"function": "whoami"}, None) == {
        "contact_id": "",
        "agent": "",
        "caller_number": "",
        "attributes": {},
        "remembered": {},
    }


def test_none_for_what_may_be_left_out_is_none() -> None:
    assert ask("order", article="desk", day=None)["article"] == "desk"


def test_a_refusal_is_told_to_the_model() -> None:
    assert ask("refuses") == {"error": "That is not possible on a Sunday."}


def test_a_function_of_another_lambda_is_not_known() -> None:
    assert ask("steal") == {"error": "there is no such function in this Lambda"}


def test_a_function_can_still_be_called_as_any_other() -> None:
    assert order("desk", 2)["count"] == 2


def test_what_is_for_the_human_stands_apart_and_says_no_only_where_it_was_said() -> None:
    assert handover() == {"handover": {}}
    assert handover(customer_id="C-1", note="gold") == {"handover": {"customer_id": "C-1", "note": "gold"}}
    assert handover(verified=False) == {"handover": {"verified": False}}


def test_what_a_function_remembers_comes_back_in_the_context_of_a_later_one() -> None:
    assert remember(policy="471108") == {"remember": {"policy": "471108"}}
    assert Context.of({"context": {"remembered": {"policy": "471108"}}}).remembered == {"policy": "471108"}
