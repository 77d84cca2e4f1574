from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from moto import mock_aws

from contract.table import create_table
from definition.model import DAYS
from tests.infra.template import Template, listed, resolved


def described() -> dict[str, Any]:
    """The table as `contract.table` makes it."""
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        create_table(client, "calls")
        table: dict[str, Any] = dict(client.describe_table(TableName="calls")["Table"])
        table["ttl"] = client.describe_time_to_live(TableName="calls")["TimeToLiveDescription"]["AttributeName"]
    return table


def by_name(attributes: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(attributes, key=lambda attribute: attribute["AttributeName"])


def test_the_table_is_the_one_that_the_contract_creates(template: Template) -> None:
    expected, table = described(), template.one("AWS::DynamoDB::Table")
    assert table["KeySchema"] == expected["KeySchema"]
    assert by_name(table["AttributeDefinitions"]) == by_name(expected["AttributeDefinitions"])
    (index,), (known,) = table["GlobalSecondaryIndexes"], expected["GlobalSecondaryIndexes"]
    assert index == {key: known[key] for key in ("IndexName", "KeySchema", "Projection")}
    assert table["BillingMode"] == expected["BillingModeSummary"]["BillingMode"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": expected["ttl"], "Enabled": True}


def test_the_table_has_a_key_of_its_own_and_no_backup(template: Template) -> None:
    table = template.one("AWS::DynamoDB::Table")
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert "PointInTimeRecoverySpecification" not in table
    assert template.one("AWS::KMS::Key")["EnableKeyRotation"] is True


def test_wake_ups_are_encrypted_and_end_in_a_queue_for_the_unanswered(template: Template) -> None:
    queues = {name: each for name, each in template.all("AWS::SQS::Queue").items() if name.startswith("Wakeups")}
    assert len(queues) == 2
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    (wakeups,) = [queue for queue in queues.values() if "RedrivePolicy" in queue]
    assert wakeups["VisibilityTimeout"] == 30


def bucket_of(template: Template, construct: str) -> dict[str, Any]:
    (found,) = (each for name, each in template.all("AWS::S3::Bucket").items() if name.startswith(construct))
    return found


def test_records_are_encrypted_with_our_key_and_expire_as_their_agent_says(template: Template) -> None:
    bucket = bucket_of(template, "Records")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    rules = [each for each in bucket["LifecycleConfiguration"]["Rules"] if "TagFilters" in each]
    assert {
        (each["TagFilters"][0]["Key"], int(each["TagFilters"][0]["Value"]), each["ExpirationInDays"]) for each in rules
    } == {("keep-days", days, days) for days in DAYS}
    assert {each["Prefix"] for each in rules} == {"calls/"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_what_an_agent_said_before_it_was_changed_or_dropped_expires_all_the_same(
    templates: Callable[[str], Template],
) -> None:
    """Rules stand for each number that an agent may ever have said, whichever agents are deployed now."""
    rules = [
        bucket_of(templates(name), "Records")["LifecycleConfiguration"]["Rules"] for name in ("voice-agent", "spoken")
    ]
    assert rules[0] == rules[1]
    assert len(rules[0]) <= 1000  # S3 API, PutBucketLifecycleConfiguration


def test_a_record_without_its_tag_expires_too(template: Template) -> None:
    """Of two rules the shorter one holds (S3 user guide, conflicting lifecycle actions)."""
    rules = bucket_of(template, "Records")["LifecycleConfiguration"]["Rules"]
    (longest,) = [each for each in rules if "TagFilters" not in each]
    assert (longest["Prefix"], longest["ExpirationInDays"], longest["Status"]) == ("calls/", max(DAYS), "Enabled")


def test_what_is_kept_after_a_destroy_can_be_read_and_nothing_else_is_kept(template: Template) -> None:
    """Kept on delete and on update, but not of a first deploy that failed (CloudFormation, DeletionPolicy)."""
    resources = template.document["Resources"]
    kept = {name for name, each in resources.items() if each.get("DeletionPolicy", "Delete") != "Delete"}
    (bucket,) = (name for name in template.all("AWS::S3::Bucket") if name.startswith("Records"))
    (key,) = template.all("AWS::KMS::Key")
    assert kept == {bucket, key, *template.all("AWS::Connect::Instance")}
    for name in kept:
        policies = [resources[name][policy] for policy in ("DeletionPolicy", "UpdateReplacePolicy")]
        assert policies == ["RetainExceptOnCreate", "Retain"]
    (encryption,) = resources[bucket]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": [key, "Arn"]}


def test_clips_expire_after_a_day_and_openings_stay(template: Template) -> None:
    bucket = bucket_of(template, "Clips")
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["ExpirationInDays"], rule["Status"]) == ("clips/", 1, "Enabled")
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_only_one_instance_of_connect_may_play_clips(template: Template) -> None:
    policies = template.all("AWS::S3::BucketPolicy")
    (policy,) = (each["PolicyDocument"]["Statement"] for name, each in policies.items() if name.startswith("Clips"))
    connect = [each for each in policy if each["Principal"] == {"Service": "connect.amazonaws.com"}]
    assert {action for each in connect for action in listed(each["Action"])} == {"s3:ListBucket", "s3:GetObject"}
    for statement in connect:
        condition = resolved(statement["Condition"])["StringEquals"]
        assert set(condition) == {"aws:SourceAccount", "aws:SourceArn"}
        assert "*" not in condition["aws:SourceArn"]
    assert any(each["Effect"] == "Deny" and "aws:SecureTransport" in str(each["Condition"]) for each in policy)


def test_the_secret_is_created_without_a_value_unless_one_is_named(template: Template) -> None:
    secrets = template.all("AWS::SecretsManager::Secret")
    if template.name == "second":
        assert secrets == {}
        assert template.environment()["DEEPGRAM_SECRET_ARN"].endswith("secret:shared/deepgram-AbCdEf")
        return
    (secret,) = secrets.values()
    assert secret["Name"] == f"{template.name}/deepgram"
    assert "KmsKeyId" in secret
    assert not {"SecretString", "GenerateSecretString"} & set(secret)
