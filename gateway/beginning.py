"""What is known of a call when a gateway takes it: nothing yet, or all that happened before in other gateways."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contract.actions import Returned
from contract.call import Call, Lease
from contract.errors import StoreUnavailable
from contract.turns import FunctionEntry, Role, Turn
from definition import AgentDefinition
from definition.functions import WISHES
from definition.templates import Known
from gateway.conversation.conversation import Conversation
from gateway.conversation.ending import Leave
from gateway.facilities import Facilities
from gateway.functions.runner import FunctionRunner
from gateway.injecting import Injections
from gateway.ledger import CallLedger
from gateway.lookup import look_up
from gateway.persona import Persona
from gateway.record import CallRecord
from gateway.sessions import OUTAGE_MS
from gateway.voice_agent.context import Context, build

BEGIN_S = OUTAGE_MS / 1000  # as long as a session is waited for


@dataclass(frozen=True, slots=True)
class Begun:
    """`caller_turns`: how many there were before. `asked_since_ms`: a question is open since then, None without one."""

    conversation: Conversation
    persona: Persona
    context: Context
    caller_turns: int
    asked_since_ms: int | None


@dataclass(frozen=True, slots=True)
class Beginning:
    facilities: Facilities
    lease: Lease
    call: Call
    base: AgentDefinition
    record: CallRecord
    runner: FunctionRunner
    ledger: CallLedger
    injections: Injections

    async def begin(self) -> Begun:
        """
        Raises:
            StoreUnavailable: the record cannot be had for so long that a human is better than to wait on.
            LeaseLost: another gateway owns the call.
        """
        try:
            async with asyncio.timeout(BEGIN_S):
                return await self._begin()
        except TimeoutError:
            raise StoreUnavailable("the beginning of a call", f"no answer within {BEGIN_S:g} s") from None

    async def _begin(self) -> Begun:
        if self.base.records_hours:
            await self.record.keep(self.call.attempt, self.base.records_hours)
        turns, entries = await self.record.read()
        functions = [entry for entry in entries if entry.name not in WISHES]
        self.runner.inherit(functions)
        persona = await self._known(functions)
        for note in await self.injections.earlier_notes():
            persona.instruct(note)
        conversation = self._conversation(persona.definition, turns)
        asked_since_ms = self._resume(conversation, persona.definition, entries)
        caller_turns = sum(turn.role is Role.CALLER for turn in turns)
        remembered = conversation.turns.remembered() if turns else ()  # the flow's opening alone is no context
        return Begun(conversation, persona, build(remembered, functions), caller_turns, asked_since_ms)

    async def _known(self, functions: Sequence[FunctionEntry]) -> Persona:
        """The agent as this caller meets it."""
        looked_up = await look_up(self.runner, self.lease, self.base.lookup) if self.base.lookup else {}
        call, now = self.call, self.facilities.clock.now_ms()
        known = Known(now, self.base.time_zone, call.caller_number, call.attributes, looked_up)
        persona = Persona(self.base, known, self.facilities.secrets)
        persona.remember(functions)
        return persona

    def _conversation(self, definition: AgentDefinition, turns: Sequence[Turn]) -> Conversation:
        first = max((turn.number for turn in turns), default=0) + 1
        # The longest duration counts from the caller's first moment, whoever served them then.
        conversation = Conversation(definition, self.call.started_at_ms, first_turn=first, earlier=turns)
        opening = self.call.opening
        if opening is not None and not turns:
            conversation.opening(opening.text, opening.duration_ms)
        return conversation

    def _resume(
        self, conversation: Conversation, definition: AgentDefinition, entries: Sequence[FunctionEntry]
    ) -> int | None:
        """What the gateway before had not brought to an end; since when a question is open, if one is."""
        now = self.facilities.clock.now_ms()
        if (wish := self.ledger.wish_before(entries)) is not None:
            conversation.resume_leave(_still_there(wish, definition), now)
        asked = self.ledger.question_before(entries, definition)
        if asked is not None:
            conversation.resume_question(asked.question, asked.key, now)
        if self.call.returned is not Returned.NONE and (leave := self.ledger.came_back(entries)) is not None:
            conversation.came_back(_still_there(leave, definition))
        return asked.since_ms if asked is not None else None


def _still_there(leave: Leave, definition: AgentDefinition) -> Leave:
    """A wish may be of another release, whose queue has another name today."""
    known = not leave.queue or leave.queue in definition.queues
    return leave if known else replace(leave, queue=definition.default_queue)
