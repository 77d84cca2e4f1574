"""The frozen form of a flow that the interpreter runs; `check.load_flow` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_MATCHING_ERROR = "NoMatchingError"
NO_MATCHING_CONDITION = "NoMatchingCondition"


@dataclass(frozen=True, slots=True)
class Condition:
    operator: str
    operand: str
    target: str


@dataclass(frozen=True, slots=True)
class Action:
    """One block. Targets are identifiers; `next` is empty where the block is the last one."""

    identifier: str
    type: str
    parameters: Mapping[str, Any]
    next: str = ""
    conditions: tuple[Condition, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)

    def error(self, name: str = NO_MATCHING_ERROR) -> str:
        """Where an error leads; without a branch of its own, on."""
        return self.errors.get(name, self.next)

    def when(self, value: str) -> str | None:
        """Where the condition `Equals value` leads."""
        return next((c.target for c in self.conditions if c.operand == value), None)

    def outcome(self, value: str) -> str:
        """Where the condition `Equals value` leads, which the check has found to be there."""
        target = self.when(value)
        return self.next if target is None else target


@dataclass(frozen=True, slots=True)
class Flow:
    arn: str
    name: str
    type: str  # CONTACT_FLOW, CUSTOMER_QUEUE, ...
    start: str
    actions: Mapping[str, Action]


def read_action(raw: Mapping[str, Any]) -> Action:
    """One entry of `Actions`, after it was checked."""
    transitions = raw.get("Transitions", {})
    return Action(
        raw["Identifier"],
        raw["Type"],
        raw.get("Parameters", {}),
        transitions.get("NextAction", ""),
        tuple(
            Condition(c["Condition"]["Operator"], c["Condition"]["Operands"][0], c["NextAction"])
            for c in transitions.get("Conditions", ())
        ),
        {e["ErrorType"]: e["NextAction"] for e in transitions.get("Errors", ())},
    )
