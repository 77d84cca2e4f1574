from __future__ import annotations

import pytest

from simulator.connect.events import CallerHungUp, Digits, StopPrompt
from tests.simulator.connect.small import Hand, block, say

Given = dict[str, object]


def menu() -> Hand:
    parameters = {"Text": "press", "StoreInput": "False", "InputTimeLimitSeconds": "5"}
    errors = {"InputTimeLimitExceeded": "late", "NoMatchingCondition": "other"}
    keys = block("m", "GetParticipantInput", parameters, "other", {"1": "one"}, errors)
    return Hand(keys, say("one"), say("other"), say("late"), logging=True).start()


def storing(keypad: dict[str, str] | None = None, length: str = "4") -> Hand:
    parameters: Given = {
        "Text": "number?",
        "StoreInput": "True",
        "InputTimeLimitSeconds": "5",
        "InputValidation": {"CustomValidation": {"MaximumLength": length}},
    }
    if keypad:
        parameters["DTMFConfiguration"] = keypad
    return Hand(block("s", "GetParticipantInput", parameters, "done"), say("done")).start()


def number(keys: str, **asked: str) -> Hand:
    validation = {"PhoneNumberValidation": asked or {"NumberFormat": "Local", "CountryCode": "DE"}}
    parameters = {"Text": "Which?", "StoreInput": "True", "InputTimeLimitSeconds": "5", "InputValidation": validation}
    asks = block("n", "GetParticipantInput", parameters, "done", errors={"InvalidPhoneNumber": "wrong"})
    hand = Hand(asks, say("done"), say("wrong")).start()
    hand.tell(Digits(keys))
    return hand


@pytest.mark.parametrize("keys", ["030123456#", "30123456#", "99*030123456#"])
def test_a_number_is_stored_so_that_it_can_be_called(keys: str) -> None:
    hand = number(keys)
    assert hand.path == ["n", "done"]
    assert hand.contact.state.stored_input == "+4930123456"


def test_a_number_is_complete_after_a_pause() -> None:
    hand = number("2025550123", NumberFormat="Local", CountryCode="US")
    assert hand.path == ["n"]
    hand.wait(5_000)
    assert hand.contact.state.stored_input == "+12025550123"


def test_an_international_number_begins_with_its_country() -> None:
    assert number("4930123456#", NumberFormat="E164").contact.state.stored_input == "+4930123456"
    assert number("030123456#", NumberFormat="E164").path == ["n", "wrong"]


@pytest.mark.parametrize("keys", ["55#", "0#", "00123456#"])
def test_what_is_no_number_takes_its_own_branch(keys: str) -> None:
    assert number(keys).path == ["n", "wrong"]


def test_no_key_is_a_timeout_and_no_wrong_number() -> None:
    hand = number("#")
    assert (hand.path, hand.contact.state.stored_input) == (["n", "done"], "Timeout")


def test_a_key_interrupts_the_prompt_and_takes_its_branch() -> None:
    hand = menu()
    playing = hand.plays()
    hand.tell(Digits("1"), after_ms=100)
    assert hand.of(StopPrompt)[0].prompt_id == playing
    assert hand.path == ["m", "one"]
    assert hand.logged[1]["Results"] == "1"


def test_a_key_without_branch_matches_nothing() -> None:
    hand = menu()
    hand.tell(Digits("79"))
    assert hand.path == ["m", "other"]


def test_the_time_to_the_first_key_counts_from_the_end_of_the_prompt() -> None:
    hand = menu()
    hand.plays()
    hand.wait(20_000)
    hand.ends()
    hand.wait(4_999)
    assert hand.path == ["m"]
    hand.wait(1)
    assert hand.path == ["m", "late"]


def test_a_prompt_that_fails_takes_the_error_branch() -> None:
    hand = menu()
    hand.ends(failed=True)
    assert hand.path == ["m", "failed"]


def test_keys_up_to_the_length_are_stored() -> None:
    hand = storing()
    hand.tell(Digits("12"))
    hand.tell(Digits("345"), after_ms=1_000)
    assert hand.state.stored_input == "1234"
    assert hand.path == ["s", "done"]


def test_the_termination_sequence_ends_the_input_and_is_not_part_of_it() -> None:
    hand = storing()
    hand.tell(Digits("12#"))
    assert hand.state.stored_input == "12"
    longer = storing({"InputTerminationSequence": "**", "DisableCancelKey": "True"}, length="9")
    longer.tell(Digits("1*2**"))
    assert longer.state.stored_input == "1*2"


def test_a_pause_ends_the_input() -> None:
    hand = storing({"InterdigitTimeLimitSeconds": "2"})
    hand.tell(Digits("12"))
    hand.wait(2_000)
    assert hand.state.stored_input == "12"


def test_the_cancel_key_begins_anew() -> None:
    hand = storing()
    hand.tell(Digits("98*12#"))
    assert hand.state.stored_input == "12"


def test_no_key_at_all_is_stored_as_timeout_and_is_no_error() -> None:
    hand = storing()
    hand.plays()
    hand.ends()
    hand.wait(5_000)
    assert hand.state.stored_input == "Timeout"
    assert hand.path == ["s", "done"]


def test_keys_outside_of_an_input_are_lost() -> None:
    hand = Hand(say("a")).start()
    hand.tell(Digits("1"))
    assert hand.path == ["a"]


def test_an_input_ends_with_the_contact() -> None:
    hand = storing()
    playing = hand.plays()
    hand.tell(CallerHungUp())
    assert hand.last(StopPrompt).prompt_id == playing
