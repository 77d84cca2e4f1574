"""One Lambda: its own role, its own log, and an alias that calls and flows go through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.flow_functions.layer import ARCHITECTURE, RUNTIME, PowertoolsLayer
from infra.logs import log_group
from infra.reasons import acknowledge

ALIAS = "live"


class PythonFunction(Construct):
    """Starts with no right but to write its own log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        handler: str,
        timeout_s: int,
        log_days: int,
        environment: Mapping[str, str] | None = None,
        reserved: int | None = None,
        memory_mib: int = 512,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log = log_group(self, "Log", log_days)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            layers=[PowertoolsLayer.of(self)],
            code=lambda_.Code.from_asset(str(code)),
            handler=handler,
            timeout=Duration.seconds(timeout_s),
            memory_size=memory_mib,
            environment=dict(environment or {}),
            role=self.role,
            log_group=self.log,
            reserved_concurrent_executions=reserved,
        )
        acknowledge(
            self.function,
            L1="One Python for the Lambdas and for the gateway's image, so that both are tested and raised together.",
        )
        self.alias = lambda_.Alias(self, "Live", alias_name=ALIAS, version=self.function.current_version)
