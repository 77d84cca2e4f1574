"""HTTP endpoints that boto3's Lambda and Connect clients call, on real contacts and functions of this machine.

Paths and shapes: botocore's service models lambda 2015-03-31 and connect 2017-08-08. Rates: Connect's quotas
page gives each of these contact operations 10 requests a second with a burst of 15.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from contract.clock import Clock
from simulator.connect.errors import ConnectError, TooLarge
from simulator.connect.events import ContactStopped, LambdaFailure
from simulator.connect.instance import Instance
from simulator.connect.lambdas import LambdaError, LambdaInvoker
from simulator.connect.shell import ContactShell
from simulator.connect.state import ContactState, endpoint

LAMBDA_LIMIT_MS = 900_000
RATE = 10.0
BURST = 15.0
OTHERS = (2.0, 5.0)  # operations that the quotas page does not name


class ServiceError(ConnectError):
    """An answer with an error code, as boto3 raises it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} ({self.status}): {self.message}"


@dataclass(slots=True)
class Contacts:
    """The contacts that the API can be asked about; those that ended stay."""

    by_id: dict[str, ContactShell] = field(default_factory=dict)

    def add(self, shell: ContactShell) -> None:
        self.by_id[shell.contact_id] = shell

    def get(self, instance_id: str, contact_id: str) -> ContactShell | None:
        """Connect takes an instance's id or its ARN."""
        shell = self.by_id.get(contact_id)
        if shell is None or shell.contact.state.instance.id != instance_id.rpartition("/")[2]:
            return None
        return shell


class Bucket:
    """How many requests an operation may still take: `burst` at once, `rate` a second."""

    def __init__(self, clock: Clock, rate: float = RATE, burst: float = BURST) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at_ms = clock.now_ms()

    def take(self) -> bool:
        now_ms = self._clock.now_ms()
        self._left = min(self._burst, self._left + (now_ms - self._at_ms) / 1000 * self._rate)
        self._at_ms = now_ms
        if self._left < 1:
            return False
        self._left -= 1
        return True


Answering = Callable[[web.Request], Awaitable[web.Response]]


class ConnectApi:
    """The operations on contacts."""

    def __init__(self, contacts: Contacts, clock: Clock) -> None:
        self._contacts = contacts
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def routes(self) -> list[web.RouteDef]:
        attributes = "/contact/attributes"
        return [
            web.get("/contacts/{instance}/{contact}", self._limited("DescribeContact", self.describe)),
            web.post("/contact/stop", self._limited("StopContact", self.stop)),
            web.post(attributes, self._limited("UpdateContactAttributes", self.update_attributes)),
            web.get(attributes + "/{instance}/{contact}", self._limited("GetContactAttributes", self.get_attributes)),
            web.get("/queues/{instance}/{queue}", self._limited("DescribeQueue", self.describe_queue, OTHERS)),
            web.get(
                "/effective-hours-of-operations/{instance}/{hours}",
                self._limited("GetEffectiveHoursOfOperations", self.effective_hours, OTHERS),
            ),
        ]

    def _limited(self, operation: str, answering: Answering, rate: tuple[float, float] = (RATE, BURST)) -> Answering:
        async def answer(request: web.Request) -> web.Response:
            bucket = self._buckets.setdefault(operation, Bucket(self._clock, *rate))
            if not bucket.take():
                raise ServiceError(429, "TooManyRequestsException", f"{operation}: rate exceeded")
            return await answering(request)

        return answer

    def _found(self, instance: str, contact: str) -> ContactShell:
        shell = self._contacts.get(instance, contact)
        if shell is None:
            raise ServiceError(404, "ResourceNotFoundException", f"contact {contact} was not found")
        return shell

    async def describe(self, request: web.Request) -> web.Response:
        shell = self._found(request.match_info["instance"], request.match_info["contact"])
        return web.json_response({"Contact": described(shell.contact.state)})

    async def stop(self, request: web.Request) -> web.Response:
        body = await _json(request)
        shell = self._contacts.get(body["InstanceId"], body["ContactId"])
        if shell is None:
            raise ServiceError(410, "ContactNotFoundException", f"contact {body['ContactId']} was not found")
        shell.tell(ContactStopped())
        return web.json_response({})

    async def update_attributes(self, request: web.Request) -> web.Response:
        body = await _json(request)
        shell = self._found(body["InstanceId"], body["InitialContactId"])
        try:
            shell.contact.state.set_attributes(body["Attributes"])
        except TooLarge as error:
            raise ServiceError(400, "InvalidRequestException", str(error)) from error
        return web.json_response({})

    async def get_attributes(self, request: web.Request) -> web.Response:
        shell = self._found(request.match_info["instance"], request.match_info["contact"])
        return web.json_response({"Attributes": shell.contact.state.attributes})

    async def describe_queue(self, request: web.Request) -> web.Response:
        queue = self._instance(request).queue(request.match_info["queue"])
        if queue is None:
            raise ServiceError(404, "ResourceNotFoundException", "the queue was not found")
        found = {"QueueArn": queue.arn, "QueueId": queue.arn.rpartition("/")[2], "Name": queue.name}
        hours = queue.hours_arn.rpartition("/")[2]
        return web.json_response({"Queue": {**found, "HoursOfOperationId": hours, "Status": "ENABLED"}})

    async def effective_hours(self, request: web.Request) -> web.Response:
        hours = self._instance(request).hours_of(request.match_info["hours"])
        if hours is None:
            raise ServiceError(404, "ResourceNotFoundException", "the hours of operation were not found")
        first, last = (date.fromisoformat(request.query[name]) for name in ("fromDate", "toDate"))
        return web.json_response(hours.effective(first, last))

    def _instance(self, request: web.Request) -> Instance:
        """That of the contacts: there is one on this machine."""
        named = unquote(request.match_info["instance"]).rpartition("/")[2]
        for shell in self._contacts.by_id.values():
            if shell.contact.state.instance.id == named:
                return shell.contact.state.instance
        raise ServiceError(404, "ResourceNotFoundException", f"the instance {named} was not found")


def described(state: ContactState) -> Mapping[str, Any]:
    """`Contact` of DescribeContact; times are seconds since the epoch. A contact that is over has a
    DisconnectTimestamp."""
    found: dict[str, Any] = {
        "Arn": f"{state.instance.arn}/contact/{state.contact_id}",
        "Id": state.contact_id,
        "InitialContactId": state.contact_id,
        "InitiationMethod": "INBOUND",
        "Channel": "VOICE",
        "Name": state.name,
        "Description": state.description,
        "InitiationTimestamp": state.initiated_at_ms / 1000,
        "ConnectedToSystemTimestamp": state.initiated_at_ms / 1000,
        "LastUpdateTimestamp": max(state.initiated_at_ms, state.disconnected_at_ms) / 1000,
        "QueuePriority": state.priority,
        "Attributes": state.attributes,
    }
    for key, number in (("CustomerEndpoint", state.caller_number), ("SystemEndpoint", state.system_number)):
        if number:
            found[key] = endpoint(number)
    if state.queue is not None and state.queued_at_ms:
        found["QueueInfo"] = {
            "Id": state.queue.arn.rpartition("/")[2],
            "EnqueueTimestamp": state.queued_at_ms / 1000,
        }
    if state.answered_at_ms:
        found["AgentInfo"] = {"Id": "agent", "ConnectedToAgentTimestamp": state.answered_at_ms / 1000}
    if state.disconnect_reason is not None:
        found["DisconnectTimestamp"] = state.disconnected_at_ms / 1000
        found["DisconnectReason"] = state.disconnect_reason.value
    return found


class LambdaApi:
    """Invoke, in its synchronous form."""

    def __init__(self, lambdas: LambdaInvoker) -> None:
        self._lambdas = lambdas

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/2015-03-31/functions/{name}/invocations", self.invoke)]

    async def invoke(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Amz-Invocation-Type", "RequestResponse") != "RequestResponse":
            raise ServiceError(400, "InvalidParameterValueException", "only RequestResponse is simulated")
        try:
            event = json.loads(await request.read() or b"{}")
        except ValueError as error:
            raise ServiceError(400, "InvalidRequestContentException", str(error)) from error
        name = unquote(request.match_info["name"])
        answer = await self._lambdas.invoke(name, event, LAMBDA_LIMIT_MS)
        if isinstance(answer, LambdaError):
            return _lambda_error(name, answer)
        return web.json_response(answer, headers={"X-Amz-Executed-Version": "$LATEST"})


def _lambda_error(name: str, answer: LambdaError) -> web.Response:
    if answer.kind is LambdaFailure.NOT_FOUND:
        raise ServiceError(404, "ResourceNotFoundException", f"Function not found: {name}")
    if answer.kind is LambdaFailure.THROTTLED:
        raise ServiceError(429, "TooManyRequestsException", "Rate Exceeded.")
    if answer.kind is LambdaFailure.SERVICE:
        raise ServiceError(500, "ServiceException", "The Lambda service encountered an internal error.")
    body = dict(answer.error) or {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited"}
    return web.json_response(body, headers={"X-Amz-Function-Error": "Unhandled"})


async def _json(request: web.Request) -> Mapping[str, Any]:
    try:
        body: Mapping[str, Any] = json.loads(await request.read())
    except ValueError as error:
        raise ServiceError(400, "InvalidRequestException", str(error)) from error
    return body


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ServiceError as error:
        headers = {"x-amzn-ErrorType": error.code}
        body = {"message": error.message, "Message": error.message}
        return web.json_response(body, status=error.status, headers=headers)


def connect_app(contacts: Contacts, lambdas: LambdaInvoker, clock: Clock) -> web.Application:
    """One application for both services: AWS_ENDPOINT_URL_CONNECT and AWS_ENDPOINT_URL_LAMBDA may be the same."""
    app = web.Application(middlewares=[_errors], client_max_size=8 * 1024 * 1024)
    app.add_routes([*ConnectApi(contacts, clock).routes(), *LambdaApi(lambdas).routes()])
    return app
