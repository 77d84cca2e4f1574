from __future__ import annotations

import pytest

from definition.errors import DefinitionError, Problem
from definition.source import MAX_DEPTH, Node, joined, parse, plain


def value(text: str) -> object:
    node, problems = parse("a.yaml", text)
    assert problems == []
    return plain(node)


def refused(text: str) -> Problem:
    with pytest.raises(DefinitionError) as caught:
        parse("a.yaml", text)
    (problem,) = caught.value.problems
    assert problem.file == "a.yaml"
    return problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("# nothing but a comment", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("0.5", 0.5),
        (".5", 0.5),
        ("8000.0", 8000.0),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("'7'", "7"),
        ("2026-12-31", "2026-12-31"),
        ("٣", "٣"),
        ("{a: [1, x], 2: {b: true}}", {"a": [1, "x"], "2": {"b": True}}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
    ],
)
def test_scalars_mean_what_json_makes_of_them(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_number_of_more_than_18_digits_is_a_decimal() -> None:
    assert value("9" * 5000 + "x") == "9" * 5000 + "x"
    assert value("9" * 19) == 1e19
    assert value("9" * 5000) == "9" * 5000


def test_each_node_knows_its_line_and_its_path() -> None:
    root, _ = parse("a.yaml", "a:\n  b:\n    - 1\n    - c: x\n")
    assert root.line == 1
    assert root.path == ""
    a = root.child("a")
    b = a.child("b") if a else None
    assert b is not None
    assert (b.line, b.path) == (2, "a.b")
    assert isinstance(b.value, list)
    assert (b.value[1].line, b.value[1].path) == (4, "a.b[1]")
    assert b.value[1].child("c") == Node("x", 4, "a.b[1].c")


def test_a_child_is_looked_up_in_mappings_only() -> None:
    root, _ = parse("a.yaml", "a: x\nb: 1")
    assert root.text("a") == "x"
    assert root.text("b") is None
    assert root.text("c") is None
    assert Node([], 1, "").child("a") is None


def test_an_unusual_key_is_quoted_and_cut_in_a_path() -> None:
    assert joined("a", "b c") == "a.b c"
    assert joined("", "b.c") == '"b.c"'
    assert joined("a", "x\n" + "y" * 100) == 'a."x\\n' + "y" * 38 + '"'


def test_a_key_that_stands_twice_is_a_problem_and_the_first_counts() -> None:
    node, problems = parse("a.yaml", "a: 1\nb:\n  c: 1\n  c: 2\na: 2\n")
    assert plain(node) == {"a": 1, "b": {"c": 1}}
    assert [str(problem) for problem in problems] == [
        "a.yaml:4: b.c: expected the key once, found it again (it stands in line 3)",
        "a.yaml:5: a: expected the key once, found it again (it stands in line 1)",
    ]


@pytest.mark.parametrize(
    ("text", "line", "key", "expected", "found"),
    [
        ("a:\n\tb: 1", 2, "", "spaces before a key", "a tab"),
        ("a:\n  - b\n  c: 1", 3, "", "valid YAML", "expected <block end>, but found '?'"),
        ("a: [1, 2", 1, "", "valid YAML", "expected ',' or ']', but got '<stream end>'"),
        ("a: 'x", 1, "", "valid YAML", "found unexpected end of stream"),
        ("a: 1\nb: \x07", 2, "", "printable characters", "the character U+0007"),
        ('a: 1\nb: "\\UFFFFFFFF"', 2, "", "valid YAML", "a number out of range in an escape or directive"),
        ('a: "\\uD800"', 1, "a", "whole characters", "half of a surrogate pair"),
        ('"\\uD800": 1', 1, "", "whole characters", "half of a surrogate pair"),
        ("a: 1\n---\nb: 1", 2, "", "one YAML document", "a second one after ---"),
        ("a: 1\nb: &x 1\nc: *x", 2, "b", "the value alone", "an anchor (&)"),
        ("a: 1\nb: *x", 2, "b", "the value written out", "an alias (*)"),
        ("a:\n  - !!python/object:os.system x", 2, "a[0]", "the value alone", "a tag (!)"),
        ("a:\n  [1]: 2", 2, "a", "a key of plain text", "something else"),
        ("*x : 2", 1, "", "a key of plain text", "something else"),
        ("!t x: 2", 1, "", "a key of plain text", "something else"),
        ("&t x: 2", 1, "", "a key of plain text", "something else"),
        ("[" * 10_000, 1, "", f"at most {MAX_DEPTH} levels", "more"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(
    text: str, line: int, key: str, expected: str, found: str
) -> None:
    problem = refused(text)
    assert (problem.line, problem.key, problem.expected) == (line, key, expected)
    assert found in problem.found


def test_a_key_that_stands_twice_is_told_next_to_a_fatal_problem() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse("a.yaml", "a: 1\na: 2\nb: *x")
    assert [problem.line for problem in caught.value.problems] == [2, 3]
