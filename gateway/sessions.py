"""The voice agent of one call: one Deepgram session after the other, as the caller's one conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from contract.audio import ULAW_SILENCE
from contract.call import Call
from definition.settings import settings
from gateway.conversation.conversation import Conversation
from gateway.conversation.ending import Step
from gateway.conversation.sentences import so_far
from gateway.facilities import Facilities
from gateway.held_audio import HeldAudio
from gateway.legs.leg import CallerAudio, Leg
from gateway.persona import Persona
from gateway.voice_agent.backoff import Reconnects
from gateway.voice_agent.context import Context
from gateway.voice_agent.messages import ClientMessage, ServerMessage, SettingsApplied, UpdatePrompt
from gateway.voice_agent.protocol import State
from gateway.voice_agent.session import AgentAudio, VoiceAgentSession
from gateway.voice_agent.treatment import CONNECTION_LOST, SEND_STALLED, SessionEnded

log = structlog.get_logger()

OUTAGE_MS = 15_000  # a caller who has had no voice agent for so long goes to a human
# After a takeover the service may count the dead gateway's session for a while, and the caller has waited already for
# the lease: they would rather go on than begin anew.
TAKEOVER_OUTAGE_MS = 20_000
HOLD_MS = 2000  # a caller who hears nothing for so long thinks that the line is dead
LOOK_AGAIN_MS = 250


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sessions have in common with the call. `carry_out`: do what the conversation decided; `arm`: its next
    deadline may have changed; `remember`: the conversation as a new session has to know it; `overheard`: gets every
    message of the service, for the record."""

    conversation: Conversation
    persona: Persona
    leg: Leg
    tasks: asyncio.TaskGroup
    carry_out: Callable[[], None]
    arm: Callable[[], None]
    remember: Callable[[], Context]
    overheard: Callable[[ServerMessage], None]


class Sessions:
    def __init__(self, facilities: Facilities, call: Call, shared: Shared, *, resumed: bool) -> None:
        """`resumed`: another gateway had the call before."""
        self._facilities = facilities
        self._clock = facilities.clock
        self._call = call
        self._shared = shared
        self._talk = shared.conversation
        self._resumed = resumed
        self._held = HeldAudio()
        self._session: VoiceAgentSession | None = None
        self._understood_ms: int | None = None  # media time of what the session had when it last said anything
        self._reconnects = Reconnects(facilities.random, waits_for_room=resumed)
        self._lost_ms: int | None = None
        self._renewing = False
        self._mute = 0
        self._bridging = False
        self._hold: asyncio.TimerHandle | None = None

    async def run(self, context: Context) -> str:
        """Until no session can be had; returns why, as a reason for the record."""
        while True:
            ended = await self._one(context)
            delay = self._delay_ms(ended)
            if delay is None:
                return "voice_agent_mute" if self._mute > 1 else f"voice_agent_{ended.code.lower()}"
            session = ended.request_id  # of the line `session_ended`, which knows no contact
            contact = self._call.contact_id
            log.warning("voice_agent_lost", contact=contact, code=ended.code, retry_ms=delay, request_id=session)
            self._bridge()
            await asyncio.sleep(delay / 1000)
            context = self._shared.remember()

    # -- what the call asks for ------------------------------------------------------------------------------

    def send(self, message: ClientMessage) -> None:
        """To the session, if there is one."""
        if self._session is not None:
            self._session.send(message)

    def hear(self, audio: CallerAudio) -> None:
        """Caller audio to the session; what comes while there is none waits for the next. Runs for every frame."""
        # On the way to a human the caller speaks to nobody; silence keeps the session until they come back.
        ulaw = ULAW_SILENCE * len(audio.ulaw) if self._talk.parked else audio.ulaw
        self._held.push(audio.media_ms, ulaw, speech=audio.speech and not self._talk.parked)
        session, now = self._session, self._clock.now_ms()
        if session is None or session.state is not State.APPLIED:
            self._held.wait(now)
            return
        for frame in self._held.due(now):
            session.send_audio(frame)
        if session.ends_at_ms is not None and self._talk.quiet:
            self._renewing = True  # before the service ends it, and at a moment when nobody notices
            session.close()

    def reconnect(self) -> None:
        """The agent is mute: another session, once."""
        self._mute += 1
        if self._session is not None:
            self._session.close()

    def close(self) -> None:
        """The call is over: no timer of ours rings any more."""
        self._unbridge()

    # -- one session -----------------------------------------------------------------------------------------

    async def _one(self, context: Context) -> SessionEnded:
        greet = not context.messages and not context.unanswered and self._call.opening is None
        definition = self._shared.persona.definition
        configured = settings(
            definition,
            greeting=definition.opening if greet else None,
            context_messages=context.messages,
            secrets=self._facilities.secrets,
        )
        session = VoiceAgentSession(self._facilities.connector, configured, self._clock)
        running = self._shared.tasks.create_task(session.run(), name="session")
        self._session, self._understood_ms = session, None
        try:
            return await self._converse(session, context)
        finally:
            self._session = None
            running.cancel()

    async def _converse(self, session: VoiceAgentSession, context: Context) -> SessionEnded:
        conversation = self._talk
        async for event in session.events():
            now = self._clock.now_ms()
            if isinstance(event, SessionEnded):
                return event
            self._understood_ms = self._held.sent_ms or 0
            if isinstance(event, AgentAudio):
                self._mute = 0
                if conversation.audio(event.audio, now):
                    conversation.spoken(self._shared.leg.speak(event.audio), event.audio, now)
                self._shared.arm()
                continue
            if isinstance(event, SettingsApplied):
                self._unbridge()
                self._remind(session, context)
                conversation.session_changed(context.unanswered, now)
            self._shared.overheard(event)
            conversation.message(event, now)
            self._shared.carry_out()
        raise AssertionError("a session's last event is SessionEnded")

    def _remind(self, session: VoiceAgentSession, context: Context) -> None:
        """A stored agent takes no context in its Settings."""
        if self._shared.persona.definition.agent_id and context.messages:
            session.send(UpdatePrompt(so_far(context.messages)))

    def _delay_ms(self, ended: SessionEnded) -> int | None:
        """When to try again, in ms from now; None: not any more."""
        now = self._clock.now_ms()
        if self._lost_ms is None or (ended.lived_ms and ended.request_id):
            self._lost_ms = now
        self._held.lost(self._unheard_since_ms(ended, now))
        self._talk.session_lost(now)
        self._shared.carry_out()
        at_once, self._renewing = self._mute == 1 or self._renewing, False
        delay = 0 if at_once else self._reconnects.delay_ms(ended)
        outage_ms = TAKEOVER_OUTAGE_MS if self._resumed else OUTAGE_MS
        too_late = delay is None or now + delay - self._lost_ms > outage_ms
        return None if too_late or self._mute > 1 else delay

    def _unheard_since_ms(self, ended: SessionEnded, now_ms: int) -> int:
        """Where the open turn began. Of a connection that was dead nobody knows since when: what was said after the
        service's last message may never have come there."""
        open_ms = self._talk.open_turn_ms(now_ms)
        if ended.code not in (CONNECTION_LOST, SEND_STALLED) or self._understood_ms is None:
            return open_ms
        return min(open_ms, self._understood_ms)

    # -- while there is none ---------------------------------------------------------------------------------

    def _bridge(self) -> None:
        """Should the next session be long in coming, the flow's own voice says something, once."""
        if not self._bridging:
            self._bridging = True
            self._hold = asyncio.get_running_loop().call_later(HOLD_MS / 1000, self._say_hold)

    def _unbridge(self) -> None:
        self._bridging = False
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def _say_hold(self) -> None:
        """Not into what is said anyway, be it what the agent has left to say or the caller's own words, and not to who
        is on the way out."""
        self._hold = None
        if self._talk.ending.step is not Step.NOT:
            return
        if self._talk.silent:
            self._shared.leg.say(self._shared.persona.definition.sentences.one_moment)
        else:
            self._hold = asyncio.get_running_loop().call_later(LOOK_AGAIN_MS / 1000, self._say_hold)
