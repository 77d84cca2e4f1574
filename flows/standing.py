"""What is true of the queue, said before the transfer: how many wait, and how long the first of them has waited.

In bands, because the numbers are five to ten seconds old and change while they are said. Where somebody is free
nothing is said, since the caller is about to talk to them; where Connect does not know, a neutral sentence.
"""

from __future__ import annotations

from flows.actions import MessageParticipant
from flows.language import Flow
from flows.routing import CheckQueue, CheckStaffing
from flows.spoken import said

# At most so many callers, and at most so many seconds, for each sentence but the last.
FEW, SEVERAL = 3, 10
SHORT_S, MEDIUM_S, LONG_S = 60, 300, 900

FREE = "Is anybody free"
_WAITING = "How many wait"
_OLDEST = "How long has the first one waited"
_UNKNOWN = "Nobody knows how many wait"


def add_standing(flow: Flow, then: str) -> None:
    """Add the blocks from `FREE` to `then`; the queue was set before. None of them can keep the caller."""
    flow.add(FREE, CheckStaffing(then, _WAITING, failed=_UNKNOWN, metric="NumberOfAgentsAvailable"))
    waiting = {
        "0": ("Nobody waits", "waiting_nobody", then),
        str(FEW): ("A few wait", "waiting_few", _OLDEST),
        str(SEVERAL): ("Several wait", "waiting_several", _OLDEST),
        "": ("Many wait", "waiting_many", _OLDEST),
    }
    _bands(flow, _WAITING, "NumberOfContactsInQueue", waiting, failed=_UNKNOWN)
    oldest = {
        str(SHORT_S): ("A short wait", "oldest_short", then),
        str(MEDIUM_S): ("A medium wait", "oldest_medium", then),
        str(LONG_S): ("A long wait", "oldest_long", then),
        "": ("A very long wait", "oldest_very_long", then),
    }
    _bands(flow, _OLDEST, "OldestContactInQueueAgeSeconds", oldest, failed=then)
    flow.add(_UNKNOWN, MessageParticipant(said("waiting_unknown"), then=then, failed=then))


def _bands(flow: Flow, place: str, metric: str, bands: dict[str, tuple[str, str, str]], failed: str) -> None:
    """A switch by the upper end of each band, "" for the one without; and the name of what is said in each."""
    limits = tuple((limit, name) for limit, (name, _, _) in bands.items() if limit)
    flow.add(place, CheckQueue(metric, limits, more=bands[""][0], failed=failed))
    for name, sentence, then in bands.values():
        flow.add(name, MessageParticipant(said(sentence), then=then, failed=then))
