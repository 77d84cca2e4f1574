"""`languages` of an agent definition: the same agent, with what is different in another language.

A language takes over every key that it does not name. What results is checked as a definition of its own, so that
a voice, a sentence or a prompt that is missing in one language is found before a caller hears it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from definition.model import AgentDefinition
from definition.shape import Findings, shown
from definition.source import Node

KEY = "languages"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][A-Za-z0-9]{1,3})?")
_NOT_TAKEN = ("name", "language", KEY, "default_queue", "keep_days")
# In another language these say something wrong rather than something general.
_NOT_TAKEN_OVER = ("opening", "goodbye", "idle", "sentences")
_OF_QUEUE = ("when_closed", "when_no_staff", "when_full")


def chosen(definitions: Mapping[str, AgentDefinition], name: str) -> AgentDefinition:
    """The agent `name` or `name.language`; without that language, the agent itself. Raises KeyError without either."""
    return definitions[name if name in definitions else name.partition(".")[0]]


def split(root: Node, findings: Findings) -> tuple[Node, dict[str, Node]]:
    """The definition without its languages, and the whole definition of each language."""
    if not isinstance(root.value, dict) or KEY not in root.value:
        return root, {}
    base = Node({key: child for key, child in root.value.items() if key != KEY}, root.line, root.path)
    languages = root.value[KEY]
    if not isinstance(languages.value, dict):
        findings.refuse(languages, "a mapping of languages, each with what is different in it")
        return base, {}
    found = {}
    for name, node in languages.value.items():
        if not _LANGUAGE.fullmatch(name):
            findings.refuse(node, "a language such as es or pt-BR", shown(name))
        elif not isinstance(node.value, dict):
            findings.refuse(node, "a mapping of what is different in this language")
        else:
            found[name] = _whole(base, name, node, findings)
    return base, found


def _whole(base: Node, language: str, node: Node, findings: Findings) -> Node:
    assert isinstance(base.value, dict)
    assert isinstance(node.value, dict)
    for key in _NOT_TAKEN:
        if (child := node.child(key)) is not None:
            findings.refuse(child, "no such key in a language", shown(key))
    name = base.text("name") or ""
    taken = {key: child for key, child in base.value.items() if key not in _NOT_TAKEN_OVER}
    own = {key: child for key, child in node.value.items() if key not in (*_NOT_TAKEN, "queues")}
    if (queues := taken.get("queues")) is not None:
        taken["queues"] = _queues(queues, node.child("queues"), findings)
    same = {"name": Node(name, node.line, "name"), "language": Node(language, node.line, "language")}
    return Node({**taken, **own, **same}, node.line, node.path)


def _queues(base: Node, node: Node | None, findings: Findings) -> Node:
    """The same queues, with what is said of them in this language, or nothing."""
    if not isinstance(base.value, dict):
        return base  # refused where it stands
    said = _mapping(node, "a mapping of queues, each with what is said of it", findings)
    for name in said.keys() - base.value.keys():
        findings.refuse(said[name], f"one of the queues {', '.join(base.value)}", shown(name))
    return Node(
        {name: _queue(each, said.get(name), findings) for name, each in base.value.items()}, base.line, base.path
    )


def _queue(base: Node, node: Node | None, findings: Findings) -> Node:
    if not isinstance(base.value, dict):
        return base
    said = _mapping(node, f"a mapping of {', '.join(_OF_QUEUE)}", findings)
    for key in said.keys() - set(_OF_QUEUE):
        findings.refuse(said[key], f"one of the keys {', '.join(_OF_QUEUE)}", shown(key))
    same = {key: child for key, child in base.value.items() if key not in _OF_QUEUE}
    return Node({**same, **{key: said[key] for key in _OF_QUEUE if key in said}}, base.line, base.path)


def _mapping(node: Node | None, expected: str, findings: Findings) -> dict[str, Node]:
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        findings.refuse(node, expected)
        return {}
    return node.value
