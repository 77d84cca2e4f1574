"""Sentences that must be said, whoever speaks at the moment: what Deepgram refuses is said again. No I/O.

An injection is refused while the caller speaks, and nobody tells which one was meant (Deepgram docs,
InjectionRefused): the oldest that is not known as spoken.
"""

from __future__ import annotations


class Insisting:
    def __init__(self) -> None:
        self._sent: list[str] = []  # and not known as spoken
        self._refused: list[str] = []

    def sent(self, sentence: str) -> None:
        """It was sent as an injection."""
        self._sent.append(sentence)

    def spoken(self, text: str) -> None:
        """The agent says `text`."""
        if text in self._sent:
            self._sent.remove(text)

    def refused(self) -> None:
        """An injection was not spoken; perhaps one that nobody insists on."""
        if self._sent:
            self._refused.append(self._sent.pop(0))

    def again(self) -> list[str]:
        """The caller has finished: what is to be said now, in its order."""
        again, self._refused = self._refused, []
        return again
