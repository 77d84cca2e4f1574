"""Voice connector, SIP media application and SIP rule: made once, changed in place, and gone without a trace."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas import custom_resource
from lambdas.custom_resource import Outcome
from lambdas.telephony.chime import ATTEMPTS, PAUSE_S, Request
from lambdas.telephony.media_application import RuleRefused, sip_media_application, sip_rule
from lambdas.telephony.voice_connector import NumberRefused, voice_connector

STACK = "arn:aws:cloudformation:eu-central-1:111122223333:stack/voice-agent/1a2b3c4d-0000-4000-8000-000000000000"
NAME = "voice-agent-1a2b3c4d"
ARN = "arn:aws:chime:eu-central-1:111122223333:vc/abc123"
CONNECTOR = {
    "VoiceConnectorId": "abc123",
    "Name": NAME,
    "VoiceConnectorArn": ARN,
    "OutboundHostName": "abc123.voiceconnector.chime.aws",
}
NUMBER, OTHER = "+15555550100", "+15555550199"
ROUTE = {"Host": "sip.example.com", "Port": 5061, "Protocol": "TCP", "Priority": 1, "Weight": 1}
LAMBDA = "arn:aws:lambda:eu-central-1:111122223333:function:sma"
MADE = Outcome("abc123", {"Arn": ARN, "HostName": "abc123.voiceconnector.chime.aws"})


class Chime:
    """The service, which refuses every request that was not expected; `slept` are the pauses."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "chime-sdk-voice", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stubber = Stubber(self.client)
        self.slept: list[float] = []

    def answers(self, operation: str, answer: dict[str, Any], **asked: Any) -> None:
        self.stubber.add_response(operation, answer, asked)

    def refuses(self, operation: str, code: str, **asked: Any) -> None:
        self.stubber.add_client_error(operation, code, expected_params=asked)

    def do(self, work: Callable[..., Outcome], event: dict[str, Any]) -> Outcome:
        with self.stubber:
            outcome = work(self.client, Request.of(event), self.slept.append)
        self.stubber.assert_no_pending_responses()
        return outcome


@pytest.fixture
def chime() -> Chime:
    return Chime()


def request(kind: str, known: str = "", before: dict[str, str] | None = None, **properties: str) -> dict[str, Any]:
    event: dict[str, Any] = {"RequestType": kind, "StackId": STACK, "RequestId": "r", "LogicalResourceId": "x"}
    event["ResourceProperties"] = {"Name": "voice-agent", "Region": "eu-central-1", **properties}
    event |= {"PhysicalResourceId": known} if known else {}
    return event | ({"OldResourceProperties": before} if before is not None else {})


def connector(kind: str, known: str = "", before: dict[str, str] | None = None, number: str = NUMBER) -> dict[str, Any]:
    route = {"Host": "sip.example.com", "Port": "5061", "Protocol": "TCP"}
    return request(kind, known, before, Encryption="true", Number=number, **route)


def made(chime: Chime) -> None:
    chime.answers("list_voice_connectors", {"VoiceConnectors": []})
    chime.answers(
        "create_voice_connector",
        {"VoiceConnector": CONNECTOR},
        Name=NAME,
        AwsRegion="eu-central-1",
        RequireEncryption=True,
    )


def routed(chime: Chime) -> None:
    origination = {"Routes": [ROUTE], "Disabled": False}
    chime.answers("put_voice_connector_origination", {}, VoiceConnectorId="abc123", Origination=origination)


def led(chime: Chime, *errors: dict[str, str], number: str = NUMBER) -> None:
    chime.answers(
        "associate_phone_numbers_with_voice_connector",
        {"PhoneNumberErrors": list(errors)},
        VoiceConnectorId="abc123",
        E164PhoneNumbers=[number],
        ForceAssociate=False,
    )


def released(chime: Chime, number: str = NUMBER) -> None:
    operation = "disassociate_phone_numbers_from_voice_connector"
    chime.answers(operation, {}, VoiceConnectorId="abc123", E164PhoneNumbers=[number])


def deleted(chime: Chime) -> None:
    chime.answers("delete_voice_connector", {}, VoiceConnectorId="abc123")


def test_a_connector_is_made_with_its_route_and_its_number(chime: Chime) -> None:
    made(chime)
    routed(chime)
    led(chime)
    assert chime.do(voice_connector, connector("Create")) == MADE


def test_a_connector_without_a_number_leads_none(chime: Chime) -> None:
    made(chime)
    routed(chime)
    assert chime.do(voice_connector, connector("Create", number="")) == MADE


def test_a_create_whose_answer_was_lost_makes_no_second_one(chime: Chime) -> None:
    first = {"VoiceConnectors": [{"Name": "somebody-elses", "VoiceConnectorId": "z"}], "NextToken": "more"}
    chime.answers("list_voice_connectors", first)
    chime.answers("list_voice_connectors", {"VoiceConnectors": [CONNECTOR]}, NextToken="more")
    routed(chime)
    led(chime)
    assert chime.do(voice_connector, connector("Create")) == MADE


def test_a_route_that_is_refused_leaves_a_connector_that_cloudformation_has_deleted(chime: Chime) -> None:
    made(chime)
    origination = {"Routes": [ROUTE], "Disabled": False}
    operation = "put_voice_connector_origination"
    chime.refuses(operation, "BadRequestException", VoiceConnectorId="abc123", Origination=origination)
    with pytest.raises(ClientError, match="BadRequestException"):
        chime.do(voice_connector, connector("Create"))
    chime.answers("list_voice_connectors", {"VoiceConnectors": [CONNECTOR]})
    released(chime)
    deleted(chime)
    chime.do(voice_connector, connector("Delete", "nothing"))


def test_a_number_of_another_kind_is_refused_in_a_sentence(chime: Chime) -> None:
    made(chime)
    routed(chime)
    led(chime, {"PhoneNumberId": NUMBER, "ErrorCode": "UnprocessableEntity", "ErrorMessage": "wrong product type"})
    with pytest.raises(NumberRefused, match=r"\+15555550100 .*wrong product type.*product type Voice Connector"):
        chime.do(voice_connector, connector("Create"))


@pytest.mark.parametrize(("error", "said"), [({"ErrorCode": "NotFound"}, "NotFound"), ({}, "no reason given")])
def test_a_number_can_be_refused_without_a_message(chime: Chime, error: dict[str, str], said: str) -> None:
    made(chime)
    routed(chime)
    led(chime, error)
    with pytest.raises(NumberRefused, match=said):
        chime.do(voice_connector, connector("Create"))


def updated(chime: Chime) -> None:
    asked = {"VoiceConnectorId": "abc123", "Name": NAME, "RequireEncryption": True}
    chime.answers("update_voice_connector", {"VoiceConnector": CONNECTOR}, **asked)
    routed(chime)


def test_an_update_changes_the_route_in_place(chime: Chime) -> None:
    updated(chime)
    assert chime.do(voice_connector, connector("Update", "abc123", {"Number": NUMBER})) == MADE


def test_another_number_leads_here_before_the_old_one_is_let_go(chime: Chime) -> None:
    updated(chime)
    led(chime)
    released(chime, OTHER)
    assert chime.do(voice_connector, connector("Update", "abc123", {"Number": OTHER})) == MADE


def test_an_update_after_a_rollback_that_had_no_number_before_lets_none_go(chime: Chime) -> None:
    updated(chime)
    led(chime)
    assert chime.do(voice_connector, connector("Update", "abc123", {})) == MADE


def test_a_delete_lets_the_number_go_and_waits_until_the_service_has_noticed(chime: Chime) -> None:
    released(chime)
    chime.refuses("delete_voice_connector", "ConflictException", VoiceConnectorId="abc123")
    deleted(chime)
    assert chime.do(voice_connector, connector("Delete", "abc123")).physical_id == "abc123"
    assert chime.slept == [PAUSE_S]


def test_a_delete_does_not_wait_for_ever(chime: Chime) -> None:
    released(chime)
    for _ in range(ATTEMPTS):
        chime.refuses("delete_voice_connector", "ConflictException", VoiceConnectorId="abc123")
    with pytest.raises(ClientError, match="ConflictException"):
        chime.do(voice_connector, connector("Delete", "abc123"))
    assert len(chime.slept) == ATTEMPTS - 1


def test_a_delete_that_is_refused_is_not_tried_again(chime: Chime) -> None:
    released(chime)
    chime.refuses("delete_voice_connector", "ForbiddenException", VoiceConnectorId="abc123")
    with pytest.raises(ClientError, match="ForbiddenException"):
        chime.do(voice_connector, connector("Delete", "abc123"))
    assert chime.slept == []


def test_what_somebody_has_deleted_by_hand_is_deleted(chime: Chime) -> None:
    operation = "disassociate_phone_numbers_from_voice_connector"
    chime.refuses(operation, "NotFoundException", VoiceConnectorId="abc123", E164PhoneNumbers=[NUMBER])
    chime.refuses("delete_voice_connector", "NotFoundException", VoiceConnectorId="abc123")
    assert chime.do(voice_connector, connector("Delete", "abc123")).physical_id == "abc123"


def test_an_error_that_is_not_about_what_is_gone_is_told(chime: Chime) -> None:
    operation = "disassociate_phone_numbers_from_voice_connector"
    chime.refuses(operation, "AccessDeniedException", VoiceConnectorId="abc123", E164PhoneNumbers=[NUMBER])
    with pytest.raises(ClientError, match="AccessDeniedException"):
        chime.do(voice_connector, connector("Delete", "abc123"))


def test_a_delete_after_a_create_that_made_nothing_does_nothing(chime: Chime) -> None:
    chime.answers("list_voice_connectors", {"VoiceConnectors": []})
    assert chime.do(voice_connector, connector("Delete", "nothing")).physical_id == NAME


# -- the SIP media application -------------------------------------------------------------------------------


APPLICATION = {"SipMediaApplicationId": "sma-1", "SipMediaApplicationArn": "arn:sma", "Name": NAME}
SMA = Outcome("sma-1", {"Arn": "arn:sma"})


def application(kind: str, known: str = "") -> dict[str, Any]:
    return request(kind, known, LambdaArn=LAMBDA)


def test_an_application_is_made_with_its_lambda(chime: Chime) -> None:
    chime.answers("list_sip_media_applications", {"SipMediaApplications": []})
    asked = {"Name": NAME, "AwsRegion": "eu-central-1", "Endpoints": [{"LambdaArn": LAMBDA}]}
    chime.answers("create_sip_media_application", {"SipMediaApplication": APPLICATION}, **asked)
    assert chime.do(sip_media_application, application("Create")) == SMA


@pytest.mark.parametrize(("kind", "known"), [("Create", ""), ("Update", "sma-1")])
def test_an_application_that_is_there_is_changed_in_place(chime: Chime, kind: str, known: str) -> None:
    if not known:
        chime.answers("list_sip_media_applications", {"SipMediaApplications": [APPLICATION]})
    asked = {"SipMediaApplicationId": "sma-1", "Name": NAME, "Endpoints": [{"LambdaArn": LAMBDA}]}
    chime.answers("update_sip_media_application", {"SipMediaApplication": APPLICATION}, **asked)
    assert chime.do(sip_media_application, application(kind, known)) == SMA


def test_an_application_goes_once_no_rule_holds_it(chime: Chime) -> None:
    chime.refuses("delete_sip_media_application", "ConflictException", SipMediaApplicationId="sma-1")
    chime.answers("delete_sip_media_application", {}, SipMediaApplicationId="sma-1")
    assert chime.do(sip_media_application, application("Delete", "sma-1")).physical_id == "sma-1"


def test_an_application_that_was_never_made_is_gone(chime: Chime) -> None:
    chime.answers("list_sip_media_applications", {"SipMediaApplications": []})
    assert chime.do(sip_media_application, application("Delete", "nothing")).physical_id == NAME


# -- the SIP rule --------------------------------------------------------------------------------------------


RULE = f"{NAME}-15555550100"
TARGETS = [{"SipMediaApplicationId": "sma-1", "Priority": 1, "AwsRegion": "eu-central-1"}]
RULE_ASKED = {
    "Name": RULE,
    "TriggerType": "ToPhoneNumber",
    "TriggerValue": NUMBER,
    "Disabled": False,
    "TargetApplications": TARGETS,
}


def rule(kind: str, known: str = "", before: dict[str, str] | None = None) -> dict[str, Any]:
    return request(kind, known, before, Number=NUMBER, Application="sma-1")


def rules(chime: Chime, *found: dict[str, str]) -> None:
    chime.answers("list_sip_rules", {"SipRules": list(found)})


def rule_made(chime: Chime) -> None:
    chime.answers("create_sip_rule", {"SipRule": {"SipRuleId": "rule-2"}}, **RULE_ASKED)


def test_a_rule_leads_the_number_to_the_application(chime: Chime) -> None:
    rules(chime, {"Name": "other", "SipRuleId": "z"})
    rule_made(chime)
    assert chime.do(sip_rule, rule("Create")) == Outcome("rule-2")


def test_another_number_is_another_rule_and_the_old_one_is_left_to_cloudformation(chime: Chime) -> None:
    rules(chime)
    rule_made(chime)
    assert chime.do(sip_rule, rule("Update", "rule-1", {"Number": OTHER})) == Outcome("rule-2")


@pytest.mark.parametrize("code", ["BadRequestException", "ConflictException"])
def test_a_number_that_leads_elsewhere_is_refused_in_a_sentence_and_nothing_has_to_be_set_back(
    chime: Chime, code: str
) -> None:
    """`through` was changed, and the number leads to the connector still: what was made goes, what was there stays."""
    rules(chime)
    chime.refuses("create_sip_rule", code, **RULE_ASKED)
    with pytest.raises(RuleRefused, match=rf"\+15555550100 .*{code}.*deploy with through: trunk first"):
        chime.do(sip_rule, rule("Create"))
    rules(chime)
    assert chime.do(sip_rule, rule("Delete", "nothing")) == Outcome(RULE)


def test_a_refusal_that_is_not_about_the_number_is_told_as_it_is(chime: Chime) -> None:
    rules(chime)
    chime.refuses("create_sip_rule", "AccessDeniedException", **RULE_ASKED)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        chime.do(sip_rule, rule("Create"))


def test_a_connector_of_another_way_through_is_not_taken_for_ours(chime: Chime) -> None:
    """The names differ, so that a create does not find what the delete after it removes."""
    chime.answers("list_voice_connectors", {"VoiceConnectors": [CONNECTOR]})
    asked = {"Name": "voice-agent-bridge-1a2b3c4d", "AwsRegion": "eu-central-1", "RequireEncryption": True}
    chime.answers("create_voice_connector", {"VoiceConnector": CONNECTOR}, **asked)
    routed(chime)
    event = connector("Create", number="")
    event["ResourceProperties"]["Name"] = "voice-agent-bridge"
    assert chime.do(voice_connector, event) == MADE


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_rule_that_is_there_is_changed_in_place(chime: Chime, kind: str) -> None:
    if kind == "Create":
        rules(chime, {"Name": RULE, "SipRuleId": "rule-1"})
    asked = {"SipRuleId": "rule-1", "Name": RULE, "Disabled": False, "TargetApplications": TARGETS}
    chime.answers("update_sip_rule", {"SipRule": {"SipRuleId": "rule-1"}}, **asked)
    event = rule("Create") if kind == "Create" else rule("Update", "rule-1", {"Number": NUMBER})
    assert chime.do(sip_rule, event) == Outcome("rule-1")


@pytest.mark.parametrize("known", ["rule-1", "nothing"])
def test_a_rule_is_disabled_before_it_is_deleted(chime: Chime, known: str) -> None:
    if known == "nothing":
        rules(chime, {"Name": RULE, "SipRuleId": "rule-1"})
    chime.answers("update_sip_rule", {"SipRule": {}}, SipRuleId="rule-1", Name=RULE, Disabled=True)
    chime.answers("delete_sip_rule", {}, SipRuleId="rule-1")
    assert chime.do(sip_rule, rule("Delete", known)) == Outcome("rule-1")


def test_a_rule_that_was_never_made_is_gone(chime: Chime) -> None:
    rules(chime)
    assert chime.do(sip_rule, rule("Delete", "nothing")) == Outcome(RULE)


# -- the entry point -----------------------------------------------------------------------------------------


def test_cloudformation_hears_of_every_outcome(chime: Chime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    handler = importlib.import_module("lambdas.telephony.handler")
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(handler, "put", lambda url, body: told.append(json.loads(body)))
    monkeypatch.setattr(handler, "CHIME", chime.client)
    event = {**application("Create"), "ResourceType": "Custom::SipMediaApplication", "ResponseURL": "https://x"}
    with chime.stubber:
        chime.refuses("list_sip_media_applications", "AccessDeniedException")
        handler.handler(event, None)
        chime.answers("list_sip_media_applications", {"SipMediaApplications": [APPLICATION]})
        chime.answers("delete_sip_media_application", {}, SipMediaApplicationId="sma-1")
        handler.handler({**event, "RequestType": "Delete", "PhysicalResourceId": "nothing"}, None)
    assert [each["Status"] for each in told] == ["FAILED", "SUCCESS"]
    assert told[0]["PhysicalResourceId"] == "nothing"
    assert "AccessDeniedException" in told[0]["Reason"]
    assert len(told[0]["Reason"]) <= custom_resource.REASON_CHARACTERS
