"""Is what the recogniser wrote what the caller said? A Whisper model writes sentences for noise, too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# What the recogniser is given at least: a "yes" has about 250 ms of speech.
SHORTEST_SPEECH_MS = 140

LEAST_LOGPROB = -1.0
MOST_NO_SPEECH = 0.6
MOST_COMPRESSION = 2.4

# What Whisper models are known to write for noise and silence. People say these, too: they pass when the model
# is sure of them and there was speech enough for them.
_SUSPECTS = """
you|thank you|thanks|thank you very much|thank you so much|thanks for watching|thank you for watching|bye|bye bye|so
okay|oh|uh|um|mm|hmm|the|i|and|but|please subscribe|subscribe|silence|music|applause|foreign
"""
SUSPECTS = frozenset(_SUSPECTS.strip().replace("\n", "|").split("|"))
SURE_LOGPROB = -0.55
SURE_NO_SPEECH = 0.25
SURE_SPEECH_MS = 240

_ASIDE = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫]+")
_WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as faster-whisper gives it."""

    text: str
    no_speech: float
    """Probability that nobody spoke, 0 to 1."""
    logprob: float
    """Mean log probability of a token: 0 is certain, -1 is a guess."""
    compression: float
    """Length over compressed length: high where it repeats itself."""


def trusted(segments: Iterable[Segment], speech_ms: int) -> str:
    """The text of a turn with `speech_ms` of speech in it, without what is doubtful; empty: nothing was understood."""
    if speech_ms < SHORTEST_SPEECH_MS:
        return ""
    texts = [_ASIDE.sub(" ", segment.text) for segment in segments if _believed(segment, speech_ms)]
    text = " ".join(" ".join(texts).split())
    return text if _WORD.search(text.lower()) else ""


def _believed(segment: Segment, speech_ms: int) -> bool:
    if segment.logprob < LEAST_LOGPROB or segment.compression > MOST_COMPRESSION:
        return False
    sure = segment.logprob >= SURE_LOGPROB and segment.no_speech <= SURE_NO_SPEECH and speech_ms >= SURE_SPEECH_MS
    if " ".join(_WORD.findall(segment.text.lower())) in SUSPECTS:
        return sure
    return sure or segment.no_speech <= MOST_NO_SPEECH
