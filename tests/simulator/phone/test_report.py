from __future__ import annotations

import json
from dataclasses import replace

import pytest

from contract.turns import FunctionState
from simulator.connect.events import DisconnectReason
from simulator.phone.report import build, p99, result_of
from tests.simulator.phone.samples import CONTACT, FACTS, HEAD, event, lookup, track


def test_the_report_is_json_with_exactly_these_fields() -> None:
    report = build(FACTS)

    assert list(json.loads(json.dumps(report))) == [
        *("contact_id", "flow", "preset", "result", "reason", "queue", "transcript", "functions", "handover"),
        *("clips", "barge_ins", "latency_ms", "caller_audio", "rtp", "loop_lag_ms_p99", "flow_actions"),
        "errors",
    ]
    assert (report["contact_id"], report["flow"], report["preset"]) == (CONTACT, "interruptible", "default")


def test_a_caller_in_a_queue_was_transferred_with_the_keys_of_the_handover() -> None:
    report = build(FACTS)

    assert (report["result"], report["reason"], report["queue"]) == ("transferred", "transfer_to_human", "orders")
    assert report["handover"] == {"va_reason": "wants a human"}


def test_without_a_record_the_reason_is_that_of_the_handover() -> None:
    assert build(replace(FACTS, head=None))["reason"] == "wants a human"


@pytest.mark.parametrize(
    ("disconnect", "expected"),
    [
        (DisconnectReason.CUSTOMER, ("caller_hung_up", "caller_hung_up")),
        (DisconnectReason.FLOW, ("ended", "flow")),
        (None, ("failed", "unknown")),
    ],
)
def test_without_a_queue_the_result_is_how_the_contact_ended(
    disconnect: DisconnectReason | None, expected: tuple[str, str]
) -> None:
    report = build(replace(FACTS, flow=(), head=None, disconnect=disconnect))

    assert (report["result"], report["reason"]) == expected
    assert (report["queue"], report["handover"]) == (None, {})


def test_a_record_knows_the_reason_better_than_the_line() -> None:
    report = build(replace(FACTS, flow=(), head=replace(HEAD, reason="max_duration"), disconnect=DisconnectReason.FLOW))

    assert (report["result"], report["reason"]) == ("ended", "max_duration")


def test_the_transcript_counts_from_the_ring() -> None:
    turn = build(FACTS)["transcript"][2]

    assert turn == {
        "role": "voice_agent",
        "text": "Your table is ready to leave and comes on Tuesday.",
        "start_ms": 9040,
        "end_ms": 12_700,
        "heard_ms": 3660,
        "heard_text": "Your table is",
        "heard_source": "measured",
    }


def test_a_function_has_its_arguments_its_result_and_how_long_it_took() -> None:
    assert build(FACTS)["functions"] == [
        {
            "name": "get_order_status",
            "arguments": {"order_number": "471108"},
            "result": {"found": True},
            "duration_ms": 30,
            "error": None,
        }
    ]


def test_a_function_that_is_still_running_has_neither_result_nor_duration() -> None:
    (function,) = build(replace(FACTS, functions=(lookup(FunctionState.ENTERED),)))["functions"]

    assert (function["result"], function["duration_ms"]) == (None, 0)


def test_a_result_that_is_no_json_is_text() -> None:
    assert result_of(lookup(result="not json")) == "not json"


def test_clips_are_timed_from_ready_to_ended_and_other_actions_are_none() -> None:
    first, second, third, never = build(FACTS)["clips"]

    assert first == {
        "seq": 1,
        "ready_ms": 8500,
        "asked_ms": 8900,
        "started_ms": 9000,
        "ended_ms": 11_200,
        "outcome": "completed",
    }
    assert (second["outcome"], second["ended_ms"], third["started_ms"]) == ("cut", 12_710, 15_950)
    assert (never["started_ms"], never["ended_ms"], never["outcome"]) == (0, 0, "cancelled")


def test_a_barge_in_has_its_four_times() -> None:
    assert build(FACTS)["barge_ins"] == [
        {"onset_ms": 11_000, "user_started_speaking_ms": 12_450, "flow_told_ms": 12_480, "silent_ms": 12_710}
    ]


def test_latencies_are_those_of_each_turn() -> None:
    latency = build(FACTS)["latency_ms"]

    assert (latency["answered"], latency["first_word"]) == (150, 400)
    assert latency["turns"][0] == {"caller_stopped": 6000, "agent_audio_received": 8240, "heard_by_caller": 9040}


def test_a_call_that_nobody_took_has_no_latencies() -> None:
    report = build(replace(FACTS, figures={}, turns=(), heard=track()))

    assert report["latency_ms"] == {"answered": 0, "first_word": 0, "turns": []}
    assert report["caller_audio"] == {
        "kvs_delay_ms_p50": 0,
        "backlog_ms_max": 0,
        "inserted_ms": 0,
        "dropped_ms": 0,
    }


def test_a_call_over_sip_has_the_figures_of_its_packets() -> None:
    figures = {"rtp_lost": 2, "silent_after_ms": 17, "loop_lag_ms_p99": 1, "queue": "orders"}
    assert build(replace(FACTS, figures=figures))["rtp"] == {"rtp_lost": 2, "silent_after_ms": 17}
    assert build(FACTS)["rtp"] == {}


def test_flow_actions_are_the_blocks_in_their_order() -> None:
    assert build(FACTS)["flow_actions"] == [
        {"identifier": "Start streaming", "type": "UpdateContactMediaStreamingBehavior", "at_ms": 10},
        {"identifier": "Into the queue", "type": "TransferContactToQueue", "at_ms": 18_000},
    ]


def test_what_failed_comes_with_it() -> None:
    assert build(replace(FACTS, errors=("moto was killed",)))["errors"] == ["moto was killed"]


@pytest.mark.parametrize(("ours", "gateway"), [(80.0, 0), (0.0, 80)])
def test_a_busy_machine_makes_the_times_mean_little_and_the_report_says_so(ours: float, gateway: int) -> None:
    report = build(replace(FACTS, lag_ms=(ours,), figures={"loop_lag_ms_p99": gateway}))

    assert report["loop_lag_ms_p99"] == 80.0
    assert report["errors"] == [
        "this machine was busy: event loops ran up to 80 ms late (p99), so the times mean little"
    ]


def test_the_lag_is_the_worse_of_the_two_loops() -> None:
    report = build(FACTS)

    assert (report["loop_lag_ms_p99"], report["errors"]) == (7.0, [])


def test_the_99th_percentile_leaves_out_the_worst_of_two_hundred() -> None:
    assert p99([*range(200)]) == 198
    assert p99([5.0]) == 5.0
    assert p99([]) == 0.0


def test_a_clip_that_was_asked_for_and_never_played_has_the_time_of_asking() -> None:
    flow = (event(15_900, "prompt_asked", prompt_id="b", uri=FACTS.actions[3].action.prompt_url),)  # type: ignore[union-attr]

    assert build(replace(FACTS, flow=flow))["clips"][3]["asked_ms"] == 15_900
