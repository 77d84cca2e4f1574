from __future__ import annotations

from typing import Any

import pytest

from definition.shape import (
    BAD,
    Choice,
    Depends,
    Findings,
    ListOf,
    MapOf,
    Number,
    NumberOf,
    OneOrMore,
    Shape,
    Switch,
    Table,
    Text,
    may,
    meant,
    need,
    shown,
    whole,
)
from definition.source import Node, parse

NAME = Text("a small word", 8, "[a-z]+")


def read(shape: Shape, text: str) -> tuple[Any, list[str]]:
    node, _ = parse("f", text)
    findings = Findings("f")
    value = shape.read(node, findings)
    return value, [str(problem) for problem in findings.problems]


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Text("t"), "a  b\n  c", "a b c"),
        (Text("t", lines=True), "|\n  a\n   b\n", "a\n b"),
        (NAME, "abc", "abc"),
        (Number(0, 2), "1", 1),
        (NumberOf((1, 7), "days"), "7", 7),
        (Number(0, 2), "0.5", 0.5),
        (Number(0.5, 1.5, step=0.05), "1.15", 1.15),
        (whole(500, 10000), "500", 500),
        (Switch(), "true", True),
        (Choice("a", "b"), "b", "b"),
        (ListOf(Switch(), "switches"), "[true, false]", [True, False]),
        (OneOrMore(Choice("a"), "letters"), "a", ["a"]),
        (OneOrMore(Choice("a"), "letters"), "[a, a]", ["a", "a"]),
        (MapOf(Switch(), NAME, "switches"), "{a: true}", {"a": True}),
        (
            Table("t", {"a": need(Switch()), "b": may(Switch(), False), "c": may(Switch())}),
            "a: true",
            {"a": True, "b": False},
        ),
        (Depends("t", lambda node, _: Table("t", {"a": need(Switch())})), "a: true", {"a": True}),
    ],
)
def test_a_shape_reads_what_fits(shape: Shape, text: str, value: object) -> None:
    assert read(shape, text) == (value, [])


@pytest.mark.parametrize(
    ("shape", "text", "problem"),
    [
        (Text("a word"), "7", "expected a word, found 7"),
        (Text("a word"), "", "expected a word, found nothing"),
        (Text("a word"), "'  '", "expected a word, found empty text"),
        (Text("a word", 3), "abcd", "expected a word of at most 3 characters, found 4"),
        (Text("a word"), '"a\\x1bb"', "expected a word without control characters, found one"),
        (NAME, "A", "expected a small word, found 'A'"),
        (NAME, "{}", "expected a small word, found a mapping"),
        (Number(1, 60, "a number of seconds"), "soon", "expected a number of seconds from 1 to 60, found 'soon'"),
        (NumberOf((1, 7), "days"), "2", "expected days out of 1, 7, found 2"),
        (NumberOf((1, 7), "days"), "true", "expected days out of 1, 7, found true"),
        (NumberOf((1, 7), "days"), "1.0", "expected days out of 1, 7, found 1.0"),
        (Number(0, 2), "true", "expected a number from 0 to 2, found true"),
        (Number(0, 2), "2.01", "expected a number from 0 to 2, found 2.01"),
        (Number(0, 2, step=0.05), "0.51", "expected a number from 0 to 2 in steps of 0.05, found 0.51"),
        (whole(1, 9), "8.0", "expected a whole number from 1 to 9, found 8.0"),
        (Switch(), "yes", "expected true or false, found 'yes'"),
        (Choice("open_ai", "groq"), "openai", "expected one of open_ai, groq (did you mean open_ai?), found 'openai'"),
        (Choice("v2"), "2", "expected v2, found 2"),
        (ListOf(Switch(), "switches"), "true", "expected a list of 1 to 100 switches, found true"),
        (ListOf(Switch(), "switches"), "[]", "expected a list of 1 to 100 switches, found 0"),
        (OneOrMore(Choice("a"), "letters", 2), "[a, a, a]", "expected a list of 1 to 2 letters, found 3"),
        (OneOrMore(Choice("a"), "letters", 2), "{}", "expected a, found a mapping"),
        (MapOf(Switch(), NAME, "switches"), "[]", "expected a mapping of 0 to 100 switches by name, found a list"),
        (MapOf(Switch(), NAME, "switches", 1), "{}", "expected a mapping of 1 to 100 switches by name, found 0"),
        (MapOf(Switch(), NAME, "switches"), "A: true", "A: expected a small word, found 'A'"),
        (
            MapOf(Switch(), NAME, "switches", reserved=("x", "y")),
            "x: true",
            "x: expected a name other than the built-in x, y, found 'x'",
        ),
        (Table("a table", {}), "[]", "expected a table, found a list"),
        (Table("a table", {"ab": need(Choice("c", "d"))}), "{}", "ab: expected one of c, d, found nothing"),
        (
            Table("a table", {"speed": may(Switch())}),
            "sped: 1",
            "sped: expected a known key (did you mean speed?), found 'sped'",
        ),
        (
            Table("a table", {"a": may(Switch()), "b": may(Switch())}),
            "zzz: 1",
            "zzz: expected one of the keys a, b, found 'zzz'",
        ),
        (Table("a table", {}, elsewhere={"x": "y instead"}), "x: 1", "x: expected y instead, found 'x'"),
        (Depends("a table", lambda *_: None), "[]", "expected a table, found a list"),
    ],
)
def test_a_shape_says_what_it_expected_and_what_it_found(shape: Shape, text: str, problem: str) -> None:
    assert read(shape, text)[1] == ["f:1: " + problem]


def test_a_shape_that_cannot_be_chosen_reads_as_bad() -> None:
    assert read(Depends("a table", lambda *_: None), "{}") == (BAD, [])


def test_a_table_reads_on_after_a_problem_and_runs_its_rules_on_the_rest() -> None:
    seen: list[dict[str, Any]] = []

    def rule(_node: Node, data: dict[str, Any], _findings: Findings) -> None:
        seen.append(data)

    table = Table("t", {"a": need(Switch()), "b": need(Switch())}, (rule,))
    value, problems = read(table, "a: 1\nb: true\nc: 1\n")
    assert value == {"b": True}
    assert seen == [{"b": True}]
    assert problems == [
        "f:3: c: expected one of the keys a, b, found 'c'",
        "f:1: a: expected true or false, found 1",
    ]


def test_the_order_of_what_a_table_reads_is_that_of_its_keys() -> None:
    table = Table("t", {"a": need(Switch()), "b": need(Switch())})
    assert list(read(table, "b: true\na: true")[0]) == ["a", "b"]


def test_expectations_of_containers_can_be_said_before_anything_was_read() -> None:
    assert OneOrMore(Choice("a"), "letters").expected == "a, or a list of them"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 50, f"'{'x' * 40}…'"),
        ("Bearer abc", "what looks like a secret"),
        ("a\nb", '"a\\nb"'),
        (True, "true"),
        (1.5, "1.5"),
    ],
)
def test_a_value_is_shown_on_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text


def test_only_a_near_word_is_suggested() -> None:
    assert meant("timeout", ["timeout_s", "say"]) == " (did you mean timeout_s?)"
    assert meant("xyz", ["timeout_s", "say"]) == ""
