"""The functions of an agent, the built-in ones among them, and the check of what a model passes to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jsonschema.exceptions import ValidationError

from definition.collect import COLLECT_DIGITS, collect_digits
from definition.errors import BadArguments
from definition.model import AgentDefinition, FunctionDefinition
from definition.schema import expectation, first_error, kind
from definition.secret import reveal

TRANSFER = "transfer_to_human"
END = "end_call"
WISHES = (TRANSFER, END)  # by which the agent leaves the caller
BUILT_IN = (*WISHES, COLLECT_DIGITS)
OTHER = "other"  # than the reasons, or the intents, of the definition
SENTIMENTS = ("positive", "neutral", "negative")
MAX_ARGUMENTS_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True)
class TransferArguments:
    """What the model said about a transfer, with the default queue where it named none that exists."""

    queue: str
    reason: str
    summary: str
    intent: str = ""
    sentiment: str = ""


def transfer_to_human(definition: AgentDefinition) -> FunctionDefinition:
    """Hands the caller to a queue of the definition. Deferred, because it cannot be taken back."""
    queues = "; ".join(f"{queue.name}: {queue.description}" for queue in definition.queues.values())
    properties = {
        "queue": {
            "type": "string",
            "enum": list(definition.queues),
            "description": f"Who takes the call. {queues}. When unsure: {definition.default_queue}.",
        },
        "reason": _reason(definition),
        **_intent(definition),
        "sentiment": {"type": "string", "enum": list(SENTIMENTS), "description": "How the caller sounds by now."},
        "summary": {
            "type": "string",
            "description": "What the human needs to know, in at most three sentences: what the caller wants, "
            "what was found out, what is still open.",
        },
    }
    return FunctionDefinition(
        TRANSFER,
        "Transfer the call to a human. Call it when the caller asks for a person, or when you cannot help.",
        {"type": "object", "properties": properties, "required": list(properties)},
        defer_until_eot=True,
    )


def _reason(definition: AgentDefinition) -> dict[str, object]:
    if not definition.reasons:
        return {"type": "string", "description": "Why, in a few words."}
    return {"type": "string", "enum": [*definition.reasons, OTHER], "description": "Why; the one that fits best."}


def _intent(definition: AgentDefinition) -> dict[str, object]:
    """Asked for where the definition has intents: a word of the model's own is of no use to a report."""
    if not definition.intents:
        return {}
    words = [*definition.intents, OTHER]
    return {"intent": {"type": "string", "enum": words, "description": "What the caller wants; what fits best."}}


def end_call(definition: AgentDefinition) -> FunctionDefinition:
    """Ends the call after the last words. Deferred, because it cannot be taken back."""
    reason = {"type": "string", "description": "Why the call is over, in a few words."}
    return FunctionDefinition(
        END,
        "End the call. Call it when the caller has said goodbye or needs nothing more. "
        f'Say goodbye afterwards, for example: "{definition.goodbye}"',
        {"type": "object", "properties": {"reason": reason}, "required": ["reason"]},
        defer_until_eot=True,
    )


def all_functions(definition: AgentDefinition) -> dict[str, FunctionDefinition]:
    """The definition's own functions in their order, then the built-in ones, by name; without anything that may be
    typed there is none to ask for it."""
    typed = (collect_digits(definition),) if definition.collect else ()
    built_in = (transfer_to_human(definition), end_call(definition), *typed)
    return {**definition.functions, **{function.name: function for function in built_in}}


def validate_arguments(function: FunctionDefinition, arguments_json_text: str) -> dict[str, object]:
    """The arguments of a call, as the function's schema allows them. Empty text means no arguments.

    Raises:
        BadArguments: its sentence may be told to the model.
    """
    arguments = _object(function.name, arguments_json_text)
    try:
        error = first_error(function.parameters, arguments)
    except RecursionError:
        raise BadArguments(function.name, "", "fewer levels of lists and objects", "more") from None
    if error is not None:
        _refuse(function, error)
    return arguments


def transfer_arguments(definition: AgentDefinition, arguments_json_text: str) -> TransferArguments:
    """What can be made of the arguments of `transfer_to_human`. Never raises: no caller is kept from a human by
    a model that fills in a form badly."""
    try:
        arguments: Mapping[str, object] = _object(TRANSFER, arguments_json_text)
    except BadArguments:
        arguments = {}
    queue, reason = _text(arguments, "queue"), _text(arguments, "reason")
    return TransferArguments(
        queue if queue in definition.queues else definition.default_queue,
        reason if not definition.reasons or reason in definition.reasons else OTHER,
        _text(arguments, "summary"),
        _one_of(definition.intents, _text(arguments, "intent")),
        sentiment if (sentiment := _text(arguments, "sentiment")) in SENTIMENTS else "",
    )


def _one_of(words: tuple[str, ...], word: str) -> str:
    """The word if it is one of these, `other` where it is not, nothing where there are none."""
    return "" if not words else word if word in words else OTHER


def _text(arguments: Mapping[str, object], key: str) -> str:
    value = arguments.get(key)
    return value.strip() if isinstance(value, str) else ""


def _object(function: str, text: str) -> dict[str, object]:
    if len(text) > MAX_ARGUMENTS_CHARACTERS:
        raise BadArguments(function, "", f"at most {MAX_ARGUMENTS_CHARACTERS:,} characters", "more")
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_no_constant)
        # Half of a surrogate pair parses, but cannot be written to anything that takes UTF-8.
        text.encode(), json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadArguments(function, "", "a JSON object", "something else") from None
    if not isinstance(value, dict):
        raise BadArguments(function, "", "a JSON object", kind(value))
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(function: FunctionDefinition, error: ValidationError) -> NoReturn:
    known = set(_declared(function.parameters))
    path = [_step(step, known) for step in error.absolute_path]
    if error.validator == "required":
        required: Any = error.validator_value
        instance: Any = error.instance
        missing = next(name for name in required if name not in instance)
        raise BadArguments(function.name, _joined([*path, missing]), "a value", "nothing")
    found = "other keys" if error.validator == "additionalProperties" else kind(error.instance)
    raise BadArguments(function.name, _joined(path), expectation(error), found)


def _step(step: str | int, known: set[str]) -> str:
    """A step of a path; a key that the model made up is not repeated, since it may hold what the caller said."""
    if isinstance(step, int):
        return f"[{step}]"
    return step if step in known else "*"


def _joined(steps: list[str]) -> str:
    return ".".join(steps).replace(".[", "[")


def _declared(schema: object) -> Iterator[str]:
    """The names of all properties anywhere in a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from _declared(item)
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        if key == "properties" and isinstance(value, Mapping):
            yield from value
        yield from _declared(value)


def as_deepgram(
    function: FunctionDefinition, *, deferral: bool = True, secrets: Mapping[str, str] | None = None
) -> dict[str, object]:
    """A function as an entry of `agent.think.functions`: no key but these five (Deepgram refuses any other).

    Without an `endpoint` the function is ours to answer. `deferral` off leaves out `defer_until_eot`, which
    self-hosted and older Deepgram releases do not know.

    Raises:
        SecretMissing: a header refers to a secret that is not in `secrets`.
    """
    entry: dict[str, object] = {
        "name": function.name,
        "description": function.description,
        "parameters": function.parameters,
    }
    if function.endpoint is not None:
        headers = {name: reveal(text, secrets or {}) for name, text in function.endpoint.headers.items()}
        entry["endpoint"] = {"url": function.endpoint.url, "method": function.endpoint.method, "headers": headers}
    # What the caller has to agree to, or what cannot be done again, is not asked for before their turn is over.
    if deferral and function.deferred:
        entry["defer_until_eot"] = True
    return entry
