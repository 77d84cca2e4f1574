"""Card and social numbers are taken out of what is kept and handed over. They are never needed there.

A card number is known by its issuer's first digits, its length and its check digit (ISO/IEC 7812: Luhn), a social
number of the United States by its grouping. Both are found as digits and, in English, as spoken digit by digit. A
number that is spread over several turns is not found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from contract.text import read_json

CARD = "(card number)"
SOCIAL = "(social security number)"

_DIGITS = {
    word: digit
    for digit, words in enumerate(
        ("zero oh o", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    )
    for word in words.split()
}
_SPOKEN_DIGIT = "|".join(sorted(_DIGITS, key=len, reverse=True))
_SPOKEN = re.compile(rf"\b(?:{_SPOKEN_DIGIT})(?:[\s,.-]+(?:{_SPOKEN_DIGIT})\b){{8,18}}", re.IGNORECASE)
_LONG = re.compile(r"(?<![\d+])\d(?:[ .,-]{0,2}\d){12,18}(?!\d)")
_GROUPED = re.compile(r"(?<!\d)(?!000|666|9)\d{3}([- ])\d{2}\1\d{4}(?!\d)")
_ISSUERS = re.compile(r"4(?:\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}|6\d{15,18}")
_SOCIAL_DIGITS = 9


def redacted(text: str) -> str:
    """The text without such numbers; most texts come back as they are."""
    if not any(character.isdigit() for character in text) and not _SPOKEN.search(text):
        return text
    text = _LONG.sub(lambda match: CARD if _is_card(_only_digits(match[0])) else match[0], text)
    text = _GROUPED.sub(SOCIAL, text)
    return _SPOKEN.sub(lambda match: _spoken(match[0]), text)


def redacted_values(value: object) -> object:
    """A value of JSON, its texts and numbers redacted; names stay as they are."""
    match value:
        case str():
            return redacted(value)
        case bool():
            return value
        case int():
            kept = redacted(str(value))
            return value if kept == str(value) else kept
        case Mapping():
            return {name: redacted_values(inner) for name, inner in value.items()}
        case list():
            return [redacted_values(inner) for inner in value]
        case _:
            return value


def redacted_json(text: str) -> str:
    """JSON text with its values redacted; most texts come back as they are, what is no JSON as a redacted text."""
    try:
        value = read_json(text)
    except ValueError:
        return redacted(text)
    kept = redacted_values(value)
    return text if kept == value else json.dumps(kept, ensure_ascii=False)


def _only_digits(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isdigit())


def _spoken(text: str) -> str:
    digits = "".join(str(_DIGITS[word.lower()]) for word in re.findall(r"[A-Za-z]+", text))
    if len(digits) == _SOCIAL_DIGITS:
        return SOCIAL
    return CARD if _is_card(digits) else text


def _is_card(digits: str) -> bool:
    return bool(_ISSUERS.fullmatch(digits)) and _luhn(digits)


def _luhn(digits: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
