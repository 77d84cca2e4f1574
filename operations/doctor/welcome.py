"""A Voice Agent session up to its Welcome, the first message of the server (Deepgram, Voice Agent API)."""

from __future__ import annotations

import json

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from operations.errors import DeepgramUnusable

OPEN_S = 8.0
WELCOME_S = 5.0


def welcome(url: str, key: str) -> None:
    """Open, wait for Welcome, close; blocks for some seconds at most.

    Raises:
        DeepgramUnusable: no session, with the HTTP status where there was one.
    """
    headers = {"Authorization": f"Token {key}"}
    try:
        with connect(url, additional_headers=headers, open_timeout=OPEN_S, close_timeout=1, proxy=None) as socket:
            first = socket.recv(timeout=WELCOME_S)
    except InvalidStatus as invalid:
        status = invalid.response.status_code
        raise DeepgramUnusable(f"the key was refused with HTTP {status}", status) from None
    except ConnectionClosed:
        raise DeepgramUnusable("the connection was closed before its Welcome") from None
    except TimeoutError:
        raise DeepgramUnusable(f"no Welcome within {WELCOME_S:.0f} s") from None
    except (OSError, InvalidHandshake, ValueError) as error:
        # Without the cause: its traceback holds the key.
        raise DeepgramUnusable(f"no connection ({type(error).__name__})") from None
    if _type(first) != "Welcome":
        raise DeepgramUnusable("its first message was not Welcome")


def _type(message: str | bytes) -> str:
    try:
        parsed = json.loads(message)
    except ValueError:
        return ""
    return str(parsed.get("type", "")) if isinstance(parsed, dict) else ""
