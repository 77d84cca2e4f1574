"""JSON Schema of functions: what is refused when a definition is read, and how a failed check is told.

Beyond JSON Schema itself: language models take an object at the top, without combinations there, and property
names of letters, digits, `_`, `.` and `-` (OpenAI and Anthropic, tool use). References are refused, so that
no check of arguments ever loops or looks anything up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match

from definition.shape import Findings, meant, shown
from definition.source import Node, plain

_TOP_LEVEL = ("oneOf", "anyOf", "allOf", "not", "enum", "const", "if")
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_COMBINED = ("anyOf", "oneOf", "allOf", "not", "if", "dependentSchemas", "dependentRequired", "contains")


def kind(value: object) -> str:
    """What a JSON value is, without the value: fit for logs."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "an object" if isinstance(value, Mapping) else "a list"


def expectation(error: ValidationError | SchemaError) -> str:
    """What the schema wants at the place of the error; made of the schema alone, never of the checked value."""
    rule: str = str(error.validator)
    wanted: Any = error.validator_value
    if rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else list(wanted)
        return " or ".join(_KINDS[name] for name in kinds)
    if rule == "enum":
        return "one of " + ", ".join(_short(value) for value in wanted)
    if rule == "pattern":
        return f"text that matches {wanted}"
    if rule in ("additionalProperties", "unevaluatedProperties"):
        return "no other keys than " + (", ".join(_properties(error.schema)) or "none")
    if rule in _COMBINED or error.validator is None:  # None: the schema `false`
        return "what the schema of the function says there"
    return f"{rule} {_short(wanted)}"


def _properties(schema: object) -> Iterable[str]:
    properties = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    return list(properties)


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def first_error(schema: Mapping[str, Any], value: object) -> ValidationError | None:
    """The most telling error of `value` under a schema that was accepted by `Parameters`."""
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    error: ValidationError | None = best_match(validator.iter_errors(value))
    return error


@dataclass(frozen=True, slots=True)
class Parameters:
    """The shape of `functions.NAME.parameters`: a JSON Schema of type object."""

    expected: str = "a JSON Schema of type object"

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, dict):
            return findings.refuse(node, self.expected)
        before = len(findings.problems)
        _top(node, findings)
        _names(node, findings)
        schema = plain(node)
        if len(findings.problems) == before:
            _check(node, schema, findings)
        if len(findings.problems) == before:
            _required(node, findings)
        return schema


def _top(node: Node, findings: Findings) -> None:
    top = node.child("type")
    if top is None or top.value != "object":
        findings.below(node, "type", "object (arguments always have names)", shown(top.value) if top else "nothing")
    for key in _TOP_LEVEL:
        if (child := node.child(key)) is not None:
            findings.refuse(child, "no such key at the top of a schema (language models refuse it)", key)


def _names(node: Node, findings: Findings) -> None:
    """No references anywhere, and property names that language models take."""
    if isinstance(node.value, list):
        for child in node.value:
            _names(child, findings)
    if not isinstance(node.value, dict):
        return
    for key, child in node.value.items():
        if key.startswith("$"):
            findings.refuse(child, "the schema written out, without keys that begin with $", shown(key))
        if key == "properties" and isinstance(child.value, dict):
            for name, below in child.value.items():
                if not name.startswith("$") and not _PROPERTY.fullmatch(name):
                    findings.refuse(below, "a property name of letters, digits, _, . and -, at most 64", shown(name))
        _names(child, findings)


def _check(node: Node, schema: object, findings: Findings) -> None:
    validator = Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    error = best_match(validator.iter_errors(schema))
    if error is not None:
        place = _at(node, error.absolute_path)
        # The schema of schemas has alternatives at one place only: `type` is a name or a list of names.
        wanted = _type_names(place) if error.validator == "anyOf" else expectation(error)
        findings.refuse(place, f"{wanted} (JSON Schema)")


def _type_names(node: Node) -> str:
    near = meant(node.value, _KINDS) if isinstance(node.value, str) else ""
    return f"one of {', '.join(_KINDS)}, or a list of them{near}"


def _at(node: Node, path: Iterable[str | int]) -> Node:
    """The node of a path in the schema."""
    for step in path:
        if isinstance(node.value, dict):
            node = node.value[str(step)]
        else:
            assert isinstance(node.value, list)
            node = node.value[int(step)]
    return node


def _required(node: Node, findings: Findings) -> None:
    """A required name that is no property can never be filled in: a typing error, though JSON Schema allows it."""
    properties, required = node.child("properties"), node.child("required")
    known = properties.value if properties is not None and isinstance(properties.value, dict) else {}
    for child in required.value if required is not None and isinstance(required.value, list) else ():
        if child.value not in known:
            near = meant(str(child.value), known)
            findings.refuse(child, f"the name of a property{near}")
