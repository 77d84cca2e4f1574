"""Sentences with gaps: `{name}`, `{name:format}`, `{name|otherwise}`, `{name:format|otherwise}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from simulator.deepgram.local.digits import DIGITS

_GAP = re.compile(r"\{([a-z0-9_.]+)(?::([a-z]+))?(?:\|([^{}]*))?\}")
_BRACE = re.compile(r"[{}]")
_MINUTES = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def spoken_digits(value: str) -> str:
    """`4711` as "four seven one one", the way an order number is read out."""
    return " ".join(DIGITS[int(one)] if one.isascii() and one.isdigit() else one for one in value)


def spoken_date(value: str) -> str:
    """An ISO date as "Friday, November 28"; what is no date stays as it is."""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return value
    return f"{DAYS[day.weekday()]}, {MONTHS[day.month - 1]} {day.day}"


def spoken_time(value: str) -> str:
    """`09:30` as "9:30 am", `18:00` as "6 pm"; what is no time of day stays as it is."""
    match = _MINUTES.fullmatch(value)
    if not match:
        return value
    hour, minute = int(match[1]), match[2]
    clock = str((hour + 11) % 12 + 1) + ("" if minute == "00" else f":{minute}")
    return f"{clock} {'am' if hour % 24 < 12 else 'pm'}"


def spoken_words(value: str) -> str:
    """`in_transit` as "in transit"."""
    return value.replace("_", " ")


FORMATS: dict[str, Callable[[str], str]] = {
    "digits": spoken_digits,
    "date": spoken_date,
    "time": spoken_time,
    "words": spoken_words,
    "title": str.title,
}


@dataclass(frozen=True, slots=True)
class Template:
    text: str

    @classmethod
    def of(cls, text: str) -> Template:
        """Check a sentence.

        Raises:
            ValueError: an unknown format, or a brace that belongs to no gap.
        """
        for gap in _GAP.finditer(text):
            if gap[2] and gap[2] not in FORMATS:
                raise ValueError(f"unknown format {gap[2]!r} in {gap[0]}; there are {', '.join(FORMATS)}")
        if _BRACE.search(_GAP.sub("", text)):
            raise ValueError(f"a brace that belongs to no gap such as {{name:format|otherwise}} in {text!r}")
        return cls(text)

    @property
    def needs(self) -> frozenset[str]:
        """The names without which it cannot be said."""
        return frozenset(gap[1] for gap in _GAP.finditer(self.text) if gap[3] is None)

    def fits(self, known: Mapping[str, str]) -> bool:
        return all(known.get(name) for name in self.needs)

    def fill(self, known: Mapping[str, str]) -> str:
        """The sentence; a gap without value and without `otherwise` becomes nothing."""
        return " ".join(_GAP.sub(lambda gap: _value(gap, known), self.text).split())


def _value(gap: re.Match[str], known: Mapping[str, str]) -> str:
    value = known.get(gap[1])
    if not value:
        return gap[3] or ""
    return FORMATS[gap[2]](value) if gap[2] else value
