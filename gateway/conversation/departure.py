"""How a conversation ends: to a human, with a goodbye, at its longest duration, or because nothing works any more.

`ending` keeps the state of leaving; this decides when it begins, when it is taken back, and what comes of it.
"""

from __future__ import annotations

from contract.actions import Returned
from definition import AgentDefinition
from gateway.conversation import sentences
from gateway.conversation.commands import ClearSpeech, GiveUp, Go, SayLocally, Stay, Tell, Unwish, Wish
from gateway.conversation.decisions import Decisions
from gateway.conversation.ending import Ending, Leave, Step
from gateway.conversation.function_calls import answer
from gateway.conversation.speech import AgentSpeech
from gateway.conversation.watch import AgentWatch
from gateway.voice_agent.messages import FunctionCall, InjectBehavior, UpdatePrompt

_OURS = ("caller_silent", "max_duration")  # we end these calls, and must not without a goodbye


class Departure:
    """`parked`: the caller is on the way out; nothing of the voice agent reaches them any more."""

    def __init__(
        self, definition: AgentDefinition, decisions: Decisions, speech: AgentSpeech, watch: AgentWatch, now_ms: int
    ) -> None:
        self.ending = Ending()
        self.parked = False
        self._definition = definition
        self._decisions = decisions
        self._speech = speech
        self._watch = watch
        self._limit_ms = now_ms + definition.max_duration_s * 1000
        self._warn_ms = self._limit_ms - definition.warn_s * 1000 if definition.warn_s else None
        self._gave_up = False
        self._came_back: Leave | None = None

    def redefine(self, definition: AgentDefinition) -> None:
        self._definition = definition

    @property
    def begun(self) -> bool:
        """Who is on the way out is not spoken to any more."""
        return self.parked or self.ending.step is not Step.NOT

    def resume(self, leave: Leave, now_ms: int) -> None:
        """The gateway that had the call before died between the wish to leave and its fulfilment."""
        self.ending.resume(leave, now_ms)

    def came_back(self, leave: Leave) -> None:
        """The caller comes from a transfer that an earlier stretch of this call had asked for."""
        self._came_back = leave

    def wished(self, call: FunctionCall, leave: Leave, note: str, now_ms: int) -> None:
        """The agent wants the caller to leave; `note` tells it to say its last words."""
        begun = self.ending.ask(leave, now_ms, playing=self._speech.playing)
        if begun:
            self._decisions.do(Wish(leave))
        words = begun or self.ending.asked_again(leave, now_ms)
        self._decisions.do(answer(call, status="ok", note=note if words else sentences.ANSWER_ALREADY))

    def goodbye(self, leave: Leave, now_ms: int, behavior: InjectBehavior) -> None:
        """We end the call; the agent says so."""
        self.ending.ask(leave, now_ms, playing=self._speech.playing)
        self._watch.satisfied()
        self._decisions.inject(self._definition.goodbye, behavior)

    def give_up(self, reason: str) -> None:
        """The voice agent is out of the game: whatever it was about to say, a human takes over now."""
        if self._gave_up or self.ending.step is Step.TAKEN:
            return
        self._gave_up = self.parked = True
        self._watch.satisfied()
        self._decisions.do(ClearSpeech())
        leave = self.ending.act()
        if leave is not None:
            if not leave.queue:  # nobody else says it
                self._decisions.do(SayLocally(self._definition.goodbye))
            self._decisions.do(Go(leave))
        elif self.ending.step is Step.NOT:
            self._decisions.do(GiveUp(reason))

    def taken(self) -> None:
        """The flow has the transfer or the end."""
        self.ending.taken()
        self.parked = True

    def reconsider(self) -> None:
        """The caller speaks into the last words: the flow would take the action before them, they were just cut."""
        if self.ending.reconsider():
            self._decisions.do(Stay())

    def take_back(self) -> None:
        """A turn of the caller. It may be the very one upon which the agent asked to leave: its text comes late."""
        leave = self.ending.leave
        if leave is None or not self.ending.interrupted:
            return
        if leave.firm:
            self.ending.release()
        elif self._cancel():
            self._decisions.do(Tell(UpdatePrompt(sentences.CANCELLED_LEAVE)))

    def cancelled(self, call_id: str) -> None:
        """The agent does not want it any more."""
        if self.ending.leave is not None and self.ending.leave.function_id == call_id:
            self._cancel()

    def _cancel(self) -> bool:
        acting = self.ending.step is Step.ACTING
        leave = None if self._gave_up else self.ending.cancel()
        if leave is None:
            return False
        if leave.function_id:
            self._decisions.do(Unwish())
        if acting:
            self._decisions.do(Stay())
        return True

    def returned(self, why: Returned) -> bool:
        """The human could not be had; True when the voice agent goes on with the caller."""
        leave = self.ending.leave or self._came_back
        self.ending.returned()
        if self._gave_up:  # no human, and no voice agent either; the flow has told the caller
            self._decisions.do(Go(Leave("no_human")))
            return False
        self.parked = False
        self._decisions.do(Tell(UpdatePrompt(sentences.transfer_returned(why))))
        queue = self._definition.queues.get(leave.queue) if leave else None
        self._decisions.insist((queue.sentence(why) if queue else "") or self._definition.sentences.still_here)
        return True

    def due(self, now_ms: int) -> None:
        """What the longest duration and the last words bring."""
        if self._warn_ms is not None and self._may_limit and now_ms >= self._warn_ms:
            self._warn_ms = None
            self._decisions.insist(self._definition.sentences.time_is_up)
        if self._may_limit and now_ms >= self._limit_ms:
            if self._speech.playing:
                self._decisions.do(ClearSpeech())
            self.goodbye(Leave("max_duration", firm=True), now_ms, InjectBehavior.INTERRUPT)
        leave = self.ending.due(now_ms)
        if leave is not None:
            if leave.reason in _OURS and not self.ending.spoke:  # refused while the caller coughed, say
                self._decisions.do(SayLocally(self._definition.goodbye))
            self._decisions.do(Go(leave))

    def next_due_ms(self) -> int | None:
        """When `due` may have something to do."""
        dues = ((self._warn_ms or self._limit_ms) if self._may_limit else None, self.ending.next_due_ms())
        return min((due for due in dues if due is not None), default=None)

    @property
    def _may_limit(self) -> bool:
        return self.ending.step is Step.NOT and not self._gave_up
