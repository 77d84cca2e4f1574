"""A question that is answered with keys: when it ends, and what is kept from the agent meanwhile."""

from __future__ import annotations

from dataclasses import replace

from gateway.legs.leg import Question
from gateway.legs.sip.keypad import FIRST_KEY_MS, NEXT_KEY_MS, TAIL_MS, Keypad

ORDER = Question("order", "Type it.", 4, agent="shop")


def asked(question: Question = ORDER) -> Keypad:
    keypad = Keypad()
    keypad.begin(question, 0)
    return keypad


def typed(keypad: Keypad, keys: str, at_ms: int = 100) -> list[str]:
    return [told for key in keys if (told := keypad.key(key, at_ms)) is not None]


def test_the_last_digit_ends_it() -> None:
    keypad = asked()
    assert typed(keypad, "4711") == ["4711"]
    assert not keypad.open
    assert keypad.due(10**9) is None


def test_the_hash_key_ends_it_and_is_none_of_the_digits() -> None:
    assert typed(asked(), "47#") == ["47"]
    assert typed(asked(), "#") == [""]
    assert typed(asked(), "4*A#") == ["4*A"]


def test_the_first_key_has_ten_seconds_from_the_end_of_the_prompt() -> None:
    keypad = asked()
    keypad.prompting(3000)
    assert keypad.due(3000 + FIRST_KEY_MS - 1) is None
    assert keypad.due(3000 + FIRST_KEY_MS) == ""


def test_each_next_key_has_five_seconds_whatever_plays() -> None:
    keypad = asked()
    typed(keypad, "4", 1000)
    assert keypad.begun
    keypad.prompting(2000)
    typed(keypad, "7", 5000)
    assert keypad.due(5000 + NEXT_KEY_MS - 1) is None
    assert keypad.due(5000 + NEXT_KEY_MS) == "47"


def test_the_agent_is_deaf_while_a_secret_is_typed_and_a_moment_longer() -> None:
    keypad = asked(replace(ORDER, secret=True))
    assert keypad.deaf(50)
    typed(keypad, "4711", 1000)
    assert keypad.deaf(1000 + TAIL_MS - 1)
    assert not keypad.deaf(1000 + TAIL_MS)
    assert not asked().deaf(50)
    assert not Keypad().deaf(0)


def test_what_is_taken_back_is_forgotten() -> None:
    keypad = asked()
    typed(keypad, "47")
    keypad.close()
    assert (keypad.open, keypad.begun, keypad.due(10**9)) == (False, False, None)


def test_no_digit_stands_in_what_is_printed() -> None:
    keypad = asked()
    typed(keypad, "47")
    assert "47" not in repr(keypad)
