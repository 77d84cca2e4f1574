"""The little English that a rule file needs: words, and phrases to find among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

GAP = ".."
MOST_SKIPPED = 3

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_EXCLAIMED = re.compile(r"(?:^|(?<=[.!?]))\s*oh,")
"""Not the digit."""
_WORD = re.compile(r"[a-z]+|\d+")
_CONTRACTIONS = (
    (re.compile(r"\b(can)'?t\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"\b(where|what|that|it|who|how|there|here|when|he|she)'s\b"), r"\1 is"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"'s\b"), ""),
)


def words(text: str) -> list[str]:
    """Lower case, contractions written out, without punctuation; letters and digits apart."""
    plain = _EXCLAIMED.sub(" ", _THOUSANDS.sub("", text.lower().replace("’", "'")))
    for pattern, written_out in _CONTRACTIONS:
        plain = pattern.sub(written_out, plain)
    return _WORD.findall(plain)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row. `deliver*` stands for every word that begins so, `..` for up to three words of any kind."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Phrase:
        """Read `where .. order` or `deliver*`; contractions are written out as in what is heard.

        Raises:
            ValueError: no words, or a gap at an end.
        """
        parts: list[str] = []
        for token in text.split():
            if token == GAP:
                parts.append(GAP)
                continue
            parts += words(token)
            if token.endswith("*"):
                parts[-1] += "*"
        if not parts or GAP in (parts[0], parts[-1]):
            raise ValueError(f"a phrase begins and ends with a word, unlike {text!r}")
        return cls(tuple(parts))

    @property
    def weight(self) -> int:
        """The number of words that must be there: the longer phrase says more."""
        return sum(part != GAP for part in self.parts)

    def ends(self, heard: Sequence[str]) -> list[int]:
        """The positions behind each place where it stands."""
        found = (self._match(heard, start, 0) for start in range(len(heard)))
        return [end for end in found if end is not None]

    def _match(self, heard: Sequence[str], position: int, part: int) -> int | None:
        if part == len(self.parts):
            return position
        if self.parts[part] == GAP:
            tries = (self._match(heard, position + skipped, part + 1) for skipped in range(MOST_SKIPPED + 1))
            return next((end for end in tries if end is not None), None)
        if position < len(heard) and _same(heard[position], self.parts[part]):
            return self._match(heard, position + 1, part + 1)
        return None


def _same(word: str, part: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith("*") else word == part


def best(phrases: Sequence[Phrase], heard: Sequence[str]) -> int:
    """The weight of the heaviest phrase that is there; 0 where none is."""
    return max((phrase.weight for phrase in phrases if phrase.ends(heard)), default=0)
