"""What a conversation has decided, for the call to carry out, and what the voice agent is made to say. No I/O."""

from __future__ import annotations

from gateway.conversation.commands import Command, SayLocally, Tell
from gateway.conversation.gate import Gate
from gateway.conversation.insisting import Insisting
from gateway.voice_agent.messages import InjectAgentMessage, InjectBehavior


class Decisions:
    """Commands in their order. `away`: there is no session of the voice agent; the flow's own voice says what must be
    said."""

    def __init__(self, gate: Gate) -> None:
        self.away = False
        self._gate = gate
        self._commands: list[Command] = []
        self._insisting = Insisting()

    def do(self, *commands: Command) -> None:
        self._commands += commands

    def take(self) -> list[Command]:
        """What is to be done now; asking empties the list."""
        commands, self._commands = self._commands, []
        return commands

    def inject(self, sentence: str, behavior: InjectBehavior = InjectBehavior.DEFAULT) -> None:
        """The agent is to say this, unless somebody speaks and `behavior` gives way to them."""
        self._gate.open()
        if self.away:
            self.do(SayLocally(sentence))
            return
        self._insisting.injected()
        self.do(Tell(InjectAgentMessage(sentence, behavior)))

    def insist(self, sentence: str) -> None:
        """After what the agent is saying; should the caller be speaking, after their turn, and should the session break
        before it is said, by the next one (`insist_again`)."""
        self.inject(sentence, InjectBehavior.QUEUE)
        if not self.away:
            self._insisting.sent(sentence)

    def insist_again(self) -> None:
        """The caller has finished, or there is another session."""
        for sentence in self._insisting.again():
            self.insist(sentence)

    def agent_said(self, text: str) -> None:
        self._insisting.spoken(text)

    def agent_done(self) -> None:
        """All audio of what the agent says was sent."""
        self._insisting.audio_done()

    def refused(self, told_by: str) -> None:
        """An injection was not spoken, as a message says or a warning: `told_by`."""
        self._insisting.refused(told_by)

    def session_lost(self) -> None:
        """There is no session until there is another one."""
        self.away = True
        self._insisting.lost()
