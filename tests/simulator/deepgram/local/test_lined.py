from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.deepgram.local.errors import RulesInvalid
from simulator.deepgram.local.lined import Lined


def lined(tmp_path: Path, text: str) -> Lined:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    return Lined.read(path)


def test_values_are_read_by_type(tmp_path: Path) -> None:
    fields = lined(tmp_path, "a: yes\nb: 12\nc: [x, y]\nd: true\ne: z\n").record({"a", "b", "c", "d", "e"}, set())
    assert fields["a"].text() == "yes"
    assert fields["b"].number() == 12
    assert [item.text() for item in fields["c"].items()] == ["x", "y"]
    assert [item.text() for item in fields["e"].items()] == ["z"]
    assert fields["d"].flag()
    assert fields["e"].one_of({"z"}, "letter") == "z"
    assert fields["b"].parsed(int) == 12
    assert not fields["a"].is_mapping


@pytest.mark.parametrize(
    ("text", "ask", "line", "problem"),
    [
        ("\nfoo: {a: 1}", lambda v: v.fields()["foo"].text(), 2, "a text is expected"),
        ("foo: ''", lambda v: v.fields()["foo"].text(), 1, "a text is expected"),
        ("\n\nfoo: x", lambda v: v.fields()["foo"].number(), 3, "a whole number"),
        ("foo: x", lambda v: v.fields()["foo"].flag(), 1, "true or false"),
        ("foo: {}", lambda v: v.fields()["foo"].items(), 1, "a list is expected"),
        ("foo: x", lambda v: v.fields()["foo"].fields(), 1, "a mapping is expected"),
        ("foo: x\nfoo: y", lambda v: v.fields(), 2, "second time"),
        ("foo: x\nbar: y", lambda v: v.record({"foo"}, {"baz"}), 2, "unknown key 'bar'; there are baz, foo"),
        ("foo: x", lambda v: v.record({"bar", "foo"}, set()), 1, "the key 'bar' is missing"),
        ("foo: x", lambda v: v.fields()["foo"].one_of(set(), "slot"), 1, "unknown slot 'x'; there are none"),
        ("a: 1\nfoo: x", lambda v: v.fields()["foo"].parsed(int), 2, "invalid literal"),
    ],
)
def test_a_complaint_names_file_and_line(
    tmp_path: Path, text: str, ask: Callable[[Lined], object], line: int, problem: str
) -> None:
    value = lined(tmp_path, text)
    with pytest.raises(RulesInvalid) as caught:
        ask(value)
    assert caught.value.line == line
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'rules.yaml'}:{line}: ")


@pytest.mark.parametrize(("text", "line"), [("", 1), ("a: [1\nb: 2", 2), ("a: \x01", 1)])
def test_what_is_not_yaml_is_refused(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(RulesInvalid) as caught:
        lined(tmp_path, text)
    assert caught.value.line == line


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid, match="cannot be read: No such file"):
        Lined.read(tmp_path / "none.yaml")
