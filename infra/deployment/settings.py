"""What differs between deployments. Everything here has passed the reader's checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flows.parameters import FlowLogging, SipTransfer, Voice

DEEPGRAM_URLS = {
    "global": "wss://agent.deepgram.com/v1/agent/converse",
    "eu": "wss://api.eu.deepgram.com/v1/agent/converse",
    "au": "wss://api.au.deepgram.com/v1/agent/converse",
    "in": "wss://api.in.deepgram.com/v1/agent/converse",
}


INSTANCES_OWN = "instance"  # what callers hear while they wait: whatever the instance plays by itself


class Egress(StrEnum):
    """How the gateway reaches the internet; nothing reaches the gateway either way."""

    NAT = "nat"  # private subnets and a NAT gateway in each zone
    PUBLIC = "public"  # public subnets and public addresses: no NAT gateway to pay for


class Cases(StrEnum):
    """Connect's own test cases of the flows: the service checks published ones, and refuses a deployment by them."""

    NONE = "none"
    SAVED = "saved"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Streaming:
    """Live media streaming of the instance. There is one configuration for an instance, whoever made it.

    `create` makes it if there is none; otherwise it is there already, and `prefix` and `key_arn` say how it was made.
    An empty `key_arn` is the AWS managed key of Kinesis Video Streams. `remove`: it goes with the deployment, if the
    deployment made it.
    """

    prefix: str
    create: bool = True
    remove: bool = False
    retention_hours: int = 24
    key_arn: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """An empty `arn` asks for a new instance, named `alias`. `customer_queue_flow` is an ARN, INSTANCES_OWN for what
    the instance plays by itself, or empty for the flow of this deployment. `guide`: humans see the handover in a
    step-by-step guide."""

    streaming: Streaming
    arn: str = ""
    alias: str = ""
    customer_queue_flow: str = ""
    guide: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """Open from `start` to `end`, in minutes since midnight; an `end` of 0 is midnight, 0 to 0 the whole day."""

    day: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of operation to create; `week` may have several entries for a day."""

    time_zone: str
    week: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that exists (`arn`), or one to create with the hours of that name."""

    arn: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number of the instance, by id or ARN. Removing the deployment gives it back to `return_flow`, if any."""

    number: str
    form: str = "polling"
    return_flow: str = ""


@dataclass(frozen=True, slots=True)
class Deepgram:
    """`secret` is the name of the secret to create, or the ARN of one that exists."""

    endpoint: str = "global"
    sessions: int = 50
    secret: str = ""

    @property
    def url(self) -> str:
        return DEEPGRAM_URLS[self.endpoint]


@dataclass(frozen=True, slots=True)
class Capacity:
    """`cpu` in units of 1/1024 vCPU, `memory_mib` of each task."""

    tasks_min: int = 2
    tasks_max: int = 4
    calls_per_task: int = 40
    zones: int = 2
    egress: Egress = Egress.NAT
    cpu: int = 1024
    memory_mib: int = 2048


@dataclass(frozen=True, slots=True)
class ExistingNetwork:
    """A VPC that is there already, by id, and the subnets that tasks go into: private ones with a way out, or public
    ones with `egress: public`. Nothing in it is changed; only the tasks' security group is made there."""

    vpc: str
    subnets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lambdas:
    """`account_concurrency` is the account's limit of concurrent executions in the region."""

    reserve: bool = True
    account_concurrency: int = 1000


@dataclass(frozen=True, slots=True)
class Retention:
    records_hours: int = 24
    logs_days: int = 30


class Through(StrEnum):
    """What the deployment makes between the number that the flow dials and the gateway."""

    TRUNK = "trunk"  # nothing: somebody's SIP trunk or connector leads the number to the gateway
    VOICE_CONNECTOR = "voice_connector"  # of Amazon Chime SDK, with its route, and the number led to it
    MEDIA_APPLICATION = "media_application"  # the same, and a SIP media application that puts the code into a header


@dataclass(frozen=True, slots=True)
class Sip:
    """The third flow: calls that are transferred to the gateway. `networks` may send SIP and RTP. With a connector
    the flow names it, else it dials `number` (E.164) and types a code.

    With a `tls_secret` (name or ARN: private key and certificate chain in PEM) SIP comes by TLS only, to `tls_host`,
    which the certificate names and which somebody's DNS leads to the load balancer.
    """

    networks: tuple[str, ...]
    connector_arn: str = ""
    number: str = ""
    caller_id_name: str = ""
    through: Through = Through.TRUNK
    tls_host: str = ""
    tls_secret: str = ""

    @property
    def transfer(self) -> SipTransfer:
        """What the flow needs to know."""
        return SipTransfer(self.connector_arn, caller_id_name=self.caller_id_name)

    @property
    def port(self) -> int:
        """Where SIP comes in."""
        return 5061 if self.tls_secret else 5060


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Of the events of calls. `ticket_token` is the name or the ARN of the secret with the API's token; `task_flow`
    the ARN of the flow that routes tasks. Empty: none of that kind."""

    ticket_url: str = ""
    ticket_token: str = ""
    task_flow: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: one stack, one gateway service, and its part of one Connect instance."""

    name: str
    region: str
    instance: Instance
    queues: Mapping[str, Queue]
    agents: tuple[str, ...]
    default_agent: str
    default_queue: str
    hours: Mapping[str, Hours] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    phone_number: PhoneNumber | None = None
    deepgram: Deepgram = field(default_factory=Deepgram)
    capacity: Capacity = field(default_factory=Capacity)
    lambdas: Lambdas = field(default_factory=Lambdas)
    retention: Retention = field(default_factory=Retention)
    flow_logging: FlowLogging = FlowLogging.MINIMAL
    voice: Voice = field(default_factory=Voice)
    alarm_email: str = ""
    test_cases: Cases = Cases.SAVED
    sip: Sip | None = None
    return_flow: str = ""  # the ARN of the flow that gets callers back where ours would close the line
    network: ExistingNetwork | None = None
    subscribers: Subscribers = field(default_factory=Subscribers)
    kms_keys: tuple[str, ...] = ()  # ARNs of the customer's own keys that encrypt secrets which the deployment reads

    @property
    def calls(self) -> int:
        """How many calls may be live at once: what Deepgram and the largest number of tasks both allow."""
        return min(self.deepgram.sessions, self.capacity.tasks_max * self.capacity.calls_per_task)

    def share(self, of_calls: float, least: int = 2) -> int:
        """A number that grows with the live calls."""
        return max(least, math.ceil(self.calls * of_calls))
