from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.voice_agent import messages as m
from gateway.voice_agent import treatment
from gateway.voice_agent.errors import KeyUnavailable, Unreachable, UpgradeRefused
from gateway.voice_agent.protocol import Protocol, State
from gateway.voice_agent.treatment import Kind, Retry

T = 1_700_000_000_000
SETTINGS: dict[str, object] = {"audio": {}, "agent": {}}
SETTINGS_TEXT = '{"type":"Settings","audio":{},"agent":{}}'
WELCOME = {"type": "Welcome", "request_id": "r1"}
APPLIED = {"type": "SettingsApplied"}


def receive(protocol: Protocol, message: dict[str, Any], at: int = T) -> m.ServerMessage | None:
    return protocol.receive_text(json.dumps(message), at)


def frames(protocol: Protocol, at: int = T) -> list[str | bytes]:
    found = []
    while (frame := protocol.next_frame(at)) is not None:
        found.append(frame)
        protocol.frame_sent()
    return found


def over(protocol: Protocol) -> bool:
    return protocol.ended is not None


def state_of(protocol: Protocol) -> State:
    return protocol.state


def opened() -> Protocol:
    protocol = Protocol(SETTINGS)
    protocol.opened(T)
    return protocol


def applied() -> Protocol:
    protocol = opened()
    receive(protocol, WELCOME)
    assert frames(protocol) == [SETTINGS_TEXT]
    receive(protocol, APPLIED)
    assert state_of(protocol) is State.APPLIED
    return protocol


# ---- handshake ----


def test_before_the_socket_is_open_nothing_is_due_and_nothing_is_sent() -> None:
    protocol = Protocol(SETTINGS)
    protocol.timeout(T + 100_000)
    assert protocol.next_deadline_ms() is None
    assert protocol.next_frame(T + 100_000) is None
    assert not over(protocol)


def test_settings_follow_welcome_once() -> None:
    protocol = opened()
    assert frames(protocol) == []
    assert receive(protocol, WELCOME) == m.Welcome("r1")
    assert (protocol.state, protocol.request_id) == (State.WELCOMED, "r1")
    assert frames(protocol) == [SETTINGS_TEXT]
    assert frames(protocol) == []
    assert receive(protocol, APPLIED) == m.SettingsApplied()
    assert frames(protocol) == []


def test_a_missing_welcome_delays_settings_by_one_second() -> None:
    protocol = opened()
    assert protocol.next_deadline_ms() == T + 1_000
    assert frames(protocol, T + 999) == []
    protocol.timeout(T + 1_000)
    assert frames(protocol, T + 1_000) == [SETTINGS_TEXT]
    assert receive(protocol, APPLIED, T + 1_100) == m.SettingsApplied()
    assert receive(protocol, WELCOME, T + 1_200) == m.Welcome("r1")
    assert (protocol.state, protocol.request_id) == (State.APPLIED, "r1")


def test_a_second_welcome_and_an_unasked_settings_applied_are_counted_and_skipped() -> None:
    protocol = opened()
    assert receive(protocol, APPLIED) is None
    assert state_of(protocol) is State.CONNECTING
    receive(protocol, WELCOME)
    assert receive(protocol, {**WELCOME, "request_id": "r2"}) is None
    frames(protocol)
    receive(protocol, APPLIED)
    assert receive(protocol, APPLIED) is None
    assert protocol.counts.out_of_order == 3
    assert protocol.request_id == "r1"


def test_the_greeting_may_come_before_settings_applied() -> None:
    protocol = opened()
    receive(protocol, WELCOME)
    frames(protocol)
    greeting = {"type": "ConversationText", "role": "assistant", "content": "Hello."}
    assert receive(protocol, greeting) == m.ConversationText("assistant", "Hello.")
    assert protocol.receive_audio(b"\x7f") == b"\x7f"
    assert receive(protocol, APPLIED) == m.SettingsApplied()


def test_before_settings_applied_messages_wait_and_audio_is_dropped_and_counted() -> None:
    protocol = opened()
    assert protocol.send(m.InjectUserMessage("Hello?"))
    assert not protocol.send_audio(bytes(160))
    receive(protocol, WELCOME)
    assert frames(protocol) == [SETTINGS_TEXT]
    assert not protocol.send_audio(bytes(160))
    receive(protocol, APPLIED)
    assert frames(protocol) == ['{"type":"InjectUserMessage","content":"Hello?"}']
    assert protocol.counts.audio_before_applied == 320


def test_ten_seconds_without_settings_applied_end_the_session() -> None:
    protocol = opened()
    receive(protocol, WELCOME)
    frames(protocol)
    assert protocol.next_deadline_ms() == T + 10_000
    protocol.timeout(T + 9_999)
    assert not over(protocol)
    protocol.timeout(T + 10_000)
    assert protocol.ended is not None
    assert protocol.ended.code == "HANDSHAKE_TIMEOUT"
    assert protocol.ended.request_id == "r1"
    assert state_of(protocol) is State.CLOSING


@pytest.mark.parametrize(
    ("failure", "code", "detail"),
    [
        (UpgradeRefused(429, "TOO_MANY_REQUESTS", "r9", 3_000), "HTTP_429", "TOO_MANY_REQUESTS"),
        (Unreachable("gaierror"), "UNREACHABLE", "the Voice Agent cannot be reached: gaierror"),
        (KeyUnavailable("it is empty"), "KEY_UNAVAILABLE", "no usable API key: it is empty"),
    ],
)
def test_a_failed_opening_ends_the_session(failure: UpgradeRefused, code: str, detail: str) -> None:
    protocol = Protocol(SETTINGS)
    protocol.open_failed(failure, T)
    ended = protocol.ended
    assert ended is not None
    assert (ended.code, ended.detail, protocol.state) == (code, detail, State.CLOSED)
    refused = isinstance(failure, UpgradeRefused)
    assert (ended.request_id, ended.retry_after_ms) == (("r9", 3_000) if refused else ("", 0))


def test_an_opening_that_fails_after_we_gave_up_is_our_own_close() -> None:
    protocol = Protocol(SETTINGS)
    protocol.close(T)
    protocol.open_failed(Unreachable("TimeoutError"), T)
    assert protocol.ended is not None
    assert protocol.ended.code == "CLOSED"


# ---- audio and messages ----


def test_caller_audio_goes_out_as_it_came() -> None:
    protocol = applied()
    frame = bytes(160)
    assert protocol.send_audio(frame)
    assert protocol.next_frame(T) is frame


def test_empty_frames_are_neither_sent_nor_passed_on() -> None:
    protocol = applied()
    assert not protocol.send_audio(b"")
    assert protocol.receive_audio(b"") is None
    assert frames(protocol) == []


def test_a_stalled_socket_keeps_the_newest_second_of_audio_and_every_message() -> None:
    protocol = applied()
    for _ in range(60):
        protocol.send_audio(bytes(160))
    protocol.send(m.UpdatePrompt("x"))
    assert protocol.dropped_bytes == 10 * 160
    found = frames(protocol)
    assert found[0] == '{"type":"UpdatePrompt","prompt":"x"}'
    assert len(found) == 51


def test_an_answer_is_sent_once_and_only_where_it_was_asked_for() -> None:
    protocol = applied()
    calls = [{"id": i, "name": "f", "arguments": "", "client_side": i != "server"} for i in ("a", "b", "server")]
    receive(protocol, {"type": "FunctionCallRequest", "functions": calls})
    receive(protocol, {"type": "FunctionCallCancelled", "functions": [{"id": "b", "name": "f"}, {"id": "x"}]})
    assert protocol.send(m.FunctionCallResponse("a", "f", "1"))
    for call_id in ("a", "b", "server", "never asked"):
        assert not protocol.send(m.FunctionCallResponse(call_id, "f", "2"))
    assert protocol.counts.refused == 4
    assert frames(protocol) == ['{"type":"FunctionCallResponse","id":"a","name":"f","content":"1"}']


# ---- KeepAlive and stalls ----


def test_five_seconds_without_a_frame_bring_a_keepalive_again_and_again() -> None:
    protocol = applied()
    assert protocol.next_deadline_ms() == T + 5_000
    protocol.timeout(T + 4_999)
    assert frames(protocol, T + 4_999) == []
    for at in (T + 5_000, T + 10_000):
        protocol.timeout(at)
        assert frames(protocol, at) == ['{"type":"KeepAlive"}']
        assert protocol.next_deadline_ms() == at + 5_000
    assert protocol.counts.keepalives == 2


def test_audio_puts_the_keepalive_off() -> None:
    protocol = applied()
    protocol.send_audio(bytes(160))
    frames(protocol, T + 3_000)
    assert protocol.next_deadline_ms() == T + 8_000


def test_while_frames_wait_no_keepalive_is_added() -> None:
    protocol = applied()
    protocol.send_audio(bytes(160))
    protocol.timeout(T + 5_000)
    assert frames(protocol, T + 5_000) == [bytes(160)]
    assert protocol.counts.keepalives == 0


def test_a_socket_that_takes_nothing_for_ten_seconds_ends_the_session() -> None:
    protocol = applied()
    protocol.send_audio(bytes(160))
    assert protocol.next_frame(T + 1_000) is not None
    protocol.timeout(T + 6_000)
    assert protocol.next_deadline_ms() == T + 11_000
    protocol.timeout(T + 11_000)
    assert protocol.ended is not None
    assert protocol.ended.code == "SEND_STALLED"


# ---- what is received ----


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"LatencyReport","stt_latency":0.25}',
        '{"type": "LatencyReport", "stt_latency": 0.25}',
        '{"stt_latency":2.5e-1,"type":"LatencyReport"}',
    ],
)
def test_reports_of_stt_latency_alone_are_counted_and_wake_nobody(text: str) -> None:
    protocol = applied()
    protocol.receive_text('{"type":"LatencyReport","stt_latency":1}', T)
    assert protocol.receive_text(text, T) is None
    counts = protocol.counts
    assert (counts.stt_reports, counts.stt_latency_s, counts.stt_latency_max_s) == (2, 0.25, 1.0)


@pytest.mark.parametrize("number", ["-1", "1e3", "", ".", "9" * 400])
def test_an_odd_stt_latency_is_left_to_the_json_parser(number: str) -> None:
    protocol = applied()
    protocol.receive_text('{"type":"LatencyReport","stt_latency":' + number + "}", T)
    expected = {"-1": 1, "1e3": 1}.get(number, 0)
    assert protocol.counts.stt_reports == expected


def test_a_report_that_is_cut_off_is_malformed() -> None:
    protocol = applied()
    assert protocol.receive_text('{"type":"LatencyReport","stt_latency":0.25', T) is None
    assert protocol.counts.malformed[""] == 1


def test_other_latencies_are_passed_on_also_beside_stt_latency() -> None:
    protocol = applied()
    assert receive(protocol, {"type": "LatencyReport", "tts_latency": 0.5}) == m.LatencyReport({"tts_latency": 0.5})
    both = {"stt_latency": 0.25, "total_latency": 1.0}
    text = '{"type":"LatencyReport","stt_latency":0.25,"total_latency":1.0}'
    assert protocol.receive_text(text, T) == m.LatencyReport(both)
    assert protocol.counts.stt_reports == 1


def test_unknown_and_malformed_messages_are_counted_and_skipped() -> None:
    protocol = applied()
    assert receive(protocol, {"type": "NewThing"}) is None
    assert receive(protocol, {"type": "NewThing"}) is None
    assert receive(protocol, {"type": "History"}) is None
    assert protocol.receive_text("{", T) is None
    assert protocol.counts.unknown == {"NewThing": 2}
    assert protocol.counts.malformed == {"History": 1, "": 1}


def test_a_flood_of_unknown_types_is_told_apart_only_up_to_a_point() -> None:
    protocol = applied()
    for number in range(100):
        receive(protocol, {"type": f"New{number}"})
    assert len(protocol.counts.unknown) == 33
    assert protocol.counts.unknown["other"] == 68


def test_the_warning_of_the_session_limit_tells_when_it_ends() -> None:
    protocol = applied()
    before = protocol.ends_at_ms
    warning = {"type": "Warning", "code": "MAXIMUM_SESSION_LENGTH_APPROACHING", "description": ""}
    assert receive(protocol, warning, T + 9) == m.Warning_("MAXIMUM_SESSION_LENGTH_APPROACHING")
    assert (before, protocol.ends_at_ms) == (None, T + 9 + 300_000)
    receive(protocol, {"type": "Warning", "code": "NEW", "description": ""})
    assert protocol.counts.warnings == {"MAXIMUM_SESSION_LENGTH_APPROACHING": 1, "other": 1}
    assert state_of(protocol) is State.APPLIED


# ---- the end ----


def test_an_error_ends_the_session_when_the_server_closes_whatever_the_close_code() -> None:
    protocol = applied()
    description = "Check the `agent.think` field. I said: secret"
    error = {"type": "Error", "code": "FAILED_TO_THINK", "description": description}
    assert receive(protocol, error, T + 70_000) == m.Error("FAILED_TO_THINK", description)
    assert state_of(protocol) is State.CLOSING
    assert not over(protocol)
    ended = protocol.connection_ended(1000, T + 70_005)
    assert ended is protocol.ended
    assert ended.treatment is treatment.ERRORS["FAILED_TO_THINK"]
    assert (ended.code, ended.detail, ended.close_code) == ("FAILED_TO_THINK", "agent.think", 1000)
    assert (ended.request_id, ended.lived_ms) == ("r1", 70_005)
    assert "secret" not in repr(ended)
    assert state_of(protocol) is State.CLOSED


def test_where_the_server_does_not_close_after_an_error_we_do_one_second_later() -> None:
    protocol = applied()
    receive(protocol, {"type": "Error", "code": "NEXT_YEARS_ERROR", "description": ""}, T)
    assert protocol.next_deadline_ms() == T + 1_000
    protocol.timeout(T + 999)
    assert not over(protocol)
    protocol.timeout(T + 1_000)
    assert protocol.ended is not None
    assert protocol.ended.treatment is treatment.UNKNOWN_ERROR
    assert protocol.next_deadline_ms() is None


def test_after_an_error_nothing_is_sent_and_what_still_comes_is_passed_on() -> None:
    protocol = applied()
    protocol.send(m.ForceEndTurn())
    receive(protocol, {"type": "Error", "code": "SERVER_GOING_AWAY", "description": ""})
    assert not protocol.send(m.ForceEndTurn())
    assert not protocol.send_audio(bytes(160))
    assert frames(protocol) == []
    assert protocol.counts.audio_before_applied == 0
    assert receive(protocol, {"type": "AgentAudioDone"}) == m.AgentAudioDone()
    assert protocol.receive_audio(b"1") == b"1"


def test_of_several_errors_the_last_is_the_reason() -> None:
    protocol = applied()
    receive(protocol, {"type": "Error", "code": "INTERNAL_SERVER_ERROR", "description": ""}, T)
    receive(protocol, {"type": "Error", "code": "SERVER_GOING_AWAY", "description": ""}, T + 500)
    assert protocol.next_deadline_ms() == T + 1_000
    assert protocol.connection_ended(1005, T + 501).code == "SERVER_GOING_AWAY"


def test_an_error_in_place_of_settings_applied_is_not_retried_where_it_is_ours() -> None:
    protocol = opened()
    receive(protocol, WELCOME)
    frames(protocol)
    receive(protocol, {"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": "`agent.think`"})
    ended = protocol.connection_ended(1005, T + 5)
    assert (ended.treatment.kind, ended.treatment.retry) == (Kind.OWN_BUG, Retry.NEVER)
    assert (ended.detail, ended.lived_ms) == ("agent.think", 0)


def test_an_error_without_a_readable_code_is_unnamed() -> None:
    protocol = applied()
    receive(protocol, {"type": "Error", "description": "?"})
    ended = protocol.connection_ended(1005, T)
    assert (ended.code, ended.treatment) == ("UNNAMED", treatment.UNKNOWN_ERROR)


@pytest.mark.parametrize("close_code", [1000, 1005, 1006, 1011])
def test_an_end_without_an_error_is_a_lost_connection(close_code: int) -> None:
    protocol = applied()
    assert protocol.connection_ended(close_code, T).code == "CONNECTION_LOST"


def test_our_own_close_is_the_reason_when_it_came_first() -> None:
    protocol = applied()
    protocol.close(T)
    assert state_of(protocol) is State.CLOSING
    receive(protocol, {"type": "Error", "code": "INTERNAL_SERVER_ERROR", "description": ""})
    protocol.timeout(T + 100_000)
    assert protocol.connection_ended(1000, T).code == "CLOSED"


def test_an_error_stays_the_reason_when_we_close_because_of_it() -> None:
    protocol = applied()
    receive(protocol, {"type": "Error", "code": "FAILED_TO_SPEAK", "description": ""})
    protocol.close(T)
    assert protocol.ended is not None
    assert protocol.ended.code == "FAILED_TO_SPEAK"


def test_after_the_end_nothing_comes_any_more() -> None:
    protocol = applied()
    protocol.connection_ended(1000, T)
    assert receive(protocol, {"type": "AgentAudioDone"}) is None
    assert protocol.receive_audio(b"1") is None
    assert frames(protocol) == []
    assert protocol.next_deadline_ms() is None


# ---- properties ----

server_texts = st.sampled_from(
    [
        WELCOME,
        APPLIED,
        {"type": "ConversationText", "role": "user", "content": "Hi."},
        {"type": "FunctionCallRequest", "functions": [{"id": "a", "name": "f", "arguments": "{}"}]},
        {"type": "FunctionCallCancelled", "functions": [{"id": "a"}]},
        {"type": "LatencyReport", "stt_latency": 0.1},
        {"type": "AgentAudioDone"},
        {"type": "Error", "code": "INTERNAL_SERVER_ERROR"},
        {"type": "Warning", "code": "SLOW_THINK_REQUEST"},
        {"type": "Tomorrow"},
        {},
    ]
).map(json.dumps)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("text"), server_texts),
        st.tuples(st.just("audio in"), st.binary(max_size=3)),
        st.tuples(st.just("audio out"), st.binary(max_size=3)),
        st.tuples(st.just("send"), st.sampled_from([m.ForceEndTurn(), m.FunctionCallResponse("a", "f", "x")])),
        st.tuples(st.just("wait"), st.sampled_from([1, 999, 1_000, 5_000, 11_000])),
        st.tuples(st.sampled_from(["opened", "flush", "flush", "take", "close", "gone"]), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=200)
@given(steps)
def test_in_any_order_of_events_nothing_raises_states_only_move_forward_and_settings_come_first(
    events: list[tuple[str, Any]],
) -> None:
    protocol = Protocol(SETTINGS)
    now, state, ended = T, protocol.state, None
    sent: list[str | bytes] = []
    was_applied = False
    for event, value in events:
        match event:
            case "text":
                protocol.receive_text(value, now)
            case "audio in":
                protocol.receive_audio(value)
            case "audio out":
                protocol.send_audio(value)
            case "send":
                protocol.send(value)
            case "wait":
                now += value
                protocol.timeout(now)
            case "opened":
                protocol.opened(now)
            case "flush":
                sent += frames(protocol, now)
            case "take":
                sent += [frame] if (frame := protocol.next_frame(now)) is not None else []
            case "close":
                protocol.close(now)
            case _:
                protocol.connection_ended(1006, now)
        was_applied = was_applied or protocol.state is State.APPLIED
        assert protocol.state >= state
        assert ended is None or protocol.ended is ended, "the end changed"
        state, ended = protocol.state, protocol.ended
        assert (ended is not None) <= (state >= State.CLOSING)
        deadline = protocol.next_deadline_ms()
        assert deadline is None or ended is None
    assert sent.count(SETTINGS_TEXT) <= 1
    assert sent[:1] in ([], [SETTINGS_TEXT])
    assert len(sent) <= 1 or was_applied
    assert b"" not in sent
    answers = [frame for frame in sent if "FunctionCallResponse" in str(frame)]
    assert len(answers) <= sum("FunctionCallRequest" in str(value) for _, value in events)
