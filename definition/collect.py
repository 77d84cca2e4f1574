"""`collect` of an agent definition: what the caller may type on the telephone, and how they are asked.

A question is of one kind: `menu` (one key chooses), `number` (so many digits), `confirmation` (1 is yes, 2 is no). The
agent asks one by the built-in function `collect_digits`. Of a `secret` number it learns only that it was typed; the
digits go to the function that the question names, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.text import json_object
from definition.callables import parameter_names
from definition.handlers import Handlers
from definition.model import AgentDefinition, CollectDefinition, FunctionDefinition
from definition.options import FUNCTION_NAME, SENTENCE
from definition.shape import Choice, Findings, MapOf, Shape, Switch, Table, Text, may, meant, need, shown, whole
from definition.source import Node

COLLECT_DIGITS = "collect_digits"
KINDS = ("menu", "number", "confirmation")
YES, NO = "1", "2"
MOST_KEYS = 20  # Connect stores no more in one go (administrator guide, Store customer input)
_COUNT = whole(1, MOST_KEYS, "a number of digits")
_DIGITS = Table("a mapping with least and most, numbers of digits", {"least": may(_COUNT, 1), "most": need(_COUNT)})
_KEY = Text("one of the keys 0 to 9 and *", 1, "[0-9*]")


def _of_a_kind(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """Each kind has keys of its own."""
    kind = data.get("kind")
    if "{{" in data.get("prompt", ""):
        findings.below(node, "prompt", "a sentence without braces, since it is spoken beforehand", "some")
    for key, of in (("choices", "menu"), ("digits", "number")):
        if kind == of and node.child(key) is None:
            findings.below(node, key, f"what a {of} needs")
        elif kind in KINDS and kind != of and (child := node.child(key)) is not None:
            findings.refuse(child, f"no such key of a {kind}", shown(child.value))
    digits = data.get("digits")
    if isinstance(digits, dict) and digits.get("least", 1) > digits.get("most", MOST_KEYS):
        findings.below(node, "digits", "least below most", f"{digits['least']} and {digits['most']}")
    if data.get("secret") and kind != "number":
        findings.below(node, "secret", "a number, since only that can be secret", shown(kind))
    if not data.get("secret") and (child := node.child("function")) is not None:
        instead = "no such key without secret: true (the agent calls functions itself)"
        findings.refuse(child, instead, shown(child.value))


_QUESTION = Table(
    "a question with kind and prompt",
    {
        "kind": need(Choice(*KINDS)),
        "description": need(Text("when to ask it", 400)),
        "prompt": need(SENTENCE),
        "choices": may(MapOf(Text("what the key chooses", 64), _KEY, "keys", 2, 11), {}),
        "digits": may(_DIGITS),
        "attempts": may(whole(1, 3, "a number of times"), 2),
        "secret": may(Switch(), False),
        "function": may(FUNCTION_NAME),
    },
    (_of_a_kind,),
)
COLLECT: Shape = MapOf(_QUESTION, FUNCTION_NAME, "questions")


def questions(
    data: Any, node: Node | None, functions: list[FunctionDefinition], handlers: Handlers, findings: Findings
) -> dict[str, CollectDefinition]:
    """The questions that were read, each with the function that gets its secret."""
    found = {}
    for name, entry in data.items() if isinstance(data, dict) else ():
        below = node.child(name) if node is not None else None
        if below is None or not isinstance(entry, dict) or not {"kind", "description", "prompt"} <= set(entry):
            continue
        receiver = _receiver(entry.get("function"), below, functions, handlers, findings)
        found[name] = _question(name, entry, receiver)
    return found


def _question(name: str, entry: Mapping[str, Any], receiver: FunctionDefinition | None) -> CollectDefinition:
    kind = entry["kind"]
    choices = {YES: "yes", NO: "no"} if kind == "confirmation" else entry.get("choices", {})
    digits = entry.get("digits") if kind == "number" else None
    least, most = (digits.get("least", 1), digits.get("most", MOST_KEYS)) if isinstance(digits, dict) else (1, 1)
    return CollectDefinition(
        name,
        kind,
        entry["description"],
        entry["prompt"],
        choices=choices,
        least=least,
        most=most,
        attempts=entry.get("attempts", 2),
        secret=bool(entry.get("secret")),
        function=receiver,
    )


def _receiver(
    name: object, node: Node, functions: list[FunctionDefinition], handlers: Handlers, findings: Findings
) -> FunctionDefinition | None:
    """The function that a secret goes to: it takes the digits as its one argument."""
    if not isinstance(name, str):
        return None
    function = next((each for each in functions if each.name == name), None) or handlers.functions.get(name)
    if function is None:
        near = meant(name, handlers.functions)
        findings.below(node, "function", f"a Python function of this name in lambdas/functions{near}", shown(name))
        return None
    findings.problems += handlers.problems.get(name, ())
    if function.endpoint is not None or len(parameter_names(function)) != 1:
        findings.below(node, "function", "a function of one argument, which gets the digits", name)
    return function


def collect_digits(definition: AgentDefinition) -> FunctionDefinition:
    """The built-in function by which the agent asks one of its questions. Deferred, since it cannot be taken back."""
    told = " ".join(f"{each.name}: {each.description.rstrip('.')}." for each in definition.collect.values())
    what = {"type": "string", "enum": list(definition.collect), "description": f"What to ask for. {told}"}
    return FunctionDefinition(
        COLLECT_DIGITS,
        "Let the caller type on the telephone's keys. The caller is asked in words of ours: say at most one short "
        "sentence before, and do not ask yourself. You are told what was typed.",
        {"type": "object", "properties": {"what": what}, "required": ["what"]},
        defer_until_eot=True,
    )


def asked_for(definition: AgentDefinition, arguments_json_text: str) -> CollectDefinition | None:
    """The question that the model means; None where there is none of that name."""
    what = json_object(arguments_json_text).get("what")
    return definition.collect.get(what) if isinstance(what, str) else None
