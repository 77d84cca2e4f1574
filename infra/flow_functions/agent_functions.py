"""The functions of the agents: a Lambda for each folder in lambdas/functions that a deployed agent can call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from constructs import Construct

from infra.assets.staging import Staging
from infra.deployment.agents import AgentLambda
from infra.deployment.settings import Deployment
from infra.flow_functions.python_function import PythonFunction


class AgentFunctions(Construct):
    """`arns` by name of the function: aliases of ours, and the ARNs that the deployment gives for one of `called`.

    A function has access to nothing.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        staging: Staging,
        lambdas: Mapping[str, AgentLambda],
        called: Iterable[str],
        reserved: Mapping[str, int],
    ) -> None:
        super().__init__(scope, construct_id)
        self.own = {
            name: PythonFunction(
                self,
                name,
                code=staging.function(name),
                handler=f"lambdas.functions.{name}.handler.handler",
                timeout_s=math.ceil(each.timeout_s),
                log_days=deployment.retention.logs_days,
                reserved=reserved.get(name),
                memory_mib=256,
            )
            for name, each in lambdas.items()
        }
        own = {name: self.own[folder].alias for folder, each in lambdas.items() for name in each.functions}
        given = {name: arn for name, arn in deployment.functions.items() if name in called}
        self.arns = {**{name: alias.function_arn for name, alias in own.items()}, **given}
