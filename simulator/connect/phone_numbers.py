"""Phone numbers as callers type them (ITU-T E.123, E.164: calling codes, trunk prefixes, digits of a number)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """`trunk` is dialled before a national number, and belongs to none."""

    code: str
    trunk: str
    shortest: int
    longest: int


COUNTRIES = {
    "AU": Country("61", "0", 9, 9),
    "CA": Country("1", "1", 10, 10),
    "DE": Country("49", "0", 6, 11),
    "ES": Country("34", "", 9, 9),
    "FR": Country("33", "0", 9, 9),
    "GB": Country("44", "0", 9, 10),
    "US": Country("1", "1", 10, 10),
}


def dialled(keys: str, country: str) -> str | None:
    """What was typed, as E.164; None where it is no number.

    Of a country (ISO 3166) as one dials there, with its trunk prefix or without; else with the calling code in front.
    """
    if not country:
        return f"+{keys}" if 8 <= len(keys) <= 15 and keys[0] in "123456789" else None
    of = COUNTRIES[country]
    national = keys.removeprefix(of.trunk)
    fits = of.shortest <= len(national) <= of.longest and national[0] in "123456789"
    return f"+{of.code}{national}" if fits else None
