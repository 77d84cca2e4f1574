"""Numbers as callers say them: "four seven one one", "forty seven eleven", "double five", "47-11", "4,711"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ONES = {word: value for value, word in enumerate(DIGITS)} | {"oh": 0, "o": 0, "nought": 0, "nil": 0}
_FROM_TEN = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TEENS = {word: value for value, word in enumerate(_FROM_TEN, 10)}
_FROM_TWENTY = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TENS = {word: 10 * value for value, word in enumerate(_FROM_TWENTY, 2)} | {"fourty": 40}
TIMES = {"double": 2, "triple": 3, "treble": 3}

FILLERS = frozenset({"and", "um", "uh", "er", "erm", "then", "dash", "hyphen", "space", "minus", "comma"})
"""May stand between the digits of one number."""


@dataclass(frozen=True, slots=True)
class Run:
    """Digits said in one go: words `start` to `end` (exclusive)."""

    start: int
    end: int
    digits: str


def runs(words: Sequence[str]) -> list[Run]:
    """Every run of digits in normalised words, in order; fillers do not end a run."""
    found: list[Run] = []
    position, last_end = 0, -1
    while position < len(words):
        group = _group(words, position)
        if group is None:
            position += 1
            continue
        digits, end = group
        if found and all(word in FILLERS for word in words[last_end:position]):
            found[-1] = Run(found[-1].start, end, found[-1].digits + digits)
        else:
            found.append(Run(position, end, digits))
        position = last_end = end
    return found


def _group(words: Sequence[str], position: int) -> tuple[str, int] | None:
    """One number from here on: its digits, and the position behind it."""
    word = words[position]
    if word.isascii() and word.isdigit():
        return word, position + 1
    if word in TIMES and position + 1 < len(words):
        digit = _digit(words[position + 1])
        return (digit * TIMES[word], position + 2) if digit else None
    return _cardinal(words, position)


def _digit(word: str) -> str | None:
    if word in ONES:
        return str(ONES[word])
    return word if len(word) == 1 and word.isascii() and word.isdigit() else None


def _cardinal(words: Sequence[str], position: int) -> tuple[str, int] | None:
    first = _below_hundred(words, position)
    if first is None:
        return None
    value, end = first
    value, end = _scaled(words, value, end, "thousand", 1000)
    if value < 1000:
        value, end = _scaled(words, value, end, "hundred", 100)
    return str(value), end


def _scaled(words: Sequence[str], value: int, end: int, scale: str, factor: int) -> tuple[int, int]:
    """`value` times `factor` where the scale's word follows, and what is added after it."""
    if value == 0 or end >= len(words) or words[end] != scale:
        return value, end
    value, end = value * factor, end + 1
    rest = _below_hundred(words, end + 1 if end < len(words) and words[end] == "and" else end)
    # "Seven hundred zero" says 700 and then 0.
    if rest is None or rest[0] == 0:
        return value, end
    more, rest_end = rest
    if factor == 1000:
        more, rest_end = _scaled(words, more, rest_end, "hundred", 100)
    return value + more, rest_end


def _below_hundred(words: Sequence[str], position: int) -> tuple[int, int] | None:
    if position >= len(words):
        return None
    word = words[position]
    if word in ONES:
        return ONES[word], position + 1
    if word in TEENS:
        return TEENS[word], position + 1
    if word not in TENS:
        return None
    after = words[position + 1] if position + 1 < len(words) else ""
    if ONES.get(after, 0):
        return TENS[word] + ONES[after], position + 2
    return TENS[word], position + 1
