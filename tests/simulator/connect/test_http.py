from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import boto3
import pytest
from aiohttp import ClientSession, web
from botocore.config import Config
from botocore.exceptions import ClientError

from contract.clock import SystemClock
from simulator.connect.check import load_flow
from simulator.connect.core import Contact
from simulator.connect.events import ContactStopped, DisconnectReason, LambdaFailure
from simulator.connect.http import Bucket, Contacts, ServiceError, connect_app, described
from simulator.connect.lambdas import InProcess, LambdaError
from simulator.connect.seams import Seams
from simulator.connect.shell import ContactShell
from simulator.connect.state import ATTRIBUTE_BYTES, ContactState
from tests.simulator.connect import small
from tests.simulator.connect.small import HOURS, NOW, QUEUE, an_instance, document, say

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning:botocore")


def a_shell(clock: Any, **facts: Any) -> ContactShell:
    instance = an_instance()
    flow = load_flow(small.FLOW, "main", document(say("a")), instance)
    state = ContactState("contact-1", instance, "+4930111", "+4930222", initiated_at_ms=NOW, **facts)
    unused: Any = None
    return ContactShell(Contact(state, flow), Seams(unused, unused, unused, unused, unused, clock))


async def echo(event: Any) -> object:
    return {"got": event}


async def raises(event: Any) -> object:
    raise ValueError("bad order number")


def failing(kind: LambdaFailure) -> Callable[[Any], Any]:
    async def answer(event: Any) -> object:
        return LambdaError(kind)

    return answer


class Service:
    def __init__(self, url: str, shell: ContactShell) -> None:
        self.url = url
        self.shell = shell

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One request by a real client, in a thread."""

        def request() -> dict[str, Any]:
            make: Any = boto3.client
            client = make(
                service,
                region_name="eu-central-1",
                endpoint_url=self.url,
                aws_access_key_id="x",
                aws_secret_access_key="x",
                config=Config(retries={"total_max_attempts": 1}),
            )
            try:
                found: dict[str, Any] = getattr(client, operation)(**parameters)
                if "Payload" in found:
                    found["Payload"] = found["Payload"].read()
                return found
            finally:
                client.close()

        return await asyncio.to_thread(request)

    async def error(self, service: str, operation: str, **parameters: Any) -> tuple[str, int]:
        with pytest.raises(ClientError) as caught:
            await self.call(service, operation, **parameters)
        response = caught.value.response
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@asynccontextmanager
async def service(**facts: Any) -> AsyncIterator[Service]:
    clock = SystemClock()
    shell = a_shell(clock, **facts)
    contacts = Contacts()
    contacts.add(shell)
    functions = {kind.value: failing(kind) for kind in LambdaFailure}
    app = connect_app(contacts, InProcess({**functions, "echo": echo, "raises": raises}), clock)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Service(f"http://127.0.0.1:{port}", shell)
    finally:
        await runner.cleanup()


@pytest.mark.wall_clock
async def test_boto3_describes_a_contact() -> None:
    async with service() as connect:
        state = connect.shell.contact.state
        names = {"InstanceId": state.instance.id, "ContactId": "contact-1"}
        contact = (await connect.call("connect", "describe_contact", **names))["Contact"]
        assert (contact["Id"], contact["Channel"]) == ("contact-1", "VOICE")
        assert contact["InitiationTimestamp"].timestamp() == NOW / 1000
        assert contact["CustomerEndpoint"]["Address"] == "+4930111"
        assert "DisconnectTimestamp" not in contact
        state.disconnect_reason, state.disconnected_at_ms = DisconnectReason.CUSTOMER, NOW + 1_000
        contact = (await connect.call("connect", "describe_contact", **names))["Contact"]
        assert contact["DisconnectTimestamp"].timestamp() == NOW / 1000 + 1
        assert contact["DisconnectReason"] == "CUSTOMER_DISCONNECT"


@pytest.mark.wall_clock
async def test_boto3_reads_and_writes_attributes() -> None:
    async with service(attributes={"a": "1"}) as connect:
        names = {"InstanceId": connect.shell.contact.state.instance.arn, "InitialContactId": "contact-1"}
        await connect.call("connect", "update_contact_attributes", **names, Attributes={"b": "2"})
        found = await connect.call("connect", "get_contact_attributes", **names)
        assert found["Attributes"] == {"a": "1", "b": "2"}
        too_much = {"c": "x" * ATTRIBUTE_BYTES}
        error = await connect.error("connect", "update_contact_attributes", **names, Attributes=too_much)
        assert error == ("InvalidRequestException", 400)


@pytest.mark.wall_clock
async def test_boto3_stops_a_contact() -> None:
    async with service() as connect:
        instance_id = connect.shell.contact.state.instance.id
        await connect.call("connect", "stop_contact", InstanceId=instance_id, ContactId="contact-1")
        assert connect.shell._inbox.get_nowait() == ContactStopped()
        error = await connect.error("connect", "stop_contact", InstanceId=instance_id, ContactId="gone")
        assert error == ("ContactNotFoundException", 410)


@pytest.mark.wall_clock
async def test_boto3_asks_for_a_queue_and_for_its_hours() -> None:
    async with service() as connect:
        instance = connect.shell.contact.state.instance
        instance.hours[HOURS].periods = ((9 * 60 + 30, 17 * 60),)
        named = {"InstanceId": instance.arn}
        queue = (await connect.call("connect", "describe_queue", **named, QueueId="q-1"))["Queue"]
        days = {"FromDate": "2027-01-15", "ToDate": "2027-01-16"}
        asked = {**named, "HoursOfOperationId": queue["HoursOfOperationId"], **days}
        hours = await connect.call("connect", "get_effective_hours_of_operations", **asked)
        assert hours["TimeZone"] == "UTC"
        assert [day["Date"] for day in hours["EffectiveHoursOfOperationList"]] == list(days.values())
        assert hours["EffectiveHoursOfOperationList"][0]["OperationalHours"] == [
            {"Start": {"Hours": 9, "Minutes": 30}, "End": {"Hours": 17, "Minutes": 0}}
        ]


@pytest.mark.wall_clock
async def test_a_queue_hours_and_an_instance_that_are_not_there_are_not_found() -> None:
    missing = ("ResourceNotFoundException", 404)
    async with service() as connect:
        named = {"InstanceId": connect.shell.contact.state.instance.arn}
        assert await connect.error("connect", "describe_queue", **named, QueueId="gone") == missing
        days = {"FromDate": "2027-01-15", "ToDate": "2027-01-16"}
        asked = {**named, "HoursOfOperationId": "gone", **days}
        assert await connect.error("connect", "get_effective_hours_of_operations", **asked) == missing
        assert await connect.error("connect", "describe_queue", InstanceId="other", QueueId="q-1") == missing


@pytest.mark.wall_clock
async def test_an_unknown_contact_and_another_instance_are_not_found() -> None:
    async with service() as connect:
        for names in (("i", "contact-1"), (connect.shell.contact.state.instance.id, "gone")):
            given = {"InstanceId": names[0], "ContactId": names[1]}
            assert await connect.error("connect", "describe_contact", **given) == ("ResourceNotFoundException", 404)


@pytest.mark.wall_clock
async def test_more_than_a_burst_of_15_requests_is_throttled() -> None:
    async with service() as connect, ClientSession() as session:
        url = f"{connect.url}/contacts/{connect.shell.contact.state.instance.id}/contact-1"
        statuses = []
        for _ in range(17):
            async with session.get(url) as response:
                statuses.append(response.status)
        assert statuses[:15] == [200] * 15
        assert 429 in statuses[15:]


@pytest.mark.wall_clock
async def test_boto3_invokes_a_function_by_name_and_by_arn() -> None:
    async with service() as lambdas:
        for name in ("echo", "arn:aws:lambda:eu-central-1:111122223333:function:echo"):
            found = await lambdas.call("lambda", "invoke", FunctionName=name, Payload=json.dumps({"a": 1}))
            assert json.loads(found["Payload"]) == {"got": {"a": 1}}
            assert found["StatusCode"] == 200
            assert "FunctionError" not in found
        found = await lambdas.call("lambda", "invoke", FunctionName="echo")
        assert json.loads(found["Payload"]) == {"got": {}}


@pytest.mark.wall_clock
async def test_a_function_that_fails_answers_200_with_its_error() -> None:
    async with service() as lambdas:
        found = await lambdas.call("lambda", "invoke", FunctionName="raises", Payload="{}")
        assert found["FunctionError"] == "Unhandled"
        assert json.loads(found["Payload"])["errorType"] == "ValueError"
        found = await lambdas.call("lambda", "invoke", FunctionName="crashed", Payload="{}")
        assert json.loads(found["Payload"])["errorType"] == "Runtime.ExitError"


@pytest.mark.wall_clock
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("not_found", ("ResourceNotFoundException", 404)),
        ("throttled", ("TooManyRequestsException", 429)),
        ("service", ("ServiceException", 500)),
    ],
)
async def test_errors_of_the_lambda_service_are_raised_by_boto3(name: str, error: tuple[str, int]) -> None:
    async with service() as lambdas:
        assert await lambdas.error("lambda", "invoke", FunctionName=name, Payload="{}") == error


@pytest.mark.wall_clock
async def test_requests_that_cannot_be_understood_are_refused() -> None:
    async with service() as lambdas, ClientSession() as session:
        assert await lambdas.error("lambda", "invoke", FunctionName="echo", Payload="{") == (
            "InvalidRequestContentException",
            400,
        )
        asynchronous = {"FunctionName": "echo", "InvocationType": "Event"}
        assert await lambdas.error("lambda", "invoke", **asynchronous) == ("InvalidParameterValueException", 400)
        async with session.post(f"{lambdas.url}/contact/stop", data="{") as response:
            assert response.headers["x-amzn-ErrorType"] == "InvalidRequestException"


def test_a_queued_contact_that_a_human_took_names_both() -> None:
    instance = an_instance()
    state = ContactState("c", instance, queue=instance.queue(QUEUE), queued_at_ms=NOW, answered_at_ms=NOW + 1)
    found = described(state)
    assert found["QueueInfo"] == {"Id": "q-1", "EnqueueTimestamp": NOW / 1000}
    assert found["AgentInfo"]["ConnectedToAgentTimestamp"] == (NOW + 1) / 1000
    assert "CustomerEndpoint" not in found


class Hands:
    def __init__(self) -> None:
        self.now = 0

    def now_ms(self) -> int:
        return self.now


def test_a_bucket_fills_again_with_time() -> None:
    hands = Hands()
    bucket = Bucket(hands)
    assert [bucket.take() for _ in range(16)] == [True] * 15 + [False]
    hands.now += 100
    assert bucket.take()
    assert not bucket.take()


def test_a_service_error_says_its_code() -> None:
    assert str(ServiceError(404, "X", "gone")) == "X (404): gone"
