"""Records in S3 and events that point to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator

from contract.announcement import Kind, Told, event, record, record_key, record_prefix
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from gateway.announcing import AwsAnnouncer, NobodyToTell
from tests.contract.samples import T0, a_call

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples" / "events"
TOLD = Told(Kind.HANDED_OVER, T0 + 42_000, "transferred", "transfer_to_human", "orders", "Card 4111 1111 1111 1111.")
TURNS = (
    Turn(2, Role.VOICE_AGENT, "Hello there.", T0, heard_text="Hello", interrupted=True),
    Turn(1, Role.CALLER, "My order.", T0),
    Turn(3, Role.VOICE_AGENT, "", T0),
)
ENTRY = FunctionEntry("k", "look_up", {"pin": "(withheld)"}, FunctionState.FINISHED, T0, T0 + 70, '{"a": 1}')
OPEN = FunctionEntry("k2", "book", {}, FunctionState.ENTERED, T0)


class Aws:
    """S3 and EventBridge; what was done, in order."""

    def __init__(self, failing: str = "") -> None:
        self.done: list[tuple[str, Mapping[str, Any]]] = []
        self._failing = failing

    def put_object(self, **asked: Any) -> None:
        if self._failing == "put":
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        self.done.append(("put", asked))

    def put_events(self, **asked: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
        if self._failing == "event":
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        self.done.append(("event", asked["Entries"][0]))
        return {"FailedEntryCount": 0}


async def _run(call: Callable[[], Any]) -> Any:
    return call()


def announcer(aws: Aws) -> AwsAnnouncer:
    return AwsAnnouncer(aws, aws, "records", "bus", _run)  # type: ignore[arg-type]


async def test_the_record_is_there_before_anybody_is_told_of_it() -> None:
    aws = Aws()
    await announcer(aws).tell(a_call(), TOLD, TURNS, [ENTRY], 30)
    [(first, put), (second, told)] = aws.done
    assert (first, second) == ("put", "event")
    assert (put["Bucket"], put["Key"], put["Tagging"]) == ("records", record_key(a_call()), "keep-days=30")
    assert put["Key"].startswith(record_prefix(a_call().contact_id))
    assert (told["Source"], told["DetailType"], told["EventBusName"]) == (
        "connect-voice-agent",
        "call.handed_over",
        "bus",
    )
    assert json.loads(told["Detail"])["record"] == {"bucket": "records", "key": put["Key"]}


def test_the_record_holds_what_was_heard_and_no_card() -> None:
    kept = record(a_call(), TOLD, TURNS, [ENTRY, OPEN])
    assert [(turn["role"], turn["text"]) for turn in kept["turns"]] == [
        ("caller", "My order."),
        ("voice_agent", "Hello"),
    ]
    assert kept["summary"] == "Card (card number)."
    assert [(each["name"], each["outcome"], each["took_ms"]) for each in kept["functions"]] == [
        ("look_up", "finished", 70),
        ("book", "entered", 0),
    ]
    assert kept["functions"][0]["arguments"] == {"pin": "(withheld)"}


def test_the_event_holds_no_word_of_the_conversation_and_keeps_its_schema() -> None:
    schema = json.loads((EXAMPLES / "call.schema.json").read_text())
    detail = event(a_call(), TOLD, "records")
    Draft202012Validator(schema).validate(detail)
    assert not [word for word in ("Card", "order.", "Hello") if word in json.dumps(detail)]
    example = json.loads((EXAMPLES / "call.handed_over.json").read_text())
    Draft202012Validator(schema).validate(example["detail"])
    assert set(example["detail"]) == set(detail)


@pytest.mark.parametrize("failing", ["put", "event"])
async def test_what_fails_is_no_callers_failure(failing: str) -> None:
    aws = Aws(failing)
    await announcer(aws).tell(a_call(), TOLD, (), (), 30)
    assert [what for what, _ in aws.done] == ([] if failing == "put" else ["put"]), (
        "nobody is told of what is not there"
    )


async def test_nobody_is_told_where_nothing_is_configured() -> None:
    await NobodyToTell().tell(a_call(), TOLD, (), (), 30)


async def test_a_record_can_be_kept_before_anybody_is_told() -> None:
    aws = Aws()
    await announcer(aws).keep(a_call(), TOLD, TURNS, [ENTRY], 30)
    assert [what for what, _ in aws.done] == ["put"]
    await NobodyToTell().keep(a_call(), TOLD, (), (), 30)
