"""`collect` of a definition: what may be typed, and who gets what is secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from definition import AgentDefinition, DefinitionError, load
from definition.collect import COLLECT_DIGITS, asked_for
from definition.functions import all_functions
from tests.definition.conftest import text

SOURCE = '''
from lambdas.sdk import Context, function, serve

@function(timeout_s=3)
def check_pin(pin: str, context: Context) -> None:
    """Check a pin.

    Args:
        pin: The digits.
    """

@function
def two(one: str, other: str) -> None:
    """Take two.

    Args:
        one: The one.
        other: The other.
    """

handler = serve(check_pin, two)
'''
MENU = (
    "  desk:\n    kind: menu\n    description: Which desk.\n    prompt: Press one.\n"
    "    choices: {'1': claims, '2': else}\n"
)
NUMBER = "  order:\n    kind: number\n    description: The order number\n    prompt: Type it.\n    digits: {most: 6}\n"
SURE = "  sure:\n    kind: confirmation\n    description: A yes or a no\n    prompt: Press one.\n    attempts: 1\n"
PIN = (
    "  pin:\n    kind: number\n    description: The pin\n    prompt: Type it.\n    digits: {least: 4, most: 4}\n"
    "    secret: true\n    function: check_pin\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "lambdas" / "functions" / "pins"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text(SOURCE)
    (tmp_path / "agents").mkdir()
    return tmp_path


def agent(root: Path, collect: str, more: str = "") -> AgentDefinition:
    path = root / "agents" / "shop.yaml"
    path.write_text(text(f"collect:\n{collect}{more}"))
    return load(path)


def problems(root: Path, collect: str, more: str = "") -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        agent(root, collect, more)
    return [str(problem).partition(": ")[2] for problem in caught.value.problems]


def test_each_kind_has_its_own_keys(root: Path) -> None:
    collect = agent(root, MENU + NUMBER + SURE).collect
    assert list(collect) == ["desk", "order", "sure"]
    desk, order, sure = collect.values()
    assert (desk.choices, desk.least, desk.most, desk.attempts) == ({"1": "claims", "2": "else"}, 1, 1, 2)
    assert (order.choices, order.least, order.most, order.parameter) == ({}, 1, 6, "")
    assert (sure.choices, sure.most, sure.attempts) == ({"1": "yes", "2": "no"}, 1, 1)


def test_a_secret_goes_to_a_function_of_one_argument_that_the_agent_need_not_have(root: Path) -> None:
    loaded = agent(root, PIN)
    pin = loaded.collect["pin"]
    assert pin.function is not None
    assert (pin.secret, pin.function.name, pin.parameter) == (True, "check_pin", "pin")
    assert [each.name for each in loaded.lambdas] == ["check_pin"]
    assert "check_pin" not in all_functions(loaded)
    assert agent(root, PIN, "functions: {check_pin: {timeout_s: 9}}\n").collect["pin"].function is not None
    assert agent(root, PIN.replace("    function: check_pin\n", "")).collect["pin"].function is None


def test_the_agent_asks_by_a_built_in_function_that_names_what_there_is(root: Path) -> None:
    function = all_functions(agent(root, MENU + NUMBER))[COLLECT_DIGITS]
    what: Any = function.parameters["properties"]
    assert what["what"]["enum"] == ["desk", "order"]
    assert "desk: Which desk. order: The order number." in what["what"]["description"]
    assert function.defer_until_eot


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('{"what": "order"}', "order"),
        ('{"what": "age"}', None),
        ('{"what": 3}', None),
        ("[]", None),
        ("", None),
        ("{", None),
    ],
)
def test_what_the_model_means_is_a_question_or_none(root: Path, arguments: str, found: str | None) -> None:
    asked = asked_for(agent(root, NUMBER), arguments)
    assert (asked.name if asked else None) == found


@pytest.mark.parametrize(
    ("collect", "said"),
    [
        (MENU.replace("    choices: {'1': claims, '2': else}\n", ""), "expected what a menu needs"),
        (MENU.replace("menu", "number"), "no such key of a number"),
        (NUMBER.replace("    digits: {most: 6}\n", ""), "expected what a number needs"),
        (NUMBER.replace("{most: 6}", "6"), "a mapping with least and most"),
        (NUMBER.replace("{most: 6}", "{least: 8, most: 6}"), "least below most, found 8 and 6"),
        (NUMBER.replace("Type it.", "Type {{day}}."), "a sentence without braces"),
        (NUMBER.replace("kind: number", "kind: voice"), "one of menu, number, confirmation"),
        (MENU + "    secret: true\n", "a number, since only that can be secret"),
        (NUMBER + "    function: check_pin\n", "no such key without secret: true"),
        (PIN.replace("check_pin", "check_pins"), "did you mean check_pin?"),
        (PIN.replace("check_pin", "two"), "a function of one argument, which gets the digits"),
        (NUMBER.replace("    kind: number\n", ""), "collect.order.kind"),
        ("  order: 6\n", "a question with kind and prompt"),
        (MENU.replace("'2': else", "x: else"), "one of the keys 0 to 9 and *"),
    ],
)
def test_what_cannot_be_asked_is_refused(root: Path, collect: str, said: str) -> None:
    assert any(said in problem for problem in problems(root, collect)), problems(root, collect)


def test_something_else_than_a_mapping_is_refused(root: Path) -> None:
    path = root / "agents" / "shop.yaml"
    path.write_text(text("collect: [order]\n"))
    with pytest.raises(DefinitionError, match="a mapping of 0 to 100 questions by name"):
        load(path)


def test_a_function_that_deepgram_calls_gets_no_secret(root: Path) -> None:
    remote = "functions:\n  there: {description: x, endpoint: {url: 'https://x.example/'}}\n"
    found = problems(root, PIN.replace("check_pin", "there"), remote)
    assert any("a function of one argument" in problem for problem in found)
