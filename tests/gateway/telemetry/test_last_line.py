from __future__ import annotations

from contract.turns import Role, Turn
from gateway.telemetry.last_line import last_line
from tests.contract.samples import T0, a_call


def test_the_last_line_counts_and_times_and_quotes_nothing() -> None:
    turns = [
        Turn(1, Role.VOICE_AGENT, "good day", started_at_ms=T0 + 900),
        Turn(2, Role.CALLER, "my secret", started_at_ms=T0 + 3000),
        Turn(3, Role.VOICE_AGENT, "never heard"),
    ]
    line = last_line(a_call(), turns, "orders")
    assert line["first_word_ms"] == T0 + 900 - a_call().started_at_ms
    assert (line["queue"], line["turns"], line["agent"], line["form"]) == ("orders", 1, a_call().agent, "interruptible")
    assert "secret" not in str(line)


def test_a_call_in_which_nobody_spoke_has_no_first_word() -> None:
    assert last_line(a_call(), [], "") | {"agent": "", "form": ""} == {
        "agent": "",
        "form": "",
        "queue": "none",
        "turns": 0,
        "first_word_ms": 0,
    }
