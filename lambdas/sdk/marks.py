"""Marks of a parameter: `Annotated[int, Between(1, 20), Unit("days")]`. The gateway reads them out of the source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts; the model reads it."""

    name: str


@dataclass(frozen=True, slots=True)
class Between:
    """A number of the range, ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Length:
    """So many characters of a text, or entries of a list."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression of JSON Schema (ECMA 262) that the whole text has to match where it is anchored."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Private:
    """The value never reaches the record of the call: the ledger keeps that it was given, not what it was."""
