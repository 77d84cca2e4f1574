"""Invoking a Lambda: JSON in, JSON out, with every way of failing named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import AllThreadsBusy, VoiceAgentError
from contract.running import Run, in_thread

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class FunctionFailed(VoiceAgentError):
    """`kind` is one of throttled, refused, unreachable, raised, unknown_function; `detail` may be logged."""

    def __init__(self, name: str, kind: str, detail: str = "") -> None:
        super().__init__(name, kind, detail)
        self.name = name
        self.kind = kind
        self.detail = detail

    def __str__(self) -> str:
        return f"function {self.name} failed: {self.kind}{': ' + self.detail if self.detail else ''}"


class Invoker(Protocol):
    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        """Call the function's Lambda; returns the JSON text of its answer. Raises FunctionFailed."""
        ...


class LambdaInvoker:
    """Function names to Lambda ARNs, through boto3's Lambda client."""

    def __init__(self, client: LambdaClient, arns: Mapping[str, str], run: Run = in_thread) -> None:
        self._client = client
        self._arns = arns
        self._run = run

    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        if name not in self._arns:
            raise FunctionFailed(name, "unknown_function", "no Lambda is configured for it (FUNCTION_ARNS)")
        body = json.dumps(payload).encode()
        try:
            error, answer = await self._run(lambda: self._call(self._arns[name], body))
        except AllThreadsBusy as busy:  # by functions that do not answer: renewing the lease must not wait for them
            raise FunctionFailed(name, "throttled", str(busy)) from busy
        except ClientError as failure:
            code = failure.response.get("Error", {}).get("Code", "")
            throttled = code in ("TooManyRequestsException", "ThrottlingException")
            raise FunctionFailed(name, "throttled" if throttled else "refused", code) from failure
        except BotoCoreError as failure:
            raise FunctionFailed(name, "unreachable", type(failure).__name__) from failure
        if error:
            raise FunctionFailed(name, "raised", error)
        return answer.decode(errors="replace")

    def _call(self, arn: str, body: bytes) -> tuple[str, bytes]:
        response = self._client.invoke(FunctionName=arn, Payload=body)
        return response.get("FunctionError", ""), response["Payload"].read()
