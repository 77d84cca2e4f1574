"""The shapes of `deployment.yaml`, in the language of `definition.shape`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from definition.shape import Choice, Findings, ListOf, MapOf, NumberOf, Switch, Table, Text, may, need, whole
from definition.source import Node
from definition.spoken import VOICE
from infra.deployment.settings import DEEPGRAM_URLS, INSTANCES_OWN

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIOD = re.compile(r"([01]?\d|2[0-4]):([0-5]\d) ?- ?([01]?\d|2[0-4]):([0-5]\d)")
_FULL_DAY_MINUTES = 24 * 60

# CloudWatch Logs takes these only (API reference, PutRetentionPolicy).
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@dataclass(frozen=True, slots=True)
class Period:
    """`09:00-17:30`, as a pair of minutes since midnight; `00:00-24:00` is the whole day."""

    expected: str = "a period such as 09:00-17:30"

    def read(self, node: Node, findings: Findings) -> Any:
        match = _PERIOD.fullmatch(node.value) if isinstance(node.value, str) else None
        if match is None:
            return findings.refuse(node, self.expected)
        start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
        start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
        if not start < end <= _FULL_DAY_MINUTES:
            return findings.refuse(node, f"{self.expected}, the end after the start and at most 24:00")
        return start, end % _FULL_DAY_MINUTES


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A name of the time zone database."""

    expected: str = "a time zone such as Europe/Berlin"

    def read(self, node: Node, findings: Findings) -> Any:
        known = isinstance(node.value, str) and node.value in available_timezones()
        return node.value if known else findings.refuse(node, self.expected)


@dataclass(frozen=True, slots=True)
class OrNothing:
    """A text that may be left empty, and is the empty text then."""

    shape: Text

    @property
    def expected(self) -> str:
        return f'{self.shape.expected}, or ""'

    def read(self, node: Node, findings: Findings) -> Any:
        return "" if node.value in ("", None) else self.shape.read(node, findings)


def arn(service: str, what: str, pattern: str) -> Text:
    """An ARN of one service; `pattern` is that of the part after the account."""
    full = rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:{pattern}"
    return Text(f"the ARN of {what} (arn:aws:{service}:REGION:ACCOUNT:...)", 512, full)


_ID = "[A-Za-z0-9-]+"
INSTANCE_ARN = Text(
    "create, or the ARN of a Connect instance",
    512,
    rf"create|arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{{12}}:instance/{_ID}",
)
FLOW_ARN = OrNothing(arn("connect", "a flow", f"instance/{_ID}/contact-flow/{_ID}"))
QUEUE_FLOW = OrNothing(
    Text(
        f"{INSTANCES_OWN}, or the ARN of a customer queue flow",
        512,
        rf"{INSTANCES_OWN}|arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{{12}}:instance/{_ID}/contact-flow/{_ID}",
    )
)
QUEUE_ARN = arn("connect", "a queue", f"instance/{_ID}/queue/{_ID}")
NAME = Text("a name of small letters, digits, _ and -, beginning with a letter", 64, r"[a-z][a-z0-9_-]*")
FUNCTION_NAME = Text("a name of small letters, digits and _, beginning with a letter", 64, r"[a-z][a-z0-9_]*")
DEPLOYMENT_NAME = Text(
    "a name of 2 to 24 small letters, digits and -, beginning with a letter", 24, r"[a-z][a-z0-9-]*[a-z0-9]"
)

NETWORK = Text("a network such as 99.77.247.0/24", 18, r"([0-9]{1,3}\.){3}[0-9]{1,3}/([89]|[12][0-9]|3[0-2])")
KMS_KEY = arn("kms", "a key", f"key/{_ID}")

STREAMING = Table(
    "a mapping with prefix",
    {
        "configuration": may(Choice("create", "existing"), "create"),
        "prefix": need(Text("a prefix of letters, digits, _ and -", 64, r"[A-Za-z0-9_-]+")),
        "retention_hours": may(whole(1, 87600, "a number of hours"), 24),
        "key": may(OrNothing(KMS_KEY), ""),
        "remove": may(Switch(), False),
    },
)
CONNECT = Table(
    "a mapping with instance and streaming",
    {
        "instance": need(INSTANCE_ARN),
        "alias": may(
            OrNothing(Text("an alias of 1 to 45 small letters, digits and -", 45, r"(?!d-)[a-z0-9][a-z0-9-]*")), ""
        ),
        "streaming": need(STREAMING),
        "customer_queue_flow": may(QUEUE_FLOW, ""),
        "guide": may(Switch(), False),
    },
)
HOURS = Table(
    "hours with time_zone and week",
    {
        "time_zone": need(TimeZone()),
        "week": need(MapOf(Period(), Text("a day of the week", 9, "|".join(DAYS)), "days", least=1)),
    },
)
QUEUE = Table("a queue with arn or hours", {"arn": may(QUEUE_ARN, ""), "hours": may(NAME, "")})
PHONE_NUMBER = Table(
    "a phone number with number",
    {
        "number": need(
            Text("the id or the ARN of a claimed phone number", 512, r"(arn:aws[a-z-]*:connect:\S+/)?[0-9a-f-]{36}")
        ),
        "flow": may(Choice("polling", "interruptible", "sip"), "polling"),
        "return_flow": may(FLOW_ARN, ""),
    },
)
SECRET = Text("the name of a secret, or its ARN", 512, r"[A-Za-z0-9/_+=.@:-]+")
DEEPGRAM = Table(
    "a mapping with endpoint",
    {
        "endpoint": may(Choice(*DEEPGRAM_URLS), "global"),
        "sessions": may(whole(1, 5000), 50),
        "secret": may(OrNothing(SECRET), ""),
    },
)
CAPACITY = Table(
    "a mapping with tasks and calls_per_task",
    {
        "tasks": may(
            Table("a mapping with least and most", {"least": may(whole(1, 100), 2), "most": may(whole(1, 100), 4)}),
            {"least": 2, "most": 4},
        ),
        "calls_per_task": may(whole(1, 1000), 40),
        "zones": may(whole(1, 3), 2),
        "egress": may(Choice("nat", "public"), "nat"),
        "cpu": may(whole(256, 4096, "256, 512, 1024, 2048 or 4096"), 1024),
        "memory_mib": may(whole(512, 30720), 2048),
    },
)
VPC = Table(
    "a mapping with vpc and subnets",
    {
        "vpc": need(Text("the id of a VPC such as vpc-0a1b2c3d", 21, r"vpc-[0-9a-f]{8,17}")),
        "subnets": need(ListOf(Text("the id of a subnet", 24, r"subnet-[0-9a-f]{8,17}"), "subnets", 1, 16)),
    },
)
LAMBDAS = Table(
    "a mapping with reserve",
    {"reserve": may(Switch(), True), "account_concurrency": may(whole(10, 1_000_000), 1000)},
)
RETENTION = Table(
    "a mapping with records_hours and logs_days",
    {
        "records_hours": may(whole(6, 8760, "a number of hours, longer than any call,"), 24),
        "logs_days": may(NumberOf(LOG_DAYS, "a number of days that CloudWatch Logs knows"), 30),
    },
)
HOST = Text("a host name such as sip.example.com", 253, r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
TLS = Table("a mapping with host and secret", {"host": need(HOST), "secret": need(SECRET)})
SIP = Table(
    "a mapping with connector or number",
    {
        "connector": may(OrNothing(arn("chime", "a voice connector", r"vc/\S+")), ""),
        "number": may(OrNothing(Text("a phone number such as +15555550100", 16, r"\+[1-9][0-9]{6,14}")), ""),
        "through": may(Choice("trunk", "voice_connector", "media_application"), "trunk"),
        "tls": may(TLS),
        "networks": may(ListOf(NETWORK, "networks", 1, 20)),
        "caller_id_name": may(OrNothing(Text("a name without ; / ? : @ & = + $ ,", 64, r"[^;/?:@&=+$,]+")), ""),
    },
)
TICKET = Table(
    "a mapping with url and token",
    {"url": need(Text("an address that begins with https://", 2048, r"https://\S+")), "token": need(SECRET)},
)
TASK = Table("a mapping with flow", {"flow": need(FLOW_ARN)})
SUBSCRIBERS = Table("a mapping of ticket and connect_task", {"ticket": may(TICKET), "connect_task": may(TASK)})
DEPLOYMENT = Table(
    "a mapping of keys such as name, region and connect",
    {
        "name": need(DEPLOYMENT_NAME),
        "region": need(Text("an AWS region such as eu-central-1", 32, r"[a-z]{2}(-[a-z]+)+-[0-9]")),
        "connect": need(CONNECT),
        "hours": may(MapOf(HOURS, NAME, "hours"), {}),
        "queues": need(MapOf(QUEUE, NAME, "queues", least=1)),
        "default_queue": may(NAME, ""),
        "agents": need(ListOf(NAME, "agent definitions", 1, 50)),
        "default_agent": may(NAME, ""),
        "functions": may(MapOf(arn("lambda", "a Lambda", r"function:\S+"), FUNCTION_NAME, "functions"), {}),
        "phone_number": may(PHONE_NUMBER),
        "deepgram": may(DEEPGRAM, {}),
        "return_flow": may(FLOW_ARN, ""),
        "capacity": may(CAPACITY, {}),
        "network": may(VPC),
        "lambdas": may(LAMBDAS, {}),
        "retention": may(RETENTION, {}),
        "flow_logging": may(Choice("minimal", "full", "off"), "minimal"),
        "voice": may(VOICE, {}),
        "sip": may(SIP),
        "subscribers": may(SUBSCRIBERS, {}),
        "test_cases": may(Choice("saved", "published", "none"), "saved"),
        "kms_keys": may(ListOf(KMS_KEY, "KMS keys", 0, 10), []),
        "alarm_email": may(OrNothing(Text("an e-mail address", 254, r"[^@\s]+@[^@\s]+\.[^@\s]+")), ""),
    },
)
