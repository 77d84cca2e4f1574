"""How often a limit was reached: everything that could grow without end has one, and each is a metric of its own.

A tally of the process, like a metrics library's: a limit that is reached deep within one call is news for those who run
the gateway, not for the call. Nothing is written while no limit is reached. The numbers and what happens at each stand
in docs/limits.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Bound(StrEnum):
    """Metric names, in CloudWatch's spelling."""

    LEG_EVENTS = "LimitLegEvents"
    SESSION_EVENTS = "LimitSessionEvents"
    SESSION_MESSAGES = "LimitSessionMessages"
    SESSION_AUDIO = "LimitSessionAudio"
    SESSION_FRAME = "LimitSessionFrame"
    OPEN_FUNCTIONS = "LimitOpenFunctions"
    FUNCTIONS_A_TURN = "LimitFunctionsATurn"
    FUNCTIONS_A_CALL = "LimitFunctionsACall"
    FUNCTION_RESULT = "LimitFunctionResult"
    AGENT_SPEECH = "LimitAgentSpeech"
    KEPT_SPEECH = "LimitKeptSpeech"
    TURNS = "LimitTurns"
    TURN_TEXT = "LimitTurnText"
    CONTEXT = "LimitContext"
    HELD_AUDIO = "LimitHeldAudio"
    HELD_FRAGMENT = "LimitHeldFragment"
    FRAGMENT_BLOCKS = "LimitFragmentBlocks"
    MATROSKA = "LimitMatroska"
    MEDIA_CHUNKS = "LimitMediaChunks"
    STALE_AUDIO = "LimitStaleAudio"
    SAYINGS = "LimitSayings"
    OPENING = "LimitOpening"
    RECORDING = "LimitRecording"
    TAPE = "LimitTape"


_tally: Final[Counter[str]] = Counter()


def reached(bound: Bound, times: int = 1) -> None:
    """Count that something was held back, dropped, cut or refused at a limit."""
    _tally[bound.value] += times


def take() -> Mapping[str, int]:
    """What was reached since the last time, by metric name."""
    taken = dict(_tally)
    _tally.clear()
    return taken
