"""The first difference between what a call did once and what it does now, readably.

What it did: messages and audio to Deepgram, actions, clips, turns and functions; not how often it looked at the head.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from gateway.recording.folder import Recording
from gateway.recording.sip_taps import LINE
from gateway.recording.tape import Audio
from gateway.recording.taps import CHANCE
from tests.recordings.player import LOOKS

Line = dict[str, Any]
SENT = ".sent"
MOST_SHOWN = 5
EPOCH_MS = 1_500_000_000_000  # numbers above it are times
_TIME = re.compile(r"(?<!\d)1[5-9]\d{11}(?!\d)")
SLACK_MS = 40  # by which times may differ where the recorded gateway ran in real time


@dataclass(frozen=True)
class Done:
    """One thing that the call did: at which place, when, and what, as text that can be compared."""

    at: str
    t_ms: float
    what: Any


@dataclass(frozen=True)
class Difference:
    """`number` counts at its place, from 1."""

    number: int
    recorded: Done | None
    replayed: Done | None

    @property
    def t_ms(self) -> float:
        return min(done.t_ms for done in (self.recorded, self.replayed) if done is not None)

    def __str__(self) -> str:
        at = (self.recorded or self.replayed or Done("", 0, "")).at
        shown = [f"at {self.t_ms / 1000:.3f} s, {at}, number {self.number}:"]
        for name, done in (("recorded", self.recorded), ("replayed", self.replayed)):
            text = "nothing" if done is None else f"({done.t_ms / 1000:.3f} s) {_shown(done.what)}"
            shown.append(f"  {name}: {text}")
        if self.recorded is not None and self.replayed is not None:
            shown += [f"  {line}" for line in islice(_apart(self.recorded.what, self.replayed.what), MOST_SHOWN)]
        return "\n".join(shown)


def _apart(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Where two values differ: the path, and both sides."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            yield from _apart(one.get(key), other.get(key), f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(other, list):
        for index, pair in enumerate(zip_longest(one, other)):
            yield from _apart(*pair, f"{path}[{index}]")
    elif one != other:
        yield f"{path}: {_shown(one)} was recorded, {_shown(other)} is replayed"


def first_difference(recorded: Recording, replayed: Recording) -> Difference | None:
    """The earliest one; None where all is equal. What the replay does after the recording's end does not count."""
    slack = 0 if recorded.header.get("exact") else SLACK_MS
    end_ms = recorded.lines[-1]["t"] / 1e6 if recorded.lines else 0.0
    before, now = _by_place(recorded), _by_place(replayed)
    found = [
        difference
        for at in {**before, **now}
        if (difference := _first(before.get(at, []), now.get(at, []), slack, end_ms)) is not None
    ]
    return min(found, key=lambda difference: difference.t_ms, default=None)


def _first(before: list[Done], now: list[Done], slack: int, end_ms: float) -> Difference | None:
    now = now[: len(before)] + [done for done in now[len(before) :] if done.t_ms < end_ms - max(slack, 1)]
    for number in range(1, max(len(before), len(now)) + 1):
        one = before[number - 1] if number <= len(before) else None
        other = now[number - 1] if number <= len(now) else None
        if one is None or other is None or not _same(one.what, other.what, slack):
            return Difference(number, one, other)
    return None


def _by_place(recording: Recording) -> dict[str, list[Done]]:
    done: dict[str, list[Done]] = defaultdict(list)
    at = dict.fromkeys(Audio, 0)
    for line in recording.lines:
        if line["at"].endswith(SENT):
            kind = Audio.HEARD if line["at"].startswith(LINE) else Audio.CALLER
            content = recording.audio[kind][at[kind] : at[kind] + line["bytes"]]
            at[kind] += line["bytes"]
            done[line["at"]].append(Done(line["at"], line["t"] / 1e6, {"audio": content.hex()}))
        elif "do" in line and line["do"] != "close" and (line["at"], line["do"]) not in LOOKS and line["at"] != CHANCE:
            done[line["at"]].append(Done(line["at"], line["t"] / 1e6, {line["do"]: _readable(line["args"])}))
    return done


def _readable(args: list[Any]) -> list[Any]:
    """Texts that hold JSON are compared, and shown, as what they hold."""
    return [json.loads(arg) if isinstance(arg, str) and arg.startswith("{") else arg for arg in args]


def _same(one: Any, other: Any, slack: int) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key], slack) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(*pair, slack) for pair in zip(one, other, strict=True))
    if slack and isinstance(one, str) and isinstance(other, str) and one != other:
        # A key may be made of a time.
        before, now = ([int(number) for number in _TIME.findall(text)] for text in (one, other))
        return _TIME.sub("", one) == _TIME.sub("", other) and _same(before, now, slack)
    if type(one) is int and type(other) is int and one > EPOCH_MS:
        return abs(one - other) <= slack
    return bool(one == other)


def _shown(what: Any) -> str:
    text = json.dumps(what, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"
