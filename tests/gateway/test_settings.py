from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import DEEPGRAM_URL, BadSetting, read

NEEDED = {
    "TABLE_NAME": "table",
    "WAKEUP_QUEUE_URL": "https://sqs/wakeups",
    "CLIP_BUCKET": "clips",
    "AWS_REGION": "eu-central-1",
    "DEEPGRAM_SECRET_ARN": "arn:secret",
    "CONNECT_INSTANCE_ID": "i-1",
}


def test_what_is_needed_is_enough() -> None:
    settings = read(NEEDED, "task-1")
    assert (settings.table, settings.owner, settings.calls) == ("table", "task-1", 40)
    assert settings.agents == Path("agents")
    assert settings.deepgram_url == DEEPGRAM_URL
    assert (settings.queue_arns, settings.function_arns) == ({}, {})
    assert settings.release == "development"


def test_everything_can_be_set() -> None:
    settings = read(
        {
            **NEEDED,
            "AGENTS_DIR": "/agents",
            "QUEUE_ARNS": '{"support": "arn:q"}',
            "FUNCTION_ARNS": '{"look_up": "arn:f"}',
            "DEEPGRAM_URL": "ws://localhost",
            "CALLS_PER_TASK": "7",
            "RELEASE": "r1",
        },
        "task-1",
    )
    assert settings.agents == Path("/agents")
    assert (settings.queue_arns, settings.function_arns) == ({"support": "arn:q"}, {"look_up": "arn:f"})
    assert (settings.deepgram_url, settings.calls, settings.release) == ("ws://localhost", 7, "r1")


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    settings = read({**NEEDED, "DEEPGRAM_URL": "", "AGENTS_DIR": "", "RELEASE": "", "QUEUE_ARNS": ""}, "t")
    assert settings.deepgram_url == DEEPGRAM_URL
    assert settings.agents == Path("agents")
    assert settings.release == "development"
    assert settings.queue_arns == {}


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in NEEDED.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(BadSetting) as caught:
        read(environment, "t")
    assert caught.value.name == name
    assert name in str(caught.value)
    assert ("it is not set" in str(caught.value)) is (value is None)


@pytest.mark.parametrize("calls", ["0", "1001", "many", "-1", "1.5"])
def test_a_number_of_calls_has_bounds(calls: str) -> None:
    with pytest.raises(BadSetting, match="from 1 to 1000"):
        read({**NEEDED, "CALLS_PER_TASK": calls}, "t")


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"a": 1}'])
def test_a_map_of_arns_is_a_map_of_strings(text: str) -> None:
    with pytest.raises(BadSetting, match="QUEUE_ARNS"):
        read({**NEEDED, "QUEUE_ARNS": text}, "t")
