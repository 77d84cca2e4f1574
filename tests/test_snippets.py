"""The long snippets of the documentation are files, and the files do what the pages say."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from contract import handover
from contract.findings import BRIEF_BYTES, Customer, customer, in_brief
from contract.turns import FunctionEntry, FunctionState
from definition import load
from definition.handlers import read_handlers
from definition.model import Sentences
from definition.reader import _AGENT
from definition.settings import settings
from flows import wire
from lambdas.sdk import handover as tell_the_human
from simulator.deepgram.manners import PESSIMISTIC
from simulator.deepgram.settings_check import check_values, settings_schema

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
_SNIPPET = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPETS = [
    (page.name, file, content)
    for page in sorted((ROOT / "docs").glob("*.md"))
    for file, content in _SNIPPET.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "file", "content"), SNIPPETS, ids=[f"{page}-{file}" for page, file, _ in SNIPPETS])
def test_a_snippet_is_its_file(page: str, file: str, content: str) -> None:
    assert content == (ROOT / file).read_text(encoding="utf-8"), f"{page}: copy {file} into the page"


def test_every_example_stands_on_a_page() -> None:
    files = {str(path.relative_to(ROOT)) for path in EXAMPLES.rglob("*.*") if "__pycache__" not in path.parts}
    assert files <= {file for _, file, _ in SNIPPETS}


@pytest.mark.parametrize("path", sorted((EXAMPLES / "agents").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_agent_of_the_pages_is_taken_by_deepgram(path: Path) -> None:
    agent = load(path)
    secrets = dict.fromkeys(agent.secrets, "value")
    message = settings(agent, greeting=None, secrets=secrets)
    settings_schema(PESSIMISTIC)(message, "")
    check_values(message, PESSIMISTIC)


def handler(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / "lambdas/functions" / name / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # data classes look for their own module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module.handler


def test_the_functions_of_the_page_are_declared_well_and_run() -> None:
    handlers = read_handlers(EXAMPLES / "lambdas" / "functions")
    assert all(not problems for problems in handlers.problems.values())
    orders = handler("orders")
    arguments: dict[str, object] = {"order_number": "123456"}
    assert orders({"function": "find_order", "arguments": arguments}, None)["found"] is True
    moved = orders(
        {
            "function": "change_delivery",
            "arguments": {**arguments, "day": "2027-02-01", "to": {"street": "Elm 1", "city": "York"}},
        },
        None,
    )
    assert moved == {"day": "2027-02-01", "window": "morning", "city": "York", "patience": 3}


def test_the_function_of_the_page_decides_by_the_context() -> None:
    event = {"function": "cancel_order", "arguments": {"order_number": "123456", "pin": "4711"}}
    assert "not known" in handler("orders")(event, None)["error"]
    known = {**event, "context": {"attributes": {"customer_id": "7"}}}
    assert handler("orders")(known, None) == {"cancelled": True}


def test_the_function_of_the_page_that_gets_a_secret_remembers_who_typed_it() -> None:
    pin = load(EXAMPLES / "agents" / "typing.yaml").collect["pin"]
    assert pin.function is not None
    assert (pin.function.name, pin.parameter, pin.function.redact) == ("check_pin", "pin", ("pin",))
    event = {"function": "check_pin", "context": {"caller_number": "+49301"}}
    typed = handler("orders")({**event, "arguments": {"pin": "4711"}}, None)
    assert typed == {"verified": True, "remember": {"customer": "+49301"}}
    assert handler("orders")({**event, "arguments": {"pin": "1"}}, None) == {"verified": False}


def test_what_the_page_says_of_each_function_is_what_the_gateway_knows() -> None:
    functions = load(EXAMPLES / "agents" / "orders.yaml").functions
    assert list(functions) == ["find_order", "cancel_order", "charge_card", "get_weather"]
    assert functions["cancel_order"].on_failure.startswith("Nothing was cancelled")
    assert functions["cancel_order"].redact == ("pin",)
    assert functions["charge_card"].folder == ""
    assert functions["get_weather"].endpoint is not None


def test_the_page_on_agents_names_every_key_and_sentence() -> None:
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    known = [*_AGENT.keys, *(each.name for each in fields(Sentences)), "languages"]
    assert [key for key in known if f"`{key}`" not in page] == []


def test_the_page_on_the_handover_lists_the_attributes_in_their_order_and_lengths() -> None:
    page = (ROOT / "docs" / "handover.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(va_\w+)` \| (\d+) \|", page, re.MULTILINE)
    limits = {**handover.ESSENTIAL, **handover.REST}
    assert [(name, int(limit)) for name, limit in rows] == list(limits.items())


def test_the_example_of_a_handover_is_one() -> None:
    example = json.loads((EXAMPLES / "handover.json").read_text(encoding="utf-8"))
    assert handover.attributes({key: value for key, value in example.items() if value != "none"}) == example
    assert example["va_version"] == handover.VERSION
    page = (ROOT / "docs" / "handover.md").read_text(encoding="utf-8")
    assert f"with a version, which is {handover.VERSION}:" in page


def test_what_the_page_says_of_the_parts_of_a_handover_is_what_is_written() -> None:
    page = (ROOT / "docs" / "handover.md").read_text(encoding="utf-8")
    numbers = {7: "seven", 5: "five", 12: "twelve"}
    assert f"The first {numbers[len(handover.ESSENTIAL)]} together stay below 2 KB" in page
    assert f"(the first {numbers[len(wire.ESSENTIAL)]} before the next {numbers[len(wire.CONTEXT)]})" in page
    assert f"{BRIEF_BYTES} bytes of each" in page


def test_the_line_of_python_on_the_page_gives_what_it_says() -> None:
    told = tell_the_human(customer_id="C-4711", verified=True, note="policy 471108, in force")
    entry = FunctionEntry("k", "f", {}, FunctionState.FINISHED, 0, result=json.dumps(told))
    assert customer([entry]) == Customer("C-4711", "yes")
    assert in_brief([entry], 99) == "f: finished (policy 471108, in force)"
