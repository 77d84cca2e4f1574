"""The pretended AWS account: moto's server for the ordinary services, and this process for the others."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.dynamodb import create_table
from definition import AgentDefinition
from simulator import aws_calls
from simulator.connect.lambdas import Function
from simulator.connect.seams import ObjectMissing
from simulator.estate import (
    FLOW_LAMBDAS,
    INSTANCE_ID,
    REGION,
    SIP_NUMBER,
    Estate,
    function_arns,
    function_lambdas,
    lambda_arn,
)

TABLE = "voice-agent"
BUCKET = "voice-agent-clips"
RECORDS = "voice-agent-records"
QUEUE = "voice-agent-wakeups"
MAX_CALLS = 50
SECRET = "voice-agent/deepgram"  # noqa: S105 - a name
_FAST = Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs on the loopback."""

    moto: str
    own: str
    deepgram: str = ""

    def variables(self) -> dict[str, str]:
        """What makes boto3 talk to us: its own variables, so that no product code knows of it."""
        return {
            "AWS_ACCESS_KEY_ID": "simulated",
            "AWS_SECRET_ACCESS_KEY": "simulated",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.moto,
            "AWS_ENDPOINT_URL_CONNECT": self.own,
            "AWS_ENDPOINT_URL_LAMBDA": self.own,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": self.own,
        }


@dataclass(frozen=True, slots=True)
class Account:
    """What a deployment would have created."""

    endpoints: Endpoints
    queue_url: str
    secret_arn: str

    def client(self, service: str) -> Any:
        """A boto3 client of moto's server."""
        return _client(service, self.endpoints)

    def lambda_environment(self, estate: Estate, agent: AgentDefinition) -> dict[str, str]:
        return {
            **self.endpoints.variables(),
            "TABLE_NAME": TABLE,
            "WAKEUP_QUEUE_URL": self.queue_url,
            "DEFAULT_QUEUE": estate.parameters.default_queue_name,
            "DEFAULT_QUEUE_ARN": estate.parameters.default_queue_arn,
            "MAX_CALLS": str(MAX_CALLS),
            **{name: value for name, value in os.environ.items() if name == aws_calls.VARIABLE},
            "RECORD_BUCKET": RECORDS,
            "CLIP_BUCKET": BUCKET,
            "KEEP_DAYS": json.dumps({agent.name: agent.keep_days}),
            "LANGUAGES": json.dumps(dict(estate.spoken.by_tag)),
            "TIMES": json.dumps(dict(estate.spoken.times)),
            "SIP": "on",
            "SIP_NUMBER": SIP_NUMBER,
        }

    def functions(self, estate: Estate, agent: AgentDefinition) -> list[Function]:
        """The flow's Lambdas and those that the agent can call, with the limits they are deployed with."""
        environment = {**self.lambda_environment(estate, agent), "FUNCTION_ARNS": json.dumps(function_arns(agent))}
        limits = {"next_action_wait": 24_000}
        handlers = {**FLOW_LAMBDAS, **function_lambdas(agent)}
        return [
            Function(lambda_arn(name), handler, environment, timeout_ms=limits.get(name, 8000))
            for name, handler in handlers.items()
        ]

    def gateway_environment(
        self, estate: Estate, agent: AgentDefinition, agents: str, deepgram: Mapping[str, str]
    ) -> dict[str, str]:
        """`agents` is a folder with the definitions, see `only`."""
        return {
            **self.endpoints.variables(),
            "TABLE_NAME": TABLE,
            "WAKEUP_QUEUE_URL": self.queue_url,
            "CLIP_BUCKET": BUCKET,
            "RECORD_BUCKET": RECORDS,
            "AGENTS_DIR": agents,
            "QUEUE_ARNS": json.dumps(estate.queue_arns),
            "FUNCTION_ARNS": json.dumps(function_arns(agent)),
            "DEEPGRAM_SECRET_ARN": self.secret_arn,
            "CONNECT_INSTANCE_ID": INSTANCE_ID,
            **deepgram,
        }


def sip_environment() -> dict[str, str]:
    """A gateway that takes calls over SIP on the loopback, at a port that it names in its log; RTP ports of its own
    for each, since several may run on one machine, and below those that Linux gives out (from 32768 on)."""
    first = 10_000 + 200 * random.randrange(50)
    return {
        "SIP_NETWORKS": "127.0.0.1/32",
        "SIP_PUBLIC_ADDRESS": "127.0.0.1",
        "SIP_LISTEN": "127.0.0.1",
        "SIP_PORT": "0",
        "RTP_FIRST_PORT": str(first),
        "RTP_LAST_PORT": str(first + 199),
    }


def _client(service: str, endpoints: Endpoints) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        endpoint_url=endpoints.moto,
        aws_access_key_id="simulated",
        aws_secret_access_key="simulated",  # noqa: S106 - not one
        config=_FAST,
    )


def only(agent: Path, folder: Path) -> str:
    """A folder with this definition and no other: a gateway renders the opening of every agent that it has."""
    alone = folder / "agents"
    shutil.rmtree(alone, ignore_errors=True)
    alone.mkdir(parents=True)
    shutil.copy(agent, alone)
    return str(alone)


def create(endpoints: Endpoints, key: str) -> Account:
    """Create table, buckets, queue and secret; blocks. `key` is the Deepgram key that the gateway will find."""
    create_table(_client("dynamodb", endpoints), TABLE)
    for bucket in (BUCKET, RECORDS):
        _client("s3", endpoints).create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    queue = _client("sqs", endpoints).create_queue(QueueName=QUEUE)
    secret = _client("secretsmanager", endpoints).create_secret(Name=SECRET, SecretString=key)
    return Account(endpoints, str(queue["QueueUrl"]), str(secret["ARN"]))


class S3Objects:
    """Connect's own reading of prompts."""

    def __init__(self, account: Account) -> None:
        self._client = account.client("s3")

    async def read(self, bucket: str, key: str) -> bytes:
        try:
            return await asyncio.to_thread(
                lambda: bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())
            )
        except (ClientError, BotoCoreError):
            raise ObjectMissing(bucket, key) from None
