"""When a queue opens again, out of what Connect says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from definition.spoken import FOLDER, load
from lambdas.queue_hours.logic import KEPT_QUEUES, KEPT_S, UNKNOWN, Hours, Times, queue_hours

INSTANCE = "arn:aws:connect:eu-central-1:111122223333:instance/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
QUEUE = f"{INSTANCE}/queue/11111111-2222-3333-4444-555555555555"
HOURS = "99999999-2222-3333-4444-555555555555"
NOW = datetime(2027, 1, 15, 18, 30, tzinfo=UTC)  # a Friday
OFFICE = [(9, 0, 17, 0)]
SPOKEN = Times.of(json.dumps({name: load(FOLDER / f"{name}.yaml")[1] for name in ("en", "es")}))


def event(queue: str = QUEUE, **sent: str) -> dict[str, Any]:
    return {"Details": {"ContactData": {"InstanceARN": INSTANCE}, "Parameters": {"queue": queue, **sent}}}


def days(**opens: list[tuple[int, int, int, int]]) -> list[dict[str, Any]]:
    """Days of January by their number, `d18` for the 18th."""
    return [
        {
            "Date": f"2027-01-{name[1:]}",
            "OperationalHours": [
                {"Start": {"Hours": a, "Minutes": b}, "End": {"Hours": c, "Minutes": d}} for a, b, c, d in periods
            ],
        }
        for name, periods in opens.items()
    ]


class Connect:
    """boto3's client, with what it is asked and what it answers."""

    def __init__(self) -> None:
        self.client: Any = boto3.client(
            "connect", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stub = Stubber(self.client)
        self.stub.activate()
        self.hours = Hours(self.client)

    def answers(self, effective: list[dict[str, Any]], zone: str = "UTC") -> None:
        asked = {"InstanceId": INSTANCE, "QueueId": QUEUE.rpartition("/")[2]}
        self.stub.add_response("describe_queue", {"Queue": {"HoursOfOperationId": HOURS}}, asked)
        between = {"FromDate": "2027-01-14", "ToDate": "2027-01-22"}
        self.stub.add_response(
            "get_effective_hours_of_operations",
            {"EffectiveHoursOfOperationList": effective, "TimeZone": zone},
            {"InstanceId": INSTANCE, "HoursOfOperationId": HOURS, **between},
        )

    def opens(self, now: datetime = NOW, language: str = "en", queue: str = QUEUE) -> str:
        sent = event(queue, language=language, sentence="Back {opens}!")
        answer = queue_hours(self.hours, sent, now, SPOKEN)
        opens = answer["opens"]
        known = {"known": "yes", "opens": opens, "sentence": f"Back {opens}!"}
        assert answer == (UNKNOWN if opens == "none" else known)
        return opens


@pytest.mark.parametrize(
    ("effective", "zone", "said"),
    [
        (days(d15=OFFICE, d16=OFFICE), "UTC", "tomorrow at 9 AM"),
        (days(d15=[(9, 0, 12, 0), (20, 15, 22, 0)]), "UTC", "today at 8:15 PM"),
        (days(d15=OFFICE, d18=[(0, 0, 12, 0)]), "UTC", "on Monday at 12 AM"),
        (days(d15=OFFICE, d21=[(12, 0, 13, 0)]), "UTC", "on Thursday at 12 PM"),
        (days(d15=OFFICE, d22=OFFICE), "UTC", "none"),
        (days(d15=OFFICE), "UTC", "none"),
        ([{"Date": "2027-01-16"}], "UTC", "none"),
        (days(d16=OFFICE), "Pacific/Auckland", "today at 9 AM"),
        (days(d16=OFFICE), "No/Where", "none"),
    ],
)
def test_the_next_opening_is_said_in_the_queues_own_time(effective: list[Any], zone: str, said: str) -> None:
    connect = Connect()
    connect.answers(effective, zone)
    assert connect.opens() == said


def test_what_connect_said_is_kept_for_some_minutes() -> None:
    connect = Connect()
    connect.answers(days(d16=OFFICE))
    assert connect.opens() == "tomorrow at 9 AM"
    assert connect.opens(NOW + timedelta(seconds=KEPT_S - 1)) == "tomorrow at 9 AM"
    connect.answers(days(d16=[(10, 0, 17, 0)]))
    assert connect.opens(NOW + timedelta(seconds=KEPT_S)) == "tomorrow at 10 AM"


def test_no_more_queues_are_kept_than_there_is_room_for() -> None:
    connect = Connect()
    connect.answers(days(d16=OFFICE))
    connect.opens()
    kept = connect.hours._kept[QUEUE]
    connect.hours._kept = {f"queue-{number}": kept for number in range(KEPT_QUEUES)}
    connect.answers(days(d16=OFFICE))
    connect.opens()
    assert list(connect.hours._kept) == [QUEUE]


@pytest.mark.parametrize("code", ["TooManyRequestsException", "AccessDeniedException"])
def test_a_refusal_is_not_known_and_no_failure(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    connect = Connect()
    connect.stub.add_client_error("describe_queue", code)
    assert connect.opens() == "none"
    assert "hours_unknown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("effective", "said"),
    [
        (days(d16=OFFICE), "mañana a las 9"),
        (days(d15=[(20, 15, 22, 0)]), "hoy a las 20:15"),
        (days(d18=[(13, 5, 17, 0)]), "el lunes a las 13:05"),
    ],
)
def test_it_is_said_in_the_language_of_the_flow(effective: list[Any], said: str) -> None:
    connect = Connect()
    connect.answers(effective)
    assert connect.opens(language="es") == said


def test_a_flow_of_the_previous_release_names_no_language_and_sends_no_sentence() -> None:
    connect = Connect()
    connect.answers(days(d16=OFFICE))
    answer = queue_hours(connect.hours, event(), NOW, SPOKEN)
    assert answer == {"known": "yes", "opens": "tomorrow at 9 AM", "sentence": "none"}


@pytest.mark.parametrize("queue", ["none", ""])
def test_without_a_queue_nothing_is_asked(queue: str) -> None:
    assert Connect().opens(queue=queue) == "none"
    assert queue_hours(Connect().hours, {}, NOW, SPOKEN) == UNKNOWN


def test_a_deployment_that_tells_no_language_knows_no_time() -> None:
    assert queue_hours(Connect().hours, event(), NOW, Times.of("{}")) == UNKNOWN
