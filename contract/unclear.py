"""Appends of which nobody knows whether they were made: the answer of the table got lost, after all retries.

botocore repeats a write under its own token, which makes that harmless, and gives up after a few. Whoever is told
StoreUnavailable appends the action again, under another token: the line that is there already has to be found then, or
a clip is heard twice, and of two transfers one is never taken. A core without I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract.actions import Action, Collect, Numbered
from contract.call import Head, Lease

MOST = 1000  # of one process, the newest: who means the same action asks again within a second or so


@dataclass(frozen=True, slots=True)
class _Unclear:
    lease: Lease
    action: Action
    seq: int  # it would have got; nothing of it is before that


class Unclear:
    """What one process has appended without an answer. An action is known by what it says."""

    def __init__(self) -> None:
        self._noted: list[_Unclear] = []

    def note(self, lease: Lease, action: Action, seq: int) -> None:
        """It may be in the log now as `seq`, or as a later one where it was noted before."""
        if not self.since(lease, action):
            self._noted.append(_Unclear(lease, _meant(action), seq))
            del self._noted[:-MOST]

    def since(self, lease: Lease, action: Action) -> int:
        """The first sequence that may be this action; 0: it was never appended without an answer."""
        meant = _meant(action)
        return next((each.seq for each in self._noted if (each.lease, each.action) == (lease, meant)), 0)

    def settled(self, lease: Lease, action: Action) -> None:
        """It is in the log: the same action again is another one."""
        meant = _meant(action)
        self._noted = [each for each in self._noted if (each.lease, each.action) != (lease, meant)]


def landed(head: Head, action: Action, log: Iterable[Numbered]) -> int:
    """The sequence of this action among the lines since it was appended; 0 where it is not, or was withdrawn."""
    meant = _meant(action)
    found = (line.seq for line in log if line.seq > head.cancelled_up_to and _meant(line.action) == meant)
    return next(found, 0)


def _meant(action: Action) -> Action:
    """Without the code that each attempt at a secret question has of its own: any of them is good."""
    return replace(action, once="") if isinstance(action, Collect) else action
