"""A mind that follows a rule book: no model, the same answer to the same words every time.

It takes things in any order: what was said is kept, what is missing is asked for, a question in between is
answered and the open one asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.deepgram.brain import Call, Reply
from simulator.deepgram.local.rulebook import Answer, Intent, Rulebook
from simulator.deepgram.local.slots import ChoiceSlot, DigitSlot
from simulator.deepgram.local.template import DAYS, Template
from simulator.deepgram.local.understanding import Understood, understand

SILENT = Reply("")


@dataclass(slots=True)
class Memory:
    """Where the conversation stands."""

    known: dict[str, str] = field(default_factory=dict)
    """Slots by name, and the fields of every result as `function.field`."""
    topics: list[str] = field(default_factory=list)
    open: list[Intent] = field(default_factory=list)
    """Intents that lack a slot, the latest last."""
    asked_for: str | None = None
    """The slot that the last sentence asked for."""
    begun: str = ""
    """The digits so far of a number given in parts."""
    question: str | None = None
    """The question that the last sentence ended with."""
    calling: list[Intent] = field(default_factory=list)
    """Intents whose functions have not answered yet."""
    lost: int = 0
    """Turns in a row without sense."""
    said: dict[str, int] = field(default_factory=dict)
    """How often each list of sentences was used."""
    last: str = ""

    def copy(self) -> Memory:
        return Memory(
            *(dict(self.known), list(self.topics), list(self.open), self.asked_for, self.begun, self.question),
            *(list(self.calling), self.lost, dict(self.said), self.last),
        )


class RulesMind:
    """One conversation. No I/O; `now_ms` tells what "today" is."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._functions: frozenset[str] | None = None
        self._memory = Memory()
        self._before = Memory()

    # -- what the protocol asks ------------------------------------------------------------------------------

    def opened(self, settings: Mapping[str, Any]) -> None:
        """Begin; or go on: what `agent.context.messages` says was said and found out is gone through again."""
        agent = _mapping(settings.get("agent"))
        self._functions = _declared(agent.get("think"))
        self._memory = Memory(last=str(agent.get("greeting", "")))
        for message in _sequence(_mapping(agent.get("context")).get("messages")):
            self._recall(_mapping(message))
        self._memory.calling.clear()

    def updated(self, settings: Mapping[str, Any], now_ms: int) -> None:
        """Other settings: only the functions matter here."""
        self._functions = _declared(_mapping(settings.get("agent")).get("think"))

    def withdrawn(self, now_ms: int) -> None:
        """Forget the last turn and what followed from it."""
        self._memory = self._before.copy()

    def heard(self, text: str, now_ms: int) -> Reply:
        self._before = self._memory.copy()
        understood = understand(self._book, text)
        if not understood.words:
            return SILENT
        return self._noted(self._respond(understood, now_ms))

    def answered(self, name: str, content: str, now_ms: int) -> Reply:
        memory = self._memory
        result = _fields(content)
        for key, value in result.items():
            memory.known[f"{name}.{key}"] = value
        intent = next((one for one in memory.calling if one.call == name), None) or self._caller_of(name)
        if intent is None or "say nothing" in result.get("note", "").lower():
            return SILENT
        if intent in memory.calling:
            memory.calling.remove(intent)
        return self._noted(self._told(intent, result))

    def _recall(self, message: Mapping[str, Any]) -> None:
        """One message of a conversation that is gone on with, as Deepgram's History messages have them."""
        content = str(message.get("content", ""))
        if message.get("role") == "user":
            self.heard(content, 0)
        elif message.get("role") == "assistant":
            self._memory.last = content
        for call in _sequence(message.get("function_calls")):
            entry = _mapping(call)
            if "response" in entry:
                self.answered(str(entry.get("name", "")), str(entry["response"]), 0)

    def _noted(self, reply: Reply) -> Reply:
        if reply.text:
            self._memory.last = reply.text
        return reply

    # -- a turn of the caller --------------------------------------------------------------------------------

    def _respond(self, heard: Understood, now_ms: int) -> Reply:
        """What was plainly asked, what was asked for, yes or no, anything that helps, politeness; or nothing."""
        memory = self._memory
        intent = heard.intent
        self._forget(intent.forget if intent else ())
        said = self._take_in(heard, intent, now_ms)
        if intent and not self._only_chosen(heard, said):
            return self._start(intent, said)
        if memory.asked_for in said:
            return self._understood(self._advance())
        if memory.question and (heard.yes or heard.no):
            question = self._book.questions[memory.question]
            return self._start(self._book.intents[question.yes if heard.yes else question.no], said)
        if wanted := self._who_needs(said) or self._who_needs(self._begun(heard)):
            return self._start(wanted, said)
        if memory.asked_for and memory.begun:
            return self._understood(self._ask(memory.asked_for))
        if heard.weak:
            return self._start(heard.weak, said)
        return self._lost(refused=heard.no)

    def _only_chosen(self, heard: Understood, said: frozenset[str]) -> bool:
        """ "An order" chooses where that was the question, although the one word could be a wish."""
        name = self._memory.asked_for
        chosen = name in said and isinstance(self._book.slots[name], ChoiceSlot)
        return chosen and heard.weight == 1 and heard.intent is not self._memory.open[-1]

    def _take_in(self, heard: Understood, intent: Intent | None, now_ms: int) -> frozenset[str]:
        """Keep what was said, whatever it was asked for; the names of the slots that it filled."""
        memory = self._memory
        said = {name: self._dated(value, now_ms) for name, value in heard.slots.items()}
        expected = {memory.asked_for, *(intent.needs if intent else ())}
        for slot in self._book.slots.values():
            if isinstance(slot, DigitSlot) and slot.name in expected:
                begun = memory.begun if slot.name == memory.asked_for else ""
                whole, memory.begun = slot.join(begun, heard.words)
                said.update({slot.name: whole} if whole else {})
        memory.known.update(said)
        for name in said:
            memory.said.pop(name, None)
        return frozenset(said)

    def _begun(self, heard: Understood) -> frozenset[str]:
        """Slots of which somebody who was not asked gives a good part: "four seven one"."""
        memory = self._memory
        if memory.asked_for:
            return frozenset()
        for slot in self._book.slots.values():
            if isinstance(slot, DigitSlot):
                _, memory.begun = slot.join("", heard.words)
                if 2 * len(memory.begun) >= slot.fewest:
                    return frozenset({slot.name})
        memory.begun = ""
        return frozenset()

    def _dated(self, value: str, now_ms: int) -> str:
        """A day of the week for `+0` (today), `+1`, ..."""
        if not value.startswith("+"):
            return value
        today = datetime.fromtimestamp(now_ms / 1000, self._book.timezone)
        return DAYS[(today + timedelta(days=int(value))).weekday()].lower()

    def _who_needs(self, said: frozenset[str]) -> Intent | None:
        """A number alone, or a day alone, asks for what needs it."""
        return next((one for one in self._book.intents.values() if said.intersection(one.uses)), None)

    def _lost(self, *, refused: bool) -> Reply:
        memory, lost = self._memory, self._book.lost
        slot = self._book.slots[memory.asked_for] if memory.asked_for else None
        if slot and slot.otherwise:
            memory.known[slot.name] = slot.otherwise
            return self._advance()
        memory.lost += 1
        last = memory.lost >= len(lost.say) or (slot is not None and refused)
        if slot and not last:
            return self._ask(slot.name)
        text = lost.say[-1 if last else memory.lost - 1].fill(self._values())
        if not last:
            return Reply(text)
        memory.lost = 0
        memory.open.clear()
        return self._then(text, lost.question)

    # -- intents ---------------------------------------------------------------------------------------------

    def _start(self, intent: Intent, said: frozenset[str]) -> Reply:
        memory = self._memory
        if intent.about and intent.about not in memory.topics:
            memory.topics.append(intent.about)
        memory.known.update({name: value for name, value in intent.set.items() if name not in said})
        if intent.abandon:
            memory.open.clear()
        memory.open = [one for one in memory.open if one is not intent] + [intent]
        return self._understood(self._advance())

    def _advance(self) -> Reply:
        """Go on with the latest open intent: ask for what it lacks, or do it."""
        intent = self._memory.open[-1]
        missing = next((name for name in intent.needs if not self._memory.known.get(name)), None)
        if missing:
            return self._ask(missing)
        self._memory.open.pop()
        if intent.repeat:
            return Reply(self._memory.last)
        if intent.call:
            return self._call(intent, intent.call)
        return self._then(self._next(intent.name, intent.say), intent.question)

    def _call(self, intent: Intent, function: str) -> Reply:
        memory = self._memory
        memory.asked_for = memory.question = None
        if self._functions is not None and function not in self._functions:
            return self._tell(intent, intent.failed, {})
        values = self._values()
        filled = {name: template.fill(values) for name, template in intent.arguments.items()}
        arguments = json.dumps({name: value for name, value in filled.items() if value})
        memory.calling.append(intent)
        return Reply(intent.meanwhile.fill(values), (Call(function, arguments),))

    def _told(self, intent: Intent, result: Mapping[str, str]) -> Reply:
        known = {**self._values(), **result}
        error = bool(result.get("error"))
        fitting = (
            one for one in intent.answers if _holds(one, result) and one.say.fits(known) and (one.when or not error)
        )
        return self._tell(intent, next(fitting, intent.failed if error else intent.answers[-1]), result)

    def _tell(self, intent: Intent, answer: Answer, result: Mapping[str, str]) -> Reply:
        text = answer.say.fill({**self._values(), **result})
        self._forget(answer.forget)
        return self._then(text, answer.question or intent.question)

    def _caller_of(self, function: str) -> Intent | None:
        return next((one for one in self._book.intents.values() if one.call == function), None)

    # -- what is said ----------------------------------------------------------------------------------------

    def _then(self, text: str, question: str | None) -> Reply:
        """A sentence, and what follows it: what is still open, else the question. Without a question nothing does."""
        memory = self._memory
        if question is None:
            return Reply(text)
        if memory.open:
            more = self._advance()
            return Reply(f"{text} {more.text}".strip(), more.calls)
        memory.asked_for, memory.question = None, question
        ask = self._book.questions[question].ask.fill(self._values())
        return Reply(f"{text} {ask}".strip())

    def _ask(self, name: str) -> Reply:
        memory, slot = self._memory, self._book.slots[name]
        memory.asked_for, memory.question = name, None
        if isinstance(slot, DigitSlot) and slot.partial and memory.begun:
            return Reply(slot.partial.fill({**self._values(), "begun": memory.begun}))
        turn = memory.said.get(name, 0)
        memory.said[name] = turn + 1
        return Reply(slot.ask[min(turn, len(slot.ask) - 1)].fill(self._values()))

    def _next(self, name: str, sentences: Sequence[Template]) -> str:
        """The sentences in turn, so that nobody hears the same one twice in a row."""
        turn = self._memory.said.get(name, 0)
        self._memory.said[name] = turn + 1
        return sentences[turn % len(sentences)].fill(self._values())

    def _understood(self, reply: Reply) -> Reply:
        self._memory.lost = 0
        return reply

    def _forget(self, names: Sequence[str]) -> None:
        for name in names:
            self._memory.known.pop(name, None)

    def _values(self) -> dict[str, str]:
        """Everything that a template may name."""
        values = {**self._memory.known, "topics": ", ".join(self._memory.topics)}
        fitting = [template.fill(values) for template in self._book.summary if template.fits(values)]
        return {**values, "summary": " ".join(fitting)}


def _holds(answer: Answer, result: Mapping[str, str]) -> bool:
    return all(result.get(name, "").lower() in values for name, values in answer.when.items())


# -- JSON of others, which may be anything ---------------------------------------------------------------------


def _fields(content: str) -> dict[str, str]:
    """The fields of a result as texts, nested ones with dots; lists of texts in one. What is no object is `value`."""
    try:
        result = json.loads(content)
    except ValueError:
        result = content
    return dict(_flat("", result if isinstance(result, dict) else {"value": result}))


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), item)
    elif isinstance(value, list):
        yield prefix, ", ".join(str(item) for item in value if isinstance(item, str | int | float))
    elif value is not None:
        yield prefix, str(value).lower() if isinstance(value, bool) else str(value)


def _declared(think: object) -> frozenset[str] | None:
    """The functions of the first of `agent.think`; None where the agent does not say how it thinks."""
    first = next(iter(_sequence(think)), None) if isinstance(think, Sequence) else think
    if not isinstance(first, Mapping):
        return None
    return frozenset(str(_mapping(entry).get("name", "")) for entry in _sequence(first.get("functions")))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
