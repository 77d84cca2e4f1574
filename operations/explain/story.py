"""A call's story out of its records: what is there, in order; what is not there is said to be gone.

No I/O. Every line stems from a record; nothing is concluded from what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import assert_never

from contract.actions import Collect, End, Numbered, Outcome, Play, Say, Transfer
from contract.call import Call, CallState, Head
from contract.turns import FunctionEntry, HeardSource, Role, Turn
from operations.explain.reasons import RESULTS, sentence

HIDDEN = "…"
_HEARD = {
    HeardSource.ESTIMATED: "estimated",
    HeardSource.MEASURED: "measured",
    HeardSource.PACKETS: "counted",
}


@dataclass(frozen=True, slots=True)
class Records:
    """What the table still has of one contact; None and empty where it has nothing."""

    contact_id: str
    head: Head | None = None
    call: Call | None = None
    log: Sequence[Numbered] = ()
    turns: Sequence[Turn] = ()
    functions: Sequence[FunctionEntry] = ()

    @property
    def empty(self) -> bool:
        """Nothing at all is there."""
        return not (self.head or self.call or self.log or self.turns or self.functions)


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One thing that happened; `at_ms` since the epoch, 0 where the record does not say when."""

    at_ms: int
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Story:
    """`heading` and `ending` are sentences, `lines` what happened in between, `gone` what no record tells any more."""

    heading: tuple[str, ...]
    lines: tuple[Line, ...]
    ending: tuple[str, ...]
    gone: tuple[str, ...] = field(default=())
    began_ms: int = 0


def story(records: Records, *, words: bool = True) -> Story:
    """Without `words` nothing that was said, typed or looked up is in it: fit for a ticket."""
    began_ms = records.head.started_at_ms if records.head else records.call.started_at_ms if records.call else 0
    lines = [*_turns(records.turns, words), *_actions(records, words), *_functions(records.functions, words)]
    lines += _moments(records.head)
    return Story(
        heading=tuple(_heading(records)),
        lines=tuple(sorted(lines)),
        ending=tuple(_ending(records.head)),
        gone=tuple(_gone(records)),
        began_ms=began_ms,
    )


def _heading(records: Records) -> Iterator[str]:
    yield f"contact {records.contact_id}"
    call, head = records.call, records.head
    if call is not None:
        yield (
            f"attempt {call.attempt} at the voice agent {call.agent}, {call.form.value} flow, "
            f"begun {clock(call.started_at_ms)}"
        )
        if call.caller_number or call.system_number:
            yield f"from {call.caller_number or 'a withheld number'} to {call.system_number or 'an unknown number'}"
    elif head is not None:
        yield f"attempt {head.attempt}, begun {clock(head.started_at_ms)}"
    if head is not None:
        yield from _owner(head)


def _owner(head: Head) -> Iterator[str]:
    if not head.epoch:
        yield "no gateway took it"
        return
    taken = f"taken by {head.owner}" if head.owner else "given away by its last gateway, and not taken since"
    times = {0: "the first to have it"}.get(head.moves, f"after {head.moves} move{'s' if head.moves > 1 else ''}")
    yield f"{taken} ({times}; owner number {head.epoch})"


def _turns(turns: Sequence[Turn], words: bool) -> Iterator[Line]:
    for turn in turns:
        caller = turn.role is Role.CALLER
        said = f"“{turn.text}”" if words else f"{HIDDEN} ({len(turn.text.split())} words)"
        yield Line(turn.started_at_ms, "caller" if caller else "agent", said)
        if turn.interrupted:
            heard = f"“{turn.heard_text}”" if words else f"{len(turn.heard_text.split())} words"
            how = _HEARD[turn.heard_source]
            yield Line(turn.ended_at_ms or turn.started_at_ms, "agent", f"interrupted; heard: {heard} ({how})")


def _actions(records: Records, words: bool) -> Iterator[Line]:
    for numbered in records.log:
        what = _action(numbered, words)
        if what:
            became = (
                f" ({numbered.outcome.value})" if numbered.outcome is not Outcome.NONE else " (outcome not recorded)"
            )
            yield Line(numbered.appended_at_ms, "flow", f"{numbered.seq}: {what}{became}")


def _action(numbered: Numbered, words: bool) -> str:
    match numbered.action:
        case Play(duration_ms=duration_ms):
            return f"a clip of {duration_ms / 1000:.1f} s" if numbered.outcome is not Outcome.COMPLETED else ""
        case Say(text=text):
            return f"Connect's voice says “{text}”" if words else "Connect's voice speaks"
        case Collect(max_digits=digits, secret=secret):
            return f"up to {digits} digits are asked for{', in secret' if secret else ''}"
        case Transfer(queue=queue, reason=reason):
            return f"transfer to the queue {queue}: {reason}"
        case End(reason=reason):
            return f"end: {reason}"
        case _ as never:
            assert_never(never)


def _functions(functions: Sequence[FunctionEntry], words: bool) -> Iterator[Line]:
    for entry in functions:
        given = ", ".join(f"{name}={value!r}" for name, value in entry.arguments.items()) if words else HIDDEN
        took = f" after {(entry.finished_at_ms - entry.entered_at_ms) / 1000:.1f} s" if entry.finished_at_ms else ""
        error = f": {entry.error}" if entry.error else ""
        yield Line(entry.entered_at_ms, "function", f"{entry.name}({given}) {entry.state.value}{took}{error}")


def _moments(head: Head | None) -> Iterator[Line]:
    if head is None:
        return
    if head.failed_over_at_ms:
        became = "to the queue" if head.handed_over_unserved else "they hung up"
        yield Line(head.failed_over_at_ms, "lambda", f"no voice agent served the caller ({head.reason}): {became}")
    if head.disconnected_at_ms:
        yield Line(head.disconnected_at_ms, "connect", "the contact has ended")


def _ending(head: Head | None) -> Iterator[str]:
    if head is None:
        return
    if under_way := _under_way(head.state):
        lease = f", its lease ends {clock(head.lease_until_ms)}" if head.lease_until_ms else ""
        yield f"the call {under_way}{lease}"
        return
    why = sentence(head.reason)
    yield f"{head.result.value}: {RESULTS[head.result]}"
    yield f"because of {head.reason or 'a reason that is not recorded'}{f': {why}' if why else ''}"


def _under_way(state: CallState) -> str:
    """Where a call is that goes on; "" where it has ended."""
    match state:
        case CallState.WAITING:
            return "is waiting for a gateway"
        case CallState.EXPECTED:
            return "was transferred over SIP, and has not reached a gateway yet"
        case CallState.ACTIVE:
            return "is live"
        case CallState.ENDED:
            return ""
        case _ as never:
            assert_never(never)


def _gone(records: Records) -> Iterator[str]:
    """Items expire one by one, so that a part may be there without the others."""
    if records.head is None:
        yield "the head: who had the call, how it ended, and why"
    if records.call is None:
        yield "the facts of the call: agent, flow, numbers"
    last = records.head.last_seq if records.head else max((numbered.seq for numbered in records.log), default=0)
    if missing := _missing((numbered.seq for numbered in records.log), last):
        yield f"what the flow was told under {_ranges(missing)}"
    numbers = [turn.number for turn in records.turns]
    if missing := _missing(numbers, max(numbers, default=0)):
        yield f"the turns {_ranges(missing)}"


def _missing(found: Iterable[int], last: int) -> list[int]:
    there = set(found)
    return [number for number in range(1, last + 1) if number not in there]


def _ranges(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def clock(at_ms: int) -> str:
    """A moment as a person reads it."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
