"""The functions of the agents: a Lambda for each folder in lambdas/functions that a deployed agent can call."""

from __future__ import annotations

import math
from collections.abc import Mapping

from constructs import Construct

from infra.assets.staging import Staging
from infra.deployment.settings import Deployment
from infra.flow_functions.python_function import PythonFunction


class AgentFunctions(Construct):
    """`arns` by name: aliases of ours, and the ARNs that the deployment gives. A function has access to nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        staging: Staging,
        functions: Mapping[str, float],
        reserved: Mapping[str, int],
    ) -> None:
        super().__init__(scope, construct_id)
        self.own = {
            name: PythonFunction(
                self,
                name,
                code=staging.function(name),
                handler=f"lambdas.functions.{name}.handler.handler",
                timeout_s=math.ceil(timeout_s),
                log_days=deployment.retention.logs_days,
                reserved=reserved.get(name),
                memory_mib=256,
            )
            for name, timeout_s in functions.items()
            if name not in deployment.functions
        }
        self.arns = {name: deployment.functions.get(name) or self.own[name].alias.function_arn for name in functions}
