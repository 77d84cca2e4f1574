"""Functions that the agent waits for: each is answered exactly once, or was cancelled."""

from __future__ import annotations

from dataclasses import dataclass, field

from definition.model import MAX_CALLS_PER_TURN

MOST_SEEN = 256  # ids of one session by which a request that is repeated is known; a repeat follows at once
FILLER_MS = 2000  # a caller who hears nothing for so long thinks that the line is dead


@dataclass(slots=True)
class Pending:
    """A function that runs. `renewed`: the session that asked is over, or has cancelled it: it knows no such call."""

    name: str
    since_ms: int
    filler: str
    renewed: bool = False


@dataclass(slots=True)
class PendingFunctions:
    calls_a_turn: int = MAX_CALLS_PER_TURN
    _open: dict[str, Pending] = field(default_factory=dict)
    _seen: dict[str, None] = field(default_factory=dict)  # in the order of asking
    _this_turn: int = 0

    def new_turn(self) -> None:
        self._this_turn = 0

    def begin(self, call_id: str) -> bool:
        """Count a request; False when this id was seen before."""
        if call_id in self._seen:
            return False
        self._seen[call_id] = None
        if len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        self._this_turn += 1
        return True

    @property
    def too_many(self) -> bool:
        return self._this_turn > self.calls_a_turn

    def wait_for(self, call_id: str, name: str, filler: str, now_ms: int, *, renewed: bool = False) -> None:
        self._open[call_id] = Pending(name, now_ms, filler, renewed)

    def finish(self, call_id: str) -> Pending | None:
        """The function whose answer came, if it is still wanted."""
        return self._open.pop(call_id, None)

    def cancel(self, call_id: str) -> bool:
        return self._open.pop(call_id, None) is not None

    def session_renewed(self) -> None:
        """What runs was asked for by a session that is over; ids of the new one may repeat those of old ones."""
        for pending in self._open.values():
            pending.renewed = True
        self._seen = dict.fromkeys(self._open)

    @property
    def any(self) -> bool:
        return bool(self._open)

    def next_due_ms(self) -> int | None:
        dues = [pending.since_ms + FILLER_MS for pending in self._open.values() if pending.filler]
        return min(dues, default=None)

    def due_fillers(self, now_ms: int) -> list[str]:
        """Sentences to say while slow functions run, each once."""
        sentences = []
        for pending in self._open.values():
            if pending.filler and now_ms >= pending.since_ms + FILLER_MS:
                sentences.append(pending.filler)
                pending.filler = ""
        return sentences
