"""The Python functions in lambdas/functions, as their source declares them. Nothing of it is imported or run.

A folder is a Lambda; its handler.py holds one or more functions with the decorator of `lambdas.sdk`, and
`handler = serve(...)` with all of them. The source is also what the gateway's image carries, so that what is
checked before a deployment is what the gateway knows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from definition import docstring
from definition.errors import Problem
from definition.hints import PRIVATE, Hints, NotAHint, Schema, closed, described, name_of
from definition.model import FunctionDefinition
from definition.options import OPTIONS
from definition.shape import BAD, Findings
from definition.source import Node

FILE = "handler.py"


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a folder of Lambdas declares: functions by name, the problems of each, and those of whole files.

    `plain` are folders with a handler that declares nothing; a definition describes their function itself.
    """

    functions: Mapping[str, FunctionDefinition] = field(default_factory=dict)
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    broken: tuple[Problem, ...] = ()
    plain: frozenset[str] = frozenset()


def read_handlers(folder: Path) -> Handlers:
    """Every Lambda of a folder; none where the folder is missing."""
    functions: dict[str, FunctionDefinition] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    broken: list[Problem] = []
    plain: set[str] = set()
    for path in sorted(folder.glob(f"*/{FILE}")):
        module = _Module(path)
        broken += module.broken
        if not module.functions and not module.broken:
            plain.add(path.parent.name)
        for name, (function, found) in module.functions.items():
            if name in functions:
                found = [*found, Problem(str(path), 0, name, "a name once", f"it in {functions[name].folder} too")]
            functions[name], problems[name] = function, tuple(found)
    return Handlers(functions, problems, tuple(broken), frozenset(plain))


class _Module:
    """One handler.py: `functions` by name with their problems."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: list[Problem] = []
        self.functions: dict[str, tuple[FunctionDefinition, list[Problem]]] = {}
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 0
            self.broken.append(self._problem(line, "", "Python that can be read", getattr(error, "msg", "not UTF-8")))
            return
        self._hints = Hints(
            {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)},
            {name_of(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)},
        )
        served = _served(tree)
        for node in tree.body:
            decorator = _decorator(node)
            if decorator is not None:
                assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                function, problems = self._function(node, decorator)
                if node.name not in served:
                    problems.append(self._problem(node.lineno, node.name, f"handler = serve({node.name})", "none"))
                self.functions[node.name] = function, problems

    def _problem(self, line: int, key: str, expected: str, found: str) -> Problem:
        return Problem(str(self.path), line, key, expected, found)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, decorator: ast.expr
    ) -> tuple[FunctionDefinition, list[Problem]]:
        problems: list[Problem] = []
        said = docstring.parse(ast.get_docstring(node, clean=False))
        if isinstance(node, ast.AsyncFunctionDef):
            problems.append(
                self._problem(node.lineno, node.name, "def (a Lambda runs one call at a time)", "async def")
            )
        if not said.summary:
            problems.append(self._problem(node.lineno, node.name, "a docstring: what it does, when to call it", "none"))
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for argument, default in self._parameters(node, problems):
            key = f"{node.name}.{argument.arg}"
            try:
                schema = self._parameter(argument, said.entries.get(argument.arg, ""), default)
            except NotAHint as wrong:
                problems.append(self._problem(wrong.line, key, wrong.expected, wrong.found))
                continue
            properties[argument.arg] = schema
            if default is None:
                required.append(argument.arg)
        redact = tuple(name for name, schema in properties.items() if schema.pop(PRIVATE, False))
        options = self._options(node.name, decorator, problems)
        parameters = closed(properties, required)
        function = FunctionDefinition(
            node.name, said.summary, parameters, folder=self.path.parent.name, redact=redact, **options
        )
        return function, problems

    def _parameters(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, problems: list[Problem]
    ) -> Iterator[tuple[ast.arg, ast.expr | None]]:
        """Those that the model fills in, each with its default."""
        arguments = node.args
        if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
            problems.append(self._problem(node.lineno, node.name, "parameters with names", "*, ** or /"))
        late = [None] * (len(arguments.args) - len(arguments.defaults))
        for argument, default in zip(arguments.args, [*late, *arguments.defaults], strict=True):
            if not _is_context(argument):
                yield argument, default
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if not _is_context(argument):
                yield argument, default

    def _parameter(self, argument: ast.arg, text: str, default: ast.expr | None) -> Schema:
        if argument.annotation is None:
            raise NotAHint(argument.lineno, "a type hint", "none")
        schema = self._hints.schema(argument.annotation)
        if not text:
            raise NotAHint(argument.lineno, "a line in the docstring's Args: that says what it is", "none")
        if default is not None and isinstance(default, ast.Constant) and default.value is not None:
            schema["default"] = default.value
        return described(schema, text)

    def _options(self, name: str, decorator: ast.expr, problems: list[Problem]) -> dict[str, Any]:
        findings = Findings(str(self.path))
        options: dict[str, Any] = {}
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            key = f"{name}.{keyword.arg or '**'}"
            node = Node(_written_out(keyword.value), keyword.value.lineno, key)
            shape = OPTIONS.get(keyword.arg or "")
            if shape is None:
                findings.refuse(node, f"one of {', '.join(OPTIONS)}", "another option")
            elif not isinstance(value := shape.read(node, findings), type(BAD)):
                options[str(keyword.arg)] = value
        problems += findings.problems
        return options


def _written_out(node: ast.expr) -> Any:
    """The value of a constant; None for what would have to be evaluated, which no option takes."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _decorator(node: ast.stmt) -> ast.expr | None:
    """The decorator `function` of a definition at the top of the module."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    for each in node.decorator_list:
        if name_of(each.func if isinstance(each, ast.Call) else each) == "function":
            return each
    return None


def _is_context(argument: ast.arg) -> bool:
    return argument.annotation is not None and name_of(argument.annotation) == "Context"


def _served(tree: ast.Module) -> set[str]:
    """The names in `handler = serve(...)`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [name_of(target) for target in node.targets] == ["handler"]:
            call = node.value
            if isinstance(call, ast.Call) and name_of(call.func) == "serve":
                return {name_of(each) for each in call.args}
    return set()
