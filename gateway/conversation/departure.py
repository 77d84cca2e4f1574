"""How a conversation ends: to a human, with a goodbye, at its longest duration, or because nothing works any more.

`ending` keeps the state of leaving; this decides when it begins, when it is taken back, and what comes of it.
"""

from __future__ import annotations

from contract.actions import Returned
from definition import AgentDefinition
from gateway.conversation import sentences
from gateway.conversation.commands import ClearSpeech, Command, GiveUp, Go, SayLocally, Stay, Tell, Unwish, Wish
from gateway.conversation.decisions import Decisions
from gateway.conversation.ending import Ending, Leave, Step
from gateway.conversation.function_calls import answer
from gateway.conversation.speech import AgentSpeech
from gateway.conversation.turns import Turns
from gateway.conversation.watch import AgentWatch
from gateway.voice_agent.messages import FunctionCall, InjectBehavior, UpdatePrompt


class Departure:
    """`parked`: the caller is on the way out; nothing of the voice agent reaches them any more."""

    def __init__(
        self,
        definition: AgentDefinition,
        decisions: Decisions,
        turns: Turns,
        speech: AgentSpeech,
        watch: AgentWatch,
        now_ms: int,
    ) -> None:
        self.ending = Ending()
        self.parked = False
        self._definition = definition
        self._decisions = decisions
        self._turns = turns
        self._speech = speech
        self._watch = watch
        self._limit_ms = now_ms + definition.max_duration_s * 1000
        self._warn_ms = self._limit_ms - definition.warn_s * 1000 if definition.warn_s else None
        self._gave_up = False
        self._spoken_into = False  # a goodbye of ours that stands: what the agent says next is an answer
        self._says_goodbye = False
        self._came_back: Leave | None = None

    def redefine(self, definition: AgentDefinition) -> None:
        self._definition = definition

    @property
    def begun(self) -> bool:
        """Who is on the way out is not spoken to any more."""
        return self.parked or self.ending.step is not Step.NOT

    @property
    def hushed(self) -> bool:
        """The flow says goodbye in the agent's place: what comes of the agent's now is too late."""
        return self.parked or (self._says_goodbye and self.ending.step is not Step.NOT)

    def said_otherwise(self, text: str) -> list[Command]:
        """What is to be done for words of the agent that could not be played; its goodbye comes with the end."""
        leave = self.ending.leave
        if leave is not None and not leave.queue:
            return []
        return [SayLocally(text or self._definition.sentences.still_here)]

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
        """We end the call; the agent says so. Without one, the flow does."""
        self.ending.ask(leave, now_ms, playing=self._speech.playing)
        self._spoken_into = False
        self._watch.satisfied()
        if self._decisions.away:
            self._go(self.ending.act())
        else:
            self._decisions.inject(self._definition.goodbye, behavior)

    def give_up(self, reason: str) -> None:
        """The voice agent is out of the game: whatever it was about to say, a human takes over now."""
        if self._gave_up or self.ending.step is Step.TAKEN:
            return
        self._gave_up = self.parked = True
        self._watch.satisfied()
        if self.ending.step is Step.ACTING:
            return  # the last words stand before it in the log, and are heard, however late the flow asks
        self._decisions.do(ClearSpeech())
        if self.ending.step is Step.NOT:
            self._decisions.do(GiveUp(reason))
        else:
            self._go(self.ending.act())

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
            self._spoken_into = not self._heard_goodbye(leave)
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
            self._decisions.do(Go(Leave("no_human"), self._definition.goodbye))
            return False
        self.parked = False
        self._turns.left_behind()
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
            if self._speech.playing and not self._decisions.away:
                self._decisions.do(ClearSpeech())
            self.goodbye(Leave("max_duration", firm=True), now_ms, InjectBehavior.INTERRUPT)
        self._go(self.ending.due(now_ms))

    def _go(self, leave: Leave | None) -> None:
        """To the human, or away with a goodbye that was heard: what of it was refused, torn with its session, or never
        said, the flow says."""
        if leave is None:
            return
        self._says_goodbye = not leave.queue and not self._heard_goodbye(leave)
        if self._says_goodbye and self._speech.playing and not self.parked:
            self._decisions.do(ClearSpeech())
        self._decisions.do(Go(leave, self._definition.goodbye if self._says_goodbye else ""))

    def _heard_goodbye(self, leave: Leave) -> bool:
        """Whether the caller has heard what may be a goodbye, or will have before the line is closed. What the agent
        said in the turn in which it asked to end the call may be one."""
        if self._spoken_into or (self.ending.resumed and self.ending.spoke):
            return False
        since_ms = self._turns.last_caller_ms if leave.function_id else self.ending.asked_ms
        if self._speech.playing and not self.parked:
            return self.ending.all_came and self._turns.is_all_there(since_ms)
        return self._turns.heard_out(since_ms)

    def next_due_ms(self) -> int | None:
        """When `due` may have something to do."""
        dues = ((self._warn_ms or self._limit_ms) if self._may_limit else None, self.ending.next_due_ms())
        return min((due for due in dues if due is not None), default=None)

    @property
    def _may_limit(self) -> bool:
        return self.ending.step is Step.NOT and not self._gave_up
