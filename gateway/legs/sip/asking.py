"""Questions that the caller answers with keys: their prompts, what is pressed, and what becomes of it. A shell around
`keypad`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from contract.call import Call
from contract.errors import StoreUnavailable
from gateway.legs.leg import KeyPressed, Keys, KeysTaken, LegEvent, Question, rendered_name
from gateway.legs.sip.keypad import Keypad
from gateway.legs.sip.line import Line
from gateway.legs.sip.services import SipServices

log = structlog.get_logger()

MOST_QUESTIONS = 8  # the conversation has one open at a time


@dataclass(frozen=True, slots=True)
class _Typed:
    """Secret digits on their way."""

    question: Question
    digits: str = field(repr=False)


class Asking:
    """`emit` takes what happens. `run` works until it is cancelled."""

    def __init__(self, services: SipServices, line: Line, call: Call, emit: Callable[[LegEvent], None]) -> None:
        self._services = services
        self._line = line
        self._call = call
        self._emit = emit
        self._keypad = Keypad()
        self._questions: asyncio.Queue[Question | _Typed] = asyncio.Queue(MOST_QUESTIONS)
        self._wanted: Question | None = None

    def ask(self, question: Question) -> None:
        self._wanted = question
        self._questions.put_nowait(question)

    def unask(self) -> None:
        """Unless a key was pressed: then what was asked for may come all the same."""
        if self._keypad.begun:
            return
        if self._keypad.open:
            self._line.stream.playout.tone(b"")
            self._keypad.close()
            self._emit(KeysTaken(Keys.NEVER))
        self._wanted = None

    @property
    def deaf(self) -> bool:
        """A secret is typed: nobody is to hear what the caller's line brings."""
        return self._keypad.deaf(self._services.clock.now_ms())

    @property
    def openly(self) -> bool:
        """What is pressed answers a question that is no secret."""
        return self._keypad.question is not None and not self._keypad.question.secret

    @property
    def open(self) -> bool:
        """A question was put, and is not answered."""
        return self._keypad.open

    def pressed(self, keys: str, now_ms: int) -> None:
        """Keys answer the question that is open; else the call is told of them."""
        keypad, playout = self._keypad, self._line.stream.playout
        for key in keys:
            if keypad.question is None:
                self._emit(KeyPressed(key, now_ms))
            else:
                playout.tone(b"")
                self._typed(keypad.question, keypad.key(key, now_ms))
        if keypad.question is not None:
            if playout.tone_plays:
                keypad.prompting(now_ms)
            self._typed(keypad.question, keypad.due(now_ms))

    def _typed(self, question: Question, digits: str | None) -> None:
        """All that comes of a question, if it is over."""
        if digits and question.secret:
            self._questions.put_nowait(_Typed(question, digits))
        elif digits is not None:
            self._emit(KeysTaken(Keys.TAKEN, digits))

    async def run(self) -> None:
        """Put questions, and pass secrets on, one after the other."""
        while True:
            match await self._questions.get():
                case _Typed(question, digits):
                    self._emit(KeysTaken(Keys.TAKEN, await self._services.pass_on(self._call, question, digits)))
                case question:
                    await self._put(question)

    async def _put(self, question: Question) -> None:
        """There is no voice on this line to speak a prompt that was not rendered: then the agent asks by itself. So it
        does where no key can come."""
        if not self._line.stream.takes_keys:
            log.warning("no_keys_on_this_line", contact=self._call.contact_id, question=question.name)
            self._emit(KeysTaken(Keys.UNAVAILABLE))
            return
        prompt = await self._prompt(question)
        if self._wanted is not question:
            self._emit(KeysTaken(Keys.NEVER))
        elif not prompt:
            log.warning("question_not_rendered", contact=self._call.contact_id, question=question.name)
            self._emit(KeysTaken(Keys.UNAVAILABLE))
        else:
            self._line.stream.playout.tone(prompt)
            self._keypad.begin(question, self._services.clock.now_ms())

    async def _prompt(self, question: Question) -> bytes:
        """µ-law; empty when it cannot be had."""
        try:
            rendered = await self._services.store.opening(rendered_name(question.agent, question.name))
        except StoreUnavailable as error:
            log.error("prompt_not_found", contact=self._call.contact_id, cause=error.cause)
            return b""
        there = rendered is not None and rendered.url and rendered.text == question.prompt
        return await self._services.opening(rendered.url) if there and rendered is not None else b""
