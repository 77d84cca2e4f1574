"""When the shop is open."""

from __future__ import annotations

from typing import Literal

from lambdas.sdk import function, serve

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


Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@function(timeout_s=5, idempotent=True)
def get_opening_hours(day: Day | None = None) -> dict[str, object]:
    """The opening hours of the shop, for one day or for the whole week.

    Args:
        day: Leave it out for the whole week.
    """
    if day is None:
        return {"week": {name: _one(name) for name in HOURS}, "sentence": _WEEK}
    return _one(day)


handler = serve(get_opening_hours)


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
