"""A pretended account with one good deployment in it, every part of which a test can spoil.

S3, Secrets Manager, CloudWatch Logs and DynamoDB are moto's; Connect, CloudFormation's view of a stack with Connect
in it, quotas, Lambda's settings and the rest are the stand-in's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import table
from contract.dynamodb import create_table
from infra.deployment import Deployment, read
from operations import stack as paths
from operations.clients import Clients
from operations.doctor.checks.flows import expected
from operations.doctor.findings import Examined
from tests.operations.standin import Parameters, Refused, StandIn, clients

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
ACCOUNT = "111122223333"
INSTANCE_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
INSTANCE = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}"
ALIAS = "alder-and-pine"
BUCKET = "voice-agent-clips"
RECORDS = "voice-agent-records"
TABLE = "voice-agent-calls"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:voice-agent/deepgram"
GATEWAY_LOG = "voice-agent-gateway"
FLOW_LOG = f"/aws/connect/{ALIAS}"
KEY_ID = "12345678-1234-1234-1234-123456789012"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
MANAGED_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/87654321-1234-1234-1234-123456789012"  # AWS' for video streams
NUMBER_ID = "99999999-8888-7777-6666-555555555555"
MIDNIGHT = {"Hours": 0, "Minutes": 0}
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
ALWAYS = [{"Day": day, "StartTime": MIDNIGHT, "EndTime": MIDNIGHT} for day in DAYS]

YAML = f"""\
name: voice-agent
region: {REGION}
connect:
  instance: {INSTANCE}
  streaming: {{configuration: create, prefix: voiceai, key: "{KEY}"}}
hours:
  office:
    time_zone: Europe/Berlin
    week: {{monday: 09:00-18:00}}
queues:
  orders: {{hours: office}}
  support: {{hours: office}}
default_queue: support
agents: [shop]
deepgram: {{sessions: 10}}
alarm_email: somebody@example.com
"""


def connect_arn(kind: str, name: str) -> str:
    return f"{INSTANCE}/{kind}/{name}"


def function_name(name: str) -> str:
    return f"voice-agent-{name}"


def alias_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name(name)}:live"


PHYSICAL = {
    paths.TABLE: TABLE,
    paths.CLIPS: BUCKET,
    paths.RECORDS: RECORDS,
    paths.SECRET: SECRET,
    paths.STREAMING: "ours:storage-1",
    paths.QUEUE_FLOW: connect_arn("contact-flow", "queue"),
    paths.GATEWAY_ROLE: "voice-agent-gateway-role",
    paths.GATEWAY_LOG: GATEWAY_LOG,
    paths.GATEWAY_SERVICE: f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/cluster/gateway",
    paths.CLUSTER: "cluster",
    paths.TOPIC: f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    **{paths.flow(form): connect_arn("contact-flow", form) for form in paths.FORMS},
    **{paths.prompt(sound): connect_arn("prompt", sound) for sound in ("silence", "short-silence", "music")},
    **{paths.queue(name): connect_arn("queue", name) for name in ("orders", "support")},
    **{paths.hours("voice-agent", name): connect_arn("operating-hours", name) for name in ("switch", "office")},
    **{paths.function(name): function_name(name) for name in paths.FLOW_FUNCTIONS},
    **{paths.alias(name): alias_arn(name) for name in paths.FLOW_FUNCTIONS},
}


@dataclass
class Account:
    """`deployed` False: the state before the first deploy. Everything else is what the services answer."""

    tmp: Path
    yaml: str = YAML
    shell_region: str = REGION
    deployed: bool = True
    stand_in: StandIn = field(default_factory=StandIn)

    def __post_init__(self) -> None:
        self.status = "UPDATE_COMPLETE"
        self.physical = {paths.logical_id(path): id_ for path, id_ in PHYSICAL.items()}
        self.outputs = {"ConnectInstance": INSTANCE, "GatewayLog": GATEWAY_LOG, "DeepgramSecret": SECRET}
        self.instance: dict[str, Any] = {
            "Id": INSTANCE_ID,
            "Arn": INSTANCE,
            "InstanceAlias": ALIAS,
            "InstanceStatus": "ACTIVE",
            "InboundCallsEnabled": True,
        }
        self.instances: list[str] = [ALIAS]
        self.flow_logs = "true"
        self.storage: list[dict[str, Any]] = [self.stream_config()]
        self.streams = ["voiceai-connect-alder-and-pine-contact-0001"]
        self.key_state = "Enabled"
        self.decision = "allowed"
        self.connect_calls: float | None = 20
        self.default_calls: float | None = 10
        self.executions = 1000
        self.video_streams: float | None = 10_000
        self.associated = [arn.rpartition(":")[0] for arn in map(alias_arn, paths.FLOW_FUNCTIONS)]
        self.permitted = set(paths.FLOW_FUNCTIONS)
        self.queues: dict[str, dict[str, Any]] = {
            name: {"QueueId": name, "Status": "ENABLED", "HoursOfOperationId": "office"}
            for name in ("orders", "support")
        }
        self.hours: dict[str, list[dict[str, Any]]] = {"office": ALWAYS[:5], "switch": ALWAYS}
        self.profile = ["orders", "support"]
        self.flows: dict[str, dict[str, Any]] = {}
        self.service: dict[str, Any] = {"runningCount": 2, "desiredCount": 2, "deployments": [], "events": []}
        self.numbers = {NUMBER_ID: "+4930123456"}
        self.leading = [(NUMBER_ID, "polling")]
        self.subscribed = {"somebody@example.com": "arn:aws:sns:subscription"}
        self.refused: dict[str, str] = {}  # operations of any service, with the code they answer
        self._answer()

    # -- a test's side ---------------------------------------------------------------------------------------

    def deployment(self) -> Deployment:
        return _deployment(self.yaml, self.tmp / "deployment.yaml")

    def clients(self) -> Clients:
        self.stand_in.install()
        return clients(self.shell_region, REGION)

    def stream_config(self, prefix: str = "voiceai", hours: int = 24, key: str = KEY) -> dict[str, Any]:
        return {
            "AssociationId": "storage-1",
            "StorageType": "KINESIS_VIDEO_STREAM",
            "KinesisVideoStreamConfig": {
                "Prefix": prefix,
                "RetentionPeriodHours": hours,
                "EncryptionConfig": {"EncryptionType": "KMS", "KeyId": key},
            },
        }

    def create(self) -> None:
        """What the deploy makes in the services that moto has; run within `mock_aws`."""
        s3: Any = self.clients().s3
        for bucket in (BUCKET, RECORDS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(self.bucket_policy()))
        closed = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=closed)
        self.encrypt("AES256")
        rule = {"ID": "clips", "Status": "Enabled", "Filter": {"Prefix": "clips/"}, "Expiration": {"Days": 1}}
        s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
        logs = self.clients().logs
        for name in (FLOW_LOG, GATEWAY_LOG):
            logs.create_log_group(logGroupName=name)
            logs.put_retention_policy(logGroupName=name, retentionInDays=30)
        secrets = self.clients().secrets
        arn = secrets.create_secret(Name="voice-agent/deepgram", SecretString="a-key")["ARN"]
        self.physical[paths.logical_id(paths.SECRET)] = arn
        create_table(self.clients().dynamodb, TABLE)
        self.render("shop")
        self.flows = self._deployed_flows()

    def encrypt(self, algorithm: str) -> None:
        rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]
        s3: Any = self.clients().s3
        s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": rules})

    def render(self, agent: str) -> None:
        """The opening of an agent."""
        item = {"url": "https://bucket/openings/x.wav", "text": "Good day.", "duration_ms": "900"}
        self.clients().dynamodb.put_item(
            TableName=TABLE,
            Item={
                **table.key(f"OPENING#{agent}", "OPENING"),
                "url": {"S": item["url"]},
                "text": {"S": item["text"]},
                "duration_ms": {"N": item["duration_ms"]},
            },
        )

    def put_key(self, text: str) -> None:
        self.clients().secrets.put_secret_value(SecretId="voice-agent/deepgram", SecretString=text)

    def bucket_policy(self, service: str = "connect.amazonaws.com") -> dict[str, Any]:
        only = {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": INSTANCE}}
        resources = [f"arn:aws:s3:::{BUCKET}/{prefix}*" for prefix in ("clips/", "openings/")]
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Condition": only}
        return {"Version": "2012-10-17", "Statement": [{**statement, "Action": "s3:GetObject", "Resource": resources}]}

    def spoil_flow(self, form: str, block: str) -> None:
        """As an older release would have it, or somebody in the console: one block has other parameters."""
        content = json.loads(self.flows[form]["Content"])
        for action in content["Actions"]:
            if action["Identifier"] == block:
                action["Parameters"] = {**action["Parameters"], "Text": "something else"}
        self.flows[form]["Content"] = json.dumps(content)

    def _deployed_flows(self) -> dict[str, dict[str, Any]]:
        stack = paths.Stack("voice-agent", self.status, physical=self.physical, outputs=self.outputs)
        ours = expected(Examined(self.deployment(), self.clients(), ROOT, ACCOUNT, stack, INSTANCE))
        return {
            name: {"State": "ACTIVE", "Status": "PUBLISHED", "Content": flow.to_json()}
            for name, (_, flow) in ours.items()
        }

    # -- the services' side ----------------------------------------------------------------------------------

    def _answer(self) -> None:
        answers = {
            ("sts", "GetCallerIdentity"): self._caller,
            ("cloudformation", "DescribeStacks"): self._stacks,
            ("cloudformation", "ListStackResources"): self._resources,
            ("connect", "DescribeInstance"): self._instance,
            ("connect", "DescribeInstanceAttribute"): lambda asked: {
                "Attribute": {"AttributeType": asked["AttributeType"], "Value": self.flow_logs}
            },
            ("connect", "ListInstances"): lambda _: {
                "InstanceSummaryList": [{"InstanceAlias": alias} for alias in self.instances]
            },
            ("connect", "ListInstanceStorageConfigs"): lambda _: {"StorageConfigs": self.storage},
            ("connect", "ListLambdaFunctions"): lambda _: {"LambdaFunctions": self.associated},
            ("connect", "DescribeQueue"): lambda asked: {"Queue": _found(self.queues, asked["QueueId"])},
            ("connect", "DescribeHoursOfOperation"): self._hours,
            ("connect", "ListRoutingProfiles"): lambda _: {"RoutingProfileSummaryList": [{"Id": "basic"}]},
            ("connect", "ListRoutingProfileQueues"): self._profile_queues,
            ("connect", "DescribeContactFlow"): self._flow,
            ("connect", "ListPhoneNumbersV2"): lambda _: {
                "ListPhoneNumbersSummaryList": [
                    {"PhoneNumberId": id_, "PhoneNumber": number} for id_, number in self.numbers.items()
                ]
            },
            ("connect", "ListFlowAssociations"): self._associations,
            ("kinesisvideo", "ListStreams"): lambda _: {
                "StreamInfoList": [{"StreamName": name} for name in self.streams]
            },
            ("kms", "DescribeKey"): lambda asked: {
                "KeyMetadata": {
                    "KeyId": KEY_ID,
                    "KeyState": self.key_state,
                    "KeyManager": "AWS" if asked["KeyId"] == MANAGED_KEY else "CUSTOMER",
                }
            },
            ("iam", "SimulatePrincipalPolicy"): lambda asked: {
                "EvaluationResults": [{"EvalActionName": asked["ActionNames"][0], "EvalDecision": self.decision}]
            },
            ("service-quotas", "ListServiceQuotas"): self._quotas,
            ("service-quotas", "ListAWSDefaultServiceQuotas"): self._defaults,
            ("lambda", "GetAccountSettings"): lambda _: {"AccountLimit": {"ConcurrentExecutions": self.executions}},
            ("lambda", "GetPolicy"): self._lambda_policy,
            ("sns", "ListSubscriptionsByTopic"): lambda _: {
                "Subscriptions": [{"Endpoint": email, "SubscriptionArn": arn} for email, arn in self.subscribed.items()]
            },
            ("ecs", "DescribeServices"): lambda _: {"services": [self.service] if self.service else []},
        }
        for key, answer in answers.items():
            self.stand_in.answers[key] = self._refusable(key[1], answer)

    def _refusable(self, operation: str, answer: Any) -> Any:
        def answered(asked: Parameters) -> Mapping[str, Any]:
            if operation in self.refused:
                raise Refused(self.refused[operation], status=403)
            result: Mapping[str, Any] = answer(asked)
            return result

        return answered

    def _caller(self, _: Parameters) -> Mapping[str, Any]:
        return {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me", "UserId": "me"}

    def _stacks(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["StackName"]
        if name == "voice-agent" and not self.deployed:
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        if name == "CDKToolkit" and "CDKToolkit" in self.refused:
            raise Refused("ValidationError", f"Stack with id {name} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
        status = self.status if name == "voice-agent" else "CREATE_COMPLETE"
        created = "2026-01-01T00:00:00Z"
        return {"Stacks": [{"StackName": name, "StackStatus": status, "CreationTime": created, "Outputs": outputs}]}

    def _resources(self, _: Parameters) -> Mapping[str, Any]:
        common = {
            "ResourceType": "x",
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-01-01T00:00:00Z",
        }
        summaries = [
            {"LogicalResourceId": logical, "PhysicalResourceId": id_, **common}
            for logical, id_ in self.physical.items()
        ]
        return {"StackResourceSummaries": summaries}

    def _instance(self, asked: Parameters) -> Mapping[str, Any]:
        if not self.instance or asked["InstanceId"] != INSTANCE_ID:
            raise Refused("ResourceNotFoundException", status=404)
        return {"Instance": self.instance}

    def _hours(self, asked: Parameters) -> Mapping[str, Any]:
        id_ = asked["HoursOfOperationId"]
        return {"HoursOfOperation": {"Name": f"voice-agent-{id_}", "Config": _found(self.hours, id_)}}

    def _flow(self, asked: Parameters) -> Mapping[str, Any]:
        found = _found(self.flows, asked["ContactFlowId"])
        if "unpublished" in found:
            raise Refused("ContactFlowNotPublishedException", status=404)
        return {"ContactFlow": found}

    def _profile_queues(self, _: Parameters) -> Mapping[str, Any]:
        entry = {"QueueName": "q", "Priority": 1, "Delay": 0, "Channel": "VOICE"}
        found = [{**entry, "QueueId": name, "QueueArn": connect_arn("queue", name)} for name in self.profile]
        return {"RoutingProfileQueueConfigSummaryList": found}

    def _associations(self, _: Parameters) -> Mapping[str, Any]:
        flow = {form: connect_arn("contact-flow", form) for form in (*paths.FORMS, "another")}
        found = [
            {"ResourceId": id_, "FlowId": flow[form], "ResourceType": "VOICE_PHONE_NUMBER"}
            for id_, form in self.leading
        ]
        return {"FlowAssociationSummaryList": found}

    def _quotas(self, asked: Parameters) -> Mapping[str, Any]:
        if asked["ServiceCode"] != "connect" or self.connect_calls is None:
            return {"Quotas": []}
        quota = {"QuotaName": "Concurrent active calls per instance", "Value": self.connect_calls}
        return {"Quotas": [{**quota, "QuotaContext": {"ContextId": INSTANCE}}]}

    def _defaults(self, asked: Parameters) -> Mapping[str, Any]:
        value, name = {
            "connect": (self.default_calls, "Concurrent active calls per instance"),
            "kinesisvideo": (self.video_streams, "Number of streams per account"),
        }[asked["ServiceCode"]]
        return {"Quotas": [] if value is None else [{"QuotaName": name, "Value": value}]}

    def _lambda_policy(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["FunctionName"].rpartition(":")[2].removeprefix("voice-agent-")
        if name not in self.permitted or asked["Qualifier"] != "live":
            raise Refused("ResourceNotFoundException", status=404)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "connect.amazonaws.com"},
            "Condition": {"ArnLike": {"AWS:SourceArn": INSTANCE}},
        }
        return {"Policy": json.dumps({"Statement": [statement]})}


_read: dict[str, Deployment] = {}


def _deployment(text: str, file: Path) -> Deployment:
    """The settings of a text; each text is read once."""
    if text not in _read:
        file.write_text(text)
        _read[text] = read(file)
    return _read[text]


def _found(things: Mapping[str, Any], id_: str) -> Any:
    if id_ not in things:
        raise Refused("ResourceNotFoundException", status=404)
    return things[id_]
