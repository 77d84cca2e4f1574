"""An execution environment of a Lambda: `python -m simulator.connect.worker MODULE:FUNCTION`.

Speaks JSON, one line each. First it writes `{"ready": true}`, or `{"init_error": {...}}` when the module cannot be
imported. Then for each line `{"id", "event", "arn", "timeout_ms"}` on its standard input it calls the handler and
writes `{"id", "payload"}` or `{"id", "error": {"errorMessage", "errorType", "stackTrace"}}`. What the handler
prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from simulator import aws_calls

Handler = Callable[[Any, "Context"], object]


@dataclass(frozen=True, slots=True)
class Context:
    """The second argument of a handler, as far as handlers use it."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    memory_limit_in_mb: str
    ends_at: float

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends_at - time.monotonic()) * 1000))


def load(name: str) -> Handler:
    """`package.module:function`."""
    module, _, function = name.partition(":")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def described(error: BaseException) -> dict[str, object]:
    """An error as the Lambda runtime for Python reports it."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def answer(handler: Handler, request: dict[str, Any]) -> str:
    """One invocation; the line to write, without its end."""
    context = Context(
        aws_request_id=request["id"],
        invoked_function_arn=request["arn"],
        function_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        memory_limit_in_mb=os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ends_at=time.monotonic() + request["timeout_ms"] / 1000,
    )
    try:
        return json.dumps({"id": request["id"], "payload": handler(request["event"], context)})
    except Exception as error:  # noqa: BLE001  a handler's error is the invocation's result
        return json.dumps({"id": request["id"], "error": described(error)})


def serve(name: str, requests: TextIO, answers: TextIO) -> int:
    """Serve until the requests end; 1 when the handler could not be loaded."""
    aws_calls.begin(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "lambda"))

    def write(line: str) -> None:
        answers.write(line + "\n")
        answers.flush()

    try:
        handler = load(name)
    except Exception as error:  # noqa: BLE001  an error at import is reported as such
        write(json.dumps({"init_error": described(error)}))
        return 1
    write(json.dumps({"ready": True}))
    for line in requests:
        write(answer(handler, json.loads(line)))
    return 0


def main() -> int:
    """Keep the pipe of the answers for answers: a handler that prints must not break the protocol."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return serve(sys.argv[1], sys.stdin, answers)


if __name__ == "__main__":
    sys.exit(main())  # pragma: no cover  a process of its own
