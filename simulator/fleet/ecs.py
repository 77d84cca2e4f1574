"""The ECS agent's endpoint for task protection, for any number of tasks.

Paths and shapes: Amazon ECS developer guide, task scale-in protection endpoint.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from simulator.serving import served

MOST_MINUTES = 2880
FAILURE = "DEPLOYMENT_BLOCKED"


@dataclass
class EcsAgent:
    """`asked`: what each task has said, in order. `refuses`: answer with a failure, as a blocked deployment does."""

    url: str = ""
    refuses: bool = False
    asked: dict[str, list[bool]] = field(default_factory=dict)

    def uri(self, task: str) -> str:
        """$ECS_AGENT_URI of this task."""
        return f"{self.url}/api/{task}"

    def protected(self, task: str) -> bool:
        """Whether a deployment or scaling in has to leave the task alone."""
        return bool(self.asked.get(task)) and self.asked[task][-1]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[EcsAgent]:
        app = web.Application()
        app.add_routes([web.put("/api/{task}/task-protection/v1/state", self._put)])
        async with served(app) as self.url:
            yield self

    async def _put(self, request: web.Request) -> web.Response:
        task, wanted, minutes = request.match_info["task"], None, None
        try:
            body = json.loads(await request.text())
            wanted, minutes = body["ProtectionEnabled"], body.get("ExpiresInMinutes", 120)
        except (ValueError, KeyError, AttributeError):
            pass
        if not isinstance(wanted, bool) or not isinstance(minutes, int) or not 1 <= minutes <= MOST_MINUTES:
            error = {"Arn": task, "Code": "InvalidParameterException", "Message": "the request is not as documented"}
            return web.json_response({"requestID": "0", "error": error}, status=400)
        if self.refuses:
            return web.json_response({"failure": {"Arn": task, "Reason": FAILURE, "Detail": None}})
        self.asked.setdefault(task, []).append(wanted)
        return web.json_response({"protection": {"ProtectionEnabled": wanted, "TaskArn": task}})
