from __future__ import annotations

import pytest

from definition.schema import Parameters, kind
from definition.shape import Findings
from definition.source import parse


def refused(text: str) -> list[str]:
    node, _ = parse("f", text)
    findings = Findings("f")
    Parameters().read(node, findings)
    return [str(problem) for problem in findings.problems]


@pytest.mark.parametrize(
    "text",
    [
        "type: object",
        "{type: object, properties: {a: {type: string, pattern: '^[0-9]+$'}}, required: [a]}",
        "{type: object, properties: {a: {anyOf: [{type: string}, {type: 'null'}]}, type: {enum: [no, 1]}}}",
        "{type: object, properties: {properties: {type: object, properties: {b: {type: array}}}}}",
        "{type: object, properties: {a: {type: object, properties: {b: {type: object, properties: {c: {type: object, "
        "properties: {d: {type: object, properties: {e: {type: string}}}}}}}}}}}",
    ],
)
def test_a_schema_of_type_object_is_taken(text: str) -> None:
    assert refused(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "1: expected a JSON Schema of type object, found a list"),
        ("properties: {}", "1: type: expected object (arguments always have names), found nothing"),
        ("type: array", "1: type: expected object (arguments always have names), found 'array'"),
        (
            "type: object\nanyOf: []",
            "2: anyOf: expected no such key at the top of a schema (language models refuse it), found anyOf",
        ),
        (
            "type: object\nproperties:\n  a:\n    $ref: '#'",
            "4: properties.a.$ref: expected the schema written out, without keys that begin with $, found '$ref'",
        ),
        (
            "type: object\nproperties:\n  a:\n    anyOf:\n      - $ref: '#'",
            "5: properties.a.anyOf[0].$ref: expected the schema written out, without keys that begin with $, "
            "found '$ref'",
        ),
        (
            "type: object\nproperties:\n  order number: {}",
            "3: properties.order number: expected a property name of letters, digits, _, . and -, at most 64, "
            "found 'order number'",
        ),
        (
            "type: object\nproperties:\n  $a: {}",
            "3: properties.$a: expected the schema written out, without keys that begin with $, found '$a'",
        ),
        (
            "type: object\nproperties:\n  a: {type: strin}",
            "3: properties.a.type: expected one of object, array, string, number, integer, boolean, null, "
            "or a list of them (did you mean string?) (JSON Schema), found 'strin'",
        ),
        (
            "type: object\nproperties:\n  a: {type: 7}",
            "3: properties.a.type: expected one of object, array, string, number, integer, boolean, null, "
            "or a list of them (JSON Schema), found 7",
        ),
        (
            "type: object\nproperties:\n  a:\n    pattern: '['",
            "4: properties.a.pattern: expected format regex (JSON Schema), found '['",
        ),
        (
            "type: object\nproperties:\n  a:\n    minLength: -1",
            "4: properties.a.minLength: expected minimum 0 (JSON Schema), found -1",
        ),
        (
            "type: object\nproperties:\n  a:\n    anyOf:\n      - 7",
            "5: properties.a.anyOf[0]: expected an object or true or false (JSON Schema), found 7",
        ),
        (
            "type: object\nproperties: []",
            "2: properties: expected an object (JSON Schema), found a list",
        ),
        (
            "type: object\nrequired: order_number",
            "2: required: expected a list (JSON Schema), found 'order_number'",
        ),
        (
            "type: object\nproperties: {order_number: {}}\nrequired:\n  - order_numbr",
            "4: required[0]: expected the name of a property (did you mean order_number?), found 'order_numbr'",
        ),
        (
            "type: object\nrequired:\n  - x",
            "3: required[0]: expected the name of a property, found 'x'",
        ),
    ],
)
def test_a_schema_that_is_none_is_refused_with_its_line(text: str, problem: str) -> None:
    assert refused(text) == [f"f:{problem}"]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "nothing"),
        (True, "true or false"),
        (1, "a number"),
        (0.5, "a number"),
        ("x", "text"),
        ({}, "an object"),
        ([], "a list"),
    ],
)
def test_a_kind_says_nothing_about_the_value(value: object, word: str) -> None:
    assert kind(value) == word
