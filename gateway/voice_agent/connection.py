"""The seam between a session and its socket, and the socket itself: `websockets` for asyncio.

A session knows `Connection` and `Connector` only; tests and the simulator bring their own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import ssl
from typing import Any, Final
from typing import Protocol as Interface

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.http11 import Response
from websockets.uri import parse_uri

from gateway.telemetry.bounds import Bound, reached
from gateway.voice_agent.errors import NO_CLOSE_FRAME, ConnectionEnded, KeyUnavailable, Unreachable, UpgradeRefused

GLOBAL_URL: Final = "wss://agent.deepgram.com/v1/agent/converse"
OPEN_S: Final = 5.0
KEY_S: Final = 5.0
CLOSE_S: Final = 1.5
PING_S: Final = 10.0  # a dead path shows after 20 s at the latest, without one frame of the protocol
WRITE_LIMIT: Final = 4_096  # half a second of µ-law; beyond it `send` waits, and the session sees the stall
# The kernel takes minutes of µ-law before it makes anybody wait, unless it is told not to.
SEND_BUFFER: Final = 32_768
MAX_FRAME_BYTES: Final = 8 * 1024 * 1024  # a quarter of an hour of speech; how large the frames get is not documented
TOO_BIG: Final = 1009  # RFC 6455, section 7.4.1

# At its DEBUG level `websockets` logs request headers, the key among them, and frames, hence what was said. A logger
# with a level of its own stays quiet whatever the root logger is set to.
_quiet = logging.getLogger("gateway.voice_agent.websocket")
_quiet.setLevel(logging.WARNING)

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEY = re.compile(r"[!-~]{1,512}")  # visible ASCII: it becomes a header


class Connection(Interface):
    """One open socket. One task sends and one receives at a time."""

    async def send(self, frame: str | bytes) -> None:
        """Send one text or binary frame; waits while the socket is full. Raises ConnectionEnded."""
        ...

    async def recv(self) -> str | bytes:
        """The next frame. Raises ConnectionEnded."""
        ...

    async def close(self) -> None:
        """Close, within two seconds; closing twice changes nothing. Raises nothing."""
        ...


class Connector(Interface):
    """Opens connections; one for all sessions of a gateway."""

    async def connect(self) -> Connection:
        """Open one connection.

        Raises:
            ConnectionFailed: KeyUnavailable, UpgradeRefused or Unreachable.
        """
        ...


class KeySource(Interface):
    """Where the API key comes from."""

    async def __call__(self, *, fresh: bool) -> str:
        """The key. `fresh`: a key from a cache was refused, so read it where it is kept.

        Raises:
            KeyUnavailable: it cannot be read.
        """
        ...


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """Follow no redirect: the API key goes where it was meant to go and nowhere else."""
        return exc


class WebSocketConnection:
    """`Connection` over a `websockets` client connection."""

    def __init__(self, socket_: ClientConnection, close_s: float) -> None:
        self._socket = socket_
        self._close_s = close_s

    async def send(self, frame: str | bytes) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def recv(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def close(self) -> None:
        # `websockets` bounds the closing handshake, but not the wait for room to write the close frame.
        try:
            async with asyncio.timeout(self._close_s):
                await self._socket.close()
        except TimeoutError:
            self._socket.transport.abort()


class WebSocketConnector:
    """Opens sessions at one URL with one TLS context. No `repr` and no exception of it holds the key."""

    def __init__(
        self,
        url: str,
        key_source: KeySource,
        *,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        open_s: float = OPEN_S,
        key_s: float = KEY_S,
        close_s: float = CLOSE_S,
    ) -> None:
        """`url`: ws or wss, without a query, as the service knows none.

        `proxy` is None unless it is given here: proxy variables in the environment are meant for the AWS SDK, and
        caller audio must not take a detour by accident. A TLS context costs 20 ms and file reads: it is made here,
        once, so make the connector before the first call comes.

        Raises:
            websockets.exceptions.InvalidURI: `url` is no WebSocket URL.
        """
        secure = parse_uri(url).secure
        self._url = url
        self._key_source = key_source
        self._tls: dict[str, Any] = {"ssl": ssl_context or ssl.create_default_context()} if secure else {}
        self._proxy = proxy
        self._open_s = open_s
        self._key_s = key_s
        self._close_s = close_s

    def __repr__(self) -> str:
        return f"WebSocketConnector({self._url!r})"

    async def connect(self) -> WebSocketConnection:
        """Open one connection; a 401 reads the key afresh and tries a changed one at once.

        Raises:
            KeyUnavailable, UpgradeRefused, Unreachable
        """
        key = await self._key(fresh=False)
        try:
            return await self._open(key)
        except UpgradeRefused as refused:
            if refused.status != 401:
                raise
            newer = await self._key(fresh=True)
            if newer == key:
                raise
        return await self._open(newer)

    async def _key(self, fresh: bool) -> str:
        try:
            async with asyncio.timeout(self._key_s):
                key = (await self._key_source(fresh=fresh)).strip()  # secrets often end in a line feed
        except TimeoutError:
            raise KeyUnavailable(f"not read within {self._key_s:g} s") from None
        if not _KEY.fullmatch(key):
            raise KeyUnavailable(f"expected 1 to 512 visible ASCII characters, found {len(key)} characters")
        return key

    async def _open(self, key: str) -> WebSocketConnection:
        try:
            opened = await _Connect(
                self._url,
                **self._tls,
                additional_headers={"Authorization": f"Token {key}"},
                user_agent_header="connect-voice-agent",
                compression=None,  # G.711 does not shrink, and each deflate context costs memory
                proxy=self._proxy,
                open_timeout=self._open_s,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                close_timeout=self._close_s,
                max_size=MAX_FRAME_BYTES,
                write_limit=WRITE_LIMIT,
                logger=_quiet,
            )
        except InvalidStatus as invalid:
            raise _refused(invalid.response) from None
        except (OSError, TimeoutError, InvalidHandshake) as failure:
            # Without the cause: its traceback holds frames with the key in them.
            raise Unreachable(type(failure).__name__) from None
        _limit_send_buffer(opened)
        return WebSocketConnection(opened, self._close_s)


def _limit_send_buffer(opened: ClientConnection) -> None:
    opened.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)


def _ended(closed: ConnectionClosed) -> ConnectionEnded:
    if closed.sent is not None and closed.sent.code == TOO_BIG:
        reached(Bound.SESSION_FRAME)
    if closed.rcvd is None:
        return ConnectionEnded(NO_CLOSE_FRAME)
    return ConnectionEnded(closed.rcvd.code, closed.rcvd.reason)


def _refused(response: Response) -> UpgradeRefused:
    """The general error page shows bodies of `{"err_code", "err_msg", "request_id"}`; that the agent's upgrade
    answers with them is unconfirmed, so nothing depends on it."""
    try:
        body = json.loads(response.body or b"")
    except (ValueError, RecursionError):
        body = {}
    fields = body if isinstance(body, dict) else {}
    headers = response.headers
    return UpgradeRefused(
        response.status_code,
        _code(fields.get("err_code")),
        _code(fields.get("request_id")) or _code(headers.get("dg-request-id")),
        _milliseconds(headers.get("Retry-After", "")),
    )


def _code(value: object) -> str:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def _milliseconds(seconds: str) -> int:
    """Retry-After as seconds; its form as a date is not worth a clock comparison and counts as absent."""
    return int(seconds) * 1000 if seconds.isdecimal() and len(seconds) < 6 else 0
