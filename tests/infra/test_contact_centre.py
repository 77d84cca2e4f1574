from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.audio import ulaw2lin
from contract.wire import parse_disconnect
from flows.validator import validate
from infra.assets.sounds import SILENCES_MS, SOUNDS, sound
from infra.flow_functions.flow_functions import BY_FLOW
from tests.infra.deployments import ACCOUNT, INSTANCE, QUEUE, RETURN_FLOW
from tests.infra.template import Template, resolved


def flows(template: Template) -> dict[str, dict[str, Any]]:
    """The flows by name, as Connect will read them."""
    found = template.all("AWS::Connect::ContactFlow").values()
    return {flow["Name"]: json.loads(resolved(flow["Content"])) for flow in found}


def test_both_flows_are_valid_once_their_references_are_resolved(template: Template) -> None:
    found = flows(template)
    main = [f"{template.name}-interruptible", f"{template.name}-polling"]
    assert sorted(found)[:2] == main
    assert all(validate(found[name]) == [] for name in main)


def test_each_main_flow_has_connects_own_test_cases_saved_for_the_console(templates: Callable[[str], Template]) -> None:
    """What the cases say is run against the flows in tests/flows/test_cases.py."""
    template = templates("voice-agent")
    names = {name: flow for flow, each in template.all("AWS::Connect::ContactFlow").items() for name in [each["Name"]]}
    found = template.all("AWS::Connect::TestCase").values()
    forms, cases = ("interruptible", "polling"), ("switched-off", "no-agent", "lambda-fails")
    assert {each["Name"] for each in found} == {f"voice-agent-{form}-{case}" for form in forms for case in cases}
    for each in found:
        form = next(form for form in forms if f"-{form}-" in each["Name"])
        entry = each["EntryPoint"]["VoiceCallEntryPointParameters"]["FlowId"]
        assert names[f"voice-agent-{form}"] in str(entry)
        assert (each["Status"], each["EntryPoint"]["Type"]) == ("SAVED", "VOICE_CALL")
        content = json.loads(resolved(each["Content"]))
        assert content["Version"] == "2019-10-30"
        assert "${Token" not in json.dumps(content)


def test_the_queue_flow_is_valid_and_set_before_the_transfer(templates: Callable[[str], Template]) -> None:
    template = templates("voice-agent")
    (queue,) = [flow for name, flow in flows(template).items() if name.endswith("-queue")]
    assert validate(queue, "CUSTOMER_QUEUE") == []
    for flow in (flow for name, flow in flows(template).items() if not name.endswith("-queue")):
        hooks = [each["Parameters"] for each in flow["Actions"] if each["Type"] == "UpdateContactEventHooks"]
        assert hooks
        assert all("QueueFlowqueue" in each["EventHooks"]["CustomerQueue"] for each in hooks)


def test_the_flow_of_those_who_wait_can_be_that_of_the_instance(templates: Callable[[str], Template]) -> None:
    template = templates("second")
    assert sorted(flows(template)) == ["second-interruptible", "second-polling"]
    for flow in flows(template).values():
        assert "UpdateContactEventHooks" not in {each["Type"] for each in flow["Actions"]}


def test_callers_go_back_to_the_flow_that_the_settings_name(templates: Callable[[str], Template]) -> None:
    def returns(template: Template) -> set[str]:
        actions = [action for flow in flows(template).values() for action in flow["Actions"]]
        return {each["Parameters"]["ContactFlowId"] for each in actions if each["Type"] == "TransferToFlow"}

    assert returns(templates("first")) == {RETURN_FLOW}
    assert returns(templates("voice-agent")) == set()


def test_a_flow_invokes_aliases_and_waits_for_their_associations(template: Template) -> None:
    aliases = set(template.all("AWS::Lambda::Alias"))
    associations = set(template.all("AWS::Connect::IntegrationAssociation"))
    for name, flow in template.all("AWS::Connect::ContactFlow").items():
        invoked = {
            action["Parameters"]["LambdaFunctionARN"].rpartition("/")[2]
            for action in json.loads(resolved(flow["Content"]))["Actions"]
            if action["Type"] == "InvokeLambdaFunction"
        }
        assert invoked <= aliases
        assert associations <= set(template.document["Resources"][name]["DependsOn"])


def test_the_instance_knows_the_functions_themselves(template: Template) -> None:
    functions = {f"{name}.Arn" for name in template.all("AWS::Lambda::Function")}
    associations = template.all("AWS::Connect::IntegrationAssociation").values()
    assert len(associations) == len(BY_FLOW)
    for association in associations:
        assert association["IntegrationType"] == "LAMBDA_FUNCTION"
        assert resolved(association["IntegrationArn"]).rpartition("/")[2] in functions


def test_associations_come_one_after_the_other(template: Template) -> None:
    names = template.all("AWS::Connect::IntegrationAssociation")
    waits = [set(template.document["Resources"][name].get("DependsOn", [])) & set(names) for name in names]
    assert sorted(map(len, waits)) == [0, *[1] * (len(BY_FLOW) - 1)]


def test_flow_logging_follows_the_setting(templates: Callable[[str], Template]) -> None:
    for name, first, before_content in (
        ("voice-agent", "Enabled", "Disabled"),
        ("second", "Enabled", None),
        ("trial", "Disabled", None),
    ):
        for flow in (flow for title, flow in flows(templates(name)).items() if not title.endswith("-queue")):
            actions = {each["Identifier"]: each["Parameters"] for each in flow["Actions"]}
            assert actions["Log of the first attempt"] == {"FlowLoggingBehavior": first}
            assert actions.get("No content in the log", {}).get("FlowLoggingBehavior") == before_content


@pytest.mark.parametrize(("name", "warned"), [("second", True), ("voice-agent", False), ("trial", False)])
def test_who_logs_all_that_is_said_is_warned(templates: Callable[[str], Template], name: str, warned: bool) -> None:
    told = "".join(file.read_text() for file in templates(name).folder.glob("*.json"))
    assert ("flow_logging: full writes what callers say" in told) is warned


def test_streaming_is_made_unless_somebody_else_sees_to_it(templates: Callable[[str], Template]) -> None:
    kind = "Custom::LiveMediaStreaming"
    assert templates("second").all(kind) == {}
    for name, template in ((name, templates(name)) for name in ("voice-agent", "first")):
        config = template.one(kind)
        assert (config["Prefix"], config["RetentionHours"], config["Remove"]) == ("voiceai", "24", "false"), name
        (resource,) = [each for each in template.document["Resources"].values() if each["Type"] == kind]
        assert any("Policy" in each for each in resource["DependsOn"])


def test_flows_wait_for_streaming(templates: Callable[[str], Template]) -> None:
    template = templates("first")
    (streaming,) = template.all("Custom::LiveMediaStreaming")
    main = [name for name in template.all("AWS::Connect::ContactFlow") if name.startswith("Flows")]
    assert len(main) == 2
    assert all(streaming in template.document["Resources"][name]["DependsOn"] for name in main)


def test_an_instance_that_exists_is_not_touched(templates: Callable[[str], Template]) -> None:
    for name in ("first", "second"):
        assert templates(name).all("AWS::Connect::Instance") == {}
        assert templates(name).all("AWS::Connect::Queue") == {}
    assert len(templates("voice-agent").all("AWS::Connect::Instance")) == 1


def test_two_deployments_that_share_an_instance_share_no_name(templates: Callable[[str], Template]) -> None:
    def names(template: Template) -> set[str]:
        kinds = ("AWS::Connect::ContactFlow", "AWS::Connect::Prompt", "AWS::Connect::HoursOfOperation")
        connect = {each["Name"] for kind in kinds for each in template.all(kind).values()}
        alarms = {each.get("AlarmName", template.name) for each in template.all("AWS::CloudWatch::Alarm").values()}
        return (
            connect
            | (alarms - {template.name})
            | {each["DashboardName"] for each in template.all("AWS::CloudWatch::Dashboard").values()}
        )

    first, second = names(templates("first")), names(templates("second"))
    assert not first & second
    assert all(name.startswith("first") for name in first)


def test_the_switch_is_open_the_whole_week(template: Template) -> None:
    hours = template.all("AWS::Connect::HoursOfOperation").values()
    (switch,) = [each for each in hours if each["Name"] == f"{template.name}-switch"]
    assert len(switch["Config"]) == 7
    midnight = {"Hours": 0, "Minutes": 0}
    assert all(day["StartTime"] == midnight and day["EndTime"] == midnight for day in switch["Config"])


def test_hours_are_those_of_the_deployment(templates: Callable[[str], Template]) -> None:
    hours = templates("voice-agent").all("AWS::Connect::HoursOfOperation").values()
    (office,) = [each for each in hours if each["Name"] == "voice-agent-office"]
    monday, saturday = office["Config"]
    assert monday["EndTime"] == {"Hours": 18, "Minutes": 0}
    assert saturday["EndTime"] == {"Hours": 0, "Minutes": 0}


def test_the_first_queue_that_the_gateway_knows_is_the_default_one(template: Template) -> None:
    names = list(json.loads(template.environment()["QUEUE_ARNS"]))
    assert names[0] == ("orders" if template.name in ("first", "second") else "support")
    for function in template.all("AWS::Lambda::Function").values():
        variables = function.get("Environment", {}).get("Variables", {})
        assert variables.get("DEFAULT_QUEUE", names[0]) == names[0]


def test_queues_that_exist_are_used_as_they_are(templates: Callable[[str], Template]) -> None:
    assert set(json.loads(templates("first").environment()["QUEUE_ARNS"]).values()) == {QUEUE}


def test_the_end_of_a_call_of_this_instance_reaches_contact_event(templates: Callable[[str], Template]) -> None:
    rule = templates("first").one("AWS::Events::Rule")
    detail = {"eventType": "DISCONNECTED", "channel": "VOICE", "instanceArn": INSTANCE}
    event = {"source": "aws.connect", "detail-type": "Amazon Connect Contact Event", "detail": detail}
    pattern = rule["EventPattern"]
    assert event["source"] in pattern["source"]
    assert event["detail-type"] in pattern["detail-type"]
    assert pattern["detail"] == {key: [value] for key, value in detail.items()}
    assert parse_disconnect({**event, "detail": {**detail, "contactId": "a"}}) == "a"
    assert "contactevent" in json.dumps(rule["Targets"])


def test_a_phone_number_goes_to_the_flow_and_back(templates: Callable[[str], Template]) -> None:
    attachment = templates("first").one("Custom::PhoneNumberFlow")
    create, delete = (json.loads(resolved(attachment[key])) for key in ("Create", "Delete"))
    assert create["action"] == delete["action"] == "associatePhoneNumberContactFlow"
    assert create["parameters"]["InstanceId"] == INSTANCE.rpartition("/")[2]
    assert delete["parameters"]["ContactFlowId"] == RETURN_FLOW.rpartition("/")[2]
    assert templates("second").all("Custom::PhoneNumberFlow") == {}


def test_an_instance_that_was_made_stays_with_its_users_numbers_and_contact_records(
    templates: Callable[[str], Template],
) -> None:
    """Its alias is create-only, and `instance: create` may give way to its ARN: neither may remove it."""
    resources = templates("voice-agent").document["Resources"].values()
    (instance,) = [each for each in resources if each["Type"] == "AWS::Connect::Instance"]
    assert instance["DeletionPolicy"] == "RetainExceptOnCreate"  # of a first deploy that failed nothing is kept
    assert instance["UpdateReplacePolicy"] == "Retain"


def test_a_number_that_another_one_replaces_can_still_be_given_back(
    templates: Callable[[str], Template],
) -> None:
    """CloudFormation updates the provider's policy first, and has the old number cleaned up at the end."""
    policies = templates("first").all("AWS::IAM::Policy")
    (policy,) = [each for name, each in policies.items() if name.startswith("NumberAttachment")]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert resolved(statement["Resource"]) == [
        f"arn:aws:connect:us-east-1:{ACCOUNT}:phone-number/*",
        INSTANCE,
        f"{INSTANCE}/contact-flow/*",
    ]


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_a_sound_is_a_file_that_connect_plays(tmp_path: Path, name: str) -> None:
    content = sound(tmp_path, name).read_bytes()
    assert content[20:22] == b"\x07\x00"
    assert len(content) - 58 == SILENCES_MS.get(name, 16_000) * 8


def test_music_is_soft_whole_and_without_a_click(tmp_path: Path) -> None:
    pcm = array("h", ulaw2lin(sound(tmp_path, "music").read_bytes()[58:]))
    assert 3000 < max(map(abs, pcm)) < 12_000
    loudest = [max(map(abs, pcm[at : at + 4000])) for at in range(0, len(pcm), 4000)]
    assert min(loudest) > 1500
    step = max(abs(after - before) for before, after in zip(pcm, [*pcm[1:], pcm[0]], strict=True))
    assert step < 8000  # from the end to the beginning too: it goes round and round
