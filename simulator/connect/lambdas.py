"""The Lambda service: invokes handlers in processes of their own, or in this one on a clock that jumps.

In real time every execution environment is a process that serves one invocation at a time, as on AWS; it is
started when an invocation finds none idle (a cold start), stays warm, and is killed when it overruns.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from simulator.connect.events import LambdaFailure

START_LIMIT_S = 30.0
LINE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LambdaError:
    """An invocation without a payload. `error` is what the runtime reported of a handler that raised."""

    kind: LambdaFailure
    error: Mapping[str, object] = field(default_factory=dict)


Answer = object  # whatever JSON the handler returned, or a LambdaError


class LambdaInvoker(Protocol):
    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        """Invoke and wait, at most `timeout_ms`. Returns the payload or a LambdaError; raises nothing."""
        ...


def function_name(arn_or_name: str) -> str:
    """The name in an ARN, a partial ARN or a plain name, without a version or alias."""
    _, _, name = arn_or_name.rpartition(":function:")
    return name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function. `handler` is `package.module:function`; `reserved` is its reserved concurrency."""

    arn: str
    handler: str
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_ms: int = 3_000
    reserved: int | None = None
    memory_mb: int = 256


class InProcess:
    """Handlers as coroutines in this process, by ARN or name. What a function costs is what it awaits."""

    def __init__(self, functions: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[object]]]) -> None:
        self._functions = {function_name(arn): handler for arn, handler in functions.items()}

    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        handler = self._functions.get(function_name(arn))
        if handler is None:
            return LambdaError(LambdaFailure.NOT_FOUND)
        copied = json.loads(json.dumps(event))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                payload = await handler(copied)
        except TimeoutError:
            return LambdaError(LambdaFailure.TIMEOUT)
        except Exception as error:  # noqa: BLE001  a handler's error is the invocation's result
            reported = {"errorMessage": str(error), "errorType": type(error).__name__}
            return LambdaError(LambdaFailure.FUNCTION, reported)
        return payload if isinstance(payload, LambdaError) else json.loads(json.dumps(payload))


class _Environment:
    """One process; serves one invocation at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ready = False

    @classmethod
    async def start(cls, function: Function) -> _Environment:
        """Raises OSError when no process can be had."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulator.connect.worker",
            function.handler,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=_variables(function),
            limit=LINE_BYTES,
        )
        return cls(process)

    async def ready(self) -> LambdaError | None:
        """Wait for the handler to be loaded; at once where it was."""
        if self._ready:
            return None
        line = await self._line()
        if isinstance(line, LambdaError):
            return line
        if "init_error" in line:
            return LambdaError(LambdaFailure.FUNCTION, line["init_error"])
        self._ready = True
        return None

    async def serve(self, function: Function, event: Mapping[str, Any]) -> Answer:
        request = {"id": str(uuid.uuid4()), "event": event, "arn": function.arn, "timeout_ms": function.timeout_ms}
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps(request).encode() + b"\n")
        try:
            await stdin.drain()
        except ConnectionError:
            return LambdaError(LambdaFailure.CRASHED)
        line = await self._line()
        if isinstance(line, LambdaError):
            return line
        return LambdaError(LambdaFailure.FUNCTION, line["error"]) if "error" in line else line["payload"]

    async def _line(self) -> dict[str, Any] | LambdaError:
        stdout = self._process.stdout
        assert stdout is not None
        line = await stdout.readline()
        if not line.endswith(b"\n"):
            return LambdaError(LambdaFailure.CRASHED)
        return cast(dict[str, Any], json.loads(line))

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        stdin = self._process.stdin
        assert stdin is not None
        stdin.close()
        await self._process.wait()


def _variables(function: Function) -> dict[str, str]:
    """The function's own environment, and no other variable of this process than what Python needs."""
    region = function.arn.split(":")[3] if function.arn.count(":") >= 3 else "eu-central-1"
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": function_name(function.arn),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        **function.environment,
    }


class LambdaRuntime:
    """Functions by ARN, their warm environments, their limits. An async context manager.

    An invoker that gives up does not end the invocation: it runs to its end or to the function's own timeout.
    """

    def __init__(self, functions: list[Function]) -> None:
        self._functions = {function_name(function.arn): function for function in functions}
        self._idle: dict[str, list[_Environment]] = {name: [] for name in self._functions}
        self._running: dict[str, int] = dict.fromkeys(self._functions, 0)
        self._tasks: set[asyncio.Task[Answer]] = set()
        self.cold_starts = 0

    async def __aenter__(self) -> LambdaRuntime:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for environments in self._idle.values():
            for environment in environments:
                await environment.kill()
            environments.clear()

    async def warm_up(self) -> None:
        """Start one environment of every function that has none, at the same time."""

        async def start(name: str) -> None:
            environment = await self._environment(self._functions[name], name)
            if await environment.ready() is None:
                self._idle[name].append(environment)
            else:
                await environment.kill()

        await asyncio.gather(*(start(name) for name, idle in self._idle.items() if not idle))

    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        name = function_name(arn)
        function = self._functions.get(name)
        if function is None:
            return LambdaError(LambdaFailure.NOT_FOUND)
        if function.reserved is not None and self._running[name] >= function.reserved:
            return LambdaError(LambdaFailure.THROTTLED)
        self._running[name] += 1
        task = asyncio.create_task(self._run(function, name, event), name=f"lambda {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.wait_for(asyncio.shield(task), timeout_ms / 1000)
        except TimeoutError:
            return LambdaError(LambdaFailure.TIMEOUT)

    async def _run(self, function: Function, name: str, event: Mapping[str, Any]) -> Answer:
        try:
            return await self._serve(function, name, event)
        except OSError:
            return LambdaError(LambdaFailure.SERVICE)
        finally:
            self._running[name] -= 1

    async def _serve(self, function: Function, name: str, event: Mapping[str, Any]) -> Answer:
        environment = await self._environment(function, name)
        warm = False
        try:
            async with asyncio.timeout(START_LIMIT_S):
                failed = await environment.ready()
            if failed is not None:
                return failed
            async with asyncio.timeout(function.timeout_ms / 1000):
                answer = await environment.serve(function, event)
            warm = not (isinstance(answer, LambdaError) and answer.kind is LambdaFailure.CRASHED)
            return answer
        except TimeoutError:
            return LambdaError(LambdaFailure.TIMEOUT, _timed_out(function))
        finally:
            if warm:
                self._idle[name].append(environment)
            else:
                await environment.kill()

    async def _environment(self, function: Function, name: str) -> _Environment:
        """The one that was idle last, or a new one."""
        if self._idle[name]:
            return self._idle[name].pop()
        self.cold_starts += 1
        return await _Environment.start(function)


def _timed_out(function: Function) -> Mapping[str, object]:
    return {"errorMessage": f"{uuid.uuid4()} Task timed out after {function.timeout_ms / 1000:.2f} seconds"}
