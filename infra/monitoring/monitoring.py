"""The alarms and the dashboards of one deployment."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment.settings import Deployment
from infra.flow_functions.flow_functions import BY_MAIN_FLOWS, FlowFunctions
from infra.gateway.gateway import Gateway
from infra.monitoring.alarms import MINUTE, Alarms
from infra.monitoring.dashboards import Dashboards
from infra.monitoring.metrics import CALLS, LOOP_LAG, NAMESPACE, calls_per_task, own
from infra.state.wakeups import WakeupQueue

_FAILED = {
    "secret_keys": "secret_keys failed: keys typed in secret did not reach their function, or nobody knows. Read its "
    "log, and the function's before anybody tries a payment again; roll back what was deployed last.",
}


class Monitoring(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        functions: FlowFunctions,
        secret_keys: lambda_.IFunction | None,
        wakeups: WakeupQueue,
        gateway: Gateway,
        instance_id: str,
        key: kms.Key,
        undelivered: Mapping[str, sqs.IQueue],
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._flow: dict[str, lambda_.IFunction] = {
            name: function.alias for name, function in functions.functions.items()
        }
        if secret_keys is not None:
            self._flow["secret_keys"] = secret_keys
        self._wakeups, self._gateway = wakeups, gateway
        gateway_log = gateway.task.log
        self._alarms = Alarms(self, "Alarms", name=deployment.name, email=deployment.alarm_email, key=key)
        self._broken = self._count_of(gateway_log, "call_broke", "CallsBroken")
        self._unconfigured = self._count_of(gateway_log, "unconfigured", "Unconfigured")
        self._lost = self._count_of(gateway_log, "voice_agent_lost", "SessionsLost")
        self._turned_away = self._count_of_nobody(functions)
        self._lambda_alarms()
        self._gateway_alarms()
        self._subscriber_alarms(undelivered)
        Dashboards(
            self,
            "Dashboards",
            deployment=deployment,
            instance_id=instance_id,
            flow=self._flow,
            gateway_log=gateway_log,
            event_log=functions.functions["contact_event"].log,
            alarms=self._alarms.alarms,
        )

    def _subscriber_alarms(self, undelivered: Mapping[str, sqs.IQueue]) -> None:
        for name, queue in undelivered.items():
            self._alarms.add(
                f"{name}-undelivered",
                queue.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
                above=0,
                minutes=1,
                runbook=f"{name} could not do its work for a call. Its log says why; the events are in its queue.",
            )

    def _count_of(self, log: logs.LogGroup, event: str, name: str) -> cloudwatch.Metric:
        """How often a line of the gateway's log has this event."""
        return self._count(name, log, "$.event", event, name)

    def _count_of_nobody(self, functions: FlowFunctions) -> cloudwatch.Metric:
        """How many callers went to the queue as no gateway was there: start_call knows it at once where the table says
        so, and next_action after it has waited."""
        counted = [
            self._count(f"NoGateway-{name}", functions.functions[name].log, "$.reason", "no_gateway", "NoGateway")
            for name in BY_MAIN_FLOWS
        ]
        return counted[0]  # they count into one

    def _count(self, construct_id: str, log: logs.LogGroup, key: str, value: str, name: str) -> cloudwatch.Metric:
        """How many lines of a log have this value. The metric's name carries the deployment's."""
        metric = f"{name}-{self._deployment.name}"
        logs.MetricFilter(
            self,
            construct_id,
            log_group=log,
            filter_pattern=logs.FilterPattern.string_value(key, "=", value),
            metric_namespace=NAMESPACE,
            metric_name=metric,
        )
        return cloudwatch.Metric(namespace=NAMESPACE, metric_name=metric, statistic="Sum", period=MINUTE)

    def _lambda_alarms(self) -> None:
        for name, function in self._flow.items():
            self._alarms.add(
                f"{name}-errors",
                function.metric_errors(period=MINUTE),
                above=0,
                minutes=1,
                runbook=_FAILED.get(
                    name, f"{name} failed: callers go to the queue. Read its log; roll back what was deployed last."
                ),
            )
            self._alarms.add(
                f"{name}-throttles",
                function.metric_throttles(period=MINUTE),
                above=0,
                minutes=1,
                runbook=f"{name} was throttled: more calls than reserved. Raise capacity or the account's limit.",
            )

    def _gateway_alarms(self) -> None:
        full = self._deployment.capacity.calls_per_task
        self._alarms.add(
            "no-gateway",
            self._wakeups.queue.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            above=30,
            minutes=2,
            runbook="Nobody takes calls, they go to the queue. Look at the service's events and the gateway's log.",
        )
        self._alarms.add_silence(
            "gateways-silent",
            own(CALLS, self._deployment.name, "Sum"),
            minutes=3,
            runbook="No gateway runs: callers go to the queue at once. Look at the service's events and its log.",
            after=self._gateway.service.service,
        )
        self._alarms.add(
            "turned-away",
            self._turned_away,
            above=0,
            minutes=1,
            runbook="Callers went to the queue as no gateway took them. Look at the service's events and its log.",
        )
        self._alarms.add(
            "unanswered",
            self._wakeups.unanswered.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
            above=0,
            minutes=1,
            runbook="Wake-ups were received five times and never taken. Look for take errors in the gateway's log.",
        )
        self._alarms.add(
            "nearly-full",
            calls_per_task(self._deployment.name),
            above=0.85 * full,
            minutes=5,
            runbook="Tasks are nearly full and scaling does not help. Raise capacity.tasks.most.",
        )
        self._alarms.add(
            "calls-broken",
            self._broken,
            above=0,
            minutes=1,
            runbook="An error of ours ended a call at the queue. The log line call_broke has the traceback.",
        )
        self._alarms.add(
            "unconfigured",
            self._unconfigured,
            above=0,
            minutes=1,
            runbook="The gateway has no key of Deepgram: every caller goes to the queue. Put the key into the secret.",
        )
        self._alarms.add(
            "sessions-lost",
            self._lost,
            above=max(5, 0.1 * self._deployment.calls),
            minutes=3,
            runbook="Deepgram's sessions break in many calls. Look at the codes on the operator's dashboard, and at "
            "status.deepgram.com; close the hours of the switch to send callers to the queue meanwhile.",
        )
        self._alarms.add(
            "loop-lag",
            own(LOOP_LAG, self._deployment.name, "Maximum"),
            above=50,
            minutes=5,
            runbook="A task is too busy to be on time: callers hear gaps. Lower capacity.calls_per_task or raise cpu.",
        )
