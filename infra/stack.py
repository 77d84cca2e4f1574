"""One deployment, put together."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Annotations, CfnOutput, Environment, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from definition import AgentDefinition
from definition.spoken import MISSING, Files, personas, spoken
from flows.parameters import FlowLogging, FlowParameters, QueueParameters, SipTransfer
from infra.assets.staging import Staging
from infra.contact_centre.access import FlowAccess
from infra.contact_centre.events import ContactEvents
from infra.contact_centre.flows import Flows, Guide, QueueFlow
from infra.contact_centre.instance import ContactCentre
from infra.contact_centre.number import NumberAttachment
from infra.contact_centre.prompts import Prompts
from infra.contact_centre.queues import Queues
from infra.contact_centre.simulated_calls import SimulatedCalls
from infra.contact_centre.streaming import StreamingStorage
from infra.deployment.agents import callables, lambdas_of, load_agents, priorities, receivers
from infra.deployment.settings import INSTANCES_OWN, Cases, Deployment, Sip, Through
from infra.flow_functions.agent_functions import AgentFunctions
from infra.flow_functions.concurrency import reservations
from infra.flow_functions.flow_functions import BY_FLOW, FlowFunctions
from infra.flow_functions.layer import PowertoolsLayer
from infra.flow_functions.secret_keys import SecretKeys
from infra.gateway.gateway import Gateway
from infra.monitoring.monitoring import Monitoring
from infra.sip.edge import SipEdge
from infra.sip.telephony import Telephony
from infra.state.clips import ClipBucket
from infra.state.records import RecordBucket
from infra.state.secret import DeepgramSecret
from infra.state.table import OWNER, CallTable
from infra.state.wakeups import WakeupQueue
from infra.subscribers.subscribers import SubscriberSet

_FULL_LOGGING = (
    "flow_logging: full writes what callers say and type into Connect's flow log, which Connect keeps for ever: for "
    "tests with your own voice. Set it to minimal before the first real caller"
)


class VoiceAgentStack(Stack):
    """Everything of one deployment. The environment has a region and no account: with both, the network would ask
    the account for its zones, and nothing could be synthesised without credentials.

    Raises:
        DefinitionError: an agent definition is wrong, or names what the deployment does not have.
        TooMuchConcurrency: the Lambdas would reserve more than the account has.
        InvalidFlow: Connect would refuse a flow.
    """

    def __init__(self, scope: Construct, deployment: Deployment, *, root: Path, staged: Path) -> None:
        super().__init__(
            scope,
            deployment.name,
            env=Environment(region=deployment.region),
            description="A Deepgram voice agent on an Amazon Connect phone number",
        )
        self.deployment = deployment
        self.staging = Staging(root, staged)
        self.definitions = load_agents(deployment, root)
        self.spoken = spoken(personas(self.definitions.values()), Files(root / "languages"), deployment.voice)
        for language in self.spoken.missing:
            Annotations.of(self).add_info(f"There is no languages/{language}.yaml; {MISSING}")
        if deployment.flow_logging is FlowLogging.FULL:
            Annotations.of(self).add_warning_v2("voice-agent:flow-logging", _FULL_LOGGING)
        lambdas = lambdas_of(deployment, self.definitions)
        called = {function.name for function in callables(self.definitions)}
        reserved = reservations(deployment, lambdas)

        self.key = kms.Key(
            self,
            "Key",
            description=f"{deployment.name}: records, secret and alarms",
            enable_key_rotation=True,
            # With the bucket of records, which nobody could read without it; neither stays of a deploy that failed.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self.centre = ContactCentre(self, "ContactCentre", settings=deployment.instance)
        self.queues = Queues(self, "Queues", deployment=deployment, instance_arn=self.centre.arn)
        self.calls = CallTable(self, "Calls", key=self.key)
        self.wakeups = WakeupQueue(self, "Wakeups")
        self.clips = ClipBucket(self, "Clips", instance_arn=self.centre.arn)
        self.records = RecordBucket(self, "Records", key=self.key)
        secret = deployment.deepgram.secret or f"{deployment.name}/deepgram"
        self.secret = DeepgramSecret(self, "Deepgram", name=secret, key=self.key)
        PowertoolsLayer(self, packages=self.staging.layer())
        code = self.staging.flow_lambdas()
        self.streaming = self._streaming(code)
        self.flow_functions = FlowFunctions(
            self,
            "Flow",
            deployment=deployment,
            code=code,
            reserved=reserved,
            calls=self.calls,
            wakeups=self.wakeups,
            default_queue_arn=self.queues.arns[deployment.default_queue],
            instance_arn=self.centre.arn,
            records=self.records,
            clips=self.clips,
            keep_days={name: definition.keep_days for name, definition in self.definitions.items()},
            spoken=self.spoken,
        )
        self.agent_functions = AgentFunctions(
            self,
            "Functions",
            deployment=deployment,
            staging=self.staging,
            lambdas=lambdas,
            called=called,
            reserved=reserved,
        )
        self.secret_keys = self._secret_keys(code)
        self.gateway = self._gateway(self.definitions)
        if deployment.sip is not None:
            self._sip(deployment.sip, code)
        self.flows = self._flows()
        ContactEvents(
            self,
            "ContactEvents",
            instance_arn=self.centre.arn,
            contact_event=self.flow_functions.functions["contact_event"].alias,
        )
        if deployment.phone_number is not None:
            NumberAttachment(
                self,
                "Number",
                number=deployment.phone_number,
                instance_arn=self.centre.arn,
                flow_arn=self.flows.arns[deployment.phone_number.form],
                log_days=deployment.retention.logs_days,
            )
        subscribers = SubscriberSet(
            self,
            "Subscribers",
            deployment=deployment,
            code=code,
            records=self.records,
            instance_arn=self.centre.arn,
        )
        Monitoring(
            self,
            "Monitoring",
            deployment=deployment,
            functions=self.flow_functions,
            secret_keys=self.secret_keys.function.alias if self.secret_keys else None,
            wakeups=self.wakeups,
            gateway=self.gateway,
            instance_id=self.centre.id,
            key=self.key,
            undelivered=subscribers.undelivered,
        )
        self._outputs()

    def _streaming(self, code: Path) -> StreamingStorage | None:
        if not self.deployment.instance.streaming.create:
            return None
        return StreamingStorage(
            self,
            "Streaming",
            streaming=self.deployment.instance.streaming,
            instance_arn=self.centre.arn,
            code=code,
            log_days=self.deployment.retention.logs_days,
        )

    def _secret_keys(self, code: Path) -> SecretKeys | None:
        """Only where an agent asks for key presses that one of its functions is to get."""
        arns = {name: self.agent_functions.arns[name] for name in sorted(receivers(self.definitions))}
        if not arns:
            return None
        return SecretKeys(
            self,
            "SecretKeys",
            code=code,
            environment=self.flow_functions.environment,
            receivers=arns,
            calls=self.calls,
            log_days=self.deployment.retention.logs_days,
        )

    def _gateway(self, definitions: dict[str, AgentDefinition]) -> Gateway:
        arns = self.agent_functions.arns
        gateway = Gateway(
            self,
            "Gateway",
            deployment=self.deployment,
            context=self.staging.gateway(self.deployment.agents, {each.folder for each in callables(definitions)}),
            environment={
                "TABLE_NAME": self.calls.table.table_name,
                "WAKEUP_QUEUE_URL": self.wakeups.queue.queue_url,
                "CLIP_BUCKET": self.clips.bucket.bucket_name,
                "QUEUE_ARNS": self.to_json_string(self.queues.arns),
                "FUNCTION_ARNS": self.to_json_string(arns),
                "DEEPGRAM_SECRET_ARN": self.secret.arn,
                "CONNECT_INSTANCE_ID": self.centre.id,
                "RECORD_BUCKET": self.records.bucket.bucket_name,
            },
        )
        role = gateway.task.role
        self.calls.grant(role, *OWNER, index=True)
        self.clips.grant_speech(role)
        self.records.grant_keep(role)
        self.secret.grant_read(role)
        gateway.permissions.media(self.deployment.instance.streaming)
        gateway.permissions.contacts(self.centre.arn)
        gateway.permissions.wakeups(self.wakeups.queue.queue_arn)
        gateway.permissions.functions(list(arns.values()))
        secrets = {name for definition in definitions.values() for name in definition.secrets}
        gateway.permissions.secrets(sorted(secrets))
        gateway.permissions.kms_keys(self.deployment.kms_keys)
        return gateway

    def _sip(self, sip: Sip, code: Path) -> None:
        edge = SipEdge(self, "Sip", sip=sip, gateway=self.gateway)
        self.calls.grant(self.gateway.task.role, "dynamodb:DeleteItem")
        self.clips.grant_openings(self.gateway.task.role)
        if sip.tls_secret:
            self.gateway.permissions.secret(sip.tls_secret)
        if sip.through is not Through.TRUNK:
            days = self.deployment.retention.logs_days
            Telephony(self, "Telephony", name=self.deployment.name, sip=sip, edge=edge, code=code, log_days=days)

    def _flows(self) -> Flows:
        by_flow = {name: self.flow_functions.functions[name] for name in BY_FLOW}
        if self.secret_keys is not None:
            by_flow["secret_keys"] = self.secret_keys.function
        access = FlowAccess(self, "FlowAccess", functions=by_flow, instance_arn=self.centre.arn)
        prompts = Prompts(
            self,
            "Prompts",
            name=self.deployment.name,
            instance_arn=self.centre.arn,
            folder=self.staging.target / "sounds",
        )
        parameters = FlowParameters(
            start_call_arn=by_flow["start_call"].alias.function_arn,
            next_action_wait_arn=by_flow["next_action_wait"].alias.function_arn,
            next_action_poll_arn=by_flow["next_action_poll"].alias.function_arn,
            secret_keys_arn=by_flow["secret_keys"].alias.function_arn if "secret_keys" in by_flow else "",
            default_agent=self.deployment.default_agent,
            default_queue_arn=self.queues.arns[self.deployment.default_queue],
            default_queue_name=self.deployment.default_queue,
            switch_hours_arn=self.queues.switch_arn,
            silence_prompt_arn=prompts.arns["silence"],
            short_silence_prompt_arn=prompts.arns["short-silence"],
            customer_queue_flow_arn=self._queue_flow(prompts, access),
            guide_flow_arn=self._guide(),
            queue_hours_arn=by_flow["queue_hours"].alias.function_arn,
            priorities=priorities(self.definitions.values()),
            flow_logging=self.deployment.flow_logging,
            languages=self.spoken.languages,
            spoken_with=self.spoken.by_tag,
            spoken_by=self.spoken.by_agent,
            return_flow_arn=self.deployment.return_flow,
            sip=self.deployment.sip.transfer if self.deployment.sip else SipTransfer(),
        )
        after = [*access.associations, *([self.streaming.resource] if self.streaming else [])]
        flows = Flows(
            self,
            "Flows",
            name=self.deployment.name,
            instance_arn=self.centre.arn,
            parameters=parameters,
            after=after,
            forms=("polling", "interruptible", *(("sip",) if self.deployment.sip else ())),
        )
        if self.deployment.test_cases is not Cases.NONE:
            SimulatedCalls(
                self,
                "SimulatedCalls",
                name=self.deployment.name,
                instance_arn=self.centre.arn,
                flows=flows.arns,
                parameters=parameters,
                status=self.deployment.test_cases,
            )
        return flows

    def _guide(self) -> str:
        """The ARN of the flow that shows humans the handover; "" where the deployment leaves their workspace alone."""
        if not self.deployment.instance.guide:
            return ""
        return Guide(self, "Guide", name=self.deployment.name, instance_arn=self.centre.arn).flow_arn

    def _queue_flow(self, prompts: Prompts, access: FlowAccess) -> str:
        """The ARN of what callers hear while they wait; "" for what the instance plays by itself."""
        given = self.deployment.instance.customer_queue_flow
        if given:
            return "" if given == INSTANCES_OWN else given
        function = self.flow_functions.functions["queue_position"]
        parameters = QueueParameters(
            music_prompt_arn=prompts.arns["music"],
            position_arn=function.alias.function_arn,
            languages=self.spoken.languages,
        )
        return QueueFlow(
            self,
            "QueueFlow",
            name=self.deployment.name,
            instance_arn=self.centre.arn,
            parameters=parameters,
            after=access.associations,
        ).arn

    def _outputs(self) -> None:
        """What somebody needs next."""
        for form, arn in self.flows.arns.items():
            CfnOutput(self, f"Flow{form.title()}", value=arn, description=f"Assign a phone number to it ({form})")
        CfnOutput(self, "DeepgramSecret", value=self.secret.arn, description="Put the API key of Deepgram into it")
        CfnOutput(
            self, "RecordBucket", value=self.records.bucket.bucket_name, description="What was said, until it expires"
        )
        CfnOutput(
            self, "RecordKey", value=self.key.key_id, description="Encrypts the records; stays as long as they do"
        )
        CfnOutput(self, "ConnectInstance", value=self.centre.arn)
        CfnOutput(self, "GatewayLog", value=self.gateway.task.log.log_group_name)
