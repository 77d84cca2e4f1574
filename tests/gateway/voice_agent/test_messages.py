from __future__ import annotations

import json
import math

import pytest

from gateway.voice_agent.messages import (
    ConversationText,
    ForceEndTurn,
    FunctionCall,
    FunctionCallResponse,
    InjectAgentMessage,
    InjectBehavior,
    InjectUserMessage,
    KeepAlive,
    Settings,
    UpdateListen,
    UpdatePrompt,
    UpdateSpeak,
    UpdateThink,
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (KeepAlive(), '{"type":"KeepAlive"}'),
        (ForceEndTurn(), '{"type":"ForceEndTurn"}'),
        (InjectUserMessage("One."), '{"type":"InjectUserMessage","content":"One."}'),
        (InjectAgentMessage("Wait."), '{"type":"InjectAgentMessage","message":"Wait."}'),
        (
            InjectAgentMessage("Wait.", InjectBehavior.QUEUE),
            '{"type":"InjectAgentMessage","message":"Wait.","behavior":"queue"}',
        ),
        (
            FunctionCallResponse("c1", "find", '{"a":1}'),
            '{"type":"FunctionCallResponse","id":"c1","name":"find","content":"{\\"a\\":1}"}',
        ),
        (UpdatePrompt("More."), '{"type":"UpdatePrompt","prompt":"More."}'),
        (UpdateThink({"prompt": "P"}), '{"type":"UpdateThink","think":{"prompt":"P"}}'),
        (UpdateThink([{"prompt": "P"}]), '{"type":"UpdateThink","think":[{"prompt":"P"}]}'),
        (UpdateSpeak({"provider": {}}), '{"type":"UpdateSpeak","speak":{"provider":{}}}'),
        (UpdateListen({"provider": {}}), '{"type":"UpdateListen","listen":{"provider":{}}}'),
        (Settings({"agent": {}, "type": "Else"}), '{"type":"Settings","agent":{}}'),
        (UpdatePrompt("Grüezi, 你好"), '{"type":"UpdatePrompt","prompt":"Grüezi, 你好"}'),
    ],
)
def test_every_client_message_is_written_exactly(message: KeepAlive, expected: str) -> None:
    assert message.to_json() == expected


def test_a_lone_surrogate_becomes_a_question_mark_as_the_socket_could_not_carry_it() -> None:
    content = json.loads('"half a pair: \\ud83d"')
    assert FunctionCallResponse("c1", "f", content).to_json().encode().endswith(b'"content":"half a pair: ?"}')


def test_a_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Settings({"temperature": math.nan}).to_json()


def test_what_was_said_or_looked_up_is_in_no_repr() -> None:
    for message in (
        ConversationText("user", "secret"),
        FunctionCall("c1", "f", "secret"),
        FunctionCallResponse("c1", "f", "secret"),
        InjectUserMessage("secret"),
        UpdatePrompt("secret"),
    ):
        assert "secret" not in repr(message)
