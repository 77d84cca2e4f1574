from __future__ import annotations

from contract import handover
from contract.transcript import handover_values, said
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from tests.contract.samples import T0


def values(*turns: Turn, summary: str = "") -> dict[str, str]:
    functions = (FunctionEntry("k", "get_order_status", {}, FunctionState.FINISHED, T0),)
    return handover_values(
        agent="shop",
        reason="asked",
        queue="support",
        result="transferred",
        turns=turns,
        functions=functions,
        summary=summary,
    )


CALLER = Turn(1, Role.CALLER, "Where is my sofa?")
AGENT = Turn(2, Role.VOICE_AGENT, "It is on its way.")


def test_the_last_turns_stand_for_a_summary() -> None:
    told = values(AGENT, CALLER)
    assert told["va_summary"] == "Caller: Where is my sofa?\nAgent: It is on its way."
    assert told["va_transcript"] == told["va_summary"]
    assert (told["va_last_caller"], told["va_last_agent"]) == ("Where is my sofa?", "It is on its way.")
    assert (told["va_turns"], told["va_functions"]) == ("2", "get_order_status: finished")


def test_a_summary_of_the_agent_comes_first() -> None:
    assert values(CALLER, summary="The sofa is late.")["va_summary"] == "The sofa is late."


def test_of_an_interrupted_turn_only_what_was_heard_counts() -> None:
    assert said(Turn(1, Role.VOICE_AGENT, "It is on its way.", interrupted=True, heard_text="It is")) == "It is"
    assert values(Turn(1, Role.VOICE_AGENT, "It is.", interrupted=True))["va_turns"] == "0"


def test_when_not_everything_fits_the_oldest_goes() -> None:
    told = values(*(Turn(number, Role.CALLER, f"{number} " + "x" * 190) for number in range(1, 41)))
    assert "Caller: 40 " in told["va_transcript"]
    assert "Caller: 1 " not in told["va_transcript"]
    limits = {**handover.ESSENTIAL, **handover.REST}
    assert all(len(told[key].encode()) <= limit for key, limit in limits.items())
    assert tuple(told) == handover.KEYS


def test_one_turn_that_is_too_long_is_cut_rather_than_left_out() -> None:
    assert values(Turn(1, Role.CALLER, "x" * 9000))["va_summary"].endswith("…")


def test_without_turns_there_is_nothing_to_tell() -> None:
    told = values()
    assert (told["va_summary"], told["va_last_caller"], told["va_turns"]) == ("none", "none", "0")
