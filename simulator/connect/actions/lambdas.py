"""Invoking Lambdas, waiting for them, loading what they answered."""

from __future__ import annotations

from simulator.connect import flow_log
from simulator.connect.activities import Invoking
from simulator.connect.errors import Refusal
from simulator.connect.execution import Execution
from simulator.connect.flow_file import Action
from simulator.connect.waiting import Waiting


def invoke(ex: Execution, action: Action) -> str | None:
    """InvokeLambdaFunction. Asynchronous: the flow goes on, `$.LambdaInvocation.InvocationId` names the call.

    Raises:
        Unresolved: a reference without a value, so that nothing is invoked (unconfirmed).
    """
    arn = ex.fill(action.parameters["LambdaFunctionARN"])
    attributes = ex.filled(action.parameters.get("LambdaInvocationAttributes", {}))
    if action.parameters.get("InvocationType") != "ASYNCHRONOUS":
        ex.activity = Invoking(action, ex.invoke(action, arn, attributes, asynchronous=False))
        return None
    invocation = ex.invoke(action, arn, attributes, asynchronous=True)
    ex.state.last_invocation_id = invocation.command.invocation_id
    ex.log(action, flow_log.lambda_parameters(action, arn))
    return action.next


def load(ex: Execution, action: Action) -> str:
    """LoadLambdaFunctionResult: the answer becomes `$.External`.

    Raises:
        Unresolved: the invocation id has no value.
    """
    invocation = ex.invocations.get(ex.fill(action.parameters["LambdaInvocationId"]))
    if invocation is None:
        return action.error()
    if invocation.ended_at_ms is None:
        return action.error("InProgress")
    try:
        ex.state.external = invocation.answer()
    except Refusal as refused:
        ex.log(action, {}, str(refused))
        return action.error()
    ex.log(action, {}, external=ex.state.external)
    return action.next


def wait(ex: Execution, action: Action) -> str | None:
    """Wait, in its form for voice: an event, or a Continue branch, or both. A plain Wait is for chats and tasks
    and takes the error branch of a voice contact; an unknown invocation id waits to the limit."""
    parameters = action.parameters
    hooks = parameters.get("InterruptibleEvents", {})
    if not hooks and "ContinueExecution" not in parameters:
        return action.error()
    branch = next(iter(hooks), "")
    reference = hooks[branch]["AsyncLambdaCompletionEvent"]["Identifier"] if branch else ""
    invocation_id = ex.value_at(reference) if reference else None
    ex.waiting = Waiting(
        action,
        ex.now_ms,
        limit_ms=int(parameters["TimeLimitSeconds"]) * 1000,
        minimum_ms=int(parameters.get("MinimumWaitTimeSeconds", "0")) * 1000,
        branch=branch,
        invocation=ex.invocations.get(invocation_id or ""),
        has_continue="ContinueExecution" in parameters,
        preset=ex.preset,
    )
    ex.log(action, {"TimeLimit": parameters["TimeLimitSeconds"]})
    return action.when("Continue")
