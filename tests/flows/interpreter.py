"""A small interpreter of flow JSON for tests: chance decides which branch fails, a model answers the Lambdas.

Written apart from `flows`: it knows the flow language, and nothing of how our flows are built.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Answer = Mapping[str, str]


@dataclass
class Walk:
    """One walk through a flow. `fails` says whether an action with this identifier takes an
    error branch, or which one."""

    flow: Mapping[str, Any]
    lambdas: Callable[[str, Mapping[str, str]], Answer]
    fails: Callable[[str], bool | str]
    chance: random.Random
    queue_open: bool = True
    staffed: bool = True
    switch_on: bool = True
    keys: str = "Timeout"
    caller: str = "+4930123456"
    free: bool = True
    waiting: int = 0
    oldest_s: int = 0
    contact: dict[str, str] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    external: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)
    logging: bool = False
    streaming: bool = False
    path: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    requests: list[Mapping[str, str]] = field(default_factory=list)
    logged: list[Mapping[str, str]] = field(default_factory=list)
    keys_sent: list[str] = field(default_factory=list)
    end: str = ""

    def run(self, steps: int = 400) -> Walk:
        actions = {action["Identifier"]: action for action in self.flow["Actions"]}
        name = self.flow["StartAction"]
        while name and len(self.path) < steps:
            self.path.append(name)
            action = actions[name]
            branch = self._do(action, actions)
            name = _follow(action, branch)
            if branch == "end":
                self.end = action["Type"]
                return self
        return self

    def _do(self, action: Mapping[str, Any], actions: Mapping[str, Any]) -> str:
        errors = [each["ErrorType"] for each in action["Transitions"].get("Errors", [])]
        kind = action["Type"]
        failed = kind != "Compare" and errors and self.fails(action["Identifier"])
        if isinstance(failed, str):
            return failed
        if failed:
            possible = [each for each in errors if each != "NoMatchingCondition"]
            if kind == "Wait" and self.chance.random() < 0.5:
                self._continue(action, actions)
            return str(self.chance.choice(possible))
        handler: Callable[[Mapping[str, Any], Mapping[str, Any]], str] = getattr(self, f"_{kind}")
        return handler(action, actions)

    def _value(self, text: str) -> str:
        if not text.startswith("$."):
            return text
        root, _, key = text[2:].partition(".")
        sources = {"Attributes": self.contact, "FlowAttributes": self.state, "External": self.external}
        if root == "StoredCustomerInput":
            return self.keys
        if root in ("CustomerEndpoint", "Queue"):
            return self.caller if root == "CustomerEndpoint" else "arn:queue"
        if root == "MediaStreams":
            return "arn:aws:kinesisvideo" if self.streaming and key.endswith("StreamARN") else ""
        return sources[root].get(key, "")

    def _UpdateFlowLoggingBehavior(self, action: Mapping[str, Any], _: object) -> str:
        self.logging = action["Parameters"]["FlowLoggingBehavior"] == "Enabled"
        return "next"

    def _UpdateContactMediaStreamingBehavior(self, action: Mapping[str, Any], _: object) -> str:
        self.streaming = action["Parameters"]["MediaStreamingState"] == "Enabled"
        return "next"

    def _UpdateContactTextToSpeechVoice(self, action: Mapping[str, Any], _: object) -> str:
        return "next"

    _UpdateContactTargetQueue = _UpdateContactTextToSpeechVoice
    _UpdateContactEventHooks = _UpdateContactTextToSpeechVoice
    _UpdateContactCallbackNumber = _UpdateContactTextToSpeechVoice
    _UpdateContactRoutingBehavior = _UpdateContactTextToSpeechVoice
    _CreateCallbackContact = _UpdateContactTextToSpeechVoice

    def _UpdateContactAttributes(self, action: Mapping[str, Any], _: object) -> str:
        new = {key: self._value(value) for key, value in action["Parameters"]["Attributes"].items()}
        self.contact.update(new)
        if self.logging:
            self.logged.append(new)
        return "next"

    def _UpdateFlowAttributes(self, action: Mapping[str, Any], _: object) -> str:
        attributes = action["Parameters"]["FlowAttributes"]
        self.state.update({key: self._value(value["Value"]) for key, value in attributes.items()})
        return "next"

    def _Compare(self, action: Mapping[str, Any], _: object) -> str:
        value = self._value(action["Parameters"]["ComparisonValue"])
        for each in action["Transitions"]["Conditions"]:
            operand = each["Condition"]["Operands"][0]
            if _compares(each["Condition"]["Operator"], value, operand):
                return f"={operand}"
        return "NoMatchingCondition"

    def _InvokeLambdaFunction(self, action: Mapping[str, Any], _: object) -> str:
        parameters = action["Parameters"]
        sent = {key: self._value(value) for key, value in parameters["LambdaInvocationAttributes"].items()}
        self.requests.append(sent)
        result = self.lambdas(parameters["LambdaFunctionARN"], sent)
        if parameters["InvocationType"] == "ASYNCHRONOUS":
            self.pending = result
        else:
            self._load(result)
        return "next"

    def _LoadLambdaFunctionResult(self, action: Mapping[str, Any], _: object) -> str:
        self._load(self.pending)
        return "next"

    def _load(self, result: Mapping[str, str]) -> None:
        self.external = result
        if self.logging:
            self.logged.append(result)

    def _Wait(self, action: Mapping[str, Any], actions: Mapping[str, Any]) -> str:
        self._continue(action, actions)
        return "=LambdaReturned" if self.chance.random() < 0.8 else "=WaitCompleted"

    def _continue(self, action: Mapping[str, Any], actions: Mapping[str, Any]) -> None:
        first = actions[_follow(action, "=Continue")]
        self._play(first["Parameters"])

    def _MessageParticipant(self, action: Mapping[str, Any], _: object) -> str:
        self._play(action["Parameters"])
        return "next"

    def _play(self, parameters: Mapping[str, Any]) -> None:
        media = parameters.get("Media", {}).get("Uri", "")
        self.heard.append(self._value(media or parameters.get("Text") or "(sound)"))

    def _GetParticipantInput(self, action: Mapping[str, Any], _: object) -> str:
        self._play(action["Parameters"])
        if action["Parameters"]["StoreInput"] == "True":
            return "next"
        return "=1" if self.keys == "1" else "InputTimeLimitExceeded"

    def _CheckHoursOfOperation(self, action: Mapping[str, Any], _: object) -> str:
        is_open = self.switch_on if action["Parameters"] else self.queue_open
        return f"={is_open}"

    def _CheckMetricData(self, action: Mapping[str, Any], _: object) -> str:
        metric = action["Parameters"]["MetricType"]
        people = {"NumberOfAgentsStaffed": self.staffed, "NumberOfAgentsAvailable": self.free}
        if metric in people:
            return "=0" if people[metric] else "NoMatchingCondition"
        number = self.waiting if metric == "NumberOfContactsInQueue" else self.oldest_s
        for each in action["Transitions"]["Conditions"]:
            operand = each["Condition"]["Operands"][0]
            if _compares(each["Condition"]["Operator"], str(number), operand):
                return f"={operand}"
        return "NoMatchingCondition"

    def _TransferParticipantToThirdParty(self, action: Mapping[str, Any], _: object) -> str:
        parameters = action["Parameters"]
        self.heard.append(f"(agent at {self._value(parameters['ThirdPartyPhoneNumber'])})")
        self.keys_sent.append(self._value(parameters["ThirdPartyDTMFDigits"]))
        return "next"

    def _TransferContactToQueue(self, action: Mapping[str, Any], _: object) -> str:
        return "end"

    def _TransferToFlow(self, action: Mapping[str, Any], _: object) -> str:
        return "end"

    def _DisconnectParticipant(self, action: Mapping[str, Any], _: object) -> str:
        return "end"


def _compares(operator: str, value: str, operand: str) -> bool:
    if operator == "Equals":
        return value == operand
    if operator == "TextStartsWith":
        return value.startswith(operand)
    if operator == "TextContains":
        return operand in value
    if not value.isdecimal():
        return False
    left, right = int(value), int(operand)
    return {
        "NumberGreaterThan": left > right,
        "NumberGreaterOrEqualTo": left >= right,
        "NumberLessOrEqualTo": left <= right,
    }[operator]


def _follow(action: Mapping[str, Any], branch: str) -> str:
    transitions = action["Transitions"]
    targets = {each["ErrorType"]: each["NextAction"] for each in transitions.get("Errors", [])}
    for each in transitions.get("Conditions", []):
        targets[f"={each['Condition']['Operands'][0]}"] = each["NextAction"]
    return str(targets.get(branch, transitions.get("NextAction", "")))
