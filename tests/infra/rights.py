"""What AWS rights are needed for, beyond the calls that were observed; each line says who needs it and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.template import Template, listed, resolved

# Rights that another service asks of the caller, or that are used outside of our code.
_LOG = {"logs:CreateLogStream log": "Lambda writes the function's log as its role", "logs:PutLogEvents log": "the same"}
_TABLE_KEY = {
    f"kms:{action} key": "DynamoDB asks it of whoever reads or writes an encrypted table (developer guide, "
    "encryption at rest)"
    for action in ("DescribeKey", "Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
}
IMPLIED: Mapping[str, Mapping[str, str]] = {
    "gateway": {
        **_TABLE_KEY,  # Decrypt for the secret too (Secrets Manager user guide, encryption)
        "ecs:GetTaskProtection task": "the agent's endpoint in the task acts as the task's role",
        "ecs:UpdateTaskProtection task": "the agent's endpoint in the task acts as the task's role",
    },
    "start_call": {**_LOG, **_TABLE_KEY},
    "next_action_wait": {**_LOG, **_TABLE_KEY},
    "next_action_poll": {**_LOG, **_TABLE_KEY},
    "contact_event": {**_LOG, **_TABLE_KEY},
    "queue_position": _LOG,
    "queue_hours": _LOG,
    "streaming_storage": {
        **_LOG,
        "iam:PutRolePolicy role": "AssociateInstanceStorageConfig (service authorization reference, dependent actions)",
        "kms:CreateGrant any-key": "AssociateInstanceStorageConfig, for the key of the streams",
        "kms:DescribeKey any-key": "AssociateInstanceStorageConfig, for the key of the streams",
    },
    "function": _LOG,
    "execution": {
        "ecr:BatchCheckLayerAvailability repository": "ECS pulls the image as the execution role",
        "ecr:BatchGetImage repository": "ECS pulls the image as the execution role",
        "ecr:GetDownloadUrlForLayer repository": "ECS pulls the image as the execution role",
        "ecr:GetAuthorizationToken *": "ECS pulls the image as the execution role",
        **_LOG,
    },
    "flow-log": {
        **_LOG,
        "logs:DescribeLogStreams log": "VPC flow logs write as this role",
    },
    "number": {
        f"connect:{action}PhoneNumberContactFlow {what}": because
        for action, because in (
            ("Associate", "the number's flow, when the stack is made or changed"),
            ("Disassociate", "the number's flow, when the stack is removed"),
        )
        for what in ("instance", "any-flow", "any-number")  # the old number and flow too, after a change of them
    },
}
# Calls of ours that no whole call of `make observed-calls` shows, with what makes them.
SELDOM: Mapping[str, Mapping[str, str]] = {
    "gateway": {
        "connect:DescribeContact contact": "ConnectPresence: no audio for 10 s and nobody said that the caller is "
        "gone; the events of these calls always come",
    },
    "start_call": {
        # A call that is turned away at the start, for want of a gateway with room (tests/lambdas/test_start_call.py).
        "s3:PutObject calls/": "the record of a call that no gateway serves",
        "s3:PutObjectTagging calls/": "how long the record is kept is a tag of it",
        "events:PutEvents bus": "a call that no gateway serves is announced",
        "dynamodb:UpdateItem table": "create_call of a second attempt changes the head of the first",
    },
    # Connect answers these itself, and its stand-in knows of no queue: tests hold them against botocore's model.
    "queue_position": {"connect:GetContactMetrics contact": "tests/lambdas/test_queue_position.py"},
    "queue_hours": {
        "connect:DescribeQueue instance": "tests/lambdas/test_queue_hours.py",
        "connect:GetEffectiveHoursOfOperations instance": "tests/lambdas/test_queue_hours.py",
    },
    "streaming_storage": {
        f"connect:{operation}InstanceStorageConfig{plural} instance": "tests/lambdas/test_streaming_storage.py"
        for operation, plural in (("Associate", ""), ("Disassociate", ""), ("List", "s"), ("Update", ""))
    },
}
# What subscribers of the events need, in the deployments that have them.
_SUBSCRIBER = {
    **_LOG,
    "s3:GetObject calls/": "lambdas/subscribers/event.py",
    "kms:Decrypt key": "S3 asks it of whoever reads an encrypted record",
    "sqs:SendMessage undelivered": "Lambda sends what has failed as the function's role (developer guide, "
    "asynchronous invocation)",
}
SUBSCRIBERS: Mapping[str, Mapping[str, str]] = {
    "ticket": {**_SUBSCRIBER, "secretsmanager:GetSecretValue secret": "lambdas/subscribers/ticket/handler.py"},
    "connect_task": {
        **_SUBSCRIBER,
        # Public policies for this call name flow and contacts both.
        "connect:StartTaskContact instance": "lambdas/subscribers/connect_task/logic.py",
        "connect:StartTaskContact contact": "lambdas/subscribers/connect_task/logic.py",
    },
}
# What calls over SIP need besides, in the deployments that have them. None of these calls knows a resource.
_CONNECTOR = {
    f"chime:{action} *": "tests/lambdas/test_telephony.py"
    for action in (
        "AssociatePhoneNumbersWithVoiceConnector",
        "CreateVoiceConnector",
        "DeleteVoiceConnector",
        "DisassociatePhoneNumbersFromVoiceConnector",
        "ListVoiceConnectors",
        "PutVoiceConnectorOrigination",
        "UpdateVoiceConnector",
    )
}
_APPLICATION = {
    f"chime:{action}{what} *": "tests/lambdas/test_telephony.py"
    for what in ("SipMediaApplication", "SipRule")
    for action in ("Create", "Delete", "Update")
} | {f"chime:List{what} *": "tests/lambdas/test_telephony.py" for what in ("SipMediaApplications", "SipRules")}
_LOOK = {
    f"lambda:{action} application": "CreateSipMediaApplication looks who may invoke the function (as public samples "
    "grant it; in no reference)"
    for action in ("AddPermission", "GetPolicy")
}
TELEPHONY: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "spoken": {"telephony": {**_LOG, **_CONNECTOR, **_APPLICATION}, "application": {}},
    "encrypted": {"telephony": {**_LOG, **_CONNECTOR, **_APPLICATION, **_LOOK}, "application": _LOG},
}

_ROLES = (
    ("GatewayTaskRole", "gateway"),
    ("GatewayTaskDefinitionExecutionRole", "execution"),
    ("GatewayNetworkVpc", "flow-log"),
    ("Flowstartcall", "start_call"),
    ("Flownextactionwait", "next_action_wait"),
    ("Flownextactionpoll", "next_action_poll"),
    ("Flowcontactevent", "contact_event"),
    ("Flowqueueposition", "queue_position"),
    ("Flowqueuehours", "queue_hours"),
    ("Functions", "function"),
    ("StreamingFunction", "streaming_storage"),
    ("NumberAttachment", "number"),
    ("Subscribersticket", "ticket"),
    ("Subscribersconnecttask", "connect_task"),
    ("TelephonyProvider", "telephony"),
    ("TelephonyLook", "telephony"),
    ("TelephonyApplication", "application"),
)
_KINDS = (
    ("/index/", "index"),
    ("CallsTable", "table"),
    ("Wakeups", "queue"),
    ("Undelivered", "undelivered"),
    ("/clips/*", "clips/"),
    ("/openings/*", "openings/"),
    ("/calls/*", "calls/"),
    (":event-bus/", "bus"),
    (":kinesisvideo:", "stream"),
    ("/contact/*", "contact"),
    (":task/", "task"),
    (":key/*", "any-key"),
    (":key/", "key"),
    ("x/Key", "key"),
    ("DeepgramSecret", "secret"),
    (":secret:", "secret"),
    (":function:", "function"),
    (":phone-number/*", "any-number"),
    ("/contact-flow/*", "any-flow"),
    ("Log", "log"),
    ("Functions", "function"),
    ("TelephonyApplicationLive", "application"),
    (":repository/", "repository"),
    (":role/", "role"),
    ("IAMRole", "role"),
    (":connect:", "instance"),
    ("ContactCentreInstance", "instance"),
    ("Flows", "instance"),
)


def role_of(holder: str) -> str:
    """Whose policy this is, by the logical id of what holds it."""
    return next((role for prefix, role in _ROLES if holder.startswith(prefix)), holder)


def kind_of(resource: str) -> str:
    """What kind of resource an ARN is, in the words of `simulator.aws_calls`."""
    if resource == "*":
        return "*"
    return next((kind for part, kind in _KINDS if part in resource), resource)


def allowed(template: Template) -> dict[str, set[str]]:
    """What the policies of a template allow, by role: `action kind`."""
    found: dict[str, set[str]] = {}
    for holder, statement in template.statements():
        for right in _rights(statement):
            found.setdefault(role_of(holder), set()).add(right)
    return found


def _rights(statement: Mapping[str, Any]) -> Iterator[str]:
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            yield f"{action} {kind_of(str(resolved(resource)))}"
