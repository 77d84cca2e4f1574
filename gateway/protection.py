"""ECS task protection: a task with live calls is not chosen when the service shrinks or is updated.

The ECS agent's endpoint in the task (ECS developer guide, task scale-in protection): PUT
$ECS_AGENT_URI/task-protection/v1/state. Fargate kills a task 120 s after SIGTERM at the latest, which is shorter
than most calls, so that protection and not patience is what saves a call.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable

import structlog

from contract.running import in_thread

log = structlog.get_logger()

EXPIRES_MIN = 10  # should this process die, the task is free again so long after
RENEW_S = 120.0
LOOK_S = 1.0
REQUEST_S = 3.0


class Protection:
    """Follows the number of live calls; without an agent's URI, outside ECS, it does nothing."""

    def __init__(self, agent_uri: str, calls: Callable[[], int]) -> None:
        self._url = f"{agent_uri}/task-protection/v1/state" if agent_uri else ""
        self._calls = calls
        self.protected = False
        self._asked_s = 0.0

    async def run(self) -> None:
        """Until cancelled; a refusal is logged and asked again."""
        loop = asyncio.get_running_loop()
        while self._url:
            wanted = self._calls() > 0
            due = wanted and loop.time() - self._asked_s >= RENEW_S
            if wanted != self.protected or due:
                self._asked_s = loop.time()
                await self._ask(wanted)
            await asyncio.sleep(LOOK_S)

    async def _ask(self, wanted: bool) -> None:
        try:
            failure = await in_thread(lambda: _put(self._url, wanted))
        except OSError as error:  # urllib's errors are OSErrors
            failure = type(error).__name__
        if failure:
            log.warning("task_protection_refused", wanted=wanted, error=failure)
        else:
            self.protected = wanted


def _put(url: str, protected: bool) -> str:
    """Returns why ECS did not do it, "" when it did: the agent passes its failures on as an answer."""
    body: dict[str, object] = {"ProtectionEnabled": protected}
    if protected:
        body["ExpiresInMinutes"] = EXPIRES_MIN
    request = urllib.request.Request(  # noqa: S310 - the URI is the ECS agent's own
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=REQUEST_S) as answer:  # noqa: S310
        return _failure(answer.read())


def _failure(answer: bytes) -> str:
    try:
        told = json.loads(answer)
    except ValueError:
        return "unreadable"
    failure = told.get("failure") if isinstance(told, dict) else None
    return str(failure.get("Reason") or "failure") if isinstance(failure, dict) else ""
