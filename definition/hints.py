"""Type hints of a Python source to JSON Schema, by reading the source: nothing of it is ever run.

What a hint may be: str, int, float, bool, date, datetime, time, Literal, list[T], dict[str, T], T | None, Any,
Annotated[T, marks] with the marks of `lambdas.sdk`, and the enums, data classes and TypedDicts of the same file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from definition import docstring

Schema = dict[str, Any]

SIMPLE: Mapping[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "Any": {},
}
_ENUMS = ("Enum", "StrEnum", "IntEnum")
_KNOWN = "str, int, float, bool, date, datetime, time, Literal, list, dict, T | None, or a class of this file"
PRIVATE = "x-private"  # taken out again before anybody sees the schema


class NotAHint(Exception):
    """`line` of the source, what was `expected` there and what was `found`."""

    def __init__(self, line: int, expected: str, found: str) -> None:
        super().__init__(line, expected, found)
        self.line = line
        self.expected = expected
        self.found = found


@dataclass
class Hints:
    """The hints of one module; `classes` and `aliases` (`Day = Literal[...]`) are those that it defines."""

    classes: Mapping[str, ast.ClassDef] = field(default_factory=dict)
    aliases: Mapping[str, ast.expr] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)  # names that are being read: one in itself has no end

    def schema(self, hint: ast.expr) -> Schema:
        """The JSON Schema of a hint. Raises NotAHint."""
        if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
            return self.schema(_parsed(hint))
        if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
            return self._optional(hint, [hint.left, hint.right])
        if isinstance(hint, ast.Subscript):
            return self._subscript(hint)
        name = name_of(hint)
        if name in SIMPLE:
            return dict(SIMPLE[name])
        if name in self._open:
            raise NotAHint(hint.lineno, "a type that does not hold itself", name)
        if name in self.classes or name in self.aliases:
            return self._named(name, hint)
        raise NotAHint(hint.lineno, _KNOWN, ast.unparse(hint))

    def _named(self, name: str, hint: ast.expr) -> Schema:
        self._open.append(name)
        try:
            if name in self.classes:
                return self._class(self.classes[name], hint)
            return self.schema(self.aliases[name])
        finally:
            self._open.pop()

    def _inner(self, hint: ast.expr, text: str = "") -> Schema:
        schema = self.schema(hint)
        if PRIVATE in schema:
            raise NotAHint(hint.lineno, "Private() on the parameter itself, not inside of it", ast.unparse(hint))
        return described(schema, text)

    def _subscript(self, hint: ast.Subscript) -> Schema:
        inside = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        match name_of(hint.value):
            case "list" | "List":
                return {"type": "array", "items": self._inner(inside[0])}
            case "dict" | "Dict" if len(inside) == 2 and name_of(inside[0]) == "str":
                return {"type": "object", "additionalProperties": self._inner(inside[1])}
            case "Optional":
                return self._optional(hint, inside)
            case "Literal":
                return _choice([_constant(each) for each in inside])
            case "Annotated":
                return self._annotated(inside)
        raise NotAHint(hint.lineno, _KNOWN, ast.unparse(hint))

    def _optional(self, hint: ast.expr, members: list[ast.expr]) -> Schema:
        """T | None is T that may be left out: models fill in null badly."""
        real = [each for each in members if not (isinstance(each, ast.Constant) and each.value is None)]
        if len(real) != 1:
            raise NotAHint(hint.lineno, "one type, or one type and None", ast.unparse(hint))
        return self.schema(real[0])

    def _annotated(self, inside: list[ast.expr]) -> Schema:
        schema = self.schema(inside[0])
        for mark in inside[1:]:
            schema = _marked(schema, mark)
        return schema

    def _class(self, node: ast.ClassDef, hint: ast.expr) -> Schema:
        bases = [name_of(base) for base in node.bases]
        if any(base in _ENUMS for base in bases):
            return _choice([_constant(each.value) for each in node.body if isinstance(each, ast.Assign)])
        decorated = any(name_of(_called(each)) == "dataclass" for each in node.decorator_list)
        if not decorated and "TypedDict" not in bases:
            raise NotAHint(hint.lineno, "an enum, a data class or a TypedDict", f"the class {node.name}")
        return self._fields(node)

    def _fields(self, node: ast.ClassDef) -> Schema:
        said = docstring.parse(ast.get_docstring(node, clean=False))
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for each in node.body:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                name = each.target.id
                properties[name] = self._inner(each.annotation, said.entries.get(name, ""))
                if each.value is None:
                    required.append(name)
        return closed(properties, required)


def closed(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    """An object with these properties and no other."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def described(schema: Schema, text: str) -> Schema:
    """The description first, with what the marks say of it."""
    unit = schema.pop("x-unit", "")
    words = " ".join(each for each in (text, f"In {unit}." if unit else "") if each)
    return {**schema, "description": words} if words else schema


def name_of(node: ast.expr) -> str:
    """`Literal` of both `Literal` and `typing.Literal`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _parsed(hint: ast.Constant) -> ast.expr:
    try:
        expression = ast.parse(str(hint.value), mode="eval").body
    except SyntaxError:
        raise NotAHint(hint.lineno, _KNOWN, repr(hint.value)) from None
    return ast.increment_lineno(expression, hint.lineno - 1)


def _constant(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise NotAHint(node.lineno, "a value that is written out", ast.unparse(node)) from None


def _choice(values: list[Any]) -> Schema:
    kinds = {bool: "boolean", str: "string", int: "integer", float: "number"}
    found = {kinds[type(value)] for value in values if type(value) in kinds}
    kind = {"type": found.pop()} if len(found) == 1 else {}
    return {**kind, "enum": values}


def _length(schema: Schema, least: Any, most: Any) -> Schema:
    if schema.get("type") == "array":
        return {"minItems": least, "maxItems": most}
    return {"minLength": least, "maxLength": most}


_MARKS: Mapping[str, tuple[int, Callable[..., Schema]]] = {
    "Unit": (1, lambda _, name: {"x-unit": name}),
    "Between": (2, lambda _, low, high: {"minimum": low, "maximum": high}),
    "Length": (2, _length),
    "Matches": (1, lambda _, pattern: {"pattern": pattern}),
    "Private": (0, lambda _: {PRIVATE: True}),
}


def _marked(schema: Schema, mark: ast.expr) -> Schema:
    name = name_of(_called(mark))
    count, make = _MARKS.get(name, (-1, _length))
    values = [_constant(each) for each in mark.args] if isinstance(mark, ast.Call) else []
    if count != len(values) or (isinstance(mark, ast.Call) and mark.keywords):
        raise NotAHint(mark.lineno, 'a mark such as Unit("days"), Between(1, 20) or Private()', ast.unparse(mark))
    return {**schema, **make(schema, *values)}
