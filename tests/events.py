"""The events that the code logs, read out of it without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
LOGGERS = ("log", "LOG")
QUIET = "_quiet"  # a library's
MAKERS = ("get_logger", "getLogger", "Logger")


class Unreadable(Exception):
    """An event that cannot be known from the code."""


@dataclass(frozen=True, slots=True)
class Module:
    """`name` is where it is found, for messages."""

    name: str
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, source: str) -> Module:
        tree = ast.parse(source)
        return cls(name, tree, {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)})


def modules(*folders: Path) -> list[Module]:
    """Every module below the folders."""
    return [Module.of(str(path), path.read_text()) for folder in folders for path in sorted(folder.rglob("*.py"))]


def events(code: list[Module]) -> set[tuple[str, str]]:
    """Event and level of every line that may be logged.

    Raises:
        Unreadable: the code logs in a way from which the event cannot be known.
    """
    return {(event, level) for module in code for event, level in _of_module(module, code)}


def _of_module(module: Module, code: list[Module]) -> Iterator[tuple[str, str]]:
    loggers = set(_loggers(module))
    for call in _calls(module):
        _refuse(module, call)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in loggers:
            call = _line(module, node)
            level = LEVELS[_called(call.func)]
            for event in _texts(module, code, call, call.args[0] if call.args else None):
                yield event, level


def _calls(module: Module) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node


def _loggers(module: Module) -> Iterator[str]:
    """The names that are loggers here: elsewhere `log` may be the log of a call."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=maker)) if _called(maker) in MAKERS:
                yield from (name,) if name != QUIET else ()
            case ast.ImportFrom(names=names):
                yield from (each.asname or each.name for each in names if each.name in LOGGERS)


def _called(function: ast.AST) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _refuse(module: Module, call: ast.Call) -> None:
    """A logger that is made or used in another way would not be noticed."""
    if _is_nameless(call, module.parents[call]) or _is_elsewhere(call.func):
        raise Unreadable(
            f"{module.name}:{call.lineno}: a logger has to be called log or LOG, and to be used by that name"
        )


def _is_nameless(call: ast.Call, parent: ast.AST) -> bool:
    """A logger that is made, and not given one of the names."""
    if _called(call.func) not in MAKERS:
        return False
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name not in (*LOGGERS, QUIET)
    return True


def _is_elsewhere(function: ast.expr) -> bool:
    """`logging.error`, or `self.log.error`."""
    match function:
        case ast.Attribute(attr=method, value=ast.Name(id="logging")):
            return method in LEVELS
        case ast.Attribute(attr=method, value=ast.Attribute(attr=name)):
            return method in LEVELS and name in LOGGERS
    return False


def _line(module: Module, logger: ast.Name) -> ast.Call:
    """The call `log.error(...)` of which the name is a part."""
    method = module.parents[logger]
    call = module.parents.get(method)
    match method, call:
        case ast.Attribute(attr=name), ast.Call(func=function) if function is method and name in LEVELS:
            return call
    raise Unreadable(f"{module.name}:{logger.lineno}: only {logger.id}.error(event, ...) and the like can be read")


def _texts(module: Module, code: list[Module], at: ast.Call, given: ast.expr | None) -> Iterator[str]:
    """What `given` may be: a text, a constant, or what the callers of the function around it give."""
    match given:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if (around := _function(module, at, name)) is not None:
            yield from _given_to(around, name, code)
        case ast.Name(id=name):
            yield _constant(module, code, name)
        case _:
            raise Unreadable(f"{module.name}:{at.lineno}: the event is computed; write it as a text")


def _function(module: Module, at: ast.AST, parameter: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function around a node that has this parameter."""
    node: ast.AST | None = at
    while (node := module.parents.get(node) if node is not None else None) is not None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and parameter in _parameters(node):
            return node
    return None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]


def _given_to(function: ast.FunctionDef | ast.AsyncFunctionDef, parameter: str, code: list[Module]) -> Iterator[str]:
    """By every call of that name, whichever module it is in."""
    at = _parameters(function).index(parameter)
    calls = [(module, call) for module in code for call in _calls(module) if _called(call.func) == function.name]
    if not calls:
        raise Unreadable(f"{function.name} logs what it is given, and nobody calls it")
    for module, call in calls:
        named = [keyword.value for keyword in call.keywords if keyword.arg == parameter]
        given = named[0] if named else call.args[at] if at < len(call.args) else None
        yield from _texts(module, code, call, given)


def _constant(module: Module, code: list[Module], name: str) -> str:
    """A text that this module, or the one that it has it from, gives the name."""
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Constant(value=str(text))) if target == name:
                return text
            case ast.ImportFrom(module=str(path), names=names) if name in [each.name for each in names]:
                file = path.replace(".", "/") + ".py"
                for other in code:
                    if other.name.endswith(file) and other is not module:
                        return _constant(other, code, name)
    raise Unreadable(f"{module.name}: {name} is no text that is known here")
