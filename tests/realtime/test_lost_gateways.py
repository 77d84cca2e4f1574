"""A gateway goes, and no other one is there: the caller is at a human soon, with the turns so far. Words are tones."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.caller import recordings
from simulator.phone.call import PhoneCall
from simulator.phone.processes import Child
from tests.realtime.phones import Outcome, agent_speaks, faults, phone, together

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(200)]

ROOT = Path(__file__).resolve().parents[2]
ORDER = str(recordings.FOLDER / "order.wav")


@pytest.fixture(scope="module")
def lost_gateways(tmp_path_factory: pytest.TempPathFactory) -> Mapping[signal.Signals, tuple[Outcome, int]]:
    """One is killed while it speaks, one told to stop; each call with when that was. Words travel as tones."""
    sent: dict[signal.Signals, int] = {}
    folder = tmp_path_factory.mktemp("lost")

    def loses(number: signal.Signals) -> Any:
        async def beside(call: PhoneCall, gateway: Child) -> None:
            await agent_speaks(call, clips=1)
            sent[number] = call.now_ms
            gateway.send(number)
            await asyncio.sleep(60)

        return phone(folder / number.name, speech=False, CALLER=ORDER, beside=beside, hang_up_ms=40_000)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        calls = together(loses(signal.SIGKILL), loses(signal.SIGTERM))
    return {number: (one, sent[number]) for number, one in zip((signal.SIGKILL, signal.SIGTERM), calls, strict=True)}


def test_a_gateway_that_is_killed_while_it_speaks_leaves_the_caller_to_a_human_within_25_s(
    lost_gateways: Mapping[signal.Signals, tuple[Outcome, int]],
) -> None:
    call, killed_ms = lost_gateways[signal.SIGKILL]

    assert call.report["result"] == "transferred"
    assert call.at_ms("queued") - killed_ms <= 25_000
    assert call.report["handover"]["va_reason"] not in ("", "none")
    assert "where my order is" in call.report["handover"]["va_transcript"]
    assert [error for error in faults(call) if not error.startswith("gateway was killed by SIGKILL")] == []


def test_a_gateway_that_is_told_to_stop_hands_the_caller_over(
    lost_gateways: Mapping[signal.Signals, tuple[Outcome, int]],
) -> None:
    call, stopped_ms = lost_gateways[signal.SIGTERM]

    assert (call.report["result"], call.report["queue"]) == ("transferred", "support")
    assert call.report["handover"]["va_reason"] == "gateway_stopping"
    assert call.at_ms("queued") - stopped_ms <= 10_000
    assert [error for error in faults(call) if not error.startswith("gateway ended with code 0")] == []
