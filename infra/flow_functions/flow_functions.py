"""The Lambdas that the flows invoke, by name in BY_FLOW, and contact_event, which Connect's events invoke."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from constructs import Construct

from definition.spoken import Spoken
from infra.deployment.settings import Deployment
from infra.flow_functions.python_function import PythonFunction
from infra.reasons import allow
from infra.state.clips import ClipBucket
from infra.state.records import RecordBucket
from infra.state.table import EVENT, NEXT, START, CallTable
from infra.state.wakeups import WakeupQueue

# Seconds: the flow gives a synchronous Lambda 8 s and our asynchronous one 24 s (LAMBDA_LIMIT_S).
TIMEOUTS = {"start_call": 8, "next_action_wait": 35, "next_action_poll": 8, "contact_event": 15}
TIMEOUTS |= {"queue_position": 3, "queue_hours": 3}
HANDLERS = {
    "start_call": "lambdas.start_call.handler.handler",
    "next_action_wait": "lambdas.next_action.handler.wait",
    "next_action_poll": "lambdas.next_action.handler.poll",
    "contact_event": "lambdas.contact_event.handler.handler",
    "queue_position": "lambdas.queue_position.handler.handler",
    "queue_hours": "lambdas.queue_hours.handler.handler",
}
BY_MAIN_FLOWS = ("start_call", "next_action_wait", "next_action_poll")
BY_FLOW = (*BY_MAIN_FLOWS, "queue_position", "queue_hours")  # the last two ask Connect, and know of no call


class FlowFunctions(Construct):
    """`functions` by name; those of BY_FLOW are invoked by the flows. `environment`: by what they find the call."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        code: Path,
        reserved: Mapping[str, int],
        calls: CallTable,
        wakeups: WakeupQueue,
        default_queue_arn: str,
        instance_arn: str,
        records: RecordBucket,
        clips: ClipBucket,
        keep_days: Mapping[str, int],
        spoken: Spoken,
    ) -> None:
        super().__init__(scope, construct_id)
        environment = self.environment = {
            "TABLE_NAME": calls.table.table_name,
            "WAKEUP_QUEUE_URL": wakeups.queue.queue_url,
            "DEFAULT_QUEUE": deployment.default_queue,
            "DEFAULT_QUEUE_ARN": default_queue_arn,
            "MAX_CALLS": str(deployment.calls),
            "RECORDS_HOURS": str(deployment.retention.records_hours),
            "RECORD_BUCKET": records.bucket.bucket_name,
            "CLIP_BUCKET": clips.bucket.bucket_name,
            "KEEP_DAYS": json.dumps(dict(keep_days)),
        }
        if deployment.sip is not None:
            environment |= {"SIP": "on", "SIP_NUMBER": deployment.sip.number}
        if len(spoken.languages) > 1:
            environment |= {"LANGUAGES": json.dumps(dict(spoken.by_tag))}
        times = json.dumps(dict(spoken.times), ensure_ascii=False, separators=(",", ":"))
        environments = {"queue_position": {}, "queue_hours": {"TIMES": times}}
        self.functions = {
            name: PythonFunction(
                self,
                name,
                code=code,
                handler=handler,
                timeout_s=TIMEOUTS[name],
                log_days=deployment.retention.logs_days,
                environment=environments.get(name, environment),
                reserved=reserved.get(name),
            )
            for name, handler in HANDLERS.items()
        }
        for name in BY_MAIN_FLOWS:
            role = self.functions[name].role
            start = name == "start_call"  # it writes the call, and counts the live ones
            calls.grant(role, *(START if start else NEXT), index=start)
            allow(role, [wakeups.queue.queue_arn], "sqs:SendMessage")
        calls.grant(self.functions["contact_event"].role, *EVENT)
        for name in (*BY_MAIN_FLOWS, "contact_event"):  # they tell of calls that no gateway serves
            records.grant_keep(self.functions[name].role)
        clips.grant_clearing(self.functions["contact_event"].role)
        allow(
            self.functions["queue_position"].role,
            [f"{instance_arn}/contact/*"],
            "connect:GetContactMetrics",
            because="Connect names contacts as calls come; these are the contacts of one instance.",
        )
        hours, because = self.functions["queue_hours"].role, "The administrator's own; these are those of one instance."
        allow(hours, [f"{instance_arn}/queue/*"], "connect:DescribeQueue", because=because)
        allow(hours, [f"{instance_arn}/operating-hours/*"], "connect:GetEffectiveHoursOfOperations", because=because)
