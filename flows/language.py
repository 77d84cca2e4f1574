"""Amazon Connect flow language 2019-10-30: the envelope, and a builder that yields the exact JSON.

An action is a frozen dataclass of `flows.actions`; a flow is an ordered set of them under readable identifiers.
The output follows what the console exports: numbers and booleans of Parameters as strings, edges under
Transitions, and designer metadata so that an administrator can open the flow and read it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from flows.errors import DuplicateIdentifier
from flows.layout import Block, positions

VERSION = "2019-10-30"
NO_MATCHING_ERROR = "NoMatchingError"
NO_MATCHING_CONDITION = "NoMatchingCondition"


@dataclass(frozen=True, slots=True)
class When:
    """One branch: taken when the compared value stands in `operator` to `operand`. The first true one wins."""

    operand: str
    then: str
    operator: str = "Equals"

    def to_json(self) -> dict[str, Any]:
        condition = {"Operator": self.operator, "Operands": [self.operand]}
        return {"NextAction": self.then, "Condition": condition}


@dataclass(frozen=True, slots=True)
class Transitions:
    """Where an action leads. A terminal action has none at all; `errors` maps an error type to its target."""

    then: str = ""
    conditions: tuple[When, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        if not self.then:
            return {}
        result: dict[str, Any] = {"NextAction": self.then}
        if self.conditions:
            result["Conditions"] = [when.to_json() for when in self.conditions]
        if self.errors:
            result["Errors"] = [{"NextAction": target, "ErrorType": error} for error, target in self.errors]
        return result

    def targets(self) -> tuple[str, ...]:
        """Every identifier that is led to, in the order of the branches, each once."""
        named = [self.then, *(when.then for when in self.conditions), *(target for _, target in self.errors)]
        return tuple(dict.fromkeys(name for name in named if name))


class Action(Protocol):
    """One block of a flow: its parameters, where it leads, and what only the designer wants to know."""

    @property
    def type_name(self) -> str: ...

    def parameters(self) -> dict[str, Any]: ...

    def transitions(self) -> Transitions: ...

    def designer(self) -> dict[str, Any]: ...


@dataclass(slots=True)
class Flow:
    """A flow under construction: actions in the order in which they were added; the first one starts it.

    `kind` is what the designer calls its type in an export.
    """

    name: str
    description: str = ""
    kind: str = "contactFlow"
    actions: dict[str, Action] = field(default_factory=dict)

    def add(self, identifier: str, action: Action) -> None:
        """Add one action.

        Raises:
            DuplicateIdentifier: the identifier is taken.
        """
        if identifier in self.actions:
            raise DuplicateIdentifier(identifier)
        self.actions[identifier] = action

    def to_dict(self) -> dict[str, Any]:
        """The flow as the service takes it, as plain JSON values."""
        return {
            "Version": VERSION,
            "StartAction": next(iter(self.actions), ""),
            "Metadata": self._metadata(),
            "Actions": [
                {
                    "Identifier": identifier,
                    "Type": action.type_name,
                    "Parameters": action.parameters(),
                    "Transitions": action.transitions().to_json(),
                }
                for identifier, action in self.actions.items()
            ],
        }

    def to_json(self, indent: int | None = None) -> str:
        """Compact by default: the content counts against 256,000 characters and the template's size."""
        separators = None if indent else (",", ":")
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, separators=separators)

    def _metadata(self) -> dict[str, Any]:
        blocks = {name: _block(action) for name, action in self.actions.items()}
        places = positions(blocks)
        return {
            "entryPointPosition": {"x": 40, "y": 40},
            "ActionMetadata": {
                name: {"position": {"x": x, "y": y}, "isFriendlyName": True, **self.actions[name].designer()}
                for name, (x, y) in places.items()
            },
            "Annotations": [],
            "name": self.name,
            "description": self.description,
            "type": self.kind,
            "status": "PUBLISHED",
            "hash": {},
        }


def _block(action: Action) -> Block:
    transitions = action.transitions()
    branches = 1 + len(transitions.conditions) + len(transitions.errors)
    return Block(branches=branches, targets=transitions.targets())
