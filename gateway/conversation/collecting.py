"""Key presses that the agent has asked for: one question at a time, until the flow has come back with what was typed.

The question is asked when the agent's own words have been heard: the flow can take keys only while it does nothing
else. From then on it listens to keys alone, and what the caller says reaches the agent without an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from contract.text import json_object
from definition.model import CollectDefinition
from gateway.legs.leg import Keys, KeysTaken, Question

FIRST_WORD_MS = 1000  # words that belong to the request begin 0.2 to 0.7 s after it
LONGEST_MS = 20_000  # the agent's words, all in all

LOST = "unknown"  # the flow's word, as `flows.wire` has it, for a secret of which nobody knows what came of it

Told = dict[str, object]

_NOTES = {
    Keys.NEVER: ("not_asked", "The caller was not asked for keys."),
    Keys.FAILED: ("failed", "For a technical fault no keys could be taken."),
    Keys.UNAVAILABLE: ("not_available", "Keys cannot be taken on this line. Ask the caller to say it."),
}


class Step(Enum):
    NOT = auto()
    LAST_WORDS = auto()
    ASKED = auto()  # the leg was told


@dataclass(slots=True)
class Collecting:
    """At most one question is open. `call_id`: of the function call that is answered with what was typed."""

    step: Step = Step.NOT
    question: Question | None = None
    call_id: str = ""
    _definition: CollectDefinition | None = None
    _spoke: bool = False  # the caller said something since the keys were asked for
    _asked_ms: int = 0

    def begin(self, asked: CollectDefinition, call_id: str, agent: str, now_ms: int) -> bool:
        """False when another question is open."""
        if self.step is not Step.NOT:
            return False
        self._set(Step.LAST_WORDS, asked, call_id, agent)
        self._asked_ms = now_ms
        return True

    def resume(self, asked: CollectDefinition, call_id: str, agent: str) -> None:
        """Another gateway had asked; the flow still has the question, or will say what came of it."""
        self._set(Step.ASKED, asked, call_id, agent)

    def due(self, now_ms: int, *, silent: bool) -> Question | None:
        """The question, once, when it is time to ask it. `silent`: nothing of the agent is heard or about to be."""
        due = self.next_due_ms(silent=silent)
        if due is None or now_ms < due:
            return None
        self.step = Step.ASKED
        return self.question

    def next_due_ms(self, *, silent: bool) -> int | None:
        if self.step is not Step.LAST_WORDS:
            return None
        return self._asked_ms + (FIRST_WORD_MS if silent else LONGEST_MS)

    def caller_said(self) -> bool:
        """The caller takes a turn. True: the question is not put any more; else the flow has it already."""
        self._spoke = True
        return self.step is Step.LAST_WORDS

    def taken(self, event: KeysTaken) -> Question | Told | None:
        """What came of it: the question again, or what the agent is told. None when nothing was asked."""
        if self.step is Step.NOT or self.question is None or self._definition is None:
            return None
        told = outcome(self._definition, event)
        in_vain = told["status"] in ("nothing_entered", "wrong_keys")
        if in_vain and not self._spoke and self.question.attempt < self._definition.attempts:
            self.question = replace(self.question, attempt=self.question.attempt + 1)
            return self.question
        if self._spoke:
            told["note"] = f"The caller spoke meanwhile. {told.get('note', '')}".strip()
        return {**told, "attempts": self.question.attempt}

    def over(self) -> None:
        self.step, self.question, self._definition, self.call_id = Step.NOT, None, None, ""

    def _set(self, step: Step, asked: CollectDefinition, call_id: str, agent: str) -> None:
        self.step, self._definition, self.call_id, self._spoke = step, asked, call_id, False
        receiver = asked.function.name if asked.function else ""
        self.question = Question(
            asked.name, asked.prompt, asked.most, asked.secret, receiver, asked.parameter, agent=agent
        )


def outcome(asked: CollectDefinition, event: KeysTaken) -> Told:
    """What the agent is told, without how often it was asked."""
    if event.what is not Keys.TAKEN:
        status, note = _NOTES[event.what]
        return {"status": status, "note": note}
    if not event.digits:
        return {"status": "nothing_entered"}
    if asked.secret:
        return _secret(event.digits)
    return _chosen(asked, event.digits) if asked.choices else _number(asked, event.digits)


def _chosen(asked: CollectDefinition, digits: str) -> Told:
    choice = asked.choices.get(digits)
    if choice is None:
        return {"status": "wrong_keys", "note": "A key was pressed that stands for nothing."}
    if asked.kind == "confirmation":
        return {"status": "entered", "confirmed": choice == "yes"}
    return {"status": "entered", "choice": choice, "digits": digits}


def _number(asked: CollectDefinition, digits: str) -> Told:
    if not digits.isdigit() or not asked.least <= len(digits) <= asked.most:
        return {"status": "wrong_keys", "note": f"{len(digits)} keys were pressed.", "digits": digits}
    return {"status": "entered", "digits": digits}


def _secret(told: str) -> Told:
    """`told` is the flow's word that there were keys, or what the function answered that got them."""
    if told == LOST:
        return {"status": "failed", "note": "What came of it is unknown. Do not repeat it; tell the caller so."}
    answered = json_object(told)
    if not answered:
        return {"status": "entered", "note": "You are not told the digits, and must not ask for them."}
    return {"status": "entered", **answered}
