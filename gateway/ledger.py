"""What stands in a call's ledger besides the functions that the gateway invokes: wishes to leave, questions for keys,
and what Deepgram calls by itself."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from contract.call import Call
from contract.clock import Clock
from contract.turns import FunctionEntry
from definition import AgentDefinition
from gateway.conversation.ending import Leave
from gateway.functions.runner import FunctionRunner
from gateway.legs.leg import Question
from gateway.questions import Inherited, Questions
from gateway.record import CallRecord
from gateway.remote_functions import RemoteFunctions
from gateway.voice_agent.messages import ServerMessage
from gateway.wishes import Wishes

log = structlog.get_logger()


class CallLedger:
    """Writes through the record; what a later session of the call, or a human, is to know is the runner's, too."""

    def __init__(self, record: CallRecord, runner: FunctionRunner, call: Call, clock: Clock) -> None:
        self._record = record
        self._runner = runner
        self._call = call
        self._clock = clock
        self._wishes = Wishes()
        self._questions = Questions()
        self._remote = RemoteFunctions()

    # -- wishes to leave

    def wish_before(self, entries: Iterable[FunctionEntry]) -> Leave | None:
        """What an earlier owner of the call was asked for and had not done."""
        return self._wishes.inherit(entries)

    def came_back(self, entries: Iterable[FunctionEntry]) -> Leave | None:
        """The transfer that the caller has come back from."""
        return self._wishes.last(entries)

    def wished(self, leave: Leave, turn: int) -> None:
        self._write(self._wishes.asked(leave, turn, self._clock.now_ms()))

    def unwished(self) -> None:
        self._write(self._wishes.taken_back())

    def left(self) -> None:
        """The flow has taken it."""
        self._write(self._wishes.done())

    # -- questions for keys

    def question_before(self, entries: Iterable[FunctionEntry], definition: AgentDefinition) -> Inherited | None:
        """What an earlier owner of the call had asked and not heard of."""
        return self._questions.inherit(entries, definition)

    def asked(self, question: Question, turn: int) -> None:
        self._enter(self._questions.asked(question, turn, self._clock.now_ms()))

    def answered(self, content: str) -> None:
        """`content`: JSON, as the agent is told."""
        self._enter(self._questions.answered(content, self._clock.now_ms()))

    # -- what Deepgram calls by itself

    def overheard(self, message: ServerMessage, definition: AgentDefinition, turn: int) -> None:
        for line in self._remote.overheard(message, definition, turn, self._clock.now_ms()):
            self._enter(line)
            if line.finished_at_ms:
                log.info(
                    "function",
                    contact=self._call.contact_id,
                    agent=self._call.agent,
                    function=line.name,
                    state=line.state.value,
                    error=line.error,
                    ms=line.finished_at_ms - line.entered_at_ms,
                    by="deepgram",
                )

    def _enter(self, line: FunctionEntry | None) -> None:
        """A line like a function's own."""
        if line is not None:
            self._runner.ledger[line.key] = line
            self._record.note(line)

    def _write(self, line: FunctionEntry | None) -> None:
        if line is not None:
            self._record.note(line)
