"""The gateway's settings: environment variables, read once, checked at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import VoiceAgentError
from gateway.legs.sip import settings as sip_settings
from gateway.legs.sip.settings import SipSettings

DEEPGRAM_URL = "wss://agent.deepgram.com/v1/agent/converse"


class BadSetting(VoiceAgentError):
    def __init__(self, name: str, expected: str, found: str | None) -> None:
        super().__init__(name, expected, found)
        self.name = name
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        found = "it is not set" if self.found is None else f"it is {self.found!r}"
        return f"environment variable {self.name}: {self.expected} is needed, {found}"


@dataclass(frozen=True, slots=True)
class Settings:
    """`calls` is how many calls this task takes at once; `instance_id` is that of the Connect instance;
    `records_hours` is how long the table keeps a call; `deployment` names the metrics, none without it;
    `recordings` is where calls are recorded, None: not at all; `tasks_min` is how many tasks there are at any time."""

    table: str
    wakeup_queue_url: str
    clip_bucket: str
    region: str
    agents: Path
    queue_arns: Mapping[str, str]
    function_arns: Mapping[str, str]
    deepgram_url: str
    deepgram_secret: str
    instance_id: str
    calls: int
    release: str
    owner: str
    records_hours: int = 24
    deployment: str = ""
    ecs_agent_uri: str = ""
    record_bucket: str = ""
    event_bus: str = "default"
    ecs_metadata_uri: str = ""
    sip: SipSettings | None = None
    recordings: Path | None = None
    tasks_min: int = 1


def read(environment: Mapping[str, str], owner: str) -> Settings:
    """`owner` names this task in leases.

    Raises:
        BadSetting: a variable is missing or has a wrong form.
    """
    return Settings(
        table=_text(environment, "TABLE_NAME", "the name of the DynamoDB table"),
        wakeup_queue_url=_text(environment, "WAKEUP_QUEUE_URL", "the URL of the SQS queue"),
        clip_bucket=_text(environment, "CLIP_BUCKET", "the name of the S3 bucket for clips"),
        region=_text(environment, "AWS_REGION", "the AWS region"),
        agents=Path(environment.get("AGENTS_DIR") or "agents"),
        queue_arns=_map(environment, "QUEUE_ARNS"),
        function_arns=_map(environment, "FUNCTION_ARNS"),
        deepgram_url=environment.get("DEEPGRAM_URL") or DEEPGRAM_URL,
        deepgram_secret=_text(environment, "DEEPGRAM_SECRET_ARN", "the ARN of the secret with the Deepgram key"),
        instance_id=_text(environment, "CONNECT_INSTANCE_ID", "the id of the Connect instance"),
        calls=_count(environment, "CALLS_PER_TASK", 40),
        release=environment.get("RELEASE") or "development",
        owner=owner,
        records_hours=_count(environment, "RECORDS_HOURS", 24, 24 * 365),
        deployment=environment.get("DEPLOYMENT", ""),
        ecs_agent_uri=environment.get("ECS_AGENT_URI", ""),
        record_bucket=environment.get("RECORD_BUCKET", ""),
        event_bus=environment.get("EVENT_BUS") or "default",
        ecs_metadata_uri=environment.get("ECS_CONTAINER_METADATA_URI_V4", ""),
        sip=sip_settings.read(environment),
        recordings=Path(folder) if (folder := environment.get("RECORDINGS_DIR")) else None,
        tasks_min=_count(environment, "TASKS_MIN", 1),
    )


def _text(environment: Mapping[str, str], name: str, expected: str) -> str:
    value = environment.get(name)
    if not value:
        raise BadSetting(name, expected, value)
    return value


def _count(environment: Mapping[str, str], name: str, default: int, most: int = 1000) -> int:
    value = environment.get(name) or str(default)
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise BadSetting(name, f"a number from 1 to {most}", value)
    return int(value)


def _map(environment: Mapping[str, str], name: str) -> dict[str, str]:
    text = environment.get(name) or "{}"
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(arn, str) for arn in value.values()):
        raise BadSetting(name, "a JSON object of names and ARNs", text)
    return value
