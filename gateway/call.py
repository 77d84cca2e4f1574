"""One call: a leg, a voice agent, functions, actions, in one task group. It decides nothing: the conversation does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from contract.audio import ULAW_SILENCE
from contract.call import LEASE_MS, MOST_MOVES, RENEW_EVERY_MS, Call, FlowForm, Head, Lease, Result
from contract.errors import LeaseLost, StoreUnavailable
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from definition import AgentDefinition
from definition.languages import chosen
from definition.settings import settings
from definition.templates import Known
from gateway.conversation.commands import (
    ClearSpeech,
    Command,
    EndSpeech,
    Finish,
    FunctionResult,
    GiveUp,
    Go,
    Reconnect,
    Replay,
    SayLocally,
    StartFunction,
    Stay,
    StopFunction,
    Tell,
)
from gateway.conversation.conversation import Conversation
from gateway.conversation.ending import Leave, Step
from gateway.conversation.sentences import so_far
from gateway.facilities import Facilities
from gateway.functions.runner import FunctionRunner
from gateway.handover import handover
from gateway.held_audio import HeldAudio
from gateway.legs.leg import CallerAudio, CallerGone, FlowTook, Handover, Leg, LegFailed, TransferReturned
from gateway.lookup import look_up
from gateway.persona import Persona
from gateway.voice_agent.backoff import Reconnects
from gateway.voice_agent.context import Context, build
from gateway.voice_agent.messages import SettingsApplied, UpdatePrompt
from gateway.voice_agent.protocol import State
from gateway.voice_agent.session import AgentAudio, VoiceAgentSession
from gateway.voice_agent.treatment import SessionEnded

log = structlog.get_logger()

OUTAGE_MS = 15_000  # a caller who has had no voice agent for so long goes to a human
HOLD_MS = 2500  # a caller who hears nothing for so long thinks that the line is dead
WRITE_RETRY_S = 0.5
READ_RETRY_S = 0.5
QUIET_LOOK_S = 0.1


class _Over(Exception):
    """The call is over: leaves the task group."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended for this gateway."""

    result: Result
    reason: str


class LiveCall:
    """Run it once. `stop` may be called at any time."""

    def __init__(self, facilities: Facilities, lease: Lease, head: Head, call: Call) -> None:
        self.contact_id = call.contact_id
        self.outcome = Outcome(Result.NONE, "")
        self._facilities = facilities
        self._store = facilities.store
        self._clock = facilities.clock
        self._lease = lease
        self._lease_until_ms = head.lease_until_ms
        self._call = call
        self._resumed = head.moves > 0
        self._base: AgentDefinition = chosen(facilities.definitions, call.agent)
        self._persona: Persona | None = None
        self._leg: Leg = facilities.open_leg(lease, head, call)
        self._conversation: Conversation | None = None
        self._session: VoiceAgentSession | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._functions: dict[str, asyncio.Task[None]] = {}
        self._runner = FunctionRunner(
            facilities.store,
            facilities.invoker,
            facilities.clock,
            call,
            {function.name: function for function in self._base.lambdas},
        )
        self._turns: asyncio.Queue[Turn] = asyncio.Queue()
        self._over = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ms = 0
        self._left: Leave | None = None
        self._turns_before = 0  # caller turns that are known from before this Deepgram session
        self._held = HeldAudio()
        self._renewing = False
        self._hold: asyncio.TimerHandle | None = None
        self._mute = 0
        self._stopping = ""
        self._moves = head.moves
        self._handing_on: asyncio.Task[None] | None = None
        self.given_away = False

    @property
    def movable(self) -> bool:
        """Another gateway may go on with it. A SIP dialog stays where it is."""
        return self._tasks is not None and self._moves < MOST_MOVES and self._call.form is not FlowForm.SIP

    @property
    def leaving(self) -> bool:
        """It waits for a quiet moment to be given away."""
        return self._handing_on is not None

    def hand_on(self, patience_s: float) -> bool:
        """Give the call to another gateway: at a quiet moment, or after `patience_s` at any. False: under way."""
        if self._handing_on is not None:
            return False
        self._facilities.told("hand_on", patience_s)
        self._handing_on = self._group.create_task(self._hand_on(patience_s), name="hand on")
        return True

    def stop(self, reason: str) -> None:
        """Hand the caller to a human now, with this reason."""
        self._facilities.told("stop", reason)
        self._stopping = self._stopping or reason
        if self._conversation is not None:
            self._conversation.give_up(reason)
            self._carry_out()

    async def run(self) -> Outcome:
        """Serve the caller to the end; the record is closed when it returns.

        Raises:
            LeaseLost: another gateway owns the call now; this one has stopped.
        """
        log.info("call_taken", contact=self.contact_id, epoch=self._lease.epoch, agent=self._call.agent)
        try:
            await self._serve()
        finally:
            self._unbridge()
            if self._alarm is not None:
                self._alarm.cancel()
        if self.given_away:
            await self._until_written(self._give_away)
            log.info("call_given_away", contact=self.contact_id, epoch=self._lease.epoch)
            return self.outcome
        await self._until_written(self._end)
        await self._leg.close()
        log.info(
            "call_over",
            contact=self.contact_id,
            result=self.outcome.result.value,
            reason=self.outcome.reason,
            loop_lag_ms_p99=round(self._facilities.lag.p99_ms, 1),
            **self._leg.figures(),
        )
        return self.outcome

    async def _serve(self) -> None:
        context = await self._begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._leg.run(), name="leg")
                tasks.create_task(self._listen(), name="listen")
                tasks.create_task(self._sessions(context), name="sessions")
                tasks.create_task(self._renew(), name="renew")
                tasks.create_task(self._write(), name="write")
                self._carry_out()
                await self._over.wait()
                raise _Over
        except* _Over:
            pass
        except* LeaseLost as lost:
            raise lost.exceptions[0] from None

    async def _begin(self) -> Context:
        """What is known of the conversation so far, empty at the start of a call."""
        turns, functions = await self._recorded()
        first = max((turn.number for turn in turns), default=0) + 1
        self._inherit(functions, sum(turn.role is Role.CALLER for turn in turns))
        self._persona = await self._known(functions)
        self._conversation = Conversation(self._definition, self._clock.now_ms(), first_turn=first, earlier=turns)
        opening = self._call.opening
        if opening is not None and not turns:
            self._conversation.opening(opening.text, opening.duration_ms)
        if self._stopping:
            self._conversation.give_up(self._stopping)
        return build(turns, functions)

    async def _known(self, functions: Sequence[FunctionEntry]) -> Persona:
        """The agent as this caller meets it."""
        looked_up = await look_up(self._runner, self._lease, self._base.lookup) if self._base.lookup else {}
        call, zone = self._call, self._base.time_zone
        known = Known(self._clock.now_ms(), zone, call.caller_number, call.attributes, looked_up)
        persona = Persona(self._base, known, self._facilities.secrets)
        persona.remember(functions)
        return persona

    async def _recorded(self) -> tuple[Sequence[Turn], Sequence[FunctionEntry]]:
        """The transcript and the ledger. A store that is away is waited for as long as the lease lasts.

        Raises:
            LeaseLost: that long.
        """
        while True:
            try:
                return await self._store.turns(self.contact_id), await self._store.functions(self.contact_id)
            except StoreUnavailable as error:
                log.error("record_not_read", contact=self.contact_id, cause=error.cause)
            self._check_lease()
            await asyncio.sleep(READ_RETRY_S)

    def _inherit(self, functions: Sequence[FunctionEntry], caller_turns: int) -> None:
        """What was entered for a session before this one is not invoked again for the same question."""
        self._runner.inherit(functions)
        self._turns_before = caller_turns

    # -- the voice agent -------------------------------------------------------------------------------------

    async def _sessions(self, context: Context) -> None:
        """One Deepgram session after the other, until the call is over or none can be had."""
        reconnects = Reconnects(self._facilities.random)
        lost_ms: int | None = None
        while True:
            greet = not context.messages and self._call.opening is None
            ended = await self._one_session(context, greet=greet)
            if ended.lived_ms and ended.request_id:
                lost_ms = None
            now = self._clock.now_ms()
            lost_ms = now if lost_ms is None else lost_ms
            self._held.lost(self._talk.open_turn_ms(now))
            delay = 0 if self._mute == 1 or self._renewing else reconnects.delay_ms(ended)
            self._renewing = False
            if delay is None or now + delay - lost_ms > OUTAGE_MS or self._mute > 1:
                self._give_up("voice_agent_mute" if self._mute > 1 else f"voice_agent_{ended.code.lower()}")
                return
            log.warning("voice_agent_lost", contact=self.contact_id, code=ended.code, retry_ms=delay)
            self._bridge()
            await asyncio.sleep(delay / 1000)
            turns, functions = await self._recorded()
            # The question that has no answer yet is asked again, and with it perhaps the same function.
            self._inherit(functions, self._talk.turns.caller_turns)
            context = build(turns, functions)

    async def _one_session(self, context: Context, *, greet: bool) -> SessionEnded:
        configured = settings(
            self._definition,
            greeting=self._definition.opening if greet else None,
            context_messages=context.messages,
            secrets=self._facilities.secrets,
        )
        session = VoiceAgentSession(self._facilities.connector, configured, self._clock)
        running = self._group.create_task(session.run(), name="session")
        self._session = session
        try:
            return await self._converse(session, context)
        finally:
            self._session = None
            running.cancel()

    async def _converse(self, session: VoiceAgentSession, context: Context) -> SessionEnded:
        conversation = self._talk
        async for event in session.events():
            now = self._clock.now_ms()
            if isinstance(event, AgentAudio):
                self._mute = 0
                if conversation.audio(event.audio, now):
                    conversation.spoken(self._leg.speak(event.audio), event.audio, now)
                self._arm()
                continue
            if isinstance(event, SessionEnded):
                return event
            if isinstance(event, SettingsApplied):
                self._unbridge()
                self._remind(session, context)
                conversation.session_changed(context.unanswered, now)
            conversation.message(event, now)
            self._carry_out()
        raise AssertionError("a session's last event is SessionEnded")

    def _remind(self, session: VoiceAgentSession, context: Context) -> None:
        """A stored agent takes no context in its Settings."""
        if self._definition.agent_id and context.messages:
            session.send(UpdatePrompt(so_far(context.messages)))

    def _bridge(self) -> None:
        """Should the next session be long in coming, the flow's own voice says something."""
        if self._hold is None:
            self._hold = asyncio.get_running_loop().call_later(HOLD_MS / 1000, self._say_hold)

    def _unbridge(self) -> None:
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def _say_hold(self) -> None:
        if not self._talk.parked and not self._over.is_set():
            self._leg.say(self._definition.sentences.one_moment)

    # -- the caller ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            event = await self._leg.next_event()
            now = self._clock.now_ms()
            if isinstance(event, CallerAudio):
                self._heard(event)
            self._talk.leg(event, now)
            match event:
                case CallerGone(signal):
                    self._finished(signal)
                case LegFailed() if self._talk.ending.step is Step.TAKEN:
                    self._finished("leg_failed")
                case FlowTook() | TransferReturned():
                    log.info("flow", contact=self.contact_id, did=type(event).__name__)
            self._carry_out()

    def _heard(self, audio: CallerAudio) -> None:
        """Caller audio to the session; what comes while there is none waits for the next."""
        # On the way to a human the caller speaks to nobody; silence keeps the session until they come back.
        ulaw = ULAW_SILENCE * len(audio.ulaw) if self._talk.parked else audio.ulaw
        self._held.push(audio.media_ms, ulaw)
        session = self._session
        if session is None or session.state is not State.APPLIED:
            self._held.wait()
            return
        for frame in self._held.due():
            session.send_audio(frame)
        if session.ends_at_ms is not None and self._talk.quiet:
            self._renewing = True  # before the service ends it, and at a moment when nobody notices
            session.close()

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
        for command in self._talk.commands():
            self._do(command)
        for turn in self._talk.turns.changed():
            self._turns.put_nowait(turn)
        self._arm()

    def _do(self, command: Command) -> None:
        match command:
            case Tell(message):
                if self._session is not None:
                    self._session.send(message)
            case EndSpeech():
                self._leg.end_of_speech()
            case ClearSpeech():
                self._leg.clear()
            case Replay(ulaw):
                self._talk.replayed(self._leg.speak(ulaw), command)
            case SayLocally(text):
                self._leg.say(text)
            case StartFunction():
                self._functions[command.id] = self._group.create_task(self._function(command))
            case StopFunction(call_id):
                if (task := self._functions.pop(call_id, None)) is not None:
                    task.cancel()
            case Go(leave):
                self._go(leave)
            case Stay():
                self._leg.withdraw()  # which may come too late: `_left` stays until something else is decided
            case Reconnect():
                self._reconnect()
            case GiveUp(reason):
                self._go(Leave(reason, self._definition.default_queue))
            case Finish():
                pass  # `_listen` knows more about how the caller left

    def _go(self, leave: Leave) -> None:
        self._left = leave
        if not leave.queue:
            self._leg.hang_up(leave.reason)
            return
        attributes = handover(self._call, leave, self._talk.turns, self._runner.ledger.values())
        arn = self._facilities.queue_arns[leave.queue]
        self._leg.transfer(Handover(leave.queue, arn, leave.reason, attributes))

    def _reconnect(self) -> None:
        self._mute += 1
        if self._session is not None:
            self._session.close()

    def _give_up(self, reason: str) -> None:
        self._talk.give_up(reason)
        self._carry_out()

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
        return told

    # -- time and the record ---------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the alarm to the conversation's next deadline. One that rings too early sets itself again, so that
        a frame of agent audio, which puts deadlines off, costs no timer."""
        due = self._talk.next_due_ms()
        if due is None or self._over.is_set() or (self._alarm is not None and self._alarm_ms <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        delay = max(0, due - self._clock.now_ms()) / 1000
        self._alarm_ms = due
        self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._talk.tick(self._clock.now_ms())
        self._carry_out()

    async def _renew(self) -> None:
        """Keep the lease. A gateway that cannot renew stops before somebody else may begin."""
        while True:
            await asyncio.sleep(RENEW_EVERY_MS / 1000)
            self._check_lease()
            now = self._clock.now_ms()
            try:
                head = await self._store.renew(self._lease, now, LEASE_MS, self._leg.start_delay_ms)
            except StoreUnavailable as error:
                log.error("lease_not_renewed", contact=self.contact_id, cause=error.cause)
                continue
            self._lease_until_ms = now + LEASE_MS
            self._leg.saw(head)

    def _check_lease(self) -> None:
        """Raises LeaseLost once the lease has run out by our own clock."""
        if self._clock.now_ms() >= self._lease_until_ms:
            raise LeaseLost(self.contact_id, self._lease.epoch)

    async def _write(self) -> None:
        """Write turns as they change; one that cannot be written now is tried again until the call is over."""
        while True:
            turn = await self._turns.get()
            if not await self._put(turn):
                await asyncio.sleep(WRITE_RETRY_S)
                self._turns.put_nowait(turn)

    async def _put(self, turn: Turn) -> bool:
        try:
            await self._store.put_turn(self._lease, turn)
        except StoreUnavailable as error:
            log.error("turn_not_written", contact=self.contact_id, cause=error.cause)
            return False
        return True

    async def _hand_on(self, patience_s: float) -> None:
        """A caller who is on the way to a human or to a goodbye has no use for another gateway."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not self._talk.quiet:  # noqa: ASYNC110 - nobody tells when it is quiet
                    await asyncio.sleep(QUIET_LOOK_S)
        self._handing_on = None
        if self._talk.ending.step is Step.NOT and not self._over.is_set():
            self.given_away = True
            self._over.set()

    async def _until_written(self, last: Callable[[], Awaitable[bool]]) -> None:
        """Write what is left, and `last` of all that. What fails is tried again while the lease lasts."""
        left = [*_drained(self._turns), *self._talk.turns.changed()]
        while True:
            left = [turn for turn in left if not await self._put(turn)]
            if not left and await last():
                break
            if self._clock.now_ms() >= self._lease_until_ms:
                log.error("record_not_closed", contact=self.contact_id, turns=len(left))
                break
            await asyncio.sleep(WRITE_RETRY_S)

    async def _give_away(self) -> bool:
        try:
            await self._store.give_away(self._lease)
        except StoreUnavailable as error:  # the lease runs out by itself
            log.error("not_given_away", contact=self.contact_id, cause=error.cause)
            return False
        return True

    async def _end(self) -> bool:
        try:
            await self._store.end(self._lease, self.outcome.result, self.outcome.reason, self._clock.now_ms())
        except StoreUnavailable as error:
            log.error("record_not_ended", contact=self.contact_id, cause=error.cause)
            return False
        return True

    @property
    def _definition(self) -> AgentDefinition:
        return self._persona.definition if self._persona is not None else self._base

    @property
    def _talk(self) -> Conversation:
        assert self._conversation is not None
        return self._conversation

    @property
    def _group(self) -> asyncio.TaskGroup:
        assert self._tasks is not None
        return self._tasks


def _drained(queue: asyncio.Queue[Turn]) -> Sequence[Turn]:
    return [queue.get_nowait() for _ in range(queue.qsize())]
