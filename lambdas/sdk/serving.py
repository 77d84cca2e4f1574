"""The entry point of a Lambda that holds functions of the voice agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.sdk.calling import Refused, call, plain
from lambdas.sdk.context import Context

Handler = Callable[[Mapping[str, Any], object], object]


def serve(*functions: Callable[..., object]) -> Handler:
    """`handler = serve(one, another)`: the Lambda handler of these functions.

    The event is `{"function", "arguments", "context"}`; the answer is what the function returned, as JSON, or
    `{"error": ...}` with the sentence of a `Refused`. Any other exception is the Lambda's failure: the agent is
    told that it failed, and nothing of the reason.
    """
    by_name = {each.__name__: each for each in functions}

    def handler(event: Mapping[str, Any], _: object) -> object:
        name = event.get("function") or next(iter(by_name))
        if name not in by_name:
            return {"error": "there is no such function in this Lambda"}
        try:
            return plain(call(by_name[name], event.get("arguments") or {}, Context.of(event)))
        except Refused as refused:
            return {"error": str(refused)}

    return handler
