"""Appointments of a clinic, in two languages."""

from __future__ import annotations

from typing import Annotated, Literal

from lambdas.sdk import Context, Length, Private, Refused, change, function, serve

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
Language = Literal["en", "es"]
TIMES: dict[str, tuple[str, ...]] = {
    "monday": ("09:00", "11:30"),
    "tuesday": ("10:00",),
    "wednesday": (),
    "thursday": ("14:00", "15:30"),
    "friday": ("09:30",),
}
SPANISH = {"monday": "lunes", "tuesday": "martes", "wednesday": "miércoles", "thursday": "jueves", "friday": "viernes"}


@function(timeout_s=4, idempotent=True)
def find_times(day: Weekday, context: Context) -> dict[str, object]:
    """The free times of a day.

    Args:
        day: The day of the coming week.
    """
    free = TIMES[day]
    return {"day": day, "free": len(free) > 0, "first": free[0] if free else "none", "times": list(free)}


@function(
    timeout_s=6,
    while_running="One moment, I am booking that.",
    on_failure="I could not book that. A colleague will call you back.",
)
def book_appointment(
    day: Weekday, name: Annotated[str, Length(2, 80), Private()], context: Context
) -> dict[str, object]:
    """Book the first free time of a day. Ask for the name first.

    Args:
        day: The day of the coming week.
        name: First and last name of the patient.
    """
    if not TIMES[day]:
        raise Refused("There is no free time on that day. Offer another one.")
    return {"booked": True, "day": day, "dia": SPANISH[day], "time": TIMES[day][0]}


@function(timeout_s=2, idempotent=True)
def speak_language(language: Language) -> dict[str, object]:
    """Go on in another language, when the caller speaks it or asks for it.

    Args:
        language: The language to go on in.
    """
    return {"language": language, **change(language=language)}


handler = serve(find_times, book_appointment, speak_language)
