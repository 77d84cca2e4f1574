"""What CreateContactFlow refuses, in a small check of our own, written apart from the one that generates flows.

Sources as in `schema.py`. What the service was not seen to refuse is not refused here, with one exception: in a
Continue branch of a Wait only prompts and a disconnect may stand, the blocks of the one export that is known to
work (others are unconfirmed; a further Wait is refused for certain).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulator.connect import paths
from simulator.connect.check_values import value_problems
from simulator.connect.errors import InvalidFlow
from simulator.connect.flow_file import Action, Flow, read_action
from simulator.connect.instance import Instance
from simulator.connect.schema import OPERATORS, SHAPES, Shape

VERSION = "2019-10-30"
MAX_ACTIONS = 250
MAX_CHARACTERS = 256_000
CONTINUE_BLOCKS = frozenset({"MessageParticipant", "DisconnectParticipant"})
_IDENTIFIER = re.compile(r"[^%:(\\/)=$,;\[\]{}]{1,50}")
_RESERVED = frozenset({"__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"})


def load_flow(
    arn: str, name: str, content: str | Mapping[str, Any], instance: Instance, flow_type: str = "CONTACT_FLOW"
) -> Flow:
    """Read flow content, refuse what CreateContactFlow refuses, and add the flow to the instance.

    Queues, hours, prompts and other flows that the content names must be in the instance already.

    Raises:
        InvalidFlow: with every problem that was found.
    """
    text = content if isinstance(content, str) else json.dumps(content, separators=(",", ":"))
    problems = problems_of(text, flow_type, instance, arn)
    if problems:
        raise InvalidFlow(name, problems)
    document = json.loads(text)
    actions = {raw["Identifier"]: read_action(raw) for raw in document["Actions"]}
    flow = Flow(arn, name, flow_type, document["StartAction"], actions)
    instance.add(flow)
    return flow


def problems_of(text: str, flow_type: str, instance: Instance, arn: str = "") -> Sequence[str]:
    """Everything that is wrong with flow content; empty where nothing is."""
    if len(text) > MAX_CHARACTERS:
        return [f"Content has {len(text)} characters, at most {MAX_CHARACTERS} are allowed"]
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        return [f"Content is not JSON: {error}"]
    framed = list(_frame_problems(document))
    if framed:
        return framed
    malformed = [p for i, raw in enumerate(document["Actions"]) for p in _malformed(f"Actions[{i}]", raw)]
    if malformed:
        return malformed
    actions = [read_action(raw) for raw in document["Actions"]]
    known = {action.identifier for action in actions}
    problems = list(_whole_problems(document["StartAction"], actions, known))
    for index, action in enumerate(actions):
        path = f"Actions[{index}]"
        problems += _action_problems(path, action, flow_type, known)
        problems += _operator_problems(path, action)
        problems += _resource_problems(path, action, instance, arn)
    if not problems:
        problems += _continue_problems(actions)
    return problems


def _frame_problems(document: object) -> Iterator[str]:
    if not isinstance(document, dict) or not isinstance(document.get("Actions"), list):
        yield "Content must be an object with Actions"
        return
    if document.get("Version") != VERSION:
        yield f"Version must be {VERSION}, found {document.get('Version')!r}"
    if not isinstance(document.get("StartAction"), str):
        yield "StartAction is missing"
    if not isinstance(document.get("Metadata", {}), dict):
        yield "Metadata must be an object"


def _malformed(path: str, raw: object) -> Iterator[str]:
    """Whether an action can be read at all."""
    if not isinstance(raw, dict):
        yield f"{path} must be an object"
        return
    for key, kind in (("Identifier", str), ("Type", str), ("Parameters", dict), ("Transitions", dict)):
        if not isinstance(raw.get(key), kind):
            yield f"Action is missing required property. Path: {path}.{key}"
            return
    transitions = raw["Transitions"]
    if not isinstance(transitions.get("NextAction", ""), str):
        yield f"Invalid Action property value. Path: {path}.Transitions.NextAction"
    for index, condition in enumerate(transitions.get("Conditions", [])):
        if not _readable_condition(condition):
            yield f"Invalid branch. Path: {path}.Transitions.Conditions[{index}]"
    for index, error in enumerate(transitions.get("Errors", [])):
        if not _strings(error, "ErrorType", "NextAction"):
            yield f"Invalid branch. Path: {path}.Transitions.Errors[{index}]"


def _readable_condition(condition: object) -> bool:
    if not isinstance(condition, dict) or not _strings(condition, "NextAction"):
        return False
    test = condition.get("Condition")
    if not isinstance(test, dict) or not _strings(test, "Operator"):
        return False
    operands = test.get("Operands")
    return isinstance(operands, list) and len(operands) == 1 and isinstance(operands[0], str)


def _strings(raw: object, *keys: str) -> bool:
    return isinstance(raw, dict) and all(isinstance(raw.get(key), str) for key in keys)


def _whole_problems(start: str, actions: Sequence[Action], known: set[str]) -> Iterator[str]:
    if len(actions) > MAX_ACTIONS:
        yield f"{len(actions)} actions, at most {MAX_ACTIONS} are allowed"
    if len(known) < len(actions):
        yield "Identifiers are not unique"
    if start not in known:
        yield f"StartAction {start!r} does not exist"
    for name in sorted(known):
        if _IDENTIFIER.fullmatch(name) is None or name in _RESERVED:
            yield f"Invalid Identifier: {name!r}"


def _action_problems(path: str, action: Action, flow_type: str, known: set[str]) -> Iterator[str]:
    shape = SHAPES.get(action.type)
    if shape is None:
        yield f"Invalid Action type. Path: {path}.Type ({action.type})"
        return
    if flow_type not in shape.flow_types:
        yield f"{action.type} is not supported in a flow of type {flow_type}. Path: {path}"
    yield from _name_problems(path, action, shape)
    yield from _emptiness(f"{path}.Parameters", action.parameters)
    yield from _transition_problems(path, action, shape, known)
    yield from value_problems(path, action)


def _name_problems(path: str, action: Action, shape: Shape) -> Iterator[str]:
    names = set(action.parameters)
    for name in sorted(shape.required - names):
        yield f"Action is missing required property. Path: {path}.Parameters.{name}"
    for name in sorted(names - shape.required - shape.optional - shape.one_of):
        yield f"Invalid Action property name. Path: {path}.Parameters.{name}"
    if shape.one_of and len(names & shape.one_of) != 1:
        yield f"Only one of these properties may be defined. Properties: {sorted(shape.one_of)}. Path: {path}"


def _emptiness(path: str, value: object) -> Iterator[str]:
    """Everything in Parameters is a string with something in it, and its references have a root that exists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _emptiness(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _emptiness(f"{path}[{index}]", inner)
    elif not isinstance(value, str):
        yield f"Invalid Action property value. Path: {path} ({value!r} is not a string)"
    elif not value:
        yield f"Empty value in Parameters. Path: {path}"
    else:
        for reference in paths.references(value):
            if paths.steps(reference)[0] not in paths.ROOTS:
                yield f"Invalid Action property value. Path: {path} ({reference} leads nowhere)"


def _transition_problems(path: str, action: Action, shape: Shape, known: set[str]) -> Iterator[str]:
    targets = [c.target for c in action.conditions] + list(action.errors.values())
    if shape.terminal:
        if action.next or targets:
            yield f"Action does not support transitions. Path: {path}.Transitions"
        return
    if action.next:
        targets.append(action.next)
    elif shape.needs_next:
        yield f"Action is missing required property. Path: {path}.Transitions.NextAction"
    for target in targets:
        if target not in known:
            yield f"Invalid branch. Path: {path}.Transitions ({target!r} does not exist)"
    for error in sorted(shape.errors - set(action.errors)):
        yield f"Action is missing required error. Error: {error}. Path: {path}"
    for error in sorted(set(action.errors) - shape.errors - shape.may_err):
        yield f"Invalid Action error. Error: {error}. Path: {path}"
    if shape.conditions is not None and {c.operand for c in action.conditions} != shape.conditions:
        yield f"Invalid branch. Path: {path}.Transitions.Conditions (expected {sorted(shape.conditions)})"


def _operator_problems(path: str, action: Action) -> Iterator[str]:
    for index, condition in enumerate(action.conditions):
        where = f"{path}.Transitions.Conditions[{index}]"
        if condition.operator not in OPERATORS:
            yield f"Invalid branch. Path: {where} (operator {condition.operator!r})"
        if not condition.operand:
            yield f"Invalid branch. Path: {where}.Evaluate (empty operand)"
        if action.type not in ("Compare", "CheckMetricData") and condition.operator != "Equals":
            yield f"Invalid branch. Path: {where} (only Equals is supported)"


def _resource_problems(path: str, action: Action, instance: Instance, arn: str) -> Iterator[str]:
    """Resources that are named statically must exist (CreateContactFlow looks them up)."""
    hooks = action.parameters.get("EventHooks", {})
    flows = [action.parameters.get("ContactFlowId"), *(hooks.values() if isinstance(hooks, dict) else ())]
    wanted: list[tuple[object, object]] = [(flow, flow == arn or instance.flow(str(flow))) for flow in flows]
    queue = action.parameters.get("QueueId")
    wanted.append((queue, instance.queue(str(queue))))
    hours = action.parameters.get("HoursOfOperationId")
    wanted.append((hours, instance.hours_of(str(hours))))
    messages = action.parameters.get("Messages", [])
    prompts = [action.parameters.get("PromptId")]
    prompts += [m.get("PromptId") for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    wanted += [(prompt, instance.prompt(str(prompt)) is not None) for prompt in prompts]
    for name, found in wanted:
        if isinstance(name, str) and name and not paths.is_reference(name) and not found:
            yield f"The specified resource does not exist. Path: {path} ({name})"


def _continue_problems(actions: Sequence[Action]) -> Iterator[str]:
    by_name = {action.identifier: action for action in actions}
    for index, action in enumerate(actions):
        first = action.when("Continue") if action.type == "Wait" else None
        for reached in _reachable(by_name, first):
            if reached.type not in CONTINUE_BLOCKS:
                yield (
                    f"Unsupported Action In Wait Action's Continue Branch. Path: Actions[{index}] "
                    f"({reached.identifier!r} is a {reached.type})"
                )


def _reachable(by_name: Mapping[str, Action], start: str | None) -> Iterator[Action]:
    open_, seen = [start] if start else [], set[str]()
    while open_:
        name = open_.pop()
        if name in seen:
            continue
        seen.add(name)
        action = by_name[name]
        yield action
        open_ += [t for t in (action.next, *action.errors.values(), *(c.target for c in action.conditions)) if t]
