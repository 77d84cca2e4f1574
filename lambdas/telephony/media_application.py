"""The SIP media application, and the rule that leads a phone number to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from contract.aws import code_of
from contract.errors import VoiceAgentError
from lambdas.custom_resource import Outcome
from lambdas.telephony.chime import Client, Request, gone, listed, patiently


class RuleRefused(VoiceAgentError):
    """No rule could be made for a number."""

    def __init__(self, number: str, why: str) -> None:
        super().__init__(number, why)
        self.number = number
        self.why = why

    def __str__(self) -> str:
        return (
            f"{self.number} cannot be led to the SIP media application ({self.why}): it has to be in the phone number "
            "inventory of Amazon Chime SDK in this account, of the product type SIP Media Application Dial-In, and "
            "lead nowhere else. Where it leads to this deployment's own voice connector, deploy with through: trunk "
            "first, change its product type, and deploy again; or take another number"
        )


def sip_media_application(client: Client, request: Request, sleep: Callable[[float], None]) -> Outcome:
    """Create, Update or Delete. Properties: Name, Region, LambdaArn."""
    wanted = request.properties
    if request.kind == "Delete":
        id_ = request.known or (_application(client, request.name) or {}).get("SipMediaApplicationId", "")
        if id_:
            patiently(lambda: client.delete_sip_media_application(SipMediaApplicationId=id_), sleep)
        return Outcome(id_ or request.name)
    endpoints = [{"LambdaArn": wanted["LambdaArn"]}]
    there = request.known or (_application(client, request.name) or {}).get("SipMediaApplicationId", "")
    if there:
        made = client.update_sip_media_application(SipMediaApplicationId=there, Name=request.name, Endpoints=endpoints)
    else:
        made = client.create_sip_media_application(Name=request.name, AwsRegion=wanted["Region"], Endpoints=endpoints)
    application = made["SipMediaApplication"]
    return Outcome(application["SipMediaApplicationId"], {"Arn": application.get("SipMediaApplicationArn", "")})


def sip_rule(client: Client, request: Request, sleep: Callable[[float], None]) -> Outcome:
    """Create, Update or Delete. Properties: Name, Region, Number, Application.

    What triggers a rule cannot be changed (API reference, UpdateSipRule): another number is another rule, after which
    CloudFormation has the old one deleted. So the number is a part of the name.

    Raises:
        RuleRefused: the number is of another kind, or leads elsewhere.
    """
    wanted = request.properties
    name = f"{request.name}-{wanted['Number'].removeprefix('+')}"
    if request.kind == "Delete":
        return _delete_rule(client, request, name, sleep)
    targets = [{"SipMediaApplicationId": wanted["Application"], "Priority": 1, "AwsRegion": wanted["Region"]}]
    same = request.known if request.before.get("Number") == wanted["Number"] else ""
    there = same or (_rule(client, name) or {}).get("SipRuleId", "")
    if there:
        made = client.update_sip_rule(SipRuleId=there, Name=name, Disabled=False, TargetApplications=targets)
    else:
        made = _make_rule(client, name, wanted["Number"], targets)
    return Outcome(made["SipRule"]["SipRuleId"])


def _make_rule(client: Client, name: str, number: str, targets: list[dict[str, Any]]) -> dict[str, Any]:
    try:
        return client.create_sip_rule(
            Name=name,
            TriggerType="ToPhoneNumber",
            TriggerValue=number,
            Disabled=False,
            TargetApplications=targets,
        )
    except ClientError as error:
        if code_of(error) not in ("BadRequestException", "ConflictException"):
            raise
        raise RuleRefused(number, error.response["Error"].get("Message") or code_of(error)) from error


def _delete_rule(client: Client, request: Request, name: str, sleep: Callable[[float], None]) -> Outcome:
    """A rule must be disabled before it can be deleted (API reference, SipRule)."""
    id_ = request.known or (_rule(client, name) or {}).get("SipRuleId", "")
    if id_:
        gone(lambda: client.update_sip_rule(SipRuleId=id_, Name=name, Disabled=True))
        patiently(lambda: client.delete_sip_rule(SipRuleId=id_), sleep)
    return Outcome(id_ or name)


def _application(client: Client, name: str) -> Mapping[str, Any] | None:
    found = listed(client.list_sip_media_applications, "SipMediaApplications")
    return next((each for each in found if each.get("Name") == name), None)


def _rule(client: Client, name: str) -> Mapping[str, Any] | None:
    return next((each for each in listed(client.list_sip_rules, "SipRules") if each.get("Name") == name), None)
