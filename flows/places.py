"""Identifiers that one part of a flow leads to and another part holds; an administrator reads them in the designer.

`BACK` is where the interruptible flow decides which of its two loops asks the voice agent again.
"""

from __future__ import annotations

START_CALL = "Start the call"
CLIP_OPENING = "Play the opening"
BACK = "Back to the voice agent"
POLL = "Ask in turn"
SWITCH_TO_POLLING = "From now on ask in turn"
ASK_PLAYING = "Ask while playing"
ASK_SILENT = "Ask while silent"

ANSWERED = "What to do next"
ANSWERED_IN_TURN = "What to do in turn"
SAY = "Take the sentence"
COLLECT = "Remember the question"
TRANSFER = "Is the transfer numbered"
END = "Let the last word ring out"
COMPLETED = "Mark as completed"
FAILED = "Mark as failed"

HANDOVER = "Hand over the essentials"
APOLOGIZE = "Something went wrong"
DEFAULT_QUEUE = "Set the default queue"
HANG_UP = "Hang up"
