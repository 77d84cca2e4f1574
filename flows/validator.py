"""Refuses what CreateContactFlow refuses, and what we refuse ourselves. Works on plain JSON: ours and exports.

Problems are data. `validate` lists all of them; with `ours=False` only those that the service reports, which is
what a stand-in for the service wants. The sources of the rules are in `flows.sources`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows import walks
from flows.errors import InvalidFlow, Problem
from flows.graph import Graph
from flows.rules import ALL, CONTACT_FLOW, Conditions, Form, form_of
from flows.sources import OUR_RULES

MOST_ACTIONS = 250
MOST_CHARACTERS = 256_000
_FORBIDDEN = re.compile(r"[%:(\\/)=$,;\[\]{}]")
_RESERVED = frozenset(
    {"__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "toLocaleString"}
)


def validate(flow: Mapping[str, Any], flow_type: str = CONTACT_FLOW, *, ours: bool = True) -> list[Problem]:
    """Every problem of a flow, in the order of its actions; an empty list for a flow that may be created.

    Raises:
        ValueError: `flow_type` is no flow type.
    """
    if flow_type not in ALL:
        raise ValueError(f"flow type {flow_type!r}: expected one of {', '.join(sorted(ALL))}")
    problems = [*_envelope(flow)]
    actions = flow.get("Actions")
    for index, action in enumerate(actions if isinstance(actions, list) else []):
        problems += _action(action, f"Actions[{index}]", flow_type)
    graph = Graph(flow)
    problems += _targets(graph)
    problems += walks.problems(graph)
    return [problem for problem in problems if ours or problem.rule not in OUR_RULES]


def check(flow: Mapping[str, Any], flow_type: str = CONTACT_FLOW, *, ours: bool = True) -> None:
    """Validate, and refuse.

    Raises:
        InvalidFlow: with every problem that was found.
    """
    problems = validate(flow, flow_type, ours=ours)
    if problems:
        raise InvalidFlow(problems)


def _envelope(flow: Mapping[str, Any]) -> Iterator[Problem]:
    if flow.get("Version") != "2019-10-30":
        yield Problem("Version", "envelope", f"expected '2019-10-30', found {flow.get('Version')!r}")
    actions = flow.get("Actions")
    if not isinstance(actions, list) or not actions:
        yield Problem("Actions", "envelope", "expected a list with at least one action")
        return
    names = [action.get("Identifier") if isinstance(action, Mapping) else None for action in actions]
    if flow.get("StartAction") not in names:
        yield Problem("StartAction", "start_action", f"no action is named {flow.get('StartAction')!r}")
    if len(actions) > MOST_ACTIONS:
        yield Problem("Actions", "too_many_actions", f"{len(actions)} actions, at most {MOST_ACTIONS} are taken")
    length = len(json.dumps(flow, ensure_ascii=False, separators=(",", ":")))
    if length > MOST_CHARACTERS:
        yield Problem("Content", "too_long", f"{length} characters, at most {MOST_CHARACTERS} are taken")
    for index, name in enumerate(names):
        if isinstance(name, str) and name in names[:index]:
            yield Problem(f"Actions[{index}].Identifier", "identifier_unique", f"{name!r} is taken already")


def _action(action: object, path: str, flow_type: str) -> Iterator[Problem]:
    if not isinstance(action, Mapping):
        yield Problem(path, "envelope", f"expected an object, found {action!r}")
        return
    yield from _identifier(action.get("Identifier"), f"{path}.Identifier")
    parameters = action.get("Parameters")
    form = form_of(str(action.get("Type")), parameters if isinstance(parameters, Mapping) else {})
    if form is None:
        yield Problem(f"{path}.Type", "unknown_type", f"{action.get('Type')!r} is no action type")
        return
    if flow_type not in form.flow_types:
        yield Problem(f"{path}.Type", "flow_type", f"{action['Type']} is not supported in a {flow_type}")
    yield from form.parameters.problems(parameters, f"{path}.Parameters")
    yield from _transitions(action.get("Transitions"), form, f"{path}.Transitions")


def _identifier(name: object, path: str) -> Iterator[Problem]:
    if not isinstance(name, str) or not 1 <= len(name) <= 50:
        yield Problem(path, "identifier", f"expected 1 to 50 characters, found {name!r}")
    elif _FORBIDDEN.search(name):
        yield Problem(path, "identifier", f"{name!r} has one of the characters % : ( \\ / ) = $ , ; [ ] {{ }}")
    elif name in _RESERVED:
        yield Problem(path, "identifier", f"{name!r} is a reserved name")


def _transitions(transitions: object, form: Form, path: str) -> Iterator[Problem]:
    if form.terminal:
        if transitions:
            yield Problem(path, "terminal", "this action ends the flow and must have {} here")
        return
    if not isinstance(transitions, Mapping):
        yield Problem(path, "next_action", f"expected an object, found {transitions!r}")
        return
    for key in sorted(set(transitions) - {"NextAction", "Conditions", "Errors"}):
        yield Problem(f"{path}.{key}", "unknown_parameter", "known here: Conditions, Errors, NextAction")
    if not transitions.get("NextAction") and not form.next_optional:
        yield Problem(f"{path}.NextAction", "next_action", "required and not there")
    yield from _errors(transitions.get("Errors", []), form, f"{path}.Errors")
    yield from _conditions(transitions.get("Conditions", []), form.conditions, f"{path}.Conditions")


def _errors(errors: object, form: Form, path: str) -> Iterator[Problem]:
    listed = errors if isinstance(errors, list) else [errors]
    found = [each.get("ErrorType") if isinstance(each, Mapping) else None for each in listed]
    for index, error in enumerate(found):
        if error not in form.errors | form.optional_errors:
            yield Problem(f"{path}[{index}]", "unsupported_error", f"{error!r} is no error of this action")
        elif error in found[:index]:
            yield Problem(f"{path}[{index}]", "unsupported_error", f"{error!r} is there twice")
    for error in sorted(form.errors - {each for each in found if isinstance(each, str)}):
        yield Problem(path, "missing_error", f"the branch for {error} is required and not there")


def _conditions(conditions: object, rule: Conditions, path: str) -> Iterator[Problem]:
    listed = conditions if isinstance(conditions, list) else [conditions]
    operands = [_operand(each) for each in listed]
    for index, (operator, operand) in enumerate(operands):
        where = f"{path}[{index}]"
        if operator not in rule.operators:
            yield Problem(where, "unsupported_condition", f"the operator {operator!r} is not supported here")
        elif rule.exactly is not None and operand not in rule.exactly:
            yield Problem(where, "unsupported_condition", f"{operand!r} is no branch of this action")
        elif (operator, operand) in operands[:index]:
            yield Problem(where, "unsupported_condition", f"{operator} {operand!r} is there twice")
        else:
            yield from rule.operand.problems(operand, where)
    for missing in sorted((rule.exactly or frozenset()) - {operand for _, operand in operands if _is_text(operand)}):
        yield Problem(path, "missing_condition", f"the branch {missing!r} is required and not there")
    if len(operands) < rule.least:
        yield Problem(path, "missing_condition", "at least one condition is required")


def _operand(condition: object) -> tuple[object, object]:
    """Operator and the one operand of a condition; an operand that is not exactly one counts as empty."""
    inner = condition.get("Condition") if isinstance(condition, Mapping) else None
    if not isinstance(inner, Mapping):
        return None, ""
    operands = inner.get("Operands")
    return inner.get("Operator"), operands[0] if isinstance(operands, list) and len(operands) == 1 else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _targets(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes.values():
        for target in dict.fromkeys(node.targets()):
            if target not in graph.nodes:
                path = f"Actions[{node.index}].Transitions"
                yield Problem(path, "dangling", f"{node.identifier!r} leads to {target!r}, which does not exist")
