"""The opening hours: arguments `{"day": "monday"}`, or none for the whole week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORKDAY = ("09:00", "18:00")
HOURS: dict[str, tuple[str, str] | None] = {
    "monday": _WORKDAY,
    "tuesday": _WORKDAY,
    "wednesday": _WORKDAY,
    "thursday": _WORKDAY,
    "friday": _WORKDAY,
    "saturday": ("10:00", "16:00"),
    "sunday": None,
}


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """The hours of one day, or of all of them; `{"error": ...}` for a day that there is not."""
    day = str((event.get("arguments") or {}).get("day") or "").strip().lower()
    if not day:
        return {"week": {name: _one(name) for name in HOURS}, "sentence": _WEEK}
    if day not in HOURS:
        return {"error": "A day is one of " + ", ".join(HOURS) + "."}
    return _one(day)


def _one(day: str) -> dict[str, object]:
    hours = HOURS[day]
    if hours is None:
        return {"day": day, "open": False, "sentence": f"We are closed on {day.title()}."}
    opens, closes = hours
    sentence = f"On {day.title()} we are open from {_spoken(opens)} to {_spoken(closes)}."
    return {"day": day, "open": True, "opens": opens, "closes": closes, "sentence": sentence}


def _spoken(time: str) -> str:
    """A full hour as one says it: `6 in the evening`."""
    hour = int(time.split(":")[0])
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    return f"{hour if hour <= 12 else hour - 12} {part}"


_WEEK = "We are open from 9 to 6 on weekdays, from 10 to 4 on Saturday, and closed on Sunday."
