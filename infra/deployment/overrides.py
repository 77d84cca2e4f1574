"""Single keys from the command line: `cdk deploy -c capacity.calls_per_task=20`."""

from __future__ import annotations

from collections.abc import Mapping

from definition import source
from definition.errors import DefinitionError, Problem
from definition.source import Node
from infra.deployment.shapes import DEPLOYMENT

COMMAND_LINE = "command line"


def overrides(context: Mapping[str, object]) -> dict[str, str]:
    """What of the CDK's context are keys of a deployment, whole or with dots; it has many of its own."""
    return {key: str(value) for key, value in context.items() if key.split(".")[0] in DEPLOYMENT.keys}


def overridden(root: Node, overrides: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """The tree with the values put in, each read as YAML; a value has the line of the mapping that it is in."""
    problems: list[Problem] = []
    for path, text in overrides.items():
        try:
            value, _ = source.parse(f"{COMMAND_LINE}: -c {path}", text)
        except DefinitionError as error:
            problems += error.problems
            continue
        root = _put(root, path.split("."), value)
    return root, problems


def _put(node: Node, keys: list[str], value: Node) -> Node:
    """A copy of `node` with the value at `keys`; what is no mapping on the way becomes one."""
    if not keys:
        return _moved(value, node.line, node.path)
    children = dict(node.value) if isinstance(node.value, dict) else {}
    key = keys[0]
    child = children.get(key) or Node(None, node.line, source.joined(node.path, key))
    return Node({**children, key: _put(child, keys[1:], value)}, node.line, node.path)


def _moved(value: Node, line: int, path: str) -> Node:
    """The value as if it had stood there."""
    if isinstance(value.value, dict):
        moved = {key: _moved(child, line, source.joined(path, key)) for key, child in value.value.items()}
        return Node(moved, line, path)
    if isinstance(value.value, list):
        return Node([_moved(child, line, f"{path}[{index}]") for index, child in enumerate(value.value)], line, path)
    return Node(value.value, line, path)
