"""What one turn of the caller means to a rule book, apart from where the conversation stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.deepgram.local.language import best, words
from simulator.deepgram.local.rulebook import Intent, Rulebook


@dataclass(frozen=True, slots=True)
class Understood:
    words: Sequence[str]
    intent: Intent | None
    """What the caller plainly wants."""
    weight: int
    """The number of words that said so."""
    weak: Intent | None
    """What the caller may want where nothing else fits, such as a greeting."""
    slots: Mapping[str, str]
    """What was said by name of the slot."""
    yes: bool
    no: bool


def understand(book: Rulebook, text: str) -> Understood:
    heard = words(text)
    found = {name: slot.find(heard) for name, slot in book.slots.items()}
    yes, no = best(book.yes, heard), best(book.no, heard)
    intent, weight = _likeliest([intent for intent in book.intents.values() if not intent.weak], heard)
    weak, _ = _likeliest([intent for intent in book.intents.values() if intent.weak], heard)
    return Understood(
        words=heard,
        intent=intent,
        weight=weight,
        weak=weak,
        slots={name: value for name, value in found.items() if value is not None},
        # "Yes, no problem" agrees by its first word; the heavier phrase counts, a tie goes to no.
        yes=yes > no,
        no=no > 0 and no >= yes,
    )


def _likeliest(intents: Sequence[Intent], heard: Sequence[str]) -> tuple[Intent | None, int]:
    weights = [best(intent.phrases, heard) for intent in intents]
    heaviest = max(weights, default=0)
    return (intents[weights.index(heaviest)] if heaviest else None), heaviest
