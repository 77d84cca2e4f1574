"""Keys that the caller is asked to press, as a line of the ledger: who takes the call over neither asks twice nor
forgets that it was asked. A core without I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract.turns import FunctionEntry, FunctionState
from definition import AgentDefinition
from definition.collect import COLLECT_DIGITS
from definition.model import CollectDefinition
from gateway.legs.leg import Question


@dataclass(frozen=True, slots=True)
class Inherited:
    """A question of an earlier owner that was not answered. `since_ms`: when it was wanted."""

    question: CollectDefinition
    key: str
    since_ms: int


class Questions:
    """At most one question is open. What is written is returned, None where there is nothing."""

    def __init__(self) -> None:
        self._open: FunctionEntry | None = None

    def inherit(self, entries: Iterable[FunctionEntry], definition: AgentDefinition) -> Inherited | None:
        """What an earlier owner of the call was asked for and had not answered."""
        open_ = [each for each in entries if each.name == COLLECT_DIGITS and each.state is FunctionState.ENTERED]
        question = definition.collect.get(str(open_[-1].arguments.get("what", ""))) if open_ else None
        if question is None:
            return None
        self._open = open_[-1]
        return Inherited(question, self._open.key, self._open.entered_at_ms)

    def asked(self, question: Question, turn: int, now_ms: int) -> FunctionEntry:
        """The agent asked for it in answer to the caller's `turn`; it may do so again in the same one."""
        key = f"{turn:04d}#{COLLECT_DIGITS}#{now_ms}"
        self._open = FunctionEntry(
            key, COLLECT_DIGITS, {"what": question.name}, FunctionState.ENTERED, entered_at_ms=now_ms
        )
        return self._open

    def answered(self, content: str, now_ms: int) -> FunctionEntry | None:
        """`content`: JSON, as the agent is told; it holds no secret digits."""
        open_, self._open = self._open, None
        if open_ is None:
            return None
        return replace(open_, state=FunctionState.FINISHED, result=content, finished_at_ms=now_ms)
