"""The service: tasks without any way in, replaced without ending calls, as many as the calls need."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.deployment.settings import Capacity
from infra.gateway.network import TaskNetwork


class GatewayService(Construct):
    """A new task is up before an old one goes; a release whose tasks do not get healthy is taken back."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ecs.Cluster,
        task: ecs.FargateTaskDefinition,
        network: TaskNetwork,
    ) -> None:
        super().__init__(scope, construct_id)
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            task_definition=task,
            vpc_subnets=network.subnets,
            assign_public_ip=network.public,
            security_groups=[network.security_group],
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )

    def scale(self, calls: cloudwatch.IMetric, capacity: Capacity) -> None:
        """Out within a minute, as a task takes another one to start; in after a quarter of an hour, one by one."""
        tasks = self.service.auto_scale_task_count(min_capacity=capacity.tasks_min, max_capacity=capacity.tasks_max)
        full = capacity.calls_per_task
        tasks.scale_on_metric(
            "Out",
            metric=calls,
            evaluation_periods=1,
            cooldown=Duration.seconds(60),
            adjustment_type=scaling.AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
            min_adjustment_magnitude=1,
            scaling_steps=[
                scaling.ScalingInterval(lower=0.6 * full, change=25),
                scaling.ScalingInterval(lower=0.8 * full, change=50),
            ],
        )
        tasks.scale_on_metric(
            "In",
            metric=calls,
            evaluation_periods=15,
            cooldown=Duration.minutes(5),
            adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
            scaling_steps=[
                scaling.ScalingInterval(upper=0.1 * full, change=-1),
                scaling.ScalingInterval(lower=0.1 * full, upper=0.25 * full, change=-1),
            ],
        )
