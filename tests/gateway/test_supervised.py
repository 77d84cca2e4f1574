"""Work beside the calls begins anew where it breaks."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.supervised import AGAIN_S, supervised


async def test_what_breaks_is_told_and_begins_anew() -> None:
    begun: list[float] = []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 3:
            raise ExceptionGroup("several", [ValueError("planted")])

    with capture_logs() as logs:
        await supervised("openings", work)
    assert [line["task"] for line in logs if line["event"] == "side_task_broke"] == ["openings", "openings"]
    assert begun[2] - begun[0] == pytest.approx(2 * AGAIN_S, abs=0.01)


async def test_who_is_cancelled_does_not_begin_anew() -> None:
    task = asyncio.create_task(supervised("forever", asyncio.Event().wait))  # type: ignore[arg-type]
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
