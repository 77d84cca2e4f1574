"""The alarms and the dashboard of one deployment."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.deployment.settings import Deployment
from infra.flow_functions.flow_functions import FlowFunctions
from infra.monitoring.alarms import MINUTE, Alarms
from infra.monitoring.metrics import CALLS, LOOP_LAG, NAMESPACE, calls_per_task, own
from infra.state.wakeups import WakeupQueue


class Monitoring(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        functions: FlowFunctions,
        wakeups: WakeupQueue,
        gateway_log: logs.LogGroup,
        key: kms.Key,
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._flow = {name: function.alias for name, function in functions.functions.items()}
        self._wakeups = wakeups
        self._alarms = Alarms(self, "Alarms", name=deployment.name, email=deployment.alarm_email, key=key)
        self._broken = self._count_of(gateway_log, "call_broke", "CallsBroken")
        self._lambda_alarms()
        self._gateway_alarms()
        self._dashboard()

    def _count_of(self, log: logs.LogGroup, event: str, name: str) -> cloudwatch.Metric:
        """How often a line of the gateway's log has this event. The metric's name carries the deployment's."""
        metric = f"{name}-{self._deployment.name}"
        logs.MetricFilter(
            self,
            name,
            log_group=log,
            filter_pattern=logs.FilterPattern.string_value("$.event", "=", event),
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
                runbook=f"{name} failed: callers go to the queue. Read its log; roll back what was deployed last.",
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

    def _dashboard(self) -> None:
        name = self._deployment.name
        graph, flow = cloudwatch.GraphWidget, self._flow
        next_action: list[lambda_.IFunction] = [flow["next_action_wait"], flow["next_action_poll"]]
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            widgets=[
                [
                    graph(title="Live calls", left=[own(CALLS, name, "Sum"), own(CALLS, name, "Maximum")], width=8),
                    graph(title="Calls begun", left=[flow["start_call"].metric_invocations(period=MINUTE)], width=8),
                    cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self._alarms.alarms, width=8),
                ],
                [
                    graph(title="Loop lag, ms", left=[own(LOOP_LAG, name, "Maximum")], width=8),
                    graph(
                        title="Lambda errors",
                        left=[each.metric_errors(period=MINUTE) for each in flow.values()],
                        width=8,
                    ),
                    graph(
                        title="next_action, duration",
                        left=[each.metric_duration(period=MINUTE, statistic="p95") for each in next_action],
                        width=8,
                    ),
                ],
            ],
        )
