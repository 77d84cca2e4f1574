"""Hours of operation and queues, and the switch that sends every caller to a human."""

from __future__ import annotations

from aws_cdk import aws_connect as connect
from constructs import Construct

from infra.deployment.settings import Deployment, Hours, Opening
from infra.deployment.shapes import DAYS

# The whole day begins and ends at midnight (Connect administrator guide, hours of operation, 24x7).
ALWAYS = Hours("UTC", tuple(Opening(day.upper(), 0, 0) for day in DAYS))


class Queues(Construct):
    """`arns` by the name that the agent definitions use, the default queue first.

    `switch_arn` is open always until an administrator closes it in the console; a deployment opens it again only
    when its own hours change, which they do not.
    """

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment, instance_arn: str) -> None:
        super().__init__(scope, construct_id)
        self._name = deployment.name
        self._instance_arn = instance_arn
        switch = f"{deployment.name}-switch"
        self.switch_arn = self._hours(switch, ALWAYS, "Closed: every caller goes to the queue, without voice agent")
        hours = {name: self._hours(f"{deployment.name}-{name}", hours) for name, hours in deployment.hours.items()}
        default = deployment.default_queue
        self.arns = {}
        for name in (default, *(name for name in deployment.queues if name != default)):
            queue = deployment.queues[name]
            self.arns[name] = queue.arn or self._queue(name, hours[queue.hours])

    def _hours(self, name: str, hours: Hours, description: str = "") -> str:
        config = [
            connect.CfnHoursOfOperation.HoursOfOperationConfigProperty(
                day=period.day, start_time=_time(period.start), end_time=_time(period.end)
            )
            for period in hours.week
        ]
        return connect.CfnHoursOfOperation(
            self,
            f"Hours-{name}",
            instance_arn=self._instance_arn,
            name=name,
            time_zone=hours.time_zone,
            config=config,
            description=description or None,
        ).attr_hours_of_operation_arn

    def _queue(self, name: str, hours_arn: str) -> str:
        return connect.CfnQueue(
            self,
            f"Queue-{name}",
            instance_arn=self._instance_arn,
            name=f"{self._name}-{name}",
            hours_of_operation_arn=hours_arn,
        ).attr_queue_arn


def _time(minutes: int) -> connect.CfnHoursOfOperation.HoursOfOperationTimeSliceProperty:
    hours, rest = divmod(minutes, 60)
    return connect.CfnHoursOfOperation.HoursOfOperationTimeSliceProperty(hours=hours, minutes=rest)
