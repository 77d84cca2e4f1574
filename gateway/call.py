"""One call: a leg, a voice agent, functions, actions, in one task group. It decides nothing: the conversation does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from contract.call import MOST_MOVES, Call, FlowForm, Head, Lease, Result
from contract.errors import LeaseLost, StoreUnavailable
from contract.injections import Injection
from contract.injections import Kind as Brought
from contract.turns import FunctionState
from definition import AgentDefinition
from definition.languages import chosen
from definition.model import Otherwise
from gateway.alarm import Alarm
from gateway.beginning import Beginning
from gateway.call_audio import CallAudio
from gateway.conversation.commands import (
    Answer,
    Ask,
    ClearSpeech,
    Command,
    EndSpeech,
    Finish,
    FunctionResult,
    GiveUp,
    Go,
    NoteQuestion,
    Reconnect,
    Replay,
    SayLocally,
    StartFunction,
    Stay,
    StopFunction,
    Tell,
    Unask,
    Unwish,
    Wish,
)
from gateway.conversation.conversation import Conversation
from gateway.conversation.ending import Leave, Step
from gateway.facilities import Facilities
from gateway.functions.runner import FunctionRunner
from gateway.handover import handover
from gateway.injecting import Injections
from gateway.ledger import CallLedger
from gateway.legs.leg import CallerAudio, CallerGone, FlowTook, Handover, Leg, LegFailed, TransferReturned
from gateway.persona import Persona
from gateway.record import CallRecord, Outcome, Speaks
from gateway.sessions import Sessions, Shared
from gateway.telemetry.last_line import last_line
from gateway.telling import Conversed, Telling
from gateway.voice_agent.context import Context, build
from gateway.voice_agent.messages import ServerMessage

log = structlog.get_logger()

QUIET_LOOK_S = 0.1


class _Over(Exception):
    """The call is over: leaves the task group."""


def _innermost(lost: BaseException) -> BaseException:
    """The first leaf of a group: the leg has a task group of its own."""
    while isinstance(lost, BaseExceptionGroup):
        lost = lost.exceptions[0]
    return lost


class LiveCall:
    """Run it once. `stop` may be called at any time."""

    def __init__(self, facilities: Facilities, lease: Lease, head: Head, call: Call) -> None:
        self.contact_id = call.contact_id
        self.outcome = Outcome(Result.NONE, "")
        self._facilities = facilities
        self._clock = facilities.clock
        self._lease = lease
        self._call = call
        self._resumed = head.moves > 0
        self._base: AgentDefinition = chosen(facilities.definitions, call.agent)
        self._persona: Persona | None = None
        # What the flow goes by: what it was told last, else what the contact's attributes say.
        self._flow_speaks = head.language or call.agent.partition(".")[2] or self._base.language
        self.leg: Leg = facilities.open_leg(lease, head, call)
        self._record = CallRecord(facilities.store, facilities.clock, lease, head.lease_until_ms)
        self._injections = Injections(facilities.store, lease, head, self._inject)
        self._conversation: Conversation | None = None
        self._sessions: Sessions | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._functions: dict[str, asyncio.Task[None]] = {}
        self._runner = FunctionRunner(
            facilities.store,
            facilities.invoker,
            facilities.clock,
            call,
            {function.name: function for function in self._base.lambdas},
        )
        self._ledger = CallLedger(self._record, self._runner, call, facilities.clock)
        self._audio: CallAudio | None = None
        self._over = asyncio.Event()
        self._broke: Exception | None = None
        self._alarm = Alarm(self._clock, lambda: self._guarded(self._tick))
        self._left: Leave | None = None
        self._telling = Telling(facilities.announcer, call, facilities.clock, self._conversed)
        self._turns_before = 0  # caller turns that are known from before this Deepgram session
        self._stopping = ""
        self._moves = head.moves
        self._patience_s = 0.0
        self._to_hand_on = asyncio.Event()
        self.given_away = False

    @property
    def movable(self) -> bool:
        """Another gateway may go on with it. A SIP dialog stays where it is."""
        begun = self._conversation is not None and not self._over.is_set()
        return begun and self._moves < MOST_MOVES and self._call.form is not FlowForm.SIP

    @property
    def leaving(self) -> bool:
        """It waits for a quiet moment to be given away."""
        return self._to_hand_on.is_set()

    def hand_on(self, patience_s: float) -> bool:
        """Give the call to another gateway: at a quiet moment, or after `patience_s` at any. False: under way."""
        if self._to_hand_on.is_set():
            return False
        self._facilities.told("hand_on", patience_s)
        self._patience_s = patience_s
        self._to_hand_on.set()
        return True

    def stop(self, reason: str) -> None:
        """Hand the caller to a human now, with this reason; a call that is over stays as it ended."""
        self._facilities.told("stop", reason)
        if self._over.is_set():
            return
        self._stopping = self._stopping or reason
        if self._conversation is not None:
            self._guarded(lambda: self._talk.give_up(reason))

    async def run(self) -> Outcome:
        """Serve the caller to the end; the record is closed when it returns.

        Raises:
            LeaseLost: another gateway owns the call now; this one has stopped.
        """
        waited_ms = self._clock.now_ms() - self._call.started_at_ms
        log.info(
            "call_taken",
            contact=self.contact_id,
            epoch=self._lease.epoch,
            agent=self._call.agent,
            waited_ms=waited_ms,
            resumed=self._resumed,
        )
        try:
            try:
                await self._serve()
            finally:
                if self._sessions is not None:
                    self._sessions.close()
                self._alarm.cancel()
                await self._runner.close()
            await self._close()
        finally:
            await self._record.let_go()
        return self.outcome

    async def _close(self) -> None:
        """Write and tell what is left."""
        if self._audio is not None:
            self._telling.begin(self._audio.close(), "audio")
        if self.given_away:
            self._talk.handed_on(self.leg.handed_on(), self._clock.now_ms())
            await self._record.give_away(self._talk.turns.changed())
            log.info("call_given_away", contact=self.contact_id, epoch=self._lease.epoch)
            await self._telling.done()
            return
        await self._record.close(self._talk.turns.changed(), self.outcome)
        await self.leg.close()
        await self._telling.over(self.outcome, self._left)
        log.info(
            "call_over",
            contact=self.contact_id,
            result=self.outcome.result.value,
            reason=self.outcome.reason,
            loop_lag_ms_p99=round(self._facilities.lag.p99_ms, 1),
            **last_line(self._call, self._talk.turns.all(), self._queue),
            **self.leg.figures(),
        )

    async def _serve(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._record.renew(lambda: self.leg.start_delay_ms, self._saw), name="renew")
                context = await self._begin()
                if self._base.record_calls:
                    self._audio = CallAudio(self._facilities.shelf, self._call, self._base.keep_days)
                    self.leg.record(self._audio.tape)
                assert self._persona is not None
                shared = Shared(
                    self._talk,
                    self._persona,
                    self.leg,
                    tasks,
                    self._carry_out,
                    self._arm,
                    self._remember,
                    self._overheard,
                )
                self._sessions = Sessions(self._facilities, self._call, shared, resumed=self._resumed)
                tasks.create_task(self.leg.run(), name="leg")
                tasks.create_task(self._listen(), name="listen")
                tasks.create_task(self._speak(self._sessions, context), name="sessions")
                tasks.create_task(self._injections.run(), name="injections")
                tasks.create_task(self._record.write(), name="write")
                tasks.create_task(self._hand_on(), name="hand on")
                if self._audio is not None:
                    tasks.create_task(self._audio.run(), name="audio")
                self._carry_out()
                await self._over.wait()
                raise self._broke or _Over
        except* _Over:
            pass
        except* (LeaseLost, StoreUnavailable) as lost:
            raise _innermost(lost) from None

    def _saw(self, head: Head) -> None:
        """A newer head; the leg looks for itself what an owner before this one has left in it."""
        if self._conversation is not None:
            self.leg.saw(head)
        self._injections.saw(head)

    async def _begin(self) -> Context:
        """Raises StoreUnavailable, LeaseLost."""
        beginning = Beginning(
            self._facilities,
            self._lease,
            self._call,
            self._base,
            self._record,
            self._runner,
            self._ledger,
            self._injections,
        )
        begun = await beginning.begin()
        self._persona, self._conversation = begun.persona, begun.conversation
        self._turns_before = begun.caller_turns
        if begun.asked_since_ms is not None:
            self.leg.asked_before(begun.asked_since_ms)
        self._tell_language()
        if self._stopping:
            self._talk.give_up(self._stopping)
        return begun.context

    def _remember(self) -> Context:
        """The conversation for another session of this gateway. The question that has no answer yet is asked again,
        and with it perhaps the same function: what was entered before is not invoked again for it."""
        functions = list(self._runner.ledger.values())
        self._runner.inherit(functions)
        self._turns_before = self._talk.turns.caller_turns
        return build(self._talk.turns.remembered(), functions)

    async def _speak(self, sessions: Sessions, context: Context) -> None:
        self._talk.give_up(await sessions.run(context))
        self._carry_out()

    # -- the caller ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            event = await self.leg.next_event()
            if isinstance(event, CallerAudio) and self._sessions is not None:
                self._sessions.hear(event)
            self._talk.leg(event, self._clock.now_ms())
            match event:
                case CallerGone(signal):
                    self._finished(signal)
                case LegFailed() if self._talk.ending.step is Step.TAKEN:
                    self._finished("leg_failed")
                case FlowTook():
                    self._took(event)
                case TransferReturned():
                    log.info("flow", contact=self.contact_id, did="TransferReturned")
                    self._ledger.unwished()
            self._carry_out()

    def _took(self, event: FlowTook) -> None:
        log.info("flow", contact=self.contact_id, did="FlowTook")
        self._ledger.left()
        self._left = self._telling.took(event, self._left)

    def _finished(self, signal: str) -> None:
        taken = self._talk.ending.step is Step.TAKEN or signal in ("queued", "ended")
        if taken and self._left is not None:
            result = Result.TRANSFERRED if self._left.queue else Result.ENDED
            self.outcome = Outcome(result, self._left.reason)
        else:
            self.outcome = Outcome(Result.CALLER_HUNG_UP, signal)
        self._over.set()

    # -- carrying out ----------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        """Do what the conversation decided, in order, and note what changed in the transcript."""
        while commands := self._talk.commands():
            for command in commands:
                self._do(command)
        for turn in self._talk.turns.changed():
            self._record.note(turn)
        self._arm()

    def _do(self, command: Command) -> None:
        match command:
            case Tell(message):
                if self._sessions is not None:
                    self._sessions.send(message)
            case EndSpeech():
                self.leg.end_of_speech()
            case ClearSpeech():
                self.leg.clear()
            case Replay(ulaw):
                self._talk.replayed(self.leg.speak(ulaw), command)
            case SayLocally(text):
                self.leg.say(text)
            case StartFunction():
                self._functions[command.id] = self._group.create_task(self._function(command))
            case StopFunction(call_id):
                if (task := self._functions.pop(call_id, None)) is not None:
                    task.cancel()
            case Wish(leave):
                self._ledger.wished(leave, self._talk.turns.caller_turns)
            case Unwish():
                self._ledger.unwished()
            case NoteQuestion(question):
                self._ledger.asked(question, self._talk.turns.caller_turns)
            case Ask(question):
                self.leg.ask(question)
            case Unask():
                self.leg.unask()
            case Answer(call_id, content):
                self._answered(call_id, content)
            case Go(leave, goodbye):
                self._go(leave, goodbye)
            case Stay():
                self.leg.withdraw()  # which may come too late: `_left` stays until something else is decided
            case Reconnect():
                if self._sessions is not None:
                    self._sessions.reconnect()
            case GiveUp(reason):
                self._go(Leave(reason, self._definition.default_queue))
            case Finish():
                pass  # `_listen` knows more about how the caller left

    def _inject(self, injection: Injection) -> None:
        """Somebody outside has something to say: to the caller, or to the agent."""
        if injection.kind is Brought.NOTE:
            assert self._persona is not None
            self._do(Tell(self._persona.instruct(injection.text)))
            self._talk.redefine(self._definition)
        else:
            self._talk.say(injection.text)
        self._carry_out()

    def _overheard(self, message: ServerMessage) -> None:
        self._ledger.overheard(message, self._definition, self._talk.turns.caller_turns)

    def _answered(self, call_id: str, content: str) -> None:
        self._ledger.answered(content)
        result = self._changed(FunctionResult(FunctionState.FINISHED, content))
        self._talk.function_finished(call_id, result, self._clock.now_ms())

    def _go(self, leave: Leave, goodbye: str = "") -> None:
        self._left = leave
        if not leave.queue:
            self.leg.hang_up(leave.reason, goodbye)
            return
        record = self._facilities.announcer.where(self._call)
        attributes = handover(self._call, leave, self._talk.turns, self._runner.ledger.values(), record)
        self._telling.will_hand_over(leave, attributes)
        arn = self._facilities.queue_arns[leave.queue]
        priority = self._definition.priority(leave.queue, leave.why)
        callback = self._definition.queues[leave.queue].otherwise is Otherwise.CALLBACK
        self.leg.transfer(Handover(leave.queue, arn, leave.reason, attributes, priority, callback))

    def _conversed(self) -> Conversed:
        functions = tuple(self._runner.ledger.values())
        return tuple(self._talk.turns.all()), functions, self._definition.keep_days

    async def _function(self, request: StartFunction) -> None:
        turn = self._talk.turns.caller_turns
        if turn > self._turns_before + 1:  # another question: the same call may be wanted again
            self._runner.inherited.clear()
        result = await self._runner.run(self._lease, turn, request)
        self._functions.pop(request.id, None)
        if result.state is not FunctionState.CANCELLED:
            result = self._changed(result)
            self._talk.function_finished(request.id, result, self._clock.now_ms())
            self._carry_out()

    def _changed(self, result: FunctionResult) -> FunctionResult:
        """A result as the model gets it; what it changes of the agent is told first."""
        assert self._persona is not None
        told, updates = self._persona.answered(result)
        for update in updates:
            self._do(Tell(update))
        if updates:
            self._talk.redefine(self._definition)
            self._tell_language()
        return told

    def _tell_language(self) -> None:
        """The flow's own sentences are to be in the agent's language."""
        if self._definition.language != self._flow_speaks:
            self._flow_speaks = self._definition.language
            self._record.note(Speaks(self._flow_speaks))

    # -- time ------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the alarm to the conversation's next deadline."""
        if not self._over.is_set():
            self._alarm.set(self._talk.next_due_ms())

    def _tick(self) -> None:
        self._talk.tick(self._clock.now_ms())

    def _guarded(self, deed: Callable[[], None]) -> None:
        """Outside the call's own tasks, too, a bug ends this call, at a human, and no other one."""
        try:
            deed()
            self._carry_out()
        except Exception as error:  # noqa: BLE001 - raised again in the task of the call
            self._broke = error
            self._over.set()

    async def _hand_on(self) -> None:
        """A caller who is on the way to a human or to a goodbye has no use for another gateway."""
        while True:
            await self._to_hand_on.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    while not self._talk.quiet:  # noqa: ASYNC110 - nobody tells when it is quiet
                        await asyncio.sleep(QUIET_LOOK_S)
            if self._talk.ending.step is Step.NOT and not self._over.is_set():
                self.given_away = True
                self._over.set()
            self._to_hand_on.clear()

    @property
    def _definition(self) -> AgentDefinition:
        return self._persona.definition if self._persona is not None else self._base

    @property
    def _queue(self) -> str:
        """Where the caller went, "" for nowhere."""
        left = self._left if self.outcome.result is Result.TRANSFERRED else None
        return left.queue if left is not None else ""

    @property
    def _talk(self) -> Conversation:
        assert self._conversation is not None
        return self._conversation

    @property
    def _group(self) -> asyncio.TaskGroup:
        assert self._tasks is not None
        return self._tasks
