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
    """`waiting` is put into the log next; `_seq` is there, and the flow has not come back from it."""

    waiting: Question | None = None
    secret: bool = False  # of what is asked: meanwhile nothing is streamed
    _introduced: bool = False
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
        self.waiting, self._introduced = question, False

    def unask(self) -> int:
        """Take it back; returns the sequence that is to be cancelled, 0 for none."""
        self.waiting = None
        return self._seq

    def introduced(self) -> None:
        """The prompt is in the log already, as a text."""
        self._introduced = True

    def next_action(self, rendered: Opening | None, once: str) -> Action:
        """What to append: a question whose clip there is not is spoken by the flow's own voice first."""
        question = self.waiting
        assert question is not None
        url = rendered.url if rendered is not None and rendered.text == question.prompt else ""
        if not url and not self._introduced:
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

    def appended(self, seq: int, question: Question) -> bool:
        """The question is in the log; False when it was taken back meanwhile, and has to be cancelled."""
        self._seq, self.secret = seq, question.secret
        wanted = self.waiting is question
        if wanted:
            self.waiting = None
        return wanted

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
