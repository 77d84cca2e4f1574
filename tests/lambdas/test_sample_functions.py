"""The functions of the insurance desk and of the clinic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.functions.appointments.handler import handler as clinic
from lambdas.functions.policies.handler import handler as insurance

ANNA = {"contact_id": "c-1", "caller_number": "+4915112345678"}


def ask(handler: Any, name: str, context: Mapping[str, object] = ANNA, /, **arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = handler({"function": name, "arguments": arguments, "context": context}, None)
    return answer


@pytest.mark.parametrize(
    ("number", "known", "customer"), [("+4915112345678", "Anna", "471108"), ("+1", None, None), ("", None, None)]
)
def test_a_caller_is_recognised_by_their_number(number: str, known: str | None, customer: str | None) -> None:
    answer = ask(insurance, "recognise_caller", {"contact_id": "c", "caller_number": number})
    assert (answer.get("first_name"), answer.get("handover", {}).get("customer_id")) == (known, customer)
    assert "verified" not in answer.get("handover", {})


def test_only_a_verified_caller_hears_of_a_claim_and_only_in_their_own_call() -> None:
    assert "not verified" in ask(insurance, "get_claim_status")["error"]
    verified = ask(insurance, "verify_caller", policy_number="471108", birth_year="1980")
    assert verified["verified"] is True
    assert "Anna Berg" in verified["voice_agent"]["instructions"]
    assert verified["handover"] == {"customer_id": "471108", "verified": True, "note": "policy 471108"}
    known = {**ANNA, "remembered": verified["remember"]}
    assert ask(insurance, "get_claim_status", known)["status"] == "in_review"
    assert ask(insurance, "cancel_policy", known)["cancelled"] is True
    assert "not verified" in ask(insurance, "get_claim_status")["error"], "nothing is kept in the process"


def test_a_pin_verifies_who_calls_from_the_number_it_belongs_to() -> None:
    assert ask(insurance, "verify_pin", pin="7391")["remember"] == {"verified_policy": "471108"}
    assert ask(insurance, "verify_pin", pin="2846")["verified"] is False
    assert ask(insurance, "verify_pin", {"caller_number": ""}, pin="7391")["verified"] is False


@pytest.mark.parametrize(("policy", "year"), [("471108", "1981"), ("999999", "1980")])
def test_what_does_not_match_does_not_say_why(policy: str, year: str) -> None:
    answer = ask(insurance, "verify_caller", policy_number=policy, birth_year=year)
    assert answer.pop("handover")["verified"] is False  # which the model does not get
    assert answer == {"verified": False, "sentence": "That does not match what we have."}


def test_the_free_times_of_a_day() -> None:
    assert ask(clinic, "find_times", day="monday")["first"] == "09:00"
    assert ask(clinic, "find_times", day="wednesday") == {
        "day": "wednesday",
        "free": False,
        "first": "none",
        "times": [],
    }


def test_an_appointment_is_booked_where_a_time_is_free() -> None:
    assert ask(clinic, "book_appointment", day="friday", name="Jo Day")["dia"] == "viernes"
    assert "no free time" in ask(clinic, "book_appointment", day="wednesday", name="Jo Day")["error"]


def test_a_language_is_changed_by_the_answer() -> None:
    assert ask(clinic, "speak_language", language="es")["voice_agent"] == {"language": "es"}
