"""The gateway's facilities on AWS and Deepgram: boto3 clients with bounded waits, each call in a thread."""

from __future__ import annotations

import functools
import json
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from contract.aws import config, dynamodb_client, sqs_client
from contract.call import Call, FlowForm, Head, Lease
from contract.clock import Clock
from contract.dynamodb import DynamoStore
from contract.running import Threads, in_thread
from contract.wakeups import SqsWakeups
from definition import AgentDefinition
from gateway.announcing import Announcer, AwsAnnouncer, NobodyToTell
from gateway.call_audio import NoShelf, S3Shelf, Shelf
from gateway.certificate import Certificate
from gateway.facilities import Facilities, NoLines
from gateway.functions.invoker import LambdaInvoker
from gateway.functions.secret_keys import pass_on
from gateway.legs.kvs.getmedia import GetMediaSource, MediaClients
from gateway.legs.kvs.leg import KvsLeg, KvsServices
from gateway.legs.kvs.prompts import S3Prompts
from gateway.legs.kvs.wav import ulaw_of
from gateway.legs.leg import Leg
from gateway.legs.sip.endpoint import SipEndpoint
from gateway.legs.sip.leg import SipLeg
from gateway.legs.sip.services import SipServices
from gateway.legs.sip.settings import TASK, SipSettings
from gateway.public_address import public_address
from gateway.recording.folder import Recorder
from gateway.settings import Settings
from gateway.voice_agent.connection import WebSocketConnector
from gateway.voice_agent.errors import KeyUnavailable

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

log = structlog.get_logger()

FUNCTION_READ_S = 60  # the longest time limit of a function in a definition
THREADS = 64  # for everything but the table and functions
# For each call that a task may have. Speaker, lease, record and injections each may wait for the table at once; what a
# function leaves waiting, the time limit being over, holds its thread for a minute at most.
TABLE_THREADS_A_CALL = 4
FUNCTIONS_A_CALL = 2


class SecretKey:
    """The Deepgram key out of Secrets Manager: plain text, or JSON with `api_key`. Read once, and again on demand.

    Without one the gateway is `unconfigured`, which it says each time that a key is asked for: it runs on, its calls
    go to a human, and the first deployment, before anybody has put a key into the secret, is a good one.
    """

    def __init__(self, client: SecretsManagerClient, secret: str) -> None:
        self._client = client
        self._secret = secret
        self._key = ""

    async def __call__(self, *, fresh: bool) -> str:
        if not fresh and self._key:
            return self._key
        try:
            self._key = await in_thread(self._read)
        except KeyUnavailable as error:
            log.error("unconfigured", why=error.why)
            raise
        return self._key

    def _read(self) -> str:
        try:
            text = self._client.get_secret_value(SecretId=self._secret).get("SecretString", "")
        except self._client.exceptions.ResourceNotFoundException:
            # A secret without a value answers like one that does not exist.
            raise KeyUnavailable("the secret has no value: put the Deepgram API key into it") from None
        except (ClientError, BotoCoreError) as error:
            raise KeyUnavailable(f"the secret cannot be read ({type(error).__name__})") from None
        key = _key_in(text)
        if not key:
            raise KeyUnavailable("the secret is empty: put the Deepgram API key into it")
        return key


def secret_values(definitions: Mapping[str, AgentDefinition]) -> dict[str, str]:
    """The value of every secret that a definition refers to by `${secret:NAME}`; blocks.

    Raises:
        KeyUnavailable: one of them cannot be read.
    """
    names = sorted({name for definition in definitions.values() for name in definition.secrets})
    if not names:
        return {}
    client = boto3.client("secretsmanager", config=config())
    try:
        return {name: client.get_secret_value(SecretId=name).get("SecretString", "") for name in names}
    except (ClientError, BotoCoreError) as error:
        raise KeyUnavailable(f"a secret of an agent definition cannot be read ({type(error).__name__})") from None


def _key_in(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        return str(json.loads(text).get("api_key", ""))
    except ValueError:
        return ""


class ConnectPresence:
    """DescribeContact: a contact that has ended has a DisconnectTimestamp (Connect API)."""

    def __init__(self, client: ConnectClient, instance_id: str) -> None:
        self._client = client
        self._instance_id = instance_id

    async def connected(self, contact_id: str) -> bool:
        try:
            contact = await in_thread(
                lambda: self._client.describe_contact(InstanceId=self._instance_id, ContactId=contact_id)
            )
        except self._client.exceptions.ResourceNotFoundException:
            return False
        except (ClientError, BotoCoreError) as error:
            log.warning("contact_not_described", contact=contact_id, error=type(error).__name__)
            return True
        return "DisconnectTimestamp" not in contact["Contact"]


def prompts(settings: Settings) -> S3Prompts:
    """Where clips go."""
    client = boto3.client("s3", region_name=settings.region, config=config(read_s=5))
    return S3Prompts(client, settings.clip_bucket, settings.region, in_thread)


def wakeups(settings: Settings) -> SqsWakeups:
    """Where wake-ups come from."""
    return SqsWakeups(sqs_client(), settings.wakeup_queue_url, in_thread)


def announcer(settings: Settings) -> Announcer:
    """To S3 and EventBridge, or to nobody where no bucket is configured."""
    if not settings.record_bucket:
        return NobodyToTell()
    s3 = boto3.client("s3", region_name=settings.region, config=config(read_s=5))
    events = boto3.client("events", region_name=settings.region, config=config(read_s=5))
    return AwsAnnouncer(s3, events, settings.record_bucket, settings.event_bus)


def shelf(settings: Settings) -> Shelf:
    """For recordings: where the records of calls are."""
    if not settings.record_bucket:
        return NoShelf()
    return S3Shelf(boto3.client("s3", region_name=settings.region, config=config(read_s=10)), settings.record_bucket)


def facilities(
    settings: Settings, clock: Clock, clips: S3Prompts, definitions: dict[str, AgentDefinition]
) -> tuple[Facilities, SipEndpoint | None]:
    """All clients are made here, before the first call: making one costs tens of milliseconds.

    The endpoint is there when the settings want one, and still to be opened.
    """
    table = Threads("table", TABLE_THREADS_A_CALL * settings.calls)
    store = DynamoStore(dynamodb_client(), settings.table, table, retention_s=settings.records_hours * 3600)
    media = MediaClients()
    services = KvsServices(
        store=store,
        prompts=clips,
        presence=ConnectPresence(boto3.client("connect", config=config()), settings.instance_id),
        clock=clock,
        source=lambda stream_arn: GetMediaSource(stream_arn, media),
    )

    endpoint = SipEndpoint(_reached(settings.sip, settings), store, clock) if settings.sip is not None else None

    async def opening(url: str) -> bytes:
        return ulaw_of(await clips.get(url))

    key = SecretKey(boto3.client("secretsmanager", config=config()), settings.deepgram_secret)
    # An invocation that was made twice is a function that ran twice: botocore must not repeat it.
    functions = boto3.client("lambda", config=config(read_s=FUNCTION_READ_S, attempts=1))
    invocations = Threads("functions", FUNCTIONS_A_CALL * settings.calls, refuses=True)
    invoker = LambdaInvoker(functions, settings.function_arns, invocations)

    sip = None
    if endpoint is not None:
        secret = functools.partial(pass_on, invoker, store)
        sip = SipServices(store, clock, endpoint.lines.__getitem__, opening, secret)

    def open_leg(lease: Lease, head: Head, call: Call) -> Leg:
        if sip is not None and call.form is FlowForm.SIP:
            return SipLeg(sip, lease, head, call)
        return KvsLeg(services, lease, head, call)

    at_hand = Facilities(
        store=store,
        clock=clock,
        connector=WebSocketConnector(settings.deepgram_url, key),
        invoker=invoker,
        open_leg=open_leg,
        definitions=definitions,
        queue_arns=settings.queue_arns,
        random=random.random,
        secrets=secret_values(definitions),
        announcer=announcer(settings),
        shelf=shelf(settings),
        lines=endpoint or NoLines(),
        record=_recorder(settings, services, sip),
    )
    return at_hand, endpoint


def _reached(sip: SipSettings, settings: Settings) -> SipSettings:
    """With the address that peers reach this task by; blocks. Raises NoPublicAddress."""
    if sip.public_address != TASK:
        return sip
    return replace(sip, public_address=public_address(settings.ecs_metadata_uri))


def certificate(settings: Settings) -> Certificate | None:
    """What SIP over TLS shows, not read yet; None where there is no TLS."""
    if settings.sip is None or not settings.sip.tls_secret:
        return None
    return Certificate(boto3.client("secretsmanager", config=config()), settings.sip.tls_secret)


def _recorder(settings: Settings, services: KvsServices, sip: SipServices | None) -> Recorder | None:
    if settings.recordings is None:
        return None
    log.warning("calls_are_recorded", folder=str(settings.recordings))  # they hold what is said
    return Recorder(settings.recordings, settings.release, services, time.monotonic_ns, sip=sip)
