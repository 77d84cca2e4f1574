from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from simulator.phone.closing import closing
from simulator.phone.facts import Facts
from simulator.phone.report import build
from tests.simulator.phone.samples import FACTS, a_terminal, track


def closed(facts: Facts, folder: str = "build/report") -> str:
    terminal, file = a_terminal(width=80)
    closing(terminal.screen, build(facts), facts, Path(folder))
    return file.getvalue()


def test_the_end_says_what_came_of_the_call_and_where_to_look() -> None:
    text = closed(FACTS)

    assert text.startswith("\nTransferred to orders: transfer_to_human\n")
    assert "Report     build/report/report.json\n" in text
    assert "Recording  build/report/call.wav  (left: the caller" in text


def test_latencies_stand_in_a_table_from_the_caller_to_the_callers_ear() -> None:
    head, first, second, *_ = closed(FACTS).split("\n\n")[1].splitlines()

    assert head.split("  ")[0] == "Latencies"
    assert first.split()[-6:] == ["6.00", "s", "+2.24", "s", "+3.04", "s"]
    assert second.split()[-6:] == ["13.00", "s", "+2.20", "s", "+3.00", "s"]
    assert len(head) == len(first) == len(second)


def test_barge_ins_have_a_table_of_their_own() -> None:
    text = closed(FACTS)

    assert ["Are", "you", "open?", "11.00", "s", "+1.45", "s", "+1.48", "s", "+1.71", "s"] in [
        line.split() for line in text.splitlines()
    ]


def test_a_call_over_sip_says_what_its_line_was_like() -> None:
    names = ("rtp_received", "rtp_sent", "rtp_lost", "rtp_sent_lost", "rtp_late", "rtp_jitter_ms", "silent_after_ms")
    figures = dict(zip(names, (2530, 2544, 1, 2, 3, 4, 17), strict=True)) | {"kvs_delay_ms_p50": 60}
    lines = closed(replace(FACTS, figures=figures)).splitlines()
    at = lines.index("The line")
    assert [" ".join(line.split()) for line in lines[at + 1 : at + 5]] == [
        "packets 2,530 in, 2,544 out; 1 lost on the way in, 2 out; 3 too",
        "late",
        "to the agent 60 ms in the jitter buffer; jitter 4 ms",
        "to the caller silent 17 ms after a barge-in was noticed, at most",
    ]
    assert "The line" not in closed(FACTS)


def test_what_is_not_known_is_a_dash() -> None:
    turns = [replace(turn, marks={**turn.marks, "agent_audio_received": 0}) for turn in FACTS.turns]
    lines = closed(replace(FACTS, flow=FACTS.flow[-1:], turns=turns)).splitlines()

    assert ["6.00", "s", "–", "+3.04", "s"] in [line.split()[-5:] for line in lines]
    assert ["+1.45", "s", "–", "+1.71", "s"] in [line.split()[-5:] for line in lines]


def test_a_long_sentence_is_cut_in_the_table() -> None:
    turns = [replace(turn, text="Could I speak to a person about the delivery of my table?") for turn in FACTS.turns]

    assert "Could I speak to a person about the deliver…" in closed(replace(FACTS, turns=turns))


def test_the_human_sees_what_is_not_on_the_screen_already() -> None:
    text = closed(FACTS)

    assert "What the human sees\n  reason              wants a human\n" in text
    assert "va_" not in text


def test_what_failed_stands_at_the_top() -> None:
    text = closed(replace(FACTS, errors=("moto was killed by SIGKILL",)))

    assert text.splitlines()[2] == "  moto was killed by SIGKILL"


def test_a_call_without_anything_has_no_tables() -> None:
    empty = replace(FACTS, turns=(), functions=(), flow=(), actions=(), played=(), spoken=(), heard=track(), head=None)
    text = closed(empty)

    assert text.startswith("\nCaller hung up: caller_hung_up\n")
    assert "Latencies" not in text
    assert "What the human sees" not in text


def test_paths_are_never_broken() -> None:
    folder = "/a/rather/long/folder" * 6

    assert f"{folder}/report.json\n" in closed(FACTS, folder)
