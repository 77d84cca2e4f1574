from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.clock import LoopClock
from gateway.telemetry import bounds
from gateway.telemetry.bounds import Bound
from gateway.voice_agent import messages as m
from gateway.voice_agent import session as module
from gateway.voice_agent.connection import Connection
from gateway.voice_agent.errors import Unreachable, UpgradeRefused
from gateway.voice_agent.protocol import State
from gateway.voice_agent.session import AgentAudio, SessionEvent, VoiceAgentSession
from gateway.voice_agent.treatment import SessionEnded
from tests.gateway.voice_agent.fakes import FakeConnection, FakeConnector

SETTINGS: dict[str, object] = {"audio": {}, "agent": {}}
WELCOME = {"type": "Welcome", "request_id": "r1"}
APPLIED = {"type": "SettingsApplied"}
FRAME = bytes(160)


def session_over(connector: FakeConnector) -> VoiceAgentSession:
    return VoiceAgentSession(connector, SETTINGS, LoopClock(1_700_000_000_000))


async def take(events: AsyncIterator[SessionEvent], count: int) -> list[SessionEvent]:
    return [await anext(events) for _ in range(count)]


async def rest(events: AsyncIterator[SessionEvent]) -> list[SessionEvent]:
    return [event async for event in events]


async def the_end(session: VoiceAgentSession) -> SessionEnded:
    last = (await rest(session.events()))[-1]
    assert isinstance(last, SessionEnded)
    return last


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def running(
    connection: FakeConnection,
) -> AsyncIterator[tuple[VoiceAgentSession, AsyncIterator[SessionEvent]]]:
    """A session after SettingsApplied."""
    session = session_over(FakeConnector(connection))
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        events = session.events()
        connection.deliver(WELCOME)
        assert await take(events, 2) == [m.Welcome("r1"), m.SettingsApplied()]
        yield session, events
        session.close()


async def test_settings_go_out_after_welcome_and_then_messages_and_audio_travel_both_ways() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (session, events):
        assert connection.sent == ['{"type":"Settings","audio":{},"agent":{}}']
        assert (session.state, session.request_id, session.ends_at_ms) == (State.APPLIED, "r1", None)
        assert session.send_audio(FRAME)
        assert session.send(m.ForceEndTurn())
        connection.deliver({"type": "ConversationText", "role": "assistant", "content": "Hello."}, b"\x01\x02", b"")
        assert await take(events, 2) == [m.ConversationText("assistant", "Hello."), AgentAudio(b"\x01\x02")]
        await asyncio.sleep(0.1)
        assert connection.types == ["Settings", "ForceEndTurn", "audio"]


async def test_messages_sent_before_settings_are_applied_go_out_afterwards() -> None:
    connection = FakeConnection()
    session = session_over(FakeConnector(connection))
    assert session.send(m.InjectUserMessage("Hello?"))
    assert not session.send_audio(FRAME)
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        connection.deliver(WELCOME)
        await asyncio.sleep(1)
        assert connection.types == ["Settings"]
        connection.deliver(APPLIED)
        await asyncio.sleep(1)
        assert connection.types == ["Settings", "InjectUserMessage"]
        assert session.counts.audio_before_applied == 160
        session.close()


async def test_without_a_welcome_settings_go_out_after_one_second() -> None:
    connection = FakeConnection()
    session = session_over(FakeConnector(connection))
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        await asyncio.sleep(0.99)
        assert connection.sent == []
        await asyncio.sleep(0.02)
        assert connection.types == ["Settings"]
        session.close()


async def test_silence_of_ours_brings_keepalives_for_two_hours() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection):
        await asyncio.sleep(7_200 + 1)
    assert connection.types == ["Settings"] + ["KeepAlive"] * 1440


async def test_audio_every_twenty_milliseconds_needs_no_keepalive() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (session, _):
        for _ in range(1_000):
            session.send_audio(FRAME)
            await asyncio.sleep(0.02)
        assert connection.types == ["Settings"] + ["audio"] * 1_000


async def test_no_settings_applied_within_ten_seconds_ends_it_and_closes_the_socket() -> None:
    connection = FakeConnection()
    session = session_over(FakeConnector(connection))
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        connection.deliver(WELCOME)
        ended = await the_end(session)
    assert ended.code == "HANDSHAKE_TIMEOUT"
    assert now() == pytest.approx(10)
    assert connection.closed


async def test_an_error_followed_by_a_close_ends_it_with_the_error() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (_, events):
        connection.deliver({"type": "Error", "code": "SERVER_GOING_AWAY", "description": "bye"})
        connection.end(1000)
        error, ended = await rest(events)
        assert error == m.Error("SERVER_GOING_AWAY", "bye")
        assert isinstance(ended, SessionEnded)
        assert (ended.code, ended.close_code) == ("SERVER_GOING_AWAY", 1000)
        assert now() == pytest.approx(0, abs=1e-3)


async def test_an_error_without_a_close_ends_it_one_second_later() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (_, events):
        await asyncio.sleep(3)
        connection.deliver({"type": "Error", "code": "FAILED_TO_SPEAK", "description": ""})
        ended = (await rest(events))[-1]
        assert isinstance(ended, SessionEnded)
        assert ended.code == "FAILED_TO_SPEAK"
        assert now() == pytest.approx(4)


async def test_a_connection_that_breaks_while_sending_ends_it_after_the_error_that_was_still_to_be_read() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (session, events):
        connection.break_sending()
        session.send_audio(FRAME)
        await asyncio.sleep(0.1)
        assert session.state is State.APPLIED
        connection.deliver({"type": "Error", "code": "USER_AUDIO_FORMAT", "description": ""})
        connection.end()
        ended = (await rest(events))[-1]
        assert isinstance(ended, SessionEnded)
        assert ended.code == "USER_AUDIO_FORMAT"


async def test_a_connection_that_breaks_in_one_direction_only_ends_it_all_the_same() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (session, events):
        connection.break_sending()
        session.send_audio(FRAME)
        ended = (await rest(events))[-1]
        assert isinstance(ended, SessionEnded)
        assert ended.code == "SEND_STALLED"


async def test_while_the_socket_stalls_audio_older_than_a_second_is_dropped_and_no_message_is() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (session, _):
        connection.stall()
        for _ in range(100):  # two seconds
            assert session.send_audio(FRAME)
            await asyncio.sleep(0.02)
        assert session.send(m.UpdatePrompt("x"))
        assert session.dropped_bytes == 49 * 160  # one frame is in the socket's hands, fifty wait
        connection.flow()
        await asyncio.sleep(0.1)
        assert connection.types == ["Settings", "audio", "UpdatePrompt"] + ["audio"] * 50


async def test_a_socket_that_takes_nothing_for_ten_seconds_ends_it() -> None:
    connection = FakeConnection(applies=True)
    async with running(connection) as (session, events):
        connection.stall()
        session.send_audio(FRAME)
        ended = (await rest(events))[-1]
        assert isinstance(ended, SessionEnded)
        assert ended.code == "SEND_STALLED"
        assert now() == pytest.approx(10)


async def test_closing_takes_two_seconds_at_most_and_the_end_is_known_at_once() -> None:
    connection = FakeConnection(close_s=60, applies=True)
    async with running(connection) as (session, events):
        session.close()
        (ended,) = await rest(events)
        assert isinstance(ended, SessionEnded)
        assert ended.code == "CLOSED"
        assert now() == pytest.approx(0, abs=1e-3)
    assert now() == pytest.approx(2)
    assert not session.send(m.ForceEndTurn())
    assert not session.send_audio(FRAME)
    assert session.state is State.CLOSED


async def test_a_close_that_hangs_is_left_behind_after_two_seconds_and_logged() -> None:
    with capture_logs() as logged:
        async with running(FakeConnection(close_s=60, applies=True)) as (session, _):
            session.close()
    assert {"event": "session_close_timeout", "log_level": "warning", "request_id": "r1"} in logged
    (ended,) = [line for line in logged if line["event"] == "session_ended"]
    assert (ended["log_level"], ended["code"]) == ("info", "CLOSED")


async def test_after_the_end_the_events_are_over() -> None:
    session = session_over(FakeConnector(Unreachable("gaierror")))
    await session.run()
    events = session.events()
    assert len(await rest(events)) == 1
    assert await rest(events) == []


@pytest.mark.parametrize(
    ("failure", "code"), [(UpgradeRefused(429), "HTTP_429"), (Unreachable("gaierror"), "UNREACHABLE")]
)
async def test_a_failed_opening_is_an_end_like_any_other(failure: Unreachable, code: str) -> None:
    session = session_over(FakeConnector(failure))
    await session.run()
    assert (await the_end(session)).code == code


async def test_an_opening_that_takes_too_long_is_given_up() -> None:
    session = session_over(FakeConnector(FakeConnection(), delay_s=60))
    await session.run()
    ended = await the_end(session)
    assert ended.code == "UNREACHABLE"
    assert now() == pytest.approx(module.OPEN_MS / 1000)


async def test_close_during_the_opening_gives_it_up_at_once() -> None:
    session = session_over(FakeConnector(FakeConnection(), delay_s=5))
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        await asyncio.sleep(1)
        session.close()
        assert (await the_end(session)).code == "CLOSED"
    assert now() == pytest.approx(1)


async def test_a_session_closed_before_it_runs_opens_nothing() -> None:
    connector = FakeConnector(FakeConnection())
    session = session_over(connector)
    session.close()
    await session.run()
    assert (await the_end(session)).code == "CLOSED"
    assert connector.asked == 0


async def test_cancelling_run_closes_the_socket_and_ends_the_events() -> None:
    connection = FakeConnection()
    session = session_over(FakeConnector(connection))
    task = asyncio.create_task(session.run())
    connection.deliver(WELCOME)
    await asyncio.sleep(1)
    task.cancel()
    assert (await the_end(session)).code == "CLOSED"
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.closed


async def test_a_bug_in_the_shell_still_ends_the_events() -> None:
    class Broken(FakeConnection):
        async def recv(self) -> str | bytes:
            raise ZeroDivisionError

    connection = Broken()
    session = session_over(FakeConnector(connection))
    with pytest.raises(ExceptionGroup) as raised:
        await session.run()
    assert raised.group_contains(ZeroDivisionError)
    assert (await the_end(session)).code == "CLOSED"
    assert connection.closed


async def test_a_call_that_does_not_keep_up_stops_the_reading_until_it_has_caught_up() -> None:
    connection = FakeConnection(applies=True)
    bounds.take()
    async with running(connection) as (_, events):
        connection.deliver(*([b"\x01"] * 3 * module.MOST_EVENTS))
        await asyncio.sleep(1)
        unread = len(connection._inbox)
        assert unread == 2 * module.MOST_EVENTS
        await take(events, 3 * module.MOST_EVENTS)
        assert not connection._inbox
    assert bounds.take()[Bound.SESSION_EVENTS.value] >= 1


async def test_one_log_line_tells_the_end_without_a_word_of_the_conversation() -> None:
    connection = FakeConnection(applies=True)
    with capture_logs() as logged:
        async with running(connection) as (_, events):
            said: dict[str, Any] = {"type": "ConversationText", "role": "user", "content": "secret"}
            connection.deliver(said, {"type": "Tomorrow"}, {"type": "History", "role": "secret"})
            connection.deliver({"type": "Error", "code": "INTERNAL_SERVER_ERROR", "description": "secret"})
            connection.end()
            await rest(events)
    (line,) = logged
    assert line == {
        "event": "session_ended",
        "log_level": "warning",
        "request_id": "r1",
        "code": "INTERNAL_SERVER_ERROR",
        "kind": "reconnect",
        "retry": "back-off",
        "unknown": {"Tomorrow": 1},
        "malformed": {"History": 1},
    }


async def test_events_say_nothing_of_the_audio_in_their_repr() -> None:
    assert repr(AgentAudio(b"\x01" * 1000)) == "AgentAudio()"


async def test_settings_that_json_cannot_hold_are_refused_before_anything_is_opened() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        VoiceAgentSession(FakeConnector(FakeConnection()), {"x": float("inf")}, LoopClock(0))


def test_the_fake_is_a_connection() -> None:
    connection: Connection = FakeConnection()
    assert json.dumps(WELCOME)
    assert connection is not None
