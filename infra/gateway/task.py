"""The task: one container, not root, nothing to write to but the folder of its heartbeat."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.deployment.settings import Capacity
from infra.logs import log_group
from infra.reasons import acknowledge

USER = "10001"
HEALTH_DIR = "/run/gateway"
STOP_S = 120  # the longest that Fargate gives between SIGTERM and SIGKILL (Amazon ECS developer guide)


class GatewayTask(Construct):
    """The image is built from `context`; its hash is the release that a task calls itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        capacity: Capacity,
        context: Path,
        environment: Mapping[str, str],
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        self.log = log_group(self, "Log", log_days)
        self.definition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            cpu=capacity.cpu,
            memory_limit_mib=capacity.memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            task_role=self.role,
            volumes=[ecs.Volume(name="health")],
        )
        image = ecr_assets.DockerImageAsset(
            self, "Image", directory=str(context), file="gateway/Dockerfile", platform=ecr_assets.Platform.LINUX_ARM64
        )
        self._container(image, {**environment, "RELEASE": image.asset_hash, "HEALTH_DIR": HEALTH_DIR})
        acknowledge(
            self.definition,
            ECS2="The variables are names, numbers and ARNs; the one secret is read at run time by its ARN.",
        )
        execution = self.definition.obtain_execution_role()
        acknowledge(
            execution,
            **{"IAM5[Resource::*]": "ecr:GetAuthorizationToken knows no resource (service authorization reference)."},
        )

    def _container(self, image: ecr_assets.DockerImageAsset, environment: dict[str, str]) -> None:
        linux = ecs.LinuxParameters(self, "Linux")
        linux.drop_capabilities(ecs.Capability.ALL)
        container = self.definition.add_container(
            "gateway",
            image=ecs.ContainerImage.from_docker_image_asset(image),
            environment=environment,
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=linux,
            stop_timeout=Duration.seconds(STOP_S),
            # Event loop and lease loop only: an outage of Deepgram must not end live calls.
            health_check=ecs.HealthCheck(
                command=["CMD", "python", "-m", "gateway.health"],
                interval=Duration.seconds(15),
                timeout=Duration.seconds(5),
                retries=3,
                start_period=Duration.seconds(60),
            ),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix="gateway", log_group=self.log, mode=ecs.AwsLogDriverMode.NON_BLOCKING
            ),
        )
        container.add_mount_points(ecs.MountPoint(container_path=HEALTH_DIR, source_volume="health", read_only=False))
