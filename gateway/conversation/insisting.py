"""Sentences that must be said, whoever speaks at the moment: what is refused, or lost with its session, is said again.

An injection is refused while the caller speaks, and nobody tells which one was meant (Deepgram docs, InjectionRefused):
the oldest of which nothing was spoken. What is spoken comes back as one text or several, by sentence or chunk, and ends
in AgentAudioDone. No I/O.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class _Sent:
    """`left` is what of it has not been spoken."""

    left: str
    begun: bool = False


class Insisting:
    def __init__(self) -> None:
        self._sent: list[_Sent] = []  # and not known as spoken
        self._again: list[str] = []
        self._refusals = Counter[str]()  # since the last injection, by what told of them

    def injected(self) -> None:
        """An injection was sent, perhaps one that nobody insists on."""
        self._refusals.clear()

    def sent(self, sentence: str) -> None:
        """It was sent as an injection."""
        self._sent.append(_Sent(sentence))

    def spoken(self, text: str) -> None:
        """The agent says `text`, perhaps a part of a sentence."""
        for each in self._sent:
            left = _behind(text, each.left)
            if left is not None:
                each.left, each.begun = left, True
                break
        self._sent = [each for each in self._sent if each.left]

    def audio_done(self) -> None:
        """What was begun is over, also where its text does not come back as it was sent."""
        self._sent = [each for each in self._sent if not each.begun]

    def refused(self, told_by: str) -> None:
        """An injection was not spoken; perhaps one that nobody insists on. Where each refusal is told of both by a
        message and by a warning, it counts once: whether that is so is not documented."""
        known = max(self._refusals.values(), default=0)
        self._refusals[told_by] += 1
        unspoken = next((each for each in self._sent if not each.begun), None)
        if self._refusals[told_by] > known and unspoken is not None:
            self._sent.remove(unspoken)
            self._again.append(unspoken.left)

    def lost(self) -> None:
        """The session is over, and with it what it had yet to say."""
        self._again += [each.left for each in self._sent]
        self._sent.clear()
        self._refusals.clear()

    def again(self) -> list[str]:
        """Now it can be said: what is to be, in its order."""
        again, self._again = self._again, []
        return again


def _behind(text: str, sentence: str) -> str | None:
    """What `sentence` has behind `text`, whatever white space either has; None where it does not begin with it."""
    characters = "".join(text.split())
    begun = re.match(r"\s*" + r"\s*".join(map(re.escape, characters)), sentence) if characters else None
    return None if begun is None else sentence[begun.end() :].strip()
