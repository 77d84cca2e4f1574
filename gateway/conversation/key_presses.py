"""What the conversation does about key presses: the agent's request, the moment to ask, what came of it."""

from __future__ import annotations

from definition.collect import COLLECT_DIGITS, asked_for
from definition.model import AgentDefinition, CollectDefinition
from gateway.conversation import sentences
from gateway.conversation.collecting import Collecting, Step
from gateway.conversation.commands import Answer, Ask, Command, NoteQuestion, Unask
from gateway.conversation.function_calls import answer
from gateway.conversation.pending import PendingFunctions
from gateway.legs.leg import Keys, KeysTaken, Question
from gateway.voice_agent.messages import FunctionCall


class KeyPresses:
    """Each method returns what is to be done. An open question is a pending function of the agent."""

    def __init__(self, pending: PendingFunctions) -> None:
        self._collecting = Collecting()
        self._pending = pending

    @property
    def open(self) -> bool:
        return self._collecting.step is not Step.NOT

    def requested(self, call: FunctionCall, definition: AgentDefinition, now_ms: int) -> Command:
        """The agent wants keys."""
        asked = asked_for(definition, call.arguments)
        if asked is None:
            return answer(call, error="what has to be one of the names that may be asked for")
        if not self._collecting.begin(asked, call.id, definition.name, now_ms):
            return answer(call, status="ok", note=sentences.ANSWER_ALREADY)
        self._pending.wait_for(call.id, COLLECT_DIGITS, "", now_ms)
        assert self._collecting.question is not None
        return NoteQuestion(self._collecting.question)

    def resume(self, asked: CollectDefinition, call_id: str, agent: str, now_ms: int) -> None:
        """Another gateway had been asked."""
        self._collecting.resume(asked, call_id, agent)
        self._pending.wait_for(call_id, COLLECT_DIGITS, "", now_ms)

    def due(self, now_ms: int, *, silent: bool) -> list[Command]:
        question = self._collecting.due(now_ms, silent=silent)
        return [] if question is None else [Ask(question)]

    def next_due_ms(self, *, silent: bool) -> int | None:
        return self._collecting.next_due_ms(silent=silent)

    def caller_said(self) -> list[Command]:
        """A turn of the caller: what was not asked yet is not asked any more."""
        if not self._collecting.caller_said():
            return []
        return self._end({"status": "not_asked", "note": sentences.ANSWER_SPOKE})

    def leaving(self) -> list[Command]:
        """The caller is on the way out."""
        never = KeysTaken(Keys.NEVER)
        return self.taken(never) if self._collecting.step is Step.LAST_WORDS else []

    def cancelled(self, call_id: str) -> list[Command]:
        """The agent does not wait for it any more: the caller speaks. What they type all the same, it is told later."""
        if not self.open or call_id != self._collecting.call_id:
            return []
        if self._collecting.step is Step.LAST_WORDS:
            return self._end({"status": "cancelled"})
        self._collecting.caller_said()
        self._pending.wait_for(call_id, COLLECT_DIGITS, "", 0, renewed=True)
        return [Unask()]

    def taken(self, event: KeysTaken) -> list[Command]:
        told = self._collecting.taken(event)
        if isinstance(told, Question):
            return [Ask(told)]
        return [] if told is None else self._end(told)

    def _end(self, told: dict[str, object]) -> list[Command]:
        call_id = self._collecting.call_id
        self._collecting.over()
        return [Answer(call_id, sentences.as_json(told))]
