"""Each fault, planted into an otherwise good deployment, is the one thing that doctor finds, with its mend."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from contract import table
from flows.parameters import FlowLogging
from operations import stack as paths
from operations.doctor.checks import deepgram
from operations.doctor.checks.account import region
from operations.doctor.checks.number import number
from operations.doctor.examination import examine
from operations.doctor.findings import Finding, State
from operations.errors import DeepgramUnusable
from tests.operations.account import (
    ALWAYS,
    BUCKET,
    FLOW_LOG,
    INSTANCE,
    MANAGED_KEY,
    REGION,
    ROOT,
    TABLE,
    Account,
    alias_arn,
)
from tests.operations.standin import Parameters, Refused


@dataclass(frozen=True)
class Fault:
    """`topic`, `what` and `mend` are where it is to be found, and words of its two sentences."""

    name: str
    plant: Callable[[Account], object]
    topic: str
    what: str
    mend: str

    def __str__(self) -> str:
        return self.name


def _set(name: str, value: object) -> Callable[[Account], object]:
    return lambda account: setattr(account, name, value)


def _yaml(old: str, new: str) -> Callable[[Account], object]:
    def plant(account: Account) -> None:
        assert old in account.yaml
        account.yaml = account.yaml.replace(old, new)

    return plant


def _policy(account: Account) -> None:
    policy = json.dumps(account.bucket_policy("lambda.amazonaws.com"))
    account.clients().s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)


def _storage(prefix: str = "voiceai", hours: int = 24, key: str = "", ours: bool = True) -> Callable[[Account], object]:
    def plant(account: Account) -> None:
        config = account.stream_config(prefix, hours, **({"key": key} if key else {}))
        account.storage = [{**config, "AssociationId": "storage-1" if ours else "storage-of-another"}]

    return plant


def _stale_log(account: Account) -> None:
    account.clients().logs.delete_retention_policy(logGroupName=FLOW_LOG)


def _no_association(account: Account) -> None:
    account.associated = [arn for arn in account.associated if "next_action_wait" not in arn]


def _no_number(account: Account) -> None:
    account.numbers, account.leading = {}, []


def _shut(account: Account) -> None:
    account.queues["orders"]["HoursOfOperationId"] = "empty"
    account.hours["empty"] = []


def _subscribed(state: str) -> Callable[[Account], object]:
    return _set("subscribed", {"somebody@example.com": state} if state else {})


def _unrendered(account: Account) -> None:
    account.clients().dynamodb.delete_item(TableName=TABLE, Key=table.key("OPENING#shop", "OPENING"))


FAULTS = [
    Fault("alarms unconfirmed", _subscribed("PendingConfirmation"), "alarms", "has not confirmed", "link"),
    Fault("alarms to nobody", _subscribed(""), "alarms", "not subscribed", "subscribe"),
    Fault("wrong region in the shell", _set("shell_region", "us-east-1"), "region", "us-east-1", "export AWS_REGION="),
    Fault(
        "credentials of another account",
        _yaml(f"{REGION}:111122223333:instance", f"{REGION}:444455556666:instance"),
        "region",
        "of account 111122223333",
        "AWS_PROFILE",
    ),
    Fault(
        "not bootstrapped", lambda a: a.refused.update(CDKToolkit="x"), "bootstrap", "not bootstrapped", "cdk bootstrap"
    ),
    Fault("deploy rolled back", _set("status", "UPDATE_ROLLBACK_COMPLETE"), "stack", "ROLLBACK", "Events"),
    Fault("deploy under way", _set("status", "UPDATE_IN_PROGRESS"), "stack", "IN_PROGRESS", "wait"),
    Fault(
        "no incoming calls", lambda a: a.instance.update(InboundCallsEnabled=False), "instance", "incoming", "Telephony"
    ),
    Fault("no flow logs", _set("flow_logs", "false"), "instance", "flow logs", "enable"),
    Fault("somebody else's prefix", _storage("other", ours=False), "streaming", "begin with other", "prefix to other"),
    Fault("streaming prefix differs", _storage("other"), "streaming", "begin with other", "prefix to other"),
    Fault("streaming keeps nothing", _storage(hours=0), "streaming", "keep nothing", "one hour"),
    Fault("streaming removed", _set("storage", []), "streaming", "is gone", "Data storage"),
    Fault(
        "streams with another key", _storage(key=f"{'0' * 8}-other"), "streaming", "may not decrypt", "streaming.key"
    ),
    Fault("streams with other names", _set("streams", ["voiceai-video"]), "streams", "voiceai-video", "prefix"),
    Fault("key disabled", _set("key_state", "Disabled"), "keys", "Disabled", "enable"),
    Fault("key not granted", _set("decision", "implicitDeny"), "keys", "implicitDeny", "revert-drift"),
    Fault("quota of calls too small", _set("connect_calls", 5), "calls at once", "5 calls", "Service Quotas"),
    Fault(
        "Lambda limit below the settings",
        _set("executions", 10),
        "lambda",
        "10 concurrent",
        "account_concurrency to 10",
    ),
    Fault("too few video streams", _set("video_streams", 5), "kinesis video", "5 video streams", "Service Quotas"),
    Fault("association missing", _no_association, "associations", "next_action_wait", "revert-drift"),
    Fault(
        "association of the queue's function missing",
        lambda a: a.associated.remove(alias_arn("queue_position").rpartition(":")[0]),
        "associations",
        "queue_position",
        "revert-drift",
    ),
    Fault("queue flow removed", lambda a: a.flows.pop("queue"), "flows", "the flow queue is gone", "revert-drift"),
    Fault(
        "permission missing", lambda a: a.permitted.discard("start_call"), "associations", "start_call", "revert-drift"
    ),
    Fault("queue gone", lambda a: a.queues.pop("orders"), "queues", "orders is gone", "revert-drift"),
    Fault("queue disabled", lambda a: a.queues["orders"].update(Status="DISABLED"), "queues", "disabled", "enable"),
    Fault(
        "queue without hours",
        _shut,
        "queues",
        "always closed",
        "Hours of operation",
    ),
    Fault(
        "queue that nobody answers",
        _set("profile", ["support"]),
        "queues",
        "orders is in no routing",
        "Routing profiles",
    ),
    Fault("switch closed", lambda a: a.hours.update(switch=ALWAYS[:3]), "switch", "not open", "Hours of operation"),
    Fault(
        "old flow version",
        lambda a: a.spoil_flow("polling", "Apologize"),
        "flows",
        "'Apologize' is different",
        "make deploy",
    ),
    Fault(
        "flow saved only",
        lambda a: a.flows["polling"].update(unpublished=True),
        "flows",
        "not published",
        "publish",
    ),
    Fault("flow archived", lambda a: a.flows["polling"].update(State="ARCHIVED"), "flows", "ARCHIVED", "restore"),
    Fault("flow removed", lambda a: a.flows.pop("interruptible"), "flows", "gone", "revert-drift"),
    Fault("bucket policy lacks connect", _policy, "bucket", "does not let", "revert-drift"),
    Fault("bucket with the managed key", lambda a: a.encrypt("aws:kms"), "bucket", "aws:kms", "AES256"),
    Fault(
        "bucket not closed",
        lambda a: a.clients().s3.delete_public_access_block(Bucket=BUCKET),
        "bucket",
        "public",
        "block",
    ),
    Fault(
        "clips stay",
        lambda a: a.clients().s3.delete_bucket_lifecycle(Bucket=BUCKET),
        "bucket",
        "do not expire",
        "revert-drift",
    ),
    Fault("log retention never", _stale_log, "logs", "kept for ever", "put-retention-policy"),
    Fault("secret empty", lambda a: a.put_key('{"api_key": ""}'), "deepgram key", "no key", "put-secret-value"),
    Fault("gateway down", lambda a: a.service.update(runningCount=0), "gateway", "0 of 2", "GatewayLog"),
    Fault("gateway gone", _set("service", {}), "gateway", "gone", "revert-drift"),
    Fault(
        "release starting",
        lambda a: a.service.update(deployments=[{"rolloutState": "IN_PROGRESS"}]),
        "gateway",
        "starting",
        "wait",
    ),
    Fault("opening not rendered", _unrendered, "openings", "shop", "opening_not_rendered"),
    Fault("number on no flow", _set("leading", []), "phone number", "no number leads", "Phone numbers"),
    Fault(
        "number on another flow",
        _set("leading", [("99999999-8888-7777-6666-555555555555", "another")]),
        "phone number",
        "no number",
        "polling",
    ),
    Fault("no number", _no_number, "phone number", "no phone number", "claim"),
]


def missing(account: Account) -> list[tuple[str, Finding]]:
    sections = examine(account.deployment(), account.clients(), ROOT)
    return [(s.topic, f) for s in sections for f in s.findings if f.state is State.MISSING]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_doctor_finds_exactly_the_planted_fault_and_names_its_mend(fault: Fault, account: Account) -> None:
    if fault.name == "credentials of another account":
        account.stand_in.answers["connect", "DescribeInstance"] = lambda _: {"Instance": account.instance}
    fault.plant(account)
    found = missing(account)
    if fault.name == "credentials of another account":
        found = found[:1]  # everything else is looked for in the wrong account too
    assert [topic for topic, _ in found] == [fault.topic], found
    assert fault.what in found[0][1].what
    assert fault.mend in found[0][1].mend


@pytest.mark.parametrize(
    ("status", "mend"), [(401, "revoked"), (402, "credit"), (403, "scope"), (429, "sessions"), (0, "reach it")]
)
def test_a_key_that_opens_no_session_is_found_with_the_reason(
    status: int, mend: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str, key: str) -> None:
        raise DeepgramUnusable("refused", status)

    monkeypatch.setattr(deepgram, "welcome", refuse)
    ((topic, finding),) = missing(account)
    assert topic == "deepgram key"
    assert mend in finding.mend


def test_without_credentials_nothing_else_is_asked(account: Account) -> None:
    def none(_: Parameters) -> dict[str, str]:
        raise NoCredentialsError

    account.stand_in.answers["sts", "GetCallerIdentity"] = none
    before = len(account.stand_in.asked)
    ((topic, finding),) = missing(account)
    assert topic == "credentials"
    assert "AWS_PROFILE" in finding.mend
    assert account.stand_in.asked[before:] == [("sts", "GetCallerIdentity")]


def test_an_expired_session_is_a_credentials_fault(account: Account) -> None:
    account.refused["GetCallerIdentity"] = "ExpiredToken"
    ((topic, finding),) = missing(account)
    assert topic == "credentials"
    assert "ExpiredToken" in finding.what


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_what_may_not_be_asked_cannot_be_told_and_is_no_fault(code: str, account: Account) -> None:
    account.refused["ListRoutingProfiles"] = code
    sections = list(examine(account.deployment(), account.clients(), ROOT))
    (queues,) = [section for section in sections if section.topic == "queues"]
    assert [finding.state for finding in queues.findings] == [State.UNKNOWN]
    assert "ListRoutingProfiles" in queues.findings[0].what


def test_a_stack_that_may_not_be_read_ends_the_examination(account: Account) -> None:
    account.refused["DescribeStacks"] = "AccessDenied"
    sections = list(examine(account.deployment(), account.clients(), ROOT))
    assert [section.topic for section in sections] == ["credentials", "stack"]
    assert sections[1].findings[0].state is State.UNKNOWN


def test_before_the_deploy_a_configuration_of_somebody_else_is_used_if_its_prefix_fits(account: Account) -> None:
    account.deployed = False
    assert missing(account) == []
    _storage("other", ours=False)(account)
    ((topic, finding),) = missing(account)
    assert topic == "streaming"
    assert "connect.streaming.prefix to other" in finding.mend


def test_a_configuration_that_the_settings_rely_on_must_be_there(account: Account) -> None:
    account.yaml = account.yaml.replace("configuration: create", "configuration: existing")
    account.storage = []
    ((topic, finding),) = missing(account)
    assert topic == "streaming"
    assert "the settings say that it does" in finding.what


def test_an_alias_that_is_taken_is_found_before_the_deploy(account: Account) -> None:
    account.deployed = False
    account.instances = ["new", "another"]
    account.yaml = account.yaml.replace(f"instance: {INSTANCE}", "alias: new\n  instance: create")
    ((topic, finding),) = missing(account)
    assert topic == "instance"
    assert "new exists already" in finding.what


@pytest.mark.parametrize("status", ["CREATION_FAILED", "CREATION_IN_PROGRESS"])
def test_an_instance_that_is_not_active_is_found(status: str, account: Account) -> None:
    account.instance.update(InstanceStatus=status)
    assert [topic for topic, _ in missing(account)] == ["instance"]


def test_an_instance_that_is_not_there_is_found(account: Account) -> None:
    account.instance = {}
    found = [finding.what for topic, finding in missing(account) if topic == "instance"]
    assert found == [f"there is no instance {INSTANCE}"]


def test_more_calls_than_the_account_can_reserve_are_refused_as_the_deploy_would(account: Account) -> None:
    account.yaml += "lambdas: {account_concurrency: 100}\n"
    ((topic, finding),) = missing(account)
    assert topic == "lambda"
    assert "100" in finding.what


def test_executions_are_counted_where_none_are_reserved(account: Account) -> None:
    account.yaml += "lambdas: {reserve: false}\n"
    account.executions = 10
    ((_, finding),) = missing(account)
    assert "need 13 executions" in finding.what


def test_a_quota_that_nobody_tells_is_no_fault(account: Account) -> None:
    account.connect_calls = account.default_calls = account.video_streams = None
    assert missing(account) == []


def test_the_default_quota_counts_where_none_was_applied(account: Account) -> None:
    account.connect_calls = None
    account.default_calls = 7
    ((topic, finding),) = missing(account)
    assert topic == "calls at once"
    assert "7 calls" in finding.what


def test_with_the_logs_off_the_instance_needs_no_flow_logs(account: Account) -> None:
    account.flow_logs = "false"
    account.yaml += f"flow_logging: '{FlowLogging.OFF.value}'\n"
    account.flows = account._deployed_flows()
    assert missing(account) == []


def test_a_flow_that_the_stack_lost_is_found(account: Account) -> None:
    del account.physical[paths.logical_id(paths.flow("polling"))]
    account.leading = [(number, "interruptible") for number, _ in account.leading]
    ((topic, finding),) = missing(account)
    assert topic == "flows"
    assert "not in the stack" in finding.what


def test_fifty_associations_are_told(account: Account) -> None:
    account.associated += [f"arn:aws:lambda:{REGION}:111122223333:function:f{number}" for number in range(50)]
    sections = list(examine(account.deployment(), account.clients(), ROOT))
    (calls,) = [section for section in sections if section.topic == "calls at once"]
    assert [finding.state for finding in calls.findings] == [State.GOOD, State.UNKNOWN]


def test_a_refusal_that_means_something_else_is_passed_on(account: Account) -> None:
    def fail(_: Parameters) -> dict[str, str]:
        raise Refused("InternalServiceException", status=500)

    for operation in ("DescribeInstance", "DescribeQueue", "DescribeContactFlow"):
        account.stand_in.answers["connect", operation] = fail
    account.stand_in.answers["lambda", "GetPolicy"] = fail
    sections = {s.topic: s for s in examine(account.deployment(), account.clients(), ROOT)}
    for topic in ("instance", "queues", "flows", "associations"):
        assert sections[topic].findings[-1].state is State.UNKNOWN


@pytest.mark.parametrize(
    ("cut", "state"),
    [("", State.UNKNOWN), ("at_once", None), ("late", None), ("at_its_end", State.MISSING), ("never", State.MISSING)],
)
def test_the_interruptible_flow_is_judged_by_the_newest_test_call(
    cut: str, state: State | None, account: Account, tmp_path: Path
) -> None:
    account.leading = [(number, "interruptible") for number, _ in account.leading]
    if cut:
        (tmp_path / "measured").mkdir()
        (tmp_path / "measured" / "voice-agent-2026-01-01T000000.json").write_text('{"cut": "never"}')
        (tmp_path / "measured" / "voice-agent-2026-02-01T000000.json").write_text(json.dumps({"cut": cut}))
    sections = examine(account.deployment(), account.clients(), tmp_path, [("phone number", number)])
    findings = [finding for section in sections for finding in section.findings if section.topic == "phone number"]
    assert [finding.state for finding in findings] == [State.GOOD, *([state] if state else [])]


def test_alarms_to_nobody_on_purpose_are_good(account: Account) -> None:
    account.yaml = account.yaml.replace("alarm_email: somebody@example.com", "")
    assert missing(account) == []


@pytest.mark.parametrize("text", ["{not json", '{"other": 1}'])
def test_a_secret_without_a_key_in_it_is_empty(text: str, account: Account) -> None:
    account.put_key(text)
    assert [topic for topic, _ in missing(account)] == ["deepgram key"]


def test_a_bucket_without_any_policy_is_found(account: Account) -> None:
    account.clients().s3.delete_bucket_policy(Bucket=BUCKET)
    assert [topic for topic, _ in missing(account)] == ["bucket"]


def test_a_region_without_connect_is_found(account: Account) -> None:
    deployment = replace(account.deployment(), region="eu-south-2")
    sections = examine(deployment, account.clients(), ROOT, [("region", region)])
    found = [finding.what for section in sections for finding in section.findings]
    assert any("no endpoint in eu-south-2" in what for what in found)


@pytest.mark.parametrize("key", ["alias/aws/kinesisvideo", MANAGED_KEY])
def test_streams_with_the_managed_key_need_no_grant(key: str, account: Account) -> None:
    account.yaml = re.sub(r', key: "[^"]+"', "", account.yaml)
    account.storage = [account.stream_config(key=key)]
    assert missing(account) == []


def test_a_log_that_does_not_exist_yet_is_no_fault(account: Account) -> None:
    account.clients().logs.delete_log_group(logGroupName=FLOW_LOG)
    assert missing(account) == []


def test_a_network_that_is_away_is_told(account: Account) -> None:
    def away(_: Parameters) -> dict[str, str]:
        raise EndpointConnectionError(endpoint_url="https://ecs")

    account.stand_in.answers["ecs", "DescribeServices"] = away
    sections = {s.topic: s for s in examine(account.deployment(), account.clients(), ROOT)}
    assert "did not answer (EndpointConnectionError)" in sections["gateway"].findings[0].what


def test_a_secret_that_may_not_be_read_cannot_be_told(account: Account) -> None:
    account.stand_in.answers["secretsmanager", "GetSecretValue"] = _denied
    account.stand_in.answers["s3", "GetBucketPolicy"] = _denied
    sections = {s.topic: s for s in examine(account.deployment(), account.clients(), ROOT)}
    assert sections["deepgram key"].findings[0].state is State.UNKNOWN
    assert sections["bucket"].findings[0].state is State.UNKNOWN


@pytest.mark.parametrize(("code", "mend"), [("AccessDeniedException", "may read the table"), ("Strange", "try again")])
def test_a_table_that_may_not_be_read_cannot_be_told(code: str, mend: str, account: Account) -> None:
    def refuse(_: Parameters) -> dict[str, str]:
        raise Refused(code, status=400)

    account.stand_in.answers["dynamodb", "GetItem"] = refuse
    sections = {s.topic: s for s in examine(account.deployment(), account.clients(), ROOT)}
    (finding,) = sections["openings"].findings
    assert finding.state is State.UNKNOWN
    assert code in finding.what
    assert mend in finding.mend


def _denied(_: Parameters) -> dict[str, str]:
    raise Refused("AccessDeniedException", status=403)
