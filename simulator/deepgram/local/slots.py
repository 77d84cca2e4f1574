"""What the agent may need to know, and how it is found among words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.deepgram.local import digits
from simulator.deepgram.local.language import Phrase, words
from simulator.deepgram.local.template import Template

# Who says only these around a few digits is giving a part of a number, and not speaking of "two weeks".
AROUND_DIGITS = digits.FILLERS | frozenset(
    words(
        "it is the my order number no yes yeah okay ok so well sure first second last next digit digits"
        " that starts with of hi hello please are"
    )
)
NAME_ENDS = frozenset(words("i my and the calling from here am is a but so can could with speaking it not"))
_NUMBER_WORDS = frozenset({"hundred", "thousand", *digits.TIMES})


@dataclass(frozen=True, slots=True)
class DigitSlot:
    """A number by its digits, perhaps given in parts."""

    name: str
    fewest: int
    most: int
    not_after: tuple[Phrase, ...]
    ask: tuple[Template, ...]
    partial: Template | None
    otherwise: str | None = None

    def find(self, heard: Sequence[str]) -> str | None:
        """The last number of a fitting length, or all parts together where only the whole fits."""
        candidates = self._runs(heard)
        fitting = [run for run in candidates if self._fits(run)]
        if fitting:
            return fitting[-1]
        whole = "".join(candidates)
        return whole if self._fits(whole) else None

    def join(self, begun: str, heard: Sequence[str]) -> tuple[str | None, str]:
        """Take an answer to the question for it: the number where it is whole now, and what is begun otherwise."""
        if (whole := self.find(heard)) is not None:
            return whole, ""
        said = "".join(self._runs(heard))
        spoken_around = [word for word in heard if digits.runs([word]) == [] and word not in _NUMBER_WORDS]
        if not said or any(word not in AROUND_DIGITS for word in spoken_around):
            return None, begun
        together = begun + said
        if self._fits(together):
            return together, ""
        return None, together if len(together) < self.fewest else ""

    def _fits(self, number: str) -> bool:
        return self.fewest <= len(number) <= self.most

    def _runs(self, heard: Sequence[str]) -> list[str]:
        barred = {end for phrase in self.not_after for end in phrase.ends(heard)}
        return [run.digits for run in digits.runs(heard) if not barred & {run.start, run.start - 1}]


@dataclass(frozen=True, slots=True)
class ChoiceSlot:
    """One of a few values, each with the phrases that mean it; the one said last counts."""

    name: str
    values: Mapping[str, tuple[Phrase, ...]]
    ask: tuple[Template, ...]
    otherwise: str | None
    """Taken where the question for it brought nothing."""

    def find(self, heard: Sequence[str]) -> str | None:
        said = [
            (end, phrase.weight, value)
            for value, phrases in self.values.items()
            for phrase in phrases
            for end in phrase.ends(heard)
        ]
        return max(said)[2] if said else None


@dataclass(frozen=True, slots=True)
class WordsSlot:
    """The words after a phrase, such as a name."""

    name: str
    after: tuple[Phrase, ...]
    most: int
    ask: tuple[Template, ...] = ()
    otherwise: str | None = None

    def find(self, heard: Sequence[str]) -> str | None:
        for end in (end for phrase in self.after for end in phrase.ends(heard)):
            said: list[str] = []
            for word in heard[end : end + self.most]:
                if word in NAME_ENDS or word.isdigit():
                    break
                said.append(word)
            if said:
                return " ".join(said)
        return None


Slot = DigitSlot | ChoiceSlot | WordsSlot
