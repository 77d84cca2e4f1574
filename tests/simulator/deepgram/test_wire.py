from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.deepgram.manners import PESSIMISTIC
from simulator.deepgram.schema import Refused
from simulator.deepgram.wire import (
    CustomToThink,
    ForceEndTurn,
    FunctionCallResponse,
    InjectAgentMessage,
    InjectUserMessage,
    KeepAlive,
    Reader,
    Settings,
    Update,
)
from tests.simulator.deepgram.driver import SETTINGS

READER = Reader(PESSIMISTIC)
VOICE = {"provider": {"type": "deepgram", "model": "aura-2"}}
THINK = {"provider": {"type": "open_ai", "model": "m"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (SETTINGS, Settings(SETTINGS)),
        ({"type": "KeepAlive"}, KeepAlive()),
        ({"type": "InjectUserMessage", "content": "a"}, InjectUserMessage("a")),
        ({"type": "InjectAgentMessage", "message": "a"}, InjectAgentMessage("a", "default")),
        ({"type": "InjectAgentMessage", "message": "a", "behavior": "queue"}, InjectAgentMessage("a", "queue")),
        (
            {"type": "FunctionCallResponse", "id": "a", "name": "b", "content": "c"},
            FunctionCallResponse("a", "b", "c"),
        ),
        ({"type": "UpdatePrompt", "prompt": "p"}, Update("prompt", "p")),
        ({"type": "UpdateThink", "think": [THINK]}, Update("think", [THINK])),
        ({"type": "UpdateSpeak", "speak": VOICE}, Update("speak", VOICE)),
        ({"type": "UpdateListen", "listen": {"provider": {}}}, Update("listen", {"provider": {}})),
        ({"type": "ForceEndTurn"}, ForceEndTurn()),
        ({"type": "__customToThinkProvider", "content": None}, CustomToThink()),
    ],
)
def test_every_client_message_is_read(body: dict[str, Any], message: object) -> None:
    assert READER.read(json.dumps(body)) == message


@pytest.mark.parametrize("frame", ["", "not json", "[]", "7", "null", "{}", '{"type":7}', '{"type":"Close"}'])
def test_what_is_no_message_at_all_matches_no_format(frame: str) -> None:
    with pytest.raises(Refused) as caught:
        READER.read(frame)
    assert caught.value.code == "UNPARSABLE_CLIENT_MESSAGE"
    assert "expected formats" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "KeepAlive", "extra": 1},
        {"type": "InjectUserMessage"},
        {"type": "InjectUserMessage", "content": 1},
        {"type": "InjectAgentMessage", "content": "the old field"},
        {"type": "InjectAgentMessage", "message": "a", "behavior": "shout"},
        {"type": "UpdatePrompt", "prompt": None},
        {"type": "UpdateThink", "think": "x"},
        {"type": "UpdateListen", "listen": {}},
        {"type": "ForceEndTurn", "now": True},
    ],
)
def test_a_message_that_is_not_to_the_letter_is_refused_by_name(body: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="UNPARSABLE_CLIENT_MESSAGE"):
        READER.read(json.dumps(body))
