"""`functions` of a definition: what stands there and what stands in the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from definition import AgentDefinition, DefinitionError, FunctionDefinition, load
from definition.callables import confirmation
from definition.functions import as_deepgram
from tests.definition.conftest import text

SOURCE = '''
from lambdas.sdk import function, serve

@function(timeout_s=3, confirm="Book {day}?")
def book(day: str) -> None:
    """Book a day.

    Args:
        day: The day.
    """

@function
def broken(day) -> None:
    """Break."""

handler = serve(book, broken)
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, source in (("booking", SOURCE), ("plain", "def handler(event, context): return {}")):
        folder = tmp_path / "lambdas" / "functions" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(source)
    (tmp_path / "agents").mkdir()
    return tmp_path


def agent(root: Path, functions: str) -> AgentDefinition:
    path = root / "agents" / "shop.yaml"
    path.write_text(text(f"functions:\n{functions}"))
    return load(path)


def problems(root: Path, functions: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        agent(root, functions)
    return [str(problem).partition(": ")[2] for problem in caught.value.problems]


def test_a_name_alone_takes_the_source(root: Path) -> None:
    book = agent(root, "  book:\n").functions["book"]
    assert (book.description, book.timeout_s, book.folder) == ("Book a day.", 3, "booking")


def test_a_definition_may_say_otherwise(root: Path) -> None:
    book = agent(root, "  book: {description: D., timeout_s: 9, while_running: W., confirm: '{day}, yes?'}\n")
    changed = book.functions["book"]
    assert (changed.description, changed.timeout_s, changed.while_running) == ("D.", 9, "W.")
    assert confirmation(changed, {"day": "Monday"}) == "Monday, yes?"
    assert changed.parameters["required"] == ["day"]


def test_nothing_that_is_not_named_can_be_called(root: Path) -> None:
    assert list(agent(root, "  book:\n").functions) == ["book"]


def test_the_problems_of_a_function_count_where_an_agent_names_it(root: Path) -> None:
    assert problems(root, "  broken:\n") == ["broken.day: expected a type hint, found none"]
    assert list(agent(root, "  book:\n").functions) == ["book"]


def test_what_the_source_says_cannot_be_said_again(root: Path) -> None:
    [first, second] = problems(root, "  book: {parameters: {type: object}, redact: [day]}\n")
    assert first == "functions.book.parameters: expected no such key (the source in booking says it), found a mapping"
    assert second == "functions.book.redact: expected no such key (the source in booking says it), found a list"


def test_a_name_that_there_is_not_is_compared_with_those_that_there_are(root: Path) -> None:
    (root / "lambdas/functions/plain/handler.py").write_text("def (")
    [first, second] = problems(root, "  bok:\n")
    assert "did you mean book?), or a description, found neither" in first
    assert second.startswith("expected Python that can be read, found")


def test_a_handler_without_declarations_is_described_in_the_definition(root: Path) -> None:
    plain = agent(root, "  plain: {description: Does it., redact: []}\n").functions["plain"]
    assert plain == FunctionDefinition("plain", "Does it.", folder="plain")


def test_a_lambda_by_arn_is_described_in_the_definition(root: Path) -> None:
    charge = "  charge: {description: Charges., parameters: {type: object, properties: {card: {}}}, redact: [card]}\n"
    assert agent(root, charge).functions["charge"].folder == ""
    assert agent(root, charge).functions["charge"].redact == ("card",)
    assert problems(root, charge.replace("[card]", "[cart]")) == [
        "functions.charge.redact: expected the name of a parameter (did you mean card?), found 'cart'"
    ]


def test_a_description_is_needed_where_there_is_no_source(root: Path) -> None:
    assert problems(root, "  charge: {timeout_s: 4}\n") == [
        "functions.charge.description: expected what it does and when to call it, found nothing"
    ]


def test_a_confirmation_names_parameters(root: Path) -> None:
    assert problems(root, "  book: {confirm: 'On {dya}?'}\n") == [
        "functions.book.confirm: expected parameters of the function in braces (did you mean day?), found 'dya'"
    ]
    schema = "parameters: {type: object, properties: []}"
    assert "properties" in problems(root, f"  charge: {{description: C., {schema}, confirm: '{{a}}'}}\n")[0]


ENDPOINT = "  fetch: {description: Fetches., endpoint: {url: 'https://a.example/f', headers: {x-key: '${secret:k}'}}}\n"


def test_a_url_is_called_by_deepgram(root: Path) -> None:
    definition = agent(root, ENDPOINT)
    assert definition.secrets == ("k",)
    assert definition.lambdas == ()
    assert as_deepgram(definition.functions["fetch"], secrets={"k": "v"})["endpoint"] == {
        "url": "https://a.example/f",
        "method": "POST",
        "headers": {"x-key": "v"},
    }


def test_what_only_the_gateway_can_do_does_not_stand_next_to_a_url(root: Path) -> None:
    with_limit = ENDPOINT.replace("endpoint:", "timeout_s: 4, method: x, endpoint:")
    assert problems(root, with_limit.replace("method: x, ", "")) == [
        "functions.fetch.timeout_s: expected no such key next to an endpoint (Deepgram calls it by itself), found 4"
    ]
    assert (
        "functions.fetch.endpoint.url: expected a full URL"
        in problems(root, "  fetch: {description: F., endpoint: {url: nowhere}}\n")[0]
    )


def test_what_has_to_be_confirmed_waits_for_the_end_of_the_turn(root: Path) -> None:
    assert as_deepgram(agent(root, "  book:\n").functions["book"])["defer_until_eot"] is True


def test_a_function_that_is_no_mapping_is_one_problem(root: Path) -> None:
    assert len(problems(root, "  book: yes\n")) == 1
