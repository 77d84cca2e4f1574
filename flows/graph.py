"""A flow as a graph: which action leads where, and what can be reached from where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ErrorEdge = tuple[int, str, str]  # index of the action, error type, target

PROMPTS = frozenset({"MessageParticipant", "MessageParticipantIteratively"})
SPEAKS = PROMPTS | {"GetParticipantInput", "ConnectParticipantWithLexBot", "TransferParticipantToThirdParty"}


@dataclass(frozen=True, slots=True)
class Node:
    """One action; `errors` are pairs of error type and target."""

    index: int
    identifier: str
    type_name: str
    parameters: Mapping[str, Any]
    then: str
    conditions: tuple[tuple[str, str], ...]
    errors: tuple[tuple[str, str], ...]

    def targets(self) -> tuple[str, ...]:
        edges = (self.then, *(target for _, target in self.conditions), *(target for _, target in self.errors))
        return tuple(target for target in edges if target)

    def speaks(self) -> bool:
        """Whether the caller hears something while this action runs; a Wait that goes on plays its prompts."""
        return self.type_name in SPEAKS or "ContinueExecution" in self.parameters


class Graph:
    """The actions of a flow by identifier. Lenient: what is malformed is read as empty, and reported elsewhere."""

    def __init__(self, flow: Mapping[str, Any]) -> None:
        self.start = _text(flow.get("StartAction"))
        self.nodes: dict[str, Node] = {}
        for index, action in enumerate(_sequence(flow.get("Actions"))):
            node = _node(index, _mapping(action))
            self.nodes.setdefault(node.identifier, node)
        self._next = {
            name: tuple(target for target in dict.fromkeys(node.targets()) if target in self.nodes)
            for name, node in self.nodes.items()
        }

    def reachable(self, sources: Iterable[str], stop: Callable[[Node], bool] | None = None) -> set[str]:
        """Everything that can be reached, the sources included; a node that `stop` names is entered, not left."""
        found: set[str] = set()
        waiting = [name for name in sources if name in self.nodes]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            if stop is None or not stop(self.nodes[name]):
                waiting += self._next[name]
        return found

    def of_type(self, names: Iterable[str], *types: str) -> list[Node]:
        """Those of `names` that have one of the types, in the order of the flow."""
        found = [self.nodes[name] for name in names if self.nodes[name].type_name in types]
        return sorted(found, key=lambda node: node.index)


def _node(index: int, action: Mapping[str, Any]) -> Node:
    transitions = _mapping(action.get("Transitions"))
    conditions = [_mapping(each) for each in _sequence(transitions.get("Conditions"))]
    errors = [_mapping(each) for each in _sequence(transitions.get("Errors"))]
    return Node(
        index,
        _text(action.get("Identifier")),
        _text(action.get("Type")),
        _mapping(action.get("Parameters")),
        _text(transitions.get("NextAction")),
        tuple((operand(each), _text(each.get("NextAction"))) for each in conditions),
        tuple((_text(each.get("ErrorType")), _text(each.get("NextAction"))) for each in errors),
    )


def operand(condition: Mapping[str, Any]) -> str:
    """The one operand of a condition, or nothing."""
    operands = _sequence(_mapping(condition.get("Condition")).get("Operands"))
    return _text(operands[0]) if len(operands) == 1 else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []
