"""What the source of a function declares, read without running it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from definition import FunctionDefinition, load_all
from definition.docstring import parse
from definition.handlers import Handlers, read_handlers

ROOT = Path(__file__).resolve().parents[2]
HEAD = "from lambdas.sdk import *\nfrom typing import *\n"


def declare(folder: Path, source: str, name: str = "orders") -> Handlers:
    path = folder / "functions" / name / "handler.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + source, encoding="utf-8")
    return read_handlers(folder / "functions")


def one(folder: Path, hint: str, above: str = "", default: str = "", extra: str = "") -> tuple[Any, list[str]]:
    """The schema of the one parameter, and the problems."""
    source = (
        f"{above}\n@function({extra})\ndef f(a: {hint}{default}):\n"
        '    """Does it.\n\n    Args:\n        a: The thing.\n    """\nhandler = serve(f)\n'
    )
    handlers = declare(folder, source)
    problems = [str(problem).partition("handler.py:")[2] for problem in handlers.problems["f"]]
    properties: Any = handlers.functions["f"].parameters["properties"]
    return properties.get("a"), problems


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        ("str", {"type": "string"}),
        ("'int'", {"type": "integer"}),
        ("float | None", {"type": "number"}),
        ("Optional[bool]", {"type": "boolean"}),
        ("None | str", {"type": "string"}),
        ("typing.Any", {}),
        ("datetime.date", {"type": "string", "format": "date"}),
        ("list[time]", {"type": "array", "items": {"type": "string", "format": "time"}}),
        ("dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        ('Literal["a", "b"]', {"type": "string", "enum": ["a", "b"]}),
        ('Literal["a", 1, True]', {"enum": ["a", 1, True]}),
        ("Literal[True]", {"type": "boolean", "enum": [True]}),
        ('Annotated[str, Matches("^a$")]', {"type": "string", "pattern": "^a$"}),
        ("Annotated[int, Between(-1, 9)]", {"type": "integer", "minimum": -1, "maximum": 9}),
        ("Annotated[str, Length(1, 9)]", {"type": "string", "minLength": 1, "maxLength": 9}),
        (
            "Annotated[list[str], Length(1, 9)]",
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 9},
        ),
        ('list[Annotated[int, Unit("kg")]]', {"type": "array", "items": {"type": "integer", "description": "In kg."}}),
    ],
)  # fmt: skip
def test_a_hint_becomes_a_schema(tmp_path: Path, hint: str, schema: dict[str, object]) -> None:
    found, problems = one(tmp_path, hint)
    assert problems == []
    assert found == {**schema, "description": "The thing."}


def test_a_unit_is_part_of_the_description(tmp_path: Path) -> None:
    found, _ = one(tmp_path, 'Annotated[int, Unit("days")]')
    assert found == {"type": "integer", "description": "The thing. In days."}


CLASSES = '''
Day = Literal["monday", "friday"]

class Colour(StrEnum):
    """A colour."""
    RED = "red"
    BLUE = "blue"

@dataclass(frozen=True)
class Part:
    """A part.

    Attributes:
        colour: Of the part.
    """
    colour: Colour
    weight: Annotated[float, Unit("kg")] = 1.0

class Box(TypedDict):
    parts: list[Part]
    day: Day
'''


def test_classes_and_aliases_of_the_file_are_followed(tmp_path: Path) -> None:
    found, problems = one(tmp_path, "Box", CLASSES)
    assert problems == []
    part = {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "enum": ["red", "blue"], "description": "Of the part."},
            "weight": {"type": "number", "description": "In kg."},
        },
        "required": ["colour"],
        "additionalProperties": False,
    }
    assert found == {
        "type": "object",
        "properties": {
            "parts": {"type": "array", "items": part},
            "day": {"type": "string", "enum": ["monday", "friday"]},
        },
        "required": ["parts", "day"],
        "additionalProperties": False,
        "description": "The thing.",
    }


KNOWN = "expected str, int, float, bool, date, datetime, time, Literal, list, dict, T | None, or a class of this file"


@pytest.mark.parametrize(
    ("hint", "above", "problem"),
    [
        ("Decimal", "", f"5: f.a: {KNOWN}, found Decimal"),
        ("set[str]", "", f"5: f.a: {KNOWN}, found set[str]"),
        ("dict[int, str]", "", f"5: f.a: {KNOWN}, found dict[int, str]"),
        ("'['", "", f"5: f.a: {KNOWN}, found '['"),
        ("1", "", f"5: f.a: {KNOWN}, found 1"),
        ("int | str", "", "5: f.a: expected one type, or one type and None, found int | str"),
        ("Literal[x]", "", "5: f.a: expected a value that is written out, found x"),
        (
            "Annotated[int, Unit(1, 2)]",
            "",
            '5: f.a: expected a mark such as Unit("days"), Between(1, 20) or Private(), found Unit(1, 2)',
        ),
        (
            "Annotated[int, Unit(name='x')]",
            "",
            "5: f.a: expected a mark such as Unit(\"days\"), Between(1, 20) or Private(), found Unit(name='x')",
        ),
        (
            "list[Annotated[int, Private()]]",
            "",
            "5: f.a: expected Private() on the parameter itself, not inside of it, found Annotated[int, Private()]",
        ),
        ("Own", "class Own: pass", "5: f.a: expected an enum, a data class or a TypedDict, found the class Own"),
        ("Own", "class Own(TypedDict): own: 'Own'", "1: f.a: expected a type that does not hold itself, found Own"),
    ],
)
def test_a_hint_that_cannot_be_told_to_a_model_is_named_with_its_line(
    tmp_path: Path, hint: str, above: str, problem: str
) -> None:
    _, [found] = one(tmp_path, hint, above)
    assert found.partition(": ")[2] == problem.partition(": ")[2]


def test_options_and_defaults_are_read(tmp_path: Path) -> None:
    source = '''
@function(timeout_s=2.5, idempotent=True, confirm="Book {day}?", result_bytes=900)
def book(day: str, *, code: Annotated[str, Private()], count: int = 1, who: Context, note: str | None = None):
    """Book a day.
    It cannot be undone.

    Args:
        day (str): The day,
            in words.
        code: The PIN.
        count: How many.
        note: What else.

    Returns:
        Something.
    """
handler = serve(book)
'''
    handlers = declare(tmp_path, source)
    assert handlers.problems["book"] == ()
    assert handlers.functions["book"] == FunctionDefinition(
        "book",
        "Book a day. It cannot be undone.",
        {
            "type": "object",
            "properties": {
                "day": {"type": "string", "description": "The day, in words."},
                "code": {"type": "string", "description": "The PIN."},
                "count": {"type": "integer", "default": 1, "description": "How many."},
                "note": {"type": "string", "description": "What else."},
            },
            "required": ["day", "code"],
            "additionalProperties": False,
        },
        timeout_s=2.5,
        idempotent=True,
        confirm="Book {day}?",
        result_bytes=900,
        redact=("code",),
        folder="orders",
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("@function\ndef f(): pass\nhandler = serve(f)", "f: expected a docstring: what it does, when to call it"),
        ('@function\ndef f():\n    """D."""\nhandler = 1', "f: expected handler = serve(f), found none"),
        ('@function\ndef f():\n    """D."""\nhandler = serve(g)', "f: expected handler = serve(f), found none"),
        ('@function\nasync def f():\n    """D."""\nhandler = serve(f)', "f: expected def (a Lambda runs one call at"),
        ('@function\ndef f(*a):\n    """D."""\nhandler = serve(f)', "f: expected parameters with names, found *"),
        ('@function\ndef f(a):\n    """D."""\nhandler = serve(f)', "f.a: expected a type hint, found none"),
        ('@function\ndef f(a: int):\n    """D."""\nhandler = serve(f)', "f.a: expected a line in the docstring's Args"),
        ('@function(fast=1)\ndef f():\n    """D."""\nhandler = serve(f)', "f.fast: expected one of timeout_s, idem"),
        ('@function(**x)\ndef f():\n    """D."""\nhandler = serve(f)', "f.**: expected one of timeout_s, idempotent"),
        (
            '@function(timeout_s=LIMIT)\ndef f():\n    """D."""\nhandler = serve(f)',
            "f.timeout_s: expected a number of seconds from 1 to 60, found nothing",
        ),
        (
            '@function(idempotent=1)\ndef f():\n    """D."""\nhandler = serve(f)',
            "f.idempotent: expected true or false, found 1",
        ),
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, source: str, problem: str) -> None:
    [found] = declare(tmp_path, source).problems["f"]
    assert problem in str(found)
    assert found.file.endswith("orders/handler.py")
    assert found.line > 2


def test_a_file_that_is_no_python_is_broken(tmp_path: Path) -> None:
    [problem] = declare(tmp_path, "def f(:").broken
    assert "expected Python that can be read" in str(problem)
    (tmp_path / "functions/orders/handler.py").write_bytes(b"\xff")
    [problem] = read_handlers(tmp_path / "functions").broken
    assert "found not UTF-8" in str(problem)


def test_a_name_is_declared_in_one_folder_only(tmp_path: Path) -> None:
    source = '@function\ndef f():\n    """D."""\nhandler = serve(f)\n'
    declare(tmp_path, source, "first")
    [problem] = declare(tmp_path, source, "second").problems["f"]
    assert "expected a name once, found it in first too" in str(problem)


def test_a_handler_without_declarations_is_a_plain_one(tmp_path: Path) -> None:
    handlers = declare(tmp_path, "def handler(event, context): return {}\nx: int = 1\nx = 2\nx += 1\n")
    assert (handlers.plain, handlers.functions) == (frozenset({"orders"}), {})


def test_a_folder_that_is_not_there_declares_nothing(tmp_path: Path) -> None:
    assert read_handlers(tmp_path / "none") == Handlers()


def test_every_function_of_this_repository_is_declared_well() -> None:
    handlers = read_handlers(ROOT / "lambdas" / "functions")
    assert not handlers.broken
    assert {name: problems for name, problems in handlers.problems.items() if problems} == {}
    for agent in load_all(ROOT / "agents").values():
        json.dumps([dict(function.parameters) for function in agent.functions.values()])


def test_a_docstring_may_have_other_sections_and_lines_of_no_parameter() -> None:
    said = parse("Sum.\n\nArgs:\n    what goes before\n    a: One\n        more: of it\n\nNotes:\n    b: no\n")
    assert (said.summary, said.entries) == ("Sum.", {"a": "One more: of it"})
    assert parse(None).summary == ""


def test_a_handler_that_is_assigned_among_others_is_found(tmp_path: Path) -> None:
    source = 'LIMIT = 3\n@cache\ndef g(): pass\n@cache\n@function\ndef f():\n    """D."""\nhandler = serve(f)\n'
    assert declare(tmp_path, source).problems["f"] == ()
