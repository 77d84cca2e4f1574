"""Openings: the first sentence of each agent definition, rendered beforehand in the agent's own voice.

The flow plays it at once, before any model or socket is in the way of the first word. It is spoken by a Voice
Agent session whose greeting it is, so that it sounds like everything after it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace

import structlog

from contract.audio import BYTES_PER_MS, ulaw_ms
from contract.call import Opening
from contract.errors import VoiceAgentError
from definition import AgentDefinition
from definition.settings import settings
from definition.templates import is_fixed
from gateway.facilities import Facilities
from gateway.legs.kvs.prompts import Prompts
from gateway.legs.kvs.wav import ulaw_wav
from gateway.legs.leg import rendered_name
from gateway.telemetry.bounds import Bound, reached
from gateway.voice_agent.messages import AgentAudioDone
from gateway.voice_agent.session import AgentAudio, SessionEvent, VoiceAgentSession
from gateway.voice_agent.treatment import SessionEnded

log = structlog.get_logger()

RENDER_S = 20.0
LONGEST_BYTES = 30_000 * BYTES_PER_MS  # half a minute of opening; a caller has hung up by then
AGAIN_S = 60.0
QUIET_S = 0.5  # after AgentAudioDone: audio may still follow


class OpeningNotRendered(VoiceAgentError):
    def __init__(self, agent: str, why: str) -> None:
        super().__init__(agent, why)
        self.agent = agent
        self.why = why

    def __str__(self) -> str:
        return f"the opening of {self.agent} could not be rendered ({self.why}); its calls begin with a spoken greeting"


def opening_key(definition: AgentDefinition) -> str:
    """Names what the caller hears: the same text in the same voice is rendered once."""
    speak = [{"provider": dict(entry.provider)} for entry in definition.speak]
    what = json.dumps([definition.opening, speak], sort_keys=True)
    return f"openings/{definition.name}-{hashlib.sha256(what.encode()).hexdigest()[:24]}.wav"


async def keep_openings_rendered(facilities: Facilities, prompts: Prompts) -> None:
    """Render the openings now, and what could not be rendered again every minute: the key may come later."""
    while not await render_openings(facilities, prompts):  # noqa: ASYNC110 - nobody tells when the key is there
        await asyncio.sleep(AGAIN_S)


def _questions(definition: AgentDefinition) -> list[AgentDefinition]:
    """The prompts of what may be typed, each as the opening of an agent that says nothing else."""
    if definition.agent_id:
        return []
    return [
        replace(definition, name=rendered_name(definition.name, each.name), opening=each.prompt)
        for each in definition.collect.values()
    ]


async def render_openings(facilities: Facilities, prompts: Prompts) -> bool:
    """Render what is new. A failure is logged and leaves that agent without a rendered opening; True without one."""
    complete = True
    agents = facilities.definitions.values()
    for definition in [*agents, *(question for agent in agents for question in _questions(agent))]:
        try:
            if is_fixed(definition) and not definition.agent_id:
                await _render_once(facilities, prompts, definition)
            else:
                await _leave_to_the_agent(facilities, definition)
        except (VoiceAgentError, ValueError) as error:
            complete = False
            log.error("opening_not_rendered", agent=definition.name, why=str(error))
    return complete


async def _leave_to_the_agent(facilities: Facilities, definition: AgentDefinition) -> None:
    """What is said depends on who calls: the agent says it. An opening of an older release must not be played."""
    known = await facilities.store.opening(definition.name)
    if known is not None and known.url:
        await facilities.store.put_opening(definition.name, Opening("", "", 0))
    log.info("opening_left_to_the_agent", agent=definition.name)


async def _render_once(facilities: Facilities, prompts: Prompts, definition: AgentDefinition) -> None:
    key = opening_key(definition)
    known = await facilities.store.opening(definition.name)
    if known is not None and known.url.endswith(key):
        return
    audio = await _speak(facilities, definition)
    url = await prompts.put(key, ulaw_wav(audio))
    await facilities.store.put_opening(definition.name, Opening(url, definition.opening, ulaw_ms(audio)))
    log.info("opening_rendered", agent=definition.name, duration_ms=ulaw_ms(audio))


async def _speak(facilities: Facilities, definition: AgentDefinition) -> bytes:
    """The opening as µ-law. Raises OpeningNotRendered, SecretMissing."""
    configured = settings(definition, greeting=definition.opening, secrets=facilities.secrets)
    session = VoiceAgentSession(facilities.connector, configured, facilities.clock)
    greeting = _Greeting(definition.name)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session.run())
        try:
            async with asyncio.timeout(RENDER_S) as limit:
                async for event in session.events():
                    if greeting.hear(event):
                        limit.reschedule(asyncio.get_running_loop().time() + QUIET_S)
        except TimeoutError:
            session.close()
        await running
    return greeting.audio()


class _Greeting:
    """The audio of one session, until nothing has followed its AgentAudioDone for a while."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._audio = bytearray()
        self._done = False
        self._ended = ""

    def hear(self, event: SessionEvent) -> bool:
        """True when the end may be near, again for audio that comes after an AgentAudioDone all the same."""
        if isinstance(event, AgentAudio):
            room = LONGEST_BYTES - len(self._audio)
            self._audio += event.audio[:room]
            if len(event.audio) > room:
                reached(Bound.OPENING)
            return self._done
        if isinstance(event, AgentAudioDone):
            self._done = bool(self._audio)
            return self._done
        if isinstance(event, SessionEnded):
            self._ended = event.code
        return False

    def audio(self) -> bytes:
        """Raises OpeningNotRendered when it is not known to be whole."""
        if self._done:
            return bytes(self._audio)
        why = self._ended or (f"no end of its audio within {RENDER_S:.0f} s" if self._audio else "no audio")
        raise OpeningNotRendered(self._agent, why)
