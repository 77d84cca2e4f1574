"""A session up to its Welcome, at the stand-in for Deepgram's Voice Agent."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator

import pytest

from operations.doctor.welcome import welcome
from operations.errors import DeepgramUnusable
from simulator.deepgram.access import LOCAL_KEY, Access
from simulator.deepgram.scripted import ScriptedMind, scripted_brain
from simulator.deepgram.server import DeepgramServer, Options

PATH = "/v1/agent/converse"


def options(access: Access | None = None) -> Options:
    return Options(brain=lambda: scripted_brain(ScriptedMind([])), access=access or Access())


@pytest.mark.wall_clock
async def test_a_good_key_opens_a_session_and_sends_nothing() -> None:
    async with DeepgramServer(options()) as server:
        await asyncio.to_thread(welcome, server.url + PATH, LOCAL_KEY)
        assert len(server.sessions) == 1


@pytest.mark.wall_clock
async def test_a_refused_key_has_its_status_and_is_not_told() -> None:
    async with DeepgramServer(options()) as server:
        with pytest.raises(DeepgramUnusable) as refused:
            await asyncio.to_thread(welcome, server.url + PATH, "a-wrong-key")
        assert refused.value.status == 401
        assert "a-wrong-key" not in str(refused.value)


def test_an_endpoint_that_is_not_there_is_no_connection() -> None:
    with pytest.raises(DeepgramUnusable, match="no connection"):
        welcome("ws://127.0.0.1:9", "key")


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by its base
        """Nothing."""


@pytest.fixture
def web_page() -> Iterator[int]:
    """A server that knows nothing of WebSockets."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_something_else_at_the_endpoint_is_told_by_its_status(web_page: int) -> None:
    with pytest.raises(DeepgramUnusable) as refused:
        welcome(f"ws://127.0.0.1:{web_page}", "key")
    assert refused.value.status == 404
