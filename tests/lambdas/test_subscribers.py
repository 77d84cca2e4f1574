"""The sample subscribers: a task in Connect, and a ticket over HTTP, each once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.subscribers.connect_task import handler as task_handler
from lambdas.subscribers.connect_task.logic import start_task
from lambdas.subscribers.event import CallEvent, NotUnderstood
from lambdas.subscribers.ticket import handler as ticket_handler
from lambdas.subscribers.ticket.logic import TicketRefused, post, ticket

EVENT = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "examples" / "events" / "call.handed_over.json").read_text()
)
RECORD = {
    "summary": "Wants a delivery on Friday.",
    "caller_number": "+49301",
    "turns": [{"role": "caller", "text": "On Friday, please."}],
}


class Store:
    def get_object(self, **asked: str) -> Mapping[str, Any]:
        assert (asked["Bucket"], asked["Key"].endswith("/1.json")) == ("voice-agent-records", True)
        return {"Body": BytesIO(json.dumps(RECORD).encode())}


class TicketApi:
    """A small HTTP server: answers with the statuses it was given, and makes one ticket for each idempotency key."""

    def __init__(self, *statuses: int) -> None:
        self.left = list(statuses)
        self.tickets: dict[str, Any] = {}
        self.asked = 0
        self.asked_for: list[str] = []
        self.tokens: list[str] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                api.asked += 1
                api.asked_for.append(self.path)
                api.tokens.append(self.headers["authorization"])
                status = api.left.pop(0) if api.left else 201
                if status < 300 or status == 599:
                    api.tickets[self.headers["idempotency-key"]] = body
                if status == 599:  # the ticket is made, and the answer is lost
                    self.connection.close()
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tickets"


@pytest.fixture
def api() -> Iterator[TicketApi]:
    served = TicketApi()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def call() -> CallEvent:
    return CallEvent.of(EVENT)


def send(api: TicketApi, *statuses: int) -> list[float]:
    """Post the ticket of the event; returns the pauses between the attempts."""
    pauses: list[float] = []
    api.left = list(statuses)
    post(api.url, "token", call().id, ticket(call(), call().record(Store())), sleep=pauses.append)
    return pauses


def test_a_ticket_says_who_called_and_what_was_said(api: TicketApi) -> None:
    assert send(api) == []
    assert api.tokens == ["Bearer token"]
    assert api.tickets[call().id] == {
        "external_id": call().id,
        "subject": "Call to shop: transfer_to_human",
        "caller": "+49301",
        "queue": "orders",
        "summary": "Wants a delivery on Friday.",
        "body": "caller: On Friday, please.",
    }


@pytest.mark.parametrize("statuses", [(503,), (429, 500), (599,), (599, 503)])
def test_an_api_that_fails_for_a_while_gets_one_ticket(api: TicketApi, statuses: tuple[int, ...]) -> None:
    assert len(send(api, *statuses)) == len(statuses)
    assert len(api.tickets) == 1


def test_the_same_event_again_makes_no_second_ticket(api: TicketApi) -> None:
    send(api)
    send(api)
    assert (api.asked, len(api.tickets)) == (2, 1)


def test_an_api_that_stays_away_leaves_the_event_to_be_delivered_again(api: TicketApi) -> None:
    with pytest.raises(TicketRefused, match="after 3 attempts: status 503"):
        send(api, 503, 503, 503)
    assert api.tickets == {}


def test_what_another_attempt_cannot_mend_is_refused_at_once(api: TicketApi) -> None:
    with pytest.raises(TicketRefused, match="after 1 attempts: status 401"):
        send(api, 401)


def test_nobody_listening_is_no_answer() -> None:
    with pytest.raises(TicketRefused, match="no answer"):
        post("http://127.0.0.1:9", "token", "k", {}, sleep=lambda _: None)


class Connect:
    """StartTaskContact: the same client token starts the same task."""

    def __init__(self) -> None:
        self.tasks: dict[str, Mapping[str, Any]] = {}

    def start_task_contact(self, **asked: Any) -> Mapping[str, Any]:
        self.tasks.setdefault(asked["ClientToken"], asked)
        return {"ContactId": f"task-{list(self.tasks).index(asked['ClientToken'])}"}


def begin(connect: Connect, *rest: Any) -> str:
    return start_task(connect, *rest)  # type: ignore[arg-type]  # of boto3's client only this is used


def test_a_handover_becomes_one_task() -> None:
    connect = Connect()
    for _ in range(2):
        assert begin(connect, call(), call().record(Store()), "flow") == "task-0"
    [task] = connect.tasks.values()
    assert task["InstanceId"] == "5d1c2f3e-0000-4000-8000-000000000001"
    assert (task["RelatedContactId"], task["ContactFlowId"]) == (call().contact_id, "flow")
    assert (task["Name"], task["Description"]) == ("shop: transfer_to_human", "Wants a delivery on Friday.")


def test_a_task_without_a_summary_says_so() -> None:
    connect = Connect()
    begin(connect, call(), {}, "flow")
    assert next(iter(connect.tasks.values()))["Description"] == "No summary."


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "version None"),
        ({"detail": {"version": "2"}}, "version 2"),
        ({"detail": {"version": "1"}}, "without 'id'"),
        ({"detail": {**EVENT["detail"], "record": None}}, "without"),
    ],
)
def test_an_event_of_another_kind_is_refused(event: dict[str, Any], said: str) -> None:
    with pytest.raises(NotUnderstood, match=said):
        CallEvent.of(event)


def test_an_event_of_a_later_version_with_more_in_it_is_understood() -> None:
    detail = {**EVENT["detail"], "version": "1.4", "more": 1}
    assert CallEvent.of({"detail": detail}) == call()


class Secrets:
    def get_secret_value(self, **asked: str) -> Mapping[str, str]:
        return {"SecretString": "token"} if asked == {"SecretId": "tickets"} else {}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """boto3's clients for the handlers."""
    connect = Connect()
    made = {"connect": connect, "s3": Store(), "secretsmanager": Secrets()}
    monkeypatch.setattr(boto3, "client", lambda name: made[name])
    ticket_handler._token.cache_clear()
    return connect


def test_the_lambda_of_the_task_starts_it(
    clients: Connect, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TASK_FLOW_ID", "flow")
    task_handler.handler(EVENT, None)
    assert list(clients.tasks) == [call().id]
    assert "delivery" not in capsys.readouterr().out


@pytest.mark.usefixtures("clients")
def test_the_lambda_of_the_ticket_posts_it_and_leaves_goodbyes_alone(
    api: TicketApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKET_URL", api.url)
    monkeypatch.setenv("TICKET_TOKEN_SECRET", "tickets")
    ticket_handler.handler({"detail": {**EVENT["detail"], "result": "ended"}}, None)
    assert api.asked == 0
    ticket_handler.handler(EVENT, None)
    assert list(api.tickets) == [call().id]
    assert "Friday" not in capsys.readouterr().out


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_was_changed_is_read_anew(api: TicketApi, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setenv("TICKET_URL", api.url)
    monkeypatch.setenv("TICKET_TOKEN_SECRET", "tickets")
    values = iter(["old", "token", "another"])
    monkeypatch.setattr(Secrets, "get_secret_value", lambda *_, **__: {"SecretString": next(values)})
    api.left = [status]
    ticket_handler.handler(EVENT, None)
    assert (list(api.tickets), api.tokens) == ([call().id], ["Bearer old", "Bearer token"])


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(("statuses", "asked"), [([401, 401], 2), ([400], 1)])
def test_what_is_refused_with_the_newest_token_is_left_to_be_delivered_again(
    api: TicketApi, monkeypatch: pytest.MonkeyPatch, statuses: list[int], asked: int
) -> None:
    monkeypatch.setenv("TICKET_URL", api.url)
    monkeypatch.setenv("TICKET_TOKEN_SECRET", "tickets")
    api.left = list(statuses)
    with pytest.raises(TicketRefused):
        ticket_handler.handler(EVENT, None)
    assert (api.asked, api.tickets) == (asked, {})


def test_what_the_address_asks_for_goes_with_it(api: TicketApi) -> None:
    api.url += "?project=voice&kind=1"
    send(api)
    assert api.asked_for == ["/tickets?project=voice&kind=1"]


def test_a_ticket_api_may_be_https() -> None:
    with pytest.raises(TicketRefused, match="no answer"):
        post("https://127.0.0.1:9/tickets", "token", "k", {}, sleep=lambda _: None)
