"""The Lambda between the flows and the functions that get secret key presses; only where an agent asks for any."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Stack
from constructs import Construct

from infra.flow_functions.python_function import PythonFunction
from infra.reasons import allow
from infra.state.table import CallTable

ACTIONS = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem")  # the question, and its single-use code
TIMEOUT_S = 8  # the flow's own for a synchronous Lambda


class SecretKeys(Construct):
    """`receivers`: ARNs of the functions by name; it may invoke these and no other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        environment: Mapping[str, str],
        receivers: Mapping[str, str],
        calls: CallTable,
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        arns = Stack.of(self).to_json_string(dict(receivers))
        self.function = PythonFunction(
            self,
            "keys",
            code=code,
            handler="lambdas.secret_keys.handler.handler",
            timeout_s=TIMEOUT_S,
            log_days=log_days,
            environment={**environment, "FUNCTION_ARNS": arns},
        )
        calls.grant(self.function.role, *ACTIONS)
        allow(self.function.role, list(receivers.values()), "lambda:InvokeFunction")
