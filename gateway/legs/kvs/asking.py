"""A question that the caller answers with keys, from the wish to what the flow says of it. A core without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contract.actions import Action, Collect, Numbered, Outcome, Say
from contract.call import Head, Opening
from gateway.legs.leg import Keys, KeysTaken, Question

TERMINATOR = "#"  # the flow's, as its limits are: GetParticipantInput takes no references there
TIMEOUT_S = 10


@dataclass(slots=True)
class Asking:
    """`waiting` is put into the log next; `_seq` is there, and the flow has not come back from it. `_said`: the prompt
    of what waits is there, as a text. `_trying`: the sequence that the question itself gets, or has got without an
    answer of the table."""

    waiting: Question | None = None
    secret: bool = False  # of what is asked: meanwhile nothing is streamed
    _said: int = 0
    _trying: int = 0
    _seq: int = 0
    _since_ms: int | None = None

    @property
    def open(self) -> bool:
        """The flow has a question, or will have."""
        return bool(self._seq)

    @property
    def deaf(self) -> bool:
        """The flow takes a secret, and has stopped streaming for it."""
        return self.secret and self.open

    def ask(self, question: Question) -> None:
        self.waiting, self._said = question, 0

    @property
    def unclear(self) -> bool:
        """What waits may be in the log."""
        return self.waiting is not None and bool(self._trying)

    def unask(self) -> tuple[int, KeysTaken | None]:
        """Take it back. Returns the sequence that is to be cancelled, 0 for none, and where it was never put that it
        was not: the flow has nothing to say of it."""
        never = self.waiting is not None and not self._seq and not self._trying
        self.waiting = None
        return self._seq or self._trying or (self._said if never else 0), KeysTaken(Keys.NEVER) if never else None

    def next_action(self, question: Question, rendered: Opening | None, once: str) -> Action:
        """What to append: a question whose clip there is not is spoken by the flow's own voice first."""
        url = rendered.url if rendered is not None and rendered.text == question.prompt else ""
        if not url and not self._said:
            return Say(question.prompt)
        return Collect(
            url,
            question.most,
            TERMINATOR,
            TIMEOUT_S,
            question.secret,
            question.name,
            question.function,
            question.parameter,
            once,
        )

    def trying(self, seq: int, action: Action) -> None:
        """`action` is being appended."""
        if isinstance(action, Collect):
            self._trying, self.secret = seq, action.secret

    def appended(self, seq: int, question: Question, action: Action) -> bool:
        """It is in the log; False when the question was taken back meanwhile, and it has to be cancelled."""
        wanted = self.waiting is question
        if isinstance(action, Collect):
            self._seq, self._trying = seq, 0
            self.waiting = None if wanted else self.waiting
        elif wanted:
            self._said = seq
        return wanted

    def settled(self, last_seq: int) -> KeysTaken | None:
        """What may have been in the log is cancelled, and the log ends there. None where the flow has the last word."""
        trying, self._trying = self._trying, 0
        if 0 < trying <= last_seq:
            self._seq, self.waiting = trying, None
            return None
        return KeysTaken(Keys.NEVER) if trying and self.waiting is None else None

    # -- after a takeover ------------------------------------------------------------------------------------

    def asked_before(self, since_ms: int) -> None:
        self._since_ms = since_ms

    def adopt(self, log: Iterable[Numbered]) -> KeysTaken | None:
        """Find in the log what the owner before asked; without it, it was never put."""
        since, self._since_ms = self._since_ms, None
        if since is None:
            return None
        for line in log:
            if isinstance(line.action, Collect) and line.appended_at_ms >= since:
                self._seq, self.secret = line.seq, line.action.secret
        return None if self._seq else KeysTaken(Keys.NEVER)

    # -- what the flow says ----------------------------------------------------------------------------------

    def saw(self, head: Head) -> KeysTaken | None:
        """What a newer head says of the question; once."""
        taken = _taken(head, self._seq) if self._seq else None
        if taken is not None:
            self._seq, self.secret = 0, False
        return taken


def _taken(head: Head, seq: int) -> KeysTaken | None:
    if head.keys_seq == seq:
        failed = head.keys_ended is Outcome.FAILED
        return KeysTaken(Keys.FAILED) if failed else KeysTaken(Keys.TAKEN, head.keys)
    if head.loaded == seq:  # a Lambda of the release before, which does not keep the keys by themselves
        return KeysTaken(Keys.FAILED) if head.ended is Outcome.FAILED else KeysTaken(Keys.TAKEN, head.digits)
    if head.loaded > seq:
        return KeysTaken(Keys.FAILED)
    never = head.cancelled_up_to >= seq > head.offered
    return KeysTaken(Keys.NEVER) if never else None
