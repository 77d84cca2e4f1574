"""The messages of the Voice Agent API as this stand-in reads them. Written apart from the gateway's on purpose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from simulator.deepgram.manners import Manners
from simulator.deepgram.schema import (
    Check,
    Refused,
    Unparsable,
    anything,
    one_of,
    record,
    text,
)
from simulator.deepgram.settings_check import listen_change_schema, settings_schema, speak_schema, think_schema


@dataclass(frozen=True, slots=True)
class Close:
    """The end of the connection. `code` None: TCP drops without a close frame; 1005: a close frame without a status."""

    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeepAlive:
    pass


@dataclass(frozen=True, slots=True)
class InjectUserMessage:
    content: str


@dataclass(frozen=True, slots=True)
class InjectAgentMessage:
    message: str
    behavior: str
    """`default`, `queue` or `interrupt`."""


@dataclass(frozen=True, slots=True)
class FunctionCallResponse:
    call_id: str
    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Update:
    """UpdatePrompt, UpdateThink, UpdateSpeak or UpdateListen: `block` is `prompt`, `think`, `speak` or `listen`."""

    block: str
    value: Any


@dataclass(frozen=True, slots=True)
class ForceEndTurn:
    pass


@dataclass(frozen=True, slots=True)
class CustomToThink:
    """For a think endpoint that is a WebSocket; this stand-in has none and ignores it."""


ClientMessage = (
    Settings
    | KeepAlive
    | InjectUserMessage
    | InjectAgentMessage
    | FunctionCallResponse
    | Update
    | ForceEndTurn
    | CustomToThink
)

_NO_FORMAT: Final = "Error parsing client message. The message did not match any of the expected formats."
_behavior = one_of("default", "queue", "interrupt")


def _schemas(manners: Manners) -> dict[str, Check]:
    return {
        "Settings": settings_schema(manners),
        "KeepAlive": record({"type": text}),
        "InjectUserMessage": record({"type": text, "content": text}),
        "InjectAgentMessage": record({"type": text, "message": text}, {"behavior": _behavior}),
        # Without an id it is refused; whether the service does so is unconfirmed.
        "FunctionCallResponse": record({"type": text, "id": text, "name": text, "content": text}),
        "UpdatePrompt": record({"type": text, "prompt": text}),
        "UpdateThink": record({"type": text, "think": think_schema(manners)}),
        "UpdateSpeak": record({"type": text, "speak": speak_schema}),
        "UpdateListen": record({"type": text, "listen": listen_change_schema}),
        "ForceEndTurn": record({"type": text}),
        "__customToThinkProvider": record({"type": text, "content": anything}),
    }


class Reader:
    """Text frames to messages, as strictly as the service reads them."""

    def __init__(self, manners: Manners) -> None:
        self._schemas = _schemas(manners)

    def read(self, frame: str) -> ClientMessage:
        """One text frame.

        Raises:
            Refused: code UNPARSABLE_CLIENT_MESSAGE.
        """
        try:
            body = json.loads(frame)
        except (ValueError, RecursionError):
            body = None
        kind = body.get("type") if isinstance(body, dict) else None
        if not isinstance(kind, str) or kind not in self._schemas:
            raise Refused("UNPARSABLE_CLIENT_MESSAGE", _NO_FORMAT)
        try:
            self._schemas[kind](body, "")
        except Unparsable as fault:
            raise fault if fault.path else Unparsable("", kind) from None
        return _message(kind, body)


def _message(kind: str, body: dict[str, Any]) -> ClientMessage:
    match kind:
        case "Settings":
            return Settings(body)
        case "InjectUserMessage":
            return InjectUserMessage(body["content"])
        case "InjectAgentMessage":
            return InjectAgentMessage(body["message"], body.get("behavior", "default"))
        case "FunctionCallResponse":
            return FunctionCallResponse(body["id"], body["name"], body["content"])
        case "UpdatePrompt" | "UpdateThink" | "UpdateSpeak" | "UpdateListen":
            block = kind.removeprefix("Update").lower()
            return Update(block, body[block])
        case "KeepAlive":
            return KeepAlive()
        case "ForceEndTurn":
            return ForceEndTurn()
        case _:
            return CustomToThink()


def write(kind: str, **fields: Any) -> str:
    """A server message; ASCII only, so that no half of a surrogate pair can spoil the frame."""
    return json.dumps({"type": kind, **fields})
