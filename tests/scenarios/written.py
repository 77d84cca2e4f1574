"""Conversations that are written down in `tests/scenarios/*.yaml`: what is said, what breaks, what must come of it.

about: one sentence                     what is proved
agent: shop                             a definition in agents/, with its rule file; default shop
flows: [interruptible, polling]         both; default one of them, in turn; and over SIP too, unless
not_over_sip: one sentence              says why not
presets: [never_cut]                    default one of all, in turn
caller:                                 in order; a text, or
  - {say: text, after_s: 1.5}           so many seconds into the agent's next words
  - {press: "4711#"}                    keys of the telephone instead; `after_s` too
number: "+49..."                        the caller's; "" withheld
attributes: {voice_agent_language: es}  of the contact
patience_s: 8                           the caller hangs up so long after the last word of both sides
functions:                              instead of the real one, or on top of it
  NAME: {takes_s: 3, fails: raised, answers: {...}}
queue: closed                           or unstaffed, or full; or what is true of it:
  {is: closed, opens: "09:00"}          `opens` by the instance's hours, every day
  {waiting: 2, oldest_s: 40}            nobody is free, and so many wait
  {is: unknown}                         Connect cannot say any number of it
presses:                                keys, in this order
  - {at: Confirm the number, keys: "2"}  a second and a half after the flow came to the block
deepgram: {think_ms: 1200}              manners of the stand-in, by their names
breaks:                                 one thing after the other
  - {at: speaking, what: gateway_killed}    at: start, ringing, speaking, in_a_function, asking, leaving, queued
  - {at: speaking, what: store_away, for_s: 3}   or gateway_replaced, gateway_stopped, lambda_down (name:
                                        next_action_poll), deepgram_away; asking: keys
expect:
  result: transferred                   or ended, caller_hung_up, failed, as the record says
  queue: orders                         none: in no queue
  reason: transfer_to_human
  functions: [NAME, {NAME: {argument: value}}]   in order, no other; the lookup is one of them
  keys: {status: entered}               what the agent was told of the last keys that it asked for, and `what` it asked
  asked: 1                              how often the flow was asked for keys
  said: [[order, tuesday]]              in one turn of the agent that was heard, all of these words
  heard: [words]                        by the caller, in this order of words, whoever said them
  never: [words]                        in anything that the caller heard
  handover: {va_reason: text}           each holds the text
  callback: "+49..."                    the number of the callback that was made; none
  priority: 3                           of the contact in its queue; 5 is Connect's own
  within_s: {first_word: 4, human: 30}  since the ring; human: since the break
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from simulator.connect.presets import PRESETS

FOLDER = Path(__file__).parent
IN_CONNECT = ("interruptible", "polling")
FORMS = (*IN_CONNECT, "sip")
AT = ("start", "ringing", "speaking", "in_a_function", "asking", "leaving", "queued")
WHAT = ("gateway_killed", "gateway_replaced", "gateway_stopped", "store_away", "lambda_down", "deepgram_away")


class BadScenario(Exception):
    """A file that is not what is described above."""


@dataclass(frozen=True, slots=True)
class Said:
    text: str
    after_s: float | None = None
    press: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    at: str
    what: str
    for_s: float = 5
    name: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    at: str
    keys: str


@dataclass(frozen=True, slots=True)
class Expected:
    result: str = ""
    queue: str | None = None
    reason: str = ""
    functions: Sequence[str | Mapping[str, Mapping[str, object]]] | None = None
    said: Sequence[Sequence[str]] = ()
    heard: Sequence[str] = ()
    never: Sequence[str] = ()
    handover: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, object] = field(default_factory=dict)
    asked: int | None = None
    within_s: Mapping[str, float] = field(default_factory=dict)
    callback: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    name: str
    about: str
    caller: Sequence[Said]
    expect: Expected
    agent: str = "shop"
    flows: Sequence[str] = ()
    not_over_sip: str = ""
    presets: Sequence[str] = ()
    number: str = "+4915112345678"
    attributes: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = 8
    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    queue: Mapping[str, Any] = field(default_factory=dict)
    presses: Sequence[Press] = ()
    deepgram: Mapping[str, Any] = field(default_factory=dict)
    breaks: Sequence[Break] = ()


def load(path: Path) -> Written:
    """Raises BadScenario with the file's name."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        caller = [_said(each) for each in given["caller"]]
        if not given["expect"]:
            raise BadScenario(f"{path.name}: nothing is expected")
        given |= {"caller": caller, "expect": Expected(**given["expect"]), "name": path.stem}
        queue = given.get("queue", {})
        given["queue"] = {"is": queue} if isinstance(queue, str) else queue
        given["presses"] = [Press(**each) for each in given.get("presses", ())]
        given["breaks"] = [Break(**each) for each in given.get("breaks", ())]
        written = Written(**given)
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        keys = ", ".join(each.name for each in fields(Written))
        raise BadScenario(f"{path.name}: {error}; known are {keys}") from None
    _check(written)
    return written


def _said(each: str | dict[str, Any]) -> Said:
    if isinstance(each, str):
        return Said(each)
    return Said(each.pop("say", "") if "press" in each else each.pop("say"), **each)


def _check(written: Written) -> None:
    known = {
        "flows": (written.flows, IN_CONNECT),
        "presets": (written.presets, PRESETS),
        "queue": (list(written.queue), ("is", "opens", "waiting", "oldest_s")),
        "queue.is": ([written.queue.get("is", "")], ("", "closed", "unstaffed", "full", "unknown")),
        "breaks.at": ([each.at for each in written.breaks], AT),
        "breaks.what": ([each.what for each in written.breaks], WHAT),
    }
    for key, (values, allowed) in known.items():
        for value in values:
            if value not in allowed:
                raise BadScenario(f"{written.name}.yaml: {key}: {value!r} is none of {', '.join(allowed)}")


def everything() -> list[Written]:
    """All files, by name."""
    return [load(path) for path in sorted(FOLDER.glob("*.yaml"))]


def plays(files: Sequence[Written]) -> list[tuple[Written, str, str]]:
    """What is played of each file: flows and presets that it does not choose come in turn, so that all of them
    together meet every preset in every flow."""
    turns = [(form, name) for name in PRESETS for form in IN_CONNECT]
    over_sip = [("sip", name) for name in PRESETS]
    found: list[tuple[Written, str, str]] = []
    for written in files:
        for form in written.flows or (turns[0][0],):
            found += _plays(written, form, turns)
        if not written.not_over_sip:
            found += _plays(written, "sip", over_sip)
    return found


def _plays(written: Written, form: str, turns: list[tuple[str, str]]) -> list[tuple[Written, str, str]]:
    """One file in one flow; a turn that was taken goes to the end."""
    if written.presets:
        return [(written, form, name) for name in written.presets]
    at = next(index for index, pair in enumerate(turns) if pair[0] == form)
    turns.append(turns.pop(at))
    return [(written, *turns[-1])]
