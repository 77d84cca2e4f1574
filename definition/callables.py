"""`functions` of an agent definition: what the agent may call, and nothing else may it call.

Each name is one of three kinds: a Python function of lambdas/functions, described by its own source; a Lambda by
its ARN in the deployment, or a handler without declarations, described here; a URL that Deepgram calls by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from definition.endpoint import endpoint
from definition.handlers import Handlers
from definition.model import Endpoint, FunctionDefinition, LookupDefinition
from definition.options import OPTIONS
from definition.schema import Parameters
from definition.shape import Choice, Findings, ListOf, Shape, Table, Text, may, meant, shown
from definition.source import Node

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NO_LAMBDA = ("timeout_s", "idempotent", "confirm", "result_bytes", "while_running", "on_failure")
_ENDPOINT = Table(
    "an endpoint with url",
    {**endpoint("https").keys, "method": may(Choice("POST", "GET", "PUT", "PATCH", "DELETE"), "POST")},
)
ENTRY = Table(
    "a mapping of what differs from the function's own source, or of its description and parameters",
    {
        "description": may(Text("what it does and when to call it", 1024)),
        "parameters": may(Parameters()),
        **{name: may(shape) for name, shape in OPTIONS.items()},
        "redact": may(ListOf(Text("the name of a parameter", 64), "names of parameters", 0)),
        "endpoint": may(_ENDPOINT),
    },
    elsewhere={
        "url": "endpoint with url, for a function that Deepgram calls by itself",
        "client_side": "no such key (Deepgram refuses it)",
        "timeout": "timeout_s, a number of seconds",
        "name": "no such key (the name is the key above)",
        "lambda": "no such key (ARNs are of an account: they stand under functions of the deployment)",
        "arn": "no such key (ARNs are of an account: they stand under functions of the deployment)",
    },
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One function of a definition; nothing at all below the name takes it as its source has it."""

    expected: str = ENTRY.expected

    def read(self, node: Node, findings: Findings) -> Any:
        return {} if node.value is None else ENTRY.read(node, findings)


ENTRY_OR_NOTHING: Shape = Entry()


def build(data: dict[str, Any], node: Node | None, handlers: Handlers, findings: Findings) -> list[FunctionDefinition]:
    """The functions that were read, each together with its source; what does not fit goes to `findings`."""
    found = []
    for name, entry in data.items():
        below = node.child(name) if node is not None else None
        if below is not None and isinstance(entry, dict):
            found.append(_one(name, entry, below, handlers, findings))
    return found


def _one(name: str, entry: dict[str, Any], node: Node, handlers: Handlers, findings: Findings) -> FunctionDefinition:
    declared = handlers.functions.get(name)
    if declared is not None:
        findings.problems += handlers.problems[name]
        for key in ("parameters", "endpoint", "redact"):
            if (child := node.child(key)) is not None:
                findings.refuse(child, f"no such key (the source in {declared.folder} says it)", shown(child.value))
        function = replace(declared, **{key: value for key, value in entry.items() if key in (*OPTIONS, "description")})
    else:
        function = _described_here(name, entry, node, handlers, findings)
    _placeholders(function, node, findings)
    return function


def _described_here(
    name: str, entry: dict[str, Any], node: Node, handlers: Handlers, findings: Findings
) -> FunctionDefinition:
    if not entry:
        findings.problems += handlers.broken
        near = meant(name, handlers.functions)
        findings.refuse(node, f"a Python function of this name in lambdas/functions{near}, or a description", "neither")
    elif "description" not in entry:
        findings.below(node, "description", "what it does and when to call it")
    given = {key: value for key, value in entry.items() if key != "endpoint"}
    folder = name if name in handlers.plain else ""
    function = FunctionDefinition(name, **{"description": "", **given, "redact": tuple(given.get("redact", ()))})
    _redacted(function, node, findings)
    if "endpoint" not in entry:
        return replace(function, folder=folder)
    for key in _NO_LAMBDA:
        if (child := node.child(key)) is not None:
            findings.refuse(child, "no such key next to an endpoint (Deepgram calls it by itself)", shown(child.value))
    to = entry["endpoint"]
    if not isinstance(to, dict) or "url" not in to:
        return function
    return replace(function, endpoint=Endpoint(to["url"], to.get("headers", {}), to.get("method", "POST")))


def _redacted(function: FunctionDefinition, node: Node, findings: Findings) -> None:
    known = parameter_names(function)
    child = node.child("redact")
    for name in function.redact:
        if child is not None and name not in known:
            findings.refuse(child, f"the name of a parameter{meant(str(name), known)}", shown(name))


def _placeholders(function: FunctionDefinition, node: Node, findings: Findings) -> None:
    known = parameter_names(function)
    for name in _PLACEHOLDER.findall(function.confirm):
        if name not in known:
            line = node.child("confirm") or node
            findings.refuse(line, f"parameters of the function in braces{meant(name, known)}", shown(name))


def looked_up(
    node: Node | None, data: Any, functions: list[FunctionDefinition], handlers: Handlers, findings: Findings
) -> LookupDefinition | None:
    """The function that runs before the opening: one of the agent's, or one that it cannot call by itself."""
    if node is None or not isinstance(data, dict) or "function" not in data:
        return None
    name = data["function"]
    own = next((each for each in functions if each.name == name), None)
    function = own or handlers.functions.get(name)
    if function is None:
        folder = name if name in handlers.plain else ""
        function = FunctionDefinition(name, "", folder=folder)
    elif own is None:
        findings.problems += handlers.problems[name]
    if function.endpoint is not None or function.parameters.get("required"):
        findings.below(node, "function", "a function of the gateway that needs no arguments", name)
    return LookupDefinition(function, data.get("timeout_s", 1.5))


def parameter_names(function: FunctionDefinition) -> list[str]:
    """The names of what the model fills in."""
    properties = function.parameters.get("properties")
    return list(properties) if isinstance(properties, dict) else []


def confirmation(function: FunctionDefinition, arguments: dict[str, object]) -> str:
    """The sentence to which the caller has to agree, with the values of this call."""
    return _PLACEHOLDER.sub(lambda match: str(arguments.get(match[1], "")), function.confirm)
