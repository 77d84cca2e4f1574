"""Two dashboards: one for whoever owns the phone line, one for whoever keeps it running.

Numbers come from metrics where there are some, and from the gateway's log where one for each reason, queue or code is
wanted: a metric with such a dimension would grow with whatever callers and services come up with.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.deployment.settings import Deployment
from infra.monitoring.metrics import CALLS, LOOP_LAG, NAMESPACE, own

WIDTH = 8
_HEIGHT = 6
_PERIOD = Duration.minutes(5)
_View = cloudwatch.LogQueryVisualizationType


class Dashboards(Construct):
    """`flow` are the Lambdas of the flow by name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        instance_id: str,
        flow: dict[str, lambda_.IFunction],
        gateway_log: logs.LogGroup,
        event_log: logs.LogGroup,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._name = deployment.name
        self._flow = flow
        self._log = gateway_log.log_group_name
        self._event_log = event_log.log_group_name
        self._instance_id = instance_id
        # The names of dashboards are of the whole account (CloudWatch API, PutDashboard): the same deployment may be in
        # two regions.
        owner, operator = (f"{self._name}{part}-{deployment.region}" for part in ("", "-operator"))
        cloudwatch.Dashboard(self, "Owner", dashboard_name=owner, widgets=self._owner())
        cloudwatch.Dashboard(self, "Operator", dashboard_name=operator, widgets=self._operator(list(alarms)))

    def _owner(self) -> list[list[cloudwatch.IWidget]]:
        """How many called, how they were served, and where they ended."""
        over, handed = '"call_over"', 'event = "call_over" and result = "transferred"'
        return [
            [
                self._graph("Calls begun", [self._flow["start_call"].metric_invocations(period=_PERIOD)]),
                self._asked(
                    "Answered by the voice agent", 'event = "call_taken" and resumed = 0', "count(*)", "bin(5m)"
                ),
                self._graph("Live calls", [own(CALLS, self._name, "Sum")]),
            ],
            [
                self._asked("How calls ended", f"event = {over}", "count(*) as calls", "result", _View.PIE),
                self._asked("To whom, and why", handed, "count(*) as calls", "queue, reason", _View.TABLE),
                self._asked("Callers by agent", f"event = {over}", "count(*) as calls", "agent", _View.PIE),
            ],
            [
                self._asked(
                    "First word, ms after the call began",
                    f"event = {over} and first_word_ms > 0",
                    "pct(first_word_ms, 50) as half, pct(first_word_ms, 95) as most",
                    "bin(1h)",
                ),
                self._asked("Turns of a call", f"event = {over}", "avg(turns) as turns", "bin(1h)"),
                self._asked(
                    "Turns by agent", f"event = {over}", "avg(turns) as turns, count(*) as calls", "agent", _View.TABLE
                ),
            ],
            [
                self._asked(
                    "Callbacks that were made",
                    'event = "callback_over"',
                    "count(*) as callbacks",
                    "answered",
                    _View.PIE,
                    self._event_log,
                ),
                self._asked("Callbacks by day", 'event = "callback_over"', "count(*)", "bin(1d)", log=self._event_log),
                self._graph(
                    "Callbacks that could not be dialled", [self._connect("CallBackNotDialableNumber", "ContactFlow")]
                ),
            ],
        ]

    def _operator(self, alarms: list[cloudwatch.IAlarm]) -> list[list[cloudwatch.IWidget]]:
        """Load, the way of the audio, Deepgram, functions and Lambdas."""
        capacity, sessions = self._deployment.capacity, self._deployment.deepgram.sessions
        flow = list(self._flow.values())
        limits = f"SEARCH('{{{NAMESPACE},Deployment}} Deployment=\"{self._name}\" MetricName=\"Limit\"', 'Sum', 300)"
        reached = cloudwatch.MathExpression(expression=limits, using_metrics={}, label="", period=_PERIOD)
        calls = [own(CALLS, self._name, "Average"), own(CALLS, self._name, "Maximum")]
        return [
            [
                cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=WIDTH, height=_HEIGHT),
                self._graph("Live calls of a task", calls, capacity.calls_per_task),
                self._graph("Sessions of Deepgram", [own(CALLS, self._name, "Sum")], sessions),
            ],
            [
                self._graph("Loop lag, ms", [own(LOOP_LAG, self._name, "Maximum")], 20),
                self._times("Time to take a call, ms", "call_taken", "waited_ms"),
                self._graph(
                    "Calls of the instance",
                    [self._connect(each, "VoiceCalls") for each in ("ConcurrentCalls", "ThrottledCalls")],
                ),
            ],
            [
                self._times("Age of the caller's audio, ms", "call_over", "kvs_delay_ms_p50"),
                self._times("Longest backlog of a call, ms", "call_over", "backlog_ms_max"),
                self._asked("Streams opened again", 'event = "getmedia_reopen"', "count(*)", "cause", _View.TABLE),
            ],
            [
                self._asked("Lost sessions by code", 'event = "voice_agent_lost"', "count(*)", "code", _View.TABLE),
                self._asked(
                    "Functions that failed", 'event = "function_failed"', "count(*)", "function, kind", _View.TABLE
                ),
                self._asked("Errors of the gateway", 'level = "error"', "count(*)", "event", _View.TABLE),
            ],
            [
                self._graph(
                    "Lambda duration, ms, p95", [each.metric_duration(period=_PERIOD, statistic="p95") for each in flow]
                ),
                self._graph("Lambda errors", [each.metric_errors(period=_PERIOD) for each in flow]),
                self._graph("Lambda throttles", [each.metric_throttles(period=_PERIOD) for each in flow]),
            ],
            [self._graph("Limits that were reached", [reached])],
        ]

    def _graph(
        self, title: str, left: Sequence[cloudwatch.IMetric], limit: float | None = None
    ) -> cloudwatch.GraphWidget:
        marks = [cloudwatch.HorizontalAnnotation(value=limit, label="limit")] if limit is not None else None
        return cloudwatch.GraphWidget(title=title, left=list(left), left_annotations=marks, width=WIDTH, height=_HEIGHT)

    def _times(self, title: str, event: str, field: str) -> cloudwatch.LogQueryWidget:
        stats = f"pct({field}, 50) as half, pct({field}, 95) as most"
        return self._asked(title, f'event = "{event}"', stats, "bin(5m)")

    def _asked(
        self,
        title: str,
        condition: str,
        stats: str,
        by: str,
        view: cloudwatch.LogQueryVisualizationType = _View.LINE,
        log: str = "",
    ) -> cloudwatch.LogQueryWidget:
        """A question to a log, the gateway's without another one, in the language of CloudWatch Logs Insights."""
        lines = [f"filter {condition}", f"stats {stats} by {by}"]
        return cloudwatch.LogQueryWidget(
            title=title, log_group_names=[log or self._log], query_lines=lines, view=view, width=WIDTH, height=_HEIGHT
        )

    def _connect(self, name: str, group: str) -> cloudwatch.Metric:
        """A metric of Connect (administrator guide, monitoring your instance using CloudWatch)."""
        dimensions = {"InstanceId": self._instance_id, "MetricGroup": group}
        return cloudwatch.Metric(
            namespace="AWS/Connect", metric_name=name, dimensions_map=dimensions, statistic="Maximum", period=_PERIOD
        )
