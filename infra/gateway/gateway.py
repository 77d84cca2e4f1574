"""The gateway put together: network, cluster, task and service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.deployment.settings import Deployment
from infra.gateway.network import network_of
from infra.gateway.permissions import GatewayPermissions
from infra.gateway.service import GatewayService
from infra.gateway.task import GatewayTask
from infra.monitoring.metrics import calls_per_task
from infra.sip.variables import variables


class Gateway(Construct):
    """`environment` is what the gateway reads (`gateway.settings`), but for what is known here."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        context: Path,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        log_days = deployment.retention.logs_days
        self.network = network_of(self, "Network", deployment)
        self.cluster = ecs.Cluster(
            self, "Cluster", vpc=self.network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        own = {
            "AWS_REGION": Stack.of(self).region,
            "DEEPGRAM_URL": deployment.deepgram.url,
            "CALLS_PER_TASK": str(deployment.capacity.calls_per_task),
            "TASKS_MIN": str(max(1, deployment.capacity.tasks_min)),
            "RECORDS_HOURS": str(deployment.retention.records_hours),
            "DEPLOYMENT": deployment.name,
        }
        if deployment.sip is not None:
            own |= variables(deployment.sip)
        self.task = GatewayTask(
            self,
            "Task",
            capacity=deployment.capacity,
            context=context,
            environment={**own, **environment},
            log_days=log_days,
        )
        self.permissions = GatewayPermissions(self, "Permissions", role=self.task.role)
        self.permissions.task_protection(self.cluster)
        self.service = GatewayService(
            self,
            "Service",
            cluster=self.cluster,
            task=self.task.definition,
            network=self.network,
        )
        self.service.scale(calls_per_task(deployment.name), deployment.capacity)
        # Without its rights a task fails, and the circuit breaker would take the deployment back.
        self.service.node.add_dependency(self.task.role)
