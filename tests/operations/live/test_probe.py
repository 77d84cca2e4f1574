"""What doctor measures in a test call is how the preset behaves, in every preset."""

from __future__ import annotations

import pytest

from operations.errors import CallLeft, NoTestCall
from operations.live.measured import Cut, Delivery, FirstFragment
from simulator.connect.presets import BEST, PRESETS, KvsDelivery, PromptCut, StartFragment
from tests.operations.live.world import ProbedCall

CUTS = {
    PromptCut.AT_ONCE: Cut.AT_ONCE,
    PromptCut.AFTER_500MS: Cut.LATE,
    PromptCut.AFTER_900MS: Cut.LATE,
    PromptCut.AT_ITS_END: Cut.AT_ITS_END,
    PromptCut.NEVER: Cut.NEVER,
}


@pytest.mark.parametrize("name", PRESETS)
async def test_each_preset_is_told_by_what_was_measured(name: str) -> None:
    preset = PRESETS[name]
    call = ProbedCall(preset)
    measured = await call.run()
    assert measured.cut is CUTS[preset.prompt_cut]
    cut = measured.cut in (Cut.AT_ONCE, Cut.LATE)
    assert measured.held_back == (preset.minimum_wait_holds_back if cut else None)
    per_fragment = preset.kvs_delivery is KvsDelivery.PER_FRAGMENT
    assert measured.delivery is (Delivery.PER_FRAGMENT if per_fragment else Delivery.PER_BLOCK)
    inclusive = preset.start_fragment is StartFragment.INCLUSIVE
    assert measured.first_fragment is (FirstFragment.INCLUSIVE if inclusive else FirstFragment.EXCLUSIVE)
    least, most = preset.prompt_start_ms
    assert len(measured.start_delays_ms) == (0 if measured.cut is Cut.NEVER else 3)
    assert all(least <= start <= most + 60 for start in measured.start_delays_ms), measured.start_delays_ms
    assert call.world.end is not None


async def test_another_caller_is_left_alone() -> None:
    call = ProbedCall(BEST, caller="+491", wait_s=5)
    with pytest.raises(NoTestCall):
        await call.run()
    assert call.said == []


async def test_a_call_of_the_polling_flow_is_left_alone() -> None:
    call = ProbedCall(BEST, form="polling", wait_s=5)
    with pytest.raises(NoTestCall):
        await call.run()


async def test_a_caller_who_hangs_up_ends_the_measurement() -> None:
    call = ProbedCall(BEST)
    call.world.patience_ms = 300
    with pytest.raises(CallLeft, match="hung up"):
        await call.run()


async def test_the_gateway_leaves_the_call_to_doctor_and_nothing_of_it_is_kept() -> None:
    call = ProbedCall(BEST)
    await call.run()
    assert call.world.queued is None
    assert "How can I help" not in call.world.heard_words
    assert call.world.end is not None
    assert call.world.end.reason.value == "CONTACT_FLOW_DISCONNECT"
